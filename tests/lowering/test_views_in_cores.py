"""Views that begin inside a buffer: what a compiled core makes of them; not always what their types say."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from core_runner import RunningCore

from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.lints.design import lint_design
from npuninja.lowering.core_code.source import core_source

DESIGN = """module {{ aie.device(npu1_1col) {{
  func.func private @mark(memref<4xi32{parameter}>)
  %t = aie.tile(0, 2)
  %b = aie.buffer(%t) {{address = 1024 : i32, sym_name = "b"}} : memref<16xi32>
  %l = aie.lock(%t, 1) {{init = 0 : i32, sym_name = "l"}}
  %core = aie.core(%t) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %x = memref.load %b[%c0] : memref<16xi32>
    %at = arith.index_cast %x : i32 to index
    {body}
    aie.end
  }}
}} }}"""
MARK = "void mark(int *p) { for (int i = 0; i < 4; i++) p[i] += 1; }"
ANYWHERE = "memref<4xi32, strided<[1], offset: ?>>"
AT_EIGHT = "memref<4xi32, strided<[1], offset: 8>>"
VIEW = f"%v = memref.subview %b[%at] [4] [1] : memref<16xi32> to {ANYWHERE}"
CAST = f"{VIEW}\n%p = memref.cast %v : {ANYWHERE} to memref<4xi32>"


@pytest.fixture
def after(wasm_build):
    def run(body: str, parameter: str = "", waits: int = 0) -> list[int]:
        core = RunningCore(wasm_build, DESIGN.format(body=body, parameter=parameter), {"mark.c": MARK})
        core.write(0x70400, struct.pack("<16i", 8, *[0] * 15))
        for _ in range(waits):
            assert core.step() != -1
            core.set_lock((0 * 8 + 2) * 64 + 1, 1)
        assert core.step() == -1
        return list(struct.unpack("<16i", core.read(0x70400, 64)))

    return run


START = [9, 1, 1, 1] + [0] * 12


def test_a_cast_view_is_passed_as_the_start_of_its_buffer(after):
    assert after(f"{CAST}\nfunc.call @mark(%p) : (memref<4xi32>) -> ()") == START


def test_an_access_through_a_cast_view_goes_to_the_start_of_its_buffer(after):
    assert after(f"{CAST}\nmemref.store %x, %p[%c1] : memref<4xi32>") == [8, 8] + [0] * 14


def test_a_view_at_a_known_offset_is_passed_as_the_start_of_its_buffer(after):
    body = f"""%v = memref.subview %b[8] [4] [1] : memref<16xi32> to {AT_EIGHT}
    func.call @mark(%v) : ({AT_EIGHT}) -> ()"""
    assert after(body, ", strided<[1], offset: 8>") == START


def test_accesses_through_a_view_keep_its_offset(after):
    assert after(f"{VIEW}\nmemref.store %x, %v[%c1] : {ANYWHERE}") == [8] + [0] * 8 + [8] + [0] * 6


def test_the_buffer_of_a_view_is_known_behind_a_wait(after):
    body = f"""%m = memref.alloca() : memref<16xi32>
    cf.br ^next(%b : memref<16xi32>)
  ^next(%whole: memref<16xi32>):
    %v = memref.subview %whole[%at] [4] [1] : memref<16xi32> to {ANYWHERE}
    aie.use_lock(%l, AcquireGreaterEqual, 1)
    %p = memref.cast %v : {ANYWHERE} to memref<4xi32>
    func.call @mark(%p) : (memref<4xi32>) -> ()"""
    assert after(body, waits=1) == START


def test_a_view_whose_place_is_known_only_at_run_time_is_not_passed():
    text = DESIGN.format(
        body=f"{VIEW}\n    func.call @mark(%v) : ({ANYWHERE}) -> ()", parameter=", strided<[1], offset: ?>"
    )
    with pytest.raises(
        UserError, match="offset known only at run time cannot be passed to a function"
    ) as refused:
        core_source(parse_module(text, "design.mlir"), "", 0, 2, kind="wasm", file="design.mlir")
    assert refused.value.location is not None
    assert refused.value.location.line == 13
    assert "pass the buffer and the offset" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("name", "said"),
    [("view_cast_in_loop", "this cast loses the offset"), ("view_as_argument", "@part cannot get %ws")],
)
def test_both_are_warned_of_when_the_design_is_lowered(name, said):
    warnings = Warnings()
    text = (Path(__file__).parent.parent / "cases" / name / "design.mlir").read_text(encoding="utf-8")
    lint_design(parse_module(text, "design.mlir"), warnings)
    found = [message for message, _ in warnings.items if said in message]
    assert len(found) == 2 or (name == "view_as_argument" and len(found) == 1)
    assert all("Pass the buffer and the offset" in message for message in found)
