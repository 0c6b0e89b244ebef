"""Stage kernel_cc: a kernel's C or C++ source to an object file for emulated cores."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.formats.wasm_module import read_wasm
from npuninja.lints.kernel_code import read_functions
from npuninja.lints.soft_float import check_soft_float
from npuninja.stages._compile import compile_file
from npuninja.stages._wasm_flags import MATH_IMPORTS
from npuninja.stages._wasm_object import read_symbols


def run(arguments: list[str]) -> list[str]:
    """Compiles one kernel; returns the headers it includes. For the arguments see `compile_file`."""
    return compile_file("kernel_cc", arguments, ["-Wall"], _lint)


def _lint(data: bytes, path: str, warnings: Warnings) -> None:
    functions = read_functions(read_wasm(data, path), read_symbols(data, path).function_names, path)
    check_soft_float(functions, MATH_IMPORTS, warnings)
