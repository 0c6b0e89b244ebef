"""Step 1 against the reference's results for every conformance design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance.compare_mlir import compare

from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.pipeline import generation_of, lower_resources

CONFORMANCE = Path(__file__).parents[1] / "conformance"
DESIGNS = sorted(path.parent.name for path in CONFORMANCE.glob("*/input_with_addresses.mlir"))


def meta_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONFORMANCE / name / "meta.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", DESIGNS)
def test_resources_equal_the_reference(name: str) -> None:
    folder, meta = CONFORMANCE / name, meta_of(name)
    scheme = meta["pass_options"]["alloc-scheme"]
    module = parse_module((folder / "design.mlir").read_text(encoding="utf-8"), str(folder / "design.mlir"))
    lower_resources(
        module,
        alloc_scheme=None if scheme == "default" else scheme,
        generation=meta["generation"],
        warnings=Warnings(),
    )
    assert (
        compare(print_module(module), (folder / "input_with_addresses.mlir").read_text(encoding="utf-8"))
        == []
    )


def shows_its_generation(name: str) -> bool:
    text = (CONFORMANCE / name / "design.mlir").read_text(encoding="utf-8")
    return "runtime_sequence" in text or "shim_dma_allocation" in text


@pytest.mark.parametrize("name", [name for name in DESIGNS if shows_its_generation(name)])
def test_generation_is_recognised_where_a_design_shows_it(name: str) -> None:
    text = (CONFORMANCE / name / "design.mlir").read_text(encoding="utf-8")
    generation = meta_of(name)["generation"]
    assert generation_of(parse_module(text, "design.mlir"), generation) == generation


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("bad_bd_count", 6, "more than the 16 buffer descriptors"),
        ("bad_core_memory", 4, "69024 of 65536 bytes"),
        ("bad_dma_channels", 8, "one more output (MM2S) DMA channel than the 2 of tile (0, 0)"),
        ("bad_lock_ids", 6, "lock 4 of tile (0, 2) is given twice"),
        (
            "bad_release",
            11,
            "2 objects of objectFifo '@once' are released before this acquire, but only 1 were acquired",
        ),
        ("bad_symbol", 8, "there is no objectFifo '@elsewhere'"),
    ],
)
def test_rejected_designs_are_located(name: str, line: int, message: str) -> None:
    path = CONFORMANCE / "negative" / name / "design.mlir"
    module = parse_module(path.read_text(encoding="utf-8"), str(path))
    with pytest.raises(UserError) as caught:
        lower_resources(module, alloc_scheme=None, generation="2025-10", warnings=Warnings())
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.line == line


def test_unknown_generation_is_refused() -> None:
    module = parse_module("module { aie.device(npu1_1col) { } }", "design.mlir")
    with pytest.raises(UserError, match="unknown syntax generation"):
        lower_resources(module, alloc_scheme=None, generation="2019", warnings=Warnings())
