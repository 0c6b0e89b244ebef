"""How fast the emulated array moves data: shim to core to shim, the core copies.

    python bench/emulator_throughput.py [--json]

Prints GB/s of a passthrough for several element sizes, the time of a run that moves one element, and the time
to make an emulator with the engine in the cache. Host time of this machine; it says nothing about an NPU.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "emulator")]

from test_passthrough import passthrough, sequence  # noqa: E402 - lies beside the tests

TOTAL_BYTES = 64 << 20


def throughput(element_bytes: int) -> float:
    """GB/s, best of five."""
    total = TOTAL_BYTES if element_bytes >= 1024 else TOTAL_BYTES // 8
    with passthrough(element_bytes).emulator() as npu:
        source, dest = npu.allocate(total), npu.allocate(total)
        source.view[:] = bytes(range(256)) * (total // 256)
        times = [npu.run(sequence(total // 4), [source, dest], time_limit_s=60).wall_time_s for _ in range(5)]
        assert dest.view[:] == source.view[:]
    return total / min(times) / 1e9


def dispatch_us() -> float:
    """Microseconds of a run that moves one element, median of 200."""
    with passthrough(64).emulator() as npu:
        source, dest = npu.allocate(64), npu.allocate(64)
        insts = sequence(16)
        times = []
        for _ in range(200):
            start = time.perf_counter()
            npu.run(insts, [source, dest])
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def creation_ms() -> float:
    """Milliseconds to make and configure an emulator with one core, median of 20."""
    program = passthrough(64)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        program.emulator().close()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    """Measures and prints."""
    figures = {f"passthrough_{size}_bytes_gb_s": throughput(size) for size in (256, 1024, 4096, 8192)}
    figures |= {"dispatch_us": dispatch_us(), "creation_ms": creation_ms()}
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:32} {value:10.2f}")


if __name__ == "__main__":
    main()
