"""What a core may touch: its stack, its kernels' data, its buffers and those of its neighbours."""

from __future__ import annotations

from npuninja.arch.devices import DATA_WINDOW_BYTES
from npuninja.formats.core_abi import OWN_DATA
from npuninja.formats.core_image import CoreInfo
from npuninja.records import NamedTuple

STACK, DATA, BUFFER = 1, 2, 3


class MemoryRegion(NamedTuple):
    """A stretch of a core's addresses: start, end, what it is, and the buffer's symbol."""

    start: int
    end: int
    kind: int
    symbol: str


def regions_of(info: CoreInfo) -> list[MemoryRegion]:
    """All that a core may touch, by address."""
    found = [MemoryRegion(OWN_DATA, OWN_DATA + info.stack_bytes, STACK, "the stack")]
    found += [MemoryRegion(b.address, b.address + b.size_bytes, BUFFER, b.symbol) for b in info.buffers]
    own = [r.end for r in found if r.start >= OWN_DATA]
    start = max(*own, info.data_origin)  # the kernels' data follows the highest buffer
    if start < info.data_end <= OWN_DATA + DATA_WINDOW_BYTES:
        found.append(MemoryRegion(start, info.data_end, DATA, "the kernels' data"))
    return sorted(r for r in found if r.end > r.start)
