"""What a compiler says of a kernel that does not compile, cut to what its author can act on.

clang reports an error inside a template at the template, many lines of our headers away from the kernel's.
Here it is at the kernel's line that asked for the template; candidates, includes and errors that follow
from it are left out. What cannot be placed in a file of the kernel's stays as it was.
"""

from __future__ import annotations

import os
import re

from npuninja import kernel_headers
from npuninja.records import NamedTuple
from npuninja.terminal import without_colour

_HEAD = re.compile(
    r"(?P<place>(?P<path>[^\s:][^:]*):(?P<line>\d+):\d+): (?P<kind>fatal error|error|warning|note|remark): (?P<text>.*)"
)
_INCLUDED = re.compile(r"In file included from (?P<path>.*):(?P<line>\d+):")
_COUNT = re.compile(r"\d+ (?:error|warning)s?.* generated\.|fatal error: too many errors emitted.*")
_ASSERTION = re.compile(r"static assertion failed(?: due to requirement '.*?')?: (?P<said>.*)")
_ASKED_HERE = re.compile(
    r"in instantiation of|requested here|while (?:substituting|checking|calling)|in evaluation of"
)
_NOT_VIABLE = re.compile(
    r"candidate (?:function|function template|template|constructor) .*not viable|candidate .* not viable"
)
_OF_COMPILER = re.compile(
    r"the implicit (?:copy|move) constructor|candidate constructor|candidate inherited|conversion"
)
_CANDIDATES_SHOWN = 2


class _Message(NamedTuple):
    """A diagnostic.

    Attributes:
        shown: its first line as printed.
        place, path, line, kind, text: that line without colour, in parts.
        code: the lines that show the code.
        includes: the files by which its file was included.
    """

    shown: str
    place: str
    path: str
    line: str
    kind: str
    text: str
    code: list[str]
    includes: list[str]

    @property
    def is_ours(self) -> bool:
        """Whether it is in a header of npuninja's."""
        return _is_ours(self.path)


def _is_ours(path: str) -> bool:
    return os.path.abspath(path).startswith(kernel_headers.INCLUDE_FOLDER + os.sep)


def shortened(output: str) -> str:
    """A compiler's output as it is shown."""
    lines: list[str] = []
    seen: set[tuple[str, str]] = set()
    messages = _messages(output)
    at = 0
    while at < len(messages):
        end = at + 1
        while end < len(messages) and messages[end].kind == "note":
            end += 1
        lines += _shown(messages[at], messages[at + 1 : end], seen)
        at = end
    return "\n".join([*lines, ""]) if lines else output


def _messages(output: str) -> list[_Message]:
    found: list[_Message] = []
    includes: list[str] = []
    for line in output.splitlines():
        plain = without_colour(line)
        head = _HEAD.fullmatch(plain)
        if head:
            place, path, at, kind, text = (head[key] for key in ("place", "path", "line", "kind", "text"))
            found.append(
                _Message(
                    shown=line,
                    place=place,
                    path=path,
                    line=at,
                    kind=kind,
                    text=text,
                    code=[],
                    includes=includes,
                )
            )
            includes = []
        elif _INCLUDED.match(plain):
            includes.append(line)
        elif found and not _COUNT.fullmatch(plain):
            found[-1].code.append(line)
        elif not found:
            return []  # no output of a compiler that we know
    return found


def _shown(error: _Message, notes: list[_Message], seen: set[tuple[str, str]]) -> list[str]:
    """The lines of one message and its notes; `seen` has the places that an error was shown at."""
    is_error = "error" in error.kind
    if not is_error and not error.is_ours:
        return _whole(error, [n for n in notes if not n.is_ours])
    own = error
    if error.is_ours:
        asked = next((n for n in notes if not n.is_ours and _ASKED_HERE.search(n.text)), None)
        if asked is None:
            return _in_our_headers(error, notes, seen)
        own = asked
    place = (own.path, own.line)
    if is_error and place in seen:
        return []
    if is_error:
        seen.add(place)
    if own is error:
        candidates = [] if _OF_COMPILER.search(error.text) else [n for n in notes if n.is_ours]
        candidates = [n for n in candidates if not _OF_COMPILER.search(n.text)]
        kept = [n for n in candidates if _NOT_VIABLE.search(n.text)] or candidates
        mine = [n for n in notes if not n.is_ours]
        shown = _whole(error, mine)
        for note in kept[:_CANDIDATES_SHOWN]:
            shown += [_ours(note), *note.code[:1]]
        return shown
    text = _said(error)
    if "\x1b[" in error.shown:
        head = f"\x1b[1m{own.place}: \x1b[0m\x1b[0;1;31m{error.kind}: \x1b[0m\x1b[1m{text}\x1b[0m"
    else:
        head = f"{own.place}: {error.kind}: {text}"
    return [*own.includes, head, *own.code]


def _in_our_headers(error: _Message, notes: list[_Message], seen: set[tuple[str, str]]) -> list[str]:
    """An error without the kernel's line: what it was about, or where the header is included.

    One without a way to it follows from the one before.
    """
    ways = [_ours(note) for note in notes if _ASKED_HERE.search(note.text)]
    if ways:
        return [_ours(error).replace(error.text, _said(error)), *ways]
    if seen:  # it follows from what was said
        return []
    by = [_INCLUDED.match(without_colour(line)) for line in error.includes]
    place = next(((m["path"], m["line"]) for m in reversed(by) if m and not _is_ours(m["path"])), None)
    if place is None:
        return []
    seen.add(place)
    return [f"{place[0]}:{place[1]}:1: {error.kind}: {_said(error)}"]


def _said(error: _Message) -> str:
    """The text of an error; of an assertion, what it says of itself."""
    said = _ASSERTION.fullmatch(error.text)
    return (said["said"] if said else error.text).strip('"')


def _whole(message: _Message, notes: list[_Message]) -> list[str]:
    lines = [*message.includes, message.shown, *message.code]
    for note in notes:
        lines += [note.shown, *note.code]
    return lines


def _ours(note: _Message) -> str:
    """A note's first line, with the header by the name that kernels include."""
    return note.shown.replace(kernel_headers.INCLUDE_FOLDER + os.sep, "")
