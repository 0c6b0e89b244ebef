"""Bootgen, which packs CDO files into a PDI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from npuninja.detect.mlir_aie import candidates
from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, in_folder, refusal


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from candidates(surroundings, "bootgen")  # MLIR-AIE brings one; its places end with PATH
    yield from surroundings.in_system("usr", "bin", "bootgen")


def _read(code: int, output: str) -> Proof:
    # ****** Xilinx Bootgen v2022.2
    #   **** Build date : Jan 12 2023-02:25:15
    # The exit code says nothing: without a task it is 0 in some releases and 1 in others.
    match = re.search(r"Bootgen v(\d+\.\d+(?:\.\d+)?)", output)
    return Proof(version=match[1]) if match else refusal(output, "it does not print Bootgen's banner")


BOOTGEN = Tool(
    name="bootgen",
    purpose="make PDIs with the reference tool",
    remedy="apt-get install xilinx-bootgen",
    candidates=_candidates,
    command=lambda path, s: [path],
    read=_read,
    pinned=in_folder("bin", "bootgen"),
    needs_nothing=True,
)
