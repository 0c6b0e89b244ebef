"""Mathematical functions that are no wasm instructions, served to cores as imports of module `env`.

Those on float, which kernels use most, are the engine's (engine/math.c). Those on double are Python's, which
costs some ten microseconds a call. Errors of domain and range give what C gives (NaN, infinity), never an
exception.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import wasmtime

from npuninja.emulator.array import Array

_UNARY: dict[str, Callable[[float], float]] = {
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "cbrt": lambda x: math.copysign(_cube_root(abs(x)), x),
    "cos": math.cos,
    "cosh": math.cosh,
    "erf": math.erf,
    "exp": math.exp,
    "exp2": lambda x: math.pow(2.0, x),
    "expm1": math.expm1,
    "log": math.log,
    "log10": math.log10,
    "log1p": math.log1p,
    "log2": math.log2,
    "sin": math.sin,
    "sinh": math.sinh,
    "tan": math.tan,
    "tanh": math.tanh,
}
_BINARY: dict[str, Callable[[float, float], float]] = {
    "atan2": math.atan2,
    "fmod": math.fmod,
    "pow": math.pow,
}
_LOGARITHM_POLES = {"log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0}


def _cube_root(x: float) -> float:
    """The cube root of x >= 0: a power, and one Newton step for the last bits."""
    if x == 0.0 or math.isinf(x) or math.isnan(x):
        return x
    root = x ** (1.0 / 3.0)
    return float(root - (root * root * root - x) / (3.0 * root * root))


def _unary(name: str) -> Callable[[float], float]:
    function = _UNARY[name]

    def call(x: float) -> float:
        try:
            return function(x)
        except OverflowError:  # exp, cosh, sinh, expm1: too large; the odd ones keep the sign
            return math.copysign(math.inf, x) if name == "sinh" else math.inf
        except ValueError:
            return -math.inf if _LOGARITHM_POLES.get(name) == x else math.nan

    return call


def _binary(name: str) -> Callable[[float, float], float]:
    function = _BINARY[name]

    def call(x: float, y: float) -> float:
        try:
            return function(x, y)
        except OverflowError:  # pow: too large
            return math.copysign(math.inf, x) if y % 2.0 == 1.0 else math.inf
        except ValueError:
            if name == "pow" and x == 0.0:  # zero to a negative power
                return math.copysign(math.inf, x) if y % 2.0 == 1.0 else math.inf
            return math.nan

    return call


_DOUBLE = frozenset((*_UNARY, *_BINARY))
#: Every function that is served.
NAMES = _DOUBLE | {name + "f" for name in _DOUBLE}


def evaluate(name: str, *arguments: float) -> float:
    """The value of a function on doubles. KeyError when there is none."""
    return _unary(name)(*arguments) if name in _UNARY else _binary(name)(*arguments)


def make_import(array: Array, name: str) -> wasmtime.Func:
    """The import `env.name`, for one of `NAMES`."""
    if name not in _DOUBLE:
        return array.function(name)
    function = _unary(name) if name in _UNARY else _binary(name)
    double = wasmtime.ValType.f64()
    kind = wasmtime.FuncType([double] * (1 if name in _UNARY else 2), [wasmtime.ValType.f64()])
    return wasmtime.Func(array.store, kind, function)
