"""Every shipped design gives the reference's result, by a pyxrt and a C++ program on the emulated NPU."""

import pytest
from design_chain import DESIGNS, Chain
from many_buffers import SEVEN
from traced_design import DESIGN, KERNEL

from npuninja.device.element_differences import compare_elements
from npuninja.device.manifest import read_manifest
from npuninja.device.output_comparison import poison
from npuninja.device.reference import Reference
from npuninja.emulator.trace_units.packets import read_frames, read_packets


@pytest.mark.parametrize("name", DESIGNS)
def test_design_gives_what_its_reference_says(wasm_build, emulated, cpp_program, tmp_path, name):
    manifest = read_manifest(Chain(wasm_build, name).run())
    reference = Reference(manifest.reference)
    inputs = reference.inputs(manifest.arguments, 1)
    right = reference.results(manifest.arguments, inputs)
    files = [tmp_path / str(number) for number in range(len(manifest.arguments))]

    def write_inputs():
        remaining = iter(inputs)
        for file, argument in zip(files, manifest.arguments):
            file.write_bytes(next(remaining).tobytes() if argument.is_input else poison(argument.nbytes))

    def check():
        got = [(a, a.array(file.read_bytes())) for file, a in zip(files, manifest.arguments) if a.is_output]
        for (argument, result), expected in zip(got, right):
            comparison = compare_elements(argument, result, expected, poisoned=not argument.is_input)
            assert comparison.good, comparison.render()

    write_inputs()
    emulated.good("run_design.py", manifest.path, str(tmp_path))
    check()
    if cpp_program is None:
        return  # test_cpp.py says so
    write_inputs()
    words = [str(manifest.xclbin), str(manifest.insts), *map(str, files)]
    done = emulated.run("with-xrt", cpp_program, *words)
    assert done.stdout.split() in (["4"] * 2, ["ert_cmd_state::completed"] * 2), done.stderr
    check()


def test_more_than_five_buffers(project, emulated, tmp_path):
    """The sixth and seventh buffer have the XCLBIN's room for them, and the address that the NPU sees."""
    project.write("mlir/seven.mlir", SEVEN)
    project.configure()
    project.ninja("seven")
    manifest = read_manifest(str(project.folder / "build/npu1_1col/wasm/seven/seven.json"))
    contents = [bytes((7 * number + i) % 251 for i in range(1024)) for number in range(7)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    emulated.good("run_design.py", manifest.path, str(tmp_path))
    got = [(tmp_path / str(number)).read_bytes() for number in range(7)]
    assert [got[1], got[3], got[6]] == [contents[0], contents[2], contents[5]]


def test_a_trace_is_in_the_buffer_of_an_xrt_program(project, emulated, tmp_path):
    project.write("mlir/traced.mlir", DESIGN)
    project.write("kernels/work/work.cc", KERNEL)
    project.configure()
    project.ninja("traced")
    manifest = read_manifest(str(project.folder / "build/npu1_1col/wasm/traced/traced.json"))
    for number, argument in enumerate(manifest.arguments):
        (tmp_path / str(number)).write_bytes(bytes(argument.nbytes))
    emulated.good("run_design.py", manifest.path, str(tmp_path))
    # Of the second run: words follow those of the first, whose task is not full, in the refilled buffer.
    data = (tmp_path / "4").read_bytes().lstrip(b"\0")
    found = read_packets([int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)])
    assert {(packet.row, packet.module, packet.id) for packet in found} == {(2, "core", 3), (2, "memory", 4)}
    events = [
        s.events for packet, frames in found.items() if packet.module == "core" for s in read_frames(frames)
    ]
    assert any(event & 1 for event in events)
    assert any(event & 2 for event in events)
