"""Single stages on real tools: what they refuse, and the ones that no tool of AMD has."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import CONFORMANCE, ROOT, positive_designs
from fake_tools import installs

from npuninja.errors import ToolError, UserError
from npuninja.formats.elf import write_core_elf
from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.spelling import respell
from npuninja.stages import aie_opt, bif, core_elfs, core_link_peano, core_llc, pdi, spell
from npuninja.stages.core_downgrade import downgrade

GAIN = CONFORMANCE / "gain_bytes"
# A build has one device; the core entries of a design with several name it.
WITH_ELFS = [
    d
    for d in positive_designs()
    if all(len(c) < 4 for c in json.loads((d / "meta.json").read_text())["cores"])
]


def with_numbers(text, name):
    """A module whose numbers are attributes, as in older generations, which hide how offsets were written."""
    module = parse_module(text, name)
    numbers_from_values(module)
    for op in module.walk():
        op.attributes.pop("offset_written", None)
    return module


@pytest.mark.parametrize("design", WITH_ELFS, ids=lambda d: d.name)
def test_elfs_are_named_as_in_the_reference(design, tmp_path):
    words = []
    for column, row, *_ in json.loads((design / "meta.json").read_text(encoding="utf-8"))["cores"]:
        words += ["--image", f"{column},{row}=elsewhere/core_{column}_{row}.elf"]
    target = tmp_path / "with_elfs.mlir"
    core_elfs.run([str(design / "input_physical.mlir"), "--device-symbol", "main", *words, "-o", str(target)])
    reference = (design / "input_physical_with_elfs.mlir").read_text(encoding="utf-8")
    assert (
        difference(
            with_numbers(target.read_text(encoding="utf-8"), "ours"), with_numbers(reference, "reference")
        )
        is None
    )


def test_a_core_without_an_elf_is_refused(tmp_path):
    words = ["--device-symbol", "main", "--image", "1,5=x.elf", "-o", str(tmp_path / "o.mlir")]
    with pytest.raises(UserError, match=r"core \(0, 2\) has no ELF"):
        core_elfs.run([str(GAIN / "input_physical.mlir"), *words])
    assert not (tmp_path / "o.mlir").exists()


@pytest.mark.parametrize(
    ("edits", "before", "after"),
    [
        (["getelementptr-nuw"], "getelementptr inbounds nuw i8, ptr %1", "getelementptr inbounds i8, ptr %1"),
        (["any-align"], "load ptr %1,  align  16\nstore ptr %2, align 4", "load ptr %1\nstore ptr %2"),
        (
            ["align"],
            "load ptr %1, align 16, !x\nload ptr %2,  align 4",
            "load ptr %1, !x\nload ptr %2,  align 4",
        ),
        (["nocreateundeforpoison"], "declare void @f() nocreateundeforpoison  #0", "declare void @f() #0"),
        (
            ["lifetime-size"],
            "declare void @llvm.lifetime.start.p0(ptr captures(none))\n"
            "  call void @llvm.lifetime.end.p0(ptr %1)\n  call void @llvm.lifetime.end.p0(i64 -1, ptr %1)",
            "declare void @llvm.lifetime.start.p0(i64 immarg, ptr captures(none))\n"
            "  call void @llvm.lifetime.end.p0(i64 -1, ptr %1)\n"
            "  call void @llvm.lifetime.end.p0(i64 -1, ptr %1)",
        ),
        (["floats"], "store float inf, ptr %inf", "store float 0x7FF0000000000000, ptr %inf"),
        (["floats"], "phi half [ -inf, %nan ], [ nan, %b ]", "phi half [ 0xHFC00, %nan ], [ 0xH7E00, %b ]"),
        (["floats"], "ret bfloat nan", "ret bfloat 0xR7FC0"),
        (["floats"], "fmul float %f0x3DE147AE, f0x3DE147AE", "fmul float %f0x3DE147AE, 0x3FBC28F5C0000000"),
        # A double of 1.5 is exact, one of 0.11 is not what a float of 0.11 is.
        (
            ["floats"],
            "call void @f(float 1.500000e+00, float 1.100000e-01, double 1.100000e-01) ; float 0.1\n"
            '"float 0.1" i32 7',
            "call void @f(float 1.500000e+00, float 0x3FBC28F5C0000000, double 1.100000e-01) ; float 0.1\n"
            '"float 0.1" i32 7',
        ),
        (["floats"], "fadd bfloat %x1.5, 1.445310e+00", "fadd bfloat %x1.5, 0xR3FB9"),
        (["floats"], "fadd half %x, 1.000000e-01", "fadd half %x, 0xH2E66"),
        ([], "align 4", "align 4"),
    ],
)
def test_ir_is_made_fit_for_peano(edits, before, after):
    assert downgrade(before, edits) == after


def test_an_unknown_edit_is_refused():
    with pytest.raises(UserError, match="there is no edit 'nuw'"):
        downgrade("", ["nuw"])


def test_a_located_message_of_a_tool_becomes_a_located_error(tmp_path):
    line = "mlir/gain.mlir:12:5: error: op allocated buffers exceeded available memory"
    tool = installs.says(tmp_path / "aie-opt", f"{line}\nnote: MemoryMap:", 1)
    (tmp_path / "gain.mlir").write_text("module {}", encoding="utf-8")
    (tmp_path / "out.mlir").write_text("of an earlier build", encoding="utf-8")
    words = ["--aie-opt", str(tool), "--word", "--pass-pipeline=x", "-o", str(tmp_path / "out.mlir")]
    with pytest.raises(UserError, match="allocated buffers exceeded") as caught:
        aie_opt.run([str(tmp_path / "gain.mlir"), *words])
    assert (str(caught.value.location), "MemoryMap" in caught.value.render()) == ("mlir/gain.mlir:12:5", True)
    assert not (tmp_path / "out.mlir").exists()


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [("Segmentation fault", 139, "exit code 139"), ("done", 0, "although the command succeeded")],
)
def test_a_tool_that_fails_otherwise_is_the_tools_error(tmp_path, text, code, message):
    tool = installs.says(tmp_path / "aie-opt", text, code)
    (tmp_path / "gain.mlir").write_text("module {}", encoding="utf-8")
    with pytest.raises(ToolError, match=message):
        aie_opt.run([str(tmp_path / "gain.mlir"), "--aie-opt", str(tool), "-o", str(tmp_path / "out.mlir")])


def objects(folder: Path, *names: str, flags: int = 2) -> list[str]:
    """Relocatable objects in a folder."""
    for name in names:
        (folder / name).write_bytes(write_core_elf([(0, b"\1" * 16, 16)], flags, elf_type=1))
    return [str(folder / name) for name in names]


@pytest.fixture
def link(tmp_path):
    clang = installs.peano(tmp_path / "peano") / "bin/clang"
    script = tmp_path / "core_0_2.ld.script"
    script.write_bytes((GAIN / "core_0_2.ld.script").read_bytes())

    def run(*given: str) -> bytes:
        words = ["--clang", str(clang), "--word", "-O2", "--word", "--target=aie2-none-unknown-elf"]
        target = tmp_path / "core_0_2.elf"
        core_link_peano.run([*given, *words, "--script", str(script), "--kind", "aie2", "-o", str(target)])
        return target.read_bytes()

    return run


def test_a_core_is_linked_with_the_objects_that_its_script_names(link, tmp_path):
    first = link(*objects(tmp_path, "core_0_2.o", "gain.o"))
    (tmp_path / "gain.o").write_bytes(write_core_elf([(0, b"\2" * 16, 16)], 2, elf_type=1))
    assert link(str(tmp_path / "core_0_2.o"), str(tmp_path / "gain.o")) != first
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".new")]


def test_a_script_that_names_another_object_is_refused(link, tmp_path):
    with pytest.raises(
        UserError, match=r"the linker script names 'gain.o', which is not among the objects"
    ) as caught:
        link(*objects(tmp_path, "core_0_2.o", "gian.o"))
    assert "gian.o" in (caught.value.hint or "")


def test_an_object_of_another_architecture_is_refused(link, tmp_path):
    with pytest.raises(UserError, match="the object is for aie2p, the device is aie2"):
        link(*objects(tmp_path, "core_0_2.o"), *objects(tmp_path, "gain.o", flags=3))


def test_an_object_of_emulated_cores_is_refused(link, tmp_path):
    (tmp_path / "gain.o").write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(UserError, match="not an ELF file"):
        link(*objects(tmp_path, "core_0_2.o"), str(tmp_path / "gain.o"))


def test_what_llc_makes_must_be_an_object_of_the_kind(tmp_path):
    (tmp_path / "core.ll").write_text("define void @core_0_2() {\n", encoding="utf-8")
    llc = installs.peano(tmp_path / "peano") / "bin/llc"
    words = ["-O2", "--march=aie2p", "--function-sections", "--filetype=obj"]
    words = [word for w in words for word in ("--word", w)]
    words += ["--kind", "aie2", "-o", str(tmp_path / "core.o")]
    with pytest.raises(UserError, match="the object is for aie2p, the device is aie2"):
        core_llc.run([str(tmp_path / "core.ll"), "--llc", str(llc), *words])


def test_a_bif_names_files_from_where_it_lies_and_bootgen_takes_it(tmp_path):
    cdos = [str(shutil.copy(GAIN / f"cdo_{part}.bin", tmp_path)) for part in ("elfs", "init", "enable")]
    bif.run([*(word for cdo in cdos for word in ("--cdo", cdo)), "-o", str(tmp_path / "gain.bif")])
    tool = installs.program(tmp_path / "bootgen", "bootgen", "2025-10-05")
    words = ["--bootgen", str(tool), "--bif", str(tmp_path / "gain.bif")]
    pdi.run([*cdos, *words, "-o", str(tmp_path / "gain.pdi")])
    assert (tmp_path / "gain.pdi").read_bytes() == (GAIN / "main.pdi").read_bytes()
    with pytest.raises(UserError, match="bootgen cannot read a file of this name"):
        bif.run(["--cdo", "a folder/cdo.bin", "-o", str(tmp_path / "gain.bif")])


OLD = {"sequence_op": "aiex.runtime_sequence", "allocation_has_tile": False, "functions_link": False}
NEW = {"sequence_op": "aie.runtime_sequence", "allocation_has_tile": True, "functions_link": True}
BODY = """module {{
  aie.device(npu1_1col) {{
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @f(){function}
    func.func private @g(){other}
    aie.shim_dma_allocation @a{allocation}
    %core = aie.core(%worker) {{
      func.call @f() : () -> ()
      aie.end
    }}{core}
    {sequence}(%x : memref<16xi32>) {{
    }}
  }}
}}
"""
OLD_TEXT = BODY.format(
    function="", other="", allocation="(MM2S, 0, 0)", core=' {link_with = "f.o"}', sequence=OLD["sequence_op"]
)
LINK, LINK_G = ' attributes {link_with = "f.o"}', ' attributes {link_with = "g.o"}'
NEW_TEXT = BODY.format(
    function=LINK, other="", allocation="(%shim, MM2S, 0)", core="", sequence=NEW["sequence_op"]
)
TWO_OBJECTS = NEW_TEXT.replace("@g()", "@g()" + LINK_G).replace(
    "aie.end", "func.call @g() : () -> ()\n      aie.end"
)


def respelled(text: str, **spelling: object) -> str:
    """A text in another spelling, as a module's text; "" when nothing changed."""
    from npuninja.ir.printer import print_module

    module = parse_module(text, "a.mlir")
    return print_module(module) if respell(module, **spelling) else ""


def test_designs_are_put_into_the_spelling_of_the_tools():
    older = parse_module(respelled(NEW_TEXT, **OLD), "a.mlir")
    assert difference(older, parse_module(OLD_TEXT, "b.mlir")) is None
    newer = respelled(OLD_TEXT, **NEW)
    assert "aie.shim_dma_allocation @a(%shim, MM2S, 0)" in newer.replace(" (", "(")
    assert "aie.runtime_sequence(" in newer
    assert 'link_with = "f.o"' in newer  # on the core, which newer releases read as well
    assert respelled(OLD_TEXT, **OLD) == respelled(NEW_TEXT, **NEW) == ""


def test_a_tile_that_only_an_older_allocation_names_is_declared():
    newer = respelled(OLD_TEXT.replace("%shim = aie.tile(0, 0)", ""), **NEW)
    (tile,) = re.findall(r"(%\w+) = aie\.tile\(0, 0\)", newer)
    assert f"aie.shim_dma_allocation @a({tile}, MM2S, 0)" in newer.replace(" (", "(")


def test_a_core_of_two_objects_has_no_older_spelling():
    with pytest.raises(
        UserError, match="the core is linked with 2 objects, MLIR-AIE before 2026-03-13 links one"
    ) as caught:
        respelled(TWO_OBJECTS, **OLD)
    assert caught.value.location is not None


def test_a_logical_tile_has_no_older_spelling():
    with pytest.raises(UserError, match=r"before 2025-11-18 has no aie.logical_tile"):
        respelled(
            "module {\n aie.device(npu1_1col) {\n %t = aie.logical_tile<CoreTile>(?, ?)\n }\n}\n", **OLD
        )


def test_a_design_without_a_difference_stays_as_it_was_written(tmp_path):
    source = ROOT / "mlir/passthrough.mlir"
    spell.run([str(source), "--sequence-op", "aiex.runtime_sequence", "-o", str(tmp_path / "design.mlir")])
    assert (tmp_path / "design.mlir").read_bytes() == source.read_bytes()
    flags = ["--allocation-has-tile", "--functions-link"]
    spell.run(
        [str(source), "--sequence-op", "aie.runtime_sequence", *flags, "-o", str(tmp_path / "design.mlir")]
    )
    assert "aiex.runtime_sequence" not in (tmp_path / "design.mlir").read_text(encoding="utf-8")
