"""What machine a figure was measured on, and how times are taken and shown."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent


def command_line(about: str | None, repeat: int | None = None) -> argparse.ArgumentParser:
    """The options of a benchmark that writes its figures; `repeat`: how often it runs what it measures."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    if repeat is not None:
        parser.add_argument(
            "--repeat", type=int, default=repeat, help="runs of each measurement (default: %(default)s)"
        )
    return parser


def machine() -> dict[str, Any]:
    """CPU, cores, memory, system and Python of this machine, for the head of every result."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            names = [line.split(":", 1)[1].strip() for line in stream if line.startswith("model name")]
        model = names[0] if names else model
    except OSError:
        pass
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def describe(facts: dict[str, Any]) -> str:
    """One line of `machine()` for a table's caption."""
    return (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gib']} GiB, {facts['system']}, "
        f"Python {facts['python']}"
    )


def timed(
    action: Callable[[], object], repeat: int, before: Callable[[], object] | None = None
) -> dict[str, float]:
    """Seconds of `repeat` runs of `action`, each after an untimed `before`: min, median, and the count."""
    seconds = []
    for _ in range(repeat):
        if before:
            before()
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return {"min_s": min(seconds), "median_s": statistics.median(seconds), "runs": repeat}


def children_cpu_s() -> float:
    """CPU seconds, user and system, of all processes that were waited for so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_in(folder: Path, *command: str) -> None:
    """Runs a command in a folder; stops the benchmark with its output when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")


class Figure(NamedTuple):
    """What some processes took together: wall time, user CPU time, all CPU time, peak memory."""

    seconds: float
    user_s: float
    cpu_s: float
    mebibytes: float


def process(command: Sequence[str]) -> Figure:
    """Runs a command once, in the source tree."""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    said = child.stderr.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {child.returncode}:\n{said}")
    memory = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Figure(seconds, usage.ru_utime, usage.ru_utime + usage.ru_stime, memory)


def best(commands: Sequence[Sequence[str]], repeat: int) -> Figure:
    """The least of several runs of some commands one after the other."""
    runs = [[process(command) for command in commands] for _ in range(repeat)]
    return Figure(
        min(sum(run.seconds for run in each) for each in runs),
        min(sum(run.user_s for run in each) for each in runs),
        min(sum(run.cpu_s for run in each) for each in runs),
        max(run.mebibytes for each in runs for run in each),
    )


def record(path: Path | None, facts: dict[str, Any], **figures: Any) -> None:
    """Writes measured figures and the machine that they are of; nothing without a path."""
    if path:
        write_result(path, {"machine": facts, "kind": "measured", **figures})


def write_result(path: Path, content: dict[str, Any]) -> None:
    """Writes what was measured as JSON, with the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
