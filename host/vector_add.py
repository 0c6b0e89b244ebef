"""Reference of mlir/vector_add.mlir: the sum of two vectors, modulo 2^32."""


def inputs(rng, arguments):
    """Two vectors of random words over the whole range, so that sums overflow."""
    return [
        rng.integers(-(2**31), 2**31, argument.shape, argument.dtype)
        for argument in arguments
        if argument.is_input
    ]


def reference(inputs):
    """The sums; NumPy's int32 arithmetic wraps as the kernel's does."""
    lhs, rhs = inputs
    return [lhs + rhs]
