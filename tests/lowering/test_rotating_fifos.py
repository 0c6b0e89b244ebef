"""Cores of 2026-08: a run of the lowered core against a plain reading of its acquires and releases."""

from __future__ import annotations

from typing import NamedTuple, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowered import lines_with, lowered
from test_fifo_loops import Event, Machine

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation, Value

NAMES = ("a", "b", "c")


class Take(NamedTuple):
    """Acquires, and passes the objects to a kernel."""

    fifo: int
    count: int


class Give(NamedTuple):
    fifo: int
    count: int


class Loop(NamedTuple):
    trips: int
    body: tuple[Statement, ...]


class Condition(NamedTuple):
    """Runs one of its parts, as the next of the core's inputs says."""

    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


Statement = Union[Take, Give, Loop, Condition]


class Oracle:
    """What a core of these statements does, kept as plain numbers."""

    def __init__(self, depths: tuple[int, ...], choices: list[bool]) -> None:
        self.depths = depths
        self.choices = iter(choices)
        self.first = [0, 0, 0]
        self.held = [0, 0, 0]
        self.events: list[Event] = []

    def run(self, statements: tuple[Statement, ...]) -> list[Event]:
        for statement in statements:
            if isinstance(statement, Loop):
                for _ in range(statement.trips):
                    self.run(statement.body)
            elif isinstance(statement, Condition):
                self.run(statement.then if next(self.choices) else statement.otherwise)
            else:
                self.step(statement)
        return self.events

    def step(self, statement: Take | Give) -> None:
        fifo, count = statement
        end = f"{NAMES[fifo]}_cons" if fifo < 2 else NAMES[fifo]
        take, give = ("cons", "prod") if fifo < 2 else ("prod", "cons")
        if isinstance(statement, Give):
            self.events.append(("Release", f"{end}_{give}_lock_0", str(count)))
            self.first[fifo] += count
            self.held[fifo] -= count
            return
        missing = max(0, count - self.held[fifo])
        if missing:
            self.events.append(("AcquireGreaterEqual", f"{end}_{take}_lock_0", str(missing)))
        self.held[fifo] += missing
        objects = ((self.first[fifo] + i) % self.depths[fifo] for i in range(count))
        self.events.append(("call", *(f"{end}_buff_{number}" for number in objects)))


def source(statements: tuple[Statement, ...], depths: tuple[int, ...], attributes: str) -> str:
    a, b, c = depths
    lines = [
        "%s = aie.tile(0, 0)",
        "%t = aie.tile(0, 2)",
        f"aie.objectfifo @a(%s, {{%t}}, [1, {a}]) : !aie.objectfifo<memref<4xi32>>",
        f"aie.objectfifo @b(%s, {{%t}}, [1, {b}]) : !aie.objectfifo<memref<4xi32>>",
        f"aie.objectfifo @c(%t, {{%s}}, [{c}, 1]) : !aie.objectfifo<memref<4xi32>>",
        *(f"func.func private @k{n}({', '.join(['memref<4xi32>'] * n)})" for n in (1, 2, 3, 4)),
        "func.func private @choose() -> i1",
        "aie.core(%t) {",
        "%low = arith.constant 0 : index",
        "%one = arith.constant 1 : index",
    ]
    number = iter(range(1000))

    def emit(body: tuple[Statement, ...]) -> None:
        for statement in body:
            n = next(number)
            if isinstance(statement, Loop):
                lines.append(f"%n{n} = arith.constant {statement.trips} : index")
                lines.append(f"scf.for %i{n} = %low to %n{n} step %one {{")
                emit(statement.body)
                lines.append("}")
                continue
            if isinstance(statement, Condition):
                lines.append(f"%c{n} = func.call @choose() : () -> i1")
                lines.append(f"scf.if %c{n} {{")
                emit(statement.then)
                if statement.otherwise:
                    lines.append("} else {")
                    emit(statement.otherwise)
                lines.append("}")
                continue
            name, port = NAMES[statement.fifo], "Consume" if statement.fifo < 2 else "Produce"
            if isinstance(statement, Give):
                lines.append(f"aie.objectfifo.release @{name}({port}, {statement.count})")
                continue
            subview = "!aie.objectfifosubview<memref<4xi32>>"
            lines.append(f"%s{n} = aie.objectfifo.acquire @{name}({port}, {statement.count}) : {subview}")
            for i in range(statement.count):
                lines.append(
                    f"%e{n}_{i} = aie.objectfifo.subview.access %s{n}[{i}] : {subview} -> memref<4xi32>"
                )
            arguments = ", ".join(f"%e{n}_{i}" for i in range(statement.count))
            types = ", ".join(["memref<4xi32>"] * statement.count)
            lines.append(f"func.call @k{statement.count}({arguments}) : ({types}) -> ()")

    emit(statements)
    return "\n".join([*lines, "aie.end", f"}} {attributes}"])


class ChoosingMachine(Machine):
    """Answers calls of @choose with the given choices."""

    def __init__(self, module: Operation, choices: list[bool]) -> None:
        super().__init__(module)
        self.choices = iter(choices)

    def call(self, op: Operation) -> bool:
        if op.symbol("callee") != "choose":
            return False
        self.values[op.result] = int(next(self.choices))
        return True


def program(depths: tuple[int, ...]) -> st.SearchStrategy[tuple[Statement, ...]]:
    """Sliding windows, held objects that conditions change, nested loops; no release below what is held."""

    def window(fifo: int) -> st.SearchStrategy[tuple[Statement, ...]]:
        return st.integers(1, depths[fifo]).flatmap(
            lambda count: st.integers(1, count).map(lambda back: (Take(fifo, count), Give(fifo, back)))
        )

    piece = st.integers(0, 2).flatmap(window)
    body = st.recursive(
        piece,
        lambda inner: st.one_of(
            st.builds(lambda trips, parts: (Loop(trips, sum(parts, ())),), st.sampled_from([0, 1, 2, 3, 5, 8]),
                      st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda then, other: (Condition(then, other),), inner, st.one_of(st.just(()), inner)),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: sum(parts, ())),
        ),
        max_leaves=6,
    )  # fmt: skip
    return body


CASES = st.tuples(*[st.sampled_from((1, 2, 3, 4))] * 3).flatmap(
    lambda depths: st.tuples(st.just(depths), program(depths), st.booleans(), st.integers(0, 2**32 - 1))
)


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_cores_hold_what_they_acquired(
    case: tuple[tuple[int, ...], tuple[Statement, ...], bool, int],
) -> None:
    depths, statements, dynamic, seed = case
    choices = [bool(seed >> i % 32 & 1) for i in range(20_000)]
    attributes = f"{{dynamic_objfifo_lowering = {str(dynamic).lower()}}}" if seed & 1 else ""
    module = lowered(source(statements, depths, attributes), generation="2026-08", dynamic_fifos=dynamic)
    assert ChoosingMachine(module, choices).run() == Oracle(depths, choices).run(statements)


def test_sliding_window_needs_no_lock_value_at_run_time() -> None:
    module = lowered(
        source((Loop(9, (Take(0, 2), Give(0, 1))),), (3, 1, 1), "{dynamic_objfifo_lowering = true}"),
        generation="2026-08",
    )
    # The first trip comes before the loop: it takes two, each further one takes one.
    assert len(lines_with(module, "use_lock", "a_cons_cons_lock_0", "AcquireGreaterEqual, %c2_i32")) == 1
    assert len(lines_with(module, "use_lock", "a_cons_cons_lock_0", "AcquireGreaterEqual, %c1_i32")) == 1
    assert len(lines_with(module, "cf.switch")) == 2


def test_no_trip_is_taken_out_of_a_loop_as_the_driver_does_it() -> None:
    text = source((Loop(9, (Take(0, 2), Give(0, 1))),), (3, 1, 1), "")
    module = lowered(text, generation="2026-08", dynamic_fifos=True)
    (acquire,) = lines_with(module, "use_lock", "a_cons_cons_lock_0", "AcquireGreaterEqual")
    assert "%c" not in acquire.rpartition("AcquireGreaterEqual")[2]
    static = lowered(text, generation="2026-08", dynamic_fifos=False)
    assert len(lines_with(static, "use_lock", "a_cons_cons_lock_0", "AcquireGreaterEqual")) > 1


@pytest.mark.parametrize("dynamic", ["true", "false"])
def test_condition_decides_what_is_held(dynamic: str) -> None:
    statements = (Condition((Take(0, 2), Give(0, 1)), ()), Take(0, 2), Give(0, 2))
    design = source(statements, (3, 1, 1), f"{{dynamic_objfifo_lowering = {dynamic}}}")
    for choice in (False, True):
        machine = ChoosingMachine(lowered(design, generation="2026-08"), [choice])
        assert machine.run() == Oracle((3, 1, 1), [choice]).run(statements)
    with pytest.raises(UserError, match="depends on this condition"):
        lowered(design)


WHILE = """%start = arith.constant 0 : i32
%all = arith.constant 5 : i32
%step = arith.constant 1 : i32
%last = scf.while (%n = %start) : (i32) -> i32 {
BEFORE
%more = arith.cmpi slt, %n, %all : i32
scf.condition(%more) %n : i32
} do {
^bb0(%m : i32):
AFTER
%next = arith.addi %m, %step : i32
scf.yield %next : i32
}
"""


def test_while_loops_carry_what_is_held() -> None:
    depths = (3, 2, 1)
    empty = source((), depths, "")
    before, after = (Take(0, 2), Give(0, 1)), (Take(1, 1), Give(1, 1))

    def inside(statements: tuple[Statement, ...], prefix: str) -> str:
        text = source(statements, depths, "").partition("%one = arith.constant 1 : index\n")[2]
        return text.rpartition("aie.end")[0].replace("%", f"%{prefix}")

    loop = WHILE.replace("BEFORE", inside(before, "p")).replace("AFTER", inside(after, "q"))
    machine = ChoosingMachine(lowered(empty.replace("aie.end", loop + "aie.end"), generation="2026-08"), [])
    assert machine.run() == Oracle(depths, []).run((Loop(5, (*before, *after)), *before))


def test_release_of_more_than_a_trip_acquires_is_refused() -> None:
    with pytest.raises(
        UserError, match="releases 2 objects of objectFifo '@a', but acquires only 1"
    ) as caught:
        lowered(source((Loop(4, (Take(0, 1), Give(0, 2))),), (3, 1, 1), ""), generation="2026-08")
    assert caught.value.location is not None


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ((Take(0, 1), Give(0, 2)), "2 objects of objectFifo '@a' are released, but only 1 are held"),
        ((Give(0, 1),), "released here, but this core never acquires it"),
        ((Loop(4, (Take(0, 1),)), Give(0, 1)), "from its second trip on it has the same ones"),
        ((Take(0, 4), Give(0, 4)), "the core will wait forever"),
    ],
)
def test_what_will_not_end_well_is_warned_of(statements: tuple[Statement, ...], message: str) -> None:
    warnings = Warnings()
    lowered(source(statements, (3, 1, 1), ""), generation="2026-08", warnings=warnings)
    assert any(message in text and place is not None for text, place in warnings.items), warnings.items


def test_objects_held_from_outside_are_used_in_a_loop() -> None:
    body = source((Take(0, 1), Loop(4, (Take(1, 1), Give(1, 1))), Give(0, 1)), (3, 2, 1), "")
    before, access, behind = body.partition("%e0_0 = aie.objectfifo.subview.access")
    line, call, rest = behind.split("\n", 2)
    inside = f"{access}{line}\n{call}\n"
    loop, head, tail = rest.partition("%one {\n")
    module = lowered(before + loop + head + inside + tail, generation="2026-08")
    events = Machine(module).run()
    assert events.count(("call", "a_cons_buff_0")) == 4
    assert [event for event in events if event[0] != "call" and event[1].startswith("a_")] == [
        ("AcquireGreaterEqual", "a_cons_cons_lock_0", "1"),
        ("Release", "a_cons_prod_lock_0", "1"),
    ]


def test_values_have_owners() -> None:
    """What loops carry is known to be theirs: the printer and the passes behind ask."""
    module = lowered(
        source((Loop(9, (Condition((Take(0, 2), Give(0, 1)), ()), Take(0, 2), Give(0, 1))),), (3, 1, 1), ""),
        generation="2026-08",
    )
    values: list[Value] = [value for op in module.walk() for value in op.results]
    assert all(isinstance(value.owner, Operation) for value in values)
