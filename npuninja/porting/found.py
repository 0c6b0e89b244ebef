"""What the commands of a foreign build do, as far as npuninja does the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

#: A source or a script of a foreign folder. Designs that programs print are the largest, with some megabytes.
MAX_SOURCE_BYTES = 64 << 20


def is_source(path: str) -> bool:
    """Whether this is a plain file that a person may have written: of one full of zeros, make and CMake would
    read until their time is up.
    """
    return os.path.isfile(path) and os.path.getsize(path) <= MAX_SOURCE_BYTES


@dataclass(frozen=True)
class ShellCommand:
    """One command of a shell line.

    Attributes:
        words: the program and its words.
        folder: where it is run, absolute.
        stdout: the file that takes its output, absolute; "" for none.
        environment: NAME=VALUE words in front of it.
        line: the whole line, for messages.
        alone: it is neither in a pipe nor in anything else that decides at run time.
        device: the family of the NPU that a test runs it on; "" when nothing says.
        output_has: texts that a test wants in its output.
        stdin: the file that is its input, absolute; "" for none.
    """

    words: tuple[str, ...]
    folder: str
    stdout: str
    environment: tuple[tuple[str, str], ...]
    line: str
    alone: bool = True
    device: str = ""
    output_has: tuple[str, ...] = ()
    stdin: str = ""

    def path(self, word: str) -> str:
        """The file that a word names, absolute."""
        return os.path.normpath(os.path.join(self.folder, word))


@dataclass(frozen=True)
class FoundKernelObject:
    """A kernel that is compiled. Paths are absolute; `language` as in toolchain.toml, "": by the suffix."""

    output: str
    sources: tuple[str, ...]
    defines: tuple[str, ...]
    include: tuple[str, ...]
    flags: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Archive:
    """Objects that are put together, into an archive or one object."""

    output: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class DesignScript:
    """A Python program that prints a design, or builds it itself.

    Attributes:
        script: absolute.
        arguments: its words; those that name `outputs` are still in them.
        folder: where it is run.
        mlir: the file that takes what it prints; "" when it prints none.
        outputs: kind (`xclbin`, `insts`, `elf`) -> absolute path that it is asked to write.
        module: its name, when it is run as a module.
    """

    script: str
    arguments: tuple[str, ...]
    folder: str
    mlir: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


#: What MLIR-AIE's driver makes: XCLBIN, instructions (plain and as an ELF), control packets and the sequence
#: that sends them, the configuration as a sequence, the lowered module, the ELF with configurations,
#: instructions and kernels, the places of scratchpad parameters. A design is known by the first that it has.
OUTPUTS = ("xclbin", "insts", "elf", "ctrlpkt", "ctrlpkt_insts", "txn", "lowered", "full_elf", "parameters")
#: `ctrlpkt_elf` is the ELF of instructions where there are control packets, which are in it then.
RECONFIGURATION = frozenset(("ctrlpkt", "ctrlpkt_insts", "ctrlpkt_elf", "txn"))


@dataclass(frozen=True)
class DesignBuild:
    """A call of MLIR-AIE's driver for one design.

    Attributes:
        mlir: absolute.
        outputs: kind -> absolute path of each file that it makes, in the order of `OUTPUTS`.
        aiecc_flags: those that decide how it is lowered.
        other_options: words that mean nothing to npuninja.
        device: the only device that it builds; "" for all.
        sequence: the only runtime sequence; "" for all.
        kernel: name, instance and number of the kernel in the XCLBIN; "" for aiecc's own.
        chained: the XCLBIN that its kernel is put into, with those that are there.
        generation: of the dialect that an aiecc with such options reads; "" when they do not tell.
        expanded: the option by which sequences have configurations in them in place of loads; "" for none.
    """

    mlir: str
    outputs: Mapping[str, str]
    aiecc_flags: tuple[str, ...]
    other_options: tuple[str, ...]
    device: str = ""
    sequence: str = ""
    kernel: tuple[str, str, str] = ("", "", "")
    chained: str = ""
    generation: str = ""
    expanded: str = ""

    @property
    def reconfigures(self) -> bool:
        """Whether it makes configurations that a host program sends: as control packets, or as a sequence."""
        return not RECONFIGURATION.isdisjoint(self.outputs)


@dataclass(frozen=True)
class FoundHostProgram:
    """A program for the host that is compiled."""

    output: str
    sources: tuple[str, ...]
    defines: tuple[str, ...]
    include: tuple[str, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class CMakeBuild:
    """A CMake project: its folder, where it is built, cache variables as they were given, and environment."""

    source: str
    build: str
    variables: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CopiedFile:
    """A file under another name."""

    source: str
    target: str


@dataclass(frozen=True)
class ReplacedWords:
    """A file with words replaced by others everywhere, under another name or its own: (word, text) in order;
    and flags of aiecc that do what a pass has done to it.
    """

    source: str
    target: str
    words: tuple[tuple[str, str], ...]
    aiecc_flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostRun:
    """A run of a host program (absolute), compiled or a Python script: its words, its name as a module if it
    is run as one. `device` and `output_has` are its command's.
    """

    program: str
    arguments: tuple[str, ...]
    folder: str
    environment: tuple[tuple[str, str], ...]
    module: str = ""
    device: str = ""
    output_has: tuple[str, ...] = ()


CommandEffect = (
    FoundKernelObject
    | Archive
    | DesignScript
    | DesignBuild
    | FoundHostProgram
    | CMakeBuild
    | CopiedFile
    | ReplacedWords
    | HostRun
)
