"""gemm_int8_npu2: a matrix product of int8 on one core of npu2."""

from _gemm import module

print(module("gemm_int8_npu2", "npu2_1col", "int8", 1))
