"""Linker scripts: byte for byte the reference's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import positive_designs

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.lowering.pipeline import linker_script

SCRIPTS = sorted(path for design in positive_designs() for path in design.glob("*.ld.script"))


def test_there_are_reference_scripts() -> None:
    assert len(SCRIPTS) > 50


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_equals_the_reference(path: Path) -> None:
    source = path.parent / "input_with_addresses.mlir"
    prefix, column, row = re.findall(r"^(.*?)\.?core_(\d+)_(\d+)\.ld\.script$", path.name)[0]
    module = parse_module(source.read_text(), str(source))
    assert linker_script(module, prefix, int(column), int(row)) == path.read_text()


DESIGN = """module {
  aie.device(npu1_1col) {
    %t = aie.tile(0, 2)
    %b = aie.buffer(%t) {address = 4096 : i32, sym_name = "b"} : memref<16xi32>
    %c = aie.core(%t) {
      aie.end
    } {stack_size = 8192 : i32, link_files = ["a.o", "b.o"]}
  }
}
"""


def test_stack_and_link_files() -> None:
    text = linker_script(parse_module(DESIGN, "design.mlir"), "", 0, 2)
    assert "data (!RX) : ORIGIN = 0x72000, LENGTH = 0xE000" in text
    assert ". += 0x2000; /* stack */" in text
    assert text.endswith("}\nINPUT(a.o)\nINPUT(b.o)\nPROVIDE(main = core_0_2);\n")


def test_tile_without_core_is_refused() -> None:
    with pytest.raises(UserError, match=r"tile \(0, 3\) of device @main has no core"):
        linker_script(parse_module(DESIGN, "design.mlir"), "", 0, 3)


def test_buffer_without_address_is_refused() -> None:
    text = DESIGN.replace("address = 4096 : i32, ", "")
    with pytest.raises(UserError, match="buffer 'b' has no address"):
        linker_script(parse_module(text, "design.mlir"), "", 0, 2)
