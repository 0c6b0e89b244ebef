"""Rules for the operations of runtime sequences (aiex), after AIEXDialect.cpp of MLIR-AIE."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import MAX_ITERATIONS, TILE_KINDS, WORD_BITS, TileKind
from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr, StringAttr, SymbolRefAttr, is_contiguous
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.numbers import NUMBERS, entries
from npuninja.ir.syntax import group, operand
from npuninja.ir.tiles import device_of, kind_at
from npuninja.ir.types import DYNAMIC, bits, memref
from npuninja.ir.verifier_tiles import check_packet, op_error

if TYPE_CHECKING:
    from typing import Callable

_NEXT_GENERATION_SEQUENCE = "aie.runtime_sequence"


def is_constant_transfer(op: Operation) -> bool:
    """Whether all offsets, sizes and strides of an `aiex.npu.dma_memcpy_nd` are numbers or constants."""
    numbers = (value for name in ("offsets", "sizes", "strides") for value in group(op, name))
    return all(number.made_by("arith.constant") for number in numbers)


def check_transfer(op: Operation) -> None:
    """aiex.npu.dma_memcpy_nd: what the buffer descriptor it becomes can hold."""
    text = operand(op, "memref").type
    buffer = memref(text)
    if DYNAMIC in buffer.shape and not text.startswith("memref<*"):
        raise UserError(f"'{op.name}' needs a memref of static shape, got {buffer}", op.loc)
    check_packet(op)
    sizes, strides, offsets = (_constants(op, key) for key in ("sizes", "strides", "offsets"))
    element_bits = bits(buffer.element)
    if element_bits > WORD_BITS:
        raise op_error(
            op,
            f"elements of {element_bits} bits, at most {WORD_BITS} are possible",
            f"give the argument elements of i{WORD_BITS}, twice as many",
        )
    for i in range(4):
        if sizes[i] <= 0:
            raise op_error(op, f"size {i} is {sizes[i]}, expected at least 1", _ORDER_HINT)
    if sizes[0] * element_bits % WORD_BITS:
        got = f"{sizes[0]} elements of {element_bits // 8} bytes are {sizes[0] * element_bits // 8} bytes"
        raise op_error(op, f"transfer sizes must be multiples of 4 bytes, but {got}")
    for i in range(4):
        if (i > 0 or strides[0] != 1) and strides[i] * element_bits % WORD_BITS:
            got = f"{strides[i]} elements of {element_bits // 8} bytes"
            raise op_error(op, f"stride {i} is {got}, which is no multiple of 4 bytes")
    if sum(o * s for o, s in zip(offsets, strides)) * element_bits % WORD_BITS:
        raise op_error(op, "the offset is no multiple of 4 bytes")


def check_transfer_ranges(op: Operation) -> None:
    """Whether one descriptor can hold an `aiex.npu.dma_memcpy_nd`. Raises UserError if not."""
    sizes, strides = _constants(op, "sizes"), _constants(op, "strides")
    for i in range(3):
        if sizes[i] > 1 and strides[i] < 1:
            raise op_error(op, f"stride {i} is {strides[i]}, expected at least 1", _ORDER_HINT)
    if sizes[3] > 1 and strides[3] < 0:
        raise op_error(op, f"stride 3 is {strides[3]}, expected 0 or more", _ORDER_HINT)
    _check_ranges(op, _kind_of(op), sizes, strides, bits(memref(operand(op, "memref").type).element))


_ORDER_HINT = "sizes and strides are written outermost first; number 0 is the last one"


def _check_ranges(
    op: Operation, kind: TileKind, sizes: list[int], strides: list[int], element_bits: int
) -> None:
    """Wraps and steps within the fields of the descriptor."""
    words = [s * element_bits // WORD_BITS for s in strides]
    linear = sizes[1:3] == [1, 1] and strides[:3] == [1, 0, 0]
    if op.enclosing(_NEXT_GENERATION_SEQUENCE) is not None and kind is TILE_KINDS["shim"]:
        linear = linear or is_contiguous(zip(sizes[:3], strides), counts_single_steps=False)
    if not linear:
        for i, size in ((0, sizes[0] * element_bits // WORD_BITS), (1, sizes[1])):
            if size > kind.max_wrap:
                unit = "words" if i == 0 else "rows"
                limit = f"the range [0:{kind.max_wrap}] of a {kind.name} tile"
                raise op_error(
                    op,
                    f"size {i} is {size} {unit} and exceeds {limit}",
                    "split the dimension in two, or transfer it in several pieces",
                )
    if sizes[3] - 1 > MAX_ITERATIONS:
        raise op_error(op, f"size 3 is {sizes[3]} and exceeds the range [1:{MAX_ITERATIONS}]")
    for i in range(4):
        if sizes[i] > 1 and words[i] - 1 > kind.max_step_words and not (i < 3 and linear):
            limit = f"[1:{kind.max_step_words}] 32-bit words of a {kind.name} tile"
            raise op_error(op, f"stride {i} is {words[i]} words and exceeds the range {limit}")


def _constants(op: Operation, key: str) -> list[int]:
    """The four numbers of one list, innermost first. Values among them must be constants."""
    count = len(op.numbers("static_" + key))
    if count != 4:
        raise UserError(f"'{op.name}' needs 4 {key}, got {count}", op.loc)
    numbers = [_constant(op, key, n) if isinstance(n, Value) else n for n in entries(op, key)]
    return numbers[::-1]


def _constant(op: Operation, key: str, value: Value) -> int:
    owner = value.owner
    if isinstance(owner, Operation) and owner.name == "arith.constant":
        number = owner.attributes["value"]
        if isinstance(number, IntegerAttr):
            return number.value
    what = f"the result of '{owner.name}'" if isinstance(owner, Operation) else "no constant"
    raise op_error(
        op,
        f"only constant {key} are supported, %{value.name} is {what}",
        "write a number, or a value made by arith.constant",
    )


def _kind_of(op: Operation) -> TileKind:
    """The kind of the tile whose DMA does the transfer: that of the allocation, else the shim."""
    shim = TILE_KINDS["shim"]
    metadata = op.attributes["metadata"]
    device = op.enclosing("aie.device")
    if device is None or not isinstance(metadata, SymbolRefAttr):
        return shim
    for each in device.body.ops:
        is_it = each.name == "aie.shim_dma_allocation" and each.attributes.get("sym_name") == StringAttr(
            metadata.path[-1]
        )
        if is_it and each.operands:
            return kind_at(each.tile) or shim
    return shim


#: Operations on a task.
TASK_USES = ("aiex.dma_start_task", "aiex.dma_await_task", "aiex.dma_free_task")


def _check_task_use(op: Operation) -> None:
    """As `check_task_use`, for a sequence whose loops may still carry tasks."""
    owner = operand(op, "task").owner
    holder = owner.parent.parent if isinstance(owner, Block) and owner.parent is not None else owner
    if not (isinstance(holder, Operation) and holder.name.startswith("scf.")):
        check_task_use(op)


def check_task_use(op: Operation) -> None:
    """start, await and free take what a configure or a chain start made. UserError when they do not."""
    owner = operand(op, "task").owner
    if not isinstance(owner, Operation) or not owner.name.startswith(
        ("aiex.dma_configure_task", "aiex.dma_start_bd_chain")
    ):
        raise UserError(f"'{op.name}' needs the result of 'aiex.dma_configure_task' or the like", op.loc)
    if op.name == "aiex.dma_start_task" and owner.name.startswith("aiex.dma_start_bd_chain"):
        raise UserError(f"'{op.name}' needs a task that is not started yet", op.loc)


def _check_numbers(op: Operation) -> None:
    """The numbers of an operation are attributes, all of them, or values, all of them."""
    names = [name for name, _ in NUMBERS[op.name]]
    if op.operands:
        given = sum(name in op.attributes for name in names) if op.name != "aiex.npu.sync" else 0
        if len(op.operands) != len(names) and op.name != "aiex.npu.address_patch":
            raise UserError(f"'{op.name}' has {len(op.operands)} values, expected {len(names)}", op.loc)
        if given:
            raise UserError(f"'{op.name}' has its numbers as values and as attributes", op.loc)
        return
    for name in names:
        if name not in op.attributes:
            raise UserError(f"'{op.name}' requires attribute '{name}'", op.loc)


def _check_address(op: Operation) -> None:
    """Register writes name a tile with both column and row or with neither."""
    _check_numbers(op)
    if ("column" in op.attributes) != ("row" in op.attributes):
        raise UserError(f"'{op.name}' needs both 'column' and 'row', or neither", op.loc)


def check_guard(op: Operation) -> None:
    """aiex.npu.assert_bd_field and assert_bd_divisible: what they say of a constant must be so."""
    constant = operand(op, "value").made_by("arith.constant")
    if constant is None:
        return
    value = constant.integer("value")
    if "max" in op.attributes:
        limit = op.integer("max")
        if not 0 <= value <= limit:
            raise op_error(op, f"the number is {value}, the field holds 0 to {limit}")
        return
    divisor = op.integer("divisor")
    if divisor and value % divisor and not (value == 1 and "allow_unit" in op.attributes):
        raise op_error(op, f"the number is {value}, no multiple of {divisor}")


def _check_queue(op: Operation) -> None:
    """aiex.npu.push_queue: it becomes a write to a tile, which must be there."""
    _check_numbers(op)
    device = device_of(op)
    place = op.integer("column"), op.integer("row")
    if device is not None and not device.contains(*place):
        raise op_error(op, f"there is no tile ({place[0]}, {place[1]}) in {device.name}")


def _check_writebd(op: Operation) -> None:
    """Checks aiex.npu.writebd (AIEXDialect.cpp: NpuWriteBdOp::verify)."""
    device = device_of(op)
    if device is None:
        return
    kind = device.kind_of(op.integer("row", device.shim_row))
    if not 0 <= op.integer("bd_id") < kind.bds:
        raise op_error(op, f"bd_id is {op.integer('bd_id')}, a {kind.name} tile has 0 to {kind.bds - 1}")
    limits = [("packet_id", 31), ("packet_type", 7), ("iteration_size", 63), ("iteration_current", 63)]
    if kind.name != "core":
        limits += [("d0_size", 1023), ("d1_size", 1023)]
        limits += [(f"d{i}_stride", kind.max_step_words - 1) for i in range(3)]
        limits.append(("iteration_stride", kind.max_step_words - 1))
    if kind.name == "shim":
        # Its descriptors have no fields for these.
        limits += [
            ("d2_size", 0),
            *((f"d{i}_zero_{end}", 0) for i in range(3) for end in ("before", "after")),
        ]
    else:
        limits.append(("burst_length", 0))
    for name, limit in limits:
        if not 0 <= op.integer(name, 0) <= limit:
            raise op_error(op, f"{name} is {op.integer(name)} and exceeds the range [0:{limit}]")


SEQUENCE_RULES: dict[str, Callable[[Operation], None]] = {
    "aiex.npu.dma_memcpy_nd": check_transfer,
    "aiex.npu.write32": _check_address,
    "aiex.npu.maskwrite32": _check_address,
    "aiex.npu.writebd": _check_writebd,
    "aiex.npu.assert_bd_field": check_guard,
    "aiex.npu.assert_bd_divisible": check_guard,
    "aiex.npu.sync": _check_numbers,
    "aiex.npu.rtp_write": _check_numbers,
    "aiex.npu.push_queue": _check_queue,
    "aiex.npu.address_patch": _check_numbers,
    **dict.fromkeys(TASK_USES, _check_task_use),
}
