"""Stage sequence: runtime sequences to register writes, address patches and waits; the arguments of each."""

from __future__ import annotations

import json

from npuninja.errors import InternalError, Warnings
from npuninja.lowering.lookup import find_device, find_sequence
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import lower_sequence
from npuninja.stages._mlir_module import read_design, write_module
from npuninja.stages._mlir_tool import holds, run_mlir_tool
from npuninja.stages._run import Outputs, print_warnings, stage_arguments
from npuninja.stages._sequence_arguments import sequence_arguments


def run(arguments: list[str]) -> None:
    """The arguments are in docs/architecture.md, "Stages"."""
    options = stage_arguments("sequence", arguments)
    target, facts = options.one("-o"), options.all("--arguments")
    named = [*zip(options.all("--device-symbol"), options.all("--sequence"))]
    if len(named) != len(facts):
        raise InternalError(f"sequence: {len(facts)} files for the arguments of {len(named)} sequences")
    with Outputs(target, *facts) as outputs:
        warnings = Warnings()
        module, generation = read_design(options.input(), options.optional("--generation"))
        numbers_from_values(module)
        # Before the lowering, which takes away the names that tell directions.
        for (symbol, sequence), path in zip(named, facts):
            device = find_device(module, symbol)
            described = sequence_arguments(device, find_sequence(device, sequence))
            outputs.write(path, json.dumps(described, indent=1) + "\n")
        tool = options.optional("--aie-opt")
        if tool:
            run_mlir_tool(tool, options.all("--word"), options.input(), outputs, target, holds(b"module"))
            return
        lower_sequence(module, generation=generation, warnings=warnings)
        write_module(outputs, target, module)
        print_warnings(warnings, as_errors="--werror" in options.flags)
