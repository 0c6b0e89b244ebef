"""A copy of a process that runs npuninja is to a script what a process of its own is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from npuninja.errors import UserError
from npuninja.python_designs import process, script

ROOT = Path(__file__).resolve().parents[2]
SAYS = """
import atexit, json, os, sys, tempfile, threading, time
import beside
kept = tempfile.TemporaryDirectory(dir=".")
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.05), print("a thread's end"))).start()
assert sys.stdin.read() == ""
print(json.dumps({
    "words": sys.argv[1:], "cwd": os.getcwd(), "path": sys.path[:4], "main": __name__, "file": __file__,
    "python path": os.environ["PYTHONPATH"], "encoding": sys.stdout.encoding, "bytecode": sys.dont_write_bytecode,
    "errors": [sys.stdout.errors, sys.stderr.errors], "beside": beside.NAME, "read": open("data.txt").read(),
}))
print("\\u00e4", file=sys.stderr)
os.system("echo from below")
"""
ENDS = {
    "sys.exit()": 0,
    "sys.exit(7)": 7,
    "sys.exit('no')": 1,
    "1 // 0": 1,
    "os._exit(3)": 3,
    "os.kill(os.getpid(), 9)": -9,
}
#: Runs scripts as a process in which no other thread runs, and prints their outcomes.
RUN = """
import json, os, sys
from npuninja.python_designs import script
import tempfile, ast, dataclasses  # more than a new process would have
import atexit
ours = tempfile.TemporaryDirectory()
atexit.register(ours.cleanup)
folder, ours = ours.name, None
for copies in (True, False):
    for name in sys.argv[2:]:
        options = dict(print_only=True, report="report.json", cwd=sys.argv[1], catches_errors=True, may_copy=copies)
        with script.start_design(os.path.abspath(name), ["one", "two words"], **options) as started:
            outcome = started.outcome(20)
        files = json.load(open(sys.argv[1] + "/report.json"))["files"] if outcome.exit_code in (0, 1, 7) else []
        own = sorted({f for f in files if os.path.dirname(f) in (os.getcwd(), os.path.abspath(sys.argv[1]))})
        assert os.path.isdir(folder), "a folder of this process, which nothing but its end deletes"
        print(json.dumps([type(started._process).__name__, name, outcome.text, outcome.exit_code, outcome.errors, own]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")
def test_copies_are_like_processes_of_their_own(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "data.txt").write_text("data")
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    scripts = {"says.py": SAYS, **{f"end{i}.py": f"import os, sys\n{end}" for i, end in enumerate(ENDS)}}
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.py").write_text(RUN)  # not in a folder that is a script's
    command = [sys.executable, "run/run.py", "data", *scripts]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    copies, own = lines[: len(scripts)], lines[len(scripts) :]
    assert {line[0] for line in copies} == {"Copy"}
    assert {line[0] for line in own} == {"OwnProcess"}
    for copy, process_of_its_own in zip(copies, own, strict=True):
        assert copy[1:] == process_of_its_own[1:]
    assert [line[3] for line in copies] == [0, *ENDS.values()]
    assert sorted(os.listdir(tmp_path / "data")) == ["data.txt", "report.json"], "no temporary folder is left"
    assert copies[0][5] == [
        str(tmp_path / "beside.py"),
        str(tmp_path / "data" / "data.txt"),
        str(tmp_path / "says.py"),
    ]


def test_no_copy_where_a_module_has_a_namesake_beside_the_script(tmp_path, monkeypatch):
    monkeypatch.setattr(process.sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "threading", None)
    (tmp_path / "design.py").write_text("")
    assert process.can_be_copied([str(tmp_path)])
    (tmp_path / "subprocess.py").write_text("")
    assert not process.can_be_copied([str(tmp_path)])


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")
def test_a_copy_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "can_be_copied", lambda folders: True)
    (tmp_path / "design.py").write_text("while True: pass")
    with (
        script.start_design(
            str(tmp_path / "design.py"), [], cwd=str(tmp_path), catches_errors=True, may_copy=True
        ) as started,
        pytest.raises(UserError, match=r"did not end within 0.2 s"),
    ):
        started.outcome(0.2)
