"""`npuninja conformance`, which is in the source tree, and what it says where there is none."""

from __future__ import annotations

import json
import shutil

from conftest import CONFORMANCE, ROOT

from npuninja import cli
from npuninja.commands.lower import lower_design


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


def test_conformance_prints_the_table(capsys):
    assert run("conformance", CONFORMANCE, "gain_bytes", "new_two_devices", "bad_symbol") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "design",
        "addresses",
        "physical",
        "insts.mlir",
        "insts.bin",
        "ldscript",
        "cdo",
        "pdi",
    ]
    assert lines[1].split() == ["gain_bytes", *"======="]
    assert "refused: 1 of 1" in lines


def test_conformance_tells_what_differs(tmp_path, capsys):
    shutil.copytree(CONFORMANCE / "gain_bytes", tmp_path / "gain_bytes")
    hex_file = tmp_path / "gain_bytes/insts.hex"
    words = hex_file.read_text(encoding="utf-8").split()
    hex_file.write_text("\n".join([*words[:4], "DEADBEEF", *words[5:]]) + "\n", encoding="utf-8")
    (tmp_path / "gain_bytes/core_0_5.ld.script").write_text("x", encoding="utf-8")
    assert run("conformance", tmp_path, "--json") == 1
    (outcome,) = json.loads(capsys.readouterr().out)
    assert outcome["marks"]["insts.bin"] == outcome["marks"]["ldscript"] == "x"
    assert outcome["marks"]["pdi"] == "="
    assert any("at byte 0x10" in line and "deadbeef" in line for line in outcome["differences"])
    assert any("core_0_5.ld.script: the reference made it" in line for line in outcome["differences"])


def test_conformance_page_is_current(capsys, regen):
    assert run("conformance", CONFORMANCE, "--markdown") == 0
    page = ROOT / "docs" / "conformance.md"
    printed = capsys.readouterr().out
    if regen:
        page.write_text(printed, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == printed


def test_conformance_of_designs_that_are_not_refused(tmp_path, capsys):
    shutil.copytree(CONFORMANCE / "negative/bad_symbol", tmp_path / "negative/bad_symbol")
    design = tmp_path / "negative/bad_symbol/design.mlir"
    design.write_text((CONFORMANCE / "gain_bytes/design.mlir").read_text(encoding="utf-8"), encoding="utf-8")
    assert run("conformance", tmp_path, "--markdown") == 1
    printed = capsys.readouterr().out
    assert "**accepted; the reference says " in printed
    assert "| **refused** | 0 of 1 |" in printed


def test_conformance_goes_on_behind_a_bug(tmp_path, capsys, monkeypatch):
    shutil.copytree(CONFORMANCE / "gain_bytes", tmp_path / "gain_bytes")
    shutil.copytree(CONFORMANCE / "fan_out_two", tmp_path / "fan_out_two")

    def broken(text, file, *rest, **options):
        assert "gain" not in file
        return lower_design(text, file, *rest, **options)

    monkeypatch.setattr("npuninja.commands.lower.lower_design", broken)
    assert run("conformance", tmp_path, "--verbose") == 1
    printed = capsys.readouterr().out
    assert "a bug of npuninja: AssertionError: " in printed
    assert "addresses: 1 of 2 equal" in printed


def test_conformance_of_a_folder_without_designs(tmp_path, capsys):
    assert run("conformance", tmp_path) == 2
    assert "there is no design in" in capsys.readouterr().err


def test_a_verb_of_the_source_tree_needs_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "site-packages/npuninja/cli.py"))
    monkeypatch.chdir(tmp_path)
    instead = {"mel": "--template mel", "farm": "--remote ADDRESS", "conformance": "npuninja lower FILE"}
    assert {verb for verb, (place, _) in cli.VERBS.items() if "/" in place} == set(instead)
    for verb, known in instead.items():
        assert run(verb, CONFORMANCE) == 2
        message, hint = capsys.readouterr().err.splitlines()
        assert message.startswith(f"error: npuninja {verb} is in npuninja's source tree (")
        assert "clone npuninja" in hint
        assert known in hint
    monkeypatch.chdir(ROOT)
    assert run("conformance", CONFORMANCE, "gain_bytes") == 0
