"""DMA tasks of a runtime sequence: named channels to tiles, tasks to descriptor writes, pushes and waits.

Descriptors are written where their task is configured, in block order; its queue is pushed where it starts.

Source: MLIR-AIE AIESubstituteShimDMAAllocations.cpp, AIEDMATasksToNPU.cpp.
"""

from __future__ import annotations

from npuninja.arch.devices import (
    MEMTILE_LOCK_BASES,
    MEMTILE_WINDOWS,
    DeviceModel,
    TileKind,
    TilePlace,
)
from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import (
    BDDimLayoutArrayAttr,
    BDPadLayout,
    BDPadLayoutArrayAttr,
    EnumAttr,
    IntegerAttr,
    is_contiguous,
)
from npuninja.ir.core import Block, Operation
from npuninja.ir.syntax import operand
from npuninja.ir.types import bits, element_count, element_of, memref
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import allocation, buffer_place
from npuninja.lowering.npu_operations import (
    add_parameter,
    address_patch,
    make,
    push_queue,
    sync,
    ui32,
    write_bd,
)
from npuninja.lowering.sequence.arguments import ArgumentOffset, argument_of
from npuninja.lowering.sequence.checks import check_extent, run_time_error
from npuninja.lowering.sequence.task_ids import descriptors, task_of
from npuninja.lowering.sequence_bd import (
    SequenceDescriptor,
    four_dimensions,
    is_linear,
    patch_address,
    shape_error,
    with_packet,
    with_shape,
)
from npuninja.lowering.tiles import get_or_create_tile, model_around, place_of


def substitute_allocations(device: Operation, sequence: Operation) -> None:
    """Turns each `dma_configure_task_for @name` into a `dma_configure_task` on its tile and channel."""
    for op in list(sequence.body.ops):
        if op.name != "aiex.dma_configure_task_for":
            continue
        channel = allocation(device, op.symbol("alloc"), op)
        del op.attributes["alloc"]
        op.name = "aiex.dma_configure_task"
        op.operands = [get_or_create_tile(device, (channel.column, channel.row)).result]
        op.attributes["direction"] = EnumAttr("DMAChannelDir", channel.direction)
        op.attributes["channel"] = IntegerAttr(channel.channel, "i32")
        if channel.packet is not None:
            for bd in descriptors(op):
                bd.attributes.setdefault("packet", channel.packet)


def lower_tasks(sequence: Operation, model: DeviceModel, rules: Rules, warnings: Warnings) -> None:
    """Replaces tasks, their starts and their waits. Descriptors must have their ids. Raises UserError."""
    writer = _TaskWriter(sequence, model, rules, warnings)
    block = sequence.body
    old, block.ops = block.ops, []
    for op in old:
        if op.name == "aiex.dma_configure_task":
            new = writer.configure(op)
        elif op.name == "aiex.dma_start_task":
            new = [_start(op)]
        elif op.name == "aiex.dma_await_task":
            new = [_await(op)]
        else:
            new = [op]
        for item in new:
            block.append(item)


def _channel(task: Operation) -> tuple[str, int]:
    return task.enum("direction"), task.integer("channel")


def _start(op: Operation) -> Operation:
    task = task_of(op)
    bds = descriptors(task)
    if not bds:
        raise UserError(
            "the task has no buffer descriptor to start with", op.loc, notes=(("the task", task.loc),)
        )
    token, repeat = task.flag("issue_token"), task.integer("repeat_count", 0)
    return push_queue(op, *place_of(task.tile), *_channel(task), token, repeat, bds[0].integer("bd_id"))


def _await(op: Operation) -> Operation:
    task = task_of(op)
    if not task.flag("issue_token"):
        raise UserError(
            "cannot wait for a task that issues no token",
            op.loc,
            hint="add `issue_token = true` to the task",
            notes=(("the task", task.loc),),
        )
    return sync(op, *place_of(task.tile), *_channel(task))


def _only_descriptor(block: Block, task: Operation) -> Operation:
    found = None
    for op in block.ops:
        if op.name == "aie.dma_bd":
            if found is not None:
                raise UserError(
                    "a block of a task holds one aie.dma_bd, this is the second",
                    op.loc,
                    notes=(("the first", found.loc),),
                )
            found = op
        elif op.name not in ("aie.use_lock", "aie.next_bd", "aie.end"):
            raise UserError(f"'{op.name}' cannot be in a task", op.loc)
    if found is None:
        raise UserError("a block of this task has no aie.dma_bd", (block.ops[0] if block.ops else task).loc)
    return found


def _lock_fields(block: Block, place: TilePlace, rules: Rules) -> dict[str, int]:
    """The lock fields of a block's descriptor: none, or of an acquire and release of the tile's own locks."""
    uses = [op for op in block.ops if op.name == "aie.use_lock"]
    if not uses:
        return {}
    kind = model_around(uses[0]).kind_of(place[1])
    if not rules.tasks_have_locks:
        raise UserError(
            f"descriptors of a runtime sequence cannot use locks in the dialect of {rules.name}",
            uses[0].loc,
            hint="MLIR-AIE takes them from 2026-02 on (`aie.runtime_sequence`)",
        )
    if kind.name == "shim":
        raise UserError("descriptors of a shim tile's task cannot use locks", uses[0].loc)
    fields: dict[str, int] = {}
    for op in uses:
        lock = operand(op, "lock").op
        if place_of(lock.tile) != place:
            raise UserError(
                f"a task of tile {place} uses a lock of another tile", op.loc, notes=(("the lock", lock.loc),)
            )
        number = lock.integer("lockID") + (MEMTILE_LOCK_BASES["own"] if kind.name == "mem" else 0)
        value = op.integer("value", 1)
        action = op.enum("action")
        if action == "Release":
            new = {"lock_rel_id": number, "lock_rel_val": value}
        else:
            acquired = -value if action == "AcquireGreaterEqual" else value
            new = {"lock_acq_enable": 1, "lock_acq_id": number, "lock_acq_val": acquired}
        if not fields.keys().isdisjoint(new):
            raise UserError("a descriptor takes one acquire and one release", op.loc)
        fields.update(new)
    if "lock_acq_enable" not in fields or "lock_rel_id" not in fields:
        raise UserError("a descriptor with locks needs an acquire and a release", uses[0].loc)
    return fields


class _TaskWriter:
    """Writes the descriptors of the tasks of one sequence."""

    def __init__(self, sequence: Operation, model: DeviceModel, rules: Rules, warnings: Warnings) -> None:
        self.sequence = sequence
        self.model = model
        self.rules = rules
        self.warnings = warnings

    def configure(self, task: Operation) -> list[Operation]:
        """What takes the place of a task: the writes of its descriptors, in block order."""
        place = place_of(task.tile)
        packet = task.attributes.get("packet")
        if packet is not None:  # for those descriptors that have no header of their own
            for op in descriptors(task):
                op.attributes.setdefault("packet", packet)
        result = []
        for i, block in enumerate(task.regions[0].blocks):
            # An entry block that only jumps is allowed.
            if i == 0 and len(block.ops) == 1 and block.ops[0].name == "aie.next_bd":
                continue
            op = _only_descriptor(block, task)
            locks = _lock_fields(block, place, self.rules)
            buffer = operand(op, "buffer").made_by("aie.buffer")
            bd = self._descriptor(op, place, task.enum("direction"), locks)
            if buffer is None:
                result += self._of_argument(op, bd)
            else:
                result += self._of_buffer(op, bd, buffer)
        return result

    def _descriptor(
        self, op: Operation, place: TilePlace, direction: str, locks: dict[str, int]
    ) -> SequenceDescriptor:
        """A descriptor without the address of its buffer, of which it has the offset in bytes."""
        kind = self.model.kind_of(place[1])
        if len(op.operands) > 1 or "offset" not in op.attributes:
            raise run_time_error("the descriptor", op)
        type, element_bits = operand(op, "buffer").type, _element_bits(op)
        offset_bytes = op.integer("offset") * element_bits // 8
        length = op.integer("len") if "len" in op.attributes else element_count(memref(type).shape)
        length_bytes = length * element_bits // 8
        if offset_bytes % 4:
            raise UserError(f"the offset is {offset_bytes} bytes, expected a multiple of 4", op.loc)
        if length_bytes < 4 or length * element_bits % 32:
            raise UserError(
                f"the transfer is {length_bytes} bytes, expected a multiple of 4, at least 4", op.loc
            )
        if length_bytes // 4 > kind.max_length_words:
            raise UserError(
                f"the transfer is {length_bytes // 4} words, "
                f"and a descriptor of a {kind.name} tile counts up to {kind.max_length_words}",
                op.loc,
            )
        bd = SequenceDescriptor(
            *place, op.integer("bd_id"), length_bytes // 4, offset_bytes,
            burst_length=op.integer("burst_length", 0), **locks,
        )  # fmt: skip
        bd = _with_padding(bd, op, direction, element_bits, kind)
        bd = _with_dimensions(bd, op, element_bits, length, self.rules, kind)
        bd = with_packet(bd, op.attributes.get("packet"))
        if "next_bd_id" in op.attributes:
            bd = bd._replace(next_bd=op.integer("next_bd_id"), use_next_bd=1)
        return bd

    def _of_buffer(self, op: Operation, bd: SequenceDescriptor, buffer: Operation) -> list[Operation]:
        """The writes of a descriptor that moves a buffer of its tile."""
        place, kind = (bd.column, bd.row), self.model.kind_of(bd.row)
        address = _local_address(buffer, op, place, kind) + bd.buffer_offset
        if not self.rules.tasks_have_locks:
            # The reference of that time loses the fields beside the address; here it is in the descriptor.
            return [write_bd(op, bd._replace(buffer_offset=address // 4 if kind.name == "mem" else address))]
        if kind.name == "mem" and self.model.family.local_task_addresses:
            address -= MEMTILE_WINDOWS["own"]  # so does the reference
        address_word = patch_address(*place, bd.bd_id, kind)
        return [
            write_bd(op, bd),
            _write_address(op, address_word, address, kind),
            *add_parameter(op, address_word, _element_bits(op)),
        ]

    def _of_argument(self, op: Operation, bd: SequenceDescriptor) -> list[Operation]:
        """The writes of a descriptor that moves an argument of the sequence."""
        kind, element_bits = self.model.kind_of(bd.row), _element_bits(op)
        if kind.name != "shim":
            raise UserError(
                f"a {kind.name} tile's DMA moves buffers of the array, not arguments of the runtime sequence",
                op.loc,
                hint="move the argument with a shim tile's channel",
            )
        argument = argument_of(operand(op, "buffer"), op)
        start = ArgumentOffset(argument.number, argument.offset_bytes + bd.buffer_offset)
        sizes, strides = _dimensions(op) or ((bd.buffer_length * 32 // element_bits,), (1,))
        check_extent(op, self.sequence, start, sizes, strides, element_bits, self.warnings)
        address_word = patch_address(bd.column, bd.row, bd.bd_id, kind)
        return [
            write_bd(op, bd),
            address_patch(op, address_word, *start),
            *add_parameter(op, address_word, element_bits),
        ]


def _element_bits(op: Operation) -> int:
    return bits(element_of(operand(op, "buffer").type))


def _write_address(op: Operation, address_word: int, address: int, kind: TileKind) -> Operation:
    """Puts the address of a tile's buffer into a descriptor's address field; fields beside it stay."""
    mask, shift = (0x7FFFF, 0) if kind.name == "mem" else (0x0FFFC000, 14)
    value = address // 4 << shift
    return make("aiex.npu.maskwrite32", op, address=ui32(address_word), value=ui32(value), mask=ui32(mask))


def _local_address(buffer: Operation, op: Operation, place: TilePlace, kind: TileKind) -> int:
    """Where the tile's own DMA finds one of its buffers.

    MLIR-AIE writes this address in bytes over the descriptor's whole address word, which loses the fields
    beside it; here it goes into the descriptor itself.
    """
    column, row, address = buffer_place(buffer, op)
    if (column, row) != place:
        raise UserError(
            f"the buffer is on tile ({column}, {row}), the task on tile ({place[0]}, {place[1]})",
            op.loc,
            notes=(("the buffer", buffer.loc),),
        )
    return address + (MEMTILE_WINDOWS["own"] if kind.name == "mem" else 0)


def _dimensions(op: Operation) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Four sizes and four strides of a descriptor, innermost first; None when it is linear."""
    dimensions = op.attributes.get("dimensions")
    if not isinstance(dimensions, BDDimLayoutArrayAttr) or not dimensions.dims:
        return None
    if len(dimensions.dims) > 4:
        raise UserError(
            f"a descriptor has at most four dimensions, this one has {len(dimensions.dims)}", op.loc
        )
    return four_dimensions(dimensions.dims)


def _with_dimensions(
    bd: SequenceDescriptor, op: Operation, element_bits: int, length: int, rules: Rules, kind: TileKind
) -> SequenceDescriptor:
    dimensions = op.attributes.get("dimensions")
    shape_in_elements = _dimensions(op)
    if shape_in_elements is None or not isinstance(dimensions, BDDimLayoutArrayAttr):
        return bd
    sizes, strides = shape_in_elements
    if rules.ignores_single_steps:  # of a dimension of size 1
        strides = tuple(
            stride if size > 1 or i == 0 else 0 for i, (size, stride) in enumerate(zip(sizes, strides))
        )
    on_shim = kind.name == "shim"
    linear = is_linear(sizes, strides) or (
        rules.linearizes_transfers and on_shim and is_contiguous(zip(sizes[:3], strides))
    )
    wrong = shape_error(sizes, strides, element_bits, kind, linear=linear and on_shim)
    if wrong:
        raise UserError(f"transfer cannot be done: {wrong}", op.loc)
    pads = _pads(op)
    moved, sent = 1, 1
    for i in range(3):
        moved *= sizes[i]
        sent *= sizes[i] + pads[i].before + pads[i].after
    if length not in (moved, sent):
        padded = f" ({sent} with padding)" if sent != moved else ""
        raise UserError(
            f"the descriptor's length is {length} elements, its three lowest dimensions move {moved}{padded}",
            op.loc,
            hint="leave the highest of four dimensions out of the length: it repeats the descriptor",
        )
    # The hardware counts the zeros of the padding too, as words of the stream.
    bd = bd._replace(buffer_length=sent * element_bits // 32)
    third = len(dimensions.dims) > 2 and kind.name == "mem"
    return with_shape(bd, sizes, strides, element_bits, linear=linear, third=third)


def _pads(op: Operation) -> list[BDPadLayout]:
    """The padding of the three lowest dimensions in elements, innermost first."""
    padding = op.attributes.get("pad_dimensions")
    pads = list(padding.pads[::-1]) if isinstance(padding, BDPadLayoutArrayAttr) else []
    return pads + [BDPadLayout(0, 0)] * (3 - len(pads))


def _with_padding(
    bd: SequenceDescriptor, op: Operation, direction: str, element_bits: int, kind: TileKind
) -> SequenceDescriptor:
    padding = op.attributes.get("pad_dimensions")
    if not isinstance(padding, BDPadLayoutArrayAttr) or not padding.pads:
        return bd
    dimensions = op.attributes.get("dimensions")
    if kind.name != "mem" or direction != "MM2S":
        raise UserError("only MM2S channels of memtiles can pad with zeros", op.loc)
    if not isinstance(dimensions, BDDimLayoutArrayAttr) or len(padding.pads) > min(len(dimensions.dims), 3):
        raise UserError(
            "padding needs a dimension (size and stride) for each pair of pads, three at most", op.loc
        )
    fields = {}
    for i, pad in enumerate(_pads(op)):
        for side, count in (("before", pad.before), ("after", pad.after)):
            # The innermost dimension counts words, the others repeat it.
            if i == 0 and count * element_bits % 32:
                size_bytes = count * element_bits // 8
                raise UserError(
                    f"padding by {count} elements is {size_bytes} bytes, expected whole words", op.loc
                )
            fields[f"d{i}_zero_{side}"] = count * element_bits // 32 if i == 0 else count
    return bd._replace(**fields)
