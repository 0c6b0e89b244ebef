"""The programs in a file: machine code of an ELF, object, archive, XCLBIN or PDI, or wasm in their place.

Program memory of an XCLBIN or a PDI is what the CDO writes: the same bytes that a core would run.
"""

from __future__ import annotations

import struct
from array import array
from itertools import groupby

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_START, PROGRAM_MEMORY_BYTES
from npuninja.arch.families import SHARED_ROWS, Rows
from npuninja.arch.registers import PROGRAM_MEMORY, split_address
from npuninja.errors import Location, UserError
from npuninja.file_kinds import (
    ARCHIVE_MAGIC,
    ELF_MAGIC,
    PDI_MAGIC,
    THIN_ARCHIVE_MAGIC,
    WASM_MAGIC,
    XCLBIN_MAGIC,
)
from npuninja.formats import cdo, elf, xclbin
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.control_code_elf import OS_ABI
from npuninja.formats.core_image import Stub, read_stub
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.pdi import read_pdi
from npuninja.machine_code.foreign_code import require_aie2
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

#: An archive that holds the names of objects only, which lie elsewhere.
#: Of an archive: libraries of kernels have hundreds.
MOST_MEMBERS = 1 << 16
_MAX_NAME_BYTES = 4096


class Symbol(NamedTuple):
    """A name for an address: `kind` is function, label or data; `size_bytes` 0 where unknown."""

    address: int
    name: str
    kind: str
    size_bytes: int = 0


class Relocation(NamedTuple):
    """A place that the linker fills: offset in the section, type, symbol and addend."""

    offset: int
    type: int
    symbol: str
    addend: int


class CodeSection(NamedTuple):
    """A piece of program memory: name, address, bytes, symbols, relocations, its number in an ELF."""

    name: str
    address: int
    data: bytes
    symbols: tuple[Symbol, ...] = ()
    relocations: tuple[Relocation, ...] = ()
    number: int = 0


class MachineProgram(NamedTuple):
    """What one core runs, or one object holds.

    Attributes:
        title: what a person calls it: `core (0, 2)`, a member of an archive, or "".
        isa: aie2, aie2p or wasm.
        sections: of machine code; empty for wasm.
        place: (column, row) where the file says so.
        symbols: of the whole program, sorted by address; data symbols too.
        module: the wasm module's bytes.
        elf: the ELF file, for its data and source lines.
        pdi: the number of the PDI in an XCLBIN.
    """

    title: str
    isa: str
    sections: tuple[CodeSection, ...]
    place: tuple[int, int] | None = None
    symbols: tuple[Symbol, ...] = ()
    module: bytes = b""
    elf: elf.Elf | None = None
    pdi: int = 0


def read_programs(data: bytes, name: str) -> tuple[str, list[MachineProgram]]:
    """The kind of file (ELF, object, archive, XCLBIN, PDI, wasm) and the programs in it.

    Raises:
        UserError: the file is damaged, or no kind of file that holds programs.
    """
    if data[:8] == XCLBIN_MAGIC:
        return "XCLBIN", _of_xclbin(data, name)
    if data[:4] == ELF_MAGIC:
        found = elf.read_elf(data, name)
        if found.machine != elf.MACHINE and data[7] == OS_ABI:
            raise UserError(
                "the ELF has instructions for an NPU's controller, which are no machine code of cores",
                Location(name),
                hint=f"npuninja inspect {name} lists them",
            )
        return ("object" if found.type == elf.RELOCATABLE else "ELF"), [_of_elf(found, name, "")]
    if data[:8] == WASM_MAGIC:
        return "wasm", [MachineProgram("", "wasm", (), module=data)]
    if data[:8] == ARCHIVE_MAGIC:
        return "archive", _of_archive(data, name)
    if data[:8] == THIN_ARCHIVE_MAGIC:
        raise UserError(
            "a thin archive holds no objects, only their names",
            Location(name),
            hint="name the objects themselves",
        )
    if data[:4] == PDI_MAGIC:
        return "PDI", _of_commands(read_pdi(data, name).commands(name), {}, 0, name)
    raise UserError(
        f"no file with a core's program: it starts with {data[:8].hex(' ') or 'nothing'}",
        Location(name),
        hint="expected an ELF, an object, an archive, an XCLBIN, a PDI or a wasm core",
    )


def _of_elf(found: elf.Elf, name: str, title: str) -> MachineProgram:
    if found.machine != elf.MACHINE:
        raise UserError(
            f"the ELF is for machine {found.machine}, expected {elf.MACHINE} (AI Engine)",
            Location(name),
            hint="machine code of other processors is not read here",
        )
    isa = elf.architecture_of(found.flags) or f"flags {found.flags}"
    relocatable = found.type == elf.RELOCATABLE
    sections = []
    everything: list[Symbol] = []
    by_section: dict[int, list[elf.ElfSymbol]] = {}
    for symbol in found.symbols:
        if symbol.name:
            by_section.setdefault(symbol.section, []).append(symbol)
    relocations = _relocations_by_section(found) if relocatable else {}
    for number, section in enumerate(found.sections):
        symbols = _symbols(
            by_section.get(number, []), executable=bool(section.flags & elf.EXECUTABLE_SECTION)
        )
        everything += symbols
        if section.type == elf.PROGBITS and section.flags & elf.EXECUTABLE_SECTION and section.size_bytes:
            sections.append(
                CodeSection(
                    section.name,
                    section.address,
                    section.data,
                    tuple(symbols),
                    tuple(sorted(relocations.get(number, ()))),
                    number,
                )
            )
    everything += [
        Symbol(s.value, s.name, "data", s.size_bytes)
        for s in found.symbols
        if s.section >= len(found.sections) and s.section != elf.ABSOLUTE and s.name
    ]
    if not found.sections:
        sections = [
            CodeSection(f"segment {s.number}", s.address, s.data)
            for s in found.segments
            if s.address < DATA_START
        ]
    everything.sort(key=lambda s: (s.address, s.kind != "function", s.name))
    return MachineProgram(title, isa, tuple(sections), None, tuple(everything), elf=found)


def _symbols(symbols: Sequence[elf.ElfSymbol], *, executable: bool) -> list[Symbol]:
    made = []
    for symbol in symbols:
        kind = "data"
        if executable:
            kind = "function" if symbol.is_function or symbol.is_global else "label"
        made.append(Symbol(symbol.value, symbol.name, kind, symbol.size_bytes))
    made.sort(key=lambda s: (s.address, s.kind != "function", -s.size_bytes))
    return made


def _relocations_by_section(found: elf.Elf) -> dict[int, list[Relocation]]:
    made: dict[int, list[Relocation]] = {}
    for section in found.sections:
        if section.type != elf.RELA:
            continue
        for offset, kind, symbol, addend in elf.relocations_in(section):
            relocation = Relocation(offset, kind, found.symbol_at(symbol), addend)
            made.setdefault(section.info, []).append(relocation)
    return made


def _of_archive(data: bytes, name: str) -> list[MachineProgram]:
    programs = []
    long_names = b""
    at, members = len(ARCHIVE_MAGIC), 0
    while at + 60 <= len(data):
        header = data[at : at + 60]
        digits = header[48:58].rstrip(b" ")
        if not digits.isdigit():
            raise UserError(f"damaged archive: a member's size at 0x{at + 48:x} is no number", Location(name))
        members += 1
        if members > MOST_MEMBERS:
            raise UserError(f"the archive has more than {MOST_MEMBERS} members", Location(name))
        size = int(digits)
        content = data[at + 60 : at + 60 + size]
        title = header[:16].decode("ascii", "replace").rstrip()
        if title == "//":
            long_names = content
        elif title.startswith("/") and title[1:].isdigit():
            title = _long_name(long_names, int(title[1:]))
        else:
            title = title.rstrip("/")
        if content[:4] == ELF_MAGIC:
            where = f"{name}({title})"
            programs.append(_of_elf(elf.read_elf(content, where), where, title))
        elif content[:8] == WASM_MAGIC:
            programs.append(MachineProgram(title, "wasm", (), module=content))
        elif content[:8] in (ARCHIVE_MAGIC, THIN_ARCHIVE_MAGIC):
            raise UserError(
                f"the archive holds another one, '{title}'",
                Location(name),
                hint="take its objects out of it first",
            )
        at += 60 + size + size % 2
    if not programs:
        raise UserError("the archive holds no object", Location(name))
    return programs


def _long_name(names: bytes, at: int) -> str:
    """A name in an archive's table of those that do not fit into a header."""
    text = names[at : at + _MAX_NAME_BYTES]
    return text.split(b"/\n", 1)[0].split(b"\n", 1)[0].decode("utf-8", "replace")


def _of_xclbin(data: bytes, name: str) -> list[MachineProgram]:
    container = xclbin.read_xclbin(data, name)
    section = container.section(xclbin.AIE_PARTITION)
    if section is None:
        raise UserError(
            "the XCLBIN has no section AIE_PARTITION", Location(name), hint="it is no design of an NPU"
        )
    extra = container.section(xclbin.EMULATION_DATA)
    modules = read_emulation_data(extra.data, name) if extra is not None else {}
    programs: list[MachineProgram] = []
    for number, pdi in enumerate(read_aie_partition(section.data, name).pdis):
        commands = read_pdi(pdi.image, f"PDI of {name}").commands(f"PDI of {name}")
        programs += _of_commands(commands, modules, number, name)
    return programs


def program_pieces(
    commands: Sequence[cdo.Command], rows: Rows = SHARED_ROWS
) -> dict[tuple[int, int], list[tuple[int, bytes]]]:
    """What a CDO writes into program memories: for each core the pieces (offset, bytes) by address.

    A piece is what one command wrote; a later command replaces what it covers.
    """
    images: dict[tuple[int, int], tuple[bytearray, array[int]]] = {}
    for number, command in enumerate(commands, 1):
        if not isinstance(command, (cdo.BlockWrite, cdo.Fill, cdo.Write)):
            continue
        column, row, offset = split_address(command.address)
        start = offset - PROGRAM_MEMORY
        if rows.kind(row) != "core" or not 0 <= start < PROGRAM_MEMORY_BYTES:
            continue
        room = PROGRAM_MEMORY_BYTES - start
        if isinstance(command, cdo.BlockWrite):
            content = command.data[:room]
        else:  # a fill says with three words to write four billion
            count = command.words if isinstance(command, cdo.Fill) else 1
            content = (struct.pack("<I", command.value) * min(count, room // 4 + 1))[:room]
        if (column, row) not in images:
            images[column, row] = bytearray(PROGRAM_MEMORY_BYTES), array("Q", bytes(8 * PROGRAM_MEMORY_BYTES))
        image, writers = images[column, row]
        image[start : start + len(content)] = content
        writers[start : start + len(content)] = array("Q", [number]) * len(content)
    found: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    for place, (image, writers) in images.items():
        pieces = found.setdefault(place, [])
        start = 0
        for writer, run in groupby(writers):
            end = start + sum(1 for _ in run)
            if writer:
                pieces.append((start, bytes(image[start:end])))
            start = end
    return found


def _of_commands(
    commands: Sequence[cdo.Command], modules: dict[bytes, bytes], number: int, name: str
) -> list[MachineProgram]:
    programs = []
    for (column, row), pieces in sorted(program_pieces(commands).items()):
        title = f"core ({column}, {row})" + (f" of PDI {number}" if number else "")
        stub = _stub(pieces)
        if stub is not None:
            module = modules.get(stub.digest, b"")
            programs.append(MachineProgram(title, "wasm", (), (column, row), module=module, pdi=number))
            continue
        sections = tuple(CodeSection(f"program memory 0x{at:x}", at, data) for at, data in pieces)
        require_aie2(pieces, title, name)
        programs.append(MachineProgram(title, "aie2", sections, (column, row), pdi=number))
    return programs


def _stub(pieces: list[tuple[int, bytes]]) -> Stub | None:
    return read_stub(pieces[0][1]) if pieces and pieces[0][0] == 0 else None
