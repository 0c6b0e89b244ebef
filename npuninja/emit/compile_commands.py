"""compile_commands.json: how each kernel is compiled, for clangd and other tools that read C."""

from __future__ import annotations

import json

from npuninja.plan.graph import Graph


def compile_commands(graph: Graph, folder: str) -> str:
    """The content of compile_commands.json, one command a line; `folder` is where the commands run."""
    entries = [
        {
            "directory": folder,
            "file": edge.inputs[0],
            "output": edge.outputs[0],
            "arguments": list(edge.compile_command),
        }
        for edge in graph.edges
        if edge.compile_command
    ]
    return "[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n"
