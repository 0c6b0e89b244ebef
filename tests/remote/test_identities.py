"""What two machines must have in common is known by content, not by place or time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import FoundTool
from npuninja.remote.identities import package_files, package_identity, tool_identities

PACKAGE = ROOT / "npuninja"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that count, elsewhere and with other times."""
    for path in package_files(str(PACKAGE)):
        target = tmp_path / "copy" / os.path.relpath(path, PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path / "copy"


def test_the_identity_of_npuninja_is_that_of_its_content(copy):
    assert package_identity(str(copy)) == package_identity(str(PACKAGE))
    for name in ("kernel_headers/include/cmath", "lowering/pipeline.py", "errors.py", "hints.json"):
        before = package_identity(str(copy))
        (copy / name).write_text((copy / name).read_text(encoding="utf-8") + "\n", encoding="utf-8")
        assert package_identity(str(copy)) != before, name


def toolchain(*found: FoundTool) -> Toolchain:
    names = ("ziglang", "clang", "wasm-ld", "bootgen", "xclbinutil", "peano", "aie-opt", "aie-translate")
    absent = dict.fromkeys(names)
    return Toolchain({**absent, **{f.tool: f for f in found}}, found[0])  # type: ignore[arg-type,dict-item]


def test_a_tool_is_known_by_its_version_and_bytes(tmp_path):
    words = []
    for place, version, content in (
        ("a", "1.0", b"x"),
        ("b", "1.0", b"x"),
        ("c", "1.0", b"y"),
        ("d", "1.1", b"x"),
    ):
        path = tmp_path / place / "zig"
        path.parent.mkdir()
        path.write_bytes(content)
        [tool] = tool_identities(toolchain(FoundTool("ziglang", str(path), "PATH", version, "not looked at")))
        assert tool.root == str(path)
        words.append(tool.identity)
    assert words[0] == words[1]
    assert len(set(words)) == 3
    assert words[0].startswith("ziglang-1.0-")


def test_the_programs_of_an_installation_are_one_tool(tmp_path):
    bin_folder = tmp_path / "mlir_aie" / "bin"
    bin_folder.mkdir(parents=True)
    found = []
    for name in ("aie-opt", "aie-translate"):
        (bin_folder / name).write_bytes(name.encode())
        found.append(FoundTool(name, str(bin_folder / name), "PATH", "1", "not looked at"))
    [tool] = tool_identities(toolchain(*found))
    assert (tool.name, tool.root) == ("aie-opt", str(tmp_path / "mlir_aie"))
    (bin_folder / "aie-translate").write_bytes(b"another")
    assert tool_identities(toolchain(*found))[0].identity != tool.identity
