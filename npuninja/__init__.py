"""Ninja builds for AMD Ryzen AI NPU kernels, with or without an NPU, with or without AMD's tools."""

__version__ = "0.1.0"

#: As in `typing`, for names in annotations only: importing that module takes a fifth of a stage's process.
TYPE_CHECKING = False
