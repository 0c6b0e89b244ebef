"""One function applied to every element, or a kernel to every tile, by one worker or one for each column."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.types import (
    is_array_type,
    np_ndarray_type_get_dtype,
    np_ndarray_type_get_shape,
)
from npuninja.python_designs.dialects.scf import range_
from npuninja.python_designs.iron.current_device import get_current_device
from npuninja.python_designs.iron.kernel import ExternalFunction
from npuninja.python_designs.iron.object_fifo import ObjectFifo
from npuninja.python_designs.iron.program import Program
from npuninja.python_designs.iron.runtime import BlockRuntime
from npuninja.python_designs.iron.sequence import SequenceRuntime, TaskGroup
from npuninja.python_designs.iron.worker import Worker
from npuninja.python_designs.kernels.external import array
from npuninja.python_designs.taplib.pattern import TensorAccessPattern
from npuninja.records import NamedTuple


class Job(NamedTuple):
    """What is applied to what."""

    func: Any
    elements: int  # elements of a tensor
    dtype: Any
    inputs: int
    params: tuple[Any, ...]
    tile_size: int
    pass_size: bool = True
    trace_size: int = 0
    in_place: bool = False

    @property
    def output(self) -> int:
        """The place of the output among the tensors."""
        return 0 if self.in_place else self.inputs

    @property
    def is_kernel(self) -> bool:
        """Whether a kernel works on tiles."""
        return isinstance(self.func, ExternalFunction)

    def vector(self, count: int) -> Any:
        """The type of an array of these elements."""
        return array(count, self.dtype)

    def fifo_params(self) -> list[tuple[int, Any]]:
        """The parameters that are arrays, with their places: each has an objectFifo."""
        if not self.is_kernel:
            return []
        types = self.func.arg_types()[self.inputs + 1 :]
        return [
            (i, param)
            for i, (param, type) in enumerate(zip(self.params, types))
            if not (isinstance(type, type_class) and issubclass(type, np.generic))
        ]


type_class = type


def _array_type(given: Any) -> Any:
    if is_array_type(given):
        return given
    return array(given.shape, np.dtype(given.dtype).type)


def _job(name: str, func: Any, tensors: Sequence[Any], **fields: Any) -> Job:
    """Reads an algorithm's tensors (the last is the output), or one array type for all, into its job."""
    tile_size = fields["tile_size"]
    shapes, dtypes = [], []
    for given in tensors:
        if generation.is_third() and not is_array_type(given):
            raise TypeError(
                f"{name} is given array types here, such as np.ndarray[(1024,), np.dtype[np.int32]], "
                f"not {given!r}"
            )
        array = _array_type(given)
        shapes.append(np_ndarray_type_get_shape(array))
        dtypes.append(np_ndarray_type_get_dtype(array))
    for i, (shape, dtype) in enumerate(zip(shapes, dtypes)):
        if shape != shapes[0]:
            raise ValueError(
                f"tensor {i} has shape {shape} and the first {shapes[0]}; give all of them one shape"
            )
        if dtype != dtypes[0]:
            raise ValueError(
                f"tensor {i} is of {dtype} and the first of {dtypes[0]}; give all of them one type"
            )
    if isinstance(func, ExternalFunction) and func.tile_size() != tile_size:
        raise ValueError(
            f"tile_size is {tile_size}, and the kernel's arg_types have arrays of {func.tile_size()}; "
            "give both one size"
        )
    return Job(func, int(np.prod(shapes[0])), dtypes[0], **fields)


def _core(job: Job, rounds: int) -> Callable[..., None]:
    placed = job.fifo_params()

    def program(*arguments: Any) -> None:
        inputs, params, output = arguments[: job.inputs], arguments[job.inputs : -2], arguments[-2]
        values = list(job.params)
        for (i, _), fifo in zip(placed, params):
            values[i] = fifo.acquire(1)
        for _ in range_(rounds):
            elements = [fifo.acquire(1) for fifo in inputs]
            result = output.acquire(1)
            if job.is_kernel:
                size = [job.tile_size] if job.pass_size else []
                arguments[-1](*elements, result, *values, *size)
            else:
                for i in range_(job.tile_size):
                    result[i] = arguments[-1](*[element[i] for element in elements])
            for fifo in inputs:
                fifo.release(1)
            output.release(1)
        for fifo in params:
            fifo.release(1)

    return program


class Part(NamedTuple):
    """One worker, the host's sides of its objectFifos, and the part of the tensors that it works on."""

    inputs: list[Any]
    output: Any
    worker: Worker
    tap: TensorAccessPattern | None


def _device(name: str) -> Any:
    found = get_current_device()
    if found is None:
        raise RuntimeError(
            f"iron.algorithms.{name} requires an active NPU device. Set one with set_current_device()."
        )
    return found


def _program(name: str, job: Job, suffixes: list[str], grouped: bool) -> Any:
    """The module: a worker for each suffix of the objectFifos' names."""
    device = _device(name)
    block = job.tile_size * len(suffixes)
    if job.elements % block:
        raise ValueError(
            f"{job.elements} elements cannot be divided into tiles of {block}; "
            "choose another tile_size or pad the tensors"
        )
    tile = job.vector(job.tile_size)
    params = {i: ObjectFifo(_array_type(p), name=f"param{i}") for i, p in job.fifo_params()}
    share = job.elements // len(suffixes)
    names = ["in" if job.in_place else f"in{i}" for i in range(job.inputs)]
    parts = []
    for k, suffix in enumerate(suffixes):
        inputs = [ObjectFifo(tile, name=f"{name}{suffix}") for name in names]
        output = ObjectFifo(tile, name=f"out{suffix}")
        handles = [fifo.cons() for fifo in (*inputs, *params.values())]
        worker = Worker(
            _core(job, share // job.tile_size),
            [*handles, output.prod(), job.func],
            trace=1 if job.trace_size else None,
        )
        tap = None
        if grouped:
            tap = TensorAccessPattern((1, job.elements), share * k, [1, 1, 1, share], [0, 0, 0, 1])
        parts.append(Part([fifo.prod() for fifo in inputs], output.cons(), worker, tap))
    types = [job.vector(job.elements)] * (job.output + 1) + [fifo.obj_type for fifo in params.values()]
    transfers = _HostTransfers(job, parts, [fifo.prod() for fifo in params.values()], grouped)
    return (_third if generation.is_third() else _older)(device, types, transfers)


class _HostTransfers(NamedTuple):
    """What the runtime's program moves: the inputs of all workers, the parameters, the outputs.

    `grouped`: inputs and outputs are awaited together.
    """

    job: Job
    workers: list[Part]
    params: list[Any]  # sides of objectFifos that are filled once
    grouped: bool

    def handles(self) -> list[Any]:
        """The sides of all objectFifos: those that are filled, then those that are drained."""
        fills = [handle for part in self.workers for handle in part.inputs]
        return [*fills, *self.params, *(part.output for part in self.workers)]

    def start(self, arguments: Sequence[Any], move: Any, new_group: Any, finish: Any) -> None:
        """Starts them by `move(handle, data, tap, group, is_drain)`."""
        group = new_group() if self.grouped else None
        for part in self.workers:
            for handle, data in zip(part.inputs, arguments):
                move(handle, data, part.tap, group, False)
        if self.grouped:
            finish(group)
        for handle, data in zip(self.params, arguments[self.job.output + 1 :]):
            move(handle, data, None, None, False)
        group = new_group() if self.grouped else None
        for part in self.workers:
            move(part.output, arguments[self.job.output], part.tap, group, True)
        if self.grouped:
            finish(group)


def _older(device: Any, types: list[Any], transfers: _HostTransfers) -> Any:
    rt = BlockRuntime()

    def move(handle: Any, data: Any, tap: Any, group: Any, is_drain: bool) -> None:
        (rt.drain if is_drain else rt.fill)(handle, data, tap, group, is_drain)

    with rt.sequence(*types) as given:
        rt.start(*[part.worker for part in transfers.workers])
        arguments = given if isinstance(given, tuple) else (given,)
        transfers.start(arguments, move, rt.task_group, rt.finish_task_group)
    return Program(device, rt).resolve_program()


def _third(device: Any, types: list[Any], transfers: _HostTransfers) -> Any:
    def move(handle: Any, data: Any, tap: Any, group: Any, is_drain: bool) -> None:
        (handle.drain if is_drain else handle.fill)(data, tap, is_drain, group=group)

    def sequence(*given: Any) -> None:
        transfers.start(given[: len(types)], move, TaskGroup, TaskGroup.finish)

    rt = SequenceRuntime(sequence, [*types, *transfers.handles()])
    program = Program(device, rt, workers=[part.worker for part in transfers.workers])
    if transfers.job.trace_size:
        program.enable_trace(transfers.job.trace_size)
    return program.resolve_program()


def _named(
    name: str, given: tuple[Any, ...], wanted: tuple[str, ...], options: dict[str, Any]
) -> tuple[Any, ...]:
    """The tensors of an algorithm, by place or by name. Raises TypeError for another name, as Python does."""
    found = list(given)
    names = ("tensor_ty",) if generation.is_third() else wanted
    for word in names[len(found) :]:
        if word not in options:
            raise TypeError(f"{name}() missing 1 required positional argument: {word!r}")
        found.append(options.pop(word))
    for word in options:
        raise TypeError(f"{name}() got an unexpected keyword argument {word!r}")
    return tuple(found)


def _apply(
    name: str, tensors: tuple[str, ...], func: Any, given: tuple[Any, ...], named: dict[str, Any],
    channels: int | None = None, **fields: Any,
) -> Any:  # fmt: skip
    """The module of an algorithm: by one worker, or with `channels` for each column by so many.

    Args:
        name: of the algorithm.
        tensors: names of its tensors in the older generations, the output last.
        func: what is applied.
        given: tensors and parameters.
        named: those of them that were given by name.
        channels: workers of a column.
        fields: the job's.
    """
    values = _named(name, given, tensors, named)
    count = 1 if generation.is_third() else len(tensors)
    params = values[count:]
    if channels not in (None, 1, 2) or (channels == 2 and params):
        raise ValueError(f"num_channels must be 1, or 2 without params, got {channels}")
    job = _job(name, func, values[:count], params=params, **fields)
    if channels is None:
        return _program(name, job, [""], False)
    columns = range(_device(name).cols)
    suffixes = [f"_{c}" if channels == 1 else f"_{c}_{k}" for c in columns for k in range(channels)]
    return _program(name, job, suffixes, True)


_UNARY, _BINARY = ("input", "output"), ("first", "second", "output")


def transform(func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, **named: Any) -> Any:
    """out = func(in). Older: `(func, input, output, *params)`; summer 2026: `(func, tensor_ty, *params)`."""
    return _apply(
        "transform", _UNARY, func, given, named, inputs=1, tile_size=tile_size, trace_size=trace_size
    )


def transform_binary(func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, **named: Any) -> Any:
    """out = func(first, second). Older: `(func, first, second, output)`; summer 2026: `(func, tensor_ty)`."""
    return _apply(
        "transform_binary", _BINARY, func, given, named, inputs=2, tile_size=tile_size, trace_size=trace_size
    )


def transform_parallel(
    func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, num_channels: int = 1,
    pass_size_to_kernel: bool = True, **named: Any,
) -> Any:  # fmt: skip
    """As `transform`, with a worker for each column of the device."""
    return _apply(
        "transform_parallel", _UNARY, func, given, named, num_channels, inputs=1, tile_size=tile_size,
        trace_size=trace_size, pass_size=pass_size_to_kernel,
    )  # fmt: skip


def transform_parallel_binary(
    func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, num_channels: int = 1,
    pass_size_to_kernel: bool = True, **named: Any,
) -> Any:  # fmt: skip
    """As `transform_binary`, with a worker for each column of the device."""
    return _apply(
        "transform_parallel_binary", _BINARY, func, given, named, num_channels, inputs=2, tile_size=tile_size,
        trace_size=trace_size, pass_size=pass_size_to_kernel,
    )  # fmt: skip


def for_each(func: Any, *given: Any, tile_size: int = 16, **named: Any) -> Any:
    """tensor = func(tensor). Older: `(func, tensor, *params)`; summer 2026: `(func, tensor_ty, *params)`."""
    return _apply("for_each", ("tensor",), func, given, named, inputs=1, tile_size=tile_size, in_place=True)
