"""What the parser reads, the printer writes, and back: on every conformance file, in both forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.ir.compare import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module

CONFORMANCE = Path(__file__).parent.parent / "conformance"
DESIGNS = sorted(p.name for p in CONFORMANCE.iterdir() if (p / "design.mlir").is_file())
UNREADABLE = {"bad_syntax", "bad_device", "bad_core_link_tile"}


def files(design: str) -> list[Path]:
    return sorted((CONFORMANCE / design).glob("*.mlir"))


@pytest.mark.parametrize("design", DESIGNS)
def test_printing_what_aie_opt_printed_gives_the_same_bytes(design: str) -> None:
    for path in files(design):
        if path.name == "design.mlir":
            continue  # written by hand
        text = path.read_text()
        # aie-opt itself adds one more newline behind the module.
        assert print_module(parse_module(text, str(path))).rstrip("\n") == text.rstrip("\n"), path


@pytest.mark.parametrize("design", DESIGNS)
def test_custom_and_generic_text_read_back_as_the_same_module(design: str) -> None:
    for path in files(design):
        module = parse_module(path.read_text(), str(path))
        for generic in (False, True):
            again = parse_module(print_module(module, generic=generic), "again.mlir")
            assert difference(module, again) is None, (path, generic)


@pytest.mark.parametrize("path", sorted((CONFORMANCE / "negative").glob("*/design.mlir")), ids=lambda p: p.parent.name)
def test_rejected_designs_with_good_syntax_parse(path: Path) -> None:
    if path.parent.name not in UNREADABLE:
        module = parse_module(path.read_text(), str(path))
        assert difference(module, parse_module(print_module(module), "again.mlir")) is None
