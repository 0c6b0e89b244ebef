"""How long a run takes on an NPU, modelled: the arithmetic from what was counted to microseconds.

    run = host call + runtime sequence + start of transfers + filling the pipeline + pipeline + first wait

and the pipeline takes as long as its longest stage, or as DDR needs for its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npuninja.arch.devices import TilePlace
from npuninja.arch.families import FAMILIES
from npuninja.emulator.timing import costs
from npuninja.emulator.timing.band import NOTHING, Band, exactly, largest, total
from npuninja.emulator.timing.stages import PipelineStage, core_part, first_element_cycles, show, stages_of
from npuninja.emulator.timing.work import DEFAULT_TIME_LIMIT_S, Work, count_work, moved_bytes
from npuninja.errors import UserError
from npuninja.records import NamedTuple

#: Every figure of this model carries it.
LABEL = "modelled"


class Term(NamedTuple):
    """One summand of a run: microseconds, and where they come from."""

    name: str
    us: Band
    arithmetic: str


class ModelReport(NamedTuple):
    """A run's modelled time.

    Attributes:
        work: what was counted.
        clock_hz: of the array.
        elements: objects (frames, …) of the run.
        unit: what an element is called.
        stages: tiles and how long they are busy.
        pipeline: the bound: the longest stage, or DDR.
        terms: the other summands of a run.
        run_us: the whole run, the call of the host included.
    """

    work: Work
    clock_hz: float
    elements: int
    unit: str
    stages: tuple[PipelineStage, ...]
    pipeline: Term
    terms: tuple[Term, ...]
    run_us: Band

    @property
    def element_us(self) -> Band:
        """Of one element, everything included."""
        return self.run_us.times(1 / self.elements)

    @property
    def pipeline_element_us(self) -> Band:
        """Of one element in a run that never ends."""
        return self.pipeline.us.times(1 / self.elements)

    def to_json(self) -> dict[str, Any]:
        """The report as data for JSON, with all of its arithmetic."""
        terms = [*self.terms, self.pipeline]
        return {
            "label": LABEL,
            "family": self.work.family,
            "clock_hz": self.clock_hz,
            "elements": self.elements,
            "unit": self.unit,
            "run_us": self.run_us.fields(),
            "element_us": self.element_us.fields(),
            "pipeline_element_us": self.pipeline_element_us.fields(),
            "terms": [{"name": t.name, "us": t.us.fields(), "arithmetic": t.arithmetic} for t in terms],
            "stages": [stage.fields() for stage in self.stages],
            "work": self.work.fields(),
        }


def model(
    xclbin: bytes,
    insts: bytes,
    arguments: Sequence[bytes],
    *,
    clock_hz: float,
    elements: int | None = None,
    unit: str = "element",
    core_cycles: Mapping[TilePlace, Band | float] | None = None,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
) -> ModelReport:
    """Runs a design once on the emulated array, counts, and models the run's time on an NPU.

    To model several clocks, call `count_work` once and `time_work` for each.

    Args:
        xclbin: with wasm cores.
        insts: the instruction stream.
        arguments: what each argument of the sequence holds before the run; of an output only the size counts.
        clock_hz, elements, unit, core_cycles: as in `time_work`.
        time_limit_s: of this machine's time.

    Raises:
        UserError, DeviceError: those of `count_work` and `time_work`.
    """
    work = count_work(xclbin, insts, arguments, time_limit_s=time_limit_s)
    return time_work(work, clock_hz=clock_hz, elements=elements, unit=unit, core_cycles=core_cycles)


def time_work(
    work: Work,
    *,
    clock_hz: float,
    elements: int | None = None,
    unit: str = "element",
    core_cycles: Mapping[TilePlace, Band | float] | None = None,
) -> ModelReport:
    """Models the time of a run.

    Args:
        work: of the run.
        clock_hz: of the array.
        elements: in the run, by default the objects that leave the cores' tiles.
        unit: what an element is called in the report.
        core_cycles: cycles of cores in the whole run without their lock operations, by place, where they are
            known better than from the operations.

    Raises:
        UserError: clock or number of elements is not positive, or no core is at a place of `core_cycles`.
    """
    count = work.elements if elements is None else elements
    if not clock_hz > 0 or count < 1:
        raise UserError(f"{clock_hz:g} Hz and {count} elements were asked for, expected both to be positive")
    known = {place: c if isinstance(c, Band) else exactly(c) for place, c in (core_cycles or {}).items()}
    for place in known:
        if place not in [core.place for core in work.cores]:
            raise UserError(f"cycles were given for core {place}, and the design has none there")
    stages = stages_of(work, clock_hz, known)
    pipeline = _pipeline(work, stages, clock_hz)
    call = Term(
        "call",
        Band(*FAMILIES[work.family].host_call_us),
        f"measured on {work.family}, from the host's call until it returns",
    )
    sequence, wait = _sequence(work), _first_wait(work)
    start, fill = _start(work), _fill(work, known, clock_hz)
    array = total((start.us, fill.us, pipeline.us))
    # At best the array works while the sequence is still being executed.
    together = largest((sequence.us, array))._asdict()
    busy = sequence.us.plus(array)._replace(optimistic=together["optimistic"])
    run_us = total((call.us, busy, wait.us))
    return ModelReport(
        work=work,
        clock_hz=clock_hz,
        elements=count,
        unit=unit,
        stages=stages,
        pipeline=pipeline,
        terms=(call, sequence, start, fill, wait),
        run_us=run_us,
    )


def _pipeline(work: Work, stages: tuple[PipelineStage, ...], clock_hz: float) -> Term:
    """The longest stage, or DDR."""
    us_per_cycle = 1e6 / clock_hz
    cycles = largest(stage.cycles for stage in stages)
    read, written = moved_bytes(work, "MM2S"), moved_bytes(work, "S2MM")
    together = Band(max(read, written), max(read, written), read + written)
    ddr_us = Band(*(amount / rate * 1e6 for amount, rate in zip(together, costs.DDR_BYTES_PER_S)))
    us = largest((cycles.times(us_per_cycle), ddr_us))
    if ddr_us.middle >= us.middle:
        rates = show(costs.DDR_BYTES_PER_S.times(1e-9))
        return Term("pipeline", us, f"DDR: {read} bytes read, {written} written, at {rates} GB/s")
    longest = max(stages, key=lambda stage: stage.cycles.middle)
    busiest = max(longest.actors, key=lambda part: part.cycles.middle)
    text = f"{longest.name}, busiest there: {busiest.name}; {show(cycles)} cycles"
    return Term("pipeline", us, text)


def _sequence(work: Work) -> Term:
    s = work.sequence
    us = total(
        (
            costs.WRITE_US.times(s.writes),
            costs.MASK_WRITE_US.times(s.mask_writes),
            costs.BLOCK_BASE_US.times(s.blocks).plus(costs.BLOCK_WORD_US.times(s.block_words)),
            costs.ADDRESS_PATCH_US.times(s.patches),
            costs.POLL_US.times(s.polls),
            costs.QUEUE_PUSH_US.times(s.pushes),
            costs.LATER_SYNC_US.times(max(s.syncs - 1, 0)),
        )
    )
    counts = {
        "write": s.writes, "masked write": s.mask_writes, "block": s.blocks, "block's word": s.block_words,
        "patch": s.patches, "poll": s.polls, "task push": s.pushes, "later wait": max(s.syncs - 1, 0),
    }  # fmt: skip
    text = ", ".join(f"{what} x {number}" for what, number in counts.items() if number)
    return Term("sequence", us, text)


def _first_wait(work: Work) -> Term:
    return Term(
        "first wait",
        costs.FIRST_SYNC_US if work.sequence.syncs else NOTHING,
        "round trip to the host's controller",
    )


def _start(work: Work) -> Term:
    """The first tasks of the shims, which start side by side."""
    used = {c.direction for c in work.channels if work.kind(c.place) == "shim"}
    us = largest(costs.SHIM_FIRST_TASK_US[direction] for direction in used)
    return Term("start", us, "first task of a shim channel")


def _fill(work: Work, known: Mapping[TilePlace, Band], clock_hz: float) -> Term:
    cores = {core.place: core_part(core, known.get(core.place)).cycles for core in work.cores}
    cycles = first_element_cycles(work, cores)
    phases = work.sequence.phases
    text = f"first object through all tiles: {show(cycles)} cycles"
    if phases > 1:
        text += f", {phases} times, for the sequence waits between transfers"
    return Term("fill", cycles.times(phases * 1e6 / clock_hz), text)
