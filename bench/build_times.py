"""How long building takes: cold, after an edit, without a change, and one lowering process.

    python bench/build_times.py [--json FILE] [--repeat N]

Works on a copy of the source tree in a temporary folder, with this interpreter. Prints a table of wall times
and targets and can write the same as JSON. Nothing here runs in the tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from machine import ROOT, command_line, describe, machine, record, run_in, timed

SOURCES = ("configure.py", "build.ninja.in", "toolchain.toml", "npuninja", "kernels", "mlir", "host")
# Those the targets are for; other designs bring kernels that take longer to compile.
SIX = ("memtile_distribute_join", "passthrough", "pipeline", "self_test", "vector_add", "vector_scale")
TARGETS_S = {
    "cold build, six designs": 5.0,
    "cold build, passthrough": 1.5,
    "kernel edit to verified run": 0.5,
    "npuninja watch: kernel edit to verdict": 0.5,
    "ninja without a change": 0.015,
    "configure.py, first": 2.0,
    "configure.py, first, nothing known": 2.0,
    "configure.py, warm": 0.3,
    "npuninja lower passthrough.mlir": 0.15,
    "the process of a stage": 0.06,
}


def ninja_path() -> str:
    """The ninja of this interpreter's environment."""
    beside = Path(sys.executable).parent / "ninja"
    found = str(beside) if beside.exists() else shutil.which("ninja")
    if not found:
        raise SystemExit("no ninja beside this Python or on PATH: pip install ninja")
    return found


class Tree:
    """A copy of the sources in a temporary folder, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / name)

    def run(self, *command: str) -> None:
        """Runs a command in the copy."""
        run_in(self.folder, *command)

    def configure(self, *arguments: str) -> None:
        self.run(sys.executable, "configure.py", *arguments)

    def ninja(self, *arguments: str) -> None:
        self.run(ninja_path(), *arguments)

    def clean(self) -> None:
        """Takes away everything that was built, with all caches of the build folder."""
        shutil.rmtree(self.folder / "build", ignore_errors=True)
        for name in ("build.ninja", ".ninja_log", ".ninja_deps"):
            (self.folder / name).unlink(missing_ok=True)


def measure(repeat: int) -> dict[str, dict[str, float]]:
    """All figures, by name."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as name:
        tree = Tree(Path(name))

        def cold(*designs: str) -> None:
            tree.configure(*designs)
            tree.ninja()

        cold(*SIX)  # the emulator's engine and Python's bytecode are compiled here, once per machine
        tree.ninja("run")
        few = max(2, repeat // 3)
        results["cold build, six designs"] = timed(lambda: cold(*SIX), few, tree.clean)
        results["cold build, passthrough"] = timed(lambda: cold("passthrough"), few, tree.clean)
        results["configure.py, first"] = timed(lambda: tree.configure(*SIX), few, tree.clean)
        # What other build folders found is in the user's cache, as after `rm -r build`; here it is empty.
        unknown = Path(name) / "cache"

        def forget() -> None:
            tree.clean()
            shutil.rmtree(unknown, ignore_errors=True)

        variable = f"NPUNINJA_CACHE_DIR={unknown}"
        results["configure.py, first, nothing known"] = timed(
            lambda: tree.run("env", variable, sys.executable, "configure.py", *SIX), few, forget
        )
        results["configure.py, warm"] = timed(lambda: tree.configure(*SIX), repeat)
        tree.ninja("run")
        results["ninja without a change"] = timed(tree.ninja, repeat * 3)
        kernel = next((tree.folder / "kernels" / "passthrough").glob("*.c"))
        edits = iter(range(10_000))

        def edit() -> None:
            with kernel.open("a", encoding="utf-8") as stream:
                stream.write(f"\nint passthrough_edit_{next(edits)}(void) {{ return {os.getpid()}; }}\n")

        results["kernel edit to verified run"] = timed(lambda: tree.ninja("run-passthrough"), repeat, edit)
        results["npuninja watch: kernel edit to verdict"] = watched(tree, edit, repeat)
        results["npuninja lower passthrough.mlir"] = timed(
            lambda: tree.run(
                sys.executable, "-m", "npuninja", "lower", "mlir/passthrough.mlir", "-o", "lowered"
            ),
            repeat,
        )
        # The smallest there is, which only writes three names into a file.
        names = [word for name in ("elfs", "init", "enable") for word in ("--cdo", f"cdo_{name}.bin")]
        stage = [sys.executable, "-S", "-E", "npuninja/stages/__main__.py", "bif", *names, "-o", "a.bif"]
        results["the process of a stage"] = timed(lambda: tree.run(*stage), repeat * 3)
    return results


def watched(tree: Tree, edit: Callable[[], None], repeat: int) -> dict[str, float]:
    """From the end of an edit until `npuninja watch` prints its verdict: noticing it is part of the time."""
    command = [sys.executable, "-m", "npuninja", "watch", "passthrough"]
    with subprocess.Popen(command, cwd=tree.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout

        def verdict() -> None:
            for line in process.stdout or ():
                if line.startswith("──"):
                    if ": good," not in line:
                        raise SystemExit(line)
                    return
            raise SystemExit("npuninja watch ended")

        verdict()
        figures = timed(verdict, repeat, edit)
        process.send_signal(signal.SIGINT)
    return figures


def table(results: dict[str, dict[str, float]]) -> str:
    """The figures as a Markdown table, measured against the targets."""
    lines = ["| what | measured, median | min | target |", "|---|---|---|---|"]
    for name, figure in results.items():
        target = TARGETS_S[name]
        lines.append(f"| {name} | {figure['median_s']:.3f} s | {figure['min_s']:.3f} s | {target:g} s |")
    return "\n".join(lines)


def main() -> int:
    """Measures, prints the table, writes the JSON."""
    parser = command_line("measured build times on this machine", repeat=7)
    options = parser.parse_args()
    facts = machine()
    results = measure(options.repeat)
    print(f"Measured on {describe(facts)}; wall time.\n\n{table(results)}")
    record(options.json, facts, figures=results, targets_s=TARGETS_S)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
