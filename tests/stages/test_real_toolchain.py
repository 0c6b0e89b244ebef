"""Whole builds by pretended toolchains: MLIR-AIE's releases, Peano, bootgen, xclbinutil, by stages or aiecc.

The programs are strict (tests/fake_tools): a wrong flag, path or spelling fails the build.
"""

from __future__ import annotations

import json
import re

import pytest
from fake_tools import installs
from fake_tools.releases import RELEASES, pattern, plain

from npuninja.detect.mlir_aie_releases import RELEASES as KNOWN
from npuninja.formats.cdo import read_cdo
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import read_xclbin

STAGED = [since for since in RELEASES if since != "2026-07"]


def words_of(command: str) -> list[str]:
    """The words that a stage passes on to its tool."""
    return re.findall(r"--word '?([^' ][^']*?)'?(?= --|$)", command)


@pytest.mark.parametrize("since", ["2025-10-05", "2025-11-18", "2026-03-15", "2026-08-14"])
def test_a_design_is_built_stage_by_stage(machine, since):
    machine.with_release(since).project.configure()
    machine.project.ninja()
    assert "no work to do" in machine.project.ninja().stdout
    manifest = json.loads(machine.output("gain.json").read_text(encoding="utf-8"))
    assert manifest["core_kind"] == "aie2"
    version = RELEASES[since].version
    assert manifest["providers"]["lower"] == {"provider": "aie-opt", "version": version}
    assert manifest["providers"]["core"] == {"provider": "peano", "version": installs.PEANO_2025}
    assert manifest["providers"]["xclbin"]["provider"] == "xclbinutil"
    # The IR that Peano got has none of the words that it does not read.
    words = "|".join(("align", *RELEASES[since].old_llvm_words))
    assert re.search(words, machine.output("core_0_2.ll").read_text(encoding="utf-8"))
    assert not re.search(words, machine.output("core_0_2.peano.ll").read_text(encoding="utf-8"))
    xclbin = read_xclbin(machine.output("gain.xclbin").read_bytes())
    assert any(xclbin.uuid)
    pdi = read_pdi(machine.output("gain.pdi").read_bytes())
    assert len(pdi.commands("gain.pdi")) >= len(read_cdo(machine.output("cdo_init.bin").read_bytes()))


@pytest.mark.parametrize("since", STAGED)
def test_every_release_is_asked_what_it_knows(machine, since):
    release = RELEASES[since]
    machine.with_release(since).project.configure()
    commands = machine.commands().splitlines()
    words = {}
    for command in commands:
        output = re.findall(r" -o (\S+)", command)[0].rsplit("/", 1)[1]
        words[output] = words_of(command)
    assert re.fullmatch(
        "--pass-pipeline=" + pattern(release.p1), plain(words["input_with_addresses.mlir"][0])
    )
    assert [plain(word) for word in words["input_physical.mlir"]] == [release.route]
    assert [plain(word) for word in words["npu_insts.mlir"]] == ["--pass-pipeline=" + release.p3]
    assert re.fullmatch("--pass-pipeline=" + pattern(release.p2), plain(words["core_0_2.opt.mlir"][0]))
    assert tuple(words["core_0_2.opt.ll"]) == release.opt
    assert any("-fuse-ld=" in word for word in words["core_0_2.elf"]) == release.lld
    spelled = "--sequence-op " + ("aie.runtime_sequence" if release.new_sequence else "aiex.runtime_sequence")
    assert sum(spelled in command for command in commands) == 1


def test_every_release_in_the_table_has_a_pretended_one():
    known = [release.since for release in KNOWN]
    assert [since for since in RELEASES if since in known] == known
    # That of July is driven through aiecc only.
    assert set(RELEASES) - set(STAGED) == {"2026-07"}


@pytest.mark.parametrize("since", ["2025-10-05", "2026-02-24", "2026-07"])
def test_a_design_is_built_by_aiecc(machine, since):
    machine.with_release(since).project.configure("--provider", "design=aiecc")
    machine.project.ninja()
    assert "no work to do" in machine.project.ninja().stdout
    made = machine.output("gain.xclbin").read_bytes()
    assert read_xclbin(made).sections
    machine.output("gain.xclbin").unlink()
    machine.project.ninja()
    assert machine.output("gain.xclbin").read_bytes() == made
    manifest = json.loads(machine.output("gain.json").read_text(encoding="utf-8"))
    assert manifest["providers"]["design"]["provider"] == f"aiecc ({RELEASES[since].aiecc})"
    machine.project.edit("kernels/gain/scale.h", "64", "32")
    assert machine.project.rebuilt() == ["gain.elf", "gain.json", "gain.o", "gain.xclbin"]


def test_two_builds_have_the_same_bytes(machine):
    machine.with_release("2026-03-15")
    for folder in ("one", "two"):
        machine.project.configure("-B", folder)
        machine.project.ninja("-C", folder)
    made = [machine.project.folder / folder / "npu1_1col/aie2/gain" for folder in ("one", "two")]
    names = [sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) for folder in made]
    assert names[0] == names[1]
    assert "gain.xclbin" in names[0]
    assert [n for n in names[0] if (made[0] / n).read_bytes() != (made[1] / n).read_bytes()] == []


def test_an_edit_rebuilds_what_depends_on_it(machine):
    machine.with_release("2026-03-15").project.configure()
    machine.project.ninja()
    machine.project.edit("kernels/gain/scale.h", "64", "32")
    packing = ["gain.json", "gain.o", "gain.pdi", "gain.xclbin", "main_aie_partition.json"]
    assert machine.project.rebuilt() == ["cdo_elfs.bin", "core_0_2.elf", *packing]
    machine.project.edit("mlir/gain.mlir", "// Multiplies bytes.", "// Multiplies bytes by three.\n")
    assert "cdo_elfs.bin" not in machine.project.rebuilt()


def test_another_peano_rebuilds_what_it_made_and_only_that(machine):
    machine.with_release("2026-03-15").project.configure()
    before = set(machine.commands().splitlines())
    (machine.site / f"llvm_aie-{installs.PEANO_2025}.dist-info").rename(
        machine.site / f"llvm_aie-{installs.PEANO_2026}.dist-info"
    )
    machine.project.configure()
    changed = {
        re.findall(r" -o (\S+)", c)[-1].rsplit("/", 1)[1]
        for c in set(machine.commands().splitlines()) - before
    }
    # The last is of the command that packs, because the manifest names the version.
    assert changed == {"core_0_2.opt.ll", "core_0_2.o", "core_0_2.elf", "gain.o", "gain.json"}


MIXTURES = [
    # choices, rules that must be there, rules that must not; the first two are built too
    (
        ("kernel=real", "core=embedded"),
        {"core_code", "core_cc_peano", "core_link_peano", "lower_aie_opt"},
        {"core_llvm"},
    ),
    (
        ("lower=embedded", "route=embedded", "pdi=embedded"),
        {"lower", "route", "sequence_aie_opt", "pdi"},
        {"bif"},
    ),
    (
        ("cdo=embedded", "xclbin=embedded", "ldscript=embedded"),
        {"cdo", "core_llc", "xclbin", "ldscript"},
        {"core_elfs"},
    ),
    (
        ("kernel=embedded",),
        {"lower_aie_opt", "core_link", "cdo", "pdi_bootgen", "xclbin_xclbinutil"},
        {"core_llvm"},
    ),
    (("insts=embedded", "sequence=embedded"), {"insts", "sequence", "core_opt"}, {"insts_aie_translate"}),
]


@pytest.mark.parametrize(("choices", "there", "absent"), MIXTURES, ids=lambda value: "+".join(sorted(value)))
def test_providers_mix(machine, choices, there, absent):
    machine.with_release("2026-03-15")
    machine.project.configure(*(word for choice in choices for word in ("--provider", choice)))
    if choices in (MIXTURES[0][0], MIXTURES[1][0]):
        machine.project.ninja()
    rules = {edge["rule"] for edge in machine.project.graph()["edges"] if "/wasm/" not in edge["outputs"][0]}
    if "kernel=embedded" in choices:
        rules = {edge["rule"] for edge in machine.project.graph()["edges"]}
    assert there <= rules
    assert not absent & rules


REFUSED = [
    (("kernel=real", "link=embedded"), 2, "kernel=real does not go with link=embedded"),
    (("kernel=embedded", "core=real"), 2, "core=real does not go with kernel=embedded"),
    (("kernel=embedded", "cdo=real"), 2, "the real tool knows no emulated cores"),
]


@pytest.mark.parametrize(("choices", "code", "message"), REFUSED)
def test_mixtures_without_a_sense_are_refused(machine, choices, code, message):
    machine.with_release("2026-03-15")
    words = [word for choice in choices for word in ("--provider", choice)]
    assert message in machine.project.configure(*words, code=code).stderr


def test_an_own_lowering_is_refused_where_only_the_tool_knows_the_syntax(machine):
    machine.with_release("2025-11-18")
    refused = machine.project.configure("--provider", "lower=embedded", code=2)
    assert "stage lower cannot be embedded while route is done by this MLIR-AIE" in refused.stderr


def test_a_release_that_is_too_new_is_used_by_its_driver_only(machine):
    machine.with_release("2026-07")
    printed = machine.project.configure().stdout
    assert "is of the time when its pipelines changed" in printed
    assert {edge["rule"] for edge in machine.project.graph()["edges"]} >= {"lower", "core_code", "cdo"}
    refused = machine.project.configure("--provider", "lower=real", code=3)
    assert "--provider design=aiecc" in refused.stderr
    # What to install instead, with the command.
    assert "pip install 'mlir_aie==0.0.1.2025100604+5950a4d' -f " in refused.stderr
    assert "pip install 'mlir_aie>=0.0.1.2026081400' -f " in refused.stderr


def test_the_tools_of_1_4_get_designs_in_their_spelling(machine):
    machine.with_release("2026-08-14")
    printed = machine.project.configure().stdout
    assert re.search(r"lower +aie-opt +0\.0\.1\.2026081504", printed)
    assert "2026-08 for gain: it is what aie-opt 0.0.1.2026081504+3ca0193 reads" in printed
    machine.project.ninja()
    spelled = machine.output("design.mlir")
    assert "aie.runtime_sequence" in spelled.read_text(encoding="utf-8")
    lowered = spelled.with_name("input_with_addresses.mlir").read_text(encoding="utf-8")
    assert re.search(r"aie\.use_lock\(%\w+, AcquireGreaterEqual, %c1", lowered)


def test_peano_without_the_target_of_the_device_is_refused(machine):
    machine.with_release("2026-03-15")
    banner = (
        "LLVM (http://llvm.org/):\n"
        "  LLVM version 19.0.0git\n"
        "  Registered Targets:\n"
        "    aie2  - Xilinx AI Engine"
    )
    installs.says(machine.site / "llvm-aie/bin/llc", banner)
    machine.project.edit("mlir/gain.mlir", "aie.device(npu1_1col)", "aie.device(npu2_1col)")
    printed = machine.project.configure(code=3).stderr
    assert "mlir/gain.mlir:3:" in printed
    assert "has no target aie2p, which npu2_1col needs" in printed


def test_real_cores_without_peano_say_what_was_examined(machine):
    machine.project.environment["PEANO_INSTALL_DIR"] = "/nowhere"
    for stage in ("kernel", "core", "link"):
        printed = machine.project.configure("--provider", f"{stage}=real", code=3).stderr
        assert "peano is not usable" in printed
        assert "/nowhere/bin/llc ($PEANO_INSTALL_DIR): there is no such file" in printed


def test_a_design_for_npu2_is_compiled_for_aie2p(machine):
    machine.with_release("2026-03-15")
    machine.project.edit("mlir/gain.mlir", "aie.device(npu1_1col)", "aie.device(npu2_1col)")
    machine.project.configure()
    machine.project.ninja()
    assert (machine.project.folder / "build/npu2_1col/aie2p/gain/gain.xclbin").exists()


def test_the_emulated_cores_are_tested_beside_the_real_ones(machine):
    machine.with_release("2025-10-05").project.configure()
    printed = machine.project.ninja("test").stdout
    assert re.search(r"^gain +right ", printed, re.M)
    assert (machine.project.folder / "build/npu1_1col/wasm/gain/gain.xclbin").exists()
    assert not machine.output("gain.xclbin").exists()


def test_a_kernel_that_does_not_compile_is_the_users_error_and_leaves_nothing(machine):
    machine.with_release("2026-03-15").project.configure()
    machine.project.write("kernels/gain/gain.c", "int x;\n")
    printed = machine.project.ninja(code=None).stdout
    assert "kernels/gain/gain.c: error: the file does not compile" in printed
    assert not (machine.project.folder / "build/npu1_1col/aie2/kernels/gain.o").exists()
