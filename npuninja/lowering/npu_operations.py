"""Constructors of instruction streams' operations (`aiex.npu.…`), located where another operation is."""

from __future__ import annotations

from npuninja.arch.registers import DIRECTIONS
from npuninja.ir.attributes import Attribute, BoolAttr, EnumAttr, IntegerAttr
from npuninja.ir.core import Operation
from npuninja.lowering.op_builders import i32
from npuninja.lowering.sequence_bd import SequenceDescriptor


def make(name: str, like: Operation, **attributes: Attribute) -> Operation:
    """An operation without operands and results at the place of `like` in the source."""
    return Operation(name, attributes=attributes, loc=like.loc)


def ui32(value: int) -> IntegerAttr:
    """`value : ui32`, modulo 2^32."""
    return IntegerAttr(value & 0xFFFFFFFF, "ui32")


def write_register(like: Operation, column: int, row: int, offset: int, value: int) -> Operation:
    """The `aiex.npu.write32` of a register, by its offset in a tile."""
    return make(
        "aiex.npu.write32", like, address=ui32(offset), value=ui32(value), column=i32(column), row=i32(row)
    )


def write_bits(like: Operation, column: int, row: int, offset: int, mask: int, value: int) -> Operation:
    """The `aiex.npu.maskwrite32` of a register, by its offset in a tile."""
    write = write_register(like, column, row, offset, value)
    return make("aiex.npu.maskwrite32", like, mask=ui32(mask), **write.attributes)


def write_bd(like: Operation, bd: SequenceDescriptor) -> Operation:
    """The `aiex.npu.writebd` of a descriptor."""
    return make("aiex.npu.writebd", like, **{key: i32(value) for key, value in bd._asdict().items()})


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
    where = {"column": column, "row": row, "direction": DIRECTIONS[direction], "channel": channel}
    numbers = {**where, "column_num": 1, "row_num": 1}
    return make("aiex.npu.sync", like, **{key: i32(number) for key, number in numbers.items()})


def address_patch(like: Operation, address: int, argument: int, offset_bytes: int) -> Operation:
    """The `aiex.npu.address_patch` that puts an argument's address into the descriptor word at `address`."""
    return make(
        "aiex.npu.address_patch", like, addr=ui32(address), arg_idx=i32(argument), arg_plus=i32(offset_bytes)
    )


def add_parameter(op: Operation, address: int, element_bits: int) -> list[Operation]:
    """What adds a transfer's scratchpad parameter, if any, in elements, to the address word at `address`."""
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
