"""Colours and the width of messages."""

from __future__ import annotations

import io

import pytest

from npuninja import terminal
from npuninja.errors import Location, UserError
from npuninja.terminal import coloured, tell, use_colour


@pytest.mark.parametrize(
    ("environment", "is_terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_what_decides_about_colour(environment: dict[str, str], is_terminal: bool, wanted: bool) -> None:
    assert use_colour(environment, is_terminal) is wanted


def test_words_at_the_start_of_lines_are_coloured_and_nothing_else() -> None:
    text = coloured("a.mlir:1:2: error: no error: here\n  x\n  ^\nhint: what to do")
    assert text == (
        "\x1b[1ma.mlir:1:2: \x1b[0m\x1b[1;31merror\x1b[0m: no error: here\n  x\n  \x1b[1;32m^\x1b[0m\n"
        "\x1b[1;36mhint\x1b[0m: what to do"
    )


def test_a_file_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    out = io.StringIO()
    tell("error: x", out)
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    tell("error: x", out)
    assert out.getvalue() == "error: x\n\x1b[1;31merror\x1b[0m: x\n"


@pytest.mark.parametrize("column", [1, 30, 199, 400])
def test_the_line_and_its_caret_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, column: int) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    line = "".join(chr(ord("a") + at % 26) for at in range(400))
    error = UserError("wrong", Location("a.mlir", 1, column), source_line=line)
    _, shown, caret = error.render().split("\n")
    assert len(shown) <= 60
    assert shown[caret.index("^")] == line[column - 1]


def test_width_is_that_of_the_terminal_or_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "3")
    assert terminal.width() == terminal.LEAST_WIDTH
    monkeypatch.delenv("COLUMNS")

    def none(_: int) -> None:
        raise OSError

    monkeypatch.setattr(terminal.os, "get_terminal_size", none)
    assert terminal.width() == 0
