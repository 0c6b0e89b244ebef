import json

from npuninja.emit.compile_commands import compile_commands
from npuninja.plan.graph import Edge, Graph


def test_only_edges_that_compile_a_source_are_listed():
    graph = Graph(frozenset({"cc", "link"}), {})
    graph.add(Edge("cc", ("a.o",), inputs=("a.c",), compile_command=("clang", "-c", "a.c")))
    graph.add(Edge("link", ("a.wasm",), inputs=("a.o",)))
    assert json.loads(compile_commands(graph, "/p")) == [
        {"directory": "/p", "file": "a.c", "output": "a.o", "arguments": ["clang", "-c", "a.c"]}
    ]
