"""Stage route: a lowered design's flows to stream switch settings."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.lowering.pipeline import route
from npuninja.stages._mlir_module import read_design, write_module
from npuninja.stages._run import Outputs, print_warnings, stage_arguments


def run(arguments: list[str]) -> None:
    """`input_with_addresses.mlir [--generation G] [--werror] -o input_physical.mlir`."""
    options = stage_arguments("route", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        warnings = Warnings()
        module, generation = read_design(options.input(), options.optional("--generation"))
        route(module, generation=generation, warnings=warnings)
        write_module(outputs, target, module)
        print_warnings(warnings, as_errors="--werror" in options.flags)
