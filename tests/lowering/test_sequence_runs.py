"""Runtime sequences on the emulated array: what their tasks move, without any core or static DMA program."""

from pathlib import Path

import numpy as np
import pytest
from design_chain import Chain
from hypothesis import given, settings
from hypothesis import strategies as st
from wasm_build import WasmBuild

from npuninja.commands.lower import lower_design
from npuninja.emulator import Emulator
from npuninja.emulator.errors import QueueOverflow
from npuninja.errors import Warnings
from npuninja.ir.parser import parse_module
from npuninja.lowering.pipeline import instructions, lower_sequence

DESIGN = """module {{ aie.device(npu1_1col) {{
  %shim = aie.tile(0, 0)
  %memtile = aie.tile(0, 1)
  %core_tile = aie.tile(0, 3)
  %mem = aie.buffer(%memtile) {{sym_name = "mem"}} : memref<512xi32>
  %near = aie.buffer(%core_tile) {{sym_name = "near"}} : memref<256xi32>
  aie.flow(%shim, DMA : 0, %memtile, DMA : 3)
  aie.flow(%memtile, DMA : 1, %shim, DMA : 0)
  aie.flow(%shim, DMA : 1, %core_tile, DMA : 0)
  aie.flow(%core_tile, DMA : 1, %shim, DMA : 1)
  aie.bd_chain @halves(%x: memref<256xi32>) {{
    aie.dma_bd(%x : memref<256xi32>, 128, 128)
    aie.next_bd ^low
  ^low:
    aie.dma_bd(%x : memref<256xi32>, 0, 128)
    aie.end
  }}
  aie.runtime_sequence @sequence(%a: memref<256xi32>, %b: memref<256xi32>) {{
{body}
  }}
}} }}"""


def task(name, tile, channel, bd, more=""):
    head = f"%{name} = aiex.dma_configure_task(%{tile}, {channel})"
    return f"{head} {{ aie.dma_bd({bd}) aie.end }} {{issue_token = true{more}}}\n"


def start(*names):
    return "".join(f"aiex.dma_start_task(%{name})\n" for name in names)


def wait(*names):
    return "".join(f"aiex.dma_await_task(%{name})\n" for name in names)


WHOLE = "memref<256xi32>, 0, 256"
INTO_MEMTILE = (
    task("in", "shim", "MM2S, 0", f"%a : {WHOLE}")
    + task("keep", "memtile", "S2MM, 3", "%mem : memref<512xi32>, 64, 256")
    + start("keep", "in")
    + wait("keep", "in")
)
TURNED = "[<size = 16, stride = 1>, <size = 16, stride = 16>]"
FRAMED = (
    "[<size = 13, stride = 14>, <size = 14, stride = 1>], "
    "[<const_pad_before = 1, const_pad_after = 2>, <const_pad_before = 2, const_pad_after = 0>]"
)
CASES = {
    "memtile turns a matrix": (
        INTO_MEMTILE
        + task("out", "memtile", "MM2S, 1", f"%mem : memref<512xi32>, 64, 256, {TURNED}")
        + task("back", "shim", "S2MM, 0", f"%b : {WHOLE}")
        + start("back", "out")
        + wait("back"),
        lambda a: a.reshape(16, 16).T.reshape(-1),
    ),
    "memtile pads a matrix": (
        INTO_MEMTILE
        + task("out", "memtile", "MM2S, 1", f"%mem : memref<512xi32>, 64, 256, {FRAMED}")
        + task("back", "shim", "S2MM, 0", f"%b : {WHOLE}")
        + start("back", "out")
        + wait("back"),
        lambda a: np.pad(a[: 13 * 14].reshape(13, 14), ((1, 2), (2, 0))).reshape(-1),
    ),
    "core tile repeats a row": (
        task("in", "shim", "MM2S, 1", "%a : memref<256xi32>, 32, 16")
        + task("keep", "core_tile", "S2MM, 0", "%near : memref<256xi32>, 0, 16")
        + start("keep", "in")
        + wait("keep")
        + task("out", "core_tile", "MM2S, 1", "%near : memref<256xi32>, 0, 16", ", repeat_count = 15 : i32")
        + task("back", "shim", "S2MM, 1", f"%b : {WHOLE}")
        + start("back", "out")
        + wait("back"),
        lambda a: np.tile(a[32:48], 16),
    ),
    "chain of two descriptors": (
        "%in = aiex.dma_start_bd_chain @halves(%a) : (memref<256xi32>) on (%shim, MM2S, 0)\n"
        + task("keep", "memtile", "S2MM, 3", "%mem : memref<512xi32>, 64, 256")
        + start("keep")
        + wait("keep")
        + task("out", "memtile", "MM2S, 1", "%mem : memref<512xi32>, 64, 256")
        + task("back", "shim", "S2MM, 0", f"%b : {WHOLE}")
        + start("back", "out")
        + wait("back"),
        lambda a: np.concatenate([a[128:], a[:128]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_tasks_move(name, tmp_path):
    body, reference = CASES[name]
    chain = Chain(WasmBuild(tmp_path, tmp_path / "cache"), "tasks", DESIGN.format(body=body))
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    a, b = npu.allocate(1024), npu.allocate(1024)
    sent = np.arange(1, 257, dtype=np.int32)
    a.view[:] = sent.tobytes()
    npu.run(Path(chain.file("insts.bin")).read_bytes(), [a, b])
    np.testing.assert_array_equal(np.frombuffer(bytes(b.view), np.int32), reference(sent))
    npu.close()


# From the host into the array and straight back: the two transfers may have any shape.
LOOP = """module {{ aie.device(npu1_1col) {{
  %shim = aie.tile(0, 0)
  aie.flow(%shim, DMA : 0, %shim, DMA : 1)
  aie.shim_dma_allocation @in(MM2S, 0, 0)
  aie.shim_dma_allocation @out(S2MM, 1, 0)
  aiex.runtime_sequence @sequence(%a: memref<4096x{type}>, %b: memref<4096x{type}>) {{
    aiex.npu.dma_memcpy_nd(%a[0, 0, 0, {gather_offset}]{gather}) {{id = 2 : i64, metadata = @in}} : memref<4096x{type}>
    aiex.npu.dma_memcpy_nd(%b[0, 0, 0, {scatter_offset}]{scatter}) {{id = 5 : i64, metadata = @out}} : memref<4096x{type}>
    aiex.npu.dma_wait {{symbol = @out}}
  }}
}} }}"""
TYPES = {"i8": np.int8, "i16": np.int16, "i32": np.int32}


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """The array with the one route; the sequences come with each example."""
    folder = tmp_path_factory.mktemp("loop")
    plain = dict.fromkeys(("gather", "scatter"), "[1, 1, 1, 4][0, 0, 0, 1]")
    text = LOOP.format(type="i32", gather_offset=0, scatter_offset=0, **plain)
    chain = Chain(WasmBuild(folder, folder / "cache"), "loop", text)
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    yield npu, npu.allocate(4 * 4096), npu.allocate(4 * 4096)
    npu.close()


@st.composite
def shapes(draw, per_word, words):
    """Sizes and strides, outermost first, of `words` words; elements are `per_word` to a word."""
    divisors = [d for d in (1, 2, 3, 4, 6) if words % d == 0]
    outer = draw(st.sampled_from(divisors))
    planes = draw(st.sampled_from([d for d in divisors if words // outer % d == 0]))
    rows = draw(st.sampled_from([d for d in divisors if words // outer // planes % d == 0]))
    items = words // outer // planes // rows
    # Disjoint, so that no element is written twice: each stride clears what is inside it.
    row_stride = items + draw(st.integers(0, 3))
    plane_stride = row_stride * rows + draw(st.integers(0, 3))
    outer_stride = plane_stride * planes + draw(st.integers(0, 3))
    strides = [outer_stride * per_word, plane_stride * per_word, row_stride * per_word, 1]
    sizes = [outer, planes, rows, items * per_word]
    if draw(st.booleans()) and sizes[0] > 1 and sizes[1] > 1:
        strides[0], strides[1] = strides[1], strides[0]
        sizes[0], sizes[1] = sizes[1], sizes[0]
    return sizes, strides


def places(offset, sizes, strides):
    """The elements of a transfer, in order."""
    grid = np.indices(sizes).reshape(4, -1)
    return offset + np.tensordot(np.array(strides), grid, 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_transfers_of_any_shape(loop, data):
    npu, a, b = loop
    type = data.draw(st.sampled_from(sorted(TYPES)))
    dtype = np.dtype(TYPES[type])
    per_word = 4 // dtype.itemsize
    words = data.draw(st.sampled_from([24, 36, 72, 144]))
    gather, scatter = (data.draw(shapes(per_word, words)) for _ in range(2))
    offsets = [data.draw(st.integers(0, 50)) * per_word for _ in range(2)]
    text = LOOP.format(
        type=type,
        gather_offset=offsets[0],
        scatter_offset=offsets[1],
        gather="".join(map(str, gather)),
        scatter="".join(map(str, scatter)),
    )
    module = parse_module(text, "d.mlir")
    warnings = Warnings()
    lower_sequence(module, generation="2025-10", warnings=warnings)
    assert warnings.items == []
    sent = np.arange(1, 4097).astype(dtype)
    a.view[: 4096 * dtype.itemsize] = sent.tobytes()
    b.view[:] = bytes(len(b.view))
    npu.run(instructions(module, "", ""), [a, b])
    expected = np.zeros(4096, dtype)
    expected[places(offsets[1], *scatter)] = sent[places(offsets[0], *gather)]
    np.testing.assert_array_equal(np.frombuffer(bytes(b.view), dtype)[:4096], expected)


def queue_of(words: int, transfers: int, wait_after: int = 99) -> str:
    """`transfers` pushes of `words` words onto one channel, with a wait after every `wait_after`."""
    body = ""
    for i in range(transfers):
        token = ", issue_token = true" if i % wait_after == wait_after - 1 else ""
        body += (
            f"aiex.npu.dma_memcpy_nd(%a[0, 0, 0, {i * words}][1, 1, 1, {words}][0, 0, 0, 1]) "
            f"{{id = {i} : i64, metadata = @in{token}}} : memref<28672xi32>\n"
        )
        body += "aiex.npu.dma_wait {symbol = @in}\n" if token else ""
    text = (Path(__file__).parent.parent / "cases/task_queue_full/design.mlir").read_text(encoding="utf-8")
    lines = text.split("\n")
    inputs = [i for i, line in enumerate(lines) if "metadata = @in}" in line]
    text = "\n".join([*lines[: inputs[0]], body, *lines[inputs[-1] + 1 :]])
    return text.replace("1, 14, 2048][0, 0, 2048", f"1, {transfers}, {words}][0, 0, {words}")


@pytest.mark.parametrize(
    ("words", "transfers", "wait_after", "lost"),
    [(2048, 14, 99, True), (2048, 14, 4, False), (2048, 4, 99, False), (64, 14, 99, False)],
)
def test_what_is_pushed_onto_a_full_queue_is_lost(words, transfers, wait_after, lost, tmp_path):
    text = queue_of(words, transfers, wait_after)
    chain = Chain(WasmBuild(tmp_path, tmp_path / "cache"), "queue", text, {}, "sequence")
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    a, b = npu.allocate(4 * 28672), npu.allocate(4 * 28672)
    a.view[:] = np.arange(28672, dtype=np.int32).tobytes()
    insts = Path(chain.file("insts.bin")).read_bytes()
    if lost:
        with pytest.raises(
            QueueOverflow, match=r"the task that starts with BD \d+ is lost: it is pushed to MM2S 0"
        ):
            npu.run(insts, [a, b])
    else:
        npu.run(insts, [a, b])
        moved = 4 * words * transfers
        assert bytes(b.view[:moved]) == bytes(a.view[:moved])
    npu.close()


@pytest.mark.parametrize(
    ("transfers", "wait_after", "warned"), [(14, 99, True), (14, 4, False), (5, 99, False)]
)
def test_pushes_without_a_wait_are_counted(transfers, wait_after, warned):
    warnings = Warnings()
    lower_design(queue_of(64, transfers, wait_after), "design.mlir", None, "auto", warnings)
    found = [message for message, _ in warnings.items if "without a wait between" in message]
    assert len(found) == warned
    if warned:
        assert found[0].startswith("14 tasks are pushed onto MM2S channel 0 of tile (0, 0)")
        assert "holds 4" in found[0]


@pytest.mark.parametrize("name", ["region_buffer", "task_locks", "ssa_constant_transfer"])
def test_designs_without_cores_copy_their_input(name, tmp_path):
    text = (Path(__file__).parent.parent / "cases" / name / "design.mlir").read_text(encoding="utf-8")
    sequence = text.split("runtime_sequence @")[1].split("(")[0]
    chain = Chain(WasmBuild(tmp_path, tmp_path / "cache"), name, text, {}, sequence)
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    sent = np.arange(1, 129 if "transfer" in name else 65, dtype=np.int32)
    a, b = npu.allocate(sent.nbytes), npu.allocate(sent.nbytes)
    a.view[:] = sent.tobytes()
    npu.run(Path(chain.file("insts.bin")).read_bytes(), [a, b])
    np.testing.assert_array_equal(np.frombuffer(bytes(b.view), np.int32), sent)
    npu.close()


PADDED = """module { aie.device(npu2_1col) {
  %s = aie.tile(0, 0)
  %m = aie.tile(0, 1)
  %buf = aie.buffer(%m) {sym_name = "buf"} : memref<4x4xi32>
  %free = aie.lock(%m, 0) {init = 1 : i32}
  %full = aie.lock(%m, 1) {init = 0 : i32}
  %dma = aie.memtile_dma(%m) {
    %one = arith.constant 1 : i32
    %0 = aie.dma_start(S2MM, 0, ^r, ^n)
  ^r:
    aie.use_lock(%free, AcquireGreaterEqual, %one)
    aie.dma_bd(%buf : memref<4x4xi32> len = 16)
    aie.use_lock(%full, Release, %one)
    aie.next_bd ^r
  ^n:
    %1 = aie.dma_start(MM2S, 0, ^w, ^e) {pad_value = 42 : i32}
  ^w:
    aie.use_lock(%full, AcquireGreaterEqual, %one)
    aie.dma_bd(%buf : memref<4x4xi32> len = 36 sizes = [4, 4] strides = [4, 1]
      pad [<const_pad_before = 1, const_pad_after = 1>, <const_pad_before = 1, const_pad_after = 1>])
    aie.use_lock(%free, Release, %one)
    aie.next_bd ^w
  ^e:
    aie.end
  }
  aie.flow(%s, DMA : 0, %m, DMA : 0)
  aie.flow(%m, DMA : 0, %s, DMA : 0)
  aie.shim_dma_allocation @in(%s, MM2S, 0)
  aie.shim_dma_allocation @out(%s, S2MM, 0)
  aie.runtime_sequence @sequence(%x: memref<16xi32>, %y: memref<36xi32>) {
    aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]) {id = 1 : i64, metadata = @in} : memref<16xi32>
    aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 36][0, 0, 0, 1])
      {id = 0 : i64, metadata = @out, issue_token = true} : memref<36xi32>
    aiex.npu.dma_wait {symbol = @out}
  }
} }"""


def test_a_channel_pads_with_its_value(tmp_path):
    # Stage by stage without a generation: each reads it off its own input.
    chain = Chain(WasmBuild(tmp_path, tmp_path / "cache"), "padded", PADDED, {}, "sequence")
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    sent = np.arange(16, dtype=np.int32)
    a, b = npu.allocate(sent.nbytes), npu.allocate(144)
    a.view[:] = sent.tobytes()
    npu.run(Path(chain.file("insts.bin")).read_bytes(), [a, b])
    expected = np.pad(sent.reshape(4, 4), 1, constant_values=42)
    np.testing.assert_array_equal(np.frombuffer(bytes(b.view), np.int32).reshape(6, 6), expected)
    npu.close()
