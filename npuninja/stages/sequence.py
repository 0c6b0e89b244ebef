"""Stage sequence: a lowered design's runtime sequence to register writes, address patches and waits; and its
arguments.
"""

from __future__ import annotations

import json

from npuninja.errors import Warnings
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import lower_sequence
from npuninja.lowering.sequence.instructions import find_device, find_sequence
from npuninja.stages._arguments import sequence_arguments
from npuninja.stages._mlir_tool import holds, run_mlir_tool
from npuninja.stages._module import read_design, write_module
from npuninja.stages._run import Outputs, print_warnings, stage_arguments


def run(arguments: list[str]) -> None:
    """The arguments stand in docs/architecture.md, "Stages"."""
    options = stage_arguments("sequence", arguments)
    target, facts = options.one("-o"), options.one("--arguments")
    with Outputs(target, facts) as outputs:
        warnings = Warnings()
        module, generation = read_design(options.input(), options.optional("--generation"))
        numbers_from_values(module)
        device = find_device(module, options.one("--device-symbol"))
        # Before the lowering, which takes away the names that tell directions.
        described = sequence_arguments(device, find_sequence(device, options.one("--sequence")))
        outputs.write(facts, json.dumps(described, indent=1) + "\n")
        tool = options.optional("--aie-opt")
        if tool:
            run_mlir_tool(tool, options.all("--word"), options.input(), outputs, target, holds(b"module"))
            return
        lower_sequence(module, generation=generation, warnings=warnings)
        write_module(outputs, target, module)
        print_warnings(warnings, as_errors="--werror" in options.flags)
