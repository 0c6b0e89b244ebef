"""Load on the emulated NPU: many dispatches, many in flight, large buffers, a wide array, many designs; memory must
not grow.

    python bench/load.py [--dispatches N] [--only ROW] [--write bench/results/load.json]

Seconds of the clock and of the CPU, and the resident memory of the process before and after; each row is a process of its
own, and `--write` keeps the rows that were not measured. Host time of this machine.
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
from machine import describe, machine, write_result  # noqa: E402
from test_passthrough import passthrough, sequence  # noqa: E402

from npuninja.device.emulated_queue import EmulatedQueue  # noqa: E402

IN_FLIGHT = 64
GIB = 1 << 30
WIDE_RUNS = 20
DESIGNS = 300
#: Runs before memory is looked at: so long the allocators take what they keep.
WARM_UP = 60


def resident_mib() -> float:
    """Resident memory of this process that is its own (shared memory of the array included), without what is garbage and
    what the allocator keeps for later.
    """
    compile_core.cache_clear()  # this bench's own
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Watch:
    """Time and memory from when the warming up is over."""

    def __init__(self) -> None:
        self._memory, self._clock, self._cpu = resident_mib(), time.perf_counter(), time.process_time()

    def row(self) -> dict[str, Any]:
        """What a table has of it."""
        return {
            "seconds": round(time.perf_counter() - self._clock, 2),
            "cpu_seconds": round(time.process_time() - self._cpu, 2),
            "before_mib": round(self._memory, 1),
            "after_mib": round(resident_mib(), 1),
        }


def dispatches(count: int) -> dict[str, Any]:
    """Runs that move one element each."""
    with passthrough(64).emulator() as npu:
        source, dest = npu.allocate(64), npu.allocate(64)
        insts = sequence(16)
        for _ in range(1000):
            npu.run(insts, [source, dest])
        watch = Watch()
        for _ in range(count):
            npu.run(insts, [source, dest])
        return watch.row()


def in_flight(count: int) -> dict[str, Any]:
    """`IN_FLIGHT` runs at once, each with buffers of its own, `count` altogether."""
    with passthrough(64).emulator() as npu:
        buffers = [[npu.allocate(64), npu.allocate(64)] for _ in range(IN_FLIGHT)]
        queue = EmulatedQueue(npu)
        runs = [("", sequence(16), pair) for pair in buffers]
        queue.wait(queue.add(runs), 60)
        watch = Watch()
        for _ in range(-(-count // IN_FLIGHT)):
            queue.wait(queue.add(runs), 60)
        row = watch.row()
        queue.close()
        return row


def large(_: int) -> dict[str, Any]:
    """Two buffers of 1 GiB, of which one transfer moves 64 MiB at the end; freed and taken again three times."""
    with passthrough(4096).emulator() as npu:
        watch = Watch()
        size = 64 << 20
        for _ in range(3):
            source, dest = npu.allocate(GIB), npu.allocate(GIB)
            source.view[-size:] = bytes(range(256)) * (size // 256)
            npu.run(sequence(size // 4), [source, dest], 60, starts=[GIB - size, GIB - size])
            assert dest.view[-size:] == source.view[-size:]
            npu.free(source)
            npu.free(dest)
        return watch.row()


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
    watch = Watch()
    for number in range(WIDE_RUNS + WARM_UP):
        p = Program()
        for (column, row), module in modules.items():
            p.core(module, column, row, 1024)
        with p.emulator(8) as npu:
            assert sum(core.ended for core in npu.run(s.bytes(), []).cores) == 32
        if number == WARM_UP - 1:
            watch = Watch()
    return watch.row()


def many_designs(_: int) -> dict[str, Any]:
    """`DESIGNS` configurations, no two alike, each loaded, run and taken down."""
    watch = Watch()
    for number in range(DESIGNS + WARM_UP):
        words = 16 + 4 * (number * 97 % (DESIGNS + WARM_UP))  # no order, so that large ones come early too
        with passthrough(words).emulator() as npu:
            source, dest = npu.allocate(4 * words), npu.allocate(4 * words)
            source.view[:] = (bytes(range(256)) * words)[: 4 * words]
            npu.run(sequence(words), [source, dest])
            assert dest.view[:] == source.view[:]
        if number == WARM_UP - 1:
            watch = Watch()
    return watch.row()


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
    for name in [options.only] if options.only else list(ROWS):
        facts = machine()
        command = [sys.executable, __file__, "--row", name, "--dispatches", str(options.dispatches)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        shown = f"{options.dispatches} {name}" if name.startswith("dispatches") else name
        print(
            f"{shown:36}{row['seconds']:9.2f} s {row['cpu_seconds']:9.2f} s of CPU {row['before_mib']:8.1f} MiB before "
            f"{row['after_mib']:8.1f} MiB after",
            flush=True,
        )
        if options.write:
            content = json.loads(options.write.read_text()) if options.write.exists() else {"rows": {}}
            content["rows"][shown] = {**row, "load_at_start": facts.pop("load_at_start")}
            write_result(options.write, {"machine": facts, "kind": "measured", "rows": content["rows"]})
    print(describe(machine()))


if __name__ == "__main__":
    main()
