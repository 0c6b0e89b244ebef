"""Instructions as an ELF: the bytes that aiebu-asm gives, and what it cannot or must not say."""

import hashlib
import json
import struct

import pytest
from conftest import CONFORMANCE, TESTS
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.formats.elf import read_elf
from npuninja.formats.instruction_elf import Patch, patches_of, write_instruction_elf
from npuninja.formats.txn import (
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    BlockWrite,
    Preempt,
    Transaction,
    Write,
    write_txn,
)
from npuninja.xrt_emulation.patched_instructions import with_arguments

REAL = json.loads((TESTS / "formats" / "data" / "instruction_elf.json").read_text())["sha256"]
HOST_BASE = 0x80000000


def stream(*operations):
    return write_txn(Transaction(3, 6, 1, 1, operations))


def descriptor(words, low=0, high=0):
    return struct.pack("<8I", words, low, high, 0, 0, 0, 0, 1 << 25)


@pytest.mark.parametrize("design", sorted(REAL))
def test_bytes_are_those_of_aiebu_asm(design):
    path = CONFORMANCE / design / "insts.hex"
    if not path.exists():
        pytest.skip(f"the conformance set of this clone has no {design}")
    words = [int(word, 16) for word in path.read_text().split()]
    made = write_instruction_elf(struct.pack(f"<{len(words)}I", *words))
    assert hashlib.sha256(made).hexdigest() == REAL[design]


def test_a_block_write_may_set_several_descriptors():
    text = stream(
        BlockWrite(0x1D000, descriptor(64, 3) + descriptor(8)),
        AddressPatch(0x1D024, 1, 96),
        AddressPatch(0x1D004, 0, 0),
    )
    assert patches_of(text) == [Patch(64, 1, 32, 96), Patch(32, 0, 256, 0)]


def test_bits_around_the_address_stay():
    text = stream(BlockWrite(0x1D000, descriptor(4, 0x12345677, 0xABCD1234)), AddressPatch(0x1D004, 0, 0))
    section = read_elf(write_instruction_elf(text), "x.elf").section(".ctrltext")
    assert struct.unpack_from("<2I", section.data, 36) == (3, 0xABCD0000)


BAD = {
    "which no block write before it has set": (AddressPatch(0x1D004, 0, 0),),
    "no address of a shim's descriptor": (BlockWrite(0xA0000, descriptor(4)), AddressPatch(0xA0004, 0, 0)),
    "at most 32 can be patched": (BlockWrite(0x1D000, descriptor(4)), AddressPatch(0x1D004, 33, 0)),
    "more than 32 bits hold": (BlockWrite(0x1D000, descriptor(4)), AddressPatch(0x1D004, 0, 1 << 32)),
    "a preemption point at byte 40": (Write(0x1D200, 1), Preempt(1)),
}


@pytest.mark.parametrize("message", BAD)
def test_what_an_elf_cannot_say_is_refused(message):
    with pytest.raises(UserError) as found:
        write_instruction_elf(stream(*BAD[message]))
    assert message in found.value.message
    assert "insts.bin" in found.value.message


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 32), st.integers(0, 2**31 - 1)), min_size=1, max_size=8
    )
)
def test_patched_instructions_name_what_was_patched(uses):
    """XRT adds the buffer's address; arguments found afterwards stand for the same places. From the sixth on
    they carry what the firmware adds to the first five: the emulated array wants it of every stream.
    """
    operations = []
    for number, (_, argument, addend) in enumerate(uses):
        operations.append(BlockWrite(0x1D000 + 32 * number, descriptor(16)))
        operations.append(AddressPatch(0x1D004 + 32 * number, argument, addend))
    text = read_elf(write_instruction_elf(stream(*operations)), "x.elf").section(".ctrltext").data
    patched, places = bytearray(text), []
    for patch in patches_of(text):
        place = 0x4000000000 + (patch.argument << 32) + patch.addend_bytes // 4 * 4
        places.append(place)
        low, high = struct.unpack_from("<2I", patched, patch.offset + 4)
        address = place + HOST_BASE
        struct.pack_into("<2I", patched, patch.offset + 4, low | address & 0xFFFFFFFC, high | address >> 32)
    found, arguments, _ = with_arguments(bytes(patched))
    assert len(set(arguments)) == len(arguments)
    marks = [HOST_BASE if patch.argument >= TRANSLATED_ARGUMENTS else 0 for patch in patches_of(found)]
    assert [
        arguments[patch.argument] + patch.addend_bytes - mark
        for patch, mark in zip(patches_of(found), marks, strict=True)
    ] == places
