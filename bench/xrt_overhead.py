"""What stock XRT and the emulated driver cost in addition to the emulated array.

    python bench/xrt_overhead.py [--json FILE]

Needs XRT (`npuninja tools install xrt`). Prints the time of one dispatch of `self_test` and the throughput of
a 64 MiB `passthrough`, each through pyxrt under `npuninja emu` and on the emulated array directly, taken in
turns: from the kernel's call to the end of `wait`, and with the syncs of input and output, which copy. Host
time of this machine; it says nothing about an NPU.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench")]

from design_chain import Chain  # noqa: E402 - the tests build designs in one process
from machine import command_line, describe, machine, record  # noqa: E402
from wasm_build import WasmBuild  # noqa: E402

from npuninja.emulator import Emulator  # noqa: E402

TARGETS = {"dispatch_overhead_us": 1000.0, "passthrough_ratio": 0.5}
PROGRAM = ROOT / "tests" / "xrt_emulation" / "programs" / "times.py"
LARGE_BYTES = 64 << 20
ROUNDS = 3


def direct(manifest: Path, runs: int) -> list[float]:
    """Seconds of runs on the emulated array alone."""
    arguments = json.loads(manifest.read_text())["arguments"]
    insts = (manifest.parent / "insts.bin").read_bytes()
    times = []
    with Emulator.from_xclbin((manifest.parent / "design.xclbin").read_bytes()) as npu:
        buffers = [npu.allocate(argument["bytes"]) for argument in arguments]
        for _ in range(runs):
            start = time.perf_counter()
            npu.run(insts, buffers, time_limit_s=60)
            times.append(time.perf_counter() - start)
    return times


def through_xrt(manifest: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of runs by a pyxrt program under `npuninja emu`: "run" alone, "synced" with syncs around it."""
    emulated = [sys.executable, "-m", "npuninja", "emu", "--"]
    command = [*emulated, "python", str(PROGRAM), str(manifest), str(runs)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    times: dict[str, list[float]] = json.loads(done.stdout)
    return times


def measure() -> dict[str, float]:
    """All figures by name, which has the unit."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(Chain(_build(folder, "small"), "self_test").run())
        text = (ROOT / "mlir" / "passthrough.mlir").read_text().replace("262144", str(LARGE_BYTES))
        large = Path(Chain(_build(folder, "large"), "passthrough", text).run())
        dispatch: dict[str, list[float]] = {"direct": [], "run": [], "synced": []}
        moving: dict[str, list[float]] = {"direct": [], "run": [], "synced": []}
        for _ in range(ROUNDS):
            for manifest, runs, times in ((small, 200, dispatch), (large, 4, moving)):
                times["direct"] += direct(manifest, runs)
                for what, seconds in through_xrt(manifest, runs).items():
                    times[what] += seconds[1:]  # the first run touches the memory
    dispatch_us = {what: statistics.median(times) * 1e6 for what, times in dispatch.items()}
    rates_gb_s = {what: LARGE_BYTES / min(times) / 1e9 for what, times in moving.items()}
    return {
        "dispatch_direct_median_us": dispatch_us["direct"],
        "dispatch_xrt_median_us": dispatch_us["run"],
        "dispatch_xrt_with_syncs_median_us": dispatch_us["synced"],
        "dispatch_overhead_us": dispatch_us["run"] - dispatch_us["direct"],
        "passthrough_64_mib_direct_gb_s": rates_gb_s["direct"],
        "passthrough_64_mib_xrt_gb_s": rates_gb_s["run"],
        "passthrough_64_mib_xrt_with_syncs_gb_s": rates_gb_s["synced"],
        "passthrough_ratio": rates_gb_s["run"] / rates_gb_s["direct"],
    }


def _build(folder: str, name: str) -> WasmBuild:
    path = Path(folder) / name
    path.mkdir()
    return WasmBuild(path, Path(folder) / "cache")


def main() -> int:
    """Measures, prints the figures, writes the JSON."""
    parser = command_line("what stock XRT and the emulated driver cost, on this machine")
    options = parser.parse_args()
    facts = machine()
    figures = measure()
    print(f"Measured on {describe(facts)}; load at start {facts['load_at_start']}.\n")
    for name, value in figures.items():
        print(f"{name:40} {value:10.2f}" + (f"   (target {TARGETS[name]:g})" if name in TARGETS else ""))
    record(options.json, facts, targets=TARGETS, figures=figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
