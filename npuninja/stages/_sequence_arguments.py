"""The arguments of a runtime sequence for the manifest: name, shape, element, direction of their data."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.registers import BD_STRIDE, COLUMN_SHIFT, bd_offset, channel_queue, split_address
from npuninja.errors import UserError
from npuninja.ir.attributes import EnumAttr, IntegerAttr, SymbolRefAttr
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import bits, memref
from npuninja.lowering.lookup import allocation, sequences
from npuninja.lowering.sequence.arguments import argument_of

if TYPE_CHECKING:
    from typing import Any

# Seen from the host: a channel that reads memory (MM2S) takes an argument in, one that writes gives it out.
_DIRECTIONS = {"MM2S": "in", "S2MM": "out"}


def sequence_arguments(device: Operation, sequence: Operation) -> list[dict[str, Any]]:
    """The arguments in order, as the manifest has them.

    Directions come from the transfers. An argument that is moved both ways is `inout`, and so is one that raw
    register writes move where those do not say which way. One that nothing moves is `in`. One that takes what
    trace units send is `trace`; older generations pass it after the declared arguments, and what lies
    between is `none`.

    Raises:
        UserError: an argument is no memref of whole bytes; located at the sequence.
    """
    ways = _ways(device, sequence)
    arguments = []
    for number, value in enumerate(sequence.body.args):
        seen = ways.get(number, set())
        direction = "trace" if seen == {"trace"} else "inout" if len(seen) > 1 else next(iter(seen), "in")
        arguments.append(_argument(value, number, direction, sequence))
    for number in range(len(arguments), max(ways, default=-1) + 1):
        traced = "trace" in ways.get(number, ())
        nbytes = _raw_bytes(sequence).get(number, 4) if traced else 4
        fields = {"shape": [nbytes // 4], "dtype": "i32", "bytes": nbytes // 4 * 4}
        name = "trace" if traced else f"unused{number}"
        arguments.append({"name": name, "direction": "trace" if traced else "none", **fields})
    return arguments


def _argument(value: Value, number: int, direction: str, sequence: Operation) -> dict[str, Any]:
    name = value.name or f"arg{number}"
    if not value.type.startswith("memref<"):
        raise UserError(
            f"argument %{name} of the runtime sequence is of type {value.type}; the host passes buffers only",
            sequence.loc,
            hint="make it a memref, or write the value with aiex.npu.rtp_write",
        )
    kind = memref(value.type)
    count = 1
    for size in kind.shape:
        count *= size
    if bits(kind.element) % 8 or count <= 0:
        raise UserError(
            f"argument %{name} has type {value.type}, which has no fixed number of bytes", sequence.loc
        )
    return {
        "name": name,
        "direction": direction,
        "shape": list(kind.shape),
        "dtype": kind.element,
        "bytes": count * bits(kind.element) // 8,
    }


def _ways(device: Operation, sequence: Operation, active: tuple[Operation, ...] = ()) -> dict[int, set[str]]:
    """Argument number -> directions of the transfers that touch it. `active`: sequences that run this one."""
    ways: dict[int, set[str]] = {}
    for op in sequence.walk():
        if op.name == "aiex.npu.dma_memcpy_nd":
            direction = allocation(device, op.symbol("metadata"), op).direction
            ways.setdefault(argument_of(operand(op, "memref"), op).number, set()).add(_DIRECTIONS[direction])
        elif op.name == "aie.dma_bd":
            number = _number(operand(op, "buffer"), sequence)
            if number is not None:
                ways.setdefault(number, set()).update(_task_directions(device, op))
        elif op.name == "aiex.run":
            for place, seen in _ways_of_run(device, op, (*active, sequence)).items():
                number = _number(group(op, "args")[place], sequence)
                if number is not None:
                    ways.setdefault(number, set()).update(seen)
        elif op.name == "aiex.npu.address_patch":
            index = op.attributes.get("arg_idx")
            if isinstance(index, IntegerAttr):
                ways.setdefault(index.value, set()).update(_raw_directions(device, sequence, op))
    return ways


def _raw_directions(device: Operation, sequence: Operation, patch: Operation) -> set[str]:
    """Which way the descriptor that has an address moves, by the writes that start it; both if none does."""
    column, _, register = split_address(patch.integer("addr"))
    number = (register - bd_offset("shim", 0)) // BD_STRIDE
    found: set[str] = set()
    for op in sequence.walk():
        if op.name == "aiex.npu.push_queue" and op.integer("column") == column and not op.integer("row"):
            case = op.attributes.get("direction")
            if op.integer("bd_id", -1) == number and isinstance(case, EnumAttr):
                found.add(_way(device, column, case.case, op.integer("channel")))
        if op.name != "aiex.npu.write32" or op.integer("value", 0) & 15 != number:
            continue
        address = op.integer("address", 0) + (op.integer("column", 0) << COLUMN_SHIFT)
        for direction in _DIRECTIONS:
            for channel in range(2):
                if address == column << COLUMN_SHIFT | channel_queue("shim", direction, channel):
                    found.add(_way(device, column, direction, channel))
    return found or {"in", "out"}


def _way(device: Operation, column: int, direction: str, channel: int) -> str:
    """The direction of a shim channel, or `trace` when trace units send to it."""
    if direction == "MM2S":
        return "in"
    for flow in device.body.ops:
        if flow.name != "aie.packet_flow":
            continue
        ends = [op for op in flow.body.ops if op.name in ("aie.packet_source", "aie.packet_dest")]
        traced = any(op.name == "aie.packet_source" and _bundle(op) == "Trace" for op in ends)
        for op in ends:
            if (
                traced
                and op.name == "aie.packet_dest"
                and _bundle(op) == "DMA"
                and op.integer("channel") == channel
            ):
                tile = op.tile.op
                if tile.integer("col") == column and not tile.integer("row"):
                    return "trace"
    return "out"


def _bundle(end: Operation) -> str:
    bundle = end.attributes.get("bundle")
    return bundle.case if isinstance(bundle, EnumAttr) else ""


def _raw_bytes(sequence: Operation) -> dict[int, int]:
    """Argument number -> the bytes that descriptors written by hand reach in it."""
    lengths = {
        (op.integer("column"), op.integer("bd_id")): 4 * op.integer("buffer_length")
        for op in sequence.walk()
        if op.name == "aiex.npu.writebd"
    }
    found: dict[int, int] = {}
    for op in sequence.walk():
        if op.name == "aiex.npu.address_patch":
            column, _, register = split_address(op.integer("addr"))
            number = (register - bd_offset("shim", 0)) // BD_STRIDE
            end = op.integer("arg_plus", 0) + lengths.get((column, number), 0)
            found[op.integer("arg_idx")] = max(found.get(op.integer("arg_idx"), 0), end)
    return found


def _ways_of_run(device: Operation, run: Operation, active: tuple[Operation, ...]) -> dict[int, set[str]]:
    """What a sequence that is run does with its arguments.

    The lowering reports one that is not found or that runs itself.
    """
    configure, module = run.parent_op, device.parent_op
    called = device
    if configure is not None and configure.name == "aiex.configure" and module is not None:
        name = configure.symbol("symbol")
        named = [
            op for op in module.body.ops if op.name == "aie.device" and op.string("sym_name", "main") == name
        ]
        called = named[0] if named else device
    wanted = run.symbol("runtime_sequence_symbol")
    for sequence in sequences(called):
        if sequence.string("sym_name", "sequence") == wanted and sequence not in active:
            return _ways(called, sequence, active)
    return {}


def _number(value: Value, sequence: Operation) -> int | None:
    """The number of the sequence's argument that a value comes from; None for a buffer of the array."""
    owner = value.owner
    while isinstance(owner, Operation) and owner.name in (
        "memref.cast",
        "memref.subview",
        "memref.reinterpret_cast",
    ):
        value = operand(owner, "source")
        owner = value.owner
    return owner.args.index(value) if isinstance(owner, Block) and owner is sequence.body else None


def _task_directions(device: Operation, bd: Operation) -> set[str]:
    """Which way the task moves that a descriptor belongs to; both when that is not to be seen here."""
    task = bd.parent_op
    while task is not None and not task.name.startswith("aiex.dma_configure_task"):
        task = task.parent_op
    if task is None:
        return {"in", "out"}
    name, direction = task.attributes.get("alloc"), task.attributes.get("direction")
    if isinstance(name, SymbolRefAttr):
        return {_DIRECTIONS[allocation(device, name.path[-1], task).direction]}
    return {_DIRECTIONS[direction.case]} if isinstance(direction, EnumAttr) else {"in", "out"}
