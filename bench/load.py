"""Load on the emulated NPU: many dispatches, many in flight, large buffers, a wide array, many designs.

    python bench/load.py [--dispatches N] [--only ROW] [--write bench/results/load.json]

Memory must not grow. Each row is a process of its own, which does its work three times: in the first
allocators take what they keep, and pages are touched that the kernel counts from then on; from the second to
the third nothing may be added, or the exit code is 1. Seconds of the clock and of the CPU are of the second
and the third together, memory is what is resident after each. `--write` keeps the rows that were not
measured. Host time of this machine.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "emulator"), str(Path(__file__).resolve().parent)]

from array_program import compile_core  # noqa: E402 - lies beside the tests
from machine import describe, machine, record  # noqa: E402
from test_passthrough import passthrough, sequence  # noqa: E402

from npuninja.device.emulated_queue import EmulatedQueue  # noqa: E402

IN_FLIGHT = 64
GIB = 1 << 30
WIDE_RUNS = 20
DESIGNS = 300
#: How often a row does its work; what may be added from the second time on: some pages of Python's allocator.
REPETITIONS = 3
GROWTH_MIB = 0.5


def resident_mib() -> float:
    """Resident memory that is this process's own (shared memory of the array included), without garbage and
    without what the allocator keeps for later.
    """
    compile_core.cache_clear()  # this bench's own
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def measured(work: Callable[[], None]) -> dict[str, Any]:
    """What the table has of some work that is done `REPETITIONS` times."""
    memory: list[float] = []
    clock = cpu = 0.0
    for number in range(REPETITIONS):
        if number == 1:
            clock, cpu = time.perf_counter(), time.process_time()
        work()
        memory.append(round(resident_mib(), 1))
    return {
        "seconds": round(time.perf_counter() - clock, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "resident_mib": memory,
        "growth_mib": round(memory[-1] - memory[1], 1),
    }


def dispatches(count: int) -> dict[str, Any]:
    """Runs that move one element each."""
    with passthrough(64).emulator() as npu:
        source, dest = npu.allocate(64), npu.allocate(64)
        insts = sequence(16)

        def work() -> None:
            for _ in range(-(-count // REPETITIONS)):
                npu.run(insts, [source, dest])

        return measured(work)


def in_flight(count: int) -> dict[str, Any]:
    """`IN_FLIGHT` runs at once, each with buffers of its own, `count` altogether."""
    with passthrough(64).emulator() as npu:
        buffers = [[npu.allocate(64), npu.allocate(64)] for _ in range(IN_FLIGHT)]
        queue = EmulatedQueue(npu)
        runs = [("", sequence(16), pair) for pair in buffers]

        def work() -> None:
            for _ in range(-(-count // IN_FLIGHT // REPETITIONS)):
                queue.wait(queue.add(runs), 60)

        row = measured(work)
        queue.close()
        return row


def large(_: int) -> dict[str, Any]:
    """Two buffers of 1 GiB; one transfer moves 64 MiB at their end; freed and taken again each time."""
    with passthrough(4096).emulator() as npu:
        size = 64 << 20

        def work() -> None:
            source, dest = npu.allocate(GIB), npu.allocate(GIB)
            source.view[-size:] = bytes(range(256)) * (size // 256)
            npu.run(sequence(size // 4), [source, dest], 60, starts=[GIB - size, GIB - size])
            assert dest.view[-size:] == source.view[-size:]
            npu.free(source)
            npu.free(dest)

        return measured(work)


def wide(_: int) -> dict[str, Any]:
    """An array of 8 columns, each of its 32 cores at work: made, run once, taken down."""
    from array_program import Program, Sequence

    modules = {
        (c, r): compile_core(
            f"i64 core_{c}_{r}(void) {{ START *(volatile i32 *)0x70800 = {c * 8 + r}; END; }}", c, r
        )
        for c in range(8)
        for r in range(2, 6)
    }
    s = Sequence(8)
    s.write(0, 0)

    def work() -> None:
        for _ in range(WIDE_RUNS):
            p = Program()
            for (column, row), module in modules.items():
                p.core(module, column, row, 1024)
            with p.emulator(8) as npu:
                assert sum(core.ended for core in npu.run(s.bytes(), []).cores) == 32

    return measured(work)


def many_designs(_: int) -> dict[str, Any]:
    """`DESIGNS` configurations, no two alike, each loaded, run and taken down."""

    def work() -> None:
        for number in range(DESIGNS):
            words = 16 + 4 * (number * 97 % DESIGNS)  # no order, so that large ones come early too
            with passthrough(words).emulator() as npu:
                source, dest = npu.allocate(4 * words), npu.allocate(4 * words)
                source.view[:] = (bytes(range(256)) * words)[: 4 * words]
                npu.run(sequence(words), [source, dest])
                assert dest.view[:] == source.view[:]

    return measured(work)


ROWS: dict[str, Callable[[int], dict[str, Any]]] = {
    "dispatches": dispatches,
    f"dispatches, {IN_FLIGHT} in flight": in_flight,
    "buffers of 1 GiB": large,
    f"32 cores, {WIDE_RUNS} times": wide,
    f"{DESIGNS} designs": many_designs,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dispatches", type=int, default=100_000)
    parser.add_argument("--only", choices=list(ROWS))
    parser.add_argument("--write", type=Path, help="a file of results; rows that are not measured stay")
    parser.add_argument("--row", choices=list(ROWS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(ROWS[options.row](options.dispatches)))
        return
    grown: list[str] = []
    for name in [options.only] if options.only else list(ROWS):
        facts = machine()
        command = [sys.executable, __file__, "--row", name, "--dispatches", str(options.dispatches)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        shown = f"{options.dispatches} {name}" if name.startswith("dispatches") else name
        memory = ", ".join(f"{one:.1f}" for one in row["resident_mib"])
        print(
            f"{shown:36}{row['seconds']:9.2f} s {row['cpu_seconds']:9.2f} s of CPU, resident {memory} MiB",
            flush=True,
        )
        if row["growth_mib"] > GROWTH_MIB:
            grown.append(f"{shown}: {row['growth_mib']} MiB from the second time to the third")
        if options.write:
            content = json.loads(options.write.read_text()) if options.write.exists() else {"rows": {}}
            content["rows"][shown] = {**row, "load_at_start": facts.pop("load_at_start")}
            record(options.write, facts, rows=content["rows"])
    print(describe(machine()))
    if grown:
        raise SystemExit("memory grows: " + "; ".join(grown))


if __name__ == "__main__":
    main()
