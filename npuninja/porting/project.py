"""From what the commands of a build do to the designs, kernels and host programs of an npuninja project."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from npuninja.errors import UserError
from npuninja.plan.host_program import SCRIPT_SUFFIXES
from npuninja.porting.design_calls import DesignCalls, kind_of, outputs_of
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    Command,
    Copy,
    DesignBuild,
    DesignScript,
    HostProgram,
    HostRun,
    KernelObject,
    ReplacedWords,
)
from npuninja.porting.recognise import Recognised

#: What stands for MLIR-AIE's installation and Peano's when make is asked: no path of this machine begins like it.
MLIR_AIE_PLACE, PEANO_PLACE = "/npuninja-import/mlir-aie", "/npuninja-import/peano"
#: Where makefiles look for XRT's headers, which the build finds itself; /usr/include is every compiler's own, and not
#: that of one which lies somewhere else.
_XRT_INCLUDES = ("/usr/include", "/opt/xilinx/xrt/include")
#: Names of files in a program's source, and those that are only what an option has when it is not given.
_NAMED_FILE = re.compile(r'"([\w./-]+\.(?:xclbin|bin|txt|elf))"')
_OPTION_DEFAULT = re.compile(r'default_value\(\s*"[^"]*"')
_XRT_LIBRARIES = ("xrt_coreutil", "xrt++", "uuid", "pthread", "rt", "dl", "m", "stdc++", "stdc++fs")


@dataclass(frozen=True)
class Design:
    """A design. Paths are absolute; `files` maps what the old build called its outputs to `xclbin`, `insts`, `elf`."""

    name: str
    source: str
    arguments: tuple[str, ...] = ()
    aiecc_flags: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    module: str = ""
    folder: str = ""
    replaced: tuple[tuple[str, str], ...] = ()
    devices: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    generation: str = ""
    reconfiguration: bool = False


@dataclass(frozen=True)
class Kernel:
    """How an object of the name that `link_with` says is built; `designs`: of which, () for all."""

    name: str
    sources: tuple[str, ...]
    defines: tuple[str, ...]
    include: tuple[str, ...]
    flags: tuple[str, ...]
    language: str
    designs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """A host program and how it is run. A Python script is its own only source."""

    name: str
    sources: tuple[str, ...]
    arguments: tuple[str, ...]
    folder: str
    environment: tuple[tuple[str, str], ...] = ()
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    language: str = ""
    designs: tuple[str, ...] = ()
    module: str = ""
    device: str = ""
    refused: str = ""
    files: tuple[str, ...] = ()
    output_has: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One command of the old build and what became of it, for people."""

    command: str
    became: str
    taken: bool


@dataclass
class Project:
    """What an imported folder consists of."""

    designs: list[Design] = field(default_factory=list)
    kernels: list[Kernel] = field(default_factory=list)
    hosts: list[Host] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to build or to run."""
        return not self.designs and not self.kernels and not self.hosts


class _Builder:
    """Goes through the commands once, in order; a later command may name what an earlier one made."""

    def __init__(self, folder: str, programs_of: Callable[[CMakeBuild], Sequence[HostProgram]]) -> None:
        self.folder = folder
        self.project = Project()
        self._programs_of = programs_of
        self._objects: dict[str, KernelObject] = {}
        self._pending: dict[str, KernelObject] = {}  # compiled since the last design was built
        self._scripts: dict[str, DesignScript] = {}  # by the MLIR they print
        self._printing: list[tuple[Command, DesignScript]] = []
        self._programs: dict[str, HostProgram] = {}
        self._copies: dict[str, str] = {}
        self._replaced: dict[str, ReplacedWords] = {}  # by the file with other words
        self._second_names: set[str] = set()  # objects that are copies of others
        self._kernels_of: dict[str, list[KernelObject]] = {}
        self._without: dict[str, str] = {}  # folders in which CMake would build, and why it does not
        self._calls = DesignCalls()
        self._not_made: set[str] = set()  # what commands that are left out would have written

    def add(self, recognised: Recognised) -> None:
        command, found = recognised.command, recognised.found
        if isinstance(found, KernelObject):
            self._compiled(command, found)
        elif isinstance(found, Archive):
            self._archived(command, found)
        elif isinstance(found, DesignScript):
            self._script(command, found)
        elif isinstance(found, DesignBuild):
            self._built(command, found)
        elif isinstance(found, HostProgram):
            self._programs[found.output] = found
            self._say(command, f"host program {os.path.basename(found.output)}")
        elif isinstance(found, CMakeBuild):
            self._cmake(command, found)
        elif isinstance(found, Copy):
            self._copied(found)
        elif isinstance(found, ReplacedWords):
            self._with_other_words(command, found)
        elif isinstance(found, HostRun):
            self._run(command, found)
        elif recognised.remark:
            self._left_out(command)
            self._say(command, recognised.remark, taken=False)

    def _left_out(self, command: Command) -> None:
        words = [command.stdout] if command.stdout else []
        words += [b for a, b in zip(command.words, command.words[1:]) if a in ("-o", "--output")]
        self._not_made.update(os.path.normpath(os.path.join(command.folder, word)) for word in words)

    def _say(self, command: Command, became: str, taken: bool = True) -> None:
        line = Line(command.line, became, taken)
        if line not in self.project.lines:
            self.project.lines.append(line)

    def original(self, path: str) -> str:
        """The file that was copied to a path; the path itself when none was."""
        seen = set()
        while path in self._copies and path not in seen:
            seen.add(path)
            path = self._copies[path]
        return path

    def _with_other_words(self, command: Command, found: ReplacedWords) -> None:
        before = self._replaced.get(found.source)
        source = before.source if before else self.original(found.source)
        if not os.path.isfile(source):
            self._left_out(command)
            self._say(
                command, f"{os.path.relpath(source, self.folder)} is not a file of this folder", taken=False
            )
            return
        words = (*(before.words if before else ()), *found.words)
        flags = (*(before.aiecc_flags if before else ()), *found.aiecc_flags)
        self._replaced[found.target] = ReplacedWords(source, found.target, words, flags)
        became = f"aiecc-flags = {list(found.aiecc_flags)}" if found.aiecc_flags else ""
        self._say(command, became or f"replace = {[f'{word}={text}' for word, text in words]}")

    # --- Kernels.

    def _compiled(self, command: Command, found: KernelObject) -> None:
        sources = tuple(s for s in map(self.original, found.sources) if not s.startswith(MLIR_AIE_PLACE))
        if not sources:
            self._say(command, "nothing: npuninja's kernel headers have what this source defines")
        else:
            self._say(command, f'[kernel."{os.path.basename(found.output)}"]')
        self._objects[found.output] = self._pending[found.output] = replace(found, sources=sources)

    def _copied(self, found: Copy) -> None:
        """A file under another name; of an object, it is made as the first where a design names it."""
        self._copies[found.target] = found.source
        made = self._objects.get(found.source)
        if made is not None and os.path.basename(found.target) != os.path.basename(found.source):
            self._objects[found.target] = self._pending[found.target] = replace(made, output=found.target)
            self._second_names.add(found.target)

    def _archived(self, command: Command, found: Archive) -> None:
        members = [self._objects[m] for m in found.members if m in self._objects]
        strangers = tuple(m for m in found.members if m not in self._objects)
        kinds = {(m.defines, m.flags, m.language) for m in members if m.sources}
        if len(kinds) > 1:
            self._say(
                command,
                "its objects are compiled in different ways, which one [kernel] cannot say",
                taken=False,
            )
            return
        first = next((m for m in members if m.sources), None)
        sources = tuple(source for member in members for source in member.sources) + strangers
        include = tuple(dict.fromkeys(path for member in members for path in member.include))
        made = KernelObject(
            found.output, sources, first.defines if first else (), include,
            first.flags if first else (), first.language if first else "",
        )  # fmt: skip
        for member in members:
            self._pending.pop(member.output, None)
        self._objects[found.output] = self._pending[found.output] = made
        self._say(command, f'[kernel."{os.path.basename(found.output)}"]')

    # --- Designs.

    def _script(self, command: Command, found: DesignScript) -> None:
        xclbin = found.output("xclbin")
        if not xclbin:
            self._scripts[found.mlir] = found
            self._printing.append((command, found))
            self._say(command, f"a design's source, {os.path.basename(found.script)}")
            return
        files = {found.output(kind): kind for kind in ("xclbin", "insts", "elf") if found.output(kind)}
        # With the names of its outputs, by which it compiles and does not run; where it would write, nothing is.
        words = self._arguments(found.arguments, found.folder)
        self._design(
            command, xclbin, Design("", found.script, words, module=found.module, folder=found.folder), files
        )

    def _built(self, command: Command, found: DesignBuild) -> None:
        changed = self._replaced.get(found.mlir) or self._replaced.get(self.original(found.mlir))
        mlir = changed.source if changed else self.original(found.mlir)
        script = self._scripts.get(mlir)
        if script is None and not os.path.isfile(mlir):
            self._say(command, f"nothing says how {os.path.relpath(mlir, self.folder)} is made", taken=False)
            return
        if found.full_elf:
            self._not_made.add(found.full_elf)
            became = "npuninja makes no full ELF (docs/several-kernels.md says why)"
            self._say(command, became, taken=False)
            if not found.xclbin and not found.insts:
                return
        if not any(path for path, _ in outputs_of(found)):
            self._say(command, "it makes neither an XCLBIN nor instructions", taken=False)
            return
        source, arguments = mlir, tuple[str, ...]()
        if script:
            source, arguments = script.script, self._arguments(_to_stdout(script), script.folder)
        module, folder = (script.module, script.folder) if script else ("", "")
        if found.elf and any(kind == "ctrlpkt" for _, kind in found.others):
            found = replace(found, elf="")
            self._say(
                command, "without the ELF, which npuninja does not make of control packets", taken=False
            )
        flags = (*found.aiecc_flags, *(changed.aiecc_flags if changed else ()))
        design = Design(
            "", source, arguments, flags, module=module, folder=folder,
            replaced=changed.words if changed else (), generation=found.generation,
        )  # fmt: skip
        if not self._joined(command, found, design):
            return
        if found.other_options:
            self._say(
                command, f"without {' '.join(found.other_options)}, which npuninja does not know", taken=False
            )

    def _joined(self, command: Command, found: DesignBuild, design: Design) -> bool:
        """A call of aiecc, alone or as one of several on a module (`design_calls`); False when it is left out."""
        module = (design.source, design.arguments, design.aiecc_flags, design.replaced)
        name = self._calls.design_of(found, module)
        if found.chained and not name:
            path = os.path.relpath(found.chained, self.folder)
            became = f"{path} is of another module, and a design is one module"
            self._say(command, became, taken=False)
            return False
        if name:
            self._say(command, f"[design.{name}]")
        else:
            path = outputs_of(found)[0][0]
            name = self._design(command, path, design, dict(outputs_of(found)))
        self._calls.add(found, module, name)
        files, devices, kernels = self._calls.settings(name)
        self.project.designs = [
            replace(
                d,
                files=files,
                devices=devices,
                kernels=kernels,
                reconfiguration=d.reconfiguration or bool(found.others),
            )
            if d.name == name
            else d
            for d in self.project.designs
        ]
        return True

    def _design(self, command: Command, path: str, design: Design, files: Mapping[str, str]) -> str:
        """A design that a command makes, which may be one that is known by a file; returns its name."""
        known = next((d for d in self.project.designs if path in dict(d.files)), None)
        if known is None:
            name = plain_name(os.path.splitext(os.path.basename(path))[0])
            names = {design.name for design in self.project.designs}
            folder = design.folder
            if folder and not os.path.isdir(folder):  # one that the build makes: nothing is to be read there
                folder = self.folder
            known = replace(design, name=_unlike(name, names), files=tuple(files.items()), folder=folder)
            self.project.designs.append(known)
            self._kernels_of[known.name] = list(self._pending.values())
            self._pending = {}
        self._say(command, f"[design.{known.name}]")
        return known.name

    def _arguments(self, words: Sequence[str], folder: str) -> tuple[str, ...]:
        """Words of a script, where the names of files that are there are absolute."""
        return tuple(
            os.path.normpath(os.path.join(folder, word))
            if re.search(r"[/.]", word) and os.path.exists(os.path.join(folder, word))
            else word
            for word in words
        )

    # --- Host programs.

    def _cmake(self, command: Command, found: CMakeBuild) -> None:
        try:
            programs = self._programs_of(found)
        except UserError as error:
            self._without[found.build] = error.message
            self._say(command, error.message, taken=False)
            return
        for program in programs:
            self._programs[program.output] = program
        names = ", ".join(os.path.basename(program.output) for program in programs)
        self._say(command, f"host program {names}" if names else "it has no program", bool(names))

    def _run(self, command: Command, found: HostRun) -> None:
        path = self.original(found.program)
        program = self._programs.get(path) or self._programs.get(path.removesuffix(".exe"))
        is_script = path.endswith(SCRIPT_SUFFIXES) and os.path.isfile(path)
        if program is None and not is_script:
            refused = self._without.get(os.path.dirname(path), "")
            became = f"nothing says how {os.path.relpath(path, self.folder)} is made"
            if refused:
                name = self._host_name(path)
                self.project.hosts.append(Host(name, (), (), found.folder, refused=refused))
                became = f"[host.{name}], which is refused"
            self._say(command, became, taken=False)
            return
        read = next((w for w in found.arguments if os.path.join(found.folder, w) in self._not_made), "")
        if read:
            self._left_out(command)
            self._say(command, f"it reads {read}, which a command that is left out makes", taken=False)
            return
        name = self._host_name(path)
        lacks = self._lacking(program, found.folder) if program else ""
        if lacks:
            refused = (
                f"it needs {os.path.relpath(lacks, self.folder)}, which a command that is left out makes"
            )
            self.project.hosts.append(Host(name, (), (), found.folder, refused=refused))
            self._say(command, f"[host.{name}], which is refused: {refused}", taken=False)
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
        if any(replace(host, name=other.name) == other for other in self.project.hosts):
            return
        self.project.hosts.append(host)
        self._say(command, f"[host.{name}]; ninja run-host-{name}")

    def _lacking(self, program: HostProgram, folder: str) -> str:
        """A file that a program's defines or sources name and that no command makes here; "" when there is none."""
        named = {
            os.path.normpath(os.path.join(folder, path))
            for source in program.sources
            for path in _NAMED_FILE.findall(_OPTION_DEFAULT.sub("", text_of(source)))
        }
        missing = (
            made for made in self._not_made if made in named or any(made in d for d in program.defines)
        )
        return min(missing, default="")

    def _host_name(self, path: str) -> str:
        """A name for the host program of a file that no other has."""
        stem = plain_name(os.path.splitext(os.path.basename(path))[0])
        return _unlike(stem, {host.name for host in self.project.hosts})

    def _with_files(self, host: Host) -> Host:
        """A compiled program with the design's files that its sources name, when its words do not have all of them."""
        if len(self.project.designs) != 1:
            return host
        (design,) = self.project.designs
        module, named = text_of(design.source), dict[str, str]()
        for source in host.sources:
            for path in _NAMED_FILE.findall(_OPTION_DEFAULT.sub("", text_of(source))):
                kind = kind_of(os.path.normpath(os.path.join(host.folder, path)), design.files, module)
                if kind:
                    named[path] = kind
        if not named:
            return host
        files = tuple(f"{path}={{{kind}}}" for path, kind in sorted(named.items()))
        return replace(host, files=files, designs=(design.name,))

    def _placeholders(self, found: HostRun) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A run's words with designs' files as placeholders, and the designs they are of."""
        used: dict[str, None] = {}
        words: list[tuple[str, str, str]] = []
        for word in found.arguments:
            option, equals, value = word.partition("=")
            head, path = (option + equals, value) if equals else ("", word)
            absolute = os.path.normpath(os.path.join(found.folder, path))
            absolute = self.original(absolute)
            made = ((d, kind_of(absolute, d.files, text_of(d.source))) for d in self.project.designs)
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

    # --- At the end.

    def finish(self) -> Project:
        """Gives names and settles which objects are for which design."""
        self._name_designs()
        ways: dict[str, dict[Kernel, list[str]]] = {}
        for design, objects in self._kernels_of.items():
            for found in objects:
                if found.sources and self._is_wanted(found):
                    kernel = _kernel(found)
                    ways.setdefault(kernel.name, {}).setdefault(kernel, []).append(design)
        for kernels in ways.values():
            for kernel, designs in kernels.items():
                self.project.kernels.append(
                    kernel if len(kernels) == 1 else replace(kernel, designs=tuple(designs))
                )
        for found in self._pending.values():
            if found.sources and os.path.basename(found.output) not in ways and self._is_wanted(found):
                self.project.kernels.append(_kernel(found))
        if self.project.empty:
            self._only_printed()
        return self.project

    def _is_wanted(self, found: KernelObject) -> bool:
        """Whether an object is not only a copy whose name no design says."""
        name = os.path.basename(found.output)
        return found.output not in self._second_names or any(
            name in text_of(design.source) for design in self.project.designs
        )

    def _only_printed(self) -> None:
        """Scripts of a folder whose test is that they print their designs: each is a program that is run."""
        for command, script in self._printing:
            if not os.path.isfile(script.script):
                continue
            name = self._host_name(script.script)
            folder = script.folder if os.path.isdir(script.folder) else self.folder
            words = self._arguments(_to_stdout(script), script.folder)
            host = Host(
                name, (script.script,), words, folder, command.environment, module=script.module,
                device=command.device,
            )  # fmt: skip
            if all(replace(host, name=other.name) != other for other in self.project.hosts):
                self.project.hosts.append(host)
                became = f"[host.{name}], as nothing builds what it prints; ninja run-host-{name}"
                lines = self.project.lines
                lines[:] = [replace(x, became=became) if x.command == command.line else x for x in lines]

    def _name_designs(self) -> None:
        """A folder's only design has the folder's name: `final` and `aie` say nothing."""
        if len(self.project.designs) != 1:
            return
        (design,) = self.project.designs
        name = plain_name(os.path.basename(self.folder))
        self._kernels_of[name] = self._kernels_of.pop(design.name)
        self.project.designs = [replace(design, name=name)]
        self.project.hosts = [
            replace(host, designs=tuple(name for _ in host.designs)) for host in self.project.hosts
        ]
        self.project.lines = [
            replace(line, became=line.became.replace(f"[design.{design.name}]", f"[design.{name}]"))
            for line in self.project.lines
        ]


def text_of(path: str) -> str:
    """The text of a file of a foreign folder; "" when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _kernel(found: KernelObject) -> Kernel:
    include = tuple(path for path in found.include if not path.startswith((MLIR_AIE_PLACE, PEANO_PLACE)))
    return Kernel(
        os.path.basename(found.output), found.sources, found.defines, include, found.flags, found.language
    )


def _to_stdout(script: DesignScript) -> tuple[str, ...]:
    """The words of a script that is given a file for its MLIR, so that it prints it."""
    words = list(script.arguments)
    for position, word in enumerate(words[1:], 1):
        if words[position - 1] in ("-o", "--output") and word.endswith(".mlir"):
            words[position] = "/dev/stdout"
    return tuple(words)


def plain_name(text: str) -> str:
    """A name that a design or a host program can have."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return (name if name[:1].isalpha() else f"design_{name}")[:63]


def _unlike(name: str, others: Iterable[str]) -> str:
    taken, number, found = set(others), 2, name
    while found in taken:
        found, number = f"{name[:59]}_{number}", number + 1
    return found


def project_of(
    folder: str,
    recognised: Iterable[Recognised],
    programs_of: Callable[[CMakeBuild], Sequence[HostProgram]],
) -> Project:
    """The project that a folder's commands amount to.

    Args:
        folder: absolute.
        recognised: the commands in order.
        programs_of: the programs of a CMake project; may raise UserError.
    """
    builder = _Builder(folder, programs_of)
    for one in recognised:
        builder.add(one)
    return builder.finish()


def _is_linked(library: str) -> bool:
    """Whether a program is linked with a library here: one that is there, and not of those that the build finds itself."""
    name = re.sub(r"^lib|\.(so|a)\b.*$", "", os.path.basename(library)) if "/" in library else library
    return name not in _XRT_LIBRARIES and ("/" not in library or os.path.isfile(library))
