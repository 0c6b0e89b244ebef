"""From an edit to its verdict: `npuninja watch` on a new project.

    python bench/watch.py [--edits N] [--json FILE]

Edits the kernel of the template `vector` in place, as an editor does, and takes the times that `watch`
prints, from its sight of the edit to the run's verdict. It looks every 20 ms. Nothing here runs in the tests.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from machine import command_line, describe, machine, record  # noqa: E402

TARGET_S = 0.5


def times_s(folder: Path, edits: int) -> list[float]:
    """The times of the rounds after the first, in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    program = [sys.executable, "-u", "-m", "npuninja"]
    subprocess.run(
        [*program, "init", str(folder), "--template", "vector"],
        env=environment,
        check=True,
        capture_output=True,
    )
    command = [*program, "watch", "--count", str(edits + 1)]
    found: list[float] = []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        (kernel,) = (folder / "kernels").rglob("*.c*")
        for line in watching.stdout:
            verdict = re.search(r": good, ([\d.]+) s; waiting", line)
            if verdict is None:
                continue
            found.append(float(verdict[1]))
            time.sleep(0.2)
            with kernel.open("a", encoding="utf-8") as stream:
                stream.write(f"\nint edit_{len(found)}(void) {{ return {len(found)}; }}\n")
    if watching.returncode:
        raise SystemExit(f"watch ended with {watching.returncode}")
    return found[1:]


def main() -> int:
    """Measures, prints, writes the JSON."""
    parser = command_line("npuninja watch: from an edit to its verdict")
    parser.add_argument("--edits", type=int, default=10)
    options = parser.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="npuninja-watch-") as name:
        found = times_s(Path(name) / "project", options.edits)
    print(
        f"Measured on {describe(facts)}: median {statistics.median(found):.2f} s, min {min(found):.2f} s, "
        f"max {max(found):.2f} s of {len(found)} edits of a kernel (wanted: {TARGET_S} s)."
    )
    figures = {"edit to verdict": {"median_s": statistics.median(found), "min_s": min(found)}}
    record(options.json, facts, figures=figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
