"""Reference of mlir/layer_norm.mlir: that of layer_norm_npu2."""

from layer_norm_npu2 import inputs, reference, tolerances

__all__ = ["inputs", "reference", "tolerances"]
