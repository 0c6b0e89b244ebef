"""Runtime sequence operations down to register writes: the aie-dma-to-npu and aie-lower-set-lock passes of
MLIR-AIE.

One rule for each operation gives the operations that take its place; those are expanded in turn:

    dma_memcpy_nd -> writebd, address_patch, push_queue      push_queue -> [maskwrite32,] write32
    dma_wait -> sync      writebd -> get_global, blockwrite  rtp_write, set_lock -> write32
    writes relative to a buffer -> the same write, absolute

Source: MLIR-AIE AIEDmaToNpu.cpp, AIELowerSetLock.cpp.
"""

from __future__ import annotations

from typing import Callable, Union

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
    BoolAttr,
    DenseElementsAttr,
    EnumAttr,
    IntegerAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.core import Operation
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import bits, element_of, size_bytes
from npuninja.lowering.generation import Rules
from npuninja.lowering.op_builders import i32
from npuninja.lowering.sequence.arguments import ArgumentOffset, argument_of
from npuninja.lowering.sequence.bd import (
    SequenceDescriptor,
    bd_address,
    bd_words,
    hardware_shape,
    is_linear,
    patch_address,
    shape_error,
)
from npuninja.lowering.sequence.checks import check_extent
from npuninja.lowering.sequence.lookup import (
    absolute_address,
    allocation,
    lookup,
    placed_buffer,
    symbols,
    with_constants,
)
from npuninja.lowering.tiles import get_or_create_tile, place_of

DIRECTION_NUMBERS = {"S2MM": 0, "MM2S": 1}


class SequenceContext:
    """What the rules need to know about the sequence they expand, and the block data it shares with its
    device.
    """

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
Rule = Callable[[Operation, SequenceContext], Union[list[Operation], None]]


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


def make(name: str, like: Operation, **attributes: Attribute) -> Operation:
    """An operation without operands and results at the place of `like` in the source."""
    return Operation(name, attributes=attributes, loc=like.loc)


def ui32(value: int) -> IntegerAttr:
    """`value : ui32`, modulo 2^32."""
    return IntegerAttr(value & 0xFFFFFFFF, "ui32")


def write_bd(bd: SequenceDescriptor, like: Operation) -> Operation:
    """The `aiex.npu.writebd` of a descriptor."""
    return Operation(
        "aiex.npu.writebd", attributes={k: i32(v) for k, v in bd._asdict().items()}, loc=like.loc
    )


def push_queue(
    like: Operation, column: int, row: int, direction: str, channel: int, token: bool, repeat: int, bd: int
) -> Operation:
    """The `aiex.npu.push_queue` that starts a channel at descriptor `bd`, `repeat` + 1 times."""
    return make(
        "aiex.npu.push_queue",
        like,
        column=i32(column),
        row=i32(row),
        direction=EnumAttr("DMAChannelDir", direction),
        channel=i32(channel),
        issue_token=BoolAttr(token),
        repeat_count=i32(repeat),
        bd_id=i32(bd),
    )


def sync(like: Operation, column: int, row: int, direction: str, channel: int) -> Operation:
    """The `aiex.npu.sync` that waits for one token of one channel."""
    return make(
        "aiex.npu.sync",
        like,
        column=i32(column),
        row=i32(row),
        direction=i32(DIRECTION_NUMBERS[direction]),
        channel=i32(channel),
        column_num=i32(1),
        row_num=i32(1),
    )


def address_patch(like: Operation, address: int, argument: int, offset_bytes: int) -> Operation:
    """The `aiex.npu.address_patch` that puts an argument's address into the descriptor word at `address`."""
    return make(
        "aiex.npu.address_patch", like, addr=ui32(address), arg_idx=i32(argument), arg_plus=i32(offset_bytes)
    )


def add_parameter(op: Operation, address: int, element_bits: int) -> list[Operation]:
    """What adds a parameter of the scratchpad, in elements, to the descriptor's address word at `address`, if the
    transfer has one.
    """
    if "offset_state_table_idx" not in op.attributes:
        return []
    return [
        make(
            "aiex.npu.update_from_scratchpad",
            op,
            func=EnumAttr("StateTableFunc", "mul"),
            func_arg=ui32(element_bits // 8),
            address=ui32(address),
            state_table_idx=op.attributes["offset_state_table_idx"],
        )
    ]


def _quad(op: Operation, key: str) -> tuple[int, ...]:
    # MLIR writes the outermost dimension first.
    return with_constants(op.numbers(f"static_{key}"), group(op, key), key, op)[::-1]


def _dma_memcpy_nd(op: Operation, context: SequenceContext) -> list[Operation]:
    offsets, sizes, strides = (_quad(op, key) for key in ("offsets", "sizes", "strides"))
    channel = allocation(context.operation, op.symbol("metadata"), op)
    kind = context.device.kind_of(channel.row)
    moved = operand(op, "memref")
    element_bits = bits(element_of(moved.type))
    wrong = shape_error(sizes, strides, element_bits, kind)
    if wrong:
        raise UserError(f"transfer cannot be done: {wrong}", op.loc)
    argument = argument_of(moved, op)
    bd_id = op.integer("id")
    if not 0 <= bd_id < kind.bds:
        raise UserError(
            f"buffer descriptor id {bd_id} is out of range, a {kind.name} tile has 0 to {kind.bds - 1}",
            op.loc,
        )
    offset_bytes = argument.offset_bytes + sum(o * s for o, s in zip(offsets, strides)) * element_bits // 8
    start = ArgumentOffset(argument.number, offset_bytes)
    check_extent(op, context.sequence, start, sizes, strides, element_bits, context.warnings)
    shape = hardware_shape(sizes, strides, element_bits)
    words = sizes[0] * sizes[1] * sizes[2] * element_bits // 32
    bd = SequenceDescriptor(
        channel.column, channel.row, bd_id, words, burst_length=op.integer("burst_length", 0)
    )
    if not is_linear(sizes, strides):
        bd = bd._replace(
            d0_size=shape.sizes[0],
            d0_stride=shape.strides[0],
            d1_size=shape.sizes[1],
            d1_stride=shape.strides[1],
            d2_size=shape.sizes[2] if kind.name == "mem" else 0,
            d2_stride=shape.strides[2],
        )
    if sizes[3] > 1 and strides[3] > 0:
        bd = bd._replace(iteration_size=shape.sizes[3], iteration_stride=shape.strides[3])
    packet = op.attributes.get("packet", channel.packet)
    if isinstance(packet, PacketInfoAttr):
        bd = bd._replace(enable_packet=1, packet_type=packet.pkt_type, packet_id=packet.pkt_id)
    bd = _with_padding(bd, op, channel.direction, kind)
    # Output channels have always issued a token, asked or not; designs rely on it.
    issue_token = channel.direction == "S2MM" or op.flag("issue_token")
    return [
        write_bd(bd, op),
        address_patch(
            op, patch_address(channel.column, channel.row, bd_id, kind), argument.number, offset_bytes
        ),
        *add_parameter(op, patch_address(channel.column, channel.row, bd_id, kind), element_bits),
        push_queue(
            op,
            channel.column,
            channel.row,
            channel.direction,
            channel.channel,
            issue_token,
            shape.sizes[3],
            bd_id,
        ),
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
    return [sync(op, channel.column, channel.row, channel.direction, channel.channel)]


def _writebd(op: Operation, context: SequenceContext) -> list[Operation]:
    bd = SequenceDescriptor(**{key: op.integer(key, 0) for key in SequenceDescriptor._fields})
    kind = context.device.kind_of(bd.row)
    if not 0 <= bd.bd_id < kind.bds:
        raise UserError(
            f"buffer descriptor id {bd.bd_id} is out of range, the tile has 0 to {kind.bds - 1}", op.loc
        )
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
    channels = kind.s2mm_channels if direction == "S2MM" else kind.mm2s_channels
    if not 0 <= channel < channels:
        raise UserError(
            f"{direction} channel {channel} does not exist, a {kind.name} tile has 0 to {channels - 1}",
            op.loc,
        )
    bd, repeat = op.integer("bd_id"), op.integer("repeat_count", 0)
    if not 0 <= bd < kind.bds:
        raise UserError(
            f"buffer descriptor id {bd} is out of range, a {kind.name} tile has 0 to {kind.bds - 1}", op.loc
        )
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


def _write_in_tile(op: Operation, column: int, row: int, offset: int, value: int) -> Operation:
    return make(
        "aiex.npu.write32", op, address=ui32(offset), column=i32(column), row=i32(row), value=ui32(value)
    )


def _rtp_write(op: Operation, context: SequenceContext) -> list[Operation]:
    column, row, address = placed_buffer(context.operation, op.symbol("buffer"), op)
    index = op.integer("index")
    words = size_bytes(lookup(context.operation, op.symbol("buffer"), ("aie.buffer",), op).result.type) // 4
    if not 0 <= index < words:
        raise UserError(f"index {index} is outside @{op.symbol('buffer')}, which holds {words} words", op.loc)
    return [_write_in_tile(op, column, row, address + 4 * index, op.integer("value"))]


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
    return [
        _write_in_tile(
            op,
            column,
            row,
            lock_value(context.device.tile_kind(row), lock.integer("lockID")),
            op.integer("value"),
        )
    ]


def _absolute(op: Operation, context: SequenceContext) -> list[Operation] | None:
    if "buffer" not in op.attributes:
        return None
    left_out = ("buffer", "column", "row") + (("value",) if op.name == "aiex.npu.blockwrite" else ())
    attributes = {key: value for key, value in op.attributes.items() if key not in left_out}
    attributes["address"] = ui32(absolute_address(op, context.operation))
    return [Operation(op.name, op.operands, attributes, loc=op.loc)]


RULES: dict[str, Rule] = {
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
