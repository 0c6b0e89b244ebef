"""Whether a design is for this machine's NPU, asked before it is loaded: one for another may hang it."""

from __future__ import annotations

import re

from npuninja.arch.families import FAMILIES
from npuninja.device.api import Program
from npuninja.errors import Location, UserError
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.xclbin import AIE_PARTITION, read_xclbin

# XRT's names (`xrt-smi examine`) end in the number of the driver's model; a family may have several.
_NAME = re.compile(r"RyzenAI-npu(\d+)$")


def check_match(npu: str, program: Program) -> None:
    """Compares a design with the NPU of a name, as XRT gives it. A name that is not known says nothing.

    Raises:
        UserError: the design is for another generation, or has more columns.
    """
    match = _NAME.match(npu)
    model = next((f for f in FAMILIES.values() if match and int(match[1]) in f.driver.xrt_numbers), None)
    if model is None:
        return
    family = model.name
    if program.core_kind != "wasm" and program.core_kind != model.architecture:
        raise UserError(
            f"the design has {program.core_kind} cores, and those of {npu} are {model.architecture}",
            Location(program.xclbin_path),
            hint=f"build it for {family} (configure.py --device {family}…)",
        )
    section = read_xclbin(program.xclbin, program.xclbin_path).section(AIE_PARTITION)
    columns = read_aie_partition(section.data, program.xclbin_path).column_width if section else 0
    if columns > model.columns:
        raise UserError(
            f"the design takes {columns} columns, {npu} has {model.columns} for designs",
            Location(program.xclbin_path),
            hint=f"build it for {family} (configure.py --device {family}…)",
        )
