"""What a report says of a run: timeline, what waits for what, what decides the length, utilisation, roofline.

All cycles are modelled (docs/timing-model.md), on the order of an emulated run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from npuninja.arch.devices import DEVICES
from npuninja.device.issue_profile import ProfiledRun, RunInputs, profile_run
from npuninja.device.manifest import Manifest, read_manifest
from npuninja.device.vectors import make_vectors
from npuninja.emulator import layout
from npuninja.emulator.timing import costs
from npuninja.emulator.timing.clocks import record
from npuninja.emulator.timing.costs import CLOCK_HZ
from npuninja.emulator.timing.timeline import Span, Timeline
from npuninja.emulator.timing.work import Work
from npuninja.errors import Error
from npuninja.records import NamedTuple


class Share(NamedTuple):
    """How much of the run something takes: its name, modelled cycles, and percent of the run."""

    name: str
    cycles: float
    percent: float


class Roofline(NamedTuple):
    """Where the design is between computing and moving.

    Attributes:
        instructions: of all cores, modelled.
        host_bytes: to and from host memory.
        cycles: of the run.
        cores: how many compute.
        bytes_per_cycle: what host memory gives at most.
    """

    instructions: float
    host_bytes: int
    cycles: float
    cores: int
    bytes_per_cycle: float

    @property
    def intensity(self) -> float:
        """Instructions for each byte of host memory."""
        return self.instructions / max(self.host_bytes, 1)

    @property
    def rate(self) -> float:
        """Instructions in a cycle."""
        return self.instructions / max(self.cycles, 1)

    @property
    def roof(self) -> float:
        """The most possible at this intensity: one instruction a core and cycle, or what the bytes allow."""
        return min(float(self.cores), self.intensity * self.bytes_per_cycle)

    @property
    def bound(self) -> str:
        """What the roof is here."""
        return "cores" if self.cores <= self.intensity * self.bytes_per_cycle else "host memory"


class RunFacts(NamedTuple):
    """A run on a page.

    Attributes:
        timeline: of it.
        work: what was counted.
        waits: what waits for what, the longest first.
        critical: what decides the length of the run, by actor.
        utilisation: of every actor.
        roofline: of the design.
        inputs: what the inputs were.
    """

    timeline: Timeline
    work: Work
    waits: tuple[tuple[str, str, float], ...]
    critical: tuple[Share, ...]
    utilisation: tuple[Share, ...]
    roofline: Roofline
    inputs: str


def read_run(manifest_path: str, time_limit_s: float) -> RunFacts | str:
    """The facts of a run, which is done for them; or the reason why there are none.

    Inputs are those of the design's reference where there is one, else random.
    """
    try:
        manifest = read_manifest(manifest_path)
        if manifest.core_kind != "wasm":
            return f"the cores are {manifest.core_kind}; the timing model counts what wasm cores do"
        inputs, content = _content(manifest)
        timeline, work = record(
            manifest.read(manifest.xclbin), manifest.read(manifest.insts), content,
            kernel=manifest.kernel, name=manifest.xclbin, time_limit_s=time_limit_s,
        )  # fmt: skip
    except Error as error:
        return error.message
    return facts_of(timeline, work, inputs, DEVICES[manifest.device].columns)


def _content(manifest: Manifest) -> tuple[str, list[bytes]]:
    """What the inputs are, and what each argument holds before the run."""
    vectors = make_vectors(manifest, [], bool(manifest.reference), 1)
    return vectors.source, manifest.content(vectors.inputs)


def read_profile(manifest_path: str, time_limit_s: float) -> ProfiledRun | str | None:
    """Where issue cycles of machine-code cores went in a run, or why that is unknown; None for a design
    of other cores. Inputs as in `read_run`.
    """
    try:
        manifest = read_manifest(manifest_path)
        if manifest.core_kind == "wasm":
            return None
        _, content = _content(manifest)
        return profile_run(
            RunInputs(
                manifest.read(manifest.xclbin), manifest.xclbin, manifest.read(manifest.insts), content,
                manifest.kernel, time_limit_s,
            )
        )  # fmt: skip
    except Error as error:
        return error.message


def facts_of(timeline: Timeline, work: Work, inputs: str, columns: int) -> RunFacts:
    """The facts of a timeline."""
    length = max(timeline.cycles, 1.0)

    def share(name: str, cycles: float) -> Share:
        return Share(name, cycles, 100 * cycles / length)

    waits = tuple(
        (
            layout.actor_name(actor),
            layout.actor_name(other) if other >= 0 else "something not recorded",
            cycles,
        )
        for actor, other, cycles in timeline.waits()
    )
    on_path: dict[int, float] = {}
    for number in timeline.critical:
        span = timeline.spans[number]
        on_path[span.actor] = on_path.get(span.actor, 0.0) + span.end - span.start
    critical = sorted(on_path.items(), key=lambda item: -item[1])
    instructions = sum(core.instructions.middle for core in work.cores)
    host_bytes = sum(4 * c.words for c in work.channels if work.kind(c.place) == "shim")
    bytes_per_cycle = min(costs.DDR_BYTES_PER_S.middle / CLOCK_HZ, 4.0 * 4 * columns)
    return RunFacts(
        timeline=timeline,
        work=work,
        waits=waits,
        critical=tuple(share(layout.actor_name(actor), cycles) for actor, cycles in critical),
        utilisation=tuple(
            share(layout.actor_name(actor), timeline.busy(actor)) for actor in timeline.actors()
        ),
        roofline=Roofline(instructions, host_bytes, length, max(len(work.cores), 1), bytes_per_cycle),
        inputs=inputs,
    )


def perfetto(timeline: Timeline, design: str) -> str:
    """The same as a trace in Chrome's JSON format, which Perfetto reads; times in us at 1 GHz, modelled."""
    per_us = CLOCK_HZ / 1e6
    actors = timeline.actors()
    events: list[dict[str, Any]] = [
        {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": f"{design} (modelled)"}}
    ]
    for number, actor in enumerate(actors):
        name = layout.actor_name(actor)
        events.append({"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": name}})
        events.append(
            {"name": "thread_sort_index", "ph": "M", "pid": 1, "tid": number, "args": {"sort_index": number}}
        )
    lanes = {actor: number for number, actor in enumerate(actors)}
    events += [_event(span, timeline.spans, lanes[span.actor], design, per_us) for span in timeline.spans]
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events}, separators=(",", ":")) + "\n"


def _event(span: Span, spans: Sequence[Span], lane: int, design: str, per_us: float) -> dict[str, Any]:
    args: dict[str, Any] = {"design": design, "modelled_cycles": round(span.end - span.start)}
    if span.cause >= 0:
        args["ended_by"] = layout.actor_name(spans[span.cause].actor)
    return {
        "name": span.says, "cat": span.kind, "ph": "X", "pid": 1, "tid": lane,
        "ts": round(span.start / per_us, 3), "dur": round((span.end - span.start) / per_us, 3), "args": args,
    }  # fmt: skip
