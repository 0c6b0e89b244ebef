"""Operations, blocks and regions as a design sees them, and `build`, which makes every one."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, Sequence

from npuninja.errors import UserError
from npuninja.ir import core
from npuninja.ir.attributes import Attribute, EnumAttr
from npuninja.ir.syntax import definition
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation, insertion
from npuninja.python_designs.construct.attribute_reading import AttributeMap, read
from npuninja.python_designs.construct.types import mlir_type


class MLIRError(Exception):
    """A module does not verify."""


#: Loops whose Python loop was left before its body had an end.
LOOPS_LEFT: set[core.Operation] = set()


def _views_of_values(values: Iterable[core.Value]) -> list[Any]:
    from npuninja.python_designs.construct.values import value_of  # which builds on this module

    return [value_of(value) for value in values]


class Block:
    """A block; as a context manager the place where operations go."""

    def __init__(self, block: core.Block) -> None:
        self.ir = block

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and other.ir is self.ir

    def __hash__(self) -> int:
        return id(self.ir)

    @staticmethod
    def create_at_start(parent: Region, arg_types: Any = (), arg_locs: Any = None) -> Block:
        """A new block, the first of a region, with arguments of these types."""
        made = parent.append(*arg_types)
        parent.ir.blocks.insert(0, parent.ir.blocks.pop())
        return made

    @property
    def block(self) -> Block:
        """Itself."""
        return self

    @property
    def arguments(self) -> list[Any]:
        """The block's arguments."""
        return _views_of_values(self.ir.args)

    @property
    def operations(self) -> list[OpView]:
        """The operations in order."""
        return [view_of(op) for op in self.ir.ops]

    @property
    def region(self) -> Region:
        """The region around it."""
        assert self.ir.parent is not None
        return Region(self.ir.parent)

    @property
    def owner(self) -> OpView:
        """The operation around it."""
        assert self.ir.parent is not None
        assert self.ir.parent.parent is not None
        return view_of(self.ir.parent.parent)  # type: ignore[no-any-return]

    def add_argument(self, type: Any, loc: Any = None) -> Any:
        """Appends an argument to the block, and gives it."""
        value = core.Value(mlir_type(type).text, owner=self.ir)
        self.ir.args.append(value)
        return _views_of_values([value])[0]

    def append(self, op: Any) -> None:
        """Puts an operation at the end."""
        self.ir.append(op.ir)

    def __iter__(self) -> Iterator[OpView]:
        return iter(self.operations)

    def __enter__(self) -> Block:
        insertion.InsertionPoint(self.ir).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        insertion.current().__exit__(*error)


class Region:
    """A region, and the list of its blocks."""

    def __init__(self, region: core.Region) -> None:
        self.ir = region

    @property
    def blocks(self) -> Region:
        """Its blocks: itself."""
        return self

    def __getitem__(self, index: int) -> Block:
        return Block(self.ir.blocks[index])

    def __len__(self) -> int:
        return len(self.ir.blocks)

    def __iter__(self) -> Iterator[Block]:
        return map(Block, self.ir.blocks)

    def append(self, *types: Any, arg_locs: Any = None) -> Block:
        """A new block with arguments of these types."""
        return Block(self.ir.append(core.Block([core.Value(mlir_type(t).text) for t in types])))


class OpView:
    """An operation. Its operands, attributes and results are there under the names of the operation's row."""

    ir: core.Operation

    def __init__(self, op: core.Operation) -> None:
        self.ir = op

    @classmethod
    def of(cls, op: core.Operation) -> Any:
        """The view of an operation, as an object of this class."""
        view = cls.__new__(cls)
        view.ir = op
        return view

    @property
    def operation(self) -> Any:
        """Itself."""
        return self

    @property
    def opview(self) -> Any:
        """Itself."""
        return self

    @property
    def name(self) -> str:
        """The operation's name, as in `aie.tile`."""
        return self.ir.name

    @property
    def attributes(self) -> AttributeMap:
        """Its attributes."""
        return AttributeMap(self.ir)

    @property
    def operands(self) -> list[Any]:
        """Its operands."""
        return _views_of_values(self.ir.operands)

    @property
    def results(self) -> list[Any]:
        """Its results."""
        return _views_of_values(self.ir.results)

    @property
    def result(self) -> Any:
        """Its only result."""
        return _views_of_values([self.ir.result])[0]

    @property
    def regions(self) -> list[Region]:
        """Its regions."""
        return [Region(r) for r in self.ir.regions]

    @property
    def body(self) -> Region:
        """Its only region."""
        return Region(self.ir.regions[0])

    body_region = body

    @property
    def parent(self) -> Any:
        """The operation around it, or None."""
        around = self.ir.parent_op
        return None if around is None else view_of(around)

    def verify(self) -> bool:
        """True; raises MLIRError with the place and the reason when the operation breaks a rule."""
        from npuninja.ir.verifier import verify

        _refuse_left_loops(self.ir)
        if any(_is_versal(op) for op in self.ir.walk() if op.name == "aie.device"):
            return True  # the verifier knows NPUs only
        checked = self.ir
        if generation.is_third():  # the verifier sees numbers as the lowering does, which reads constants
            from npuninja.lowering.number_operands import numbers_from_values

            checked = core.clone(self.ir, {})
            numbers_from_values(checked)
        try:
            verify(checked, as_printed=True)
        except UserError as error:
            raise MLIRError(error.render()) from error
        return True

    def erase(self) -> None:
        """Takes the operation out."""
        self.ir.erase()

    def move_before(self, other: Any) -> None:
        """Puts the operation before another."""
        self.ir.erase()
        other.ir.insert_before(self.ir)

    def get_asm(self, **options: Any) -> str:
        """Its text."""
        return str(self)

    def __str__(self) -> str:
        from npuninja.ir.printer import print_module

        if self.ir.name != "builtin.module":
            return f"<{self.ir.name}>"
        return print_module(self.ir).rstrip("\n")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpView) and other.ir is self.ir

    def __hash__(self) -> int:
        return id(self.ir)

    def __getattr__(self, name: str) -> Any:
        if name == "ir" or name.startswith("__"):
            raise AttributeError(name)
        op = self.ir
        if name in op.attributes:
            return read(op.attributes[name])
        found = definition(op.name)
        if found is not None:
            for group in found.groups:
                if group.name == name:
                    values = _views_of_values(found.group(op, name))
                    return values if group.variadic else values[0]
            if name in found.kinds:
                default = found.defaults.get(name)
                return None if default is None else read(default)
            if any(rule.rstrip("*") == name for rule in found.results):
                return self.result
        raise AttributeError(f"'{type(self).__name__}' of {op.name} has no attribute '{name}'")


def _refuse_left_loops(op: core.Operation) -> None:
    for inner in op.walk() if LOOPS_LEFT else ():
        if inner in LOOPS_LEFT and [last.name for last in inner.regions[0].blocks[0].ops[-1:]] != [
            "scf.yield"
        ]:
            problem = UserError(
                "the body of this 'scf.for' has no end: its Python loop was left by break or return",
                inner.loc,
                hint="what a core decides while it runs is an if_(...) around the rest of the body",
            )
            raise MLIRError(problem.render())


def _is_versal(device: core.Operation) -> bool:
    found = device.attributes["device"]
    return isinstance(found, EnumAttr) and found.case.startswith("xc")


Operation = OpView

#: Operation name -> class of its views, filled by the modules that define one.
VIEWS: dict[str, type[OpView]] = {}


def view_of(op: core.Operation) -> Any:
    """The view of an operation."""
    return VIEWS.get(op.name, OpView).of(op)


def ir_value(given: Any) -> core.Value:
    """The SSA value that `given` is or has.

    Raises:
        ValueError: it is no value.
        TypeError: it has none, or several.
    """
    found = getattr(given, "ir", None)
    if found is None:
        op = getattr(given, "op", None)
        if op is not None:
            return ir_value(op)
        raise ValueError(f"expected a value or an operation with one result, got {given!r}")
    if isinstance(found, core.Operation):
        if len(found.results) != 1:
            raise TypeError(f"expected an operation with one result, got {found.name}")
        return found.results[0]
    if isinstance(found, core.Value):
        return found
    raise TypeError(f"expected a value, got {given!r}")


def make(
    name: str,
    operands: Sequence[Any] = (),
    attributes: dict[str, Any] | None = None,
    results: Sequence[Any] = (),
    regions: int | Sequence[core.Region] = 0,
    segments: tuple[int, ...] | None = None,
    successors: Sequence[tuple[core.Block, list[core.Value]]] = (),
    ip: Any = None,
) -> core.Operation:
    """Makes an operation and puts it at the current insertion point.

    Attributes that are None or equal to their default are left out; what is no attribute yet becomes one of
    the kind that the operation's row declares.
    """
    found = definition(name)
    kinds = found.kinds if found is not None else {}
    given: dict[str, Attribute] = {}
    for key, value in (attributes or {}).items():
        if value is None:
            continue
        attribute = attrs.attribute(value, kinds.get(key, "any"))
        if found is None or found.defaults.get(key) != attribute:
            given[key] = attribute
    if found is not None:
        for key, assumed in found.assumed.items():
            if not generation.is_third():  # which writes no attribute for it
                given.setdefault(key, assumed)
    made_regions = [core.Region() for _ in range(regions)] if isinstance(regions, int) else list(regions)
    op = core.Operation(
        name,
        [ir_value(v) for v in operands],
        given,
        tuple(mlir_type(t).text for t in results),
        made_regions,
        list(successors),
        segments,
        insertion.user_place(),
    )
    (insertion.current() if ip is None else ip).insert(op)
    return op


def build(name: str, *arguments: Any, **options: Any) -> Any:
    """As `make`; gives the view of the operation."""
    return view_of(make(name, *arguments, **options))


def region_op(
    construct: Callable[..., Any], terminator: Callable[..., Any] | None = None
) -> Callable[..., Callable[..., Any]]:
    """A decorator factory: `@name(arguments)` makes the operation, runs the function below it in its region
    at once, ends the block with `terminator`, and binds the operation in the function's place.
    """

    def factory(*arguments: Any, **options: Any) -> Callable[..., Any]:
        def decorate(function: Callable[..., Any]) -> Any:
            view = construct(*arguments, **options)
            run_in_region(view, function, terminator)
            return view

        return decorate

    return factory


def run_in_region(
    view: OpView,
    function: Callable[..., Any],
    terminator: Callable[..., Any] | None,
    types: Sequence[Any] = (),
) -> Any:
    """Runs a function with the entry block of the operation's first region as insertion point."""
    region = Region(view.ir.regions[0])
    block = region.blocks[0] if len(region) else region.blocks.append(*types)
    with insertion.InsertionPoint(block):
        result = function(*block.arguments)
        if terminator is not None:
            last = region.blocks[len(region) - 1].ir
            if not last.ops or last.ops[-1].name != getattr(terminator, "operation_name", "aie.end"):
                with insertion.InsertionPoint(last):
                    terminator()
    return result
