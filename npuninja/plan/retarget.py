"""Designs for another device than the one they were written for: `configure.py --retarget DEVICE`.

Only the device's name changes in the text, in a file of the build folder whose lines stand for the user's.
A column that the other device has not is an error with its place here; what is legal on one only (burst
lengths, registers) is found by the steps that come after.
"""

from __future__ import annotations

import os
import re

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DEVICES
from npuninja.errors import Location, UserError
from npuninja.files import write_file, write_if_changed
from npuninja.plan.design import Design
from npuninja.records import replace
from npuninja.source_places import SAME_COLUMN, SUFFIX, places_text

if TYPE_CHECKING:
    from npuninja.ir.core import Operation

_DEVICE = re.compile(r"\baie\.device\s*\(\s*(\w+)\s*\)")


def target_of(device: str, wanted: str) -> str:
    """The device to build for when `wanted` is asked for; of a whole array the part as wide as `device`."""
    asked = DEVICES[wanted]
    if not asked.whole_array or DEVICES[device].family == asked.family:
        return wanted
    part = f"{wanted}_{DEVICES[device].columns}col"
    return part if part in DEVICES else wanted


def retargeted(design: Design, wanted: str, folder: str) -> Design:
    """The design for another device, scanned; itself when it is for that one already.

    Args:
        design: as it was read.
        wanted: a name of `DEVICES`.
        folder: where the changed text goes, relative to the project.

    Raises:
        UserError: the design cannot be built for it; located in the design.
    """
    from npuninja.ir.parser import parse_module
    from npuninja.plan.scan import scan_module

    target = target_of(design.device, wanted)
    if target == design.device:
        return design
    with open(design.mlir, encoding="utf-8") as stream:
        text = stream.read()
    changed, count = _DEVICE.subn(lambda m: m[0].replace(m[1], target), text)
    if not count:
        raise UserError(
            f"the design cannot be retargeted to {target}: its device is written in MLIR's generic form",
            design.device_location,
            hint=f"write aie.device({design.device})",
        )
    module = parse_module(changed, design.mlir)
    _check(module, design, target)
    mlir = os.path.join(folder, f"{design.name}.mlir")
    write_if_changed(mlir, changed)
    places = [(line, (design.mlir, line, SAME_COLUMN)) for line in range(1, changed.count("\n") + 2)]
    write_file(mlir + SUFFIX, places_text(changed.encode("utf-8"), places, folder).encode("utf-8"))
    made = scan_module(
        parse_module(changed, mlir), design.name, design.source, mlir, design.imports, design.aiecc_flags,
        design.generation,
    )  # fmt: skip
    imports = () if design.mlir == design.source else design.imports
    return replace(
        made,
        imports=imports,
        kernels=design.kernels,
        generation=design.generation,
        alloc_scheme=design.alloc_scheme,
        reference=design.reference,
    )


def _check(module: Operation, design: Design, target: str) -> None:
    there = DEVICES[target]
    for op in module.walk():
        where = op.loc or Location(design.mlir)
        if op.name == "aie.tile" and op.integer("col") >= there.columns:
            raise UserError(
                f"the design cannot be retargeted to {target}: it uses column {op.integer('col')}, and "
                f"{target} has {there.columns} column{'s' if there.columns > 1 else ''}",
                where,
                hint="devices of that family: "
                f"{', '.join(n for n, d in DEVICES.items() if d.family == there.family)}",
            )
