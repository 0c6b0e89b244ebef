"""The section EMULATION_DATA of an XCLBIN: the wasm modules of a design's cores, found by their hash.

    "NPUNWASM", u32 version 1, u32 count, then per module: sha256 (32 bytes), u32 offset, u32 size; then the
    modules, each at a multiple of 8. Offsets count from the section's start. A design without cores has no
    modules that tell its NPU, so it has the family's name in their place: `npu1`, `npu2`.

A core's program memory holds the hash of its module (`npuninja.formats.core_image`), so each PDI is paired
with its own modules. The format is ours; real tools carry the section along and ignore it.
"""

from __future__ import annotations

import hashlib
import struct

from npuninja import TYPE_CHECKING
from npuninja.file_kinds import OWN_MAGIC
from npuninja.formats.byte_reader import ByteReader

if TYPE_CHECKING:
    from typing import Sequence

_DATA_VERSION = 1
_TABLE_START = 16
_ENTRY_BYTES = 40


def write_emulation_data(modules: Sequence[bytes]) -> bytes:
    """The section for these modules: sorted by hash, equal ones once, so the order of cores has no effect."""
    by_hash = {hashlib.sha256(module).digest(): module for module in modules}
    table = bytearray()
    body = bytearray()
    start = _TABLE_START + _ENTRY_BYTES * len(by_hash)
    for digest, module in sorted(by_hash.items()):
        body += bytes(-(start + len(body)) % 8)
        table += digest + struct.pack("<II", start + len(body), len(module))
        body += module
    return OWN_MAGIC + struct.pack("<II", _DATA_VERSION, len(by_hash)) + bytes(table) + bytes(body)


def write_family(family: str) -> bytes:
    """The section of a design without cores."""
    return OWN_MAGIC + struct.pack("<II", _DATA_VERSION, 0) + family.encode()


def read_family(data: bytes) -> str:
    """The family of a design without cores; "" when the section does not say one."""
    family = data[_TABLE_START:] if data[8:_TABLE_START] == struct.pack("<II", _DATA_VERSION, 0) else b""
    return family.decode() if family.isascii() and family.isalnum() else ""


def read_emulation_data(data: bytes, name: str) -> dict[bytes, bytes]:
    """The modules by sha256 digest. UserError when the section is damaged or a hash is wrong."""
    reader = ByteReader(data, name)
    magic = reader.block(0, 8, "EMULATION_DATA")
    version, count = reader.words(8, 2, "the header of EMULATION_DATA")
    if magic != OWN_MAGIC or version != _DATA_VERSION:
        raise reader.error(
            f'unknown EMULATION_DATA: expected "NPUNWASM" version 1, found {magic!r} version {version}'
        )
    reader.need(_TABLE_START, count * _ENTRY_BYTES, "the table of core modules")
    modules = {}
    for i in range(count):
        entry = _TABLE_START + i * _ENTRY_BYTES
        digest = reader.block(entry, 32, "a core module's hash")
        offset, size_bytes = reader.words(entry + 32, 2, "a core module's place")
        module = reader.block(offset, size_bytes, f"core module {i}")
        if hashlib.sha256(module).digest() != digest:
            raise reader.error(
                f"damaged EMULATION_DATA: core module {i} does not have its hash {digest.hex()[:16]}…"
            )
        modules[digest] = module
    return modules
