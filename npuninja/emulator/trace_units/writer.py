"""After a run: what the trace units saw, sent as their packets to where the stream switches lead them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from npuninja.emulator import layout
from npuninja.emulator.deadlock import lock_symbols
from npuninja.emulator.emulator import Emulator
from npuninja.emulator.event_log import Event
from npuninja.emulator.timing.clocks import model_timeline
from npuninja.emulator.timing.timeline import Mark
from npuninja.emulator.timing.work import Work
from npuninja.emulator.trace_units.packets import frames, packets
from npuninja.emulator.trace_units.seen import seen, segments, unknown
from npuninja.emulator.trace_units.units import TraceUnit, generated, times_of, units_of
from npuninja.formats import txn
from npuninja.records import NamedTuple


class Traced(NamedTuple):
    """The result of a run's trace: how many units sent how many words, and remarks for people."""

    units: int
    words: int
    remarks: tuple[str, ...]


class TraceWriter:
    """Writes the traces of the runs of one design.

    Args:
        count: counts what cores do, in a run of its own, for a stream and the contents of the buffers.
    """

    def __init__(self, count: Callable[[bytes, Sequence[bytes]], Work]) -> None:
        self._count = count
        self.last: Traced | None = None

    def write(self, npu: Emulator, insts: bytes, events: Sequence[Event], arguments: Sequence[bytes]) -> None:
        """Sends the packets of every unit that is on.

        Args:
            npu: at the end of the sequence.
            insts: the stream.
            events: of this run.
            arguments: what the buffers held before it.
        """
        units = units_of(npu.read32, npu.device)
        if not units:
            return
        work = self._count(insts, arguments)
        operations = [o for o in txn.read_txn(insts).operations if not isinstance(o, txn.LoadPdi)]
        symbols = lock_symbols({core.tile: core.info for core in npu.cores()})
        marks = model_timeline(events, operations, work, symbols).marks
        sent, lost = 0, 0
        remarks = []
        for unit in units:
            if unit.mode:
                remarks.append(
                    f"the trace unit of {_name(unit)} is in mode {unit.mode}, which is not emulated"
                )
                continue
            never = unknown(unit)
            if never:
                remarks.append(f"the emulated trace unit of {_name(unit)} never sees {', '.join(never)}")
            for words in self._packets(npu, unit, marks, operations):
                arrived = npu.send_trace(unit.tile, unit.slave, words)
                sent += arrived
                lost += len(words) - arrived
        if lost:
            remarks.append(
                f"{4 * lost} bytes of trace found no room: the buffer is full, or nothing takes them"
            )
        remarks.append("the trace has modelled cycles, not those of an NPU (docs/timing-model.md)")
        self.last = Traced(len(units), sent, tuple(remarks))

    def _packets(
        self, npu: Emulator, unit: TraceUnit, marks: Sequence[Mark], operations: Sequence[object]
    ) -> list[tuple[int, ...]]:
        found = seen(unit, marks, npu.read32)
        instructed = generated(operations, npu.device)
        times = {m.detail: m.start for m in marks if m.what == "write" and m.actor == layout.SEQUENCE_ACTOR}

        def when(event: int) -> list[float]:
            own = [begin for begin, _ in found.get(event, ())]
            return sorted([*own, *times_of(unit, event, instructed, times, npu.read32)])

        starts = when(unit.start)
        if not starts:
            return []
        stops = [at for at in when(unit.stop) if at > starts[0]] if unit.stop else []
        end = stops[0] if stops else max((m.end for m in marks), default=0.0) + 1
        return packets(unit.packet, frames(segments(unit, found, starts[0], end)))


def _name(unit: TraceUnit) -> str:
    column, row = layout.tile_place(unit.tile)
    return f"the {unit.module} module of tile ({column}, {row})"
