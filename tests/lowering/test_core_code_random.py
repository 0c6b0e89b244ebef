"""Random control flow, stopped at random waits, computes what an interpreter of a few lines computes."""

import itertools
import operator
import struct

import pytest
from core_runner import RunningCore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasm_build import WasmBuild

SLOTS = 8  # words of the buffer; the last one counts blocks, so that every program ends
MOST_BLOCKS = 25
OPERATIONS = {"addi": operator.add, "subi": operator.sub, "muli": operator.mul, "xori": operator.xor}
LOCK = 2 * 64 + 3


def wrap(value):
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


class Step:
    """An operation of a block: `store slot value`, `wait need`, or `name = operation left right`."""

    def __init__(self, kind, *parts):
        self.kind, self.parts = kind, parts


@st.composite
def programs(draw):
    """Blocks as (argument names, steps, terminator). Values e* come from the entry, visible everywhere."""
    count = draw(st.integers(1, 5))
    arguments = [[f"a{k}_{i}" for i in range(draw(st.integers(0, 2)))] for k in range(count)]
    blocks = []
    for k in range(count):
        values = ["e0", "e1", "e2", *arguments[k]]
        steps = []
        for i in range(draw(st.integers(0, 5))):
            kind = draw(st.sampled_from(["store", "wait", *OPERATIONS]))
            if kind == "store":
                steps.append(Step(kind, draw(st.integers(0, SLOTS - 2)), draw(st.sampled_from(values))))
            elif kind == "wait":
                steps.append(Step(kind, draw(st.integers(0, 3))))
            else:
                steps.append(
                    Step(kind, f"v{k}_{i}", draw(st.sampled_from(values)), draw(st.sampled_from(values)))
                )
                values.append(f"v{k}_{i}")

        def target():
            chosen = draw(st.integers(0, count - 1))
            return chosen, [draw(st.sampled_from(values)) for _ in arguments[chosen]]  # noqa: B023

        form = draw(st.sampled_from(["br", "cond_br", "switch", "end"]))
        flag = draw(st.sampled_from(values))
        blocks.append((arguments[k], steps, (form, flag, [target() for _ in range(3)])))
    return blocks


def jump(target):
    number, values = target
    passed = f"({', '.join('%' + v for v in values)} : {', '.join(['i32'] * len(values))})" if values else ""
    return f"^b{number}{passed}"


def text_of(blocks):
    lines = []
    for k, (arguments, steps, (form, flag, targets)) in enumerate(blocks):
        lines += [
            f"^b{k}({', '.join(f'%{a}: i32' for a in arguments)}):" if arguments else f"^b{k}:",
            f"%n{k} = memref.load %b[%last] : memref<{SLOTS}xi32>",
            f"%m{k} = arith.addi %n{k}, %one : i32",
            f"memref.store %m{k}, %b[%last] : memref<{SLOTS}xi32>",
            f"%go{k} = arith.cmpi slt, %n{k}, %most : i32",
            f"cf.cond_br %go{k}, ^c{k}, ^stop",
            f"^c{k}:",
        ]
        for step in steps:
            if step.kind == "store":
                lines.append(f"memref.store %{step.parts[1]}, %b[%i{step.parts[0]}] : memref<{SLOTS}xi32>")
            elif step.kind == "wait":
                lines.append(f"aie.use_lock(%l, AcquireGreaterEqual, {step.parts[0]})")
            else:
                name, left, right = step.parts
                lines.append(f"%{name} = arith.{step.kind} %{left}, %{right} : i32")
        if form == "br":
            lines.append(f"cf.br {jump(targets[0])}")
        elif form == "cond_br":
            lines += [f"%f{k} = arith.cmpi slt, %{flag}, %zero : i32"]
            lines.append(f"cf.cond_br %f{k}, {jump(targets[0])}, {jump(targets[1])}")
        elif form == "switch":
            cases = f"default: {jump(targets[0])}, 1: {jump(targets[1])}, -2: {jump(targets[2])}"
            lines.append(f"cf.switch %{flag} : i32, [{cases}]")
        else:
            lines.append("cf.br ^stop")
    entry = [f"%i{i} = arith.constant {i} : index" for i in range(SLOTS - 1)]
    entry += [f"%e{i} = memref.load %b[%i{i}] : memref<{SLOTS}xi32>" for i in range(3)]
    start = ["e0", "e1"][: len(blocks[0][0])]
    body = "\n".join([*entry, f"cf.br {jump((0, start))}", *lines, "^stop:", "aie.end"])
    return f"""module {{ aie.device(npu1) {{
      %t = aie.tile(0, 2)
      %l = aie.lock(%t, 3) {{init = 0 : i32, sym_name = "l"}}
      %b = aie.buffer(%t) {{address = 1024 : i32, sym_name = "b"}} : memref<{SLOTS}xi32>
      %core = aie.core(%t) {{
        %last = arith.constant {SLOTS - 1} : index
        %one = arith.constant 1 : i32
        %zero = arith.constant 0 : i32
        %most = arith.constant {MOST_BLOCKS} : i32
        {body}
      }} }} }}"""


def interpret(blocks, memory):
    """What the buffer holds in the end, and the values that the waits on the way asked for."""
    memory, needs = list(memory), []
    values = {f"e{i}": memory[i] for i in range(3)}
    number, passed = 0, [values[v] for v in ["e0", "e1"][: len(blocks[0][0])]]
    while True:
        arguments, steps, (form, flag, targets) = blocks[number]
        values.update(zip(arguments, passed))
        memory[-1] += 1
        if memory[-1] > MOST_BLOCKS:
            return memory, needs
        for step in steps:
            if step.kind == "store":
                memory[step.parts[0]] = values[step.parts[1]]
            elif step.kind == "wait":
                needs.append(step.parts[0])
            else:
                name, left, right = step.parts
                values[name] = wrap(OPERATIONS[step.kind](values[left], values[right]))
        if form == "end":
            return memory, needs
        choice = 0
        if form == "cond_br":
            choice = 0 if values[flag] < 0 else 1
        elif form == "switch":
            choice = {1: 1, -2: 2}.get(values[flag], 0)
        number, names = targets[choice]
        passed = [values[v] for v in names]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A new folder for each program, one compiler cache for all."""
    top = tmp_path_factory.mktemp("random")
    numbers = itertools.count()

    def new():
        folder = top / str(next(numbers))
        folder.mkdir()
        return WasmBuild(folder, top / "cache")

    return new


small = st.integers(-3, 3)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(blocks=programs(), start=st.tuples(small, small, small), spare=st.lists(st.integers(0, 4), min_size=6))
def test_random_programs(folders, blocks, start, spare):
    core = RunningCore(folders(), text_of(blocks))
    memory = [*start, *[0] * (SLOTS - 3)]
    expected, needs = interpret(blocks, memory)
    core.write(0x70400, struct.pack(f"<{SLOTS}i", *memory))
    held = 0
    extra = itertools.cycle(spare)
    for _ in range(len(needs) + 1):
        result = core.step()
        if result == -1:
            break
        # The lock is too low: give what is asked for, and sometimes more.
        need = result >> 16 & 0xFF
        assert result & 0xFF00FFFF == 1 << 24 | LOCK
        assert core.lock(LOCK) < need
        given_now = need - core.lock(LOCK) + next(extra)
        held += given_now
        core.set_lock(LOCK, core.lock(LOCK) + given_now)
    assert core.step() == -1
    assert list(struct.unpack(f"<{SLOTS}i", core.read(0x70400, 4 * SLOTS))) == expected
    assert core.lock(LOCK) == held - sum(needs)
