"""What the parser reads, the printer writes, and back: on every conformance file, in both forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify

CONFORMANCE = Path(__file__).parent.parent / "conformance"
DESIGNS = sorted(p.name for p in CONFORMANCE.iterdir() if (p / "design.mlir").is_file())
UNREADABLE = {"bad_syntax", "bad_device", "bad_core_link_tile"}


@pytest.mark.parametrize("design", DESIGNS)
def test_every_stage_is_valid_and_prints_as_aie_opt_printed_it(design: str) -> None:
    for path in sorted((CONFORMANCE / design).glob("*.mlir")):
        text = path.read_text()
        module = parse_module(text, str(path))
        verify(module, splits_transfers=design.startswith("aug_"))
        if path.name in ("design.mlir", "input_physical_with_elfs.mlir"):  # (partly) written by hand
            assert difference(module, parse_module(print_module(module), "again.mlir")) is None
        else:  # aie-opt itself adds one more newline after the module
            assert print_module(module).rstrip("\n") == text.rstrip("\n"), path
        again = parse_module(print_module(module, generic=True), "again.mlir")
        assert difference(module, again) is None, path


@pytest.mark.parametrize(
    "path", sorted((CONFORMANCE / "negative").glob("*/design.mlir")), ids=lambda p: p.parent.name
)
def test_rejected_designs_with_good_syntax_parse(path: Path) -> None:
    if path.parent.name not in UNREADABLE:
        module = parse_module(path.read_text(), str(path))
        assert difference(module, parse_module(print_module(module), "again.mlir")) is None
