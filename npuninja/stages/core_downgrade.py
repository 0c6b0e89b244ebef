"""Stage core_downgrade: takes from LLVM IR what Peano, an older LLVM, does not read.

MLIR-AIE's own LLVM is newer than Peano's, so its drivers edit the text in between. Which edits a release
needs is in the build file. Source: aiecc (main.py of 2025-10: `downgrade_ir_for_peano`; aiecc.cpp of
2026-04; IRTransforms.h of 2026-08).
"""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.stages._older_floats import older_floats
from npuninja.stages._run import Outputs, read_text, stage_arguments

if TYPE_CHECKING:
    from typing import Callable


def _replacing(pattern: str, replacement: str) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda text: compiled.sub(replacement, text)


def _sized_lifetimes(text: str) -> str:
    """Since LLVM 23 the marks of an object's life have no size; -1 is "the whole object"."""
    marked = re.compile(r"^(.*@llvm\.lifetime\.(?:start|end)\.[\w.]*\()(?=ptr\b)", re.MULTILINE)
    return marked.sub(
        lambda m: m[1] + ("i64 immarg, " if m[1].lstrip().startswith("declare") else "i64 -1, "), text
    )


EDITS: dict[str, Callable[[str], str]] = {
    "getelementptr-nuw": _replacing(r"getelementptr inbounds nuw", "getelementptr inbounds"),
    "any-align": _replacing(r",\s*align\s+\d+", ""),
    "align": _replacing(r", align \d+", ""),
    "nocreateundeforpoison": _replacing(r"nocreateundeforpoison\s*", ""),
    "lifetime-size": _sized_lifetimes,
    "floats": older_floats,
}


def downgrade(text: str, edits: list[str]) -> str:
    """The text after the named edits, in order. Raises UserError when there is none of a name."""
    for name in edits:
        if name not in EDITS:
            raise UserError(f"core_downgrade: there is no edit {name!r}", hint=f"known: {', '.join(EDITS)}")
        text = EDITS[name](text)
    return text


def run(arguments: list[str]) -> None:
    """`core_C_R.ll --edit NAME… -o core_C_R.peano.ll`."""
    options = stage_arguments("core_downgrade", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        outputs.write(target, downgrade(read_text(options.input()), options.all("--edit")))
