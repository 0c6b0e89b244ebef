"""Stage reference: the test vectors of a design, made by its NumPy reference. Needs installed packages, as
run does.

They depend on the reference and on the shapes of the arguments alone, so an edit of a kernel does not make
them anew, and the run after it starts without NumPy.
"""

from __future__ import annotations

import json

from npuninja.stages._run import Outputs, read_text, stage_arguments


def run(arguments: list[str]) -> None:
    """The arguments stand in docs/architecture.md, "Stages"."""
    from npuninja.device import manifest
    from npuninja.device.reference import Reference

    options = stage_arguments("reference", arguments)
    described, seed = options.one("--arguments"), int(options.one("--seed"))
    target, expected = options.one("-o"), options.one("--expected")
    with Outputs(target, expected) as outputs:
        design = manifest.read_arguments(json.loads(read_text(described)), described)
        reference = Reference(options.input())
        inputs = reference.inputs(design, seed)
        results = reference.results(design, inputs)
        outputs.write(target, b"".join(array.tobytes() for array in inputs))
        outputs.write(expected, b"".join(array.tobytes() for array in results))
