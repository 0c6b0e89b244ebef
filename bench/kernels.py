"""Speed of kernels on the headers for emulated cores: compile time of an object, work per second on one core.

Emulated figures of this machine, not of an NPU. A kernel runs by itself in wasmtime, without an array.

    python bench/kernels.py [--architecture aie2p] [--repeats 5] [--source mm.cc]…

`--source` adds a kernel of somebody else's to the table of compile times.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "kernel_headers")]

from module_build import Module, build  # noqa: E402
from wasm_build import WasmBuild  # noqa: E402

from npuninja.stages import kernel_cc  # noqa: E402

MACS = 64**3
SCALE = """
#include <aie_api/aie.hpp>
extern "C" void scale(const int16 *restrict a, int16 *restrict c, int n) {
    for (int i = 0; i < n; i += 32)
        aie::store_v(c + i, aie::mul(aie::load_v<32>(a + i), int16(3)).to_vector<int16>(0));
}
"""
ELEMENTS = 4096


def main() -> None:
    """Prints the table of the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=("aie2", "aie2p"), default="aie2")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--source", type=Path, action="append", default=[], help="compile this one too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        module = build(Path(__file__).with_name("kernels.cc"), Path(folder), options.architecture)
        print(f"compiling all of them: {time.perf_counter() - start:.2f} s\n")
        print("| object | compiling, s CPU, the first in a build folder | another time |\n|---|---|---|")
        for source in [*sources(Path(folder)), *options.source]:
            first, again = compile_times(source, Path(folder), options.architecture, options.repeats)
            print(f"| `{source.name}` | {first:.2f} | {again:.2f} |")
        print("\n| kernel | figure |\n|---|---|")
        for name, kind, work, unit in ROWS:
            if options.architecture == "aie2p" and name in AIE2_ONLY:
                continue
            rate = best_rate(module, name, kind, work, options.repeats)
            print(f"| `{name}` | {rate / 1e9:.2f} {unit} |")


def sources(folder: Path) -> list[Path]:
    """A kernel of a few lines, and those of this repository on the API."""
    small = folder / "scale.cc"
    small.write_text(SCALE)
    return [small, *sorted((ROOT / "kernels").glob("*/*.cc"))]


def compile_times(source: Path, folder: Path, architecture: str, repeats: int) -> tuple[float, float]:
    """CPU seconds of the stage kernel_cc with an empty cache, and the best of some runs with a full one."""
    build = WasmBuild(folder, folder / f"cache of {source.name}")
    arguments = [
        *build.compile_arguments(source, folder / (source.stem + ".o")),
        *("--architecture", architecture),
    ]
    spent = []
    for _ in range(repeats + 1):
        before = os.times()
        with contextlib.redirect_stderr(io.StringIO()):  # warnings about the kernels
            kernel_cc.run(arguments)
        after = os.times()
        spent.append(sum(after[:4]) - sum(before[:4]))
    return spent[0], min(spent[1:])


def best_rate(module: Module, name: str, kind: str, work: int, repeats: int) -> float:
    """Work per second of CPU time, the best of some runs of about a tenth of a second."""
    a = inputs(kind)
    rounds, best = 8, 0.0
    for _ in range(repeats + 1):
        start = time.process_time()
        module.run(name, [a, a], (ELEMENTS,), np.float32, rounds)
        spent = max(time.process_time() - start, 1e-6)
        best = max(best, work * rounds / spent)
        rounds = max(8, int(rounds * 0.1 / spent))
    return best


def inputs(kind: str) -> np.ndarray:
    """Random elements: small integers, or floats around zero."""
    rng = np.random.default_rng(0)
    if kind == "bf16":
        floats = rng.standard_normal(ELEMENTS).astype(np.float32)
        return (floats.view(np.uint32) >> 16).astype(np.uint16)
    return rng.integers(-100, 100, ELEMENTS).astype(kind)


AIE2_ONLY = ("matrix_int16", "matrix_bf16_4x8x4")
ROWS = (
    ("matrix_int16", "int16", MACS, "GMAC/s"),
    ("matrix_int8", "int8", MACS, "GMAC/s"),
    ("matrix_bf16_4x8x4", "bf16", MACS, "GMAC/s"),
    ("matrix_bf16_8x8x8", "bf16", MACS, "GMAC/s"),
    ("product_bf16", "bf16", ELEMENTS, "G elements/s"),
    ("sum_bf16", "bf16", ELEMENTS, "G elements/s"),
    ("relu_bf16", "bf16", ELEMENTS, "G elements/s"),
    ("scale_int16", "int16", ELEMENTS, "G elements/s"),
    ("scale_int32", "int32", ELEMENTS // 2, "G elements/s"),
    ("rotation_four_lanes", "int32", ELEMENTS // 2, "G rotations/s"),
    ("rotation_api", "int32", ELEMENTS // 2, "G rotations/s"),
)

if __name__ == "__main__":
    main()
