"""The exceptions of npuninja, one for each audience, and the exit code of each.

An error says what happened, where, what was expected and what to do next. `Error.render` is the one place
where that becomes text; commands print it on stderr and leave with `Error.exit_code`. Anything that is not an
`Error` is our bug (exit code 70) and keeps its traceback.
"""

from __future__ import annotations

import os
import stat
import sys

from npuninja.records import NamedTuple
from npuninja.source_places import original
from npuninja.terminal import tell, width

#: Longer source lines are shown in part; in a terminal, those that are wider than it.
EXCERPT_CHARACTERS = 400
#: How far into a file its line is looked for; a design's text has at most so many (npuninja/ir/lexer.py).
MOST_EXCERPT_CHARACTERS = 32 << 20


class Location(NamedTuple):
    """A place in a text file. `line` and `column` count from 1; 0 means "not known"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        text = self.file
        if self.line:
            text += f":{self.line}"
            if self.column:
                text += f":{self.column}"
        return text


def printable(text: str) -> str:
    """`text` for a terminal: what would move its cursor, colour it or turn its direction is escaped.

    Names come from files of others. Line ends and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in "\n\t" or _is_plain(c) else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        for c in text
    )


def _is_plain(c: str) -> bool:
    # Private use and characters of a newer Unicode are not printable for Python, and do a terminal no harm.
    return c.isprintable() or not (ord(c) < 0xA0 or c in _TURNING or "\ud800" <= c <= "\udfff")


#: Marks that turn the direction of what follows (Unicode, UAX 9), and line ends of Unicode.
_TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\u061c"


class Error(Exception):
    """Base of every error that is not our bug.

    Args:
        message: one sentence, lower-case, with the offending value and the limit where there is one.
        location: where the cause is, if it is in a file.
        hint: what to do next, one sentence.
        source_line: the text of the line at `location`, for the caret; read from the file when absent.
        notes: further located sentences ("first assigned here"), in order.
    """

    exit_code: int = 70

    def __init__(
        self,
        message: str,
        location: Location | None = None,
        *,
        hint: str | None = None,
        source_line: str | None = None,
        notes: tuple[tuple[str, Location | None], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint
        self.source_line = source_line
        self.notes = notes

    def render(self) -> str:
        """The error as text without a final newline: `file:line:col: error: …`, line, caret, notes, hint."""
        place = _shown(self.location) if self.location else None
        lines = [f"{place}: error: {self.message}" if place else f"error: {self.message}"]
        if place:
            lines += _excerpt(place, self.source_line if place == self.location else None)
        for text, made in self.notes:
            where = _shown(made) if made else None
            lines.append(f"{where}: note: {text}" if where else f"note: {text}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return printable("\n".join(lines))


def _shown(location: Location) -> Location:
    """The place to show: in the user's own file, also for one in a file that stages made of it."""
    return Location(*original(location))


def source_lines(path: str) -> list[str]:
    """The lines of a source that a tool or a program's line table named; nothing when it cannot be read.

    A FIFO or a device is no source: it would keep us waiting, or never end.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return []
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(MOST_EXCERPT_CHARACTERS).split("\n")
    except (OSError, ValueError):
        return []


def _excerpt(location: Location, source_line: str | None) -> list[str]:
    """The source line and a caret below the column, or nothing when the line cannot be had."""
    if not location.line:
        return []
    if source_line is None:
        lines = source_lines(location.file)
        if location.line > len(lines):
            return []
        source_line = lines[location.line - 1]
    before, behind = source_line[: max(location.column - 1, 0)], source_line[max(location.column - 1, 0) :]
    room = min(EXCERPT_CHARACTERS, (width() or EXCERPT_CHARACTERS + 4) - len("  ……"))
    if len(source_line) > room:  # wider than the terminal, or made by a program; the place matters
        half = room // 2
        before = "…" + before[-half:] if len(before) > half else before
        behind = behind[: room - len(before)] + "…" if len(behind) > room - len(before) else behind
    # What a terminal would not show as one character.
    line = "".join(c if c == "\t" or c.isprintable() else "�" for c in before + behind)
    caret = "".join("\t" if c == "\t" else " " for c in before)
    return ["  " + line, "  " + caret + "^"] if location.column else ["  " + line]


#: What shells give for Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


def in_words(error: OSError) -> str:
    """What the system says of a file or a program, to come after "cannot read x: "."""
    return (error.strerror or str(error)).lower()


class WrongResult(Error):
    """The design ran and its result differs from the reference."""

    exit_code = 1


class UserError(Error):
    """The user's input is wrong: a design, a kernel, an option, a data file."""

    exit_code = 2


class ToolError(Error):
    """The user's machine: a tool is missing, too old, broken, or failed."""

    exit_code = 3


class DeviceError(Error):
    """The device, real or emulated, failed while running: hang, fault, time-out."""

    exit_code = 4


class NoDevice(Error):
    """There is no device of the kind that was required."""

    exit_code = 77


class InternalError(Error):
    """Our bug, found by our own check. The message says what to report."""

    exit_code = 70


def report(error: Error) -> int:
    """Shows an error to the user and returns the exit code that goes with it."""
    tell(error.render())
    return error.exit_code


def report_bug() -> int:
    """Shows the traceback of the exception being handled; returns 70: it is our bug, not the user's."""
    import traceback  # 8 ms, which what goes well does without

    traceback.print_exc()
    print("error: this is a bug of npuninja; please report it with the lines above", file=sys.stderr)
    return InternalError.exit_code


class Warnings:
    """Collects warnings of one run, in order; commands print them once, at the end or as they come."""

    def __init__(self) -> None:
        self.items: list[tuple[str, Location | None]] = []

    def add(self, message: str, location: Location | None = None) -> None:
        """Keeps one warning: a sentence, lower-case, and its place."""
        self.items.append((message, location))

    def add_once(self, message: str, location: Location | None = None) -> None:
        """Keeps a warning, unless the same is said of the same place already."""
        if (message, location) not in self.items:
            self.add(message, location)

    def render(self) -> str:
        """All warnings, a line each (with excerpt where a location is known), without a final newline."""
        lines: list[str] = []
        for message, made in self.items:
            where = _shown(made) if made else None
            lines.append(f"{where}: warning: {message}" if where else f"warning: {message}")
            if where:
                lines += _excerpt(where, None)
        return printable("\n".join(lines))
