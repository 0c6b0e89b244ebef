"""graph.json: the graph as data, for tests and for other programs."""

from __future__ import annotations

import json

from npuninja.plan.graph import Graph


def graph_json(graph: Graph) -> str:
    """The content of graph.json, one edge a line: that can be read, and is written ten times as fast as with
    indents.
    """
    content = graph.as_json()
    edges = ",\n".join(map(json.dumps, content.pop("edges")))
    head = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    return f'{{\n{head},\n"edges": [\n{edges}\n]\n}}\n'
