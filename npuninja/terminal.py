"""What a terminal is shown: coloured words of messages, and how wide it is.

Colours: never with NO_COLOR, always with CLICOLOR_FORCE, else when the stream is a terminal or a pipe of
Ninja, which takes the colours out where its own output is no terminal.
"""

from __future__ import annotations

import os
import sys

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Mapping, TextIO

_WORDS = r"(?m)^(?P<place>\S.*?: )?(?P<word>error|warning|note|hint)(?=: )"
_COLOURS = {"error": "1;31", "warning": "1;35", "note": "1;36", "hint": "1;36"}
_CARET = r"(?m)^(\s+)\^$"
#: A narrower terminal than this is treated as if it had it: a place and a caret need room.
LEAST_WIDTH = 40


def use_colour(environment: Mapping[str, str], terminal: bool) -> bool:
    """NO_COLOR wins, then CLICOLOR_FORCE, then whether the output is a terminal."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def tell(text: str, stream: TextIO | None = None) -> None:
    """Prints a message (`place: error: …`, `hint: …`) on a stream, standard error by default."""
    out = stream or sys.stderr
    if use_colour(os.environ, _is_terminal(out) or started_by_ninja()):
        text = coloured(text)
    print(text, file=out, flush=True)


def coloured(text: str) -> str:
    """A message with its words in colour, as compilers have them."""
    import re  # 14 ms with what it imports, and most processes print nothing

    def paint(match: re.Match[str]) -> str:
        place = f"\x1b[1m{match['place']}\x1b[0m" if match["place"] else ""
        return f"{place}\x1b[{_COLOURS[match['word']]}m{match['word']}\x1b[0m"

    return re.sub(_CARET, "\\1\x1b[1;32m^\x1b[0m", re.sub(_WORDS, paint, text))


def width() -> int:
    """Of the terminal that reads standard error, in characters; 0 when no terminal does."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), LEAST_WIDTH)
    try:
        return max(os.get_terminal_size(2).columns, LEAST_WIDTH)
    except OSError:
        return 0


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def started_by_ninja() -> bool:
    """Whether Ninja reads the output. Commands of its pool `console` have Ninja's own output, and stay in its
    process group.
    """
    if not hasattr(os, "getpgrp") or os.getpgrp() != os.getpid():
        return False
    try:
        with open(f"/proc/{os.getppid()}/comm", encoding="utf-8") as stream:
            return stream.read().strip() == "ninja"
    except OSError:
        return False


def without_colour(text: str) -> str:
    """A text without the sequences that colour it."""
    import re

    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
