"""aiebu-asm, which makes the ELF that XRT loads instructions from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("XILINX_XRT", "bin", "aiebu-asm")
    yield from surroundings.below("XRT_ROOT", "bin", "aiebu-asm")
    yield from surroundings.in_system("usr", "bin", "aiebu-asm")
    yield from surroundings.on_path("aiebu-asm")


def _read(code: int, output: str) -> Proof:
    #      AIEBU Build Version: 1.0.0
    match = re.search(r"AIEBU Build Version: (\d+(?:\.\d+)+)", output)
    return (
        Proof(version=match[1])
        if code == 0 and match
        else refusal(output, "it does not print a version of AIEBU")
    )


AIEBU_ASM = Tool(
    name="aiebu-asm",
    purpose="make ELFs of instructions with the reference tool",
    remedy="install XRT 2.19 or newer with AIEBU's programs, or leave ELFs to npuninja",
    candidates=_candidates,
    command=lambda path, s: [path, "--version"],
    read=_read,
    pinned=lambda path: os.path.join(path, "bin", "aiebu-asm") if os.path.isdir(path) else path,
)
