"""What an error text of a tool, of XRT, of the kernel or of Ninja means, as data: `hints.json`.

An entry has an `id` (of the failure; several entries may share one), `where` such text comes from ("build":
tools of a build; "run": XRT and programs that use it; "kernel": the kernel's log; "ninja"; "emulator"),
`patterns` (regular expressions; none for a failure that prints nothing), `says` (what happened), `do` (the
next step) and `see` (public issues). docs/troubleshooting.md lists every id with the place that catches it
and its test.
"""

from __future__ import annotations

import json
import os
import re

from npuninja.records import NamedTuple

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hints.json")
WHERE = ("build", "run", "kernel", "ninja", "emulator")


class Hint(NamedTuple):
    """One entry of `hints.json`."""

    id: str
    where: tuple[str, ...]
    patterns: tuple[str, ...]
    says: str
    do: str
    see: tuple[str, ...]

    def text(self) -> str:
        """The entry for people, one line."""
        more = f" (see {', '.join(self.see)})" if self.see else ""
        return f"{self.says}; {self.do}{more}"


_hints: list[Hint] = []


def all_hints() -> list[Hint]:
    """Every entry in the order of the file; the first that matches a line is meant."""
    if not _hints:
        with open(FILE, encoding="utf-8") as stream:
            entries = json.load(stream)["hints"]
        for e in entries:
            _hints.append(
                Hint(
                    e["id"],
                    tuple(e["where"]),
                    tuple(e["patterns"]),
                    e["says"],
                    e["do"],
                    tuple(e.get("see", ())),
                )
            )
    return _hints


#: Patterns look from each place to the line's end, so time grows by its square: longer ones are cut up.
_LONG_LINE = re.compile(r"([^\n]{1024})(?=[^\n])")


def matching(text: str, *where: str) -> list[Hint]:
    """The hints for a text, in the order in which their causes are in it; of each failure the first only.

    Args:
        text: any output, whole.
        where: what it is the output of (of `WHERE`); anything when left out.
    """
    found: list[tuple[int, Hint]] = []
    text = _LONG_LINE.sub(r"\1\n", text)
    for hint in all_hints():
        if where and not set(where) & set(hint.where):
            continue
        places = [m.start() for m in (re.search(pattern, text) for pattern in hint.patterns) if m]
        if places and hint.id not in {other.id for _, other in found}:
            found.append((min(places), hint))
    return [hint for _, hint in sorted(found, key=lambda item: item[0])]
