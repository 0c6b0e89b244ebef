"""Buffer descriptors as the registers have them: where their data lie, their locks, which one follows.

For reports; the engine reads them itself (engine/bd.c). Fields: AM025, DMA_BDn_m.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuninja.arch.devices import MEMTILE_LOCK_BASES
from npuninja.arch.registers import bd_offset, tile_address
from npuninja.emulator import layout
from npuninja.emulator.stream_trace import ReadRegister
from npuninja.records import NamedTuple

_WINDOW_STEPS = {"west": -layout.ROWS_PER_COLUMN, "own": 0, "east": layout.ROWS_PER_COLUMN}
_WINDOWS = {base // layout.LOCKS_PER_TILE: _WINDOW_STEPS[name] for name, base in MEMTILE_LOCK_BASES.items()}


class ChainedBD(NamedTuple):
    """A descriptor: its data's address as its field has it (in a tile's memory: a shim's data lie with the
    host), the numbers of locks it acquires and releases, the next descriptor; None for what it has not.
    """

    address: int
    acquires: int | None
    releases: int | None
    following: int | None


def read_bd(read: ReadRegister, device: layout.Geometry, tile: int, bd: int) -> ChainedBD:
    """A descriptor of a tile."""
    kind = device.kind(tile)
    start = tile_address(*layout.tile_place(tile), bd_offset(kind, bd))
    if kind == "mem":
        chain, control = read(start + 4), read(start + 28)
        acquires, releases = _memtile_lock(tile, control), _memtile_lock(tile, control >> 16)
        return ChainedBD(
            chain & 0x7FFFF,
            acquires if control >> 15 & 1 else None,
            releases if control >> 24 & 0x7F else None,
            chain >> 20 & 63 if chain >> 19 & 1 else None,
        )
    control = read(start + (20 if kind == "core" else 28))
    first_lock = layout.LOCKS_PER_TILE * tile
    return ChainedBD(
        read(start) >> 14 & 0x3FFF,
        first_lock + (control & 15) if control >> 12 & 1 else None,
        first_lock + (control >> 13 & 15) if control >> 18 & 0x7F else None,
        control >> 27 & 15 if control >> 26 & 1 else None,
    )


def _memtile_lock(tile: int, field: int) -> int:
    """The number of a lock that a memory tile's descriptor names, which may be a neighbour's."""
    window, lock = divmod(field & 0xFF, layout.LOCKS_PER_TILE)
    return layout.LOCKS_PER_TILE * (tile + _WINDOWS.get(window, 0)) + lock


def chain_of(read: ReadRegister, device: layout.Geometry, tile: int, first: int) -> Iterator[ChainedBD]:
    """The descriptors from one on, each once."""
    seen: set[int] = set()
    bd: int | None = first
    while bd is not None and bd not in seen:
        seen.add(bd)
        found = read_bd(read, device, tile, bd)
        yield found
        bd = found.following
