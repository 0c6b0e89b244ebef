"""References of the designs gemm_int*: what they have in common."""

import numpy as np


def inputs(rng, arguments):
    """Integers over the whole range."""
    made = []
    for argument in arguments:
        if argument.is_input:
            info = np.iinfo(argument.dtype)
            made.append(rng.integers(info.min, info.max, argument.shape, argument.dtype, endpoint=True))
    return made


def reference(inputs):
    """The product; sums wrap at 32 bits."""
    a, b = inputs
    return [(a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)]
