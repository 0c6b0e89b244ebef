"""Buffer descriptors against NumPy: dimensions, iteration, padding, repetition; all tiles and directions."""

from __future__ import annotations

import numpy as np
import pytest
from array_program import Program, Sequence, core_bd, mem_bd, shim_bd, write_words
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from npuninja.emulator import Emulator

CORE_WORDS = 0x10000 // 4
EXAMPLES = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def offsets(length: int, shape) -> np.ndarray:
    """Word offsets of a walk: `shape` = [(wrap, step), ...] innermost first; the first wrap of 0 takes the
    rest.
    """
    wraps, steps = [], []
    for wrap, step in shape:
        steps.append(step)
        wraps.append(wrap)
        if wrap == 0:
            break
    result = np.zeros(length, dtype=np.int64)
    rest = np.arange(length)
    for i, (wrap, step) in enumerate(zip(wraps, steps)):
        if wrap and i + 1 < len(steps):
            result += rest % wrap * step
            rest = rest // wrap
        else:
            result += rest * step
    return result


@st.composite
def walks(draw, *, dimensions: int, max_wrap: int, max_step: int, memory_words: int):
    """(base word, length, shape) that stays inside the memory; shapes with all wraps but the last."""
    count = draw(st.integers(1, dimensions))
    shape = []
    for i in range(count):
        wrap = draw(st.integers(1, min(max_wrap, 9))) if i + 1 < count else 0
        shape.append((wrap, draw(st.one_of(st.just(1), st.integers(1, min(max_step, 40))))))
    # A dimension that continues where the one below it ends is common, and takes another way in the engine.
    if count > 1 and draw(st.booleans()):
        shape[1] = (shape[1][0], shape[0][0] * shape[0][1])
    length = draw(st.integers(1, 300))
    reach = int(offsets(length, shape).max())
    assume(reach < memory_words)
    base = draw(st.integers(0, memory_words - 1 - reach))
    return base, length, shape


class Bench:
    """One array for many examples: two core tiles and a memtile joined by circuits."""

    def __init__(self) -> None:
        p = Program()
        p.circuit((0, 2, "DMA", 0), [("North", 0)], ("DMA", 1))  # core (0,2) -> core (0,3)
        p.circuit((0, 1, "DMA", 0), [("North", 1)], ("DMA", 0))  # memtile -> core (0,2)
        p.circuit((0, 3, "DMA", 0), [("South", 2), ("South", 2)], ("DMA", 2))  # core (0,3) -> memtile
        p.circuit((0, 0, "DMA", 0), [("North", 3)], ("DMA", 3))  # shim -> memtile
        p.circuit((0, 1, "DMA", 1), [("South", 3)], ("DMA", 1))  # memtile -> shim
        self.npu: Emulator = p.emulator()
        self.host = [self.npu.allocate(0x8000), self.npu.allocate(0x8000)]

    def execute(self, program: Program, sequence: Sequence | None = None) -> None:
        self.npu.configure(program.commands)
        stream = sequence or Sequence()
        if not stream.operations:
            stream.write(0, 0)
        self.npu.run(stream.bytes(), self.host)

    def memory(self, row: int) -> np.ndarray:
        return np.frombuffer(self.npu.data_memory(0, row), dtype=np.uint32)


@pytest.fixture(scope="module")
def bench():
    bench = Bench()
    yield bench
    bench.npu.close()


def fill(memory: np.ndarray, seed: int) -> None:
    memory[:] = np.random.default_rng(seed).integers(0, 1 << 32, memory.size, dtype=np.uint32)


CORE = {"dimensions": 3, "max_wrap": 255, "max_step": 1 << 13, "memory_words": CORE_WORDS}
MEMTILE = {"dimensions": 4, "max_wrap": 1023, "max_step": 1 << 17, "memory_words": 0x80000 // 4}


@EXAMPLES
@given(read=walks(**CORE), write=walks(**CORE), seed=st.integers(0, 1000))
def test_core_to_core(bench, read, write, seed) -> None:
    base, length, shape = read
    to, _, to_shape = write
    to_offsets = offsets(length, to_shape)
    assume(to_offsets.max() < CORE_WORDS)
    to = min(to, CORE_WORDS - 1 - int(to_offsets.max()))
    source, dest = bench.memory(2), bench.memory(3)
    fill(source, seed)
    expected = dest.copy()
    expected[to + to_offsets] = source[base + offsets(length, shape)]
    p = Program()
    p.bd(0, 2, 3, core_bd(4 * base, length, shape=shape))
    p.bd(0, 3, 5, core_bd(4 * to, length, shape=to_shape))
    p.start(0, 2, "MM2S", 0, 3)
    p.start(0, 3, "S2MM", 1, 5)
    bench.execute(p)
    # Where the same word is written twice the last one stays; NumPy's assignment does the same.
    np.testing.assert_array_equal(bench.memory(3), expected)


@EXAMPLES
@given(read=walks(**MEMTILE), seed=st.integers(0, 1000))
def test_memtile_to_core(bench, read, seed) -> None:
    base, length, shape = read
    source = bench.memory(1)
    fill(source, seed)
    p = Program()
    p.bd(0, 1, 0, mem_bd(0x80000 + 4 * base, length, shape=shape))
    p.bd(0, 2, 0, core_bd(0x400, length))
    p.start(0, 1, "MM2S", 0, 0)
    p.start(0, 2, "S2MM", 0, 0)
    bench.execute(p)
    got = bench.memory(2)[0x100 : 0x100 + length]
    np.testing.assert_array_equal(got, bench.memory(1)[base + offsets(length, shape)])


@EXAMPLES
@given(write=walks(**MEMTILE), seed=st.integers(0, 1000))
def test_core_to_memtile(bench, write, seed) -> None:
    to, length, shape = write
    fill(bench.memory(3), seed)
    expected = bench.memory(1).copy()
    expected[to + offsets(length, shape)] = bench.memory(3)[:length]
    p = Program()
    p.bd(0, 3, 0, core_bd(0, length))
    p.bd(0, 1, 1, mem_bd(0x80000 + 4 * to, length, shape=shape))
    p.start(0, 3, "MM2S", 0, 0)
    p.start(0, 1, "S2MM", 2, 1)
    bench.execute(p)
    np.testing.assert_array_equal(bench.memory(1), expected)


SHIM = {"dimensions": 3, "max_wrap": 1023, "max_step": 1 << 20, "memory_words": 0x2000}


@EXAMPLES
@given(read=walks(**SHIM), write=walks(**SHIM), seed=st.integers(0, 1000))
def test_host_to_memtile_to_host(bench, read, write, seed) -> None:
    base, length, shape = read
    to, _, to_shape = write
    to_offsets = offsets(length, to_shape)
    assume(to_offsets.max() < 0x2000)
    to = min(to, 0x2000 - 1 - int(to_offsets.max()))
    source = np.frombuffer(bench.host[0].view, dtype=np.uint32)
    dest = np.frombuffer(bench.host[1].view, dtype=np.uint32)
    fill(source, seed)
    expected = dest.copy()
    expected[to + to_offsets] = source[base + offsets(length, shape)]
    p = Program()
    p.lock(0, 1, 0, 0)
    p.bd(0, 1, 24, mem_bd(0x80000, length, release=(64, 1)))
    p.bd(0, 1, 25, mem_bd(0x80000, length, acquire=(64, -1)))
    p.start(0, 1, "S2MM", 3, 24)
    p.start(0, 1, "MM2S", 1, 25)
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, length, offset=4 * base, shape=shape)
    s.transfer(0, "S2MM", 1, 1, 1, length, offset=4 * to, shape=to_shape)
    s.sync(0, "S2MM", 1)
    bench.execute(p, s)
    np.testing.assert_array_equal(dest, expected)


@st.composite
def padded(draw):
    """(data shape outermost first, pads as [(before, after), ...] innermost first)."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    pads = [(draw(st.integers(0, 5)), draw(st.integers(0, 5))) for _ in shape]
    return shape, pads


@EXAMPLES
@given(case=padded(), repeat_outer=st.integers(1, 3), seed=st.integers(0, 1000))
def test_padding(bench, case, repeat_outer, seed) -> None:
    shape, pads = case
    block = int(np.prod(shape))
    fill(bench.memory(1), seed)
    data = bench.memory(1)[: block * repeat_outer].reshape([repeat_outer, *shape])
    expected = np.pad(data, [(0, 0), *pads[::-1]]).reshape(-1)
    inner = [*shape[::-1]]
    steps = [int(np.prod(inner[:i])) for i in range(len(inner) + 1)]
    walk = [(w, s) for w, s in zip(inner, steps)] + ([(0, steps[-1])] if len(inner) == 3 else [])
    if len(inner) < 3:  # the highest dimension that is used has no wrap to count beyond
        walk = [*walk, (1, steps[-1])] if repeat_outer == 1 else [*walk, (repeat_outer, steps[-1])]
    before = [b for b, _ in pads] + [0] * (3 - len(pads))
    after = [a for _, a in pads] + [0] * (3 - len(pads))
    p = Program()
    p.bd(0, 1, 0, mem_bd(0x80000, expected.size, shape=walk, before=before, after=after))
    p.bd(0, 2, 0, core_bd(0x400, expected.size))
    p.start(0, 1, "MM2S", 0, 0)
    p.start(0, 2, "S2MM", 0, 0)
    bench.execute(p)
    np.testing.assert_array_equal(bench.memory(2)[0x100 : 0x100 + expected.size], expected)


def test_pad_value_register(bench) -> None:
    bench.memory(1)[:4] = [1, 2, 3, 4]
    p = Program()
    p.write(0, 1, 0xA06E0, 0xABCD)
    p.bd(0, 1, 0, mem_bd(0x80000, 6, shape=[(4, 1)], before=(1, 0, 0), after=(1, 0, 0)))
    p.bd(0, 2, 0, core_bd(0x400, 6))
    p.start(0, 1, "MM2S", 0, 0)
    p.start(0, 2, "S2MM", 0, 0)
    bench.execute(p)
    assert bench.memory(2)[0x100:0x106].tolist() == [0xABCD, 1, 2, 3, 4, 0xABCD]
    reset = Program()
    reset.write(0, 1, 0xA06E0, 0)
    bench.execute(reset)


def test_iteration_moves_the_base_with_each_repetition(bench) -> None:
    bench.memory(2)[:64] = np.arange(64)
    p = Program()
    p.bd(0, 2, 0, core_bd(0, 2, iteration=(3, 10, 0)))
    p.bd(0, 3, 0, core_bd(0, 10))
    p.start(0, 2, "MM2S", 0, 0, repeat=4)
    p.start(0, 3, "S2MM", 1, 0)
    bench.execute(p)
    assert bench.memory(3)[:10].tolist() == [0, 1, 10, 11, 20, 21, 0, 1, 10, 11]
    # Five loads: the counter has wrapped once and is at 2.
    assert bench.npu.read32(2 << 20 | 0x1D010) >> 19 == 2


def test_host_repetition_with_iteration(bench) -> None:
    source = np.frombuffer(bench.host[0].view, dtype=np.uint32)
    dest = np.frombuffer(bench.host[1].view, dtype=np.uint32)
    source[:] = np.arange(source.size)
    p = Program()
    p.lock(0, 1, 0, 0)
    p.bd(0, 1, 24, mem_bd(0x80000, 24, release=(64, 1)))
    p.bd(0, 1, 25, mem_bd(0x80000, 24, acquire=(64, -1)))
    p.start(0, 1, "S2MM", 3, 24)
    p.start(0, 1, "MM2S", 1, 25)
    s = Sequence()
    s.transfer(0, "MM2S", 0, 0, 0, 8, repeat=2, iteration=(3, 100, 0))
    s.transfer(0, "S2MM", 1, 1, 1, 24)
    s.sync(0, "S2MM", 1)
    bench.execute(p, s)
    assert dest[:24].tolist() == [*range(8), *range(100, 108), *range(200, 208)]


def test_chain_of_bds_and_zero_length(bench) -> None:
    bench.memory(2)[:8] = np.arange(8)
    p = Program()
    p.bd(0, 2, 0, core_bd(0, 3, next_bd=1))
    p.bd(0, 2, 1, core_bd(0, 0, next_bd=2))
    p.bd(0, 2, 2, core_bd(16, 4))
    p.bd(0, 3, 0, core_bd(0, 7))
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 1, 0)
    bench.execute(p)
    assert bench.memory(3)[:7].tolist() == [0, 1, 2, 4, 5, 6, 7]


def test_neighbouring_memtile_is_a_window_of_the_dma() -> None:
    p = Program()
    p.circuit((0, 1, "DMA", 0), [("North", 0)], ("DMA", 0))
    p.lock(1, 1, 5, 1)
    p.bd(0, 1, 0, mem_bd(0x100000 + 64, 4, acquire=(128 + 5, -1), release=(64 + 3, 2)))
    p.bd(0, 2, 0, core_bd(0, 4))
    p.start(0, 1, "MM2S", 0, 0)
    p.start(0, 2, "S2MM", 0, 0)
    with p.emulator(columns=2) as npu:
        npu.data_memory(1, 1)[64:80] = bytes(range(16))
        s = Sequence(columns=2)
        s.write(0, 0)
        npu.run(s.bytes(), [])
        assert bytes(npu.data_memory(0, 2)[:16]) == bytes(range(16))
        assert npu.read32(1 << 25 | 1 << 20 | 0xC0050) == 0
        assert npu.read32(1 << 20 | 0xC0030) == 2


def test_block_write_reaches_memory_and_registers(bench) -> None:
    p = Program()
    p.commands.append(write_words(2 << 20 | 0x100, range(300)))
    p.commands.append(write_words(2 << 20 | 0x1D000, core_bd(0, 4)))
    bench.execute(p)
    assert bench.memory(2)[0x40 : 0x40 + 300].tolist() == list(range(300))
    assert bench.npu.read32(2 << 20 | 0x1D000) == core_bd(0, 4)[0]
    assert shim_bd(5)[0] == 5


def compressed(words: np.ndarray) -> np.ndarray:
    """The stream of 32-byte groups: a bit for each non-zero byte, then these, with zeros up to a word."""
    stream = bytearray()
    for group in words.view(np.uint8).reshape(-1, 32):
        stream += np.packbits(group != 0, bitorder="little").tobytes() + group[group != 0].tobytes()
        stream += bytes(-len(stream) % 4)
    return np.frombuffer(bytes(stream), dtype=np.uint32)


def control(program: Program, row: int, register: int, value: int) -> None:
    program.write(0, row, register, value)


@EXAMPLES
@given(
    data=st.lists(st.sampled_from([0, 1, 0x100, 0x30201, 0xFF000000, 0xFFFFFFFF]), min_size=16, max_size=16)
)
@pytest.mark.parametrize("ends", ["both", "out", "in"])
def test_compression_of_a_stream(bench, ends, data) -> None:
    words = np.array(data, dtype=np.uint32)
    packed = compressed(words)
    sent, wanted = (packed, words) if ends == "in" else (words, words if ends == "both" else packed)
    bench.memory(2)[: sent.size] = sent
    bench.memory(3)[:32] = 0xDEADBEEF
    bench.execute(Program())  # a sequence says which family this is
    p = Program()
    control(p, 2, 0x1DE10, 0x10 * (ends != "in"))
    control(p, 3, 0x1DE08, 0x10 * (ends != "out"))
    for row, on, length in ((2, ends != "in", sent.size), (3, ends != "out", wanted.size)):
        bd = list(core_bd(0, length))
        bd[1] |= int(on) << 31
        p.bd(0, row, 0, bd)
    p.start(0, 2, "MM2S", 0, 0)
    p.start(0, 3, "S2MM", 1, 0)
    bench.execute(p)
    assert bench.memory(3)[: wanted.size].tolist() == wanted.tolist()
    assert bench.memory(3)[wanted.size] == 0xDEADBEEF
    p = Program()
    control(p, 2, 0x1DE10, 0)
    control(p, 3, 0x1DE08, 0)
    bench.execute(p)
