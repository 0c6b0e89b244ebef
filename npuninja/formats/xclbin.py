"""XCLBIN (axlf): the container that the driver loads.

`write_xclbin` gives the sections, names and header that xclbinutil 2.25 makes from aiecc's command line,
except that times are 0 and the UUIDs come from the content, so that the same input gives the same bytes.
`read_xclbin` reads any XCLBIN; the sections' own readers are beside this module.

Source: XRT xclbin.h (axlf); files made by xclbinutil 2.25.
"""

from __future__ import annotations

import hashlib
import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.file_kinds import XCLBIN_MAGIC
from npuninja.formats import xclbin_sections as sections
from npuninja.formats.aie_partition import AiePartition, PartitionPdi, write_aie_partition
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.emulation_data import write_emulation_data, write_family
from npuninja.formats.xclbin_kinds import (
    AIE_PARTITION as AIE_PARTITION,
)
from npuninja.formats.xclbin_kinds import (
    CONNECTIVITY as CONNECTIVITY,
)
from npuninja.formats.xclbin_kinds import (
    EMBEDDED_METADATA as EMBEDDED_METADATA,
)
from npuninja.formats.xclbin_kinds import (
    EMULATION_DATA as EMULATION_DATA,
)
from npuninja.formats.xclbin_kinds import (
    GROUP_CONNECTIVITY as GROUP_CONNECTIVITY,
)
from npuninja.formats.xclbin_kinds import (
    GROUP_TOPOLOGY as GROUP_TOPOLOGY,
)
from npuninja.formats.xclbin_kinds import (
    IP_LAYOUT as IP_LAYOUT,
)
from npuninja.formats.xclbin_kinds import (
    MEM_TOPOLOGY as MEM_TOPOLOGY,
)
from npuninja.formats.xclbin_mirror import mirror_data
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

#: Names of section kinds (XRT xclbin.h: axlf_section_kind), for people.
KIND_NAMES = {
    0: "BITSTREAM", 1: "CLEARING_BITSTREAM", EMBEDDED_METADATA: "EMBEDDED_METADATA", 3: "FIRMWARE", 4: "DEBUG_DATA",
    5: "SCHED_FIRMWARE", MEM_TOPOLOGY: "MEM_TOPOLOGY", CONNECTIVITY: "CONNECTIVITY", IP_LAYOUT: "IP_LAYOUT",
    9: "DEBUG_IP_LAYOUT", 11: "CLOCK_FREQ_TOPOLOGY", 14: "BUILD_METADATA", 15: "KEYVALUE_METADATA", 16: "USER_METADATA",
    18: "PDI", EMULATION_DATA: "EMULATION_DATA", 22: "SYSTEM_METADATA", 23: "SOFT_KERNEL", 24: "ASK_FLASH",
    25: "AIE_METADATA", GROUP_TOPOLOGY: "GROUP_TOPOLOGY", GROUP_CONNECTIVITY: "GROUP_CONNECTIVITY", 28: "SMARTNIC",
    29: "AIE_RESOURCES", 30: "OVERLAY", 31: "VENDER_METADATA", AIE_PARTITION: "AIE_PARTITION",
}  # fmt: skip

HEADER_BYTES = 0x1C8
SECTION_HEADER_BYTES = 40
UUID_OFFSET = 0x1A0
VERSION = (2, 25, 0)  # of the xclbinutil whose output this is


class XclbinSection(NamedTuple):
    """One section. `name` is what xclbinutil stored, `offset` its place in the file."""

    kind: int
    name: str
    offset: int
    data: bytes

    @property
    def title(self) -> str:
        """The kind's name, or its number."""
        return KIND_NAMES.get(self.kind, f"section kind {self.kind}")


class Xclbin(NamedTuple):
    """A container: its UUID, the version of the tool that made it, and its sections in file order."""

    uuid: bytes
    version: tuple[int, int, int]
    sections: tuple[XclbinSection, ...]

    def section(self, kind: int) -> XclbinSection | None:
        """The first section of a kind, or None."""
        for section in self.sections:
            if section.kind == kind:
                return section
        return None


class XclbinKernel(NamedTuple):
    """One kernel of an XCLBIN: its PDI, and the names under which the host finds it.

    `buffers`: how many its call takes. `pdi_id`: the number by which an instruction stream may load the PDI.
    `name` is "" for a PDI that only streams load.
    """

    pdi: bytes
    name: str = sections.DEFAULT_KERNEL_NAME
    instance: str = sections.DEFAULT_INSTANCE_NAME
    kernel_id: int = sections.DEFAULT_KERNEL_ID
    buffers: int = sections.LEAST_BUFFERS
    pdi_id: int = 1


def content_uuid(data: bytes) -> bytes:
    """A UUID from content: 16 bytes of its sha256, marked as an RFC 4122 UUID of version 5."""
    digest = bytearray(hashlib.sha256(data).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def write_xclbin(
    kernels: Sequence[XclbinKernel],
    column_width: int,
    start_columns: Sequence[int],
    modules: Sequence[bytes] = (),
    family: str = "",
) -> bytes:
    """An XCLBIN with these kernels, each with its own PDI.

    Args:
        kernels: at least one; names and ids must differ.
        column_width: columns that a partition takes.
        start_columns: columns at which a partition may start.
        modules: the wasm modules of all cores, for the emulator; none for a design with AIE cores.
        family: of a design without cores, for the emulator; "" for others.

    Raises:
        UserError: a kernel's name cannot be stored, a name or id occurs twice, or there is no start column.
    """
    _check(kernels, start_columns)
    emulated = write_emulation_data(modules) if modules else write_family(family) if family else b""
    partition = AiePartition(
        column_width,
        tuple(start_columns),
        tuple(
            PartitionPdi(content_uuid(k.pdi), k.pdi, (k.kernel_id,) if k.name else (), k.pdi_id)
            for k in kernels
        ),
    )
    kernels = [kernel for kernel in kernels if kernel.name]
    units = [sections.ComputeUnit(f"{k.name}:{k.instance}", k.kernel_id) for k in kernels]
    links = sections.connections([k.buffers for k in kernels])
    memories = sections.write_mem_topology(sections.MEMORIES)
    # Names: xclbinutil stores the base names of aiecc's JSON files, cut to 15 characters.
    content = [
        (MEM_TOPOLOGY, "main_mem_topolo", memories),
        (AIE_PARTITION, "main_aie_partit", write_aie_partition(partition)),
        # xclbinutil puts an added section here: after these two, before those that it makes itself.
        *([(EMULATION_DATA, "core_modules", emulated)] if emulated else []),
        (
            EMBEDDED_METADATA,
            "",
            sections.write_embedded_metadata([(k.name, k.instance, k.kernel_id, k.buffers) for k in kernels]),
        ),
        (IP_LAYOUT, "", sections.write_ip_layout(units)),
        (CONNECTIVITY, "", sections.write_connectivity(links)),
        # xclbinutil lists every connection twice here: once for the memory, once for its group of one.
        (GROUP_CONNECTIVITY, "", sections.write_connectivity(links + links)),
        (GROUP_TOPOLOGY, "", memories),
    ]
    return _container(content)


def _check(kernels: Sequence[XclbinKernel], start_columns: Sequence[int]) -> None:
    kernels = [kernel for kernel in kernels if kernel.name]
    if not kernels:
        raise UserError("an XCLBIN needs at least one kernel")
    if not start_columns:
        raise UserError("an XCLBIN needs at least one start column")
    names: set[str] = set()
    ids: set[int] = set()
    for kernel in kernels:
        sections.check_kernel_name(kernel.name, kernel.instance)
        if kernel.name in names:
            raise UserError(
                f"two kernels are called '{kernel.name}'", hint="give each design its own kernel name"
            )
        if kernel.kernel_id in ids:
            raise UserError(
                f"two kernels have the id 0x{kernel.kernel_id:x}", hint="give each design its own kernel id"
            )
        names.add(kernel.name)
        ids.add(kernel.kernel_id)


def _container(content: Sequence[tuple[int, str, bytes]]) -> bytes:
    """Header, section headers, sections and mirror data."""
    placed = []
    body = bytearray()
    start = HEADER_BYTES + SECTION_HEADER_BYTES * len(content)
    for kind, name, data in content:
        body += bytes(-(start + len(body)) % 8)
        placed.append(XclbinSection(kind, name, start + len(body), data))
        body += data
    body += bytes(-(start + len(body)) % 8)
    headers = b"".join(
        [struct.pack("<I16s4xQQ", s.kind, s.name.encode(), s.offset, len(s.data)) for s in placed]
    )
    uuid = content_uuid(headers + bytes(body))
    mirror = mirror_data(placed, uuid, VERSION)
    file_bytes = start + len(body) + len(mirror)
    return _header(file_bytes, uuid, len(placed)) + headers + bytes(body) + mirror


def _header(file_bytes: int, uuid: bytes, section_count: int) -> bytes:
    major, minor, patch = VERSION
    times = (
        0  # unique id, time stamp and feature ROM time: xclbinutil writes the time of day into the first two
    )
    return struct.pack(
        "<8si28s256sQQQQHBBHH16s64s16s16sI4x",
        XCLBIN_MAGIC,
        -1,  # not signed
        b"\xff" * 28,
        b"\xff" * 256,
        times,
        file_bytes,
        times,
        times,
        patch,
        major,
        minor,
        0,  # mode: flat
        0,  # action mask
        b"",
        b"",
        uuid,
        b"",
        section_count,
    )


def read_xclbin(data: bytes, name: str = "xclbin") -> Xclbin:
    """Reads a container. UserError when it is not one, is cut off, or a section lies outside the file."""
    reader = ByteReader(data, name)
    magic = reader.block(0, 8, "the mark of an XCLBIN")
    if magic != XCLBIN_MAGIC:
        hint = (
            "this is a Git LFS pointer; fetch the file itself with `git lfs pull`"
            if magic == b"version "
            else None
        )
        raise reader.error(f'not an XCLBIN: expected "xclbin2" at 0x0, found {magic!r}', hint)
    reader.need(0, HEADER_BYTES, "the XCLBIN header")
    file_bytes = reader.u64(0x130, "the file's length")
    if file_bytes != len(reader):
        hint = "it is cut off or damaged; build it again"
        raise reader.error(f"the XCLBIN says it has {file_bytes} bytes, the file has {len(reader)}", hint)
    count = reader.u32(0x1C0, "the number of sections")
    reader.need(HEADER_BYTES, count * SECTION_HEADER_BYTES, f"the headers of {count} sections")
    found = []
    for i in range(count):
        at = HEADER_BYTES + i * SECTION_HEADER_BYTES
        offset, size = reader.u64(at + 24, "a section's place"), reader.u64(at + 32, "a section's size")
        kind = reader.u32(at, "a section's kind")
        section_data = reader.block(offset, size, f"section {KIND_NAMES.get(kind, kind)}")
        found.append(XclbinSection(kind, reader.text(at + 4, 16, "a section's name"), offset, section_data))
    patch = reader.u16(0x148, "the version")
    version = (reader.u8(0x14A, "the version"), reader.u8(0x14B, "the version"), patch)
    return Xclbin(reader.block(UUID_OFFSET, 16, "the UUID"), version, tuple(found))
