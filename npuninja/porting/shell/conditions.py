"""`[ … ]`, `test` and `[[ … ]]`: true, false, or None when only a run could tell."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Sequence

from npuninja.porting.shell.expansion import UNKNOWN, Expansion
from npuninja.porting.shell.paths import ForeignPaths

_FILES = "abcdefghkprstuwxGLNOS"
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
#: What a build leaves: whether the last one has done so decides nothing.
_LEFT_BY_BUILDS = (".o", ".a", ".elf", ".xclbin", ".pdi", ".so")
_TEXTS = ("=", "==", "!=", "=~", "<", ">")


class Conditions:
    """Decides conditions.

    Args:
        paths: where files are looked for.
        folder: where the shell is.
    """

    def __init__(self, paths: ForeignPaths, folder: Callable[[], str]) -> None:
        self._paths, self._folder = paths, folder

    def test(self, words: Sequence[str]) -> bool | None:
        """Of the expanded words of `[`, without the `]`."""
        return _ConditionReader(list(words), self._primary).either()

    def double(self, words: Sequence[str], expansion: Expansion) -> bool | None:
        """Of the written words between `[[` and `]]`."""
        made = []
        for position, word in enumerate(words):
            before = words[position - 1] if position else ""
            if word in ("&&", "||", "(", ")", "!", *_TEXTS):
                made.append(word)
            elif before in ("=", "==", "!="):
                made.append("\1" + expansion.pattern(word))
            elif before == "=~":
                made.append("\2" + expansion.text(word))
            else:
                made.append(expansion.text(word))
        return _ConditionReader(made, self._primary).either()

    def _primary(self, words: list[str]) -> bool | None:
        if len(words) == 1:
            return bool(words[0])
        if len(words) == 2:
            return self._unary(*words)
        return _binary(*words) if len(words) == 3 else None

    def _unary(self, operator: str, word: str) -> bool | None:
        if operator in ("-z", "-n"):
            return None if word == UNKNOWN else (not word) == (operator == "-z")
        if operator != "-v" and re.fullmatch(f"-[{_FILES}]", operator):
            return self._file(operator[1], word)
        return None

    def _file(self, kind: str, word: str) -> bool | None:
        if UNKNOWN in word:
            return True if kind in "defrx" else None
        if kind == "t":
            return False
        if not word:
            return False
        path = os.path.normpath(os.path.join(self._folder(), word))
        if not self._paths.exists(path):
            return False
        path = self._paths.here(path)
        if path.endswith(_LEFT_BY_BUILDS) and path not in self._paths.named:
            return None
        if kind == "d":
            return os.path.isdir(path) or not os.path.exists(path)
        if kind in "Lh":
            return os.path.islink(path)
        return kind != "f" or not os.path.isdir(path)


def _binary(left: str, operator: str, right: str) -> bool | None:
    if operator in _NUMBERS:
        a, b = _number(left), _number(right)
        return None if a is None or b is None else _NUMBERS[operator](a, b)
    if UNKNOWN in left + right:
        return None
    if operator == "=~":
        try:
            return re.search(right.lstrip("\2"), left) is not None
        except re.error:
            return None
    if operator in ("=", "==", "!="):
        same = fnmatch.fnmatchcase(left, right[1:]) if right.startswith("\1") else left == right
        return same == (operator != "!=")
    if operator in ("<", ">"):
        return (left < right) == (operator == "<")
    return None  # of files: -nt, -ot, -ef


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[-+]?\d+\s*", text) else None


class _ConditionReader:
    """`a -a b -o ! ( c )`, with `&&` and `||` of `[[`."""

    def __init__(self, words: list[str], primary: Callable[[list[str]], bool | None]) -> None:
        self._words, self._primary = words, primary

    def either(self) -> bool | None:
        found = self._both()
        while self._words[:1] in (["||"], ["-o"]):
            del self._words[0]
            other = self._both()
            found = True if found or other else None if found is None or other is None else False
        return found

    def _both(self) -> bool | None:
        found = self._one()
        while self._words[:1] in (["&&"], ["-a"]):
            del self._words[0]
            other = self._one()
            known_false = found is False or other is False
            found = False if known_false else None if found is None or other is None else True
        return found

    def _one(self) -> bool | None:
        if not self._words:
            return False
        if self._words[0] == "!" and len(self._words) > 1:
            del self._words[0]
            found = self._one()
            return None if found is None else not found
        if self._words[0] == "(":
            del self._words[0]
            found = self.either()
            del self._words[:1]
            return found
        size = 1
        if len(self._words) > 2 and (self._words[1] in _TEXTS or re.fullmatch(r"-[a-z]{2}", self._words[1])):
            size = 3
        elif len(self._words) > 1 and re.fullmatch(r"-[a-zA-Z]", self._words[0]):
            size = 2
        taken = self._words[:size]
        del self._words[:size]
        return self._primary(taken)
