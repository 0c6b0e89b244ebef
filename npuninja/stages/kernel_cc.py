"""Stage kernel_cc: a kernel's C or C++ source to an object file for emulated cores."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.lints.kernel_code import KernelFunction
from npuninja.lints.soft_float import check_soft_float
from npuninja.stages._compile import compile_file
from npuninja.stages._wasm_flags import MATH_IMPORTS


def run(arguments: list[str]) -> list[str]:
    """Compiles one kernel; returns the headers it includes. For the arguments see `compile_file`."""
    return compile_file("kernel_cc", arguments, ["-Wall"], _lint)


def _lint(functions: list[KernelFunction], warnings: Warnings) -> None:
    check_soft_float(functions, MATH_IMPORTS, warnings)
