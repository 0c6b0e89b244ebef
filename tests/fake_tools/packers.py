"""The pretended bootgen and xclbinutil."""

from __future__ import annotations

import json
import os
import random
import re
import struct
import time
from typing import Any

from fake_tools.mlir_tools import Refused, write
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.pdi import write_pdi
from npuninja.formats.xclbin import UUID_OFFSET, XclbinKernel, write_xclbin

BOOTGEN = "\n\n****** Xilinx Bootgen v2023.2\n  **** Build date : Oct 11 2023\n"
BIF = r"""all:
\{
  id_code = 0x14ca8093
  extended_id_code = 0x01
  image
  \{
    name=aie_image, id=0x1c000000
    \{ type=cdo file=(\S+) file=(\S+) file=(\S+) \}
  \}
\}
"""


def bootgen(arguments: list[str]) -> None:
    """The banner, or `-arch versal -image F -o F -w`."""
    print(BOOTGEN)
    if not arguments:
        return
    match = re.fullmatch(r"-arch versal -image (\S+) -o (\S+) -w", " ".join(arguments))
    if not match:
        raise Refused(f"[ERROR]  : Invalid option in {arguments}")
    with open(match[1], encoding="utf-8") as stream:
        bif = re.fullmatch(BIF, stream.read())
    if not bif:
        raise Refused("[ERROR]  : BIF file is not understood")
    contents = []
    for file in bif.groups():
        with open(file, "rb") as data:
            contents.append(data.read())
    write(match[2], write_pdi(contents))
    print("[INFO]   : Bootimage generated successfully")


def xclbinutil(arguments: list[str], version: str) -> None:
    """`--version`, or the packing of an XCLBIN from three JSON files."""
    if arguments == ["--version"]:
        print(f"       XRT Build Version: {version}\n    Build Version Branch: master\n")
        return
    match = re.fullmatch(
        r"--add-replace-section MEM_TOPOLOGY:JSON:(\S+) --add-kernel (\S+) --add-replace-section AIE_PARTITION:JSON:(\S+)"
        r"(?: --add-section EMULATION_DATA:RAW:(\S+))? --force --quiet --output (\S+)",
        " ".join(arguments),
    )
    if not match:
        raise Refused(f"ERROR: unrecognised option in {arguments}")
    memories, kernels, partition, modules, target = match.groups()
    if len(_json(memories)["mem_topology"]["m_mem_data"]) != 2:
        raise Refused("ERROR: MEM_TOPOLOGY")
    entry = _json(kernels)["ps-kernels"]["kernels"][0]
    described = _json(partition)["aie_partition"]
    if not described["PDIs"]:
        raise Refused("ERROR: There are no PDI nodes in the AIE Partition section.")
    # From the folder of the JSON file, as the real one.
    with open(os.path.join(os.path.dirname(partition), described["PDIs"][0]["file_name"]), "rb") as stream:
        kernel = XclbinKernel(stream.read(), entry["name"])
    part = described["partition"]
    write(
        target,
        with_time(write_xclbin([kernel], part["column_width"], part["start_columns"], _modules(modules))),
    )


def with_time(data: bytes) -> bytes:
    """The XCLBIN with the time of day and a random UUID, as the real tool leaves it."""
    stamped = bytearray(data)
    stamped[UUID_OFFSET : UUID_OFFSET + 16] = random.randbytes(16)
    struct.pack_into("<Q", stamped, 0x138, time.time_ns() // 1_000_000_000)
    return bytes(stamped)


def _json(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def _modules(path: str | None) -> list[bytes]:
    if path is None:
        return []
    with open(path, "rb") as stream:
        return list(read_emulation_data(stream.read(), path).values())
