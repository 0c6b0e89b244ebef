"""MLIR-AIE's command-line tools, `aie-opt` and `aie-translate`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal


def _candidates(program: str, surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("MLIR_AIE_INSTALL_DIR", "bin", program)
    # Before PATH: the scripts of the same names that the wheel puts there start a Python for each call.
    yield from surroundings.in_packages("mlir_aie", "bin", program)
    yield from surroundings.on_path(program)


def _read(code: int, output: str) -> Proof:
    # LLVM (http://llvm.org/):
    #   LLVM version 22.0.0git
    #   Optimized build.
    match = re.search(r"LLVM version (\S+)", output)
    return Proof(version=match[1]) if code == 0 and match else refusal(output, "it does not print an LLVM version")


def _tool(program: str, purpose: str) -> Tool:
    return Tool(
        name=program,
        purpose=purpose,
        remedy="install the mlir_aie wheel from the releases of Xilinx/mlir-aie, or set MLIR_AIE_INSTALL_DIR",
        candidates=lambda s: _candidates(program, s),
        command=lambda path, s: [path, "--version"],
        read=_read,
        pinned=lambda path: os.path.join(path, "bin", program) if os.path.isdir(path) else path,
    )


AIE_OPT = _tool("aie-opt", "lower MLIR with the reference implementation")
AIE_TRANSLATE = _tool("aie-translate", "write CDO and instructions with the reference implementation")
