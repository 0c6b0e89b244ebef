"""Step 3: runtime sequences against the reference tools' results, and what is refused."""

import json
import struct

import pytest
from conformance.compare_mlir import compare
from conftest import positive_designs

from npuninja.errors import UserError, Warnings
from npuninja.formats.txn import (
    AddressPatch,
    BlockWrite,
    LoadPdi,
    MaskWrite,
    Sync,
    Write,
    read_txn,
)
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.pipeline import instructions, lower_sequence, sequence_is_routed


def lowered(text, generation="2025-10", file="d.mlir", warnings=None):
    module = parse_module(text, file)
    lower_sequence(module, generation=generation, warnings=warnings or Warnings())
    return module


@pytest.mark.parametrize("folder", positive_designs(), ids=lambda p: p.name)
def test_conformance(folder):
    generation = json.loads((folder / "meta.json").read_text())["generation"]
    path = folder / ("input_physical.mlir" if sequence_is_routed(generation) else "input_with_addresses.mlir")
    module = lowered(path.read_text(), generation, str(path))
    text = print_module(module)
    assert compare(text, (folder / "npu_insts.mlir").read_text()) == []
    module = parse_module(text, "npu_insts.mlir")  # the instructions are made from the file
    for expected in folder.glob("*insts*.hex"):
        # [DEVICE.]insts[.SEQUENCE].hex
        device, _, sequence = expected.stem.partition("insts")
        data = instructions(module, device.rstrip("."), sequence.lstrip("."), generation=generation)
        words = struct.unpack(f"<{len(data) // 4}I", data)
        assert [f"{word:08X}" for word in words] == expected.read_text().split()


def design(
    body, arguments="%a: memref<1024xi32>, %b: memref<64x64xi16>", before="", device="npu1", sequence="aiex"
):
    return f"""module {{ aie.device({device}) {{
  %t00 = aie.tile(0, 0) {{controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}}
  %t01 = aie.tile(0, 1) {{controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 26>}}
  %t12 = aie.tile(1, 2) {{controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 27>}}
  aie.shim_dma_allocation @in({"%t00, " if sequence == "aie" else ""}MM2S, 1{"" if sequence == "aie" else ", 0"})
  aie.shim_dma_allocation @out({"%t00, " if sequence == "aie" else ""}S2MM, 0{"" if sequence == "aie" else ", 0"})
  %mem = aie.buffer(%t01) {{address = 8192 : i32, sym_name = "mem"}} : memref<256xi32>
  %half = aie.buffer(%t01) {{address = 4096 : i32, sym_name = "half"}} : memref<64xi16>
  %rtp = aie.buffer(%t12) {{address = 1024 : i32, sym_name = "rtp"}} : memref<4xi32>
  %lost = aie.buffer(%t12) {{sym_name = "lost"}} : memref<4xi32>
  %lock = aie.lock(%t01, 3) {{init = 0 : i32, sym_name = "lock"}}
  %free = aie.lock(%t12) {{init = 0 : i32, sym_name = "free"}}
  aie.flow(%t00, DMA : 1, %t12, DMA : 0)
{before}
  {sequence}.runtime_sequence @seq({arguments}) {{
{body}
  }}
}} }}"""


def operations(body, generation="2025-10", **others):
    text = design(body, sequence="aie" if generation == "2026-02" else "aiex", **others)
    return list(read_txn(instructions(lowered(text, generation), "", "seq")).operations)


def words(operation):
    assert isinstance(operation, BlockWrite)
    return list(struct.unpack(f"<{len(operation.data) // 4}I", operation.data))


def transfer(subscript, metadata="in", more="", argument="%a", type="memref<1024xi32>"):
    return (
        f"aiex.npu.dma_memcpy_nd({argument}{subscript}) {{id = 0 : i64, "
        f"metadata = @{metadata}{more}}} : {type}"
    )


SMALL = "[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]"


def test_writes_of_every_addressing():
    found = operations("""
    aiex.npu.write32 {address = 0x12345 : ui32, value = 7 : ui32}
    aiex.npu.write32 {address = 0x12345 : ui32, column = 2 : i32, row = 3 : i32, value = 0xFFFFFFFF : ui32}
    aiex.npu.write32 {address = 2 : ui32, buffer = @rtp, value = 9 : ui32}
    aiex.npu.maskwrite32 {address = 4 : ui32, column = 1 : i32, row = 0 : i32, mask = 6 : ui32, value = 2 : ui32}
    aiex.npu.rtp_write(@rtp, 3, -1)
    aiex.set_lock(%lock, 5)
    aiex.npu.preempt {level = 1 : ui8}""")
    assert found[:6] == [
        Write(0x12345, 7),
        Write(2 << 25 | 3 << 20 | 0x12345, 0xFFFFFFFF),
        Write(1 << 25 | 2 << 20 | 1024 + 8, 9),
        MaskWrite(1 << 25 | 4, 6, 2),
        Write(1 << 25 | 2 << 20 | 1024 + 12, 0xFFFFFFFF),
        Write(1 << 20 | 0xC0030, 5),
    ]
    assert found[6].level == 1


def test_buffers_are_gone_after_step_3():
    text = design(
        "aiex.npu.maskwrite32 {address = 1 : ui32, buffer = @rtp, mask = 6 : ui32, value = 2 : ui32}"
    )
    lines = print_module(lowered(text)).split("\n")
    (line,) = [line for line in lines if "maskwrite32" in line]
    assert (
        line.strip() == "aiex.npu.maskwrite32 {address = 35652612 : ui32, mask = 6 : ui32, value = 2 : ui32}"
    )


def test_transfer_with_every_dimension():
    found = operations("""
    aiex.npu.dma_memcpy_nd(%b[1, 0, 2, 4][2, 3, 8, 16][2048, 32, 64, 1]) {id = 3 : i64, metadata = @out} : memref<64x64xi16>
    aiex.npu.dma_wait {symbol = @out}""")
    block, patch, controller, push, sync = found
    assert block.address == 0x1D060
    # 3·8·16 elements of 2 bytes; rows of 8 words 32 words apart, planes 16 words, iteration 1024 words.
    assert words(block) == [192, 0, 0, 8 << 20, 2 << 30 | 8 << 20 | 31, 2 << 24 | 15, 1 << 20 | 1023, 1 << 25]
    assert patch == AddressPatch(0x1D064, 1, (2048 + 2 * 64 + 4) * 2)
    assert controller == MaskWrite(0x1D200, 0x1F00, 15 << 8)
    assert push == Write(0x1D204, 3 | 1 << 16 | 1 << 31)
    assert sync == Sync(0, 0, 0, 0, 1, 1)


def test_input_transfers_issue_no_token_unless_asked():
    silent = operations(transfer(SMALL))
    assert [type(op) for op in silent] == [BlockWrite, AddressPatch, Write]
    assert silent[2] == Write(0x1D21C, 0)
    asked = transfer(
        SMALL + ", packet = <pkt_type = 1, pkt_id = 6>", more=", issue_token = true, burst_length = 64 : i64"
    )
    loud = operations(asked)
    assert words(loud[0])[2] == 1 << 30 | 6 << 19 | 1 << 16
    assert words(loud[0])[4] == 0  # the shortest burst
    assert loud[2:] == [MaskWrite(0x1D218, 0x1F00, 15 << 8), Write(0x1D21C, 1 << 31)]


def test_longest_burst_depends_on_the_family():
    assert words(operations(transfer(SMALL))[0])[4] == 2 << 30
    assert words(operations(transfer(SMALL), device="npu2")[0])[4] == 3 << 30


def test_parts_of_arguments():
    part = "memref<32x32xi16, strided<[64, 1], offset: 136>>"
    body = f"""
    %part = memref.subview %b[2, 8] [32, 32] [1, 1] : memref<64x64xi16> to {part}
    {transfer("[0, 0, 1, 2][1, 1, 4, 16][0, 0, 64, 1]", argument="%part", type=part)}"""
    found = operations(body, generation="2026-02")
    assert found[1] == AddressPatch(0x1D004, 1, 2 * (2 * 64 + 8) + 2 * (64 + 2))


def test_contiguous_transfers_are_linear_since_2026():
    body = transfer("[0, 0, 0, 0][1, 4, 16, 16][0, 256, 16, 1]")
    assert words(operations(body, generation="2026-02")[0])[3:6] == [0, 2 << 30, 2 << 24]
    assert words(operations(body)[0])[3:6] == [16 << 20, 2 << 30 | 16 << 20 | 15, 2 << 24 | 255]


def test_equal_descriptors_share_their_data():
    lines = [
        transfer(f"[0, 0, 0, {64 * i}][1, 1, 1, 64][0, 0, 0, 1]").replace("id = 0", f"id = {i}")
        for i in range(3)
    ]
    module = lowered(design("\n".join(lines)))
    text = print_module(module)
    assert text.count('memref.global "private"') == 1
    assert text.count("memref.get_global @blockwrite_data_0") == 3


TASK = """
    %t = aiex.dma_configure_task(%t00, MM2S, 0) {{
      aie.dma_bd(%a : memref<1024xi32>, 16, 32{dims}) {{packet = #aie.packet_info<pkt_type = 2, pkt_id = 3>{bd}}}
      aie.end
    }} {{issue_token = true, repeat_count = 4 : i32}}
    aiex.dma_start_task(%t)
    aiex.dma_await_task(%t)"""


def test_task():
    block, patch, controller, push, sync = operations(TASK.format(dims="", bd=""))
    assert (block.address, words(block)[:3]) == (0x1D000, [32, 64, 1 << 30 | 3 << 19 | 2 << 16])
    assert patch == AddressPatch(0x1D004, 0, 64)
    assert controller == MaskWrite(0x1D210, 0x1F00, 15 << 8)
    assert push == Write(0x1D214, 4 << 16 | 1 << 31)
    assert sync == Sync(0, 0, 1, 0, 1, 1)


def test_ids_come_back_after_a_wait():
    body = "".join(
        TASK.format(dims="", bd="").replace("%t ", f"%u{i} ").replace("(%t)", f"(%u{i})") for i in range(20)
    )
    assert {op.address for op in operations(body) if isinstance(op, BlockWrite)} == {0x1D000}


def test_task_ids_step_over_those_asked_for():
    body = """
    %x = aiex.dma_configure_task_for @in {
      aie.dma_bd(%a : memref<1024xi32>, 0, 8)
      aie.next_bd ^two
    ^two:
      aie.dma_bd(%a : memref<1024xi32>, 8, 8) {bd_id = 0 : i32}
      aie.next_bd ^three
    ^three:
      aie.dma_bd(%a : memref<1024xi32>, 16, 8)
      aie.end
    }
    aiex.dma_start_task(%x)"""
    *blocks, push = [op for op in operations(body) if not isinstance(op, AddressPatch)]
    assert [b.address for b in blocks] == [0x1D020, 0x1D000, 0x1D040]
    assert [words(b)[7] for b in blocks] == [0 << 27 | 3 << 25, 2 << 27 | 3 << 25, 1 << 25]
    assert push == Write(0x1D21C, 1)


def test_task_on_a_memtile():
    body = """
    %x = aiex.dma_configure_task(%t01, MM2S, 5) {
      aie.dma_bd(%mem : memref<256xi32>, 16, 60, [<size = 4, stride = 16>, <size = 15, stride = 1>],
        [<const_pad_before = 1, const_pad_after = 2>, <const_pad_before = 3, const_pad_after = 4>])
      aie.end
    } {issue_token = true}
    aiex.dma_start_task(%x)"""
    block, address, controller, push = operations(body, generation="2026-02")
    # Odd channels use descriptors from 24 on.
    assert block.address == 1 << 20 | 0xA0000 + 24 * 0x20
    # 4 rows of 15 words and the padding around them: 7 rows of 22.
    assert words(block)[:6] == [
        7 * 22,
        3 << 26 | 64,  # the offset in bytes, as the reference has it; then the field is written over
        15 << 17,
        1 << 27 | 4 << 17 | 15,
        0,
        2 << 23 | 4 << 17,
    ]
    assert address == MaskWrite(block.address + 4, 0x7FFFF, (8192 + 64) // 4)
    assert controller == MaskWrite(1 << 20 | 0xA0630 + 40, 0x1F00, 26 << 8)
    assert push == Write(1 << 20 | 0xA0630 + 44, 24 | 1 << 31)


CHAIN = """
  aie.bd_chain @two(%x: memref<1024xi32>, %y: memref<64x64xi16>) {
    aie.dma_bd(%x : memref<1024xi32>, 0, 16)
    aie.next_bd ^last
  ^last:
    aie.dma_bd(%y : memref<64x64xi16>, 64, 16)
    aie.end
  }"""


def test_chains():
    body = """
    %p = aiex.dma_start_bd_chain @two(%a, %b) : (memref<1024xi32>, memref<64x64xi16>) on (%t00, S2MM, 1) {issue_token = true}
    %q = aiex.dma_start_bd_chain_for @two(%a, %b) : (memref<1024xi32>, memref<64x64xi16>) for @in
    aiex.dma_await_task(%p)"""
    found = operations(body, before=CHAIN)
    assert [op.address for op in found if isinstance(op, BlockWrite)] == [0x1D000, 0x1D020, 0x1D040, 0x1D060]
    assert [op.offset_bytes for op in found if isinstance(op, AddressPatch)] == [0, 128, 0, 128]
    assert [op for op in found if isinstance(op, Write)] == [Write(0x1D20C, 1 << 31), Write(0x1D21C, 2)]
    assert found[-1] == Sync(0, 0, 0, 1, 1, 1)
    assert "dma_start_bd_chain" not in print_module(lowered(design(body, before=CHAIN)))


def test_the_new_tools_refuse_chains_and_a_warning_says_so():
    warnings = Warnings()
    text = design(
        "%p = aiex.dma_start_bd_chain_for @two(%a, %b) : (memref<1024xi32>, memref<64x64xi16>) for @in",
        before=CHAIN,
    )
    module = parse_module(text.replace("aiex.runtime_sequence", "aie.runtime_sequence"), "d.mlir")
    lower_sequence(module, generation="2026-02", warnings=warnings)
    assert any("is refused by the tools of MLIR-AIE 1.2 and 1.3" in message for message, _ in warnings.items)


TWO_DEVICES = """module {
  aie.device(npu2_1col) @inner {
    %t00 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    %t02 = aie.tile(0, 2)
    %b = aie.buffer(%t02) {address = 64 : i32, sym_name = "b"} : memref<4xi32>
    %l = aie.lock(%t02, 2) {init = 0 : i32, sym_name = "l"}
    aie.shim_dma_allocation @x(%t00, S2MM, 1)
    aie.runtime_sequence @step(%m: memref<64xi32>) {
      aiex.npu.rtp_write(@b, 1, 5)
      aiex.set_lock(%l, 1)
      %t = aiex.dma_configure_task_for @x { aie.dma_bd(%m : memref<64xi32>, 0, 64) aie.end } {issue_token = true}
      aiex.dma_start_task(%t)
      aiex.dma_await_task(%t)
    }
    aie.runtime_sequence @twice(%m: memref<64xi32>) {
      aiex.run @step(%m) : (memref<64xi32>)
      aiex.run @step(%m) : (memref<64xi32>)
    }
  }
  aie.device(npu2_1col) @main {
    %t00 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    aie.shim_dma_allocation @x(%t00, MM2S, 0)
    aie.runtime_sequence @all(%p: memref<8xi32>, %q: memref<64xi32>) {
      aiex.configure @inner { aiex.run @RUN(%q) : (memref<64xi32>) }
      aiex.npu.dma_wait {symbol = @x}
    }
  }
}"""


def test_sequences_of_other_devices():
    module = lowered(TWO_DEVICES.replace("@RUN", "@twice"), "2026-02")
    found = list(read_txn(instructions(module, "main", "all")).operations)
    step = [
        Write(2 << 20 | 68, 5),
        Write(2 << 20 | 0x1F020, 1),
        BlockWrite(0x1D000, struct.pack("<8I", 64, 0, 0, 0, 3 << 30, 2 << 24, 0, 1 << 25)),
        AddressPatch(0x1D004, 1, 0),
        MaskWrite(0x1D208, 0x1F00, 15 << 8),
        Write(0x1D20C, 1 << 31),
        Sync(0, 0, 0, 1, 1, 1),
    ]
    # The driver's own @x is another channel: the copy got another name.
    assert found == [LoadPdi(0, 0, 0), *step, *step, Sync(0, 0, 1, 0, 1, 1)]
    assert len(read_txn(instructions(module, "inner", "step")).operations) == 7


def test_the_last_run_names_its_things_first():
    # The last run has the plain name.
    other = TWO_DEVICES[
        TWO_DEVICES.index("  aie.device") : TWO_DEVICES.index("  aie.device(npu2_1col) @main")
    ]
    other = other.replace("@inner", "@other").replace("address = 64", "address = 128")
    text = TWO_DEVICES.replace("module {\n", "module {\n" + other).replace(
        "aiex.npu.dma_wait",
        "aiex.configure @other { aiex.run @step(%q) : (memref<64xi32>) }\naiex.npu.dma_wait",
    )
    module = lowered(text.replace("@RUN", "@twice"), "2026-02")
    main = next(op for op in module.body.ops if op.string("sym_name", "main") == "main")
    buffers = [
        (op.string("sym_name"), op.integer("address")) for op in main.walk() if op.name == "aie.buffer"
    ]
    assert buffers == [("b", 128), ("b_0", 64)]


def test_a_sequence_cannot_run_itself():
    text = TWO_DEVICES.replace("@RUN", "@twice").replace(
        "aiex.set_lock(%l, 1)", "aiex.run @twice(%m) : (memref<64xi32>)"
    )
    with pytest.raises(UserError, match="runs itself"):
        lowered(text, "2026-02")


def test_unknown_sequence_lists_those_there_are():
    with pytest.raises(UserError, match="no runtime sequence @RUN") as caught:
        lowered(TWO_DEVICES, "2026-02")
    assert caught.value.hint == "it has @step, @twice"


TASK_OF = "%x = aiex.dma_configure_task_for @in { {bd} aie.end }"
PLAIN_TASK = TASK_OF.replace("{bd}", "aie.dma_bd(%a : memref<1024xi32>, 0, 8)")
MANY = "\n".join(PLAIN_TASK.replace("%x", f"%u{i}") for i in range(17))
SAME_ID = PLAIN_TASK.replace("0, 8)", "0, 8) {bd_id = 2 : i32}")
REFUSED = {
    "unknown allocation": (transfer(SMALL, "inn"), "no aie.shim_dma_allocation of that name"),
    "name of something else": (transfer(SMALL, "rtp"), "is an aie.buffer"),
    "wait for an unknown channel": (
        "aiex.npu.dma_wait {symbol = @nothing}",
        "no aie.shim_dma_allocation of that name",
    ),
    "not an argument": (transfer(SMALL, argument="%mem", type="memref<256xi32>"), "no part of an argument"),
    "descriptor id": (transfer(SMALL).replace("id = 0", "id = 16"), "id 16 is out of range"),
    "burst length": (
        transfer(SMALL, more=", burst_length = 100 : i64"),
        "burst length 100 does not exist on npu1",
    ),
    "padding by a shim": (
        transfer(SMALL, more=", d0_zero_before = 1 : i64"),
        "only MM2S channels of memtiles",
    ),
    "queue of no channel": (
        "aiex.npu.push_queue(0, 0, MM2S : 2) {bd_id = 0 : i32, issue_token = false, repeat_count = 0 : i32}",
        "MM2S channel 2 does not exist",
    ),
    "repeat count": (
        "aiex.npu.push_queue(0, 0, MM2S : 0) {bd_id = 0 : i32, issue_token = false, "
        "repeat_count = 256 : i32}",
        "repeat count 256 is out of range",
    ),
    "index beyond the buffer": ("aiex.npu.rtp_write(@rtp, 4, 1)", "index 4 is outside @rtp"),
    "buffer without address": ("aiex.npu.rtp_write(@lost, 0, 1)", "needs the address of a buffer"),
    "lock without id": ("aiex.set_lock(%free, 1)", "needs a lock with an id"),
    "lock too high": ("aiex.set_lock(%lock, 64)", "sets 64, a lock holds 0 to 63"),
    "wait without a token": (PLAIN_TASK + "\naiex.dma_await_task(%x)", "issues no token"),
    "no descriptors left": (MANY, "all buffer descriptors of tile (0, 0)"),
    "id in use": (SAME_ID + "\n" + SAME_ID.replace("%x", "%y"), "id 2 of tile (0, 0) is in use"),
    "length of a task": (
        TASK_OF.replace(
            "{bd}",
            "aie.dma_bd(%a : memref<1024xi32>, 0, 9, [<size = 2, stride = 8>, <size = 4, stride = 1>])",
        ),
        "length is 9 elements, its three lowest dimensions move 8",
    ),
    "odd bytes": (
        TASK_OF.replace("{bd}", "aie.dma_bd(%b : memref<64x64xi16>, 1, 8)"),
        "the offset is 2 bytes, expected a multiple of 4",
    ),
    "locks in a task": (
        TASK_OF.replace("{bd}", "aie.use_lock(%lock, Release, 1) aie.dma_bd(%a : memref<1024xi32>, 0, 8)"),
        "cannot use locks",
    ),
    "empty task": (TASK_OF.replace("{bd}", ""), "has no aie.dma_bd"),
    "padding by half words": (
        "%x = aiex.dma_configure_task(%t01, MM2S, 0) { aie.dma_bd(%half : memref<64xi16>, 0, 8, [<size = 8, "
        "stride = 1>], [<const_pad_before = 1, const_pad_after = 1>]) aie.end }",
        "padding by 1 elements is 2 bytes",
    ),
    "buffer of another tile": (
        "%x = aiex.dma_configure_task(%t01, MM2S, 0) { aie.dma_bd(%rtp : memref<4xi32>, 0, 4) aie.end }",
        "the buffer is on tile (1, 2), the task on tile (0, 1)",
    ),
}


def test_a_second_free_changes_nothing():
    """In this release; later ones refuse it unless the task was awaited."""
    once, twice = (lowered(design(PLAIN_TASK + n * "\naiex.dma_free_task(%x)")) for n in (1, 2))
    assert print_module(once) == print_module(twice)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    body, message = REFUSED[name]
    text = design(body)
    with pytest.raises(UserError) as caught:
        lowered(text)
    assert message in caught.value.message
    first = next(n for n, line in enumerate(text.split("\n"), 1) if body.split("\n")[0] in line)
    assert first <= caught.value.location.line <= first + body.count("\n")


FAR_APART = "%b : memref<64x64xi16>, 0, 8, [<size = 4, stride = 2000>, <size = 2, stride = 1>]"
WARNED = {
    "wait without a transfer": (
        "aiex.npu.dma_wait {symbol = @in}",
        "waits for MM2S channel 1 of tile (0, 0)",
    ),
    "wait for a silent transfer": (
        transfer(SMALL) + "\naiex.npu.dma_wait {symbol = @in}",
        "waits for MM2S channel 1 of tile (0, 0), but no task before it issues a token",
    ),
    "two waits for one token": (
        transfer(SMALL, "out") + 2 * "\naiex.npu.dma_wait {symbol = @out}",
        "waits for S2MM channel 0 of tile (0, 0)",
    ),
    "transfer beyond its argument": (
        transfer("[0, 0, 0, 961][1, 1, 1, 64][0, 0, 0, 1]"),
        "covers bytes 3844 to 4100 of argument 0, which has 4096",
    ),
    "task beyond its argument": (
        PLAIN_TASK.replace("%a : memref<1024xi32>, 0, 8", FAR_APART),
        "covers bytes 0 to 12004 of argument 1, which has 8192",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_warned(name):
    body, message = WARNED[name]
    warnings = Warnings()
    lowered(design(body), warnings=warnings)
    ((text, location),) = warnings.items
    assert message in text
    assert location.line > 1


def test_nothing_to_warn_of():
    warnings = Warnings()
    body = transfer("[0, 0, 0, 960][1, 1, 1, 64][0, 0, 0, 1]", "out") + "\naiex.npu.dma_wait {symbol = @out}"
    lowered(design(body + TASK.format(dims="", bd="")), warnings=warnings)
    assert warnings.items == []


def test_what_has_no_instruction_is_refused():
    module = parse_module(design("aiex.npu.dma_wait {symbol = @in}"), "d.mlir")
    with pytest.raises(UserError, match="has no instruction"):
        instructions(module, "", "")
    with pytest.raises(UserError, match="no device @other"):
        instructions(module, "other", "")
    with pytest.raises(UserError, match="no runtime sequence @other"):
        instructions(module, "main", "other")
