"""Emulated cores: windows, waits, faults with their C line, stack checks, imports."""

from __future__ import annotations

import math
import struct

import pytest
from array_program import Program, Sequence, compile_core, core_bd, mem_bd

from npuninja.arch.registers import tile_address
from npuninja.emulator import CoreFault, Deadlock, Emulator, LockFault, NotModelled, StackOverflow, TimeLimit
from npuninja.emulator.math_functions import evaluate
from npuninja.errors import UserError


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


def one_core(body: str, column=0, row=2, *, stack_bytes=1024, **info) -> Program:
    p = Program()
    p.core(compile_core(body, column, row, stack_bytes=stack_bytes, **info), column, row, stack_bytes)
    return p


def test_core_runs_to_its_end_and_says_done() -> None:
    p = one_core("i64 core_0_2(void) { START *(volatile i32 *)0x70800 = 42; END; }")
    with p.emulator() as npu:
        report = npu.run(nothing(), [])
        assert struct.unpack_from("<i", npu.data_memory(0, 2), 0x800) == (42,)
        assert npu.read32(tile_address(0, 2, 0x32004)) >> 20 & 1 == 1
    (core,) = report.cores
    assert (core.column, core.row, core.ended, core.steps) == (0, 2, True, 1)


def test_neighbours_are_windows() -> None:
    """Core (1, 3) sees (1, 2) south, (0, 3) west, (1, 4) north."""
    body = """
    i64 core_1_3(void) {
        START
        volatile i32 *south = (i32 *)0x40800, *west = (i32 *)0x50900, *north = (i32 *)0x60A00, *own = (i32 *)0x70B00;
        *own = *south + *west + *north;
        *south = 1; *west = 2; *north = 3;
        END;
    }"""
    buffers = (("s", 0x40800, 4), ("w", 0x50900, 4), ("n", 0x60A00, 4), ("o", 0x70B00, 4))
    p = one_core(body, 1, 3, neighbours=("south", "west", "north"), buffers=buffers)
    with p.emulator(columns=2) as npu:
        for (column, row), offset, value in (
            ((1, 2), 0x800, 10),
            ((0, 3), 0x900, 200),
            ((1, 4), 0xA00, 3000),
        ):
            struct.pack_into("<i", npu.data_memory(column, row), offset, value)
        npu.run(nothing(), [])
        assert struct.unpack_from("<i", npu.data_memory(1, 3), 0xB00) == (3210,)
        assert struct.unpack_from("<i", npu.data_memory(1, 2), 0x800) == (1,)
        assert struct.unpack_from("<i", npu.data_memory(0, 3), 0x900) == (2,)
        assert struct.unpack_from("<i", npu.data_memory(1, 4), 0xA00) == (3,)


def test_two_cores_hand_over_by_locks() -> None:
    first = """
    i64 core_0_2(void) {
        START
        for (STATE(0) = 0; STATE(0) < 10; STATE(0)++) {
            ACQUIRE(1, 0, 3, 0, 1);
            *(volatile i32 *)0x60800 = STATE(0);
            RELEASE(0, 3, 1, 1);
        }
        END;
    }"""
    second = """
    i64 core_0_3(void) {
        START
        STATE(1) = 0;
        for (STATE(0) = 0; STATE(0) < 10; STATE(0)++) {
            ACQUIRE(1, 0, 3, 1, 1);
            STATE(1) = STATE(1) * 3 + *(volatile i32 *)0x70800;
            RELEASE(0, 3, 0, 1);
        }
        *(volatile i32 *)0x70900 = STATE(1);
        END;
    }"""
    p = one_core(first, 0, 2, neighbours=("north",), buffers=(("n", 0x60800, 4),))
    p.core(compile_core(second, 0, 3), 0, 3, 1024)
    p.lock(0, 3, 0, 1)
    expected = 0
    for i in range(10):
        expected = expected * 3 + i
    with p.emulator() as npu:
        npu.run(nothing(), [])
        assert struct.unpack_from("<i", npu.data_memory(0, 3), 0x900) == (expected,)


DEADLOCK = "i64 core_0_2(void) {\n START\n ACQUIRE(7, 0, 2, 5, 2);\n END; }"


def test_deadlock_names_lock_value_and_line() -> None:
    p = one_core(DEADLOCK, waits=((7, "design.mlir", 31, 9, "in_cons_lock"),))
    p.lock(0, 2, 5, 1)
    s = Sequence()
    s.sync(0, "S2MM", 0)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [])
    text = caught.value.render()
    assert (
        "design.mlir:31:9: note: core (0, 2) waits for lock 5 of tile (0, 2) 'in_cons_lock' >= 2, it is 1"
        in text
    )
    assert ">= 2, it is 1, and nothing that is left releases it" in text
    assert "the runtime sequence waits until S2MM 0 of tile (0, 0) completes a task: it has no task" in text
    waiters = {w["actor"]: w for w in caught.value.report["waiters"]}
    lock = waiters["core (0, 2)"]["lock"]
    assert lock == {
        "tile": [0, 2], "id": 5, "symbol": "in_cons_lock", "value": 1, "wanted": 2, "comparison": ">=", "releasers": [],
    }  # fmt: skip
    assert waiters["core (0, 2)"]["location"] == "design.mlir:31:9"


def test_deadlock_knows_what_releases_and_what_has_ended() -> None:
    """The memtile's channels release each other's locks; the core that would start them has ended."""
    p = one_core("i64 core_0_2(void) { return -1; }")
    p.bd(0, 1, 0, mem_bd(0x80000, 4, acquire=(64 + 1, -1), release=(64 + 2, 1), next_bd=1))
    p.bd(0, 1, 1, mem_bd(0x80000, 4, release=(64 + 3, 1), next_bd=0))
    p.bd(0, 1, 24, mem_bd(0x80000, 4, acquire=(64 + 3, -1), release=(64 + 1, 1)))
    p.bd(0, 2, 0, core_bd(0, 4, acquire=(6, -1)))
    p.start(0, 1, "MM2S", 0, 0)
    p.start(0, 1, "S2MM", 1, 24)
    p.start(0, 2, "MM2S", 0, 0)
    s = Sequence()
    s.sync(0, "S2MM", 0)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(s.bytes(), [])
    waiters = {w["actor"]: w.get("lock") for w in caught.value.report["waiters"]}
    assert waiters["MM2S 0 of tile (0, 1)"]["releasers"] == ["S2MM 1 of tile (0, 1)"]
    assert waiters["S2MM 1 of tile (0, 1)"]["releasers"] == ["MM2S 0 of tile (0, 1)"]
    assert waiters["MM2S 0 of tile (0, 2)"]["releasers"] == []
    text = caught.value.render()
    assert "lock 1 of tile (0, 1) >= 1, it is 0, to be released by S2MM 1 of tile (0, 1)" in text
    assert "lock 6 of tile (0, 2) >= 1, it is 0, and nothing that is left releases it" in text
    assert "note: core (0, 2) has ended" in text
    assert caught.value.report["ended_cores"] == ["core (0, 2)"]


def test_locks_taken_in_different_order_are_a_circle() -> None:
    one = """
    i64 core_0_2(void) {
        START
        ACQUIRE(1, 0, 2, 0, 1); ACQUIRE(2, 0, 2, 5, 1); ACQUIRE(3, 0, 3, 0, 1); RELEASE(0, 2, 0, 1);
        END;
    }"""
    two = """
    i64 core_0_3(void) {
        START
        ACQUIRE(1, 0, 3, 0, 1); RELEASE(0, 2, 5, 1); ACQUIRE(2, 0, 2, 0, 1); RELEASE(0, 3, 0, 1);
        END;
    }"""
    p = one_core(one)
    p.core(compile_core(two, 0, 3), 0, 3, 1024)
    p.lock(0, 2, 0, 1)
    p.lock(0, 3, 0, 1)
    with p.emulator() as npu, pytest.raises(Deadlock) as caught:
        npu.run(_sync_of(0, 2), [])
    waiters = caught.value.report["waiters"]
    assert [w["lock"]["releasers"] for w in waiters[1:]] == [["core (0, 3)"], ["core (0, 2)"]]
    assert [w["may_be_cause"] for w in waiters] == [True, False, False]


def _sync_of(column: int, row: int) -> bytes:
    s = Sequence()
    s.sync(column, "S2MM", 0, row=row)
    return s.bytes()


def test_acquire_equal() -> None:
    body = """
    i64 core_0_2(void) {
        START
        __attribute__((fallthrough)); case 1: if (LOCK(0, 2, 4) != 3) WAIT(1, 2, 3, 0, 2, 4);
        *(volatile i32 *)0x70800 = 1;
        END;
    }"""
    p = one_core(body)
    p.lock(0, 2, 4, 9)
    with p.emulator() as npu:
        npu.run(nothing(), [])
        assert struct.unpack_from("<i", npu.data_memory(0, 2), 0x800) != (1,)
        s = Sequence()
        s.write(tile_address(0, 2, 0x1F040), 3)
        npu.run(s.bytes(), [])
        assert struct.unpack_from("<i", npu.data_memory(0, 2), 0x800) == (1,)


def test_release_beyond_63_is_a_fault() -> None:
    body = "i64 core_0_2(void) { POINT = 4; return (i64)4 << 32 | 3 << 24 | ((0 * 8 + 2) * 64 + 6); }"
    p = one_core(
        body, waits=((4, "design.mlir", 12, 5, "out_lock"),), locks=(("out_lock", (0 * 8 + 2) * 64 + 6),)
    )
    with (
        p.emulator() as npu,
        pytest.raises(LockFault, match=r"core \(0, 2\) changes lock 6 .*'out_lock'") as caught,
    ):
        npu.run(nothing(), [])
    assert str(caught.value.location) == "design.mlir:12:5"


def test_locks_that_only_a_channel_waits_for_have_their_names() -> None:
    p = one_core("i64 core_0_2(void) { return -1; }", locks=(("in_prod", 64 + 3),))
    p.bd(0, 1, 0, mem_bd(0x80000, 4, acquire=(64 + 3, -1)))
    p.start(0, 1, "MM2S", 0, 0)
    s = Sequence()
    s.sync(0, "S2MM", 0)
    with p.emulator() as npu, pytest.raises(Deadlock, match="nothing can move") as caught:
        npu.run(s.bytes(), [])
    assert "waits for lock 3 of tile (0, 1) 'in_prod' >= 1" in caught.value.render()


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (0x71000, None),  # the buffer's first byte
        (0x713FF, None),  # its last one
        (0x71400, ("0 bytes past the end of buffer 'in'", 0x71400)),
        (0x70FFF, ("1 bytes before buffer 'in'", 0x70FFF)),
        (0x703FF, None),  # the stack
        (0x71800, None),  # the kernels' data
        (0x7FFFF, ("past the end of buffer 'in'", 0x7FFFF)),
    ],
)
def test_a_write_into_memory_of_nobody_is_reported(address, found) -> None:
    body = f"i64 core_0_2(void) {{ START *(volatile u8 *)0x{address:x} = 7; END; }}"
    end = 0x71400 if found else 0x71900
    with one_core(body, buffers=(("in", 0x71000, 0x400),), data_end=end).emulator() as npu:
        report = npu.run(nothing(), [])
    if found is None:
        assert report.stray_writes == ()
        return
    (stray,) = report.stray_writes
    assert (stray.column, stray.row, stray.start, stray.end) == (0, 2, found[1], found[1] + 1)
    assert found[0] in stray.where
    assert report.to_json()["stray_writes"][0]["start"] == address


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("0x0", "no memory is there"),
        ("0x71404", "4 bytes past the end of buffer 'in'"),
        ("0x50000", "in the west data memory, of which the core has no buffer"),
        ("0x7fffe", "an access at or above address 0x80000, where data memory ends"),
        ("0xdeadbee0", "an access at or above address 0x80000, where data memory ends"),
    ],
)
def test_wild_access(address: str, where: str) -> None:
    body = f"""
static void kernel(volatile i32 *p) {{ *p = 1; }}
i64 core_0_2(void) {{
    START
    kernel((volatile i32 *){address});
    END;
}}"""
    with one_core(body, buffers=(("in", 0x71000, 0x400),)).emulator() as npu:
        if address == "0x71404":  # inside the tile's memory: nothing stops it, as on hardware
            npu.run(nothing(), [])
            return
        with pytest.raises(CoreFault) as caught:
            npu.run(nothing(), [])
    assert where in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.file == "core.c"
    assert caught.value.location.line in (2, 4)  # the compiler may inline the kernel
    assert caught.value.report["tile"] == [0, 2]


def test_other_traps_have_their_reason() -> None:
    body = "i64 core_0_2(void) { START volatile i32 zero = 0; STATE(1) = 7 / zero; END; }"
    with one_core(body).emulator() as npu, pytest.raises(CoreFault, match="integer divide by zero"):
        npu.run(nothing(), [])
    body = "i64 core_0_2(void) { START __builtin_trap(); END; }"
    with (
        one_core(body).emulator() as npu,
        pytest.raises(CoreFault, match="the compiler has put a trap there"),
    ):
        npu.run(nothing(), [])


def test_recursion_without_end_is_a_stack_overflow_of_few_lines() -> None:
    p = one_core(STACK.replace("DEPTH", "1000000"), stack_bytes=2048)
    with p.emulator() as npu, pytest.raises(StackOverflow) as caught:
        npu.run(nothing(), [])
    assert len(caught.value.notes) < 10
    body = """
static volatile i32 *const memory = (i32 *)0x70800;
static __attribute__((noinline)) void deep(i32 n) { if (memory[1]) deep(n + 1); memory[2]++; }
i64 core_0_2(void) { START memory[1] = 1; deep(1); END; }"""
    with one_core(body).emulator() as npu, pytest.raises(CoreFault, match="stopped in deep: ") as fault:
        npu.run(nothing(), [])
    assert "more calls …" in fault.value.notes[-2][0]
    assert len(fault.value.notes) < 10
    assert len(fault.value.report["backtrace"]) > 8


STACK = """
static __attribute__((noinline)) i32 deep(i32 n) { volatile i32 frame[64]; frame[0] = n;
  for (i32 i = 1; i < 64; i++) frame[i] = frame[i - 1] + n;
  return n ? deep(n - 1) + frame[63] : frame[5]; }
i64 core_0_2(void) { START STATE(0) = deep(DEPTH); END; }
"""


def test_stack_use_is_measured() -> None:
    with one_core(STACK.replace("DEPTH", "1"), stack_bytes=2048).emulator() as npu:
        report = npu.run(nothing(), [])
    assert 512 <= report.cores[0].stack_used_bytes < 1024


def test_stack_overflow_is_reported_with_the_size() -> None:
    p = one_core(STACK.replace("DEPTH", "20"), stack_bytes=2048)
    with p.emulator() as npu, pytest.raises(StackOverflow) as caught:
        npu.run(nothing(), [])
    assert "core (0, 2) overflows its stack in deep" in caught.value.message
    assert "stack_size = 0x" in str(caught.value.hint)
    assert caught.value.report["stack_bytes"] == 2048
    assert caught.value.location is not None
    assert caught.value.location.file == "core.c"


def test_large_array_on_a_small_stack() -> None:
    """A kernel with 4 KiB of arrays on the default stack: the first access is far below the stack."""
    body = """
static __attribute__((noinline)) void fill(volatile u8 *p) { p[100] = 1; }
i64 core_0_2(void) { START u8 work[4096]; fill(work); END; }"""
    with one_core(body).emulator() as npu, pytest.raises(StackOverflow) as caught:
        npu.run(nothing(), [])
    assert "it has 1024 bytes, and 4096 are needed there" in caught.value.message
    assert "stack_size = 0x1400" in str(caught.value.hint)


def test_stack_overflow_into_a_mapped_neighbour_is_found_after_the_run() -> None:
    body = STACK.replace("DEPTH", "8")
    p = one_core(body, stack_bytes=2048, neighbours=("north",), buffers=(("n", 0x6F000, 0x1000),))
    with p.emulator() as npu, pytest.raises(StackOverflow, match="to the last word"):
        npu.run(nothing(), [])


def test_endless_core_is_stopped_and_named() -> None:
    body = "i64 core_0_2(void) {\n START\n for (;;)\n  STATE(0)++;\n END; }"
    with one_core(body).emulator() as npu, pytest.raises(TimeLimit) as caught:
        npu.run(_sync_of(0, 0), [], time_limit_s=0.05)
    assert "core (0, 2) is still in core_0_2" in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.file == "core.c"


def test_after_a_failure_the_array_refuses_to_run() -> None:
    body = "i64 core_0_2(void) { *(volatile i32 *)0 = 1; return -1; }"
    with one_core(body).emulator() as npu:
        with pytest.raises(CoreFault):
            npu.run(nothing(), [])
        with pytest.raises(Exception, match="state was lost"):
            npu.run(nothing(), [])


def test_a_core_that_is_enabled_without_a_program_is_refused_by_name() -> None:
    p = Program()
    p.mask(0, 4, 0x32000, 1, 1)
    with pytest.raises(NotModelled, match=r"core \(0, 4\) is enabled, and it holds no machine code"):
        p.emulator()


def test_missing_module_and_strange_import_are_reported() -> None:
    p = one_core("i64 core_0_2(void) { return -1; }")
    p.modules.clear()
    with pytest.raises(UserError, match=r"the module of core \(0, 2\) is missing"):
        p.emulator()
    p = one_core("extern void printf(i32); i64 core_0_2(void) { printf(1); return -1; }")
    with pytest.raises(UserError, match=r"needs the function 'env\.printf'"):
        p.emulator()


def test_modules_that_do_not_fit_are_reported() -> None:
    p = one_core("i64 core_0_2(void) { return -1; }", neighbours=("west",))
    with pytest.raises(UserError, match=r"uses the memory of \(-1, 2\) to its west, where no core is"):
        p.emulator()
    p = one_core("i64 core_1_2(void) { return -1; }", 1, 2)
    p.core(next(iter(p.modules.values())), 0, 2, 1024)
    with pytest.raises(UserError, match=r"core \(0, 2\) was given the module of core \(1, 2\)"):
        p.emulator(columns=2)
    module = bytearray(next(iter(one_core("i64 core_0_2(void) { return -1; }").modules.values())))
    module[module.index(b"\x0a", 8) + 4] ^= 0x7F  # somewhere in the code
    p = Program()
    p.core(bytes(module), 0, 2, 1024)
    with pytest.raises(UserError):
        p.emulator()


def test_math_imports() -> None:
    body = """
    extern float expf(float); extern double pow(double, double); extern float erff(float);
    i64 core_0_2(void) {
        START
        ((volatile float *)0x70800)[0] = expf(1.5f); ((volatile float *)0x70800)[1] = erff(0.5f);
        *(volatile double *)0x70808 = pow(2.0, 0.5);
        END;
    }"""
    with one_core(body).emulator() as npu:
        npu.run(nothing(), [])
        got = struct.unpack_from("<ffd", npu.data_memory(0, 2), 0x800)
    single = struct.unpack("<ff", struct.pack("<ff", math.exp(1.5), math.erf(0.5)))
    assert got == (*single, math.sqrt(2.0))


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("exp", (1000.0,), math.inf), ("sinh", (-1000.0,), -math.inf), ("cosh", (-1000.0,), math.inf),
        ("log", (0.0,), -math.inf), ("log1p", (-1.0,), -math.inf), ("pow", (-2.0, 2001.0), -math.inf),
        ("pow", (0.0, -1.0), math.inf), ("pow", (-0.0, -3.0), -math.inf), ("pow", (0.0, -2.0), math.inf),
        ("cbrt", (-27.0,), -3.0), ("exp2", (10.0,), 1024.0), ("atan2", (0.0, -1.0), math.pi), ("erf", (0.0,), 0.0),
    ],
)  # fmt: skip
def test_math_edges(name, arguments, value) -> None:
    assert evaluate(name, *arguments) == value


@pytest.mark.parametrize(
    ("name", "arguments"), [("log", (-1.0,)), ("acos", (2.0,)), ("pow", (-1.0, 0.5)), ("fmod", (1.0, 0.0))]
)
def test_math_outside_the_domain(name, arguments) -> None:
    assert math.isnan(evaluate(name, *arguments))


def test_fresh_memory_is_poisoned() -> None:
    with Emulator(1) as npu:
        assert bytes(npu.data_memory(0, 2)) == bytes.fromhex("c1ffc1ff") * 0x4000
        assert bytes(npu.data_memory(0, 1)[-4:]) == bytes.fromhex("c1ffc1ff")
