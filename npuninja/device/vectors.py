"""Test vectors of a run: what goes into the inputs, and what must come out; from where one wants them."""

from __future__ import annotations

import os
from typing import Sequence

from npuninja.device.manifest import Argument, Manifest
from npuninja.device.source_paths import reference_source
from npuninja.errors import Location, UserError
from npuninja.files import read_file
from npuninja.records import NamedTuple


class Vectors(NamedTuple):
    """Inputs and expected outputs as bytes, in argument order; `expected`: None without a reference."""

    inputs: list[bytes]
    source: str
    expected: list[bytes] | None


def make_vectors(manifest: Manifest, files: list[str], verify: bool, seed: int) -> Vectors:
    """Inputs from `files`, else from the design's reference, else random ones.

    Args:
        manifest: the design.
        files: values of --input.
        verify: whether the outputs are to be compared with the reference.
        seed: of random inputs.

    Raises:
        UserError: a file does not fit, the reference is missing or wrong.
    """
    import numpy as np

    from npuninja.device.arrays import read_inputs
    from npuninja.device.reference import Reference

    # The reference is Python, and the manifest may come from elsewhere: it is run only when asked for.
    source_file = reference_source(manifest) if verify else None
    if source_file and os.path.islink(source_file):
        raise UserError(
            f"the reference {source_file} is a link, and its content is of another folder",
            hint="build the design again (`ninja`)",
        )
    reference = Reference(source_file, manifest.kernel, manifest.sequence) if source_file else None
    if verify and not reference:
        raise UserError(
            f"{manifest.design} has no reference to verify against",
            Location(manifest.path),
            hint=f"write host/{manifest.design}.py (see host/README.md) and build again",
        )
    if files:
        inputs, source = read_inputs(files, manifest), "from " + ", ".join(files)
    elif reference:
        inputs, source = reference.inputs(manifest.arguments, seed), source_of(seed)
    else:
        rng = np.random.default_rng(seed)
        inputs = [a.array(rng.bytes(a.nbytes)) for a in manifest.inputs]
        source = f"random bytes, seed {seed}"
    expected = reference.results(manifest.arguments, inputs) if reference and verify else None
    return Vectors(
        [a.tobytes() for a in inputs],
        source,
        [a.tobytes() for a in expected] if expected is not None else None,
    )


def source_of(seed: int) -> str:
    """Where inputs of a reference come from, for people."""
    return f"made by the reference, seed {seed}"


def read_vectors(inputs_file: str, expected_file: str, manifest: Manifest, seed: int) -> Vectors:
    """The vectors that stage `reference` wrote: all inputs in one file, all expected outputs in another.

    Raises:
        UserError: a file is missing, or its size is not that of the arguments.
    """
    inputs = _split(inputs_file, manifest.inputs)
    return Vectors(inputs, source_of(seed), _split(expected_file, manifest.outputs))


def _split(path: str, arguments: Sequence[Argument]) -> list[bytes]:
    total = sum(argument.nbytes for argument in arguments)
    data = read_file(path, total + (16 << 20), hint="run `ninja`")
    if len(data) != total:
        raise UserError(
            f"{len(data)} bytes, expected {total}", Location(path), hint="delete it and run `ninja`"
        )
    parts, offset = [], 0
    for argument in arguments:
        parts.append(data[offset : offset + argument.nbytes])
        offset += argument.nbytes
    return parts
