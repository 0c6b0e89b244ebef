"""What planning must know of an MLIR text: devices, sequences, cores, what each core links."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES
from npuninja.errors import Location, UserError
from npuninja.formats.xclbin_sections import DEFAULT_INSTANCE_NAME, MOST_BUFFERS, check_kernel_name
from npuninja.ir.attributes import EnumAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.symbols import RUNTIME_SEQUENCES
from npuninja.plan.design import Configuration, Core, Design, LinkedObject, Sequence
from npuninja.plan.driver_flags import read_driver_flags
from npuninja.suggestions import did_you_mean

#: Operations of a sequence that load a device, and the attribute that names it.
_LOADED = {"aiex.configure": "symbol", "aiex.npu.load_pdi": "device_ref"}


def scan_module(
    module: Operation,
    name: str,
    source: str,
    mlir: str,
    imports: tuple[str, ...],
    aiecc_flags: tuple[str, ...] = (),
    generation: str = "",
) -> Design:
    """The design in a parsed module.

    Args:
        module: its MLIR.
        name: of the design.
        source: the file the user wrote.
        mlir: the file with the MLIR.
        imports: files that decided the MLIR, for a Python source.
        aiecc_flags: with which it is lowered.
        generation: for which it is lowered; "" or auto for what the text says.

    Raises:
        UserError: there is no NPU device with a runtime sequence, the devices are of different NPUs, or a
            core is not one that this build can make; located in the MLIR.
    """
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    if not devices:
        hint = "put tiles, cores and sequence into aie.device(npu1_1col) { … }"
        raise UserError("the design has no aie.device", Location(mlir), hint=hint)
    logical_tiles = any(op.name == "aie.logical_tile" for device in devices for op in device.body.ops)
    generations, days = _generations(module)
    if logical_tiles:
        from npuninja.errors import Warnings
        from npuninja.lowering.generation import choose, rules_of
        from npuninja.lowering.resources.place_tiles import (
            place_tiles,  # as the lowering does it, before anything else
        )

        cores = read_driver_flags(aiecc_flags).cores_per_column
        rules = rules_of(choose(generations) if generation in ("", "auto") else generation)
        for device in devices:
            place_tiles(device, rules, Warnings(), int(cores) if cores else None)
    configurations = tuple(_configuration(device, mlir, place) for place, device in enumerate(devices, 1))
    _check_together(configurations)
    return Design(
        name=name,
        source=source,
        mlir=mlir,
        imports=imports,
        configurations=configurations,
        logical_tiles=logical_tiles,
        traces=any(op.name == "aie.trace" for device in devices for op in device.body.ops),
        generations=generations,
        days=days,
    )


def _generations(module: Operation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The generations in which the text reads as it is (() for a mix, which the lowering reports), and
    the days (from, before) whose releases alone read it (() when a generation does).
    """
    from npuninja.lowering.spelled_generation import generations_and_days

    try:
        generations, days = generations_and_days(module)
    except UserError:
        return (), ()
    return generations, days or ()


def _location(op: Operation, file: str) -> Location:
    return op.loc or Location(file)


def _configuration(device: Operation, file: str, place: int) -> Configuration:
    cores = [_core(op, device, file) for op in device.body.ops if op.name == "aie.core"]
    return Configuration(
        symbol=_symbol(device, "main"),
        device=device_of(device, file),
        location=_location(device, file),
        sequences=tuple(_sequence(op, file) for op in device.body.ops if op.name in RUNTIME_SEQUENCES),
        cores=tuple(sorted(cores, key=lambda core: (core.column, core.row))),
        place=place,
        loads=_loads(device),
    )


def _loads(device: Operation) -> tuple[str, ...]:
    """The devices whose configuration its sequences load while they run."""
    found: dict[str, None] = {}
    for sequence in device.body.ops:
        for op in sequence.walk() if sequence.name in RUNTIME_SEQUENCES else ():
            symbol = op.attributes.get(_LOADED.get(op.name, ""))
            if isinstance(symbol, SymbolRefAttr):
                found.setdefault(symbol.path[-1])
    return tuple(found)


def _symbol(op: Operation, otherwise: str) -> str:
    attribute = op.attributes.get("sym_name")
    return attribute.value if isinstance(attribute, StringAttr) else otherwise


def device_of(device: Operation, file: str) -> str:
    """The name in `aie.device(…)`; UserError when it is not an NPU's."""
    attribute = device.attributes.get("device")
    name = attribute.case if isinstance(attribute, EnumAttr) else str(attribute)
    if name not in DEVICES:
        raise UserError(
            f"{name!r} is not an NPU device",
            _location(device, file),
            hint=did_you_mean(name, DEVICES, f"devices: {', '.join(sorted(DEVICES))}"),
        )
    return name


def _sequence(sequence: Operation, file: str) -> Sequence:
    arguments = sequence.regions[0].entry.args
    if len(arguments) > MOST_BUFFERS:
        raise UserError(
            f"the runtime sequence has {len(arguments)} arguments, "
            f"a kernel takes at most {MOST_BUFFERS} buffers",
            _location(sequence, file),
            hint="put several of them into one buffer, at different offsets",
        )
    return Sequence(_symbol(sequence, "sequence"), len(arguments), _location(sequence, file))


def _check_together(configurations: tuple[Configuration, ...]) -> None:
    """What the devices of one XCLBIN must have in common, and must not."""
    first = configurations[0]
    if not any(configuration.sequences for configuration in configurations):
        raise UserError(
            "the device has no runtime sequence, so nothing could ever be run on it",
            first.location,
            hint="add aiex.runtime_sequence @sequence(%in : memref<…>, %out : memref<…>) { … }",
        )
    names: dict[str, Configuration] = {}
    for configuration in configurations:
        where = configuration.location
        other = names.setdefault(configuration.symbol, configuration)
        if other is not configuration:
            raise UserError(
                f"two devices are called @{configuration.symbol}",
                where,
                notes=(("the first one is here", other.location),),
                hint="give each a name: aie.device(npu1_1col) @first { … }",
            )
        if DEVICES[configuration.device].family != DEVICES[first.device].family:
            raise UserError(
                f"one device is for {configuration.device}, another for {first.device}; "
                "an XCLBIN is for one NPU",
                where,
                notes=(("the other one is here", first.location),),
                hint="write a design for each NPU",
            )
        if len(configurations) > 1 and configuration.sequences:
            try:
                check_kernel_name(configuration.symbol, DEFAULT_INSTANCE_NAME)
            except UserError as error:
                raise UserError(
                    f"the device's name becomes that of its kernel: {error.message}", where, hint="rename it"
                ) from error


def _core(core: Operation, device: Operation, file: str) -> Core:
    tile = core.tile.made_by("aie.tile") if core.operands else None
    if tile is None:
        raise UserError(
            "the core is on no tile of the device",
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
    """The objects of a core: on it, or (newer syntax) on functions it calls, directly or through others."""
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
    link_with = op.attributes.get("link_with")
    if isinstance(link_with, StringAttr):
        names.append(link_with.value)
    for key in ("link_files", "link_merge_files"):
        names += op.strings(key)
    return [(name, _attribute_location(op, name, file)) for name in names]


def _attribute_location(op: Operation, value: str, file: str) -> Location:
    """Where a string attribute is. Attributes have no place, so the text after `op` is searched."""
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
