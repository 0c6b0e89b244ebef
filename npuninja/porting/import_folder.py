"""An existing folder as an npuninja project, from asking make to the written files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from npuninja.errors import Error, UserError
from npuninja.porting.cmake_target import ask_cmake, ask_cmake_for_commands, find_cmake
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    Command,
    DesignBuild,
    HostProgram,
    KernelObject,
    is_source,
)
from npuninja.porting.lit_tests import LitTest, commands_of_tests, test_for_make
from npuninja.porting.make_commands import Answer, ask_make, find_makefile
from npuninja.porting.project import MLIR_AIE_PLACE, PEANO_PLACE, Project, text_of
from npuninja.porting.project_builder import project_of
from npuninja.porting.project_files import Written, write_project
from npuninja.porting.recognise import Recognised, recognise
from npuninja.porting.scripts import ScriptCommands, commands_of_scripts, find_scripts
from npuninja.records import NamedTuple

#: Targets by which Makefiles run what they have built; the first that there are, are taken.
RUN_TARGETS = ("run", "run_py")
# So far above a folder a Makefile may be its own.
_LEVELS_ABOVE = 3
# Compilers of their own with NPUs as a target, by the packages that their programs import.
_OTHER_COMPILERS = ("air", "allo", "iree", "triton")
_PLACES = {
    "MLIR_AIE_DIR": MLIR_AIE_PLACE,
    "MLIR_AIE_INSTALL_DIR": MLIR_AIE_PLACE,
    "PEANO_INSTALL_DIR": PEANO_PLACE,
}


@dataclass(frozen=True)
class Imported:
    """What an import did; `variables` are make's, and `variables_from` the file of the folder that has them ("" for
    the command line); `tests` are the files that gave the commands where there is no Makefile (lit's tests, scripts);
    `known_to_fail`: the line by which the folder's own test says that it fails, with its file; `notes`: what was taken for
    granted on the way through scripts.
    """

    project: Project
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
    """Makes a project of a folder with a Makefile, a CMakeLists.txt, tests for LLVM's lit, shell scripts or a README.

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
    folder, target = os.path.abspath(folder), os.path.abspath(target)
    makefile = ""
    if os.path.isfile(folder):
        folder, makefile = os.path.split(folder)
        if "makefile" not in makefile.lower() and not makefile.endswith((".mk", ".mak")):
            raise UserError(f"{makefile} is no Makefile", hint="name the folder")
    if not os.path.isdir(folder):
        raise UserError(f"there is no folder {folder}")
    asked_for = bool(makefile or targets or variables)
    makefile = makefile or find_makefile(folder) or ""
    given = {**_PLACES, **environment}
    if scripts:
        way = _by_scripts(commands_of_scripts(folder, scripts, variables, given))
    elif makefile and not asked_for and _built_by_tests(folder):
        way = _by_tests(folder)
    elif makefile:
        test = test_for_make(folder) if not variables else None
        variables = test.variables if test else variables
        way = _by_make(folder, makefile, targets, variables, environment, test)
    elif is_source(os.path.join(folder, "CMakeLists.txt")):
        way = _by_cmake(folder, environment)
    else:
        way = _by_tests(folder)
        if not way.recognised:
            way = _by_scripts(commands_of_scripts(folder, find_scripts(folder), variables, given))
        if not way.recognised and not way.notes:
            raise UserError(
                f"{folder} has no Makefile, no CMakeLists.txt, no test for lit and no script, so nothing says how it is built",
                hint=_who_may_build(folder),
            )
    asked, tests, test = list(way.asked), way.tests, way.test

    def programs_of(build: CMakeBuild) -> Sequence[HostProgram]:
        return _programs(build, environment)

    _check_paths_are_whole(folder, [one.command for one in way.recognised])
    project = project_of(folder, way.recognised, programs_of)
    if project.empty and asked and not targets and "all" not in asked:
        # A target that runs what it does not make: everything that the Makefile makes may be more.
        wide = ask_make(folder, ("all",), {**_PLACES, **variables}, environment, makefile)
        wider = project_of(folder, _taken(wide)[1], programs_of)
        if not wider.empty:
            asked, project = ["all"], wider
    if project.empty:
        doing = f"make {' '.join(asked)}".strip() if asked else " ".join(tests)
        raise _nothing_to_do(project, folder, doing, way.notes)
    fails = f"{test.name}: XFAIL: {test.fails}" if test and test.fails else ""
    words = tuple(f"{name}={value}" for name, value in variables.items())
    written = tuple(write_project(project, folder, target))
    return Imported(
        project, written, tuple(asked), words, test.name if test and words else "", tests, fails, way.notes
    )


class _Way(NamedTuple):
    """What a folder goes by: the targets that make has answered for, what the commands are, the test that gave make's
    words, the files that gave the commands, and what was taken for granted.
    """

    recognised: Sequence[Recognised]
    asked: Sequence[str] = ()
    test: LitTest | None = None
    tests: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _by_scripts(walked: ScriptCommands) -> _Way:
    return _Way(recognise(walked.commands), tests=walked.names, notes=walked.notes)


def _by_tests(folder: str) -> _Way:
    tests, commands = commands_of_tests(folder)
    return _Way(recognise(commands), tests=tests)


def _by_make(
    folder: str,
    makefile: str,
    targets: Sequence[str],
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    test: LitTest | None,
) -> _Way:
    asking = {**_PLACES, **variables}
    answers = ask_make(folder, targets or RUN_TARGETS, asking, environment, makefile)
    for others in ((test.targets if test else ()), ("all",), ("",)):
        if not answers and not targets:
            answers = ask_make(folder, others, asking, environment, makefile)
    if not answers:
        raise UserError(
            f"the Makefile in {folder} has no target {' or '.join(targets or RUN_TARGETS)}",
            hint="name the one that builds and runs: --target NAME",
        )
    asked, recognised = _taken(answers)
    return _Way(recognised, asked, test)


def _by_cmake(folder: str, environment: Mapping[str, str]) -> _Way:
    build = CMakeBuild(folder, os.path.join(folder, "build"), (), ())
    own = Recognised(Command(("cmake",), folder, "", (), f"cmake -S {folder}"), build)
    return _Way([own, *_without_programs(recognise(_made_by_cmake(build, environment)))])


def _check_paths_are_whole(folder: str, commands: Sequence[Command]) -> None:
    """Raises UserError where the commands have the folder's path in pieces, as GNU make and shells cut it at blanks."""
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
                hint=f"move or copy {folder} to a place without blanks in its path; the project may have some",
            )


def _built_by_tests(folder: str) -> bool:
    """Whether the folder's tests build a design themselves, and none asks make: its Makefile is not what is tested."""
    if test_for_make(folder) is not None:
        return False
    return any(isinstance(one.found, DesignBuild) for one in recognise(commands_of_tests(folder)[1]))


def _taken(answers: Sequence[Answer]) -> tuple[list[str], list[Recognised]]:
    """The targets that make has answered for, and what their commands are."""
    return [answer.target for answer in answers], [
        one for answer in answers for one in recognise(answer.commands)
    ]


def _nothing_to_do(project: Project, folder: str, asked: str, remarks: Sequence[str]) -> UserError:
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


def _who_may_build(folder: str) -> str:
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
        return f"npuninja python {os.path.join(folder, programs[0])} runs a program that makes its design itself, or prints it"
    designs = [n for n, text in texts.items() if re.search(r"\baie\.device\b", text)]
    if designs:
        design = os.path.join(folder, designs[0])
        return f"npuninja lower {design} -o DIR reads a design; npuninja init makes a project to put it into"
    built = [name for name in names if name.endswith(".xclbin")]
    if built:
        return f"npuninja run {os.path.join(folder, built[0])} --device emu --insts FILE … runs what is built already"
    compilers = sorted(
        found
        for found in _OTHER_COMPILERS
        if any(re.search(rf"^\s*(?:from|import) {found}\b", text, re.M) for text in texts.values())
    )
    if compilers:
        return (
            f"its programs are compiled by {' and '.join(compilers)}, which npuninja does not have; it reads the designs "
            "in MLIR-AIE's dialects that such compilers make"
        )
    return "npuninja init makes a project to put its files into"


def _made_by_cmake(build: CMakeBuild, environment: Mapping[str, str]) -> Sequence[Command]:
    """What the custom commands of a CMake project would do; nothing when CMake cannot say it."""
    cmake = find_cmake()
    try:
        return (
            ask_cmake_for_commands(build, cmake, _cmake_settings(), environment, PEANO_PLACE) if cmake else ()
        )
    except Error:  # which is said where the programs of the project are asked for
        return ()


def _without_programs(recognised: Sequence[Recognised]) -> list[Recognised]:
    """Without the compiles of host programs, which CMake itself tells better."""
    objects = {one.found.output for one in recognised if isinstance(one.found, KernelObject)}
    return [
        one
        for one in recognised
        if not isinstance(one.found, HostProgram)
        and not (isinstance(one.found, Archive) and objects.isdisjoint(one.found.members))
    ]


def _cmake_settings() -> dict[str, str]:
    c, cxx = shutil.which("cc") or shutil.which("gcc"), shutil.which("c++") or shutil.which("g++")
    settings = {"XRT_INC_DIR": PEANO_PLACE, "XRT_LIB_DIR": PEANO_PLACE}
    settings.update({"CMAKE_C_COMPILER": c} if c else {})
    settings.update({"CMAKE_CXX_COMPILER": cxx} if cxx else {})
    return settings


def _programs(build: CMakeBuild, environment: Mapping[str, str]) -> Sequence[HostProgram]:
    cmake = find_cmake()
    if cmake is None:
        raise UserError("CMake is not there to say what its programs are made of", hint="pip install cmake")
    programs = ask_cmake(build, cmake, _cmake_settings(), environment, PEANO_PLACE)
    return [
        HostProgram(
            p.output,
            p.sources,
            p.defines,
            tuple(i for i in p.include if i != PEANO_PLACE),
            p.flags,
            p.libraries,
            p.language,
        )
        for p in programs
    ]
