"""Runs a design of this package: `python run.py DESIGN [OPTION …]`; needs NumPy, and pyxrt or wasmtime."""

from __future__ import annotations

import importlib.util
import json
import os
import sys

PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__))
USAGE = """\
usage: {program} DESIGN [--device auto|npu|emu] [--verify] [--bench N] [--input [NAME=]FILE] [--output [NAME=]FILE]

{designs}

`{program} DESIGN --help` lists all options. Without --input, the inputs are those of the design's reference.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 2 wrong input, 3 something missing, else the runner's."""
    words = sys.argv[1:] if arguments is None else arguments
    with open(os.path.join(PACKAGE_FOLDER, "package.json"), encoding="utf-8") as stream:
        package = json.load(stream)
    needed = package["python"].removeprefix(">=")
    if sys.version_info[:2] < tuple(map(int, needed.split("."))):
        print(
            f"error: this is Python {sys.version.split()[0]}, and {needed} or newer is needed",
            file=sys.stderr,
        )
        return 3
    designs = package["designs"]
    if not words or words[0] in ("-h", "--help"):
        rows = [
            f"  {name:24} {entry['device']}, {entry['core_kind']} cores" for name, entry in designs.items()
        ]
        print(
            USAGE.format(program=_program(), designs="\n".join(rows)),
            end="",
            file=sys.stdout if words else sys.stderr,
        )
        return 0 if words else 2
    design, *options = words
    if design not in designs:
        print(
            f"error: there is no design {design!r} in this package\nhint: designs: {', '.join(designs)}",
            file=sys.stderr,
        )
        return 2
    if "--help" not in options:
        missing = _missing(package, designs[design], options)
        if missing:
            print(missing, file=sys.stderr)
            return 3
    sys.path.insert(0, os.path.join(PACKAGE_FOLDER, "runner"))
    from npuninja.cli import guarded
    from npuninja.device.runner import main as run_design

    manifest = os.path.join(PACKAGE_FOLDER, *designs[design]["manifest"].split("/"))
    return guarded(lambda: run_design([manifest, *options]))


def _program() -> str:
    """How this was started, for the usage."""
    started = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    if "-m" in started:
        return f"python -m {started[-1]}"
    name = os.path.basename(started[-1])
    return name if started[-1].endswith(f"bin{os.sep}{name}") else f"python {name}"


def _missing(package: dict[str, object], design: dict[str, str], options: list[str]) -> str:
    """What has to be installed for this run; "" when nothing."""
    if importlib.util.find_spec("numpy") is None:
        return "error: the Python package numpy is missing\nhint: pip install numpy"
    emulated = design["core_kind"] == "wasm" and not {"npu", "null", "--device=npu", "--device=null"} & set(
        options
    )
    if emulated and importlib.util.find_spec("wasmtime") is None:
        return (
            "error: the design runs on the emulated array, and the Python package wasmtime is missing\n"
            f"hint: pip install wasmtime, or '{package['name']}[emulator]' with the wheel"
        )
    return ""


if __name__ == "__main__":
    sys.exit(main())
