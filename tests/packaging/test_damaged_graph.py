"""A damaged graph.json is a user's error, not a bug; foreign names reach no terminal as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from npuninja.commands.inspect import main
from npuninja.errors import UserError
from npuninja.packaging.build_graph import BuildGraph

EDGE = {"rule": "lower", "outputs": ["a"], "inputs": [], "implicit": [], "options": []}


@pytest.mark.parametrize(
    "content",
    [
        [], {}, None, {"variables": {}}, {"variables": [], "edges": []}, {"variables": {}, "edges": [1]},
        {"variables": {}, "edges": [{**EDGE, "outputs": [1]}]}, {"variables": {}, "edges": [{**EDGE, "rule": None}]},
        {"variables": {}, "edges": [{k: v for k, v in EDGE.items() if k != "options"}]},
    ],
)  # fmt: skip
def test_what_is_no_graph_is_refused(content: Any) -> None:
    with pytest.raises(UserError, match=r"graph\.json is damaged"):
        BuildGraph(content, {})


def test_a_graph_is_taken() -> None:
    graph = BuildGraph({"variables": {}, "edges": [EDGE]}, {})
    assert graph.behind(["a"])[0] == [EDGE]


def test_names_of_others_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / "x.json"
    manifest.write_text(
        json.dumps(
            {
                "format": 1,
                "design": "\x1b[2Jgone\u202e",
                "xclbin": "a",
                "core_kind": "wasm",
                "build_id": "x",
                "arguments": [],
            }
        ),
        encoding="utf-8",
    )
    assert main([str(manifest)]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jgone" in shown


@pytest.mark.parametrize("arguments", ["[1]", "3", '{"a": 1}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, arguments: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(
        f'{{"format": 1, "design": "x", "xclbin": "a", "core_kind": "wasm", "arguments": {arguments}}}',
        encoding="utf-8",
    )
    with pytest.raises(UserError, match="a damaged manifest"):
        main([str(path)])
