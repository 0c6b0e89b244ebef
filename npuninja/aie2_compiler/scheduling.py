"""Operations of a basic block to bundles.

The machine has no interlocks: a bundle that reads too early reads the old value. So each operation goes into
the first bundle where its operands are there, its results meet no others, and its units are free; bundles
without work are NOPs. A block finishes what it begins, so blocks need not know each other; a branch's five
delay slots are filled with what the block has anyway.

Rules: aie2-isa, "When results count", and the units of the instruction table.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from functools import lru_cache

from npuninja import TYPE_CHECKING
from npuninja.aie2_compiler.operations import Form, MachineOperation, Touch
from npuninja.errors import InternalError, Location
from npuninja.machine_code.encode import EncodeError, choose_format
from npuninja.machine_code.flow import DELAY_SLOTS
from npuninja.machine_code.instruction_set import instruction_set
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Iterable, Iterator, Sequence, TypeVar

    _Key = TypeVar("_Key", bound=Hashable)

#: From a part-word store to the next memory access: it reads the word in stage 5 and writes it in stage 11.
_AFTER_PART_WORD = 7
#: Far more than the longest block needs; a scheduler that gets there is broken.
_LIMIT = 100_000


class ScheduledBlock(NamedTuple):
    """Straight code: its operations, and the one that leaves it (None: the next block follows)."""

    operations: Sequence[MachineOperation]
    leaving: MachineOperation | None = None


class _ScheduledOperation:
    __slots__ = ("after", "before", "height", "number", "operation", "place")

    def __init__(self, number: int, operation: MachineOperation) -> None:
        self.number = number
        self.operation = operation
        #: (node, least distance in bundles) that must come before, and that must come after.
        self.before: list[tuple[_ScheduledOperation, int]] = []
        self.after: list[tuple[_ScheduledOperation, int]] = []
        self.height = 0
        self.place = -1


#: Which nodes touch a register, and in which stage.
_RegisterUses = dict[str, list[tuple[_ScheduledOperation, int]]]


class Scheduled(NamedTuple):
    """A bundle: its instructions' texts (empty: a NOP), and the C line of the first that has one."""

    texts: list[str]
    place: Location | None


def schedule(block: ScheduledBlock) -> list[Scheduled]:
    """The bundles of a block."""
    operations = [*block.operations, *([block.leaving] if block.leaving else [])]
    nodes = [_ScheduledOperation(i, operation) for i, operation in enumerate(operations)]
    _connect(nodes)
    for node in reversed(nodes):
        node.height = max((distance + other.height for other, distance in node.after), default=0)
    leaving = nodes.pop() if block.leaving else None
    table = _Reservations()
    end = _place_all(nodes, table)
    if leaving is not None:
        least = max((other.place + distance for other, distance in leaving.before), default=0)
        at = max(least, end - DELAY_SLOTS - 1)
        while not table.take(leaving.operation.forms[0], at, leaving.operation.place):
            at += 1
        end = at + DELAY_SLOTS + 1
    return [table.bundle(at) for at in range(end)]


def _place_all(nodes: list[_ScheduledOperation], table: _Reservations) -> int:
    """Gives every node its bundle; returns the bundle in which all of them are done."""
    waiting = {node.number: len(node.before) for node in nodes}
    earliest = dict.fromkeys(waiting, 0)
    #: Nodes that could go into a bundle, by the first one: those that matter most first.
    later: dict[int, list[_ScheduledOperation]] = defaultdict(list)
    later[0] = [node for node in nodes if not node.before]
    ready: list[tuple[int, int, _ScheduledOperation]] = []
    left, at, end = len(nodes), 0, 0
    while left:
        if at > _LIMIT:
            raise InternalError("npuninja-aie2 cannot schedule a block")
        kept: list[tuple[int, int, _ScheduledOperation]] = []
        for node in later.pop(at, ()):
            heapq.heappush(ready, (-node.height, node.number, node))
        while ready:
            entry = heapq.heappop(ready)
            node = entry[2]
            chosen = next(
                (form for form in node.operation.forms if table.take(form, at, node.operation.place)), None
            )
            if chosen is None:
                kept.append(entry)
                continue
            node.place = at
            end = max(end, at + chosen.done_after)
            left -= 1
            for other, distance in node.after:
                if other.number not in waiting:
                    continue  # what leaves the block is placed last
                waiting[other.number] -= 1
                earliest[other.number] = max(earliest[other.number], at + distance)
                if not waiting[other.number]:
                    if earliest[other.number] <= at:
                        heapq.heappush(ready, (-other.height, other.number, other))
                    else:
                        later[earliest[other.number]].append(other)
        ready = kept
        heapq.heapify(ready)
        at += 1
    return end


def _connect(nodes: list[_ScheduledOperation]) -> None:
    """The order that registers and memory ask for."""
    writers: _RegisterUses = defaultdict(list)
    readers: _RegisterUses = defaultdict(list)
    memory: list[tuple[_ScheduledOperation, str]] = []
    for node in nodes:
        reads = [read for form in node.operation.forms for read in form.reads]
        writes = [write for form in node.operation.forms for write in form.writes]
        found = [
            *(
                (other, at - touch.stage + 1)
                for touch in (*reads, *writes)
                for other, at in writers[touch.register]
            ),
            *(
                (other, at - one.stage + one.bypassed)
                for one in writes
                for other, at in readers[one.register]
            ),
        ]
        kind = node.operation.forms[0].memory
        if kind:
            found += _behind_memory(kind, memory)
            # What came before the last store is after it by that store's own distance.
            memory = [(node, kind)] if kind != "L" else [*memory, (node, kind)]
        _note(node, writes, writers, replace=True)
        for write in writes:
            readers[write.register] = []
        _note(node, reads, readers, replace=False)
        node.before = list(_largest(found).items())
        for other, distance in node.before:
            other.after.append((node, distance))


def _behind_memory(
    kind: str, earlier: list[tuple[_ScheduledOperation, str]]
) -> Iterator[tuple[_ScheduledOperation, int]]:
    """How far an access comes after earlier ones; loads need no order among each other."""
    for other, before in earlier:
        if not kind == before == "L":
            yield other, _AFTER_PART_WORD if before == "LS" else 1


def _largest(pairs: Iterable[tuple[_Key, int]]) -> dict[_Key, int]:
    """The largest number that is beside each key, at least 0."""
    found: dict[_Key, int] = {}
    for key, number in pairs:
        found[key] = max(found.get(key, 0), number)
    return found


def _note(node: _ScheduledOperation, touches: list[Touch], known: _RegisterUses, *, replace: bool) -> None:
    """Enters a node with the latest stage in which it touches each register."""
    for register, stage in _largest((touch.register, touch.stage) for touch in touches).items():
        known[register] = [(node, stage)] if replace else [*known[register], (node, stage)]


class _Reservations:
    """What each bundle holds, and which units are taken when."""

    def __init__(self) -> None:
        self._slots: dict[int, dict[str, str]] = defaultdict(dict)
        self._locations: dict[int, Location] = {}
        self._units: dict[tuple[str, int], bool] = {}
        self._to_be_free: set[tuple[str, int]] = set()

    def take(self, form: Form, at: int, place: Location | None) -> bool:
        """Puts a form into a bundle if slot and units are free."""
        slots = self._slots.get(at, {})
        if form.slot in slots or not _fits(frozenset({*slots, form.slot})):
            return False
        for unit in form.units:
            for cycle in range(at + unit.first - 1, at + unit.first - 1 + unit.length):
                key = (unit.name, cycle)
                if key in self._units or (not unit.only_free and key in self._to_be_free):
                    return False
        self._slots[at][form.slot] = form.text
        if place is not None:
            self._locations.setdefault(at, place)
        for unit in form.units:
            for cycle in range(at + unit.first - 1, at + unit.first - 1 + unit.length):
                if unit.only_free:
                    self._to_be_free.add((unit.name, cycle))
                else:
                    self._units[unit.name, cycle] = True
        return True

    def bundle(self, at: int) -> Scheduled:
        """The slots, and the place in the source, of the bundle at a cycle."""
        return Scheduled(list(self._slots.get(at, {}).values()), self._locations.get(at))


@lru_cache(maxsize=256)
def _fits(slots: frozenset[str]) -> bool:
    try:
        choose_format(sorted(slots), instruction_set("aie2"))
    except EncodeError:
        return False
    return True
