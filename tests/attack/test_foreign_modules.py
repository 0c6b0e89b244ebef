"""Core modules written by hand: memories, tables, imports, exports, sections, nesting, loops at limits."""

from __future__ import annotations

import json
import sys

import pytest
import wasmtime
from conftest import TESTS

sys.path.insert(0, str(TESTS / "emulator"))
from array_program import Program, Sequence, compile_core

from npuninja.emulator import TimeLimit
from npuninja.errors import Error
from npuninja.formats.wasm_module import append_custom_section

INFO = {
    "abi": 1, "column": 0, "row": 2, "entry": "core_0_2", "stack_bytes": 1024, "data_end": 0x71000, "waits": [],
    "buffers": [["in", 0x70800, 64]], "neighbours": [],
}  # fmt: skip
MEMORY = '(memory (export "memory") 8 8)'
POINTER = '(global (export "__stack_pointer") (mut i32) (i32.const 0))'
ENTRY = '(func (export "core_0_2") (result i64) BODY (i64.const -1))'


def run(text: str, info: dict | None = None, limit_s: float = 5.0) -> None:
    data = append_custom_section(
        bytes(wasmtime.wat2wasm(text)), "npuninja.core", json.dumps(info or INFO).encode()
    )
    p, s = Program(), Sequence()
    p.core(data, 0, 2, 1024)
    s.write(0, 0)
    with p.emulator() as npu:
        npu.run(s.bytes(), [], limit_s)


def whole(
    more: str = "", *, body: str = "", memory: str = MEMORY, pointer: str = POINTER, entry: str = ENTRY
) -> str:
    return f"(module {more} {memory} {pointer} {entry.replace('BODY', body)})"


@pytest.mark.parametrize(
    "text",
    [
        whole(memory='(memory (export "memory") 65536 65536)'),
        whole(memory='(memory (export "memory") 8)'),
        whole(memory='(memory (export "memory") 0 65536)'),
        whole(memory='(memory (export "memory") 1 1)'),
        whole(memory="(memory 8 8)"),
        whole(memory='(memory (export "memory") 8 8) (memory 65536)'),
        whole('(import "env" "memory" (memory 65536))', memory=""),
        whole('(import "env" "memory" (memory 1))'),
        whole('(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'),
        whole('(import "env" "../../x" (func))'),
        whole('(import "env" "\\1b]0;x\\07" (func))'),
        whole('(import "" "" (func))'),
        whole('(import "env" "sin" (global i32))'),
        whole('(import "env" "sin" (table 1 funcref))'),
        whole('(import "env" "sin" (func (result f64)))'),
        whole("(table 4294967295 funcref)"),
        whole("(table 1 4294967295 externref)"),
        whole("(func $f) (start $f)"),
        whole("(func $f (loop br 0)) (start $f)"),
        whole('(data (i32.const 0x7ffff) "xx")'),
        whole('(data (i32.const -1) "x")'),
        whole("(table 1 funcref) (func $f) (elem (i32.const 9) $f)"),
        whole(pointer=""),
        whole(pointer='(global (export "__stack_pointer") i32 (i32.const 0))'),
        whole(pointer='(global (export "__stack_pointer") (mut i64) (i64.const 0))'),
        whole(pointer='(func (export "__stack_pointer"))'),
        whole(entry='(func (export "core_0_2") (param i32) (result i64) (i64.const -1))'),
        whole(entry='(func (export "core_0_2"))'),
        whole(entry='(func (export "other") (result i64) (i64.const -1))'),
        whole(entry='(global (export "core_0_2") i64 (i64.const -1))'),
        whole(body="(drop (memory.grow (i32.const 65535)))"),
        whole(body="unreachable"),
        whole(body="(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
        whole("(table 1 funcref) (type $t (func))", body="(call_indirect (type $t) (i32.const 0))"),
        whole("(func $f (call $f))", body="(call $f)"),
        whole(body="(drop (i64.load (i32.const 0xfffffff9)))"),
        whole(body="(drop (v128.load offset=4294967295 (i32.const 0xffffffff)))"),
    ],
)
def test_a_module_as_no_linker_makes_it_is_refused(text):
    """With an error that can be shown, and never with the process."""
    with pytest.raises(Error) as caught:
        run(text)
    assert caught.value.exit_code in (2, 4)
    assert "\x1b" not in caught.value.render()


def refusal(text: str, info: dict | None = None) -> Error | None:
    """The error that a module's run ends with, if it does."""
    try:
        run(text, info)
    except Error as error:
        return error
    return None


@pytest.mark.parametrize("depth", [100, 4000])
def test_blocks_within_blocks(depth):
    """As deep as wasmtime takes them, and then refused."""
    error = refusal(whole(body="(block " * depth + ")" * depth))
    assert error is None or error.exit_code == 2


@pytest.mark.parametrize(
    "change",
    [
        {"column": -1}, {"column": 200}, {"row": 0}, {"row": 1}, {"row": 99}, {"stack_bytes": -1}, {"stack_bytes": 1 << 40},
        {"data_end": 1 << 70}, {"buffers": [["in", 0, 1 << 62]]}, {"buffers": [["in", -5, 64]]}, {"buffers": [["a"]]},
        {"buffers": [["in", 0x70800, 64]] * 5000}, {"neighbours": ["up"]}, {"neighbours": "south"}, {"entry": ""},
        {"entry": "\x1b[2J"}, {"entry": "memory"}, {"abi": 99}, {"waits": [[1]]}, {"waits": {}}, {"buffers": None},
    ],
)  # fmt: skip
def test_what_a_module_says_of_itself_is_checked(change):
    """Some of it may be said and harms nobody; the run then ends as any other."""
    error = refusal(whole(), {**INFO, **change})
    assert error is None or error.exit_code in (2, 4)
    assert error is None or "\x1b" not in error.render()


@pytest.mark.parametrize(
    "body",
    [
        "(loop br 0)",
        "(loop (loop (loop br 2)))",
        "(loop (drop (i64.load8_u (i32.const 0x70800))) br 0)",
        "(loop (drop (f64.sqrt (f64.const 2))) br 0)",
    ],
)
def test_no_loop_outlives_the_limit(body):
    with pytest.raises(TimeLimit):
        run(whole(body=body), limit_s=0.05)


def test_cores_that_poll_each_others_memory_get_an_error_that_says_so():
    """A14: an emulated core runs until it waits, so that it never sees what another would write meanwhile."""
    polls = "i64 core_0_2(void) { START while (*(volatile i32 *)0x70800 != 77) {} END; }"
    p, s = Program(), Sequence()
    p.core(compile_core(polls, 0, 2, buffers=(("flag", 0x70800, 64),)), 0, 2, 1024)
    s.write(0, 0)
    with p.emulator() as npu, pytest.raises(TimeLimit) as caught:
        npu.run(s.bytes(), [], 0.05)
    assert (
        "a loop that waits for memory which another core or channel writes never sees it" in caught.value.hint
    )
