"""Cores that keep their loops: an access finds its buffer at run time (dynamic_objfifo_lowering = true).

The core counts in a buffer of its own, an i32 for each port of each fifo it acquires, the number of the
oldest object it holds. An access switches on that number; a release adds to it, modulo the depth (MLIR-AIE:
dynamicGlobalObjectFifos).
"""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering import op_builders
from npuninja.lowering.objectfifo.access_code import buffer_switch
from npuninja.lowering.objectfifo.core import lower_accesses
from npuninja.lowering.objectfifo.model import ObjectFifo, ObjectFifos
from npuninja.lowering.objectfifo.split import ACCESSES, ACQUIRE, ELEMENT, RELEASE, FifoPort, key_of


class _Counter:
    """Where the number of one port of a fifo is kept, and its depth as a constant."""

    def __init__(self, fifo: ObjectFifo, slot: Value, depth: Value) -> None:
        self.fifo = fifo
        self.slot = slot
        self.depth = depth


def make_indices_dynamic(core: Operation, fifos: ObjectFifos, warnings: Warnings) -> None:
    """Lowers a core's fifo operations without unrolling its loops. Raises UserError like `lower_accesses`."""
    ops = [op for op in core.walk() if op.name in ACCESSES or op.name == ELEMENT]
    keys = list(dict.fromkeys(key_of(op) for op in ops if op.name == ACQUIRE))
    memory = op_builders.buffer(core.tile, None, f"memref<{len(keys)}xi32>", None, core.loc)
    core.insert_before(memory)
    counters = _create_counters(core, memory.result, keys, fifos)
    chosen: dict[Value, Value] = {}
    for op in ops:
        if op.name == ELEMENT:
            acquire = operand(op, "subview").op
            chosen[op.result] = _switch(op, memory.result, counters[key_of(acquire)])
        elif op.name == RELEASE and key_of(op) in counters:
            _advance(op, memory.result, counters[key_of(op)])
    core.replace_uses(chosen)
    lower_accesses(core, fifos, warnings, dynamic=True)


def _create_counters(
    core: Operation, memory: Value, keys: list[FifoPort], fifos: ObjectFifos
) -> dict[FifoPort, _Counter]:
    zero = op_builders.constant(0, "i32")
    start = [zero]
    counters = {}
    for number, key in enumerate(keys):
        fifo = fifos.by_name[key[0]]
        slot, depth = op_builders.constant(number, "index"), op_builders.constant(fifo.depth, "i32")
        start += [slot, depth, Operation("memref.store", [zero.result, memory, slot.result])]
        counters[key] = _Counter(fifo, slot.result, depth.result)
    for i, op in enumerate(start):
        core.body.insert(i, op)
    return counters


def _switch(access: Operation, memory: Value, counter: _Counter) -> Value:
    """Puts the choice of a buffer after an access and returns the result."""
    number = Operation("memref.load", [memory, counter.slot], {}, ("i32",), loc=access.loc)
    position = Operation("arith.index_cast", [number.result], {}, ("index",), loc=access.loc)
    switch = buffer_switch(access, counter.fifo, position.result)
    _insert_after(access, [number, position, switch])
    return switch.result


def _advance(release: Operation, memory: Value, counter: _Counter) -> None:
    """Puts `number = (number + released) mod depth` after a release."""
    loc = release.loc
    number = Operation("memref.load", [memory, counter.slot], {}, ("i32",), loc=loc)
    count = op_builders.constant(release.integer("size"), "i32")
    total = Operation("arith.addi", [number.result, count.result], {}, ("i32",), loc=loc)
    predicate = EnumAttr("CmpIPredicate", "sge")
    beyond = Operation(
        "arith.cmpi", [total.result, counter.depth], {"predicate": predicate}, ("i1",), loc=loc
    )
    wrapped = Operation("arith.subi", [total.result, counter.depth], {}, ("i32",), loc=loc)
    new = Operation("arith.select", [beyond.result, wrapped.result, total.result], {}, ("i32",), loc=loc)
    store = Operation("memref.store", [new.result, memory, counter.slot], loc=loc)
    _insert_after(release, [number, count, total, beyond, wrapped, new, store])


def _insert_after(place: Operation, ops: list[Operation]) -> None:
    for op in reversed(ops):
        place.insert_after(op)
