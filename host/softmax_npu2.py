"""Reference of mlir/softmax_npu2.mlir: that of softmax."""

from softmax import inputs, reference, tolerances

__all__ = ["inputs", "reference", "tolerances"]
