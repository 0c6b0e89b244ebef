"""Rules of the reference about a device's contents: tiles, buffers, addresses, DMA programs, packets."""

from __future__ import annotations

import pytest
from reference_rule import TILES, Rule, cases, check_rule, descriptor

REGION = f"""{TILES}%d = aie.memtile_dma(%m) {{
    %b = aie.buffer(%m) : memref<64xi32>
    %l = aie.lock(%m) {{init = 1 : i32}}
    %0 = aie.dma(S2MM, 0) [{{ {descriptor("b", "l")} }}, {{ {descriptor("b", "l")} }}]
    %1 = aie.dma(MM2S, 1) {{loop = false}} [{{ {descriptor("b", "l")} }}]
    aie.end
  }}"""


def packets(*flows: tuple[int, str, str], more: str = "") -> str:
    tiles = "".join(f"%{name} = aie.tile(0, {row})\n  " for row, name in enumerate("abcd", 2))
    return tiles + "\n  ".join(
        f"aie.packet_flow({id}) {{ aie.packet_source<%{source}> aie.packet_dest<%{dest}> "
        f"}}{more if id == 3 else ''}"
        for id, source, dest in flows
    )


#: The last flow has the first one's destination, and a flow of another group is between.
BETWEEN = packets(
    (1, "a, DMA : 0", "c, DMA : 0"), (2, "b, DMA : 0", "d, DMA : 0"), (3, "a, DMA : 1", "c, DMA : 0")
)
BESIDE = packets((1, "a, DMA : 0", "c, DMA : 0"), (3, "a, DMA : 1", "c, DMA : 0"))


RULES: dict[str, list[Rule]] = {
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
    "14 iter_count": [
        Rule(
            f"{TILES}aie.objectfifo @g(%s, {{%m}}, 2 : i32) {{iter_count = 5 : i32}} : "
            "!aie.objectfifo<memref<16xi32>>",
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
            f"{TILES}aie.objectfifo @g(%s, {{%t}}, 2 : i32) {{iter_count = 5 : i32}} : "
            "!aie.objectfifo<memref<16xi32>>",
            refused="'iter_count' needs a memtile as one of the ends",
        ),
    ],
    "18 packet groups": [
        # Two sources of a group leave the tile on one channel; a flow between moves the second to a later
        # group.
        Rule(
            BESIDE, ("%1 = aie.masterset(North : ", "aie.packet_rules(DMA : 1)"), ("%2 = ",), step="physical"
        ),
        Rule(
            BETWEEN,
            ("%2 = aie.masterset(North : 0, %1)", "%3 = aie.masterset(North : 3, %0)"),
            step="physical",
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
                "aie.dma_bd(%in_cons_buff_0 : memref<16xi32>, 0, 36, [<size = 4, stride = 4>, <size = 4, "
                "stride = 1>], [<const",
            ),
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


@pytest.mark.parametrize("rule", cases(RULES))
def test_rule(rule: Rule) -> None:
    check_rule(rule)


def test_every_rule_is_there() -> None:
    assert [int(name[:2]) for name in RULES] == [2, 3, 4, 5, 6, 12, 14, 18, 21, 24, 26]
