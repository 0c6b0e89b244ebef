"""Reference of mlir/gemm_cascade.py: the product of two matrices, modulo 2^32."""

from _gemm import inputs, reference

__all__ = ["inputs", "reference"]
