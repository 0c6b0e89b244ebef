"""Numbers that MLIR-AIE writes as SSA values since July 2026: values to attributes and back.

The passes know one form, that of the older releases: the count of a lock operation, the fields of a buffer
descriptor and of a register write are attributes. `numbers_from_values` gives a module this form, wherever
the values are constants; `numbers_to_values` gives it back the form in which the later releases write it.

    aie.use_lock(%l, Release, %c1)    <->    aie.use_lock(%l, Release, 1)
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import (
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayAttr,
    BoolAttr,
    DenseArrayAttr,
    IntegerAttr,
)
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.numbers import NUMBERS
from npuninja.ir.symbols import RUNTIME_SEQUENCES
from npuninja.ir.syntax import operand
from npuninja.ir.types import element_count, memref
from npuninja.lowering import op_builders
from npuninja.lowering.op_builders import constant_value, i32

_TASKS = ("aiex.dma_configure_task", "aiex.dma_configure_task_for")
#: What holds the constants of its operations: their place is the start of its first block.
_HOMES = ("aie.core", "aie.mem", "aie.memtile_dma", "aie.shim_dma", "func.func", "aie.bd_chain")


# What these releases leave out when they print, even if the design has it.
_DEFAULTS: dict[str, tuple[tuple[str, Attribute], ...]] = {
    "aie.dma_bd": (("burst_length", i32(0)),),
    "aie.dma_start": (("repeat_count", i32(0)), ("pad_value", i32(0))),
    "aie.dma": (("repeat_count", i32(0)), ("pad_value", i32(0))),
    "aiex.npu.dma_memcpy_nd": (("issue_token", BoolAttr(False)), ("burst_length", IntegerAttr(0, "i64"))),
    "aiex.npu.writebd": (("burst_length", i32(0)),),
    "aiex.dma_configure_task": (("issue_token", BoolAttr(False)), ("repeat_count", i32(0))),
    "aiex.dma_configure_task_for": (("issue_token", BoolAttr(False)), ("repeat_count", i32(0))),
}


# From values


def numbers_from_values(root: Operation) -> None:
    """Gives operations inside `root` their numbers as attributes, where all of these are constants.

    Constants that only they used go.
    """
    freed: dict[Operation, None] = {}
    constants: set[Operation] = set()
    for op in root.walk():
        if op.name == "arith.constant":
            constants.add(op)
        elif _uses_what_follows(op, constants):
            continue  # the verifier says so
        elif op.name in NUMBERS:
            _take_numbers(op, freed)
        elif op.name == "aie.dma_bd":
            if "offset" not in op.attributes:
                _take_descriptor(op, freed)
        elif op.name in _TASKS:
            _take_repeat(op, freed)
    if freed:
        _drop_unused(root, freed)


def _uses_what_follows(op: Operation, constants: set[Operation]) -> bool:
    """Whether an operand is a constant that comes later, or in a region that the operation is not in."""
    for value in op.operands:
        owner = value.owner
        if not isinstance(owner, Operation) or owner.name != "arith.constant":
            continue
        if owner not in constants:
            return True
        home, holder = owner.parent_op, op.parent_op
        while holder is not None and holder is not home:
            holder = holder.parent_op
        if holder is None:
            return True
    return False


def _drop_unused(root: Operation, freed: dict[Operation, None]) -> None:
    wanted = {op.result for op in freed}
    for op in root.walk():
        wanted.difference_update(op.operands)
        for _, passed in op.successors:
            wanted.difference_update(passed)
        if not wanted:
            return
    blocks = {op.parent for op in freed if op.result in wanted}
    for block in blocks:
        if block is not None:
            # One after the terminator stays: the verifier says so.
            last = block.ops[-1]
            block.ops = [op for op in block.ops if op is last or not (op in freed and op.result in wanted)]


def _free(values: list[Value], freed: dict[Operation, None]) -> None:
    for value in values:
        if isinstance(value.owner, Operation):
            freed[value.owner] = None


def _take_numbers(op: Operation, freed: dict[Operation, None]) -> None:
    names = NUMBERS[op.name]
    fixed = len(op.operands) - len(names)
    if fixed != (op.name == "aie.use_lock"):
        return
    values = op.operands[fixed:]
    numbers = [constant_value(value) for value in values]
    if None in numbers:
        return
    for (name, type), number in zip(names, numbers):
        assert number is not None
        op.attributes[name] = IntegerAttr(number & 0xFFFFFFFF if type[0] == "u" else number, type)
    del op.operands[fixed:]
    _free(values, freed)


def _take_descriptor(op: Operation, freed: dict[Operation, None]) -> None:
    """Makes `offset`, `len` and `dimensions` of `static_offset`, … and of the operands after the buffer.

    When one of them is no constant, it only makes the others static.
    """
    _take_constants(op, freed)
    sizes, strides = (op.attributes.get("static_" + name) for name in ("sizes", "strides"))
    size_list, stride_list = (v.values if isinstance(v, DenseArrayAttr) else () for v in (sizes, strides))
    if len(op.operands) > 1 or len(size_list) != len(stride_list):
        return  # something is known at run time only, or is wrong, which the verifier reports
    attributes = op.attributes
    for name in ("sizes", "strides"):
        attributes.pop("static_" + name, None)
    if size_list:
        attributes["dimensions"] = BDDimLayoutArrayAttr(tuple(map(BDDimLayout, size_list, stride_list)))
    attributes["offset_written"] = BoolAttr("static_offset" in attributes)
    attributes["offset"] = attributes.pop("static_offset", i32(0))
    if "static_len" in attributes:
        attributes["len"] = attributes.pop("static_len")
    op.segments = None


def _take_constants(op: Operation, freed: dict[Operation, None]) -> None:
    """Makes those values of a descriptor static that are constants."""
    segments = op.segments or (1, 0, 0, 0, 0)
    rest = iter(op.operands[1:])
    kept: list[list[Value]] = [[], [], [], []]
    for name, size, values in zip(("offset", "len"), segments[1:3], kept):
        if size:
            value = next(rest)
            number = constant_value(value)
            if number is None:
                values.append(value)
            else:
                op.attributes["static_" + name] = i32(number)
                _free([value], freed)
    for name, values in zip(("sizes", "strides"), kept[2:]):
        static = op.attributes.get("static_" + name)
        if isinstance(static, DenseArrayAttr) and DYNAMIC_INDEX in static.values:
            numbers = []
            for number in static.values:
                if number == DYNAMIC_INDEX:
                    following = next(rest, None)
                    if following is None:
                        raise UserError(f"'{op.name}' has fewer values for its {name} than it says", op.loc)
                    value = following
                    known = constant_value(value)
                    if known is None:
                        values.append(value)
                    else:
                        _free([value], freed)
                        number = known
                numbers.append(number)
            op.attributes["static_" + name] = DenseArrayAttr("i64", tuple(numbers))
    op.operands[1:] = [value for values in kept for value in values]
    op.segments = (1, *map(len, kept))


def _take_repeat(op: Operation, freed: dict[Operation, None]) -> None:
    fixed = op.name == "aiex.dma_configure_task"
    segments = op.segments or (1, 0, 0)
    if len(op.operands) != fixed + 1 or (fixed and not segments[1]):
        return
    number = constant_value(op.operands[fixed])
    if number is not None:
        op.attributes["repeat_count"] = i32(number)
        _free(op.operands[fixed:], freed)
        del op.operands[fixed:]
        op.segments = None


# To values


def numbers_to_values(root: Operation) -> None:
    """Gives operations inside `root` their numbers as constants, as MLIR-AIE 1.4 writes them."""
    constants = _Constants()
    for op in root.walk():
        if op.name in NUMBERS:
            names = NUMBERS[op.name]
            if op.name == "aie.use_lock" and len(op.operands) == 1:
                op.attributes.setdefault("value", i32(1))
            if names[0][0] not in op.attributes:
                continue
            for name, _ in names:
                op.operands.append(constants.value(op, op.integer(name)))
                del op.attributes[name]
        elif op.name == "aie.dma_bd" and "offset" in op.attributes:
            _give_descriptor(op)
        for name, default in _DEFAULTS.get(op.name, ()):
            if op.attributes.get(name) == default:
                del op.attributes[name]
    constants.insert()


def has_braced_length(op: Operation) -> bool:
    """Whether the length of an `aie.dma_bd` is in its braces and is that of its whole buffer.

    Such a length comes before the offset, which then is a default.
    """
    keys = list(op.attributes)
    if "len" not in keys or "dimensions" in keys or keys.index("len") > keys.index("offset"):
        return False
    return op.integer("len") == element_count(memref(operand(op, "buffer").type).shape)


def _give_descriptor(op: Operation) -> None:
    attributes = op.attributes
    if has_braced_length(op):
        # These releases leave what is in the braces where it is, and take the whole buffer.
        del attributes["offset"]
        attributes.pop("offset_written", None)
        op.segments = (1, 0, 0, 0, 0)
        return
    offset, length = attributes.pop("offset"), attributes.pop("len", None)
    dims, written = attributes.pop("dimensions", None), attributes.pop("offset_written", None)
    if length is not None:
        attributes["static_len"] = length
    says_where = length is not None or dims is not None if written is None else written == BoolAttr(True)
    if says_where or offset != i32(0):
        attributes["static_offset"] = offset
    if isinstance(dims, BDDimLayoutArrayAttr) and dims.dims:
        attributes["static_sizes"] = DenseArrayAttr("i64", tuple(d.size for d in dims.dims))
        attributes["static_strides"] = DenseArrayAttr("i64", tuple(d.stride for d in dims.dims))
    op.segments = (1, 0, 0, 0, 0)


class _Constants:
    """New constants, one per number: at the start of a core or DMA program, before a sequence's first use."""

    def __init__(self) -> None:
        self._made: dict[tuple[Block, int], Value] = {}
        self._leading: dict[Block, list[Operation]] = {}
        self._before: dict[Block, dict[Operation, list[Operation]]] = {}

    def value(self, user: Operation, number: int) -> Value:
        """The i32 constant `number` where `user` sees it."""
        number = number - (1 << 32) if number >= 1 << 31 else number
        home: Operation | None = user.parent_op
        inner: Operation | None = user
        while home is not None and home.name not in (*_HOMES, *RUNTIME_SEQUENCES):
            home, inner = home.parent_op, home
        block = home.body if home is not None else user.parent
        assert block is not None
        made = self._made.get((block, number))
        if made is not None:
            return made
        op = op_builders.constant(number, "i32")
        op.parent = block
        self._made[block, number] = op.result
        if home is not None and home.name in RUNTIME_SEQUENCES and inner is not None:
            self._before.setdefault(block, {}).setdefault(inner, []).append(op)
        else:
            self._leading.setdefault(block, []).append(op)
        return op.result

    def insert(self) -> None:
        """Puts the constants into their blocks, all at once."""
        for block, before in self._before.items():
            ops: list[Operation] = []
            for op in block.ops:
                ops += before.get(op, ())
                ops.append(op)
            block.ops = ops
        for block, leading in self._leading.items():
            block.ops = leading + block.ops
