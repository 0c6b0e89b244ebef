"""gemm_int16: a matrix product of int16 on one core of npu1."""

from _gemm import module

print(module("gemm_int16", "npu1_1col", "int16", 1))
