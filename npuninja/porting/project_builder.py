"""From what the commands of a build do to the designs, kernels and host programs of an npuninja project."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from npuninja.porting.design_calls import DesignCalls
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    CopiedFile,
    DesignBuild,
    DesignScript,
    FoundHostProgram,
    FoundKernelObject,
    HostRun,
    ReplacedWords,
    ShellCommand,
)
from npuninja.porting.host_runs import HostRuns
from npuninja.porting.known_files import KnownFiles
from npuninja.porting.project import (
    MLIR_AIE_PLACE,
    PEANO_PLACE,
    ImportedDesign,
    ImportedKernel,
    ImportedProject,
    plain_name,
    text_of,
    unlike,
    words_of_script,
    words_to_stdout,
)
from npuninja.porting.recognise import Recognised


def project_of(
    folder: str,
    recognised: Iterable[Recognised],
    programs_of: Callable[[CMakeBuild], Sequence[FoundHostProgram]],
) -> ImportedProject:
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


class _Builder:
    """Goes through the commands once, in order; a later command may name what an earlier one made."""

    def __init__(self, folder: str, programs_of: Callable[[CMakeBuild], Sequence[FoundHostProgram]]) -> None:
        self.project = ImportedProject()
        self._files = KnownFiles(folder)
        self._hosts = HostRuns(self.project, self._files, programs_of)
        self._objects: dict[str, FoundKernelObject] = {}
        self._pending: dict[str, FoundKernelObject] = {}  # compiled since the last design was built
        self._archived_objects: dict[str, FoundKernelObject] = {}  # of those, what has gone into an archive
        self._scripts: dict[str, DesignScript] = {}  # by the MLIR they print
        self._printing: list[tuple[ShellCommand, DesignScript]] = []
        self._replaced: dict[str, ReplacedWords] = {}  # by the file with other words
        self._second_names: set[str] = set()  # objects that are copies of others
        self._kernels_of: dict[str, list[FoundKernelObject]] = {}
        self._calls = DesignCalls()

    def add(self, recognised: Recognised) -> None:
        command, found = recognised.command, recognised.found
        if isinstance(found, FoundKernelObject):
            self._compiled(command, found)
        elif isinstance(found, Archive):
            self._archived(command, found)
        elif isinstance(found, DesignScript):
            self._script(command, found)
        elif isinstance(found, DesignBuild):
            self._built(command, found)
        elif isinstance(found, FoundHostProgram):
            self._hosts.compiled(command, found)
        elif isinstance(found, CMakeBuild):
            self._hosts.built_by_cmake(command, found)
        elif isinstance(found, CopiedFile):
            self._copied(found)
        elif isinstance(found, ReplacedWords):
            self._with_other_words(command, found)
        elif isinstance(found, HostRun):
            self._hosts.run(command, found)
        elif recognised.remark:
            self._files.left_out(command)
            self.project.say(command, recognised.remark, taken=False)

    def _with_other_words(self, command: ShellCommand, found: ReplacedWords) -> None:
        before = self._replaced.get(found.source)
        source = before.source if before else self._files.original(found.source)
        if not os.path.isfile(source):
            self._files.left_out(command)
            self.project.say(
                command, f"{self._files.short(source)} is not a file of this folder", taken=False
            )
            return
        words = (*(before.words if before else ()), *found.words)
        flags = (*(before.aiecc_flags if before else ()), *found.aiecc_flags)
        self._replaced[found.target] = ReplacedWords(source, found.target, words, flags)
        became = f"aiecc-flags = {list(found.aiecc_flags)}" if found.aiecc_flags else ""
        self.project.say(command, became or f"replace = {[f'{word}={text}' for word, text in words]}")

    # --- Kernels.

    def _compiled(self, command: ShellCommand, found: FoundKernelObject) -> None:
        sources = tuple(
            s for s in map(self._files.original, found.sources) if not s.startswith(MLIR_AIE_PLACE)
        )
        if not sources:
            self.project.say(command, "nothing: npuninja's kernel headers have what this source defines")
        else:
            self.project.say(command, f'[kernel."{os.path.basename(found.output)}"]')
        self._objects[found.output] = self._pending[found.output] = replace(found, sources=sources)

    def _copied(self, found: CopiedFile) -> None:
        """A file under another name; of an object, it is made as the first where a design names it."""
        self._files.copied(found.target, found.source)
        made = self._objects.get(found.source)
        if made is not None and os.path.basename(found.target) != os.path.basename(found.source):
            self._objects[found.target] = self._pending[found.target] = replace(made, output=found.target)
            self._second_names.add(found.target)

    def _archived(self, command: ShellCommand, found: Archive) -> None:
        members = [self._objects[m] for m in found.members if m in self._objects]
        strangers = tuple(m for m in found.members if m not in self._objects)
        way = _one_way([m for m in members if m.sources])
        if way is None:
            # Each is a kernel of its own, and the archive is made of these.
            names = tuple(os.path.basename(m.output) for m in members if m.sources)
            made = FoundKernelObject(found.output, (*names, *strangers), (), (), (), "")
            self._objects[found.output] = self._pending[found.output] = made
            self.project.say(command, f'[kernel."{os.path.basename(found.output)}"]')
            return
        sources = tuple(source for member in members for source in member.sources) + strangers
        include = tuple(dict.fromkeys(path for member in members for path in member.include))
        defines, flags, language = way
        made = FoundKernelObject(found.output, sources, defines, include, flags, language)
        for member in members:
            if self._pending.pop(member.output, None):
                self._archived_objects[member.output] = member
        self._objects[found.output] = self._pending[found.output] = made
        self.project.say(command, f'[kernel."{os.path.basename(found.output)}"]')

    # --- Designs.

    def _script(self, command: ShellCommand, found: DesignScript) -> None:
        if "xclbin" not in found.outputs:
            self._scripts[found.mlir] = found
            self._printing.append((command, found))
            self.project.say(command, f"a design's source, {os.path.basename(found.script)}")
            return
        files = {path: kind for kind, path in found.outputs.items()}
        # With the names of its outputs it compiles and does not run; nothing is where it would write.
        words = words_of_script(found.arguments, found.folder)
        design = ImportedDesign("", found.script, words, module=found.module, folder=found.folder)
        self._design(command, found.outputs["xclbin"], design, files)

    def _built(self, command: ShellCommand, found: DesignBuild) -> None:
        changed = self._replaced.get(found.mlir) or self._replaced.get(self._files.original(found.mlir))
        mlir = changed.source if changed else self._files.original(found.mlir)
        script = self._scripts.get(mlir)
        if script is None and not os.path.isfile(mlir):
            self.project.say(command, f"nothing says how {self._files.short(mlir)} is made", taken=False)
            return
        outputs = dict(found.outputs)
        if found.expanded and "full_elf" in outputs:
            self._files.not_made.add(outputs.pop("full_elf"))
            outputs.pop("parameters", None)
            became = f"npuninja does not put configurations into sequences ({found.expanded})"
            self.project.say(command, became, taken=False)
            if outputs.keys().isdisjoint(("xclbin", "insts")):
                return
        # What a test before made another way.
        self._files.not_made -= {*outputs.values()}
        if not outputs:
            self.project.say(command, "it makes neither an XCLBIN nor instructions", taken=False)
            return
        source, arguments = mlir, tuple[str, ...]()
        if script:
            source, arguments = script.script, words_to_stdout(script)
        module, folder = (script.module, script.folder) if script else ("", "")
        if "elf" in outputs and "ctrlpkt" in outputs:
            # aiecc makes one ELF then, with the control packets in it.
            outputs["ctrlpkt_elf"] = outputs.pop("elf")
        found = replace(found, outputs=outputs)
        flags = (*found.aiecc_flags, *(changed.aiecc_flags if changed else ()))
        design = ImportedDesign(
            "", source, arguments, flags, module=module, folder=folder,
            replaced=changed.words if changed else (), generation=found.generation,
        )  # fmt: skip
        if not self._joined(command, found, design):
            return
        if found.other_options:
            self.project.say(
                command, f"without {' '.join(found.other_options)}, which npuninja does not know", taken=False
            )

    def _joined(self, command: ShellCommand, found: DesignBuild, design: ImportedDesign) -> bool:
        """A call of aiecc, alone or one of several on a module (`design_calls`); False if it is left out."""
        module = (design.source, design.arguments, design.aiecc_flags, design.replaced)
        name = self._calls.design_of(found, module)
        if found.chained and not name:
            path = self._files.short(found.chained)
            became = f"{path} is of another module, and a design is one module"
            self.project.say(command, became, taken=False)
            return False
        if name:
            self.project.say(command, f"[design.{name}]")
        else:
            made = {path: kind for kind, path in found.outputs.items()}
            name = self._design(command, next(iter(made)), design, made)
        self._calls.add(found, module, name)
        files, devices, kernels = self._calls.settings(name)
        self.project.designs = [
            replace(
                d,
                files=files,
                devices=devices,
                kernels=kernels,
                reconfiguration=d.reconfiguration or found.reconfigures,
                full_elf=d.full_elf or not found.outputs.keys().isdisjoint(("full_elf", "parameters")),
            )
            if d.name == name
            else d
            for d in self.project.designs
        ]
        return True

    def _design(
        self, command: ShellCommand, path: str, design: ImportedDesign, files: Mapping[str, str]
    ) -> str:
        """A design that a command makes, which may be one that is known by a file; returns its name."""
        known = next((d for d in self.project.designs if path in dict(d.files)), None)
        if known is not None and known.source == design.source and known.aiecc_flags != design.aiecc_flags:
            # What follows reads what this command has written over it.
            rest = tuple(file for file in known.files if file[0] not in files)
            self.project.designs = [replace(d, files=rest) if d is known else d for d in self.project.designs]
            known = None
        if known is None:
            name = plain_name(os.path.splitext(os.path.basename(path))[0])
            names = {design.name for design in self.project.designs}
            folder = design.folder
            if folder and not os.path.isdir(folder):  # one that the build makes: nothing is to be read there
                folder = self._files.folder
            known = replace(design, name=unlike(name, names), files=tuple(files.items()), folder=folder)
            self.project.designs.append(known)
            text = text_of(known.source)
            alone = [o for o in self._archived_objects.values() if f'"{os.path.basename(o.output)}"' in text]
            made = [*self._pending.values(), *alone]
            self._kernels_of[known.name] = [*made, *self._made_elsewhere(command, text, made)]
            self._pending, self._archived_objects = {}, {}
        self.project.say(command, f"[design.{known.name}]")
        return known.name

    def _made_elsewhere(
        self, command: ShellCommand, text: str, made: Sequence[FoundKernelObject]
    ) -> list[FoundKernelObject]:
        """Objects that a design names and that were made for an earlier one, or that no command makes: those
        lie where its driver runs, or are copied there.
        """
        names = {os.path.basename(found.output) for found in made}
        earlier = {os.path.basename(path): found for path, found in self._objects.items()}
        found = []
        for name in dict.fromkeys(re.findall(r'"([\w.+-]+\.[oa])"', text)):
            path = os.path.join(command.folder, name)
            file = self._files.original(path)
            known = self._objects.get(path) or self._objects.get(file) or earlier.get(name)
            if name not in names and known is not None:
                found.append(replace(known, output=path))
            elif name not in names and os.path.isfile(file):
                found.append(FoundKernelObject(os.path.join(command.folder, name), (file,), (), (), (), ""))
                became = f'[kernel."{name}"], which was made elsewhere: its core has machine code'
                self.project.say(replace(command, line=f"link_with {self._files.short(file)}"), became)
        return found

    # --- At the end.

    def finish(self) -> ImportedProject:
        """Gives names and settles which objects are for which design."""
        self._name_designs()
        ways: dict[str, dict[ImportedKernel, list[str]]] = {}
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
            self._hosts.only_printed(self._printing)
        return self.project

    def _is_wanted(self, found: FoundKernelObject) -> bool:
        """Whether an object is not only a copy whose name no design says."""
        name = os.path.basename(found.output)
        return found.output not in self._second_names or any(
            name in text_of(design.source) for design in self.project.designs
        )

    def _name_designs(self) -> None:
        """A folder's only design has the folder's name: `final` and `aie` say nothing."""
        if len(self.project.designs) != 1:
            return
        (design,) = self.project.designs
        name = plain_name(os.path.basename(self._files.folder))
        self._kernels_of[name] = self._kernels_of.pop(design.name)
        self.project.designs = [replace(design, name=name)]
        self.project.hosts = [
            replace(host, designs=tuple(name for _ in host.designs)) for host in self.project.hosts
        ]
        self.project.lines = [
            replace(line, became=line.became.replace(f"[design.{design.name}]", f"[design.{name}]"))
            for line in self.project.lines
        ]


def _kernel(found: FoundKernelObject) -> ImportedKernel:
    include = tuple(
        path
        for path in found.include
        # Those of MLIR-AIE's installation, or of one on the machine of the author.
        if not path.startswith((MLIR_AIE_PLACE, PEANO_PLACE)) and os.path.isdir(path)
    )
    return ImportedKernel(
        os.path.basename(found.output), found.sources, found.defines, include, found.flags, found.language
    )


def _one_way(members: Sequence[FoundKernelObject]) -> tuple[tuple[str, ...], tuple[str, ...], str] | None:
    """Defines, flags and language with which all of some objects can be compiled; None if they differ in more
    than optimisation or the standard of C among C++.
    """
    if not members:
        return (), (), ""
    first = members[0]
    meant = {(m.defines, tuple(flag for flag in m.flags if not flag.startswith("-O"))) for m in members}
    languages = {m.language for m in members}
    if len(meant) > 1:
        return None
    if len(languages) == 1:
        return first.defines, first.flags, first.language
    # Each file in the language of its suffix, which is what they are compiled as.
    by_suffix = all(
        (m.language.startswith(("c++", "gnu++")) == (os.path.splitext(source)[1] not in (".c", ".s", ".S")))
        for m in members
        for source in m.sources
        if m.language
    )
    return (first.defines, first.flags, "") if by_suffix else None
