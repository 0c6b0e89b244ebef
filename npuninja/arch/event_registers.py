"""The registers of a module's trace unit, event ports and event logic, and their fields.

Source: AM025, modules core, memory, memory tile and PL (shim); AIE2 and AIE2P are alike.
"""

from __future__ import annotations

from npuninja.records import NamedTuple

#: Start of the block of timer, events and trace in each module.
_BASE = {"core": 0x34000, "memory": 0x14000, "memtile": 0x94000, "shim": 0x34000}
#: Register that chooses the stream switch's ports 0 to 3 whose events are seen; the next is for ports 4 to 7.
_PORT_SELECTION = {"core": 0x3FF00, "memtile": 0xB0F00, "shim": 0x3FF00}

TIMER_CONTROL = 0x000
EVENT_GENERATE = 0x008
EVENT_BROADCAST = 0x010
#: Lowest bit of the event that resets the timer.
TIMER_RESET_EVENT_SHIFT = 8


class Field(NamedTuple):
    """Bits of a register."""

    low: int
    width: int

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return ((1 << self.width) - 1) << self.low


class Register(NamedTuple):
    """One register: offset in its tile, and fields by name."""

    offset: int
    fields: dict[str, Field]


def block_register(module: str, offset: int) -> int:
    """Offset in its tile of a register of the block of timer and events."""
    return _BASE[module] + offset


def event_register_names(module: str) -> dict[int, str]:
    """Names of the registers of timer, events and trace of a module, by their offset in its tile."""
    names = {register.offset: name for name, register in trace_registers(module).items()}
    for channel in range(16):
        names[block_register(module, EVENT_BROADCAST + 4 * channel)] = f"Event_Broadcast{channel}"
    return {offset: f"Memory_{name}" if module == "memory" else name for offset, name in names.items()}


def trace_registers(module: str) -> dict[str, Register]:
    """The registers an `aie.trace.reg` may name, of `core`, `memory`, `memtile` or `shim`."""
    base = _BASE[module]
    event = 8 if module == "memtile" else 7
    control = {"Trace_Stop_Event": Field(24, event), "Trace_Start_Event": Field(16, event)}
    if module == "core":
        control["Mode"] = Field(0, 2)
    registers = {
        "Timer_Control": Register(
            base + TIMER_CONTROL,
            {"Reset": Field(31, 1), "Reset_Event": Field(TIMER_RESET_EVENT_SHIFT, event)},
        ),
        "Event_Generate": Register(base + EVENT_GENERATE, {"Event": Field(0, event)}),
        "Trace_Control0": Register(base + 0xD0, control),
        "Trace_Control1": Register(base + 0xD4, {"Packet_Type": Field(12, 3), "ID": Field(0, 5)}),
        "Combo_event_inputs": Register(
            base + 0x400, {f"event{letter}": Field(8 * i, event) for i, letter in enumerate("ABCD")}
        ),
        "Combo_event_control": Register(base + 0x404, {f"combo{i}": Field(8 * i, 2) for i in range(3)}),
        "Edge_Detection_event_control": Register(
            base + 0x408,
            {
                name: field
                for i in range(2)
                for name, field in (
                    (f"Edge_Detection_Event_{i}", Field(16 * i, event)),
                    (f"Edge_Detection_{i}_Trigger_Rising", Field(16 * i + 9, 1)),
                    (f"Edge_Detection_{i}_Trigger_Falling", Field(16 * i + 10, 1)),
                )
            },
        ),
    }
    for half in range(2):
        registers[f"Trace_Event{half}"] = Register(
            base + 0xE0 + 4 * half, {f"Trace_Event{4 * half + i}": Field(8 * i, event) for i in range(4)}
        )
    if module in _PORT_SELECTION:
        for half in range(2):
            registers[f"Stream_Switch_Event_Port_Selection_{half}"] = Register(
                _PORT_SELECTION[module] + 4 * half,
                {
                    name: field
                    for i in range(4)
                    for name, field in (
                        (f"Port_{4 * half + i}_ID", Field(8 * i, 5)),
                        (f"Port_{4 * half + i}_Master_Slave", Field(8 * i + 5, 1)),
                    )
                },
            )
    return registers
