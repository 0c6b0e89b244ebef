"""The graph as a picture: one box for each stage, in the language of Graphviz."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def dot(edges: Sequence[Mapping[str, Any]]) -> str:
    """The text for `dot -Tsvg`.

    Args:
        edges: of graph.json. Aliases (rule `phony`) and edges that make no file (`run-NAME`) are left out.
    """
    boxes = [edge for edge in edges if edge["rule"] != "phony" and "." in edge["outputs"][0]]
    made_by = {output: number for number, edge in enumerate(boxes) for output in edge["outputs"]}
    lines = ["digraph build {", "  rankdir = LR;", '  node [shape = box, fontname = "sans-serif"];']
    for number, edge in enumerate(boxes):
        lines.append(f"  n{number} [label = {_text(edge['rule'], os.path.basename(edge['outputs'][0]))}];")
    for number, edge in enumerate(boxes):
        # dict: each arrow once, in the order of the inputs
        for other in dict.fromkeys(
            made_by[path] for path in (*edge["inputs"], *edge["implicit"]) if path in made_by
        ):
            lines.append(f"  n{other} -> n{number};")
        for path in edge["inputs"]:
            if path not in made_by:
                lines.append(f"  {_text(path)} -> n{number};")
                lines.append(f"  {_text(path)} [shape = plaintext];")
    return "\n".join([*lines, "}"]) + "\n"


def _text(*lines: str) -> str:
    # In Graphviz's strings only the quote and the backslash are special; `\n` is a line break of the label.
    escaped = (json.dumps(line, ensure_ascii=False)[1:-1] for line in lines)
    return '"' + "\\n".join(escaped) + '"'
