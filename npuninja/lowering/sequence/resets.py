"""Resets of cores and DMA channels from a runtime sequence.

    core_reset, dma_channel_reset -> maskwrite32 with the reset bit, and without it
    dma_channel_reset_for         -> the resets of its channels, then set_lock of its locks, then push_queue

Rules: MLIR-AIE, AIELowerDmaChannelReset.cpp, AIELowerCoreReset.cpp. A shim tile's channels have no reset bit:
the host starts them anyway.
"""

from __future__ import annotations

from npuninja.arch.registers import (
    CHANNEL_RESET,
    CORE_CONTROL,
    CORE_CONTROL_RESET,
    DIRECTIONS,
    channel_control,
)
from npuninja.errors import UserError
from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Operation
from npuninja.ir.syntax import group
from npuninja.lowering.lookup import lookup
from npuninja.lowering.npu_operations import push_queue, write_bits
from npuninja.lowering.op_builders import i32
from npuninja.lowering.sequence.checks import check_channel
from npuninja.lowering.tiles import kind_at, model_around, ops_of, place_of

_BINDING = "aie.objectfifo_rearm_binding"
_DIRECTIONS = tuple(DIRECTIONS)


def lower_resets(device: Operation, sequence: Operation) -> None:
    """Replaces the resets of a sequence in place.

    Raises:
        UserError: no such core or channel, or an objectFifo without channels and locks on the array.
    """
    for op in [op for op in sequence.walk() if op.name in _RESETS]:
        for new in _RESETS[op.name](device, op):
            op.insert_before(new)
        op.erase()


def drop_bindings(device: Operation) -> None:
    """Removes what only the resets needed."""
    for op in list(ops_of(device, _BINDING)):
        op.erase()


def _pulse(op: Operation, place: tuple[int, int], offset: int, bit: int) -> list[Operation]:
    return [write_bits(op, *place, offset, bit, value) for value in (bit, 0)]


def _core_reset(device: Operation, op: Operation) -> list[Operation]:
    place = place_of(op.tile)
    if kind_at(op.tile).name != "core":
        raise UserError(f"tile {place} has no core to reset", op.loc)
    return _pulse(op, place, CORE_CONTROL, CORE_CONTROL_RESET)


def _channel_reset(device: Operation, op: Operation) -> list[Operation]:
    return _reset(op, place_of(op.tile), op.enum("direction"), op.integer("channel"))


def _reset(op: Operation, place: tuple[int, int], direction: str, channel: int) -> list[Operation]:
    kind = model_around(op).kind_of(place[1])
    if kind.name == "shim":
        raise UserError(
            f"the DMA channels of shim tile {place} cannot be reset",
            op.loc,
            hint="the sequence starts them again with each transfer",
        )
    check_channel(op, direction, channel, kind)
    return _pulse(op, place, channel_control(kind.name, direction, channel), CHANNEL_RESET)


def _numbers(binding: Operation, key: str, count: int, op: Operation) -> tuple[int, ...]:
    attribute = binding.attributes.get(key)
    values = attribute.values if isinstance(attribute, DenseArrayAttr) else ()
    if len(values) != count:
        raise UserError(
            f"{_BINDING} '@{binding.string('sym_name')}' has {len(values)} {key}, expected {count}",
            binding.loc,
            notes=(("used here", op.loc),),
        )
    return tuple(values)


def _reset_for(device: Operation, op: Operation) -> list[Operation]:
    binding = lookup(device, op.symbol("objfifo"), (_BINDING,), op)
    tiles, locks = group(binding, "channel_tiles"), group(binding, "locks")
    directions = _numbers(binding, "channel_dirs", len(tiles), op)
    channels = _numbers(binding, "channel_indices", len(tiles), op)
    if "head_bd_ids" not in binding.attributes:
        raise UserError(
            f"'@{binding.string('sym_name')}' has a channel without a program that could be started again",
            binding.loc,
            notes=(("its channels are reset here", op.loc),),
        )
    heads = _numbers(binding, "head_bd_ids", len(tiles), op)
    repeats = _numbers(binding, "repeat_counts", len(tiles), op)
    inits = _numbers(binding, "lock_inits", len(locks), op)
    if not set(directions) <= {0, 1}:
        raise UserError("channel_dirs holds 0 for S2MM and 1 for MM2S", binding.loc)
    ends = [
        (place_of(tile), _DIRECTIONS[direction], channel, head, repeat)
        for tile, direction, channel, head, repeat in zip(tiles, directions, channels, heads, repeats)
    ]
    # A channel starts only when all locks are as they were at first.
    new: list[Operation] = []
    for place, direction, channel, _, _ in ends:
        new += _reset(op, place, direction, channel)
    new += [
        Operation("aiex.set_lock", [lock], {"value": i32(init)}, loc=op.loc)
        for lock, init in zip(locks, inits)
    ]
    for (column, row), direction, channel, head, repeat in ends:
        new.append(push_queue(op, column, row, direction, channel, False, repeat, head))
    return new


_RESETS = {
    "aiex.core_reset": _core_reset,
    "aiex.dma_channel_reset": _channel_reset,
    "aiex.dma_channel_reset_for": _reset_for,
}
