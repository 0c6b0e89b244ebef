"""Kinds of XCLBIN sections that are written and read here (XRT xclbin.h: axlf_section_kind)."""

from __future__ import annotations

EMBEDDED_METADATA = 2
MEM_TOPOLOGY = 6
CONNECTIVITY = 7
IP_LAYOUT = 8
EMULATION_DATA = 21
GROUP_TOPOLOGY = 26
GROUP_CONNECTIVITY = 27
AIE_PARTITION = 32
