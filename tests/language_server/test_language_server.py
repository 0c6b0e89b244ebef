"""The language server, over its protocol."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from npuninja.language_server import analysis

pytest.importorskip("pygls", reason="pygls is not installed")
DESIGN = (ROOT / "mlir" / "passthrough.mlir").read_text(encoding="utf-8")


class Client:
    """What an editor does, as far as it is needed."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "npuninja", "language-server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._number = 0

    def send(self, method: str, parameters: Any, *, asks: bool = False) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": parameters}
        if asks:
            self._number += 1
            message["id"] = self._number
        data = json.dumps(message).encode()
        assert self._process.stdin
        self._process.stdin.write(f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout
        length = 0
        while (line := self._process.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        content: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return content

    def ask(self, method: str, parameters: Any) -> Any:
        self.send(method, parameters, asks=True)
        while True:
            message = self.receive()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def diagnostics(self) -> list[dict[str, Any]]:
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                return found

    def send_bytes(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def close(self) -> None:
        self.ask("shutdown", None)
        self.send("exit", None)
        assert self._process.wait(timeout=30) == 0


def test_an_editor_gets_errors_places_and_definitions(tmp_path: Path) -> None:
    (tmp_path / "mlir").mkdir()
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    (kernels / "passthrough.c").write_text(
        "// one\nvoid passthrough(char *a, char *b, int n) {\n}\n", encoding="utf-8"
    )
    design = tmp_path / "mlir" / "x.mlir"
    uri = design.as_uri()
    client = Client(tmp_path)
    client.ask("initialize", {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}})
    client.send("initialized", {})
    document = {"uri": uri, "languageId": "mlir", "version": 1, "text": DESIGN}
    client.send("textDocument/didOpen", {"textDocument": document})
    assert client.diagnostics() == []
    broken = DESIGN.replace("aie.tile(0, 2)", "aie.tile(0, 2")
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": broken}]}
    client.send("textDocument/didChange", change)
    (found,) = client.diagnostics()
    assert found["severity"] == 1
    assert "expected ')'" in found["message"]
    change = {"textDocument": {"uri": uri, "version": 3}, "contentChanges": [{"text": DESIGN}]}
    client.send("textDocument/didChange", change)
    assert client.diagnostics() == []
    lines = DESIGN.split("\n")
    call = next(i for i, line in enumerate(lines) if "func.call @passthrough" in line)
    at = {
        "textDocument": {"uri": uri},
        "position": {"line": call, "character": lines[call].index("@passthrough") + 3},
    }
    place = client.ask("textDocument/definition", at)
    assert place["uri"] == (kernels / "passthrough.c").as_uri()
    assert place["range"]["start"] == {"line": 1, "character": 5}
    fifo = next(i for i, line in enumerate(lines) if "aie.objectfifo @in(" in line)
    at = {
        "textDocument": {"uri": uri},
        "position": {"line": fifo, "character": lines[fifo].index("@in(") + 1},
    }
    said = client.ask("textDocument/hover", at)["contents"]["value"]
    assert "in_cons_buff_0" in said
    assert "address = 32768" in said
    assert "- stream: (0, 0) DMA 0 → (0, 1) → (0, 2) DMA 0" in said
    at["position"] = {"line": call, "character": lines[call].index("@passthrough") + 3}
    assert client.ask("textDocument/hover", at) is None  # a kernel has no place in the array
    client.close()


def test_a_tile_is_shown_with_its_buffers_and_a_fifo_through_a_memory_tile_with_both_streams() -> None:
    path = ROOT / "mlir" / "memtile_distribute_join.mlir"
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")

    def hover(word: str, at: str) -> str:
        line = next(i for i, found in enumerate(lines) if at in found)
        return analysis.hover(text, str(path), line + 1, lines[line].index(word) + 2)

    name = next(m for m in re.findall(r"aie\.objectfifo (@\w+)", text))
    said = hover(name, f"aie.objectfifo {name}(")
    assert re.search(r"- stream: \(0, 0\) DMA \d → \(0, 1\) DMA \d", said), said
    tile = re.search(r"(%\w+) = aie\.tile\(0, 2\)", text)
    assert tile
    said = hover(tile[1], f"{tile[1]} = aie.tile")
    assert "aie.buffer" in said
    assert "address = " in said


def test_a_warning_of_the_lints_is_shown() -> None:
    text = DESIGN.replace("(Consume, 1)", "(Consume, 2)", 1)
    found = analysis.findings(text, "/nowhere/mlir/x.mlir")
    assert [f.error for f in found] == [False]
    assert "more object" in found[0].message


def test_names_at_places() -> None:
    assert analysis.word_at("  x(%a, @b)", 1, 5) == "%a"
    assert analysis.word_at("  x(%a, @b)", 1, 9) == "@b"
    assert analysis.word_at("  x(%a, @b)", 1, 2) == ""
    assert analysis.word_at("", 9, 1) == ""


def test_a_value_is_defined_where_it_is_made() -> None:
    line = next(i for i, text in enumerate(DESIGN.split("\n"), 1) if "aie.core(%worker)" in text)
    column = DESIGN.split("\n")[line - 1].index("%worker") + 2
    where = analysis.definition(DESIGN, "/nowhere/mlir/x.mlir", line, column)
    assert where is not None
    assert "%worker = aie.tile(0, 2)" in DESIGN.split("\n")[where.line - 1]


#: Bodies of messages that no editor sends.
MALFORMED = {
    "no JSON": b"hello",
    "no UTF-8": b'{"jsonrpc":"2.0","method":"\xff"}',
    "a list": b"[]",
    "a number": b"5",
    "nested": b"[" * 100_000,
    "a long number": b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"x"}',
    "a method that is a number": b'{"jsonrpc":"2.0","id":2,"method":5}',
    "no parameters": b'{"jsonrpc":"2.0","id":3,"method":"textDocument/hover"}',
    "a place that is no number": b'{"jsonrpc":"2.0","id":4,"method":"textDocument/hover","params":{"textDocument":'
    b'{"uri":"file:///x.mlir"},"position":{"line":NaN,"character":Infinity}}}',
    "a place outside": b'{"jsonrpc":"2.0","id":5,"method":"textDocument/definition","params":{"textDocument":'
    b'{"uri":"file:///x.mlir"},"position":{"line":-1,"character":1000000000000}}}',
    "a document without an end": b'{"jsonrpc":"2.0","id":6,"method":"textDocument/hover","params":{"textDocument":'
    b'{"uri":"file:///nowhere/x.mlir"},"position":{"line":1,"character":1}}}',
    "a change of nothing": b'{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":'
    b'{"uri":"file:///x.mlir","version":1},"contentChanges":[null]}}',
}


def test_malformed_messages_end_nothing(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    for body in MALFORMED.values():
        client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    document = {"uri": "file:///y.mlir", "languageId": "mlir", "version": 1, "text": "module {"}
    client.send("textDocument/didOpen", {"textDocument": document})
    (found,) = client.diagnostics()
    assert found["severity"] == 1
    client.close()


def test_a_connection_that_breaks_is_no_bug(tmp_path: Path) -> None:
    said = b"Content-Length: 99999999999999\r\n\r\nabc"
    words = [sys.executable, "-m", "npuninja", "language-server"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, input=said, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode in (0, 3)
    assert b"bug of npuninja" not in done.stderr
