"""Accesses of a core that reach memory they should not, as errors."""

from __future__ import annotations

from collections.abc import Mapping

from npuninja.arch.devices import DATA_END, DATA_START, DATA_WINDOW_BYTES, DATA_WINDOWS
from npuninja.emulator import layout
from npuninja.emulator.checks.regions import BUFFER, MemoryRegion, regions_of
from npuninja.emulator.core_faults import own_frames, stack_overflow
from npuninja.emulator.core_modules.places import SourceFrame
from npuninja.emulator.cores import NEIGHBOUR_STEPS, NO_MEMORY, EmulatedCore
from npuninja.emulator.errors import BadAccess, EmulationError, Note, finding

#: `BadAccess` in engine/checks.c.
_OUTSIDE, _OTHER_BUFFER, _NOT_FILLED, _UNALIGNED, _STRAYED = range(1, 6)
_HINTS = {
    _OUTSIDE: "an index or a size in the kernel is too large, or the buffer in the design too small",
    _OTHER_BUFFER: "the kernel was not given this buffer: an index leaves the one it was given, "
    "or a pointer was kept",
    _NOT_FILLED: "write it first, or give the buffer an initial value: "
    "on an NPU it holds what was there before",
    _STRAYED: "an index of the argument leaves its buffer and meets another that the kernel was given too",
    _UNALIGNED: "an AIE core has no unaligned access of this kind: use bytes, or align the buffer",
}


def bad_access(
    words: tuple[int, ...], core: EmulatedCore, frames: list[SourceFrame], cores: Mapping[int, EmulatedCore]
) -> EmulationError:
    """The error for the engine's record: tile, reason, address, bytes, packed site, whether it writes."""
    tile, why, address, size, packed, last = words[:6]
    writes, given = last & 1, last >> 1
    frames = own_frames(frames)
    column, row = layout.tile_place(tile)
    overflow = stack_overflow(core, frames, address, {"tile": [column, row]})
    if overflow is not None:
        return finding(overflow)
    regions = regions_of(core.info)
    verb = "writes" if writes else "reads"
    where = _where(address, size, regions, tile, cores)
    function = frames[0][0] if frames else core.info.entry
    what = {
        _OUTSIDE: f"{verb} {_bytes(size)} at 0x{address:05x}, outside every buffer: {where}",
        _OTHER_BUFFER: f"{verb} {_bytes(size)} at 0x{address:05x} of a buffer that it was not given: {where}",
        _STRAYED: f"{verb} {_bytes(size)} at 0x{address:05x}, {_strayed(address, given, regions)}: {where}",
        _NOT_FILLED: f"reads {_bytes(size)} at 0x{address:05x} that nothing has written: {where}",
        _UNALIGNED: f"{verb} at 0x{address:05x}, which is no multiple of {1 << (packed >> 23 & 7)}: {where}",
    }[why]
    notes: tuple[Note, ...] = tuple((f"called from {caller}", place) for caller, place in frames[1:9])
    return BadAccess(
        f"core ({column}, {row}) in {function} {what}",
        frames[0][1] if frames else None,
        notes=notes,
        hint=_HINTS[why],
        report={
            "tile": [column, row],
            "why": ["outside", "other buffer", "uninitialised", "unaligned", "strayed"][why - 1],
            "address": address,
            "bytes": size,
            "writes": bool(writes),
            "function": function,
            "where": where,
            "backtrace": [f"{caller} at {place}" if place else caller for caller, place in frames],
        },
    )


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _where(
    address: int, size: int, regions: list[MemoryRegion], tile: int, cores: Mapping[int, EmulatedCore]
) -> str:
    """A phrase about the place: in which buffer, or how far from the nearest."""
    if not DATA_START <= address < DATA_END:
        return NO_MEMORY
    for region in regions:
        if region.start <= address < region.end:
            return _inside(region, address, size)
    stack = _neighbours_stack(address, tile, cores)
    if stack:
        return stack
    window = next(n for n, start in DATA_WINDOWS.items() if start <= address < start + DATA_WINDOW_BYTES)
    start = DATA_WINDOWS[window]
    near = [r for r in regions if start <= r.start < start + DATA_WINDOW_BYTES]
    place = f"in the {window} data memory"
    if not near:
        return f"{place}, of which the core has no buffer"
    behind = [(address - r.end, f"{_bytes(address - r.end)} past the end of {_name(r)}") for r in near]
    before = [
        (r.start - address, f"{_bytes(r.start - address)} before {_name(r)}")
        for r in near
        if r.kind == BUFFER
    ]
    return f"{place}, {min(x for x in behind + before if x[0] >= 0)[1]}"


def _name(region: MemoryRegion) -> str:
    return f"buffer '{region.symbol}'" if region.kind == BUFFER else region.symbol


def _inside(region: MemoryRegion, address: int, size: int) -> str:
    offset, length = address - region.start, region.end - region.start
    name = _name(region)
    if address + size > region.end:
        return f"{address + size - region.end} bytes past the end of {name}"
    return f"byte {offset} of {name}, which has {length}"


def _strayed(address: int, given: int, regions: list[MemoryRegion]) -> str:
    """How far an address is from the buffer that its argument points into, which begins at `given`."""
    region = next((r for r in regions if r.start == given), None)
    if region is None:
        return ""  # another kind of fault
    far = given - address if address < given else address - region.end
    side = "before" if address < given else "past the end of"
    return f"{_bytes(far)} {side} buffer '{region.symbol}', which its argument points into"


def _neighbours_stack(address: int, tile: int, cores: Mapping[int, EmulatedCore]) -> str | None:
    for window, start in DATA_WINDOWS.items():
        other = cores.get(tile + NEIGHBOUR_STEPS.get(window, 0))
        if window == "own" or other is None or not start <= address < start + other.info.stack_bytes:
            continue
        return f"in the stack of core {layout.tile_place(other.tile)} to the {window}"
    return None
