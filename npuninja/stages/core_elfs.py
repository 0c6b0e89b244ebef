"""Stage core_elfs: puts the names of the cores' ELFs into a routed design; no MLIR-AIE program does that."""

from __future__ import annotations

import os

from npuninja.errors import UserError
from npuninja.ir.attributes import StringAttr
from npuninja.ir.core import Block, Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.lookup import find_device
from npuninja.lowering.tiles import place_of
from npuninja.stages._places import parse_images
from npuninja.stages._run import Outputs, read_text, stage_arguments


def run(arguments: list[str]) -> None:
    """`input_physical.mlir --device-symbol D --image C,R=FILE… -o input_physical_with_elfs.mlir`.

    The cores' bodies become empty, as the attribute asks for. The names are those of the files alone, as seen
    from the translation's work folder, which every release of MLIR-AIE takes. The ELFs are not read.
    """
    options = stage_arguments("core_elfs", arguments)
    target, source = options.one("-o"), options.input()
    with Outputs(target) as outputs:
        module = parse_module(read_text(source), source)  # as it is: numbers stay the values that 1.4 reads
        images = parse_images(options.all("--image"), "--image")
        for core in [
            op for op in find_device(module, options.one("--device-symbol")).body.ops if op.name == "aie.core"
        ]:
            _name_elf(core, images)
        outputs.write(target, print_module(module))


def _name_elf(core: Operation, images: dict[tuple[int, int], str]) -> None:
    place = place_of(core.tile)
    if place not in images:
        raise UserError(f"core {place} has no ELF", core.loc, hint="run configure.py again")
    attributes = dict(core.attributes)
    core.attributes.clear()
    core.attributes.update({"elf_file": StringAttr(os.path.basename(images[place])), **attributes})
    empty = Block()
    empty.append(Operation("aie.end"))
    core.regions[0].blocks.clear()
    core.regions[0].append(empty)
