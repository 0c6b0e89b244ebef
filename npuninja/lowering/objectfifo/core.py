"""What cores do with objectFifos: acquires and releases become lock operations, subviews become buffers.

Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp (the last part of runOnOperation). Which objects a core
holds is followed through its text, in order, after its loops were unrolled.
"""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Block, Operation, Value, erase_all
from npuninja.ir.syntax import operand
from npuninja.lowering.objectfifo.access_code import use_lock
from npuninja.lowering.objectfifo.fifo_loops import is_unreachable
from npuninja.lowering.objectfifo.model import ObjectFifo, ObjectFifos
from npuninja.lowering.objectfifo.split import ACCESSES, ACQUIRE, ELEMENT, FifoPort, key_of, port_of
from npuninja.lowering.tiles import place_of


def check_accesses(core: Operation, fifos: ObjectFifos) -> None:
    """Raises UserError when a core uses a fifo that is not there, or whose end has no objects for it.

    That the core is at the end that it names is the verifier's to check.
    """
    place = place_of(core.tile)
    for op in core.walk():
        if op.name not in ACCESSES:
            continue
        fifo = fifos.lookup(op)
        name = op.symbol("objFifo_name")
        if fifo.op.integer("aie_stream", -1) in (2, 0 if port_of(op) == "Produce" else 1):
            raise UserError(
                f"this end of objectFifo '@{name}' is a stream port, it has no objects",
                op.loc,
                notes=(("the objectFifo", fifo.op.loc),),
                hint="use aie.put_stream and aie.get_stream",
            )
        link = fifo.link
        if link is not None and place == place_of(link.outputs[0].producer) and fifos.needs_dma(fifo):
            raise UserError(
                f"objectFifo '@{name}' is linked at this tile, so its core cannot access it",
                op.loc,
                notes=(("the link", link.op.loc),),
            )


class _HeldPort:
    """What a core holds of one port of one fifo at a place of its code."""

    __slots__ = ("acquired", "fifo", "held", "next", "releases")

    def __init__(
        self,
        fifo: ObjectFifo,
        held: tuple[int, ...] = (),
        next: int = 0,
        releases: tuple[Operation, ...] = (),
        acquired: bool = False,
    ) -> None:
        self.fifo = fifo
        #: Whether anything was acquired before.
        self.acquired = acquired
        #: Buffer numbers of the objects held, oldest first.
        self.held = held
        self.next = next
        #: Releases whose objects are still in `held`: they are taken off at the next acquire.
        self.releases = releases

    def copy(self) -> _HeldPort:
        return _HeldPort(self.fifo, self.held, self.next, self.releases, self.acquired)

    @property
    def released(self) -> int:
        """How many of the objects in `held` are released."""
        return sum(op.integer("size") for op in self.releases)

    @property
    def label(self) -> str:
        """The fifo, for messages."""
        return f"objectFifo '@{self.fifo.op.string('sym_name')}'"


_HeldPorts = dict[FifoPort, _HeldPort]


def lower_accesses(core: Operation, fifos: ObjectFifos, warnings: Warnings, dynamic: bool = False) -> None:
    """Replaces the acquires, releases and subview accesses of a core.

    Args:
        core: the `aie.core`, its loops unrolled or, with `dynamic`, its accesses already replaced.
        fifos: the fifos of its device, with their locks and buffers.
        warnings: takes what will not end well when the core runs.
        dynamic: buffers are chosen at run time, so only the number of objects held has to be known.

    Raises:
        UserError: more is released than is acquired, and acquired again after that; or a condition decides
            what is held.
    """
    walk = _AccessLowering(fifos, warnings, dynamic)
    state: _HeldPorts = {}
    for region in core.regions:
        for block in region.blocks:
            walk.block(block, state)
    for port in state.values():
        if port.released > len(port.held):
            warnings.add_once(
                f"{port.released} objects of {port.label} are released, but only {len(port.held)} are held",
                port.releases[-1].loc,
            )
    core.replace_uses(walk.buffers)
    erase_all(walk.done)


class _AccessLowering:
    """Follows the code of a core and puts the lock operations before its acquires and releases.

    Warns of each place once, though unrolling makes many copies of an operation.
    """

    def __init__(self, fifos: ObjectFifos, warnings: Warnings, dynamic: bool) -> None:
        self.fifos = fifos
        self.warnings = warnings
        self.dynamic = dynamic
        self.buffers: dict[Value, Value] = {}
        self.done: list[Operation] = []
        self._subviews: dict[Value, list[Value]] = {}

    def block(self, block: Block, state: _HeldPorts) -> None:
        """Goes through a block; `state` becomes that after it."""
        for op in list(block.ops):
            if op.name == ELEMENT:
                self.buffers[op.result] = self._subviews[operand(op, "subview")][op.integer("index")]
                self.done.append(op)
            elif op.name in ACCESSES:
                key = key_of(op)
                port = state.setdefault(key, _HeldPort(self.fifos.by_name[key[0]]))
                if op.name == ACQUIRE:
                    self._subviews[op.result] = self._acquire(op, port)
                else:
                    port.releases += (op,)
                    _use_lock(op, port.fifo, op.integer("size"))
                self.done.append(op)
            elif op.name in ("scf.if", "scf.index_switch"):
                self._branches(op, state)
            elif op.regions:
                before = {key: port.copy() for key, port in state.items()}
                for region in op.regions:
                    for inner in region.blocks:
                        self.block(inner, state)
                if op.name in ("scf.for", "scf.while"):
                    self._check_loop(op, before, state)

    def _acquire(self, op: Operation, port: _HeldPort) -> list[Value]:
        """Puts the lock operation before an acquire and returns the buffers of its subview."""
        fifo, size, released = port.fifo, op.integer("size"), port.released
        if released and not port.acquired:
            # MLIR-AIE takes this as it is: the lock gets more than the fifo has objects.
            self.warnings.add_once(
                f"{released} objects of {port.label} are released here before any is acquired",
                port.releases[0].loc,
            )
            port.releases, released = (), 0
        port.acquired = True
        if released > len(port.held):
            raise UserError(
                f"{released} objects of {port.label} are released before this acquire, "
                f"but only {len(port.held)} were acquired",
                op.loc,
                notes=tuple(("released here", release.loc) for release in port.releases),
            )
        if size > fifo.depth:
            self.warnings.add_once(
                f"{size} objects of {port.label} are acquired, but it has {fifo.depth}: "
                "the core will wait forever",
                op.loc,
            )
        held = list(port.held[released:])
        missing = max(0, size - len(held))
        if missing:
            _use_lock(op, fifo, missing)
        for _ in range(missing):
            held.append(port.next)
            port.next = (port.next + 1) % max(fifo.depth, 1)
        port.held, port.releases = tuple(held), ()
        return [fifo.holder.buffers[number] for number in held]

    def _branches(self, op: Operation, state: _HeldPorts) -> None:
        """Goes through a condition's regions, each from the state before; all must leave the same state."""
        ends: list[_HeldPorts] = []
        for region in op.regions:
            end = {key: port.copy() for key, port in state.items()}
            for block in region.blocks:
                self.block(block, end)
            ends.append(end)
        if op.name == "scf.if" and len(op.regions) < 2:
            ends.append({key: port.copy() for key, port in state.items()})
        for key in dict.fromkeys(key for end in ends for key in end):
            ports = [end.get(key) or _HeldPort(self.fifos.by_name[key[0]]) for end in ends]
            seen = {len(_held(port)) if self.dynamic else (_held(port), port.next) for port in ports}
            if len(seen) > 1:
                raise UserError(
                    f"which objects of {ports[0].label} the core holds depends on this condition",
                    op.loc,
                    hint="acquire and release the same in all branches, or outside of them"
                    if self.dynamic
                    else "acquire and release the same in all branches, "
                    "or set dynamic_objfifo_lowering = true on the core",
                )
            state[key] = ports[0]

    def _check_loop(self, op: Operation, before: _HeldPorts, state: _HeldPorts) -> None:
        """Each trip of a loop uses the same locks and buffers, so it must end with what it began with."""
        for key, port in state.items():
            start = before.get(key) or _HeldPort(port.fifo)
            more = len(_held(port)) - len(_held(start))
            if more:
                self.warnings.add_once(
                    f"each trip of this loop takes {abs(more)} {'more' if more > 0 else 'fewer'} "
                    f"object{'s' if abs(more) > 1 else ''} of {port.label} than it releases",
                    op.loc,
                )
            elif (
                port.next != start.next
                and not self.dynamic
                and not (op.name == "scf.for" and is_unreachable(op))
            ):
                raise UserError(
                    f"which objects of {port.label} this loop uses changes from trip to trip",
                    op.loc,
                    hint="acquire directly in an scf.for with constant bounds, "
                    "or set dynamic_objfifo_lowering = true",
                )


def _held(port: _HeldPort) -> tuple[int, ...]:
    """The objects held when all releases so far are done."""
    return port.held[port.released :]


def _use_lock(op: Operation, fifo: ObjectFifo, count: int) -> None:
    # The DMA takes one object repeat_count times, a share of the lock each time.
    use_lock(op, fifo, count * (fifo.repeat or 1))
