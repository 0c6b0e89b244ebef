"""Traces as events (`aie.utils.trace.parse_trace`), passes on a module, and hosts of autumn 2025."""

from __future__ import annotations

import json
import subprocess
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.emulator.trace_units.packets import (
    EventsAtPlace,
    Packet,
    Segment,
    frames,
    packets,
    read_pc_frames,
)
from npuninja.emulator.trace_units.perfetto import perfetto
from npuninja.errors import UserError
from npuninja.python_designs.host import older_xrt
from npuninja.python_designs.host.pass_manager import PassManager
from npuninja.python_designs.host.trace_reader import main, parse_trace, split_trace_segments
from npuninja.python_designs.script import run_design


def pc_frames(places, start=0):
    """The bytes of a unit's trace in event-PC mode; `start` is the timer when it begins."""
    data = b"\xf1" + start.to_bytes(7, "big")
    words = (0b110001 << 26 | place.events << 18 | place.program_counter for place in places)
    return data + b"".join(word.to_bytes(4, "big") for word in words)


def lowered(*writes, operands=False):
    """A module with register writes: (address, column, row, value)."""
    lines = []
    for i, (address, column, row, value) in enumerate(writes):
        place = f"column = {column} : i32, row = {row} : i32"
        if operands:
            lines += [f"%a{i} = arith.constant {address} : i32", f"%v{i} = arith.constant {value} : i32"]
            lines.append(f"aiex.npu.write32(%a{i}, %v{i}) {{{place}}}")
        else:
            lines.append(f"aiex.npu.write32 {{address = {address} : ui32, {place}, value = {value} : ui32}}")
    return "module { aie.device(npu1) { aie.runtime_sequence() {\n" + "\n".join(lines) + "\n} } }\n"


CORE = Packet(1, 2, "core", 1)
# Events 33 (INSTR_EVENT_0) and 34 of the core at (1, 2), and DMA events of the memory tile.
WRITES = ((0x340D0, 1, 2, 0x79790000), (0x340E0, 1, 2, 0x00002221), (0x940E0, 1, 1, 0x15))


@pytest.mark.parametrize("operands", [False, True])
def test_events_begin_and_end_at_their_cycles(operands):
    segments = [Segment(3, 2, 0b01), Segment(5, 1, 0b11), Segment(9, 1, 0b10)]
    words = [word for packet in packets(CORE, frames(segments)) for word in packet]

    found = parse_trace(np.array(words, dtype=np.uint32), lowered(*WRITES, operands=operands))

    assert [(e["pid"], e["args"]["name"]) for e in found if e["name"] == "process_name"] == [
        (0, "core_trace for tile2,1"),
        (1, "memtile_trace for tile1,1"),
    ]
    assert [(e["name"], e["ph"], e["ts"], e["tid"]) for e in found if e["ph"] in "BE"] == [
        ("INSTR_EVENT_0", "B", 4, 0),
        ("INSTR_EVENT_1", "B", 6, 1),
        ("INSTR_EVENT_0", "E", 7, 0),
        ("INSTR_EVENT_1", "E", 7, 1),
        ("INSTR_EVENT_1", "B", 10, 1),
    ]


@given(moved=st.integers(-1, 3), zeros=st.integers(8, 40))
def test_a_moved_design_and_two_channels_in_one_buffer_are_found(moved, zeros):
    first = [w for p in packets(CORE._replace(column=1 + moved), frames([Segment(0, 1, 1)])) for w in p]
    second = [w for p in packets(Packet(1 + moved, 1, "memtile", 3), frames([Segment(2, 4, 1)])) for w in p]

    found = parse_trace([*first, *[0] * zeros, *second, 0], lowered(*WRITES))

    assert f"core_trace for tile2,{1 + moved}" in json.dumps(found)
    assert [(e["pid"], e["ph"], e["ts"]) for e in found if e["ph"] in "BE"] == [(0, "B", 1), (1, "B", 3)]


@pytest.mark.parametrize(
    ("words", "writes", "error"),
    [
        ([0] * 64, WRITES, "the trace is empty: there are only zeros"),
        (packets(CORE, frames([Segment(0, 1, 1)]))[0], WRITES[2:], r"core unit of tile \(1, 2\), which the design does not"),
        (packets(CORE, frames([Segment(0, 1, 1)]))[0], ((0x340D0, 1, 2, 2), *WRITES[1:]), "traces in mode 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(words, writes, error):
    with pytest.raises((ValueError, NotImplementedError), match=error):
        parse_trace(words, lowered(*writes), colshift=0)


def test_short_runs_of_zeros_belong_to_a_part():
    words = ["00000000"] * 9 + ["1", "2"] + ["00000000"] * 7 + ["3", ""] + ["00000000"] * 8 + ["4"]
    assert split_trace_segments(words) == [["1", "2", *["00000000"] * 7, "3"], ["4"]]


def test_the_command_line_writes_a_file_or_says_why_not(tmp_path, capsys):
    trace, design, made = (tmp_path / name for name in ("trace.txt", "design.mlir", "trace.json"))
    words = [word for packet in packets(CORE, frames([Segment(0, 2, 1)])) for word in packet]
    trace.write_text("\n".join(f"{w:08x}" for w in words))
    design.write_text(lowered(*WRITES))
    arguments = ["--input", str(trace), "--mlir", str(design), "--output", str(made)]
    main(arguments)
    assert "INSTR_EVENT_0" in made.read_text()
    design.write_text("module { nonsense }")
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err.startswith("error: ")


SCRIPTS = """
import subprocess, sys
from pathlib import Path
import aie.utils.trace as trace
folder = Path(trace.__file__).parent
words = ["--input", sys.argv[1], "--mlir", sys.argv[2], "--output", sys.argv[3]]
subprocess.run([sys.executable, str(folder / "parse.py"), *words], check=True)
subprocess.run([sys.executable, str(folder / "get_trace_summary.py"), "--input", sys.argv[3]], check=True)
"""


def test_a_host_program_starts_the_readers_by_their_paths(tmp_path):
    trace, design, made, script = (
        tmp_path / name for name in ("trace.txt", "design.mlir", "trace.json", "host.py")
    )
    words = [word for packet in packets(CORE, frames([Segment(0, 2, 1)])) for word in packet]
    trace.write_text("\n".join(f"{w:08x}" for w in words))
    design.write_text(lowered(*WRITES))
    script.write_text(SCRIPTS)
    command = [
        sys.executable,
        "-m",
        "npuninja",
        "python",
        str(script),
        "--",
        str(trace),
        str(design),
        str(made),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "INSTR_EVENT_0" in made.read_text()
    assert "Total number of full kernel invocations is" in done.stdout


PLACED = """
import numpy as np
from aie.iron import ObjectFifo, Program, Runtime, Worker
from aie.iron.device import NPU1Col1
from aie.extras.util import find_ops
from aie.dialects.aie import TileOp
from aie.passmanager import PassManager

line = np.ndarray[(16,), np.dtype[np.int32]]
given = ObjectFifo(line, name="given")

def body(given):
    given.acquire(1)
    given.release(1)

def sequence(a, given):
    given.fill(a, wait=True)

runtime = Runtime(sequence, [line, given.prod()])
module = Program(NPU1Col1(), runtime, workers=[Worker(body, [given.cons()])]).resolve_program()
assert not find_ops(module, lambda op: isinstance(op, TileOp))
PassManager.parse("builtin.module(aie.device(aie-place-tiles))", context=None).run(module.operation)
print([type(op).__name__ for op in find_ops(module.operation, lambda op: isinstance(op, TileOp))])
from aie.iron.device import NPU1Col4
"""


PLACES = st.builds(EventsAtPlace, st.integers(1, 255), st.integers(0, 0x3FFF))


@given(st.lists(PLACES, max_size=20), st.integers(0, 40))
def test_places_of_a_trace_are_read_back(places, repeated):
    data = pc_frames(places, start=5) + (bytes((0xD8 | repeated >> 8, repeated & 255)) if repeated else b"")
    assert read_pc_frames(data + b"\xfe\x00") == places + places[-1:] * repeated


def test_events_at_places_of_the_program_are_instants():
    core = ((0x340D0, 1, 2, 0x79790001), *WRITES[1:])
    data = pc_frames([EventsAtPlace(0b01, 0x1A0), EventsAtPlace(0b11, 0x2F0)]) + b"\xe1"
    words = [word for packet in packets(CORE, data) for word in packet]
    found = parse_trace(np.array(words, dtype=np.uint32), lowered(*core))
    assert [(e["name"], e["ts"], e["args"]["pc"]) for e in found if e["ph"] == "i"] == [
        ("INSTR_EVENT_0", 0, 0x1A0),
        ("INSTR_EVENT_0", 1, 0x2F0),
        ("INSTR_EVENT_1", 1, 0x2F0),
        ("INSTR_EVENT_0", 2, 0x2F0),
        ("INSTR_EVENT_1", 2, 0x2F0),
    ]
    content = perfetto({}, {CORE: read_pc_frames(data)}, [], {}, "")
    registers = [
        (e["tid"], e["ts"], e["args"]["program_counter"]) for e in content["traceEvents"] if e["ph"] == "i"
    ]
    assert registers == [
        (0, 0.0, "0x01a0"),
        (0, 1.0, "0x02f0"),
        (0, 2.0, "0x02f0"),
        (1, 1.0, "0x02f0"),
        (1, 2.0, "0x02f0"),
    ]
    with pytest.raises(UserError, match="byte 8 of a unit's trace, 0x01, begins no frame of event-PC mode"):
        read_pc_frames(pc_frames([]) + b"\x01")


def test_passes_of_the_lowering_run_on_a_module_in_a_design(tmp_path):
    script = tmp_path / "placed.py"
    script.write_text(PLACED)
    outcome = run_design(str(script), [], generation="2026-08", catches_errors=True)
    assert outcome.text.splitlines() == ["['TileOp', 'TileOp']"]
    assert "NPU1Col4 is not offered (since September 2025 it is NPU1" in outcome.errors


@pytest.mark.parametrize(
    ("pipeline", "error"),
    [
        ("builtin.module(convert-arith-to-llvm)", "the pass convert-arith-to-llvm is not offered"),
        (
            "builtin.module(aie.device(aie-place-tiles{rows=2}))",
            "the option rows of the pass aie-place-tiles is not offered",
        ),
        (
            "builtin.module(aie.device(aie-place-tiles{cores-per-col=many}))",
            "option cores-per-col of the pass aie-place-tiles: invalid literal",
        ),
        ("builtin.module(gpu.module(cse))", "passes on gpu.module are not offered"),
        ("builtin.module(aie.device(aie-place-tiles)", "a bracket is missing"),
        ("builtin.module(aie.device(aie-place-tiles)))", "no pipeline of passes"),
    ],
)
def test_other_pipelines_are_refused_by_name(pipeline, error):
    with pytest.raises((NotImplementedError, ValueError), match=error):
        PassManager.parse(pipeline)


@pytest.mark.parametrize("behind", [False, True])
def test_a_host_of_autumn_2025_runs_and_compares(tmp_path, monkeypatch, capsys, behind):
    def run(xclbin, insts, arrays):  # a device that adds one, and writes a word of trace after the rest
        arrays[1].reshape(-1).view(np.uint8)[:16] = (arrays[0] + 1).view(np.uint8)
        arrays[-1].reshape(-1).view(np.uint8)[-8:-4] = [4, 3, 2, 1]

    monkeypatch.setattr("npuninja.python_designs.host.launching.run_files", run)
    monkeypatch.chdir(tmp_path)
    values = np.arange(4, dtype=np.int32)
    options = types.SimpleNamespace(
        xclbin="x", instr="i", trace_size=16, trace_file="trace.txt", verify=True, verbosity=0
    )

    def ran(expected):
        return older_xrt.setup_and_run_aie(
            np.int32, None, np.int32, values, None, values, 4, None, 4, expected, options, behind
        )

    assert ran(values + 1) == 0
    assert "PASS!" in capsys.readouterr().out
    assert "01020304" in (tmp_path / "trace.txt").read_text()
    assert ran(values) == 1
    assert "Error count:  4" in capsys.readouterr().out
