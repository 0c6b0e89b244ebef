"""The arithmetic of the timing model, on runs written down by hand."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.arch.families import FAMILIES
from npuninja.emulator import layout
from npuninja.emulator.timing import Band, ChannelWork, CoreWork, SequenceWork, Work, costs, render, time_work
from npuninja.emulator.timing.operations import INSTRUCTIONS
from npuninja.emulator.timing.work import read_sequence
from npuninja.errors import UserError
from npuninja.formats import txn

MM2S_0, S2MM_0 = ("MM2S", 0), ("S2MM", 0)
ENDS = ("optimistic", "middle", "pessimistic")


def actor(place: tuple[int, int], direction: str, channel: int) -> int:
    return layout.channel_number(*place, direction, channel)


def passthrough(
    words: int,
    elements: int,
    *,
    cores: int = 1,
    instructions: int = 0,
    buffers: int = 2,
    family: str = "npu1",
) -> Work:
    """A shim that feeds a core per column, each with its share of the elements of `words` words."""
    channels, programs = [], []
    for column in range(cores):
        shim, core, share = (column, 0), (column, 2), elements // cores
        size = words * share
        channels += [
            ChannelWork(shim, *MM2S_0, size, 1, 1),
            ChannelWork(core, *S2MM_0, size, share, buffers=buffers, sources=(actor(shim, *MM2S_0),)),
            ChannelWork(core, *MM2S_0, size, share, buffers=buffers),
            ChannelWork(shim, *S2MM_0, size, 1, 1, sources=(actor(core, *MM2S_0),)),
        ]
        programs.append(CoreWork(core, {"integer": instructions * share}, 4 * share))
    return Work(
        family,
        tuple(channels),
        tuple(programs),
        SequenceWork(writes=2 * cores, pushes=2 * cores, syncs=1),
        elements,
    )


def test_section_4c_of_the_programming_guide_is_bound_by_the_stream() -> None:
    """MLIR-AIE's example: 1024 int16 a buffer, 512 cycles of stream, 72 measured cycles of the kernel."""
    elements = 1000
    report = time_work(passthrough(512, elements), clock_hz=1e9, core_cycles={(0, 2): 72 * elements})
    assert report.pipeline_element_us.optimistic == pytest.approx(0.512, rel=0.01)
    assert report.pipeline_element_us.middle == pytest.approx(0.512 * 1.05, rel=0.03)
    assert "busiest there: core;" not in report.pipeline.arithmetic
    slow = time_work(passthrough(512, elements), clock_hz=1e9, core_cycles={(0, 2): 720 * elements})
    assert slow.pipeline_element_us.middle == pytest.approx(0.72, rel=0.06)
    assert "core tile (0, 2), busiest there: core;" in slow.pipeline.arithmetic


def test_a_small_run_by_hand() -> None:
    report = time_work(passthrough(100, 10), clock_hz=2e9, core_cycles={(0, 2): Band(1000, 4000, 9000)})
    tile = next(stage for stage in report.stages if stage.place == (0, 2))
    bd = costs.BD_CYCLES
    core = Band(1000 + 40 * 1, 4000 + 40 * 8, 9000 + 40 * 57)
    assert tile.cycles.optimistic == max(1000 + 10 * bd.optimistic, core.optimistic)
    assert tile.cycles.middle == core.middle
    assert tile.cycles.pessimistic == pytest.approx(
        core.pessimistic + 2 * (1000 * 1.05 + 10 * bd.pessimistic)
    )
    assert report.pipeline.us.middle == pytest.approx(core.middle / 2000)
    names = [term.name for term in report.terms]
    assert names == ["call", "sequence", "start", "fill", "first wait"]
    summands = [term.us for term in (*report.terms, report.pipeline)]
    assert report.run_us.middle == pytest.approx(sum(us.middle for us in summands))
    assert report.run_us.pessimistic == pytest.approx(sum(us.pessimistic for us in summands))
    assert report.run_us.optimistic < sum(us.optimistic for us in summands)


def test_twice_the_cores_are_twice_as_fast_where_cores_are_the_bound() -> None:
    one = time_work(passthrough(64, 4096, cores=1, instructions=20_000), clock_hz=1e9)
    for cores in (2, 4):
        many = time_work(passthrough(64, 4096, cores=cores, instructions=20_000), clock_hz=1e9)
        for end in ENDS:
            gain = getattr(one.pipeline.us, end) / getattr(many.pipeline.us, end)
            assert gain == pytest.approx(cores, rel=1e-6)
            assert getattr(one.run_us, end) / getattr(many.run_us, end) < cores


def test_a_single_buffer_cannot_be_filled_while_it_is_used() -> None:
    double, single = (
        time_work(passthrough(512, 100, instructions=600, buffers=n), clock_hz=1e9) for n in (2, 1)
    )
    tile = {report.stages[1].place for report in (double, single)}
    assert tile == {(0, 2)}
    assert single.stages[1].cycles.middle == pytest.approx(
        sum(part.cycles.middle for part in single.stages[1].actors), rel=1e-9
    )
    assert double.stages[1].cycles.middle < single.stages[1].cycles.middle
    assert double.run_us.optimistic == single.run_us.optimistic
    assert double.run_us.pessimistic == single.run_us.pessimistic


def test_what_a_memory_tile_takes_in_and_gives_on_overlaps_with_two_buffers_only() -> None:
    def work(buffers: int) -> Work:
        shim, mem = (0, 0), (0, 1)
        channels = (
            ChannelWork(shim, *MM2S_0, 4096, 1, 1),
            ChannelWork(mem, *S2MM_0, 4096, 4, buffers=buffers, sources=(actor(shim, *MM2S_0),)),
            ChannelWork(mem, *MM2S_0, 4096, 4, buffers=buffers),
            ChannelWork(shim, *S2MM_0, 4096, 1, 1, sources=(actor(mem, *MM2S_0),)),
        )
        return Work("npu1", channels, (), SequenceWork(syncs=1))

    two, one = (time_work(work(n), clock_hz=1e9).stages[1].cycles for n in (2, 1))
    assert two.middle == 4096 + 4 * costs.BD_CYCLES.middle
    assert one.middle == 2 * two.middle
    assert one.pessimistic == two.pessimistic >= one.middle


def test_cores_that_share_a_memory_may_wait_for_each_other() -> None:
    apart = passthrough(64, 100, cores=2, instructions=1000)
    beside = apart._replace(cores=(apart.cores[0], apart.cores[1]._replace(neighbours=((0, 2),))))
    first, second = (time_work(work, clock_hz=1e9) for work in (apart, beside))
    assert second.pipeline.us.middle == first.pipeline.us.middle
    assert second.pipeline.us.pessimistic > 1.5 * first.pipeline.us.pessimistic


def test_the_pipeline_fills_again_after_a_wait() -> None:
    work = passthrough(512, 100)
    reports = [
        time_work(work._replace(sequence=work.sequence._replace(phases=phases)), clock_hz=1e9)
        for phases in (1, 3)
    ]
    once, thrice = ({t.name: t for t in report.terms}["fill"] for report in reports)
    assert thrice.us.middle == pytest.approx(3 * once.us.middle)
    assert once.us.middle >= 2 * 0.512  # into the core's tile and out of it
    queue = txn.Write(0x1D214, 0)
    wait = txn.Sync(0, 0, 0, 0, 1, 1)
    for operations, phases in [
        ((queue, queue, wait), 1),
        ((queue, wait, wait, queue, queue, wait), 2),
        ((wait,), 1),
    ]:
        assert read_sequence(sequence(*operations))[0].phases == phases


def test_ddr_bounds_what_eight_columns_read() -> None:
    report = time_work(passthrough(1024, 80_000, cores=8, family="npu2"), clock_hz=1.8e9)
    moved = 4 * 1024 * 80_000
    assert report.pipeline.arithmetic.startswith("DDR: ")
    assert report.pipeline.us.middle == pytest.approx(moved / 52.7e9 * 1e6)
    assert report.pipeline.us.pessimistic >= 2 * report.pipeline.us.middle


def test_only_the_optimistic_end_believes_in_wide_streams_on_npu2() -> None:
    old, new = (
        time_work(passthrough(4096, 100, family=family), clock_hz=1e9).stages[1]
        for family in ("npu1", "npu2")
    )
    assert new.cycles.optimistic == pytest.approx(old.cycles.optimistic / 2, rel=0.01)
    assert new.cycles[1:] == old.cycles[1:]


@st.composite
def works(draw: st.DrawFn) -> Work:
    return passthrough(
        draw(st.integers(1, 5000)),
        draw(st.integers(1, 300)) * 4,
        cores=draw(st.sampled_from([1, 2, 4])),
        instructions=draw(st.integers(0, 100_000)),
        buffers=draw(st.integers(1, 3)),
        family=draw(st.sampled_from(["npu1", "npu2"])),
    )


@settings(max_examples=50, deadline=None)
@given(works(), st.floats(0.4e9, 1.8e9))
def test_the_ends_are_in_order_and_more_work_never_takes_less(work: Work, clock_hz: float) -> None:
    report = time_work(work, clock_hz=clock_hz)
    for band in (
        report.run_us,
        report.element_us,
        report.pipeline.us,
        *(stage.cycles for stage in report.stages),
    ):
        assert 0 <= band.optimistic <= band.middle <= band.pessimistic
    assert report.element_us.middle * report.elements == pytest.approx(report.run_us.middle)
    more = [
        work._replace(channels=tuple(c._replace(words=2 * c.words) for c in work.channels)),
        work._replace(channels=tuple(c._replace(bds=c.bds + 7) for c in work.channels)),
        work._replace(cores=tuple(c._replace(operations={"divide": 10_000}) for c in work.cores))
        if work.cores[0].operations["integer"] < 10_000
        else work,
        work._replace(cores=tuple(c._replace(lock_operations=10 * c.lock_operations) for c in work.cores)),
        work._replace(sequence=work.sequence._replace(pushes=work.sequence.pushes + 1)),
    ]
    for other in more:
        slower = time_work(other, clock_hz=clock_hz)
        assert all(a >= b * (1 - 1e-12) for a, b in zip(slower.pipeline.us, report.pipeline.us))
    faster = time_work(work, clock_hz=1.5 * clock_hz)
    assert all(a <= b * (1 + 1e-12) for a, b in zip(faster.run_us, report.run_us))


@pytest.mark.parametrize(
    "arguments",
    [
        {"clock_hz": 0.0},
        {"clock_hz": -1e9},
        {"clock_hz": 1e9, "elements": 0},
        {"clock_hz": 1e9, "core_cycles": {(3, 3): 5.0}},
    ],
)
def test_questions_without_an_answer(arguments) -> None:
    with pytest.raises(UserError):
        time_work(passthrough(4, 4), **arguments)


def sequence(*operations: txn.TxnOperation, generation: int = 3) -> bytes:
    return txn.write_txn(txn.Transaction(generation, 6, 1, 1, operations))


def test_operations_of_a_sequence() -> None:
    queue = 0x1D214  # of MM2S 0 of a shim (AM025)
    insts = sequence(
        txn.BlockWrite(0x1D000, bytes(32)),
        txn.AddressPatch(0x1D004, 0, 0),
        txn.MaskWrite(0x1D210, 0xF00, 0xF00),
        txn.Write(queue, 0),
        txn.Write(0x1D010, 0),
        txn.Sync(0, 0, 0, 0, 1, 1),
        txn.Sync(0, 0, 1, 0, 1, 1),
        txn.Noop(),
        txn.MaskPoll(0x1D228, 1, 0),
    )
    expected = SequenceWork(
        writes=2, mask_writes=1, blocks=1, block_words=8, patches=1, pushes=1, syncs=2, polls=1
    )
    assert read_sequence(insts) == (expected, "npu1")
    assert read_sequence(sequence(txn.Noop(), generation=4))[1] == "npu2"
    work = passthrough(4, 4)._replace(sequence=expected)
    term = next(t for t in time_work(work, clock_hz=1e9).terms if t.name == "sequence")
    cycles = 2 * 100.5 + 210 + (3 + 8 * 25) + 200 + 200 + 2500 + 250
    assert term.us.middle == pytest.approx(cycles / 1028)


@pytest.mark.parametrize(
    "insts", [sequence(txn.LoadPdi(1, 64, 0)), sequence(txn.Noop(), generation=9), b"no instructions"]
)
def test_sequences_that_cannot_be_modelled(insts: bytes) -> None:
    with pytest.raises(UserError):
        read_sequence(insts)


def test_the_report_as_text_and_json_says_modelled_and_shows_the_arithmetic() -> None:
    reports = [
        time_work(passthrough(512, 100), clock_hz=c, elements=100, unit="frame") for c in (1e9, 1.028e9)
    ]
    text = render("twice", reports)
    assert text.startswith("twice on npu1, 100 frames in a run; all times modelled, not measured\n")
    for words in (
        "us (modelled)",
        "run at 1 GHz",
        "run at 1.028 GHz",
        "  per frame",
        "51200 words x 1/1.05/1.1 cycles",
    ):
        assert words in text
    fields = json.loads(json.dumps(reports[0].to_json()))
    assert fields["label"] == "modelled"
    assert fields["element_us"]["middle"] == reports[0].element_us.middle
    assert {term["name"] for term in fields["terms"]} == {
        "call",
        "sequence",
        "start",
        "fill",
        "first wait",
        "pipeline",
    }
    assert all(part["arithmetic"] for stage in fields["stages"] for part in stage["parts"])


def row(band: Band) -> str:
    """A band as the page writes it."""
    return " / ".join(f"{value:g}" for value in band)


def test_the_page_has_the_costs_of_the_model() -> None:
    page = " ".join((ROOT / "docs" / "timing-model.md").read_text(encoding="utf-8").split())
    bands = [
        costs.TILE_WORD_CYCLES, *costs.SHIM_WORD_CYCLES.values(), costs.BD_CYCLES, costs.SWITCH_CYCLES,
        costs.CORE_LOCK_CYCLES, costs.INSTRUCTION_CYCLES, *(Band(*family.host_call_us) for family in FAMILIES.values()),
        costs.DDR_BYTES_PER_S.times(1e-9),
        INSTRUCTIONS["divide"], INSTRUCTIONS["float"], INSTRUCTIONS["math function"],
    ]  # fmt: skip
    in_us = [
        *costs.SHIM_TASK_US.values(), *costs.SHIM_FIRST_TASK_US.values(), costs.WRITE_US, costs.MASK_WRITE_US,
        costs.QUEUE_PUSH_US, costs.FIRST_SYNC_US, costs.LATER_SYNC_US, costs.ADDRESS_PATCH_US, costs.POLL_US,
    ]  # fmt: skip
    bands += [band.times(costs.MEASURED_AT_HZ / 1e6) for band in in_us]
    assert [row(band) for band in bands if row(band) not in page] == []
