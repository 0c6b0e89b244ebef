"""The runtime's program of summer 2026: a function that is run once and builds the sequence."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from npuninja.python_designs.compiling import wants_load_pdi
from npuninja.python_designs.construct.operations import make
from npuninja.python_designs.construct.types import is_array_type, is_scalar_type, mlir_type, type_of
from npuninja.python_designs.construct.values import constant
from npuninja.python_designs.dialects.aiex import (
    dma_await_task,
    dma_free_task,
    dma_start_task,
    runtime_sequence,
    shim_dma_single_bd_task,
)
from npuninja.python_designs.iron.building_now import IronRuntimeError, current_runtime, runtimes
from npuninja.python_designs.iron.lists import flatten_fn_args
from npuninja.python_designs.iron.object_fifo_handle import ObjectFifoHandle
from npuninja.python_designs.iron.routing import AddedParts
from npuninja.python_designs.iron.runtime import RuntimeData, RuntimeEndpoint, prune_consumers
from npuninja.python_designs.iron.scratchpad import ScratchpadParameter


class Task:
    """A transfer that was started."""

    def __init__(self, handle: Any, waits: bool) -> None:
        self.handle = handle
        self.waits = waits

    def await_(self) -> None:
        """Waits for its end."""
        dma_await_task(self.handle)

    def free(self) -> None:
        """Gives its descriptors back."""
        dma_free_task(self.handle)

    def carried(self, value: Any) -> Task:
        """The same task as a loop's carried value."""
        return Task(value, self.waits)

    @property
    def ir(self) -> Any:
        """Its value."""
        return self.handle.result.ir if hasattr(self.handle, "result") else self.handle.ir


class TaskGroup:
    """Transfers that are awaited and freed together."""

    def __init__(self) -> None:
        runtime = current_runtime()
        runtime.group_count += 1
        self.number = runtime.group_count
        self.tasks: list[Task] = []
        self._runtime = runtime
        runtime.open_groups.append(self)

    def finish(self) -> None:
        """Awaits those that wait, in order, then frees all."""
        if self in self._runtime.open_groups:
            self._runtime.open_groups.remove(self)
        _finish(self.tasks)
        self.tasks = []

    def __str__(self) -> str:
        return f"TaskGroup({self.number})"

    __repr__ = __str__


def _finish(tasks: list[Task]) -> None:
    for task in tasks:
        if task.waits:
            dma_await_task(task.handle)
    for task in tasks:
        dma_free_task(task.handle)


class SequenceRuntime:
    """`Runtime(function, arguments)`: array and scalar types become the sequence's arguments."""

    def __init__(
        self, seq_fn: Callable[..., Any], fn_args: Any = None, *, strict_task_groups: bool = True
    ) -> None:
        self.seq_fn = seq_fn
        self.fn_args = list(fn_args or [])
        self._strict = strict_task_groups
        self.added = AddedParts()
        self.late_parameters: list[ScratchpadParameter] = []
        self.group_count = 0
        self.open_groups: list[TaskGroup] = []
        self.ungrouped: list[Task] = []
        self.has_groups = False
        self.trace: dict[str, Any] | None = None
        self.workers: list[Any] = []
        self.fifos: list[ObjectFifoHandle] = []
        for argument in flatten_fn_args(self.fn_args):
            if isinstance(argument, ObjectFifoHandle):
                argument.endpoint = RuntimeEndpoint(argument.shim_tile)
                if argument not in self.fifos:
                    self.fifos.append(argument)

    def add_flow(self, flow: Any) -> None:
        """Adds a flow to the device."""
        self.added.flows.append(flow)

    def add_lock(self, lock: Any) -> None:
        """Adds a lock to the device."""
        self.added.locks.append(lock)

    def add_tile_dma(self, tile_dma: Any) -> None:
        """Adds a DMA program to the device."""
        self.added.dmas.append(tile_dma)

    def must_know(self, handle: ObjectFifoHandle) -> None:
        """Raises IronRuntimeError for an objectFifo that is not in the device."""
        if handle._object_fifo._op is None:
            raise IronRuntimeError(
                f"objectFifo {handle.name} is not in the device: put its handle into the list given to "
                "Runtime(seq_fn, [...]) or to a Worker"
            )

    def transfer(
        self,
        handle: ObjectFifoHandle,
        data: Any,
        tap: Any = None,
        wait: bool = False,
        packet: Any = None,
        offset_parameter: Any = None,
        group: TaskGroup | None = None,
        sizes: Any = None,
        strides: Any = None,
        offset: Any = None,
        transfer_len: Any = None,
        managed: bool = True,
    ) -> Task:
        """A fill or drain, started at once.

        Args:
            handle: the objectFifo's side; what follows is what `fill` and `drain` of it are given.
            data: one of the arguments of the runtime's function.
            tap: which elements, in which order; or `sizes`, `strides`, `offset`, `transfer_len`, in elements.
                Without either: all of them in order.
            wait: whether the end can be waited for.
            packet: (type, id) of the packets' header.
            offset_parameter: a `ScratchpadParameter`, or its name, that is added to the offset.
            group: what awaits and frees it; without one the end of the sequence does.
            managed: False: the design does that itself.
        """
        if not isinstance(data, RuntimeData):
            raise ValueError(
                f"the host's side of a transfer is an argument of the runtime's function, got {data}"
            )
        if not managed and group is not None:
            raise ValueError(
                "a transfer is in a group or managed by the design: leave out group= or managed=False"
            )
        pattern = {"sizes": sizes, "strides": strides, "offset": offset, "transfer_len": transfer_len}
        given = any(part is not None for part in pattern.values())
        if tap is not None and given:
            raise ValueError(
                f"a transfer has a pattern (tap=) or {', '.join(pattern)}; leave out one of them"
            )
        if tap is None and not given:
            tap = data.default_tap()
        self.must_know(handle)
        op = shim_dma_single_bd_task(
            handle.name, data.op, tap=tap, issue_token=wait, packet=packet,
            offset_parameter=self._parameter(offset_parameter), **pattern,
        )  # fmt: skip
        dma_start_task(op)
        task = Task(op.result, wait)
        if managed:
            (self.ungrouped if group is None else group.tasks).append(task)
            self.has_groups |= group is not None
        return task

    def _parameter(self, given: Any) -> Any:
        """The name of a scratchpad parameter, which is declared after the device."""
        if not isinstance(given, ScratchpadParameter):
            return given
        if given not in self.late_parameters:
            self.late_parameters.append(given)
        return given.name

    def resolve(
        self, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
    ) -> None:
        """Makes the runtime sequence."""
        types = [mlir_type(a) for a in self.fn_args if is_array_type(a) or is_scalar_type(a)]

        @runtime_sequence(*types, sym_name="sequence")
        def sequence(*arguments: Any) -> None:
            if wants_load_pdi():
                make("aiex.npu.load_pdi", [], {"device_ref": "main"})
            if before is not None:
                before()
            self._run(list(arguments))
            if after is not None:
                after()

    def _run(self, values: list[Any]) -> None:
        given = []
        for argument in self.fn_args:
            if is_array_type(argument):
                data = RuntimeData(argument)
                data.op = values.pop(0)
                given.append(data)
            elif is_scalar_type(argument):
                given.append(values.pop(0))
            elif isinstance(argument, (int, np.integer)) and not isinstance(argument, bool):
                given.append(constant(int(argument), type=type_of("i32")))
            else:
                given.append(argument)
        runtimes.append(self)
        try:
            self.seq_fn(*given)
        finally:
            runtimes.pop()
        if self.open_groups:
            raise IronRuntimeError(
                f"{', '.join(map(str, self.open_groups))} still open at the end of the sequence: "
                "call finish() for each"
            )
        if self._strict and self.has_groups and self.ungrouped:
            raise IronRuntimeError(
                "some transfers have a task group and others have none: give one to each, "
                "or build the Runtime with strict_task_groups=False"
            )
        _finish(self.ungrouped)
        prune_consumers(self.fifos)
