"""gemm_bf16_npu2_4core: a matrix product of bf16 on 4 cores of npu2."""

from _gemm import module

print(module("gemm_bf16_npu2_4core", "npu2_2col", "bf16", 2))
