"""What `npuninja inspect` says of control code in an ELF: a full one, and one of instructions alone."""

from __future__ import annotations

from typing import Any

from npuninja.diag.command_text import describe_txn, numbered
from npuninja.diag.inspect_report import InspectReport
from npuninja.formats.elf import Elf
from npuninja.formats.full_elf import FullInstance
from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.formats.instruction_elf import relocated
from npuninja.formats.txn import read_txn


def full_elf(data: bytes, name: str) -> InspectReport:
    """The report of a full ELF. Raises UserError when it is damaged."""
    found = read_full_elf(data, name)
    facts: dict[str, Any] = {
        "bytes": len(data),
        "columns": found.columns,
        "uid": found.uid.hex(),
        "pdis": [{"id": number, "bytes": len(image)} for number, image in sorted(found.pdis.items())],
        "emulation_data_bytes": len(found.emulation_data),
        "kernels": [],
    }
    lines = [f"  {len(data)} bytes, {found.columns} columns, uid {found.uid.hex()}"]
    lines += [f"  PDI {pdi['id']}: {pdi['bytes']} bytes" for pdi in facts["pdis"]]
    if found.emulation_data:
        lines.append(f"  modules of emulated cores: {len(found.emulation_data)} bytes")
    for kernel in found.kernels:
        instances = []
        for instance in kernel.instances:
            described, more = _instance(instance)
            instances.append(described)
            lines.append(f"  kernel {kernel.name}:{instance.name}, {kernel.arguments} arguments")
            lines += [f"  {line}" for line in more]
        facts["kernels"].append({"name": kernel.name, "arguments": kernel.arguments, "instances": instances})
    return InspectReport("full ELF", name, facts, lines)


def _instance(instance: FullInstance) -> tuple[dict[str, Any], list[str]]:
    described = [describe_txn(operation) for operation in read_txn(instance.stream).operations]
    _, places = relocated(instance.stream, instance.name, 0, instance.control_argument)
    facts = {
        "name": instance.name,
        "bytes": len(instance.stream),
        "control_packet_bytes": len(instance.control_packets),
        "filled_in": [{"offset": p.offset, "symbol": p.symbol, "addend": p.addend_bytes} for p in places],
        "operations": [d.fields for d in described],
    }
    lines = [f"  {len(instance.stream)} bytes of instructions, {len(described)} operations"]
    if instance.control_packets:
        lines.append(f"  {len(instance.control_packets)} bytes of control packets")
    lines += [f"  XRT fills in at byte {p.offset}: {p.symbol} + {p.addend_bytes}" for p in places]
    return facts, [*lines, *numbered(described)]


def is_instruction_elf(found: Elf) -> bool:
    """Whether an ELF holds instructions alone."""
    return found.section(".ctrltext") is not None


def instruction_elf(found: Elf, name: str, size_bytes: int) -> InspectReport:
    """The report of an ELF of instructions alone. Raises UserError when the stream is damaged."""
    text, packets = found.section(".ctrltext"), found.section(".ctrldata")
    assert text is not None
    described = [describe_txn(operation) for operation in read_txn(text.data, ".ctrltext").operations]
    facts = {
        "bytes": size_bytes,
        "control_packet_bytes": len(packets.data) if packets else 0,
        "operations": [d.fields for d in described],
    }
    lines = [f"  {size_bytes} bytes, {len(described)} operations"]
    if packets:
        lines.append(f"  {len(packets.data)} bytes of control packets")
    return InspectReport("ELF of instructions", name, facts, [*lines, *numbered(described)])
