"""Modules made by hypothesis: both forms read back as what was printed, and what is printed is stable."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayAttr,
    BoolAttr,
    DenseArrayAttr,
    DenseElementsAttr,
    DictAttr,
    EnumAttr,
    FloatAttr,
    IntegerAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.enums import ENUMS
from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module

INTEGER_TYPES = ["i8", "i16", "i32", "i64", "index"]
symbols = st.from_regex(r"[A-Za-z_][A-Za-z0-9_$.]{0,5}", fullmatch=True) | st.text(
    'ab "\\é', min_size=1, max_size=4
)


def integers(type: str) -> st.SearchStrategy[IntegerAttr]:
    half = 1 << ((64 if type == "index" else int(type.lstrip("ui"))) - 1)
    low, high = (0, 2 * half - 1) if type[0] == "u" else (-half, half - 1)
    return st.builds(IntegerAttr, st.integers(low, high), st.just(type))


simple_attributes: st.SearchStrategy[Attribute] = st.one_of(
    st.sampled_from([*INTEGER_TYPES, "ui32"]).flatmap(integers),
    st.builds(BoolAttr, st.booleans()),
    st.builds(StringAttr, st.text(max_size=8).filter(lambda t: "\ud800" not in t and t.isprintable())),
    st.builds(FloatAttr, st.sampled_from(["1.5", "-2.500000e-01", "0x7FC00000"]), st.just("f32")),
    st.builds(SymbolRefAttr, st.lists(symbols, min_size=1, max_size=3).map(tuple)),
    st.builds(
        TypeAttr,
        st.sampled_from(["i32", "memref<4xi8>", "(i32, index) -> f32", "!aie.objectfifo<memref<2xbf16>>"]),
    ),
    st.builds(PacketInfoAttr, st.integers(0, 7), st.integers(0, 31)),
    st.builds(DenseArrayAttr, st.just("i64"), st.lists(st.integers(-9, 9), max_size=3).map(tuple)),
    st.just(DenseElementsAttr(("1", "2", "3", "4"), "tensor<2x2xi8>", False)),
    st.just(DenseElementsAttr(("-7",), "vector<16xi32>", True)),
    st.builds(
        BDDimLayoutArrayAttr,
        st.lists(st.builds(BDDimLayout, st.integers(1, 9), st.integers(0, 9)), max_size=3).map(tuple),
    ),
    st.just(UnitAttr()),
)
attributes: st.SearchStrategy[Attribute] = st.recursive(
    simple_attributes,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(
            lambda items: ArrayAttr(tuple(i for i in items if not isinstance(i, UnitAttr)))
        ),
        st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), inner, max_size=3).map(
            lambda d: DictAttr(tuple(sorted(d.items())))
        ),
    ),
    max_leaves=4,
)


@given(
    st.dictionaries(st.from_regex(r"x_[a-z]{1,4}", fullmatch=True) | st.just("a b.c"), attributes, max_size=4)
)
def test_any_attribute_reads_back(found: dict[str, Attribute]) -> None:
    module = Operation("builtin.module", attributes=found, regions=[Region([Block()])])
    for generic in (False, True):
        assert difference(module, parse_module(print_module(module, generic), "again.mlir")) is None


class Program:
    """Draws operations one after the other; knows the values that may be used at each place."""

    def __init__(self, draw: st.DrawFn, clashes: bool) -> None:
        self.draw = draw
        self.clashes = clashes
        self.count = 0

    def name(self) -> str:
        if self.clashes:
            return self.draw(st.sampled_from(["", "a", "b", "c0", "tile_0_2", "arg0", "a_0"]))
        self.count += 1
        return self.draw(st.sampled_from(["", f"v{self.count}"]))

    def operation(
        self, block: Block, visible: dict[str, list[Value]], name: str, **fields: object
    ) -> Operation:
        types = fields.pop("result_types", ())
        op = Operation(name, result_types=types, result_names=tuple(self.name() for _ in types), **fields)  # type: ignore
        block.append(op)
        for result in op.results:
            visible.setdefault(result.type, []).append(result)
        return op

    def straight(self, block: Block, visible: dict[str, list[Value]]) -> None:
        """Some operations without branches."""
        for _ in range(self.draw(st.integers(0, 4))):
            self.statement(block, visible, 2)

    def statement(self, block: Block, visible: dict[str, list[Value]], depth: int) -> None:
        kind = self.draw(st.sampled_from(["constant", "add", "compare", "load", "loop", "if", "lock"]))
        type = self.draw(st.sampled_from(INTEGER_TYPES))
        known = visible.get(type, [])
        if kind == "add" and known:
            operands = [self.draw(st.sampled_from(known)) for _ in range(2)]
            self.operation(block, visible, "arith.addi", operands=operands, result_types=(type,))
        elif kind == "compare" and known:
            predicate = EnumAttr("CmpIPredicate", self.draw(st.sampled_from(sorted(ENUMS["CmpIPredicate"]))))
            operands = [self.draw(st.sampled_from(known)) for _ in range(2)]
            given = {"predicate": predicate}
            self.operation(
                block, visible, "arith.cmpi", operands=operands, attributes=given, result_types=("i1",)
            )
        elif kind == "load" and visible.get("index") and visible.get("memref<4x8xi32>"):
            indices = [self.draw(st.sampled_from(visible["index"])) for _ in range(2)]
            operands = [visible["memref<4x8xi32>"][0], *indices]
            self.operation(block, visible, "memref.load", operands=operands, result_types=("i32",))
        elif kind == "loop" and depth and known:
            self.loop(block, visible, depth, type)
        elif kind == "if" and depth and visible.get("i1"):
            regions = [self.region(visible, depth) for _ in range(self.draw(st.integers(1, 2)))]
            regions = [r for i, r in enumerate(regions) if i == 0 or r.entry.ops]
            condition = [self.draw(st.sampled_from(visible["i1"]))]
            self.operation(block, visible, "scf.if", operands=condition, regions=regions)
        elif kind == "lock":
            action = EnumAttr("LockAction", self.draw(st.sampled_from(sorted(ENUMS["LockAction"]))))
            self.operation(
                block,
                visible,
                "aie.use_lock",
                operands=[visible["lock"][0]],
                attributes={"action": action, "value": IntegerAttr(1, "i32")},
            )
        else:
            value = self.draw(integers(type))
            self.operation(
                block, visible, "arith.constant", attributes={"value": value}, result_types=(type,)
            )

    def region(
        self, visible: dict[str, list[Value]], depth: int, arguments: list[Value] | None = None
    ) -> Region:
        block = Block(arguments)
        inner = {type: list(values) for type, values in visible.items()}
        for argument in block.args:
            inner.setdefault(argument.type, []).append(argument)
        for _ in range(self.draw(st.integers(0, 3))):
            self.statement(block, inner, depth - 1)
        return Region([block])

    def loop(self, block: Block, visible: dict[str, list[Value]], depth: int, type: str) -> None:
        bounds = [self.draw(st.sampled_from(visible[type])) for _ in range(3)]
        carried = [self.draw(st.sampled_from(visible[type])) for _ in range(self.draw(st.integers(0, 2)))]
        arguments = [Value(type, self.name()) for _ in range(len(carried) + 1)]
        region = self.region(visible, depth, arguments)
        if carried:
            region.entry.append(Operation("scf.yield", operands=arguments[1:]))
        types = (type,) * len(carried)
        self.operation(
            block,
            visible,
            "scf.for",
            operands=bounds + carried,
            regions=[region],
            segments=(1, 1, 1, len(carried)),
            result_types=types,
        )


@st.composite
def modules(draw: st.DrawFn, clashes: bool) -> Operation:
    program = Program(draw, clashes)
    device = Block()
    visible: dict[str, list[Value]] = {}
    place = {"col": IntegerAttr(0, "i32"), "row": IntegerAttr(2, "i32")}
    tile = program.operation(device, {}, "aie.tile", attributes=place, result_types=("index",)).result
    lock = program.operation(device, {}, "aie.lock", operands=[tile], result_types=("index",)).result
    buffer = {"sym_name": StringAttr(draw(symbols))}
    memory = ("memref<4x8xi32>",)
    program.operation(device, visible, "aie.buffer", operands=[tile], attributes=buffer, result_types=memory)
    visible["lock"] = [lock]
    entry = Block()
    program.straight(entry, visible)
    blocks = [entry]
    if draw(st.booleans()):
        inner = {type: list(values) for type, values in visible.items()}
        head = Block([Value("i32", program.name())])
        tail = Block()
        zero = program.operation(
            entry, inner, "arith.constant", attributes={"value": IntegerAttr(0, "i32")}, result_types=("i32",)
        )
        entry.append(Operation("cf.br", successors=[(head, [zero.result])]))
        condition = program.operation(
            head,
            inner,
            "arith.constant",
            attributes={"value": BoolAttr(draw(st.booleans()))},
            result_types=("i1",),
        )
        targets = [(head, [head.args[0]]), (tail, [])]
        head.append(Operation("cf.cond_br", operands=[condition.result], successors=targets))
        program.straight(tail, inner)
        blocks += [head, tail]
    blocks[-1].append(Operation("aie.end"))
    program.operation(
        device, {}, "aie.core", operands=[tile], regions=[Region(blocks)], result_types=("index",)
    )
    root = Block()
    root.append(
        Operation(
            "aie.device", attributes={"device": EnumAttr("AIEDevice", "npu1")}, regions=[Region([device])]
        )
    )
    return Operation("builtin.module", regions=[Region([root])])


@settings(max_examples=60)
@given(modules(clashes=False))
def test_generated_modules_read_back_with_their_names(module: Operation) -> None:
    text = print_module(module)
    for generic in (False, True):
        again = parse_module(print_module(module, generic), "again.mlir")
        assert difference(module, again) is None
        assert print_module(again) == text


@settings(max_examples=60)
@given(modules(clashes=True))
def test_names_that_clash_never_change_the_meaning(module: Operation) -> None:
    text = print_module(module)
    again = parse_module(text, "again.mlir")
    assert difference(module, again, names=False) is None
    assert print_module(again) == text


def test_differences_are_seen() -> None:
    left = "aie.device(npu1) {\n  %a = aie.tile(0, 2)\n  %l = aie.lock(%a, 1)\n}\n"
    for right in (
        left.replace("(0, 2)", "(0, 3)"),
        left.replace("npu1", "npu2"),
        left.replace("%l =", "%m ="),
        left.replace(", 1)", ")"),
        left.replace("  %l", "  %b = aie.tile(0, 3)\n  %l"),
        left.replace("lock(%a, 1)", "buffer(%a) : memref<4xi32>"),
    ):
        assert difference(parse_module(left, "left.mlir"), parse_module(right, "right.mlir")) is not None
