"""docs/execution-model.md: designs that wait for a call of their kernel; what a completed run proves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT
from design_chain import Chain
from wasm_build import WasmBuild

from npuninja.emulator import Deadlock, Emulator
from npuninja.formats import txn

TEXT = (ROOT / "mlir" / "self_test.mlir").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "execution-model.md").read_text(encoding="utf-8")
RIGHT = bytes(range(80))
POISON = b"\xa5" * 80
IN_BYTES = 800


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, compiler_cache: Path) -> WasmBuild:
    return WasmBuild(tmp_path_factory.mktemp("execution"), compiler_cache)


class Loaded:
    """A variant of self_test on the emulated array."""

    def __init__(self, build: WasmBuild, name: str, text: str) -> None:
        chain = Chain(build, name, text)
        chain.run()
        self.insts = Path(chain.file("insts.bin")).read_bytes()
        self.npu = Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes())
        self.buffers = [self.npu.allocate(IN_BYTES), self.npu.allocate(80)]

    def run(self, insts: bytes | None = None) -> bytes:
        """One run into a poisoned output."""
        self.buffers[1].view[:] = POISON
        self.npu.run(insts or self.insts, self.buffers)
        return bytes(self.buffers[1].view)


@pytest.fixture(scope="module")
def shipped(build: WasmBuild) -> Loaded:
    return Loaded(build, "self_test", TEXT)


def test_the_core_runs_on_from_run_to_run(shipped: Loaded) -> None:
    for _ in range(5):
        assert shipped.run() == RIGHT


def test_instructions_that_start_nothing_complete_and_change_nothing(shipped: Loaded) -> None:
    lock_of_the_shim = 0x14000
    nothing = txn.write_txn(txn.Transaction(3, 6, 1, 1, (txn.Write(lock_of_the_shim, 0),)))
    assert shipped.run(nothing) == POISON


def test_a_kernel_that_the_core_does_not_call_never_runs(build: WasmBuild) -> None:
    empty = re.sub(r"(aie\.core\(%worker\) \{\n).*?( +aie\.end\n)", r"\1\2", TEXT, flags=re.DOTALL)
    assert "func.call" in TEXT
    assert "func.call" not in empty
    with pytest.raises(Deadlock) as caught:
        Loaded(build, "self_test_empty", empty).run()
    assert "MM2S 0 of tile (0, 2)" in caught.value.render()


def test_a_core_whose_program_ends_serves_one_run_only(build: WasmBuild) -> None:
    once = TEXT.replace("%forever = arith.constant 9223372036854775807", "%forever = arith.constant 1")
    assert once != TEXT
    loaded = Loaded(build, "self_test_once", once)
    assert loaded.run() == RIGHT
    with pytest.raises(Deadlock):
        loaded.run()


def test_a_core_that_releases_nothing_stops_the_data(build: WasmBuild) -> None:
    lines = [line for line in TEXT.split("\n") if "objectfifo.release" not in line]
    with pytest.raises(Deadlock) as caught:
        Loaded(build, "self_test_no_release", "\n".join(lines)).run()
    assert "MM2S 0 of tile (0, 2)" in caught.value.render()


@pytest.mark.parametrize(("path", "name"), sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE))))
def test_the_tests_that_the_page_names_exist(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
