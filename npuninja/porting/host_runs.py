"""From the runs of a build's host programs to a project's hosts: compiled programs, scripts, their words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from npuninja.errors import UserError
from npuninja.plan.host_program import SCRIPT_SUFFIXES
from npuninja.porting.design_calls import kind_of
from npuninja.porting.found import CMakeBuild, DesignScript, FoundHostProgram, HostRun, ShellCommand
from npuninja.porting.known_files import KnownFiles
from npuninja.porting.project import Host, ImportedProject, plain_name, text_of, unlike, words_to_stdout

#: Where makefiles look for XRT's headers, which the build finds itself. /usr/include is every compiler's own,
#: not that of an XRT which lies somewhere else.
_XRT_INCLUDES = ("/usr/include", "/opt/xilinx/xrt/include")
#: Names of files in a program's source, and those that are only what an option has when it is not given.
_NAMED_FILE = re.compile(r'"([\w./-]+\.(?:xclbin|bin|txt|elf))"')
_OPTION_DEFAULT = re.compile(r'default_value\(\s*"[^"]*"')
_XRT_LIBRARIES = ("xrt_coreutil", "xrt++", "uuid", "pthread", "rt", "dl", "m", "stdc++", "stdc++fs")


class HostRuns:
    """Adds hosts to a project whose designs are known already.

    Args:
        project: that is added to.
        files: of the folder.
        programs_of: the programs of a CMake project; may raise UserError.
    """

    def __init__(
        self,
        project: ImportedProject,
        files: KnownFiles,
        programs_of: Callable[[CMakeBuild], Sequence[FoundHostProgram]],
    ) -> None:
        self._project = project
        self._files = files
        self._programs_of = programs_of
        self._programs: dict[str, FoundHostProgram] = {}
        self._without: dict[str, str] = {}  # folders in which CMake would build, and why it does not

    def compiled(self, command: ShellCommand, found: FoundHostProgram) -> None:
        """A program that a command compiles."""
        self._programs[found.output] = found
        self._project.say(command, f"host program {os.path.basename(found.output)}")

    def built_by_cmake(self, command: ShellCommand, found: CMakeBuild) -> None:
        """The programs of a CMake project."""
        try:
            programs = self._programs_of(found)
        except UserError as error:
            self._without[found.build] = error.message
            self._project.say(command, error.message, taken=False)
            return
        for program in programs:
            self._programs[program.output] = program
        names = ", ".join(os.path.basename(program.output) for program in programs)
        self._project.say(command, f"host program {names}" if names else "it has no program", bool(names))

    def run(self, command: ShellCommand, found: HostRun) -> None:
        """A run of a program or of a script."""
        path = self._files.original(found.program)
        # MLIR-AIE's Makefiles run NAME.exe, which WSL wants, and CMake makes NAME.
        program = self._programs.get(path) or self._programs.get(path.removesuffix(".exe"))
        is_script = path.endswith(SCRIPT_SUFFIXES) and os.path.isfile(path)
        if program is None and not is_script:
            refused = self._without.get(os.path.dirname(path), "")
            became = f"nothing says how {self._files.short(path)} is made"
            if refused:
                name = self._host_name(path)
                self._project.hosts.append(Host(name, (), (), found.folder, refused=refused))
                became = f"[host.{name}], which is refused"
            self._project.say(command, became, taken=False)
            return
        read = next((w for w in found.arguments if os.path.join(found.folder, w) in self._files.not_made), "")
        if read:
            self._files.left_out(command)
            self._project.say(
                command, f"it reads {read}, which a command that is left out makes", taken=False
            )
            return
        name = self._host_name(path)
        lacks = self._lacking(program, found.folder) if program else ""
        if lacks:
            refused = f"it needs {self._files.short(lacks)}, which a command that is left out makes"
            self._project.hosts.append(Host(name, (), (), found.folder, refused=refused))
            self._project.say(command, f"[host.{name}], which is refused: {refused}", taken=False)
            return
        words, designs = self._placeholders(found)
        host = Host(
            name, (path,), words, found.folder, found.environment, designs=designs, module=found.module,
            device="" if designs else found.device, output_has=found.output_has,
        )  # fmt: skip
        if program is not None:
            include = tuple(path for path in program.include if path not in _XRT_INCLUDES)
            libraries = tuple(lib for lib in program.libraries if _is_linked(lib))
            host = replace(
                host, sources=program.sources, defines=program.defines, include=include, flags=program.flags,
                libraries=libraries, language=program.language,
            )  # fmt: skip
            host = self._with_files(host)
        if any(replace(host, name=other.name) == other for other in self._project.hosts):
            return
        self._project.hosts.append(host)
        self._project.say(command, f"[host.{name}]; ninja run-host-{name}")

    def _lacking(self, program: FoundHostProgram, folder: str) -> str:
        """A file that a program's defines or sources name and no command makes here; "" for none."""
        named = {
            os.path.normpath(os.path.join(folder, path))
            for source in program.sources
            for path in _NAMED_FILE.findall(_OPTION_DEFAULT.sub("", text_of(source)))
        }
        missing = (
            made for made in self._files.not_made if made in named or any(made in d for d in program.defines)
        )
        return min(missing, default="")

    def _host_name(self, path: str) -> str:
        """A name for the host program of a file that no other has."""
        stem = plain_name(os.path.splitext(os.path.basename(path))[0])
        return unlike(stem, {host.name for host in self._project.hosts})

    def _with_files(self, host: Host) -> Host:
        """A compiled program with the designs' files that its sources name, except in defaults of options."""
        named: dict[str, tuple[str, str]] = {}
        designs = [(design, text_of(design.source)) for design in reversed(self._project.designs)]
        for source in host.sources:
            for path in _NAMED_FILE.findall(_OPTION_DEFAULT.sub("", text_of(source))):
                absolute = os.path.normpath(os.path.join(host.folder, path))
                for design, module in designs:
                    kind = kind_of(absolute, design.files, module)
                    if kind:
                        named.setdefault(path, (design.name, kind))
        if not named:
            return host
        used = tuple(dict.fromkeys((*host.designs, *(design for design, _ in named.values()))))
        files = tuple(
            f"{path}={{{kind}}}" if len(used) == 1 else f"{path}={{{design}.{kind}}}"
            for path, (design, kind) in sorted(named.items())
        )
        return replace(host, files=files, designs=used)

    def _placeholders(self, found: HostRun) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A run's words with designs' files as placeholders, and the designs they are of."""
        used: dict[str, None] = {}
        words: list[tuple[str, str, str]] = []
        for word in found.arguments:
            option, equals, value = word.partition("=")
            head, path = (option + equals, value) if equals else ("", word)
            absolute = os.path.normpath(os.path.join(found.folder, path))
            absolute = self._files.original(absolute)
            made = ((d, kind_of(absolute, d.files, text_of(d.source))) for d in self._project.designs)
            design, kind = next(((d, kind) for d, kind in made if kind), (None, ""))
            if design is None:
                words.append((word, "", ""))
            else:
                used[design.name] = None
                words.append((head, design.name, kind))
        one = len(used) == 1
        return (
            tuple(
                head + (f"{{{kind}}}" if one else f"{{{name}.{kind}}}") if name else head
                for head, name, kind in words
            ),
            tuple(used),
        )

    def only_printed(self, printing: Sequence[tuple[ShellCommand, DesignScript]]) -> None:
        """Scripts of a folder whose test is that they print their designs: each is a program that is run."""
        for command, script in printing:
            if not os.path.isfile(script.script):
                continue
            name = self._host_name(script.script)
            folder = script.folder if os.path.isdir(script.folder) else self._files.folder
            words = words_to_stdout(script)
            host = Host(
                name, (script.script,), words, folder, command.environment, module=script.module,
                device=command.device,
            )  # fmt: skip
            if all(replace(host, name=other.name) != other for other in self._project.hosts):
                self._project.hosts.append(host)
                became = f"[host.{name}], as nothing builds what it prints; ninja run-host-{name}"
                lines = self._project.lines
                lines[:] = [replace(x, became=became) if x.command == command.line else x for x in lines]


def _is_linked(library: str) -> bool:
    """Whether a program is linked with a library here: it is there, and the build does not find it itself."""
    name = re.sub(r"^lib|\.(so|a)\b.*$", "", os.path.basename(library)) if "/" in library else library
    return name not in _XRT_LIBRARIES and ("/" not in library or os.path.isfile(library))
