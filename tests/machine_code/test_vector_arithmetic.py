"""The machine's vector arithmetic (runtime/*.c) against the kernel headers': modes, shifts, special values.

It has two forms, as docs/architecture.md says why; this is what keeps them one arithmetic.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wasmtime

from npuninja.machine_code.core_runtime import STEP_LIMIT, CoreRuntime, load_runtime
from npuninja.machine_code.encode import assemble_bundle
from npuninja.machine_code.registers import place_of

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "kernel_headers"))
from module_build import Module, build  # noqa: E402

ROUNDINGS = (0, 1, 2, 3, 8, 9, 10, 11, 12, 13)
SATURATIONS = (0, 1, 3)
FLOATS = np.array(
    [
        *(0, 1, 0x7FFFFF, 0x800000, 0x800001, 0x3F800000, 0x3F808000, 0x3F818000, 0x3F80FFFF, 0x3F8080FF),
        *(0x40490FDB, 0x4B000000, 0x4B800001, 0x33800000, 0x00010000, 0x007F8000, 0x00FF8000, 0x3F7F8000),
        *(0x7F7FFFFF, 0x7F7F8000, 0x7F000000, 0x7F800000, 0x7F800001, 0x7FC00000),
    ],
    np.uint32,
)
FLOATS = np.concatenate([FLOATS, FLOATS | np.uint32(1 << 31)])  # 48, three times 16
BF16 = np.concatenate([(FLOATS >> 16).astype(np.uint16), np.arange(0x3F70, 0x3F90, dtype=np.uint16)])[:64]


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Module:
    return build(HERE / "vector_arithmetic.cc", tmp_path_factory.mktemp("arithmetic"), "aie2")


class Machine:
    """A core that runs one bundle at a time."""

    def __init__(self) -> None:
        engine = wasmtime.Engine()
        self.core = CoreRuntime(wasmtime.Store(engine), load_runtime(engine))
        self._loaded = ""
        self._issued = 0

    def run(self, text: str, result: str, dtype: Any, /, **registers: np.ndarray | int) -> np.ndarray:
        """What a bundle leaves in a register, given others: numbers, or arrays for vectors."""
        if text != self._loaded:
            bundles = [assemble_bundle(text, 0)]
            while len(bundles) < 10:
                bundles.append(assemble_bundle("nop", bundles[-1].end))
            self.core.load(bundles)
            self._loaded = text
        for name, value in registers.items():
            if isinstance(value, np.ndarray):
                self.core.write(place_of(name), value.tobytes())
            else:
                self.core.set_register(name, value & 0xFFFFFFFF)
        self.core.set_state("pc", 0)
        self._issued += 10
        self.core.set_limit(self._issued)
        assert self.core.run() == STEP_LIMIT, self.core.fault()
        return np.frombuffer(self.core.read(place_of(result)), dtype)


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


def same(ours: np.ndarray, theirs: np.ndarray, what: object) -> None:
    assert ours.tobytes() == theirs.tobytes(), (what, ours, theirs)


def same_floats(ours: np.ndarray, theirs: np.ndarray, what: object) -> None:
    """Equal bits; what is no number is equal to any other, as no measurement says which bits it has."""
    odd = np.isnan(ours.view(np.float32)) & np.isnan(theirs.view(np.float32))
    same(ours[~odd], theirs[~odd], what)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_floats_to_bf16(headers: Module, machine: Machine, rounding: int) -> None:
    theirs = headers.run("to_bf16", [FLOATS], (48,), np.uint16, 48, rounding)
    for at in (0, 16, 32):
        ours = machine.run(
            "vconv.bf16.fp32 wl0, bml0", "wl0", np.uint16, bml0=FLOATS[at : at + 16], crRnd=rounding
        )
        same(ours, theirs[at : at + 16], at)


def test_bf16_to_floats(headers: Module, machine: Machine) -> None:
    every = np.arange(65536, dtype=np.uint16)
    theirs = headers.run("to_float", [every], (65536,), np.uint32, 65536)
    for at in range(0, 65536, 16 * 37):
        ours = machine.run("vconv.fp32.bf16 bml0, wl0", "bml0", np.uint32, wl0=every[at : at + 16])
        same(ours, theirs[at : at + 16], at)


def edges(bits: int, shift: int) -> np.ndarray:
    """Sixteen accumulators at which a shift turns: halves, one beside them, the limits of result and row."""
    half = 1 << (shift - 1) if shift > 0 else 1
    top = 1 << (bits - 1)
    result = 1 << (bits // 2 - 1 + max(shift, 0))
    values = [0, 1, -1, half, -half, half + 1, half - 1, -half - 1, 3 * half, -3 * half, 5 * half, top - 1, -top,
              result - 1, -result - 1, 2 * result - 1]  # fmt: skip
    return np.array([(v + top) % (2 * top) - top for v in values], np.int64 if bits == 64 else np.int32)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("saturation", SATURATIONS)
def test_accumulators_to_integers(headers: Module, machine: Machine, rounding: int, saturation: int) -> None:
    for shift in range(32):
        rows = edges(32, shift)
        for name, is_signed in (("srs32_int16", 1), ("srs32_uint16", 0)):
            theirs = headers.run(name, [rows], (16,), np.uint16, 16, shift, rounding, saturation)
            ours = machine.run(
                "vsrs.d16.s32 wl0, bml0, s0", "wl0", np.uint16, bml0=rows, s0=shift, crRnd=rounding, crSat=saturation,
                crSRSSign=is_signed,
            )  # fmt: skip
            same(ours, theirs, (name, shift))
    for shift in range(32):  # what the machine's shift registers hold; the headers take more for 64 bits
        rows = edges(64, shift)
        for name, is_signed in (("srs64_int32", 1), ("srs64_uint32", 0)):
            theirs = headers.run(name, [rows], (16,), np.uint32, 16, shift, rounding, saturation)
            ours = machine.run(
                "vsrs.d32.s64 wl0, bml0, s0", "wl0", np.uint32, bml0=rows[:8], s0=shift, crRnd=rounding,
                crSat=saturation, crSRSSign=is_signed,
            )  # fmt: skip
            same(ours, theirs[:8], (name, shift))


@pytest.mark.parametrize("saturation", SATURATIONS)
def test_integers_to_accumulators(headers: Module, machine: Machine, saturation: int) -> None:
    rows = np.array(
        [0, 1, -1, 2, 3, 255, 256, -256, 0x4000, -0x4000, 0x7FFF, -0x8000, 1000, -1000, 77, -78], np.int16
    )
    for shift in range(32):
        theirs = headers.run("ups32", [rows], (16,), np.int32, 16, shift, saturation)
        ours = machine.run(
            "vups.s32.s16 bml0, wl0, s0", "bml0", np.int32, wl0=rows, s0=shift, crSat=saturation
        )
        same(ours, theirs, shift)


def test_order_of_bf16(machine: Machine) -> None:
    """What is no number is neither less nor greater or equal, so the first operand is what is chosen."""
    a, b = np.resize(BF16, 32 * 9).reshape(9, 32), np.resize(np.roll(BF16, 5), 32 * 9 + 9)
    for row, start in zip(a, range(9)):
        other = b[start * 33 : start * 33 + 32]
        values = [np.where(each >> 15, -(each & 0x7FFF).astype(int) - 1, each) for each in (row, other)]
        numbers = ((row & 0x7FFF) <= 0x7F80) & ((other & 0x7FFF) <= 0x7F80)
        for name, choice, lanes in (
            ("vlt", "vmax_lt", numbers & (values[0] < values[1])),
            ("vge", "vmin_ge", numbers & (values[0] >= values[1])),
        ):
            bits = np.packbits(lanes, bitorder="little")
            same(machine.run(f"{name}.bf16 r17, x0, x1", "r17", np.uint8, x0=row, x1=other), bits, name)
            chosen = machine.run(f"{choice}.bf16 x2, r17, x0, x1", "x2", np.uint16, x0=row, x1=other)
            same(chosen, np.where(lanes, other, row).astype(np.uint16), choice)


@pytest.mark.parametrize(("name", "configuration"), [("mac_pairs", 60), ("mac_4x8x4", 28)])
def test_products_of_bf16(headers: Module, machine: Machine, name: str, configuration: int) -> None:
    """Products and sums of special values in every combination, then random patterns."""
    source = np.random.default_rng(17)
    for number in range(160):
        a = source.choice(BF16, 32) if number % 2 else source.integers(0, 65536, 32).astype(np.uint16)
        b = source.choice(BF16, 32) if number % 4 < 2 else source.integers(0, 65536, 32).astype(np.uint16)
        c = source.choice(FLOATS, 16) if number % 3 else source.integers(0, 1 << 32, 16).astype(np.uint32)
        theirs = headers.run(name, [a, b, c], (16,), np.uint32, 16)
        ours = machine.run(
            "vmac.f bml0, bml0, x0, x1, r0", "bml0", np.uint32, bml0=c, x0=a, x1=b, r0=configuration
        )
        same_floats(ours, theirs, number)


def test_sums_of_floats(headers: Module, machine: Machine) -> None:
    for at in range(48):
        a = np.roll(FLOATS, at)[:16]
        for start in (0, 16, 32):
            b = FLOATS[start : start + 16]
            theirs = headers.run("add_floats", [a, b], (16,), np.uint32, 16)
            ours = machine.run("vadd.f bml0, bml0, bml1, r0", "bml0", np.uint32, bml0=a, bml1=b, r0=60)
            same_floats(ours, theirs, (at, start))


def test_convolutions(headers: Module, machine: Machine) -> None:
    """Thirty-two lanes of eight points: unsigned data, signed coefficients."""
    source = np.random.default_rng(5)
    for _ in range(8):
        a, b = source.integers(0, 256, 64).astype(np.uint8), source.integers(-128, 128, 64).astype(np.int8)
        theirs = headers.run("convolved", [a, b], (32,), np.int32)
        ours = machine.run("vmul cm0, x0, x1, r0", "cm0", np.int32, x0=a, x1=b, r0=0x188)
        same(ours, theirs, (a, b))
        expected = [int(a[i : i + 8].astype(int) @ b[:8].astype(int)) for i in range(32)]
        assert ours.tolist() == expected


def test_shuffles(headers: Module, machine: Machine) -> None:
    a, b = np.arange(64, dtype=np.uint8), np.arange(64, 128, dtype=np.uint8)
    for mode in range(48):
        theirs = headers.run("shuffled", [a, b], (64,), np.uint8, mode)
        ours = machine.run("vshuffle x0, x1, x2, r0", "x0", np.uint8, x1=a, x2=b, r0=mode)
        same(ours, theirs, mode)
