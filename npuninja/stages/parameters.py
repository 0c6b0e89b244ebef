"""Stage parameters: numbers a host program can write into the scratchpad, and where (aiecc's params.txt)."""

from __future__ import annotations

from npuninja.ir.parser import parse_module
from npuninja.lowering.resources.scratchpad import parameter_table
from npuninja.stages._run import Outputs, read_text, stage_arguments


def run(arguments: list[str]) -> None:
    """The arguments are in docs/architecture.md, "Stages".

    Raises:
        UserError: the lowered design is damaged.
    """
    options = stage_arguments("parameters", arguments)
    target, source = options.one("-o"), options.input()
    with Outputs(target) as outputs:
        outputs.write(target, parameter_table(parse_module(read_text(source), source)) or "0\n")
