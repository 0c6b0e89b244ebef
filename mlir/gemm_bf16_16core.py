"""gemm_bf16_16core: a matrix product of bf16 on 16 cores of npu1."""

from _gemm import module

print(module("gemm_bf16_16core", "npu1", "bf16", 4))
