"""What there is to say of a design's text while it is being written."""

from __future__ import annotations

import os
import re

from npuninja.errors import Error, Location, Warnings
from npuninja.file_kinds import C_SUFFIXES
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.lints.design import lint_design
from npuninja.lowering.generation import rules_of
from npuninja.lowering.pipeline import generation_of, lower_resources
from npuninja.records import NamedTuple

_WORD = re.compile(r"[@%][\w$.-]+(?:#\d+)?")
#: Lines of the lowered design that a hover shows.
SHOWN = 14


class Finding(NamedTuple):
    """A fault or a warning; line and column count from 1."""

    line: int
    column: int
    error: bool
    message: str


def findings(text: str, path: str) -> list[Finding]:
    """What the parser, the verifier and the lints say; the lowering's errors when those are content."""
    warnings = Warnings()
    try:
        module = parse_module(text, path)
        generation = generation_of(module)
        verify(module, splits_transfers=rules_of(generation).splits_transfers)
        lint_design(module, warnings)
        # In place: the module is not needed any more.
        _lower(module, generation, warnings)
    except Error as error:
        where = error.location or Location(path, 1, 1)
        hint = f"\nhint: {error.hint}" if error.hint else ""
        found = [Finding(max(where.line, 1), max(where.column, 1), True, error.message + hint)]
    else:
        found = []
    for message, place in warnings.items:
        where = place or Location(path, 1, 1)
        if os.path.abspath(where.file) == os.path.abspath(path):
            found.append(Finding(max(where.line, 1), max(where.column, 1), False, message))
    return found


def _lower(module: Operation, generation: str, warnings: Warnings) -> None:
    """As a build of a design without settings of its own does it."""
    dynamic = rules_of(generation).driver_keeps_fifo_loops
    lower_resources(
        module, alloc_scheme=None, generation=generation, warnings=warnings, dynamic_fifos=dynamic
    )


def word_at(text: str, line: int, column: int) -> str:
    """The `@symbol` or `%value` at a place, "" when there is none. Both count from 1."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return ""
    for match in _WORD.finditer(lines[line - 1]):
        if match.start() < column <= match.end() + 1:
            return match[0]
    return ""


def definition(text: str, path: str, line: int, column: int) -> Location | None:
    """Where the name at a place is made: a kernel's C function, else the line of the design."""
    word = word_at(text, line, column)
    if not word:
        return None
    if word[0] == "@":
        in_c = _c_function(word[1:], path)
        if in_c and re.search(rf"(?:func\.call|call|func\.func[^@]*)\s*{re.escape(word)}\b", text):
            return in_c
        makers = (
            r"aie\.objectfifo|func\.func\s+private|func\.func|aie\.device\([^)]*\)|runtime_sequence"
            r"|shim_dma_allocation"
        )
        pattern = rf"(?:{makers})\s*({re.escape(word)})\b"
    else:
        pattern = rf"({re.escape(word)})\s*(?:=|:\s*(?:memref|index|i\d))"
    match = re.search(pattern, text)
    if match is None:
        return None
    start = match.start(1)
    return Location(path, text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1)


def hover(text: str, path: str, line: int, column: int) -> str:
    """What the name at a place becomes: its lines in the lowered design, with addresses and locks, and the
    ways of its streams through the switches.
    """
    word = word_at(text, line, column)
    if not word:
        return ""
    from npuninja.ir.printer import print_module
    from npuninja.language_server.streams import ways_of

    try:
        module = parse_module(text, path)
        verify(module)
        generation = generation_of(module)
        _lower(module, generation, Warnings())
    except Error:
        return ""
    name = re.escape(word[1:])
    lines = [
        found.strip()
        for found in print_module(module).split("\n")
        if re.search(rf"[@%\"]{name}(?:_cons)?(?:_\d+)?(?:_buff|_prod|_cons|_shim)?\w*", found)
        and re.search(r"aie\.(?:buffer|lock|flow|packet_flow|tile|shim_dma_allocation|dma_bd)", found)
    ]
    if not lines:
        return ""
    more = f"\n… {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    ways = ways_of(module, word[1:], generation) if word[0] == "@" else []
    streams = "\n\n" + "\n".join(f"- {way}" for way in ways[:SHOWN]) if ways else ""
    return f"{word} after the lowering:\n```mlir\n" + "\n".join(lines[:SHOWN]) + f"{more}\n```{streams}"


def _c_function(name: str, path: str) -> Location | None:
    """Where a function is defined below the project's kernels/."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(path))), "kernels")
    pattern = re.compile(rf"^[^\n;#/]*\b{re.escape(name)}\s*\([^;{{]*\)\s*\{{", re.MULTILINE)
    for where, _, files in os.walk(folder):
        for file in sorted(files):
            if not file.endswith(C_SUFFIXES):
                continue
            source = os.path.join(where, file)
            try:
                with open(source, encoding="utf-8", errors="replace") as stream:
                    content = stream.read()
            except OSError:
                continue
            match = pattern.search(content)
            if match:
                start = content.index(name, match.start())
                line = content.count("\n", 0, start) + 1
                return Location(source, line, start - (content.rfind("\n", 0, start) + 1) + 1)
    return None
