"""Clients and server that are killed: nothing is left, and the next run works."""

import os
import random
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT
from design_chain import Chain
from xrt_programs import PROGRAMS

from npuninja.commands.emu import SYSTEM_FOLDERS

ENDLESS = (
    "void passthrough(const char *in, char *out, int n) { for (volatile int i = 0; ; i++) out[0] = i; }\n"
)


def holders_of_memory(server):
    """Processes that have memory of a server's emulated NPU open or mapped."""
    name = f"memfd:npuninja-emu-{server.pid} "
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if name in (process / "maps").read_text():
                found.add(process.name)
            if any(name in os.readlink(link) for link in (process / "fd").iterdir()):
                found.add(process.name)
        except OSError:
            continue  # it has ended, or is not ours
    return found


@pytest.fixture
def start(emulated):
    """Starts a case of cases.py under `npuninja emu` and waits until it runs; ends it with the test."""
    processes = []

    def starter(case, manifest, *options):
        command = emulated.command("python", str(PROGRAMS / "cases.py"), case, manifest, options=options)
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=emulated.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        return process

    yield starter
    for process in processes:
        process.kill()
        process.communicate()


def child_of(process):
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def has_program(pid):
    """Whether a process runs; one that has ended may stay listed until somebody asks for its exit code."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def eventually(condition):
    """Waits for what the kernel does in its own time when a process ends."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_clients_side_by_side_one_killed(emulated, passthrough):
    done = emulated.python("two_programs.py", passthrough)
    assert done.stdout.splitlines() == ["COMPLETED True", "True", "done", "6"], done.stderr


def test_killed_client_leaves_nothing(start, passthrough):
    process = start("for_ever", passthrough)
    assert len(holders_of_memory(process)) == 2
    os.kill(child_of(process), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    eventually(lambda: not holders_of_memory(process))


def test_killed_client_does_not_leave_an_endless_core(wasm_build, start):
    manifest = Chain(wasm_build, "passthrough", kernels={"passthrough.o": ENDLESS}).run()
    process = start("for_ever", manifest)
    time.sleep(0.2)  # so that the core is at work, most of the times
    os.kill(child_of(process), signal.SIGKILL)
    _, said = process.communicate(timeout=60)  # the limit of a command is 60 s
    assert "bug" not in said


def test_killed_server_ends_its_clients(start, emulated, passthrough):
    process = start("for_ever", passthrough)
    assert len(holders_of_memory(process)) == 2
    child = child_of(process)
    process.kill()
    process.communicate(
        timeout=60
    )  # the client has its end of the pipes until it ends, as XRT does without a driver
    eventually(lambda: not has_program(child))
    eventually(lambda: not holders_of_memory(process))
    assert emulated.good("cases.py", "once", passthrough) == "COMPLETED True\n"


def test_terminated_emulation_terminates_its_command(start, passthrough):
    process = start("for_ever", passthrough)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def processes_with(words):
    """Processes whose command line has these words, with a zero byte between each two."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:
            continue  # it has ended
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_command_ends_with_the_emulation_at_any_moment(emulated, number):
    word = f"86400.{os.getpid()}{number}"  # seconds of sleep, which are nobody else's
    processes = [
        subprocess.Popen(emulated.command("sleep", word), cwd=ROOT, env=emulated.environment)
        for _ in range(8)
    ]
    eventually(
        lambda: processes_with("sleep\0" + word)
    )  # the first one has come that far, the others are before or after
    for process in processes:
        process.send_signal(number)
    for process in processes:
        assert process.wait(timeout=60) in (-number, 128 + number)
    eventually(lambda: not processes_with("sleep\0" + word))


def test_signal_that_is_ignored_is_ignored_by_the_command(emulated):
    script = f"trap '' HUP; exec {shlex.join(emulated.command('sh', '-c', 'kill -HUP $$ $PPID; echo alive'))}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=emulated.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "alive\n"


def test_missing_xrt_is_reported_and_nothing_else_happens(emulated, tmp_path):
    emulated.environment.update(NPUNINJA_TOOLS=str(tmp_path / "none"), XILINX_XRT="")
    if any(Path(folder, "libxrt_coreutil.so.2").exists() for folder in SYSTEM_FOLDERS):
        pytest.skip("this system has an XRT of its own")
    done = emulated.run("sh", "-c", "echo runs; exit 3")
    assert (done.returncode, done.stdout) == (3, "runs\n")
    assert f"no XRT is in {tmp_path / 'none' / 'xrt'}, nor in the system" in done.stderr
    assert "npuninja tools install xrt" in done.stderr
    library = tmp_path / "own" / "libxrt_coreutil.so.2"
    library.parent.mkdir()
    library.write_bytes(b"")
    emulated.environment["LD_LIBRARY_PATH"] = str(library.parent)
    assert emulated.run("true").stderr == ""


def test_kills_at_random_moments_leave_nothing(emulated, passthrough):
    chance = random.Random(1)
    command = emulated.command("python", str(PROGRAMS / "cases.py"), "for_ever", passthrough)
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, env=emulated.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(6)
    ]
    for number, process in enumerate(processes):
        time.sleep(chance.uniform(0, 0.6))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        # The client, when there is one already, else the server.
        victims = [int(child) for child in children] if number % 2 else []
        for victim in victims or [process.pid]:
            os.kill(victim, signal.SIGKILL)
    for process in processes:
        assert process.wait(timeout=60) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    eventually(lambda: not processes_with(f"for_ever\0{passthrough}"))
    eventually(lambda: not any(holders_of_memory(process) for process in processes))
    assert emulated.good("cases.py", "once", passthrough) == "COMPLETED True\n"


def test_forked_child_has_no_device(emulated, passthrough):
    assert emulated.good("cases.py", "fork", passthrough) == "child failed\nCOMPLETED True\n"


@pytest.mark.parametrize(("script", "code"), [("true", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_exit_code_is_the_commands(emulated, script, code):
    assert emulated.run("sh", "-c", script).returncode == code


def test_address_space_that_is_limited_is_reported(emulated):
    script = f"ulimit -v 16000000; exec {shlex.join(emulated.command('true'))}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=emulated.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "memory cannot be mapped" in done.stderr
    assert "ulimit -v unlimited" in done.stderr


def test_command_that_does_not_exist(emulated):
    done = emulated.run("no-such-command")
    assert done.returncode == 127
    assert "there is no command no-such-command" in done.stderr
