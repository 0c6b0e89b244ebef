"""Cycles with waits are cut, others stay, and every nesting of loops still computes the same."""

import pytest
from core_runner import RunningCore
from hypothesis import given, settings
from hypothesis import strategies as st
from wasm_build import WasmBuild

from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Block, Operation, Region
from npuninja.lowering.core_code.loops import waiting_back_edges


def region(successors, waits):
    """A region of blocks that jump as `successors` says; those in `waits` have a wait."""
    blocks = [Block() for _ in successors]
    for i, (block, targets) in enumerate(zip(blocks, successors)):
        if i in waits:
            block.append(
                Operation(
                    "aie.use_lock", attributes={"action": EnumAttr("LockAction", "AcquireGreaterEqual")}
                )
            )
        block.append(Operation("cf.br", successors=[(blocks[t], []) for t in targets]))
    return Region(blocks)


def cut_edges(successors, waits):
    made = region(successors, waits)
    return [(made.blocks.index(s), made.blocks.index(t)) for s, t in waiting_back_edges(made)]


@pytest.mark.parametrize(
    ("successors", "waits", "expected"),
    [
        ([[1], [2, 3], [1], []], {2}, [(2, 1)]),  # a loop with a wait
        ([[1], [2, 3], [1], []], {0, 3}, []),  # the waits are around it
        ([[1], [2, 5], [3, 4], [2], [1], []], {1}, [(4, 1)]),  # the inner loop does not wait
        ([[1], [2, 5], [3, 4], [2], [1], []], {3}, [(4, 1), (3, 2)]),
        ([[1], [1, 2], []], {1}, [(1, 1)]),  # a block that loops to itself
        ([[1, 2], [2], [1]], {1}, [(2, 1), (1, 2)]),  # two entries
    ],
)
def test_cut(successors, waits, expected):
    assert cut_edges(successors, waits) == expected


@given(st.data())
def test_no_cycle_with_a_wait_is_left(data):
    count = data.draw(st.integers(1, 8))
    successors = [data.draw(st.lists(st.integers(0, count - 1), max_size=3)) for _ in range(count)]
    waits = data.draw(st.sets(st.integers(0, count - 1)))
    left = {(s, t) for s, targets in enumerate(successors) for t in targets} - set(
        cut_edges(successors, waits)
    )
    for wait in waits:
        reached, pending = set(), [wait]
        while pending:
            here = pending.pop()
            for source, target in left:
                if source == here and target not in reached:
                    reached.add(target)
                    pending.append(target)
        assert wait not in reached


# Three nested loops; the middle one waits, the inner one computes.
NESTED = """module { aie.device(npu1) {
  %t = aie.tile(0, 2)
  %l = aie.lock(%t, 0) {init = 0 : i32, sym_name = "go"}
  %b = aie.buffer(%t) {address = 1024 : i32, sym_name = "b"} : memref<64xi32>
  %core = aie.core(%t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c64 = arith.constant 64 : index
    cf.br ^outer(%c0 : index)
  ^outer(%i: index):
    %i_more = arith.cmpi slt, %i, %c3 : index
    cf.cond_br %i_more, ^middle(%c0 : index), ^done
  ^middle(%j: index):
    %j_more = arith.cmpi slt, %j, %c4 : index
    cf.cond_br %j_more, ^work, ^next
  ^work:
    aie.use_lock(%l, AcquireGreaterEqual, 1)
    %product = arith.muli %i, %j : index
    %amount = arith.index_cast %product : index to i32
    cf.br ^inner(%c0 : index)
  ^inner(%k: index):
    %x = memref.load %b[%k] : memref<64xi32>
    %y = arith.addi %x, %amount : i32
    memref.store %y, %b[%k] : memref<64xi32>
    %k_next = arith.addi %k, %c1 : index
    %k_more = arith.cmpi slt, %k_next, %c64 : index
    cf.cond_br %k_more, ^inner(%k_next : index), ^after
  ^after:
    %j_next = arith.addi %j, %c1 : index
    cf.br ^middle(%j_next : index)
  ^next:
    %i_next = arith.addi %i, %c1 : index
    cf.br ^outer(%i_next : index)
  ^done:
    aie.end
  }
} }"""
TURNS = 3 * 4


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nested")
    return RunningCore(WasmBuild(folder, folder / "cache"), NESTED)


@settings(max_examples=30)
@given(tokens=st.lists(st.integers(0, 3), max_size=TURNS))
def test_stops_anywhere_and_goes_on(nested, tokens):
    nested.restart()
    nested.write(0x70400, bytes(256))
    lock = 2 * 64
    nested.set_lock(lock, 0)
    given_tokens = 0
    for count in [*tokens, TURNS]:
        count = min(count, TURNS - given_tokens)
        given_tokens += count
        nested.set_lock(lock, count)
        result = nested.step()
        assert result == (-1 if given_tokens == TURNS else 1 << 32 | 1 << 24 | 1 << 16 | lock)
        done = [i * j for i in range(3) for j in range(4)][:given_tokens]
        assert nested.read(0x70400, 256) == sum(done).to_bytes(4, "little") * 64
        if result == -1:
            break
