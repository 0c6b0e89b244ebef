"""What a host program of a CMake project is made of, said by CMake itself (its file API)."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from npuninja.errors import ToolError, UserError
from npuninja.porting.asked_program import MAX_OUTPUT_BYTES, TooMuchSaidError, ask
from npuninja.porting.compile_words import found_libraries, read_compile_words
from npuninja.porting.found import CMakeBuild, FoundHostProgram, ShellCommand
from npuninja.porting.make_commands import ask_make
from npuninja.porting.project import PEANO_PLACE

_TIME_LIMIT_S = 120

# Projects that ask for a CMake older than this are read as ones for it: newer versions of CMake refuse them.
_OLDEST_POLICY = "3.5"
_NO_PACKAGE = re.compile(r'configuration file provided by "([^"]+)"|Could NOT find (\w+)')
# Packages that host programs ask CMake for, and those of Debian and Ubuntu which have them.
_DEBIAN_PACKAGES = {
    "opencv": "libopencv-dev",
    "boost": "libboost-all-dev",
    "eigen3": "libeigen3-dev",
    "openmp": "libomp-dev",
    "fftw3": "libfftw3-dev",
    "png": "libpng-dev",
    "jpeg": "libjpeg-dev",
}
_NO_COMPILER = re.compile(
    r"The CMAKE_(C|CXX)_COMPILER:\s+(\S+)\s+is not a full path and was not found in the PATH"
)

# What `find_package(XRT)` finds; the build of the imported project decides where XRT really is. The names are
# those of XRT's own package file.
_XRT_PACKAGE = """\
set(XRT_FOUND TRUE)
set(XRT_VERSION 2.20.0)
foreach(name XRT_INCLUDE_DIRS XRT_INCLUDE_DIR XRT_LINK_DIRS XRT_LIB_DIR)
  set(${name} "@PLACE@")
endforeach()
foreach(name xrt_core xrt_coreutil xrt++ xrt_core_static xrt_coreutil_static)
  if(NOT TARGET XRT::${name})
    add_library(XRT::${name} INTERFACE IMPORTED)
  endif()
endforeach()
set(XRT_CORE_LIBRARIES XRT::xrt_core)
set(XRT_COREUTIL_LIBRARIES XRT::xrt_coreutil)
"""


def find_cmake() -> str | None:
    """CMake: the one of this Python's packages, else the one on PATH; None when there is none."""
    folder = os.path.dirname(sys.executable)
    return shutil.which("cmake", path=folder) or shutil.which("cmake")


def programs_of_cmake(build: CMakeBuild, environment: Mapping[str, str]) -> list[FoundHostProgram]:
    """The programs of a CMake project, as CMake would build them; nothing is built.

    Args:
        build: the project and how it was configured.
        environment: of CMake.

    Raises:
        UserError: there is no CMake, or it cannot configure the project; with CMake's words.
        ToolError: CMake cannot be started or does not end.
    """
    with _configured(build, environment) as folder:
        targets, source = _targets(folder)
        found = [
            _program(target, targets, source, build)
            for target in targets.values()
            if target["type"] == "EXECUTABLE"
        ]
    return [replace(p, include=tuple(path for path in p.include if path != PEANO_PLACE)) for p in found]


def commands_of_cmake(build: CMakeBuild, environment: Mapping[str, str]) -> list[ShellCommand]:
    """The commands of all that a CMake project makes and runs (`add_custom_command`, a target `run`), as the
    Makefiles of CMake say; nothing is built. Paths of its build folder are those in `build.build`.

    Raises:
        UserError: there is no CMake, or it cannot configure the project.
        ToolError: CMake or make cannot be run.
    """
    with _configured(build, environment, "-G", "Unix Makefiles") as folder:
        # Each of CMake's Makefiles knows only what it makes itself; what others make must be there.
        for target in _targets(folder)[0].values():
            for artifact in target.get("artifacts", ()):
                path = os.path.join(folder, artifact["path"])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "ab"):
                    pass
        answers = ask_make(folder, ("all", "run"), {}, environment, "Makefile", nothing_made=False)
        return [
            replace(
                command,
                words=tuple(word.replace(folder, build.build) for word in command.words),
                folder=command.folder.replace(folder, build.build),
                stdout=command.stdout.replace(folder, build.build),
                line=command.line.replace(folder, build.build),
                stdin=command.stdin.replace(folder, build.build),
            )
            for answer in answers
            for command in answer.commands
            if os.path.basename(command.words[0]) not in ("cmake", "make", "gmake")
        ]


@contextmanager
def _configured(build: CMakeBuild, environment: Mapping[str, str], *more: str) -> Iterator[str]:
    """A folder in which CMake has configured a project, with some words more; it is gone afterwards."""
    cmake = find_cmake()
    if cmake is None:
        raise UserError("CMake is not there to say what its programs are made of", hint="pip install cmake")
    environment = {**environment, **dict(build.environment), "LC_ALL": "C"}
    with tempfile.TemporaryDirectory(prefix="npuninja-import-") as folder:
        query = os.path.join(folder, ".cmake", "api", "v1", "query")
        os.makedirs(query)
        with open(os.path.join(query, "codemodel-v2"), "w", encoding="utf-8"):
            pass
        command = [cmake, "-S", build.source, "-B", folder, *_variables(build, folder), *more]
        done = _asked(command, build.source, environment)
        absent = _NO_COMPILER.search(done.stderr)
        if done.returncode and absent and _stand_in(absent[2], folder, environment):
            done = _asked([*command, "--fresh"], build.source, environment)
        if done.returncode:
            raise UserError(
                f"CMake cannot configure {build.source}: {_reason(done.stderr)}",
                hint="pip install cmake" if "or higher is required" in done.stderr else "",
            )
        yield folder


def _variables(build: CMakeBuild, folder: str) -> list[str]:
    """The project's own variables of CMake's cache; where they say nothing, this machine's compilers and the
    place where the package XRT is looked for.
    """
    given = {variable.split("=")[0].split(":")[0] for variable in build.variables}
    package = os.path.join(folder, "xrt")
    own = {
        "XRT_INC_DIR": PEANO_PLACE,
        "XRT_LIB_DIR": PEANO_PLACE,
        "CMAKE_C_COMPILER": shutil.which("cc") or shutil.which("gcc"),
        "CMAKE_CXX_COMPILER": shutil.which("c++") or shutil.which("g++"),
        "CMAKE_POLICY_VERSION_MINIMUM": _OLDEST_POLICY,
        "XRT_DIR": package,
    }
    os.mkdir(package)
    with open(os.path.join(package, "XRTConfig.cmake"), "w", encoding="utf-8") as stream:
        stream.write(_XRT_PACKAGE.replace("@PLACE@", PEANO_PLACE))
    return [f"-D{name}={value}" for name, value in own.items() if value and name not in given] + [
        f"-D{variable}" for variable in build.variables
    ]


def _stand_in(compiler: str, folder: str, environment: dict[str, str]) -> bool:
    """Puts this machine's compilers on the PATH under the names of a version that it lacks (npuninja's build
    uses another anyway). False when it has no compiler.
    """
    links = os.path.join(folder, "compilers")
    for name in {compiler, compiler.replace("gcc", "g++"), compiler.replace("g++", "gcc")}:
        own = shutil.which("c++" if "++" in name else "cc", path=environment.get("PATH"))
        if own:
            os.makedirs(links, exist_ok=True)
            os.symlink(own, os.path.join(links, name))
    environment["PATH"] = os.pathsep.join((links, environment.get("PATH", "")))
    return os.path.isdir(links)


def _asked(
    command: list[str], source: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    try:
        return ask(command, os.getcwd(), environment, _TIME_LIMIT_S)
    except TooMuchSaidError as error:
        raise ToolError(f"{command[0]} says more than {MAX_OUTPUT_BYTES >> 20} MiB about {source}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{command[0]} cannot configure {source}: {error}") from error


def _reason(stderr: str) -> str:
    package = _NO_PACKAGE.search(" ".join(stderr.split()))
    if package:
        name = package[1] or package[2]
        debian = _DEBIAN_PACKAGES.get(name.lower())
        advice = f" (Debian, Ubuntu: apt install {debian}, and import again)" if debian else ""
        return f"it needs {name}, which CMake does not find on this machine{advice}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if line.startswith("CMake Error")), 0)
    return " ".join(lines[start : start + 4]) or "it gives no reason"


def _targets(folder: str) -> tuple[dict[str, Any], str]:
    """What CMake has answered in its build folder: its targets by their ids, and the sources' folder."""
    reply = os.path.join(folder, ".cmake", "api", "v1", "reply")
    index_name = max(name for name in os.listdir(reply) if name.startswith("index-"))
    index = _read(reply, index_name)
    codemodel = _read(reply, index["reply"]["codemodel-v2"]["jsonFile"])
    targets = {t["id"]: _read(reply, t["jsonFile"]) for t in codemodel["configurations"][0]["targets"]}
    return targets, codemodel["paths"]["source"]


def _read(folder: str, name: str) -> Any:
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return json.load(stream)


def _program(
    target: Mapping[str, Any], targets: Mapping[str, Any], source: str, build: CMakeBuild
) -> FoundHostProgram:
    parts = [target, *_libraries_built_here(target, targets)]
    sources: list[str] = []
    defines: dict[str, None] = {}
    include: dict[str, None] = {}
    flags: dict[str, None] = {}
    language = ""
    for part in parts:
        sources += [
            os.path.normpath(os.path.join(source, s["path"]))
            for s in part.get("sources", ())
            if "compileGroupIndex" in s
        ]
        for group in part.get("compileGroups", ()):
            defines.update((item["define"], None) for item in group.get("defines", ()))
            include.update((item["path"], None) for item in group.get("includes", ()))
            for fragment in group.get("compileCommandFragments", ()):
                words = read_compile_words(shlex.split(fragment["fragment"]), source)
                defines.update((define, None) for define in words.defines)
                flags.update((flag, None) for flag in words.flags if not flag.startswith("-O"))
                language = language or words.language
    libraries: list[str] = []
    folders: list[str] = []
    for fragment in target.get("link", {}).get("commandFragments", ()):
        words = read_compile_words(shlex.split(fragment["fragment"]), build.build)
        folders += words.library_folders
        # Those of a package are files; one that is not there yet is built here, and its sources are above.
        libraries += [w for w in words.libraries if "/" not in w or os.path.isfile(w)]
        libraries += filter(os.path.isfile, words.objects)
    libraries = found_libraries(libraries, folders)
    output = os.path.join(build.build, target["nameOnDisk"])
    return FoundHostProgram(
        output=output,
        sources=tuple(dict.fromkeys(sources)),
        defines=tuple(defines),
        include=tuple(include),
        flags=tuple(flags),
        libraries=tuple(dict.fromkeys(libraries)),
        language=language,
    )


def _libraries_built_here(
    target: Mapping[str, Any], targets: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    found = [targets[d["id"]] for d in target.get("dependencies", ()) if d["id"] in targets]
    return [t for t in found if t["type"] in ("STATIC_LIBRARY", "OBJECT_LIBRARY", "SHARED_LIBRARY")]
