"""Functions of a program: stack, cycles, loops; `npuninja inspect` and `npuninja profile` show them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plain_fifo import run_plain_fifo

from npuninja.cli import main
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.functions import Function, Functions
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.program import read_programs
from npuninja.report.tile_memory import measure

SCRIPT = read_linker_script(
    "MEMORY { data (!RX) : ORIGIN = 0x70800, LENGTH = 0x100 }\n. = 0x70000;\n_sp_start_value_DM_stack = .;\n",
    "s",
)
SLOTS = "  nop\n" * 5
CALL = "  jl #{}\n" + SLOTS


def analysed(text: str) -> Functions:
    elf = link([("a.o", assemble(text).object())], SCRIPT, "s")
    (program,) = read_programs(elf, "a.elf")[1]
    return Functions([(s.address, s.data) for s in program.sections], program.symbols)


def functions(text: str) -> dict[str, Function]:
    return {f.name: f for f in analysed(text).all}


def function(name: str, *lines: str) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"  .globl {name}\n  .type {name}, @function\n{name}:\n{body}"


def test_stack_and_cycles_follow_calls() -> None:
    found = functions(
        function("__start", "paddb [sp], #64")
        + CALL.format("outer")
        + "  done\n"
        + function("outer", "paddb [sp], #32", "mov p2, lr")
        + CALL.format("inner")
        + "  paddb [sp], #-32\n  mov lr, p2\n  ret lr\n"
        + SLOTS
        + function("inner", "paddb [sp], #128", "paddb [sp], #-128", "ret lr")
        + SLOTS
    )
    assert {n: (f.frame_bytes, f.stack_bytes, f.cycles) for n, f in found.items()} == {
        "__start": (64, 224, 1 + 6 + (2 + 6 + (3 + 5) + 3 + 5) + 1),
        "outer": (32, 160, 2 + 6 + (3 + 5) + 3 + 5),
        "inner": (128, 128, 3 + 5),
    }
    assert found["__start"].calls == ("outer",)


@pytest.mark.parametrize(("count", "trips"), [("movxm lc, #9", 9), ("add.nc lc, r0, #1", None)])
def test_cycles_of_a_loop_are_known_when_its_trips_are(count: str, trips: int | None) -> None:
    found = functions(
        function("__start", "movxm ls, #body", "movxm le, #last", count, *["nop"] * 7)
        + "body:\n  nopa; nopb; nops; add r0, r0, #1; nopm; nopv\n"
        + "last:\n  nopa; nopb; nops; add r1, r1, #2; nopm; nopv\n  done\n"
    )
    only = found["__start"]
    assert [loop.trips for loop in only.loops] == [trips]
    assert only.cycles == (10 + 2 * 9 + 1 if trips else None)


def test_each_of_two_loops_with_one_end_begins_a_block() -> None:
    text = ""
    for number in (1, 2):
        text += f"  movxm ls, #body{number}\n  movxm le, #last\n  movxm lc, #9\n" + SLOTS
        text += f"body{number}:\n  add r0, r0, #1\n"
    found = analysed(function("__start") + text + "last:\n  add r2, r2, #3\n  done\n")
    assert [loop.start for loop in found.flow.loops.values()] == [0x3C]
    assert [block.start for block in found.flow.blocks] == [0, 0x1C, 0x3C, 0x44]


def test_what_depends_on_data_has_no_cycles_and_recursion_no_stack() -> None:
    found = functions(
        function("__start", "jz r0, #__start")
        + SLOTS
        + CALL.format("again")
        + function("again", "paddb [sp], #32")
        + CALL.format("again")
        + "  ret lr\n"
        + SLOTS
    )
    assert found["__start"].cycles is None
    assert (found["again"].cycles, found["again"].stack_bytes) == (None, None)


def test_inspect_and_profile_show_functions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = run_plain_fifo(tmp_path)
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "core.elf"), "--json"]) == 0
    shown = {f["name"]: f for f in json.loads(capsys.readouterr().out)["functions"]}
    assert shown["core_0_2"]["stack_bytes"] == 32
    assert shown["once"]["cycles"] is None  # its loop is a branch
    rest = words[4:]
    assert main(["profile", words[1], *rest]) == 0
    (core,) = json.loads(capsys.readouterr().out)["cores"]
    rows = {row["function"]: (row["issue_cycles"], row["calls"]) for row in core["functions"]}
    assert rows["once"] == (10 * (4 + 44 * 16 + 11), 10)
    assert sum(cycles for cycles, _ in rows.values()) == core["issue_cycles"]
    assert main(["profile", words[1], *rest[:-1]]) == 0
    assert "once, 10 calls" in capsys.readouterr().out


def test_a_flame_graph_has_functions_loops_and_all_cycles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = run_plain_fifo(tmp_path)
    drawing, folded = tmp_path / "flame.svg", tmp_path / "flame.txt"
    capsys.readouterr()
    assert main(["profile", words[1], *words[4:], "--flame", str(drawing)]) == 0
    (core,) = json.loads(capsys.readouterr().out)["cores"]
    (root,) = [frame for frame in core["frames"] if frame["name"] == "__start"]
    (main_loop,) = [frame for frame in root["below"][0]["below"] if frame["name"].startswith("branch loop")]
    assert root["below"][0]["name"] == "core_0_2"
    (once,) = main_loop["below"]
    assert (once["name"], once["issue_cycles"]) == ("once", 10 * (4 + 44 * 16 + 11))
    assert [frame["name"].split(" 0x")[0] for frame in once["below"]] == ["branch loop"]
    assert once["below"][0]["own_cycles"] == 10 * 44 * 16
    assert root["issue_cycles"] == core["issue_cycles"]
    text = drawing.read_text(encoding="utf-8")
    assert "<title>once: 7,190 issue cycles" in text
    assert main(["profile", words[1], *words[4:], "--flame", str(folded)]) == 0
    lines = [line.rpartition(" ") for line in folded.read_text(encoding="utf-8").splitlines()]
    assert sum(int(cycles) for _, _, cycles in lines) == core["issue_cycles"]
    assert any(path.startswith("core (0, 2);__start;core_0_2;") and ";once;" in path for path, _, _ in lines)


def test_size_counts_the_stack_of_all_calls(tmp_path: Path) -> None:
    run_plain_fifo(tmp_path)
    (tmp_path / "core.elf").rename(tmp_path / "core_0_2.elf")
    (tile,) = [t for t in measure(str(tmp_path)) if t.tile == (0, 2)]
    assert tile.stack_need == 32


def test_an_elf_of_another_program_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = run_plain_fifo(tmp_path)
    other = tmp_path / "other.elf"
    other.write_bytes(link([("a.o", assemble(function("__start", "done")).object())], SCRIPT, "s"))
    assert main(["profile", words[1], *words[4:], "--symbols", str(other)]) == 2
    assert "no core of the design has the program in this ELF" in capsys.readouterr().err
