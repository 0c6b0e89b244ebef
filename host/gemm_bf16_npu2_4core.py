"""Reference of mlir/gemm_bf16_npu2_4core.py: that of gemm_bf16_16core."""

from gemm_bf16_16core import inputs, reference, tolerances

__all__ = ["inputs", "reference", "tolerances"]
