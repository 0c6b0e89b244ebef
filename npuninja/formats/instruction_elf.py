"""Instructions as an ELF: what `xrt::elf` loads in place of insts.bin (partial ELF of AIE2).

The stream is the section `.ctrltext`. Each address patch of the stream has a relocation on the buffer
descriptor that it fills in: XRT adds the address of the kernel argument that the relocation's symbol numbers.
Byte for byte what `aiebu-asm -t aie2txn -c insts.bin` writes (version of XRT 2.25).

Sources: aiebu, aie2_blob_preprocessor_input.cpp (which descriptor a patch means, what it is called), elfwriter.cpp;
XRT, elf_patcher.h (numbers of the relocations). The layout of the sections was read off files of aiebu-asm.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from npuninja.errors import UserError
from npuninja.formats.txn import AddressPatch, BlockWrite, Preempt, read_txn_at

OS_ABI, ABI_VERSION = 0x45, 2
_MACHINE = 1
_FIRST_ARGUMENT = 3  # a kernel's arguments 0 to 2 are the opcode, the instructions and their length
_SHIM_ADDRESS = 5  # relocation: the 48-bit address in words 1 and 2 of a shim's descriptor
_DESCRIPTOR_BYTES = 32
_SHIM_DESCRIPTORS = range(0x1D000, 0x1D200, _DESCRIPTOR_BYTES)  # their registers within a shim tile
_TILE_MASK = 0xFFFFF
_MAX_ARGUMENT = 32

_HEADER = struct.Struct("<16s2H5I6H")
_PROGRAM = struct.Struct("<8I")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<3I2BH")
_RELOCATION = struct.Struct("<2Ii")
_TEXT_OFFSET = 0x80  # behind the header and two program headers, on 16 bytes

# name, type, flags, link, info, alignment, entry size; a section's index is its place here plus 1.
_SECTIONS = (
    (".shstrtab", 3, 0, 0, 0, 1, 0),
    (".ctrltext", 1, 6, 0, 0, 16, 0),
    (".dynstr", 3, 0, 0, 0, 0, 0),
    (".dynsym", 11, 0, 3, 1, 8, _SYMBOL.size),
    (".rela.dyn", 4, 0, 4, 0, 8, _RELOCATION.size),
    (".dynamic", 6, 0, 3, 0, 8, 8),
    (".note.xrt.UID", 7, 0, 0, 0, 1, 0),
)
_TEXT_INDEX = 2


class Patch(NamedTuple):
    """A buffer descriptor in the stream whose address XRT fills in.

    `offset`: of the descriptor's first word in the stream, in bytes. `argument`: of the runtime sequence, from
    0. `buffer_bytes`: what the descriptor moves. `addend_bytes`: from the beginning of the argument.
    """

    offset: int
    argument: int
    buffer_bytes: int
    addend_bytes: int


def patches_of(stream: bytes, name: str = "insts.bin") -> list[Patch]:
    """The descriptors that the stream's address patches fill in, in order.

    Raises:
        UserError: the stream is damaged, has preemption points, or an address patch has no such descriptor: XRT
            could not patch it.
    """
    written: dict[int, tuple[int, int]] = {}  # register of a descriptor -> its offset and bytes to move
    found = []
    for offset, operation in read_txn_at(stream, name):
        if isinstance(operation, BlockWrite):
            payload = offset + 16
            for start in range(0, len(operation.data) - 3, _DESCRIPTOR_BYTES):
                (words,) = struct.unpack_from("<I", operation.data, start)
                written[operation.address + start] = payload + start, 4 * words
        elif isinstance(operation, Preempt):
            raise UserError(
                f"{name}: a preemption point at byte {offset}: as an ELF it needs AMD's code that saves and restores "
                "the array",
                hint="use insts.bin, or aiebu-asm, which has that code",
            )
        elif isinstance(operation, AddressPatch):
            found.append(_patch(operation, written, f"{name}: the address patch at byte {offset}"))
    return found


def _patch(operation: AddressPatch, written: dict[int, tuple[int, int]], what: str) -> Patch:
    register = operation.address & ~0xF
    if register not in written:
        raise UserError(
            f"{what} fills in register 0x{operation.address:x}, which no block write before it has set",
            hint="as an ELF, instructions can patch only descriptors that a dma_memcpy_nd, a task or npu.writebd "
            "wrote; use insts.bin",
        )
    if operation.address & _TILE_MASK not in [start + 4 for start in _SHIM_DESCRIPTORS]:
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


def write_instruction_elf(stream: bytes, name: str = "insts.bin") -> bytes:
    """The ELF of an instruction stream.

    Args:
        stream: the bytes of insts.bin.
        name: of the stream, for messages.

    Raises:
        UserError: as `patches_of`.
    """
    text = bytearray(stream)
    patches = patches_of(stream, name)
    symbols: dict[tuple[int, int], int] = {}
    relocations = b""
    for patch in patches:
        # XRT adds to what is there, so the address itself starts from zero; the bits around it stay.
        low, high = struct.unpack_from("<2I", text, patch.offset + 4)
        struct.pack_into("<2I", text, patch.offset + 4, low & 3, high & 0xFFFF0000)
        symbol = symbols.setdefault((patch.argument, patch.buffer_bytes), len(symbols) + 1)
        relocations += _RELOCATION.pack(
            patch.offset, symbol << 8 | _SHIM_ADDRESS, _signed(patch.addend_bytes)
        )
    names, table = b"\0", _SYMBOL.pack(0, 0, 0, 0, 0, 0)
    for argument, buffer_bytes in symbols:
        table += _SYMBOL.pack(len(names), 0, buffer_bytes, 0x11, 0, _TEXT_INDEX)  # a global object
        names += b"%d\0" % (argument + _FIRST_ARGUMENT)
    note = struct.pack("<3I4s", 4, 16, 4, b"XRT") + hashlib.md5(text, usedforsecurity=False).digest()
    section_names = b"\0" + b"".join(section[0].encode() + b"\0" for section in _SECTIONS)
    return _assemble(bytes(text), section_names, names, table, relocations, note)


def _signed(value: int) -> int:
    return value - (value >> 31 << 32)


def _assemble(
    text: bytes, section_names: bytes, names: bytes, table: bytes, relocations: bytes, note: bytes
) -> bytes:
    dynamic = b""
    if relocations:
        # DT_RELA and DT_RELASZ with the number of the section and its size, as aiebu writes them.
        dynamic = struct.pack("<4I", 7, 5, 8, len(relocations))
    parts = [section_names, text, names, table, relocations, dynamic, note]
    # In the file the text comes first, behind the program headers.
    order = [1, 0, 2, 3, 4, 5, 6]
    body, offsets = bytearray(), [0] * len(parts)
    for index in order:
        alignment = _SECTIONS[index][5]
        body += bytes(-(_TEXT_OFFSET + len(body)) % (alignment or 1))
        offsets[index] = _TEXT_OFFSET + len(body)
        body += parts[index]
    body += bytes(16 - (_TEXT_OFFSET + len(body)) % 16)  # 16 bytes where it is aligned already
    headers = _SECTION.pack(*[0] * 10)
    for index, (name, kind, flags, link, info, alignment, entry) in enumerate(_SECTIONS):
        place = section_names.index(b"\0" + name.encode() + b"\0") + 1
        headers += _SECTION.pack(
            place, kind, flags, 0, offsets[index], len(parts[index]), link, info, alignment, entry
        )
    identification = b"\x7fELF\1\1\1" + bytes((OS_ABI, ABI_VERSION)) + bytes(7)
    count = len(_SECTIONS) + 1
    header = _HEADER.pack(
        identification, 2, _MACHINE, 1, 0, _HEADER.size, _TEXT_OFFSET + len(body), 0,
        _HEADER.size, _PROGRAM.size, 2, _SECTION.size, count, 1,
    )  # fmt: skip
    programs = _PROGRAM.pack(6, _HEADER.size, 0, 0, 64, 64, 4, 0)
    programs += _PROGRAM.pack(1, _TEXT_OFFSET, 0, 0, len(text), len(text), 5, 16)
    return (header + programs).ljust(_TEXT_OFFSET, b"\0") + bytes(body) + headers
