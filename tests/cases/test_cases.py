"""Small inputs that once failed or misled, each under its own name with what it has to do now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from build_project import Project
from design_chain import Chain
from wasm_build import WasmBuild

from npuninja.arch.families import of_generation
from npuninja.commands.lower import lower_design
from npuninja.diag.inspect import inspect_bytes
from npuninja.diag.inspect_folder import inspect_folder
from npuninja.emulator import Emulator
from npuninja.errors import UserError, Warnings
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.xclbin import AIE_PARTITION, read_xclbin
from npuninja.machine_code.object_file import ObjectSection, ObjectSymbol, write_object
from npuninja.xrt_emulation.array_context import ArrayContext, check_generation
from npuninja.xrt_emulation.core_modules import CoreModules

CASES = Path(__file__).parent


def built(build: WasmBuild, name: str) -> tuple[Chain, str]:
    """The design of a case, with its kernels, and the path of its text."""
    kernels = {source.with_suffix(".o").name: source.read_text() for source in (CASES / name).glob("*.c")}
    chain = Chain(
        build,
        name,
        (CASES / name / "design.mlir").read_text(),
        kernels,
        sequence_name=SEQUENCES.get(name, ""),
    )
    chain.file_name = f"{name}/input_with_addresses.mlir"
    return chain, chain.file(f"{name}.mlir")


#: The names of runtime sequences; others have none.
SEQUENCES = {"only_outputs": "sequence"}


def run_on_the_array(chain: Chain, buffers: list[np.ndarray]) -> None:
    """Runs a built design; the buffers are those of the host, in and out."""
    with Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes()) as npu:
        there = [npu.allocate(each.nbytes) for each in buffers]
        for buffer, each in zip(there, buffers):
            buffer.view[:] = each.tobytes()
        npu.run(Path(chain.file("insts.bin")).read_bytes(), there)
        for buffer, each in zip(there, buffers):
            each[:] = np.frombuffer(bytes(buffer.view), each.dtype)


def test_constants_as_operands(wasm_build: WasmBuild) -> None:
    chain, _ = built(wasm_build, "constants_as_operands")
    chain.run()
    a, b = np.arange(64, dtype=np.int8), np.zeros(64, np.int8)
    run_on_the_array(chain, [a, b])
    np.testing.assert_array_equal(b, -a)


def test_only_outputs(wasm_build: WasmBuild) -> None:
    chain, _ = built(wasm_build, "only_outputs")
    chain.run()
    b = np.zeros(512, np.int32)
    run_on_the_array(chain, [b])
    np.testing.assert_array_equal(b, np.arange(512))


def test_data_does_not_fit_hint(wasm_build: WasmBuild) -> None:
    chain, design = built(wasm_build, "data_does_not_fit_hint")
    with pytest.raises(UserError) as refused:
        chain.run()
    said = refused.value.render()
    assert said.startswith(
        f"{design}:8:13: error: core (0, 2): the kernels' data does not fit: it needs 65000 bytes "
        "and 64256 of 65536 are left (the stack takes 1024, the buffers end at byte 1280)"
    )
    # The tile has that scheme already.
    assert "basic-sequential" not in (refused.value.hint or "")


def test_linked_but_never_called(wasm_build: WasmBuild, capfd: pytest.CaptureFixture[str]) -> None:
    chain, design = built(wasm_build, "linked_but_never_called")
    chain.run()
    said = capfd.readouterr().err
    assert f"{design}:7:13: warning: core (0, 2) calls no function of fill.o" in said
    assert "main() is not called either" in said


def test_stack_just_too_small(wasm_build: WasmBuild, capfd: pytest.CaptureFixture[str]) -> None:
    chain, design = built(wasm_build, "stack_just_too_small")
    chain.run()
    said = capfd.readouterr().err
    assert "core (0, 2) needs 1024 bytes of stack or more" in said
    assert f"set stack_size = 2048 : i32 on the core at {design}:8:13" in said


def test_view_as_argument(wasm_build: WasmBuild) -> None:
    chain, design = built(wasm_build, "view_as_argument")
    with pytest.raises(UserError, match="an offset known only at run time cannot be passed") as refused:
        chain.run()
    assert refused.value.render().startswith(f"{design}:23:11: error: @part cannot get memref<16xi8")


def test_view_cast_in_loop(wasm_build: WasmBuild, capfd: pytest.CaptureFixture[str]) -> None:
    chain, design = built(wasm_build, "view_cast_in_loop")
    chain.run()
    assert f"{design}:23:17: warning: this cast loses the offset of a view" in capfd.readouterr().err
    a, b = np.arange(1, 65, dtype=np.int8), np.zeros(64, np.int8)
    run_on_the_array(chain, [a, b])
    # As on an NPU: all four turns write the first quarter.
    np.testing.assert_array_equal(b[:16], -a[:16])
    # What was not written is left as it was, which may be anything.
    assert (b[16:] != -a[16:]).sum() > 40


def test_kernel_names(tmp_path: Path) -> None:
    shutil.copytree(CASES / "kernel_names", tmp_path / "project")
    project = Project(tmp_path / "project", tmp_path / "no tools")
    project.configure()
    compiled = {e["inputs"][0]: e["outputs"][0] for e in project.graph()["edges"] if e["rule"] == "kernel_cc"}
    assert set(compiled) == {"kernels/one/kernel.c", "kernels/two/kernel.c"}
    for name in ("one", "two"):
        linked = [e for e in project.graph()["edges"] if compiled[f"kernels/{name}/kernel.c"] in e["inputs"]]
        assert [output.split("/wasm/")[1] for e in linked for output in e["outputs"]] == [
            f"{name}/core_0_2.wasm"
        ]


#: Rows 0, 2, 4 … of a matrix; 1 to 8; a copy.
EXPECTED = {
    "bd_fields": lambda a: a.reshape(16, 16)[::2].reshape(-1),
    "lock_values": lambda a: np.arange(1, 9, dtype=np.int32),
    "register_writes": lambda a: a[:64],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_dialect_1_4(name: str, tmp_path: Path) -> None:
    text = (CASES / "dialect_1_4" / f"{name}.mlir").read_text()
    chain = Chain(WasmBuild(tmp_path, tmp_path / "cache"), name, text, {})
    chain.run()
    npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
    sent = np.arange(100, 100 + 256, dtype=np.int32)[: 64 if name == "register_writes" else 256]
    expected = EXPECTED[name](sent)
    a, b = npu.allocate(sent.nbytes), npu.allocate(expected.nbytes)
    a.view[:] = sent.tobytes()
    npu.run(Path(chain.file("insts.bin")).read_bytes(), [b] if name == "lock_values" else [a, b])
    np.testing.assert_array_equal(np.frombuffer(bytes(b.view), np.int32), expected)
    npu.close()


def test_wrong_generation(tmp_path: Path) -> None:
    chain = Chain(
        WasmBuild(tmp_path, tmp_path / "cache"),
        "it",
        (CASES / "wrong_generation/design.mlir").read_text(),
        {},
    )
    manifest = json.loads(Path(chain.run()).read_text())
    assert manifest["device"] == "npu2_1col"
    # The XCLBIN says it, so that a context is refused; and so do the instructions, for other XCLBINs.
    modules = CoreModules()
    with open(chain.file("design.xclbin"), "rb") as stream:
        modules.add(stream.fileno())
        container = read_xclbin(Path(stream.name).read_bytes())
    (pdi,) = read_aie_partition(container.section(AIE_PARTITION).data, "it").pdis
    assert modules.family_of(pdi.image) == "npu2"
    with pytest.raises(UserError, match=r"is for npu2 .*the NPU shown is npu1"):
        ArrayContext(1, None, None, modules, "npu1").configure([pdi.image])
    # Word 0 of the instructions: version, then the generation. There is no core here whose module would tell.
    family = of_generation(Path(chain.file("insts.bin")).read_bytes()[2])
    assert family is not None
    architecture = family.architecture
    check_generation(architecture, "npu2")
    with pytest.raises(UserError, match=r"is for npu2 .*the NPU shown is npu1"):
        check_generation(architecture, "npu1")


def test_task_queue_full() -> None:
    warnings = Warnings()
    lower_design((CASES / "task_queue_full/design.mlir").read_text(), "d.mlir", None, "auto", warnings)
    (found,) = [text for text, _ in warnings.items if "without a wait between" in text]
    assert found.startswith("14 tasks are pushed onto MM2S channel 0 of tile (0, 0)")
    assert "holds 4" in found


def test_inspect_what_is_no_binary(wasm_build: WasmBuild, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a Git LFS pointer") as refused:
        inspect_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n", "k.xclbin")
    assert "git lfs pull" in (refused.value.hint or "")
    chain, _ = built(wasm_build, "constants_as_operands")
    made = Path(chain.kernel("negate.o")).read_bytes()
    report = inspect_bytes(made, "negate.o")
    assert report.kind == "object for emulated cores"
    assert [f["name"] for f in report.facts["functions"]] == ["negate"]
    assert report.facts["functions"][0]["bytes"] > 20
    symbols = [
        ObjectSymbol("work", ".text.work", 0, 16, is_function=True),
        ObjectSymbol("other", "", 0),
    ]
    aie = write_object([ObjectSection(".text.work", bytes(16))], symbols)
    report = inspect_bytes(aie, "kernel.o")
    assert report.kind == "object"
    assert report.lines[1:3] == ["  function work: 16 bytes", "  needs other"]
    header = f"{'kernel.o/':16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(aie):<10}`\n".encode()
    report = inspect_bytes(b"!<arch>\n" + header + aie, "combined.o")
    assert report.kind == "archive"
    assert [member["name"] for member in report.facts["members"]] == ["kernel.o"]
    (tmp_path / "x.mlir.prj").mkdir()
    with pytest.raises(UserError, match="a folder without a file that can be inspected"):
        inspect_folder(str(tmp_path / "x.mlir.prj"))
    (tmp_path / "x.mlir.prj/kernel.o").write_bytes(aie)
    (tmp_path / "x.mlir.prj/insts.bin").write_bytes(b"no stream")
    report = inspect_folder(str(tmp_path / "x.mlir.prj"))
    assert report.facts["files"][1] == {"file": "kernel.o", "kind": "object"}
    assert report.facts["files"][0]["kind"].startswith("cannot be read: unknown kind")
