"""Names of `arith`, `memref`, `scf`, `func`: values with operators, memory, loops, branches, functions."""

# generations: 2025-10 2026-02 2026-08

import numpy as np
from _sections import print_sections, section
from aie.dialects import arith, index, memref
from aie.dialects.aie import *
from aie.extras import types as T
from aie.extras.dialects.arith import constant
from aie.helpers.dialects.func import func
from aie.helpers.dialects.scf import _for as range_
from aie.helpers.dialects.scf import else_, if_
from aie.helpers.util import (
    np_dtype_to_mlir_type,
    np_ndarray_type_get_dtype,
    np_ndarray_type_get_shape,
    np_ndarray_type_to_memref_type,
    try_convert_np_type_to_mlir_type,
)
from ml_dtypes import bfloat16

LINE = np.ndarray[(16,), np.dtype[np.int32]]
REALS = np.ndarray[(4, 4), np.dtype[np.float32]]


def in_core(core_tile, *buffers):
    def decorate(function):
        made = [buffer(core_tile, kind, f"b{i}") for i, kind in enumerate(buffers)]
        core(core_tile)(lambda: function(*made))

    return decorate


@section("constant")
def _(core_tile):
    @in_core(core_tile)
    def body():
        for value in (1, -5, 2**31, 2**40, True, 0.5):
            constant(value)
        constant(3, index=True)
        constant(7, T.i16())
        constant(1.5, T.bf16())
        constant(2, T.vector(4, T.i32()))


@section("__add__", "__sub__", "__mul__", "__truediv__", "__floordiv__", "__mod__", "__and__", "__or__")
def _(core_tile):
    @in_core(core_tile, LINE, REALS)
    def body(line, reals):
        a, b = line[0], line[1]
        for made in (a + b, a - 1, 2 * a, 5 - a, a // b, a % 3, a & b, a | 1, a / b):
            line[2] = made
        x, y = reals[0, 1], reals[1, 0]
        for made in (x + y, x - 0.5, 2.0 * x, x / y, x % y):
            reals[2, 2] = made


@section("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__", "if_", "else_")
def _(core_tile):
    @in_core(core_tile, LINE, REALS)
    def body(line, reals):
        a, x = line[0], reals[0, 0]
        for condition in (a < 1, a <= 2, a > 3, a >= 4, a == 5, a != 6, a > 7, x < 0.5, x == 1.0):
            with if_(condition, hasElse=False):
                line[1] = 1
        with if_(a > 0) as choice:
            line[2] = 1
        with else_(choice):
            line[2] = 2


@section("range_", "load", "store", "index_cast")
def _(core_tile):
    @in_core(core_tile, LINE, REALS)
    def body(line, reals):
        for i in range_(16):
            line[i] = line[i] + 1
        for i in range_(2, 16, 3):
            for j in range_(i, 16):
                line[j] = line[i]
        for i in range_(4):
            value = memref.load(reals, [i, constant(1, index=True)])
            memref.store(value, reals, [constant(2, index=True), i])
        for k in range_(0, line[3]):
            line[k] = arith.index_cast(k, to=T.i32())


@section("iter_args", "yield_")
def _(core_tile):
    from aie.dialects.scf import yield_

    @in_core(core_tile, LINE)
    def body(line):
        for i, total, last in range_(16, iter_args=[line[0]], insert_yield=False):  # noqa: B007
            yield_([total + line[i]])
        line[1] = last


@section("trunci", "extsi", "sitofp", "fptosi", "select", "maxsi", "minsi")
def _(core_tile):
    @in_core(core_tile, LINE, REALS)
    def body(line, reals):
        a, x = line[0], reals[0, 0]
        arith.trunci(T.i8(), a)
        arith.extsi(T.i64(), a)
        arith.sitofp(T.f32(), a)
        arith.fptosi(T.i32(), x)
        arith.select(a < 3, a, line[1])
        arith.maxsi(a, line[1])
        arith.minsi(a, line[1])


@section("func", "view", "subview", "shape", "dtype")
def _(core_tile, shim):
    @func
    def add(line: LINE, number: np.int32):
        for i in range_(16):
            line[i] = line[i] + number

    @func(emit=True)
    def declared(line: LINE, real: np.float32):
        pass

    of = object_fifo("of", shim, core_tile, 2, np.ndarray[(4, 8), np.dtype[np.int32]])
    bytes_ = np.ndarray[(128,), np.dtype[np.int8]]

    @in_core(core_tile, LINE, bytes_)
    def body(line, given):
        add(line, 3)
        add(line, line[0])
        element = of.acquire(ObjectFifoPort.Consume, 1)
        assert (list(element.shape), str(element.dtype)) == ([4, 8], "i32")
        element[1:3, 4:8]
        element[2, 0:8]
        from aie.extras.dialects.memref import view

        view(given, (4, 4), T.i32(), shift=8)
        of.release(ObjectFifoPort.Consume, 1)


@section("__getitem__ of parts", "rank_reduce")
def _(core_tile, shim):
    table = object_fifo("table", shim, core_tile, 2, np.ndarray[(4, 8), np.dtype[np.int32]])
    row = object_fifo("row", shim, core_tile, 2, np.ndarray[(64,), np.dtype[np.int32]])

    @core(core_tile)
    def body():
        from aie.extras.dialects.memref import rank_reduce

        e = table.acquire(ObjectFifoPort.Consume, 1)
        v = row.acquire(ObjectFifoPort.Consume, 1)
        e[2], e[1:3], e[0:2], e[0:4, 0:4], e[0:4:2, 1], e[..., 1], e[2, rank_reduce]
        v[8:16], v[0:16], v[16:], v[::2], v[-8:]
        e[2][0, 3]
        for k in range_(4):
            e[k]
            e[k, 0:4]
            v[k : k + 8]
            v[k * 8 : (k + 1) * 8]
            v[k * 8 : k * 8 + 8]


@section("index.constant", "casts", "castu", "add", "maxs")
def _(core_tile, shim):
    @in_core(core_tile, LINE)
    def body(line):
        one = index.constant(1)
        for i in range_(4):
            number = index.casts(T.i32(), index.add(i, one))
            line[index.maxs(i, one)] = number * 3
            line[i] = index.casts(T.i32(), index.castu(T.index(), number))


@section("T", "np_dtype_to_mlir_type", "np_ndarray_type_to_memref_type", "try_convert_np_type_to_mlir_type")
def _():
    assert np_ndarray_type_get_shape(REALS) == (4, 4)
    assert np_ndarray_type_get_dtype(REALS) == np.float32
    kinds = (
        np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float16, np.float32,
        np.float64, bfloat16,
    )  # fmt: skip
    texts = ["i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64", "f16", "f32", "f64", "bf16"]
    assert [str(np_dtype_to_mlir_type(kind)) for kind in kinds] == texts
    assert str(np_ndarray_type_to_memref_type(REALS)) == "memref<4x4xf32>"
    assert str(try_convert_np_type_to_mlir_type(T.i8())) == "i8"
    assert str(T.memref(2, 3, element_type=T.bf16())) == "memref<2x3xbf16>"
    assert str(T.vector(4, T.i32())) == "vector<4xi32>"
    assert [str(kind()) for kind in (T.index, T.bool, T.f64, T.ui8)] == ["index", "i1", "f64", "ui8"]


print_sections()
