"""Marks of accesses that were looked at are of one epoch: when epochs begin again, no old one is left."""

from __future__ import annotations

import pytest
from array_program import Program, Sequence, compile_core, write_words

from npuninja.emulator.errors import EmulationError

#: Calls of kernels until epochs repeat: each takes two of the 2^14 - 2^7 (engine/checks.c, `next_epoch`).
CALLS = ((1 << 14) - (1 << 7)) // 2
KERNEL = """
__attribute__((noinline)) void kernel(volatile KIND *p, i32 looks) { if (looks) *(volatile KIND *)0x70900; p[0] = 1; }
i64 core_0_2(void) { START
  kernel((KIND *)0x70900, 1);
  for (i32 i = 1; i < CALLS; i++) kernel((KIND *)0x70800, 0);
  kernel((KIND *)0x70800, 1);
  END; }
"""


@pytest.mark.parametrize("kind", ["i32", "short", "signed char"])
@pytest.mark.parametrize("calls", [CALLS, CALLS + 1])
def test_the_same_epoch_again(kind, calls) -> None:
    """The last call reads a buffer that only the first was given, in an epoch of the same number."""
    p, s = Program(), Sequence(1)
    s.write(0, 0)
    text = KERNEL.replace("KIND", kind).replace("CALLS", str(calls))
    p.core(compile_core(text, 0, 2, buffers=(("a", 0x70800, 64), ("b", 0x70900, 64))), 0, 2, 1024)
    for first in (0x800, 0x900):
        p.commands.append(write_words((2 << 20) | first, range(16)))
    wanted = pytest.raises(EmulationError, match="of a buffer that it was not given: byte 0 of buffer 'b'")
    with p.emulator(1, checks=frozenset({"memory"})) as npu, wanted:
        npu.run(s.bytes(), [])
