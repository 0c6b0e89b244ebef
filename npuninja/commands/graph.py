"""`npuninja graph`: the stages of a build and what flows between them, for Graphviz."""

from __future__ import annotations

import argparse
import json
import os
import sys

from npuninja.emit.dot import dot
from npuninja.errors import Location, UserError


def main(arguments: list[str]) -> int:
    """Prints or writes the graph."""
    parser = argparse.ArgumentParser(
        prog="npuninja graph",
        description="Writes the stages of a build as a graph for Graphviz: `npuninja graph | dot -Tsvg > build.svg`.",
    )
    parser.add_argument("folder", nargs="?", default="build", help="the build folder (default: build)")
    parser.add_argument("--design", metavar="NAME", help="only what is made for this design")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of standard output")
    options = parser.parse_args(arguments)
    path = os.path.join(options.folder, "graph.json")
    try:
        with open(path, encoding="utf-8") as stream:
            edges = json.load(stream)["edges"]
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}", hint="run configure.py"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            "not a graph that configure.py wrote", Location(path), hint="run configure.py"
        ) from error
    if options.design:
        needed = _needed(edges, options.design)
        if not needed:
            raise UserError(f"there is no design {options.design!r} in {path}")
        edges = [edge for edge in edges if needed.intersection(edge["outputs"])]
    text = dot(edges)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as stream:
            stream.write(text)
    else:
        sys.stdout.write(text)
    return 0


def _needed(edges: list[dict[str, list[str]]], target: str) -> set[str]:
    """The target and everything it is made from; empty when nothing makes it."""
    made_by = {output: edge for edge in edges for output in edge["outputs"]}
    needed: set[str] = set()
    pending = [target] if target in made_by else []
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            edge = made_by.get(name)
            pending += [*edge["inputs"], *edge["implicit"]] if edge else []
    return needed
