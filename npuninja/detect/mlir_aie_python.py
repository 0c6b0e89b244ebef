"""MLIR-AIE's Python bindings, which print designs where installed; imported in their own processes only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.mlir_aie import PACKAGE, REMEDY
from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, in_folder, refusal

#: A file that every release has; the folder above `aie` goes onto the path of a design.
MARK = ("aie", "dialects", "aie.py")

# Makes a small design, as one from outside would; what it prints is the proof.
_PROOF = """
import sys
sys.path.insert(0, sys.argv[1])
from aie.dialects.aie import AIEDevice, device, tile
from aie.extras.context import mlir_mod_ctx
import aie.iron
with mlir_mod_ctx() as ctx:
    @device(AIEDevice.npu1_1col)
    def body():
        tile(0, 2)
print(ctx.module)
from importlib.metadata import PackageNotFoundError, version
try:
    print("mlir_aie", version("mlir_aie"))
except PackageNotFoundError:
    print("mlir_aie unknown")
"""


def folder_of(path: str) -> str:
    """The folder with the package `aie`, from the path of `MARK` in it."""
    for _ in MARK:
        path = os.path.dirname(path)
    return path


def python_of(path: str, python: str) -> str:
    """The Python that bindings are for: of the environment in which they are installed, else `python`."""
    head, found, _ = os.path.abspath(path).partition(f"{os.sep}lib{os.sep}python")
    inside = os.path.join(head, "bin", "python3")
    return inside if found and os.access(inside, os.X_OK) else python


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("MLIR_AIE_INSTALL_DIR", "python", *MARK)
    yield from surroundings.in_packages(PACKAGE, "python", *MARK)
    yield from surroundings.in_packages(*MARK)


def _read(code: int, output: str) -> Proof:
    # module {
    #   aie.device(npu1_1col) {
    #     %tile_0_2 = aie.tile(0, 2)
    #   }
    # }
    # mlir_aie 0.0.1.2025102404+abcdef1
    if code or "aie.tile(0, 2)" not in output:
        return refusal(output, "they do not print a small design")
    version = re.search(r"^mlir_aie (\S+)$", output, re.MULTILINE)
    return Proof(version=version[1] if version else "unknown")


MLIR_AIE_PYTHON = Tool(
    name="mlir-aie-python",
    purpose="print designs in Python with MLIR-AIE's own bindings",
    remedy=REMEDY,
    candidates=_candidates,
    command=lambda path, s: [python_of(path, s.python), "-E", "-s", "-c", _PROOF, folder_of(path)],
    read=_read,
    pinned=in_folder("python", *MARK),
    package=PACKAGE,
)
