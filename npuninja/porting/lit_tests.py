"""What a folder's own tests (`*.lit`, for LLVM's lit) give to make: the device and the variables with which it is known
to work.

Such a file names what it needs (`REQUIRES: ryzen_ai_npu2, peano`) and the commands of the test
(`RUN: make -f %S/Makefile devicename=npu2`).
"""

from __future__ import annotations

import os
import re
import shlex
from typing import NamedTuple

from npuninja.porting.shell_words import ASSIGNMENT

_LINE = re.compile(r"\b(REQUIRES|RUN):\s*(.*)$")
#: What npuninja has nothing for: a test that needs it is taken last.
_FOREIGN = ("chess", "aietools", "vitis", "opencv")
_SECOND_NPU = "npu2"


class LitTest(NamedTuple):
    """One test file.

    Attributes:
        name: of the file.
        requires: words of its REQUIRES lines.
        variables: NAME -> VALUE that its first build and its first run give to make, as words or as environment.
        targets: what its first run asks of make.
    """

    name: str
    requires: tuple[str, ...]
    variables: dict[str, str]
    targets: tuple[str, ...]


def test_for_make(folder: str) -> LitTest | None:
    """The test of a folder that is nearest to a plain `make run` on the first NPU; None when there is no test of make.

    One that needs a tool which npuninja has nothing for comes last, one for the second NPU behind those for the first;
    of equals, the one with the fewest variables.
    """
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".lit"):
            test = _read(os.path.join(folder, name))
            if test is not None:
                found.append(test)
    return min(found, key=_distance, default=None)


def _distance(test: LitTest) -> tuple[bool, bool, int, str]:
    words = " ".join(test.requires).lower()
    foreign = any(word in words for word in _FOREIGN)
    return foreign, _SECOND_NPU in words, len(test.variables), test.name


def _read(path: str) -> LitTest | None:
    requires: list[str] = []
    build: dict[str, str] | None = None
    run: dict[str, str] | None = None
    targets: tuple[str, ...] = ()
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        if match[1] == "REQUIRES":
            requires += re.split(r"[\s,]+", match[2].strip())
            continue
        asked = _of_make(match[2])
        if asked is None:
            continue
        variables, goals = asked
        if not goals or goals == ("all",):
            build = variables if build is None else build
        elif not any("clean" in goal for goal in goals):
            run, targets = variables, goals
            break
    if build is None and run is None:
        return None
    return LitTest(os.path.basename(path), tuple(requires), {**(build or {}), **(run or {})}, targets)


def _of_make(command: str) -> tuple[dict[str, str], tuple[str, ...]] | None:
    """The variables and targets of a line `[env A=B] [%wrapper%] make -f %S/Makefile TARGET C=D`; None for others."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    at = next((i for i, word in enumerate(words) if os.path.basename(word) in ("make", "gmake")), None)
    if at is None or "%S/Makefile" not in words[at:]:  # a Makefile of another folder is another test
        return None
    variables = {}
    targets = []
    for word in words[:at] + words[at + 1 :]:
        if ASSIGNMENT.match(word):
            name, _, value = word.partition("=")
            if "%" not in value:
                variables[name] = value
    rest = iter(words[at + 1 :])
    for word in rest:
        if word in ("-f", "-C", "-j"):
            next(rest, "")
        elif not word.startswith("-") and not ASSIGNMENT.match(word):
            targets.append(word)
    return variables, tuple(targets)
