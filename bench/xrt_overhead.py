"""What stock XRT and the emulated driver cost beside the emulated array alone.

    python bench/xrt_overhead.py [--json]

Needs XRT (`npuninja tools install xrt`). Prints the time of one dispatch of `self_test` and the throughput of a 64 MiB
`passthrough`, each through pyxrt under `npuninja emu` and on the emulated array directly, taken in turns. Host time of this
machine; it says nothing about an NPU.
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
from machine import describe, machine  # noqa: E402
from wasm_build import WasmBuild  # noqa: E402

from npuninja.emulator import Emulator  # noqa: E402

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


def through_xrt(manifest: Path, runs: int) -> list[float]:
    """Seconds of runs by a pyxrt program under `npuninja emu`, from the kernel's call to the end of `wait`."""
    command = [sys.executable, "-m", "npuninja", "emu", "--", "python", str(PROGRAM), str(manifest), str(runs)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    times: list[float] = json.loads(done.stdout)
    return times


def measure() -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(Chain(_build(folder, "small"), "self_test").run())
        text = (ROOT / "mlir" / "passthrough.mlir").read_text().replace("262144", str(LARGE_BYTES))
        large = Path(Chain(_build(folder, "large"), "passthrough", text).run())
        dispatch: dict[str, list[float]] = {"direct": [], "xrt": []}
        moving: dict[str, list[float]] = {"direct": [], "xrt": []}
        for _ in range(ROUNDS):
            dispatch["direct"] += direct(small, 200)
            dispatch["xrt"] += through_xrt(small, 200)
            moving["direct"] += direct(large, 3)
            moving["xrt"] += through_xrt(large, 3)
    medians = {f"dispatch_{how}_median_us": statistics.median(times) * 1e6 for how, times in dispatch.items()}
    overhead = {"dispatch_overhead_us": medians["dispatch_xrt_median_us"] - medians["dispatch_direct_median_us"]}
    rates = {f"passthrough_64_mib_{how}_gb_s": LARGE_BYTES / min(times) / 1e9 for how, times in moving.items()}
    ratio = {"passthrough_ratio": rates["passthrough_64_mib_xrt_gb_s"] / rates["passthrough_64_mib_direct_gb_s"]}
    return {**medians, **overhead, **rates, **ratio}


def _build(folder: str, name: str) -> WasmBuild:
    path = Path(folder) / name
    path.mkdir()
    return WasmBuild(path, Path(folder) / "cache")


def main() -> None:
    """Measures and prints."""
    facts, figures = machine(), measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps({"machine": facts, **figures}, indent=2))
        return
    print(describe(facts), f"load at start {facts['load_at_start']}", sep=", ")
    for name, value in figures.items():
        print(f"{name:36} {value:10.2f}")


if __name__ == "__main__":
    main()
