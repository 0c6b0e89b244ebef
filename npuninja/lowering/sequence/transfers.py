"""Runtime sequence operations down to register writes (MLIR-AIE's aie-dma-to-npu and aie-lower-set-lock).

One rule for each operation gives the operations that take its place; those are expanded in turn:

    dma_memcpy_nd -> writebd, address_patch, push_queue      push_queue -> [maskwrite32,] write32
    dma_wait -> sync      writebd -> get_global, blockwrite  rtp_write, set_lock -> write32
    writes relative to a buffer -> the same write, absolute

Source: MLIR-AIE AIEDmaToNpu.cpp, AIELowerSetLock.cpp.
"""

from __future__ import annotations

from collections.abc import Callable

from npuninja.arch.devices import LOCK_VALUE_MAX, DeviceModel, TileKind
from npuninja.arch.registers import (
    CHANNEL_CONTROLLER_ID_MASK,
    CHANNEL_CONTROLLER_ID_SHIFT,
    QUEUE_REPEAT_MASK,
    QUEUE_REPEAT_SHIFT,
    QUEUE_TOKEN_SHIFT,
    START_QUEUE,
    channel_control,
    lock_value,
    tile_address,
)
from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import (
    Attribute,
    DenseElementsAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.ir.types import bits, element_of, size_bytes
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import (
    absolute_address,
    allocation,
    constants_of,
    lookup,
    placed_buffer,
    symbols,
)
from npuninja.lowering.npu_operations import (
    add_parameter,
    address_patch,
    make,
    push_queue,
    sync,
    ui32,
    write_bd,
    write_register,
)
from npuninja.lowering.sequence.arguments import ArgumentOffset, argument_of
from npuninja.lowering.sequence.checks import check_bd_id, check_channel, check_extent
from npuninja.lowering.sequence_bd import (
    SequenceDescriptor,
    bd_address,
    bd_words,
    is_linear,
    patch_address,
    shape_error,
    with_packet,
    with_shape,
)
from npuninja.lowering.tiles import get_or_create_tile, place_of


class SequenceContext:
    """What rules need to know of the sequence they expand, and the block data it shares with its device."""

    def __init__(
        self, operation: Operation, sequence: Operation, device: DeviceModel, rules: Rules, warnings: Warnings
    ) -> None:
        self.operation = operation
        self.sequence = sequence
        self.device = device
        self.rules = rules
        self.warnings = warnings
        self._symbols = symbols(operation)
        self._block_data: dict[tuple[str, ...], str] = {}
        for name, op in self._symbols.items():
            data = op.attributes.get("initial_value")
            if (
                op.name == "memref.global"
                and isinstance(data, DenseElementsAttr)
                and "constant" in op.attributes
            ):
                self._block_data.setdefault(data.values, name)

    def block_data(self, words: tuple[int, ...]) -> tuple[str, str]:
        """Symbol and type of a private constant global with these words; equal data is shared."""
        type_text = f"memref<{len(words)}xi32>"
        key = tuple(str(w - (1 << 32) if w >= 1 << 31 else w) for w in words)
        if key not in self._block_data:
            number = len(self._block_data)
            while f"blockwrite_data_{number}" in self._symbols:
                number += 1
            self._block_data[key] = name = f"blockwrite_data_{number}"
            attributes: dict[str, Attribute] = {
                "sym_name": StringAttr(name),
                "sym_visibility": StringAttr("private"),
                "type": TypeAttr(type_text),
                "initial_value": DenseElementsAttr(key, f"tensor<{len(words)}xi32>", False),
                "constant": UnitAttr(),
            }
            constant = Operation("memref.global", attributes=attributes, loc=self.sequence.loc)
            self._symbols[name] = self.sequence.insert_before(constant)
        return self._block_data[key], type_text


#: What takes an operation's place; None when it stays as it is.
SequenceExpansion = Callable[[Operation, SequenceContext], list[Operation] | None]


def expand(
    operation: Operation, sequence: Operation, device: DeviceModel, rules: Rules, warnings: Warnings
) -> None:
    """Expands every operation of a sequence in place. Raises UserError, located at the operation."""
    context = SequenceContext(operation, sequence, device, rules, warnings)
    block = sequence.body
    old, block.ops = block.ops, []
    for op in old:
        _expand_one(op, context)


def _expand_one(op: Operation, context: SequenceContext) -> None:
    rule = RULES.get(op.name)
    replacement = rule(op, context) if rule is not None else None
    if replacement is None:
        context.sequence.body.append(op)
        return
    op.parent = None
    for new in replacement:
        _expand_one(new, context)


def _dma_memcpy_nd(op: Operation, context: SequenceContext) -> list[Operation]:
    # MLIR writes the outermost dimension first.
    offsets, sizes, strides = (constants_of(op, name)[::-1] for name in ("offsets", "sizes", "strides"))
    channel = allocation(context.operation, op.symbol("metadata"), op)
    kind = context.device.kind_of(channel.row)
    moved = operand(op, "memref")
    element_bits = bits(element_of(moved.type))
    wrong = shape_error(sizes, strides, element_bits, kind)
    if wrong:
        raise UserError(f"transfer cannot be done: {wrong}", op.loc)
    argument = argument_of(moved, op)
    bd_id = op.integer("id")
    check_bd_id(op, bd_id, kind)
    offset_bytes = argument.offset_bytes + sum(o * s for o, s in zip(offsets, strides)) * element_bits // 8
    start = ArgumentOffset(argument.number, offset_bytes)
    check_extent(op, context.sequence, start, sizes, strides, element_bits, context.warnings)
    words = sizes[0] * sizes[1] * sizes[2] * element_bits // 32
    bd = SequenceDescriptor(
        channel.column, channel.row, bd_id, words, burst_length=op.integer("burst_length", 0)
    )
    bd = with_shape(
        bd, sizes, strides, element_bits, linear=is_linear(sizes, strides), third=kind.name == "mem"
    )
    bd = with_packet(bd, op.attributes.get("packet", channel.packet))
    bd = _with_padding(bd, op, channel.direction, kind)
    # Output channels have always issued a token, asked or not; designs rely on it.
    issue_token = channel.direction == "S2MM" or op.flag("issue_token")
    address_word = patch_address(channel.column, channel.row, bd_id, kind)
    return [
        write_bd(op, bd),
        address_patch(op, address_word, argument.number, offset_bytes),
        *add_parameter(op, address_word, element_bits),
        push_queue(op, *channel[:4], issue_token, sizes[3] - 1, bd_id),
    ]


def _with_padding(
    bd: SequenceDescriptor, op: Operation, direction: str, kind: TileKind
) -> SequenceDescriptor:
    fields = {key: op.integer(key, 0) for key in SequenceDescriptor._fields if "_zero_" in key}
    if any(fields.values()) and (kind.name != "mem" or direction != "MM2S"):
        raise UserError("only MM2S channels of memtiles can pad with zeros", op.loc)
    return bd._replace(**fields)


def _dma_wait(op: Operation, context: SequenceContext) -> list[Operation]:
    channel = allocation(context.operation, op.symbol("symbol"), op)
    return [sync(op, *channel[:4])]


def _writebd(op: Operation, context: SequenceContext) -> list[Operation]:
    bd = SequenceDescriptor(**{key: op.integer(key, 0) for key in SequenceDescriptor._fields})
    kind = context.device.kind_of(bd.row)
    check_bd_id(op, bd.bd_id, kind)
    try:
        words = bd_words(bd, context.device)
    except KeyError:
        lengths = ", ".join(str(length) for length in context.device.family.burst_codes)
        raise UserError(
            f"burst length {bd.burst_length} does not exist on {context.device.name}",
            op.loc,
            hint=f"bytes of a burst: {lengths}, or 0 for the longest",
        ) from None
    name, type_text = context.block_data(words)
    data = Operation(
        "memref.get_global",
        attributes={"name": SymbolRefAttr((name,))},
        result_types=(type_text,),
        loc=op.loc,
    )
    address = bd_address(bd.column, bd.row, bd.bd_id, kind)
    return [data, Operation("aiex.npu.blockwrite", [data.result], {"address": ui32(address)}, loc=op.loc)]


def _push_queue(op: Operation, context: SequenceContext) -> list[Operation]:
    column, row, channel = op.integer("column"), op.integer("row"), op.integer("channel")
    direction = op.enum("direction")
    kind = context.device.kind_of(row)
    check_channel(op, direction, channel, kind)
    bd, repeat = op.integer("bd_id"), op.integer("repeat_count", 0)
    check_bd_id(op, bd, kind)
    if not 0 <= repeat <= QUEUE_REPEAT_MASK:
        raise UserError(
            f"repeat count {repeat} is out of range, a task queue takes 0 to {QUEUE_REPEAT_MASK}", op.loc
        )
    token = op.flag("issue_token")
    control = tile_address(column, row, channel_control(kind.name, direction, channel))
    result = []
    if token:
        # The controller id is the packet id of the token.
        id_row = context.device.shim_row if context.rules.shim_controller_id else row
        controller = get_or_create_tile(context.operation, (column, id_row)).attributes.get("controller_id")
        if isinstance(controller, PacketInfoAttr):
            value = ui32(controller.pkt_id << CHANNEL_CONTROLLER_ID_SHIFT)
            mask = ui32(CHANNEL_CONTROLLER_ID_MASK)
            result.append(make("aiex.npu.maskwrite32", op, address=ui32(control), value=value, mask=mask))
    command = bd | repeat << QUEUE_REPEAT_SHIFT | token << QUEUE_TOKEN_SHIFT
    result.append(make("aiex.npu.write32", op, address=ui32(control + START_QUEUE), value=ui32(command)))
    return result


def _rtp_write(op: Operation, context: SequenceContext) -> list[Operation]:
    column, row, address = placed_buffer(context.operation, op.symbol("buffer"), op)
    index = op.integer("index")
    words = size_bytes(lookup(context.operation, op.symbol("buffer"), ("aie.buffer",), op).result.type) // 4
    if not 0 <= index < words:
        raise UserError(f"index {index} is outside @{op.symbol('buffer')}, which holds {words} words", op.loc)
    return [write_register(op, column, row, address + 4 * index, op.integer("value"))]


def _set_lock(op: Operation, context: SequenceContext) -> list[Operation]:
    lock = operand(op, "lock").owner
    if not isinstance(lock, Operation) or lock.name != "aie.lock":
        raise UserError("'aiex.set_lock' expects a lock made by aie.lock", op.loc)
    if "lockID" not in lock.attributes:
        raise UserError("'aiex.set_lock' needs a lock with an id", op.loc, notes=(("the lock", lock.loc),))
    value = op.integer("value")
    if not 0 <= value <= LOCK_VALUE_MAX:
        raise UserError(f"'aiex.set_lock' sets {value}, a lock holds 0 to {LOCK_VALUE_MAX}", op.loc)
    column, row = place_of(lock.tile)
    offset = lock_value(context.device.tile_kind(row), lock.integer("lockID"))
    return [write_register(op, column, row, offset, value)]


def _absolute(op: Operation, context: SequenceContext) -> list[Operation] | None:
    if "buffer" not in op.attributes:
        return None
    left_out = ("buffer", "column", "row") + (("value",) if op.name == "aiex.npu.blockwrite" else ())
    attributes = {key: value for key, value in op.attributes.items() if key not in left_out}
    attributes["address"] = ui32(absolute_address(op, context.operation))
    return [Operation(op.name, op.operands, attributes, loc=op.loc)]


RULES: dict[str, SequenceExpansion] = {
    "aiex.npu.write32": _absolute,
    "aiex.npu.maskwrite32": _absolute,
    "aiex.npu.blockwrite": _absolute,
    "aiex.npu.dma_memcpy_nd": _dma_memcpy_nd,
    "aiex.npu.dma_wait": _dma_wait,
    "aiex.npu.writebd": _writebd,
    "aiex.npu.push_queue": _push_queue,
    "aiex.npu.rtp_write": _rtp_write,
    "aiex.set_lock": _set_lock,
}
