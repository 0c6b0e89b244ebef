"""The verifier rejects what MLIR-AIE rejects. That it accepts what MLIR-AIE does: test_ir_roundtrip.py."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr
from npuninja.ir.core import Block, Operation, Region
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify

TILE = "%t = aie.tile(0, 2)\n"
SHIM = "%s = aie.tile(0, 0)\n"
MEMTILE = "%m = aie.tile(0, 1)\n"
BUFFER = TILE + '%b = aie.buffer(%t) {sym_name = "b"} : memref<16xi32>\n'
HALVES = TILE + '%b = aie.buffer(%t) {sym_name = "b"} : memref<16xi16>\n'


def bd(operands: str, region: str = "aie.mem(%t)", attributes: str = "") -> str:
    return f"{region} {{\n  aie.dma_bd({operands}) {attributes}\n  aie.end\n}}\n"


def copy(
    sizes: str, strides: str, element: str = "i32", offsets: str = "0, 0, 0, 0", sequence: str = "aiex"
) -> str:
    return (
        f"{sequence}.runtime_sequence(%a: memref<1048576x{element}>) {{\n"
        f"  aiex.npu.dma_memcpy_nd(%a[{offsets}][{sizes}][{strides}]) "
        f"{{id = 0 : i64, metadata = @x}} : memref<1048576x{element}>\n}}\n"
    )


def core(body: str, attributes: str = "") -> str:
    return f"{TILE}%core = aie.core(%t) {{\n{body}\n  aie.end\n}} {attributes}\n"


FIFO = SHIM + TILE + "aie.objectfifo @f(%s, {%t}, 2 : i32) : !aie.objectfifo<memref<4xi32>>\n"

# (what is in a device npu1_2col, line of the error in it, message)
INVALID = [
    ("%t = aie.tile(2, 0)\n", 1, "column 2 is outside npu1_2col, which has columns 0 to 1"),
    ("%t = aie.tile(0, 6)\n", 1, "row 6 is outside npu1_2col, which has rows 0 to 5"),
    (SHIM + "%c = aie.core(%s) {\n  aie.end\n}\n", 2, "tile (0, 0) is a shim tile; cores are in rows 2 to 5"),
    (core("") + "%d = aie.core(%t) {\n  aie.end\n}\n", 6, "the tile already has one"),
    (core("", '{link_with = "a.o", link_files = ["b.o"]}'), 2, "'link_with' and 'link_files' exclude each other"),
    (TILE + "%core = aie.core(%t) {\n}\n", 2, "a block of 'aie.core' ends without a terminator"),
    *(
        (
            "aiex.runtime_sequence(%a: memref<4xi32>) {\n%c = arith.constant 0 : i64\n"
            f'"aiex.npu.dma_memcpy_nd"(%a{values}) <{{id = 0 : i64, metadata = @x, '
            f'static_offsets = array<i64: 0, 0, 0, {last}>, '
            "static_sizes = array<i64: 1, 1, 1, 4>, static_strides = array<i64: 0, 0, 0, 1>, "
            f"operandSegmentSizes = array<i32: 1, {count}, 0, 0>}}> : (memref<4xi32>{types}) -> ()\n}}\n",
            3,
            f"offsets has {places} places for values, but {count} values",
        )
        for values, types, count, last, places in (("", "", 0, -(1 << 63), 1), (", %c", ", i64", 1, 0, 0))
    ),
    (
        BUFFER + "aie.mem(%t) {\n^a:\n  aie.dma_bd(%b : memref<16xi32>, 0, 16)\n  aie.next_bd ^a\n}\n",
        6,
        "goes to the first block",
    ),
    (TILE + "%x = aie.memtile_dma(%t) {\n  aie.end\n}\n", 2, "tile (0, 2) is a core tile, expected a memtile"),
    (TILE + "%l = aie.lock(%t, 16)\n", 2, "lock id 16 is invalid, the tile has 0 to 15"),
    (SHIM + "%b = aie.buffer(%s) : memref<4xi32>\n", 2, "a shim tile has no memory"),
    (TILE + "%b = aie.buffer(%t) : memref<?xi32>\n", 2, "a buffer needs a static shape"),
    (BUFFER + '%c = aie.buffer(%t) {sym_name = "b"} : memref<4xi32>\n', 3, "symbol '@b' is defined twice"),
    (TILE + "%l = aie.lock(%t)\naie.flow(%l, DMA : 0, %t, DMA : 0)\n", 3, "'%l' is not a tile"),
    (core("  aie.use_lock(%t, Release, 1)"), 3, "its operand is not a lock"),
    (TILE + "%l = aie.lock(%t)\naie.use_lock(%l, Release, 1)\n", 3, "locks are used in a core or a DMA region"),
    (
        "%far = aie.tile(1, 5)\n%l = aie.lock(%far)\n" + core("  aie.use_lock(%l, Release, 1)"),
        5,
        "the lock is on tile (1, 5), which tile (0, 2) cannot reach",
    ),
    (BUFFER + bd("%b : memref<16xi32>, 0, 16, [<size = 16, stride = 2>]"), 4, "sizes and strides reach element 30"),
    (BUFFER + bd("%b : memref<16xi32>, 0, 0, [<size = 1024, stride = 1>]"), 4, "size 1024 is outside [1:1023]"),
    (BUFFER + bd("%b : memref<16xi32>, 0, 4, [" + ", ".join(["<size = 1, stride = 1>"] * 4) + "]"), 4, "at most 3"),
    (HALVES + bd("%b : memref<16xi16>, 0, 8, [<size = 4, stride = 2>]"), 4, "the innermost stride is 2, but must be 1"),
    (HALVES + bd("%b : memref<16xi16>, 0, 7"), 4, "the transfer has 14 bytes, which is no multiple of 4"),
    (HALVES + bd("%b : memref<16xi16>, 1, 8"), 4, "offset 1 elements is no multiple of 4 bytes"),
    (BUFFER + bd("%b : memref<16xi32>", attributes="{bd_id = 16 : i32}"), 4, "bd_id is 16, a core tile has 0 to 15"),
    (BUFFER + bd("%b : memref<16xi32>", attributes="{burst_length = 64 : i32}"), 4, "'burst_length' is for shim tiles"),
    (
        BUFFER + bd("%b : memref<16xi32>", attributes="{packet = #aie.packet_info<pkt_type = 0, "
                                                      "pkt_id = 32>}"),
        4,
        "packet id 32 is outside [0:31]",
    ),
    (
        BUFFER + bd("%b : memref<16xi32>, 0, 8, [<size = 8, stride = 1>], [<const_pad_before = 1, "
                    "const_pad_after = 1>]"),
        4,
        "padding is only supported by the DMA of a memtile",
    ),
    (
        BUFFER + "%u = aie.tile(0, 3)\n" + bd("%b : memref<16xi32>", "aie.mem(%u)"),
        5,
        "the DMA of a core tile can only reach a buffer of the same tile",
    ),
    (
        TILE + "%core = aie.core(%t) {\n  %z = arith.constant 0 : index\n  %p = arith.constant 0 : i32\n"
        "  scf.for %i = %z to %z step %z {\n    aie.put_stream(%p : i32, %p : i32)\n  }\n  aie.end\n}\n",
        6,
        "it is in 'scf.for'",
    ),
    (
        BUFFER + "%m = aie.mem(%t) {\n"
                 "  %0 = aie.dma(S2MM, 0) [{\n"
                 "    aie.dma_bd(%b : memref<16xi32>)\n"
                 "  }]\n"
                 "  aie.end\n"
                 "}\n",
        4,
        "each of its blocks needs one aie.dma_bd and two aie.use_lock",
    ),
    (TILE + "aie.mem(%t) {\n  aie.dma_start(S2MM, 2, ^a, ^a)\n^a:\n  aie.end\n}\n", 3, "channel 2 does not exist"),
    (
        TILE + "aie.switchbox(%t) {\n"
               "  aie.connect<DMA : 0, North : 1>\n"
               "  aie.connect<South : 0, North : 1>\n"
               "}\n",
        4,
        "output North : 1 of tile (0, 2) already has a source",
    ),
    (
        SHIM + TILE + "aie.objectfifo @f(%s, {%t}, [1, 2, 3]) : !aie.objectfifo<memref<4xi32>>\n",
        3,
        "3 depths, expected 2",
    ),
    (SHIM + TILE + "aie.objectfifo @f(%s, {%t}, 0 : i32) : !aie.objectfifo<memref<4xi32>>\n", 3, "depth 0"),
    (
        SHIM + TILE + "aie.objectfifo @f(%s dimensionsToStream [<size = 1, stride = 1>], {%t}, 2 : i32) : "
        "!aie.objectfifo<memref<4xi32>>\n",
        3,
        "'dimensionsToStream' is not supported for a shim tile",
    ),
    (
        SHIM + TILE + "aie.objectfifo @f(%t, {%s}, 2 : i32) : !aie.objectfifo<memref<1xi32>> = [dense<0>]\n",
        3,
        "1 initial values, but depth 2",
    ),
    (
        SHIM + "aie.objectfifo.link [@a, @b] -> [@c, @d] ([0, 1] [0, 1])\n",
        2,
        "a link either joins or distributes, it cannot do both",
    ),
    (SHIM + "aie.objectfifo.link [@a, @b] -> [@c] ([0] [])\n", 2, "2 input objectFifos, but 1 offsets"),
    (SHIM + "aie.objectfifo.link [@a, @b] -> [@c] ([0, 4] [0])\n", 2, "a link that joins has no offsets for its output"),
    (SHIM + "aie.objectfifo.link [@a] -> [@b, @c] ([0] [0, 4])\n", 2, "link that distributes has no offsets for its input"),
    (
        SHIM + TILE + MEMTILE + "aie.objectfifo @a(%t, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>\n"
        "aie.objectfifo @b(%m, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>\n"
        "aie.objectfifo @c(%s, {%t}, 2 : i32) : !aie.objectfifo<memref<8xi32>>\n"
        "aie.objectfifo.link [@a, @b] -> [@c] ([0, 4] [])\n",
        7,
        "objects cannot be joined or distributed in a shim tile",
    ),
    (
        SHIM + TILE + MEMTILE + "aie.objectfifo @a(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<8xi32>>\n"
        "aie.objectfifo @b(%m, {%t}, 2 : i32) {repeat_count = 2 : i32} : !aie.objectfifo<memref<4xi32>>\n"
        "aie.objectfifo @c(%m, {%t}, 2 : i32) : !aie.objectfifo<memref<4xi32>>\n"
        "aie.objectfifo.link [@a] -> [@b, @c] ([] [0, 4])\n",
        7,
        "the outputs have different repeat counts: 2, 0",
    ),
    (
        FIFO + "%e = aie.external_buffer : memref<4xi32>\n"
        "aie.objectfifo.register_external_buffers @f(%t, {%e}) : (memref<4xi32>)\n",
        5,
        "tile (0, 2) is no shim tile",
    ),
    ("aie.shim_dma_allocation @x(MM2S, 2, 0)\n", 1, "channel 2 does not exist, a shim tile has 0 to 1"),
    ("aie.shim_dma_allocation @x(MM2S, 0, 2)\n", 1, "column 2 is outside npu1_2col, which has columns 0 to 1"),
    (core("", "{stack_size = 65540 : i32}"), 2, "stack_size is 65540; a core has 65536 bytes of data memory"),
    (SHIM + "aie.objectfifo.release @f(Consume, 1)\n", 2, "must be inside a core"),
    (FIFO + "aie.core(%t) {\n  aie.objectfifo.release @f(Produce, 1)\n  aie.end\n}\n", 5, "which is no producer of '@f'"),
    (
        FIFO + "aie.core(%t) {\n"
               "  %v = aie.objectfifo.acquire @f(Consume, 1) : !aie.objectfifosubview<memref<4xi8>>\n"
        "  aie.end\n}\n",
        5,
        "gives !aie.objectfifosubview<memref<4xi8>>, but the objectFifo has !aie.objectfifo<memref<4xi32>>",
    ),
    (
        FIFO + "aie.objectfifo @g(%s, {%t}, 2 : i32) : !aie.objectfifo<memref<4xi32>>\n"
        "aie.objectfifo.link [@f] -> [@g] ([] [])\n",
        5,
        "the objectFifos have no tile in common",
    ),
    (
        core(
            "  %v = aie.objectfifo.acquire @f(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>\n"
            "  %e = aie.objectfifo.subview.access %v[1] : "
            "!aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>"
        ),
        4,
        "element 1 of 1 acquired",
    ),
    (core("  func.call @nowhere() : () -> ()"), 3, "function '@nowhere' is not declared"),
    ("func.func private @k(i32)\n" + core("  func.call @k() : () -> ()"), 4, "call of '@k': 0 arguments, expected 1"),
    (
        "func.func private @k(memref<4xi32>)\n" + BUFFER + "%core = aie.core(%t) {\n"
        "  func.call @k(%b) : (memref<16xi32>) -> ()\n  aie.end\n}\n",
        5,
        "argument 0 has type memref<16xi32>, expected memref<4xi32>",
    ),
    (core("  %c = arith.constant 1.0 : f32\n  %d = arith.addi %c, %c : f32"), 4, "'arith.addi' works on integers"),
    (core("  %c = arith.constant 1 : i32\n  %d = arith.mulf %c, %c : i32"), 4, "'arith.mulf' works on floats"),
    (
        BUFFER + "%core = aie.core(%t) {\n  %x = memref.load %b[] : memref<16xi32>\n  aie.end\n}\n",
        4,
        "'memref.load' has 0 subscripts, but memref<16xi32> has 1 dimensions",
    ),
    (
        core("  %d = arith.addi %c, %c : i32\n  %c = arith.constant 1 : i32"),
        3,
        "'arith.addi' uses '%c' before it is defined",
    ),
    (
        core(
            "  %true = arith.constant true\n"
            "  cf.cond_br %true, ^a, ^b\n"
            "^a:\n"
            "  %c = arith.constant 1 : i32\n"
            "  cf.br ^b\n"
            "^b:\n  %d = arith.addi %c, %c : i32"
        ),
        9,
        "'arith.addi' uses '%c' before it is defined",
    ),
    (
        core("  %c = arith.constant 1 : i32\n  cf.br ^a(%c : i32)\n^a(%x: index):"),
        4,
        "^a takes (index), but 'cf.br' passes (i32)",
    ),
    (core("  cf.br ^a\n  %c = arith.constant 1 : i32\n^a:"), 3, "'cf.br' must be the last operation of its block"),
    (copy("1, 1, 1, 30", "0, 0, 0, 1", "i8"), 2, "30 elements of 1 bytes are 30 bytes"),
    (copy("1, 1, 2, 1024", "0, 0, 4096, 1"), 2, "size 0 is 1024 words and exceeds the range [0:1023]"),
    (copy("1, 1024, 1, 4", "0, 4, 0, 1"), None, ""),
    (copy("1, 1, 1024, 4", "0, 0, 8, 1"), 2, "size 1 is 1024 rows and exceeds the range [0:1023]"),
    (copy("66, 1, 1, 4", "4, 0, 0, 1"), 2, "size 3 is 66 and exceeds the range [1:64]"),
    (copy("1, 2, 1, 4", "0, 1050000, 0, 1"), 2, "stride 2 is 1050000 words and exceeds the range"),
    (copy("1, 1, 2, 4", "0, 0, 0, 1"), 2, "stride 1 is 0, expected at least 1"),
    (copy("1, 1, 0, 4", "0, 0, 0, 1"), 2, "size 1 is 0, expected at least 1"),
    (copy("1, 1, 2, 4", "0, 0, 6, 1", "i8"), 2, "stride 1 is 6 elements of 1 bytes, "
                                                "which is no multiple of 4 bytes"),
    (copy("1, 1, 1, 4", "0, 0, 0, 1", "i8", "0, 0, 0, 3"), 2, "the offset is no multiple of 4 bytes"),
    (copy("1, 1, 1, 2048", "0, 0, 0, 1"), None, ""),
    (copy("1, 1, 2, 1024", "0, 0, 1024, 1", sequence="aie"), None, ""),
    (copy("1, 1, 2, 1024", "0, 0, 1024, 1"), 2, "size 0 is 1024 words"),
    ("aiex.runtime_sequence() {\n  aiex.npu.write32 {address = 4 : ui32}\n}\n", 2, "requires attribute 'value'"),
    (
        "aiex.runtime_sequence() {\n"
        "  aiex.npu.write32 {address = 4 : ui32, value = 1 : ui32, column = 0 : i32}\n"
        "}\n",
        2,
        "needs both 'column' and 'row', or neither",
    ),
    (SHIM + "aiex.runtime_sequence() {\n  aiex.dma_start_task(%s)\n}\n", 3, "needs the result of 'aiex.dma_configure_task'"),
    (
        MEMTILE + TILE + "aie.memtile_dma(%m) {\n" + "".join(
            f"  aie.dma_bd(%b : memref<4xi32>)\n  aie.next_bd ^b{i}\n^b{i}:\n" for i in range(49)
        ).replace("%b ", "%buf ") + "  aie.end\n}\n",
        3,
        "has more than 48 blocks with a buffer descriptor (49)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "line", "message"), INVALID, ids=[str(i) for i in range(len(INVALID))])
def test_invalid_designs(body: str, line: int | None, message: str) -> None:
    if "%buf" in body:
        body = body.replace(
            "aie.memtile_dma", '%buf = aie.buffer(%m) {sym_name = "b"} : memref<4xi32>\naie.memtile_dma'
        )
        line = 4
    module = parse_module(f"aie.device(npu1_2col) {{\n{body}}}\n", "bad.mlir")
    if line is None:
        verify(module)  # the neighbour of an error, and valid
        return
    with pytest.raises(UserError) as caught:
        verify(module)
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.line == line + 1, caught.value.render()


GENERIC = [
    ('"aie.tile"() <{col = 0 : i32, row = 2 : i32}> : () -> ()', "has 0 results, expected 1"),
    (
        '%t = "aie.tile"() <{col = 0 : i32, row = 2 : i32}> : () -> i32',
        "the result has type i32, expected index",
    ),
    ('%t = "aie.tile"() <{col = 0 : i32}> : () -> index', "requires attribute 'row'"),
    (
        '%c = arith.constant 1 : i32\n%l = "aie.lock"(%c) : (i32) -> index',
        "tile has type i32, expected index",
    ),
    ('%t = aie.tile(0, 2)\n%c = "aie.core"(%t) : (index) -> index', "has 0 regions, expected 1"),
    ('%t = aie.tile(0, 2)\n%m = aie.mem(%t) {\n"cf.br"() : () -> ()\n}', "has 0 successors, expected 1"),
]


@pytest.mark.parametrize(("body", "message"), GENERIC, ids=[str(i) for i in range(len(GENERIC))])
def test_what_only_the_generic_form_can_get_wrong(body: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        verify(parse_module(f"aie.device(npu1) {{\n{body}\n}}\n", "bad.mlir"))
    assert message in caught.value.message


def test_devices_that_are_no_npu_are_refused() -> None:
    with pytest.raises(UserError, match="xcve2802 is not an NPU"):
        verify(parse_module("aie.device(xcve2802) {}", "bad.mlir"))


def test_operations_made_by_code_are_checked_too() -> None:
    tile = Operation("aie.tile", attributes={"col": IntegerAttr(0, "i32")}, result_types=("index",))
    module = Operation("builtin.module", regions=[Region([Block()])])
    module.body.append(tile)
    with pytest.raises(UserError, match=r"'aie\.tile' requires attribute 'row'"):
        verify(module)
    tile.attributes["row"] = IntegerAttr(2, "i32")
    verify(module)
    lock = module.body.append(Operation("aie.lock", [], result_types=("index",)))
    with pytest.raises(UserError, match=r"'aie\.lock' has 0 operands, which do not fit \(tile\)"):
        verify(module)
    lock.operands = [tile.result]
    verify(module)
