"""Ninja builds for AMD Ryzen AI NPU kernels, with or without an NPU, with or without AMD's tools."""

__version__ = "0.1.0"
