"""Faults of careless designs whose result is right by luck: each is found where it is, its twin is not."""

from __future__ import annotations

import pytest
from array_program import Program, Sequence, compile_core, core_bd, mem_bd, write_words

from npuninja.arch import registers as reg
from npuninja.emulator import BadAccess, Emulator
from npuninja.emulator.checks.races import Race
from npuninja.formats import txn

BOTH = frozenset({"races", "memory"})


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


# --- What a kernel does after the word, the transfer or the unit that says "it is ready".

SAYS = """
extern void npu_put_stream(i32, i32, i32), npu_put_cascade(const void *), npu_release(i32, i32);
static i32 row[16];
__attribute__((noinline)) void kernel(i32 way, volatile i32 *p) {
  p[0] = 1;
  if (way == 0) npu_put_stream(0, 7, 0);
  if (way == 1) { npu_put_stream(0, 7, 0);
    p[0] = 2; }
  if (way == 2) { npu_put_stream(0, 7, 0);
    p[0] = 2; npu_put_stream(0, 7, 0); }
  for (i32 i = 0; i < 16; i++) ((volatile i32 *)row)[i] = i;
  if (way == 3) npu_put_cascade(row);
  if (way == 4) { npu_put_cascade(row);
    p[0] = 4; }
  if (way == 5) npu_release(48, 1);
  if (way == 6) { npu_release(48, 1);
    p[0] = 6; }
}
i64 core_0_3(void) { START kernel(*(volatile i32 *)0x70900, (i32 *)0x70800); END; }
"""
HEARS = """
extern i32 npu_get_stream(i32); extern void npu_get_cascade(void *), npu_acquire(i32, i32, i32);
static i32 row[16];
__attribute__((noinline)) void kernel(i32 way, volatile i32 *p) {
  if (way == 0) npu_get_stream(0);
  if (way == 1) { npu_get_stream(0); npu_get_stream(0); }
  if (way == 2) npu_get_cascade(row);
  if (way == 3) npu_acquire(32, 1, 0);
  p[1];
  p[0];
}
i64 core_0_2(void) { START kernel(*(volatile i32 *)0x70900, (i32 *)0x60800); END; }
"""


def says_and_hears(says: int, hears: int) -> tuple[Race, ...]:
    p = Program()
    way = ("way", 0x70900, 4)
    says_buffers, hears_buffers = (("shared", 0x70800, 64), way), (("shared", 0x60800, 64), way)
    p.core(compile_core(SAYS, 0, 3, buffers=says_buffers, data_end=0x71100), 0, 3, 1024)
    hears_module = compile_core(HEARS, 0, 2, buffers=hears_buffers, neighbours=("north",), data_end=0x71100)
    p.core(hears_module, 0, 2, 1024)
    p.circuit((0, 3, "Core", 0), [("South", 0)], ("Core", 0))
    with p.emulator(checks=BOTH) as npu:
        npu.write32(reg.tile_address(0, 3, 0x900), says)
        npu.write32(reg.tile_address(0, 2, 0x900), hears)
        npu.write32(reg.tile_address(0, 3, 0x804), 5)
        return npu.run(nothing(), []).races


@pytest.mark.parametrize(
    ("says", "hears", "line"),
    [
        pytest.param(0, 0, None, id="a word"),
        pytest.param(1, 0, 8, id="behind a word"),
        pytest.param(2, 0, 10, id="behind the first of two words, both sent before the first is read"),
        pytest.param(2, 1, None, id="before the second of two words"),
        pytest.param(3, 2, None, id="a transfer of the cascade"),
        pytest.param(4, 2, 14, id="behind a transfer of the cascade"),
        pytest.param(5, 3, None, id="a unit"),
        pytest.param(6, 3, 17, id="behind a unit"),
    ],
)
def test_what_a_kernel_does_behind_its_word_is_not_ordered_by_it(says, hears, line):
    races = says_and_hears(says, hears)
    assert bool(races) == (line is not None)
    for race in races:
        places = [access["place"] for access in race.data["accesses"]]
        assert "buffer 'shared' of tile (0, 3)" in race.message
        assert places == [
            f"core.c:{line}:{places[0].split(':')[-1]}",
            f"core.c:10:{places[1].split(':')[-1]}",
        ]


# --- Channels of memory tiles.

WORDS = 64


def memtile(units: int | None) -> Program:
    """Through one buffer of a memory tile; `units` of it are free at first. None: without locks."""
    p = Program()
    p.circuit((0, 0, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.circuit((0, 1, "DMA", 0), [("South", 0)], ("DMA", 0))
    locks = {} if units is None else {"acquire": (64, -1), "release": (65, 1)}
    back = {} if units is None else {"acquire": (65, -1), "release": (64, 1)}
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS, next_bd=0, **locks))
    p.bd(0, 1, 1, mem_bd(0x80000, WORDS, next_bd=1, **back))
    if units is not None:
        p.lock(0, 1, 0, units)
    p.start(0, 1, "S2MM", 0, 0)
    p.start(0, 1, "MM2S", 0, 1)
    return p


def run(program: Program, sequence: Sequence, buffers: int = 2, columns: int = 1) -> tuple[Race, ...]:
    with program.emulator(columns, checks=BOTH) as npu:
        return npu.run(sequence.bytes(), [npu.allocate(4 * 4096) for _ in range(buffers)]).races


def there_and_back(rounds: int) -> Sequence:
    s = Sequence()
    s.transfer(0, "S2MM", 0, 1, 1, rounds * WORDS)
    s.transfer(0, "MM2S", 0, 0, 0, rounds * WORDS)
    s.sync(0, "S2MM", 0)
    return s


@pytest.mark.parametrize(("units", "found"), [(1, False), (2, True), (None, True)])
def test_a_memory_tiles_channel_that_overtakes_the_other_is_found(units, found):
    races = run(memtile(units), there_and_back(3))
    texts = [race.render() for race in races]
    assert bool(texts) == found
    if found:
        assert all("S2MM 0 of tile (0, 1) (BD 0)" in t and "MM2S 0 of tile (0, 1) (BD 1)" in t for t in texts)
        assert any(("more units than there are buffers" if units else "lock") in t for t in texts)


def two_ways() -> Program:
    """Both shim channels into tile (0, 2), which takes what comes."""
    p = Program()
    for channel in (0, 1):
        p.circuit((0, 0, "DMA", channel), [("North", channel), ("North", channel)], ("DMA", channel))
        p.bd(0, 2, channel, core_bd(0x1000 * channel, WORDS, next_bd=channel))
        p.start(0, 2, "S2MM", channel, channel)
    return p


@pytest.mark.parametrize("waits", [(1,), (0, 1)])
def test_a_descriptor_of_two_channels_is_free_when_both_have_done_with_it(waits):
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, WORDS, token=True)
    s.write(reg.tile_address(0, 0, reg.channel_queue("shim", "MM2S", 1)), 1 << 31)
    for channel in waits:
        s.sync(0, "MM2S", channel)
    s.transfer(0, "MM2S", 0, 0, 0, WORDS, token=True, offset=256)
    s.sync(0, "MM2S", 0)
    races = run(two_ways(), s, 1)
    assert bool(races) == (waits == (1,))
    for race in races:
        assert "rewrites BD 0 of tile (0, 0)" in race.message
        assert "MM2S 0 of tile (0, 0)" in race.message


def test_a_descriptor_of_a_task_that_waits_in_the_queue_must_not_be_rewritten():
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, WORDS, token=True)
    s.transfer(0, "MM2S", 0, 1, 0, WORDS, token=True)
    base = reg.tile_address(0, 0, reg.bd_offset("shim", 1))
    s.operations.append(txn.BlockWrite(base, write_words(0, [WORDS]).data))
    s.sync(0, "MM2S", 0)
    s.sync(0, "MM2S", 0)
    p = two_ways()
    texts = [race.render() for race in run(p, s, 1)]
    assert texts
    assert all("BD 1 of tile (0, 0)" in text for text in texts)


def test_the_last_of_many_transfers_is_looked_at_like_the_first():
    """More transfers than the detector keeps at one time."""

    def rounds(count: int, last: bool) -> Sequence:
        s = Sequence()
        for _ in range(count):
            s.transfer(0, "S2MM", 0, 1, 1, WORDS)
            s.transfer(0, "MM2S", 0, 0, 0, WORDS)
            s.sync(0, "S2MM", 0)
        s.transfer(0, "S2MM", 0, 2, 1, WORDS)
        s.transfer(0, "MM2S", 0, 3, 0, WORDS, token=True)
        s.sync(0, "MM2S", 0)
        if last:
            s.sync(0, "S2MM", 0)
        return s

    assert run(memtile(1), rounds(600, last=True)) == ()
    (race,) = run(memtile(1), rounds(600, last=False))
    assert "the sequence ends without having waited" in race.message


@pytest.mark.parametrize("argument", [0, 1])
def test_a_buffer_may_be_written_where_it_was_read_when_its_words_come_back(argument):
    """In place: the last word was read before it can be written; the other's transfer says nothing of it."""
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 2 * WORDS)
    s.transfer(0, "S2MM", 0, 1, argument, 2 * WORDS)
    s.sync(0, "S2MM", 0)
    assert run(memtile(1), s) == ()


def test_parts_of_two_channels_that_overlap_by_some_words_are_found():
    p = Program()
    for channel in (0, 1):
        p.circuit((0, 0, "DMA", channel), [("North", channel)], ("DMA", channel))
        bd = 24 * channel
        p.bd(0, 1, bd, mem_bd(0x80000 + 4 * (WORDS - 4) * channel, WORDS, acquire=(64 + channel, -1)))
        p.lock(0, 1, channel, 1)
        p.start(0, 1, "S2MM", channel, bd)
    s = Sequence()
    for channel in (0, 1):
        s.transfer(0, "MM2S", channel, channel, 0, WORDS, token=True)
    for channel in (0, 1):
        s.sync(0, "MM2S", channel)
    texts = [race.render() for race in run(p, s, 1)]
    assert texts
    assert all("S2MM 0 of tile (0, 1) (BD 0)" in t and "S2MM 1 of tile (0, 1) (BD 24)" in t for t in texts)


# --- Words that nothing wrote, on their way.

READS = """
__attribute__((noinline)) void kernel(i32 at, volatile i32 *p) {
  p[at]; }
i64 core_0_3(void) { START ACQUIRE(1, 0, 3, 1, 1); kernel(*(volatile i32 *)0x70900, (i32 *)0x70800); END; }
"""


def copied(at: int, through_memtile: bool, shape: tuple[tuple[int, int], ...]) -> None:
    """Tile (0, 2) has written 8 of 16 words and sends all of them to (0, 3), whose core reads one."""
    p = Program()
    buffers = (("taken", 0x70800, 64), ("at", 0x70900, 4))
    p.core(compile_core(READS, 0, 3, buffers=buffers), 0, 3, 1024)
    p.bd(0, 2, 0, core_bd(0x1000, 16, shape=shape))
    p.start(0, 2, "MM2S", 0, 0)
    p.bd(0, 3, 0, core_bd(0x800, 16, release=(1, 1)))
    if through_memtile:
        p.circuit((0, 2, "DMA", 0), [("South", 0)], ("DMA", 0))
        p.bd(0, 1, 0, mem_bd(0x80000, 16, release=(64, 1)))
        p.bd(0, 1, 1, mem_bd(0x80000, 16, acquire=(64, -1)))
        p.circuit((0, 1, "DMA", 0), [("North", 0), ("North", 0)], ("DMA", 0))
        p.start(0, 1, "S2MM", 0, 0)
        p.start(0, 1, "MM2S", 0, 1)
    else:
        p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.start(0, 3, "S2MM", 0, 0)
    with p.emulator(checks=BOTH) as npu:
        for word in range(8):
            npu.write32(reg.tile_address(0, 2, 0x1000 + 4 * word), word)
        npu.write32(reg.tile_address(0, 3, 0x900), at)
        npu.run(nothing(), [])


@pytest.mark.parametrize("through_memtile", [False, True])
@pytest.mark.parametrize(("shape", "missing"), [((), 12), (((2, 8), (8, 1)), 13)])
def test_words_that_nothing_wrote_stay_so_behind_a_channel(through_memtile, shape, missing):
    copied(missing - 9 if shape else 3, through_memtile, shape)
    with pytest.raises(BadAccess, match=r"that nothing has written: byte .* of buffer 'taken'") as caught:
        copied(missing, through_memtile, shape)
    assert caught.value.location is not None
    assert caught.value.location.line == 3


# --- Neighbours.


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("p[16] = 1;", "in the south data memory, 0 bytes past the end of buffer 'shared'"),
        ("p[-1] = 1;", "in the south data memory, 4 bytes before buffer 'shared'"),
        (
            "((volatile short *)p)[32] = 1;",
            "in the south data memory, 0 bytes past the end of buffer 'shared'",
        ),
    ],
)
def test_a_neighbours_overrun_is_measured_from_its_buffer(code, words):
    p = Program()
    body = f"""
__attribute__((noinline)) void kernel(volatile i32 *p) {{
  {code} }}
i64 core_0_3(void) {{ START kernel((i32 *)0x40800); END; }}"""
    buffers = (("shared", 0x40800, 64),)
    p.core(compile_core(body, 0, 3, buffers=buffers, neighbours=("south",)), 0, 3, 1024)
    npu: Emulator
    with p.emulator(checks=BOTH) as npu, pytest.raises(BadAccess) as caught:
        npu.run(nothing(), [])
    assert words in caught.value.message


# --- Parameters that the sequence writes while cores run.

TAKES_PARAMETER = """
__attribute__((noinline)) void kernel(volatile i32 *parameter, volatile i32 *data) {
  data[0] = data[0] + parameter[0]; }
i64 core_0_2(void) { START
  ACQUIRE(1, 0, 2, 0, 1); kernel((i32 *)0x70900, (i32 *)0x70800); RELEASE(0, 2, 1, 1);
  END; }
"""
PARAMETER = reg.tile_address(0, 2, 0x900)


def parameter_races(sequence: Sequence) -> list[str]:
    """Words go to (0, 2), whose core adds a parameter and lets them go back."""
    p = Program()
    buffers = (("data", 0x70800, 4 * WORDS), ("parameter", 0x70900, 4))
    p.core(compile_core(TAKES_PARAMETER, 0, 2, buffers=buffers), 0, 2, 1024)
    p.circuit((0, 0, "DMA", 0), [("North", 0), ("North", 0)], ("DMA", 0))
    p.circuit((0, 2, "DMA", 0), [("South", 0), ("South", 0)], ("DMA", 0))
    p.bd(0, 2, 0, core_bd(0x800, WORDS, release=(0, 1)))
    p.bd(0, 2, 1, core_bd(0x800, WORDS, acquire=(1, -1)))
    p.start(0, 2, "S2MM", 0, 0)
    p.start(0, 2, "MM2S", 0, 1)
    return [race.render() for race in run(p, sequence, 2)]


def fill(s: Sequence) -> None:
    s.transfer(0, "MM2S", 0, 0, 0, WORDS)


def drain(s: Sequence) -> None:
    s.transfer(0, "S2MM", 0, 1, 1, WORDS)
    s.sync(0, "S2MM", 0)


def parameter(s: Sequence) -> None:
    s.write(PARAMETER, 7)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        pytest.param((parameter, fill, drain), False, id="before the words that wake the core"),
        pytest.param((fill, parameter, drain), True, id="behind them"),
        pytest.param((parameter, fill, drain, parameter), False, id="when the core has answered"),
        pytest.param((parameter, fill, parameter, drain), True, id="a second time while the core may read"),
    ],
)
def test_a_parameter_that_is_written_during_a_run_is_a_race_unless_something_orders_it(steps, found):
    s = Sequence()
    for step in steps:
        step(s)
    texts = parameter_races(s)
    assert bool(texts) == found
    assert all("buffer 'parameter' of tile (0, 2)" in text and "core.c:3" in text for text in texts)
