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
from npuninja.python_designs.host.devices import get_current_device
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


def _job(
    name: str, func: Any, tensors: Sequence[Any], params: tuple[Any, ...], options: dict[str, Any]
) -> Job:
    """Reads what an algorithm was given: tensors (the last is the output), or one array type for all of them."""
    tile_size = options.get("tile_size", 16)
    shapes, dtypes = [], []
    for given in tensors:
        if generation.is_third() and not is_array_type(given):
            raise TypeError(
                f"{name} expects a numpy ndarray type such as np.ndarray[(1024,), np.dtype[np.int32]], got {given!r}"
            )
        array = _array_type(given)
        shapes.append(np_ndarray_type_get_shape(array))
        dtypes.append(np_ndarray_type_get_dtype(array))
    for i, (shape, dtype) in enumerate(zip(shapes, dtypes)):
        if shape != shapes[0]:
            raise ValueError(f"Tensor {i} shape {shape} doesn't match expected {shapes[0]}")
        if dtype != dtypes[0]:
            raise ValueError(f"Tensor {i} dtype {dtype} doesn't match expected {dtypes[0]}")
    if isinstance(func, ExternalFunction) and func.tile_size() != tile_size:
        raise ValueError(
            f"tile_size ({tile_size}) does not match ExternalFunction's input/output shape in arg_type"
        )
    return Job(
        func, int(np.prod(shapes[0])), dtypes[0], options["inputs"], params, tile_size,
        options.get("pass_size", True), options.get("trace_size", 0),
    )  # fmt: skip


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
    """One worker with its objectFifos, and the part of the tensors that it works on."""

    inputs: list[ObjectFifo]
    output: ObjectFifo
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
            f"Number of elements ({job.elements}) must be a multiple of tile size ({block})" + "." * grouped
        )
    tile = job.vector(job.tile_size)
    params = [(i, ObjectFifo(_array_type(p), name=f"param{i}")) for i, p in job.fifo_params()]
    share = job.elements // len(suffixes)
    parts = []
    ins = [[ObjectFifo(tile, name=f"in{i}{s}") for s in suffixes] for i in range(job.inputs)]
    outs = [ObjectFifo(tile, name=f"out{s}") for s in suffixes]
    for k in range(len(suffixes)):
        inputs = [fifos[k] for fifos in ins]
        handles = [f.cons() for f in inputs] + [f.cons() for _, f in params] + [outs[k].prod(), job.func]
        worker = Worker(_core(job, share // job.tile_size), handles, trace=1 if job.trace_size else None)
        tap = (
            TensorAccessPattern((1, job.elements), share * k, [1, 1, 1, share], [0, 0, 0, 1])
            if grouped
            else None
        )
        parts.append(Part(inputs, outs[k], worker, tap))
    whole = job.vector(job.elements)
    types = [whole] * (job.inputs + 1) + [fifo.obj_type for _, fifo in params]
    sequence = _third if generation.is_third() else _older
    return sequence(device, job, parts, [fifo for _, fifo in params], types, grouped)


def _older(
    device: Any, job: Job, parts: list[Part], params: list[ObjectFifo], types: list[Any], grouped: bool
) -> Any:
    rt = BlockRuntime()
    with rt.sequence(*types) as arguments:
        rt.start(*[part.worker for part in parts])
        group = rt.task_group() if grouped else None
        for part in parts:
            for fifo, data in zip(part.inputs, arguments):
                rt.fill(fifo.prod(), data, part.tap, task_group=group)
        if group is not None:
            rt.finish_task_group(group)
        for fifo, data in zip(params, arguments[job.inputs + 1 :]):
            rt.fill(fifo.prod(), data)
        group = rt.task_group() if grouped else None
        for part in parts:
            rt.drain(part.output.cons(), arguments[job.inputs], part.tap, wait=True, task_group=group)
        if group is not None:
            rt.finish_task_group(group)
    return Program(device, rt).resolve_program()


def _third(
    device: Any, job: Job, parts: list[Part], params: list[ObjectFifo], types: list[Any], grouped: bool
) -> Any:
    fills = [[fifo.prod() for fifo in part.inputs] for part in parts]
    drains = [part.output.cons() for part in parts]
    param_fills = [fifo.prod() for fifo in params]

    def sequence(*arguments: Any) -> None:
        group = TaskGroup() if grouped else None
        for part, handles in zip(parts, fills):
            for handle, data in zip(handles, arguments):
                handle.fill(data, part.tap, group=group)
        if group is not None:
            group.finish()
        for handle, data in zip(param_fills, arguments[job.inputs + 1 :]):
            handle.fill(data)
        group = TaskGroup() if grouped else None
        for part, handle in zip(parts, drains):
            handle.drain(arguments[job.inputs], part.tap, wait=True, group=group)
        if group is not None:
            group.finish()

    handles = [*(h for listed in fills for h in listed), *param_fills, *drains]
    rt = SequenceRuntime(lambda *given: sequence(*given[: len(types)]), [*types, *handles])
    program = Program(device, rt, workers=[part.worker for part in parts])
    if job.trace_size:
        program.enable_trace(job.trace_size)
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


def transform(func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, **named: Any) -> Any:
    """output = func(input). Older: `(func, input, output, *params)`; summer 2026: `(func, tensor_ty, *params)`."""
    input, *rest = _named("transform", given, ("input", "output"), named)
    count = 0 if generation.is_third() else 1
    options = {"tile_size": tile_size, "trace_size": trace_size, "inputs": 1}
    job = _job("transform", func, [input, *rest[:count]], tuple(rest[count:]), options)
    return _program("transform", job, [""], False)


def transform_binary(func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, **named: Any) -> Any:
    """output = func(first, second). Older: `(func, first, second, output)`; summer 2026: `(func, tensor_ty)`."""
    first, *rest = _named("transform_binary", given, ("first", "second", "output"), named)
    count = 0 if generation.is_third() else 2
    options = {"tile_size": tile_size, "trace_size": trace_size, "inputs": 2}
    job = _job("transform_binary", func, [first, *rest[:count]], tuple(rest[count:]), options)
    return _program("transform_binary", job, [""], False)


def _parallel(name: str, inputs: int, func: Any, given: Sequence[Any], options: dict[str, Any]) -> Any:
    count = 1 if generation.is_third() else inputs + 1
    channels = options.pop("num_channels", 1)
    params = tuple(given[count:])
    if channels not in (1, 2) or (channels == 2 and params):
        raise ValueError(f"num_channels must be 1, or 2 without params, got {channels}")
    job = _job(name, func, given[:count], params, {**options, "inputs": inputs})
    columns = range(_device(name).cols)
    if channels == 1:
        suffixes = [f"_{c}" for c in columns]
    else:
        suffixes = [f"_{c}_{k}" for c in columns for k in range(channels)]
    return _program(name, job, suffixes, True)


def transform_parallel(
    func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, num_channels: int = 1,
    pass_size_to_kernel: bool = True, **named: Any,
) -> Any:  # fmt: skip
    """As `transform`, with a worker for each column of the device."""
    tensors = _named("transform_parallel", given, ("input", "output"), named)
    options = {
        "tile_size": tile_size, "trace_size": trace_size, "num_channels": num_channels, "pass_size": pass_size_to_kernel,
    }  # fmt: skip
    return _parallel("transform_parallel", 1, func, tensors, options)


def transform_parallel_binary(
    func: Any, *given: Any, tile_size: int = 16, trace_size: int = 0, num_channels: int = 1,
    pass_size_to_kernel: bool = True, **named: Any,
) -> Any:  # fmt: skip
    """As `transform_binary`, with a worker for each column of the device."""
    tensors = _named("transform_parallel_binary", given, ("first", "second", "output"), named)
    options = {
        "tile_size": tile_size, "trace_size": trace_size, "num_channels": num_channels, "pass_size": pass_size_to_kernel,
    }  # fmt: skip
    return _parallel("transform_parallel_binary", 2, func, tensors, options)


def for_each(func: Any, *given: Any, tile_size: int = 16, **named: Any) -> Any:
    """tensor = func(tensor), in place. Older: `(func, tensor, *params)`; summer 2026: `(func, tensor_ty, *params)`."""
    tensor, *params = _named("for_each", given, ("tensor",), named)
    job = _job("for_each", func, [tensor], tuple(params), {"tile_size": tile_size, "inputs": 1})
    device = _device("for_each")
    if job.elements % tile_size:
        raise ValueError(f"Number of elements ({job.elements}) must be a multiple of tile size ({tile_size})")
    tile, whole = job.vector(tile_size), job.vector(job.elements)
    source, result = ObjectFifo(tile, name="in"), ObjectFifo(tile, name="out")
    param_fifos = [ObjectFifo(_array_type(p), name=f"param{i}") for i, p in job.fifo_params()]
    handles = [source.cons(), *(f.cons() for f in param_fifos), result.prod(), func]
    worker = Worker(_core(job, job.elements // tile_size), handles)
    types = [whole, *(f.obj_type for f in param_fifos)]
    if not generation.is_third():
        rt = BlockRuntime()
        with rt.sequence(*types) as given:
            arguments = given if isinstance(given, tuple) else (given,)
            rt.start(worker)
            rt.fill(source.prod(), arguments[0])
            for fifo, data in zip(param_fifos, arguments[1:]):
                rt.fill(fifo.prod(), data)
            rt.drain(result.cons(), arguments[0], wait=True)
        return Program(device, rt).resolve_program()
    fill, drain = source.prod(), result.cons()

    def sequence(data: Any, *_: Any) -> None:
        fill.fill(data)
        drain.drain(data, wait=True)

    newer = SequenceRuntime(sequence, [whole, fill, drain])
    return Program(device, newer, workers=[worker]).resolve_program()
