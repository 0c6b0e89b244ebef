"""gemm_int8_4core: a matrix product of int8 on 4 cores of npu1."""

from _gemm import module

print(module("gemm_int8_4core", "npu1_2col", "int8", 2))
