"""Stage spell: a design in the spelling of the installed MLIR-AIE; without a difference it stays as it is."""

from __future__ import annotations

from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.spelling import respell
from npuninja.stages._run import Outputs, read_text, stage_arguments


def run(arguments: list[str]) -> None:
    """`DESIGN.mlir --sequence-op NAME [--allocation-has-tile] [--functions-link] [--numbers F] -o MLIR`."""
    options = stage_arguments("spell", arguments)
    target, source = options.one("-o"), options.input()
    with Outputs(target) as outputs:
        text = read_text(source)
        module = parse_module(text, source)
        changed = respell(
            module,
            sequence_op=options.one("--sequence-op"),
            allocation_has_tile="--allocation-has-tile" in options.flags,
            functions_link="--functions-link" in options.flags,
            numbers=options.optional("--numbers") or "",
        )
        outputs.write(target, print_module(module) if changed else text)
