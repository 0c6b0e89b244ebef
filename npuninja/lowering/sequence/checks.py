"""What a runtime sequence may not do; and, as warnings, what the reference accepts but cannot be meant."""

from __future__ import annotations

from npuninja.arch.devices import TASK_QUEUE_DEPTH, DeviceModel, TileKind
from npuninja.arch.registers import DIRECTIONS, QUEUE_TOKEN_SHIFT, channel_queue, tile_address
from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.numbers import NUMBERS
from npuninja.ir.types import bits, element_count, element_of, memref
from npuninja.ir.verifier_sequence import TASK_USES, check_task_use, check_transfer
from npuninja.lowering.lookup import absolute_address
from npuninja.lowering.sequence.arguments import ArgumentOffset

#: A DMA channel: column, row, direction number, channel.
ChannelNumber = tuple[int, int, int, int]
#: Tasks that a channel takes without a wait: one at work and those in its queue.
_MOST_PUSHES = TASK_QUEUE_DEPTH + 1


def check_blocks(sequence: Operation) -> None:
    """Raises UserError when a sequence branches; located."""
    if len(sequence.regions[0].blocks) > 1:
        raise UserError("a runtime sequence is one block, this one branches", sequence.loc)


def check_known(sequence: Operation) -> None:
    """Raises UserError when an operation of a sequence depends on what is known at run time only; located."""
    for op in sequence.body.ops:
        if op.name in NUMBERS and len(op.operands) > (op.name == "aie.use_lock"):
            raise run_time_error(f"'{op.name}'", op)
        if op.name in TASK_USES:
            check_task_use(op)
        if op.name == "aiex.npu.dma_memcpy_nd" and len(op.operands) > 1:
            check_transfer(op)


def run_time_error(what: str, op: Operation) -> UserError:
    """The error for something that depends on a value no instruction can hold."""
    return UserError(
        f"{what} depends on a value that is known at run time only, and instructions hold numbers",
        op.loc,
        hint="give constants, or compute from them",
    )


def check_bd_id(op: Operation, number: int, kind: TileKind) -> None:
    """Raises UserError when a tile of this kind has no such buffer descriptor."""
    if not 0 <= number < kind.bds:
        raise UserError(
            f"buffer descriptor id {number} is out of range, a {kind.name} tile has 0 to {kind.bds - 1}",
            op.loc,
        )


def check_channel(op: Operation, direction: str, channel: int, kind: TileKind) -> None:
    """Raises UserError when a tile of this kind has no such DMA channel."""
    count = kind.channels(direction)
    if not 0 <= channel < count:
        raise UserError(
            f"{direction} channel {channel} does not exist, a {kind.name} tile has 0 to {count - 1}", op.loc
        )


def check_tokens(device: Operation, sequence: Operation, model: DeviceModel, warnings: Warnings) -> None:
    """Warns of waits in a lowered sequence for which no earlier task issues a token: they would never end."""
    queues = _task_queues(model)
    tokens: dict[ChannelNumber, int] = {}
    for op in sequence.body.ops:
        if op.name == "aiex.npu.write32":
            channel = queues.get(absolute_address(op, device))
            if channel is not None and op.integer("value") >> QUEUE_TOKEN_SHIFT & 1:
                tokens[channel] = tokens.get(channel, 0) + 1
        elif op.name == "aiex.npu.sync":
            for channel in _awaited(op):
                left = tokens.get(channel, 0) - 1
                tokens[channel] = max(left, 0)
                if left < 0:
                    column, row, direction, number = channel
                    name = "MM2S" if direction else "S2MM"
                    warnings.add(
                        f"waits for {name} channel {number} of tile ({column}, {row}), "
                        "but no task before it issues a token",
                        op.loc,
                    )


def _task_queues(model: DeviceModel) -> dict[int, ChannelNumber]:
    """Address of each channel's task queue -> the channel."""
    queues: dict[int, ChannelNumber] = {}
    for column, row in model.tile_places():
        kind = model.kind_of(row)
        for direction in DIRECTIONS:
            for number in range(kind.channels(direction)):
                address = tile_address(column, row, channel_queue(kind.name, direction, number))
                queues[address] = (column, row, DIRECTIONS[direction], number)
    return queues


def _awaited(op: Operation) -> list[ChannelNumber]:
    column, row = op.integer("column"), op.integer("row")
    return [
        (column + c, row + r, op.integer("direction"), op.integer("channel"))
        for c in range(op.integer("column_num"))
        for r in range(op.integer("row_num"))
    ]


def check_extent(
    op: Operation,
    sequence: Operation,
    start: ArgumentOffset,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    element_bits: int,
    warnings: Warnings,
) -> None:
    """Warns of a transfer that leaves its argument.

    `start` is its first byte; sizes and strides are in elements.
    """
    type = sequence.body.args[start.number].type
    try:
        available_bytes = element_count(memref(type).shape) * bits(element_of(type)) // 8
    except ValueError:
        return  # a dynamic size is the host's to check
    last = sum((size - 1) * stride for size, stride in zip(sizes, strides))
    end_bytes = start.offset_bytes + (last + 1) * element_bits // 8
    if end_bytes > available_bytes or start.offset_bytes < 0:
        warnings.add(
            f"the transfer covers bytes {start.offset_bytes} to {end_bytes} of argument {start.number}, "
            f"which has {available_bytes}",
            op.loc,
        )


def check_queues(device: Operation, sequence: Operation, model: DeviceModel, warnings: Warnings) -> None:
    """Warns of more pushes onto a channel between two waits than its task queue holds: the rest is lost."""
    queues = _task_queues(model)
    pushes: dict[ChannelNumber, list[Operation]] = {}
    for op in (*sequence.body.ops, None):
        if op is None or op.name == "aiex.npu.sync":
            for channel, pushed in pushes.items():
                if len(pushed) > _MOST_PUSHES:
                    column, row, direction, number = channel
                    warnings.add(
                        f"{len(pushed)} tasks are pushed onto {'MM2S' if direction else 'S2MM'} channel "
                        f"{number} of tile ({column}, {row}) without a wait between, but its queue holds "
                        f"{TASK_QUEUE_DEPTH} and one is at work: what is pushed onto a full queue is lost. "
                        f"Wait (issue_token = true) after every {TASK_QUEUE_DEPTH}",
                        pushed[_MOST_PUSHES].loc,
                    )
            pushes.clear()
        elif op.name == "aiex.npu.write32":
            found = queues.get(absolute_address(op, device))
            if found is not None:
                pushes.setdefault(found, []).append(op)
