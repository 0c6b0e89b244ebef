"""What cores do with objectFifos: acquires and releases become lock operations, subviews become buffers.

Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp (the last part of runOnOperation). Which objects a core holds is followed
through its text, in order, after its loops were unrolled.
"""

from __future__ import annotations

from npuninja.diag.errors import UserError, Warnings
from npuninja.ir.core import Block, Operation, Value
from npuninja.lowering import op_builders
from npuninja.lowering.objectfifo_model import ObjectFifo, ObjectFifos
from npuninja.lowering.objectfifo_split import ACCESSES, port_of
from npuninja.lowering.tiles import place_of

_ACQUIRE, _RELEASE = ACCESSES
_ACCESS = "aie.objectfifo.subview.access"


def check_accesses(core: Operation, fifos: ObjectFifos) -> None:
    """Raises UserError when a core uses a fifo that is not there, not at its tile, or must not be accessed."""
    place = place_of(core.operands[0])
    for op in core.walk():
        if op.name in ACCESSES:
            fifo = fifos.lookup(op)
            port = port_of(op)
            ends = [fifo.producer] if port == "Produce" else fifo.consumers
            if place not in map(place_of, ends):
                raise UserError(
                    f"the core of tile {place} is not a {port.lower()}r of objectFifo '@{op.symbol('objFifo_name')}'",
                    op.loc,
                    notes=(("the objectFifo", fifo.op.loc),),
                )
            link = fifo.link
            if link is not None and place == place_of(link.outputs[0].producer) and fifos.needs_dma(fifo):
                raise UserError(
                    f"objectFifo '@{fifo.op.string('sym_name')}' is linked at this tile, so its core cannot access it",
                    op.loc,
                    notes=(("the link", link.op.loc),),
                )
            if op.name == _ACQUIRE and op.integer("size") < 1:
                raise UserError("an acquire takes at least one object", op.loc)
        elif op.name == _ACCESS:
            acquire = op.operands[0].owner
            if (
                isinstance(acquire, Operation)
                and acquire.name == _ACQUIRE
                and op.integer("index") >= acquire.integer("size")
            ):
                raise UserError(
                    f"object {op.integer('index')} is accessed, but only {acquire.integer('size')} are acquired",
                    op.loc,
                    notes=(("acquired here", acquire.loc),),
                )


class _Port:
    """What a core holds of one port of one fifo."""

    def __init__(self, fifo: ObjectFifo) -> None:
        self.fifo = fifo
        #: Buffer numbers of the objects held, oldest first.
        self.held: list[int] = []
        self.next = 0
        #: Releases whose objects are not yet taken off `held`.
        self.releases: list[Operation] = []


def lower_accesses(core: Operation, fifos: ObjectFifos, warnings: Warnings) -> None:
    """Replaces the acquires, releases and subview accesses of a core.

    Raises:
        UserError: more is released than is acquired, and acquired again after that.
    """
    ports: dict[tuple[str, str], _Port] = {}
    subviews: dict[Value, list[Value]] = {}
    buffers: dict[Value, Value] = {}
    ops = [op for op in core.walk() if op.name in ACCESSES or op.name == _ACCESS]
    for op in ops:
        if op.name == _ACCESS:
            buffers[op.result] = subviews[op.operands[0]][op.integer("index")]
            continue
        key = (op.symbol("objFifo_name"), port_of(op))
        port = ports.setdefault(key, _Port(fifos.by_name[key[0]]))
        if op.name == _RELEASE:
            port.releases.append(op)
        else:
            subviews[op.result] = _acquire(op, port, warnings)
    for port in ports.values():
        _check_last_releases(port, warnings)
    for op in ops:
        if op.name == _RELEASE:
            key = (op.symbol("objFifo_name"), port_of(op))
            _use_lock(op, ports[key].fifo, key[1] == "Consume", "Release", op.integer("size"))
    core.replace_uses(buffers)
    for op in reversed(ops):
        op.erase()


def _acquire(op: Operation, port: _Port, warnings: Warnings) -> list[Value]:
    """Puts the lock operation before an acquire and returns the buffers of its subview."""
    fifo, size = port.fifo, op.integer("size")
    owner = fifo.link.owner if fifo.link is not None and fifo.link.owner is not None else fifo
    released, later = 0, []
    for release in port.releases:
        if _precedes(release, op):
            released += release.integer("size")
        else:
            later.append(release)
    if released > len(port.held):
        raise UserError(
            f"{released} objects of objectFifo '@{fifo.op.string('sym_name')}' are released before this acquire, "
            f"but only {len(port.held)} were acquired",
            op.loc,
            notes=tuple(("released here", release.loc) for release in port.releases if release not in later),
        )
    port.releases = later
    del port.held[:released]
    missing = max(0, size - len(port.held))
    if size > fifo.depth:
        warnings.add(
            f"{size} objects of objectFifo '@{fifo.op.string('sym_name')}' are acquired, but it has {fifo.depth}: "
            "the core will wait forever",
            op.loc,
        )
    if missing:
        _use_lock(op, fifo, port_of(op) == "Produce", "AcquireGreaterEqual", missing)
    for _ in range(missing):
        port.held.append(port.next)
        port.next = (port.next + 1) % max(fifo.depth, 1)
    return [owner.buffers[number] for number in port.held]


def _use_lock(op: Operation, fifo: ObjectFifo, on_prod_lock: bool, action: str, count: int) -> None:
    owner = fifo.link.owner if fifo.link is not None and fifo.link.owner is not None else fifo
    if owner.locks:
        lock = owner.locks[0 if on_prod_lock else 1]
        # The DMA takes one object repeat_count times, a share of the lock each time.
        op.insert_before(op_builders.use_lock(lock, action, count * (fifo.repeat or 1), op.loc))


def _check_last_releases(port: _Port, warnings: Warnings) -> None:
    released = sum(op.integer("size") for op in port.releases)
    if released > len(port.held):
        warnings.add(
            f"{released} objects of objectFifo '@{port.fifo.op.string('sym_name')}' are released, "
            f"but only {len(port.held)} are held",
            port.releases[-1].loc,
        )


def _precedes(first: Operation, second: Operation) -> bool:
    """Whether `first`, or an operation around it, stands before `second`, or one around it, in one block.

    Operations in two regions of one operation do not precede each other.
    """
    around: dict[Block, Operation] = {}
    op: Operation | None = second
    while op is not None and op.parent is not None:
        around[op.parent] = op
        op = op.parent_op
    op = first
    while op is not None and op.parent is not None:
        other = around.get(op.parent)
        if other is not None:
            return other is not op and op.parent.ops.index(op) < op.parent.ops.index(other)
        op = op.parent_op
    return False
