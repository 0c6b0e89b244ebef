"""The headers of a C or C++ source, found without a compiler: an action needs them before its first run.

Every `#include "…"` counts, whatever `#if` it is under, and so do `#embed` and `__has_include`: too many
files do no harm, and one that is not there may be for another compiler, which the compiler is to judge. What
is in angle brackets comes with the compiler or with npuninja, so workers have it.
"""

from __future__ import annotations

import os
import re

from npuninja.errors import Location, UserError

_DIRECTIVE = re.compile(
    rb"^[ \t]*#[ \t]*(?:include|include_next|import|embed)\b(?P<rest>[^\n]*)"
    rb'|__has_(?:include|embed)[ \t]*\([ \t]*"(?P<asked>[^"\n]+)"',
    re.MULTILINE,
)
_COMMENT = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_SPLIT_LINE = re.compile(rb"(?:[^\n]*\\\r?\n)+[^\n]*")


def included_files(source: str) -> list[str]:
    """The files below the project that a source may read, in the order in which they are found.

    Raises:
        UserError: a name is made by a macro or is absolute, so that nothing can be found, or not sent;
            located.
    """
    found: dict[str, None] = {}
    pending = [source]
    while pending:
        path = pending.pop(0)
        try:
            with open(path, "rb") as stream:
                text = stream.read()
        except OSError:
            continue  # the compiler says so, if it matters
        folder = os.path.dirname(path)
        for name in _names(text, path):
            header = os.path.normpath(os.path.join(folder, name))
            if header not in found and header != source and os.path.isfile(header):
                found[header] = None
                pending.append(header)
    return list(found)


def _names(text: bytes, path: str) -> list[str]:
    # A directive may be split over lines. Line numbers stay: empty lines follow what was joined, blanks
    # replace comments.
    text = _SPLIT_LINE.sub(lambda m: re.sub(rb"\\\r?\n", b"", m[0]) + b"\n" * m[0].count(b"\n"), text)
    text = _COMMENT.sub(_without_comment, text)
    names = []
    for match in _DIRECTIVE.finditer(text):
        quoted = re.match(rb'[ \t]*"([^"]*)"', match["rest"] or b"")
        if match["asked"] is None and quoted is None:
            if re.match(rb"[ \t]*<", match["rest"]):
                continue
            raise _unknown("the name of a header is made by a macro", text, match, path)
        name = os.fsdecode(match["asked"] if quoted is None else quoted[1])
        if os.path.isabs(name) and quoted is not None:
            raise _unknown(f"the header {name} is named by an absolute path", text, match, path)
        names.append(name)
    return names


def _without_comment(match: re.Match[bytes]) -> bytes:
    whole = match[0]
    return re.sub(rb"[^\n]", b" ", whole) if whole.startswith((b"/*", b"//")) else whole


def _unknown(what: str, text: bytes, match: re.Match[bytes], path: str) -> UserError:
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    line = text.count(b"\n", 0, start) + 1
    column = start - text.rfind(b"\n", 0, start)
    return UserError(
        f"{what}, and with --remote every header must be known before the compiler runs",
        Location(path, line, column),
        hint='write #include "NAME" with a path relative to this file, or configure without --remote',
    )
