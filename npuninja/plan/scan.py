"""What planning must know of an MLIR text: device, sequence, cores, and the objects each core is linked with."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES
from npuninja.errors import Location, UserError
from npuninja.formats.xclbin_sections import MOST_BUFFERS
from npuninja.ir.attributes import ArrayAttr, EnumAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.plan.design import Core, Design, LinkedObject
from npuninja.plan.names import near

SEQUENCES = ("aiex.runtime_sequence", "aie.runtime_sequence")


def scan_module(module: Operation, name: str, source: str, mlir: str, imports: tuple[str, ...]) -> Design:
    """The design in a parsed module.

    Args:
        module: its MLIR.
        name: of the design.
        source: the file the user wrote.
        mlir: the file with the MLIR.
        imports: files that decided the MLIR, for a Python source.

    Raises:
        UserError: there is not exactly one NPU device with exactly one runtime sequence, or a core is not one
            that this build can make; located in the MLIR.
    """
    device = _only_device(module, mlir)
    device_name = device_of(device, mlir)
    logical_tiles = any(op.name == "aie.logical_tile" for op in device.body.ops)
    if logical_tiles:
        from npuninja.errors import Warnings
        from npuninja.lowering.generation import rules_of
        from npuninja.lowering.resources.place_tiles import (
            place_tiles,  # as the lowering does it, before anything else
        )
        from npuninja.lowering.spelled_generation import detect

        place_tiles(device, rules_of(detect(module)), Warnings())
    sequence, buffers = _only_sequence(device, mlir)
    cores = [_core(op, device, mlir) for op in device.body.ops if op.name == "aie.core"]
    symbol = device.attributes.get("sym_name")
    return Design(
        name=name,
        source=source,
        mlir=mlir,
        imports=imports,
        device=device_name,
        device_location=_location(device, mlir),
        device_symbol=symbol.value if isinstance(symbol, StringAttr) else "main",
        sequence=sequence,
        cores=tuple(sorted(cores, key=lambda core: (core.column, core.row))),
        buffers=buffers,
        logical_tiles=logical_tiles,
    )


def _location(op: Operation, file: str) -> Location:
    return op.loc or Location(file)


def _only_device(module: Operation, file: str) -> Operation:
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    if not devices:
        hint = "put tiles, cores and sequence into aie.device(npu1_1col) { … }"
        raise UserError("the design has no aie.device", Location(file), hint=hint)
    if len(devices) > 1:
        raise UserError(
            f"the design has {len(devices)} devices; a build makes an XCLBIN of one",
            _location(devices[1], file),
            notes=(("the first one is here", _location(devices[0], file)),),
            hint="`npuninja lower` lowers such a design",
        )
    return devices[0]


def device_of(device: Operation, file: str) -> str:
    """The name in `aie.device(…)`; UserError when it is not an NPU's."""
    attribute = device.attributes.get("device")
    name = attribute.case if isinstance(attribute, EnumAttr) else str(attribute)
    if name not in DEVICES:
        close = near(name, list(DEVICES))
        meant = f"did you mean {close[0]}? " if close else ""
        raise UserError(
            f"{name!r} is not an NPU device",
            _location(device, file),
            hint=f"{meant}devices: {', '.join(sorted(DEVICES))}",
        )
    return name


def _only_sequence(device: Operation, file: str) -> tuple[str, int]:
    """Its name, and how many buffers it takes."""
    sequences = [op for op in device.body.ops if op.name in SEQUENCES]
    if not sequences:
        raise UserError(
            "the device has no runtime sequence, so nothing could ever be run on it",
            _location(device, file),
            hint="add aiex.runtime_sequence @sequence(%in : memref<…>, %out : memref<…>) { … }",
        )
    if len(sequences) > 1:
        raise UserError(
            f"the device has {len(sequences)} runtime sequences; a build makes instructions of one",
            _location(sequences[1], file),
            notes=(("the first one is here", _location(sequences[0], file)),),
            hint="`npuninja lower` lowers such a design",
        )
    arguments = sequences[0].regions[0].entry.args
    if len(arguments) > MOST_BUFFERS:
        raise UserError(
            f"the runtime sequence has {len(arguments)} arguments, a kernel takes at most {MOST_BUFFERS} buffers",
            _location(sequences[0], file),
            hint="put several of them into one buffer, at different offsets",
        )
    attribute = sequences[0].attributes.get("sym_name")
    return attribute.value if isinstance(attribute, StringAttr) else "sequence", len(arguments)


def _core(core: Operation, device: Operation, file: str) -> Core:
    tile = core.operands[0].owner if core.operands else None
    if not isinstance(tile, Operation) or tile.name != "aie.tile":
        raise UserError(
            "the core does not stand on a tile of the device",
            _location(core, file),
            hint="make the tile with aie.tile or aie.logical_tile in the device",
        )
    if "elf_file" in core.attributes:
        raise UserError(
            "the core brings its own ELF (elf_file); a build compiles every core",
            _location(core, file),
            hint="write the core's body in MLIR and name the kernel's object with link_with",
        )
    objects: dict[str, LinkedObject] = {}
    for object_name, where in _linked(core, device, file):
        objects.setdefault(object_name, LinkedObject(object_name, where))
    return Core(tile.integer("col"), tile.integer("row"), tuple(objects.values()))


def _linked(core: Operation, device: Operation, file: str) -> list[tuple[str, Location]]:
    """The objects of a core: on the core itself, or (newer syntax) on the functions it calls, directly or
    through others.
    """
    found = _names(core, file)
    functions = {op.string("sym_name"): op for op in device.body.ops if op.name == "func.func"}
    pending, seen = [core], set()
    while pending:
        for op in pending.pop(0).walk():
            callee = op.attributes.get("callee")
            if op.name != "func.call" or not isinstance(callee, SymbolRefAttr):
                continue
            function = functions.get(callee.path[-1])
            if function is not None and callee.path[-1] not in seen:
                seen.add(callee.path[-1])
                found += _names(function, file)
                pending.append(function)
    return found


def _names(op: Operation, file: str) -> list[tuple[str, Location]]:
    names = []
    link_with, link_files = op.attributes.get("link_with"), op.attributes.get("link_files")
    if isinstance(link_with, StringAttr):
        names.append(link_with.value)
    if isinstance(link_files, ArrayAttr):
        names += [item.value for item in link_files.items if isinstance(item, StringAttr)]
    return [(name, _attribute_location(op, name, file)) for name in names]


def _attribute_location(op: Operation, value: str, file: str) -> Location:
    """Where a string attribute of `op` stands: attributes carry no place, so the text behind the operation is
    searched.
    """
    where = _location(op, file)
    try:
        with open(where.file, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().split("\n")
    except OSError:
        return where
    for number in range(max(where.line, 1), len(lines) + 1):
        column = lines[number - 1].find(f'"{value}"')
        if column >= 0:
            return Location(where.file, number, column + 1)
    return where
