"""Event traces: registers, packet ids, flows and the writes of the sequence, in both generations."""

from __future__ import annotations

import re

import pytest
from conftest import TESTS

from npuninja.arch.event_registers import trace_registers
from npuninja.arch.events import broadcast_event, events_of
from npuninja.commands.lower import lower_design
from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering.generation import rules_of
from npuninja.lowering.tiles import ops_of
from npuninja.lowering.trace import lower_traces

TRACE = "aie.trace.start broadcast = 15\n aie.trace.stop broadcast = 14\n"


def device_of(body: str, sequence: str = "", host: str = "{buffer_size = 4096 : i32}") -> Operation:
    """A device of four tiles with traces, and a sequence that starts those named in `sequence`."""
    starts = "".join(f"aie.trace.start_config @{name}\n" for name in sequence.split())
    text = f"""module {{ aie.device(npu2_2col) {{
        %shim = aie.tile(0, 0)
        %shim1 = aie.tile(1, 0)
        %mem = aie.tile(1, 1)
        %core = aie.tile(0, 2)
        {body}
        aie.runtime_sequence @sequence(%a: memref<16xi32>) {{
          aie.trace.host_config {host}
          {starts}
        }}
    }} }}"""
    return parse_module(text, "design.mlir").body.ops[0]


def lowered(device: Operation, generation: str = "2026-08") -> Operation:
    """The device behind the trace passes of a generation."""
    lower_traces(device, rules_of(generation))
    return device


def registers(device: Operation) -> dict[str, dict[str, tuple[int, int]]]:
    """Value and mask (both unsigned) of each register of each configuration."""
    return {
        config.string("sym_name"): {
            op.string("reg_name"): (op.integer("value") & 0xFFFFFFFF, op.integer("mask") & 0xFFFFFFFF)
            for op in config.body.ops
            if op.name == "aie.trace.reg"
        }
        for config in ops_of(device, "aie.trace.config")
    }


def writes(device: Operation) -> list[tuple[int, int, int, int]]:
    """(column, row, offset, value) of each write of the sequence."""
    sequence = next(iter(ops_of(device, "aie.runtime_sequence")))
    return [
        (op.integer("column"), op.integer("row"), op.integer("address"), op.integer("value"))
        for op in sequence.body.ops
        if op.name == "aiex.npu.write32"
    ]


@pytest.mark.parametrize(
    ("module", "event", "number"),
    [
        ("core", "PORT_TLAST_7", 105),
        ("core", "INSTR_WARNING", 68),
        ("core", "INSTR_LOCK_RELEASE_REQ", 45),
        ("memory", "LOCK_SEL3_EQUAL_TO_VALUE", 59),
        ("shim", "LOCK_5_REL", 61),
        ("memtile", "CONFLICT_DM_BANK_15", 127),
    ],
)
def test_events_have_their_numbers(module: str, event: str, number: int) -> None:
    assert events_of(module)[event] == number


def test_every_event_fits_its_fields() -> None:
    for module in ("core", "memory", "memtile", "shim"):
        field = trace_registers(module)["Trace_Event0"].fields["Trace_Event0"]
        numbers = list(events_of(module).values())
        assert len(set(numbers)) == len(numbers)
        assert max(numbers) <= field.mask
        assert broadcast_event(module, 15) == broadcast_event(module, 0) + 15


def test_memtile_registers_are_joined_and_its_events_have_eight_bits() -> None:
    device = lowered(
        device_of(
            f"""aie.trace @t(%mem) {{
            aie.trace.event<"DMA_S2MM_SEL0_START_TASK">
            aie.trace.event<"NONE">
            aie.trace.event<"NONE">
            aie.trace.event<"BROADCAST_14">
            aie.trace.port<5> port = North channel = 1 direction = MM2S
            aie.trace.combo_event<1> <"PERF_CNT0_EVENT"> AND_NOT <"TRUE">
            aie.trace.edge_event<1> event = <"LOCK_SEL0_REL"> trigger = BOTH
            {TRACE}}}""",
            "t",
        )
    )
    assert registers(device)["t_config"] == {
        "Combo_event_inputs": (1 << 24 | 5 << 16, 0xFFFF0000),
        "Combo_event_control": (1 << 8, 0x300),
        "Edge_Detection_event_control": (3 << 25 | 48 << 16, 0x06FF0000),
        "Trace_Control1": (3 << 12 | 1, 0x701F),
        "Trace_Control0": (156 << 24 | 157 << 16, 0xFFFF0000),
        "Stream_Switch_Event_Port_Selection_1": (14 << 8, 0x3F00),
        "Trace_Event0": (156 << 24 | 21, 0xFFFFFFFF),
    }
    assert (1, 1, 0x94000, 157 << 8) in writes(device)


def test_ids_follow_the_places_in_the_later_generation_and_the_text_before() -> None:
    body = "".join(
        f"aie.trace @{n}(%{t}) {{ {TRACE} }}\n" for n, t in (("m", "mem"), ("c", "core"), ("s", "shim1"))
    )
    by_generation = {}
    for generation in ("2026-02", "2026-08"):
        device = lowered(device_of(body), generation)
        by_generation[generation] = [op.integer("ID") for op in ops_of(device, "aie.packet_flow")]
    assert by_generation == {"2026-02": [1, 2, 3], "2026-08": [3, 1, 2]}


def test_a_shim_that_receives_the_traces_starts_by_its_own_event() -> None:
    device = lowered(device_of(f"aie.trace @s(%shim) {{ {TRACE} }}", "s"))
    assert registers(device)["s_config"]["Trace_Control0"] == (126 << 24 | 127 << 16, 0x7F7F0000)
    timers = [w for w in writes(device) if w[2] == 0x34000]
    assert timers == [(0, 0, 0x34000, 127 << 8)]


def test_the_free_channel_of_the_shim_is_taken() -> None:
    used = "aie.flow(%core, DMA : 0, %shim, DMA : 1)"
    device = lowered(device_of(f"{used}\naie.trace @c(%core) {{ {TRACE} }}"))
    (flow,) = ops_of(device, "aie.packet_flow")
    assert flow.body.ops[-1].integer("channel") == 0
    assert (0, 0, 0x1D204, 1 << 31 | 15) in writes(device)


@pytest.mark.parametrize(
    ("generation", "host", "argument", "offset"),
    [
        ("2026-02", "buffer_size = 4096", 4, 0),
        ("2026-02", "buffer_size = 4096 arg_idx = -1", 0, 64),
        ("2026-08", "{buffer_size = 4096 : i32}", 1, 0),
        ("2026-08", "{buffer_size = 4096 : i32, reuse_output_buffer = true}", 0, 64),
    ],
)
def test_the_buffer_of_the_host(generation: str, host: str, argument: int, offset: int) -> None:
    device = lowered(device_of(f"aie.trace @c(%core) {{ {TRACE} }}", "c", host), generation)
    (sequence,) = ops_of(device, "aie.runtime_sequence")
    (patch,) = [op for op in sequence.body.ops if op.name == "aiex.npu.address_patch"]
    assert (patch.integer("arg_idx"), patch.integer("arg_plus")) == (argument, offset)
    added = generation == "2026-08" and argument == 1
    assert [arg.type for arg in sequence.body.args] == ["memref<16xi32>"] + ["memref<4096xi8>"] * added


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'aie.trace @c(%core) { aie.trace.event<"DMA_S2MM_0_START_TASK">\n %s }',
            "the core module has no trace event",
        ),
        ("aie.trace @c(%core) { aie.trace.start broadcast = 15 }", "has no 'aie.trace.stop'"),
        ("aie.trace @a(%core) { %s }\naie.trace @b(%core) { %s }", "is set up twice"),
        (
            "aie.trace @a(%core) { aie.trace.packet id = 4 type = core\n %s }\n"
            "aie.trace @b(%core) { aie.trace.packet id = 4 type = mem\n %s }",
            "packet id 4 is already used",
        ),
        (
            "aie.flow(%core, DMA : 0, %shim, DMA : 0)\naie.flow(%mem, DMA : 0, %shim, DMA : 1)\n"
            "aie.trace @c(%core) { %s }",
            "both channels into host memory",
        ),
        (
            "aie.trace @c(%core) { aie.trace.port<0> port = Trace channel = 0 direction = S2MM\n %s }",
            "has no master port Trace : 0",
        ),
    ],
)
def test_what_cannot_be_traced_is_refused(body: str, message: str) -> None:
    body = body.replace("%s ", TRACE + " ")
    with pytest.raises(UserError, match=message) as caught:
        lowered(device_of(body))
    assert caught.value.location is not None


@pytest.mark.parametrize(("mode", "value"), [("Event-Time", 0), ("Event-PC", 1), ("Execution", 2)])
def test_the_mode_is_in_the_control_register(mode, value):
    """What aie-opt writes for the reference's traced core in each mode (lowest bits of Trace_Control0)."""
    text = (TESTS / "conformance" / "new_trace_core" / "design.mlir").read_text()
    found = lower_design(text.replace("Event-Time", mode), "design.mlir", None, "2026-02", Warnings())
    written = re.findall(
        r"write32 \{address = 213200 : ui32.*value = (\d+)", found["npu_insts.mlir"].decode()
    )
    assert written == [str(2038038528 + value)]


def test_a_buffer_without_traces_stays_and_has_no_instruction() -> None:
    """As with the reference, in every generation."""
    for generation, host in (("2026-08", "{buffer_size = 64 : i32}"), ("2026-02", "buffer_size = 64")):
        text = (
            f"module {{ aie.device(npu1) {{ aie.runtime_sequence @s() {{ aie.trace.host_config "
            f"{host} }} }} }}"
        )
        files = lower_design(text, "design.mlir", None, generation, Warnings())
        assert "aie.trace.host_config" in files["npu_insts.mlir"].decode()
        assert len(files["insts.bin"]) == 16  # the header of a stream
