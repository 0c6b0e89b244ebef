"""Designs that MLIR-AIE's verifiers refuse: if accepted, they would make another program than they say."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.lowering.number_operands import numbers_from_values

TILES = """%s = aie.tile(0, 0)
%m = aie.tile(0, 1)
%t = aie.tile(0, 2)
%b = aie.buffer(%t) : memref<16xi32>
%l = aie.lock(%t, 0) {init = 1 : i32}
%k = aie.lock(%t, 1) {init = 0 : i32}
"""
MEMORY = """%dma = aie.mem(%t) {
%start = aie.dma_start(MM2S, 0, ^bd, ^end)
^bd:
LINES
aie.next_bd ^bd
^end:
aie.end
}"""
DESCRIPTOR = "aie.dma_bd(%b : memref<16xi32>, 0, 16)"
TAKE, GIVE = "aie.use_lock(%l, AcquireGreaterEqual, 1)", "aie.use_lock(%k, Release, 1)"
WRITEBD = """aie.runtime_sequence(%x : memref<16xi32>) {
aiex.npu.writebd {bd_id = 7 : i32, buffer_length = 32 : i32, buffer_offset = 0 : i32, column = 0 : i32, row = 0 : i32,
  d0_size = 8 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 2 : i32,
  d1_stride = 7 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 15 : i32,
  d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, ddr_id = 0 : i32, enable_packet = 0 : i32,
  iteration_current = 0 : i32, iteration_stride = 0 : i32, iteration_size = 0 : i32, lock_acq_enable = 0 : i32,
  lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 0 : i32,
  out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, use_next_bd = 0 : i32, valid_bd = 1 : i32}
}"""
TRANSFER = """aie.shim_dma_allocation @f(%s, MM2S, 0)
aie.runtime_sequence(%x : memref<16xi32>) {
aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1], packet = <pkt_id = 3, pkt_type = 1>)
  {id = 0 : i64, metadata = @f} : memref<16xi32>
}"""
BINDING = """aie.objectfifo_rearm_binding @r channels(%t : index) locks(%l : index)
  {channel_dirs = array<i32: 0>, channel_indices = array<i32: 0>, lock_inits = array<i32: 1>}"""

TRACE = """aie.trace @x(%t) {
aie.trace.mode "Event-Time"
aie.trace.packet id=1 type=core
aie.trace.eventEVENT
aie.trace.start broadcast=15
aie.trace.stop broadcast=14
}"""


def check(body: str) -> None:
    verify(parse_module(f"module {{ aie.device(npu1_2col) {{\n{TILES}{body}\n}} }}", "design.mlir"))


def memory(*lines: str) -> str:
    return MEMORY.replace("LINES", "\n".join(lines))


REFUSED = [
    (memory(TAKE, TAKE, DESCRIPTOR, GIVE), "second acquire"),
    (memory(TAKE, DESCRIPTOR, GIVE, GIVE), "second release"),
    (memory(TAKE, DESCRIPTOR, DESCRIPTOR, GIVE), "second descriptor"),
    (f"%dma = aie.mem(%t) {{\n"
     f"aie.dma(MM2S, 0) [{{\n"
     f"{TAKE}\n"
     f"{DESCRIPTOR}\n"
     f"{GIVE}\n"
     f"}}]\n"
     "aie.next_bd ^a\n"
     "^a:\n"
     "aie.end\n"
     f"}}",
     "region of several blocks"),
    ('%w = aie.logical_tile<ShimNOCTile>(0, 0) {allocation_scheme = "bank-aware"}', "has no memory"),
    ("aie.cascade_flow(%m, %t)", "a memtile has no cascade"),
    ("aie.switchbox(%t) {\naie.connect<DMA : 9, North : 0>\n}", "DMA : 9 does not exist"),
    ("aie.switchbox(%m) {\naie.connect<DMA : 0, North : 6>\n}", "North : 6 does not exist"),
    ("%u = aie.tile(0, 2)\naie.core(%t) {\naie.end\n}\naie.core(%u) {\naie.end\n}", "already has one"),
    ("aie.core(%t) {\naie.end\n} {stack_size = 65536 : i32}", "65536 bytes of data memory for stack and buffers"),
    ('aie.core(%t) {\naie.end\n} {link_with = "a.o", link_merge_files = ["b.ll"]}', "exclude each other"),
    ('aie.core(%t) {\naie.end\n} {link_files = ["a.o"], link_merge_files = ["a.o"]}', "both in 'link_files'"),
    ("%w = aie.buffer(%t) : memref<8xi64>\n"
     + memory(TAKE, "aie.dma_bd(%w : memref<8xi64>, 0, 4, [<size = 4, stride = 2>])", GIVE), "innermost stride is 2"),
    ("%s1 = aie.tile(1, 0)\naie.cascade_flow(%s, %s1)", "a shim tile has no cascade"),
    ("%x = aie.logical_tile<MemTile>(?, ?)\naie.cascade_flow(%x, %t)", "a memtile has no cascade"),
    ("%x = aie.logical_tile<CoreTile>(?, ?)\naie.configure_cascade(%x, West, East)", "needs a tile with a place"),
    ("%x = aie.logical_tile<MemTile>(?, ?)\n%y = aie.mem(%x) {\naie.end\n}", "the tile is a memtile, expected a core"),
    ("%x = aie.logical_tile<CoreTile>(?, ?)\n%y = aie.memtile_dma(%x) {\naie.end\n}", "a core tile, expected a memtile"),
    (WRITEBD.replace("row = 0", "burst_length = 64 : i32, row = 1"), "burst_length is 64"),
    (WRITEBD.replace("d2_size = 0", "d2_size = 4"), "d2_size is 4 and exceeds"),
    (WRITEBD.replace("d0_zero_before = 0", "d0_zero_before = 1"), "d0_zero_before is 1"),
    (WRITEBD.replace("d2_zero_after = 0", "d2_zero_after = 2"), "d2_zero_after is 2"),
    (TRANSFER.replace("pkt_id = 3", "pkt_id = 32"), "packet id 32"),
    (TRANSFER.replace("pkt_type = 1", "pkt_type = 8"), "packet type 8"),
    (BINDING.replace("lock_inits = array<i32: 1>", "lock_inits = array<i32>"), "'lock_inits' needs one entry"),
    (BINDING.replace("channel_dirs = array<i32: 0>", "channel_dirs = array<i32: 0, 1>"), "'channel_dirs' needs one"),
    (BINDING.replace("lock_inits", "head_bd_ids = array<i32: 0>, lock_inits"), "only one of 'head_bd_ids'"),
    ("%c = arith.constant 7 : index\n" + BINDING.replace("%l : index", "%c : index"), "not made by 'aie.lock'"),
    ("aie.runtime_sequence(%x : memref<16xi32>) {\naie.trace.host_config {buffer_size = -1 : i32}\n}",
     "buffer_size is -1"),
    ("aie.runtime_sequence(%x : memref<16xi32>) {\n"
     "aie.trace.host_config {buffer_size = 64 : i32, egress_shim_col = -1 : i32}\n}", "egress_shim_col is -1"),
    ("aie.core(%t) {\n%n = arith.constant 64 : index\naie.use_lock(%n, Acquire, 1)\naie.end\n}", "a core sees locks 0 to 63"),
    ("aie.switchbox(%t) {\n%a = aie.amsel<6> (0)\n}", "arbiterID is 6, expected 0 to 5"),
    ("aie.switchbox(%t) {\n%a = aie.amsel<0> (4)\n}", "msel is 4, expected 0 to 3"),
    ("aie.flow(%s, DMA : -1, %t, DMA : 0)", "source_channel is -1, expected 0 or more"),
    ("%x = aie.logical_tile<CoreTile>(-1, ?)", "col is -1"),
    ("aie.configure_cascade(%t, North, North)", "outputDir is North, a cascade leads South or East"),
    ("aie.configure_cascade(%t, South, East)", "inputDir is South, a cascade comes from North or West"),
    ("aie.core(%t) {\n%z = arith.constant 0 : i16\naie.put_cascade(%z : i16)\naie.end\n}", "the value is i16, a cascade"),
    ("aie.core(%t) {\n%z = aie.get_cascade() : vector<8xi32>\naie.end\n}", "the value is vector<8xi32>"),
    (TRACE.replace("eventEVENT", 'edge_event<2> event = <"LOCK_STALL"> trigger = RISING'), "slot is 2"),
    (TRACE.replace("EVENT", "<\"TRUE\">").replace("id=1", "id=32"), "id is 32, expected 1 to 31"),
    (TRACE.replace("EVENT", "<\"TRUE\">").replace("broadcast=14", "broadcast=16"), "broadcast is 16, expected 0 to 15"),
    (TRACE.replace("EVENT", '<"INSTR_EVENT_0">' + 8 * '\naie.trace.event<"LOCK_STALL">'), "records 9 events"),
    ("aie.runtime_sequence(%x : memref<16xi32>) {\n"
     "aiex.npu.address_patch {addr = 4 : ui32, arg_idx = -1 : i32, arg_plus = 0 : i32}\n}", "arg_idx is -1"),
    ("%f = aie.buffer(%t) : memref<2xbf16> = dense<[1, 2]>", "element 1, which is no bf16"),
    ("%f = arith.constant 1 : f32", "1 is an integer but its type is f32"),
    ("%v = memref.subview %b[0] [8] [1] : memref<16xi32> to memref<8xf32, strided<[1]>>", "a view of f32 from one of i32"),
    (TRANSFER.replace("16xi32", "16xi64"), "elements of 64 bits"),
    ("aie.runtime_sequence(%x : memref<16xi32>) {\naiex.npu.push_queue(0, 6, MM2S : 0) "
     "{bd_id = 0 : i32, issue_token = false, repeat_count = 0 : i32}\n}", r"no tile \(0, 6\)"),
    ("aie.core(%t) {\naie.end\naie.end\n}", "'aie.end' must be the last operation"),
    ("func.func @f() {\nreturn\nreturn\n}", "'func.return' must be the last operation"),
    ("aie.shim_dma_allocation @f(%m, MM2S, 0)", r"\(0, 1\) is no shim tile"),
    ("aie.core(%t) {\n%n = arith.constant 9223372036854775808 : index\naie.end\n}", "does not fit into index"),
    ("aie.core(%t) {\n%n = \"arith.constant\"() : () -> i32\naie.end\n}", "'arith.constant' requires attribute 'value'"),
    ("aie.runtime_sequence(%x : memref<16xi32>) {\naie.trace.host_config {egress_shim_col = 1 : i32}\n}",
     "requires attribute 'buffer_size'"),
    ("aie.objectfifo @f(%t, {%m}, 2) : !aie.objectfifo<memref<16xi32>>", "a depth without a type is an i64, expected an i32"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused(body: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        check(body)
    assert caught.value.location is not None


@pytest.mark.parametrize("body", [memory(TAKE, DESCRIPTOR, GIVE), WRITEBD, TRANSFER, BINDING], ids="mwtb")
def test_taken_as_they_are(body: str) -> None:
    check(body)


def test_configured_device_is_of_the_same_type() -> None:
    text = """module {
aie.device(npu1) @other {
aie.runtime_sequence @run() {
}
}
aie.device(npu2) {
aie.runtime_sequence() {
aiex.configure @other {
aiex.run @run() : ()
}
}
}
}"""
    with pytest.raises(UserError, match="configures npu1, but is in a device of npu2"):
        verify(parse_module(text, "design.mlir"))
    verify(parse_module(text.replace("npu1", "npu2"), "design.mlir"))


def test_a_number_is_made_before_its_use() -> None:
    body = memory("aie.use_lock(%l, AcquireGreaterEqual, %one)", "%one = arith.constant 1 : i32", DESCRIPTOR)
    module = parse_module(f"module {{ aie.device(npu1_2col) {{\n{TILES}{body}\n}} }}", "design.mlir")
    numbers_from_values(module)
    with pytest.raises(UserError, match="uses '%one' before it is defined"):
        verify(module)


def test_a_number_of_a_region_beside_is_not_one_of_this_region() -> None:
    use, one = TAKE.replace("1", "%one"), f"%one = arith.constant 1 : i32\n{TAKE}"
    channels = (
        f"aie.dma({way}, 0) [{{\n{line}\n{DESCRIPTOR}\n{GIVE}\n}}]"
        for way, line in (("MM2S", use), ("S2MM", one))
    )
    body = "%d = aie.mem(%t) {\n" + "\n".join(channels) + "\naie.end\n}"
    module = parse_module(f"module {{ aie.device(npu1_2col) {{\n{TILES}{body}\n}} }}", "design.mlir")
    numbers_from_values(module)
    with pytest.raises(UserError, match="uses a value of a region that it is not in"):
        verify(module)


def test_a_number_behind_the_end_of_its_block_is_no_end() -> None:
    body = memory(TAKE, DESCRIPTOR).replace(
        "aie.next_bd ^bd", "aie.next_bd ^bd\n%one = arith.constant 1 : i32"
    )
    module = parse_module(f"module {{ aie.device(npu1_2col) {{\n{TILES}{body}\n}} }}", "design.mlir")
    numbers_from_values(module)
    with pytest.raises(UserError, match="must be the last operation"):
        verify(module)


def test_locks_by_number_and_through_arguments() -> None:
    """What lowered code, functions and chains have instead of the lock itself."""
    check("aie.core(%t) {\n%n = arith.constant 56 : index\naie.use_lock(%n, Acquire, 1)\naie.end\n}")
    check("func.func private @f(%x : index) {\naie.use_lock(%x, Acquire, 1)\nreturn\n}")
    check(
        "aie.bd_chain @c(%d : memref<16xi32>, %x : index, %y : index) {\naie.use_lock(%x, Acquire, 1)\n"
        "aie.dma_bd(%d : memref<16xi32>, 0, 16)\naie.use_lock(%y, Release, 1)\naie.end\n}"
    )


@pytest.mark.parametrize("attribute", ["out_of_order", "out_of_order_id"])
def test_attributes_of_later_releases_are_refused_by_name(attribute: str) -> None:
    start, descriptor = (
        ("{out_of_order}", "") if attribute == "out_of_order" else ("", "{out_of_order_id = 3 : i32}")
    )
    body = f"""%new = aie.buffer(%m) : memref<16xi32>
%d = aie.memtile_dma(%m) {{
  %0 = aie.dma_start(S2MM, 0, ^r, ^e) {start}
^r:
  aie.dma_bd(%new : memref<16xi32> len = 16) {descriptor}
  aie.next_bd ^e
^e:
  aie.end
}}"""
    with pytest.raises(UserError, match=f"'{attribute}' of aie.dma_.* is of MLIR-AIE after 2026-08-14"):
        check(body)
