"""From a trap in a core's code to an error that names the C line."""

from __future__ import annotations

import re
from typing import Any

import wasmtime

from npuninja.arch.devices import advised_stack_bytes
from npuninja.emulator import layout
from npuninja.emulator.core_modules.address_map import ADDRESS_SPACE_BYTES
from npuninja.emulator.core_modules.places import SourceFrame
from npuninja.emulator.cores import EmulatedCore, nearest_buffer
from npuninja.emulator.errors import CoreFault, EmulationError, Note, StackOverflow, TimeLimit, finding
from npuninja.file_kinds import HEADERS_IN_OBJECTS
from npuninja.formats.core_abi import OWN_DATA

_ADDRESS = re.compile(r"memory fault at wasm address 0x([0-9a-f]+)")
_CAUSE = re.compile(r"wasm trap: (.+)")
#: wasmtime's words for traps whose cause they do not say.
_BEYOND = "out of bounds memory access"
_MEANINGS = {
    _BEYOND: "an access at or above address 0x80000, where data memory ends",
    "wasm `unreachable` instruction executed": "the compiler has put a trap there: the code gets there only "
    "by what C leaves undefined, or calls __builtin_trap",
}
#: Callers that are named; a function that calls itself for ever has thousands.
_SHOWN_CALLERS = 8


def _callers(frames: list[SourceFrame]) -> tuple[Note, ...]:
    """A note for each caller, innermost first; of very many the first and the outermost."""
    callers = [(f"called from {caller}", where) for caller, where in frames[1:]]
    if len(callers) <= _SHOWN_CALLERS:
        return tuple(callers)
    left_out = len(callers) - _SHOWN_CALLERS
    return (*callers[: _SHOWN_CALLERS - 1], (f"… {left_out} more calls …", None), callers[-1])


def own_frames(frames: list[SourceFrame]) -> list[SourceFrame]:
    """The frames without those of npuninja's own headers (memcpy and the like) at the start."""
    first = 0
    while first + 1 < len(frames):
        where = frames[first][1]
        if where is None or not where.file.startswith(HEADERS_IN_OBJECTS):
            break
        first += 1
    return frames[first:]


def core_trap(core: EmulatedCore, trap: wasmtime.Trap, checked: bool = False) -> EmulationError:
    """The error for a trap in a core's code; `checked`: accesses are checked, so wild ones are findings."""
    column, row = layout.tile_place(core.tile)
    name = f"core ({column}, {row})"
    frames, text = own_frames(core.frames(trap)), str(trap)
    function, location = frames[0] if frames else (core.info.entry, None)
    notes = _callers(frames)
    report: dict[str, Any] = {
        "tile": [column, row],
        "function": function,
        "backtrace": [f"{caller} at {where}" if where else caller for caller, where in frames],
    }
    address_match = _ADDRESS.search(text)
    address = core.address_of_fault(trap, int(address_match[1], 16)) if address_match else ADDRESS_SPACE_BYTES
    if address >= ADDRESS_SPACE_BYTES:
        # A trap without an address: an arithmetic one, or an access so far out that wasmtime gives none.
        cause = _CAUSE.search(text)
        what = cause[1].strip() if cause else text.strip().split("\n", 1)[0]
        if address_match:
            what = _BEYOND
        is_wild = what == _BEYOND
        what = _MEANINGS.get(what, what)
        fault = CoreFault(f"{name} stopped in {function}: {what}", location, notes=notes, report=report)
        return finding(fault) if checked and is_wild else fault
    report["address"] = address
    overflow = stack_overflow(core, frames, address, report)
    if overflow is not None:
        return finding(overflow) if checked else overflow
    where = nearest_buffer(core.info, address)
    report["where"] = where
    fault = CoreFault(
        f"{name} touches address 0x{address:05x} in {function}: {where}", location, notes=notes, report=report
    )
    return finding(fault) if checked else fault


def stack_overflow(
    core: EmulatedCore, frames: list[SourceFrame], address: int, report: dict[str, Any]
) -> StackOverflow | None:
    """The error when an address that was touched is beyond the end of the stack, as far as it is claimed."""
    column, row = layout.tile_place(core.tile)
    function, location = frames[0] if frames else (core.info.entry, None)
    stack, claimed = core.info.stack_bytes, core.stack_claimed_bytes()
    if claimed <= stack or not OWN_DATA + stack - claimed <= address < OWN_DATA:
        return None
    return StackOverflow(
        f"core ({column}, {row}) overflows its stack in {function}: it has {stack} bytes, "
        f"and {claimed} are needed there",
        location,
        notes=_callers(frames),
        hint=f"give the core more stack, e.g. stack_size = 0x{advised_stack_bytes(claimed):x}, or make "
        "local arrays static; on hardware this would overwrite the buffers after the stack",
        report={**report, "stack_bytes": stack, "stack_claimed_bytes": claimed},
    )


def full_stack(core: EmulatedCore) -> StackOverflow:
    """The error for a stack that is used to its last word and may have grown into a neighbour's memory."""
    column, row = layout.tile_place(core.tile)
    stack = core.info.stack_bytes
    return StackOverflow(
        f"core ({column}, {row}) uses its stack of {stack} bytes to the last word, "
        "and may have overwritten a buffer of the core to the north",
        hint=f"give the core more stack: stack_size = 0x{advised_stack_bytes(2 * stack):x}",
        report={"tile": [column, row], "stack_bytes": stack, "stack_used_bytes": stack},
    )


def endless(core: EmulatedCore, trap: wasmtime.Trap, time_limit_s: float) -> TimeLimit:
    """The error for a core that does not come back within the time limit."""
    column, row = layout.tile_place(core.tile)
    frames = core.frames(trap)
    function, location = frames[0] if frames else (core.info.entry, None)
    return TimeLimit(
        f"core ({column}, {row}) is still in {function} after {time_limit_s:g} s",
        location,
        notes=_callers(frames),
        hint="the loop may have no end: an emulated core runs until it waits for a lock, so a loop "
        "that waits for memory which another core or channel writes never sees it (wait for a "
        "lock); else raise the time limit",
        report={"tile": [column, row], "function": function, "time_limit_s": time_limit_s},
    )
