"""New projects for a family that nobody has: its record is all that npuninja lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from made_up_family import MADE_UP

from npuninja.arch.families import Family, Rows


def with_family(folder: Path, family: Family) -> Path:
    """npuninja with the record of a family."""
    shutil.copytree(ROOT / "npuninja", folder / "npuninja", ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder / "npuninja/arch/families.py", "a", encoding="utf-8") as stream:
        stream.write(f'FAMILIES["{family.name}"] = {family!r}\n')
    return folder


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_family(tmp_path_factory.mktemp("changed"), MADE_UP)


def run(changed: Path, folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(changed)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_and_run(
    changed: Path, folder: Path, template: str, replaced: tuple[tuple[str, str], ...] = ()
) -> None:
    """A new project's design, with other words for some, gives what its reference says."""
    init = ("init", "project", "--template", template, "--device", MADE_UP.name)
    run(changed, folder, sys.executable, "-m", "npuninja", *init)
    project = folder / "project"
    for before, after in replaced:
        replace(project / f"mlir/{template}.mlir", before, after)
    run(changed, project, sys.executable, "configure.py", "--werror")
    assert "elements are right" in run(changed, project, str(Path(sys.executable).parent / "ninja"), "run")


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("template", ["passthrough", "vector", "gemm", "mel", "python"])
def test_a_new_project_for_it_is_right(tmp_path: Path, changed: Path, template: str) -> None:
    build_and_run(changed, tmp_path, template)


@pytest.mark.slow
def test_an_array_of_more_rows_takes_two_numbers_more(tmp_path: Path) -> None:
    """Those that CONTRIBUTING.md names; the core is put on the topmost row of the last column."""
    rows = Rows(("shim", "mem", "mem", *["core"] * 8))
    tall = MADE_UP._replace(rows=rows, controller_ids=tuple(range(1, 1 + rows.number)))
    changed = with_family(tmp_path / "changed", tall)
    replace(changed / "npuninja/formats/core_abi.py", "LOCKS_PER_TILE = 8, 64", "LOCKS_PER_TILE = 16, 64")
    engine = changed / "npuninja/emulator/engine/engine.h"
    replace(engine, "#define ROWS_PER_COLUMN 8", "#define ROWS_PER_COLUMN 16")
    build_and_run(changed, tmp_path, "gemm", (("npu9_1col", "npu9"), ("tile(0, 3)", "tile(2, 10)")))


ASKS = """
from aie.dialects.aie import AIEDevice, device, tile
from aie.extras.context import mlir_mod_ctx
from aie.iron.device import NPU9Col2, Tile, from_name

part, whole = NPU9Col2(), from_name("npu9", n_cols=None)
print(part.cols, part.rows, whole.cols, type(from_name("npu9", n_cols=2)).__name__)
print([part.get_tile_type(0, row).name for row in range(4)])
print([part.get_num_connections(Tile(0, row), True) for row in range(4)])
with mlir_mod_ctx():
    @device(AIEDevice.npu9)
    def body():
        tiles = [tile(0, row) for row in range(4)]
        print([(t.is_shim_tile(), t.is_mem_tile(), t.is_core_tile()).index(True) for t in tiles])
"""


def test_what_a_design_in_python_asks_of_it(tmp_path: Path, changed: Path) -> None:
    (tmp_path / "asks.py").write_text(ASKS, encoding="utf-8")
    assert run(changed, tmp_path, sys.executable, "-m", "npuninja", "python", "asks.py").splitlines() == [
        "2 7 3 NPU9Col2",
        "['ShimNOCTile', 'MemTile', 'MemTile', 'CoreTile']",
        "[2, 6, 6, 2]",
        "[0, 1, 1, 2]",
    ]
