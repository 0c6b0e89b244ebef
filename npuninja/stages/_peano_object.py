"""Objects that Peano makes: what one must be."""

from __future__ import annotations

from npuninja.errors import Location, UserError
from npuninja.formats.elf import MACHINE, RELOCATABLE, architecture_of, read_elf
from npuninja.stages._run import Check
from npuninja.stages._wasm_object import Symbols


def check_object(kind: str, path: str) -> Check:
    """A check that an output is a relocatable object for `kind` (`aie2`, `aie2p`)."""

    def check(data: bytes) -> None:
        elf = read_elf(data, path)
        if elf.machine != MACHINE or elf.type != RELOCATABLE:
            raise UserError(
                f"not an object for the AI Engine: ELF machine {elf.machine}, type {elf.type}, "
                f"expected {MACHINE} and {RELOCATABLE}",
                Location(path),
                hint="compile with Peano; build again if the file is from another toolchain",
            )
        if architecture_of(elf.flags & 0xFF) != kind:
            made_for = architecture_of(elf.flags & 0xFF) or f"unknown (flags 0x{elf.flags:x})"
            raise UserError(
                f"the object is for {made_for}, the device is {kind}", Location(path), hint="build it again"
            )

    return check


def read_symbols(data: bytes, path: str) -> Symbols:
    """What an object defines for others and needs from them, in the shape of the emulated cores' objects."""
    symbols = read_elf(data, path).symbols
    defined = tuple(dict.fromkeys(s.name for s in symbols if s.section))
    undefined = tuple(dict.fromkeys(s.name for s in symbols if not s.section))
    return Symbols(path, defined, undefined, False, {}, ())
