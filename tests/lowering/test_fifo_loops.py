"""Unrolled cores do what their loops say: the lowered core is run and compared with the loops themselves."""

from __future__ import annotations

from typing import NamedTuple, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowered import lowered, text_of

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Block, Operation, Value
from npuninja.lowering.op_builders import constant_value


class Use(NamedTuple):
    """Acquires objects of a fifo, passes them to a kernel, releases them."""

    fifo: int
    count: int


class Loop(NamedTuple):
    trips: int
    body: tuple[Union[Use, Loop], ...]


Event = tuple[str, ...]
DEPTHS = (1, 2, 3, 4)
#: Fifos 0 and 1 are consumed, 2 is produced by the core.
NAMES = ("a", "b", "c")


def expected_events(
    statements: tuple[Union[Use, Loop], ...], depths: tuple[int, ...], next_object: list[int]
) -> list[Event]:
    events: list[Event] = []
    for statement in statements:
        if isinstance(statement, Loop):
            for _ in range(statement.trips):
                events += expected_events(statement.body, depths, next_object)
            continue
        fifo, count = statement
        end = f"{NAMES[fifo]}_cons" if fifo < 2 else NAMES[fifo]
        take, give = ("cons", "prod") if fifo < 2 else ("prod", "cons")
        events.append(("AcquireGreaterEqual", f"{end}_{take}_lock_0", str(count)))
        events.append(
            ("call", *(f"{end}_buff_{(next_object[fifo] + i) % depths[fifo]}" for i in range(count)))
        )
        events.append(("Release", f"{end}_{give}_lock_0", str(count)))
        next_object[fifo] += count
    return events


def source(statements: tuple[Union[Use, Loop], ...], depths: tuple[int, ...], attributes: str = "") -> str:
    a, b, c = depths
    lines = [
        "%s = aie.tile(0, 0)",
        "%t = aie.tile(0, 2)",
        f"aie.objectfifo @a(%s, {{%t}}, [1, {a}]) : !aie.objectfifo<memref<4xi32>>",
        f"aie.objectfifo @b(%s, {{%t}}, [1, {b}]) : !aie.objectfifo<memref<4xi32>>",
        f"aie.objectfifo @c(%t, {{%s}}, [{c}, 1]) : !aie.objectfifo<memref<4xi32>>",
        *(f"func.func private @k{n}({', '.join(['memref<4xi32>'] * n)})" for n in DEPTHS),
        "aie.core(%t) {",
        "%low = arith.constant 0 : index",
        "%one = arith.constant 1 : index",
    ]
    number = iter(range(1000))

    def emit(body: tuple[Union[Use, Loop], ...]) -> None:
        for statement in body:
            n = next(number)
            if isinstance(statement, Loop):
                lines.append(f"%n{n} = arith.constant {statement.trips} : index")
                lines.append(f"scf.for %i{n} = %low to %n{n} step %one {{")
                emit(statement.body)
                lines.append("}")
                continue
            name, port = NAMES[statement.fifo], "Consume" if statement.fifo < 2 else "Produce"
            lines.append(
                f"%s{n} = aie.objectfifo.acquire @{name}({port}, {statement.count}) : "
                "!aie.objectfifosubview<memref<4xi32>>"
            )
            for i in range(statement.count):
                lines.append(
                    f"%e{n}_{i} = aie.objectfifo.subview.access %s{n}[{i}] : "
                    "!aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>"
                )
            arguments = ", ".join(f"%e{n}_{i}" for i in range(statement.count))
            types = ", ".join(["memref<4xi32>"] * statement.count)
            lines.append(f"func.call @k{statement.count}({arguments}) : ({types}) -> ()")
            lines.append(f"aie.objectfifo.release @{name}({port}, {statement.count})")

    emit(statements)
    return "\n".join([*lines, "aie.end", f"}} {attributes}"])


def symbol(value: Value) -> str:
    assert isinstance(value.owner, Operation)
    return value.owner.string("sym_name")


class Machine:
    """Runs the lowered core of a module and notes its lock operations and calls."""

    def __init__(self, module: Operation) -> None:
        self.core = next(op for op in module.walk() if op.name == "aie.core")
        self.values: dict[Value, int] = {}
        self.buffers: dict[Value, Value] = {}
        self.memory: dict[int, int] = {}
        self.events: list[Event] = []

    def number(self, value: Value) -> int:
        known = constant_value(value)
        return self.values[value] if known is None else known

    def run(self) -> list[Event]:
        block: Block | None = self.core.body
        while block is not None:
            block = self.step(block)
        return self.events

    def step(self, block: Block) -> Block | None:
        for op in block.ops:
            if op.name == "aie.use_lock":
                action = op.attributes["action"]
                assert isinstance(action, EnumAttr)
                count = self.number(op.operands[1]) if len(op.operands) > 1 else op.integer("value")
                if count:
                    self.events.append((action.case, symbol(op.operands[0]), str(count)))
            elif op.name == "func.call":
                if not self.call(op):
                    self.events.append(
                        ("call", *(symbol(self.buffers.get(value, value)) for value in op.operands))
                    )
            elif op.name == "memref.load":
                self.values[op.result] = self.memory[self.number(op.operands[1])]
            elif op.name == "memref.store":
                self.memory[self.number(op.operands[2])] = self.number(op.operands[0])
            elif op.successors:
                return self.branch(op)
            elif op.name == "aie.end":
                return None
            elif op.name != "arith.constant":
                self.values[op.result] = self.compute(op, [self.number(value) for value in op.operands])
        raise AssertionError("a block ends without a branch")

    def call(self, op: Operation) -> bool:
        """Whether this call is answered instead of being noted."""
        return False

    def compute(self, op: Operation, numbers: list[int]) -> int:
        if op.name == "arith.cmpi":
            predicate = op.attributes["predicate"]
            assert isinstance(predicate, EnumAttr)
            return int({"slt": numbers[0] < numbers[1], "sge": numbers[0] >= numbers[1]}[predicate.case])
        if op.name == "arith.select":
            return numbers[1] if numbers[0] else numbers[2]
        if op.name in ("arith.index_cast", "arith.extui"):
            return numbers[0]
        if op.name == "arith.maxsi":
            return max(numbers)
        return {"arith.addi": numbers[0] + numbers[1], "arith.subi": numbers[0] - numbers[1]}[op.name]

    def branch(self, op: Operation) -> Block:
        choice = 0
        if op.name == "cf.cond_br":
            choice = 0 if self.number(op.operands[0]) else 1
        elif op.name == "cf.switch":
            number = self.number(op.operands[0])
            choice = number + 1 if number + 1 < len(op.successors) else 0
        target, passed = op.successors[choice]
        arguments = [(arg, value, self.buffers.get(value, value)) for arg, value in zip(target.args, passed)]
        for arg, value, buffer in arguments:
            if arg.type.startswith("memref"):
                self.buffers[arg] = buffer
            else:
                self.values[arg] = self.number(value)
        return target


def program(depths: tuple[int, ...]) -> st.SearchStrategy[tuple[Union[Use, Loop], ...]]:
    use = st.integers(0, 2).flatmap(lambda fifo: st.builds(Use, st.just(fifo), st.integers(1, depths[fifo])))
    statement = st.recursive(
        use,
        lambda inner: st.builds(Loop, st.integers(0, 9), st.lists(inner, min_size=1, max_size=3).map(tuple)),
        max_leaves=6,
    )
    return st.lists(statement, min_size=1, max_size=3).map(tuple)


PROGRAMS = st.tuples(*[st.sampled_from(DEPTHS)] * 3).flatmap(
    lambda depths: st.tuples(st.just(depths), program(depths))
)


@settings(max_examples=60, deadline=None)
@given(PROGRAMS)
def test_unrolled_cores_use_the_same_objects(
    case: tuple[tuple[int, ...], tuple[Union[Use, Loop], ...]],
) -> None:
    depths, statements = case
    module = lowered(source(statements, depths))
    assert Machine(module).run() == expected_events(statements, depths, [0, 0, 0])


@settings(max_examples=60, deadline=None)
@given(PROGRAMS)
def test_dynamic_cores_use_the_same_objects(
    case: tuple[tuple[int, ...], tuple[Union[Use, Loop], ...]],
) -> None:
    depths, statements = case
    module = lowered(source(statements, depths, "{dynamic_objfifo_lowering = true}"))
    assert Machine(module).run() == expected_events(statements, depths, [0, 0, 0])


def test_sibling_loops_are_unrolled_by_their_own_factors() -> None:
    statements = (Loop(10, (Use(0, 1),)), Loop(9, (Use(1, 1),)), Loop(8, (Use(2, 1),)))
    warnings = Warnings()
    module = lowered(source(statements, (2, 3, 4)), warnings=warnings)
    assert "different factors (2, 3, 4)" in warnings.items[0][0]
    assert text_of(module).count("func.call") == 2 + 3 + 4
    assert Machine(module).run() == expected_events(statements, (2, 3, 4), [0, 0, 0])


def test_outer_and_inner_loop_of_different_factors() -> None:
    statements = (Loop(8, (Use(2, 1), Loop(6, (Use(1, 1),)))),)
    module = lowered(source(statements, (2, 3, 4)))
    assert Machine(module).run() == expected_events(statements, (2, 3, 4), [0, 0, 0])
    assert text_of(module).count("func.call") == 4 * (1 + 3)


def test_loop_without_constant_bounds_is_refused() -> None:
    body = source((Loop(8, (Use(0, 1),)),), (2, 2, 2))
    body = body.replace("arith.constant 8 : index", "memref.dim %m, %low : memref<?xi32>").replace(
        "aie.core(%t) {", '%m = aie.external_buffer {sym_name = "m"} : memref<?xi32>\naie.core(%t) {'
    )
    with pytest.raises(UserError, match="constant bounds") as caught:
        lowered(body)
    assert caught.value.location is not None


def test_objects_held_at_the_end_of_a_loop_are_warned_of() -> None:
    body = source((Loop(20, (Use(0, 2),)),), (3, 2, 2)).replace(
        "release @a(Consume, 2)", "release @a(Consume, 1)"
    )
    warnings = Warnings()
    lowered(body, warnings=warnings)
    assert any("takes 1 more object" in text for text, _ in warnings.items)


ENDLESS = 9223372036854775807


def test_endless_loop_keeps_a_remainder_that_would_be_long() -> None:
    inner = Loop(10, (Use(0, 1),))
    module = lowered(source((Loop(ENDLESS, (Use(0, 1), inner)),), (4, 1, 1)))
    # Four times (1 + 4 + 2) in the main loop, once (1 + 4 + 2) in what remains.
    assert text_of(module).count("func.call") == 4 * 7 + 7


def test_endless_loop_around_one_that_was_unrolled_entirely() -> None:
    module = lowered(source((Loop(ENDLESS, (Loop(3, (Use(0, 1),)),)),), (4, 1, 1)))
    assert text_of(module).count("func.call") == 4 * 3 + 3


WHILE = """scf.while : () -> () {
%always = arith.constant true
scf.condition(%always)
} do {
BODY
scf.yield
}"""


@pytest.mark.parametrize(("depth", "refused"), [(1, False), (2, True)])
def test_loop_that_cannot_be_unrolled(depth: int, refused: bool) -> None:
    head, first, rest = source((Use(0, 1),), (depth, 1, 1)).partition("%s0 = ")
    design = head + WHILE.replace("BODY", first + rest.split("aie.end")[0]) + "\naie.end }"
    if refused:
        with pytest.raises(UserError, match="changes from trip to trip") as caught:
            lowered(design)
        assert caught.value.location is not None
    else:
        assert "a_cons_buff_0" in text_of(lowered(design))
    assert text_of(lowered(design + " {dynamic_objfifo_lowering = true}")).count("cf.switch") == 1


def test_release_before_anything_was_acquired_is_warned_of() -> None:
    head, first, rest = source((Use(0, 1),), (2, 1, 1)).partition("%s0 = ")
    warnings = Warnings()
    lowered(head + "aie.objectfifo.release @a(Consume, 1)\n" + first + rest, warnings=warnings)
    assert [text for text, _ in warnings.items] == [
        "1 objects of objectFifo '@a' are released here before any is acquired"
    ]


def test_endless_loop_in_larger_steps_is_refused() -> None:
    """The reference counts in 64 bits, so its unrolled loop would end before it begins."""
    body = source((Loop(ENDLESS, (Use(0, 1),)),), (2, 1, 1))
    assert "step %one" in body
    with pytest.raises(UserError, match="more than 64 bits hold") as caught:
        lowered(
            body.replace("step %one", "step %two").replace(
                "%one =", "%two = arith.constant 2 : index\n%one ="
            )
        )
    assert caught.value.location is not None
