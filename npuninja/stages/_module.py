"""Reading MLIR in a stage."""

from __future__ import annotations

from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.stages._run import read_text


def read_module(path: str) -> Operation:
    """The module in a file. UserError, located, when it is not MLIR that this build knows."""
    return parse_module(read_text(path), path)
