"""The program of one core, read from an AIE ELF or from a wasm module into one shape for the configuration.

An AIE program is loaded and started. A wasm module never enters the array: program memory gets a stub of 16
words with the module's hash, the core stays in reset, and the emulator starts the module it finds under that
hash. docs/architecture.md, "Core images", is the contract.
"""

from __future__ import annotations

import hashlib
import json
import struct

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_END, DATA_START
from npuninja.file_kinds import OWN_MAGIC, WASM_MAGIC
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.core_abi import ABI_VERSION, MEMORY_PAGES, OWN_DATA
from npuninja.formats.elf import check_core_elf, read_elf
from npuninja.formats.wasm_module import WASM_PAGE_BYTES, WasmModule, read_wasm
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

CORE_SECTION = "npuninja.core"
NEIGHBOURS = ("south", "west", "north")

_STUB = struct.Struct("<8sII32s16x")
STUB_BYTES = _STUB.size


class DataSegment(NamedTuple):
    """Bytes to be put at a data address (0x40000 to 0x7FFFF), followed by zeros up to `memory_bytes`."""

    address: int
    data: bytes
    memory_bytes: int


class Wait(NamedTuple):
    """A place where a core waits: its resume point, where it is in the design, and the lock's symbol."""

    point: int
    file: str
    line: int
    column: int
    lock: str


class CoreBuffer(NamedTuple):
    """A buffer that the core can reach: its symbol, its data address, its size."""

    symbol: str
    address: int
    size_bytes: int


class CoreLock(NamedTuple):
    """A lock of the device: its symbol, and its number in the lock page."""

    symbol: str
    number: int


class TileBuffer(NamedTuple):
    """A buffer of a memory tile: its symbol, the tile, its address there, its size."""

    symbol: str
    column: int
    row: int
    address: int
    size_bytes: int


class CoreInfo(NamedTuple):
    """The custom section `npuninja.core` of a wasm core.

    `data_origin` and `data_end`: where the kernels' data begin and end. `architecture`: "aie2" or "aie2p". A
    module that does not say has origin 0 and architecture "". `tile_buffers`: those of memory tiles, which no
    core can reach; messages name them.
    """

    column: int
    row: int
    entry: str
    stack_bytes: int
    data_end: int
    waits: tuple[Wait, ...]
    buffers: tuple[CoreBuffer, ...]
    neighbours: tuple[str, ...]
    locks: tuple[CoreLock, ...] = ()
    data_origin: int = 0
    architecture: str = ""
    tile_buffers: tuple[TileBuffer, ...] = ()


class CoreImage(NamedTuple):
    """A core's program.

    Attributes:
        kind: "aie" or "wasm".
        program: pieces of program memory as (offset, bytes), each a multiple of 4 bytes.
        data: pieces of data memory.
        run: whether the core is taken out of reset and enabled.
        module: the wasm module's bytes; empty for an AIE program.
        info: what the wasm module says about itself; None for an AIE program.
    """

    kind: str
    program: tuple[tuple[int, bytes], ...]
    data: tuple[DataSegment, ...]
    run: bool
    module: bytes = b""
    info: CoreInfo | None = None


class Stub(NamedTuple):
    """What the program memory of a wasm core says: its stack's size and its module's sha256."""

    stack_bytes: int
    digest: bytes


def read_core_image(data: bytes, architecture: str, name: str) -> CoreImage:
    """Reads and checks a core's program, ELF or wasm. Raises UserError."""
    if data[:4] == WASM_MAGIC[:4]:
        return _from_wasm(data, name)
    elf = read_elf(data, name)
    check_core_elf(elf, architecture, name)
    program = []
    segments = []
    for segment in elf.segments:
        if segment.address < DATA_START:
            size = -(-segment.memory_bytes // 4) * 4
            program.append((segment.address, segment.data.ljust(size, b"\0")))
        else:
            segments.append(DataSegment(segment.address, segment.data, segment.memory_bytes))
    return CoreImage("aie", tuple(program), tuple(segments), True)


def _from_wasm(data: bytes, name: str) -> CoreImage:
    module = read_wasm(data, name)
    info = read_core_info(module, name)
    reader = ByteReader(b"", name)
    if module.memory_pages != (MEMORY_PAGES, MEMORY_PAGES):
        low, high = module.memory_pages or (0, 0)
        raise reader.error(
            f"the core module has {low * WASM_PAGE_BYTES} to {'any' if high is None else high * WASM_PAGE_BYTES} "
            f"bytes of memory, expected exactly {MEMORY_PAGES * WASM_PAGE_BYTES}"
        )
    for export, kind in (("memory", "memory"), ("__stack_pointer", "global"), (info.entry, "function")):
        found = module.export(export)
        if found is None or found.kind != kind:
            raise reader.error(
                f"the core module does not export the {kind} '{export}'", "link the core again"
            )
    segments = []
    end = max(
        [
            OWN_DATA + info.stack_bytes,
            *[b.address + b.size_bytes for b in info.buffers if b.address >= OWN_DATA],
        ]
    )
    for segment in module.segments:
        last = segment.address + len(segment.data)
        if segment.address < OWN_DATA or last > DATA_END:
            raise reader.error(
                f"the core module has data at 0x{segment.address:x} to 0x{last:x}, outside its own memory"
                f" 0x{OWN_DATA:x} to 0x{DATA_END:x}"
            )
        if segment.data:
            segments.append(DataSegment(segment.address, segment.data, len(segment.data)))
            end = max(end, last)
    if info.data_end > end:  # .bss
        segments.append(DataSegment(end, b"", info.data_end - end))
    return CoreImage("wasm", ((0, make_stub(info.stack_bytes, data)),), tuple(segments), False, data, info)


def make_stub(stack_bytes: int, module: bytes) -> bytes:
    """What is put into the program memory of a core whose program is this wasm module."""
    return _STUB.pack(OWN_MAGIC, ABI_VERSION, stack_bytes, hashlib.sha256(module).digest())


def read_stub(program_memory: bytes) -> Stub | None:
    """The stub at the start of program memory, or None when there is another program or none."""
    if len(program_memory) < STUB_BYTES:
        return None
    magic, version, stack_bytes, digest = _STUB.unpack_from(program_memory)
    return Stub(stack_bytes, digest) if magic == OWN_MAGIC and version == ABI_VERSION else None


def read_core_info(module: WasmModule, name: str) -> CoreInfo:
    """The custom section `npuninja.core`. Raises UserError when it is missing or not as the contract says."""
    reader = ByteReader(b"", name)
    raw = module.custom_section(CORE_SECTION)
    if raw is None:
        raise reader.error(
            f"the wasm module has no section '{CORE_SECTION}'", "use the output of the core link stage"
        )
    try:
        fields: dict[str, Any] = json.loads(raw)
        if fields["abi"] != ABI_VERSION:
            raise reader.error(
                f"the core module has ABI version {fields['abi']}, expected {ABI_VERSION}", "build it again"
            )
        info = CoreInfo(
            column=_int(fields["column"]),
            row=_int(fields["row"]),
            entry=_str(fields["entry"]),
            stack_bytes=_int(fields["stack_bytes"]),
            data_end=_int(fields["data_end"]),
            waits=tuple(
                Wait(_int(p), _str(f), _int(line), _int(c), _str(lock))
                for p, f, line, c, lock in fields["waits"]
            ),
            buffers=tuple(
                CoreBuffer(_str(s), _int(address), _int(size)) for s, address, size in fields["buffers"]
            ),
            neighbours=tuple(NEIGHBOURS[NEIGHBOURS.index(n)] for n in fields["neighbours"]),
            locks=tuple(CoreLock(_str(symbol), _int(number)) for symbol, number in fields.get("locks", ())),
            data_origin=_int(fields.get("data_origin", 0)),
            architecture=_str(fields.get("architecture", "")),
            tile_buffers=tuple(
                TileBuffer(_str(s), _int(column), _int(row), _int(address), _int(size))
                for s, column, row, address, size in fields.get("tile_buffers", ())
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise reader.error(
            f"damaged core module: the section '{CORE_SECTION}' is wrong ({error!r})"
        ) from None
    if info.data_end > DATA_END or not 0 <= info.stack_bytes <= DATA_END - OWN_DATA:
        raise reader.error(
            f"the core's data ends at 0x{info.data_end:x} and its stack has {info.stack_bytes} bytes,"
            f" its memory ends at 0x{DATA_END:x}"
        )
    return info


def _int(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
