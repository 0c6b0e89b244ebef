"""Bundles and instructions: one reading each, text, and words that are no instruction."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.machine_code.decode import UndecodableError, decoder
from npuninja.machine_code.instruction_set import bundle_bytes, instruction_set

BUNDLES = [
    ("0100", "nop"),
    ("1500e00c0700".replace("15", "55", 1), "movxm sp, #458752"),
    ("3d0000407cff", "st r17, [sp, #-36]; nopx"),
    ("771000a2c201807ef84fe4ff", "mova r17, #-1; st p7, [sp, #-64]; movxm r21, #459776"),
    ("c0030000000000000000000000006800", "paddb [sp], #64; nopa; nops; nopxm; nopv"),
    ("19122316", "acq #49, r17"),
    ("378803000000000000000000", "nops; nopb; nopx; nopm"),
]


@pytest.mark.parametrize(("data", "text"), BUNDLES)
def test_a_bundle_reads_as_text(data: str, text: str) -> None:
    raw = bytes.fromhex(data)
    bundle = decoder().bundle(raw, 0, 0x40)
    assert (bundle.text, bundle.size_bytes, bundle.end) == (text, len(raw), 0x40 + len(raw))


def test_the_first_byte_gives_the_length() -> None:
    assert [bundle_bytes(b) for b in (0x00, 0x01, 0x09, 0x05, 0x0D, 0x03, 0x0B, 0x07, 0x0F)] == [
        16, 2, 4, 6, 6, 8, 10, 12, 14,
    ]  # fmt: skip


def test_every_instruction_has_a_word_of_its_own() -> None:
    """Each row of the table, with a valid register in each field, is read as itself alone."""
    table = instruction_set("aie2")
    assert len(table.instructions) == 607
    for instruction in table.instructions:
        word = instruction.value
        for operand in instruction.operands:
            last = (1 << operand.bits) - 1 if operand.immediate else _codes(operand.registers)[-1]
            word |= operand.place(last)
        readings = decoder().slot_readings(instruction.slot, word)
        assert [r.instruction for r in readings] == [instruction], (instruction, readings)


def _codes(registers: tuple[str | None, ...]) -> list[int]:
    return [code for code, register in enumerate(registers) if register is not None]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(instruction_set("aie2").slot_bits)), st.integers(0, (1 << 42) - 1))
def test_no_word_has_two_readings(slot: str, word: int) -> None:
    bits = instruction_set("aie2").slot_bits[slot]
    assert len(decoder().slot_readings(slot, word & ((1 << bits) - 1))) <= 1


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_bytes_are_a_bundle_or_an_error_with_their_place(data: bytes) -> None:
    bundle = None
    with suppress(UndecodableError):
        bundle = decoder().bundle(data, 0, 0x123)
    if bundle is not None:
        assert bundle.data == data[: bundle.size_bytes]
        return
    with pytest.raises(UndecodableError, match="0x123") as caught:
        decoder().bundle(data, 0, 0x123)
    assert caught.value.address == 0x123


def test_aie2p_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="AIE2P core programs cannot be read yet"):
        decoder("aie2p")
