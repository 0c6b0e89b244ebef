"""Instructions and source lines of objects, from the embedded compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.errors import Location
from npuninja.formats.dwarf_lines import LineTable, read_line_table
from npuninja.formats.wasm_code import CALL, FunctionCode, functions
from npuninja.formats.wasm_module import I32_CONST, WasmModule, read_wasm

END = 0x0B
SOURCE = """#include <math.h>
#include <stdint.h>
extern int other(const int *, long long);
static const int table[4] = {1, 2, 3, 4};
int big(int n) {
    switch (n) { case 0: return 7; case 1: return -100000; case 2: return other(table, 1LL << 40); case 3: return 9; }
    return n;
}
void floats(float *p, int n) {
    for (int i = 0; i < n; i++) p[i] = sinf(p[i]) * 1.5f + 0.25f;
}
void vectors(int16_t *p, uint8_t *q) {
    for (int i = 0; i < 64; i++) p[i] = (int16_t)(q[63 - i] * 3 - p[i]);
}
double wide(double a, long long b) { return a * (double)b + 1e100; }
"""


@pytest.fixture
def module(wasm_build) -> WasmModule:
    path: Path = wasm_build.kernel("k.c", SOURCE)
    return read_wasm(path.read_bytes(), "k.o")


def by_signature(module: WasmModule) -> dict[tuple[tuple[str, ...], tuple[str, ...]], FunctionCode]:
    return {(f.parameters, f.results): f for f in functions(module)}


def test_functions_end_where_they_end(module):
    """A wrong length of one instruction would make nonsense of all that follow."""
    found = functions(module)
    assert len(found) == 4
    (code,) = [section.data for section in module.sections if section.id == 10]
    for function, following in zip(found, [*(f.offset for f in found[1:]), None]):
        last = function.instructions[-1]
        assert last.opcode == END
        assert sum(i.opcode == END for i in function.instructions) >= 1
        # The next body begins after the size in front of it.
        assert len(code) == last.offset + 1 if following is None else 0 < following - (last.offset + 1) <= 5


def test_signatures_and_immediates(module):
    found = by_signature(module)
    assert set(found) == {(("i32",), ("i32",)), (("i32", "i32"), ()), (("f64", "i64"), ("f64",))}
    big = found[("i32",), ("i32",)]
    assert any(i.relocated for i in big.instructions if i.opcode == I32_CONST)  # the table's address
    (call,) = [i for i in big.instructions if i.opcode == CALL]
    assert call.relocated
    imported = [item.name for item in module.imports if item.kind == "function"]
    assert imported[call.immediates[0]] == "other"


def line_table(module: WasmModule) -> LineTable:
    data = module.custom_section(".debug_line")
    assert data is not None
    return read_line_table(data)


def test_lines(module):
    lines = line_table(module)
    starts = sorted(place.line for f in functions(module) if (place := lines.at(f.offset + 3)) is not None)
    assert starts[0] == 5
    wide = by_signature(module)[("f64", "i64"), ("f64",)]
    assert lines.at(wide.instructions[-1].offset) == Location(
        "k.c", 15, lines.at(wide.instructions[-1].offset).column
    )
    assert lines.at(0) is None


def test_damaged_line_tables_have_fewer_lines(module):
    data = module.custom_section(".debug_line")
    whole = set(line_table(module).addresses)
    for size in range(0, len(data), 7):
        assert set(read_line_table(data[:size]).addresses) <= whole
    for at in range(len(data)):
        read_line_table(data[:at] + b"\0" + data[at + 1 :])
