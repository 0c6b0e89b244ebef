"""Load on the emulated NPU: many dispatches, many in flight, large buffers, a wide array; memory must not grow.

    python bench/load.py [--json] [--dispatches N]

Seconds, and the resident memory of the process before and after. Host time of this machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "emulator"), str(Path(__file__).resolve().parent)]

from array_program import compile_core  # noqa: E402 - lies beside the tests
from machine import describe, machine  # noqa: E402
from test_passthrough import passthrough, sequence  # noqa: E402

from npuninja.device.emulated_queue import EmulatedQueue  # noqa: E402

IN_FLIGHT = 64
GIB = 1 << 30


def resident_mib() -> float:
    """Resident memory of this process that is its own (shared memory of the array included)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def dispatches(count: int) -> dict[str, Any]:
    """Runs that move one element each."""
    with passthrough(64).emulator() as npu:
        source, dest = npu.allocate(64), npu.allocate(64)
        insts = sequence(16)
        for _ in range(1000):
            npu.run(insts, [source, dest])
        before, started = resident_mib(), time.perf_counter()
        for _ in range(count):
            npu.run(insts, [source, dest])
        return {"seconds": time.perf_counter() - started, "before_mib": before, "after_mib": resident_mib()}


def in_flight(count: int) -> dict[str, Any]:
    """`IN_FLIGHT` runs at once, each with buffers of its own, `count` altogether."""
    with passthrough(64).emulator() as npu:
        buffers = [[npu.allocate(64), npu.allocate(64)] for _ in range(IN_FLIGHT)]
        insts, queue = sequence(16), EmulatedQueue(npu)
        queue.wait(queue.add(insts, buffers), 60)
        before, started = resident_mib(), time.perf_counter()
        for _ in range(count // IN_FLIGHT):
            queue.wait(queue.add(insts, buffers), 60)
        seconds = time.perf_counter() - started
        queue.close()
        return {"seconds": seconds, "before_mib": before, "after_mib": resident_mib()}


def large() -> dict[str, Any]:
    """Two buffers of 1 GiB, of which one transfer moves 64 MiB at the end; freed and taken again three times."""
    with passthrough(4096).emulator() as npu:
        before, started = resident_mib(), time.perf_counter()
        size = 64 << 20
        for _ in range(3):
            source, dest = npu.allocate(GIB), npu.allocate(GIB)
            source.view[-size:] = bytes(range(256)) * (size // 256)
            npu.run(sequence(size // 4), [source, dest], 60, starts=[GIB - size, GIB - size])
            assert dest.view[-size:] == source.view[-size:]
            npu.free(source)
            npu.free(dest)
        return {"seconds": time.perf_counter() - started, "before_mib": before, "after_mib": resident_mib()}


def wide(count: int) -> dict[str, Any]:
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
    before, started = 0.0, time.perf_counter()
    for number in range(count):
        p = Program()
        for (column, row), module in modules.items():
            p.core(module, column, row, 1024)
        with p.emulator(8) as npu:
            assert sum(core.ended for core in npu.run(s.bytes(), []).cores) == 32
        if number == 1:
            before, started = resident_mib(), time.perf_counter()
    return {"seconds": time.perf_counter() - started, "before_mib": before, "after_mib": resident_mib()}


def main() -> None:
    count = int(sys.argv[sys.argv.index("--dispatches") + 1]) if "--dispatches" in sys.argv else 100_000
    facts = machine()
    rows = {
        f"{count} dispatches": dispatches(count),
        f"{count} dispatches, {IN_FLIGHT} in flight": in_flight(count),
        "buffers of 1 GiB": large(),
        "32 cores, 20 times": wide(22),
    }
    if "--json" in sys.argv:
        print(json.dumps({"machine": facts, "load": rows}, indent=2))
        return
    print(describe(facts))
    for name, row in rows.items():
        print(
            f"{name:44}{row['seconds']:9.2f} s {row['before_mib']:9.1f} MiB before {row['after_mib']:9.1f} MiB after"
        )


if __name__ == "__main__":
    main()
