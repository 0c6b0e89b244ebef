"""The elements of an operation's custom form; those that are attributes are in `attribute_directives`.

Each can read itself and write itself; `assembly.py` makes them from rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError
from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import function_text

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter

# The static value that marks a dynamic entry of a mixed list: MLIR's ShapedType::kDynamic.
DYNAMIC_INDEX = -(1 << 63)


class Directive(ABC):
    """One element of a row: it reads itself into the state, prints itself, and says whether it is next."""

    __slots__ = ()

    @abstractmethod
    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the element."""

    @abstractmethod
    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the element."""

    def starts(self, p: Parser) -> bool:
        """Whether the next token begins this element; one that cannot say begins no optional group."""
        raise InternalError(f"{type(self).__name__} begins no optional group")

    def present(self, w: OpWriter, op: Operation) -> bool | None:
        """Whether `op` has what this element shows; None when it shows nothing of its own."""
        return None


class Literal(Directive):
    """A keyword or punctuation."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the literal."""
        if p.tokens[p.i] != self.text:
            p.expected(f"'{self.text}'")
        p.i += 1

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the literal."""
        w.literal(self.text)

    def starts(self, p: Parser) -> bool:
        """Whether the literal is next."""
        return p.tokens[p.i] == self.text


class Spacing(Directive):
    """A space that the printer's rules would leave out, or none where they would put one."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads nothing."""

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the space."""
        w.spacing(self.text)


class OperandDirective(Directive):
    """An element that stands for one operand, `%value`."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        self.name = name
        self.type = type

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads a value."""
        s.operands[self.name] = [p.use(self.type)]
        s.positions[self.name] = [p.i - 1]

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the value."""
        w.parameter(w.value(w.group(op, self.name)[0]))

    def starts(self, p: Parser) -> bool:
        """Whether a value is next."""
        return p.tokens[p.i][:1] == "%"

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether the op has the operand."""
        return bool(w.group(op, self.name))


class Operands(OperandDirective):
    """Any number of operands, comma-separated."""

    __slots__ = ()

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads values up to something else."""
        values: list[Value] = []
        positions: list[int] = []
        while p.tokens[p.i][:1] == "%":
            values.append(p.use(self.type))
            positions.append(p.i - 1)
            if p.tokens[p.i] != ",":
                break
            p.i += 1
        if values and p.tokens[p.i - 1] == ",":
            p.expected("a value such as '%x'")
        s.operands[self.name] = values
        s.positions[self.name] = positions

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the values."""
        values = w.group(op, self.name)
        if values:
            w.parameter(", ".join(map(w.value, values)))


class TypeOf(Directive):
    """The type that some operands and results share."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the type and gives it to the operands and results."""
        type = p.parse_type()
        for name in self.names:
            s.set_types(p, name, (type,))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the type."""
        w.parameter(w.types(op, self.names[0])[0])

    def present(self, w: OpWriter, op: Operation) -> bool:
        """Whether there is a value to show the type of."""
        return bool(w.types(op, self.names[0]))


class TypesOf(Directive):
    """The types of a variadic group, comma-separated."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the types."""
        types = []
        if p.tokens[p.i] != ")":
            types.append(p.parse_type())
            while p.accept(","):
                types.append(p.parse_type())
        s.set_types(p, self.name, tuple(types))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the types."""
        types = w.types(op, self.name)
        if types:
            w.parameter(", ".join(types))


class FunctionType(Directive):
    """Stands for `(types of the operands) -> types of the results`."""

    __slots__ = ("operands", "results")

    def __init__(self, operands: str, results: str) -> None:
        self.operands = operands
        self.results = results

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the function type."""
        s.set_types(p, self.operands, p.type_list())
        p.expect("->")
        s.set_types(p, self.results, p.result_types())

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the function type."""
        w.parameter(function_text(tuple(w.types(op, self.operands)), tuple(w.types(op, self.results))))


class Successor(Directive):
    """A block to go to, with the values for its arguments if `arguments`."""

    __slots__ = ("arguments", "position")

    def __init__(self, position: int, arguments: bool) -> None:
        self.position = position
        self.arguments = arguments

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the block's name and its arguments."""
        s.successors.append(p.successor(self.arguments))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the block's name and its arguments."""
        w.parameter(w.successor(op.successors[self.position]))


class RegionField(Directive):
    """A region in braces."""

    __slots__ = ("position", "terminator")

    def __init__(self, position: int, terminator: str | None) -> None:
        self.position = position
        self.terminator = terminator

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the region."""
        s.regions.append(p.region(self.terminator))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the region."""
        w.region(op.regions[self.position])


class MixedList(Directive):
    """`[0, %x, 4]`: constants and values in one list."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        self.name = name
        self.type = type

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the list into operands and the static attribute."""
        values: list[Value] = []
        positions: list[int] = []

        def entry() -> int:
            if p.tokens[p.i][:1] != "%":
                return p.integer()
            positions.append(p.i)
            values.append(p.use(self.type))
            return DYNAMIC_INDEX

        p.expect("[")
        numbers = p.comma_separated(entry, "]")
        s.operands[self.name], s.positions[self.name] = values, positions
        s.attributes["static_" + self.name] = DenseArrayAttr("i64", tuple(numbers))

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the list."""
        w.glued(w.mixed_list(op, self.name))


class Optional(Directive):
    """Elements that are there all or not at all."""

    __slots__ = ("elements",)

    def __init__(self, elements: list[Directive]) -> None:
        self.elements = elements

    def parse(self, p: Parser, s: OpState) -> None:
        """Reads the elements if the first is next."""
        if self.elements[0].starts(p):
            for element in self.elements:
                element.parse(p, s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Writes the elements if `op` has what they show."""
        for element in self.elements:
            present = element.present(w, op)
            if present is not None:
                if present:
                    for each in self.elements:
                        each.print(w, op)
                return


class Custom(Directive):
    """An element with functions of its own in `custom.py`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, p: Parser, s: OpState) -> None:
        """Calls the reading function."""
        p.custom[self.name].parse(p, s)

    def print(self, w: OpWriter, op: Operation) -> None:
        """Calls the writing function."""
        w.custom[self.name].print(w, op)
