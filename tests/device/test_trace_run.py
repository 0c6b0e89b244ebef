"""A design whose trace units are on: it runs, they write their packets, and `npuninja trace --run` decodes them."""

import json

DESIGN = """module {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @source(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<32xi32>>
    aie.objectfifo @target(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<32xi32>>
    func.func private @work(memref<32xi32>, memref<32xi32>) attributes {link_with = "work.o"}
    %core = aie.core(%tile) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %end = arith.constant 0xFFFFFE : index
      scf.for %round = %c0 to %end step %c1 {
        %si = aie.objectfifo.acquire @source(Consume, 1) : !aie.objectfifosubview<memref<32xi32>>
        %so = aie.objectfifo.acquire @target(Produce, 1) : !aie.objectfifosubview<memref<32xi32>>
        %ei = aie.objectfifo.subview.access %si[0] : !aie.objectfifosubview<memref<32xi32>> -> memref<32xi32>
        %eo = aie.objectfifo.subview.access %so[0] : !aie.objectfifosubview<memref<32xi32>> -> memref<32xi32>
        func.call @work(%ei, %eo) : (memref<32xi32>, memref<32xi32>) -> ()
        aie.objectfifo.release @source(Consume, 1)
        aie.objectfifo.release @target(Produce, 1)
      }
      aie.end
    }
    aie.trace @of_core(%tile) {
      aie.trace.mode "Event-Time"
      aie.trace.packet id=3 type=core
      aie.trace.event<"INSTR_EVENT_0">
      aie.trace.event<"INSTR_EVENT_1">
      aie.trace.event<"LOCK_STALL">
      aie.trace.event<"ACTIVE">
      aie.trace.event<"PORT_RUNNING_0">
      aie.trace.event<"INSTR_VECTOR">
      aie.trace.port<0> port=DMA channel=0 direction=S2MM
      aie.trace.start broadcast=15
      aie.trace.stop broadcast=14
    }
    aie.trace @of_memory(%tile) {
      aie.trace.packet id=4 type=mem
      aie.trace.event<"DMA_S2MM_0_FINISHED_BD">
      aie.trace.event<"DMA_MM2S_0_STALLED_LOCK">
      aie.trace.event<"LOCK_0_REL">
      aie.trace.start broadcast=15
      aie.trace.stop broadcast=14
    }
    aie.runtime_sequence @sequence(%a : memref<128xi32>, %b : memref<128xi32>) {
      aie.trace.host_config buffer_size = 4096
      aie.trace.start_config @of_core
      aie.trace.start_config @of_memory
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 128][0, 0, 0, 1]) {id = 0 : i64, metadata = @target} : memref<128xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 128][0, 0, 0, 1]) {id = 1 : i64, metadata = @source} : memref<128xi32>
      aiex.npu.dma_wait {symbol = @target}
    }
  }
}
"""
KERNEL = """#include <aie_api/aie.hpp>
extern "C" void work(const int *a, int *b) {
    event0();
    for (int i = 0; i < 32; i++) b[i] = 3 * a[i];
    event1();
}
"""
REFERENCE = """
def inputs(rng, arguments):
    return [rng.integers(-99, 99, a.shape, a.dtype) for a in arguments if a.is_input]

def reference(inputs):
    return [3 * inputs[0]]
"""


def test_a_traced_design(project):
    project.write("mlir/traced.mlir", DESIGN)
    project.write("kernels/work/work.cc", KERNEL)
    project.write("host/traced.py", REFERENCE)
    project.configure("traced")
    shown = project.ninja("run-traced").stdout
    assert "b: all 128 elements are right" in shown  # the trace is no output that a reference could know
    assert "the trace has modelled cycles" in shown
    assert "core module of tile (0, 2) never sees INSTR_VECTOR" in shown
    folder = "build/npu1_1col/wasm/traced"
    described = json.loads((project.folder / folder / "traced.json").read_text())["arguments"]
    assert [(a["name"], a["direction"], a["bytes"]) for a in described] == [
        *(("a", "in", 512), ("b", "out", 512), ("unused2", "none", 4), ("unused3", "none", 4)),
        ("trace", "trace", 4096),
    ]
    said = project.npuninja("trace", "--run", f"{folder}/traced.json", "-o", "trace.json").stdout
    assert "cycles: modelled (emulated array)" in said
    _a_buffer_of_an_npu(project, folder)
    content = json.loads((project.folder / "trace.json").read_text())
    assert content["otherData"] == {"cycles": "modelled (emulated array)"}
    lanes = _lanes(content)
    kernel = "core (0, 2) work"
    begins, ends = lanes[kernel, "INSTR_EVENT_0"], lanes[kernel, "INSTR_EVENT_1"]
    assert len(begins) == len(ends) == 4  # calls of the kernel
    assert all(begin < end for (begin, _), (end, _) in zip(begins, ends))
    active = lanes[kernel, "ACTIVE"]
    assert sum(cycles for _, cycles in active) >= ends[-1][0] - begins[0][0]
    assert lanes[kernel, "LOCK_STALL"][0][0] == 0  # it waits for the first element from the begin on
    assert lanes[kernel, "PORT_RUNNING_0 source"]
    memory = "memory (0, 2)"
    assert len(lanes[memory, "DMA_S2MM_0_FINISHED_BD source"]) == 4
    assert lanes[memory, "DMA_MM2S_0_STALLED_LOCK target"]
    assert (memory, "LOCK_0_REL source_cons_prod_lock_0") in lanes


def _a_buffer_of_an_npu(project, folder):
    """A buffer from elsewhere is decoded alike: raw, in hex, and with the columns of an NPU."""
    project.npuninja("trace", "--run", f"{folder}/traced.json", "-o", "again.json", "--keep", "buffer.txt")
    words = [int(line, 16) for line in (project.folder / "buffer.txt").read_text().split()]
    assert len(words) == 1024
    shifted = [word ^ (1 << 21 | 1 << 31) if not i % 8 and word else word for i, word in enumerate(words)]
    (project.folder / "raw.bin").write_bytes(b"".join(word.to_bytes(4, "little") for word in shifted))
    expected = json.loads((project.folder / "trace.json").read_text())["traceEvents"]
    for file, *more in (("buffer.txt",), ("raw.bin", "--column-shift", "1")):
        command = ("trace", "--run", f"{folder}/traced.json", "--buffer", file, "-o", "other.json", *more)
        assert f"of the NPU, from {file}" in project.npuninja(*command).stdout
        assert json.loads((project.folder / "other.json").read_text())["traceEvents"] == expected
    (project.folder / "empty.bin").write_bytes(bytes(4096))
    empty = ("trace", "--run", f"{folder}/traced.json", "--buffer", "empty.bin", "-o", "other.json")
    assert "holds no trace" in project.npuninja(*empty, code=2).stderr


def _lanes(content):
    """(process, lane) -> (cycle, cycles) of each piece."""
    names, found = {}, {}
    for event in content["traceEvents"]:
        if event["name"] == "process_name":
            names[event["pid"]] = event["args"]["name"]
        elif event["name"] == "thread_name":
            found.setdefault((names[event["pid"]], event["args"]["name"]), [])
        else:
            piece = event["args"]["cycle"], event["args"]["cycles"]
            found[names[event["pid"]], event["name"]].append(piece)
    return found
