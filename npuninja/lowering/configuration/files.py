"""The configuration of the array: three CDO files from a routed module and its core images.

    elfs     each core stopped, its DMA reset, program and data loaded
    init     cores reset, locks, initial values, descriptors and their channels, switches, muxes, cascades
    enable   cores started

Sources: MLIR-AIE AIETargetCDODirect.cpp and AIERT.cpp (what is written, in which order), aie-rt (registers).
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch import registers
from npuninja.arch.devices import (
    DATA_WINDOW_BYTES,
    DATA_WINDOWS,
    DeviceModel,
    TileKind,
    TilePlace,
    memory_neighbours,
)
from npuninja.errors import UserError
from npuninja.formats.cdo import BlockWrite, Command, MaskWrite, Nop, Write, write_cdo
from npuninja.formats.core_image import CoreImage
from npuninja.ir.attributes import DenseElementsAttr
from npuninja.ir.core import Operation
from npuninja.ir.dense_bytes import initial_value_bytes
from npuninja.lowering.configuration.dma import dma_program
from npuninja.lowering.configuration.switch import cascade, shim_mux, shim_switchbox, switchbox
from npuninja.lowering.lookup import find_device
from npuninja.lowering.tiles import DMA_REGIONS, kind_at, model_of, ops_of, place_of
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterator, Mapping

# The channels of a core in the order aie-rt resets them.
_CORE_CHANNELS = (("MM2S", 0), ("MM2S", 1), ("S2MM", 0), ("S2MM", 1))


class ConfigurationFiles(NamedTuple):
    """The bytes of the three CDO files."""

    elfs: bytes
    init: bytes
    enable: bytes


def configuration_of(
    module: Operation, device: str, images: Mapping[TilePlace, CoreImage]
) -> ConfigurationFiles:
    """The CDO files of one device of a module.

    Args:
        module: the module after step 2.
        device: symbol of the device; "" for `main`, or the only one.
        images: the program of each core, by (column, row).

    Raises:
        UserError: a core has no image, an image has no core, or the module holds what the array cannot do.
    """
    op = find_device(module, device)
    model = model_of(op)
    cores = _cores(op)
    for place, core in cores.items():
        if place not in images:
            raise UserError(f"the core of tile {place} has no program", core.loc, hint="link it first")
    for place in images:
        if place not in cores:
            raise UserError(f"there is a program for tile {place}, which has no core", op.loc)
    # Every file starts with a NOP: bootgen refuses a file without commands.
    elfs: list[Command] = [Nop()]
    enable: list[Command] = [Nop()]
    for place in cores:
        elfs += _load_core(model, place, images[place])
        if images[place].run:
            enable.append(_core_control(place, registers.CORE_CONTROL_ENABLE, registers.CORE_CONTROL_ENABLE))
    init: list[Command] = [Nop(), *_initial_state(op, model, images)]
    return ConfigurationFiles(write_cdo(elfs), write_cdo(init), write_cdo(enable))


def _cores(device: Operation) -> dict[TilePlace, Operation]:
    """The `aie.core` of each tile that has one, in the order of the tile operations."""
    by_place = {place_of(core.tile): core for core in ops_of(device, "aie.core")}
    places = [place_of(tile.result) for tile in ops_of(device, "aie.tile")]
    return {place: by_place[place] for place in places if place in by_place}


def _core_control(place: TilePlace, mask: int, value: int) -> MaskWrite:
    return MaskWrite(registers.tile_address(*place, registers.CORE_CONTROL), mask, value)


def _load_core(model: DeviceModel, place: TilePlace, image: CoreImage) -> Iterator[Command]:
    """Stops the core, resets its DMA channels around loading program and data."""
    yield _core_control(place, registers.CORE_CONTROL_ENABLE, 0)
    yield from _reset_channels(place, registers.CHANNEL_RESET)
    for offset, data in image.program:
        yield BlockWrite(registers.tile_address(*place, registers.PROGRAM_MEMORY + offset), data)
    for segment in image.data:
        yield from _load_data(model, place, segment.address, segment.data.ljust(segment.memory_bytes, b"\0"))
    yield from _reset_channels(place, 0)


def _reset_channels(place: TilePlace, value: int) -> Iterator[Command]:
    for direction, channel in _CORE_CHANNELS:
        control = registers.channel_control("core", direction, channel)
        yield MaskWrite(registers.tile_address(*place, control), registers.CHANNEL_RESET, value)


def _load_data(model: DeviceModel, place: TilePlace, address: int, data: bytes) -> Iterator[Command]:
    """Writes data given at an address of the core's address space, into the tiles it sees there."""
    neighbours = memory_neighbours(model, place)
    while data:
        window = next(
            (w for w, base in DATA_WINDOWS.items() if base <= address < base + DATA_WINDOW_BYTES), None
        )
        owner = neighbours.get(window) if window else None
        if owner is None:
            raise UserError(
                f"the program of the core of tile {place} has data at 0x{address:x}, where it has no memory"
            )
        size = min(len(data), DATA_WINDOW_BYTES - address % DATA_WINDOW_BYTES)
        yield from _write_memory(owner, address % DATA_WINDOW_BYTES, data[:size])
        address, data = address + size, data[size:]


def _write_memory(place: TilePlace, offset: int, data: bytes) -> Iterator[Command]:
    """Bytes into data memory; a word that is covered only in part is written with a mask, as in aie-rt."""
    head = -offset % 4
    if head and data:
        yield _write_part(place, offset, data[:head])
        offset, data = offset + head, data[head:]
    whole = len(data) // 4 * 4
    if whole:
        yield BlockWrite(registers.tile_address(*place, offset), data[:whole])
    if data[whole:]:
        yield _write_part(place, offset + whole, data[whole:])


def _write_part(place: TilePlace, offset: int, data: bytes) -> MaskWrite:
    """At most three bytes of one word."""
    shift = 8 * (offset % 4)
    mask = (1 << 8 * len(data)) - 1
    value = int.from_bytes(data, "little")
    return MaskWrite(
        registers.tile_address(*place, offset - offset % 4),
        mask << shift & 0xFFFFFFFF,
        value << shift & 0xFFFFFFFF,
    )


def _initial_state(
    device: Operation, model: DeviceModel, images: Mapping[TilePlace, CoreImage]
) -> Iterator[Command]:
    """The commands of the init file."""
    for place in _cores(device):
        yield from _reset_core(place, images[place].run, model.kind_of(place[1]))
    for lock in ops_of(device, "aie.lock"):
        if "lockID" in lock.attributes and "init" in lock.attributes:
            tile = lock.tile
            yield _set_lock(place_of(tile), lock.integer("lockID"), lock.integer("init"), kind_at(tile))
    for buffer in ops_of(device, "aie.buffer"):
        value = buffer.attributes.get("initial_value")
        if isinstance(value, DenseElementsAttr):
            if "address" not in buffer.attributes:
                raise UserError(
                    f"buffer '{buffer.result.name}' has no address", buffer.loc, hint="lower resources first"
                )
            yield from _write_memory(
                place_of(buffer.tile),
                buffer.integer("address"),
                initial_value_bytes(value, buffer.loc),
            )
    for name in DMA_REGIONS:
        for program in ops_of(device, name):
            yield from dma_program(program, model)
    for box in ops_of(device, "aie.switchbox"):
        yield from switchbox(box)
    for mux in ops_of(device, "aie.shim_mux"):
        yield from shim_mux(mux)
    for box in ops_of(device, "aie.shim_switchbox"):
        yield from shim_switchbox(box)
    for configure in ops_of(device, "aie.configure_cascade"):
        yield cascade(configure)


def _reset_core(place: TilePlace, run: bool, kind: TileKind) -> Iterator[Command]:
    """Reset (left again only by a core that is to run), and all locks 0."""
    yield _core_control(place, registers.CORE_CONTROL_RESET, registers.CORE_CONTROL_RESET)
    if run:
        yield _core_control(place, registers.CORE_CONTROL_RESET, 0)
    for lock in range(kind.locks):
        yield _set_lock(place, lock, 0, kind)


def _set_lock(place: TilePlace, lock: int, value: int, kind: TileKind) -> Write:
    return Write(registers.tile_address(*place, registers.lock_value(kind.name, lock)), value)
