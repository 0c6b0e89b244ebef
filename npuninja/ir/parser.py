"""Reads MLIR text of the AIE dialects, in custom and generic form, into `npuninja.ir.core` operations.

Terminators that MLIR leaves out of the custom form (`aie.end` of a device or switchbox, `scf.yield` without
values) are not kept in memory either, also when the text has them. Attributes equal to their default are left
out. Values written as numbers (`%0`) get no name: the printer numbers them again.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.assembly import OpDefinition, result_types
from npuninja.ir.attributes import Attribute, DenseArrayAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.custom import CUSTOM, CustomForm
from npuninja.ir.custom_affine import CUSTOM_AFFINE
from npuninja.ir.custom_numbers import CUSTOM_NUMBERS
from npuninja.ir.custom_scf import CUSTOM_SCF
from npuninja.ir.custom_standard import CUSTOM_STANDARD
from npuninja.ir.custom_trace import CUSTOM_TRACE
from npuninja.ir.declared_parser import DeclaredParser
from npuninja.ir.op_state import OpState
from npuninja.ir.refused import why_unknown
from npuninja.ir.syntax import ISOLATED, SHORT_NAMES, definition, operation_names

if TYPE_CHECKING:
    from typing import NoReturn

#: Passes call themselves for each region, so there is a limit; designs have a dozen.
MAX_REGION_DEPTH = 64


def parse_module(text: str, file: str) -> Operation:
    """The `builtin.module` in `text`; one is put around the operations when the text has none.

    Raises UserError with file, line, column, the source line and a caret.
    """
    parser = Parser(text, file)
    try:
        return parser.parse_top_level()
    except RecursionError:
        parser.error("attributes are nested too deeply")


class Parser(DeclaredParser):
    """The parser of one text."""

    custom: dict[str, CustomForm] = {
        **CUSTOM,
        **CUSTOM_NUMBERS,
        **CUSTOM_TRACE,
        **CUSTOM_STANDARD,
        **CUSTOM_SCF,
        **CUSTOM_AFFINE,
    }

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text, file)
        self._region_depth = 0

    # Top level

    def parse_top_level(self) -> Operation:
        """Reads the whole text."""
        block = Block()
        while self.tokens[self.i]:
            first = self.tokens[self.i][0]
            if first in "#!" and self.tokens[self.i + 1] == "=":
                self._alias(first)
            elif self.tokens[self.i] == "{" and self.tokens[self.i + 1] == "-":
                self.error("resource sections '{-# … #-}' are not supported")
            else:
                block.append(self.operation())
        self.require_no_undefined_values()
        if len(block.ops) == 1 and block.ops[0].name == "builtin.module":
            module = block.ops[0]
            module.parent = None
            return module
        return Operation("builtin.module", regions=[Region([block])])

    def _alias(self, first: str) -> None:
        name = self.tokens[self.i]
        self.i += 2
        if first == "!":
            self.keep_type_alias(name)
        elif self.accept("loc"):
            self.skip_balanced("(", ")")
        else:
            self.keep_attribute_alias(name, self.i, self.expanded_tokens)

    # Operations

    def operation(self) -> Operation:
        """Reads one operation."""
        tokens = self.tokens
        token = tokens[self.i]
        names: list[tuple[str, int]] = []
        if token[:1] == "%":
            names = self._result_names()
            token = tokens[self.i]
        place = self.i
        if token[:1] == '"':
            op = self._generic(names)
        else:
            found = definition(token) or definition(SHORT_NAMES.get(token, ""))
            if found is None:
                self._unknown_operation(token)
            self.i = place + 1
            s = OpState(found, len(names))
            outer = None
            if found.name in ISOLATED:
                outer = self.enter_isolated()
            for directive in found.directives:
                directive.parse(self, s)
            if outer is not None:
                self.leave_isolated(outer)
            op = self._build(s)
        op.loc = self.location(place)
        if names or op.results:
            self.define_results(op, names)
        if tokens[self.i] == "loc":
            self.i += 1
            self.skip_balanced("(", ")")
        return op

    def _result_names(self) -> list[tuple[str, int]]:
        """Reads `%a, %b:2 =`; the names with the token each is at, `%b:2` as b and an empty name."""
        names: list[tuple[str, int]] = []
        while True:
            token = self.tokens[self.i]
            if token[:1] != "%" or "#" in token:
                self.expected("a value name such as '%x'")
            names.append((token[1:], self.i))
            self.i += 1
            if self.accept(":"):
                count = self.integer()
                if count < 1:
                    self.error("a group of results has at least one", self.i - 1)
                names += [("", self.i)] * (count - 1)
            if self.accept("="):
                return names
            if not self.accept(","):
                self.expected("'='")

    def _unknown_operation(self, token: str) -> NoReturn:
        if not token[:1].isalpha():
            self.expected("an operation")
        message, hint = why_unknown(token, list(operation_names()))
        self.error(message, hint=hint)

    def _build(self, s: OpState) -> Operation:
        """The operation from what its directives read."""
        found = s.definition
        operands: list[Value] = []
        segments: tuple[int, ...] | None = None
        groups = found.groups
        if len(groups) == 1:
            operands = s.operands.get(groups[0].name, operands)
        elif groups:
            sizes = []
            for group in groups:
                values = s.operands.get(group.name, ())
                sizes.append(len(values))
                operands += values
            if found.variadic:
                segments = tuple(sizes)
        types = result_types(found, s) if found.results else ()
        attributes = s.attributes
        self._settle_defaults(found, attributes, not segments or sum(segments[1:]) == 0)
        return Operation(found.name, operands, attributes, types, s.regions, s.successors, segments)

    @staticmethod
    def _settle_defaults(found: OpDefinition, attributes: dict[str, Attribute], literals: bool) -> None:
        """Leaves out what equals its default, or puts it in where the table wants it always there.

        `literals`: all operands but the first group are absent, so numbers are attributes.
        """
        for name, default in found.defaults.items():
            if attributes.get(name) == default:
                del attributes[name]
        if found.assumed and literals and not any(name.startswith("static_") for name in attributes):
            for name, value in found.assumed.items():
                attributes.setdefault(name, value)

    # Generic form

    def _generic(self, names: list[tuple[str, int]]) -> Operation:
        place = self.i
        name = self.string()
        found = definition(name)
        if found is None:
            self.i = place
            self._unknown_operation(name)
        s = OpState(found, len(names))
        operands, positions = self._operand_list()
        blocks: list[Block] = []
        if self.accept("["):
            blocks = [b for b, _ in self.comma_separated(lambda: self.successor(False), "]")]
        start = self.i
        if self.accept("<"):
            self.attributes_of(s)
            self.expect(">")
        if self.tokens[self.i] == "(" and self.tokens[self.i + 1] in ("{", ")"):
            s.regions = self._generic_regions(found)
        if self.tokens[self.i] == "{":
            self.attributes_of(s)
        self.expect(":")
        arguments = self.type_list()
        self.expect("->")
        results = self.result_types()
        if len(arguments) != len(operands):
            self.error(f"'{name}' has {len(operands)} operands but {len(arguments)} operand types", place)
        for value, type, at in zip(operands, arguments, positions):
            self.require_type(value, type, at)
        # Only the later spelling of an operation without operands of a group says so.
        literals = "operandSegmentSizes" not in s.attributes
        segments, passed = self._generic_segments(found, s.attributes, operands, len(blocks), start)
        count = len(operands) - sum(map(len, passed))
        self._settle_defaults(found, s.attributes, literals)
        op = Operation(
            name, operands[:count], s.attributes, results, s.regions, list(zip(blocks, passed)), segments
        )
        try:
            sizes = found.group_sizes(op)
        except ValueError as problem:
            self.error(str(problem), place)
        if len(found.groups) > 1 and found.variadic:
            op.segments = sizes
        return op

    def _operand_list(self) -> tuple[list[Value], list[int]]:
        """Reads `(%a, %b)`: the values, and the token that each is at."""
        positions: list[int] = []

        def use() -> Value:
            positions.append(self.i)
            return self.use("")

        self.expect("(")
        return self.comma_separated(use, ")"), positions

    def _generic_regions(self, found: OpDefinition) -> list[Region]:
        self.expect("(")
        outer = self.enter_isolated() if found.name in ISOLATED else None
        regions: list[Region] = self.comma_separated(lambda: self._generic_region(found), ")")
        if found.name in _OPTIONAL_ELSE and len(regions) == 2 and not regions[1].entry.ops:
            regions.pop()
        if outer is not None:
            self.leave_isolated(outer)
        return regions

    def _generic_region(self, found: OpDefinition) -> Region:
        if found.name == "func.func" and self.tokens[self.i : self.i + 2] == ["{", "}"]:
            self.i += 2  # a declaration
            return Region()
        return self.region(found.terminator)

    def _generic_segments(
        self,
        found: OpDefinition,
        attributes: dict[str, Attribute],
        operands: list[Value],
        block_count: int,
        start: int,
    ) -> tuple[tuple[int, ...] | None, list[list[Value]]]:
        """The sizes of the operand groups, and the values that each successor is passed."""
        passed: list[list[Value]] = [[] for _ in range(block_count)]
        written = attributes.pop("operandSegmentSizes", None)
        sizes = written.values if isinstance(written, DenseArrayAttr) else None
        if not found.name.startswith("cf.") or not block_count:
            return sizes, passed
        # The branches of `cf` pass operands on: after those of the operation itself, block after block.
        own = len(found.groups)
        if sizes is None:
            sizes = (*(1,) * own, len(operands) - own)
        counts = list(sizes[own:])
        cases = attributes.pop("case_operand_segments", None)
        if isinstance(cases, DenseArrayAttr):
            counts = [counts[0], *cases.values]
        if len(counts) != block_count or own + sum(counts) != len(operands):
            self.error(
                f"the operand segments of '{found.name}' do not fit its operands and successors", start
            )
        rest = operands[own:]
        for values, count in zip(passed, counts):
            values += rest[:count]
            rest = rest[count:]
        return None, passed

    # Regions

    def region(
        self,
        terminator: str | None = None,
        arguments: list[Value] | None = None,
        positions: list[int] | None = None,
    ) -> Region:
        """Reads `{ … }`. `arguments` are those of the entry block when the text names them before the brace.

        A final operation called `terminator` without operands is left out.
        """
        self.expect("{")
        self._region_depth += 1
        if self._region_depth > MAX_REGION_DEPTH:
            self.error(f"regions are nested deeper than {MAX_REGION_DEPTH}", self.i - 1)
        region = Region()
        self.enter_region()
        block = Block(arguments)
        if arguments:
            self.define_arguments(block, positions or [])
        elif self.tokens[self.i][:1] == "^":
            block = self.block_header()
        region.append(block)
        tokens = self.tokens
        while True:
            token = tokens[self.i]
            if token == "}":
                break
            if token[:1] == "^":
                block = region.append(self.block_header())
            elif token == "":
                self.expected("'}'")
            else:
                block.append(self.operation())
        self.i += 1
        self._region_depth -= 1
        self.leave_region()
        if terminator is not None and block.ops:
            last = block.ops[-1]
            if last.name == terminator and not last.operands and not last.attributes:
                block.ops.pop()
        return region


_OPTIONAL_ELSE = ("scf.if", "affine.if")
