"""Rules of the reference about runtime sequences: transfers, tasks, register writes and traces."""

from __future__ import annotations

import pytest
from reference_rule import TILES, Rule, cases, check_rule, descriptor, text_of

from npuninja.errors import UserError, Warnings


def sequence(body: str, before: str = "", *, old: bool = False) -> str:
    tile, dialect = ("", "aiex") if old else ("%s, ", "aie")
    row = ", 0" if old else ""
    names = [
        f"aie.shim_dma_allocation @{name}({tile}{channel}, 0{row})\n"
        for name, channel in (("in", "MM2S"), ("out", "S2MM"))
    ]
    head = f"{dialect}.runtime_sequence(%a: memref<256xi32>, %b: memref<256xi32>)"
    return f"{TILES}{''.join(names)}{before}\n{head} {{\n{body}\n}}"


def transfer(numbers: str, more: str = "", argument: str = "%a", type: str = "memref<256xi32>") -> str:
    return f"aiex.npu.dma_memcpy_nd({argument}{numbers}) {{id = 0 : i64, metadata = @in{more}}} : {type}"


NUMBERS = """%c0 = arith.constant 0 : i64
    %zero = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c8 = arith.constant 8 : i64
    """


def task(tile: str, buffer: str, *, old: bool = False) -> str:
    return f"""{TILES}%cb = aie.buffer(%t) {{address = 1024 : i32, sym_name = "cb"}} : memref<64xi32>
  %mb = aie.buffer(%m) {{address = 4096 : i32, sym_name = "mb"}} : memref<64xi32>
  %l = aie.lock(%{tile}, 3) {{init = 1 : i32}}
  {"aiex" if old else "aie"}.runtime_sequence(%a: memref<64xi32>) {{
    %k = aiex.dma_configure_task(%{tile}, S2MM, 0) {{
      {descriptor(buffer, "l", ", 4, 32")}
      aie.end
    }} {{issue_token = true}}
    aiex.dma_start_task(%k)
    aiex.dma_await_task(%k)
  }}"""


WRITEBD = (
    "aiex.npu.writebd {"
    + ", ".join(
        f"{name} = {value} : i32"
        for name, value in (
            *(("bd_id", 3), ("buffer_length", 32), ("buffer_offset", 64), ("burst_length", 0)),
            *(("column", 0), ("row", 1), ("d0_size", 4), ("d0_stride", 0), ("d0_zero_after", 0)),
            *(("d0_zero_before", 0), ("d1_size", 2), ("d1_stride", 3), ("d1_zero_after", 0)),
            *(("d1_zero_before", 0), ("d2_size", 5), ("d2_stride", 7), ("d2_zero_after", 0)),
            *(("d2_zero_before", 0), ("enable_packet", 0), ("iteration_current", 0), ("iteration_size", 0)),
            *(("iteration_stride", 0), ("lock_acq_enable", 0), ("lock_acq_id", 0), ("lock_acq_val", 0)),
            *(("lock_rel_id", 0), ("lock_rel_val", 0), ("next_bd", 0), ("out_of_order_id", 0)),
            *(("packet_id", 0), ("packet_type", 0), ("use_next_bd", 0), ("valid_bd", 1)),
        )
    )
    + "}"
)


TRACE = f"""{TILES}%core = aie.core(%t) {{ aie.end }}
  aie.trace @tr(%t) {{
    aie.trace.mode "Event-Time"
    aie.trace.packet id=1 type=core
    aie.trace.event<"INSTR_EVENT_0">
    aie.trace.start broadcast=15
    aie.trace.stop broadcast=14
  }}
  aie.runtime_sequence @seq(%a: memref<64xi32>) {{
    aie.trace.host_config buffer_size = 8192
    aie.trace.start_config @tr
  }}"""


RULES: dict[str, list[Rule]] = {
    "01 constants as numbers": [
        Rule(
            sequence(
                NUMBERS
                + transfer("[%c0, 0, %zero, 0][1, %c1, 4, %c8][0, %zero, 16, 1]")
                + transfer("[0, 0, %c1, 0][1, %c1, 4, %c8][0, 0, 8, 1]").replace("id = 0", "id = 1")
                + transfer("[%c0, %c0, %c0, %c8][1, 1, 1, %c8][0, 0, 0, %c1]").replace("id = 0", "id = 2")
            ),
            (
                "%c0 = arith.constant 0 : i64",
                "%s = aie.tile(0, 0)",
                "aiex.npu.dma_memcpy_nd(%a[%c0, 0, %c0, 0][1, %c1, 4, %c8][0, %c0, 16, 1])",
                "aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 8][1, 1, 1, 32][0, 0, 0, 1])",
                "aiex.npu.dma_memcpy_nd(%a[%c0, %c0, %c0, %c8][1, 1, 1, %c8][0, 0, 0, %c1])",
            ),
            ("%zero",),
        ),
        Rule(
            sequence(NUMBERS + transfer("[0, 0, %c1, 0][1, %c1, 4, %c8][0, 0, 8, 1]"), old=True),
            ("aiex.npu.dma_memcpy_nd(%a[0, 0, %c1, 0][1, %c1, 4, %c8][0, 0, 8, 1])",),
            generation="2025-10",
        ),
        Rule(
            sequence(
                NUMBERS
                + "%k = arith.addi %c1, %c8 : i64\n"
                + transfer("[0, 0, 0, 0][1, 1, 1, %k][0, 0, 0, 1]")
            ),
            refused="only constant sizes are supported, %k is the result of 'arith.addi'",
        ),
        Rule(
            sequence(
                "%k = aiex.dma_configure_task(%s, MM2S, 0) {\n"
                "aie.dma_bd(%a : memref<256xi32>, 0, 32, [<size = 4, stride = 8>, <size = 8, stride = 1>])\n"
                "aie.end }"
            ),
            ("aie.dma_bd(%a : memref<256xi32>, 0, 32)",),
        ),
    ],
    "09 operations of a sequence without an instruction": [
        Rule(
            sequence(
                "%w = memref.assume_alignment %a, 64 : memref<256xi32>\n%k = arith.constant 4 : i32\n"
                "%j = arith.addi %k, %k : i32\n"
                "aiex.npu.write32 {address = 4 : ui32, column = 0 : i32, row = 2 : i32, value = 5 : ui32}"
            ),
            ("aiex.npu.write32 {address = 4 : ui32, column = 0 : i32, row = 2 : i32, value = 5 : ui32}",),
            step="sequence",
        )
    ],
    "10 locks and buffers in tasks": [
        Rule(
            task("t", "cb"),
            (
                "aiex.npu.maskwrite32 {address = 2215936 : ui32, mask = 268419072 : ui32, "
                "value = 4259840 : ui32}",
                "aiex.npu.maskwrite32 {address = 2219520 : ui32, mask = 7936 : ui32, value = 6912 : ui32}",
                "aiex.npu.sync {channel = 0 : i32, column = 0 : i32, column_num = 1 : i32, direction = 0 : "
                "i32, row = 2",
            ),
            step="sequence",
        ),
        Rule(
            task("m", "mb"),
            ("aiex.npu.maskwrite32 {address = 1703940 : ui32, mask = 524287 : ui32, value = 1028 : ui32}",),
            step="sequence",
        ),
        Rule(
            task("m", "mb"),
            ("aiex.npu.maskwrite32 {address = 1703940 : ui32, mask = 524287 : ui32, value = 132100 : ui32}",),
            step="sequence",
            device="npu2",
        ),
        Rule(
            task("t", "cb", old=True),
            generation="2025-10",
            refused="cannot use locks in the dialect of 2025-10",
        ),
    ],
    "11 writebd": [
        Rule(
            sequence(WRITEBD),
            (
                "dense<[32, 64, 524288, 262147, 7, 0, 0, -2147483648]>",
                "aiex.npu.blockwrite(%0) {address = 1704032 : ui32}",
            ),
            step="sequence",
        )
    ],
    "13 defaults that are written": [
        Rule(
            sequence(
                "%k = aiex.dma_configure_task_for @in {\n"
                "aie.dma_bd(%a : memref<256xi32>, 0, 8) {burst_length = 0 : i32}\n"
                "aie.end } {issue_token = false, repeat_count = 0 : i32}\n"
                + transfer(
                    "[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]", ", burst_length = 0 : i64, issue_token = false"
                )
            ),
            (
                "aie.dma_bd(%a : memref<256xi32>, 0, 8) {burst_length = 0 : i32}",
                "}",
                "aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]) {id = 0 : i64, "
                "metadata = @in}",
            ),
        )
    ],
    "15 arguments in pieces": [
        Rule(
            sequence(
                "%p = memref.subview %a[64] [128] [1] : memref<256xi32> to memref<128xi32, strided<[1], "
                "offset: 64>>\n"
                "%q = memref.subview %p[16] [64] [1] : memref<128xi32, strided<[1], offset: 64>> to "
                "memref<64xi32, strided<[1], offset: 80>>\n"
                + transfer(
                    "[0, 0, 0, 4][1, 1, 1, 8][0, 0, 0, 1]",
                    argument="%q",
                    type="memref<64xi32, strided<[1], offset: 80>>",
                )
            ),
            (
                "dense<[8, 0, 0, 0, -2147483648, 33554432, 0, 33554432]>",
                "aiex.npu.address_patch {addr = 118788 : ui32, arg_idx = 0 : i32, arg_plus = 336 : i32}",
            ),
            step="sequence",
        ),
        Rule(
            sequence(
                "%p = memref.subview %a[64] [128] [1] : memref<256xi32> to memref<128xi32, strided<[1], "
                "offset: 64>>\n"
                "%k = aiex.dma_configure_task_for @in {\n"
                "aie.dma_bd(%p : memref<128xi32, strided<[1], offset: 64>>, 16, 8)\n"
                "aie.end }\n"
                "aiex.dma_start_task(%k)"
            ),
            (
                "dense<[8, 64, 0, 0, -2147483648, 33554432, 0, 33554432]>",
                "aiex.npu.address_patch {addr = 118788 : ui32, arg_idx = 0 : i32, arg_plus = 320 : i32}",
            ),
            step="sequence",
        ),
    ],
    "16 chains of descriptors": [
        Rule(
            sequence(
                "%k = aiex.dma_start_bd_chain @ch(%a) : (memref<256xi32>) on (%s, MM2S, "
                "0) {issue_token = true}\n"
                "aiex.dma_await_task(%k)",
                "aie.bd_chain @ch(%x: memref<256xi32>) { aie.dma_bd(%x : memref<256xi32>, 0, 64)\naie.end }",
            ),
            ("aie.bd_chain @ch(", "aiex.npu.sync"),
            step="sequence",
        )
    ],
    "19 traces": [
        Rule(
            TRACE,
            (
                "aie.trace.config @tr_config(%t)",
                "aie.packet_flow(1) {",
                "aie.packet_source<%t, Trace : 0>",
                "aie.packet_dest<%",
            ),
        ),
        Rule(
            TRACE,
            (
                "aiex.npu.write32 {address = 213200 : ui32, column = 0 : i32, row = 2 : i32, "
                "value = 2038038528 : ui32}",
                "aiex.npu.address_patch {addr = 119268 : ui32, arg_idx = 4 : i32",
                "aiex.npu.maskwrite32 {address = 119304 : ui32, column = 0 : i32, mask = 65280 : "
                "ui32, row = 0",
                "aiex.npu.write32 {address = 119308 : ui32, column = 0 : i32, row = 0 : i32, "
                "value = 2147483663 : ui32}",
            ),
            step="sequence",
        ),
    ],
}


@pytest.mark.parametrize("rule", cases(RULES))
def test_rule(rule: Rule) -> None:
    check_rule(rule)


def test_every_rule_is_there() -> None:
    assert [int(name[:2]) for name in RULES] == [1, 9, 10, 11, 13, 15, 16, 19]


def test_an_older_allocation_is_no_symbol():
    """A memref.global may have its name, as designs of that time declare it; from 2026 on it is a symbol."""
    declared = 'memref.global "public" @in : memref<256xi32>\n  '
    body = transfer("[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]")
    rule = Rule(declared + sequence(body, old=True), step="sequence", generation="2025-10")
    without = Rule(sequence(body, old=True), step="sequence", generation="2025-10")
    words = [line.strip() for line in text_of(rule, Warnings()).splitlines() if "aiex.npu." in line]
    assert words
    assert words == [
        line.strip() for line in text_of(without, Warnings()).splitlines() if "aiex.npu." in line
    ]
    with pytest.raises(UserError, match="symbol '@in' is defined twice"):
        text_of(Rule(declared + sequence(body)), Warnings())
