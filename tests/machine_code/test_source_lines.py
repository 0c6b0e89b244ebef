"""C lines of machine code: tables of objects and programs, in listings and faults, of versions 4 and 5."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_fifo import run_plain_fifo

from npuninja.cli import main
from npuninja.errors import Location
from npuninja.formats.dwarf_line_writer import CodeRows, write_line_table
from npuninja.formats.dwarf_lines import read_line_table
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.source_lines import line_table

SCRIPT = read_linker_script(
    "MEMORY { data (!RX) : ORIGIN = 0x70800, LENGTH = 0x100 }\n. = 0x70000;\n_sp_start_value_DM_stack = .;\n",
    "s",
)
#: Two sections, two files; the last access of `main` is to no memory.
TEXT = """.file 1 "/src" "a.c"
.file 2 "b.h"
.globl main
main:
.loc 1 10 3
  movxm p0, #0x30000
  nop
.loc 2 7 1
  lda r0, [p0, #0]
  nop
  nop
  nop
  nop
  nop
  done
  nop
  nop
  nop
  nop
  nop
.section .text.f
.align 16
.globl f
f:
.loc 1 99
  nop
"""

rows_of = st.lists(
    st.tuples(
        st.integers(1, 1 << 15),
        st.builds(Location, st.sampled_from(["a.c", "/x/b.h"]), st.integers(1, 70000), st.integers(0, 300)),
    ),
    min_size=1,
    max_size=8,
)


@given(st.lists(rows_of, max_size=3))
def test_a_table_that_is_written_is_read_again(pieces: list[list[tuple[int, Location]]]) -> None:
    sequences, start = [], 0
    expected: dict[int, Location | None] = {}
    for piece in pieces:
        rows = []
        for step, place in piece:
            start += step
            rows.append((start, place))
            expected[start] = place
        start += 4
        expected[start] = None
        sequences.append(CodeRows(tuple(rows), start))
    table = read_line_table(write_line_table(sequences).data)
    assert dict(zip(table.addresses, table.locations)) == expected


def test_objects_and_programs_have_the_lines_of_their_sections() -> None:
    made = assemble(TEXT).object()
    _, (program,) = read_programs(made, "a.o")
    text, f = program.sections
    of_text, of_f = line_table(program.elf, text.number), line_table(program.elf, f.number)
    assert of_text is not None
    assert of_f is not None
    assert of_text.at(0) == Location("/src/a.c", 10, 3)
    assert of_f.at(0) == Location("/src/a.c", 99, 0)
    _, (linked,) = read_programs(link([("a.o", made)], SCRIPT, "s"), "a.elf")
    table = line_table(linked.elf)
    assert table is not None
    at = {s.name: s.address for s in linked.symbols}
    assert [table.at(at["main"] + n) for n in (0, 10, 12)] == [
        Location("/src/a.c", 10, 3), Location("b.h", 7, 1), Location("b.h", 7, 1),
    ]  # fmt: skip
    assert table.at(at["f"]) == Location("/src/a.c", 99, 0)
    assert table.at(0) is None  # the start-up code has none


def test_listing_and_fault_name_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "b.h"
    source.write_text("\n" * 6 + "int x = *p;\n")
    core = tmp_path / "core.elf"
    core.write_bytes(link([("a.o", assemble(TEXT.replace("b.h", str(source))).object())], SCRIPT, "s"))
    assert main(["disasm", str(core), "--source"]) == 0
    assert f"// {source}:7:1: int x = *p;" in capsys.readouterr().out
    assert main(["core", str(core), "--json"]) != 0
    assert f"<main+0x8>, {source}:7:1" in json.loads(capsys.readouterr().out)["fault"]["why"]


def test_a_fault_in_the_array_names_function_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = run_plain_fifo(
        tmp_path,
        change=lambda text: text.replace("\nonce:", "\n.globl once\nonce:").replace(
            "word:\n  lda r0, [p0], #4",
            '.file 1 "cube.c"\nword:\n  mova m7, #2\n  padda [p0], m7\n.loc 1 5 9\n  lda r0, [p0, #0]',
        ),
    )
    capsys.readouterr()
    assert main(words) != 0
    report = json.loads(capsys.readouterr().out)
    assert "<once+0x" in report["message"]
    assert report["report"]["function"] == "once"
    assert "which is not a multiple of 4" in report["message"]
    assert report["report"]["location"] == "cube.c:5:9"


def test_version_5_has_its_names_in_another_section() -> None:
    strings = b"/home/me\0include\0k.c\0k.h\0"
    header = struct.pack("<BBBbBB", 1, 1, 1, -5, 14, 13) + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))
    header += bytes((1, 1, 0x1F, 2)) + struct.pack("<II", 0, 9)  # folders: line_strp
    header += bytes((3, 1, 0x1F, 2, 0x0B, 5, 0x1E, 2))  # files: name, folder (data1), MD5 (data16)
    header += struct.pack("<IB16s", 17, 0, bytes(16)) + struct.pack("<IB16s", 21, 1, bytes(16))
    program = bytes((0, 5, 2)) + struct.pack("<I", 0x40) + bytes((3, 6, 1))  # line 7 of file 1, at 0x40
    program += bytes((4, 0, 2, 16, 1, 2, 16, 0, 1, 1))  # file 0, 16 bytes on; the end 16 bytes on
    body = struct.pack("<HBBI", 5, 4, 0, len(header)) + header + program
    table = read_line_table(struct.pack("<I", len(body)) + body, strings)
    assert table.at(0x40) == Location("/home/me/include/k.h", 7, 0)
    assert table.at(0x55) == Location("/home/me/k.c", 7, 0)
    assert table.at(0x60) is None
