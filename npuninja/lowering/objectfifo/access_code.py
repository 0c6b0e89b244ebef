"""What an access of a core to an objectFifo becomes: a lock operation, and a choice between buffers."""

from __future__ import annotations

from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.lowering import op_builders
from npuninja.lowering.objectfifo.model import ObjectFifo
from npuninja.lowering.objectfifo.split import ACQUIRE, port_of


def use_lock(access: Operation, fifo: ObjectFifo, count: int | Value) -> None:
    """Puts the lock operation of an acquire or a release in front of it, if the fifo has locks."""
    locks = fifo.holder.locks
    if not locks:
        return
    acquires = access.name == ACQUIRE
    # The first lock counts free objects, the second full ones: each side takes from one, gives to the other.
    lock = locks[0 if acquires == (port_of(access) == "Produce") else 1]
    action = "AcquireGreaterEqual" if acquires else "Release"
    use = op_builders.use_lock(lock, action, count if isinstance(count, int) else 0, access.loc)
    if isinstance(count, Value):
        use.operands.append(count)
        del use.attributes["value"]
    access.insert_before(use)


def buffer_at(access: Operation, fifo: ObjectFifo, oldest: int) -> Value:
    """The buffer of an access when the oldest object held is that of number `oldest`."""
    return fifo.holder.buffers[(access.integer("index") + oldest) % max(fifo.depth, 1)]


def buffer_switch(access: Operation, fifo: ObjectFifo, oldest: Value) -> Operation:
    """The `scf.index_switch` that gives an access its buffer, where the number is a value of type index."""
    depth = max(fifo.depth, 1)
    regions = []
    for case in [0, *range(depth)]:  # the default region comes first
        block = Block()
        block.append(Operation("scf.yield", [buffer_at(access, fifo, case)], loc=access.loc))
        regions.append(Region([block]))
    return Operation(
        "scf.index_switch", [oldest], {"cases": DenseArrayAttr("i64", tuple(range(depth)))},
        (access.result.type,), regions, loc=access.loc, result_names=(access.result.name,),
    )  # fmt: skip
