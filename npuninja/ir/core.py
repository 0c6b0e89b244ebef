"""The in-memory form of MLIR: operations, blocks, regions, values.

No use lists, and no types beyond their canonical text: a design has a few hundred operations, so a walk is
cheaper than keeping use lists right. `op.loc` is where the operation's name is in the source.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Location
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BoolAttr,
    DenseArrayAttr,
    EnumAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)

if TYPE_CHECKING:
    from typing import Callable, Iterable, Iterator, TypeVar

    _Kind = TypeVar("_Kind", bound=Attribute)


class Value:
    """An SSA value. `name` is its name in the text without `%`, or "" for one the printer numbers."""

    __slots__ = ("name", "owner", "type")

    def __init__(self, type: str, name: str = "", owner: Operation | Block | None = None) -> None:
        self.type = type
        self.name = name
        self.owner = owner

    def __repr__(self) -> str:
        return f"%{self.name or '?'}: {self.type}"

    def made_by(self, *names: str) -> Operation | None:
        """The operation whose result this is, if it is one of these; else None, as for a block argument."""
        owner = self.owner
        return owner if isinstance(owner, Operation) and owner.name in names else None

    @property
    def op(self) -> Operation:
        """The operation whose result this is; for values that cannot be a block's argument."""
        owner = self.owner
        assert isinstance(owner, Operation), self
        return owner


class Block:
    """A list of operations with arguments. `label` is its name in the text without `^`, or ""."""

    __slots__ = ("args", "label", "ops", "parent")

    def __init__(self, args: list[Value] | None = None, label: str = "") -> None:
        self.args: list[Value] = args or []
        self.ops: list[Operation] = []
        self.label = label
        self.parent: Region | None = None
        for arg in self.args:
            arg.owner = self

    @property
    def last(self) -> Operation | None:
        """The last operation, None in an empty block."""
        return self.ops[-1] if self.ops else None

    def append(self, op: Operation) -> Operation:
        """Puts `op` at the end and returns it."""
        op.parent = self
        self.ops.append(op)
        return op

    def insert(self, index: int, op: Operation) -> Operation:
        """Puts `op` before position `index` and returns it."""
        op.parent = self
        self.ops.insert(index, op)
        return op


class Region:
    """A list of blocks; the first is the entry."""

    __slots__ = ("blocks", "parent")

    def __init__(self, blocks: list[Block] | None = None) -> None:
        self.blocks: list[Block] = []
        self.parent: Operation | None = None
        for block in blocks or []:
            self.append(block)

    def append(self, block: Block) -> Block:
        """Puts `block` at the end and returns it."""
        block.parent = self
        self.blocks.append(block)
        return block

    @property
    def entry(self) -> Block:
        """The first block."""
        return self.blocks[0]


class Operation:
    """An operation. Operands of each variadic group are in a row; `segments` has the group sizes.

    `successors` pairs a block with the values passed to its arguments (for `cf.br`, `aie.dma_start`, …);
    those values are not in `operands`.
    """

    __slots__ = (
        "attributes",
        "loc",
        "name",
        "operands",
        "parent",
        "regions",
        "results",
        "segments",
        "successors",
    )

    def __init__(
        self,
        name: str,
        operands: list[Value] | None = None,
        attributes: dict[str, Attribute] | None = None,
        result_types: tuple[str, ...] = (),
        regions: list[Region] | None = None,
        successors: list[tuple[Block, list[Value]]] | None = None,
        segments: tuple[int, ...] | None = None,
        loc: Location | None = None,
        result_names: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.operands: list[Value] = operands or []
        self.attributes: dict[str, Attribute] = attributes or {}
        self.regions: list[Region] = regions or []
        self.successors: list[tuple[Block, list[Value]]] = successors or []
        self.segments = segments
        self.loc = loc
        self.parent: Block | None = None
        self.results: list[Value] = [
            Value(t, result_names[i] if i < len(result_names) else "", self)
            for i, t in enumerate(result_types)
        ]
        for region in self.regions:
            region.parent = self

    def __repr__(self) -> str:
        return f"<{self.name} at {self.loc}>"

    @property
    def result(self) -> Value:
        """The only result."""
        assert len(self.results) == 1, self
        return self.results[0]

    @property
    def body(self) -> Block:
        """The entry block of the only region."""
        return self.regions[0].blocks[0]

    @property
    def parent_op(self) -> Operation | None:
        """The operation whose region holds this one."""
        block = self.parent
        return block.parent.parent if block is not None and block.parent is not None else None

    def enclosing(self, name: str) -> Operation | None:
        """The nearest enclosing operation called `name`, or None."""
        op = self.parent_op
        while op is not None and op.name != name:
            op = op.parent_op
        return op

    def typed(self, key: str, kind: type[_Kind]) -> _Kind | None:
        """An attribute that is of this class wherever it is there; None when absent."""
        attribute = self.attributes.get(key)
        assert attribute is None or isinstance(attribute, kind), (self, key, attribute)
        return attribute

    def integer(self, key: str, default: int | None = None) -> int:
        """The value of an integer attribute; KeyError when absent and there is no default."""
        attribute = self.attributes.get(key)
        if attribute is None:
            if default is None:
                raise KeyError(f"{self.name} has no attribute {key}")
            return default
        assert isinstance(attribute, IntegerAttr), (self, key, attribute)
        return attribute.value

    def string(self, key: str, default: str | None = None) -> str:
        """The value of a string attribute; KeyError when absent and there is no default."""
        attribute = self.attributes.get(key)
        if attribute is None:
            if default is None:
                raise KeyError(f"{self.name} has no attribute {key}")
            return default
        assert isinstance(attribute, StringAttr), (self, key, attribute)
        return attribute.value

    def enum(self, key: str) -> str:
        """The case of an enum attribute; KeyError when absent."""
        attribute = self.attributes[key]
        assert isinstance(attribute, EnumAttr), (self, key, attribute)
        return attribute.case

    def flag(self, key: str) -> bool:
        """Whether a truth value is there and true, or a mark is there."""
        attribute = self.attributes.get(key)
        return attribute.value if isinstance(attribute, BoolAttr) else isinstance(attribute, UnitAttr)

    def numbers(self, key: str) -> tuple[int, ...]:
        """The numbers of a dense array attribute; none when absent."""
        attribute = self.attributes.get(key)
        if attribute is None:
            return ()
        assert isinstance(attribute, DenseArrayAttr), (self, key, attribute)
        return attribute.values

    def items(self, key: str) -> tuple[Attribute, ...]:
        """The items of an array attribute; none when absent."""
        attribute = self.attributes.get(key)
        if attribute is None:
            return ()
        assert isinstance(attribute, ArrayAttr), (self, key, attribute)
        return attribute.items

    def integers(self, key: str) -> list[int]:
        """The integers in an array attribute; none when absent."""
        return [item.value for item in self.items(key) if isinstance(item, IntegerAttr)]

    def symbols(self, key: str) -> list[str]:
        """The last names of the symbol references in an array attribute; none when absent."""
        return [item.path[-1] for item in self.items(key) if isinstance(item, SymbolRefAttr)]

    def strings(self, key: str) -> list[str]:
        """The strings in an array attribute; none when it is absent or something else."""
        attribute = self.attributes.get(key)
        items = attribute.items if isinstance(attribute, ArrayAttr) else ()
        return [item.value for item in items if isinstance(item, StringAttr)]

    def type_of(self, key: str) -> str:
        """The text of a type attribute; KeyError when absent."""
        attribute = self.attributes[key]
        assert isinstance(attribute, TypeAttr), (self, key, attribute)
        return attribute.type

    @property
    def tile(self) -> Value:
        """The tile that the operation is on, of those that take it as their first operand."""
        return self.operands[0]

    def symbol(self, key: str) -> str:
        """The last name of a symbol reference attribute."""
        attribute = self.attributes[key]
        assert isinstance(attribute, SymbolRefAttr), (self, key, attribute)
        return attribute.path[-1]

    def erase(self) -> None:
        """Takes the operation out of its block. Its results must have no uses left."""
        assert self.parent is not None
        self.parent.ops.remove(self)
        self.parent = None

    def insert_before(self, op: Operation) -> Operation:
        """Puts `op` directly before this operation and returns it."""
        assert self.parent is not None
        return self.parent.insert(self.parent.ops.index(self), op)

    def insert_after(self, op: Operation) -> Operation:
        """Puts `op` directly after this operation and returns it."""
        assert self.parent is not None
        return self.parent.insert(self.parent.ops.index(self) + 1, op)

    def walk(self) -> Iterator[Operation]:
        """This operation and all inside it, in textual order (parents before children)."""
        yield self
        # One level of generators, however deep: each more would cost every operation below it a step.
        inside = [self._inside()]
        while inside:
            op = next(inside[-1], None)
            if op is None:
                inside.pop()
                continue
            yield op
            if op.regions:
                inside.append(op._inside())

    def _inside(self) -> Iterator[Operation]:
        """The operations directly inside this one; those of a block as they are when it is reached."""
        for region in self.regions:
            for block in region.blocks:
                yield from list(block.ops)

    def replace_uses(self, mapping: dict[Value, Value]) -> None:
        """Replaces values in every operand and successor argument of this operation and all inside it."""
        for op in self.walk():
            operands = op.operands
            for i, value in enumerate(operands):
                if value in mapping:
                    operands[i] = mapping[value]
            for _, passed in op.successors:
                for i, value in enumerate(passed):
                    if value in mapping:
                        passed[i] = mapping[value]

    def uses(self, value: Value) -> list[Operation]:
        """The operations inside this one that use `value`, once each, in textual order."""
        return [op for op in self.walk() if value in op.operands or any(value in p for _, p in op.successors)]


def final(value: Value, replaced: dict[Value, Value]) -> Value:
    """What stands for a value in the end, where what replaces it may be replaced itself."""
    while value in replaced:
        value = replaced[value]
    return value


def erase_all(ops: Iterable[Operation]) -> None:
    """Takes operations out of their blocks, many at once. Their results must have no uses left."""
    gone = set(ops)
    for block in {op.parent for op in gone}:
        if block is not None:
            block.ops = [op for op in block.ops if op not in gone]
    for op in gone:
        op.parent = None


def clone(op: Operation, values: dict[Value, Value], rename: Callable[[str], str] | None = None) -> Operation:
    """A deep copy of `op`. Operands found in `values` are replaced; `values` gains the copies of all results.

    Blocks inside are copied too; successors that point outside `op` keep their target.
    """
    blocks: dict[Block, Block] = {}
    return _clone(op, values, blocks, rename)


def _clone(
    op: Operation, values: dict[Value, Value], blocks: dict[Block, Block], rename: Callable[[str], str] | None
) -> Operation:
    regions = []
    for region in op.regions:
        copy = Region()
        for block in region.blocks:
            args = [Value(a.type, rename(a.name) if rename else a.name) for a in block.args]
            values.update(zip(block.args, args))
            blocks[block] = copy.append(Block(args, block.label))
        regions.append(copy)
    new = Operation(
        op.name,
        [values.get(v, v) for v in op.operands],
        dict(op.attributes),
        tuple(r.type for r in op.results),
        regions,
        [(blocks.get(b, b), [values.get(v, v) for v in passed]) for b, passed in op.successors],
        op.segments,
        op.loc,
        tuple(rename(r.name) if rename else r.name for r in op.results),
    )
    values.update(zip(op.results, new.results))
    for region in op.regions:
        for block in region.blocks:
            for inner in block.ops:
                blocks[block].append(_clone(inner, values, blocks, rename))
    return new
