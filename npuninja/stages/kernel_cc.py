"""Stage kernel_cc: a kernel's C or C++ source to an object file for emulated cores."""

from __future__ import annotations

from npuninja.stages._compile import compile_file


def run(arguments: list[str]) -> list[str]:
    """Compiles one kernel; returns the headers it includes. For the arguments see `compile_file`."""
    return compile_file("kernel_cc", arguments, ["-Wall"])
