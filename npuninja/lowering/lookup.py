"""What names and values in a module stand for: devices, sequences, allocations, buffers, locks, numbers."""

from __future__ import annotations

from npuninja.arch.registers import TILE_BYTES, tile_address
from npuninja.errors import UserError
from npuninja.ir.attributes import PacketInfoAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.ir.numbers import entries
from npuninja.ir.symbols import RUNTIME_SEQUENCES
from npuninja.lowering.op_builders import known_number
from npuninja.lowering.tiles import ops_of, place_of
from npuninja.records import NamedTuple

#: What the lowering puts after an objectFifo's name to name its channel of a shim tile.
ALLOCATION_SUFFIX = "_shim_alloc"


class Allocation(NamedTuple):
    """A DMA channel that has a name (`aie.shim_dma_allocation`)."""

    column: int
    row: int
    direction: str
    channel: int
    packet: PacketInfoAttr | None


def find_device(module: Operation, name: str) -> Operation:
    """The device called `name`; "" means `main`, or the only one. UserError when there is none."""
    devices = {op.string("sym_name", "main"): op for op in module.body.ops if op.name == "aie.device"}
    if name in devices:
        return devices[name]
    if not name and len(devices) == 1:
        return next(iter(devices.values()))
    if not name and "main" in devices:
        return devices["main"]
    raise UserError(
        f"no device @{name or 'main'} in the module", module.loc, hint=f"devices: {_names(list(devices))}"
    )


def find_sequence(device: Operation, name: str) -> Operation:
    """The runtime sequence called `name`; "" means the first. UserError when there is none."""
    found = sequences(device)
    for op in found:
        if not name or op.string("sym_name", "sequence") == name:
            return op
    raise UserError(
        f"device @{device.string('sym_name', 'main')} has no runtime sequence{' @' + name if name else ''}",
        device.loc,
        hint=f"sequences: {_names([op.string('sym_name', 'sequence') for op in found])}",
    )


def _names(names: list[str]) -> str:
    return ", ".join("@" + name for name in names) or "none"


def sequences(device: Operation) -> list[Operation]:
    """The runtime sequences of a device, in order."""
    return [op for op in device.body.ops if op.name in RUNTIME_SEQUENCES]


def symbols(device: Operation) -> dict[str, Operation]:
    """The device's operations that have a symbol name."""
    found = {}
    for op in (*device.body.ops, *ops_of(device, "aie.buffer", "aie.lock", "aie.external_buffer")):
        name = op.attributes.get("sym_name")
        if isinstance(name, StringAttr):
            found[name.value] = op
    return found


def lookup(device: Operation, name: str, kinds: tuple[str, ...], user: Operation) -> Operation:
    """The operation of one of `kinds` called `name`, or a UserError at `user` that lists those there are."""
    wanted = StringAttr(name)
    named = [other for other in device.body.ops if other.attributes.get("sym_name") == wanted]
    # An older allocation is no symbol: a memref.global, which used to be declared for it, may have its name.
    op = next((other for other in named if other.name in kinds), None)
    op = op or (named[0] if named else symbols(device).get(name))
    if op is not None and op.name in kinds:
        return op
    what = kinds[0]
    known = sorted(_written(symbol, name) for symbol, other in symbols(device).items() if other.name in kinds)
    if op is not None:
        raise UserError(
            f"'{user.name}' names @{name}, which is an {op.name}; expected an {what}",
            user.loc,
            notes=((f"@{name} is defined here", op.loc),),
        )
    raise UserError(
        f"'{user.name}' names @{name}, but the device has no {what} of that name",
        user.loc,
        hint=f"known: {', '.join('@' + k for k in known)}" if known else f"the device has no {what} at all",
    )


def _written(symbol: str, wanted: str) -> str:
    """The name that is in the design: that of the objectFifo whose allocation it is."""
    short = symbol.removesuffix(ALLOCATION_SUFFIX)
    return symbol if short == wanted else short


def allocation(device: Operation, name: str, user: Operation) -> Allocation:
    """The channel that `name` stands for. UserError at `user` when the device has no such allocation."""
    op = lookup(device, name, ("aie.shim_dma_allocation",), user)
    direction = op.enum("channel_dir")
    packet = op.attributes.get("packet")
    column, row = place_of(op.tile) if op.operands else (op.integer("col"), 0)
    return Allocation(
        column,
        row,
        direction,
        op.integer("channel_index"),
        packet if isinstance(packet, PacketInfoAttr) else None,
    )


def placed_buffer(device: Operation, name: str, user: Operation) -> tuple[int, int, int]:
    """Column, row and address of a buffer by name. Raises UserError when it is missing or has no address."""
    return buffer_place(lookup(device, name, ("aie.buffer",), user), user)


def buffer_place(buffer: Operation, user: Operation) -> tuple[int, int, int]:
    """Column, row and address in the tile of an `aie.buffer`."""
    if "address" not in buffer.attributes:
        raise UserError(
            f"'{user.name}' needs the address of a buffer that has none",
            user.loc,
            hint="lower the design's resources first, or give the buffer an address",
            notes=(("the buffer", buffer.loc),),
        )
    column, row = place_of(buffer.tile)
    return column, row, buffer.integer("address")


def absolute_address(op: Operation, device: Operation) -> int:
    """Where a register write goes in the array: its address may be relative to a buffer (words) or a tile."""
    address = op.integer("address")
    if "buffer" in op.attributes:
        column, row, start = placed_buffer(device, op.symbol("buffer"), op)
        return tile_address(column, row, start + 4 * address & TILE_BYTES - 1)
    if "column" in op.attributes and "row" in op.attributes:
        return tile_address(op.integer("column"), op.integer("row"), address & TILE_BYTES - 1)
    return address


def constants_of(op: Operation, name: str) -> tuple[int, ...]:
    """The numbers of a list of constants and values, such as `offsets`. UserError when one is not known."""
    numbers = []
    for entry in map(known_number, entries(op, name)):
        if not isinstance(entry, int):
            raise UserError(
                f"{name} of '{op.name}' must be known when the design is built",
                op.loc,
                hint="write a number, or a value made by arith.constant",
            )
        numbers.append(entry)
    return tuple(numbers)


def numbers_of(op: Operation, what: str) -> tuple[int, ...] | None:
    """The numbers of one list, those passed as constants too; None when one is not known."""
    numbers = tuple(number for entry in entries(op, what) if isinstance(number := known_number(entry), int))
    return numbers if len(numbers) == len(op.numbers(f"static_{what}")) else None
