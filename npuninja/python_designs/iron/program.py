"""A program: device, workers and the runtime's program become a module."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.insertion import mlir_mod_ctx
from npuninja.python_designs.dialects.aie_tiles import device
from npuninja.python_designs.dialects.func import FuncBase
from npuninja.python_designs.iron.lists import flatten_fn_args
from npuninja.python_designs.iron.placer import Placer
from npuninja.python_designs.iron.resolvable import Resolvable
from npuninja.python_designs.iron.worker import Worker


class Program:
    """What runs on a device."""

    def __init__(self, device: Any, rt: Any, workers: list[Any] | None = None) -> None:
        if device is None:
            raise ValueError(
                "this Program has no device: give it one, "
                "or choose one with iron.set_current_device(...) or --device"
            )
        self._device = device
        self._rt = rt
        self._workers: list[Worker] | None = None if workers is None else flatten_fn_args(workers)
        self._trace: dict[str, Any] | None = None

    def enable_trace(
        self,
        trace_size: int | None = None,
        workers: Any = None,
        reuse_output_buffer: bool = False,
        coretile_events: Any = None,
        coremem_events: Any = None,
        memtile_events: Any = None,
        shimtile_events: Any = None,
        egress_shim_col: int = 0,
        **options: Any,
    ) -> None:
        """Has events traced; see `tracing`."""
        given = {
            "workers": workers, "reuse_output_buffer": reuse_output_buffer, "coretile_events": coretile_events,
            "coremem_events": coremem_events, "memtile_events": memtile_events, "shimtile_events": shimtile_events,
            "egress_shim_col": egress_shim_col,
        }  # fmt: skip
        self._trace = {"trace_size": trace_size, **{k: v for k, v in given.items() if v}, **options}

    @property
    def workers(self) -> list[Worker]:
        """The workers, in the order of their cores."""
        return self._rt.workers if self._workers is None else [*self._workers, *self._rt.workers]

    def resolve_program(self, placer: Any = None, device_name: str = "main") -> Any:
        """The module. With a placer every part has a place; else the lowering places what has none.

        Raises:
            ValueError: parts do not fit together.
            MLIRError: the module does not verify.
        """
        if isinstance(placer, str):
            placer, device_name = None, placer
        if isinstance(placer, type):
            placer = placer()
        self._device = type(self._device)()
        self._device.physical |= placer is not None
        with mlir_mod_ctx() as ctx:
            self._before_device()

            @device(self._device.resolve(), sym_name=device_name)
            def body() -> None:
                self._resolve(placer)

            self._after_device()
        ctx.module.operation.verify()
        return ctx.module

    def _before_device(self) -> None:
        from npuninja.python_designs.iron.scratchpad import ScratchpadParameter

        for worker in self.workers:
            for argument in flatten_fn_args(worker.fn_args):
                if isinstance(argument, ScratchpadParameter):
                    argument.resolve()

    def _after_device(self) -> None:
        for parameter in getattr(self._rt, "late_parameters", []):
            parameter.resolve()

    def _resolve(self, placer: Placer | None) -> None:
        workers = self.workers
        handles = list(self._rt.fifos)
        for worker in workers:
            handles += [h for h in worker.fifos if h not in handles]
        handles.sort(key=lambda handle: handle.name)
        if placer is not None:
            placer.make_placement(self._device, self._rt, workers, handles)
        self._resolve_tiles(workers, handles)
        for handle in handles:
            handle.resolve()
        added = getattr(self._rt, "added", None)
        if added is not None:
            added.resolve_flows()
        for worker in workers:
            for argument in flatten_fn_args(worker.fn_args):
                if isinstance(argument, FuncBase):
                    argument.emit()
                elif isinstance(argument, Resolvable):
                    argument.resolve()
        for worker in workers:
            worker.resolve()
        if added is not None:
            added.resolve_programs(workers)
        self._resolve_sequence(workers)

    def _resolve_tiles(self, workers: list[Worker], handles: list[Any]) -> None:
        tiles: list[Any] = []
        self._must_be_apart(workers)
        for worker in workers:
            tiles.append(worker.tile)
            if generation.is_third():
                for argument in flatten_fn_args(worker.fn_args):
                    if isinstance(argument, Resolvable) and not hasattr(argument, "all_of_endpoints"):
                        tiles += argument.tiles()
        for handle in handles:
            tiles += [end.tile for end in handle.all_of_endpoints()]
            if handle._object_fifo.delegate_tile is not None:
                tiles.append(handle._object_fifo.delegate_tile)
        added = getattr(self._rt, "added", None)
        if added is not None:
            tiles += added.tiles()
        for worker in workers:
            tiles += [b.tile for b in worker.buffers if b.tile is not None and b.is_pinned]
        for each in tiles:
            self._device.resolve_tile(each)

    def _must_be_apart(self, workers: list[Worker]) -> None:
        if generation.is_third() or self._device.physical:
            return
        taken: set[tuple[int | None, int | None]] = set()
        for worker in workers:
            place = (worker.tile.col, worker.tile.row)
            if worker.tile.is_placed and place in taken:
                raise ValueError(f"two workers are on {worker.tile}, whose core runs one")
            taken.add(place)

    def _resolve_sequence(self, workers: list[Worker]) -> None:
        trace = self._trace or getattr(self._rt, "trace", None)
        if trace is None:
            self._rt.resolve()
            return
        from npuninja.python_designs.tracing.program import traced

        before, after = traced(trace, workers, self._rt)
        self._rt.resolve(before, after)
