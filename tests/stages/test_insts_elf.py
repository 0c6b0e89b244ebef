"""Stage insts_elf: by ourselves, and by aiebu-asm, which is asked for the same file."""

from __future__ import annotations

import shlex
import struct
import sys
from pathlib import Path

import pytest

from npuninja.errors import Error, UserError
from npuninja.stages import insts_elf

STREAM = Path(__file__).parents[1] / "conformance/new_plain_fifo/insts.hex"
PRETENDED = """import shutil, sys
target, form, control, source, output, result = sys.argv[1:]
assert (target, form, control, output) == ("-t", "aie2txn", "-c", "-o"), sys.argv
shutil.copyfile({made!r}, result)
"""


def pretend(tool: Path, made: str) -> None:
    """Makes `tool` a program that gives the file `made`. A shell starts Python: `#!` allows no blank."""
    script = tool.with_suffix(".py")
    script.write_text(PRETENDED.format(made=made), encoding="utf-8")
    command = shlex.join([sys.executable, str(script)])
    tool.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    tool.chmod(0o755)


@pytest.fixture
def insts(tmp_path: Path) -> str:
    words = [int(word, 16) for word in STREAM.read_text(encoding="utf-8").split()]
    (tmp_path / "insts.bin").write_bytes(struct.pack(f"<{len(words)}I", *words))
    return str(tmp_path / "insts.bin")


def test_aiebu_asm_makes_the_file_where_it_is_given(insts: str, tmp_path: Path) -> None:
    ours, theirs, tool = tmp_path / "ours.elf", tmp_path / "theirs.elf", tmp_path / "aiebu-asm"
    insts_elf.run([insts, "-o", str(ours)])
    pretend(tool, str(ours))
    insts_elf.run([insts, "--aiebu-asm", str(tool), "-o", str(theirs)])
    assert theirs.read_bytes() == ours.read_bytes()


def test_what_is_no_elf_is_not_kept(insts: str, tmp_path: Path) -> None:
    target, tool = tmp_path / "made.elf", tmp_path / "aiebu-asm"
    pretend(tool, insts)
    with pytest.raises(Error):
        insts_elf.run([insts, "--aiebu-asm", str(tool), "-o", str(target)])
    assert not target.exists()


def test_instructions_that_cannot_be_one_do_not_stop_a_build(insts: str, tmp_path: Path) -> None:
    stream = bytearray(Path(insts).read_bytes())
    patch = struct.pack("<I", 0x1D004)
    at = stream.index(patch, 16)
    stream[at : at + 4] = struct.pack("<I", 0x1D0E4)  # of a descriptor that nothing has written
    Path(insts).write_bytes(stream)
    target = tmp_path / "made.elf"
    with pytest.raises(UserError, match="which no block write before it has set"):
        insts_elf.run([insts, "-o", str(target)])
    insts_elf.run([insts, "-o", str(target), "--if-possible"])
    assert target.read_bytes().startswith(b"no ELF: ")
    with pytest.raises(UserError, match=r"cannot be one: .*no block write before it has set"):
        insts_elf.refuse_no_elf(str(target))
