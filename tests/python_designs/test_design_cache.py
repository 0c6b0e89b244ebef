"""The cache of designs compiled by Python programs: whose it is, and that it holds what was built."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from npuninja.python_designs.host import building, launching

TEXT = "module {\n}\n"
FILES = {"xclbin": "design.xclbin", "insts": "insts.bin"}


@pytest.fixture
def builds(tmp_path, monkeypatch):
    """The cache in a folder, and a build that makes two files where they are missing, as Ninja does."""
    home = tmp_path / "cache"
    monkeypatch.setenv("NPU_CACHE_HOME", str(home))
    steps: list[list[str]] = []

    def step(command: list[str], folder: str) -> None:
        if command[0] != building._ninja():
            return
        built = Path(folder) / "build" / "npu1" / "wasm" / "design"
        if built.is_dir():
            return
        steps.append(command)
        built.mkdir(parents=True)
        said = {}
        for kind, name in FILES.items():
            (built / name).write_text(kind)
            said[kind] = {"path": name, "sha256": hashlib.sha256(kind.encode()).hexdigest()}
        (built / "design.json").write_text(json.dumps({"design": "design", "files": said}))

    monkeypatch.setattr(building, "_run_step", step)
    return home, steps


def test_built_once(builds) -> None:
    _, steps = builds
    assert building.build_module(TEXT, []) == building.build_module(TEXT, [])
    assert len(steps) == 1


def of_another_design(manifest: Path) -> None:
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "design": "other"}))


HARM = {
    "an XCLBIN cut off": lambda m: (m.parent / "design.xclbin").write_text("xcl"),
    "another XCLBIN": lambda m: (m.parent / "design.xclbin").write_text("xclbim"),
    "an XCLBIN that is gone": lambda m: (m.parent / "design.xclbin").unlink(),
    "other instructions": lambda m: (m.parent / "insts.bin").write_text("instz"),
    "a manifest that is cut off": lambda m: m.write_text(m.read_text()[:40]),
    "a manifest that is a list": lambda m: m.write_text("[]"),
    "a manifest that nests deeply": lambda m: m.write_text("[" * 100_000),
    "the manifest of another design": of_another_design,
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_what_was_harmed_is_built_again(builds, harm) -> None:
    _, steps = builds
    manifest = Path(building.build_module(TEXT, []))
    harm(manifest)
    assert building.build_module(TEXT, []) == str(manifest)
    assert len(steps) == 2
    assert (manifest.parent / "design.xclbin").read_text() == "xclbin"


def test_settings_that_are_no_ours_go(builds) -> None:
    folder = Path(building.build_module(TEXT, [])).parents[4]
    (folder / "toolchain.toml").write_text('[tools]\npeano = "/somewhere"\n')
    (folder / "mlir" / "design.mlir").write_text("module { }\n")
    building.build_module(TEXT, [])
    assert not (folder / "toolchain.toml").exists()
    assert (folder / "mlir" / "design.mlir").read_text() == TEXT


def test_a_folder_that_others_can_write_to(builds) -> None:
    home, steps = builds
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(RuntimeError, match="others can write to"):
        building.build_module(TEXT, [])
    home.chmod(0o700)
    folder = Path(building.build_module(TEXT, [])).parents[4]
    folder.chmod(0o777)
    with pytest.raises(RuntimeError, match="others can write to"):
        building.build_module(TEXT, [])
    assert len(steps) == 1


def test_a_folder_that_is_a_link(builds) -> None:
    folder = Path(building.build_module(TEXT, [])).parents[4]
    moved = folder.with_name("moved")
    os.replace(folder, moved)
    folder.symlink_to(moved)
    with pytest.raises(RuntimeError, match="is a link"):
        building.build_module(TEXT, [])


def test_a_folder_of_another_user(builds, monkeypatch) -> None:
    home, _ = builds
    home.mkdir()
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(RuntimeError, match="belongs to somebody else"):
        building.build_module(TEXT, [])


def test_the_note_beside_an_xclbin_counts_for_these_files_only(builds, tmp_path) -> None:
    xclbin, insts = tmp_path / "a.xclbin", tmp_path / "a.bin"
    manifest = building.build_module(TEXT, [], xclbin, insts)
    assert launching._manifest_of(str(xclbin), str(insts)) == manifest
    for path in (xclbin, insts):
        before = path.read_text()
        path.write_text("another")
        assert launching._manifest_of(str(xclbin), str(insts)) is None
        path.write_text(before)
    (tmp_path / "a.xclbin.npuninja").write_text("/dev/null\n")
    assert launching._manifest_of(str(xclbin), str(insts)) is None
