"""How long the process of a Python design takes to start.

    python bench/python_start.py [--rounds N] [--json FILE]

The target, 0.25 s with NumPy, is for the process of a design that imports NumPy and `aie.iron` and ends: what
is between an edit and the design's first line. Measured too: Python alone, Python with NumPy (most of it), a
small design that prints its module, and the command `npuninja python`, which is two processes. Each N times;
least and median of CPU time (user and system, with all threads) and of elapsed time. The first start of all,
which writes bytecode, is not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from machine import children_cpu_s, command_line, describe, machine, record  # noqa: E402

TARGET_S = 0.25
IMPORTS = "import numpy as np\nfrom aie.iron import ObjectFifo, Program, Runtime, Worker\n"
DESIGN = (
    IMPORTS
    + """\
from aie.iron.device import NPU1Col1

chunk = np.ndarray[(16,), np.dtype[np.int32]]
given, made = ObjectFifo(chunk, name="given"), ObjectFifo(chunk, name="made")


def copy(given, made):
    source, target = given.acquire(1), made.acquire(1)
    target[0] = source[0]
    given.release(1)
    made.release(1)


worker = Worker(copy, [given.cons(), made.prod()])
runtime = Runtime()
with runtime.sequence(chunk, chunk) as (a, b):
    runtime.start(worker)
    runtime.fill(given.prod(), a)
    runtime.drain(made.cons(), b, wait=True)
print(Program(NPU1Col1(), runtime).resolve_program())
"""
)


def cost(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU and elapsed seconds of a command that must end well."""
    before, start = children_cpu_s(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=True)
    elapsed = time.perf_counter() - start
    return children_cpu_s() - before, elapsed


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    facts = machine()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = [sys.executable, "-m", "npuninja.python_designs.start", '{"generation": "2026-02"}']
    with tempfile.TemporaryDirectory(prefix="npuninja-") as folder:
        imports, design = Path(folder, "imports.py"), Path(folder, "design.py")
        imports.write_text(IMPORTS)
        design.write_text(DESIGN)
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "python_numpy": [sys.executable, "-c", "import numpy"],
            "start": [*start, str(imports)],
            "design": [*start, str(design)],
            "command": [sys.executable, "-m", "npuninja", "python", str(design)],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(options.rounds + 1):
            for name, command in commands.items():
                seconds = cost(command, environment)
                if turn:
                    taken[name].append(seconds)
    print(describe(facts))
    print(f"{'':16}{'CPU least':>12}{'median':>10}{'elapsed least':>16}{'median':>10}")
    rows = {}
    for name, pairs in taken.items():
        cpu, elapsed = ([pair[i] for pair in pairs] for i in (0, 1))
        rows[name] = {
            "cpu_least_s": round(min(cpu), 3),
            "cpu_median_s": round(statistics.median(cpu), 3),
            "elapsed_least_s": round(min(elapsed), 3),
            "elapsed_median_s": round(statistics.median(elapsed), 3),
        }
        print(f"{name:16}{min(cpu):12.3f}{statistics.median(cpu):10.3f}{min(elapsed):16.3f}", end="")
        print(f"{statistics.median(elapsed):10.3f}")
    print(f"target {TARGET_S} s for `start`: least CPU {rows['start']['cpu_least_s']} s")
    record(options.json, facts, rounds=options.rounds, seconds=rows)


if __name__ == "__main__":
    main()
