"""How many tools that need much memory may run at once on this machine."""

from __future__ import annotations

import os

# What an aiecc run or a chess compiler takes at worst: 4 to 5 GB seen (Xilinx/mlir-aie issues 804 and 1476).
HEAVY_TOOL_BYTES = 4 << 30


def heavy_jobs(memory_bytes: int | None = None) -> int:
    """The depth of the pool of heavy tools: how many fit `memory_bytes` (None: this machine's); 1 or more."""
    if memory_bytes is None:
        known = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else 0
    return max(1, memory_bytes // HEAVY_TOOL_BYTES)
