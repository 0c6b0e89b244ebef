"""Buffers whose address the design gives, generation by generation.

The later two as the reference's aie-opt places them. That of 2025-10 moves a buffer behind itself, which no
design can want.
"""

from __future__ import annotations

import pytest

from npuninja.errors import Warnings
from npuninja.ir.parser import parse_module
from npuninja.lowering.generation import RULES
from npuninja.lowering.resources.buffer_addresses import assign_buffer_addresses

DESIGN = """module {{
  aie.device(npu1) {{
    %t = aie.tile(0, 2)
    %a = aie.buffer(%t) {{address = {a} : i32, sym_name = "a"}} : memref<64xi32>
    %b = aie.buffer(%t) {{address = {b} : i32, sym_name = "b"}} : memref<64xi32>
    %c = aie.buffer(%t) {{sym_name = "c"}} : memref<16xi32>
  }}
}}
"""


@pytest.mark.parametrize(
    ("generation", "addresses", "placed", "warning"),
    [
        ("2026-08", (4096, 8192), [(4096, 0), (8192, 0), (8448, 0)], ""),
        ("2026-08", (8192, 4096), [(8192, 0), (4096, 0), (8448, 0)], ""),
        ("2026-02", (4096, 8192), [(4096, 0), (8192, 0), (8448, 0)], ""),
        ("2026-02", (8192, 4096), [(8192, 0), (4096, None), (0, None)], "basic-sequential is used"),
        ("2025-10", (4096, 8192), [(4096, 0), (8192, 0), (8448, 0)], ""),
        ("2025-10", (8192, 4096), [(8192, 0), (4096, None), (0, None)], "basic-sequential is used"),
    ],
)
def test_addresses_of_the_design(
    generation: str, addresses: tuple[int, int], placed: list[tuple[int, int | None]], warning: str
) -> None:
    module = parse_module(DESIGN.format(a=addresses[0], b=addresses[1]), "design.mlir")
    warnings = Warnings()
    assign_buffer_addresses(module.body.ops[0], None, RULES[generation], warnings)
    buffers = [op for op in module.body.ops[0].body.ops if op.name == "aie.buffer"]
    got = [
        (op.integer("address"), op.integer("mem_bank") if "mem_bank" in op.attributes else None)
        for op in buffers
    ]
    assert got == placed
    assert warning in " ".join(message for message, _ in warnings.items)
