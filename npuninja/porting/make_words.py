"""The words after `make` on a command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from npuninja.porting.shell.parse import ASSIGNMENT
from npuninja.records import NamedTuple

_WITH_VALUE = ("-C", "-f", "-o", "-W", "-I")
# Their number may be left out: a word that is no number is a target (GNU Make manual, Summary of Options).
_WITH_NUMBER = ("-j", "-l")


class MakeWords(NamedTuple):
    """What they say: the folder of `-C` and the file of `-f` ("" without), NAME -> VALUE, and the targets."""

    folder: str
    makefile: str
    variables: dict[str, str]
    targets: tuple[str, ...]


def read_make_words(words: Sequence[str]) -> MakeWords:
    """Takes the words after `make` apart; options that change nothing that is built are left out."""
    values = {"-C": "", "-f": ""}
    variables: dict[str, str] = {}
    targets: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _WITH_VALUE and rest:
            value = rest.pop(0)
            values[word] = os.path.join(values["-C"], value) if word == "-C" else value
        elif word in _WITH_NUMBER:
            if rest and re.fullmatch(r"\d+(\.\d+)?", rest[0]):
                rest.pop(0)
        elif ASSIGNMENT.match(word):
            name, _, variables[name] = word.partition("=")
        elif not word.startswith("-"):
            targets.append(word)
    return MakeWords(values["-C"], values["-f"], variables, tuple(targets))
