"""A design with trace units on: it runs, they write packets, `npuninja trace --run` decodes them."""

import json

from traced_design import DESIGN, KERNEL

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
