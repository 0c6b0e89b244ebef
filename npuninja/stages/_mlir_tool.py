"""Running MLIR-AIE's tools on one file: `TOOL WORD… INPUT -o OUTPUT`."""

from __future__ import annotations

import sys

from npuninja.errors import Location, ToolError, UserError
from npuninja.stages._run import Check, Outputs, read_bytes
from npuninja.stages._tool import ToolFailed, run_tool


def run_mlir_tool(
    program: str, words: list[str], source: str, outputs: Outputs, target: str, check: Check
) -> None:
    """Runs `aie-opt` or `aie-translate`; what it says about the input becomes an error with its place.

    Args:
        program: absolute path of the tool.
        words: pipeline or translation and its options.
        source: the input.
        outputs: of the stage.
        target: the output that the tool writes.
        check: looks at it.

    Raises:
        UserError: the tool refuses the input; located as it says.
        ToolError: it fails without saying where, or makes nothing of use.
    """
    read_bytes(source)
    try:
        sys.stderr.write(run_tool([program, *words, source, "-o", outputs.temporary(target, check)]))
    except ToolFailed as failure:
        place, message = first_error(failure.output)
        if place is None:
            raise
        notes = ((f"{program} printed:\n{failure.output.rstrip()}", None),)
        raise UserError(message, place, notes=notes, hint=failure.hint) from failure


def first_error(output: str) -> tuple[Location | None, str]:
    """The first located error of an MLIR tool's output, or (None, "")."""
    import re  # only on the way to an error

    # mlir/gain.mlir:12:5: error: 'aie.tile' op allocated buffers exceeded available memory
    match = re.search(r"^(?:loc\()?\"?([^\"\n:]+)\"?:(\d+):(\d+)\)?: error: (.*)$", output, re.MULTILINE)
    if not match:
        return None, ""
    return Location(match[1], int(match[2]), int(match[3])), match[4]


def holds(*words: bytes) -> Check:
    """A check that an output has all of these words."""

    def check(data: bytes) -> None:
        for word in words:
            if word not in data:
                raise ToolError(
                    f"the output has no {word.decode()}", hint="is it the tool that it is taken for?"
                )

    return check
