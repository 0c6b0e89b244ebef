"""Design text to its lowered module, and looking at the result; shared by the tests of step 1."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.pipeline import lower_resources


def lowered(
    body: str,
    *,
    device: str = "npu1_1col",
    generation: str = "2025-10",
    scheme: str | None = None,
    warnings: Warnings | None = None,
    packet_fifos: bool = False,
    dynamic_fifos: bool | None = None,
) -> Operation:
    """The module of one device with this body, after step 1."""
    module = parse_module(f"module {{\n aie.device({device}) {{\n{body}\n }}\n}}\n", "design.mlir")
    warnings = warnings or Warnings()
    lower_resources(
        module, alloc_scheme=scheme, generation=generation, warnings=warnings, packet_fifos=packet_fifos,
        dynamic_fifos=dynamic_fifos,
    )  # fmt: skip
    return module


def text_of(module: Operation) -> str:
    """The printed module, and a check that it can be read again."""
    text = print_module(module)
    assert print_module(parse_module(text, "printed.mlir")) == text
    return text


def lines_with(module: Operation, *words: str) -> list[str]:
    """The printed lines that hold all words, stripped."""
    return [line.strip() for line in text_of(module).split("\n") if all(word in line for word in words)]


def addresses(module: Operation) -> dict[str, tuple[int, int | None]]:
    """Address and bank of each buffer by name."""
    found: dict[str, tuple[int, int | None]] = {}
    for op in module.walk():
        if op.name == "aie.buffer":
            bank = op.integer("mem_bank") if "mem_bank" in op.attributes else None
            found[op.string("sym_name")] = (op.integer("address"), bank)
    return found
