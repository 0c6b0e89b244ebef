"""The lanes of a timeline other than those of actors, and a page of 32 cores."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from browser import look, needs_browser

from bench.lowering import design_of
from npuninja.commands import lower
from npuninja.emulator import layout
from npuninja.emulator.timing.timeline import LockChange, Span, Timeline
from npuninja.emulator.timing.work import ChannelWork, CoreWork, SequenceWork, Work
from npuninja.report import design_facts
from npuninja.report.design_facts import read_design
from npuninja.report.lanes import LockFacts, lanes_of
from npuninja.report.page import design_page
from npuninja.report.run_facts import facts_of

CORE = layout.FIRST_CORE_ACTOR + layout.tile_number(0, 2)
SEND, TAKE = layout.channel_number(0, 0, "MM2S", 0), layout.channel_number(0, 2, "S2MM", 0)
FULL = layout.LOCKS_PER_TILE * layout.tile_number(0, 2)
WORK = Work(
    "npu1",
    (ChannelWork((0, 0), "MM2S", 0, 8, 1), ChannelWork((0, 2), "S2MM", 0, 8, 1, sources=(SEND,))),
    (CoreWork((0, 2), {"integer": 10}, 2),),
    SequenceWork(),
)


def test_streams_move_when_their_sender_does_and_locks_have_values() -> None:
    spans = (
        Span(layout.SEQUENCE_ACTOR, "operation", 0, 10, says="write", cause=-1, before=-1),
        Span(SEND, "wait", 0, 20, says="waits for its receiver", cause=-1, before=-1),
        Span(SEND, "move", 20, 28, says="BD 0: 32 bytes", cause=-1, before=1),
        Span(TAKE, "move", 20, 28, says="BD 0: 32 bytes", cause=-1, before=-1),
        Span(CORE, "wait", 0, 28, says="waits for lock", cause=3, before=-1),
        Span(CORE, "work", 28, 40, says="computes", cause=-1, before=4),
        Span(layout.SEQUENCE_ACTOR, "wait", 10, 40, says="waits", cause=5, before=0),
    )
    # The giver's change is found after the taker's here: at one time, what gives comes first.
    changes = (LockChange(FULL, CORE, 28, -1), LockChange(FULL, TAKE, 28, 1), LockChange(FULL, TAKE, 35, 1))
    timeline = Timeline(spans, (), 40.0, False, (), changes)
    lanes = {lane.name: lane for lane in lanes_of(timeline, WORK, {FULL: LockFacts("full", 0)})}
    host = list(lanes["the host"].pieces.values())
    assert [(p.kind, p.start, p.end, p.cause) for p in host] == [("wait", 0, 40, 6)]
    stream = lanes["stream MM2S 0 of tile (0, 0) → S2MM 0 of tile (0, 2)"].pieces.values()
    assert [(p.kind, p.start, p.end) for p in stream] == [("wait", 0, 20), ("move", 20, 28)]
    lock = lanes["lock 0 of tile (0, 2) 'full'"].pieces.values()
    assert [(p.kind, p.start, p.end, p.says.partition(",")[0]) for p in lock] == [
        ("taken", 0, 28, "value 0"),
        ("taken", 28, 35, "value 0"),
        ("free", 35, 40, "value 1"),
    ]
    # No number is used twice, and the actors' pieces have those of the spans, which causes name.
    numbers = [number for lane in lanes.values() for number in lane.pieces]
    assert sorted(numbers) == list(range(len(numbers)))
    assert lanes["core (0, 2)"].pieces[5].says == "computes"


def big_timeline() -> tuple[Timeline, Work]:
    """300 stretches of each of 32 cores, with the channels and locks that belong to them."""
    spans: list[Span] = []
    changes: list[LockChange] = []
    channels, cores = [], []
    for column, row in itertools.product(range(8), range(2, 6)):
        tile = layout.tile_number(column, row)
        send, take = (
            layout.channel_number(column, 1, "MM2S", row - 2),
            layout.channel_number(column, row, "S2MM", 0),
        )
        channels += [
            ChannelWork((column, 1), "MM2S", row - 2, 256, 16),
            ChannelWork((column, row), "S2MM", 0, 256, 16, sources=(send,)),
        ]
        cores.append(CoreWork((column, row), {"integer": 300}, 600))
        for n in range(300):
            at = 400.0 * n + 7 * row
            spans += [
                Span(send, "move", at, at + 250, says=f"BD {n % 2}: 1024 bytes", cause=-1, before=-1),
                Span(take, "move", at, at + 260, says=f"BD {n % 2}: 1024 bytes", cause=-1, before=-1),
                Span(
                    layout.FIRST_CORE_ACTOR + tile,
                    "wait",
                    at,
                    at + 260,
                    says="waits for its lock",
                    cause=len(spans) + 1,
                    before=-1,
                ),
                Span(
                    layout.FIRST_CORE_ACTOR + tile,
                    "work",
                    at + 260,
                    at + 400,
                    says="computes",
                    cause=-1,
                    before=-1,
                ),
            ]
            for lock in range(4):
                number = layout.LOCKS_PER_TILE * tile + lock
                changes += [LockChange(number, take, at, -1), LockChange(number, take, at + 260, 1)]
    spans.append(
        Span(layout.SEQUENCE_ACTOR, "wait", 0, 120_000, says="waits", cause=len(spans) - 1, before=-1)
    )
    timeline = Timeline(tuple(spans), (len(spans) - 2,), 120_000.0, False, (), tuple(changes))
    return timeline, Work("npu2", tuple(channels), tuple(cores), SequenceWork())


@pytest.fixture(scope="module")
def big_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("big") / "wide"
    design = folder.parent / "wide.mlir"
    design.write_text(design_of(32), encoding="utf-8")
    assert lower.main([str(design), "-o", str(folder)]) == 0
    manifest = {"device": "npu2", "core_kind": "wasm", "build_id": "x", "arguments": []}
    (folder / "wide.json").write_text(json.dumps(manifest), encoding="utf-8")
    timeline, work = big_timeline()
    with pytest.MonkeyPatch.context() as patch:  # the cores' programs are not built: 32 compiles
        patch.setattr(design_facts, "measure", lambda folder: [])
        facts = read_design(str(folder))
    return design_page(facts, facts_of(timeline, work, "random", 8))


@needs_browser
def test_a_page_of_32_cores_shows_every_core_stream_and_lane(big_page: str, tmp_path: Path) -> None:
    """How fast it opens is measured by bench/report.py."""
    found = look(big_page, tmp_path, """
    const says = document.getElementById("says"), missing = [];
    for (const tile of document.querySelectorAll("[data-core]")) {
      tile.dispatchEvent(new MouseEvent("mouseenter"));
      if (!says.textContent.includes("tile (" + tile.dataset.tile.replace(",", ", ") + ")")) missing.push(tile.dataset.tile);
    }
    const first = timelineLanes();
    document.querySelector("[data-group=locks]").click();
    return {cores: document.querySelectorAll("[data-core]").length, routes: document.querySelectorAll(".route").length,
            missing, first, all: timelineLanes().length, high: document.getElementById("timeline").clientHeight};
    """)  # fmt: skip
    assert found["cores"] == 32
    assert found["missing"] == []
    assert found["routes"] >= 80
    assert sum(name.startswith("core (") for name in found["first"]) == 32
    # What would be more than 40 lanes of a group is shown when it is asked for.
    assert not [name for name in found["first"] if name.startswith("lock ")]
    assert found["all"] == 1 + 1 + 64 + 32 + 32 + 128  # host, sequence, channels, cores, streams, locks
    assert found["high"] > 20 * found["all"]
