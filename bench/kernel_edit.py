"""From an edit of a C++ kernel on the AIE API to its verified run, step by step.

    python bench/kernel_edit.py [--rounds N] [--json FILE]

Works on a copy of the tree, whose `vector_scale` gets a kernel on the API (16 words a step). Each round
changes its code and runs `ninja run-vector_scale`: compiling, linking, the design's files, the emulated run,
the comparison. Elapsed time is what a person waits (target 0.7 s); CPU time is what it costs, which a busy
machine changes less. Host time, nothing about an NPU.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from build_times import Tree
from machine import children_cpu_s, command_line, describe, machine, record

TARGET_S = 0.7
KERNEL = """\
#include <aie_api/aie.hpp>

static volatile int turn = TURN;

extern "C" void vector_scale(int32_t *__restrict in, int32_t *__restrict out, int32_t factor, int32_t count) {
  event0();
  (void)turn;
  for (int i = 0; i < count; i += 16) {
    aie::accum<acc64, 16> product = aie::mul(aie::load_v<16>(in + i), factor);
    aie::store_v(out + i, product.to_vector<int32_t>(0));
  }
  event1();
}
"""
#: Steps by the names of their outputs, in the order of the build.
STEPS = {
    "vector_scale.o": "compile",
    "core_0_2.wasm": "link",
    "vector_scale.xclbin": "files",
    "run-vector_scale": "run",
}


def steps_s(log: Path) -> dict[str, float]:
    """Elapsed seconds of each step of the last build, from Ninja's log."""
    found = {}
    for line in log.read_text(encoding="utf-8").splitlines()[1:]:
        start, end, _, output, _ = line.split("\t")
        step = STEPS.get(Path(output).name)
        if step:
            found[step] = (int(end) - int(start)) / 1000
    return found


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    facts = machine()
    elapsed, cpu = [], []
    steps: dict[str, list[float]] = {step: [] for step in STEPS.values()}
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as name:
        tree = Tree(Path(name))
        folder = tree.folder / "kernels" / "vector_scale"
        (folder / "vector_scale.c").unlink()
        kernel = folder / "vector_scale.cc"
        kernel.write_text(KERNEL.replace("TURN", "-1"), encoding="utf-8")
        tree.configure("vector_scale")
        tree.ninja("run-vector_scale")
        for turn in range(options.rounds + 1):
            kernel.write_text(KERNEL.replace("TURN", str(turn)), encoding="utf-8")
            before, start = children_cpu_s(), time.perf_counter()
            tree.ninja("run-vector_scale")
            waited, spent = time.perf_counter() - start, children_cpu_s() - before
            if not turn:  # the headers are read into the cache here
                continue
            elapsed.append(waited)
            cpu.append(spent)
            for step, seconds in steps_s(next(tree.folder.rglob(".ninja_log"))).items():
                steps[step].append(seconds)
    rows = {"edit to verified run": elapsed, "CPU of it": cpu, **steps}
    print(describe(facts))
    for row, seconds in rows.items():
        print(f"{row:24}{min(seconds):8.3f} s least{statistics.median(seconds):8.3f} s median")
    print(f"target {TARGET_S} s elapsed")
    figures = {
        row: {"least_s": round(min(s), 3), "median_s": round(statistics.median(s), 3)}
        for row, s in rows.items()
    }
    record(options.json, facts, rounds=options.rounds, target_s=TARGET_S, figures=figures)


if __name__ == "__main__":
    main()
