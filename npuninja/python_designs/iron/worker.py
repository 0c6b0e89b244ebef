"""Workers: the programs of cores; and barriers between them and the runtime's program."""

from __future__ import annotations

import sys
from typing import Any, Callable, Iterator

from npuninja.python_designs.construct import generation
from npuninja.python_designs.dialects.aie_enums import LockAction
from npuninja.python_designs.dialects.aie_memory import lock, use_lock
from npuninja.python_designs.dialects.aie_tiles import core
from npuninja.python_designs.dialects.aiex import set_lock
from npuninja.python_designs.dialects.scf import range_
from npuninja.python_designs.iron.buffer import Buffer
from npuninja.python_designs.iron.building_now import cores
from npuninja.python_designs.iron.device import CORE, AnyComputeTile, Tile, tile_of_kind
from npuninja.python_designs.iron.kernel import BaseKernel
from npuninja.python_designs.iron.lists import flatten_fn_args
from npuninja.python_designs.iron.object_fifo import ObjectFifo
from npuninja.python_designs.iron.object_fifo_handle import ObjectFifoHandle
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoEndpoint
from npuninja.python_designs.iron.resolvable import Resolvable


def _nothing(*_: Any) -> None:
    for _i in range_(sys.maxsize):
        pass


class Worker(ObjectFifoEndpoint, Resolvable):
    """A core's program: a Python function that builds it, and what the function works on."""

    def __init__(
        self,
        core_fn: Callable[..., Any] | None,
        fn_args: list[Any] | None = None,
        tile: Tile | None = AnyComputeTile,
        while_true: bool = True,
        stack_size: int | None = None,
        allocation_scheme: str | None = None,
        trace: int | None = None,
        trace_events: list[Any] | None = None,
        dynamic_objfifo_lowering: bool | None = None,
        *,
        placement: Tile | None = None,
    ) -> None:
        given = placement if placement is not None else tile
        super().__init__(tile_of_kind(given, CORE, "a worker runs on a compute tile"))
        if allocation_scheme:
            self._tile.allocation_scheme = allocation_scheme
        self.allocation_scheme = allocation_scheme
        self._while_true = while_true
        self.stack_size = stack_size
        self.trace = trace
        self.trace_events = trace_events
        self.dynamic_objfifo_lowering = dynamic_objfifo_lowering
        self.core_fn = _nothing if core_fn is None else core_fn
        self.fn_args = list(fn_args or [])
        self.fifos: list[ObjectFifoHandle] = []
        self._buffers: list[Buffer] = []
        self._barriers: list[WorkerRuntimeBarrier] = []
        self.cascades: list[Any] = []
        files: dict[str, None] = {}
        for argument in flatten_fn_args(self.fn_args):
            self._adopt(argument)
            if isinstance(argument, BaseKernel):
                files[argument.bin_name] = None
        self.link_with = next(iter(files), None) if generation.is_first() else None
        if generation.is_first() and len(files) > 1:
            raise ValueError(
                "a worker of autumn 2025 calls functions of one object file, and these are of "
                f"{', '.join(files)}: put them into one file"
            )

    def _adopt(self, argument: Any) -> None:
        """Notes what is the worker's own among its arguments."""
        if isinstance(argument, ObjectFifoHandle):
            argument.endpoint = self
            self.fifos.append(argument)
        elif isinstance(argument, Buffer):
            self._take(argument)
        elif isinstance(argument, ObjectFifo):
            raise ValueError(
                f"a worker works on a side of an ObjectFifo: give it {argument.name}.prod() or .cons()"
            )
        elif isinstance(argument, WorkerRuntimeBarrier):
            self._barriers.append(argument)

    @classmethod
    def grid(cls, rows: int, cols: int, factory: Callable[[int, int], Worker]) -> list[list[Worker]]:
        """`factory(row, column)` for each place of a grid, row by row."""
        return [[factory(row, column) for column in range(cols)] for row in range(rows)]

    @property
    def buffers(self) -> list[Buffer]:
        """The buffers among its arguments."""
        return list(self._buffers)

    def _take(self, given: Buffer) -> None:
        self._buffers.append(given)
        if given._owner_worker is None:
            given._owner_worker = self
        if given.tile is None:
            given.place(self._tile)
            return
        if given.tile is self._tile or given.is_pinned:
            return
        if generation.is_third():
            raise ValueError(
                f"several Workers use buffer '{given.name}', which has no tile of its own: give it one, with "
                "Buffer(tile=...)"
            )
        raise ValueError(
            f"buffer '{given.name}' lies on {given.tile}, and this Worker on {self._tile}; "
            "a buffer has one tile"
        )

    def place(self, tile: Tile) -> None:
        """Puts the worker, and the buffers that are nowhere else, on a tile."""
        before = self._tile
        place = tile.copy()
        place.tile_type = before.tile_type
        place.allocation_scheme = self.allocation_scheme
        self._tile = place
        for given in self._buffers:
            if given.tile is before:
                given.place(place)

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Locks of its barriers, then the core."""
        where = self._tile.op
        for barrier in self._barriers:
            barrier.worker_locks.append(lock(where))
        options: dict[str, Any] = {"stack_size": self.stack_size}
        if self.link_with is not None:
            options["link_with"] = self.link_with
        if self.dynamic_objfifo_lowering is not None:
            options["dynamic_objfifo_lowering"] = self.dynamic_objfifo_lowering
        cores.append(where)
        try:

            @core(where, **options)
            def program() -> None:
                for _ in self._rounds():
                    self.core_fn(*self.fn_args)

        finally:
            cores.pop()

    def _rounds(self) -> Iterator[Any]:
        if self._while_true:
            return range_(sys.maxsize)
        return range_(1) if generation.is_third() else iter(range(1))

    def __str__(self) -> str:
        return f"Worker({self._tile})"


class WorkerRuntimeBarrier:
    """A lock of each worker that has it, which the runtime's program sets."""

    def __init__(self, initial_value: int = 0) -> None:
        self.initial_value = initial_value
        self.worker_locks: list[Any] = []

    def _last(self) -> Any:
        if not self.worker_locks:
            raise ValueError(
                "this barrier belongs to no worker yet: give it to one, in the arguments of Worker(fn, [...])"
            )
        return self.worker_locks[-1]

    def wait_for_value(self, value: int) -> None:
        """In a worker: waits until the barrier has exactly this value."""
        use_lock(self._last(), LockAction["Acquire"], value=value)

    def release_with_value(self, value: int) -> None:
        """In a worker: adds to the barrier."""
        use_lock(self._last(), LockAction["Release"], value=value)

    def set(self, value: int) -> None:
        """In the runtime's program: sets the lock of each worker."""
        for each in self.worker_locks:
            set_lock(each, value)
