"""Reference of mlir/gemm_bf16_npu2_4core.py: the product of two matrices."""

import numpy as np

from npuninja.device.bfloat16 import nearest, numbers

# Sums of 64 products, in steps that are rounded at 23 bits below the largest term.
tolerances = {"c": {"atol": 1e-3, "rtol": 1e-4}}


def inputs(rng, arguments):
    """Floats around zero."""
    return [nearest(rng.standard_normal(argument.shape)) for argument in arguments if argument.is_input]


def reference(inputs):
    """The product, in float64."""
    a, b = inputs
    return [(numbers(a) @ numbers(b)).astype(np.float32)]
