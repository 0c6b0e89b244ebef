"""The assembler and linker: every instruction round-trips, relocations, real programs without a compiler."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from plain_fifo import CONFORMANCE, PROGRAMS, run_plain_fifo

from npuninja.cli import main
from npuninja.errors import UserError
from npuninja.formats.elf import read_elf
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.decode import decoder, instruction_text
from npuninja.machine_code.encode import (
    EncodeError,
    assemble_bundle,
    encode_bundle,
    parse_bundle,
    parse_instruction,
)
from npuninja.machine_code.instruction_set import Instruction, instruction_set
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.object_file import ObjectSection, ObjectSymbol, write_object

SCRIPT = (
    "MEMORY { program (RX) : ORIGIN = 0, LENGTH = 0x4000\n data (!RX) : ORIGIN = 0x70800, LENGTH = 0x100 }\n"
)


def random_word(instruction: Instruction, source: random.Random) -> int:
    word = instruction.value
    for operand in instruction.operands:
        # Where several codes are one register, some bits mean nothing: 0, as in real programs.
        codes = [c for c, name in enumerate(operand.registers) if name and operand.registers.index(name) == c]
        field = source.choice(codes) if codes else source.getrandbits(operand.bits)
        word |= operand.place(field)
    return word


def test_every_instruction_is_read_and_written_alike() -> None:
    """Text of a word, parsed, is the word: for all 607 instructions, with several operands each."""
    source = random.Random(1)
    for instruction in instruction_set("aie2").instructions:
        for _ in range(6):
            word = random_word(instruction, source)
            (decoded,) = decoder().slot_readings(instruction.slot, word)
            parsed = parse_instruction(instruction_text(decoded))
            assert (parsed.instruction.name, parsed.word()) == (instruction.name, word), instruction_text(
                decoded
            )


def test_every_bundle_format_is_read_and_written_alike() -> None:
    source = random.Random(2)
    table = instruction_set("aie2")
    by_slot: dict[str, list[Instruction]] = {}
    for instruction in table.instructions:
        by_slot.setdefault(instruction.slot, []).append(instruction)
    for formats in table.formats.values():
        for made in formats:
            value = made.value
            for slot, low in made.slots:
                value |= random_word(source.choice(by_slot[slot]), source) << low
            data = value.to_bytes(made.size_bytes, "little")
            text = decoder().bundle(data, 0, 0).text
            assert encode_bundle(parse_bundle(text)) == data, text


def test_a_bundle_takes_the_shortest_format() -> None:
    assert assemble_bundle("nop").data == b"\1\0"
    assert len(assemble_bundle("add r0, r0, #1").data) == 4
    assert (
        len(assemble_bundle("lda r0, [p0, #0]; vmac cm0, cm0, x0, x0, r0; st r1, [p1, #0]; mov r2, r3").data)
        == 14
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("addd r0, r0, r1", "there is no instruction 'addd'"),
        ("add r0, r0, #64", "not between -64 and 63"),
        ("lda r0, [sp, #3]", "in steps of 4"),
        ("add r0, p0, r1", "cannot be there"),
        ("add r0, r1, r1; sub r2, r3, r3", "two instructions for the slot alu"),
        ("add r0, r1", "expected: add"),
    ],
)
def test_what_cannot_be_encoded_says_why(text: str, why: str) -> None:
    with pytest.raises(EncodeError, match=why):
        encode_bundle(parse_bundle(text))


def test_an_error_has_its_line() -> None:
    with pytest.raises(UserError, match="there is no instruction") as caught:
        assemble("nop\nnop\nfrobnicate r0\n", "x.s")
    assert str(caught.value.location) == "x.s:3"


def test_a_listing_can_be_assembled_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = PROGRAMS / "cube.s"
    assert main(["as", str(source), "-o", str(tmp_path / "a.o")]) == 0
    capsys.readouterr()
    assert main(["disasm", str(tmp_path / "a.o")]) == 0
    (tmp_path / "b.s").write_text(capsys.readouterr().out)
    assert main(["as", str(tmp_path / "b.s"), "-o", str(tmp_path / "b.o")]) == 0
    a, b = (read_elf((tmp_path / name).read_bytes(), name) for name in ("a.o", "b.o"))
    assert a.section(".text").data == b.section(".text").data  # type: ignore[union-attr]
    assert main(["disasm", str(tmp_path / "b.o"), "--json"]) == 0
    (section,) = json.loads(capsys.readouterr().out)["sections"]
    assert [row[2] for row in section["relocations"]][:3] == ["ni_cons_buff_0", "no_buff_0", "once"]


def test_the_linker_places_and_relocates() -> None:
    text = ".text\n.globl main, room\nmain:\n movxm p0, #table+4\n jl #leaf\n nop\n nop\n nop\n nop\n nop\n"
    text += ".data\ntable: .word 7, leaf\n.bss\nroom: .space 40\n"
    other = ".globl leaf\nleaf:\n ret lr\n"
    script = read_linker_script(SCRIPT + ". = 0x70000;\n_sp_start_value_DM_stack = .;\n", "s")
    elf = read_elf(
        link([("a.o", assemble(text).object()), ("b.o", assemble(other).object())], script, "s"), "x"
    )
    symbols = {s.name: s.value for s in elf.symbols}
    code = elf.section(".text").data  # type: ignore[union-attr]
    assert symbols["__start"] == 0
    assert decoder().bundle(code, 0, 0).text == f"jl #{symbols['main']}"
    assert decoder().bundle(code, symbols["main"], 0).text == f"movxm p0, #{0x70804}"
    data = elf.section(".data").data  # type: ignore[union-attr]
    assert data == (7).to_bytes(4, "little") + symbols["leaf"].to_bytes(4, "little")
    assert symbols["room"] >= 0x70808


def test_what_the_linker_refuses() -> None:
    script = read_linker_script(SCRIPT + ". = 0x70000;\n_sp_start_value_DM_stack = .;\n", "s")
    with pytest.raises(UserError, match="undefined symbol 'nobody'"):
        link([("a.o", assemble(".globl main\nmain:\n jl #nobody\n").object())], script, "s")
    with pytest.raises(UserError, match="there is room for 256"):
        link([("a.o", assemble(".globl main\nmain:\n done\n.data\n.space 300\n").object())], script, "s")
    twice = assemble(".globl main\nmain:\n done\n").object()
    with pytest.raises(UserError, match="'main' is defined by"):
        link([("a.o", twice), ("b.o", twice)], script, "s")
    wrong = write_object([ObjectSection(".text", b"\1\0")], [ObjectSymbol("f", ".text", 0)], flags=3)
    with pytest.raises(UserError, match="the object is for aie2p"):
        link([("a.o", wrong)], script, "s")


def test_a_program_without_a_compiler_runs_in_the_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = run_plain_fifo(tmp_path)
    capsys.readouterr()
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    out = (tmp_path / "out").read_bytes()
    found = [int.from_bytes(out[i : i + 4], "little", signed=True) for i in range(0, len(out), 4)]
    assert found == [v**3 for v in range(-220, 220)]
    (core,) = report["cores"]
    # By hand: start 6, setup 3, ten buffers of 8 + 4 + 44 * 16 + 11, five jumps of 6, 8 up to the acquire.
    assert core["issue_cycles"] == 6 + 3 + 10 * (8 + 4 + 44 * 16 + 11) + 5 * 6 + 8
    assert core["stack_used_bytes"] == 32


def test_a_core_that_waits_is_named_in_a_deadlock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = run_plain_fifo(tmp_path)
    text = (CONFORMANCE / "design.mlir").read_text().replace("[1, 1, 1, 440]", "[1, 1, 1, 396]", 1)
    (tmp_path / "short.mlir").write_text(text)
    assert main(["lower", str(tmp_path / "short.mlir"), "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(words) == 4
    report = json.loads(capsys.readouterr().out)
    (core,) = [w for w in report["report"]["waiters"] if w["actor"] == "core (0, 2)"]
    assert "waits for lock 1 of tile (0, 2) >= 1, it is 0" in core["why"]
