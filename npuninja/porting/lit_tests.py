"""What a folder's own tests (`*.lit`, for LLVM's lit) say: the device and variables for make with which it is
known to work, and their commands, where there is no Makefile.

Such a file names what it needs (`REQUIRES: ryzen_ai_npu2, peano`) and the commands of the test
(`RUN: make -f %S/Makefile devicename=npu2`, `RUN: %run_on_npu1% %python %S/design.py | FileCheck %s`).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.porting.found import ShellCommand
from npuninja.porting.make_words import read_make_words
from npuninja.porting.project import PEANO_PLACE, text_of
from npuninja.porting.shell_words import commands_of
from npuninja.records import NamedTuple

#: Files that may be a test where no `.lit` is one; their RUN lines begin with a comment of their language.
_SUFFIXES = (".mlir", ".py")
_LINE = re.compile(r"\b(REQUIRES|XFAIL|RUN):\s*(.*)$")
#: What npuninja has nothing for: a test that needs it is taken last.
_FOREIGN = ("chess", "aietools", "vitis", "opencv")
#: The families whose tests come after those of the one that is taken where nobody names one.
_OTHER_NPUS = tuple(name for name in FAMILIES if name != DEFAULT)
_ON_DEVICE = re.compile(r"%run_on_(npu\d+)%?\s*")
# Output that is compared with the test's own CHECK lines; other prefixes and files are left to people.
_CHECKED = re.compile(r"\|\s*FileCheck\s+%s\s*$")
_CHECK = re.compile(r"\bCHECK:\s*(.*?)\s*$")
#: What begins FileCheck's patterns, which are more than texts.
_PATTERN = ("{{", "[[")


#: What words of MLIR-AIE's lit configuration stand for. XRT's flags are the build's own.
_WORDS = {
    "%python": "python3",
    "%PYTHON": "python3",
    "%aiecc": "aiecc",
    "%PEANO_INSTALL_DIR": PEANO_PLACE,
    "%host_clang": "clang++",
    "%xrt_flags": "",
    "%host_link_flags": "",
}
#: Where the tree of MLIR-AIE has what its host programs share.
_TEST_LIBRARY = os.path.join("runtime_lib", "test_lib")


class LitTest(NamedTuple):
    """One test file.

    Attributes:
        name: of the file.
        requires: words of its REQUIRES lines.
        variables: NAME -> VALUE that its first build and its first run give to make, as words or as
            environment.
        targets: what its first run asks of make.
        fails: what its XFAIL line says, where its authors know that it fails; "".
    """

    name: str
    requires: tuple[str, ...]
    variables: dict[str, str]
    targets: tuple[str, ...]
    fails: str = ""


def test_for_make(folder: str) -> LitTest | None:
    """The folder's test nearest to a plain `make run` on the first NPU; None when there is no test of make.

    One that needs a tool which npuninja has nothing for, or is known to fail, comes last, one for the
    second NPU after those for the first; of equals, the one with the fewest variables.
    """
    names = [name for name in sorted(os.listdir(folder)) if name.endswith(".lit")]
    found = (_asking_make(name, _read(os.path.join(folder, name))) for name in names)
    return min(filter(None, found), key=_distance, default=None)


def commands_of_tests(folder: str) -> tuple[tuple[str, ...], list[ShellCommand]]:
    """Names and commands of a folder's tests that do not ask make: all that need as little as the one that
    needs least (a free compiler, the first NPU), each on the first NPU that it names.
    """
    names = sorted(os.listdir(folder))
    tests: list[tuple[tuple[bool, bool], str, list[ShellCommand]]] = []
    for suffix in ((".lit",), _SUFFIXES):
        for name in [] if tests else names:
            test = _read(os.path.join(folder, name)) if name.endswith(suffix) else _NO_TEST
            if test.lines and not any("%S/Makefile" in line for line in test.lines):
                devices = sorted({found[1] for line in test.lines if (found := _ON_DEVICE.search(line))})
                commands = [
                    command
                    for line in test.lines
                    for command in _commands(line, folder, name, devices[:1], test.checks)
                ]
                tests.append((_needs(test.requires), name, commands))
    least = min((needs for needs, _, _ in tests), default=None)
    taken = [(name, commands) for needs, name, commands in tests if needs == least]
    return tuple(name for name, _ in taken), [command for _, commands in taken for command in commands]


class _TestFile(NamedTuple):
    """A test file: words of REQUIRES, text of XFAIL, RUN lines (joined where they go on), texts of CHECK."""

    requires: tuple[str, ...] = ()
    fails: str = ""
    lines: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


_NO_TEST = _TestFile()


def _read(path: str) -> _TestFile:
    requires: list[str] = []
    lines: list[str] = []
    checks: list[str] = []
    fails = ""
    for line in text_of(path).splitlines():
        match, check = _LINE.search(line), _CHECK.search(line)
        if match and match[1] == "REQUIRES":
            requires += re.split(r"[\s,]+", match[2].strip())
        elif match and match[1] == "XFAIL":
            fails = match[2].strip()
        elif match and lines and lines[-1].endswith("\\"):
            lines[-1] = f"{lines[-1][:-1]} {match[2].strip()}"
        elif match:
            lines.append(match[2].rstrip())
        elif check and not any(mark in check[1] for mark in _PATTERN):
            checks.append(check[1])
    return _TestFile(tuple(requires), fails, tuple(lines), tuple(checks))


def _commands(
    line: str, folder: str, name: str, devices: list[str], checks: tuple[str, ...]
) -> Iterator[ShellCommand]:
    """The commands of one RUN line; none when it is for another device than `devices`.

    Args:
        line: without `RUN:`.
        folder: of the test.
        name: of the test's file in it.
        devices: names of NPUs.
        checks: texts that the output must have, if the line compares it.
    """
    on = _ON_DEVICE.search(line)
    if on and on[1] not in devices:
        return
    text = _ON_DEVICE.sub("", line)
    checked = _CHECKED.search(text)
    text = _CHECKED.sub("", text)
    text = text.replace("%test_utils_flags", _test_library(folder))
    for word, value in _WORDS.items():
        text = text.replace(word, value)
    for word, value in (
        ("%S", folder),
        ("%s", os.path.join(folder, name)),
        ("%t", os.path.join(folder, "build", name)),
    ):
        text = text.replace(word, shlex.quote(value))
    device = on[1] if on else ""
    for command in commands_of(text, folder):
        yield replace(command, line=line, device=device, output_has=checks if checked else ())


def _test_library(folder: str) -> str:
    """The words with which a host program gets `test_utils` of the tree that a folder is in."""
    above = folder
    while os.path.dirname(above) != above:
        above = os.path.dirname(above)
        source = os.path.join(above, _TEST_LIBRARY, "test_utils.cpp")
        if os.path.isfile(source):
            return f"-DTEST_UTILS_USE_XRT -I{shlex.quote(os.path.dirname(source))} {shlex.quote(source)}"
    return "-ltest_utils"


def _needs(requires: tuple[str, ...]) -> tuple[bool, bool]:
    words = " ".join(requires).lower()
    return any(word in words for word in _FOREIGN), any(name in words for name in _OTHER_NPUS)


def _distance(test: LitTest) -> tuple[bool, bool, bool, int, str]:
    foreign, other = _needs(test.requires)
    return foreign, bool(test.fails), other, len(test.variables), test.name


def _asking_make(name: str, test: _TestFile) -> LitTest | None:
    """A test by its first build and its first run; None where it does not ask make."""
    build: dict[str, str] | None = None
    run: dict[str, str] | None = None
    targets: tuple[str, ...] = ()
    for variables, goals in filter(None, map(_of_make, test.lines)):
        if not goals or goals == ("all",):
            build = variables if build is None else build
        elif not any("clean" in goal for goal in goals):
            run, targets = variables, goals
            break
    if build is None and run is None:
        return None
    return LitTest(name, test.requires, {**(build or {}), **(run or {})}, targets, test.fails)


def _of_make(command: str) -> tuple[dict[str, str], tuple[str, ...]] | None:
    """Variables and targets of `[env A=B] [%wrapper%] make -f %S/Makefile TARGET C=D`; None for others."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    at = next((i for i, word in enumerate(words) if os.path.basename(word) in ("make", "gmake")), None)
    if at is None or "%S/Makefile" not in words[at:]:  # a Makefile of another folder is another test
        return None
    before, said = read_make_words(words[:at]), read_make_words(words[at + 1 :])
    given = {**before.variables, **said.variables}
    return {name: value for name, value in given.items() if "%" not in value}, said.targets
