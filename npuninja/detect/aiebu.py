"""aiebu-asm, which makes the ELF that XRT loads instructions from."""

from __future__ import annotations

from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Surroundings, Tool, in_folder, version_in


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("XILINX_XRT", "bin", "aiebu-asm")
    yield from surroundings.below("XRT_ROOT", "bin", "aiebu-asm")
    yield from surroundings.in_system("usr", "bin", "aiebu-asm")
    yield from surroundings.on_path("aiebu-asm")


AIEBU_ASM = Tool(
    name="aiebu-asm",
    purpose="make ELFs of instructions with the reference tool",
    remedy="install XRT 2.19 or newer with AIEBU's programs, or leave ELFs to npuninja",
    candidates=_candidates,
    command=lambda path, s: [path, "--version"],
    #      AIEBU Build Version: 1.0.0
    read=version_in(r"AIEBU Build Version: (\d+(?:\.\d+)+)", "it does not print a version of AIEBU"),
    pinned=in_folder("bin", "aiebu-asm"),
)
