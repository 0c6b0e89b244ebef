"""Stage reference: a design's test vectors, by its NumPy reference. Needs installed packages, as run does.

They depend on the reference and the shapes of the arguments alone: an edit of a kernel does not make them
again, and the run after it starts without NumPy.
"""

from __future__ import annotations

import json
import os

from npuninja.stages._run import Outputs, read_text, stage_arguments


def run(arguments: list[str]) -> list[str]:
    """The arguments are in docs/architecture.md, "Stages".

    Returns:
        The files that the reference has read: modules beside it, recorded data.
    """
    from npuninja.device import manifest, opened_files
    from npuninja.device.reference import Reference

    options = stage_arguments("reference", arguments)
    described, seed = options.one("--arguments"), int(options.one("--seed"))
    target, expected = options.one("-o"), options.one("--expected")
    opened_files.watch()
    with Outputs(target, expected) as outputs:
        outputs.may_be_empty(target, expected)  # a source has no inputs, a sink no outputs
        design = manifest.read_arguments(json.loads(read_text(described)), described)
        reference = Reference(options.input(), options.optional("--kernel"), options.optional("--sequence"))
        inputs = reference.inputs(design, seed)
        results = reference.results(design, inputs)
        outputs.write(target, b"".join(array.tobytes() for array in inputs))
        outputs.write(expected, b"".join(array.tobytes() for array in results))
        own = {
            os.path.realpath(path)
            for path in (described, target, expected, *map(outputs.temporary, outputs.paths))
        }
        read = [path for path in opened_files.files_read() if os.path.realpath(path) not in own]
    return read
