"""Every row of the table of operations: text made from it reads, prints as itself, and reads again."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

import pytest

from npuninja.errors import InternalError
from npuninja.ir.assembly import OpDefinition
from npuninja.ir.attribute_directives import INTEGER_KIND, AttributeDictionary, AttributeField
from npuninja.ir.attributes import Attribute, BoolAttr, IntegerAttr
from npuninja.ir.directives import (
    Custom,
    Directive,
    FunctionType,
    Literal,
    MixedList,
    OperandDirective,
    Operands,
    Optional,
    RegionField,
    Spacing,
    Successor,
    TypeOf,
    TypesOf,
)
from npuninja.ir.enums import ENUMS
from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.syntax import definition, operation_names

# How often a text is made of a row; in the first without what is optional, in the second with all of it.
DRAWS = 8

# What the text of an operation may use: type -> values.
VALUES = {
    "index": ("%x0", "%x1", "%x2"),
    "i32": ("%i0", "%i1", "%i2"),
    "i64": ("%l0", "%l1"),
    "i1": ("%c0", "%c1"),
    "f32": ("%f0", "%f1"),
    "vector<4xi32>": ("%v0", "%v1"),
    "memref<4x8xi32>": ("%m0", "%m1"),
    "memref<16xi32>": ("%n0", "%n1"),
}
SHAPED = ("memref<4x8xi32>", "vector<4xi32>")
MODULE = (
    "module {\n  func.func @f("
    + ", ".join(f"{value}: {type}" for type, values in VALUES.items() for value in values)
    + ") {\n    OPERATION\n    func.return\n  ^bb1:\n    func.return\n  ^bb2:\n    func.return\n  }\n}\n"
)

# One text for each row with a part that the language of rows cannot say, so that none can be made from it.
EXAMPLES = {
    "aie.logical_tile": "%r0 = aie.logical_tile<MemTile>(0, ?)",
    "aie.dma": "%r0 = aie.dma(S2MM, 0) {repeat_count = 2 : i32} [{\n    }, {\n    }]",
    "aie.dma_bd": "aie.dma_bd(%n0 : memref<16xi32>, 4, 8, [<size = 2, stride = 4>]) {bd_id = 1 : i32}",
    "aie.bd_chain": "aie.bd_chain @chain(%a: memref<8xi16>) {\n      aie.end\n    }",
    "aie.use_lock": "aie.use_lock(%x0, AcquireGreaterEqual, 2)",
    "aie.buffer": '%r0 = aie.buffer(%x0) {sym_name = "b"} : memref<2xi32> = dense<[1, 2]>',
    "aie.shim_dma_allocation": "aie.shim_dma_allocation @channel(%x0, MM2S, 1)",
    "aie.objectfifo": "aie.objectfifo @fifo(%x0 dimensionsToStream [<size = 4, stride = 2>], {%x1, %x2}, [2, 3, 4])"
    " : !aie.objectfifo<memref<8xi32>>",
    "aie.trace.start": "aie.trace.start broadcast = 15",
    "aie.trace.stop": 'aie.trace.stop event = <"USER_EVENT_2">',
    "aie.trace.edge_event": 'aie.trace.edge_event<1> event = <"LOCK_STALL"> trigger = RISING',
    "aie.trace.host_config": "aie.trace.host_config buffer_size = 8192 arg_idx = 3",
    "aie.trace.reg": 'aie.trace.reg register = "Trace_Control0" field = "Mode" value = 2 mask = 3',
    "aie.runtime_sequence": "aie.runtime_sequence @run(%a: memref<8xi16>) {\n    }",
    "aiex.runtime_sequence": "aiex.runtime_sequence @run(%a: memref<8xi16>) {\n    }",
    "aiex.npu.dma_memcpy_nd": "aiex.npu.dma_memcpy_nd(%n0[0, 0, 0, %l0][1, 1, 1, 16][0, 0, 0, 1], packet ="
    " <pkt_type = 1, pkt_id = 2>) {id = 1 : i64, metadata = @fifo} : memref<16xi32>",
    "aiex.npu.sync": "aiex.npu.sync {channel = 0 : i32, column = 1 : i32, column_num = 1 : i32,"
    " direction = 0 : i32, row = 0 : i32, row_num = 1 : i32}",
    "aiex.npu.write32": "aiex.npu.write32 {address = 5 : ui32, column = 0 : i32, row = 2 : i32, value = 7 : ui32}",
    "aiex.npu.maskwrite32": "aiex.npu.maskwrite32 {address = 5 : ui32, mask = 3 : ui32, value = 7 : ui32}",
    "aiex.npu.address_patch": "aiex.npu.address_patch {addr = 5 : ui32, arg_idx = 1 : i32, arg_plus = 4 : i32}",
    "aiex.npu.push_queue": "aiex.npu.push_queue(0, 1, MM2S : 2) {bd_id = 3 : i32, issue_token = true,"
    " repeat_count = 4 : i32}",
    "aiex.npu.rtp_write": "aiex.npu.rtp_write(@b, 1, 7)",
    "func.func": "func.func private @g(i32, memref<4xi32>) -> i32",
    "func.call_indirect": "%g = func.constant @g : (i32) -> i32\n    %r0 = func.call_indirect %g(%i1) : (i32) -> i32",
    "cf.switch": "cf.switch %i0 : i32, [\n      default: ^bb1,\n      42: ^bb2\n    ]",
    "scf.for": "%r0 = scf.for %a = %x0 to %x1 step %x2 iter_args(%b = %i0) -> (i32) {\n      scf.yield %b : i32\n    }",
    "scf.if": "%r0 = scf.if %c0 -> (i32) {\n      scf.yield %i0 : i32\n    } else {\n      scf.yield %i1 : i32\n    }",
    "scf.while": "%r0 = scf.while (%a = %i0) : (i32) -> i32 {\n      scf.condition(%c0) %a : i32\n    } do {\n"
    "    ^bb0(%b: i32):\n      scf.yield %b : i32\n    }",
    "scf.index_switch": "%r0 = scf.index_switch %x0 -> i32\n    case 2 {\n      scf.yield %i0 : i32\n    }\n"
    "    default {\n      scf.yield %i1 : i32\n    }",
    "scf.execute_region": "%r0 = scf.execute_region -> (i32) {\n      scf.yield %i0 : i32\n    }",
    "affine.for": "%r0 = affine.for %a = 0 to %x0 step 2 iter_args(%b = %i0) -> (i32) {\n"
    "      affine.yield %b : i32\n    }",
    "affine.if": "affine.if affine_set<(d0) : (d0 - 4 >= 0)>(%x0) {\n    }",
    "affine.load": "%r0 = affine.load %m0[%x0 + 1, %x1 * 2 - 3] : memref<4x8xi32>",
    "affine.store": "affine.store %i0, %m0[%x0, symbol(%x1) floordiv 4] : memref<4x8xi32>",
    "affine.apply": "%r0 = affine.apply affine_map<(d0)[s0] -> (d0 mod 4 + s0)>(%x0)[%x1]",
    "affine.min": "%r0 = affine.min affine_map<(d0) -> (d0, 16)>(%x0)",
    "affine.max": "%r0 = affine.max affine_map<(d0) -> (d0, 16)>(%x0)",
    "memref.alloc": "%r0 = memref.alloc(%x0) {alignment = 64 : i64} : memref<?xf32>",
    "memref.alloca": "%r0 = memref.alloca(%x0) : memref<?xf32>",
    "memref.store": "memref.store %i0, %m0[%x0, %x1] : memref<4x8xi32>",
    "memref.global": 'memref.global "private" constant @table : memref<2xi32> = dense<[1, 2]> {alignment = 64 : i64}',
    "vector.transfer_read": "%r0 = vector.transfer_read %n0[%x0], %i0 : memref<16xi32>, vector<4xi32>",
    "vector.splat": "%r0 = vector.splat %i0 : vector<4xi32>",
    "arith.constant": "%r0 = arith.constant dense<[1, 2]> : vector<2xi32>",
    "arith.select": "%r0 = arith.select %c0, %i0, %i1 : i32",
}


def leaves(directives: list[Directive]) -> Iterator[Directive]:
    """The elements of a row, those of optional groups too."""
    for directive in directives:
        yield from leaves(directive.elements) if isinstance(directive, Optional) else (directive,)


def made_of(found: OpDefinition) -> bool:
    """Whether text can be made from a row."""
    return not any(isinstance(directive, Custom) for directive in leaves(found.directives))


class Maker:
    """Makes one text from a row."""

    def __init__(self, found: OpDefinition, draw: int) -> None:
        self.found = found
        self.draw = draw
        self.random = random.Random(f"{found.name} {draw}")
        self.numbers = itertools.count(1)
        self.operands: dict[str, list[str]] = {}
        self.types = self._types()
        self.shown: set[str] = set()
        """The attributes that the text has."""

    def _types(self) -> dict[str, list[str]]:
        """The types of every operand and named result."""
        shaped = {
            rule.partition("(")[2][:-1]
            for rule in self.found.results
            if rule.startswith(("element(", "named("))
        }
        types = {
            group.name: [group.type or "i32"] * (self.random.randint(1, 2) if group.variadic else 1)
            for group in self.found.groups
        }
        for directive in leaves(self.found.directives):
            if isinstance(directive, TypeOf):
                names = directive.names
                type = self.random.choice(SHAPED if shaped & set(names) else tuple(VALUES))
                types.update({name: [type] for name in names})
            elif isinstance(directive, TypesOf):
                types[directive.name] = self.random.choices(tuple(VALUES), k=self.random.randint(1, 2))
            elif isinstance(directive, FunctionType):
                types[directive.operands] = self.random.choices(tuple(VALUES), k=self.random.randint(0, 2))
                types[directive.results] = self.random.choices(tuple(VALUES), k=self.random.randint(0, 2))
        return types

    def text(self) -> str:
        """The whole operation."""
        form = self.elements(self.found.directives)
        count = sum(
            len(self.types.get(rule[:-1], ())) if rule[-1] == "*" else 1
            for rule in self.found.results
            if rule[:6] != "named("
        )
        results = ", ".join(f"%r{number}" for number in range(count))
        return f"{results} = {self.found.name} {form}" if count else f"{self.found.name} {form}"

    def elements(self, directives: list[Directive]) -> str:
        return " ".join(filter(None, map(self.element, directives)))

    def element(self, directive: Directive) -> str:
        if isinstance(directive, Literal):
            return directive.text
        if isinstance(directive, Spacing):
            return ""
        if isinstance(directive, OperandDirective):
            return self.values(directive.name, isinstance(directive, Operands))
        if isinstance(directive, AttributeField):
            self.shown.add(directive.name)
            return self.attribute(directive.name, directive.kind)
        if isinstance(directive, AttributeDictionary):
            return self.dictionary(directive.keyword)
        if isinstance(directive, TypeOf):
            return self.types[directive.names[0]][0]
        if isinstance(directive, TypesOf):
            return ", ".join(self.types[directive.name])
        if isinstance(directive, FunctionType):
            operands, results = self.types[directive.operands], self.types[directive.results]
            shown = results[0] if len(results) == 1 else f"({', '.join(results)})"
            return f"({', '.join(operands)}) -> {shown}"
        if isinstance(directive, Successor):
            return f"^bb{1 + directive.position % 2}"
        if isinstance(directive, RegionField):
            return "{}" if directive.terminator else "{ aie.end }"
        if isinstance(directive, MixedList):
            numbers = [self.random.choice((str(next(self.numbers)), self.random.choice(VALUES[directive.type])))
                       for _ in range(self.random.randint(1, 3))]  # fmt: skip
            return f"[{', '.join(numbers)}]"
        assert isinstance(directive, Optional), directive
        return self.elements(directive.elements) if self.takes_optional() else ""

    def takes_optional(self) -> bool:
        return self.draw == 1 or (self.draw > 1 and self.random.random() < 0.5)

    def values(self, name: str, variadic: bool) -> str:
        types = self.types[name] if variadic else self.types[name][:1]
        return ", ".join(self.random.choice(VALUES[type]) for type in types)

    def dictionary(self, keyword: str) -> str:
        kinds = {name: kind for name, kind in self.found.kinds.items() if name not in self.found.in_format}
        wanted = {
            name: kind for name, kind in kinds.items() if name in self.found.required or self.takes_optional()
        }
        written = ", ".join(sorted(self.entry(name, kind) for name, kind in wanted.items()))
        self.shown |= set(wanted)
        return f"{keyword} {{{written}}}" if written else ""

    def entry(self, name: str, kind: str) -> str:
        """An attribute in a dictionary, where its type is written."""
        if kind == "unit":
            return name
        text = self.attribute(name, kind)
        if kind in ENUMS:
            text = f"{ENUMS[kind][text]} : i32"
        elif INTEGER_KIND.fullmatch(kind):
            text = f"{text} : {kind}"
        elif kind == "packet":
            text = f"#aie.packet_info{text}"
        return f"{name} = {text}"

    def attribute(self, name: str, kind: str) -> str:
        """An attribute where its kind is known; never its default, which is not stored."""
        default = self.found.defaults.get(name)
        if kind in ENUMS:
            return self.random.choice([case for case in ENUMS[kind] if case.isidentifier()])
        if INTEGER_KIND.fullmatch(kind):
            number = next(self.numbers)
            return str(number + 1 if default == IntegerAttr(number, kind) else number)
        if kind == "bool":
            return "false" if default == BoolAttr(True) else "true"
        number = next(self.numbers)
        return {
            "sym": f"@s{number}",
            "symname": f"@s{number}",
            "str": f'"s{number}"',
            "packet": f"<pkt_type = {number % 8}, pkt_id = {number}>",
            "trace_event": f'<"EVENT_{number}">',
            "fastmath": "nnan,contract",
            "overflow": "nsw,nuw",
            "combining": "add",
            "float": f"{number}.500000e+00 : f32",
            "array": f"[{number} : i32]",
            "integers": f"array<i64: {number}, 9>",
            "any": f"[@s{number}, @t]",
        }[kind]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def check(text: str, name: str) -> dict[str, Attribute]:
    """Reads and prints an operation in all ways; its attributes."""
    module = parse_module(MODULE.replace("OPERATION", text), "row.mlir")
    printed = print_module(module)
    shown = re.sub(r"^((?:%.* = )?)(?:builtin\.(?=module)|func\.(?=return|call ))", r"\1", text)
    assert squeezed(shown) in squeezed(printed)
    for generic in (False, True):
        again = parse_module(print_module(module, generic), "again.mlir")
        assert difference(module, again) is None
        assert print_module(again) == printed
    return next(op for op in list(module.walk())[2:] if op.name == name).attributes


def test_examples_are_for_rows_of_which_no_text_can_be_made() -> None:
    unmade = {name for name in operation_names() if not made_of(definition(name))}
    assert set(EXAMPLES) == unmade, "a row with custom(…) needs one example, and no other row"


@pytest.mark.parametrize(
    "row",
    [
        "( $tile:index , .amount:i32 , .amount:i32 ) {}",
        "( $tile:index , $tile:index ) {}",
        "$source mixed(sizes) mixed(sizes) {} : type(source)",
        "custom(numbers) operands(numbers*,numbers*) {}",
        "( .amount:i32 ) custom(trace_value) attributes(amount!) {}",
        "$source .static_sizes:integers mixed(sizes) {} : type(source)",
        "( .amount:i32 ) {} | flag=true flag:bool",
    ],
)
def test_a_row_has_a_name_once(row: str) -> None:
    with pytest.raises(InternalError, match=r"the row of 'aie.made_up' has '\w+' twice"):
        OpDefinition("aie.made_up", row)


@pytest.mark.parametrize("name", sorted(operation_names()))
def test_every_row_reads_and_prints_what_is_made_from_it(name: str) -> None:
    found = definition(name)
    assert found is not None
    if not made_of(found):
        check(EXAMPLES[name], name)
        return
    for draw in range(DRAWS):
        maker = Maker(found, draw)
        text = maker.text()
        assert set(check(text, name)) >= maker.shown, text
