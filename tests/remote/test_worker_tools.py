"""A worker whose tool was replaced under it does not use it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from npuninja.remote import worker
from npuninja.remote.settings import WRONG_WORKER


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "clang").write_text("a compiler\n")
    status = (tmp_path / "clang").stat()
    stamps = {"tool=clang-1": {str(tmp_path / "clang"): [status.st_size, status.st_ctime_ns]}}
    path = tmp_path / "worker.json"
    path.write_text(json.dumps({"has": ["npuninja=1", "tool=clang-1"], "places": {}, "stamps": stamps}))
    return path


def ask(settings: Path, *what: str) -> int:
    return worker.main([str(settings), *(word for w in what for word in ("--require", w)), "--"])


def test_a_tool_that_is_as_it_was_is_used(settings):
    assert ask(settings, "npuninja=1", "tool=clang-1") == 0


@pytest.mark.parametrize("how", ["another size", "the same size and time", "gone"])
def test_a_tampered_tool_is_noticed(settings, tmp_path, capsys, how):
    tool = tmp_path / "clang"
    before = tool.stat()
    if how == "gone":
        tool.unlink()
    else:
        tool.write_text("A compiler\n" if how == "the same size and time" else "another compiler\n")
        os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ask(settings, "npuninja=1") == 0  # it is not asked for
    assert ask(settings, "npuninja=1", "tool=clang-1") == WRONG_WORKER
    assert "start the farm again" in capsys.readouterr().err
