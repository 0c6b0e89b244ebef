"""How building grows with the number of designs: Ninja, Make, and CMake with Ninja, on the same commands.

    python bench/build_scale.py [--designs N …] [--json FILE] [--repeat N]

Makes projects of N small designs with a kernel each, in a temporary folder, and measures wall times:
configure (first, warm), full build, a build without a change, builds after an edit of one kernel, one header,
one design. Make gets the Makefile of `configure.py --generator make`; CMake an `add_custom_command` for each
edge, with the same command line and dependencies: only the build system differs. Ninja is also measured with
a process for each stage. 1000 designs take some fifteen minutes on two cores. Nothing here runs in the tests.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from build_times import ninja_path  # noqa: E402
from machine import ROOT, command_line, describe, machine, record, run_in, timed  # noqa: E402

from npuninja.emit.build_log import as_run  # noqa: E402

PLAIN = ROOT / "tests" / "projects" / "plain"
OPTIONS = {"make": ("--generator", "make"), "ninja, separate stages": ("--separate-stages",)}
# Rules whose files `ninja` alone does not make.
NOT_BUILT = ("reference", "check", "ldscript", "engine", "package")
# With more designs a build of a process for each stage says nothing new.
SEPARATE_UP_TO = 100
TARGETS_S = {
    "configure.py, first": {1000: 3.0},
    "configure.py, warm": {1000: 0.5},
    "ninja, no change": {1000: 0.1},
    "ninja, one kernel edited": {1: 0.3, 10: 0.3, 100: 0.3, 1000: 0.3},
    "ninja, full build": {1000: 240.0},
}


class Generated:
    """A project of `count` designs, each with a kernel and a header of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        (folder / "mlir").mkdir(parents=True)
        design = (PLAIN / "mlir/gain.mlir").read_text(encoding="utf-8")
        for number in range(count):
            name = f"gain{number}"
            kernel = folder / "kernels" / name
            shutil.copytree(PLAIN / "kernels/gain", kernel)
            (kernel / "gain.c").rename(kernel / f"{name}.c")
            text = design.replace("gain.o", f"{name}.o").replace(
                "constant 3 : i32", f"constant {number % 100 + 2} : i32"
            )
            (folder / "mlir" / f"{name}.mlir").write_text(text, encoding="utf-8")
        # Embedded providers on every machine, so that figures can be compared.
        providers = '[providers]\npdi = "embedded"\nxclbin = "embedded"\n'
        (folder / "toolchain.toml").write_text(providers, encoding="utf-8")
        self._edits = 0

    def run(self, *command: str) -> None:
        """Runs a command in the project."""
        run_in(self.folder, *command)

    def configure(self, *arguments: str) -> None:
        self.run(sys.executable, str(ROOT / "configure.py"), "-S", str(self.folder), *arguments)

    def forget(self) -> None:
        """Takes away what configure.py wrote."""
        shutil.rmtree(self.folder / "build", ignore_errors=True)
        for name in ("build.ninja", ".build.ninja.d", ".ninja_log", ".ninja_deps"):
            (self.folder / name).unlink(missing_ok=True)

    def edit_kernel(self) -> None:
        self._edits += 1
        with (self.folder / "kernels/gain0/gain0.c").open("a", encoding="utf-8") as stream:
            stream.write(f"\nint edit_{self._edits}(void) {{ return {self._edits}; }}\n")

    def edit_header(self) -> None:
        self._edits += 1
        elements = 64 - self._edits % 2 * 32
        (self.folder / "kernels/gain0/scale.h").write_text(f"#define ELEMENTS {elements}\n", encoding="utf-8")

    def edit_design(self) -> None:
        self._edits += 1
        path = self.folder / "mlir/gain0.mlir"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        factor = f"      %factor = arith.constant {self._edits} : i32\n"
        path.write_text("".join(factor if "%factor =" in line else line for line in lines), encoding="utf-8")


def generate_with_cmake(project: Generated) -> None:
    """Has CMake write a build.ninja in place of ours, with its commands and graph.json's dependencies."""
    edges = as_run(json.loads((project.folder / "build/graph.json").read_text(encoding="utf-8"))["edges"])
    listed = subprocess.run(
        [ninja_path(), "-t", "compdb"], cwd=project.folder, capture_output=True, text=True, check=True
    ).stdout
    commands = {entry["output"]: entry["command"] for entry in json.loads(listed)}
    lines = ["cmake_minimum_required(VERSION 3.20)", "project(designs NONE)", "set(here ${CMAKE_BINARY_DIR})"]
    made = []
    for edge in edges:
        first = edge["outputs"][0]
        depfile = re.search(r" --depfile (\S+)", commands.get(first, ""))
        if depfile is None or edge["rule"] in NOT_BUILT:
            continue
        outputs = " ".join(f"${{here}}/{path}" for path in edge["outputs"])
        depends = " ".join(f"${{here}}/{path}" for path in (*edge["inputs"], *edge["implicit"]))
        lines.append(
            f"add_custom_command(OUTPUT {outputs} COMMAND sh -c [==[{commands[first]}]==] DEPENDS {depends}"
            f" DEPFILE ${{here}}/{depfile[1]} WORKING_DIRECTORY ${{here}} VERBATIM)"
        )
        made.append(f"${{here}}/{first}")
    lines.append("add_custom_target(designs ALL DEPENDS " + " ".join(made) + ")")
    (project.folder / "cmake").mkdir(exist_ok=True)
    (project.folder / "cmake/CMakeLists.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # In the project's own folder, because the paths in the stages' depfiles are relative to it.
    project.run("cmake", "-G", "Ninja", "-S", "cmake", "-B", ".", f"-DCMAKE_MAKE_PROGRAM={ninja_path()}")


def measure(count: int, repeat: int, others: bool) -> dict[str, dict[str, float]]:
    """All figures for `count` designs, by name."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-scale-") as name:
        project = Generated(Path(name) / "project", count)
        results["configure.py, first"] = timed(project.configure, max(2, repeat // 2), project.forget)
        results["configure.py, warm"] = timed(project.configure, repeat)
        systems: dict[str, Callable[[], None]] = {"ninja": lambda: project.run(ninja_path())}
        if others and count <= SEPARATE_UP_TO:
            systems["ninja, separate stages"] = systems["ninja"]
        if others and shutil.which("make"):
            systems["make"] = lambda: project.run("make", "-j", "2", "-f", "build.mk")
        if others and shutil.which("cmake"):
            systems["cmake+ninja"] = systems["ninja"]
        for system, build in systems.items():
            project.forget()
            project.configure(*OPTIONS.get(system, ()))
            if system == "cmake+ninja":
                generate_with_cmake(project)
            results[f"{system}, full build"] = timed(build, 1)
            results[f"{system}, no change"] = timed(build, repeat)
            results[f"{system}, one kernel edited"] = timed(build, repeat, project.edit_kernel)
            results[f"{system}, one header edited"] = timed(build, repeat, project.edit_header)
            results[f"{system}, one design edited"] = timed(build, repeat, project.edit_design)
    return results


def table(results: dict[int, dict[str, dict[str, float]]]) -> str:
    """The medians as a Markdown table, a column for each number of designs; targets in brackets."""
    counts = list(results)
    lines = [
        "| median of wall times | " + " | ".join(map(str, counts)) + " |",
        "|---" * (len(counts) + 1) + "|",
    ]
    for name in dict.fromkeys(name for figures in results.values() for name in figures):
        cells = []
        for count in counts:
            target = TARGETS_S.get(name, {}).get(count)
            if name not in results[count]:
                cells.append("")
                continue
            seconds = results[count][name]["median_s"]
            cells.append(f"{seconds:.3f} s" + (f" (≤ {target:g} s)" if target else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Measures, prints the table, writes the JSON."""
    parser = command_line("build times by number of designs, on this machine", repeat=5)
    parser.add_argument(
        "--designs", type=int, nargs="+", default=[1, 10, 100], metavar="N", help="default: 1 10 100"
    )
    parser.add_argument("--ninja-only", action="store_true", help="leave Make and CMake out")
    options = parser.parse_args()
    facts = machine()
    results = {count: measure(count, options.repeat, not options.ninja_only) for count in options.designs}
    # The largest of all processes that were waited for: Linux counts in KiB.
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"Measured on {describe(facts)}.\n\n{table(results)}\n\nPeak memory of a process: {peak_mib:.0f} MiB."
    )
    figures = {str(count): found for count, found in results.items()}
    record(options.json, facts, peak_memory_mib=peak_mib, figures=figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
