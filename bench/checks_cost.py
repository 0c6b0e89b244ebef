"""What `--check` costs: whole commands `npuninja run`, without and with checks.

    python bench/checks_cost.py build/npu1_1col/wasm/NAME/NAME.json… [--json] [--write FILE]

CPU seconds of the process, the best of three: a machine that does other things disturbs them least.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from machine import ROOT, children_cpu_s, describe, machine, record

WAYS = {"none": [], "races": ["--check", "races"], "races, memory": ["--check", "races,memory"]}
RUNS = 3


def cpu_s(manifest: str, options: list[str]) -> float:
    """CPU seconds of one command, the best of `RUNS`; the first, which compiles, does not count."""
    command = [sys.executable, "-m", "npuninja", "run", manifest, *options]
    times = []
    for _ in range(RUNS + 1):
        before = children_cpu_s()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        times.append(children_cpu_s() - before)
    return min(times[1:])


def main() -> None:
    words = sys.argv[1:]
    target = Path(words.pop(words.index("--write") + 1)) if "--write" in words else None
    manifests = [str(Path(path).resolve()) for path in words if not path.startswith("-")]
    rows = {
        Path(path).stem: {way: cpu_s(path, options) for way, options in WAYS.items()} for path in manifests
    }
    facts = machine()
    record(target, facts, cpu_s=rows)
    if "--json" in sys.argv:
        print(json.dumps({"machine": facts, "cpu_s": rows}, indent=2))
        return
    print(describe(facts))
    print(f"{'design':26}" + "".join(f"{way:>16}" for way in WAYS))
    for name, times in rows.items():
        ratios = "".join(f"{t:9.2f} ({t / times['none']:.1f}x)" for t in times.values())
        print(f"{name:26}{ratios}")


if __name__ == "__main__":
    main()
