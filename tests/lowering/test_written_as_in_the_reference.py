"""How MLIR-AIE 1.4 writes what has several spellings: outputs of its aie-opt, for designs of our own."""

from __future__ import annotations

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings

TILES = """%s = aie.tile(0, 0)
%t = aie.tile(0, 2)
%b = aie.buffer(%t) {sym_name = "b"} : memref<8xi32>
"""
ADDRESSES, SEQUENCE = "input_with_addresses.mlir", "npu_insts.mlir"


def descriptor(text: str) -> str:
    return f"""%d = aie.mem(%t) {{
%0 = aie.dma_start(S2MM, 0, ^a, ^e)
^a:
aie.dma_bd({text}
aie.next_bd ^e
^e:
aie.end
}}"""


def core(*functions: str) -> str:
    calls = "".join(f"func.call @{name.split('(')[0]}() : () -> ()\n" for name in functions)
    declared = "".join(
        f"func.func private @{name.split('(')[0]}() attributes {{{name.split('(')[1]}}}\n"
        for name in functions
    )
    return f"{declared}aie.core(%t) {{\n{calls}aie.end\n}}"


MERGED = 'link_with = "k.ll", link_with_mode = "merge"'
TASK = """aie.runtime_sequence(%x: memref<32xi8>) {
%k = aiex.dma_configure_task(%s, MM2S, 0, <pkt_type = 1, pkt_id = 2>) {
aie.dma_bd(%x : memref<32xi8> offset = 4 len = 16) {bd_id = 0 : i32}
aie.end
}
}"""
BLOCK = """memref.global "private" constant @data : memref<2xi32> = dense<[4, 3]>
aie.runtime_sequence() {
%0 = memref.get_global @data : memref<2xi32>
aiex.npu.blockwrite(%0) {buffer = @b, address = 2 : ui32, value = 1234 : ui32} : memref<2xi32>
}"""
BINDING = """aie.objectfifo_rearm_binding @r channels(%t : index) locks(%l : index) \
{channel_dirs = array<i32: 0>, channel_indices = array<i32: 0>, lock_inits = array<i32: 1>}"""
FIRST = 'address = 0 : i32, mem_bank = 0 : i32, sym_name = "i"'


@pytest.mark.parametrize(
    ("body", "file", "line"),
    [
        (
            "func.func private @g()\nfunc.func @f() {\nfunc.call @g() : () -> ()\nfunc.return\n}",
            ADDRESSES,
            "      call @g() : () -> ()",
        ),
        (descriptor("%b : memref<8xi32>)"), ADDRESSES, "aie.dma_bd(%b : memref<8xi32>) {bd_id = 0 : i32}"),
        (descriptor("%b : memref<8xi32> len = 4)"), ADDRESSES, "memref<8xi32> len = 4) {bd_id"),
        (descriptor("%b : memref<8xi32> offset = 0)"), ADDRESSES, "memref<8xi32> offset = 0) {bd_id"),
        (descriptor("%b : memref<8xi32> offset = 0 len = 8)"), ADDRESSES, "offset = 0 len = 8) {bd_id"),
        # A length in the braces is no length to them, so it must be that of the whole buffer.
        (
            descriptor("%b : memref<8xi32>) {len = 8 : i32}"),
            ADDRESSES,
            "memref<8xi32>) {bd_id = 0 : i32, len = 8 : i32}",
        ),
        ("func.func @f() {\nfunc.return\n}", ADDRESSES, "      return"),
        (
            "func.func private @g(i32) -> i32\naie.core(%t) {\n%f = func.constant @g : (i32) -> i32\n"
            "%c1 = arith.constant 1 : i32\n"
            "%0 = func.call_indirect %f(%c1) : (i32) -> i32\n"
            "%1 = func.call_indirect %f(%0) : (i32) -> i32\n"
            "aie.end\n"
            "}",
            ADDRESSES,
            "func.call @g(%0) : (i32) -> i32",
        ),
        # An index has 64 bits in MLIR, so five of them are more than the eight words of @b.
        ('%i = aie.buffer(%t) {sym_name = "i"} : memref<5xindex>', ADDRESSES, FIRST),
        (
            '%n = aie.buffer(%t) {address = 0x402 : i32, aligned = false, sym_name = "n"} : memref<8xi16>\n'
            + descriptor("%n : memref<8xi16> offset = 1 len = 2)"),
            ADDRESSES,
            "memref<8xi16> offset = 1 len = 2) {bd_id",
        ),
        (f"%l = aie.lock(%t, 0) {{init = 1 : i32}}\n{BINDING}", ADDRESSES, BINDING.split("{")[1]),
        (
            core(f"f({MERGED}", 'g(link_with = "g.o"'),
            ADDRESSES,
            '{link_files = ["g.o"], link_merge_files = ["k.ll"]}',
        ),
        (
            '%n = aie.buffer(%t) {sym_name = "n"} : memref<4x4x4xi32>\n'
            "func.func private @v(memref<1x4x4xi32, strided<[16, 4, 1], offset: ?>>)\n"
            "aie.core(%t) {\n"
            "%c0 = arith.constant 0 : index\n"
            "%c1 = arith.constant 1 : index\n"
            "%c4 = arith.constant 4 : index\n"
            "scf.for %i = %c0 to %c4 step %c1 {\n"
            "%v = memref.subview %n[%i, %c0, %c0] [1, 4, 4] [1, 1, 1] : memref<4x4x4xi32> to "
            "memref<1x4x4xi32, strided<[16, 4, 1], offset: ?>>\n"
            "func.call @v(%v) : (memref<1x4x4xi32, strided<[16, 4, 1], offset: ?>>) -> ()\n}\naie.end\n}",
            ADDRESSES,
            ", 0, 0] [1, 4, 4] [1, 1, 1]",
        ),
        (
            "aie.runtime_sequence(%x: memref<32xi32>) {\n"
            "%v = memref.subview %x[0] [8] [1] : memref<32xi32> to memref<8xi32, strided<[1]>>\n"
            "%w = memref.reinterpret_cast %v to offset: [0], sizes: [8], strides: [1] : memref<8xi32, "
            "strided<[1]>> to memref<8xi32>\n"
            "%k = aiex.dma_configure_task(%s, MM2S, 0) {\n"
            "aie.dma_bd(%w : memref<8xi32> offset = 0 len = 8) {bd_id = 0 : i32}\naie.end\n}\n}",
            ADDRESSES,
            "memref.reinterpret_cast %x to offset: [0], sizes: [8], strides: [1] : "
            "memref<32xi32> to memref<8xi32>",
        ),
        # Equal tiles are one.
        (
            '%u = aie.tile(0, 2)\n%n = aie.lock(%u, 1) {init = 1 : i32, sym_name = "n"}',
            ADDRESSES,
            "%n = aie.lock(%t, 1)",
        ),
        # The header of a task is that of its descriptors.
        (TASK, SEQUENCE, "dense<[4, 4, 1074855936, 0, -2147483648, 33554432, 0, 33554432]>"),
        (BLOCK, SEQUENCE, "aiex.npu.blockwrite(%0) {address = 2097160 : ui32} : memref<2xi32>"),
    ],
)
def test_a_line_is_written(body: str, file: str, line: str) -> None:
    text = lower_design(
        f"module {{ aie.device(npu1) {{\n{TILES}{body}\n}} }}", "d.mlir", None, "2026-08", Warnings()
    )
    assert line in text[file].decode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (core('f(link_with = "k.ll", link_with_mode = "inline"'), "link_with_mode is 'inline'"),
        (core('f(link_with_mode = "merge"'), "there is no link_with"),
        # The buffer is that of the link, of 25 elements.
        (
            "%m = aie.tile(0, 1)\naie.objectfifo @i(%s, {%m}, 1 : i32) : !aie.objectfifo<memref<25xi32>>\n"
            "aie.objectfifo @o(%m dimensionsToStream [<size = 5, stride = 5>, <size = 5, stride = 5>], "
            "{%s}, 1 : i32) {padDimensions = #aie<bd_pad_layout_array[<const_pad_before = 2, "
            "const_pad_after = 0>, <const_pad_before = 3, const_pad_after = 0>]>} : "
            "!aie.objectfifo<memref<56xi32>>\n"
            "aie.objectfifo.link [@i] -> [@o] ([] [])",
            "reach element 40 of a buffer of 25",
        ),
        # Its field has 14 bits; the whole memory of a tile has one word more.
        (
            '%n = aie.buffer(%t) {sym_name = "n"} : memref<16384xi32>\n'
            + descriptor("%n : memref<16384xi32>)"),
            "length is 16384 words",
        ),
        (core(f"f({MERGED}", 'g(link_with = "k.ll"'), "merges 'k.ll' into its code"),
        (
            f"%l = aie.lock(%t, 0) {{init = 1 : i32}}\n{BINDING}\n"
            "aie.runtime_sequence() {\naiex.dma_channel_reset_for(@r)\n}",
            "a channel without a program that could be started again",
        ),
        (
            "func.func private @g(i32)\naie.core(%t) {\n%f = func.constant @g : () -> ()\naie.end\n}",
            r"'@g' has type \(i32\) -> \(\), not \(\) -> \(\)",
        ),
        (
            "%c = aie.logical_tile<CoreTile>(?, ?)\n"
            "aie.mem(%c) {\n"
            "%0 = aie.dma_start(MM2S, 2, ^e, ^e)\n"
            "^e:\n"
            "aie.end\n"
            "}",
            "channel 2 does not exist",
        ),
    ],
)
def test_a_design_is_refused(body: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        lower_design(
            f"module {{ aie.device(npu1) {{\n{TILES}{body}\n}} }}", "d.mlir", None, "2026-08", Warnings()
        )
    assert refused.value.location is not None


def test_two_equal_loads_are_one() -> None:
    load, write = (
        "aiex.npu.load_pdi {device_ref = @other}",
        "aiex.npu.write32 {address = 4 : ui32, value = 1 : ui32}",
    )
    text = f"""module {{ aie.device(npu2) {{
aie.runtime_sequence @s() {{
aiex.configure @other {{
aiex.run @r() : ()
}}
}}
}}
aie.device(npu2) @other {{
aie.runtime_sequence @r() {{
{load}
{write}
{load}
{load}
}}
}} }}"""
    made = lower_design(text, "d.mlir", None, "2026-02", Warnings())[SEQUENCE].decode()
    first = made[: made.index("@other {")]
    assert [word for word in ("load_pdi", "write32") for _ in range(first.count(word))] == [
        "load_pdi"
    ] * 2 + ["write32"]


def test_a_part_in_braces_is_no_text_of_this_release() -> None:
    """It would move 8 elements there: with other words of that release it is mixed."""
    body = descriptor("%b : memref<8xi32>) {len = 4 : i32}") + "\n" + TASK
    with pytest.raises(UserError, match=r"mixes generations.*braces"):
        lower_design(
            f"module {{ aie.device(npu1) {{\n{TILES}{body}\n}} }}", "d.mlir", None, "auto", Warnings()
        )


def test_an_acquire_of_nothing_is_left_out() -> None:
    lock = "%l = aie.lock(%t, 0) {init = 1 : i32}\n%zero = arith.constant 0 : i32\n"
    acquire = "aie.use_lock(%l, AcquireGreaterEqual, %zero)\naie.dma_bd"
    body = lock + descriptor("%b : memref<8xi32>)").replace("aie.dma_bd", acquire)
    text = f"module {{ aie.device(npu1) {{\n{TILES}{body}\n}} }}"
    assert b"use_lock" not in lower_design(text, "d.mlir", None, "2026-08", Warnings())[ADDRESSES]


def test_a_link_through_a_core_tile_fills_as_many_objects_as_the_inner_fifo_has() -> None:
    text = """module { aie.device(npu1) {
%s = aie.tile(0, 0)
%a = aie.tile(0, 2)
%b = aie.tile(0, 4)
aie.objectfifo @inner(%a, {%b}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
aie.objectfifo @outer(%b, {%s}, 4 : i32) : !aie.objectfifo<memref<16xi32>>
aie.objectfifo.link [@inner] -> [@outer] ([] [])
} }"""
    made = lower_design(text, "d.mlir", None, "2026-08", Warnings())[ADDRESSES].decode()
    filled = made[made.index("%mem_0_4") :]
    assert filled.count("offset = 0 len = 8)") == 2
    assert filled.count("offset = 0 len = 16)") == 4


@pytest.mark.parametrize("behind", ["", "aiex.dma_free_task(%k)\n"])
def test_an_awaited_task_is_freed_as_often_as_one_likes(behind: str) -> None:
    task = TASK.replace("aie.end\n}\n}", "aie.end\n} {issue_token = true}\naiex.dma_start_task(%k)\n")
    await_and_free = "aiex.dma_await_task(%k)\naiex.dma_free_task(%k)\n" + behind + "}"
    text = f"module {{ aie.device(npu1) {{\n{TILES}{task}{await_and_free}\n}} }}"
    assert b"npu.sync" in lower_design(text, "d.mlir", None, "2026-08", Warnings())[SEQUENCE]


def test_a_task_that_nothing_awaited_is_freed_once() -> None:
    task = TASK.replace("aie.end\n}\n}", "aie.end\n}\naiex.dma_start_task(%k)\n")
    text = (
        f"module {{ aie.device(npu1) {{\n"
        f"{TILES}{task}aiex.dma_free_task(%k)\n"
        "aiex.dma_free_task(%k)\n"
        f"}}\n"
        f"}} }}"
    )
    with pytest.raises(UserError, match="free already"):
        lower_design(text, "d.mlir", None, "2026-08", Warnings())
