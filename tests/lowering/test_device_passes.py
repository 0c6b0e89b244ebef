"""Small passes over a device: ids of locks, BDs, controllers; cascades, broadcasts, links, transfers."""

from __future__ import annotations

import pytest
from lowered import lines_with, lowered

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering.spelled_generation import detect


def test_locks_take_the_lowest_free_ids_of_their_tile() -> None:
    module = lowered(
        """%t = aie.tile(0, 2)
        %u = aie.tile(0, 3)
        aie.lock(%t) {sym_name = "a"}
        aie.lock(%t, 0) {sym_name = "b"}
        aie.lock(%u) {sym_name = "c"}
        aie.lock(%t) {sym_name = "d"}"""
    )
    assert {op.string("sym_name"): op.integer("lockID") for op in module.walk() if op.name == "aie.lock"} == {
        "a": 1, "b": 0, "c": 0, "d": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("locks", "message"),
    [
        ("aie.lock(%t, 3)\naie.lock(%t, 3)", "given twice"),
        ("aie.lock(%t, 16)", "its locks are 0 to 15"),
        ("\n".join(["aie.lock(%t)"] * 17), "no free lock"),
    ],
)
def test_impossible_locks(locks: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        lowered(f"%t = aie.tile(0, 2)\n{locks}")
    assert caught.value.location is not None


def memtile_program(bds: int, channel: int, attributes: str = "") -> str:
    blocks = "\n".join(
        f"^b{i}:\n aie.dma_bd(%b : memref<8xi32>, 0, 8) {attributes}\n aie.next_bd ^b{(i + 1) % bds}"
        for i in range(bds)
    )
    return f"""%t = aie.tile(0, 1)
    %b = aie.buffer(%t) {{sym_name = "b"}} : memref<8xi32>
    aie.memtile_dma(%t) {{
      aie.dma_start(S2MM, {channel}, ^b0, ^e)
    {blocks}
    ^e:
      aie.end
    }}"""


def ids(module: Operation) -> list[tuple[int, int | None]]:
    bds = [op for op in module.walk() if op.name == "aie.dma_bd"]
    return [
        (op.integer("bd_id"), op.integer("next_bd_id") if "next_bd_id" in op.attributes else None)
        for op in bds
    ]


@pytest.mark.parametrize(("channel", "first"), [(0, 0), (1, 24), (2, 0), (5, 24)])
def test_memtile_channels_use_their_half_of_the_descriptors(channel: int, first: int) -> None:
    assert ids(lowered(memtile_program(2, channel))) == [(first, first + 1), (first + 1, first)]


def test_too_many_descriptors_for_a_channel() -> None:
    assert len(ids(lowered(memtile_program(24, 0)))) == 24
    with pytest.raises(UserError, match="more than the 24 buffer descriptors"):
        lowered(memtile_program(25, 0))


def test_given_descriptor_must_be_reachable() -> None:
    with pytest.raises(UserError, match="buffer descriptor 3 cannot be used by channel 1"):
        lowered(memtile_program(1, 1, "{bd_id = 3 : i32}"))


@pytest.mark.parametrize(("channel", "refused"), [(3, False), (4, True), (5, True)])
@pytest.mark.parametrize("foreign", ["b", "l"])
def test_last_memtile_channels_do_not_reach_a_neighbour(channel: int, refused: bool, foreign: str) -> None:
    tiles = {"b": "%t", "l": "%t", foreign: "%u"}
    body = f"""%t = aie.tile(0, 1)
    %u = aie.tile(1, 1)
    %b = aie.buffer({tiles["b"]}) {{sym_name = "b"}} : memref<8xi32>
    %l = aie.lock({tiles["l"]}) {{sym_name = "l"}}
    aie.memtile_dma(%t) {{
      aie.dma_start(S2MM, {channel}, ^a, ^e)
    ^a:
      aie.use_lock(%l, AcquireGreaterEqual, 1)
      aie.dma_bd(%b : memref<8xi32>, 0, 8)
      aie.next_bd ^a
    ^e:
      aie.end
    }}"""
    if refused:
        with pytest.raises(UserError, match="of its neighbours") as caught:
            lowered(body, device="npu1_2col")
        assert caught.value.location is not None
    else:
        assert len(ids(lowered(body, device="npu1_2col"))) == 1


def test_descriptors_of_the_form_without_blocks_follow_each_other() -> None:
    module = lowered(
        """%t = aie.tile(0, 2)
        %b = aie.buffer(%t) {sym_name = "b"} : memref<8xi32>
        aie.mem(%t) {
          aie.dma(S2MM, 0) [{
            aie.dma_bd(%b : memref<8xi32>, 0, 8)
          }, {
            aie.dma_bd(%b : memref<8xi32>, 0, 4)
          }]
          aie.dma(MM2S, 0) {loop = false} [{
            aie.dma_bd(%b : memref<8xi32>, 0, 8)
          }]
          aie.end
        }"""
    )
    assert ids(module) == [(0, 1), (1, 0), (2, None)]


@pytest.mark.parametrize("generation", ["2025-10", "2026-02"])
def test_controller_ids_and_control_flows(generation: str) -> None:
    tiles = "\n".join(f"%t{row} = aie.tile(0, {row})" for row in range(6))
    uses = "\n".join(f"aie.flow(%t{row}, DMA : 0, %t{row}, DMA : 0)" for row in range(6))
    other = "%u = aie.tile(1, 2)\naie.flow(%u, DMA : 0, %u, DMA : 0)"
    module = lowered("\n".join([tiles, other, uses]), device="npu1_2col", generation=generation)
    found = [
        line.split("pkt_id = ")[1].split(">")[0]
        for line in lines_with(module, "aie.tile(0, ", "controller_id")
    ]
    assert found == ["15", "26", "27", "29", "30", "31"]
    assert len(lines_with(module, "aie.packet_flow(15)")) == 1
    assert len(lines_with(module, "= aie.tile(1, 0)")) == (1 if generation == "2025-10" else 0)


def test_cascades_configure_their_tiles() -> None:
    module = lowered(
        """%a = aie.tile(0, 3)
        %b = aie.tile(1, 3)
        %c = aie.tile(1, 2)
        aie.cascade_flow(%a, %b)
        aie.cascade_flow(%b, %c)""",
        device="npu1_2col",
    )
    assert lines_with(module, "cascade") == [
        "aie.configure_cascade(%a, North, East)",
        "aie.configure_cascade(%b, West, South)",
        "aie.configure_cascade(%c, North, South)",
    ]


def test_cascade_to_the_north_is_refused() -> None:
    with pytest.raises(UserError, match="south or east neighbour, not from tile \\(0, 2\\) to \\(0, 3\\)"):
        lowered("%a = aie.tile(0, 2)\n%b = aie.tile(0, 3)\naie.cascade_flow(%a, %b)")


def test_broadcasts_become_flows() -> None:
    module = lowered(
        """%s = aie.tile(0, 2)
        %t = aie.tile(0, 3)
        %u = aie.tile(0, 4)
        aiex.broadcast_packet(%s, DMA : 0) {
          aiex.bp_id(3) {
            aiex.bp_dest<%t, DMA : 0>
            aiex.bp_dest<%u, DMA : 0>
          }
        }
        aiex.multicast(%t, DMA : 0) {
          aiex.multi_dest<%s, DMA : 0>
          aiex.multi_dest<%u, DMA : 1>
        }"""
    )
    assert len(lines_with(module, "aie.packet_flow(3)")) == 1
    assert lines_with(module, "aie.packet_dest") == [
        "aie.packet_dest<%t, DMA : 0>",
        "aie.packet_dest<%u, DMA : 0>",
    ]
    assert lines_with(module, "aie.flow(") == [
        "aie.flow(%t, DMA : 0, %s, DMA : 0)",
        "aie.flow(%t, DMA : 0, %u, DMA : 1)",
    ]


KERNELS = """func.func private @x() attributes {link_with = "x.o"}
func.func private @y() attributes {link_with = "y.o"}
%t = aie.tile(0, 2)
"""


def test_link_files_are_those_of_the_called_functions_in_order() -> None:
    warnings = Warnings()
    body = (
        KERNELS + "aie.core(%t) { func.call @y() : () -> ()\n"
        " func.call @x() : () -> ()\n"
        " func.call @y() : () -> ()\n"
        " aie.end }"
    )
    module = lowered(body, generation="2026-02", warnings=warnings)
    assert lines_with(module, 'link_files = ["y.o", "x.o"]') != []
    assert warnings.items == []


def test_old_link_with_is_taken_over_with_a_warning() -> None:
    warnings = Warnings()
    body = KERNELS + 'aie.core(%t) { func.call @y() : () -> ()\n aie.end } {link_with = "old.o"}'
    module = lowered(body, generation="2026-02", warnings=warnings)
    assert lines_with(module, 'link_files = ["old.o", "y.o"]') != []
    assert ["deprecated" in text or "no core calls '@x'" in text for text, _ in warnings.items] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("transfer", "linear"),
    [
        ("[0, 0, 0, 0][1, 1, 32, 32][0, 0, 32, 1]", "[0, 0, 0, 0][1, 1, 1, 1024][0, 0, 0, 1]"),
        ("[1, 1, 2, 3][2, 2, 16, 16][512, 256, 16, 1]", "[1, 0, 0, 291][2, 1, 1, 512][512, 0, 0, 1]"),
        ("[0, 0, 0, 0][1, 1, 32, 16][0, 0, 32, 1]", "[0, 0, 0, 0][1, 1, 32, 16][0, 0, 32, 1]"),
        ("[0, 0, 0, 0][1, 4, 1, 16][0, 16, 0, 1]", "[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]"),
        ("[0, 0, 0, 0][1, 4, 1, 16][0, 0, 0, 1]", "[0, 0, 0, 0][1, 4, 1, 16][0, 0, 0, 1]"),
    ],
)
def test_contiguous_transfers_of_the_newer_generation_are_linear(transfer: str, linear: str) -> None:
    body = f"""%s = aie.tile(0, 0)
    aie.shim_dma_allocation @m(%s, MM2S, 0)
    aie.runtime_sequence(%x : memref<4096xi32>) {{
      aiex.npu.dma_memcpy_nd(%x{transfer}) {{id = 0 : i64, metadata = @m}} : memref<4096xi32>
    }}"""
    assert lines_with(lowered(body, generation="2026-02"), "dma_memcpy_nd", linear) != []


@pytest.mark.parametrize(
    ("body", "generation"),
    [
        ("aie.runtime_sequence() { }", "2026-02"),
        ("aiex.runtime_sequence() { }", "2025-10"),
        ("%s = aie.tile(0, 0)\naie.shim_dma_allocation @m(%s, MM2S, 0)", "2026-02"),
        ("aie.shim_dma_allocation @m(MM2S, 0, 0)", "2025-10"),
        ('func.func private @k() attributes {link_with = "k.o"}', "2026-02"),
        ("", "2025-10"),
    ],
)
def test_generation_is_seen_from_the_syntax(body: str, generation: str) -> None:
    assert detect(parse_module(f"module {{ aie.device(npu1) {{\n{body}\n}} }}", "design.mlir")) == generation
