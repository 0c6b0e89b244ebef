"""Many designs built by a farm of one worker and of two: with an empty cache, a full one, in another folder.

    python bench/remote.py [--designs N] [--engines E …] [--workers N …] [--json FILE]

Everything runs on this machine, so two workers share its cores with the build and the server: what a farm
costs is seen, not what other machines bring. The designs are those of build_scale.py: small ones, whose
stages take 30 to 150 ms. Needs `npuninja tools install buildbox` (and `buildgrid`, and PostgreSQL). Nothing
here runs in the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from build_scale import Generated
from build_times import ninja_path
from machine import ROOT, command_line, describe, machine, record, timed

ENGINES = ("casd", "buildgrid")


@contextmanager
def farm(engine: str, workers: int) -> Iterator[str]:
    """A farm with an empty cache; gives its address."""
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-farm-") as folder:
        command = [sys.executable, str(ROOT / "npuninja"), "farm"]
        options = ["--engine", engine, "--workers", str(workers), "--folder", folder]
        done = subprocess.run(
            [*command, "up", "--background", *options], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"no farm: {done.stdout}{done.stderr}")
        try:
            yield json.loads((Path(folder) / "farm.json").read_text(encoding="utf-8"))["address"]
        finally:
            subprocess.run([*command, "down", "--folder", folder], check=True, stdout=subprocess.DEVNULL)


def counted(project: Generated) -> dict[str, int]:
    """How many commands the farm ran and how many results it had, in the last build."""
    log = project.folder / "build/remote.log"
    words = [line.split("\t")[0] for line in log.read_text(encoding="utf-8").splitlines()]
    log.unlink()
    return {word: words.count(word) for word in ("ran", "cached")}


def measure(count: int, engines: list[str], workers: list[int]) -> dict[str, Any]:
    """All figures by name: wall time and what the farm did."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-remote-") as name:
        project, other = (Generated(Path(name) / part / "project", count) for part in ("a", "b"))
        project.configure()
        results["this machine, no farm"] = timed(lambda: project.run(ninja_path()), 1)
        for engine in engines:
            for number in workers:
                label = f"{engine}, {number} worker{'s' if number > 1 else ''}"
                with farm(engine, number) as address:
                    for built, what in (
                        (project, "cold"),
                        (project, "cached"),
                        (other, "cached, from another folder"),
                    ):
                        shutil.rmtree(built.folder / "build", ignore_errors=True)
                        built.configure("--remote", address)
                        figure: dict[str, Any] = timed(lambda built=built: built.run(ninja_path()), 1)  # type: ignore[misc]
                        # Of the last minute: what a loaded machine measured says little.
                        results[f"{label}, {what}"] = {
                            **figure,
                            **counted(built),
                            "load": round(os.getloadavg()[0], 1),
                        }
                        print(f"{label}, {what}: {figure['median_s']:.1f} s", file=sys.stderr, flush=True)
    return results


def table(results: dict[str, Any]) -> str:
    """The wall times as a Markdown table."""
    lines = ["| build | wall time | commands run | results from the cache | load |", "|---|---|---|---|---|"]
    for name, figure in results.items():
        ran, cached, load = (figure.get(key, "-") for key in ("ran", "cached", "load"))
        lines.append(f"| {name} | {figure['median_s']:.1f} s | {ran} | {cached} | {load} |")
    return "\n".join(lines)


def main() -> int:
    """Measures, prints the table, writes the JSON."""
    parser = command_line("builds through a farm on this machine")
    parser.add_argument("--designs", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES, help="default: both")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    options = parser.parse_args()
    facts = machine()
    results = measure(options.designs, options.engines, options.workers)
    print(f"{options.designs} designs, everything on {describe(facts)}.\n\n{table(results)}")
    record(options.json, facts, designs=options.designs, figures=results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
