"""Reading MLIR in a stage, and the options that say which part of a module is meant."""

from __future__ import annotations

from npuninja.diag.errors import UserError
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.stages._run import read_text


def read_module(path: str) -> Operation:
    """The module in a file. UserError, located, when it is not MLIR that this build knows."""
    return parse_module(read_text(path), path)


def device_name(device: Operation) -> str:
    """`npu1_1col` of `aie.device(npu1_1col)`."""
    attribute = device.attributes["device"]
    assert isinstance(attribute, EnumAttr), device
    return attribute.case


def parse_place(text: str, option: str) -> tuple[int, int]:
    """`0,2` as (column, row)."""
    column, comma, row = text.partition(",")
    if not (comma and column.isdecimal() and row.isdecimal()):
        raise UserError(f"{option} {text}: expected COLUMN,ROW")
    return int(column), int(row)


def parse_images(values: list[str], option: str) -> dict[tuple[int, int], str]:
    """`["0,2=FILE", …]` as place -> file."""
    images: dict[tuple[int, int], str] = {}
    for value in values:
        place, equals, path = value.partition("=")
        if not equals or not path:
            raise UserError(f"{option} {value}: expected COLUMN,ROW=FILE")
        images[parse_place(place, option)] = path
    return images
