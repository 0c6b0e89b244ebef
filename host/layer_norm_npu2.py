"""Reference of mlir/layer_norm_npu2.mlir: layer normalisation of rows of 256 bfloat16."""

import numpy as np

from npuninja.device.bfloat16 import nearest, numbers

# Mean and scale are bfloat16.
tolerances = {"*": {"rtol": 0.02, "atol": 0.02}}


def inputs(rng, arguments):
    """Values around zero."""
    return [nearest(rng.standard_normal(argument.shape)) for argument in arguments if argument.is_input]


def reference(inputs):
    """layer normalisation, in float64."""
    x = numbers(inputs[0]).reshape(-1, 256)
    y = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return [nearest(y).reshape(-1)]
