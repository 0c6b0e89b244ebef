"""More kinds of planted faults, each with a twin that does the same in order: only the fault is found.

Two tiles or columns, channels of memory tiles, descriptors, host buffers, kernels that go a little too far.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from array_program import Program, Sequence, compile_core, core_bd, mem_bd, write_words

from npuninja.arch import registers as reg
from npuninja.emulator.errors import EmulationError
from npuninja.formats import txn

BOTH = frozenset({"races", "memory"})
WORDS = 64
QUEUE = {kind: reg.channel_queue(kind, "MM2S", 0) for kind in ("mem", "core")}


class Design(NamedTuple):
    """A configuration and what its sequence does with host buffers."""

    program: Program
    sequence: Sequence
    buffers: int = 2
    columns: int = 1


def found(design: Design) -> list[str]:
    """What the checks say: races, or the error that ended the run."""
    with design.program.emulator(design.columns, checks=BOTH) as npu:
        hosts = [npu.allocate(4 * 4096) for _ in range(design.buffers)]
        try:
            return [race.render() for race in npu.run(design.sequence.bytes(), hosts).races]
        except EmulationError as error:
            return [error.render()]


def out_of(p: Program, column: int, row: int) -> None:
    """The way from a tile's first sending channel to the shim tile."""
    p.circuit((column, row, "DMA", 0), [("South", 0)] * row, ("DMA", 0))


def into(p: Program, column: int, row: int) -> None:
    p.circuit((column, 0, "DMA", 0), [("North", 0)] * row, ("DMA", 0))


def filled(p: Program, column: int, row: int, offset: int, words: int = WORDS) -> None:
    """Memory with values from the start on."""
    p.commands.append(write_words(reg.tile_address(column, row, offset), range(words)))


def start(s: Sequence, column: int, row: int, bd: int) -> None:
    kind = "mem" if row == 1 else "core"
    s.write(reg.tile_address(column, row, QUEUE[kind]), bd | 1 << 31)


# --- Memory tiles.


def neighbours_memory(planted: bool) -> Design:
    """A memory tile fills its memory, and its neighbour's channel sends from there."""
    p, s = Program(), Sequence(2)
    into(p, 0, 1)
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS, **({} if planted else {"release": (65, 1)})))
    p.start(0, 1, "S2MM", 0, 0)
    p.bd(1, 1, 0, mem_bd(0, WORDS, **({} if planted else {"acquire": (1, -1)})))
    p.start(1, 1, "MM2S", 0, 0)
    out_of(p, 1, 1)
    s.transfer(1, "S2MM", 0, 1, 1, WORDS)
    s.transfer(0, "MM2S", 0, 0, 0, WORDS)
    s.sync(1, "S2MM", 0)
    return Design(p, s, columns=2)


def a_word_of_the_sequence(planted: bool) -> Design:
    """The sequence writes into the memory tile after or before the start of a task that sends it."""
    p, s = Program(), Sequence()
    filled(p, 0, 1, 0)
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS))
    out_of(p, 0, 1)
    s.transfer(0, "S2MM", 0, 1, 1, WORDS)
    steps = [lambda: start(s, 0, 1, 0), lambda: s.write(reg.tile_address(0, 1, 16), 7)]
    for step in steps if planted else reversed(steps):
        step()
    s.sync(0, "S2MM", 0)
    return Design(p, s)


def a_descriptor(row: int) -> Callable[[bool], Design]:
    """The sequence writes a descriptor again before or after it has waited for its task."""

    def made(planted: bool) -> Design:
        p, s = Program(), Sequence()
        kind = "mem" if row == 1 else "core"
        words = mem_bd(0x80000, WORDS) if row == 1 else core_bd(0x800, WORDS)
        filled(p, 0, row, 0 if row == 1 else 0x800)
        p.bd(0, row, 0, words)
        out_of(p, 0, row)
        for round_ in range(2):
            s.transfer(0, "S2MM", 0, 1 + round_, 1, WORDS)
            start(s, 0, row, 0)
            if not planted:
                s.sync(0, "S2MM", 0)
            base = reg.tile_address(0, row, reg.bd_offset(kind, 0))
            s.operations.append(txn.BlockWrite(base, write_words(0, words).data))
        for _ in range(2 if planted else 0):
            s.sync(0, "S2MM", 0)
        return Design(p, s)

    return made


# --- Host buffers.


def two_columns(first: int, second: int, shape: tuple[tuple[int, int], ...] = ()) -> Design:
    """Two columns write into one host buffer from these words on."""
    p, s = Program(), Sequence(2)
    for column in (0, 1):
        filled(p, column, 1, 0)
        p.bd(column, 1, 0, mem_bd(0x80000, WORDS))
        out_of(p, column, 1)
        p.start(column, 1, "MM2S", 0, 0)
    for column, offset in ((0, first), (1, second)):
        s.transfer(column, "S2MM", 0, 1, 0, WORDS, offset=4 * offset, shape=shape)
    for column in (0, 1):
        s.sync(column, "S2MM", 0)
    return Design(p, s, 1, 2)


def one_writes_one_reads(planted: bool) -> Design:
    """Column 0 writes the buffer that column 1 reads."""
    p, s = Program(), Sequence(2)
    filled(p, 0, 1, 0)
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS))
    out_of(p, 0, 1)
    p.start(0, 1, "MM2S", 0, 0)
    into(p, 1, 1)
    p.bd(1, 1, 0, mem_bd(0x80000, WORDS))
    p.start(1, 1, "S2MM", 0, 0)
    s.transfer(0, "S2MM", 0, 1, 0, WORDS)
    if not planted:
        s.sync(0, "S2MM", 0)
    s.transfer(1, "MM2S", 0, 1, 0, WORDS, token=True)
    s.sync(1, "MM2S", 0)
    if planted:
        s.sync(0, "S2MM", 0)
    return Design(p, s, 1, 2)


# --- Cores, their neighbours, their channels.

ACCESS = """
__attribute__((noinline)) void kernel(volatile i32 *p) {{
  {does} }}
i64 core_{c}_{r}(void) {{ START {before} kernel((i32 *){address}); {after} END; }}
"""
WRITES, READS, COUNTS = "p[0] = 7;", "p[0];", "p[0] = p[0] + 1;"
WINDOWS = {"south": 0x40800, "west": 0x50800, "north": 0x60800, "own": 0x70800}


def core(
    p: Program,
    place: tuple[int, int],
    window: str,
    does: str,
    before: str = "",
    after: str = "",
    words: int = 16,
) -> None:
    """A core that does something once to a buffer of its own or of a neighbour."""
    c, r = place
    text = ACCESS.format(does=does, c=c, r=r, address=WINDOWS[window], before=before, after=after)
    neighbours = () if window == "own" else (window,)
    buffers = (("shared", WINDOWS[window], 4 * words),)
    p.core(compile_core(text, c, r, buffers=buffers, neighbours=neighbours), c, r, 1024)


def two_cores(other: tuple[int, int], window: str, does: tuple[str, str]) -> Callable[[bool], Design]:
    """Core (0, 2) and a neighbour that sees its memory: with a lock between them, or without."""

    def made(planted: bool) -> Design:
        p, s = Program(), Sequence(2)
        filled(p, 0, 2, 0x800, 16)
        core(
            p,
            (0, 2),
            "own",
            does[0],
            "" if planted else "ACQUIRE(1, 0, 2, 1, 1);",
            "" if planted else "RELEASE(0, 2, 2, 1);",
        )
        core(p, other, window, does[1], "", "" if planted else "RELEASE(0, 2, 1, 1);")
        s.write(0, 0)
        return Design(p, s, 0, 2)

    return made


def sent_from_a_neighbours_tile(planted: bool) -> Design:
    """Core (0, 3) writes what the channel of (0, 2) sends."""
    p, s = Program(), Sequence()
    filled(p, 0, 2, 0x800, 16)
    core(p, (0, 3), "south", WRITES, "", "" if planted else "RELEASE(0, 2, 1, 1);")
    p.bd(0, 2, 0, core_bd(0x800, 16, **({} if planted else {"acquire": (1, -1)})))
    p.start(0, 2, "MM2S", 0, 0)
    out_of(p, 0, 2)
    s.transfer(0, "S2MM", 0, 1, 1, 16)
    s.sync(0, "S2MM", 0)
    return Design(p, s)


def filled_in_a_neighbours_tile(does: str, length: int = 16, acquires: bool = True) -> Design:
    """Core (0, 2) uses what the channel of (0, 3) has put into its own tile."""
    p, s = Program(), Sequence()
    into(p, 0, 3)
    p.bd(0, 3, 0, core_bd(0x800, length, release=(1, 1)))
    p.start(0, 3, "S2MM", 0, 0)
    core(p, (0, 2), "north", does, "ACQUIRE(1, 0, 3, 1, 1);" if acquires else "")
    s.transfer(0, "MM2S", 0, 0, 0, length, token=True)
    s.sync(0, "MM2S", 0)
    return Design(p, s, 1)


def alone(does: str) -> Design:
    """A kernel with a buffer of 16 words that has values."""
    p, s = Program(), Sequence()
    filled(p, 0, 2, 0x800, 16)
    core(p, (0, 2), "own", does)
    s.write(0, 0)
    return Design(p, s, 0)


def kept(planted: bool) -> Design:
    """A kernel looks at its input once more, after or before its core's release."""
    p, s = Program(), Sequence()
    into(p, 0, 2)
    p.bd(0, 2, 0, core_bd(0x800, 16, next_bd=0, acquire=(0, -1), release=(1, 1)))
    p.lock(0, 2, 0, 1)
    p.start(0, 2, "S2MM", 0, 0)
    calls = ["kernel((i32 *)0x70800);", "RELEASE(0, 2, 0, 1);"]
    rest = " ".join(reversed(calls) if planted else calls)
    core(p, (0, 2), "own", READS, "ACQUIRE(1, 0, 2, 1, 1);", rest)
    s.transfer(0, "MM2S", 0, 0, 0, 32, token=True)
    s.sync(0, "MM2S", 0)
    return Design(p, s, 1)


def a_control_packet(reads: bool) -> Callable[[bool], Design]:
    """A packet of a neighbour's channel that goes to the word a core uses, or to one beside."""

    def made(planted: bool) -> Design:
        p, s = Program(), Sequence()
        p.connect(0, 2, ("DMA", 0), ("North", 0))
        p.write(0, 3, 0x3F000 + 4 * 4, 0)
        p.rule(0, 3, ("South", 0), 0, 4, 31, 0, 0)
        p.master(0, 3, ("TileControl", 0), 0, [0], drop=False)
        p.rule(0, 3, ("TileControl", 0), 0, 2, 31, 1, 0)  # the way of answers: to where nothing waits
        p.master(0, 3, ("DMA", 0), 1, [0], drop=False)
        word = 0x800 if planted else 0x880
        packet = [2 << 24 | 1 << 22 | word] if reads else [word, 7]
        p.commands.append(write_words(reg.tile_address(0, 2, 0x100), packet))
        core(p, (0, 3), "own", WRITES)
        p.bd(0, 2, 0, core_bd(0x100, len(packet), packet=(1, 4)))
        start(s, 0, 2, 0)
        return Design(p, s, 0)

    return made


#: Name -> the fault, its twin, words of what is said.
PLANTED: dict[str, tuple[Callable[[], Design], Callable[[], Design], str]] = {
    "a neighbour memory tile's channel": (
        lambda: neighbours_memory(True), lambda: neighbours_memory(False), "MM2S 0 of tile (1, 1) (BD 0) reads",
    ),
    "a control packet that writes": (
        lambda: a_control_packet(False)(True), lambda: a_control_packet(False)(False), "MM2S 0 of tile (0, 2) (BD 0) writes",
    ),
    "a control packet that reads": (
        lambda: a_control_packet(True)(True), lambda: a_control_packet(True)(False), "MM2S 0 of tile (0, 2) (BD 0) reads",
    ),
    "a word of the sequence in a memory tile": (
        lambda: a_word_of_the_sequence(True), lambda: a_word_of_the_sequence(False), "the runtime sequence",
    ),
    "a memory tile's descriptor": (
        lambda: a_descriptor(1)(True), lambda: a_descriptor(1)(False), "rewrites BD 0 of tile (0, 1)",
    ),
    "a core tile's descriptor": (
        lambda: a_descriptor(2)(True), lambda: a_descriptor(2)(False), "rewrites BD 0 of tile (0, 2)",
    ),
    "two columns write one word": (
        lambda: two_columns(0, WORDS - 1), lambda: two_columns(0, WORDS), "S2MM 0 of tile (1, 0)",
    ),
    "two columns write every second word": (
        lambda: two_columns(0, 2, ((WORDS, 2),)), lambda: two_columns(0, 1, ((WORDS, 2),)), "S2MM 0 of tile (1, 0)",
    ),
    "another column reads too early": (
        lambda: one_writes_one_reads(True), lambda: one_writes_one_reads(False), "MM2S 0 of tile (1, 0)",
    ),
    "a core above writes": (
        lambda: two_cores((0, 3), "south", (READS, WRITES))(True),
        lambda: two_cores((0, 3), "south", (READS, WRITES))(False), "core (0, 3)",
    ),
    "a core to the east writes": (
        lambda: two_cores((1, 2), "west", (READS, WRITES))(True),
        lambda: two_cores((1, 2), "west", (READS, WRITES))(False), "core (1, 2)",
    ),
    "both count": (
        lambda: two_cores((0, 3), "south", (COUNTS, COUNTS))(True),
        lambda: two_cores((0, 3), "south", (COUNTS, COUNTS))(False), "core (0, 3)",
    ),
    "a core reads what its neighbour writes": (
        lambda: two_cores((1, 2), "west", (WRITES, READS))(True),
        lambda: two_cores((1, 2), "west", (READS, READS))(True), "core (1, 2)",
    ),
    "sent while a neighbour writes": (
        lambda: sent_from_a_neighbours_tile(True), lambda: sent_from_a_neighbours_tile(False), "MM2S 0 of tile (0, 2)",
    ),
    "read in a neighbour's tile without its lock": (
        lambda: filled_in_a_neighbours_tile(WRITES, acquires=False), lambda: filled_in_a_neighbours_tile(WRITES),
        "S2MM 0 of tile (0, 3)",
    ),
    "read after a short transfer": (
        lambda: filled_in_a_neighbours_tile("p[12];", 8), lambda: filled_in_a_neighbours_tile("p[3];", 8),
        "that nothing has written: byte 48 of buffer 'shared'",
    ),
    "looked at again after the release": (lambda: kept(True), lambda: kept(False), "S2MM 0 of tile (0, 2)"),
    "a fill that is too long": (
        lambda: alone("__builtin_memset((void *)p, 0, 68);"), lambda: alone("__builtin_memset((void *)p, 0, 64);"),
        "past the end of buffer 'shared'",
    ),
    "a copy from beyond the end": (
        lambda: alone("i32 x[8]; __builtin_memcpy(x, (void *)(p + 12), 32); p[0] = x[p[1] & 7];"),
        lambda: alone("i32 x[8]; __builtin_memcpy(x, (void *)(p + 8), 32); p[0] = x[p[1] & 7];"),
        "reads 16 bytes at 0x70840",
    ),
    "a word at an odd address": (
        lambda: alone("*(volatile i32 *)((u8 *)p + 2) = 1;"), lambda: alone("*((volatile u8 *)p + 2) = 1;"),
        "which is no multiple of 4",
    ),
    "a half word over the end": (
        lambda: alone("((volatile short *)p)[32] = 1;"), lambda: alone("((volatile short *)p)[31] = 1;"),
        "0 bytes past the end of buffer 'shared'",
    ),
    "a loop that counts down too far": (
        lambda: alone("for (i32 i = 15; i >= -1; i--) p[i] = i;"), lambda: alone("for (i32 i = 15; i >= 0; i--) p[i] = i;"),
        "4 bytes before buffer 'shared'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_is_found_and_its_twin_is_not(name: str) -> None:
    fault, twin, words = PLANTED[name]
    texts = found(fault())
    assert texts, "nothing was found"
    assert any(words in text for text in texts), texts
    assert found(twin()) == []


def test_a_buffer_of_a_memory_tile_is_named() -> None:
    fault = a_word_of_the_sequence(True)
    names = (("half", 0, 1, 0, 4 * WORDS),)
    fault.program.core(
        compile_core("i64 core_0_2(void) { START END; }", 0, 2, tile_buffers=names), 0, 2, 1024
    )
    assert any("buffer 'half' of tile (0, 1)" in text for text in found(fault))


# --- Unusual designs that are right: nothing is said of them.


def both_only_read() -> Design:
    return two_cores((0, 3), "south", (READS, READS))(True)


def read_and_sent() -> Design:
    """A table that a core reads while a channel sends it."""
    p, s = Program(), Sequence()
    filled(p, 0, 2, 0x800, 16)
    core(p, (0, 2), "own", READS)
    p.bd(0, 2, 0, core_bd(0x800, 16))
    p.start(0, 2, "MM2S", 0, 0)
    out_of(p, 0, 2)
    s.transfer(0, "S2MM", 0, 1, 1, 16)
    s.sync(0, "S2MM", 0)
    return Design(p, s)


def an_exact_value_as_a_barrier() -> Design:
    """Core (0, 2) waits until the lock is 1, and takes nothing of it."""
    p, s = Program(), Sequence()
    filled(p, 0, 2, 0x800, 16)
    core(p, (0, 3), "south", WRITES, "", "RELEASE(0, 2, 1, 1);")
    wait = "__attribute__((fallthrough)); case 1: if (LOCK(0, 2, 1) != 1) WAIT(1, 2, 1, 0, 2, 1);"
    core(p, (0, 2), "own", READS, wait)
    s.write(0, 0)
    return Design(p, s, 0)


def halves_of_a_buffer() -> Design:
    """Two cores write halves of one buffer."""
    return two_cores((0, 3), "south", (WRITES, "p[8] = 7;"))(True)


def bytes_of_a_word_in_turn() -> Design:
    """Two cores write bytes of one word, one after the other."""
    return two_cores((0, 3), "south", ("((volatile u8 *)p)[0] = 1;", "((volatile u8 *)p)[1] = 1;"))(False)


def written_when_asked_for() -> Design:
    """The sequence polls a channel's state until it is idle, then writes its memory and starts it again."""
    p, s = Program(), Sequence()
    filled(p, 0, 1, 0)
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS))
    out_of(p, 0, 1)
    for round_ in range(2):
        s.transfer(0, "S2MM", 0, 1 + round_, 1, WORDS)
        start(s, 0, 1, 0)
        s.sync(0, "MM2S", 0, row=1)
        s.write(reg.tile_address(0, 1, 16), round_)
        s.sync(0, "S2MM", 0)
    return Design(p, s)


def one_of_two_tasks_in_place() -> Design:
    """What goes out of a host buffer comes back into it, through a memory tile."""
    p, s = Program(), Sequence()
    into(p, 0, 1)
    out_of(p, 0, 1)
    p.bd(0, 1, 0, mem_bd(0x80000, WORDS, next_bd=0, acquire=(64, -1), release=(65, 1)))
    p.bd(0, 1, 1, mem_bd(0x80000, WORDS, next_bd=1, acquire=(65, -1), release=(64, 1)))
    p.lock(0, 1, 0, 1)
    p.start(0, 1, "S2MM", 0, 0)
    p.start(0, 1, "MM2S", 0, 1)
    s.transfer(0, "MM2S", 0, 0, 0, 4 * WORDS)
    s.transfer(0, "S2MM", 0, 1, 0, 4 * WORDS)
    s.sync(0, "S2MM", 0)
    return Design(p, s, 1)


def a_struct_with_holes() -> Design:
    """Words of which only some bytes were written."""
    return alone("struct { u8 a; i32 b; } x, *volatile q = &x; q->a = 1; q->b = 2; p[0] = q->a + q->b;")


def the_last_words_of_a_buffer() -> Design:
    return alone("__builtin_memmove((void *)(p + 8), (void *)p, 32); p[15] = p[14];")


def a_pointer_that_ends_behind() -> Design:
    """A loop whose end is the address after its buffer."""
    return alone("for (volatile i32 *q = p + 16; q != p;) *--q = 3;")


RIGHT = (
    both_only_read, read_and_sent, an_exact_value_as_a_barrier, halves_of_a_buffer, bytes_of_a_word_in_turn,
    written_when_asked_for, one_of_two_tasks_in_place, a_struct_with_holes, the_last_words_of_a_buffer,
    a_pointer_that_ends_behind,
)  # fmt: skip


@pytest.mark.parametrize("made", RIGHT)
def test_nothing_is_said_of_what_is_unusual_and_right(made: Callable[[], Design]) -> None:
    assert found(made()) == []
