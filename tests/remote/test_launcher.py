"""The launcher with a pretended trexe: what it is asked; only a whole result is ever put in place."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.depfile import escape
from npuninja.remote.settings import WRONG_WORKER, RemoteSettings, RemoteTool

# Notes its arguments and the tree, then does what the test wants with `record`, `outputs`, `printed`.
TREXE = """\
import json, os, sys
options = dict(word[2:].split("=", 1) for word in sys.argv[1 : sys.argv.index("--")] if not word.startswith("--output-path"))
tree = options["input-path"].removesuffix(":.")
files = sorted(os.path.relpath(os.path.join(folder, n), tree) for folder, _, names in os.walk(tree) for n in names)
with open({log!r}, "a") as log:
    print(json.dumps({{"arguments": sys.argv[1:], "files": files}}), file=log)
def record(content):
    with open(options["result-metadata-file"], "w") as stream:
        json.dump(content, stream)
def ended(code, cached=False):
    record({{"actionResultMetadata": {{"exitCode": code, "cachedResult": cached}}, "executionMetadata": {{"worker": "w1"}}}})
def outputs(**texts):
    for name, text in texts.items():
        path = os.path.join(options["d"], "out", name.replace("_", "."))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
def printed(text):
    with open(options["stderr-file"], "w") as stream:
        stream.write(text)
{body}
"""
GOOD = r"""
ended(0)
outputs(x_o="new", x_o_d="out/x.o: \\\n  @npuninja@/npuninja/a.py\n")
printed("note \x1b[1mbold\x1b[0m")
"""


class Launcher:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "x.c").write_text('#include "a.h"\n', encoding="utf-8")
        (folder / "a.h").write_text("", encoding="utf-8")
        (folder / "out").mkdir()
        (folder / "out" / "x.o").write_text("old", encoding="utf-8")

    def run(self, body: str, code: int) -> str:
        trexe = self.folder / "trexe"
        program = self.folder / "trexe.py"
        program.write_text(TREXE.format(log=str(self.folder / "log"), body=body), encoding="utf-8")
        # By a shell, since the path of this Python may have blanks, which a first line `#!` cannot.
        words = shlex.join([sys.executable, str(program)])
        trexe.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        trexe.chmod(0o755)
        zig = RemoteTool("ziglang", "/opt/zig", "ziglang-1")
        settings = RemoteSettings("http://farm:1", str(trexe), "f00d", (zig,), "", 0)
        (self.folder / "remote.json").write_text(settings.as_json(), encoding="utf-8")
        command = [sys.executable, "-S", "-E", str(ROOT / "npuninja/remote/__main__.py"), "remote.json"]
        command += ["--needs", "x.c", "--makes", "out/x.o", "--"]
        command += ["kernel_cc", "--compiler", "/opt/zig", "--depfile", "out/x.o.d", "-o", "out/x.o", "x.c"]
        environment = {**os.environ, "NO_COLOR": "1"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert not [name for name in os.listdir(self.folder / "out") if name.startswith(".")], (
            "nothing is left behind"
        )
        return done.stderr

    def asked(self) -> list[dict[str, list[str]]]:
        return [json.loads(line) for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()]

    def made(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "out").iterdir())


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return Launcher(tmp_path)


def test_a_result_is_put_in_place(launcher):
    assert launcher.run(GOOD, 0) == "note bold", "messages are passed on; NO_COLOR counts here"
    assert (launcher.folder / "out/x.o").read_text(encoding="utf-8") == "new"
    depfile = (launcher.folder / "out/x.o.d").read_text(encoding="utf-8")
    assert depfile == f"out/x.o: \\\n  {escape(str(ROOT))}/npuninja/a.py\n"
    [asked] = launcher.asked()
    assert asked["files"] == ["a.h", "x.c"], "headers go with the source"
    words = asked["arguments"]
    assert "--remote=http://farm:1" in words
    assert "--platform-properties=npuninja=f00d,tool=ziglang-1" in words
    assert [word for word in words if "output-path" in word] == [
        "--output-path=out/x.o",
        "--output-path=out/x.o.d",
    ]
    assert words[-8:-6] == ["kernel_cc", "--compiler"]
    assert (launcher.folder / "remote.log").read_text(encoding="utf-8") == "ran\tw1\tout/x.o\n"


def test_an_output_that_did_not_change_keeps_its_time(launcher):
    launcher.run(GOOD, 0)
    os.utime(launcher.folder / "out/x.o", (1, 1))
    launcher.run(GOOD.replace("ended(0)", "ended(0, True)"), 0)
    assert (launcher.folder / "out/x.o").stat().st_mtime == 1
    assert (launcher.folder / "remote.log").read_text(encoding="utf-8").splitlines()[
        1
    ] == "cached\tw1\tout/x.o"


def test_a_stage_that_fails_says_why_and_leaves_nothing(launcher):
    assert (
        launcher.run('ended(2); outputs(x_o="half"); printed("x.c:1: error: no\\n")', 2)
        == "x.c:1: error: no\n"
    )
    assert launcher.made() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param('ended(0); outputs(x_o_d="out/x.o:")', "made no out/x.o", id="output missing"),
        pytest.param(
            'ended(0); outputs(x_o="", x_o_d="out/x.o:")', "out/x.o was made empty", id="output empty"
        ),
        pytest.param('ended(0); outputs(x_o="new")', "made no out/x.o.d", id="depfile missing"),
        pytest.param('print("Connection refused"); sys.exit(1)', "Connection refused", id="nobody listens"),
        pytest.param(
            'record({"error": {"code": 9, "message": "no such property"}})', "no such property", id="refused"
        ),
        pytest.param(
            f'ended({WRONG_WORKER}); printed("it has other things")', "another toolchain", id="wrong worker"
        ),
        pytest.param("os.kill(os.getpid(), 9)", "did not run the command", id="trexe dies"),
    ],
)
def test_anything_but_a_whole_result_is_an_error(launcher, body, message):
    assert message in launcher.run(body, 3)
    assert "x.o" not in launcher.made(), "the result of an earlier build does not pass for this one's"
    assert len(launcher.asked()) == 1


def test_what_a_dying_worker_had_is_asked_for_again(launcher):
    dying = 'record({"error": {"code": 13, "message": "Runner exited with non-zero exit code [137]"}})'
    launcher.run(
        f"if len(open({str(launcher.folder / 'log')!r}).readlines()) < 3:\n"
        f"    {dying}\n"
        "    sys.exit(1)\n"
        f"{GOOD}",
        0,
    )
    assert len(launcher.asked()) == 3
    (launcher.folder / "log").unlink()
    assert "exit code [137]" in launcher.run(dying, 3), "but not for ever"
    assert len(launcher.asked()) == 3


def test_an_input_that_is_not_there_is_named(launcher):
    (launcher.folder / "x.c").unlink()
    assert "x.c is not there" in launcher.run(GOOD, 3)
