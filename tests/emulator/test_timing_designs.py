"""Shipped designs under the timing model, from built files to the command's output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from design_chain import Chain
from wasm_build import WasmBuild

from npuninja import cli
from npuninja.device.manifest import Manifest, read_manifest
from npuninja.emulator.timing import Work, count_work, model
from npuninja.errors import UserError


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, compiler_cache: Path) -> WasmBuild:
    return WasmBuild(tmp_path_factory.mktemp("timing"), compiler_cache)


@pytest.fixture(scope="module")
def scale(build: WasmBuild) -> Manifest:
    return read_manifest(Chain(build, "vector_scale").run())


@pytest.fixture(scope="module")
def join(build: WasmBuild) -> Manifest:
    return read_manifest(Chain(build, "memtile_distribute_join").run())


def zeros(manifest: Manifest) -> list[bytes]:
    return [bytes(a.nbytes) for a in manifest.arguments]


def work_of(manifest: Manifest) -> Work:
    return count_work(manifest.read(manifest.xclbin), manifest.read(manifest.insts), zeros(manifest))


def test_work_of_one_core(scale: Manifest) -> None:
    words = scale.arguments[0].nbytes // 4
    work = work_of(scale)
    assert work.family == "npu1"
    assert {(c.place, c.name): c.words for c in work.channels} == dict.fromkeys(
        [((0, 0), "MM2S 0"), ((0, 0), "S2MM 0"), ((0, 2), "S2MM 0"), ((0, 2), "MM2S 0")], words
    )
    assert work.elements == words // 1024
    (core,) = work.cores
    assert core.lock_operations == 4 * work.elements
    assert 4 * words <= core.instructions.middle <= 9 * words  # load, multiply, store, and the loop
    assert core.instructions.optimistic < core.instructions.middle
    assert work.sequence.pushes == 4
    assert work.sequence.syncs == 2
    assert work.sequence.phases == 2
    assert work == work_of(scale)


def test_work_through_a_memory_tile(join: Manifest) -> None:
    work = work_of(join)
    assert {c.place for c in work.channels} == {(0, 0), (0, 1), (0, 2), (0, 3)}
    assert len(work.cores) == 2
    assert work.cores[0].instructions == pytest.approx(work.cores[1].instructions, rel=0.01)
    by_actor = {c.actor: c for c in work.channels}
    for channel in work.channels:
        senders = [by_actor[source] for source in channel.sources]
        assert len(senders) == (channel.direction == "S2MM")
        assert all(sender.words == channel.words for sender in senders)


def test_one_buffer_in_the_ring_is_seen(build: WasmBuild) -> None:
    text = (Path(__file__).parents[2] / "mlir" / "passthrough.mlir").read_text()
    depth = "{%worker}, 2 : i32)"
    assert depth in text
    chain = Chain(build, "shallow", text.replace(depth, depth.replace("2 :", "1 :")))
    work = work_of(read_manifest(chain.run()))
    buffers = {(c.place, c.name): c.buffers for c in work.channels}
    assert buffers[(0, 2), "S2MM 0"] == 1
    assert buffers[(0, 2), "MM2S 0"] == 2


def test_more_data_takes_longer_and_a_faster_clock_less(scale: Manifest) -> None:
    files = scale.read(scale.xclbin), scale.read(scale.insts)
    slow, fast = (model(*files, zeros(scale), clock_hz=ghz * 1e9, unit="tile") for ghz in (1.0, 1.3))
    assert slow.work == fast.work
    assert all(a > b for a, b in zip(slow.run_us, fast.run_us))
    assert slow.pipeline.us.middle / fast.pipeline.us.middle == pytest.approx(1.3)
    assert "core tile (0, 2)" in slow.pipeline.arithmetic


def test_the_command(scale: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", scale.path, "--unit", "tile"]) == 0
    text = capsys.readouterr().out
    assert "vector_scale (npu1_1col) on npu1, 32 tiles in a run; all times modelled, not measured" in text
    assert "run at 1 GHz" in text
    assert "run at 1.3 GHz" in text
    assert "  per tile" in text
    assert cli.main(["model", scale.path, "--clock", "1.028", "--elements", "64", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["models"]
    assert report["clock_hz"] == 1.028e9
    assert report["elements"] == 64
    assert report["element_us"]["middle"] == pytest.approx(report["run_us"]["middle"] / 64)


@pytest.mark.parametrize(
    "words", [["--clock", "0"], ["--clock", "fast"], ["--elements", "0"], ["--time-limit", "-1"]]
)
def test_wrong_options(words: list[str], scale: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", scale.path, *words]) == 2
    assert f"{words[1]} is not a positive" in capsys.readouterr().err


def test_a_damaged_xclbin_is_an_error_of_the_user(scale: Manifest) -> None:
    with pytest.raises(UserError):
        count_work(scale.read(scale.xclbin)[:1000], scale.read(scale.insts), zeros(scale))
