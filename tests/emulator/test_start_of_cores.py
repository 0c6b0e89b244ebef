"""Cores run before a runtime sequence does anything, as on an NPU."""

from __future__ import annotations

from array_program import Program, Sequence, compile_core

from npuninja.arch import registers as reg

STORES = "i64 core_0_2(void) { START *(volatile i32 *)0x70800 = 7; END; }"


def test_what_the_sequence_writes_lies_over_what_a_core_wrote_at_its_start() -> None:
    p = Program()
    p.core(compile_core(STORES, 0, 2, buffers=(("b", 0x70800, 64),)), 0, 2, 1024)
    place = reg.tile_address(0, 2, 0x800)
    sequence = Sequence()
    sequence.write(place, 9)
    with p.emulator() as npu:
        npu.run(sequence.bytes(), [])
        assert npu.read32(place) == 9
