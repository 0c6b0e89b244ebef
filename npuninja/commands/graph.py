"""`npuninja graph`: the stages of a build and what flows between them, for Graphviz or as a picture."""

from __future__ import annotations

import os
import sys

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import build_of, designs_of, read_graph_file
from npuninja.emit.dot import dot
from npuninja.emit.graph_picture import needed_edges, svg
from npuninja.plan.designs import select


def main(arguments: list[str]) -> int:
    """Prints or writes the graph."""
    parser = VerbParser(
        prog="npuninja graph",
        description="Writes the stages of a build as a picture with a frame for each design (-o build.svg), "
        "or as a graph for Graphviz: `npuninja graph | dot -Tsvg > build.svg`.",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="FOLDER|DESIGN",
        help="the build folder (default: that of the project here), and designs (default: all)",
    )
    parser.add_argument("--design", metavar="NAME", help="only what is made for this design")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE; .svg: a picture (default: Graphviz, printed)"
    )
    options = parser.parse_args(arguments)
    words = list(options.what)
    # `build` is a folder, and no design can be called so.
    folder = words.pop(0) if words and os.path.isfile(os.path.join(words[0], "graph.json")) else None
    if folder is None and words and not words[0].isidentifier():
        folder = words.pop(0)
    path = os.path.join(folder or os.path.relpath(build_of().output_folder), "graph.json")
    graph = read_graph_file(path)
    edges, designs = graph["edges"], designs_of(graph)
    chosen = [*words, *([options.design] if options.design else [])]
    if chosen:
        chosen = list(select(designs, chosen))
        wanted = [
            output for name in chosen for edge in needed_edges(edges, name) for output in edge["outputs"]
        ]
        edges = [edge for edge in edges if set(wanted).intersection(edge["outputs"])]
    picture = bool(options.output) and options.output.endswith(".svg")
    text = svg(edges, chosen or designs) if picture else dot(edges)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as stream:
            stream.write(text)
    else:
        sys.stdout.write(text)
    return 0
