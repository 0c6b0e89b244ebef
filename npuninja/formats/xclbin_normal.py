"""Takes time and chance out of an XCLBIN that xclbinutil made.

xclbinutil stores the time of day twice and a random UUID, each also in the mirror data, and knows no
SOURCE_DATE_EPOCH; aiecc adds random UUIDs of PDIs. Here times become 0 and every UUID a hash of the content:
the same input gives the same bytes, and different content a different UUID, by which XRT caches.

Source: files made by xclbinutil 2.20 to 2.25 that differ in nothing else; formats of XRT's xclbin.h.
"""

from __future__ import annotations

import re
import struct

from npuninja.formats.aie_partition import read_aie_partition, with_pdi_uuids
from npuninja.formats.xclbin import AIE_PARTITION, HEADER_BYTES, UUID_OFFSET, content_uuid, read_xclbin
from npuninja.formats.xclbin_mirror import END, START

_UNIQUE_ID, _FILE_BYTES, _TIME_STAMP = 0x128, 0x130, 0x138


def normalised(data: bytes, name: str) -> bytes:
    """The same XCLBIN without times and with UUIDs from its content. Raises UserError when it is damaged."""
    data = _with_pdi_uuids(data, name)
    start = data.rfind(START)
    body, mirror = (data, b"") if start < 0 else (data[:start], data[start:])
    uuid = content_uuid(body[HEADER_BYTES:])
    mirror = _in_mirror(mirror, "UniqueID", "00" * 8)
    mirror = _in_mirror(mirror, "TimeStamp", "0")
    mirror = _in_mirror(mirror, "XclBinUUID", uuid.hex())
    # One line break less than XRT 2.20 wrote there: newer versions write none.
    mirror = mirror.replace(b"\n" + END, END)
    header = bytearray(body)
    struct.pack_into("<Q", header, _UNIQUE_ID, 0)
    struct.pack_into("<Q", header, _TIME_STAMP, 0)
    struct.pack_into("<Q", header, _FILE_BYTES, len(body) + len(mirror))
    header[UUID_OFFSET : UUID_OFFSET + 16] = uuid
    return bytes(header) + mirror


def _with_pdi_uuids(data: bytes, name: str) -> bytes:
    section = read_xclbin(data, name).section(AIE_PARTITION)
    if section is None:
        return data
    pdis = read_aie_partition(section.data, name).pdis
    changed = with_pdi_uuids(section.data, [content_uuid(pdi.image) for pdi in pdis], name)
    return data[: section.offset] + changed + data[section.offset + len(changed) :]


def _in_mirror(mirror: bytes, key: str, value: str) -> bytes:
    return re.sub(rb'"' + key.encode() + rb'":"[^"]*"', f'"{key}":"{value}"'.encode(), mirror, count=1)
