"""A design with several devices and runtime sequences: built, listed, each run by name, and reconfigured."""

import hashlib
import json
import shutil

from conftest import TESTS
from two_devices import DESIGN, REFERENCE

from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.formats.txn import LoadPdi, read_txn
from npuninja.formats.xclbin import AIE_PARTITION, IP_LAYOUT, read_xclbin
from npuninja.formats.xclbin_sections import read_ip_layout

FOLDER = "build/npu1_1col/wasm/three"


def test_every_kernel_and_sequence_of_a_design(project):
    project.write("mlir/three.mlir", DESIGN)
    project.write("host/three.py", REFERENCE)
    project.configure("three")
    shown = project.ninja("run-three").stdout
    for label in ("twice:run", "negate:short", "negate:long", "both:run"):
        assert f"three {label} on emu" in shown
    assert shown.count("elements are right") == 5
    manifest = json.loads((project.folder / FOLDER / "three.json").read_text())
    assert [(k["name"], k["id"], [s["name"] for s in k["sequences"]]) for k in manifest["kernels"]] == [
        *(("twice", "0x901", ["run"]), ("negate", "0x902", ["short", "long"]), ("both", "0x903", ["run"]))
    ]
    assert manifest["kernel"] == {"name": "twice", "id": "0x901"}
    streams = {f"{k['name']}.{s['name']}": s for k in manifest["kernels"] for s in k["sequences"]}
    elf = (project.folder / FOLDER / streams["negate.long"]["elf"]["path"]).read_bytes()
    assert hashlib.sha256(elf).hexdigest() == streams["negate.long"]["elf"]["sha256"]
    assert elf == write_instruction_elf((project.folder / FOLDER / "negate.insts.long.bin").read_bytes())
    assert manifest["files"]["elf"] == streams["twice.run"]["elf"]
    container = read_xclbin((project.folder / FOLDER / "three.xclbin").read_bytes())
    units = read_ip_layout(container.section(IP_LAYOUT).data, "x")
    assert [unit.name for unit in units] == ["twice:MLIRAIE", "negate:MLIRAIE", "both:MLIRAIE"]
    pdis = read_aie_partition(container.section(AIE_PARTITION).data, "x").pdis
    assert [(pdi.pdi_id, pdi.kernel_ids) for pdi in pdis] == [(1, (0x901,)), (2, (0x902,)), (3, (0x903,))]
    stream = (project.folder / FOLDER / "both.insts.bin").read_bytes()
    assert [o.pdi_id for o in read_txn(stream).operations if isinstance(o, LoadPdi)] == [1, 2]
    assert "on an NPU that is done from a full ELF" in shown
    _one_of_them(project)
    _wrong(project)


def _one_of_them(project):
    words = ["run", f"{FOLDER}/three.json", "--verify", "--json"]
    one = json.loads(project.npuninja(*words, "--kernel", "negate", "--sequence", "long").stdout)
    assert (one["kernel"], one["sequence"], one["verified"]) == ("negate", "long", True)
    both = json.loads(project.npuninja(*words, "--kernel", "negate").stdout)
    assert (both["status"], [run["sequence"] for run in both["runs"]]) == ("ok", ["short", "long"])
    refused = project.npuninja(*words, "--kernel", "none", code=2)
    assert "the design has no kernel 'none'" in refused.stderr
    assert "twice:run, negate:short, negate:long, both:run" in refused.stderr
    listed = [*words, "--runlist"]
    result = json.loads(project.npuninja(*listed).stdout)
    assert [run["verified"] for run in result["runs"]] == [True] * 4
    order = "negate:short,twice,negate:long,twice"
    result = json.loads(project.npuninja(*listed, "--order", order, "--bench", "1").stdout)
    names = [f"{run['kernel']}:{run['sequence']}" for run in result["runs"]]
    assert names == ["negate:short", "twice:run", "negate:long", "twice:run"]
    assert (result["status"], result["times"]["runs"]) == ("ok", 1)
    assert (
        "the design has no kernel 'none'" in project.npuninja(*listed, "--order", "twice,none", code=2).stderr
    )
    assert (
        "--schedules does not go with --runlist"
        in project.npuninja(*listed, "--schedules", "2", code=2).stderr
    )
    data = project.folder / "data.bin"
    data.write_bytes(bytes(256))
    refused = project.npuninja("run", f"{FOLDER}/three.json", "--input", str(data), code=2)
    assert "--input and --output go with one run" in refused.stderr


def _wrong(project):
    """What is wrong in one of them is reported with its name, and the others are run all the same."""
    project.edit("host/three.py", '(2 if kernel == "twice"', '(3 if kernel == "twice"')
    failed = project.ninja("run-three", code=None)
    assert "three twice:run: the result is wrong in b" in failed.stdout + failed.stderr
    assert "three both:run on emu" in failed.stdout
    listed = project.npuninja("run", f"{FOLDER}/three.json", "--verify", "--runlist", "--brief", code=1)
    assert "runlist of 4 on emu" in listed.stdout
    assert "the result is wrong in three twice:run\n" in listed.stderr
    assert failed.stdout.count("elements are right") == 4


def test_sequences_of_one_device_share_its_kernel(project):
    text = DESIGN[
        DESIGN.index("  aie.device(npu1_1col) @negate") : DESIGN.index("  aie.device(npu1_1col) @both")
    ]
    project.write("mlir/three.mlir", text)
    project.write(
        "host/three.py", REFERENCE.replace("kernel, sequence", "sequence").replace("    assert", "    #")
    )
    project.edit("host/three.py", 'if kernel == "both"', "if False")
    project.edit("host/three.py", 'if kernel == "twice"', "if False")
    project.configure("three", "--check")
    assert project.ninja("run-three").stdout.count("elements are right") == 2
    names = {path.name for path in (project.folder / FOLDER).iterdir()}
    assert {"insts.short.bin", "insts.long.bin", "core_0_3.wasm", "three.pdi"} <= names
    manifest = json.loads((project.folder / FOLDER / "three.json").read_text())
    assert [k["name"] for k in manifest["kernels"]] == ["MLIR_AIE"]


def test_the_project_says_which_devices_are_built_and_what_their_kernels_are_called(project):
    project.write("mlir/three.mlir", DESIGN)
    said = '[design.three]\ndevices = ["negate"]\nkernels = ["negate=NEG:INSTANCE:0x905"]\n'
    project.write("toolchain.toml", said)
    project.configure("three")
    project.ninja("three")
    container = read_xclbin((project.folder / FOLDER / "three.xclbin").read_bytes())
    units = read_ip_layout(container.section(IP_LAYOUT).data, "x")
    assert [(unit.name, unit.kernel_id) for unit in units] == [("NEG:INSTANCE", 0x905)]
    pdis = read_aie_partition(container.section(AIE_PARTITION).data, "x").pdis
    assert [(pdi.pdi_id, pdi.kernel_ids) for pdi in pdis] == [(2, (0x905,))]  # as streams number devices
    manifest = json.loads((project.folder / FOLDER / "three.json").read_text())
    assert [(k["name"], k["id"]) for k in manifest["kernels"]] == [("NEG", "0x905")]
    result = project.npuninja("run", f"{FOLDER}/three.json", "--kernel", "NEG", "--sequence", "short").stdout
    assert "three NEG:short on emu" in result
    for wrong, message in (
        (said.replace('["negate"]', '["negat"]'), "the design has no device @negat"),
        (said.replace("negate=NEG", "twice=NEG"), "'kernels': the design has no device @twice"),
        (said.replace("negate=NEG", "negate="), "'kernels'"),
        (said.replace("0x905", "x"), "'kernels' must be DEVICE=KERNEL[:INSTANCE[:ID]]"),
        ('[design.three]\nkernels = ["negate=A", "twice=A"]\n', "are both called 'A'"),
    ):
        project.write("toolchain.toml", wrong)
        assert message in project.configure("three", code=2).stderr


def test_a_device_is_built_with_those_that_its_sequence_loads(project):
    project.write("mlir/three.mlir", DESIGN)
    project.write("host/three.py", REFERENCE)
    project.write("toolchain.toml", '[design.three]\ndevices = ["both"]\nkernels = ["both=ALL"]\n')
    reference = REFERENCE.replace('"both"', '"ALL"')
    project.write("host/three.py", reference)
    project.configure("three")
    assert "three ALL:run on emu" in project.ninja("run-three").stdout


def test_a_core_that_only_a_configured_device_has(project):
    """A conformance design whose driver device comes last: built, checked and run without a reference."""
    shutil.copy(TESTS / "conformance/new_two_devices/design.mlir", project.folder / "mlir/two.mlir")
    project.write("kernels/plus/plus.c", "void plus_k(int *a) { for (int i = 0; i < 16; i++) a[i] += 1; }\n")
    project.configure("two")
    project.ninja("two")
    manifest = "build/npu2_1col/wasm/two/two.json"
    assert "two plus:plus_seq on emu" in project.npuninja("run", manifest, "--kernel", "plus").stdout
    # Nothing takes what @minus sends: a sequence that runs it stands still; @plus was loaded and run before.
    stuck = project.npuninja("run", manifest, "--kernel", "main", code=4).stderr
    assert "MM2S 1 of tile (0, 0)" in stuck
    assert "@plus" in project.npuninja("size", "build/npu2_1col/wasm/two").stdout
