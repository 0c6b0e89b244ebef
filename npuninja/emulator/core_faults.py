"""From a trap in a core's code to an error that names the C line."""

from __future__ import annotations

import re
from typing import Any

from npuninja.emulator import layout
from npuninja.emulator.cores import OWN, Core, nearest_buffer
from npuninja.emulator.errors import CoreFault, EmulationError, Note, StackOverflow, TimeLimit
from npuninja.errors import Location

# wasmtime's backtrace, with the lines that WASMTIME_BACKTRACE_DETAILS=1 adds; inlined callers share a number:
#     0:     0x5f - core_0_2.wasm!kernel
#                     at kernels/vector_scale/scale.c:6:23
#                 - core_0_2
#                     at build/core_0_2.c:40:5
#     1:   0x49cb - engine.wasm!array_round
_FRAME = re.compile(r"\s+(?:\d+:\s+0x[0-9a-f]+ )?- (?:(\S+\.wasm)!)?(.+)")
_AT = re.compile(r"\s+at (.+?)(?::(\d+))?(?::(\d+))?")
_ENGINE = "engine.wasm"
_ADDRESS = re.compile(r"memory fault at wasm address 0x([0-9a-f]+)")
_CAUSE = re.compile(r"wasm trap: (.+)")
#: wasmtime's words for traps whose cause they do not tell.
_MEANINGS = {
    "out of bounds memory access": "an access at or above address 0x80000, where data memory ends",
    "wasm `unreachable` instruction executed": "the compiler has put a trap there: the code gets there only by what C "
    "leaves undefined, or calls __builtin_trap",
}
#: Callers that are named; a function that calls itself for ever has thousands.
_SHOWN_CALLERS = 8


def _frames(text: str) -> list[tuple[str, Location | None]]:
    """Functions of the core, innermost first, with the place of each."""
    found: list[tuple[str, Location | None]] = []
    for line in text.splitlines():
        frame, place = _FRAME.fullmatch(line), _AT.fullmatch(line)
        if frame:
            if frame[1] == _ENGINE:
                break
            found.append((frame[2], None))
        elif place and found:
            location = Location(place[1].removeprefix("./"), int(place[2] or 0), int(place[3] or 0))
            found[-1] = (found[-1][0], location)
    return found


def _callers(frames: list[tuple[str, Location | None]]) -> tuple[Note, ...]:
    """A note for each caller, innermost first; of very many the first and the outermost."""
    callers = [(f"called from {caller}", where) for caller, where in frames[1:]]
    if len(callers) <= _SHOWN_CALLERS:
        return tuple(callers)
    left_out = len(callers) - _SHOWN_CALLERS
    return (*callers[: _SHOWN_CALLERS - 1], (f"… {left_out} more calls …", None), callers[-1])


def core_trap(core: Core, text: str) -> EmulationError:
    """The error for a trap in a core's code; `text` is wasmtime's message with the backtrace."""
    column, row = layout.tile_place(core.tile)
    name = f"core ({column}, {row})"
    frames = _frames(text)
    function, location = frames[0] if frames else (core.info.entry, None)
    notes = _callers(frames)
    report: dict[str, Any] = {
        "tile": [column, row],
        "function": function,
        "backtrace": [f"{caller} at {where}" if where else caller for caller, where in frames],
    }
    address_match = _ADDRESS.search(text)
    if address_match is None:
        # A trap without an address: an arithmetic one, or an access so far out that wasmtime does not say
        # where.
        cause = _CAUSE.search(text)
        what = cause[1].strip() if cause else text.strip().split("\n", 1)[0]
        what = _MEANINGS.get(what, what)
        return CoreFault(f"{name} stopped in {function}: {what}", location, notes=notes, report=report)
    address = int(address_match[1], 16)
    report["address"] = address
    stack, claimed = core.info.stack_bytes, core.stack_claimed_bytes()
    if claimed > stack and OWN + stack - claimed <= address < OWN:
        report.update(stack_bytes=stack, stack_claimed_bytes=claimed)
        return StackOverflow(
            f"{name} overflows its stack in {function}: it has {stack} bytes, and {claimed} are needed there",
            location,
            notes=notes,
            hint=f"give the core more stack, e.g. stack_size = 0x{_rounded(claimed):x}, or make local arrays static; on "
            "hardware this would overwrite the buffers behind the stack",
            report=report,
        )
    where = nearest_buffer(core.info, address)
    report["where"] = where
    return CoreFault(
        f"{name} touches address 0x{address:05x} in {function}: {where}", location, notes=notes, report=report
    )


def _rounded(size_bytes: int) -> int:
    """A stack size with a quarter to spare, in whole KiB: what is called from there needs some too."""
    return -(-size_bytes * 5 // 4 // 1024) * 1024


def full_stack(core: Core) -> StackOverflow:
    """The error for a stack that is used to its last word and may have grown into a neighbour's memory."""
    column, row = layout.tile_place(core.tile)
    stack = core.info.stack_bytes
    return StackOverflow(
        f"core ({column}, {row}) uses its stack of {stack} bytes to the last word, and may have overwritten a buffer of the "
        "core to the north",
        hint=f"give the core more stack: stack_size = 0x{_rounded(2 * stack):x}",
        report={"tile": [column, row], "stack_bytes": stack, "stack_used_bytes": stack},
    )


def endless(core: Core, text: str, time_limit_s: float) -> TimeLimit:
    """The error for a core that does not come back within the time limit."""
    column, row = layout.tile_place(core.tile)
    frames = _frames(text)
    function, location = frames[0] if frames else (core.info.entry, None)
    return TimeLimit(
        f"core ({column}, {row}) is still in {function} after {time_limit_s:g} s",
        location,
        notes=_callers(frames),
        hint="the loop may have no end; else raise the time limit",
        report={"tile": [column, row], "function": function, "time_limit_s": time_limit_s},
    )
