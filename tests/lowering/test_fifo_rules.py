"""Where the buffers, locks, channels and descriptors of objectFifos go."""

from __future__ import annotations

import pytest
from lowered import lines_with, lowered, text_of

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import IntegerAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.lowering.pipeline import lower_resources

TILES = """
%s0 = aie.tile(0, 0)
%m0 = aie.tile(0, 1)
%m1 = aie.tile(1, 1)
%c02 = aie.tile(0, 2)
%c03 = aie.tile(0, 3)
%c12 = aie.tile(1, 2)
%c05 = aie.tile(0, 5)
"""


def fifo(
    name: str, ends: str, depth: str = "2 : i32", attributes: str = "", type: str = "memref<16xi32>"
) -> str:
    return f"aie.objectfifo @{name}({ends}, {depth}) {attributes} : !aie.objectfifo<{type}>"


def use(name: str, port: str, count: int = 1, type: str = "memref<16xi32>") -> str:
    return f"""%s_{name} = aie.objectfifo.acquire @{name}({port}, {count}) : !aie.objectfifosubview<{type}>
    aie.objectfifo.release @{name}({port}, {count})"""


def lower(*lines: str, generation: str = "2025-10", warnings: Warnings | None = None) -> Operation:
    return lowered("\n".join([TILES, *lines]), device="npu1", generation=generation, warnings=warnings)


def tiles_of_buffers(module: Operation) -> dict[str, tuple[int, int]]:
    found = {}
    for op in module.walk():
        if op.name == "aie.buffer":
            tile = op.operands[0].owner
            assert isinstance(tile, Operation)
            found[op.string("sym_name")] = (tile.integer("col"), tile.integer("row"))
    return found


def locks(module: Operation) -> dict[str, tuple[int, int]]:
    """Id and initial value of each lock."""
    ops = [op for op in module.walk() if op.name == "aie.lock"]
    return {op.string("sym_name"): (op.integer("lockID"), op.integer("init")) for op in ops}


def starts(module: Operation) -> list[str]:
    return [line.split("= ")[1].split(", ^")[0] for line in lines_with(module, "aie.dma_start")]


@pytest.mark.parametrize(
    ("ends", "tile"),
    [
        ("%c02, {%c03}", (0, 2)),  # the consumer reaches south
        ("%c03, {%c02}", (0, 3)),  # and north
        ("%c02, {%c12}", (0, 2)),  # and west
        ("%c12, {%c02}", (0, 2)),  # but not east: the producer reaches the consumer's memory
        ("%m0, {%m1}", (0, 1)),
        ("%m1, {%m0}", (1, 1)),
    ],
)
def test_shared_memory_is_the_producers_if_the_consumer_reaches_it(ends: str, tile: tuple[int, int]) -> None:
    module = lower(fifo("f", ends))
    assert tiles_of_buffers(module) == {"f_buff_0": tile, "f_buff_1": tile}
    assert lines_with(module, "aie.flow(") == []


@pytest.mark.parametrize(
    ("ends", "attributes"),
    [
        ("%c02, {%c05}", ""),
        ("%c02, {%c03}", "{via_DMA = true}"),
        ("%c02, {%c03}", "{repeat_count = 2 : i32}"),
        ("%c02, {%c03, %c12}", ""),
        ("%c02 dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 1>], {%c03}", ""),
        ("%c02, {%c03 dimensionsFromStream [<size = 4, stride = 4>, <size = 4, stride = 1>]}", ""),
        ("%c03, {%m0}", ""),
        ("%s0, {%m0}", ""),
    ],
)
def test_what_goes_over_dma(ends: str, attributes: str) -> None:
    consumers = ends.split("{")[1].count("%")
    assert len(lines_with(lower(fifo("f", ends, attributes=attributes)), "aie.flow(")) == consumers


def test_a_fifo_larger_than_any_memory_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"needs 100001 objects of 4 bytes, but tile \(0, 2\) reaches 65536"
    ) as caught:
        lowered(
            """%t = aie.tile(0, 2)
%u = aie.tile(0, 0)
aie.objectfifo @a(%t, {%u}, 2 : i32) : !aie.objectfifo<memref<1xi32>>
%c = aie.core(%t) {
%s = aie.objectfifo.acquire @a(Produce, 100000) : !aie.objectfifosubview<memref<1xi32>>
aie.end
}"""
        )
    assert caught.value.location is not None
    assert caught.value.location.line == 5


def test_allocate_places_the_buffers_of_a_shared_fifo() -> None:
    module = lower(fifo("f", "%c02, {%c12}"), "aie.objectfifo.allocate @f(%c02)")
    assert set(tiles_of_buffers(module).values()) == {(0, 2)}


def test_a_fifo_is_allocated_once() -> None:
    allocations = ["aie.objectfifo.allocate @f(%c02)", "aie.objectfifo.allocate @f(%c12)"]
    with pytest.raises(UserError, match="objectFifo '@f' is allocated twice") as caught:
        lower(fifo("f", "%c02, {%c12}"), *allocations)
    assert caught.value.notes[0][0] == "the other one"


@pytest.mark.parametrize(
    ("ends", "delegate", "message"),
    [("%c02, {%c03}", "%c12", "is not shared by both ends"), ("%c02, {%c05}", "%c02", "goes over DMA")],
)
def test_allocate_where_it_cannot_be(ends: str, delegate: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        lower(fifo("f", ends), f"aie.objectfifo.allocate @f({delegate})")
    assert caught.value.location is not None


def test_linked_fifos_in_shared_memory_use_one_set_of_buffers() -> None:
    module = lower(
        fifo("x", "%c02, {%c03}"),
        fifo("y", "%c03, {%c02}"),
        "aie.objectfifo.link [@x] -> [@y] ([] [])",
        "aie.objectfifo.allocate @x(%c03)",
        "aie.objectfifo.allocate @y(%c03)",
        "aie.core(%c02) {",
        use("x", "Produce"),
        use("y", "Consume"),
        "aie.end }",
    )
    assert tiles_of_buffers(module) == {"x_buff_0": (0, 3), "x_buff_1": (0, 3)}
    assert [line.split("(")[1].split(",")[0] for line in lines_with(module, "aie.use_lock")] == [
        "%x_prod_lock_0", "%x_cons_lock_0", "%x_cons_lock_0", "%x_prod_lock_0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("depth", "acquired", "buffers"),
    [
        ("1 : i32", 1, 1),
        ("2 : i32", 1, 2),
        ("4 : i32", 1, 2),
        ("4 : i32", 2, 3),
        ("5 : i32", 4, 5),
        ("[1, 4]", 1, 4),
    ],
)
def test_depth_of_a_core_that_consumes(depth: str, acquired: int, buffers: int) -> None:
    module = lower(
        fifo("f", "%s0, {%c02}", depth), "aie.core(%c02) {", use("f", "Consume", acquired), "aie.end }"
    )
    assert len(tiles_of_buffers(module)) == buffers
    assert locks(module)["f_cons_prod_lock_0"] == (0, buffers)


@pytest.mark.parametrize(
    ("source", "dest", "offsets", "owner"),
    [
        ("64", ["64"], "[] []", "x_cons"),
        ("64", ["16"], "[] []", "x_cons"),
        ("16", ["64"], "[] []", "y0"),
        ("64", ["40", "24"], "[] [0, 40]", "x_cons"),
    ],
)
def test_larger_member_of_a_link_owns_the_buffers(
    source: str, dest: list[str], offsets: str, owner: str
) -> None:
    outputs = [
        fifo(f"y{i}", f"%m0, {{%c0{2 + i}}}", type=f"memref<{size}xi32>") for i, size in enumerate(dest)
    ]
    names = ", ".join(f"@y{i}" for i in range(len(dest)))
    module = lower(
        fifo("x", "%s0, {%m0}", type=f"memref<{source}xi32>"),
        *outputs,
        f"aie.objectfifo.link [@x] -> [{names}] ({offsets})",
    )
    assert {name for name, tile in tiles_of_buffers(module).items() if tile == (0, 1)} == {
        f"{owner}_buff_0",
        f"{owner}_buff_1",
    }


def test_padded_output_of_a_link_owns_the_buffers_only_in_the_older_generation() -> None:
    pads = (
        "#aie<bd_pad_layout_array[<const_pad_before = 1, const_pad_after = 1>, <const_pad_before = 0, "
        "const_pad_after = 0>]>"
    )
    lines = [
        fifo("x", "%s0, {%m0}", type="memref<16xi32>"),
        fifo(
            "y", "%m0 dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 1>], {%c02}",
            attributes=f"{{padDimensions = {pads}}}", type="memref<24xi32>",
        ),
        "aie.objectfifo.link [@x] -> [@y] ([] [])",
    ]  # fmt: skip
    assert "y_buff_0" in tiles_of_buffers(lower(*lines))
    newer = lower(*lines, generation="2026-02")
    assert "x_cons_buff_0" in tiles_of_buffers(newer)
    assert len(lines_with(newer, "const_pad_before")) == 2


def test_join_with_repeat_sends_all_parts_again() -> None:
    module = lower(
        fifo("a", "%c02, {%m0}", "1 : i32", type="memref<8xi32>"),
        fifo("b", "%c03, {%m0}", "1 : i32", type="memref<24xi32>"),
        fifo("o", "%m0, {%s0}", "1 : i32", "{repeat_count = 2 : i32}", type="memref<32xi32>"),
        "aie.objectfifo.link [@a, @b] -> [@o] ([0, 8] [])",
    )
    assert locks(module)["o_prod_lock_1"] == (2, 2)
    assert [line.split(" : ")[1].split(")")[0] for line in lines_with(module, "aie.dma_bd(%o_buff_0")] == [
        "memref<32xi32>, 0, 8", "memref<32xi32>, 8, 24",  # received
        "memref<32xi32>, 0, 8", "memref<32xi32>, 8, 24", "memref<32xi32>, 0, 8", "memref<32xi32>, 8, 24",
    ]  # fmt: skip
    assert len(lines_with(module, "aie.use_lock(%o_prod_lock_0, AcquireGreaterEqual, 2)")) == 1
    assert len(lines_with(module, "aie.use_lock(%o_prod_lock_0, Release, 1)")) == 2


def test_repeat_of_a_core_takes_the_lock_as_often() -> None:
    module = lower(
        fifo("f", "%c02, {%s0}", attributes="{repeat_count = 3 : i32}"),
        "aie.core(%c02) {",
        use("f", "Produce"),
        "aie.end }",
    )
    assert locks(module)["f_prod_lock_0"][1] == 6
    assert len(lines_with(module, "AcquireGreaterEqual, 3")) == 1
    assert len(lines_with(module, "aie.dma_bd(")) == 6


def test_chain_of_links_through_two_memtiles() -> None:
    module = lower(
        fifo("a", "%s0, {%m0}"),
        fifo("b", "%m0, {%m1}"),
        fifo("c", "%m1, {%c12}"),
        "aie.objectfifo.link [@a] -> [@b] ([] [])",
        "aie.objectfifo.link [@b] -> [@c] ([] [])",
    )
    assert {name.rsplit("_", 2)[0] for name in tiles_of_buffers(module)} == {"a_cons", "b_cons", "c_cons"}
    assert len(lines_with(module, "aie.flow(")) == 3


def test_initial_values_fill_buffers_and_locks() -> None:
    module = lower(
        "aie.objectfifo @f(%c02, {%c05}, 2 : i32) : !aie.objectfifo<memref<2xi32>> = "
        "[dense<[1, 2]> : memref<2xi32>, dense<3> : memref<2xi32>]"
    )
    assert [line.split(" = dense")[1] for line in lines_with(module, "dense<")] == ["<[1, 2]>", "<3>"]
    assert locks(module)["f_prod_lock_0"][1] == 0
    assert locks(module)["f_cons_lock_0"][1] == 2


def test_external_buffers_make_a_shim_program() -> None:
    module = lower(
        '%x = aie.external_buffer {sym_name = "x"} : memref<64xi32>',
        fifo("f", "%s0, {%c02}"),
        "aie.objectfifo.register_external_buffers @f(%s0, {%x}) : (memref<64xi32>)",
    )
    assert len(lines_with(module, "aie.shim_dma(")) == 1
    assert len(lines_with(module, "aie.dma_bd(%x : memref<64xi32>, 0, 64)")) == 1
    assert locks(module)["f_prod_lock_0"] == (0, 1)


def test_fifo_without_synchronisation_has_no_locks() -> None:
    module = lower(
        fifo("f", "%s0, {%c02}", attributes="{disable_synchronization = true, plio = true}"),
        "aie.core(%c02) {",
        use("f", "Consume"),
        "aie.end }",
    )
    assert "lock" not in text_of(module)
    assert lines_with(module, "aie.flow(%s0, PLIO : 0, %c02, DMA : 0)") != []
    assert lines_with(module, "aie.shim_dma_allocation", "plio = true") != []


def test_hand_written_program_is_continued() -> None:
    module = lower(
        '%b = aie.buffer(%c02) {sym_name = "own"} : memref<8xi32>',
        '%l = aie.lock(%c02, 1) {init = 1 : i32, sym_name = "l"}',
        fifo("f", "%s0, {%c02}", "1 : i32"),
        """aie.mem(%c02) {
          aie.dma_start(S2MM, 0, ^a, ^e)
        ^a:
          aie.use_lock(%l, AcquireGreaterEqual, 1)
          aie.dma_bd(%b : memref<8xi32>, 0, 8) {bd_id = 1 : i32}
          aie.next_bd ^e
        ^e:
          aie.end
        }""",
    )
    assert starts(module) == ["aie.dma_start(S2MM, 0", "aie.dma_start(S2MM, 1"]
    assert locks(module) == {
        "f_prod_lock_0": (0, 0), "f_cons_lock_0": (1, 0), "f_cons_prod_lock_0": (0, 1), "f_cons_cons_lock_0": (2, 0),
        "l": (1, 1),
    }  # fmt: skip
    text = text_of(module)
    assert "{bd_id = 1 : i32}" in text  # its chain ends, so it has no next descriptor
    assert "{bd_id = 0 : i32, next_bd_id = 0 : i32}" in text


def test_over_full_memtile_uses_its_neighbours_memory_on_the_first_channels() -> None:
    module = lower(
        fifo("f", "%s0, {%m1}", "3 : i32", type="memref<50000xi32>"), fifo("g", "%s0, {%m1}", "1 : i32")
    )
    assert [tiles_of_buffers(module)[f"f_cons_buff_{i}"] for i in range(3)] == [(1, 1), (1, 1), (0, 1)]
    assert len(lines_with(module, "aie.flow(%s0, DMA : 0, %m1, DMA : 0)")) == 1


@pytest.mark.parametrize("generation", ["2025-10", "2026-02"])
def test_names_in_sequences_follow_the_allocation(generation: str) -> None:
    dialect = "aiex" if generation == "2025-10" else "aie"
    module = lower(
        fifo("f", "%s0, {%c02}"),
        f"{dialect}.runtime_sequence @go(%x : memref<64xi32>) {{",
        "aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {id = 0 : i64, metadata = @f} : "
        "memref<64xi32>",
        "aiex.npu.dma_wait {symbol = @f}",
        "}",
        generation=generation,
    )
    assert len(lines_with(module, "= @f_shim_alloc")) == 2
    place = "(MM2S, 0, 0)" if generation == "2025-10" else "(%s0, MM2S, 0)"
    assert lines_with(module, f"aie.shim_dma_allocation @f_shim_alloc{place}") != []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([fifo("f", "%s0, {%c02}", "[1, 2, 3]")], "3 depths, expected 2"),
        ([fifo("f", "%s0, {%c02}", type="memref<?xi32>")], "static shape"),
        ([fifo("f", "%s0, {%c02}"), "aie.objectfifo.link [@f] -> [@g] ([] [])"], "there is no objectFifo '@g'"),
        (
            [fifo("f", "%s0, {%m0}"), fifo("g", "%m1, {%c12}"), "aie.objectfifo.link [@f] -> [@g] ([] [])"],
            "the objectFifos have no tile in common",
        ),
        (
            [
                fifo("f", "%s0, {%m0}"), fifo("g", "%m0, {%c02}"), fifo("h", "%m0, {%c03}"),
                "aie.objectfifo.link [@f] -> [@g, @h] ([] [0])",
            ],
            "2 output objectFifos, but 1 offsets",
        ),
        (
            [
                fifo("f", "%s0, {%m0}"), fifo("g", "%m0, {%c02}"), fifo("h", "%m0, {%c03}"),
                "aie.objectfifo.link [@f] -> [@g, @h] ([] [0, 16])",
            ],
            "leaves 0 of 16 elements",
        ),
        (
            [fifo("f", "%s0, {%c02}", attributes="{padDimensions = #aie<bd_pad_layout_array[]>}")],
            "only supported for a memtile as the producer",
        ),
        ([fifo("f", "%s0, {%c02}"), "aie.core(%c03) {", use("f", "Consume"), "aie.end }"], "is no consumer of"),
        ([fifo("f", "%s0, {%c02}"), "aie.core(%c02) {", use("f", "Produce"), "aie.end }"], "is no producer of"),
        ([fifo("f", "%s0, {%c02}", '[1, 2]'), "aie.core(%c02) {", "%s = aie.objectfifo.acquire @f(Consume, 1) : "
          "!aie.objectfifosubview<memref<16xi32>>", "%e = aie.objectfifo.subview.access %s[1] : "
          "!aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>", "aie.end }"], "element 1 of 1 acquired"),
        ([fifo(f"f{i}", "%c02, {%c05}") for i in range(3)], "one more output \\(MM2S\\) DMA channel "
                                                            "than the 2"),
        ([fifo(f"f{i}", "%c02, {%c03}") for i in range(9)], "no free lock"),
        ([fifo("f", "%s0, {%s0}", attributes="{via_DMA = true}")], "more than one shim tile"),
    ],
)  # fmt: skip
def test_wrong_fifos_are_refused_where_they_stand(lines: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        lower(*lines)
    assert caught.value.location is not None
    assert caught.value.location.line > 0


def test_acquiring_more_than_there_is_warns() -> None:
    warnings = Warnings()
    lower(
        fifo("f", "%s0, {%c02}", "[1, 2]"),
        "aie.core(%c02) {",
        use("f", "Consume", 3),
        "aie.end }",
        warnings=warnings,
    )
    assert any("the core will wait forever" in message for message, _ in warnings.items)


def test_condition_that_decides_what_is_held_is_refused() -> None:
    lines = [
        fifo("f", "%s0, {%c02}"),
        "aie.core(%c02) {",
        "%true = arith.constant true",
        '%b = aie.external_buffer {sym_name = "flag"} : memref<1xi1>',
        "%c0 = arith.constant 0 : index",
        "%flag = memref.load %b[%c0] : memref<1xi1>",
        "scf.if %flag {",
        use("f", "Consume"),
        "}",
        "aie.end }",
    ]
    with pytest.raises(UserError, match="depends on this condition") as caught:
        lower(*lines)
    assert "dynamic_objfifo_lowering" in (caught.value.hint or "")
    lines[-1] = "aie.end } {dynamic_objfifo_lowering = true}"
    assert len(lines_with(lower(*lines), "%f_cons_cons_lock_0, AcquireGreaterEqual")) == 1


def test_unused_tiles_disappear() -> None:
    older, newer = lower(fifo("f", "%c02, {%c03}")), lower(fifo("f", "%c02, {%c03}"), generation="2026-02")
    assert len(lines_with(older, "= aie.tile(")) == 3  # both cores and the shim tile added to their column
    assert len(lines_with(newer, "= aie.tile(")) == 1  # once more at the end: only one holds the buffers
    assert len(lines_with(older, "aie.packet_flow(15)")) == 0
    assert len(lines_with(newer, "aie.packet_flow(15)")) == 0


def test_tiles_may_come_after_cores() -> None:
    module = lowered(
        """%a = aie.tile(0, 2)
        aie.core(%a) {
          %s = aie.objectfifo.acquire @f(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
          %e = aie.objectfifo.subview.access %s[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
          func.call @k(%e) : (memref<16xi32>) -> ()
          aie.objectfifo.release @f(Produce, 1)
          aie.end
        }
        func.func private @k(memref<16xi32>)
        %b = aie.tile(0, 3)
        aie.objectfifo @f(%a, {%b}, 2 : i32) : !aie.objectfifo<memref<16xi32>>"""
    )
    assert lines_with(module, "func.call @k(%f_buff_0)") != []
    verify(module)


def test_other_devices_name_the_allocation_too() -> None:
    device = "%s = aie.tile(0, 0)\n%t = aie.tile(0, 2)\n" + fifo("f", "%s, {%t}")
    sequence = """aie.runtime_sequence(%x : memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {id = 0 : i64, metadata = METADATA} : memref<64xi32>
    }"""
    module = parse_module(
        f"""module {{
          aie.device(npu2_1col) @one {{ {device}\n{sequence.replace("METADATA", "@f")} }}
          aie.device(npu2_1col) @two {{ {sequence.replace("METADATA", "@one::@f")} }}
        }}""",
        "design.mlir",
    )
    lower_resources(module, alloc_scheme=None, generation="2026-02", warnings=Warnings())
    assert [line.split("metadata = ")[1].split("}")[0] for line in lines_with(module, "metadata")] == [
        "@f_shim_alloc", "@one::@f_shim_alloc",
    ]  # fmt: skip


@pytest.mark.parametrize(("offset", "warned"), [(8, 0), (4, 0), (5, 2)])
def test_parts_that_do_not_fit_the_objects_are_warned_of(offset: int, warned: int) -> None:
    warnings = Warnings()
    lower(
        fifo("w", "%s0, {%m0}", type="memref<16xi32>"),
        fifo("x", "%m0, {%c02}", type="memref<4xi32>"),
        fifo("y", "%m0, {%c03}", type="memref<4xi32>"),
        f"aie.objectfifo.link [@w] -> [@x, @y] ([] [0, {offset}])",
        warnings=warnings,
    )
    assert len([text for text, _ in warnings.items if "its part in the link" in text]) == warned


LINK = """%s = aie.tile(2, 0)
%t = aie.tile(1, 2)
%u = aie.tile(2, 2)
aie.objectfifo @in(%s, {%t}, 2 : i32) : !aie.objectfifo<memref<32xi32>>
aie.objectfifo @out(%t, {%u}, 2 : i32) : !aie.objectfifo<memref<SIZExi32>>
ALLOCATE
aie.objectfifo.link [@in] -> [@out] ([] [])"""


def _link(size: int, allocate: str = "") -> str:
    return LINK.replace("SIZE", str(size)).replace("ALLOCATE", allocate)


@pytest.mark.parametrize("generation", ["2025-10", "2026-02", "2026-08"])
def test_link_on_a_core_tile_moves_each_fifos_own_objects(generation: str) -> None:
    module = lowered(_link(16), device="npu1", generation=generation)
    sent = [op for op in module.walk() if op.name == "aie.dma_bd" and op.operands[0].type == "memref<32xi32>"]
    lengths = [(op.attributes.get("static_len") or op.attributes["len"]) for op in sent]
    assert [length.value for length in lengths if isinstance(length, IntegerAttr)] == [32, 32, 16, 16]


def test_allocated_output_of_a_link_shares_the_inputs_buffers() -> None:
    module = lowered(_link(32, "aie.objectfifo.allocate @out(%t)"), device="npu1")
    assert len(lines_with(module, "aie.flow(")) == 1
    assert len(lines_with(module, "aie.buffer(")) == 2


def test_allocate_that_a_link_cannot_use_is_warned_of() -> None:
    warnings = Warnings()
    module = lowered(_link(32, "aie.objectfifo.allocate @out(%u)"), device="npu1", warnings=warnings)
    assert len(lines_with(module, "aie.flow(")) == 2
    assert [text for text, _ in warnings.items if "allocate" in text] == [
        "objectFifo '@out' is linked and goes over DMA, so this allocate has no effect"
    ]


JOIN = (
    fifo("a", "%c02, {%m0}"), fifo("b", "%c03, {%m0}"), fifo("c", "%m0 DIMS, {%s0}", type="memref<32xi32>"),
    "aie.objectfifo.link [@a, @b] -> [@c]([0, 16] [])",
)  # fmt: skip
DEAL = (
    fifo("c", "%s0, {%m0 DIMS}", type="memref<32xi32>"), fifo("a", "%m0, {%c02}"), fifo("b", "%m0, {%c03}"),
    "aie.objectfifo.link [@c] -> [@a, @b]([] [0, 24])",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "way", "dims", "message"),
    [
        (JOIN, "dimensionsToStream", "<size = 2, stride = 16>, <size = 16, stride = 1>", "31, and a part of its objects has 16"),
        (DEAL, "dimensionsFromStream", "<size = 2, stride = 8>, <size = 8, stride = 1>", "15, and a part of its objects has 8"),
        (JOIN, "dimensionsToStream", "<size = 2, stride = 8>, <size = 8, stride = 1>", ""),
        (DEAL, "dimensionsFromStream", "<size = 2, stride = 4>, <size = 4, stride = 1>", ""),
    ],
)  # fmt: skip
def test_orders_of_a_whole_object_hold_for_its_parts(
    lines: tuple[str, ...], way: str, dims: str, message: str
) -> None:
    text = TILES + "\n".join(lines).replace("DIMS", f"{way} [{dims}]")
    lowered(text, device="npu1_2col")
    for generation in ("2026-02", "2026-08"):
        if not message:
            lowered(text, device="npu1_2col", generation=generation)
            continue
        with pytest.raises(UserError, match=message) as caught:
            lowered(text, device="npu1_2col", generation=generation)
        assert caught.value.location is not None
