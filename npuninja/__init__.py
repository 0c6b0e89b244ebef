"""Ninja builds for AMD Ryzen AI NPU kernels, with or without an NPU, with or without AMD's tools."""

__version__ = "0.1.0"

#: What `typing` calls so, for modules that need its names in annotations only: importing it takes a fifth of a stage's process.
TYPE_CHECKING = False
