"""Reference of mlir/pipeline.mlir: min(|x - 128|, 1000) in int16 arithmetic."""

import numpy as np


def inputs(rng, arguments):
    """Random samples over the whole range, the value whose magnitude does not fit included."""
    (argument,) = [argument for argument in arguments if argument.is_input]
    data = rng.integers(-(2**15), 2**15, argument.shape, argument.dtype)
    data[0] = -(2**15) + 128
    return [data]


def reference(inputs):
    """Centre, magnitude, clip; -32768 has no magnitude in int16 and stays, in NumPy as in the kernel."""
    (data,) = inputs
    return [np.minimum(np.abs(data - np.int16(128)), np.int16(1000))]
