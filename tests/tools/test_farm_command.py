"""`npuninja farm` where something is missing or wrong: said at once, and nothing is started."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from farm import engines
from farm.engines import choose_engine

from npuninja.cli import main as npuninja
from npuninja.errors import ToolError


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """No tool is installed, and there is no PostgreSQL."""
    monkeypatch.setattr(engines, "find_postgresql", lambda environment: environment.get("POSTGRESQL"))
    return {"NPUNINJA_TOOLS": str(tmp_path / "tools"), "PATH": os.devnull}


def install_buildgrid(environment: dict[str, str]) -> None:
    program = Path(environment["NPUNINJA_TOOLS"]) / "buildgrid/bin/bgd"
    program.parent.mkdir(parents=True)
    program.write_text("", encoding="utf-8")


def test_the_engine_is_chosen_with_a_reason(environment):
    engine, why = choose_engine(None, environment)
    assert (engine, why) == (
        "casd",
        "there is no BuildGrid and PostgreSQL (npuninja tools install buildgrid; npuninja tools install postgresql)",
    )
    install_buildgrid(environment)
    assert choose_engine(None, environment) == (
        "casd",
        "there is no PostgreSQL (npuninja tools install postgresql)",
    )
    environment["POSTGRESQL"] = "/there"
    assert choose_engine(None, environment) == ("buildgrid", "BuildGrid and PostgreSQL are there")
    assert choose_engine("casd", environment) == ("casd", "it was asked for")


def test_an_engine_that_was_asked_for_is_not_replaced(environment):
    with pytest.raises(ToolError, match="--engine buildgrid needs BuildGrid and PostgreSQL") as raised:
        choose_engine("buildgrid", environment)
    assert "npuninja tools install buildgrid" in raised.value.render()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = npuninja(["farm", *arguments])
    return code, capsys.readouterr().err


def test_without_buildbox_it_says_how_to_get_it(environment, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPUNINJA_TOOLS", environment["NPUNINJA_TOOLS"])
    code, said = run(
        capsys, "up", "--open", "--engine", "casd", "--port", "0", "--folder", str(tmp_path / "farm")
    )
    assert code == 3
    assert "npuninja tools install buildbox" in said
    assert not (tmp_path / "farm/farm.json").exists()


def test_a_port_that_is_taken_is_told(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = run(
            capsys, "up", "--open", "--engine", "casd", "--port", port, "--folder", str(tmp_path / "farm")
        )
    assert code == 2
    assert f"something listens on port {port} already" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--open", "--workers", "0"], "--workers 0 is not above 0"),
        (["up", "--engine", "bazel"], "invalid choice"),
        (["join", "farm"], "'farm' is no address of a farm"),
        (["join", "https://farm:1"], "is no address of a farm"),
        ([], "the following arguments are required"),
    ],
)
def test_wrong_arguments_are_told(tmp_path, capsys, arguments, message):
    folder = ["--folder", str(tmp_path / "farm")] if arguments else []
    code, said = run(capsys, *arguments, *folder)
    assert code == 2
    assert message in said


def test_down_without_a_farm_is_no_error(tmp_path, capsys):
    assert npuninja(["farm", "down", "--folder", str(tmp_path / "farm")]) == 0
    assert capsys.readouterr().out == "no farm is running\n"
