"""Reading and writing MLIR in a stage."""

from __future__ import annotations

import os

from npuninja.errors import Warnings
from npuninja.files import is_special, write_file
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_with_places
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import generation_of
from npuninja.source_places import SUFFIX, original, places_text
from npuninja.stages._run import Outputs, read_text


def read_module(path: str) -> Operation:
    """The module in a file. UserError, located, when it is not MLIR that this build knows."""
    module = parse_module(read_text(path), path)
    numbers_from_values(module)
    return module


def read_design(path: str, generation: str | None) -> tuple[Operation, str]:
    """The module in a file as written, and the generation to lower it for: the given one, or the text's.

    Raises:
        UserError: as `read_module`, and when the text mixes spellings of two generations.
    """
    module = parse_module(read_text(path), path)
    return module, generation or generation_of(module)


def write_module(outputs: Outputs, path: str, module: Operation, warnings: Warnings | None = None) -> None:
    """Writes a module, and beside it its lines' places and the warnings (see `npuninja.source_places`)."""
    text, places = print_with_places(module)
    outputs.write(path, text)
    if not is_special(path):
        items = warnings.items if warnings is not None else ()
        said = [(sentence, original(place) if place else None) for sentence, place in items]
        kept = places_text(text.encode("utf-8"), places, os.path.dirname(path), said)
        write_file(path + SUFFIX, kept.encode("utf-8"))
