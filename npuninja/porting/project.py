"""What an imported folder consists of, and what became of each command of its build."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from npuninja.errors import UserError
from npuninja.files import read_file
from npuninja.porting.found import MAX_SOURCE_BYTES, DesignScript, ShellCommand

#: Stands for MLIR-AIE's installation and Peano's when make is asked: no path of this machine begins like it.
MLIR_AIE_PLACE, PEANO_PLACE = "/npuninja-import/mlir-aie", "/npuninja-import/peano"


@dataclass(frozen=True)
class ImportedDesign:
    """A design. Paths are absolute. `files`: old name of an output -> `xclbin`, `insts`, `elf`."""

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
    full_elf: bool = False


@dataclass(frozen=True)
class ImportedKernel:
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
    """One command of the old build and what it became here, for people."""

    command: str
    became: str
    taken: bool


@dataclass
class ImportedProject:
    """What an imported folder consists of."""

    designs: list[ImportedDesign] = field(default_factory=list)
    kernels: list[ImportedKernel] = field(default_factory=list)
    hosts: list[Host] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to build or to run."""
        return not self.designs and not self.hosts

    def say(self, command: ShellCommand, became: str, taken: bool = True) -> None:
        """Notes what became of a command."""
        line = Line(command.line, became, taken)
        if line not in self.lines:
            self.lines.append(line)


def text_of(path: str) -> str:
    """A foreign file's text; "" when it cannot be read, is no plain file, or is larger than any source."""
    try:
        if not os.path.isfile(path):  # a FIFO nobody writes to, or a link to a device without an end
            return ""
        return read_file(path, MAX_SOURCE_BYTES).decode("utf-8", "replace")
    except UserError:
        return ""


def plain_name(text: str) -> str:
    """A name that a design or a host program can have."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return (name if name[:1].isalpha() else f"design_{name}")[:63]  # as long as npuninja.plan.names takes


def unlike(name: str, others: Iterable[str]) -> str:
    """A name that none of the others has: the name itself, or with a number after it."""
    taken, number, found = set(others), 2, name
    while found in taken:
        found, number = f"{name[:59]}_{number}", number + 1  # 63 characters with up to 999
    return found


def words_of_script(words: Sequence[str], folder: str) -> tuple[str, ...]:
    """Words of a script, where the names of files that are there are absolute."""
    return tuple(
        os.path.normpath(os.path.join(folder, word))
        if re.search(r"[/.]", word) and os.path.exists(os.path.join(folder, word))
        else word
        for word in words
    )


def words_to_stdout(script: DesignScript) -> tuple[str, ...]:
    """The words of a script that is given a file for its MLIR, so that it prints it."""
    words = list(script.arguments)
    for position, word in enumerate(words[1:], 1):
        if words[position - 1] in ("-o", "--output") and word.endswith(".mlir"):
            words[position] = "/dev/stdout"
    return words_of_script(words, script.folder)
