"""Programs, archives, line tables, linker scripts, assembly that mean harm: refused or read within bounds."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.errors import UserError
from npuninja.formats import dwarf_lines, elf
from npuninja.formats.elf import read_elf
from npuninja.machine_code import program as programs
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.program import read_programs

NOPS = b"\1\0" * 32


def member(name: str, data: bytes, size: str | None = None) -> bytes:
    digits = str(len(data)) if size is None else size
    return f"{name:16}{'':32}{digits:10}`\n".encode() + data + b"\n" * (len(data) % 2)


#: Archives, and what is said of them.
ARCHIVES = {
    "a size below zero": (b"!<arch>\n" + member("a.o/", b"", "-60"), "is no number"),
    "a size with an underscore": (b"!<arch>\n" + member("a.o/", b"", "1_0"), "is no number"),
    "an archive in an archive": (
        b"!<arch>\n" + member("b.a/", b"!<arch>\n" + member("a.o/", b"x")), "holds another one, 'b.a'",
    ),
    "a thin one": (b"!<thin>\n" + member("/etc/passwd/", b"", "100"), "only their names"),
    "a thin one in an archive": (b"!<arch>\n" + member("b.a/", b"!<thin>\n"), "holds another one"),
    "a name behind the end": (b"!<arch>\n" + member("/99999999999999", b""), "holds no object"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_means_harm_is_refused(name: str) -> None:
    data, words = ARCHIVES[name]
    with pytest.raises(UserError, match=words):
        read_programs(data, "x.a")


def test_an_archive_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST_MEMBERS", 10)
    with pytest.raises(UserError, match="more than 10 members"):
        read_programs(b"!<arch>\n" + member("a.o/", b"") * 11, "x.a")


def object_file(sections: list[tuple[int, int, bytes, int]], segments: int = 0) -> bytes:
    """An ELF of sections (type, offset or -1 for its own place, bytes, link), and so many segments with the
    first one's bytes.
    """
    body = b"".join(data for _, at, data, _ in sections if at < 0)
    place, headers = 52, struct.pack("<10I", *[0] * 10)
    for kind, at, data, link in sections:
        start = place if at < 0 else at
        headers += struct.pack("<10I", 1, kind, 6 if kind == 1 else 0, 0, start, len(data), link, 0, 1, 0)
        place += len(data) if at < 0 else 0
    first = struct.pack("<8I", 1, 52, 0, 0, len(sections[0][2]), len(sections[0][2]), 7, 4)
    header = b"\x7fELF\1\1\1" + bytes(9)
    header += struct.pack(
        "<HHIIIIIHHHHHH", 2 if segments else 1, 264, 1, 0, 52 + len(body), 52 + len(body) + 32 * segments, 2, 52, 32, segments,
        40, len(sections) + 1, len(sections),
    )  # fmt: skip
    return header + body + first * segments + headers


NAMES = (3, -1, b"\0.text\0", 0)


@pytest.mark.parametrize(("sections", "segments"), [(30, 0), (1, 30)])
def test_parts_of_an_elf_that_lie_upon_each_other_are_refused(sections: int, segments: int) -> None:
    code = bytes(8000)
    data = object_file([(1, -1, code, 0), *[(1, 52, code, 0)] * sections, NAMES], segments)
    what = "segments" if segments else "sections"
    with pytest.raises(UserError, match=rf"damaged ELF: its {what} hold \d+ bytes and more, the file has"):
        read_elf(data, "x.o")


def test_names_of_symbols_have_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = struct.pack("<IIIBBH", 1, 0, 0, 2, 0, 1) * 20
    data = object_file(
        [(1, -1, NOPS, 0), (2, -1, symbols, 3), (3, -1, b"\0" + b"a" * 5000 + b"\0", 0), NAMES]
    )
    assert len(read_elf(data, "x.o").symbols) == 20
    monkeypatch.setattr(elf, "MAX_NAME_CHARACTERS", 1 << 16)
    with pytest.raises(UserError, match="the names in the ELF have more than"):
        read_elf(data, "x.o")


# --- Line tables: what is damaged is left out.

STANDARD = bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
HEAD4 = struct.pack("<I", 9) + bytes([1, 1, 1, 0xFB, 14, 1]) + b"\0"
HEAD5 = bytes([4, 0]) + struct.pack("<I", 20) + bytes([1, 1, 1, 0xFB, 14, 13]) + STANDARD
ENDLESS = b"\xff" * 9 + b"\x7f"


def unit(body: bytes, version: int = 4) -> bytes:
    return struct.pack("<IH", len(body) + 2, version) + body


def test_a_line_table_has_as_many_rows_as_a_program_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    table = unit(HEAD4 + b"f\0\0\0\0\0" + b"\x20" * 5000)
    assert len(dwarf_lines.read_line_table(table).addresses) == 5000
    monkeypatch.setattr(dwarf_lines, "MAX_ROWS", 100)
    assert len(dwarf_lines.read_line_table(table).addresses) == 100


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HEAD5 + b"\0" + ENDLESS, id="entries without bytes"),
        pytest.param(HEAD5 + b"\1\1\x1e" + ENDLESS, id="more entries than bytes"),
        pytest.param(HEAD5 + b"\1\1\x08" + b"\xff" * 100000 + b"\0", id="a number without an end"),
        pytest.param(HEAD5 + b"\1\1\x09\1" + b"\xff" * 5 + b"\x7f", id="a block after the end"),
    ],
)
def test_a_table_of_files_that_says_too_much_is_left_out(body: bytes) -> None:
    assert dwarf_lines.read_line_table(unit(body, 5)) == dwarf_lines.LineTable((), ())


def test_names_of_files_have_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = b"d" * 4000 + b"\0\0"
    table = unit(HEAD4[:-1] + folder + b"f\0\1\0\0" * 50 + b"\0" + b"\x20")
    monkeypatch.setattr(dwarf_lines, "MAX_NAME_CHARACTERS", 100_000)
    assert dwarf_lines.read_line_table(table).addresses == ()
    long = unit(HEAD4[:-1] + b"d" * 5000 + b"\0\0" + b"f\0\1\0\0\0" + b"\x20")
    assert dwarf_lines.read_line_table(long).addresses == ()


# --- Texts.


def test_comments_and_words_of_a_linker_script_take_linear_time() -> None:
    region = "MEMORY { data (!RX) : ORIGIN = 0x70000, LENGTH = 0x100 }\n"
    text = region + ". = 0x70400; a = .; . += 0x20;\n" + "a" * 200_000 + "/*" * 100_000
    found = read_linker_script(text, "s")
    assert (found.symbols, found.sizes) == ({"a": 0x70400}, {"a": 0x20})
    with pytest.raises(UserError, match="no memory region"):
        read_linker_script("data(" * 50_000, "s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".space 99999999999", "not from 0 to"),
        (".space -1", "not from 0 to"),
        (".align 0", "not from 1 to"),
        (".p2align 999999999999", "not from 0 to"),
        ("ffffffffffff: 01 00  nop", "no core has room"),
        (".bss\n.space 1000000\n.space 1000000", "no core has room"),
        (".ascii " + "[" * 100_000, "a text in quotes"),
        ('.ascii "\\ud800"', "a text in quotes"),
        (".ascii 5", "a text in quotes"),
        (".word " + "9" * 5000, "is not from"),
        ('.file 1 "a"\n.loc 1 ' + "9" * 5000, "is not from"),
        (".loc ² ² ²", ".loc wants"),
        (".reloc 99999999999999999999, 0, a", "is not from"),
        (".reloc 0, 99999999, a", "is not from"),
        (".word a+" + "9" * 5000, "is no number"),
        ("mova r0, #" + "9" * 5000, "mova"),
    ],
)
def test_assembly_that_stands_for_too_much_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        assemble(text + "\n", "x.s")
    assert refused.value.location is not None
    assert refused.value.location.line == text.count("\n") + 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--lock", "²=1"), "own locks 0 to 15"),
        (("--lock", "1=x"), "is no number"),
        (("--lock", "1=" + "9" * 5000), "no value of a lock"),
        (("--lock", "1=64"), "no value of a lock"),
    ],
)
def test_a_core_alone_takes_sensible_locks(
    options: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.elf").write_bytes(object_file([(1, -1, NOPS, 0), NAMES], 1))
    assert main(["core", str(tmp_path / "x.elf"), "--max-cycles", "10", *options]) == 2
    assert words in capsys.readouterr().err


def test_a_program_larger_than_program_memory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.elf").write_bytes(object_file([(1, -1, b"\1\0" * 20_000, 0), NAMES], 1))
    assert main(["core", str(tmp_path / "x.elf")]) == 2
    assert "16384 bytes of program memory" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--seed", "--schedules", "--in-flight"])
def test_a_number_of_thousands_of_digits_is_no_number(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "x.json", option, "9" * 5000]) == 2
    said = capsys.readouterr().err
    assert "is no number of at most 18 digits" in said
    assert len(said) < 400
