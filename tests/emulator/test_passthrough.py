"""Shim to core to shim over circuits, two buffers each way, with a core that copies."""

from __future__ import annotations

import os

import pytest
from array_program import Program, Sequence, compile_core, core_bd

COPY = """
static void copy(u8 *from, u8 *to, i32 bytes) { for (i32 i = 0; i < bytes; i++) to[i] = from[i]; }
i64 core_0_2(void) {
    START
    for (;;) {
        for (STATE(0) = 0; STATE(0) < 2; STATE(0)++) {
            ACQUIRE(1, 0, 2, 1, 1);
            ACQUIRE(2, 0, 2, 2, 1);
            copy((u8 *)(0x70000 + 0x1000 + 0x2000 * STATE(0)), (u8 *)(0x70000 + 0x8000 + 0x2000 * STATE(0)), BYTES);
            RELEASE(0, 2, 0, 1);
            RELEASE(0, 2, 3, 1);
        }
    }
    END;
}
"""


def passthrough(nbytes: int) -> Program:
    """Locks 0, 1: input free, full; 2, 3: output free, full."""
    program = Program()
    source = COPY.replace("BYTES", str(nbytes))
    waits = ((1, "pass.mlir", 11, 7, "in_full"), (2, "pass.mlir", 12, 7, "out_free"))
    program.core(compile_core(source, 0, 2, waits=waits), 0, 2, 1024)
    program.lock(0, 2, 0, 2)
    program.lock(0, 2, 2, 2)
    for i in range(2):
        program.bd(
            0, 2, i, core_bd(0x1000 + 0x2000 * i, nbytes // 4, next_bd=1 - i, acquire=(0, -1), release=(1, 1))
        )
        program.bd(
            0,
            2,
            2 + i,
            core_bd(0x8000 + 0x2000 * i, nbytes // 4, next_bd=3 - i, acquire=(3, -1), release=(2, 1)),
        )
    program.start(0, 2, "S2MM", 0, 0)
    program.start(0, 2, "MM2S", 0, 2)
    program.circuit((0, 0, "DMA", 0), [("North", 0), ("North", 0)], ("DMA", 0))
    program.circuit((0, 2, "DMA", 0), [("South", 1), ("South", 1)], ("DMA", 0))
    return program


def sequence(words: int) -> bytes:
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, words)
    s.transfer(0, "S2MM", 0, 1, 1, words)
    s.sync(0, "S2MM", 0)
    return s.bytes()


@pytest.mark.parametrize(("element", "total"), [(4, 4), (64, 64 * 7), (4096, 4096 * 100), (1024, 1024 * 33)])
def test_data_arrives_unchanged(element: int, total: int) -> None:
    with passthrough(element).emulator() as npu:
        source, dest = npu.allocate(total), npu.allocate(total)
        data = os.urandom(total)
        source.view[:] = data
        report = npu.run(sequence(total // 4), [source, dest])
        assert bytes(dest.view) == data
        assert report.unfinished == ()
        moved = {(c.row, c.direction): c.words for c in report.channels}
        assert moved == dict.fromkeys([(0, "MM2S"), (0, "S2MM"), (2, "S2MM"), (2, "MM2S")], total // 4)


def test_state_is_kept_between_runs() -> None:
    with passthrough(64).emulator() as npu:
        source, dest = npu.allocate(64), npu.allocate(64)
        for i in range(5):  # an odd number of elements: the next run must go on with the other buffer
            source.view[:] = bytes([i]) * 64
            npu.run(sequence(16), [source, dest])
            assert bytes(dest.view) == bytes([i]) * 64
