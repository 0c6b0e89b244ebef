"""Reference of mlir/gelu_npu2.mlir: that of gelu."""

from gelu import inputs, reference, tolerances

__all__ = ["inputs", "reference", "tolerances"]
