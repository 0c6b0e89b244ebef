"""A family that nobody has: two rows of memtiles, seven rows and three columns in all."""

from __future__ import annotations

from npuninja.arch.families import FAMILIES, Rows

MADE_UP = FAMILIES["npu1"]._replace(
    name="npu9",
    architecture="aie9",
    rows=Rows(("shim", "mem", "mem", "core", "core", "core", "core")),
    columns=3,
    physical_columns=3,
    start_columns=3,
    first_device_number=90,
    txn_generation=9,
    elf_flag=9,
    controller_ids=(15, 25, 26, 27, 29, 30, 31),
    registers={"core": {"Core_PC": 0x12340}},
)
