"""The stages of the pipeline that a design is: tiles, and how long each is busy in a run.

Everything in the array works at the same time and hands objects on through rings of buffers, so a run takes
as long as the tile that is busy longest. How the parts of a tile share its time depends on the rings: the
ends of the band are that all of them overlap, and that none does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npuninja.arch.devices import TilePlace
from npuninja.arch.families import FAMILIES, Family
from npuninja.emulator.timing import costs
from npuninja.emulator.timing.band import NOTHING, Band, exactly, largest, total
from npuninja.emulator.timing.work import ChannelWork, CoreWork, Work
from npuninja.records import NamedTuple


class StagePart(NamedTuple):
    """A channel or the core of a tile: its cycles in a run, and the arithmetic for people."""

    name: str
    cycles: Band
    arithmetic: str


class PipelineStage(NamedTuple):
    """A tile.

    Attributes:
        place: its column and row.
        kind: of the tile: `shim`, `mem` or `core`.
        actors: the core and channels that do something.
        cycles: that the tile is busy in a run.
        arithmetic: how they are computed from the actors.
    """

    place: TilePlace
    kind: str
    actors: tuple[StagePart, ...]
    cycles: Band
    arithmetic: str

    @property
    def name(self) -> str:
        """`core tile (0, 2)`."""
        kinds = {"shim": "shim", "mem": "memory tile", "core": "core tile"}
        return f"{kinds[self.kind]} {self.place}"

    def fields(self) -> dict[str, Any]:
        """The stage as data for JSON."""
        parts = [
            {"name": p.name, "cycles": p.cycles.fields(), "arithmetic": p.arithmetic} for p in self.actors
        ]
        return {
            "name": self.name,
            "parts": parts,
            "cycles": self.cycles.fields(),
            "arithmetic": self.arithmetic,
        }


def stages_of(
    work: Work, clock_hz: float, core_cycles: Mapping[TilePlace, Band]
) -> tuple[PipelineStage, ...]:
    """All tiles that do something, by place.

    Args:
        work: of the run.
        clock_hz: of the array.
        core_cycles: of cores in the whole run, where they are known better than from their operations.
    """
    cores = {core.place: core_part(core, core_cycles.get(core.place)) for core in work.cores}
    places = sorted({channel.place for channel in work.channels} | set(cores))
    return tuple(_stage(place, work, cores, clock_hz) for place in places)


def core_part(core: CoreWork, known: Band | None) -> StagePart:
    """A core's cycles, from its operations unless they are known, and those of its lock operations."""
    locks = costs.CORE_LOCK_CYCLES.times(core.lock_operations)
    if known is not None:
        cycles, text = known, f"{show(known)} cycles as given"
    elif core.issue_cycles is not None:
        cycles = exactly(core.issue_cycles + core.bank_conflicts)
        text = f"{core.issue_cycles} cycles issued (exact), {many(core.bank_conflicts, 'bank conflict')}"
    else:
        cycles = core.instructions.times(costs.INSTRUCTION_CYCLES)
        text = f"{show(core.instructions)} instructions x {show(costs.INSTRUCTION_CYCLES)} cycles"
    if core.lock_operations:
        text += f", {many(core.lock_operations, 'lock operation')} x {show(costs.CORE_LOCK_CYCLES)}"
    return StagePart("core", cycles.plus(locks), text)


def channel_part(channel: ChannelWork, family: Family, clock_hz: float) -> StagePart:
    """A DMA channel's cycles: words, hand-over from descriptor to descriptor, and the tasks of a shim's."""
    is_shim = family.rows.kind(channel.place[1]) == "shim"
    word = word_cycles(channel, family)
    cycles = word.times(channel.words).plus(costs.BD_CYCLES.times(channel.bds))
    words, descriptors = many(channel.words, "word"), many(channel.bds, "descriptor")
    text = f"{words} x {show(word)} cycles, {descriptors} x {show(costs.BD_CYCLES)}"
    if is_shim and channel.tasks:
        task = costs.SHIM_TASK_US[channel.direction].times(clock_hz / 1e6)
        cycles = cycles.plus(task.times(channel.tasks))
        text += f", {many(channel.tasks, 'task')} x {show(task)}"
    return StagePart(channel.name, cycles, text)


def word_cycles(channel: ChannelWork, family: Family) -> Band:
    """Cycles that a word takes in a channel."""
    is_shim = family.rows.kind(channel.place[1]) == "shim"
    word = costs.SHIM_WORD_CYCLES[channel.direction] if is_shim else costs.TILE_WORD_CYCLES
    # Whether AIE-ML v2 has wider streams is not verified: only the optimistic end believes it.
    return word._replace(optimistic=word.optimistic / family.stream_words_per_cycle)


def _stage(
    place: TilePlace, work: Work, cores: Mapping[TilePlace, StagePart], clock_hz: float
) -> PipelineStage:
    channels = [channel for channel in work.channels if channel.place == place]
    parts = [channel_part(channel, FAMILIES[work.family], clock_hz) for channel in channels]
    longest, kind = largest(part.cycles for part in parts), work.kind(place)
    if kind == "shim":
        text = "the longest, since channels of a shim do not wait for each other"
        return PipelineStage(place, kind, tuple(parts), longest, text)
    core = cores.get(place)
    own = core.cycles if core else NOTHING
    pairs = list(zip(channels, parts))
    into, out = (_longest_way(pairs, way) for way in ("S2MM", "MM2S"))
    # A channel with one buffer cannot overlap with what uses it.
    single = [(channel, part) for channel, part in pairs if channel.buffers == 1]
    into_alone, out_alone = (_longest_way(single, way) for way in ("S2MM", "MM2S"))
    beside = total(cores[other].cycles for other in _sharing(place, work) if other in cores)
    if core:
        middle = largest((longest, own.plus(into_alone).plus(out_alone)))
    else:
        middle = largest((longest, into_alone.plus(out), into.plus(out_alone)))
    text = "the longest; pessimistic: all after each other"
    if any(into_alone) or any(out_alone):
        text += "; a channel has one buffer only, so it and what uses the buffer add up in the middle"
    if any(beside):
        text += "; with the cores that share a memory"
    overlapped, serial = largest((longest, own)), total((own, into, out, beside))
    cycles = Band(overlapped.optimistic, middle.middle, serial.pessimistic)
    return PipelineStage(place, kind, (*((core,) if core else ()), *parts), cycles, text)


def _longest_way(channels: Sequence[tuple[ChannelWork, StagePart]], direction: str) -> Band:
    """The longest channel into or out of a tile."""
    return largest(part.cycles for channel, part in channels if channel.direction == direction)


def _sharing(place: TilePlace, work: Work) -> list[TilePlace]:
    """The cores that use this core's memory or whose memory it uses."""
    return [
        other.place
        for other in work.cores
        if place in other.neighbours
        or any(core.place == place and other.place in core.neighbours for core in work.cores)
    ]


def first_element_cycles(work: Work, cores: Mapping[TilePlace, Band]) -> Band:
    """What the first object needs through the longest way of tiles: the time in which the pipeline fills.

    Args:
        work: of the run.
        cores: cycles of each core in the run.

    The optimistic end is nothing: the last object is then the bound's own.
    """
    by_actor = {channel.actor: channel for channel in work.channels}

    def arrival(place: TilePlace, behind: frozenset[TilePlace]) -> Band:
        """When the first object has left a tile, whose ways back avoid `behind`."""
        if place in behind:
            return NOTHING
        behind = behind | {place}
        links = [
            _link_cycles(by_actor[source], channel, FAMILIES[work.family]).plus(
                arrival(by_actor[source].place, behind)
            )
            for channel in work.channels
            if channel.place == place
            for source in channel.sources
            if source in by_actor
        ]
        if not links and place in cores:  # fed through a neighbour's memory, or not at all
            links = [arrival(other, behind) for other in _sharing(place, work)]
        counts = [c.bds for c in work.channels if c.place == place] or [work.elements]
        own = cores.get(place, NOTHING).times(1 / max(*counts, 1))
        return largest(links).plus(own)

    places = {channel.place for channel in work.channels if channel.direction == "S2MM"}
    return largest(arrival(place, frozenset()) for place in places)._replace(optimistic=0.0)


def _link_cycles(source: ChannelWork, sink: ChannelWork, family: Family) -> Band:
    """An object from tile to tile: the smaller of both ends' objects, as words do not wait for the last."""
    words = min(channel.words / max(channel.bds, 1) for channel in (source, sink))
    switches = 1 + abs(source.place[0] - sink.place[0]) + abs(source.place[1] - sink.place[1])
    word = largest((word_cycles(source, family), word_cycles(sink, family)))
    return word.times(words).plus(costs.SWITCH_CYCLES.times(switches))


def show(band: Band) -> str:
    """`2/13/26`, or one number when the three are the same."""
    if band == exactly(band.middle):
        return _number(band.middle)
    return "/".join(map(_number, band))


def many(count: int, what: str) -> str:
    """`1 word`, `2 words`."""
    return f"{count} {what}" + ("s" if count != 1 else "")


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
