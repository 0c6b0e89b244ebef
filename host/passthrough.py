"""Reference of mlir/passthrough.mlir: the output is the input."""

import numpy as np


def inputs(rng, arguments):
    """Random bytes."""
    return [
        rng.integers(-128, 128, argument.shape, argument.dtype) for argument in arguments if argument.is_input
    ]


def reference(inputs):
    """The output is the input, byte for byte."""
    (data,) = inputs
    return [np.copy(data)]
