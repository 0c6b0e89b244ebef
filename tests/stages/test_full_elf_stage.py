"""Stage full_elf: by ourselves, and by aiebu-asm, which is asked for the same file."""

from __future__ import annotations

import json
import shlex
import shutil
import struct
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from two_devices import DESIGN, REFERENCE

from npuninja.device.manifest import read_runs
from npuninja.device.program import program_of
from npuninja.errors import UserError
from npuninja.formats.cdo import read_cdo
from npuninja.formats.control_packets import configuration_operations
from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.formats.txn import AddressPatch, BlockWrite, LoadPdi, Transaction, read_txn, write_txn
from npuninja.stages import ctrlpkt_elf, full_elf
from npuninja.stages.insts_elf import NO_ELF, refuse_no_elf

DESIGNS = Path(__file__).parents[1] / "conformance/new_two_devices"
# What the stage asks of aiebu-asm, made by ours from the same files.
PRETENDED = """import json, sys
sys.path.insert(0, ROOT)
from npuninja.formats.full_elf import FullInstance, FullKernel, write_full_elf
target, form, given, config, output, result = sys.argv[1:]
assert (target, form, given, output) == ("-t", "aie2_config", "-j", "-o"), sys.argv
read = lambda path: open(path, "rb").read()
kernels = [
    FullKernel(
        k["name"], len(k["arguments"]), tuple((p["id"], read(p["PDI_file"])) for p in k["PDIs"]),
        tuple(FullInstance(i["id"], read(i["TXN_ctrl_code_file"])) for i in k["instance"]),
    )
    for k in json.load(open(config))["xrt-kernels"]
]
open(result, "wb").write(write_full_elf(kernels))
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The options of the stage for the devices `main`, `plus` and `minus`."""
    found, names = ["--device", "npu2"], ("main", "plus", "minus")
    for place, name in enumerate(names, 1):
        hexadecimal = (DESIGNS / f"{name}.insts.hex").read_text(encoding="utf-8").split()
        stream = read_txn(struct.pack(f"<{len(hexadecimal)}I", *(int(word, 16) for word in hexadecimal)))
        # As the build numbers the devices.
        loads = iter((2, 3))
        operations = [
            op._replace(pdi_id=next(loads)) if isinstance(op, LoadPdi) else op for op in stream.operations
        ]
        (tmp_path / f"{name}.bin").write_bytes(write_txn(stream._replace(operations=tuple(operations))))
        (tmp_path / f"{name}.json").write_text(json.dumps([{}] * (5 if name == "plus" else 2)))
        shutil.copy(DESIGNS / f"{name}.main.pdi", tmp_path / f"{name}.pdi")
        found += [str(tmp_path / f"{name}.pdi"), "--number", str(place), "--instance", f"{name}:sequence"]
        found += ["--insts", str(tmp_path / f"{name}.bin"), "--arguments", str(tmp_path / f"{name}.json")]
    return found


@pytest.mark.parametrize(
    ("device", "only", "said"),
    [
        ("npu2", "", ""),
        ("npu1_1col", "", "warning: the driver of npu1_1col takes no full ELF"),
        ("npu2", "plus", "warning: no sequence of the full ELF loads a configuration"),
    ],
)
def test_what_an_npu_would_not_do_is_reported(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], device: str, only: str, said: str
) -> None:
    """The sequences of `plus` and `minus` load nothing; that of `main` does, and may run theirs."""
    each = len(words[2:]) // 3
    of_one = words[2 + each : 2 + 2 * each] if only else words[2:]
    full_elf.run(["--device", device, *of_one, "-o", str(tmp_path / "x.elf")])
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert bool(err) is bool(said)


def test_aiebu_asm_is_asked_for_the_same(words: list[str], tmp_path: Path) -> None:
    ours, theirs, tool = tmp_path / "ours.elf", tmp_path / "theirs.elf", tmp_path / "aiebu-asm"
    script = tmp_path / "pretended.py"
    script.write_text(f"ROOT = {str(ROOT)!r}\n{PRETENDED}")
    tool.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    full_elf.run([*words, "-o", str(ours)])
    full_elf.run([*words, "--aiebu-asm", str(tool), "-o", str(theirs)])
    assert ours.read_bytes() == theirs.read_bytes()
    made = read_full_elf(ours.read_bytes(), "ours.elf")
    assert {k.name: k.arguments for k in made.kernels} == {"main": 3, "plus": 5, "minus": 3}
    assert made.pdis[2] == (tmp_path / "plus.pdi").read_bytes()
    left = {p.name for p in tmp_path.iterdir()}
    assert not any("full_elf_config" in name or "work" in name for name in left)


def test_a_stream_that_loads_what_is_not_there_is_refused(words: list[str], tmp_path: Path) -> None:
    stream = read_txn((tmp_path / "plus.bin").read_bytes())
    operations = (LoadPdi(9, 0, 0), *stream.operations)
    (tmp_path / "plus.bin").write_bytes(write_txn(stream._replace(operations=operations)))
    with pytest.raises(UserError, match="plus:sequence loads PDI 9, and the kernel has 1, 2, 3"):
        full_elf.run([*words, "-o", str(tmp_path / "made.elf")])


def test_a_design_asks_for_it(project) -> None:
    """Its devices are the kernels, whatever the XCLBIN calls them, and its cores' modules come with it."""
    project.write("mlir/three.mlir", DESIGN.replace("npu1_1col", "npu2_1col"))
    project.write("host/three.py", REFERENCE)
    project.write("toolchain.toml", '[design.three]\nfull-elf = true\nkernels = ["twice=TWO"]\n')
    project.configure("three")
    project.ninja("three")
    folder = project.folder / "build/npu2_1col/wasm/three"
    made = read_full_elf((folder / "three.full.elf").read_bytes(), "three.full.elf")
    names = {f"{k.name}:{i.name}" for k in made.kernels for i in k.instances}
    assert names == {"twice:run", "negate:short", "negate:long", "both:run"}
    assert {k.name: k.arguments for k in made.kernels} == {"twice": 3, "negate": 3, "both": 4}
    assert [made.pdis[n] for n in (1, 2, 3)] == [
        (folder / f"{name}.pdi").read_bytes() for name in ("twice", "negate", "both")
    ]
    assert made.columns == 1
    assert made.emulation_data.startswith(b"NPUNWASM")
    assert (folder / "params.txt").read_text() == "0\n"
    manifest = json.loads((folder / "three.json").read_text())
    assert manifest["files"]["full_elf"]["path"] == "three.full.elf"
    runs = read_runs(str(folder / "three.json"))
    assert {run.full_elf_kernel for run in runs} == names
    assert {run.kernel for run in runs} == {"TWO", "negate", "both"}
    assert program_of(runs[0]).full_elf == runs[0].full_elf == str(folder / "three.full.elf")
    (folder / "three.full.elf").write_bytes(b"another")
    with pytest.raises(UserError, match="not of this build"):
        program_of(runs[0])


def test_control_packets_go_into_the_elf_of_the_sequence_that_sends_them(tmp_path: Path) -> None:
    descriptor = BlockWrite(0x1D000, struct.pack("<8I", 4, 0, 0, 0, 0, 0, 0, 1 << 25))
    (tmp_path / "packets.bin").write_bytes(bytes(range(16)))
    words = [
        str(tmp_path / "insts.bin"), "--packets", str(tmp_path / "packets.bin"), "--argument", "2", "-o",
        str(tmp_path / "made.elf"),
    ]  # fmt: skip
    for first, said in (((), b"control-packet"), ((LoadPdi(1, 0, 0),), NO_ELF)):
        operations = (*first, descriptor, AddressPatch(0x1D004, 2, 0))
        (tmp_path / "insts.bin").write_bytes(write_txn(Transaction(3, 6, 1, 1, operations)))
        ctrlpkt_elf.run(words)
        assert said in (tmp_path / "made.elf").read_bytes()
    with pytest.raises(UserError, match="is no ELF, because these instructions cannot be one"):
        refuse_no_elf(str(tmp_path / "made.elf"))


def test_configurations_may_take_the_place_of_loads(words: list[str], tmp_path: Path) -> None:
    """Two empty PDIs take turns before them, since a firmware leaves out a load of the last one."""
    for name in ("main", "plus", "minus"):
        for part in ("elfs", "init", "enable"):
            words += [f"--{part}", str(DESIGNS / f"{name}.cdo_{part}.bin")]
    full_elf.run([*words, "-o", str(tmp_path / "made.elf")])
    made = read_full_elf((tmp_path / "made.elf").read_bytes(), "made.elf")
    assert sorted(made.pdis) == [1, 2, 3, 4, 5]
    (main,) = (k for k in made.kernels if k.name == "main")
    operations = read_txn(main.instances[0].stream).operations
    loads = [place for place, op in enumerate(operations) if isinstance(op, LoadPdi)]
    assert [operations[place].pdi_id for place in loads] == [4, 5]
    for place, name in zip(loads, ("plus", "minus")):
        parts = [DESIGNS / f"{name}.cdo_{part}.bin" for part in ("elfs", "init", "enable")]
        commands = [command for part in parts for command in read_cdo(part.read_bytes())]
        meant = list(configuration_operations(commands))
        assert operations[place + 1 : place + 1 + len(meant)] == tuple(meant)
        assert len(meant) > 5
