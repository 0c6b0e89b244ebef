"""A farm's processes, each test in its own: what dies is started again, what is left behind is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="farms need Linux")
HEAD = f"""
import os, signal, sys, time
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tools")!r}]
from npuninja.errors import ToolError
from farm.processes import Processes, Service, children_of
def service(name, script, **more):
    return Service(name, ["/bin/sh", "-c", script], {{"PATH": os.environ["PATH"]}}, **more)
def wait_until(happened):
    limit = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)
def text(name):
    return open(name).read() if os.path.exists(name) else ""
folder = {{folder!r}}
os.chdir(folder)
"""


def run(folder: Path, script: str) -> str:
    text = HEAD.replace("{folder!r}", repr(str(folder))) + script
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dead_worker_is_started_again_and_what_it_left_is_killed(tmp_path):
    said = run(
        tmp_path,
        """
with Processes(folder, print) as processes:
    # A worker whose child outlives it.
    processes.start(service("worker", f"cd {folder}; sleep 1000 & echo $! >> left; wait", restart=True))
    wait_until(lambda: text("left").count("\\n") == 1)
    [worker] = children_of(os.getpid())
    time.sleep(1.1)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: processes.watch() or text("left").count("\\n") == 2)
    first, second = map(int, text("left").split())
    assert not os.path.exists(f"/proc/{first}")
    assert os.path.exists(f"/proc/{second}")
assert not os.path.exists(f"/proc/{second}")
assert children_of(os.getpid()) == []
""",
    )
    assert said == "worker was killed by signal 9 and was started again\n"


@pytest.mark.parametrize(
    ("script", "restart", "message"),
    [
        ("echo out of luck; exit 3", False, "it ended with exit code 3"),
        # Starting it again and again would not help.
        ("echo out of luck; exit 3", True, "it ended with exit code 3"),
    ],
)
def test_what_cannot_go_on_is_an_error_with_the_end_of_its_log(tmp_path, script, restart, message):
    said = run(
        tmp_path,
        f"""
try:
    with Processes(folder, print) as processes:
        processes.start(service("it", {script!r}, restart={restart}))
        wait_until(lambda: processes.watch())
except ToolError as error:
    print(error.render())
""",
    )
    assert message in said
    assert "out of luck" in said


def test_a_process_that_does_not_end_is_killed(tmp_path):
    run(
        tmp_path,
        """
import farm.processes as module
module.END_LIMIT_S = 0.3
with Processes(folder, print) as processes:
    processes.start(service("stubborn", f"trap '' TERM; echo > {folder}/ready; while :; do sleep 0.1; done"))
    wait_until(lambda: os.path.exists("ready"))
assert children_of(os.getpid()) == []
""",
    )


def test_a_command_that_fails_is_an_error(tmp_path):
    said = run(
        tmp_path,
        """
with Processes(folder, print) as processes:
    processes.run(service("good", "exit 0"))
    for script, limit in (("echo why; exit 1", 20), ("sleep 1000", 0.1)):
        try:
            processes.run(service("bad", script), limit)
        except ToolError as error:
            print(error.render())
""",
    )
    assert "bad failed with exit code 1" in said
    assert "why" in said
    assert "bad did not end within 0.1 s" in said
