"""The small sections of an XCLBIN: memories, compute units, connections, kernel description.

Each has a writer with xclbinutil's bytes and a reader. Sources: XRT xclbin.h (structures), files
that xclbinutil 2.25 made of aiecc's JSON (values, order, XML layout).
"""

from __future__ import annotations

import re
import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.formats.byte_reader import ByteReader
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Sequence

_MEM_DRAM = 2
_MEMORY_TYPES = {_MEM_DRAM: "MEM_DRAM"}
_PS_KERNEL = 7
_SUBTYPE_DPU = 1
_NO_ADDRESS = 0xFFFFFFFFFFFFFFFF
_NAME_BYTES = 64  # of "kernel:instance", with its final zero

DEFAULT_KERNEL_NAME = "MLIR_AIE"
DEFAULT_INSTANCE_NAME = "MLIRAIE"
DEFAULT_KERNEL_ID = 0x901


class Memory(NamedTuple):
    """One memory of MEM_TOPOLOGY."""

    tag: str
    size_kib: int
    base_address: int
    type: int = _MEM_DRAM
    used: bool = True


class ComputeUnit(NamedTuple):
    """One entry of IP_LAYOUT: "kernel:instance" and the number by which a PDI names the kernel."""

    name: str
    kernel_id: int
    functional: int = 0
    type: int = _PS_KERNEL
    subtype: int = _SUBTYPE_DPU


class MemoryConnection(NamedTuple):
    """One entry of CONNECTIVITY: an argument of a compute unit reaches a memory."""

    argument: int
    unit: int
    memory: int


class KernelArgument(NamedTuple):
    """An argument of the kernel call; `memory`: its memory's index, None for a number passed by value."""

    name: str
    type: str
    offset: str
    size_bytes: int
    memory: int | None


class KernelDescription(NamedTuple):
    """A kernel as EMBEDDED_METADATA describes it."""

    name: str
    instance: str
    kernel_id: int
    arguments: tuple[KernelArgument, ...]


HOST, SRAM = 0, 1
#: aiecc's two memories; instructions lie in SRAM, data in HOST.
MEMORIES = (Memory("HOST", 0x10000, 0x4000000), Memory("SRAM", 0xC000, 0x4000000))
#: Buffers of a kernel call. At least five: the firmware's chain of commands (a runlist) needs their room.
#: More than 16 nobody has tried on an NPU, and aiecc refuses them (MLIR-AIE of August 2026, SidecarFiles.h).
LEAST_BUFFERS = 5
MOST_BUFFERS = 16
_FIRST_BUFFER_OFFSET = 0x14


def call_arguments(buffers: int = LEAST_BUFFERS) -> tuple[KernelArgument, ...]:
    """aiecc's kernel call with so many buffers. Offsets are text: they are printed as written here."""
    return (
        KernelArgument("opcode", "uint64_t", "0x00", 8, None),
        KernelArgument("instr", "char *", "0x8", 8, SRAM),
        KernelArgument("ninstr", "uint32_t", "0x10", 4, None),
        *(
            KernelArgument(f"bo{i}", "void*", f"0x{_FIRST_BUFFER_OFFSET + 8 * i:x}", 8, HOST)
            for i in range(buffers)
        ),
    )


def buffers_of_call(arguments: int) -> int:
    """How many buffers the kernel of a sequence with this many arguments takes."""
    return max(LEAST_BUFFERS, arguments)


def check_kernel_name(name: str, instance: str) -> None:
    """Raises UserError when "name:instance" cannot be stored or is not made of identifiers."""
    for text in (name, instance):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
            raise UserError(f"'{text}' cannot be a kernel name: expected letters, digits and underscores")
    if len(name) + 1 + len(instance) >= _NAME_BYTES:
        raise UserError(
            f"the kernel name '{name}:{instance}' is too long: "
            f"{len(name) + 1 + len(instance)} bytes, limit 63"
        )


def connections(buffers: Sequence[int]) -> tuple[MemoryConnection, ...]:
    """The connections of kernels that take this many buffers each."""
    return tuple(
        MemoryConnection(i, unit, argument.memory)
        for unit, count in enumerate(buffers)
        for i, argument in enumerate(call_arguments(count))
        if argument.memory is not None
    )


def memories_json(memories: Sequence[Memory]) -> dict[str, Any]:
    """Memories as xclbinutil's JSON has them."""
    items = [
        {
            "m_type": _MEMORY_TYPES[m.type],
            "m_used": str(int(m.used)),
            "m_sizeKB": f"0x{m.size_kib:x}",
            "m_tag": m.tag,
            "m_base_address": f"0x{m.base_address:x}",
        }
        for m in memories
    ]
    return {"m_count": str(len(items)), "m_mem_data": items}


def write_mem_topology(memories: Sequence[Memory]) -> bytes:
    """The bytes of a section MEM_TOPOLOGY or GROUP_TOPOLOGY."""
    entries = [
        struct.pack("<BB6xQQ16s", m.type, m.used, m.size_kib, m.base_address, m.tag.encode())
        for m in memories
    ]
    return struct.pack("<i4x", len(memories)) + b"".join(entries)


def read_mem_topology(data: bytes, name: str) -> tuple[Memory, ...]:
    """Reads MEM_TOPOLOGY or GROUP_TOPOLOGY. Raises UserError."""
    reader = ByteReader(data, name)
    memories = []
    for offset in _entries(reader, 8, 40, "memory"):
        memories.append(
            Memory(
                reader.text(offset + 24, 16, "a memory's tag"),
                reader.u64(offset + 8, "a memory's size"),
                reader.u64(offset + 16, "a memory's address"),
                reader.u8(offset, "a memory's type"),
                bool(reader.u8(offset + 1, "a memory's use")),
            )
        )
    return tuple(memories)


def write_ip_layout(units: Sequence[ComputeUnit]) -> bytes:
    """The bytes of a section IP_LAYOUT."""
    entries = [
        struct.pack(
            "<IIQ64s", u.type, u.subtype | u.functional << 4 | u.kernel_id << 16, _NO_ADDRESS, u.name.encode()
        )
        for u in units
    ]
    return struct.pack("<i4x", len(units)) + b"".join(entries)


def read_ip_layout(data: bytes, name: str) -> tuple[ComputeUnit, ...]:
    """Reads IP_LAYOUT. Raises UserError."""
    reader = ByteReader(data, name)
    units = []
    for offset in _entries(reader, 8, 80, "compute unit"):
        properties = reader.u32(offset + 4, "a compute unit's properties")
        unit_name = reader.text(offset + 16, _NAME_BYTES, "a compute unit's name")
        unit_type = reader.u32(offset, "a compute unit's type")
        units.append(
            ComputeUnit(unit_name, properties >> 16, properties >> 4 & 0xF, unit_type, properties & 0xF)
        )
    return tuple(units)


def write_connectivity(entries: Sequence[MemoryConnection]) -> bytes:
    """The bytes of a section CONNECTIVITY or GROUP_CONNECTIVITY."""
    return struct.pack("<i", len(entries)) + b"".join([struct.pack("<3i", *entry) for entry in entries])


def read_connectivity(data: bytes, name: str) -> tuple[MemoryConnection, ...]:
    """Reads CONNECTIVITY or GROUP_CONNECTIVITY. Raises UserError."""
    reader = ByteReader(data, name)
    return tuple(
        MemoryConnection(*reader.words(offset, 3, "a connection"))
        for offset in _entries(reader, 4, 12, "connection")
    )


def _entries(reader: ByteReader, first: int, size: int, what: str) -> range:
    """The offsets of the entries of a table whose first word is their number."""
    count = reader.u32(0, f"the number of {what}s")
    if first + count * size > len(reader):
        raise reader.error(
            f"{count} {what}s need {first + count * size} bytes, the section has {len(reader)}"
        )
    return range(first, first + count * size, size)


def write_embedded_metadata(kernels: Sequence[tuple[str, str, int, int]]) -> bytes:
    """EMBEDDED_METADATA for kernels given as (name, instance, id, buffers)."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<project>",
        "  <platform>",
        "    <device>",
        "      <core>",
    ]
    for name, instance, kernel_id, buffers in kernels:
        lines.append(f'        <kernel name="{name}" language="c" type="dpu">')
        lines.append(f'          <extended-data subtype="1" functional="0" dpu_kernel_id="0x{kernel_id:x}"/>')
        for i, a in enumerate(call_arguments(buffers)):
            size = f"0x{a.size_bytes:x}"
            lines.append(
                f'          <arg name="{a.name}" addressQualifier="{0 if a.memory is None else 1}" id="{i}" '
                f'size="{size}" offset="{a.offset}" hostOffset="0x0" hostSize="{size}" type="{a.type}"/>'
            )
        lines += [f'          <instance name="{instance}"/>', "        </kernel>"]
    lines += ["      </core>", "    </device>", "  </platform>", "</project>"]
    return ("\n".join(lines) + "\n").encode()


_KERNEL = re.compile(r"<kernel\b([^>]*)>(.*?)</kernel>", re.S)
_TAG = re.compile(r"<(extended-data|arg|instance)\b([^>]*?)/?>")
_FIELD = re.compile(r'([\w-]+)="([^"]*)"')


def read_embedded_metadata(data: bytes, name: str) -> tuple[KernelDescription, ...]:
    """The kernels of EMBEDDED_METADATA. Raises UserError when it is not xclbinutil's XML.

    Memories are not in this section: an argument passed by address gets memory 0.
    """
    reader = ByteReader(data, name)
    text = reader.text(0, len(reader), "EMBEDDED_METADATA")
    if "<project" not in text:
        raise reader.error("EMBEDDED_METADATA is not the XML of xclbinutil: expected <project>")
    kernels = []
    for match in _KERNEL.finditer(text):
        arguments = []
        instance, kernel_id = "", 0
        for tag, fields_text in _TAG.findall(match[2]):
            fields = dict(_FIELD.findall(fields_text))
            if tag == "instance":
                instance = fields.get("name", "")
            elif tag == "extended-data":
                kernel_id = _number(reader, fields.get("dpu_kernel_id", "0"))
            else:
                memory = None if fields.get("addressQualifier") == "0" else 0
                size_bytes = _number(reader, fields.get("size", "0"))
                arguments.append(
                    KernelArgument(
                        fields.get("name", ""),
                        fields.get("type", ""),
                        fields.get("offset", ""),
                        size_bytes,
                        memory,
                    )
                )
        kernels.append(
            KernelDescription(
                dict(_FIELD.findall(match[1])).get("name", ""), instance, kernel_id, tuple(arguments)
            )
        )
    return tuple(kernels)


def _number(reader: ByteReader, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise reader.error(f"EMBEDDED_METADATA has '{text}' where a number is expected") from None
