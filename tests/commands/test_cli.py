import json
import os
import re
import subprocess
import sys

import pytest
from conftest import CONFORMANCE, ROOT

from npuninja.cli import VERBS, main


def run(*words: str) -> int:
    return main([str(word) for word in words])


def test_help_lists_every_verb(capsys):
    assert run("--help") == 0
    printed = capsys.readouterr().out
    assert all(verb in printed for verb in VERBS)
    assert "77 no device" in printed


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb, capsys):
    try:
        code = run(verb, "--help")
    except SystemExit as end:  # argparse leaves in this way
        code = end.code
    assert not code
    assert "usage: npuninja" in capsys.readouterr().out


def test_an_unknown_verb_is_refused_with_a_near_one(capsys):
    assert run("lwer") == 2
    assert "did you mean 'lower'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--foo", "d.py"], "has no option --foo"),
        (["d.py", "e.py"], "unexpected 'e.py'"),
        (["--device=npu9", "d.py"], "--device npu9: expected one of npu1, npu2"),
        (["--generation", "2030-01", "d.py"], "--generation 2030-01: expected one of auto"),
        (["--print"], "needs a script"),
        (["--print", "--print=no", "d.py"], "has no option --print=no"),
        (["--provider", "real", "--generation", "2026-02", "d.py"], "is for npuninja's own bindings"),
    ],
)
def test_words_of_a_design_in_python(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.py").write_text("print('module {}')\n")
    assert run("python", *words) == 2
    assert said in capsys.readouterr().err


def test_a_design_in_python_has_the_words_behind_its_own(capsys, tmp_path):
    script = tmp_path / "d.py"
    script.write_text("import sys\nprint('module {}', sys.argv[1:])\n")
    assert run("python", "--print", "--print", script, "--", "--print", "-h") == 0
    assert capsys.readouterr().out == "module {} ['--print', '-h']\n"


def test_no_verb_is_refused(capsys):
    assert run() == 2
    assert "no verb given" in capsys.readouterr().err


def test_a_bug_leaves_with_70_and_its_traceback(capsys, monkeypatch):
    monkeypatch.setattr("npuninja.commands.lower.main", lambda words: 1 // 0)
    assert run("lower") == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_lower_writes_every_file(tmp_path):
    assert run("lower", CONFORMANCE / "gain_bytes/design.mlir", "-o", tmp_path / "out") == 0
    assert sorted(os.listdir(tmp_path / "out")) == [
        "core_0_2.ld.script",
        "input_physical.mlir",
        "input_with_addresses.mlir",
        "insts.bin",
        "npu_insts.mlir",
    ]


def test_lower_names_files_by_device_when_there_are_several(tmp_path):
    assert run("lower", CONFORMANCE / "new_two_devices/design.mlir", "-o", tmp_path) == 0
    names = set(os.listdir(tmp_path))
    assert {"plus.core_0_2.ld.script", "plus.insts.bin", "minus.insts.bin", "main.insts.bin"} <= names


def test_lower_names_instructions_by_sequence_when_there_are_several(tmp_path):
    text = (CONFORMANCE / "gain_bytes/design.mlir").read_text(encoding="utf-8")
    start = text.index("    aiex.runtime_sequence")
    end = text.index("    }\n", start) + len("    }\n")
    second = text[start:end].replace("@sequence", "@again")
    (tmp_path / "two.mlir").write_text(text[:end] + second + text[end:], encoding="utf-8")
    assert run("lower", tmp_path / "two.mlir", "-o", tmp_path / "out") == 0
    assert {"insts.sequence.bin", "insts.again.bin"} <= set(os.listdir(tmp_path / "out"))
    assert not (tmp_path / "out/insts.bin").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--alloc-scheme", "best"), "--alloc-scheme best: expected one of basic-sequential, bank-aware"),
        (("--generation", "2027"), "--generation 2027: expected one of auto, 2025-10, 2026-02"),
        (("--fast",), "unknown option '--fast'"),
    ],
)
def test_lower_refuses_wrong_options(tmp_path, capsys, words, message):
    assert run("lower", CONFORMANCE / "gain_bytes/design.mlir", "-o", tmp_path / "out", *words) == 2
    assert message in capsys.readouterr().err


def test_lower_makes_no_folder_for_a_design_it_refuses(tmp_path, capsys):
    assert run("lower", CONFORMANCE / "negative/bad_symbol/design.mlir", "-o", tmp_path / "out") == 2
    assert "design.mlir:8:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_lower_loads_no_more_than_it_needs(tmp_path):
    code = (
        "import sys; from npuninja.cli import main; "
        f"main(['lower', {str(CONFORMANCE / 'gain_bytes/design.mlir')!r}, '-o', sys.argv[1]]); "
        "print(sorted({'argparse', 'numpy', 'dataclasses', 'subprocess', 'pathlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def test_from_design_to_xclbin(tmp_path):
    design = CONFORMANCE / "gain_bytes"
    assert run("lower", design / "design.mlir", "-o", tmp_path) == 0
    elf = f"0,2={design / 'core_0_2.elf'}"
    assert run("cdo", tmp_path / "input_physical.mlir", "--elf", elf, "-o", tmp_path) == 0
    parts = [tmp_path / f"cdo_{part}.bin" for part in ("elfs", "init", "enable")]
    assert [p.read_bytes() for p in parts] == [(design / p.name).read_bytes() for p in parts]
    assert run("pdi", "--cdo", *parts, "-o", tmp_path / "main.pdi") == 0
    assert (tmp_path / "main.pdi").read_bytes() == (design / "main.pdi").read_bytes()
    assert (
        run("xclbin", "--pdi", tmp_path / "main.pdi", "--device", "npu1_1col", "-o", tmp_path / "a.xclbin")
        == 0
    )
    assert (tmp_path / "a.xclbin").read_bytes().startswith(b"xclbin2\0")


@pytest.mark.parametrize(
    ("elf", "message"),
    [
        ("0,2", "option --elf needs a value|expected \\[DEVICE:\\]COLUMN,ROW=FILE"),
        ("x=FILE", "expected COLUMN,ROW"),
        ("other:0,2=FILE", "there is no device @other"),
        ("0,2=missing.elf", "cannot read missing.elf"),
        ("0,5=FILE", "core of tile \\(0, 2\\) has no program"),
    ],
)
def test_cdo_refuses_wrong_programs(tmp_path, capsys, elf, message):
    design = CONFORMANCE / "gain_bytes"
    word = elf.replace("FILE", str(design / "core_0_2.elf"))
    assert run("cdo", design / "input_physical.mlir", "--elf", word, "-o", tmp_path / "out") == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_cdo_refuses_a_program_without_a_core(tmp_path, capsys):
    design = CONFORMANCE / "gain_bytes"
    elf = design / "core_0_2.elf"
    assert (
        run(
            "cdo", design / "input_physical.mlir", "--elf", f"0,2={elf}", f"0,5={elf}", "-o", tmp_path / "out"
        )
        == 2
    )
    assert "0, 5" in capsys.readouterr().err


def test_cdo_of_several_devices_wants_to_know_which(tmp_path, capsys):
    design = CONFORMANCE / "new_two_devices"
    elf = design / "plus.core_0_2.elf"
    assert run("cdo", design / "input_physical.mlir", "--elf", f"0,2={elf}", "-o", tmp_path) == 2
    assert "DEVICE:COLUMN,ROW=FILE" in capsys.readouterr().err
    assert run("cdo", design / "input_physical.mlir", "--elf", f"plus:0,2={elf}", "-o", tmp_path) == 0
    for name in ("plus.cdo_elfs.bin", "minus.cdo_init.bin", "main.cdo_enable.bin"):
        assert (tmp_path / name).read_bytes() == (design / name).read_bytes()


def test_doctor_walks_the_rungs(capsys):
    code = run("doctor", "--json")
    report = json.loads(capsys.readouterr().out)
    names = [rung["name"] for rung in report["rungs"]]
    assert names[:4] == ["python", "numpy", "wasmtime", "ninja"]
    assert {rung["verdict"] for rung in report["rungs"]} <= {"ok", "warn", "unknown", "fail", "absent"}
    assert (code == 0) == report["usable"]
    assert all(rung["fix"] for rung in report["rungs"] if rung["verdict"] not in ("ok", "unknown"))


def test_doctor_hides_the_home_folder(capsys, monkeypatch):
    monkeypatch.setenv("HOME", os.path.dirname(os.path.dirname(sys.executable)))
    run("doctor")
    assert f"~/bin/{os.path.basename(sys.executable)}" in capsys.readouterr().out


def test_the_package_runs_by_path_and_by_name(tmp_path):
    for command, folder in (([str(ROOT / "npuninja")], tmp_path), (["-m", "npuninja"], ROOT)):
        words = [sys.executable, *command, "--version"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("npuninja 0.")
