"""`scf`: loops and branches that the design's Python code builds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Sequence

import numpy as np

from npuninja.ir import core
from npuninja.python_designs.construct.insertion import InsertionPoint
from npuninja.python_designs.construct.operations import LOOPS_LEFT, Block, OpView, ir_value, make
from npuninja.python_designs.construct.types import IndexType
from npuninja.python_designs.construct.values import Value, constant, index_cast, value_of, value_type
from npuninja.python_designs.dialects.generic import names_of


class ForOp(OpView):
    """The operation `scf.for`."""

    def __init__(self, start: Any, stop: Any, step: Any, iter_args: Any = None, **_: Any) -> None:
        carried = [ir_value(a) for a in iter_args or ()]
        arguments = [core.Value("index"), *(core.Value(a.type) for a in carried)]
        region = core.Region([core.Block(arguments)])
        op = make(
            "scf.for", [start, stop, step, *(iter_args or ())], None, [a.type for a in carried], [region]
        )
        self.ir = op

    @property
    def induction_variable(self) -> Any:
        """The loop's variable."""
        return value_of(self.ir.body.args[0])

    @property
    def inner_iter_args(self) -> list[Any]:
        """The carried values inside the body."""
        return [value_of(a) for a in self.ir.body.args[1:]]

    @property
    def body(self) -> Any:
        """The body's block."""
        return Block(self.ir.body)


class IfOp(OpView):
    """The operation `scf.if`."""

    def __init__(
        self,
        cond: Any,
        results_: Sequence[Any] | None = None,
        *,
        hasElse: bool = False,
        has_else: bool = False,
        **_: Any,
    ) -> None:
        regions = [core.Region([core.Block()])]
        if hasElse or has_else or results_:
            regions.append(core.Region([core.Block()]))
        self.ir = make("scf.if", [cond], None, results_ or (), regions)

    @property
    def then_block(self) -> Block:
        """The block for true."""
        return Block(self.ir.regions[0].blocks[0])

    @property
    def else_block(self) -> Block:
        """The block for false."""
        return Block(self.ir.regions[1].blocks[0])

    @property
    def thenRegion(self) -> Any:
        """The region for true."""
        return self.regions[0]

    @property
    def elseRegion(self) -> Any:
        """The region for false."""
        return self.regions[1]


def yield_(results_: Any = (), *more: Any, **_: Any) -> None:
    """`scf.yield`; without values it is what MLIR leaves out."""
    listed = list(results_) if isinstance(results_, (list, tuple)) else [results_]
    listed += more
    if listed:
        make("scf.yield", listed)


YieldOp = yield_


def range_(
    start: Any,
    stop: Any = None,
    step: Any = None,
    iter_args: Sequence[Any] | None = None,
    insert_yield: bool = True,
    **_: Any,
) -> Iterator[Any]:
    """`scf.for` over a Python loop whose body runs once: yields the loop's variable.

    With one value in `iter_args` it yields (variable, value inside, result), with more tuples of them; the
    body then ends with `yield_([…])` and `insert_yield` is False.
    """
    if stop is None:
        start, stop = 0, start
    first, last, each = (_bound(bound) for bound in (start, stop, 1 if step is None else step))
    carried = [getattr(a, "handle", a) for a in iter_args or ()]
    loop = ForOp(first, last, each, carried)
    inner = tuple(_like(given, value) for given, value in zip(iter_args or (), loop.inner_iter_args))
    results = [_like(given, value) for given, value in zip(iter_args or (), loop.results)]
    with InsertionPoint(loop.body):
        try:
            if len(inner) > 1:
                yield loop.induction_variable, inner, results
            elif inner:
                yield loop.induction_variable, inner[0], results[0]
            else:
                yield loop.induction_variable
        except GeneratorExit:  # `break` or `return` in the body
            LOOPS_LEFT.add(loop.ir)
            raise
        if insert_yield:
            yield_([])


def _bound(given: Any) -> Any:
    """A loop's bound as a value of type index."""
    if isinstance(given, (int, np.integer)):
        return constant(int(given), index=True)
    if not isinstance(given, (Value, OpView)):
        raise ValueError(f"the bounds and the step of a loop are integers, got {given!r}")
    return given if isinstance(value_type(given), IndexType) else index_cast(given)


def _like(given: Any, value: Any) -> Any:
    """A carried value in the form it was given: a task stays one."""
    carry = getattr(given, "carried", None)
    return carry(value) if carry is not None else value


_for = range_


def for_(*arguments: Any, **options: Any) -> Iterator[Any]:
    """The loop of the plain dialect: `yield_([])` at the body's end is the design's own."""
    options.setdefault("insert_yield", False)
    return range_(*arguments, **options)


@contextmanager
def if_(cond: Any, hasElse: bool = True, insert_yield: bool = True, **_: Any) -> Iterator[IfOp]:
    """`scf.if` around what the with statement's body builds."""
    op = IfOp(cond, hasElse=hasElse)
    with InsertionPoint(op.then_block):
        yield op
        if insert_yield:
            yield_([])


@contextmanager
def else_(if_op: IfOp, insert_yield: bool = True) -> Iterator[None]:
    """The other branch of an `if_`."""
    with InsertionPoint(if_op.else_block):
        yield


NAMES = {**names_of("scf"), "for_": for_, "range_": range_, "_for": range_, "yield_": yield_, "if_": if_, "else_": else_,
         "ForOp": ForOp, "IfOp": IfOp, "for": ForOp, "if": IfOp, "yield": yield_}  # fmt: skip
