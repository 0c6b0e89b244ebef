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
import sys
from typing import NamedTuple, Sequence

from npuninja.files import MAX_XCLBIN_BYTES, read_file

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


def matching(text: str, *where: str) -> list[Hint]:
    """The hints for a text, in the order in which their causes stand in it; of each failure the first only.

    Args:
        text: any output, whole.
        where: what it is the output of (of `WHERE`); anything when left out.
    """
    found: list[tuple[int, Hint]] = []
    for hint in all_hints():
        if where and not set(where) & set(hint.where):
            continue
        places = [m.start() for m in (re.search(pattern, text) for pattern in hint.patterns) if m]
        if places and hint.id not in {other.id for _, other in found}:
            found.append((min(places), hint))
    return [hint for _, hint in sorted(found, key=lambda item: item[0])]


def main(arguments: Sequence[str]) -> int:
    """`npuninja explain [FILE]`: the hints for a log."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="npuninja explain",
        description="Says what the errors in a log mean: of a build, of XRT, of the kernel (`dmesg`), of Ninja.",
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="the log; - or nothing reads it from stdin"
    )
    parser.add_argument("--json", action="store_true", help="a JSON array instead of text")
    options = parser.parse_args(arguments)
    if options.file == "-":
        text = sys.stdin.read()
    else:
        text = read_file(options.file, MAX_XCLBIN_BYTES).decode("utf-8", "replace")
    found = matching(text)
    if options.json:
        print(json.dumps([hint._asdict() for hint in found], indent=1))
    else:
        print(
            "\n".join(f"{h.id}: {h.text()}" for h in found)
            or "nothing in this text is known; `npuninja doctor` looks further"
        )
    return 0
