"""Folders of strangers: what make starts ends with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.errors import ToolError, UserError
from npuninja.porting import asked_program, make_commands
from npuninja.porting.make_commands import ask_make
from npuninja.porting.shell_words import commands_of


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "X := $(shell echo $$$$ >> pid; exec sleep 1000)\nall:\n\techo\n", id="a shell that waits"
        ),
        pytest.param("$(shell echo $$PPID >> pid)\nall run:\n\t$(MAKE) all\n", id="a make that calls itself"),
    ],
)
def test_what_make_has_started_ends_with_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Makefile").write_text(text)
    monkeypatch.setattr(make_commands, "_TIME_LIMIT_S", 0.6)
    with pytest.raises(ToolError, match="make -n has not ended within") as ended:
        ask_make(str(tmp_path), ("all",), {}, dict(os.environ), "Makefile")
    assert "calls itself" in (ended.value.hint or "")
    pids = [int(word) for word in (tmp_path / "pid").read_text().split() if word.isdigit()]
    assert pids
    for _ in range(50):
        if not any(map(is_running, pids)):
            return
        time.sleep(0.02)
    raise AssertionError("it still runs")


def test_what_make_says_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Makefile").write_text(
        "X := $(shell head -c 300000 /dev/zero | tr '\\0' a)\nall:\n\techo $(X)\n"
    )
    monkeypatch.setattr(asked_program, "MAX_OUTPUT_BYTES", 1 << 17)
    with pytest.raises(ToolError, match="make -n says more than"):
        ask_make(str(tmp_path), ("all",), {}, dict(os.environ), "Makefile")


def test_its_words_and_its_code_come_back(tmp_path: Path) -> None:
    done = asked_program.ask(["sh", "-c", "echo a; echo b >&2; exit 3"], str(tmp_path), dict(os.environ), 10)
    assert (done.returncode, done.stdout, done.stderr) == (3, "a\n", "b\n")


def test_a_command_that_no_shell_takes_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"a command of 200011 characters, which no shell takes: aiecc\.py xxxx"
    ):
        list(commands_of("aiecc.py x" + "x" * 200_001 + "\n", "/"))


def test_names_of_a_makefile_do_not_reach_the_terminal_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'all run: d.mlir\n\taiecc.py --xclbin-name="a\x1b[31m.xclbin" --npu-insts-name=i.bin d.mlir\n'
    (tmp_path / "Makefile").write_text(text)
    (tmp_path / "d.mlir").write_text("module {}")
    main(["import", str(tmp_path), "-o", str(tmp_path / "out")])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\\x1b" in said.out + said.err


DOUBLING = "A0=xxxxxxxxxxxxxxxx\n" + "".join(f"A{i + 1}=$A{i}$A{i}\n" for i in range(60))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (DOUBLING, "more than 131072 characters"),
        ("A=xxxxxxxx\n" + "A+=$A$A\n" * 40, "more than 131072 characters"),
        ("echo {1..100000000}\n", "more than 10000 elements"),
        ("echo {1..999}{1..999}{1..999}\n", "more than 10000 elements"),
        ("A[1000000000]=x\n", "more than 10000 elements"),
    ],
)
def test_a_script_that_stands_for_much_is_refused(
    script: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build.sh").write_text("#!/bin/bash\n" + script + "aiecc.py --xclbin-name=a.xclbin d.mlir\n")
    (tmp_path / "d.mlir").write_text("module {}")
    out = str(tmp_path / "out")
    assert main(["import", str(tmp_path), "-o", out, "--script", str(tmp_path / "build.sh")]) == 2
    assert words in capsys.readouterr().err
