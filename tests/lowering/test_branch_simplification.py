"""Simplified branches do the same, and no less than MLIR's canonicalizer does is left to simplify."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.ir.attributes import BoolAttr, DenseElementsAttr, IntegerAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.control_flow.branch_simplification import simplify_branches


def core_of(region):
    device = Operation("aie.device", regions=[Region([Block()])])
    return device, device.body.append(Operation("aie.core", regions=[region]))


def trace(core, limit):
    """The values that are stored, in order, and whether the core came to its end within `limit` blocks."""
    stored, values = [], {}

    def number(value):
        return values[value] if value in values else int(value.owner.attributes["value"].value)

    block = core.regions[0].entry
    for _ in range(limit):
        for op in block.ops:
            if op.name == "memref.store":
                stored.append(number(op.operands[0]))
            elif op.name == "arith.select":
                condition, yes, no = op.operands
                values[op.result] = number(yes if number(condition) else no)
        last = block.ops[-1]
        if last.name == "aie.end":
            return stored, True
        taken = 0
        if last.name == "cf.cond_br":
            taken = 0 if number(last.operands[0]) else 1
        elif last.name == "cf.switch":
            cases = [int(text) for text in last.attributes["case_values"].values]
            flag = number(last.operands[0])
            taken = 1 + cases.index(flag) if flag in cases else 0
        block, passed = last.successors[taken]
        values.update(zip(block.args, [number(v) for v in passed]))
    return stored, False


@st.composite
def regions(draw):
    count = draw(st.integers(2, 6))
    blocks = [Block()] + [
        Block([Value("i32") for _ in range(draw(st.integers(0, 2)))]) for _ in range(count - 1)
    ]
    region = Region(blocks)
    constants = [
        blocks[0].append(
            Operation("arith.constant", attributes={"value": IntegerAttr(n, "i32")}, result_types=("i32",))
        )
        for n in (0, 1, 1)
    ]
    flags = [
        blocks[0].append(Operation("arith.constant", attributes={"value": BoolAttr(b)}, result_types=("i1",)))
        for b in (False, True)
    ]
    for block in blocks:
        values = [c.result for c in constants] + block.args
        if draw(st.booleans()):
            block.append(Operation("memref.store", [draw(st.sampled_from(values))]))

        def target():
            chosen = blocks[draw(st.integers(1, count - 1))]
            return chosen, [draw(st.sampled_from(values)) for _ in chosen.args]  # noqa: B023

        kind = draw(st.sampled_from(["aie.end", "cf.br", "cf.br", "cf.cond_br", "cf.switch"]))
        if kind == "aie.end":
            block.append(Operation(kind))
        elif kind == "cf.br":
            block.append(Operation(kind, successors=[target()]))
        elif kind == "cf.cond_br":
            # A block argument as a condition: nothing is known of it. An i32 will do for the test.
            condition = draw(st.sampled_from(values + [f.result for f in flags]))
            block.append(Operation(kind, [condition], successors=[target(), target()]))
        else:
            cases = {"case_values": DenseElementsAttr(("0", "1"), "tensor<2xi32>", False)}
            block.append(
                Operation(
                    kind, [draw(st.sampled_from(values))], cases, successors=[target() for _ in range(3)]
                )
            )
    return region


@given(regions())
def test_same_effect(region):
    device, core = core_of(region)
    before, ended = trace(core, 40)
    simplify_branches(device)
    after, ended_after = trace(core, 40)
    if ended:
        assert (after, ended_after) == (before, True)
    else:
        # Simplified loops come further in as many blocks.
        assert not ended_after
        assert all(
            a == b
            for a, b in itertools.takewhile(lambda p: None not in p, itertools.zip_longest(before, after))
        )
    reached = [region.entry]
    for block in reached:
        reached += [t for op in block.ops for t, _ in op.successors if t not in reached]
    assert set(reached) == set(region.blocks)


def lines(body):
    text = f"""module {{ aie.device(npu1) {{
      %t = aie.tile(0, 2)
      %b = aie.buffer(%t) : memref<4xi32>
      %core = aie.core(%t) {{
        %c0 = arith.constant 0 : index
        %k = arith.constant 1 : i32
        %x = memref.load %b[%c0] : memref<4xi32>
        %p = arith.cmpi eq, %x, %k : i32
        {body}
      }} }} }}"""
    module = parse_module(text, "d.mlir")
    simplify_branches(module.body.ops[0])
    printed = print_module(module).split("\n")
    start = next(i for i, line in enumerate(printed) if "cmpi" in line)
    return [line.split("//")[0].strip() for line in printed[start + 1 :] if line.strip() not in ("", "}")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("cf.br ^a\n^a:\n cf.br ^b\n^b:\n aie.end", ["aie.end"]),
        (
            "cf.cond_br %p, ^a, ^b\n^a:\n cf.br ^c(%x : i32)\n^b:\n cf.br ^c(%k : i32)\n"
            "^c(%v: i32):\n memref.store %v, %b[%c0] : memref<4xi32>\n aie.end",
            ["%0 = arith.select %p, %x, %k : i32", "memref.store %0, %b[%c0] : memref<4xi32>", "aie.end"],
        ),
        (
            "cf.switch %x : i32, [default: ^a, 0: ^b, 1: ^c]\n"
            "^a:\n"
            " cf.br ^d(%x : i32)\n"
            "^b:\n"
            " cf.br ^d(%x : i32)\n"
            "^c:\n cf.br ^d(%k : i32)\n^d(%v: i32):\n memref.store %v, %b[%c0] : memref<4xi32>\n aie.end",
            [
                "cf.switch %x : i32, [", "default: ^bb1(%x : i32),", "1: ^bb1(%k : i32)", "]",
                "^bb1(%0: i32):", "memref.store %0, %b[%c0] : memref<4xi32>", "aie.end",
            ],
        ),
        ("cf.br ^a(%x : i32)\n^a(%v: i32):\n cf.cond_br %p, ^a(%k : i32), ^b\n^b:\n aie.end",
         ["cf.br ^bb1", "^bb1:", "cf.cond_br %p, ^bb1, ^bb2", "^bb2:", "aie.end"]),
    ],
    ids=["chain", "choice of values", "switch", "unused argument"],
)  # fmt: skip
def test_simplified(body, expected):
    found = lines(body)
    assert [line.replace("%v", "%0") for line in found] == expected


def test_long_chain():
    """Two thousand blocks: each jump looks at its own neighbours only."""
    ladder = "".join(
        f"^s{i}(%v{i}: i32):\n cf.br ^m{i}(%v{i} : i32)\n"
        f"^m{i}(%w{i}: i32):\n"
        f" memref.store %w{i}, %b[%c0] : memref<4xi32>\n"
        f" cf.cond_br %p, ^s{i + 1}(%w{i} : i32), ^x\n"
        for i in range(1000)
    )
    found = lines(f"cf.br ^s0(%x : i32)\n{ladder}^s1000(%v: i32):\n cf.br ^x\n^x:\n aie.end")
    assert sum(line.startswith("memref.store") for line in found) == 1000
    # What only jumps on is gone, and the last condition has nothing left to decide.
    assert [line.split(",")[0] for line in found if line.startswith("cf.")] == [
        *["cf.cond_br %p"] * 999,
        "cf.br ^bb1000",
    ]
    assert found[-1] == "aie.end"
