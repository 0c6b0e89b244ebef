"""The mirror data at the end of an XCLBIN: the headers as JSON, with which xclbinutil can repair a file.

Readers need only the binary headers. The text is compact JSON: every value is a string, and `section_header`
occurs once for each section, as xclbinutil (boost's property trees) writes it.
"""

from __future__ import annotations

import json

from npuninja import TYPE_CHECKING
from npuninja.formats import xclbin_sections as sections
from npuninja.formats.xclbin_kinds import (
    CONNECTIVITY,
    GROUP_CONNECTIVITY,
    GROUP_TOPOLOGY,
    IP_LAYOUT,
    MEM_TOPOLOGY,
)

if TYPE_CHECKING:
    from typing import Any, Protocol, Sequence
else:
    Protocol = object

START = b"XCLBIN_MIRROR_DATA_START"
END = b"XCLBIN_MIRROR_DATA_END"
_UNIT_TYPES = {7: "IP_PS_KERNEL"}
_SUBTYPES = {1: "DPU"}
_FUNCTIONAL = {0: "DPU"}


class PlacedSection(Protocol):
    """What is said about a section."""

    @property
    def kind(self) -> int: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def data(self) -> bytes: ...  # noqa: D102


def mirror_data(placed: Sequence[PlacedSection], uuid: bytes, version: tuple[int, int, int]) -> bytes:
    """The mirror of a file with these sections, an unsigned header and times 0."""
    major, minor, patch = version
    header = {
        "Magic": "xclbin2",
        "SignatureLength": "ffffffff",
        "KeyBlock": "ff" * 256,
        "UniqueID": "00" * 8,
        "TimeStamp": "0",
        "FeatureRomTimeStamp": "0",
        "Version": f"{chr(major)}.{chr(minor)}.{patch}",  # xclbinutil prints the two bytes as characters
        "Mode": "0",
        "InterfaceUUID": "00" * 16,
        "PlatformVBNV": "",
        "XclBinUUID": uuid.hex(),
        "DebugBin": "",
    }
    parts = [
        '"schema_version":' + _json({"major": "1", "minor": "0", "patch": "0"}),
        '"header":' + _json(header),
    ]
    for section in placed:
        entry: dict[str, Any] = {
            "Kind": str(section.kind),
            "Name": section.name,
            "Offset": f"0x{section.offset:x}",
            "Size": f"0x{len(section.data):x}",
        }
        payload = _payload(section)
        if payload:
            entry["payload"] = payload
        parts.append('"section_header":' + _json(entry))
    return START + ("{" + ",".join(parts) + "}").encode() + END


def _payload(section: PlacedSection) -> dict[str, Any] | None:
    """The section as JSON, for the kinds that xclbinutil mirrors."""
    name = "mirror data"
    if section.kind in (MEM_TOPOLOGY, GROUP_TOPOLOGY):
        key = "mem_topology" if section.kind == MEM_TOPOLOGY else "group_topology"
        return {key: sections.memories_json(sections.read_mem_topology(section.data, name))}
    if section.kind == IP_LAYOUT:
        units = [
            {
                "m_type": _UNIT_TYPES[u.type],
                "m_subtype": _SUBTYPES[u.subtype],
                "m_functional": _FUNCTIONAL[u.functional],
                "m_kernel_id": f"0x{u.kernel_id:x}",
                "m_base_address": "not_used",
                "m_name": u.name,
            }
            for u in sections.read_ip_layout(section.data, name)
        ]
        return {"ip_layout": {"m_count": str(len(units)), "m_ip_data": units}}
    if section.kind in (CONNECTIVITY, GROUP_CONNECTIVITY):
        links = [
            {"arg_index": str(c.argument), "m_ip_layout_index": str(c.unit), "mem_data_index": str(c.memory)}
            for c in sections.read_connectivity(section.data, name)
        ]
        key = "connectivity" if section.kind == CONNECTIVITY else "group_connectivity"
        return {key: {"m_count": str(len(links)), "m_connection": links}}
    return None


def _json(value: dict[str, Any]) -> str:
    """Compact JSON as boost writes it: a slash is escaped too."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")
