"""Stage core_cc: the C of one core, as `core_code` writes it, to an object file."""

from __future__ import annotations

from npuninja.stages._compile import compile_file


def run(arguments: list[str]) -> list[str]:
    """Compiles one core; returns the headers it includes. For the arguments see `compile_file`."""
    # Generated code: what would be warned about is not in the user's hands.
    return compile_file("core_cc", arguments, ["-w"])
