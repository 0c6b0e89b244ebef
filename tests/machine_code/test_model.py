"""`npuninja model` of cores of machine code: what they issue is exact, so that their band is one figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plain_fifo import run_plain_fifo

from npuninja.cli import main
from npuninja.emulator.timing import count_work, time_work
from npuninja.emulator.timing.stages import core_part


def test_issue_cycles_are_the_cores_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = run_plain_fifo(tmp_path)
    capsys.readouterr()
    assert main(words) == 0
    (ran,) = json.loads(capsys.readouterr().out)["cores"]
    arguments = [(tmp_path / "in").read_bytes(), bytes(1760)]
    work = count_work((tmp_path / "a.xclbin").read_bytes(), (tmp_path / "insts.bin").read_bytes(), arguments)
    (core,) = work.cores
    assert core.issue_cycles == ran["issue_cycles"] > 0
    part = core_part(core._replace(lock_operations=0), None)
    assert part.cycles.optimistic == part.cycles.pessimistic == core.issue_cycles + core.bank_conflicts
    assert f"{core.issue_cycles} cycles issued (exact)" in part.arithmetic
    assert time_work(work, clock_hz=1e9).to_json()
