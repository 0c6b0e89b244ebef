"""What stages remark of well-formed files that look like a mistake: no wait, cores of two compilers."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from conftest import CONFORMANCE

from npuninja.diag.inspect import inspect_bytes
from npuninja.errors import UserError
from npuninja.formats.elf import made_by, read_elf
from npuninja.formats.txn import Transaction, Write, write_txn
from npuninja.stages import insts, xclbin

GAIN = CONFORMANCE / "gain_bytes"
LOWERED = (GAIN / "npu_insts.mlir").read_text(encoding="utf-8")
WAIT = re.compile(r"^\s*aiex\.npu\.sync.*\n", re.MULTILINE)


def run_insts(folder: Path, text: str, *flags: str) -> Path:
    source, target = folder / "npu_insts.mlir", folder / "insts.bin"
    source.write_text(text, encoding="utf-8")
    (sequence,) = json.loads((GAIN / "meta.json").read_text(encoding="utf-8"))["sequences"]
    words = ["--device-symbol", "main", "--sequence", sequence["sequence"]]
    insts.run([str(source), *words, "-o", str(target), *flags])
    return target


def test_instructions_that_wait_are_fine(tmp_path: Path, capfd) -> None:
    assert run_insts(tmp_path, LOWERED).exists()
    assert capfd.readouterr().err == ""


def test_instructions_that_wait_for_nothing_are_remarked(tmp_path: Path, capfd) -> None:
    text, count = WAIT.subn("", LOWERED)
    assert count
    target = run_insts(tmp_path, text)
    assert "warning: the instruction stream never waits for a transfer" in capfd.readouterr().err
    assert "problem: it waits for nothing" in inspect_bytes(target.read_bytes(), "insts.bin").text()
    with pytest.raises(UserError, match="--werror makes warnings errors"):
        run_insts(tmp_path, text, "--werror")
    assert not target.exists()


def test_inspect_sees_that_instructions_wait() -> None:
    words = bytes.fromhex("".join((GAIN / "insts.hex").read_text().split()))
    stream = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
    assert "problem" not in inspect_bytes(stream, "insts.bin").text()
    idle = write_txn(Transaction(3, 6, 1, 1, (Write(0x1D204, 1),)))
    assert "problem: it waits for nothing" in inspect_bytes(idle, "idle.bin").text()


def with_comment(program: bytes, comment: bytes) -> bytes:
    """The ELF with one more section, .comment, and a table that names it."""
    names = b"\0.comment\0.shstrtab\0"
    start = len(program)
    table = start + len(comment) + len(names)
    table += -table % 4
    body = (program + comment + names).ljust(table, b"\0")
    headers = bytes(40)
    headers += struct.pack("<10I", 1, 1, 0, 0, start, len(comment), 0, 0, 1, 0)
    headers += struct.pack("<10I", 10, 3, 0, 0, start + len(comment), len(names), 0, 0, 1, 0)
    data = bytearray(body + headers)
    struct.pack_into("<I", data, 32, table)  # e_shoff
    struct.pack_into("<3H", data, 46, 40, 3, 2)  # e_shentsize, e_shnum, e_shstrndx
    return bytes(data)


def test_cores_of_two_compilers_are_remarked(tmp_path: Path, capfd) -> None:
    program = (GAIN / "core_0_2.elf").read_bytes()
    options = []
    for row, maker in ((2, b"clang 19.0.0\0"), (3, b"clang 20.0.0\0")):
        path = tmp_path / f"core_0_{row}.elf"
        path.write_bytes(with_comment(program, maker))
        assert made_by(read_elf(path.read_bytes(), path.name)) == maker[:-1].decode()
        options += ["--image", f"0,{row}={path}"]
    words = [str(GAIN / "main.pdi"), "--device", "npu1_1col", "-o", str(tmp_path / "out.xclbin")]
    xclbin.run([*words, *options[:2]])
    assert capfd.readouterr().err == ""
    xclbin.run([*words, *options])
    assert "the cores were made by different compilers: clang 19.0.0, clang 20.0.0" in capfd.readouterr().err
