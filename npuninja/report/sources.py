"""The files that a design is made of, with what the build warned of in its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from npuninja.file_kinds import C_SUFFIXES
from npuninja.records import NamedTuple
from npuninja.source_places import WARNINGS_SUFFIX, warnings_of

#: What is shown of a design: its own text, its kernels' and its reference's.
SUFFIXES = (".mlir", ".py", *C_SUFFIXES)
_MOST_BYTES = 400_000
_WARNING = re.compile(r"^(?P<file>[^\n:]+):(?P<line>\d+)(?::\d+)?: warning: (?P<text>.*)$", re.MULTILINE)
_PLAIN = re.compile(r"^(?:(?P<file>[^\n:]+): )?warning: (?P<text>.*)$", re.MULTILINE)


class SourceLine(NamedTuple):
    """A line of a source, from 1, and what was warned of there."""

    number: int
    text: str
    warnings: tuple[str, ...]


class ShownSource(NamedTuple):
    """A file that the design is made of; `warnings` are those of the file as a whole."""

    path: str
    lines: tuple[SourceLine, ...]
    warnings: tuple[str, ...]


class Warned(NamedTuple):
    """A warning: the file and the line it names (0: the file as a whole; "": no file), and its text."""

    file: str
    line: int
    text: str


def sources_of(
    graph: Mapping[str, Any], target: str, folder: str
) -> tuple[tuple[ShownSource, ...], tuple[str, ...]]:
    """The sources of what was built, and the warnings that belong to none of them.

    Args:
        graph: the content of graph.json.
        target: the output meant, as the graph has it.
        folder: the one that paths of the graph are relative to.
    """
    edges = {output: edge for edge in graph["edges"] for output in edge["outputs"]}
    files: dict[str, None] = {}
    records: dict[str, None] = {}
    seen, todo = set(), [target]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        edge = edges.get(path)
        if edge is None:
            if path.endswith(SUFFIXES):
                files[path] = None
            continue
        records[(edge.get("batch") or edge["outputs"][0]) + WARNINGS_SUFFIX] = None
        todo += [*reversed(edge["implicit"]), *reversed(edge["inputs"])]
    warned = [found for record in records for found in read_warnings(_text(os.path.join(folder, record)))]
    return _with_warnings(sorted(files, key=_design_first), warned, folder)


def sources_beside(lowered: str) -> tuple[tuple[ShownSource, ...], tuple[str, ...]]:
    """The same of a folder without a graph: what was kept beside the lowered design."""
    warned = [
        Warned(place[0] if place else "", place[1] if place else 0, text)
        for text, place in warnings_of(lowered)
    ]
    return _with_warnings(dict.fromkeys(w.file for w in warned if w.file), warned, "")


def read_warnings(text: str) -> list[Warned]:
    """The warnings in what stages and compilers printed, each once."""
    found = [Warned(m["file"], int(m["line"]), m["text"]) for m in _WARNING.finditer(text)]
    rest = _WARNING.sub("", text)
    found += [Warned(m["file"] or "", 0, m["text"]) for m in _PLAIN.finditer(rest)]
    return list(dict.fromkeys(found))


def _with_warnings(
    files: Iterable[str], warned: list[Warned], folder: str
) -> tuple[tuple[ShownSource, ...], tuple[str, ...]]:
    sources = []
    shown: set[Warned] = set()
    for file in files:
        text = _text(os.path.join(folder, file))
        if not text:
            continue
        own = [w for w in warned if w.file and _same(w.file, file, folder)]
        lines = tuple(
            SourceLine(number, line, tuple(w.text for w in own if w.line == number))
            for number, line in enumerate(text.splitlines(), 1)
        )
        whole = [w for w in own if not 0 < w.line <= len(lines)]
        sources.append(ShownSource(file, lines, tuple(w.text for w in whole)))
        shown.update(own)
    rest = [f"{w.file}: {w.text}" if w.file else w.text for w in warned if w not in shown]
    return tuple(sources), tuple(dict.fromkeys(rest))


def _same(one: str, other: str, folder: str) -> bool:
    return os.path.normpath(os.path.join(folder, one)) == os.path.normpath(os.path.join(folder, other))


def _design_first(path: str) -> tuple[int, str]:
    """The design, its kernels, its reference."""
    parts = path.split("/")
    is_design = path.endswith(".mlir") or "mlir" in parts[:-1]
    return (0 if is_design else 2 if path.endswith(".py") else 1), path


def _text(path: str) -> str:
    """The beginning of a file; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MOST_BYTES)
    except OSError:
        return ""
