"""Cores of MLIR-AIE 1.4: values that go through loops and conditions count which objects a core holds.

For each port of each fifo that a core acquires there are two numbers: the *index* of the oldest object it
holds, and how many it *holds*. Both are 0 at the start. An acquire of n takes what is missing to n; a release
of m moves the index on by m, modulo the depth. Where a number is known it is no value at all: the buffer
is in the code and the lock is used with a constant. Where it differs between trips or branches it is an
`i32` that loops carry and conditions result in, and an access is an `scf.index_switch` on it.

Rules: MLIR-AIE of August 2026, AIEObjectFifoStatefulTransform.cpp (the patterns of acquire, release, access,
verifyObjectFifoOverRelease). The reference keeps the numbers in stack slots that become values later.
"""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Block, Operation, Region, Value, erase_all
from npuninja.ir.syntax import operand
from npuninja.lowering import op_builders
from npuninja.lowering.control_flow.unrolling import peel_first_trip, trip_count
from npuninja.lowering.objectfifo.access_code import buffer_at, buffer_switch, use_lock
from npuninja.lowering.objectfifo.model import ObjectFifo, ObjectFifos
from npuninja.lowering.objectfifo.rotation import (
    Number,
    Outlooker,
    Rotation,
    RotationField,
    Rotations,
    differing,
    outlooks,
    unknown,
    with_known,
    with_values,
)
from npuninja.lowering.objectfifo.split import ACCESSES, ACQUIRE, ELEMENT, FifoPort, key_of


def rotate_accesses(core: Operation, fifos: ObjectFifos, warnings: Warnings, peels: bool) -> None:
    """Replaces the acquires, releases and subview accesses of a core.

    Args:
        core: the `aie.core`, its loops unrolled or not.
        fifos: the fifos of its device, with their locks and buffers.
        warnings: takes what will not end well when the core runs.
        peels: whether a loop's first trip is taken out where the number of objects held is known after it.

    Raises:
        UserError: accesses are inside an operation that is no loop and no condition.
    """
    writer = _RotationWriter(core, fifos, warnings, peels)
    for region in core.regions:
        writer.region(region, {key: Rotation(0, 0) for key in writer.outlooker.keys})
    core.replace_uses(writer.chosen)
    erase_all(writer.done)


def check_loops(core: Operation, warnings: Warnings) -> None:
    """Raises UserError for a loop, as the design has it, that releases more in each trip than it acquires."""
    for op in core.walk():
        if op.name == "scf.for":
            _check_loop(op, warnings)


def _check_loop(loop: Operation, warnings: Warnings) -> None:
    """Looks at the accesses of one loop that are in no loop inside it."""
    taken: dict[FifoPort, list[Operation]] = {}
    given: dict[FifoPort, list[Operation]] = {}
    nested: set[FifoPort] = set()
    for op in loop.body.ops:
        for inner in op.walk():
            if inner.name in ACCESSES:
                if inner.enclosing("scf.for") is not loop:
                    nested.add(key_of(inner))
                else:
                    (taken if inner.name == ACQUIRE else given).setdefault(key_of(inner), []).append(inner)
    for key, releases in given.items():
        acquires = taken.get(key, [])
        released, acquired = (
            sum(op.integer("size") for op in releases),
            sum(op.integer("size") for op in acquires),
        )
        if key not in nested and released > acquired:
            raise UserError(
                f"each trip of this loop releases {released} objects of objectFifo '@{key[0]}', "
                f"but acquires only {acquired}",
                (acquires or releases)[0].loc,
                notes=(("the loop", loop.loc), *(("released here", op.loc) for op in releases)),
            )
    for key, acquires in taken.items():
        if key not in given and key not in nested and trip_count(loop) != 1:
            warnings.add_once(
                f"this loop acquires objects of objectFifo '@{key[0]}' and does not release them: "
                "from its second trip on it has the same ones",
                acquires[0].loc,
            )


class _RotationWriter:
    """Goes through the code of a core and writes what acquires, releases and accesses become.

    Attributes:
        chosen: the buffer of each access.
        done: operations that are to go.
    """

    def __init__(self, core: Operation, fifos: ObjectFifos, warnings: Warnings, peels: bool) -> None:
        self.outlooker = Outlooker(core, fifos)
        self.fifos = fifos
        self.warnings = warnings
        self.peels = peels
        self.chosen: dict[Value, Value] = {}
        self.done: list[Operation] = []

    def region(self, region: Region, state: Rotations) -> Rotations:
        """Writes a region; returns the numbers at its end."""
        if len(region.blocks) == 1:
            return self.block(region.blocks[0], state)
        fields = [(key, field) for key in state for field in Rotation._fields]
        for block in region.blocks[1:]:
            block.args += [_argument(block) for _ in fields]
        for number, block in enumerate(region.blocks):
            own = block.args[len(block.args) - len(fields) :]
            here = with_values(state, fields, own) if number else state
            state_behind = self.block(block, here)
            if block.ops:
                last = block.ops[-1]
                for _, passed in last.successors:
                    passed += [_value(state_behind, key, field, last) for key, field in fields]
        return state_behind

    def block(self, block: Block, state: Rotations) -> Rotations:
        """Writes a block; returns the numbers at its end."""
        state = dict(state)
        waiting = list(reversed(block.ops))
        while waiting:
            op = waiting.pop()
            if op.name == ELEMENT:
                self._access(op, state)
                self.done.append(op)
            elif op.name in ACCESSES:
                (self._acquire if op.name == ACQUIRE else self._release)(op, state)
                self.done.append(op)
            elif op.regions and (touched := self.outlooker.touched(op)):
                if op.name == "scf.for" and self._may_peel(op, {key: state[key] for key in touched}):
                    # The copies are written first, then the loop, which starts one trip later.
                    waiting += [op, *reversed(peel_first_trip(op))]
                    continue
                state = self._structured(op, state, touched)
            elif op.regions:
                for region in op.regions:
                    self.region(region, state)
        return state

    def _release(self, op: Operation, state: Rotations) -> None:
        key, size = key_of(op), op.integer("size")
        fifo = self.fifos.by_name[key[0]]
        use_lock(op, fifo, size * (fifo.repeat or 1))
        if key not in state:
            self.warnings.add_once(
                f"{_label(fifo)} is released here, but this core never acquires it", op.loc
            )
            return
        index, held = state[key]
        if isinstance(held, int) and size > max(held, 0):
            self.warnings.add_once(
                f"{size} objects of {_label(fifo)} are released, but only {max(held, 0)} are held", op.loc
            )
        depth = max(fifo.depth, 1)
        moved = (index + size) % depth if isinstance(index, int) else _moved_on(op, index, size, depth)
        state[key] = Rotation(moved, held - size if isinstance(held, int) else _minus(op, held, size))

    def _acquire(self, op: Operation, state: Rotations) -> None:
        key, size = key_of(op), op.integer("size")
        fifo = self.fifos.by_name[key[0]]
        repeat = fifo.repeat or 1
        index, held = state[key]
        if size > fifo.depth:
            self.warnings.add_once(
                f"{size} objects of {_label(fifo)} are acquired, but it has {fifo.depth}: "
                "the core will wait forever",
                op.loc,
            )
        if repeat > 1 and held != 0:
            self.warnings.add_once(
                f"{_label(fifo)} is sent {repeat} times an object and some objects are still held here: "
                "MLIR-AIE 1.4 counts repeats as objects and acquires too few; "
                "here the right number is acquired",
                op.loc,
            )
        if isinstance(held, int):
            missing = max(0, size - held)
            if missing:
                use_lock(op, fifo, missing * repeat)
            state[key] = Rotation(index, held + missing)
            return
        wanted = _constant(op, size)
        difference = _before(op, "arith.subi", [wanted, held])
        missing_value = amount = _before(op, "arith.maxsi", [difference, _constant(op, 0)])
        if repeat > 1:
            amount = _before(op, "arith.muli", [missing_value, _constant(op, repeat)])
        use_lock(op, fifo, amount)
        state[key] = Rotation(index, _before(op, "arith.addi", [held, missing_value]))

    def _access(self, op: Operation, state: Rotations) -> None:
        key = key_of(operand(op, "subview").op)
        fifo, index = self.fifos.by_name[key[0]], state[key].first
        if isinstance(index, int):
            self.chosen[op.result] = buffer_at(op, fifo, index)
        else:
            position = _before(op, "arith.index_cast", [index], "index")
            self.chosen[op.result] = op.insert_before(buffer_switch(op, fifo, position)).result

    def _may_peel(self, loop: Operation, state: Rotations) -> bool:
        """Whether more is known of the number of objects held after the first trip than in every trip."""
        if not self.peels or len(loop.regions[0].blocks) > 1 or (trip_count(loop) or 0) < 2:
            return False
        body, entry = [loop.body], outlooks(state)
        now = self.outlooker.at_every_trip(body, entry)
        later = self.outlooker.at_every_trip(body, self.outlooker.behind_all(body, entry))
        return sum(port.held is None for port in later.values()) < sum(
            port.held is None for port in now.values()
        )

    def _structured(self, op: Operation, state: Rotations, touched: list[FifoPort]) -> Rotations:
        """Writes an operation that acquires or releases inside; returns the numbers after it."""
        if op.name == "scf.for":
            return self._for(op, state, touched)
        if op.name == "scf.while":
            return self._while(op, state, touched)
        if op.name in ("scf.if", "scf.index_switch", "scf.execute_region"):
            return self._branches(op, state)
        raise UserError(
            f"objectFifos cannot be acquired or released inside {op.name}",
            op.loc,
            hint="use scf.for, scf.while, scf.if or scf.index_switch",
        )

    def _for(self, loop: Operation, state: Rotations, touched: list[FifoPort]) -> Rotations:
        known = self.outlooker.at_start(loop, state, touched)
        fields = unknown(known)
        loop.operands += [_value(state, key, field, loop) for key, field in fields]
        arguments = [_argument(loop.body) for _ in fields]
        loop.body.args += arguments
        behind = self.region(loop.regions[0], with_values(with_known(state, known), fields, arguments))
        _yield_more(loop.regions[0].blocks[-1], behind, fields, "scf.yield")
        return with_values(with_known(state, known), fields, _more_results(loop, len(fields)))

    def _while(self, loop: Operation, state: Rotations, touched: list[FifoPort]) -> Rotations:
        known = self.outlooker.at_start(loop, state, touched)
        fields = unknown(known)
        before, after = loop.regions
        loop.operands += [_value(state, key, field, loop) for key, field in fields]
        arguments = [_argument(before.entry) for _ in fields]
        before.entry.args += arguments
        middle = self.region(before, with_values(with_known(state, known), fields, arguments))
        # Values of the first region do not reach the second: the condition passes them.
        passed = [
            (key, field)
            for key in touched
            for field in Rotation._fields
            if isinstance(getattr(middle[key], field), Value)
        ]
        _yield_more(before.blocks[-1], middle, passed, "scf.condition")
        arguments = [_argument(after.entry) for _ in passed]
        after.entry.args += arguments
        end = self.region(after, with_values(middle, passed, arguments))
        _yield_more(after.blocks[-1], end, fields, "scf.yield")
        return with_values(middle, passed, _more_results(loop, len(passed)))

    def _branches(self, op: Operation, state: Rotations) -> Rotations:
        if op.name == "scf.if" and len(op.regions) < 2:
            region = Region([Block()])
            region.parent = op
            op.regions.append(region)
        ends = [self.region(region, state) for region in op.regions]
        fields = differing(state, ends)
        for region, end in zip(op.regions, ends):
            _yield_more(region.blocks[-1], end, fields, "scf.yield")
        return with_values(ends[0], fields, _more_results(op, len(fields)))


def _label(fifo: ObjectFifo) -> str:
    """The fifo, for messages."""
    return f"objectFifo '@{fifo.op.string('sym_name')}'"


def _value(state: Rotations, key: FifoPort, field: str, before: Operation) -> Value:
    """A number as a value; a constant for it comes before an operation."""
    number: Number = getattr(state[key], field)
    return _constant(before, number) if isinstance(number, int) else number


def _argument(block: Block) -> Value:
    return Value("i32", "", block)


def _more_results(op: Operation, count: int) -> list[Value]:
    values = [Value("i32", "", op) for _ in range(count)]
    op.results += values
    return values


def _yield_more(block: Block, state: Rotations, fields: list[RotationField], name: str) -> None:
    """Adds numbers to what the terminator of a block passes on; a yield that was left out is written."""
    if not fields:
        return
    if not block.ops or block.ops[-1].name != name:
        block.append(Operation(name))
    last = block.ops[-1]
    last.operands += [_value(state, key, field, last) for key, field in fields]


def _before(op: Operation, name: str, operands: list[Value], type: str = "i32") -> Value:
    return op.insert_before(Operation(name, operands, {}, (type,), loc=op.loc)).result


def _constant(op: Operation, number: int) -> Value:
    return op.insert_before(op_builders.constant(number, "i32")).result


def _minus(op: Operation, value: Value, number: int) -> Value:
    return _before(op, "arith.subi", [value, _constant(op, number)])


def _moved_on(op: Operation, index: Value, size: int, depth: int) -> Value:
    """`(index + size) mod depth`, for an index below the depth."""
    whole = _constant(op, depth)
    total = _before(op, "arith.addi", [index, _constant(op, size % depth)])
    predicate = EnumAttr("CmpIPredicate", "sge")
    beyond = op.insert_before(
        Operation("arith.cmpi", [total, whole], {"predicate": predicate}, ("i1",), loc=op.loc)
    ).result
    # An index that was below the depth can reach it by a step of one only exactly.
    wrapped = _constant(op, 0) if size == 1 else _before(op, "arith.subi", [total, whole])
    return _before(op, "arith.select", [beyond, wrapped, total])
