"""What the driver answers: GET_INFO and GET_ARRAY.

Source of numbers and layouts: include/uapi/drm/amdxdna_accel.h of Linux 7.2.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable

from npuninja.arch.devices import TILE_KINDS, TileKind
from npuninja.arch.families import Rows
from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.npu import Npu

AIE_METADATA, AIE_VERSION, CLOCK_METADATA, HW_CONTEXTS, FIRMWARE_VERSION, POWER_MODE = 1, 2, 3, 5, 8, 9
RESOURCE_INFO = 12
HW_CONTEXT_ALL, LAST_ASYNC_ERROR = 0, 2

_TILE = struct.Struct("<5H6x")  # rows, first row, DMA channels, locks, event registers
_METADATA = struct.Struct("<I2H2I")  # column bytes, columns, rows, version
_CLOCK = struct.Struct("<16s2I")  # name, MHz, pad
# id, first column, columns, pad, pid, submissions, completions, migrations, preemptions, errors
_CONTEXT = struct.Struct("<4Iq5Q")
_ENTRY = struct.Struct("<4Iq8Q14I")
_COLUMN_BYTES = 1 << 25  # of a column's address space


def _metadata(npu: Npu) -> bytes:
    model = npu.model
    tiles = b"".join(_tile_metadata(model.rows, TILE_KINDS[kind]) for kind in ("core", "mem", "shim"))
    return _METADATA.pack(_COLUMN_BYTES, model.all_columns, model.rows.number, 1, 1) + tiles


def _tile_metadata(rows: Rows, kind: TileKind) -> bytes:
    here = rows.of_kind(kind.name)
    return _TILE.pack(len(here), here[0], kind.s2mm_channels + kind.mm2s_channels, kind.locks, 0)


def _clocks(npu: Npu) -> bytes:
    mhz = npu.model.max_clock_mhz
    return _CLOCK.pack(b"MP-NPU Clock", mhz // 2, 0) + _CLOCK.pack(b"H Clock", mhz, 0)


def _contexts(npu: Npu) -> bytes:
    return b"".join(
        _CONTEXT.pack(
            c.handle,
            c.partition.first_column,
            c.partition.columns,
            0,
            pid,
            c.submitted,
            c.completed,
            0,
            0,
            c.errors,
        )
        for pid, c in npu.contexts()
    )


_INFO: dict[int, Callable[[Npu], bytes]] = {
    AIE_METADATA: _metadata,
    AIE_VERSION: lambda npu: struct.pack("<2I", 1, 1),
    CLOCK_METADATA: _clocks,
    HW_CONTEXTS: _contexts,
    FIRMWARE_VERSION: lambda npu: struct.pack("<4I", *npu.model.firmware),
    POWER_MODE: lambda npu: bytes(8),  # POWER_MODE_DEFAULT
    RESOURCE_INFO: lambda npu: struct.pack(
        "<5Q", npu.model.max_clock_mhz, 0, npu.model.context_limit, 0, len(npu.contexts())
    ),
}


def get_info(npu: Npu, parameter: int, given: bytes) -> bytes:
    """The answer to a question, at most as long as `given`.

    Raises:
        DriverError: EOPNOTSUPP for a question that is not known.
    """
    answer = _INFO.get(parameter)
    if answer is None:
        raise DriverError(errno.EOPNOTSUPP)
    return answer(npu)[: len(given)]


def get_array(npu: Npu, parameter: int, element_bytes: int, elements: int) -> list[bytes]:
    """At most `elements` answers of at most `element_bytes` bytes each. Raises DriverError as `get_info`."""
    if parameter == LAST_ASYNC_ERROR:
        return []  # none happened: what fails here fails with its command
    if parameter != HW_CONTEXT_ALL:
        raise DriverError(errno.EOPNOTSUPP)
    entries = []
    for pid, c in npu.contexts()[:elements]:
        counts = (c.submitted, c.completed, 0, 0, c.errors, 0, 0, 0)
        place = (c.handle, c.partition.first_column, c.partition.columns, c.handle)
        active = int(c.submitted != c.completed)
        entries.append(_ENTRY.pack(*place, pid, *counts, active, *[0] * 13)[:element_bytes])
    return entries
