"""The runtime's program of the older generations: `with rt.sequence(types) as arguments: rt.fill(…)`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.types import OfArrays
from npuninja.python_designs.dialects.aiex import (
    dma_await_task,
    dma_free_task,
    dma_start_task,
    runtime_sequence,
    shim_dma_single_bd_task,
)
from npuninja.python_designs.iron.buffer import Buffer
from npuninja.python_designs.iron.device import SHIM, AnyShimTile, Tile, tile_of_kind
from npuninja.python_designs.iron.lists import flatten_fn_args
from npuninja.python_designs.iron.object_fifo_handle import ObjectFifoHandle
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoEndpoint
from npuninja.python_designs.iron.resolvable import HasOperation
from npuninja.python_designs.iron.worker import Worker, WorkerRuntimeBarrier
from npuninja.python_designs.taplib.pattern import TensorAccessPattern
from npuninja.python_designs.taplib.tiler import TensorTiler2D


class RuntimeData(OfArrays, HasOperation):
    """An argument of the runtime's program."""

    def __init__(self, arr_type: Any) -> None:
        self.arr_type = arr_type

    @property
    def obj_type(self) -> Any:
        """Its array type."""
        return self.arr_type

    def __str__(self) -> str:
        return f"RuntimeData({self.arr_type})"

    def default_tap(self) -> TensorAccessPattern:
        """The whole of it, in order."""
        tap: TensorAccessPattern = TensorTiler2D.simple_tiler(self.shape)[0]
        return tap


class RuntimeEndpoint(ObjectFifoEndpoint):
    """The host's end of an objectFifo, on a shim tile."""

    def __init__(self, tile: Tile | None = AnyShimTile) -> None:
        kinds = " (ShimNOCTile or ShimPLTile)" if generation.is_third() else ""
        found = tile_of_kind(
            tile, SHIM, f"the host's end of an objectFifo (RuntimeEndpoint) is on a shim tile{kinds}"
        )
        super().__init__(found.copy() if found is tile else found)  # ends never share a tile

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuntimeEndpoint) and (self._tile.col, self._tile.row) == (
            other._tile.col,
            other._tile.row,
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"RuntimeEndpoint({self._tile})"

    __repr__ = __str__


class RuntimeTaskGroup:
    """Tasks that are awaited and freed together."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return f"TaskGroup({self.number})"

    __repr__ = __str__


def prune_consumers(handles: list[ObjectFifoHandle]) -> None:
    """Keeps one of several equal ends of the host for the consumers of an objectFifo.

    Raises:
        ValueError: they differ.
    """
    for handle in handles:
        if handle._is_prod:
            continue
        fifo = handle._object_fifo
        ends = [c for c in fifo._cons if isinstance(c.endpoint, RuntimeEndpoint)]
        for other in ends[1:]:
            if (other.depth, other.dims_from_stream) != (ends[0].depth, ends[0].dims_from_stream):
                raise ValueError(
                    f"the host drains {fifo} by handles of different depths or dimensions: "
                    "use one handle for all of them"
                )
            fifo._cons.remove(other)


class _Transfer:
    """A fill or a drain."""

    def __init__(
        self, handle: ObjectFifoHandle, data: RuntimeData, tap: TensorAccessPattern, group: Any, wait: bool
    ) -> None:
        self.handle, self.data, self.tap, self.group, self.wait = handle, data, tap, group, wait
        self.task: Any = None

    def resolve(self) -> None:
        self.task = shim_dma_single_bd_task(self.handle.op, self.data.op, tap=self.tap, issue_token=self.wait)
        dma_start_task(self.task)


class _Handles(list[ObjectFifoHandle]):
    """Sides of objectFifos in the order of their use. Designs add some that they neither fill nor drain."""

    def add(self, handle: ObjectFifoHandle) -> None:
        """Appends one that is not there yet."""
        if handle not in self:
            self.append(handle)


class BlockRuntime:
    """The program the host runs, as a list of steps made inside `with rt.sequence(…)`."""

    def __init__(self, strict_task_groups: bool = True) -> None:
        self._strict = strict_task_groups
        self._data: list[RuntimeData] = []
        self._steps: list[Any] = []
        self._fifos = _Handles()
        self._workers: list[Worker] = []
        self._open: list[RuntimeTaskGroup] = []
        self._group_count = 0
        self.trace: dict[str, Any] | None = None

    @contextmanager
    def sequence(self, *input_types: Any) -> Iterator[Any]:
        """The arguments of the program; one alone is no tuple."""
        self._data = [RuntimeData(t) for t in input_types]
        yield self._data[0] if len(self._data) == 1 else tuple(self._data)
        if self._open:
            raise ValueError(
                f"{', '.join(map(str, self._open))} still open at the end of the sequence: "
                "call finish_task_group() for each"
            )
        prune_consumers(self._fifos)

    def task_group(self) -> RuntimeTaskGroup:
        """A new group of tasks."""
        group = RuntimeTaskGroup(self._group_count)
        self._group_count += 1
        self._open.append(group)
        return group

    def finish_task_group(self, task_group: RuntimeTaskGroup) -> None:
        """Awaits and frees the tasks of a group, here."""
        self._open.remove(task_group)
        self._steps.append(task_group)

    def fill(self, in_fifo: ObjectFifoHandle, source: Any, *options: Any, **named: Any) -> None:
        """Sends data of the host into an objectFifo; for the options see `_transfer`."""
        self._transfer("Source", in_fifo, source, *options, **named)

    def drain(self, out_fifo: ObjectFifoHandle, dest: Any, *options: Any, **named: Any) -> None:
        """Takes data out of an objectFifo; for the options see `_transfer`."""
        self._transfer("Destination", out_fifo, dest, *options, **named)

    def _transfer(
        self,
        word: str,
        handle: ObjectFifoHandle,
        data: Any,
        tap: TensorAccessPattern | None = None,
        task_group: Any = None,
        wait: bool = False,
        tile: Tile | None = AnyShimTile,
        *,
        placement: Tile | None = None,
    ) -> None:
        """A fill or drain.

        Args:
            word: what `data` is, for messages.
            handle: the objectFifo's side.
            data: one of the sequence's arguments.
            tap: which elements, in which order; None: all in order.
            task_group: its group; None: it is by itself.
            wait: whether its end is awaited.
            tile: the shim tile it goes through.
            placement: the same, as it was called in 2025.
        """
        if data not in self._data:
            raise ValueError(f"{word} {data} is no argument of this runtime's sequence(): use what it yields")
        handle.endpoint = RuntimeEndpoint(placement or tile)
        self._fifos.add(handle)
        tap = data.default_tap() if tap is None else tap
        self._steps.append(_Transfer(handle, data, tap, task_group, wait))

    def start(self, *args: Worker) -> None:
        """Starts workers, in order."""
        for worker in args:
            if not isinstance(worker, Worker):
                raise ValueError(f"start() takes Workers, not {worker!r}")
            self._workers.append(worker)

    def inline_ops(self, inline_func: Callable[..., Any], inline_args: list[Any]) -> None:
        """Runs a function that makes operations, at this place of the program."""
        self._steps.append((inline_func, inline_args))

    def set_barrier(self, barrier: WorkerRuntimeBarrier, value: int) -> None:
        """Adds a step that sets the barrier's locks in all workers that wait for it."""
        self._steps.append((barrier.set, [value]))

    def enable_trace(self, trace_size: int | None = None, *arguments: Any, **options: Any) -> None:
        """Has events traced; see `tracing`."""
        names = [
            "workers",
            "ddr_id",
            "coretile_events",
            "coremem_events",
            "memtile_events",
            "shimtile_events",
        ]
        if generation.is_first():
            names = ["trace_offset", *(name for name in names if name != "coremem_events")]
        given = {**dict(zip(names, arguments)), **options}
        self.trace = {"trace_size": trace_size, **given}

    @property
    def workers(self) -> list[Worker]:
        """The workers that are started."""
        return list(self._workers)

    @property
    def fifos(self) -> list[ObjectFifoHandle]:
        """The objectFifos' sides that are filled or drained."""
        return list(self._fifos)

    def resolve(
        self, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
    ) -> None:
        """Makes the runtime sequence, with operations of a trace before and after its own."""

        @runtime_sequence(*(d.arr_type for d in self._data))
        def sequence(*arguments: Any) -> None:
            if before is not None:
                before()
            for data, argument in zip(self._data, arguments):
                data.op = argument
            self._resolve_steps()
            if after is not None:
                after()

    def _step(self, step: Any) -> None:
        if isinstance(step, _Transfer):
            step.resolve()
        elif isinstance(step, tuple):
            function, arguments = step
            for argument in flatten_fn_args(arguments):
                if isinstance(argument, Buffer) and not generation.is_first():
                    argument.resolve()
            function(*arguments)

    def _resolve_steps(self) -> None:
        """Autumn 2025: a task without a group that waits is awaited at once, and those before it are freed.
        Spring 2026: tasks without a group are awaited, then freed, at the end.
        """
        is_first = generation.is_first()
        groups: dict[RuntimeTaskGroup | None, list[_Transfer]] = {}
        has_groups = False
        for step in self._steps:
            if isinstance(step, RuntimeTaskGroup):
                _finish(groups.pop(step, []))
                continue
            self._step(step)
            if isinstance(step, _Transfer):
                has_groups |= step.group is not None
                groups.setdefault(step.group, []).append(step)
                if is_first and step.group is None and step.wait:
                    _finish(groups.pop(None))
        if is_first:
            return
        ungrouped = groups.get(None, [])
        if self._strict and has_groups and ungrouped:
            raise Exception(
                "some transfers have a task group and others have none: give one to "
                f"{[t.handle.name for t in ungrouped]} too, "
                "or build the Runtime with strict_task_groups=False"
            )
        _finish(ungrouped)


def _finish(tasks: list[_Transfer]) -> None:
    for task in tasks:
        if task.wait:
            dma_await_task(task.task)
    for task in tasks:
        if not task.wait:
            dma_free_task(task.task)
