"""`npuninja farm` where something is missing or wrong: said at once, and nothing is started."""

from __future__ import annotations

import os
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
        "there is no BuildGrid and PostgreSQL (npuninja tools install buildgrid; "
        "npuninja tools install postgresql)",
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
    code, said = run(capsys, "up", "--engine", "casd", "--folder", str(tmp_path / "farm"))
    assert code == 3
    assert "npuninja tools install buildbox" in said
    assert not (tmp_path / "farm/farm.json").exists()


def test_a_farm_has_no_port_and_is_never_open(tmp_path, capsys):
    for option in (["--open"], ["--port", "0"]):
        code, said = run(capsys, "up", *option, "--folder", str(tmp_path / "farm"))
        assert code == 2
        assert "unrecognized arguments" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_link_or_somebody_elses_is_refused(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "farm").symlink_to(tmp_path / "elsewhere")
    code, said = run(capsys, "up", "--folder", str(tmp_path / "farm"))
    assert code == 2
    assert "is no folder of yours" in said
    if os.getuid() == 0:
        os.chown(tmp_path / "elsewhere", 65534, 65534)
        code, said = run(capsys, "up", "--folder", str(tmp_path / "elsewhere"))
        assert code == 2
        assert "is no folder of yours" in said


def test_a_farms_folder_is_its_users_alone(environment, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPUNINJA_TOOLS", environment["NPUNINJA_TOOLS"])
    (tmp_path / "farm").mkdir(mode=0o777)
    run(capsys, "up", "--engine", "casd", "--folder", str(tmp_path / "farm"))
    assert (tmp_path / "farm").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "farm/socket").stat().st_mode & 0o777 == 0o700


def test_a_socket_whose_name_is_too_long_is_reported(tmp_path, capsys):
    code, said = run(capsys, "up", "--engine", "casd", "--folder", str(tmp_path / ("x" * 120)))
    assert code == 2
    assert "107 bytes" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--workers", "0"], "--workers 0 is not above 0"),
        (["up", "--engine", "bazel"], "invalid choice"),
        (["join", "farm"], "'farm' is no address of a farm"),
        (["join", "http://farm:1"], "ssh -N -L"),
        (["join", "unix:farm"], "is no address of a farm"),
        ([], "the following arguments are required"),
    ],
)
def test_wrong_arguments_are_reported(tmp_path, capsys, arguments, message):
    folder = ["--folder", str(tmp_path / "farm")] if arguments else []
    code, said = run(capsys, *arguments, *folder)
    assert code == 2
    assert message in said


def test_down_without_a_farm_is_no_error(tmp_path, capsys):
    assert npuninja(["farm", "down", "--folder", str(tmp_path / "farm")]) == 0
    assert capsys.readouterr().out == "no farm is running\n"
