"""MLIR-AIE: the tools `aie-opt` and `aie-translate`, and its driver `aiecc` in three generations."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from npuninja.detect.mlir_aie_releases import (
    ALLOCATION_WITH_TILE,
    KNOWN_AGAIN,
    NEW_SEQUENCE,
    NOTED_PASSES,
    RELEASES,
    UNKNOWN_SINCE,
)
from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, in_folder, refusal, version_in

PACKAGE = "mlir_aie"
_INDEX = "https://github.com/Xilinx/mlir-aie/releases/expanded_assets"


def _version_of(day: str) -> str:
    """What a wheel of that day is called at least: 0.0.1.YYYYMMDDHH."""
    return f"0.0.1.{day.replace('-', '')}00"


#: Which wheels can be used, and the commands that install them.
WHEELS = (
    f"pip install 'mlir_aie==0.0.1.2025100604+5950a4d' -f {_INDEX}/v1.1.1 (MLIR-AIE 1.1), "
    f"pip install 'mlir_aie>={_version_of('2026-03-15')},<{_version_of(UNKNOWN_SINCE)}' -f "
    f"{_INDEX}/latest-wheels-3 (1.3) or pip install 'mlir_aie>={_version_of(KNOWN_AGAIN)}' -f "
    f"{_INDEX}/latest-wheels-4 (1.4)"
)
REMEDY = (
    f"{WHEELS}; wheels of {RELEASES[0].since} to {UNKNOWN_SINCE} and from {KNOWN_AGAIN} on are known here; "
    "or set MLIR_AIE_INSTALL_DIR"
)
# Trees that the build instructions of MLIR-AIE make, below the home folder and /opt.
_TREES = (("mlir-aie", "install"), ("mlir-aie", "build"), ("mlir-aie",), ("mlir_aie",))


def candidates(surroundings: Surroundings, *programs: str) -> Iterator[Candidate]:
    """Every place where a program of MLIR-AIE may be, best first.

    PATH comes last: the scripts of the same names that the wheel puts there start a Python for each call.
    """
    for program in programs:
        yield from surroundings.below("MLIR_AIE_INSTALL_DIR", "bin", program)
    for program in programs:
        yield from surroundings.in_packages(PACKAGE, "bin", program)
    for tree in _TREES:
        for program in programs:
            yield from surroundings.in_home(*tree, "bin", program)
            yield from surroundings.in_system("opt", *tree, "bin", program)
    for program in programs:
        yield from surroundings.on_path(program)


def root_of(path: str) -> str:
    """The installation that a program belongs to: the folder above its `bin`."""
    return os.path.dirname(os.path.dirname(os.path.abspath(path)))


# LLVM (http://llvm.org/):
#   LLVM version 22.0.0git
#   Optimized build.
_version = version_in(r"LLVM version (\S+)", "it does not print an LLVM version")


# An operation -> a file in which it is spelled as it is now.
_PROBES = {NEW_SEQUENCE: "runtime_sequence.mlir", ALLOCATION_WITH_TILE: "shim_dma_allocation.mlir"}


def _opt_questions(path: str) -> list[list[str]]:
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probes")
    return [
        [path, "--help"],
        *([path, "--mlir-print-op-generic", os.path.join(folder, file)] for file in _PROBES.values()),
    ]


def _read_opt(code: int, output: str) -> Proof:
    #   --aie-assign-lock-ids           -   Assigns the lockIDs of locks that do not have IDs.
    proof = _version(code, output)
    if not proof.version:
        return proof
    listed = set(re.findall(r"^\s+--([A-Za-z][\w-]*)\b", output, re.MULTILINE))
    #     "aie.runtime_sequence"() <{sym_name = "sequence"}> ({
    # The probe files are printed back where their operation is known; an error shows it without the quotes.
    listed |= {name for name in _PROBES if f'"{name}"(' in output}
    facts = tuple(sorted(listed & NOTED_PASSES))
    if not facts:
        return Proof(reason=f"LLVM {proof.version} without the passes of MLIR-AIE")
    return Proof(version=proof.version, facts=facts)


_TRANSLATIONS = ("--aie-generate-cdo", "--aie-generate-ldscript", "--aie-npu-to-binary", "--mlir-to-llvmir")


def _read_translate(code: int, output: str) -> Proof:
    #   --aie-npu-to-binary             -   Translate npu instructions to binary
    proof = _version(code, output)
    missing = [flag for flag in _TRANSLATIONS if flag not in output]
    if proof.version and missing:
        return Proof(reason=f"LLVM {proof.version} that does not know {missing[0]}")
    return proof


AIE_OPT = Tool(
    name="aie-opt",
    purpose="lower MLIR with the reference implementation",
    remedy=REMEDY,
    candidates=lambda s: candidates(s, "aie-opt"),
    command=lambda path, s: [path, "--version"],
    further=lambda path, s: _opt_questions(path),
    read=_read_opt,
    pinned=in_folder("bin", "aie-opt"),
    package=PACKAGE,
)

AIE_TRANSLATE = Tool(
    name="aie-translate",
    purpose="write CDO, instructions and LLVM IR with the reference implementation",
    remedy=REMEDY,
    candidates=lambda s: candidates(s, "aie-translate"),
    command=lambda path, s: [path, "--version"],
    further=lambda path, s: [[path, "--help"]],
    read=_read_translate,
    pinned=in_folder("bin", "aie-translate"),
    package=PACKAGE,
)


def _beside_aiecc(path: str) -> dict[str, str]:
    """Of an aiecc that is a script: the Python in whose environment its package is, and where `aie` is."""
    if not path.endswith(".py"):
        return {}
    # …/venv/lib/python3.13/site-packages/mlir_aie/bin/aiecc.py -> …/venv/bin/python3
    python = os.path.normpath(os.path.join(root_of(path), *[os.pardir] * 4, "bin", "python3"))
    modules = os.path.join(root_of(path), "python")
    return {
        "python": python if os.access(python, os.X_OK) else "",
        "modules": modules if os.path.isdir(modules) else "",
    }


def aiecc_start(path: str, beside: Mapping[str, str], python: str) -> tuple[list[str], dict[str, str]]:
    """The first words of an aiecc's command and its variables, by what lies beside it (`_beside_aiecc`)."""
    words = [beside.get("python") or python, path] if path.endswith(".py") else [path]
    return words, {"PYTHONPATH": beside["modules"]} if beside.get("modules") else {}


def _ask_aiecc(path: str, python: str, word: str) -> list[str]:
    return [*aiecc_start(path, _beside_aiecc(path), python)[0], word]


def _read_aiecc(code: int, output: str) -> Proof:
    # aiecc.py 5950a4d3d2c1…                  (2025, in Python)
    # aiecc (C++ version) 97962964…           (2026, also by an aiecc.py that only starts it)
    # OPTIONS: … --get-xclbin, --get=<node>   (from 1.4 on; --aie-version says "git SHA:  3ca0193c…")
    if code:
        return refusal(output, f"`aiecc --help` failed with exit code {code}")
    commit = re.search(r"(?:aiecc(?:\.py| \(C\+\+ version\))|git SHA: +) ?([0-9a-f]{7,40})\b", output)
    version = commit[1] if commit else "unknown"
    if "--get-xclbin" in output or "--get=" in output:
        return Proof(version=version, facts=("declarative",))
    if "--aie-generate-xclbin" not in output:
        return Proof(reason="its --help knows neither --get-xclbin nor --aie-generate-xclbin")
    return Proof(version=version, facts=("c++" if "(C++ version)" in output else "python",))


AIECC = Tool(
    name="aiecc",
    purpose="build whole designs with the reference driver",
    remedy=REMEDY,
    candidates=lambda s: candidates(s, "aiecc", "aiecc.py"),
    command=lambda path, s: _ask_aiecc(path, s.python, "--help"),
    further=lambda path, s: [_ask_aiecc(path, s.python, word) for word in ("--version", "--aie-version")],
    variables=lambda path: aiecc_start(path, _beside_aiecc(path), "")[1],
    beside=_beside_aiecc,
    read=_read_aiecc,
    pinned=in_folder("bin", "aiecc"),
    package=PACKAGE,
)
