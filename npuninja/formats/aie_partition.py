"""The section AIE_PARTITION of an XCLBIN: the PDIs, and where on the array they may be placed.

A header of 184 bytes, then a heap whose items are aligned to 8 bytes; offsets count from the section's start.
Source: XRT xclbin.h (aie_partition, aie_pdi, cdo_group); heap order as xclbinutil 2.25 writes it.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.formats.byte_reader import ByteReader
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

_HEADER_BYTES = 184
_ENTRY_BYTES = 96  # of aie_pdi, and of cdo_group
_OPERATIONS_PER_CYCLE = 2048  # this and the next three: aiecc's JSON
_INFERENCE_FINGERPRINT = 23423
_PRE_POST_FINGERPRINT = 12345
_PRE_CDO_GROUP = 0xC1
_GROUP_NAME = b"DPU"
_GROUP_PRIMARY = 1
_PDI_ID = 1


class PartitionPdi(NamedTuple):
    """A PDI, its UUID, the numbers of the kernels in it, and the number by which streams may load it."""

    uuid: bytes
    image: bytes
    kernel_ids: tuple[int, ...]
    pdi_id: int = _PDI_ID


class AiePartition(NamedTuple):
    """The content of the section AIE_PARTITION."""

    column_width: int
    start_columns: tuple[int, ...]
    pdis: tuple[PartitionPdi, ...]
    operations_per_cycle: int = _OPERATIONS_PER_CYCLE
    inference_fingerprint: int = _INFERENCE_FINGERPRINT
    pre_post_fingerprint: int = _PRE_POST_FINGERPRINT


class _Heap:
    """Collects items after the header."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, item: bytes) -> int:
        """Appends an item at the next multiple of 8 and returns its offset from the section's start."""
        self.data += bytes(-len(self.data) % 8)
        offset = _HEADER_BYTES + len(self.data)
        self.data += item
        return offset


def write_aie_partition(partition: AiePartition) -> bytes:
    """The bytes of the section AIE_PARTITION."""
    heap = _Heap()
    name = heap.add(b"\0")  # xclbinutil writes the section's index here, not the name of the JSON
    commit = heap.add(b"\0")
    start_columns = heap.add(struct.pack(f"<{len(partition.start_columns)}H", *partition.start_columns))
    entries = []
    for pdi in partition.pdis:
        image = heap.add(pdi.image)
        group_name = heap.add(_GROUP_NAME + b"\0")
        kernel_ids = heap.add(struct.pack(f"<{len(pdi.kernel_ids)}Q", *pdi.kernel_ids))
        pre_groups = heap.add(struct.pack("<Q", _PRE_CDO_GROUP))
        group = struct.pack(
            "<IB3xQ4I64x",
            group_name,
            _GROUP_PRIMARY,
            pdi.pdi_id,
            len(pdi.kernel_ids),
            kernel_ids,
            1,
            pre_groups,
        )
        entries.append(struct.pack("<16s4I64x", pdi.uuid, len(pdi.image), image, 1, heap.add(group)))
    pdis = heap.add(b"".join(entries))
    header = struct.pack(
        "<B3xII4xQQH6xII72xIII52x",
        0,
        name,
        partition.operations_per_cycle,
        partition.inference_fingerprint,
        partition.pre_post_fingerprint,
        partition.column_width,
        len(partition.start_columns),
        start_columns,
        len(entries),
        pdis,
        commit,
    )
    return header + bytes(heap.data) + bytes(-len(heap.data) % 8)


def read_aie_partition(data: bytes, name: str) -> AiePartition:
    """Reads the section. Raises UserError when an offset or size leads out of it."""
    reader = ByteReader(data, name)
    reader.need(0, _HEADER_BYTES, "the header of AIE_PARTITION")
    columns, columns_offset = reader.words(0x28, 2, "the start columns")
    count, offset = reader.words(0x78, 2, "the table of PDIs")
    start = reader.block(columns_offset, 2 * columns, "the start columns")
    reader.need(offset, count * _ENTRY_BYTES, "the table of PDIs")
    pdis = tuple(_read_pdi(reader, offset + i * _ENTRY_BYTES) for i in range(count))
    return AiePartition(
        reader.u16(0x20, "the column width"),
        struct.unpack(f"<{columns}H", start),
        pdis,
        reader.u32(0x08, "operations per cycle"),
        reader.u64(0x10, "the inference fingerprint"),
        reader.u64(0x18, "the pre/post fingerprint"),
    )


def _read_pdi(reader: ByteReader, offset: int) -> PartitionPdi:
    uuid = reader.block(offset, 16, "a PDI's UUID")
    size_bytes, image, groups, group = reader.words(offset + 16, 4, "a PDI's entry")
    reader.need(group, groups * _ENTRY_BYTES, "a PDI's CDO groups")
    kernel_ids: list[int] = []
    pdi_id = _PDI_ID
    for i in range(groups):
        pdi_id = reader.u64(group + i * _ENTRY_BYTES + 8, "a PDI's number")
        count, ids = reader.words(group + i * _ENTRY_BYTES + 16, 2, "a CDO group's kernel ids")
        reader.need(ids, 8 * count, "a CDO group's kernel ids")
        kernel_ids += [reader.u64(ids + 8 * j, "a kernel id") for j in range(count)]
    return PartitionPdi(uuid, reader.block(image, size_bytes, "a PDI"), tuple(kernel_ids), pdi_id)


def with_pdi_uuids(data: bytes, uuids: Sequence[bytes], name: str) -> bytes:
    """The section with other UUIDs of its PDIs, in their order. Raises UserError when it is damaged."""
    reader = ByteReader(data, name)
    count, offset = reader.words(0x78, 2, "the table of PDIs")
    reader.need(offset, count * _ENTRY_BYTES, "the table of PDIs")
    changed = bytearray(data)
    for i, uuid in enumerate(uuids):
        changed[offset + i * _ENTRY_BYTES : offset + i * _ENTRY_BYTES + 16] = uuid
    return bytes(changed)


def kernel_ids_without_pdi(partition: AiePartition, kernel_ids: Sequence[int]) -> list[int]:
    """The kernels that no PDI implements; xclbinutil and the driver refuse such a file."""
    known = {i for pdi in partition.pdis for i in pdi.kernel_ids}
    return [i for i in kernel_ids if i not in known]
