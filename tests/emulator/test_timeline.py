"""The timeline of a run: clocks on the order of events."""

from __future__ import annotations

import itertools

from npuninja.emulator import layout
from npuninja.emulator.event_log import Event
from npuninja.emulator.timing.clocks import model_timeline
from npuninja.emulator.timing.timeline import Timeline
from npuninja.emulator.timing.work import ChannelWork, CoreWork, SequenceWork, Work
from npuninja.formats import txn

CORE = layout.FIRST_CORE_ACTOR + layout.tile_number(0, 2)
SEND = layout.channel_number(0, 0, "MM2S", 0)
TAKE = layout.channel_number(0, 2, "S2MM", 0)
FULL, EMPTY = 64 * layout.tile_number(0, 2), 64 * layout.tile_number(0, 2) + 1
QUEUE = 0x1D214  # of MM2S 0 of the shim: AM025, DMA_MM2S_0_Task_Queue

WORK = Work(
    "npu1",
    (
        ChannelWork((0, 0), "MM2S", 0, 200, 1),
        ChannelWork((0, 2), "S2MM", 0, 200, 2, sources=(SEND,)),
    ),
    (CoreWork((0, 2), {"integer": 2000}, 4),),
    SequenceWork(),
)


def run(*events: Event) -> Timeline:
    operations = [txn.Write(QUEUE, 0), txn.Sync(0, 0, 1, 0, 1, 1)]
    return model_timeline(events, operations, WORK, {FULL: "full"})


def transfer(bd: int) -> list[Event]:
    return [
        Event("bd_start", TAKE, bd, 100),
        Event("lock", TAKE, EMPTY, -1),
        Event("bd_end", TAKE, bd, 0),
        Event("lock", TAKE, FULL, 1),
    ]


EVENTS = [
    Event("bd_start", SEND, 0, 200),
    Event("operation", layout.SEQUENCE_ACTOR, 16, 0),
    *transfer(0),
    Event("lock", CORE, FULL, -1),
    Event("lock", CORE, EMPTY, 1),
    *transfer(1),
    Event("bd_end", SEND, 0, 0),
    Event("task_end", SEND, 0, 1),
    Event("lock", CORE, FULL, -1),
    Event("lock", CORE, EMPTY, 1),
    Event("operation", layout.SEQUENCE_ACTOR, 40, 0x80),
]


def spans_of(timeline: Timeline, actor: int) -> list[tuple[str, str]]:
    return [(s.kind, s.says) for s in timeline.spans if s.actor == actor]


def test_what_waits_for_what() -> None:
    timeline = run(*EVENTS)
    full = ("wait", "waits for lock 0 of tile (0, 2) 'full'")
    assert spans_of(timeline, CORE) == [full, ("work", "computes"), full, ("work", "computes")]
    assert (CORE, TAKE) in [row[:2] for row in timeline.waits()]
    assert spans_of(timeline, SEND)[0] == ("wait", "has no task")
    # The second descriptor needs the buffer that the core gives back.
    waits = [s for s in timeline.spans if s.actor == TAKE and s.kind == "wait"]
    assert any(timeline.spans[s.cause].actor == CORE for s in waits if s.cause >= 0)
    assert spans_of(timeline, layout.SEQUENCE_ACTOR)[-2:] == [
        ("wait", "waits for MM2S 0 of tile (0, 0) to be done"),
        ("operation", "wait"),
    ]


def test_nobody_does_two_things_at_once_and_no_wait_ends_before_its_cause() -> None:
    timeline = run(*EVENTS)
    for actor in timeline.actors():
        own = [s for s in timeline.spans if s.actor == actor]
        assert all(one.end <= two.start + 1e-9 for one, two in itertools.pairwise(own))
    for span in timeline.spans:
        assert span.end >= span.start
        if span.kind == "wait" and span.cause >= 0 and "lock" in span.says:
            assert timeline.spans[span.cause].end <= span.end + 1e-9


def test_the_critical_path_leads_from_the_begin_to_the_end() -> None:
    timeline = run(*EVENTS)
    path = [timeline.spans[n] for n in timeline.critical]
    assert path[0].start == 0
    assert path[-1].actor == layout.SEQUENCE_ACTOR
    assert all(one.end <= two.end + 1e-9 for one, two in itertools.pairwise(path))
    assert {CORE, TAKE, SEND} & {s.actor for s in path}


def test_a_core_computes_as_long_as_the_model_says() -> None:
    timeline = run(*EVENTS)
    assert (
        round(timeline.busy(CORE)) == 2000 + 4 * 8
    )  # one cycle an instruction, eight a lock: the middle figures


def test_a_log_without_anything_is_a_timeline_without_anything() -> None:
    assert run() == Timeline((), (), 0.0, False)
