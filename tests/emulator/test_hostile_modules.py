"""Core modules as no linker makes them, and kernels with wild pointers: refused or reported, never obeyed."""

from __future__ import annotations

import json

import pytest
import wasmtime
from array_program import Program, Sequence, compile_core

from npuninja.emulator import CoreFault, Emulator, InvalidAccess, StackOverflow, TimeLimit
from npuninja.emulator.core_modules.admission import MAX_MODULE_BYTES
from npuninja.emulator.core_modules.places import CodePlaces
from npuninja.emulator.core_modules.rewrite import rewrite
from npuninja.emulator.cores import read_program
from npuninja.emulator.layout import Geometry
from npuninja.errors import UserError
from npuninja.formats import cdo
from npuninja.formats.wasm_module import append_custom_section

INFO = {
    "abi": 1,
    "column": 0,
    "row": 2,
    "entry": "core_0_2",
    "stack_bytes": 1024,
    "data_end": 0x71000,
    "waits": [],
    "buffers": [["in", 0x70800, 64]],
    "neighbours": [],
}
PARTS = """
    (memory (export "memory") 8 8)
    (global (export "__stack_pointer") (mut i32) (i32.const 0))
    (func (export "core_0_2") (result i64) BODY (i64.const -1))
"""


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


def module(more: str = "", body: str = "", parts: str = PARTS) -> bytes:
    text = f"(module {parts.replace('BODY', body)} {more})"
    return append_custom_section(bytes(wasmtime.wat2wasm(text)), "npuninja.core", json.dumps(INFO).encode())


def run(data: bytes, time_limit_s: float = 5.0):
    p = Program()
    p.core(data, 0, 2, 1024)
    with p.emulator() as npu:
        return npu.run(nothing(), [], time_limit_s)


def run_c(body: str, stack_bytes: int = 1024, **info):
    p = Program()
    p.core(compile_core(body, 0, 2, stack_bytes=stack_bytes, **info), 0, 2, stack_bytes)
    with p.emulator() as npu:
        return npu.run(nothing(), [])


def test_the_plain_module_runs() -> None:
    assert run(module()).cores[0].ended


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("(func $s (loop br 0)) (start $s)", "a start function"),
        ("(func $s unreachable) (start $s)", "a start function"),
        ("(memory 8 8)", "2 memories"),
        ("(table 10000000 funcref)", "a table of 10000000 elements"),
        ("(table 1 funcref) (table 1 funcref)", "2 tables"),
        ("(table 1 externref)", "a table of something else"),
    ],
)
def test_what_the_abi_does_not_have_is_refused(more: str, what: str) -> None:
    with pytest.raises(UserError, match=what) as caught:
        read_program(module(more), Geometry(1))
    assert "core (0, 2)" in caught.value.message


@pytest.mark.parametrize(
    ("body", "more", "what"),
    [
        ("(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))", '(data "x")', "memory.init"),
        ("(drop (memory.grow (i32.const 1)))", "", "memory.grow"),
    ],
)
def test_instructions_that_no_core_has_are_refused(body: str, more: str, what: str) -> None:
    with pytest.raises(UserError, match=what):
        run(module(more, body))


def test_a_module_of_any_size_is_refused() -> None:
    data = append_custom_section(module(), "x", bytes(MAX_MODULE_BYTES))
    assert len(data) > MAX_MODULE_BYTES
    with pytest.raises(UserError, match="at most"):
        read_program(data, Geometry(1))


def test_a_table_that_grows_has_an_end() -> None:
    body = (
        "(block (loop (br_if 1 (i32.eq (table.grow (ref.null func) (i32.const 1000)) (i32.const "
        "-1))) (br 0)))"
    )
    assert run(module("(table 1 funcref)", body)).cores[0].ended


def test_globals_and_imports_of_other_types_are_reported() -> None:
    parts = PARTS.replace("(mut i32) (i32.const 0)", "i32 (i32.const 0)")
    with pytest.raises(UserError, match="__stack_pointer"):
        run(module(parts=parts))
    with pytest.raises(UserError, match="incompatible import type"):
        run(module(parts='(import "env" "sin" (func (param i32)))' + PARTS))


def test_a_loop_without_end_ends_at_the_limit() -> None:
    with pytest.raises(TimeLimit):
        run(module(body="(loop (br 0))"), 0.1)


@pytest.mark.parametrize("address", ["0x0", "0x10000", "0x1fffc", "0x20000", "0x61000", "0x40000", "0x2fff8"])
@pytest.mark.parametrize(
    "statement",
    [
        "*p = 1;",
        "copy(p, mine, 80);",
        "copy(mine, p, 80);",
        "fill(p, 80);",
        "struct S t = *(struct S *)p; use(&t);",
    ],
)
def test_wild_pointers_of_kernels_are_faults_with_a_line(statement: str, address: str) -> None:
    """Also where memory is: locks and saved state lie in the same instance, and are not the kernel's."""
    body = f"""
struct S {{ i32 words[64]; }};
static u8 mine[256];
static void use(void *p) {{ __asm__ volatile("" : : "r"(p) : "memory"); }}
static void copy(void *to, void *from, i32 n) {{ __builtin_memcpy(to, from, n); }}
static void fill(void *to, i32 n) {{ __builtin_memset(to, 1, n); }}
__attribute__((noinline)) void kernel(i32 *p) {{
    use(mine);
    {statement}
    use(p);
}}
i64 core_0_2(void) {{ START kernel(*(i32 **)0x70900); END; }}"""
    p = Program()
    p.core(compile_core(body, 0, 2, data_end=0x71200), 0, 2, 1024)
    with p.emulator() as npu:
        npu.data_memory(0, 2)[0x900:0x904] = int(address, 16).to_bytes(4, "little")
        with pytest.raises(CoreFault) as caught:
            npu.run(nothing(), [])
    error = caught.value
    assert error.report["address"] == int(address, 16)
    assert error.location is not None
    assert (error.location.file, error.location.line) in (("core.c", 9), ("core.c", 5), ("core.c", 6))
    assert "called from" in error.notes[0][0]
    assert "core_0_2" in error.notes[-1][0]


def test_a_block_copy_over_the_end_of_the_stack_is_an_overflow_by_name() -> None:
    body = """
static void use(void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
__attribute__((noinline)) void kernel(i32 v) { u8 big[6000]; __builtin_memset(big, v, sizeof big); use(big); }
i64 core_0_2(void) { START kernel(POINT); END; }"""
    with pytest.raises(StackOverflow, match="it has 1024 bytes, and 6000 are needed there") as caught:
        run_c(body)
    assert caught.value.location is not None
    assert caught.value.location.line == 3


COPIES = """
static u8 place[256];
__attribute__((noinline)) void kernel(i32 to, i32 from, i32 size) {
    for (i32 i = 0; i < 256; i++) place[i] = i;
    __builtin_memmove(place + to, place + from, size);
    __builtin_memset(place + 200, to, size & 31);
    __builtin_memcpy((u8 *)0x70800, place, 256);
}
i64 core_0_2(void) { START STATE(0) = TO; STATE(1) = FROM; STATE(2) = SIZE;
    kernel(STATE(0), STATE(1), STATE(2)); END; }"""


@pytest.mark.parametrize(
    ("to", "start", "size"),
    [(0, 1, 100), (1, 0, 100), (7, 7, 64), (16, 0, 150), (0, 16, 150), (5, 90, 33), (3, 2, 0)],
)
def test_block_copies_do_what_memmove_does(to: int, start: int, size: int) -> None:
    body = COPIES.replace("TO", str(to)).replace("FROM", str(start)).replace("SIZE", str(size))
    p = Program()
    p.core(compile_core(body, 0, 2, data_end=0x71200), 0, 2, 1024)
    expected = bytearray(range(256))
    expected[to : to + size] = expected[start : start + size]
    expected[200 : 200 + (size & 31)] = bytes([to]) * (size & 31)
    with p.emulator() as npu:
        npu.run(nothing(), [])
        assert bytes(npu.data_memory(0, 2)[0x800:0x900]) == bytes(expected)


def test_every_instruction_keeps_its_place() -> None:
    """The rewritten module's offsets lead to the original's, in order and without gaps."""
    data = compile_core(COPIES.replace("TO", "1").replace("FROM", "2").replace("SIZE", "3"), 0, 2)
    for checked in (False, True):
        made = rewrite(data, "core_0_2", "core", checked=checked)
        assert list(made.starts) == sorted(made.starts)
        own = [p for p in made.code_places if p.function >= 0]
        assert own == sorted(own)
        assert all(made.place(start) == place for start, place in zip(made.starts, made.code_places))
        wasmtime.Module(wasmtime.Engine(), made.module)
    assert made.place(0) is None


def test_places_are_lines_of_the_source_with_the_functions_that_inlined_them(monkeypatch) -> None:
    monkeypatch.setenv("WASMTIME_BACKTRACE_DETAILS", "1")
    config = wasmtime.Config()
    config.epoch_interruption = True
    body = """
static i32 inner(i32 *p) { return *p * 3; }
i64 core_0_2(void) { START
    STATE(0) = inner((i32 *)0x70800);
    END; }"""
    data = compile_core(body, 0, 2)
    places = CodePlaces(wasmtime.Engine(config), data)
    made = rewrite(data, "core_0_2", "core", checked=True)
    found = [places.frames(made.sites[n]) for n in range(len(made.sites))]
    (inlined,) = [frames for frames in found if len(frames) == 2]
    assert [(name, where.line) for name, where in inlined if where] == [("inner", 2), ("core_0_2", 4)]


def test_a_fill_of_more_than_a_tile_is_refused() -> None:
    with Emulator(1) as npu, pytest.raises(InvalidAccess, match="fills 4294967295 words"):
        npu.configure([cdo.Fill(0x200000, 0xFFFFFFFF, 7)])


def test_many_fills_go_to_the_engine_in_pieces() -> None:
    with Emulator(1) as npu:
        npu.configure([cdo.Fill(0x200000, 0x4000, n) for n in range(100)])
        assert bytes(npu.data_memory(0, 2)[:4]) == (99).to_bytes(4, "little")


def test_a_buffer_that_was_freed_is_zeros_when_it_is_taken_again() -> None:
    with Emulator(1) as npu:
        for size in (1 << 16, 4 << 20):
            buffer = npu.allocate(size)
            buffer.view[:] = b"x" * size
            npu.free(buffer)
            again = npu.allocate(size)
            assert again.offset == buffer.offset
            assert bytes(again.view[:]) == bytes(size)
