"""Rules that MLIR-AIE's tools follow and that designs of others showed, one small design and its result for each.

A rule is checked on the text of step 1 (`addresses`), of step 2 (`physical`) or of step 3 (`sequence`), or by what the
design is refused with. The conformance designs show the same rules among much else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings

TILES = """%s = aie.tile(0, 0)
  %m = aie.tile(0, 1)
  %t = aie.tile(0, 2)
  """
FILES = {
    "addresses": "input_with_addresses.mlir",
    "physical": "input_physical.mlir",
    "sequence": "npu_insts.mlir",
}


class Rule(NamedTuple):
    """One design and what is made of it.

    Attributes:
        body: of `aie.device`.
        has: lines of the result, in their order; a line may be cut at its end.
        lacks: words that no line of the result has.
        step: the key of `FILES`.
        generation, device, scheme: as for `npuninja lower`.
        refused: what the design is refused with, instead of a result.
        warned: what is warned of.
    """

    body: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    step: str = "addresses"
    generation: str = "2026-02"
    device: str = "npu1"
    scheme: str | None = None
    refused: str = ""
    warned: str = ""


def text_of(rule: Rule, warnings: Warnings) -> str:
    text = f"module {{ aie.device({rule.device}) {{\n  {rule.body}\n}} }}"
    return lower_design(text, "d.mlir", rule.scheme, rule.generation, warnings)[FILES[rule.step]].decode()


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


def core(body: str, attributes: str = "") -> str:
    return f"""{TILES}%buf = aie.buffer(%t) {{sym_name = "buf"}} : memref<16xi32>
  aie.objectfifo @f(%s, {{%t}}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  %core = aie.core(%t) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %x = arith.constant 7 : i32
    {body}
    aie.end
  }} {attributes}"""


ACQUIRE = """%v = aie.objectfifo.acquire @f(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
    %e = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
    memref.store %x, %e[%c0] : memref<16xi32>
    aie.objectfifo.release @f(Consume, 1)"""
NUMBERS = """%c0 = arith.constant 0 : i64
    %zero = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c8 = arith.constant 8 : i64
    """


def descriptor(buffer: str, lock: str, numbers: str = "") -> str:
    return f"""aie.use_lock(%{lock}, AcquireGreaterEqual, 1)
    aie.dma_bd(%{buffer} : memref<64xi32>{numbers})
    aie.use_lock(%{lock}, Release, 1)"""


REGION = f"""{TILES}%d = aie.memtile_dma(%m) {{
    %b = aie.buffer(%m) : memref<64xi32>
    %l = aie.lock(%m) {{init = 1 : i32}}
    %0 = aie.dma(S2MM, 0) [{{ {descriptor("b", "l")} }}, {{ {descriptor("b", "l")} }}]
    %1 = aie.dma(MM2S, 1) {{loop = false}} [{{ {descriptor("b", "l")} }}]
    aie.end
  }}"""


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


def packets(*flows: tuple[int, str, str], more: str = "") -> str:
    tiles = "".join(f"%{name} = aie.tile(0, {row})\n  " for row, name in enumerate("abcd", 2))
    return tiles + "\n  ".join(
        f"aie.packet_flow({id}) {{ aie.packet_source<%{source}> aie.packet_dest<%{dest}> }}{more if id == 3 else ''}"
        for id, source, dest in flows
    )


#: The last flow has the first one's destination, and a flow of another group stands between.
BETWEEN = packets(
    (1, "a, DMA : 0", "c, DMA : 0"), (2, "b, DMA : 0", "d, DMA : 0"), (3, "a, DMA : 1", "c, DMA : 0")
)
BESIDE = packets((1, "a, DMA : 0", "c, DMA : 0"), (3, "a, DMA : 1", "c, DMA : 0"))

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
                "aie.dma_bd(%a : memref<256xi32>, 0, 32, [<size = 4, stride = 8>, <size = 8, stride = 1>])\naie.end }"
            ),
            ("aie.dma_bd(%a : memref<256xi32>, 0, 32)",),
        ),
    ],
    "02 controller ids": [
        Rule(
            "%s = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 1, pkt_id = 4>}\n"
            "%t = aie.tile(0, 2)\naie.flow(%s, DMA : 0, %t, DMA : 0)",
            (
                "%s = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 1, pkt_id = 4>}",
                "aie.packet_flow(4) {",
            ),
            ("aie.packet_flow(15)",),
        ),
        Rule(f"{TILES}aie.flow(%s, DMA : 0, %t, DMA : 0)", ("aie.packet_flow(15) {",)),
    ],
    "03 unused tiles": [
        Rule(
            f"{TILES}aie.core(%t) {{ aie.end }}",
            ("%t = aie.tile(0, 2)",),
            ("aie.tile(0, 0)", "aie.tile(0, 1)"),
        ),
        Rule(
            f"{TILES}aie.core(%t) {{ aie.end }}",
            ("%shim_noc_tile_0_0 = aie.tile(0, 0)", "%t = aie.tile(0, 2)"),
            ("aie.tile(0, 1)",),
            generation="2025-10",
        ),
    ],
    "04 buffers and locks in DMA regions": [
        Rule(
            REGION,
            (
                "%d = aie.memtile_dma(%m) {",
                '%b = aie.buffer(%m) {address = 0 : i32, mem_bank = 0 : i32, sym_name = "_anonymous0"}',
                "%l = aie.lock(%m, 0) {init = 1 : i32}",
            ),
        )
    ],
    "05 aie.dma": [
        Rule(
            REGION,
            (
                "aie.dma_bd(%b : memref<64xi32>) {bd_id = 0 : i32, next_bd_id = 1 : i32}",
                "aie.dma_bd(%b : memref<64xi32>) {bd_id = 1 : i32, next_bd_id = 0 : i32}",
                "%1 = aie.dma(MM2S, 1) {loop = false}",
                "aie.dma_bd(%b : memref<64xi32>) {bd_id = 24 : i32}",
            ),
        ),
        Rule(
            REGION.replace("aie.use_lock(%l, AcquireGreaterEqual, 1)", "", 1),
            refused="each of its blocks needs one aie.dma_bd and two aie.use_lock",
        ),
    ],
    "06 a channel started twice": [
        Rule(
            f"""{TILES}%b = aie.buffer(%t) : memref<64xi32>
  %d = aie.mem(%t) {{
    %0 = aie.dma_start(S2MM, 0, ^a, ^next)
  ^a:
    aie.dma_bd(%b : memref<64xi32>, 0, 8)
    aie.next_bd ^end
  ^next:
    %1 = aie.dma_start(S2MM, 0, ^c, ^end)
  ^c:
    aie.dma_bd(%b : memref<64xi32>, 8, 8)
    aie.next_bd ^end
  ^end:
    aie.end
  }}""",
            (
                "%0 = aie.dma_start(S2MM, 0, ^bb1, ^bb2)",
                "aie.dma_bd(%b : memref<64xi32>, 0, 8) {bd_id = 0 : i32}",
                "aie.next_bd ^bb4",
                "%1 = aie.dma_start(S2MM, 0, ^bb3, ^bb4)",
                "aie.dma_bd(%b : memref<64xi32>, 8, 8) {bd_id = 1 : i32}",
                "aie.next_bd ^bb4",
            ),
        )
    ],
    "07 scf.while": [
        Rule(
            core(
                """%r = scf.while (%i = %c0) : (index) -> index {
      %v = memref.load %buf[%i] : memref<16xi32>
      %k = arith.cmpi slt, %v, %x : i32
      scf.condition(%k) %i : index
    } do {
    ^bb0(%j: index):
      %n = arith.addi %j, %c1 : index
      scf.yield %n : index
    }
    memref.store %x, %buf[%r] : memref<16xi32>"""
            ),
            (
                "cf.br ^bb1(%c0 : index)",
                "^bb1(%i: index):",
                "cf.cond_br %k, ^bb2(%i : index), ^bb3",
                "^bb2(%j: index):",
                "cf.br ^bb1(%n : index)",
                "^bb3:",
                "memref.store %x, %buf[%i] : memref<16xi32>",
            ),
        ),
        Rule(
            core(
                """%r = scf.while (%i = %c0) : (index) -> index {
      %n = arith.addi %i, %c1 : index
      %v = memref.load %buf[%n] : memref<16xi32>
      %k = arith.cmpi slt, %v, %x : i32
      scf.condition(%k) %n : index
    } do {
    ^bb0(%j: index):
      scf.yield %j : index
    }
    memref.store %x, %buf[%r] : memref<16xi32>"""
            ),
            ("cf.br ^bb1(%c0 : index)", "cf.cond_br %k, ^bb1(%n : index), ^bb2"),
            ("(%j",),
        ),
        Rule(
            core(
                """%v = memref.load %buf[%c0] : memref<16xi32>
    %w = arith.index_cast %v : i32 to index
    scf.index_switch %w
    case 2 { memref.store %x, %buf[%c0] : memref<16xi32>
      scf.yield }
    case 1 { memref.store %x, %buf[%c1] : memref<16xi32>
      scf.yield }
    default { memref.store %x, %buf[%c3] : memref<16xi32> }"""
            ),
            ("cf.switch %0 : i32, [", "default: ^bb3,", "2: ^bb1,", "1: ^bb2"),
        ),
    ],
    "08 core bodies are simplified": [
        Rule(
            core(
                """%y = memref.load %buf[%c0] : memref<16xi32>
    %z = memref.load %buf[%c0] : memref<16xi32>
    scf.for %i = %c0 to %c3 step %c1 {
      %p = arith.muli %y, %z : i32
      %d = arith.divsi %x, %y : i32
      %unused = arith.addi %p, %x : i32
      %q = arith.addi %p, %d : i32
      memref.store %q, %buf[%i] : memref<16xi32>
    }"""
            ),
            (
                "%y = memref.load %buf[%c0]",
                "%p = arith.muli %y, %y : i32",
                "cf.br ^bb1",
                "%d = arith.divsi %x, %y : i32",
                "%q = arith.addi %p, %d : i32",
            ),
            ("%unused", "%z"),
        )
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
                "aiex.npu.maskwrite32 {address = 2215936 : ui32, mask = 268419072 : ui32, value = 4259840 : ui32}",
                "aiex.npu.maskwrite32 {address = 2219520 : ui32, mask = 7936 : ui32, value = 6912 : ui32}",
                "aiex.npu.sync {channel = 0 : i32, column = 0 : i32, column_num = 1 : i32, direction = 0 : i32, row = 2",
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
    "12 initial values": [
        Rule(
            f"""{TILES}%b = aie.buffer(%t) {{sym_name = "b"}} : memref<4xi8> = dense<"0x01FF0380">
  %c = aie.buffer(%t) {{sym_name = "c"}} : memref<2xi32> = dense<0x0000ABCD>
  %d = aie.buffer(%t) {{sym_name = "d"}} : memref<101xi8> = dense<"0x{"01" * 100}FF">
  aie.core(%t) {{ aie.end }}""",
            (
                "memref<4xi8> = dense<[1, -1, 3, -128]>",
                "memref<2xi32> = dense<0x0000ABCD>",
                f'memref<101xi8> = dense<"0x{"01" * 100}FF">',
            ),
        )
    ],
    "13 defaults that are written": [
        Rule(
            sequence(
                "%k = aiex.dma_configure_task_for @in {\naie.dma_bd(%a : memref<256xi32>, 0, 8) {burst_length = 0 : i32}\n"
                "aie.end } {issue_token = false, repeat_count = 0 : i32}\n"
                + transfer(
                    "[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]", ", burst_length = 0 : i64, issue_token = false"
                )
            ),
            (
                "aie.dma_bd(%a : memref<256xi32>, 0, 8) {burst_length = 0 : i32}",
                "}",
                "aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]) {id = 0 : i64, metadata = @in}",
            ),
        )
    ],
    "14 iter_count": [
        Rule(
            f"{TILES}aie.objectfifo @g(%s, {{%m}}, 2 : i32) {{iter_count = 5 : i32}} : !aie.objectfifo<memref<16xi32>>",
            (
                "%0 = aie.dma_start(S2MM, 0, ^bb1, ^bb4, repeat_count = 4)",
                "{bd_id = 0 : i32, next_bd_id = 1 : i32}",
                "{bd_id = 1 : i32}",
                "aie.next_bd ^bb3",
                "^bb3:",
                "aie.end",
                "^bb4:",
                "aie.end",
            ),
        ),
        Rule(
            f"{TILES}aie.objectfifo @g(%s, {{%t}}, 2 : i32) {{iter_count = 5 : i32}} : !aie.objectfifo<memref<16xi32>>",
            refused="'iter_count' needs a memtile as one of the ends",
        ),
    ],
    "15 arguments in pieces": [
        Rule(
            sequence(
                "%p = memref.subview %a[64] [128] [1] : memref<256xi32> to memref<128xi32, strided<[1], offset: 64>>\n"
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
                "%p = memref.subview %a[64] [128] [1] : memref<256xi32> to memref<128xi32, strided<[1], offset: 64>>\n"
                "%k = aiex.dma_configure_task_for @in {\n"
                "aie.dma_bd(%p : memref<128xi32, strided<[1], offset: 64>>, 16, 8)\naie.end }\naiex.dma_start_task(%k)"
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
                "%k = aiex.dma_start_bd_chain @ch(%a) : (memref<256xi32>) on (%s, MM2S, 0) {issue_token = true}\n"
                "aiex.dma_await_task(%k)",
                "aie.bd_chain @ch(%x: memref<256xi32>) { aie.dma_bd(%x : memref<256xi32>, 0, 64)\naie.end }",
            ),
            ("aie.bd_chain @ch(", "aiex.npu.sync"),
            step="sequence",
        )
    ],
    "17 streams and cascades of cores": [
        Rule(
            core("%v = aie.get_stream(%x : i32) : i32\n    aie.put_stream(%x : i32, %v : i32)"),
            ("%v = aie.get_stream(%x : i32) : i32", "aie.put_stream(%x : i32, %v : i32)"),
        ),
        Rule(
            core(
                "scf.for %i = %c0 to %c3 step %c1 {\n%v = aie.get_stream(%x : i32) : i32\n"
                "memref.store %v, %buf[%i] : memref<16xi32>\n}"
            ),
            refused="'aie.get_stream': it stands in 'scf.for'",
        ),
        Rule(
            core("%v = aie.get_cascade() : vector<16xi32>\n    aie.put_cascade(%v : vector<16xi32>)"),
            ("%v = aie.get_cascade() : vector<16xi32>", "aie.put_cascade(%v : vector<16xi32>)"),
        ),
    ],
    "18 packet groups": [
        # Two sources of one group leave the tile on one channel; a flow between moves the second into a later group.
        Rule(
            BESIDE, ("%1 = aie.masterset(North : ", "aie.packet_rules(DMA : 1)"), ("%2 = ",), step="physical"
        ),
        Rule(
            BETWEEN,
            ("%2 = aie.masterset(North : 0, %1)", "%3 = aie.masterset(North : 3, %0)"),
            step="physical",
        ),
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
                "aiex.npu.write32 {address = 213200 : ui32, column = 0 : i32, row = 2 : i32, value = 2038038528 : ui32}",
                "aiex.npu.address_patch {addr = 119268 : ui32, arg_idx = 4 : i32",
                "aiex.npu.maskwrite32 {address = 119304 : ui32, column = 0 : i32, mask = 65280 : ui32, row = 0",
                "aiex.npu.write32 {address = 119308 : ui32, column = 0 : i32, row = 0 : i32, value = 2147483663 : ui32}",
            ),
            step="sequence",
        ),
    ],
    "20 link_with": [
        Rule(
            f'{TILES}func.func private @k()\n  %c = aie.core(%t) {{ func.call @k() : () -> ()\naie.end }} {{link_with = "k.o"}}',
            ('link_files = ["k.o"]',),
            warned="link_with",
        ),
        Rule(
            f'{TILES}func.func private @k() attributes {{link_with = "k.o"}}\n'
            "  %c = aie.core(%t) { func.call @k() : () -> ()\naie.end }",
            ('link_files = ["k.o"]',),
        ),
    ],
    "21 the padded output of a link": [
        Rule(
            f"""{TILES}aie.objectfifo @in(%s, {{%m}}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
  aie.objectfifo @out(%m dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 1>], {{%t}}, 2 : i32)
    {{padDimensions = #aie<bd_pad_layout_array[<const_pad_before = 0, const_pad_after = 2>,
    <const_pad_before = 1, const_pad_after = 1>]>}} : !aie.objectfifo<memref<36xi32>>
  aie.objectfifo.link [@in] -> [@out]([] [0])""",
            (
                "aie.dma_bd(%in_cons_buff_0 : memref<16xi32>, 0, 36, [<size = 4, stride = 4>, <size = 4, stride = 1>], [<const",
            ),
        )
    ],
    "22 right where the reference is wrong": [
        # A fifo used on across passes of an outer loop goes on with its next buffer.
        Rule(
            core(
                f"scf.for %o = %c0 to %c3 step %c1 {{\nscf.for %i = %c0 to %c3 step %c1 {{\n{ACQUIRE}\n}}\n}}"
            ),
            tuple(f"memref.store %x, %f_cons_buff_{i % 2}[%c0] : memref<16xi32>" for i in range(9)),
        )
    ],
    "23 tiles before cores": [
        Rule(
            core(ACQUIRE) + "\n  %late = aie.tile(0, 3)\n  %q = aie.buffer(%late) : memref<4xi32>",
            ("memref.store %x, %f_cons_buff_0[%c0]",),
            warned="MLIR-AIE",
        )
    ],
    "24 priority routes": [
        Rule(
            packets(
                (1, "a, DMA : 0", "c, DMA : 0"),
                (3, "a, DMA : 1", "c, DMA : 1"),
                more=" {priority_route = true}",
            ),
            ("aie.packet_rules(DMA : 1)", "aie.packet_rules(DMA : 0)"),
            step="physical",
        )
    ],
    "25 dynamic fifos": [
        Rule(
            core(f"scf.for %i = %c0 to %c3 step %c1 {{\n{ACQUIRE}\n}}", "{dynamic_objfifo_lowering = true}"),
            (
                "%4 = memref.load",
                "%5 = arith.addi %4, %c1_i32 : i32",
                "%6 = arith.cmpi sge, %5, %c2_i32 : i32",
                "%7 = arith.subi %5, %c2_i32 : i32",
                "%8 = arith.select %6, %7, %5 : i32",
            ),
        )
    ],
    "26 buffers with an address": [
        Rule(
            f"""{TILES}%b = aie.buffer(%t) {{address = 2048 : i32, sym_name = "b"}} : memref<64xi32>
  %c = aie.buffer(%t) {{sym_name = "c"}} : memref<64xi32>
  aie.core(%t) {{ aie.end }}""",
            ('%b = aie.buffer(%t) {address = 2048 : i32, mem_bank = 0 : i32, sym_name = "b"}',),
            generation=generation,
            scheme="bank-aware",
        )
        for generation in ("2025-10", "2026-02")
    ],
}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, id=f"{name}, {i}")
        for name, rules in RULES.items()
        for i, rule in enumerate(rules, 1)
    ],
)
def test_rule(rule: Rule) -> None:
    warnings = Warnings()
    if rule.refused:
        with pytest.raises(UserError, match=re.escape(rule.refused)) as refused:
            text_of(rule, warnings)
        assert refused.value.location is not None
        assert refused.value.location.line > 1
        return
    lines = [line.strip() for line in text_of(rule, warnings).splitlines()]
    at = 0
    for wanted in rule.has:
        found = [i for i, line in enumerate(lines[at:], at) if wanted in line]
        assert found, f"{wanted}\nis not behind line {at} of\n" + "\n".join(lines)
        at = found[0] + 1
    assert not [line for line in lines for word in rule.lacks if word in line]
    if rule.warned:
        assert any(rule.warned in text for text, _ in warnings.items)


def test_every_rule_is_there() -> None:
    assert [int(name[:2]) for name in RULES] == list(range(1, 27))


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
