"""Stage lower: a design's objectFifos to buffers, locks, descriptors and flows; ids, addresses, branches."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.verifier import verify
from npuninja.lints.design import lint_design
from npuninja.lowering.generation import rules_of
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import lower_resources
from npuninja.stages._mlir_module import read_design, write_module
from npuninja.stages._run import Outputs, print_warnings, stage_arguments


def run(arguments: list[str]) -> None:
    """`DESIGN.mlir [--alloc-scheme S] [--generation G] [--packet-fifos] [--dynamic-fifos true|false]
    [--cores-per-column N] [--control-overlay true|first] [--werror] -o input_with_addresses.mlir`.
    """
    options = stage_arguments("lower", arguments)
    dynamic, cores = options.optional("--dynamic-fifos"), options.optional("--cores-per-column")
    target = options.one("-o")
    with Outputs(target) as outputs:
        warnings = Warnings()
        module, generation = read_design(options.input(), options.optional("--generation"))
        numbers_from_values(module)
        verify(module, splits_transfers=rules_of(generation).splits_transfers)
        lint_design(module, warnings)
        lower_resources(
            module,
            alloc_scheme=options.optional("--alloc-scheme"),
            generation=generation,
            warnings=warnings,
            packet_fifos="--packet-fifos" in options.flags,
            dynamic_fifos=dynamic == "true" if dynamic else None,
            cores_per_column=int(cores) if cores else None,
            control_overlay=options.optional("--control-overlay") or "",
        )
        write_module(outputs, target, module, warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)
