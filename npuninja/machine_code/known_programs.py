"""What ELFs that lie beside an XCLBIN or a PDI know of the programs in it: names and C lines.

A configuration holds bytes of program memory only. An ELF with the same program, byte for byte, has the rest.
"""

from __future__ import annotations

import os

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_START
from npuninja.errors import Error, Location
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.formats.dwarf_lines import LineTable
from npuninja.machine_code.listing import Names
from npuninja.machine_code.program import Symbol, read_programs
from npuninja.machine_code.source_lines import line_table
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterable, Sequence

#: How many files of a build folder are looked through.
_MOST_FILES = 2000


class KnownProgram(NamedTuple):
    """A program's ELF: its path, its symbols, its lines."""

    path: str
    symbols: tuple[Symbol, ...]
    lines: LineTable | None

    def phrase(self, address: int) -> str:
        """Where an address is: ` <function+0x10>`; labels inside functions say nothing to people."""
        return Names([s for s in self.symbols if s.kind == "function"]).phrase(address)

    def function(self, address: int) -> str | None:
        """The function that an address lies in."""
        return Names(self.symbols).function_of(address)

    def place(self, address: int) -> Location | None:
        """The C line of an address."""
        return self.lines.at(address) if self.lines is not None else None


def program_image(pieces: Iterable[tuple[int, bytes]]) -> bytes:
    """Program memory as pieces fill it, without zeros at its end, which a configuration may add."""
    pieces = tuple(pieces)
    image = bytearray(max((at + len(data) for at, data in pieces), default=0))
    for at, data in pieces:
        image[at : at + len(data)] = data
    return bytes(image).rstrip(b"\0")


def elves_beside(path: str) -> list[str]:
    """The ELFs in the folder of a file and one below."""
    folder = os.path.dirname(os.path.abspath(path))
    found: list[str] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)[:_MOST_FILES]
    except OSError:
        return []
    for entry in entries:
        if entry.name.endswith(".elf"):
            found.append(entry.path)
        elif entry.is_dir():
            try:
                names = sorted(os.listdir(entry.path))
            except OSError:
                continue  # another user's folder
            found += sorted(os.path.join(entry.path, name) for name in names if name.endswith(".elf"))
    return found


def known_programs(paths: Sequence[str], wanted: Sequence[str] = ()) -> dict[bytes, KnownProgram]:
    """Programs by their image.

    Args:
        paths: of files that may be ELFs; those of another kind are left out.
        wanted: those among them that a person named.

    Raises:
        UserError: a file of `wanted` is no ELF.
    """
    found = {}
    for path in paths:
        try:
            _, programs = read_programs(read_file(path, MAX_XCLBIN_BYTES), path)
        except Error:
            if path in wanted:
                raise
            continue  # a file of another kind that lies there too
        for program in programs:
            if program.elf is not None:
                code = [(s.address, s.data) for s in program.elf.segments if s.address < DATA_START]
                found[program_image(code)] = KnownProgram(path, program.symbols, line_table(program.elf))
    return found
