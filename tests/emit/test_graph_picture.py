"""`npuninja graph -o build.svg`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from npuninja.commands.graph import main as graph
from npuninja.commands.trace import main as trace
from npuninja.emit.graph_picture import boxes_of, columns_of, needed_edges, svg
from npuninja.errors import UserError

GOLDEN = Path(__file__).parents[1] / "configure/golden/graph.json"
SVG = "{http://www.w3.org/2000/svg}"


def edges() -> list[dict[str, list[str]]]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))["edges"]


def test_every_box_stands_right_of_all_that_it_needs() -> None:
    boxes = boxes_of(needed_edges(edges(), "gain"))
    columns = columns_of(boxes)
    at = {box.key: number for number, column in enumerate(columns) for box in column}
    assert len(at) == len(boxes)
    assert all(at[need] < at[box.key] for box in boxes for need in box.needs)
    assert {"lower", "core_link", "xclbin", "mlir/gain.mlir"} <= set(at)


def test_stages_of_one_kind_are_one_box() -> None:
    stages = [
        {"rule": "cc", "outputs": [f"out/{n}.o"], "inputs": [f"{n}.c"], "implicit": []} for n in range(16)
    ]
    link = {
        "rule": "link",
        "outputs": ["out/a.elf"],
        "inputs": [f"out/{n}.o" for n in range(16)],
        "implicit": [],
    }
    boxes = boxes_of([*stages, link])
    assert [box.title for box in boxes if not box.is_source] == ["cc \u00d7 16", "link"]


def test_a_circle_of_kinds_ends() -> None:
    circle = [
        {"rule": "a", "outputs": ["1.x"], "inputs": ["2.x"], "implicit": []},
        {"rule": "b", "outputs": ["2.x"], "inputs": ["3.x"], "implicit": []},
        {"rule": "a", "outputs": ["3.x"], "inputs": [], "implicit": []},
    ]
    assert sum(map(len, columns_of(boxes_of(circle)))) == 2


def test_a_frame_for_each_design_and_nothing_of_a_name_is_markup() -> None:
    text = svg(edges(), ["gain", "<b>&"])
    root = ElementTree.fromstring(text)
    names = [t.text for t in root.iter(f"{SVG}text") if t.get("class") == "name"]
    assert names == ["gain", "<b>&"]
    frames = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "frame"]
    assert len(frames) == 2
    stages = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "stage"]
    assert all(
        float(r.get("x", 0)) + float(r.get("width", 0)) < float(frames[0].get("width", 0)) for r in stages
    )


@pytest.mark.parametrize(
    "damage",
    [
        *("", "[]", "{}", "[" * 9999, '{"edges": [1]}', '{"edges": [{"outputs": [], "rule": "x"}]}'),
        '{"edges": [{"outputs": ["a"], "inputs": [], "rule": "x", "batch": "b"}]}',
    ],
)
@pytest.mark.parametrize("main", [graph, trace])
def test_a_damaged_graph_is_an_error_with_its_place(
    tmp_path: Path, damage: str, main: Callable[[list[str]], int]
) -> None:
    (tmp_path / "graph.json").write_text(damage, encoding="utf-8")
    with pytest.raises(UserError, match="not a graph that configure"):
        main([str(tmp_path)])
