"""Peano (llvm-aie): AMD's LLVM with AIE targets. Its `llc` is looked for; its folder is the installation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.mlir_aie import root_of
from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool

# What a build uses in addition to llc.
PROGRAMS = ("clang", "clang++", "opt", "ld.lld")


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("PEANO_INSTALL_DIR", "bin", "llc")
    yield from surroundings.in_packages("llvm-aie", "bin", "llc")
    yield from surroundings.below("MLIR_AIE_INSTALL_DIR", "peano", "bin", "llc")
    yield from surroundings.below("MLIR_AIE_INSTALL_DIR", os.pardir, "peano", "bin", "llc")
    for tree in (("llvm-aie", "install"), ("llvm-aie", "build"), ("llvm-aie",), ("peano",)):
        yield from surroundings.in_home(*tree, "bin", "llc")
        yield from surroundings.in_system("opt", *tree, "bin", "llc")
    # A system LLVM answers here too and is refused below; so that the summary says that it was seen.
    yield from surroundings.on_path("llc")


def _read(code: int, output: str) -> Proof:
    # LLVM (http://llvm.org/):
    #   LLVM version 19.0.0git
    #   …
    #   Registered Targets:
    #     aie2    - Xilinx AI Engine V2
    #     aie2p   - Xilinx AI Engine V2P
    match = re.search(r"LLVM version (\S+)", output)
    if code or not match:
        return Proof(
            reason=f"`llc --version` failed with exit code {code}" if code else "it is not LLVM's llc"
        )
    if "Xilinx AI Engine" not in output:
        return Proof(reason=f"an LLVM {match[1]} without the AI Engine targets")
    targets = set(re.findall(r"^\s+(aie\d\w*)", output, re.MULTILINE))
    return Proof(version=match[1], facts=tuple(sorted(targets)))


def peano_program(llc: str, program: str) -> str:
    """Another program of the installation that an llc belongs to."""
    return os.path.join(root_of(llc), "bin", program)


PEANO = Tool(
    name="peano",
    purpose="compile for the cores of a real NPU",
    remedy="pip install llvm-aie -f https://github.com/Xilinx/llvm-aie/releases/expanded_assets/nightly, "
    "or set PEANO_INSTALL_DIR",
    candidates=_candidates,
    command=lambda path, s: [path, "--version"],
    read=_read,
    pinned=lambda path: path if os.path.basename(path) == "llc" else os.path.join(path, "bin", "llc"),
    companions=lambda path: tuple(peano_program(path, program) for program in PROGRAMS),
    package="llvm-aie",
    needs_nothing=True,
)
