"""Designs with a mistake put in at random: each lowers, or is refused with a place. Nothing else happens."""

from __future__ import annotations

import random
import re

import pytest
from conftest import positive_designs

from npuninja.arch.devices import DEVICES
from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module

MUTANTS_OF_A_DESIGN = 2
TYPES = ("i1", "i8", "i16", "i32", "i64", "index", "bf16", "f16", "f32")


def mutated(text: str, choose: random.Random) -> str:
    """The text with one change."""
    kind = choose.choice(("device", "type", "number", "number", "number", "delete", "repeat", "swap"))
    if kind == "device":
        return re.sub(r"aie\.device\(\w+\)", f"aie.device({choose.choice(list(DEVICES))})", text)
    if kind == "type":
        return re.sub(rf"x{choose.choice(TYPES)}>", f"x{choose.choice(TYPES)}>", text)
    if kind == "number":
        found = choose.choice(list(re.finditer(r"\b\d+\b", text)))
        value = int(found[0])
        new = choose.choice((0, 1, value + 1, value - 1, 2 * value, value // 2, 7, 64, 1024, 100_000))
        return f"{text[: found.start()]}{new}{text[found.end() :]}"
    lines = text.split("\n")
    one, other = choose.randrange(len(lines)), choose.randrange(len(lines))
    if kind == "delete":
        del lines[one]
    elif kind == "repeat":
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def outcome(text: str) -> dict[str, bytes] | UserError:
    """What lowering makes of a design, or why it refuses it."""
    try:
        return lower_design(text, "mutant.mlir", None, "auto", Warnings())
    except UserError as error:
        return error


@pytest.mark.parametrize("folder", positive_designs(), ids=lambda folder: folder.name)
def test_mutants_lower_or_are_refused_with_a_place(folder) -> None:
    text = (folder / "design.mlir").read_text(encoding="utf-8")
    choose = random.Random(folder.name)
    for _ in range(MUTANTS_OF_A_DESIGN):
        mutant = mutated(text, choose)
        result = outcome(mutant)
        if isinstance(result, UserError):
            assert result.location is not None, result.message
            assert result.location.file == "mutant.mlir"
            assert 0 < result.location.line <= mutant.count("\n") + 1
        else:
            for name in ("input_with_addresses.mlir", "input_physical.mlir", "npu_insts.mlir"):
                parse_module(result[name].decode(), name)
