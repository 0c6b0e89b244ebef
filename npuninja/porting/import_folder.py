"""An existing folder as an npuninja project, from asking make to the written files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from npuninja.errors import Error, UserError
from npuninja.porting.cmake_target import commands_of_cmake, programs_of_cmake
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    DesignBuild,
    FoundHostProgram,
    FoundKernelObject,
    ShellCommand,
    is_source,
)
from npuninja.porting.lit_tests import LitTest, commands_of_tests, test_for_make
from npuninja.porting.make_commands import MakeAnswer, ask_make, find_makefile
from npuninja.porting.project import MLIR_AIE_PLACE, PEANO_PLACE, ImportedProject, text_of
from npuninja.porting.project_builder import project_of
from npuninja.porting.project_files import Written, write_project
from npuninja.porting.recognise import Recognised, recognise
from npuninja.porting.scripts import commands_of_scripts, find_scripts
from npuninja.records import NamedTuple

#: Targets by which Makefiles run what they have built; the first that there are, are taken.
RUN_TARGETS = ("run", "run_py")
# So far above a folder a Makefile may be its own.
_LEVELS_ABOVE = 3
# Compilers of their own with NPUs as a target, by the packages that their programs import.
_OTHER_COMPILERS = ("air", "allo", "iree", "triton")
_TOOL_VARIABLES = {
    "MLIR_AIE_DIR": MLIR_AIE_PLACE,
    "MLIR_AIE_INSTALL_DIR": MLIR_AIE_PLACE,
    "PEANO_INSTALL_DIR": PEANO_PLACE,
}


@dataclass(frozen=True)
class Imported:
    """What an import did. `variables` are make's, `variables_from` the file that has them ("" for the
    command line). `tests`: files that gave the commands where there is no Makefile (lit's tests, scripts).
    `known_to_fail`: the line by which the folder's own test says that it fails, with its file. `notes`: what
    was taken for granted in scripts.
    """

    project: ImportedProject
    files: tuple[Written, ...]
    targets: tuple[str, ...]
    variables: tuple[str, ...] = ()
    variables_from: str = ""
    tests: tuple[str, ...] = ()
    known_to_fail: str = ""
    notes: tuple[str, ...] = ()


def import_folder(
    folder: str,
    target: str,
    *,
    targets: Sequence[str],
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    scripts: Sequence[str] = (),
) -> Imported:
    """Makes a project of a folder with a Makefile, a CMakeLists.txt, lit's tests, shell scripts or a README.

    Args:
        folder: the existing folder, or one of its Makefiles; it is only read.
        target: the folder of the project.
        targets: of the Makefile; () for those that run things.
        variables: of make or the scripts; none: those that the folder's own test gives (`lit_tests.py`).
        environment: of this process.
        scripts: of the folder, each with its words, to go by instead of the Makefile; () for what there is.

    Raises:
        UserError: there is nothing to go by, or make stops at the Makefile.
        ToolError: make or CMake cannot be run.
    """
    asked = _asked(folder, targets, variables, environment, scripts)
    way = _way(asked)
    _check_paths_are_whole(asked.folder, [one.command for one in way.recognised])
    programs_of = partial(programs_of_cmake, environment=environment)
    project, answered = project_of(asked.folder, way.recognised, programs_of), way.answered
    if project.empty and answered and not targets and "all" not in answered:
        # A target that runs what it does not make: everything that the Makefile makes may be more.
        wide = project_of(asked.folder, _taken(asked.make(("all",), way.variables))[1], programs_of)
        if not wide.empty:
            answered, project = ("all",), wide
    if project.empty:
        doing = f"make {' '.join(answered)}".strip() if answered else " ".join(way.tests)
        raise _nothing_to_do(project, asked.folder, doing, way.notes)
    test, words = way.test, tuple(f"{name}={value}" for name, value in way.variables.items())
    return Imported(
        project=project,
        files=tuple(write_project(project, asked.folder, os.path.abspath(target))),
        targets=answered,
        variables=words,
        variables_from=test.name if test and words else "",
        tests=way.tests,
        known_to_fail=f"{test.name}: XFAIL: {test.fails}" if test and test.fails else "",
        notes=way.notes,
    )


class _ImportRequest(NamedTuple):
    """What `import_folder` was asked for; `folder` is absolute, `makefile` is one in it, "" for none."""

    folder: str
    makefile: str
    targets: Sequence[str]
    variables: Mapping[str, str]
    environment: Mapping[str, str]
    scripts: Sequence[str]
    is_makefile: bool

    def make(self, targets: Sequence[str], variables: Mapping[str, str]) -> list[MakeAnswer]:
        """What make would do for those of the targets that there are."""
        return ask_make(
            self.folder, targets, {**_TOOL_VARIABLES, **variables}, self.environment, self.makefile
        )

    def walked(self, scripts: Sequence[str]) -> _Way:
        """The commands that the folder's scripts give, recognised."""
        given = {**_TOOL_VARIABLES, **self.environment}
        walked = commands_of_scripts(self.folder, scripts, self.variables, given)
        recognised = recognise(walked.commands)
        return _Way(recognised, self.variables, tests=walked.names, notes=walked.notes)


def _asked(
    folder: str,
    targets: Sequence[str],
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    scripts: Sequence[str],
) -> _ImportRequest:
    folder, makefile = os.path.abspath(folder), ""
    if os.path.isfile(folder):
        folder, makefile = os.path.split(folder)
        if "makefile" not in makefile.lower() and not makefile.endswith((".mk", ".mak")):
            raise UserError(f"{makefile} is no Makefile", hint="name the folder")
    if not os.path.isdir(folder):
        raise UserError(f"there is no folder {folder}")
    found = makefile or find_makefile(folder) or ""
    return _ImportRequest(
        folder=folder,
        makefile=found,
        targets=targets,
        variables=variables,
        environment=environment,
        scripts=scripts,
        is_makefile=bool(makefile),
    )


class _Way(NamedTuple):
    """What a folder goes by: its commands, the variables given, the targets that make answered for, the test
    that gave its variables, the files that gave the commands, and what was taken for granted.
    """

    recognised: Sequence[Recognised]
    variables: Mapping[str, str]
    answered: tuple[str, ...] = ()
    test: LitTest | None = None
    tests: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _way(asked: _ImportRequest) -> _Way:
    """By what the folder says how it is built."""
    if asked.scripts:
        return asked.walked(asked.scripts)
    if asked.makefile:
        particular = asked.is_makefile or asked.targets or asked.variables
        if not particular and _built_by_tests(asked.folder):
            return _by_tests(asked)
        return _by_make(asked)
    if is_source(os.path.join(asked.folder, "CMakeLists.txt")):
        return _by_cmake(asked)
    way = _by_tests(asked)
    if not way.recognised:
        way = asked.walked(find_scripts(asked.folder))
    if not way.recognised and not way.notes:
        raise UserError(
            f"{asked.folder} has no Makefile, no CMakeLists.txt, no test for lit and no script, "
            "so nothing says how it is built",
            hint=_users_hint(asked.folder),
        )
    return way


def _by_tests(asked: _ImportRequest) -> _Way:
    tests, commands = commands_of_tests(asked.folder)
    return _Way(recognise(commands), asked.variables, tests=tests)


def _by_make(asked: _ImportRequest) -> _Way:
    test = test_for_make(asked.folder) if not asked.variables else None
    variables, targets = (test.variables if test else asked.variables), asked.targets
    answers = asked.make(targets or RUN_TARGETS, variables)
    for others in ((test.targets if test else ()), ("all",), ("",)):
        if not answers and not targets:
            answers = asked.make(others, variables)
    if not answers:
        raise UserError(
            f"the Makefile in {asked.folder} has no target {' or '.join(targets or RUN_TARGETS)}",
            hint="name the one that builds and runs: --target NAME",
        )
    answered, recognised = _taken(answers)
    return _Way(recognised, variables, answered, test)


def _by_cmake(asked: _ImportRequest) -> _Way:
    folder = asked.folder
    build = CMakeBuild(folder, os.path.join(folder, "build"), (), ())
    own = Recognised(ShellCommand(("cmake",), folder, "", (), f"cmake -S {folder}"), build)
    try:
        commands = commands_of_cmake(build, asked.environment)
    except Error:  # which is said where the programs of the project are asked for
        commands = []
    return _Way([own, *_without_programs(recognise(commands))], asked.variables)


def _check_paths_are_whole(folder: str, commands: Sequence[ShellCommand]) -> None:
    """Raises UserError where commands have the folder's path in pieces: make and shells cut it at blanks."""
    pieces = folder.split()
    if len(pieces) < 2:
        return
    # `dirname` of a path in pieces cuts off the last name of each.
    either = [{piece, os.path.dirname(piece)} - {""} for piece in pieces]
    torn = re.compile(
        r"\s+".join("(?:" + "|".join(re.escape(p.rstrip("/")) for p in pair) + ")/?" for pair in either)
    )
    for command in commands:
        if torn.search(command.line.replace(folder, "")):
            raise UserError(
                f"the folder's path has a blank, at which its own commands take it apart: {command.line}",
                hint=f"move or copy {folder} to a place without blanks in its path; "
                "the project may have some",
            )


def _built_by_tests(folder: str) -> bool:
    """Whether the folder's tests build a design and none asks make: its Makefile is not what they test."""
    if test_for_make(folder) is not None:
        return False
    return any(isinstance(one.found, DesignBuild) for one in recognise(commands_of_tests(folder)[1]))


def _taken(answers: Sequence[MakeAnswer]) -> tuple[tuple[str, ...], list[Recognised]]:
    """The targets that make has answered for, and what their commands are."""
    recognised = [one for answer in answers for one in recognise(answer.commands)]
    return tuple(answer.target for answer in answers), recognised


def _nothing_to_do(project: ImportedProject, folder: str, asked: str, remarks: Sequence[str]) -> UserError:
    """Why a folder is no project: what its commands do instead."""
    doing = f"{asked or 'CMake'} would do in {folder}"
    return UserError(
        f"none of what {doing} is a design, a kernel or a host program",
        notes=(
            *((f"{line.command}\n  {line.became}", None) for line in project.lines),
            *((remark, None) for remark in remarks),
        ),
        hint="name the target that builds them (--target NAME), or the script: --script FILE",
    )


def _users_hint(folder: str) -> str:
    """The next step for a folder that has nothing to go by: one above it that may build it."""
    above = os.path.dirname(folder)
    for _ in range(_LEVELS_ABOVE):
        makefile = find_makefile(above)
        if makefile:
            return f"the {makefile} of {above} may build it: npuninja import {above} --target NAME"
        above = os.path.dirname(above)
    names = sorted(os.listdir(folder))
    texts = {name: text_of(os.path.join(folder, name)) for name in names if name.endswith((".py", ".mlir"))}
    programs = [n for n, text in texts.items() if re.search(r"^\s*(?:from|import) aie\b", text, re.M)]
    if programs:
        return (
            f"npuninja python {os.path.join(folder, programs[0])} runs a program that makes its design "
            "itself, or prints it"
        )
    designs = [n for n, text in texts.items() if re.search(r"\baie\.device\b", text)]
    if designs:
        design = os.path.join(folder, designs[0])
        return f"npuninja lower {design} -o DIR reads a design; npuninja init makes a project to put it into"
    built = [name for name in names if name.endswith(".xclbin")]
    if built:
        return (
            f"npuninja run {os.path.join(folder, built[0])} --device emu --insts FILE … runs what is "
            "built already"
        )
    compilers = sorted(
        found
        for found in _OTHER_COMPILERS
        if any(re.search(rf"^\s*(?:from|import) {found}\b", text, re.M) for text in texts.values())
    )
    if compilers:
        return (
            f"its programs are compiled by {' and '.join(compilers)}, which npuninja does not have; it "
            "reads the designs in MLIR-AIE's dialects that such compilers make"
        )
    return "npuninja init makes a project to put its files into"


def _without_programs(recognised: Sequence[Recognised]) -> list[Recognised]:
    """Without the compiles of host programs, which CMake itself tells better."""
    objects = {one.found.output for one in recognised if isinstance(one.found, FoundKernelObject)}
    return [
        one
        for one in recognised
        if not isinstance(one.found, FoundHostProgram)
        and not (isinstance(one.found, Archive) and objects.isdisjoint(one.found.members))
    ]
