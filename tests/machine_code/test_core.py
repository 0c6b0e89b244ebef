"""`npuninja core`: one core's program alone, with the timing of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.formats.elf import write_core_elf
from npuninja.machine_code.encode import assemble_bundle

NOPS = ["nop"] * 5


def elf(tmp_path: Path, *lines: str, data: bytes = b"") -> str:
    code = b""
    for line in lines:
        code += assemble_bundle(line, len(code)).data
    segments = [(0, code, len(code))]
    if data:
        segments.append((0x70100, data, len(data)))
    path = tmp_path / "core.elf"
    path.write_bytes(write_core_elf(segments, 2))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    code = main(["core", *words, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else {"error": err}


def registers(capsys: pytest.CaptureFixture[str], path: str, *words: str) -> dict[str, int]:
    code, report = run(capsys, path, *words)
    assert (code, report["stopped"]) == (0, "done"), report
    return report["registers"]


def test_a_result_can_be_read_after_its_latency(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """mul takes two cycles: the bundle after it still sees the old value."""
    path = elf(tmp_path, "mul r2, r0, r1", "mov r3, r2", "mov r4, r2", "done")
    found = registers(capsys, path, "--set", "r0=6", "--set", "r1=7", "--set", "r2=5")
    assert (found["r2"], found["r3"], found["r4"]) == (42, 5, 42)


def test_operands_are_read_before_results_of_their_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = elf(tmp_path, "or r0, r1, r1; mov r1, r0", "done")
    found = registers(capsys, path, "--set", "r0=1", "--set", "r1=2")
    assert (found["r0"], found["r1"]) == (2, 1)


def test_a_load_lands_seven_cycles_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(
        tmp_path,
        "lda r0, [p0, #4]",
        *["nop"] * 5,
        "mov r1, r0",
        "mov r2, r0",
        "done",
        data=b"\x11\0\0\0\x22\0\0\0",
    )
    found = registers(capsys, path, "--set", "p0=0x70100", "--set", "r0=9")
    assert (found["r1"], found["r2"]) == (9, 0x22)


def test_a_part_word_store_takes_its_source_late(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """st.s8 reads its register in stage 7, so a value computed five bundles later is what is stored."""
    path = elf(
        tmp_path, "st.s8 r0, [p0, #1]", *["nop"] * 4, "movx r0, #77", "movx r0, #33", *["nop"] * 5, "done"
    )
    out = tmp_path / "out"
    registers(capsys, path, "--set", "p0=0x70100", "--set", "r0=1", "--dump", f"0x70100:4={out}")
    assert out.read_bytes() == bytes([0, 77, 0, 0])


def test_five_bundles_behind_a_branch_are_issued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(tmp_path, "j #30", *["add r0, r0, #1"] * 6, "done")
    assert registers(capsys, path)["r0"] == 5


def test_a_zero_overhead_loop_runs_as_often_as_lc_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["movxm ls, #32", "movxm le, #48", "movxm lc, #5", *["nop"] * 7]
    body = [
        "nopa; nopb; nops; add r0, r0, #1; nopm; nopv",
        "nopa; nopb; nops; add r1, r1, #2; nopm; nopv",
        "done",
    ]
    found = registers(capsys, elf(tmp_path, *lines, *body))
    assert (found["r0"], found["r1"], found["lc"]) == (5, 10, 0)


def test_an_entry_function_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(tmp_path, "nop", "ret lr", *["add r0, r0, #1"] * 5, "done")
    code, report = run(capsys, path, "--entry", "2", "--set", "r0=1")
    assert (code, report["stopped"], report["registers"]["r0"], report["issue_cycles"]) == (
        0,
        "returned",
        6,
        6,
    )


def test_a_core_waits_at_a_lock_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(tmp_path, "movx r0, #-1", "acq #49, r0", "done")
    code, report = run(capsys, path)
    assert (code, report["stopped"], report["waits"]) == (4, "waits", "waits for own lock 1 >= 1, it is 0")
    assert report["issue_cycles"] == 1
    assert run(capsys, path, "--lock", "1=1")[1]["stopped"] == "done"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            ["lda r0, [p0, #0]", *["nop"] * 6, "done"],
            "an access of 4 bytes to 0x100: no data memory is there",
        ),
        (["j #0", "j #0", "done"], "a branch in a delay slot of the branch at 0x0"),
        (["j p0", *NOPS], "the bytes there are no bundle"),
        (["vldb.compr.fill [p0]", "done"], "VLDB_COMPR_FILL is not executed here"),
        (["lda.s16 r0, [p1, #1]", *["nop"] * 6, "done"], "which is not a multiple of 2"),
    ],
)
def test_faults_name_address_and_reason(
    lines: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(capsys, elf(tmp_path, *lines), "--set", "p0=0x100", "--set", "p1=0x70000")
    assert (code, report["stopped"]) == (4, "fault")
    assert report["fault"]["why"].startswith("at 0x")
    assert why in report["fault"]["why"]


def test_a_trace_shows_what_each_bundle_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(tmp_path, "nop", "movx r3, #5", "st r3, [p0, #0]", *["nop"] * 5, "done")
    _, report = run(capsys, path, "--set", "p0=0x70200", "--break", "2", "--trace")
    steps = report["trace"]
    assert [s["address"] for s in steps][:2] == [2, 6]
    assert steps[0]["registers"] == {"r3": 5}
    assert any(s["memory"] == {str(0x70200): 5} for s in steps)


def test_user_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = elf(tmp_path, "done")
    for words, part in (
        (["--set", "r99=1"], "there is no register 'r99'"),
        (["--set", "r0=x"], "no number for the register r0"),
        (["--entry", "nowhere"], "no symbol 'nowhere'"),
        (["--memory", f"0x100={path}"], "no data memory"),
        (["--dump", "0x70000=x"], "not ADDRESS:BYTES=FILE"),
        (["--dump", "0x7ffff:100=x"], "no data memory"),
        (["--break", "nowhere"], "no symbol 'nowhere'"),
    ):
        code, report = run(capsys, path, *words)
        assert code == 2
        assert part in report["error"]


def gather(tmp_path: Path, capsys: pytest.CaptureFixture[str], table: bytes) -> tuple[int, dict, bytes]:
    """vldb.4x16.hi of a table at 0x70100; its addresses lie behind the table."""
    addresses = b"".join((0x70100 + at).to_bytes(4, "little") for at in (0, 4, 35, 44))
    path = elf(
        tmp_path,
        f"movxm p0, #{0x70140}",
        f"movxm p1, #{0x70160}",
        "vlda wl0, [p0, #0]",
        *["nop"] * 6,
        "vldb.4x16.hi wl2, wl0",
        *["nop"] * 6,
        "vst wl2, [p1, #0]",
        *["nop"] * 5,
        "done",
        data=table + bytes(16) + addresses,
    )
    code, report = run(capsys, path, "--dump", f"0x70160:32={tmp_path / 'out.bin'}")
    out = tmp_path / "out.bin"
    return code, report, out.read_bytes() if out.exists() else b""


def test_four_look_ups_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each address gives the 8 bytes at the multiple of 4 below it; tables have each 16 bytes twice."""
    rows = [bytes(range(16)), bytes(range(16, 32))]
    code, report, out = gather(tmp_path, capsys, b"".join(row + row for row in rows))
    assert (code, report["stopped"]) == (0, "done"), report
    assert out[:24] == rows[0][:8] + rows[0][4:12] + rows[1][:8]
    assert out[24:28] == rows[1][12:]


def test_look_ups_in_a_table_of_another_form_are_not_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report, _ = gather(tmp_path, capsys, bytes(range(64)))
    assert (code, report["stopped"]) == (4, "fault")
    assert "a table for it holds each 16 bytes twice" in json.dumps(report).lower()


@pytest.mark.parametrize("count", ["-1", "0", "x"])
def test_a_limit_of_cycles_is_a_number_above_zero(
    count: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["core", elf(tmp_path, "done"), f"--max-cycles={count}"]) == 2
    assert f"'{count}' is no number of bundles: at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "stack"), [(("paddb [sp], #64",), 64), (("paddb [sp], #-64",), None), ((), 0)]
)
def test_the_stack_is_counted_from_where_the_program_puts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], stack: int | None
) -> None:
    """From 0x72000; one that grows downwards is not counted, and that is said."""
    path = elf(tmp_path, "movxm sp, #466944", *NOPS, *lines, *NOPS, "done")
    _, report = run(capsys, path)
    assert report["stack_bytes"] == stack
    assert main(["core", path]) == 0
    shown = (
        f"stack: {stack} bytes" if stack is not None else "stack: it grows downwards, which is not counted"
    )
    assert shown in capsys.readouterr().out
