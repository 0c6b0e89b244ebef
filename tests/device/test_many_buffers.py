"""A design with seven host buffers, from its text to a verified run."""

import json

from many_buffers import SEVEN

from npuninja.formats.txn import AddressPatch, read_txn

REFERENCE = """
def inputs(rng, arguments):
    return [rng.integers(-9, 9, a.shape, a.dtype) for a in arguments if a.is_input]

def reference(inputs):
    return [inputs[0], inputs[1], inputs[3]]
"""


def test_seven_buffers_are_passed(project):
    project.write("mlir/seven.mlir", SEVEN)
    project.write("host/seven.py", REFERENCE)
    project.configure()
    assert "c2: all 256 elements are right" in project.ninja("run-seven").stdout
    folder = project.folder / "build" / "npu1_1col" / "wasm" / "seven"
    arguments = json.loads((folder / "seven.json").read_text())["arguments"]
    assert [a["name"] for a in arguments] == ["a0", "c0", "a1", "c1", "gap", "a2", "c2"]
    patches = [
        o for o in read_txn((folder / "insts.bin").read_bytes()).operations if isinstance(o, AddressPatch)
    ]
    assert {(p.argument, p.offset_bytes) for p in patches} == {
        *((0, 0), (1, 0), (2, 0), (3, 0), (5, 0x80000000), (6, 0x80000000))
    }  # what the firmware does for the first five
    assert b'name="bo6"' in (folder / "seven.xclbin").read_bytes()
