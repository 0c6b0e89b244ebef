"""Reference of mlir/vector_scale.mlir: the first half times 3, the second half times -5, modulo 2^32."""

import numpy as np


def inputs(rng, arguments):
    """Random words over the whole range, so that the products overflow."""
    return [
        rng.integers(-(2**31), 2**31, argument.shape, argument.dtype)
        for argument in arguments
        if argument.is_input
    ]


def reference(inputs):
    """The products; NumPy's int32 arithmetic wraps as the kernel's does."""
    (data,) = inputs
    half = data.size // 2
    return [np.concatenate([data[:half] * np.int32(3), data[half:] * np.int32(-5)])]
