"""Writes operations as MLIR text: custom form in aie-opt's layout, or generic form for every MLIR tool."""

from __future__ import annotations

from npuninja.errors import Location
from npuninja.ir.assembly import OpDefinition
from npuninja.ir.attribute_printer import attribute_text, dictionary_text, dimensions_text, symbol_text
from npuninja.ir.attributes import Attribute, BDDimLayout, DenseArrayAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.custom import CUSTOM, CustomForm
from npuninja.ir.custom_affine import CUSTOM_AFFINE
from npuninja.ir.custom_numbers import CUSTOM_NUMBERS
from npuninja.ir.custom_scf import CUSTOM_SCF
from npuninja.ir.custom_standard import CUSTOM_STANDARD
from npuninja.ir.custom_trace import CUSTOM_TRACE
from npuninja.ir.naming import result_groups, value_names
from npuninja.ir.numbers import entries
from npuninja.ir.syntax import definition
from npuninja.ir.types import function_text


def print_module(module: Operation, generic: bool = False) -> str:
    """The text of `module` (or of any operation), with a final newline.

    Raises ValueError for an operation that the table does not know or whose operands do not fit it; the
    parser makes none.
    """
    writer = OpWriter(module, generic)
    writer.operation(module)
    return "".join(writer.out) + "\n"


def print_with_places(module: Operation) -> tuple[str, list[tuple[int, Location]]]:
    """The text of `print_module`, with number (from 1) and place of each line that begins an operation.

    Operations of unknown place are left out.
    """
    writer = OpWriter(module, False)
    writer.starts = []
    writer.operation(module)
    places: list[tuple[int, Location]] = []
    line = piece = 0
    for start, place in writer.starts:
        line += sum(text.count("\n") for text in writer.out[piece:start])
        piece = start
        places.append((line + 1, place))
    return "".join(writer.out) + "\n", places


# Literals without a space before them: MLIR's rules for declarative formats (mlir-tblgen, OpFormatGen.cpp).
_NO_SPACE_AFTER_WORD = "<>(){}[],"
_NO_SPACE_AFTER_PUNCTUATION = ">)}],"
_OPENING = "<({["
# MLIR leaves out the dialect of these; of calls directly in a function only.
_SHORT_NAMES = {"builtin.module": "module", "func.return": "return"}


class OpWriter:
    """Collects text; keeps the state that decides about spaces.

    `literal` and `parameter` put a space where MLIR does; `glued` never does.
    """

    custom: dict[str, CustomForm] = {
        **CUSTOM,
        **CUSTOM_NUMBERS,
        **CUSTOM_TRACE,
        **CUSTOM_STANDARD,
        **CUSTOM_SCF,
        **CUSTOM_AFFINE,
    }

    def __init__(self, root: Operation, generic: bool) -> None:
        self.out: list[str] = []
        #: Where operations begin in `out`, and where they come from; None when that is not asked for.
        self.starts: list[tuple[int, Location]] | None = None
        self._generic = generic
        self._names = value_names(root)
        self._labels: dict[Block, str] = {}
        self._indent = ""
        self._spaced = True  # a space may come before the next element
        self._punctuation = False  # the last literal was punctuation
        self._definition: OpDefinition | None = None

    # Elements

    def literal(self, text: str) -> None:
        """Writes a keyword or punctuation."""
        first = text[0]
        if self._spaced:
            closes = _NO_SPACE_AFTER_PUNCTUATION if self._punctuation else _NO_SPACE_AFTER_WORD
            if len(text) != 1 or first not in closes:
                self.out.append(" ")
        self.out.append(text)
        self._spaced = len(text) != 1 or first not in _OPENING
        self._punctuation = first != "_" and not first.isalpha()

    def parameter(self, text: str) -> None:
        """Writes a value, attribute or type."""
        if self._spaced or not self._punctuation:
            self.out.append(" ")
        self.glued(text)

    def glued(self, text: str) -> None:
        """Writes `text` directly after what is there."""
        self.out.append(text)
        self._spaced = True
        self._punctuation = False

    def spacing(self, text: str) -> None:
        """Writes a space or nothing, and then what follows."""
        self.out.append(text)
        self._spaced = False
        self._punctuation = True

    def line_break(self) -> None:
        """Goes to a new line at the indentation of the operation."""
        self.out.append("\n" + self._indent)
        self._spaced = False
        self._punctuation = True

    def indented(self, lines: list[str]) -> None:
        """Writes `lines` with commas, each on a line of its own, and goes to a new line after them."""
        inner = ",".join(f"\n{self._indent}  {line}" for line in lines)
        self.glued(f"{inner}\n{self._indent}")

    # Text of parts

    def value(self, value: Value) -> str:
        """The printed name of a value."""
        name = self._names.get(value)
        if name is None:
            raise ValueError(f"{value} is used but not defined in what is printed")
        return name

    def group(self, op: Operation, name: str) -> list[Value]:
        """The operands of `op` in group `name`."""
        assert self._definition is not None
        return self._definition.group(op, name)

    def types(self, op: Operation, name: str) -> list[str]:
        """The types of the operands or results called `name`."""
        found = self._definition
        assert found is not None
        if any(g.name == name for g in found.groups):
            return [v.type for v in found.group(op, name)]
        if name + "*" in found.results:
            return [r.type for r in op.results]
        return [op.results[found.results.index(name)].type] if name in found.results else []

    def mixed_list(self, op: Operation, name: str) -> str:
        """The text of a list of numbers and values, `[0, %x, 4]`."""
        texts = (str(e) if isinstance(e, int) else self.value(e) for e in entries(op, name))
        return f"[{', '.join(texts)}]"

    def attribute(self, attribute: Attribute, typed: bool = True) -> str:
        """The text of an attribute."""
        return attribute_text(attribute, typed)

    def dimensions(self, dims: tuple[BDDimLayout, ...]) -> str:
        """The text of buffer descriptor dimensions."""
        return dimensions_text(dims)

    def symbol(self, name: str) -> str:
        """The text of a symbol, `@name`."""
        return symbol_text(name)

    def successor(self, successor: tuple[Block, list[Value]]) -> str:
        """The text of a successor, `^bb1(%x : type)`."""
        block, passed = successor
        label = self._labels.get(block)
        if label is None:
            raise ValueError("a successor is a block of another region")
        if not passed:
            return label
        return f"{label}({', '.join(map(self.value, passed))} : {', '.join(v.type for v in passed)})"

    def named_values(self, names: list[Value], values: list[Value]) -> str:
        """The text of values with names, `%a = %x, %b = %y`."""
        return ", ".join(f"{self.value(name)} = {self.value(value)}" for name, value in zip(names, values))

    def typed_names(self, values: list[Value]) -> str:
        """The text of names with types, `%a: type, %b: type`."""
        return ", ".join(f"{self.value(v)}: {v.type}" for v in values)

    def attribute_dictionary(self, op: Operation, keyword: str) -> None:
        """Writes the attributes that the rest of the form does not show, unless there are none."""
        found = self._definition
        assert found is not None
        rest = {
            name: value
            for name, value in op.attributes.items()
            if name not in found.in_format and found.defaults.get(name) != value
        }
        if op.name == "aie.dma_bd" and "len" in op.attributes and not _numbers_are_literals(op):
            # These releases know it by keyword only, and keep the attribute.
            rest["len"] = op.attributes["len"]
        if rest:
            self.glued(f" {keyword} {dictionary_text(rest)}" if keyword else f" {dictionary_text(rest)}")

    # Operations, regions, blocks

    def operation(self, op: Operation) -> None:
        """Writes one operation, from its first to its last character."""
        found = definition(op.name)
        if found is None:
            raise ValueError(f"the operation table has no '{op.name}'")
        if op.results:
            self.out.append(", ".join(map(self._result_group, result_groups(op))) + " = ")
        if self.starts is not None and op.loc is not None:
            self.starts.append((len(self.out), op.loc))
        outer = self._definition
        self._definition = found
        if self._generic:
            self._generic_operation(op, found)
        else:
            name = _SHORT_NAMES.get(op.name, op.name)
            if name == "func.call" and op.parent_op is not None and op.parent_op.name == "func.func":
                name = "call"
            self.out.append(name)
            self._spaced, self._punctuation = True, False
            for directive in found.directives:
                directive.print(self, op)
        self._definition = outer

    def _result_group(self, group: list[Value]) -> str:
        name = self.value(group[0])
        return name if len(group) == 1 else f"{name[:-2]}:{len(group)}"

    def region(self, region: Region, arguments_shown: bool = False) -> None:
        """Writes ` { … }`; the entry block's arguments are left out when they are elsewhere."""
        if self._spaced or not self._punctuation:
            self.out.append(" ")
        outer = self._definition
        self.out.append("{\n")
        self._blocks(region, arguments_shown)
        self.out.append(self._indent + "}")
        self._definition = outer
        self._spaced, self._punctuation = True, False

    def _blocks(self, region: Region, arguments_shown: bool, terminator: str | None = None) -> None:
        for i, block in enumerate(region.blocks):
            self._labels[block] = f"^bb{i}"
        predecessors: dict[Block, list[str]] = {}
        if len(region.blocks) > 1:
            for block in region.blocks:
                for op in block.ops:
                    for target, _ in op.successors:
                        predecessors.setdefault(target, []).append(self._labels[block])
        outer = self._indent
        inner = self._indent = outer + "  "
        for i, block in enumerate(region.blocks):
            if i or (block.args and not arguments_shown):
                self.out.append(outer + self._header(block, i == 0, predecessors.get(block, [])))
            for op in block.ops:
                self.out.append(inner)
                self.operation(op)
                self.out.append("\n")
        if terminator and region.blocks and not _ends_with(region.blocks[-1], terminator):
            self.out.append(f'{inner}"{terminator}"() : () -> ()\n')
        self._indent = outer

    def _header(self, block: Block, is_entry: bool, predecessors: list[str]) -> str:
        text = self._labels[block]
        if block.args:
            text += f"({self.typed_names(block.args)})"
        if len(predecessors) == 1:
            return f"{text}:  // pred: {predecessors[0]}\n"
        if predecessors:
            return f"{text}:  // {len(predecessors)} preds: {', '.join(predecessors)}\n"
        return f"{text}:\n" if is_entry else f"{text}:  // no predecessors\n"

    def _generic_operation(self, op: Operation, found: OpDefinition) -> None:
        passed = [v for _, values in op.successors for v in values]
        operands = op.operands + passed
        text = f'"{op.name}"({", ".join(map(self.value, operands))})'
        if op.successors:
            text += f"[{', '.join(self.successor((block, [])) for block, _ in op.successors)}]"
        properties = {n: v for n, v in op.attributes.items() if "." not in n and found.defaults.get(n) != v}
        properties.update(_segment_attributes(op, found))
        if properties:
            text += f" <{dictionary_text(properties)}>"
        self.out.append(text)
        if op.regions:
            self._generic_regions(op, found)
        discardable = {n: v for n, v in op.attributes.items() if "." in n}
        if discardable:
            self.out.append(" " + dictionary_text(discardable))
        types = tuple(v.type for v in operands), tuple(r.type for r in op.results)
        self.out.append(f" : {function_text(*types)}")

    def _generic_regions(self, op: Operation, found: OpDefinition) -> None:
        self.out.append(" (")
        for i, region in enumerate(op.regions):
            self.out.append(", {\n" if i else "{\n")
            self._blocks(region, False, found.terminator)
            self.out.append(self._indent + "}")
        if op.name in ("scf.if", "affine.if") and len(op.regions) == 1:
            # MLIR writes the branch that is not there.
            self.out.append(f", {{\n{self._indent}}}")
        self.out.append(")")


def _ends_with(block: Block, terminator: str) -> bool:
    return bool(block.ops) and block.ops[-1].name == terminator


def _numbers_are_literals(op: Operation) -> bool:
    """Whether the operation is spelled as before its numbers could be values (MLIR-AIE 2026-07)."""
    if op.name == "aie.dma_bd":
        return "offset" in op.attributes
    return op.name == "aiex.dma_configure_task" and len(op.operands) == 1


def _segment_attributes(op: Operation, found: OpDefinition) -> dict[str, Attribute]:
    """The attributes that tell MLIR the sizes of the operand groups."""
    sizes = list(found.group_sizes(op))
    passed = [len(values) for _, values in op.successors]
    if op.name == "cf.switch":
        return {
            "operandSegmentSizes": DenseArrayAttr("i32", (1, passed[0], sum(passed[1:]))),
            "case_operand_segments": DenseArrayAttr("i32", tuple(passed[1:])),
        }
    if op.name == "cf.cond_br":
        return {"operandSegmentSizes": DenseArrayAttr("i32", (1, *passed))}
    if found.variadic > 1 and not _numbers_are_literals(op):
        return {"operandSegmentSizes": DenseArrayAttr("i32", tuple(sizes))}
    return {}
