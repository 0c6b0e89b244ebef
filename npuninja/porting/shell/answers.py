"""What programs print whose answer follows from their words and from the files that are there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from npuninja.porting.shell.paths import ForeignPaths, tree_of

_LARGEST_ANSWER_BYTES = 1 << 20


def answer(words: Sequence[str], folder: str, given: str, paths: ForeignPaths) -> str | None:
    """What a program prints; None when only a run could tell.

    Args:
        words: the program and its words.
        folder: where it runs.
        given: what it is given as its input.
        paths: where files are.
    """
    program = os.path.basename(words[0])
    read = _PROGRAMS.get(program)
    return read(list(words[1:]), folder, given, paths) if read else None


def _plain(words: list[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _dirname(words: list[str], _: str, __: str, ___: ForeignPaths) -> str | None:
    return "\n".join(os.path.dirname(word.rstrip("/")) or "." for word in _plain(words))


def _basename(words: list[str], _: str, __: str, ___: ForeignPaths) -> str | None:
    several = [word for word in words if word in ("-a", "-s")]
    names = _plain(words)
    if several or not names:
        return None
    name = os.path.basename(names[0].rstrip("/"))
    return name.removesuffix(names[1]) if len(names) > 1 else name


def _realpath(words: list[str], folder: str, _: str, paths: ForeignPaths) -> str | None:
    names = _plain(words)
    if not names or any(word.startswith("--relative") for word in words):
        return None
    return paths.here(os.path.join(folder, names[-1]))


def _which(words: list[str], _: str, __: str, ___: ForeignPaths) -> str | None:
    return "\n".join(_plain(words))


def _nproc(_: list[str], __: str, ___: str, ____: ForeignPaths) -> str | None:
    return "1"


def _cat(words: list[str], folder: str, given: str, paths: ForeignPaths) -> str | None:
    texts = []
    for name in _plain(words):
        path = paths.here(os.path.join(folder, name))
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_ANSWER_BYTES:
            return None
        with open(path, encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read())
    return "".join(texts) if texts else given


def _git(words: list[str], folder: str, _: str, __: ForeignPaths) -> str | None:
    where = folder
    if words[:1] == ["-C"] and len(words) > 1:
        where, words = os.path.normpath(os.path.join(folder, words[1])), words[2:]
    return tree_of(where) if words == ["rev-parse", "--show-toplevel"] else None


def _tr(words: list[str], _: str, given: str, __: ForeignPaths) -> str | None:
    sets = [{"[:upper:]": "A-Z", "[:lower:]": "a-z"}.get(w, w) for w in _plain(words)]
    expanded = [
        re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), s) for s in sets
    ]
    if "-d" in words and len(sets) == 1:
        return "".join(c for c in given if c not in expanded[0])
    if len(sets) != 2 or len(words) != 2 or not expanded[1]:
        return None
    table = {a: expanded[1][min(i, len(expanded[1]) - 1)] for i, a in enumerate(expanded[0])}
    return "".join(table.get(c, c) for c in given)


def _first(words: list[str], _: str, given: str, __: ForeignPaths) -> str | None:
    number = re.fullmatch(r"-n?\s*(\d+)", " ".join(words)) if words else None
    if words and number is None:
        return None
    return "\n".join(given.splitlines()[: int(number[1]) if number else 10])


def _cut(words: list[str], _: str, given: str, __: ForeignPaths) -> str | None:
    match = re.fullmatch(r"-d\s*(.)\s+-f\s*(\d+)", " ".join(words))
    if match is None:
        return None
    parts = (line.split(match[1]) for line in given.splitlines())
    at = int(match[2]) - 1
    return "\n".join(part[at] if len(part) > at else part[0] if len(part) == 1 else "" for part in parts)


def _xargs(words: list[str], _: str, given: str, __: ForeignPaths) -> str | None:
    return " ".join(given.split()) if not words else None


_PROGRAMS: dict[str, Callable[[list[str], str, str, ForeignPaths], str | None]] = {
    "dirname": _dirname,
    "basename": _basename,
    "realpath": _realpath,
    "readlink": _realpath,
    "which": _which,
    "nproc": _nproc,
    "cat": _cat,
    "git": _git,
    "tr": _tr,
    "head": _first,
    "cut": _cut,
    "xargs": _xargs,
}
