"""Stage core_cc by npuninja-aie2: a core's C, as `core_code` writes it, to an AIE2 object, unoptimised."""

from __future__ import annotations

from npuninja.stages._aie2_flags import CORE_FLAGS
from npuninja.stages._compile_aie2 import compile_for_aie2
from npuninja.stages._wasm_flags import values


def run(arguments: list[str]) -> list[str]:
    """Compiles one core; returns the headers it includes. For the arguments see `compile_for_aie2`."""
    # Generated code: what would be warned about is not in the user's hands.
    return compile_for_aie2("core_cc", arguments, ["-w", *values(CORE_FLAGS)])
