"""Stage core_downgrade: takes from LLVM IR what Peano, an older LLVM, does not read.

MLIR-AIE's own LLVM is newer than Peano's, so its drivers edit the text in between. Which edits a release
needs is in the build file. Source: aiecc (main.py of 2025-10: `downgrade_ir_for_peano`; aiecc.cpp of
2026-04).
"""

from __future__ import annotations

import re

from npuninja.errors import UserError
from npuninja.stages._run import Outputs, read_text, stage_arguments

EDITS: dict[str, tuple[str, str]] = {
    "getelementptr-nuw": (r"getelementptr inbounds nuw", "getelementptr inbounds"),
    "any-align": (r",\s*align\s+\d+", ""),
    "align": (r", align \d+", ""),
    "nocreateundeforpoison": (r"nocreateundeforpoison\s*", ""),
}


def downgrade(text: str, edits: list[str]) -> str:
    """The text after the named edits, in order. Raises UserError when there is none of a name."""
    for name in edits:
        if name not in EDITS:
            raise UserError(f"core_downgrade: there is no edit {name!r}", hint=f"known: {', '.join(EDITS)}")
        pattern, replacement = EDITS[name]
        text = re.sub(pattern, replacement, text)
    return text


def run(arguments: list[str]) -> None:
    """`core_C_R.ll --edit NAME… -o core_C_R.peano.ll`."""
    options = stage_arguments("core_downgrade", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        outputs.write(target, downgrade(read_text(options.input()), options.all("--edit")))
