"""Shifts of kernels by counts that are negative or too large: what AIE2's own instructions make of them."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasm_build import ZIG

from npuninja.formats.dwarf_lines import read_line_table
from npuninja.formats.wasm_module import read_wasm
from npuninja.machine_code.core_runtime import STEP_LIMIT, CoreRuntime, load_runtime
from npuninja.machine_code.encode import assemble_bundle
from npuninja.machine_code.registers import place_of
from npuninja.stages._shift_search import in_file_or_included, may_shift_by_values

SOURCE = """
#include <stdint.h>
#include "scaled.h"
int left(int x, int n) { return x << n; }
int right(int x, int n) { return x >> n; }
int logical(unsigned x, int n) { return x >> n; }
int masked(int x, int n) { return x << (n & 31); }
int from_header(int x, int n) { return half(n) + x * 0; }
void rows(const int *restrict in, int *restrict out, int n) { for (int i = 0; i < 64; i++) out[i] = in[i] >> n; }
void each(const int *restrict in, int *restrict out, int n) { for (int i = 0; i < 64; i++) out[i] = in[i] << (i - n); }
long long left_64(long long x, int n) { return x << n; }
long long right_64(long long x, int n) { return x >> n; }
unsigned long long logical_64(unsigned long long x, int n) { return x >> n; }
void rows_64(const long long *restrict in, long long *restrict out, int n) { for (int i = 0; i < 32; i++) out[i] = in[i] >> n; }
int number(int x) { return (x << 5) >> 3; }
"""
HEADER = "static inline int half(int scale) { return 1 << (scale - 1); }\n"
MASK = 0xFFFFFFFF
#: Peano's instructions for a shift of r0 by r1, into r2.
SHIFTS = {
    "left": ("lshl r2, r0, r1",),
    "right": ("sub r1, r3, r1", "ashl r2, r0, r1"),
    "logical": ("sub r1, r3, r1", "lshl r2, r0, r1"),
}


class Judge:
    """The machine code of a shift, run."""

    def __init__(self) -> None:
        self._engine = wasmtime.Engine()
        self._runtime = load_runtime(self._engine)

    def __call__(self, shift: str, x: int, count: int) -> int:
        core = CoreRuntime(wasmtime.Store(self._engine), self._runtime)
        for register, value in (("r0", x), ("r1", count), ("r3", 0)):
            core.set_register(register, value & MASK)
        bundles = [assemble_bundle(SHIFTS[shift][0], 0)]
        for text in (*SHIFTS[shift][1:], *["nop"] * 6):
            bundles.append(assemble_bundle(text, bundles[-1].end))
        core.load(bundles)
        core.set_limit(len(bundles))
        assert core.run() == STEP_LIMIT
        return int.from_bytes(core.read(place_of("r2"))[:4], "little")


def of_aie2(shift: str, x: int, count: int) -> int:
    """The same, as the instruction set has it; held against the machine code below."""
    by = count & MASK
    by -= (by >> 31) << 32
    by = by if shift == "left" else -by
    value = x & MASK if shift != "right" or not x & 0x80000000 else (x & MASK) - (1 << 32)
    return (value << by % 32 if by >= 0 else value >> (-by) % 32) & MASK


def of_aie2_64(shift: str, x: int, count: int) -> int:
    """A shift of 64 bits as LLVM makes it of shifts of 32 (LegalizerHelper::narrowScalarShift)."""
    low, high, unsigned = x & MASK, x >> 32 & MASK, count & (1 << 64) - 1
    sign = MASK if shift == "right" and high >> 31 else 0
    if shift == "left":
        if unsigned < 32:
            return (x << unsigned) & (1 << 64) - 1
        return of_aie2("left", low, count - 32) << 32
    if unsigned < 32:
        return (x | sign << 64) >> unsigned & (1 << 64) - 1
    return sign << 32 | of_aie2(shift, high, count - 32)


COUNTS = (-(2**31), -65, -33, -32, -31, -8, -1, 0, 1, 7, 31, 32, 33, 63, 64, 2**31 - 1)


def test_model_is_the_machine_code() -> None:
    judge, numbers = Judge(), random.Random(1)
    for shift in SHIFTS:
        for count in COUNTS:
            x = numbers.getrandbits(32)
            assert judge(shift, x, count) == of_aie2(shift, x, count), (shift, x, count)


def linked(compiled: Path) -> tuple[wasmtime.Store, Any]:
    target = compiled.with_suffix(".wasm")
    command = [
        ZIG,
        "wasm-ld",
        "--no-entry",
        "--export-all",
        "--allow-undefined",
        str(compiled),
        "-o",
        str(target),
    ]
    subprocess.run([*command, "--initial-memory=1048576"], check=True)
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = wasmtime.Linker(engine)
    module = wasmtime.Module.from_file(engine, str(target))
    return store, linker.instantiate(store, module).exports(store)


def test_shifts_go_by_the_sign_of_their_count(wasm_build) -> None:
    (wasm_build.folder / "scaled.h").write_text(HEADER)
    compiled = wasm_build.kernel("shifts.c", SOURCE)
    store, exports = linked(compiled)
    numbers = random.Random(2)
    memory = exports["memory"]
    for count in (*COUNTS, *(numbers.randrange(-80, 80) for _ in range(40))):
        x = numbers.getrandbits(32)
        signed = x - (x >> 31 << 32)
        for shift in SHIFTS:
            assert exports[shift](store, signed, count) & MASK == of_aie2(shift, x, count), (shift, x, count)
        assert exports["masked"](store, signed, count) & MASK == x << (count & 31) & MASK
        assert exports["from_header"](store, signed, count) & MASK == of_aie2("left", 1, count - 1)
        assert exports["number"](store, signed) == (signed << 5 & MASK ^ 1 << 31) - (1 << 31) >> 3
        row = [numbers.getrandbits(32) for _ in range(64)]
        memory.write(store, b"".join(v.to_bytes(4, "little") for v in row), 0x80000)
        for name, shift, counts in (
            ("rows", "right", [count] * 64),
            ("each", "left", [i - count for i in range(64)]),
        ):
            exports[name](store, 0x80000, 0x90000, count)
            data = memory.read(store, 0x90000, 0x90100)
            made = [int.from_bytes(data[i : i + 4], "little") for i in range(0, 256, 4)]
            assert made == [of_aie2(shift, v, c) for v, c in zip(row, counts)], (name, count)


def test_shifts_of_64_bits(wasm_build) -> None:
    compiled = wasm_build.kernel("wide.c", SOURCE.replace('#include "scaled.h"\n', HEADER))
    store, exports = linked(compiled)
    numbers = random.Random(3)
    memory = exports["memory"]
    whole = (1 << 64) - 1
    for count in (*COUNTS, 40, 65, 95, 96, *(numbers.randrange(-140, 140) for _ in range(60))):
        x = numbers.getrandbits(64)
        signed = x - (x >> 63 << 64)
        for shift in SHIFTS:
            made = exports[f"{shift}_64"](store, signed, count) & whole
            # C makes a count of 32 bits one of 64 without its sign.
            assert made == of_aie2_64(shift, x, count & MASK), (shift, x, count)
        row = [numbers.getrandbits(64) for _ in range(32)]
        memory.write(store, b"".join(v.to_bytes(8, "little") for v in row), 0x80000)
        exports["rows_64"](store, 0x80000, 0x90000, count)
        data = memory.read(store, 0x90000, 0x90100)
        assert [int.from_bytes(data[i : i + 8], "little") for i in range(0, 256, 8)] == [
            of_aie2_64("right", v, count & MASK) for v in row
        ], count


def test_same_bytes_in_another_folder(wasm_build, tmp_path_factory) -> None:
    made = []
    for build in (
        wasm_build,
        type(wasm_build)(tmp_path_factory.mktemp("a folder with another name"), wasm_build.cache),
    ):
        (build.folder / "scaled.h").write_text(HEADER)
        made.append(build.kernel("shifts.c", SOURCE).read_bytes())
    assert made[0] == made[1]
    assert str(wasm_build.folder).encode() not in made[0]


def test_places_are_kept(wasm_build) -> None:
    (wasm_build.folder / "scaled.h").write_text(HEADER)
    module = read_wasm(wasm_build.kernel("shifts.c", SOURCE).read_bytes(), "shifts.o")
    table = read_line_table(module.custom_section(".debug_line") or b"")
    assert {3, 4, 5, 6, 8, 9, 10} <= {
        place.line - 1 for place in table.locations if place and place.file == "shifts.c"
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = x >> n;", True),
        ("y = 1 << (scale - 1);", True),
        ("y <<= k;", True),
        ("y = x >> (8 - n);", True),
        ("y = x >> SHIFT;", True),
        ("y = a < b >> c;", True),
        ("y = x >> 3;", False),
        ("y >>= 2;", False),
        ("y = (x >> 8) & 0xff;", False),
        ("aie::vector<int8, aie::native<N>> v;", False),
        ("f<g<int, 4>>(x);", False),
        ("// x >> n", False),
        ('puts("x >> n");', False),
    ],
)
def test_sources_that_may_have_such_shifts(text: str, expected: bool) -> None:
    assert may_shift_by_values(text) is expected


def test_shifts_in_headers_are_seen_before_compiling(tmp_path) -> None:
    folder = tmp_path / "inc"
    folder.mkdir()
    (folder / "scaled.h").write_text(HEADER)
    (tmp_path / "beside.h").write_text('#include "scaled.h"\n#include "beside.h"\n')
    (tmp_path / "k.c").write_text('#include <stdint.h>\n  #  include "beside.h"\n')
    source = str(tmp_path / "k.c")
    assert in_file_or_included(source, (str(folder),))
    assert not in_file_or_included(source, ())
