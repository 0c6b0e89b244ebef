"""A reduction, and the patterns of image kernels: rows one at a time, or three at a time (summer 2026)."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from npuninja.python_designs.algorithms.elementwise import _device
from npuninja.python_designs.construct.types import np_ndarray_type_get_shape
from npuninja.python_designs.dialects.scf import range_
from npuninja.python_designs.iron.kernel import ExternalFunction
from npuninja.python_designs.iron.object_fifo import ObjectFifo
from npuninja.python_designs.iron.program import Program
from npuninja.python_designs.iron.sequence import SequenceRuntime
from npuninja.python_designs.iron.worker import Worker


def reduce(func: Any, input_ty: Any, output_ty: Any, *, trace_size: int = 0) -> Any:
    """A kernel over a whole array, with a small result."""
    if not isinstance(func, ExternalFunction):
        raise TypeError("reduce expects an ExternalFunction")
    device = _device("reduce")
    count = int(np.prod(np_ndarray_type_get_shape(input_ty)))
    source, result = ObjectFifo(input_ty, name="in"), ObjectFifo(output_ty, name="out")

    def program(given: Any, output: Any, kernel: Any) -> None:
        out = output.acquire(1)
        element = given.acquire(1)
        kernel(element, out, count)
        given.release(1)
        output.release(1)

    worker = Worker(program, [source.cons(), result.prod(), func], trace=1 if trace_size else None)
    fill, drain = source.prod(), result.cons()

    def sequence(a: Any, b: Any, *_: Any) -> None:
        fill.fill(a)
        drain.drain(b, wait=True)

    made = Program(device, SequenceRuntime(sequence, [input_ty, output_ty, fill, drain]), workers=[worker])
    if trace_size:
        made.enable_trace(trace_size)
    return made.resolve_program()


def _with_weights(of_wts: Any, body: Callable[[Any], None]) -> None:
    weights = None if of_wts is None else of_wts.acquire(1)
    body(weights)
    if of_wts is not None:
        of_wts.release(1)


def _each(fifos: list[Any], do_kernel: Callable[..., Any], of_wts: Any, counts: tuple[int, ...]) -> None:
    """Loops of these counts, one in the other, around a kernel's work on one element of each objectFifo."""

    def loop(counts: tuple[int, ...], weights: Any) -> None:
        if counts:
            for _ in range_(counts[0]):
                loop(counts[1:], weights)
            return
        elements = [fifo.acquire(1) for fifo in fifos]
        do_kernel(*elements, weights)
        for fifo in fifos:
            fifo.release(1)

    _with_weights(of_wts, lambda weights: loop(counts, weights))


def row_at_a_time(
    of_in: Any, of_out: Any, *, n_rows: int, do_kernel: Callable[..., Any], of_wts: Any = None
) -> None:
    """In a core: `do_kernel(in, out, weights)` for each row."""
    _each([of_in, of_out], do_kernel, of_wts, (n_rows,))


def row_at_a_time_with_skip(
    of_in: Any, of_out: Any, of_skip: Any, *, n_rows: int, do_kernel: Callable[..., Any], of_wts: Any = None
) -> None:
    """In a core: `do_kernel(in, out, skip, weights)` for each row."""
    _each([of_in, of_out, of_skip], do_kernel, of_wts, (n_rows,))


def row_at_a_time_tiled(
    of_in: Any, of_out: Any, *, n_rows: int, n_tiles_per_row: int, do_kernel: Callable[..., Any],
    of_wts: Any = None
) -> None:  # fmt: skip
    """In a core: as `row_at_a_time`, with each row in tiles."""
    _each([of_in, of_out], do_kernel, of_wts, (n_rows, n_tiles_per_row))


def sliding_3row(
    of_in: Any, of_out: Any, *, n_out_rows: int, do_kernel: Callable[..., Any], of_wts: Any = None
) -> None:
    """In a core: `do_kernel(above, row, below, out, weights, position)`; border rows replace missing ones."""

    def body(weights: Any) -> None:
        rows, out = of_in.acquire(2), of_out.acquire(1)
        do_kernel(rows[0], rows[0], rows[1], out, weights, 0)
        of_out.release(1)
        for _ in range_(n_out_rows - 2):
            rows, out = of_in.acquire(3), of_out.acquire(1)
            do_kernel(rows[0], rows[1], rows[2], out, weights, 1)
            of_in.release(1)
            of_out.release(1)
        rows, out = of_in.acquire(2), of_out.acquire(1)
        do_kernel(rows[0], rows[1], rows[1], out, weights, 2)
        of_in.release(2)
        of_out.release(1)

    _with_weights(of_wts, body)
