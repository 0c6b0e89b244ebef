"""The estimate of an emulated core's program memory on an NPU."""

from __future__ import annotations

import pytest

from npuninja.errors import Location, Warnings
from npuninja.formats.wasm_code import FunctionCode, WasmInstruction
from npuninja.lints.program_size import check_program_size, estimate

ADD, GET, JUMP = 0x6A, 0x20, 0x0C


def code(*opcodes: int) -> list[FunctionCode]:
    return [FunctionCode(0, (), (), 0, tuple(WasmInstruction(0, opcode, (0,), False) for opcode in opcodes))]


def test_what_only_moves_values_is_not_counted() -> None:
    assert estimate(code(*[GET] * 1000)) == estimate([])
    assert estimate(code(*[ADD] * 1000)).low_bytes == estimate([]).low_bytes + 2500


def test_jumps_widen_the_band() -> None:
    plain, jumping = estimate(code(*[ADD] * 100)), estimate(code(*[JUMP] * 100))
    assert jumping.low_bytes == plain.low_bytes
    assert jumping.high_bytes == plain.high_bytes + 1000


@pytest.mark.parametrize(("operations", "warned"), [(3000, False), (5000, True)])
def test_a_program_that_barely_fits_is_warned_of(operations: int, warned: bool) -> None:
    warnings = Warnings()
    check_program_size("core (0, 2)", code(*[ADD] * operations), Location("a.mlir", 3, 4), warnings)
    assert bool(warnings.items) is warned
    if warned:
        assert "12.4 to 29.5 KiB of program memory on an NPU (estimated" in warnings.render()
