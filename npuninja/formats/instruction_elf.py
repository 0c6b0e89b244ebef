"""Instructions as an ELF: `xrt::elf` loads it instead of insts.bin (partial ELF of AIE2), with an XCLBIN.

The stream is the section `.ctrltext`. Each address patch has a relocation on the buffer descriptor that it
fills in: XRT adds the address of the kernel argument whose number is the relocation's symbol. Control packets
of the sequence may be in `.ctrldata`: XRT puts them into a buffer of its own and fills in its address. Byte
for byte what `aiebu-asm -t aie2txn -c insts.bin [-p FILE -j PATCH.json]` writes (version of XRT 2.25).

Sources: aiebu, aie2_blob_preprocessor_input.cpp (a patch's descriptor and name), elfwriter.cpp; XRT,
elf_patcher.h (numbers of the relocations).
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.arch.registers import TILE_BYTES
from npuninja.errors import UserError
from npuninja.formats.control_code_elf import (
    ADDRESS,
    CONTROL_PACKETS,
    DATA,
    SCRATCHPAD,
    SHIM_ADDRESS,
    DynamicTables,
    FileSection,
    FilledPlace,
    assemble,
    code_section,
    uid_section,
)
from npuninja.formats.txn import (
    AddressPatch,
    BlockWrite,
    CreateScratchpad,
    LoadPdi,
    Preempt,
    TxnOperation,
    read_txn_at,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

ABI_VERSION = 2
_FIRST_ARGUMENT = 3  # a kernel's arguments 0 to 2 are the opcode, the instructions and their length
_DESCRIPTOR_BYTES = 32
_SHIM_DESCRIPTORS = range(0x1D000, 0x1D200, _DESCRIPTOR_BYTES)  # their registers within a shim tile
_MAX_ARGUMENT = 32
_ADDRESS_OFFSET = 8  # of the address in the operations that load a PDI and make a scratchpad


class Patch(NamedTuple):
    """A buffer descriptor in the stream whose address XRT fills in.

    `offset`: of the descriptor's first word in the stream, in bytes. `argument`: of the sequence, from 0.
    `buffer_bytes`: what the descriptor moves. `addend_bytes`: from the beginning of the argument.
    """

    offset: int
    argument: int
    buffer_bytes: int
    addend_bytes: int


def patches_of(stream: bytes, name: str = "insts.bin") -> list[Patch]:
    """The descriptors that the stream's address patches fill in, in order.

    Raises:
        UserError: the stream is damaged, has preemption points, or an address patch has no such descriptor:
            XRT could not patch it.
    """
    return [patch for _, patch in _filled_in(stream, name) if isinstance(patch, Patch)]


def _filled_in(stream: bytes, name: str) -> list[tuple[int, Patch | TxnOperation]]:
    """What XRT fills in, in order: offset in the stream, and a patch or the operation that has an address."""
    written: dict[int, tuple[int, int]] = {}  # register of a descriptor -> its offset and bytes to move
    found: list[tuple[int, Patch | TxnOperation]] = []
    for offset, operation in read_txn_at(stream, name):
        if isinstance(operation, BlockWrite):
            payload = offset + 16
            for start in range(0, len(operation.data) - 3, _DESCRIPTOR_BYTES):
                (words,) = struct.unpack_from("<I", operation.data, start)
                written[operation.address + start] = payload + start, 4 * words
        elif isinstance(operation, Preempt):
            raise UserError(
                f"{name}: a preemption point at byte {offset}: "
                "as an ELF it needs AMD's code that saves and restores the array",
                hint="use insts.bin, or aiebu-asm, which has that code",
            )
        elif isinstance(operation, AddressPatch):
            found.append((offset, _patch(operation, written, f"{name}: the address patch at byte {offset}")))
        elif isinstance(operation, (LoadPdi, CreateScratchpad)):
            found.append((offset, operation))
    return found


def _patch(operation: AddressPatch, written: dict[int, tuple[int, int]], what: str) -> Patch:
    register = operation.address & ~0xF
    if register not in written:
        raise UserError(
            f"{what} fills in register 0x{operation.address:x}, which no block write before it has set",
            hint="as an ELF, instructions can patch only descriptors that a dma_memcpy_nd, "
            "a task or npu.writebd wrote; use insts.bin",
        )
    if operation.address & TILE_BYTES - 1 not in [start + 4 for start in _SHIM_DESCRIPTORS]:
        raise UserError(
            f"{what} fills in register 0x{operation.address:x}, which is no address of a shim's descriptor",
            hint="as an ELF, instructions can patch only addresses of host buffers; use insts.bin",
        )
    if operation.argument > _MAX_ARGUMENT:
        raise UserError(f"{what} names argument {operation.argument}, at most {_MAX_ARGUMENT} can be patched")
    if operation.offset_bytes >> 32:
        raise UserError(f"{what} adds {operation.offset_bytes} bytes, more than 32 bits hold")
    offset, buffer_bytes = written[register]
    if buffer_bytes >> 32:
        raise UserError(f"{what} is of a descriptor that moves {buffer_bytes} bytes, more than 32 bits hold")
    return Patch(offset, operation.argument, buffer_bytes, operation.offset_bytes)


def relocated(
    stream: bytes, name: str, first_argument: int, control_argument: int = -1
) -> tuple[bytes, list[FilledPlace]]:
    """A stream as it is in an ELF, and what XRT fills in.

    Args:
        stream: the bytes of insts.bin.
        name: of the stream, for messages.
        first_argument: the kernel's argument that is the first of the runtime sequence.
        control_argument: the argument of the sequence that is its control packets; -1: none of them.

    Raises:
        UserError: as `patches_of`.
    """
    text, found = bytearray(stream), []
    for offset, place in _filled_in(stream, name):
        if isinstance(place, Patch):
            # XRT adds to what is there, so the address itself starts from zero; the bits around it stay.
            low, high = struct.unpack_from("<2I", text, place.offset + 4)
            struct.pack_into("<2I", text, place.offset + 4, low & 3, high & 0xFFFF0000)
            symbol = str(place.argument + first_argument)
            if place.argument == control_argument:
                symbol = CONTROL_PACKETS
            relocation = FilledPlace(
                place.offset, symbol, SHIM_ADDRESS, place.buffer_bytes, place.addend_bytes
            )
        elif isinstance(place, LoadPdi):
            symbol = pdi_section_name(place.pdi_id)
            relocation = FilledPlace(offset + _ADDRESS_OFFSET, symbol, ADDRESS, place.size_bytes, 0)
        else:
            assert isinstance(place, CreateScratchpad)
            relocation = FilledPlace(offset + _ADDRESS_OFFSET, SCRATCHPAD, ADDRESS, place.size_bytes, 0)
        found.append(relocation)
    return bytes(text), found


def refuse_shared_places(relocations: Sequence[FilledPlace], name: str) -> None:
    """XRT fills everything in before the first instruction runs, so two address patches of one descriptor
    need a block write between them, as each then has words of its own.

    Raises:
        UserError: two relocations fill in the same words.
    """
    filled: dict[int, FilledPlace] = {}
    for relocation in relocations:
        if filled.setdefault(relocation.offset, relocation) != relocation:
            raise UserError(
                f"{name}: two address patches fill in the descriptor at byte {relocation.offset}, and no "
                "block write between them sets it again",
                hint="as an ELF, instructions have one address for each descriptor that they write; "
                "use insts.bin",
            )


def pdi_section_name(number: int) -> str:
    """What the section of a PDI is called, and the symbol that stands for its address."""
    return f".pdi.{number}"


def write_instruction_elf(
    stream: bytes, name: str = "insts.bin", control_packets: bytes = b"", control_argument: int = -1
) -> bytes:
    """The ELF of an instruction stream.

    Args:
        stream: the bytes of insts.bin.
        name: of the stream, for messages.
        control_packets: what the sequence sends from its argument `control_argument`, if it does so.

    Raises:
        UserError: as `patches_of`; or the stream loads a PDI, which is in a full ELF only.
    """
    for offset, operation in read_txn_at(stream, name):
        if isinstance(operation, LoadPdi):
            raise UserError(
                f"{name}: the operation at byte {offset} loads PDI {operation.pdi_id}, "
                "and an ELF of instructions alone has no PDIs",
                hint="ask for a full ELF ([design.NAME] full-elf = true), or use insts.bin",
            )
    text, relocations = relocated(stream, name, _FIRST_ARGUMENT, control_argument)
    sections: list[FileSection] = []
    if control_packets:
        sections.append(code_section(".ctrldata", control_packets, DATA))
    sections.append(code_section(".ctrltext", text))
    if relocations:
        tables = DynamicTables()
        tables.add(len(sections) + 1, relocations)
        sections += tables.sections(len(sections) + 2)
    return assemble([*sections, uid_section(sections)], ABI_VERSION)
