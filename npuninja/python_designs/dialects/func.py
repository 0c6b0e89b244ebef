"""`func`: functions that a design declares, defines in Python, and calls."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Sequence

import numpy as np

from npuninja.ir import core
from npuninja.ir.attributes import Attribute, StringAttr, SymbolRefAttr, TypeAttr
from npuninja.ir.types import function_parts, memref
from npuninja.python_designs.construct import generation, insertion
from npuninja.python_designs.construct.operations import VIEWS, OpView, ir_value, make, view_of
from npuninja.python_designs.construct.types import FunctionType, Type, mlir_type, type_of
from npuninja.python_designs.construct.values import (
    ScalarValue,
    Value,
    constant,
    index_cast,
    value_of,
    value_type,
)
from npuninja.python_designs.dialects.generic import names_of


class FuncOp(OpView):
    """The operation `func.func`."""

    def __init__(
        self, name: str, type: Any, *, visibility: str | None = None, body_builder: Any = None, **_: Any
    ) -> None:
        if isinstance(type, tuple):
            type = FunctionType.get(*type)
        attributes: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "function_type": TypeAttr(mlir_type(type).text),
        }
        if visibility is not None:
            attributes["sym_visibility"] = StringAttr(visibility)
        self.ir = make("func.func", [], attributes, [], 1)

    @property
    def type(self) -> Type:
        """The function's type."""
        attribute = self.ir.attributes["function_type"]
        assert isinstance(attribute, TypeAttr)
        return type_of(attribute.type)

    def add_entry_block(self) -> Any:
        """The block of the function's body, with its arguments."""
        return self.body.blocks.append(*self.type.inputs)  # type: ignore[attr-defined]

    @property
    def arguments(self) -> list[Any]:
        """The arguments inside the body."""
        return [value_of(a) for a in self.ir.body.args]

    def __call__(self, *arguments: Any) -> Any:
        """Calls the function with values or numbers."""
        return call(self, list(arguments))


VIEWS["func.func"] = FuncOp


def signature(op: core.Operation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Argument and result types of a `func.func`."""
    type = op.attributes["function_type"]
    assert isinstance(type, TypeAttr), op
    return function_parts(type.type)


def call(callee: Any, arguments_or_callee: Any, arguments: Any = None, **_: Any) -> Any:
    """`func.call` of a function with a list of values; Python numbers become constants of parameter types.

    Also `call(result types, name, values)`.

    Raises:
        ValueError: wrong number or kind of arguments.
    """
    if isinstance(callee, FuncBase):
        callee = callee.emit()
    if not isinstance(callee, OpView):
        if not isinstance(arguments_or_callee, str):
            raise ValueError(
                f"call(types, name, arguments) takes a function's name, not a {type(arguments_or_callee)}"
            )
        results = [callee] if isinstance(callee, (Type, type)) else list(callee)
        return _call(arguments_or_callee, list(arguments or ()), results)
    if not isinstance(arguments_or_callee, (list, tuple)):
        raise ValueError(
            f"call(function, arguments) takes a list of arguments, not a {type(arguments_or_callee)}"
        )
    inputs, outputs = signature(callee.ir)
    given = list(arguments_or_callee)
    if len(given) != len(inputs):
        raise ValueError(
            f"the function has {len(inputs)} parameters, and was called with {len(given)} arguments"
        )
    return _call(callee.ir.string("sym_name"), call_arguments(given, inputs), [type_of(t) for t in outputs])


def call_arguments(given: Sequence[Any], inputs: Sequence[str]) -> list[Any]:
    """Arguments of a call as values: numbers as constants, in the order of the parameters."""
    values = []
    for argument, text in zip(given, inputs):
        argument = (
            getattr(argument, "op", argument) if not isinstance(argument, (Value, OpView)) else argument
        )
        if isinstance(argument, (int, float, np.integer, np.floating)):
            argument = constant(
                argument if not hasattr(argument, "item") else argument.item(), type=type_of(text)
            )
        elif (
            generation.is_third() and _is_index(argument) and text != "index" and text.lstrip("su")[:1] == "i"
        ):
            argument = index_cast(argument, type_of(text))
        values.append(argument)
    if not all(isinstance(v, (Value, OpView)) for v in values):
        raise ValueError(f"{values} holds what is neither a value nor an operation with one result")
    return values


def _is_index(given: Any) -> bool:
    return isinstance(given, (Value, OpView)) and value_type(given).text == "index"


def flattened(value: Any, text: str) -> Any:
    """An array, flattened if the parameter has one dimension, as kernels of the third generation do it."""
    if not isinstance(value, (Value, OpView)):
        return value
    have = value_type(value).text
    if not (have.startswith("memref<") and text.startswith("memref<")) or have == text:
        return value
    source, target = memref(have), memref(text)
    if len(target.shape) != 1 or len(source.shape) < 2 or source.layout or source.element != target.element:
        return value
    if int(np.prod(source.shape)) != target.shape[0]:
        return value
    from npuninja.python_designs.construct.memory_parts import collapse_shape

    return collapse_shape(type_of(text), value, [range(len(source.shape))])


def _call(name: str, values: Sequence[Any], results: Sequence[Any]) -> Any:
    op = make("func.call", values, {"callee": SymbolRefAttr((name,))}, results)
    if len(op.results) == 1:
        return value_of(op.results[0])
    return [value_of(r) for r in op.results] if op.results else view_of(op)


CallOp = call


def return_(values: Any = ()) -> None:
    """Makes `func.return`."""
    make("func.return", list(values) if isinstance(values, (list, tuple)) else [values])


_EMPTY = (lambda: None).__code__.co_code


class FuncBase:
    """A function of the design that `@func` makes a `func.func` of, where it is first called."""

    def __init__(
        self,
        body_builder: Callable[..., Any],
        *,
        sym_visibility: str | None = None,
        func_attrs: Any = None,
        **_: Any,
    ) -> None:
        self.body_builder = body_builder
        self.func_name = body_builder.__name__
        self.__name__ = self.func_name
        self.func_attrs = func_attrs or {}
        self.sym_visibility = sym_visibility
        self._emitted: tuple[core.Operation, Any] | None = None
        parameters = inspect.signature(body_builder).parameters.values()
        self.input_types = [p.annotation for p in parameters if p.annotation is not inspect.Parameter.empty]
        if self._is_declaration():
            assert len(self.input_types) == len(parameters), (
                f"{self.func_name} is a declaration: annotate each parameter with its type, or give it a body"
            )
            self.sym_visibility = "private"
            if insertion.has_current():
                self.emit()

    def _is_declaration(self) -> bool:
        return self.body_builder.__code__.co_code == _EMPTY

    def _types(self) -> list[Type]:
        found = []
        for given in self.input_types:
            if isinstance(given, str):
                given = eval(given, self.body_builder.__globals__)
            if callable(given) and getattr(given, "__name__", "") == "<lambda>":
                given = given()
            found.append(mlir_type(given))
        return found

    def emit(self, *call_args: Any, force: bool = False) -> FuncOp:
        """Makes the function where the insertion point is, once for each module."""
        module = insertion.module_around()
        if self._emitted is not None and self._emitted[1] is module and not force:
            return FuncOp.of(self._emitted[0])  # type: ignore[no-any-return]
        inputs = self._types()
        op = FuncOp(self.func_name, FunctionType.get(inputs, ()), visibility=self.sym_visibility)
        self._emitted = (op.ir, module)
        for name, value in self.func_attrs.items():
            op.attributes[name] = value
        if self._is_declaration():
            return op
        with insertion.InsertionPoint(op.add_entry_block()):
            given = self.body_builder(*op.arguments)
            results = list(given) if isinstance(given, (list, tuple)) else [] if given is None else [given]
            return_(results)
        types = [type_of(ir_value(r).type) for r in results]
        op.ir.attributes["function_type"] = TypeAttr(FunctionType.get(inputs, types).text)
        return op

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the function, as a worker's argument."""
        self.emit()

    def __call__(self, *call_args: Any) -> Any:
        """Calls the function, and makes it if this is the first call."""
        return call(self.emit(*call_args), list(call_args))


def func(function: Any = None, *, emit: bool = False, **options: Any) -> Any:
    """The decorator: bare, or with `emit=True` to make the function at once."""
    if function is None:
        return lambda f: func(f, emit=emit, **options)
    made = FuncBase(function, **options)
    if emit:
        made.emit()
    return made


NAMES = {**names_of("func"), "FuncOp": FuncOp, "func": func, "call": call, "CallOp": call, "FuncBase": FuncBase,
         "return_": return_, "ReturnOp": return_, "Scalar": ScalarValue}  # fmt: skip
