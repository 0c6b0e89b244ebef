"""Writes into memory that belongs to nothing: a kernel writes beyond its buffer, and nothing else notices.

Fresh data memory holds a pattern. What lies between a tile's stack, its buffers and its core's data must
still hold it after a run.
"""

from __future__ import annotations

import struct

from npuninja.arch.devices import DATA_WINDOW_BYTES
from npuninja.emulator import layout
from npuninja.emulator.cores import nearest_buffer
from npuninja.formats.core_abi import OWN_DATA
from npuninja.formats.core_image import CoreInfo
from npuninja.records import NamedTuple

_PATTERN = struct.pack("<I", layout.POISON) * (DATA_WINDOW_BYTES // 4)


class StrayWrite(NamedTuple):
    """A stretch of a tile's data memory that belongs to nothing and was written.

    Attributes:
        column, row: the tile.
        start, end: data addresses of its core: the first byte that changed, and the one after the last.
        where: what is nearest, as a phrase.
    """

    column: int
    row: int
    start: int
    end: int
    where: str

    @property
    def sentence(self) -> str:
        """The finding as a sentence for people."""
        stretch = f"bytes 0x{self.start:05x} to 0x{self.end - 1:05x} of tile ({self.column}, {self.row})"
        return f"{stretch} were written and belong to nothing: {self.where}"


def unowned_ranges(info: CoreInfo) -> list[tuple[int, int]]:
    """The stretches of a core's own data memory in which nothing lies, as data addresses (start, end)."""
    own = sorted((b.address, b.address + b.size_bytes) for b in info.buffers if b.address >= OWN_DATA)
    highest = max([OWN_DATA + info.stack_bytes, *[end for _, end in own]])
    ranges, free = [], OWN_DATA + info.stack_bytes
    # The kernels' data follows the highest buffer.
    for start, end in [
        *own,
        (highest, max(highest, info.data_end)),
        (OWN_DATA + DATA_WINDOW_BYTES, OWN_DATA + DATA_WINDOW_BYTES),
    ]:
        if start > free:
            ranges.append((free, start))
        free = max(free, end)
    return ranges


def stray_writes(info: CoreInfo, data_memory: memoryview) -> list[StrayWrite]:
    """What was written outside everything in the data memory of a core's tile, a stretch for each gap."""
    found = []
    for start, end in unowned_ranges(info):
        part = slice(start - OWN_DATA, end - OWN_DATA)
        if data_memory[part] == _PATTERN[part]:
            continue
        changed = int.from_bytes(data_memory[part], "little") ^ int.from_bytes(_PATTERN[part], "little")
        first = start + ((changed & -changed).bit_length() - 1) // 8
        last = start + (changed.bit_length() - 1) // 8
        found.append(StrayWrite(info.column, info.row, first, last + 1, nearest_buffer(info, first)))
    return found
