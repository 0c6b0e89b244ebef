"""Runtime sequences on the emulated array: what their tasks move, without any core or static DMA program."""

from pathlib import Path

import numpy as np
import pytest
from design_chain import Chain
from wasm_build import WasmBuild

from npuninja.emulator import Emulator

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
