"""Reading MLIR in a stage."""

from __future__ import annotations

from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import generation_of
from npuninja.stages._run import read_text


def read_module(path: str) -> Operation:
    """The module in a file. UserError, located, when it is not MLIR that this build knows."""
    module = parse_module(read_text(path), path)
    numbers_from_values(module)
    return module


def read_design(path: str, generation: str | None) -> tuple[Operation, str]:
    """The module in a file as it is written, and the generation to lower it for: the given one, else what the
    text says.

    Raises:
        UserError: as `read_module`, and when the text mixes spellings of two generations.
    """
    module = parse_module(read_text(path), path)
    return module, generation or generation_of(module)
