"""Stage kernel_cc by npuninja-aie2: a kernel's C or C++ source to an AIE2 object, unoptimised."""

from __future__ import annotations

from npuninja.stages._compile_aie2 import compile_for_aie2


def run(arguments: list[str]) -> list[str]:
    """Compiles one kernel; returns the headers it includes. For the arguments see `compile_for_aie2`."""
    return compile_for_aie2("kernel_cc", arguments, ["-Wall"])
