"""Programs with unusual bundles: what they leave is known by hand; interpreter and translator agree on it."""

from __future__ import annotations

import pytest
import wasmtime
from test_translate import core, engine, everything

from npuninja.machine_code.core_runtime import STEP_DONE, STEP_FAULT

__all__ = ["engine"]  # the fixture
NOPS = {n: "nop\n" * n for n in range(16)}
END = "done\n" + NOPS[5]


def loop(count: int, body: str = "add r0, r0, #1", setup: str = "") -> str:
    """A zero-overhead loop of one 16-byte bundle, as compilers lay it out."""
    return f"""movxm r0, #0
movxm ls, #body
movxm le, #body
movxm lc, #{count}
{setup}{NOPS[8]}.align 16
body:
{body}; nopa; nopb; nops; nopm; nopv
{END}"""


#: Name -> (program, registers afterwards).
PROGRAMS: dict[str, tuple[str, dict[str, int]]] = {
    "loop of one trip": (loop(1), {"r0": 1, "lc": 0}),
    "loop of no trip falls through": (loop(0), {"r0": 1, "lc": 0}),
    "loop of many trips": (loop(37), {"r0": 37, "lc": 0}),
    "a load crosses the loop's edge": (
        f"movxm p0, #0x70100\nmovxm r3, #77\nst r3, [p0, #0]\n{NOPS[5]}"
        + loop(3, "add r0, r0, r4", "mova r4, #0\nlda r4, [p0, #0]\n").replace(NOPS[8], NOPS[6], 1),
        # The load lands in front of the second trip's reading.
        {"r4": 77},
    ),
    "an early read gets the old value": (
        "movxm p0, #0x70100\n"
        "mova r1, #5\n"
        "st r1, [p0, #0]\n"
        "mova r2, #9\n"
        f"{NOPS[4]}lda r2, [p0, #0]\n"
        f"{NOPS[5]}add r3, r2, r2\n"
        f"add r4, r2, r2\n{END}",
        {"r3": 18, "r4": 10},
    ),
    "a load in a delay slot lands after the branch": (
        "movxm p0, #0x70100\n"
        "mova r1, #6\n"
        "st r1, [p0, #0]\n"
        "mova r2, #1\n"
        f"{NOPS[4]}j there\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "lda r2, [p0, #0]\n"
        f"nop\nmova r9, #1\n{END}there:\nadd r3, r2, r2\n{NOPS[4]}add r4, r2, r2\n{END}",
        {"r3": 2, "r4": 12, "r9": 0},
    ),
    "jnzd counts and jumps": (
        "movxm p1, #again\n"
        "mova r1, #4\n"
        "mova r0, #0\n"
        "again:\n"
        "jnzd r1, r1, p1\n"
        "add r0, r0, #1\n"
        f"{NOPS[4]}{END}",
        {"r0": 5, "r1": 0xFFFFFFFF},
    ),
    "a call sets lr after its delay slots": (
        f"jl fn\nmova r1, #1\n{NOPS[4]}mova r3, #3\n{END}fn:\nmova r2, #2\nret lr\n{NOPS[5]}",
        {"r1": 1, "r2": 2, "r3": 3},
    ),
    "operands are read before results of their bundle": (
        f"mova r1, #1; movx r2, #2\nmov r1, r2; or r2, r1, r1\n{END}",
        {"r1": 2, "r2": 1},
    ),
    "post-modify uses the pointer, then adds": (
        "movxm p0, #0x70100\n"
        "mova r1, #7\n"
        "mova m0, #-8\n"
        "st r1, [p0], #4\n"
        "st r1, [p0], m0\n"
        f"{NOPS[5]}mov r2, p0\n"
        f"{END}",
        {"r2": 0x700FC},
    ),
    "two dimensions wrap": (
        "movxm p0, #0x70100\nmova m0, #100\nmova dj0, #4\nmova dn0, #2\nmova dc0, #0\nnop\n"
        "padda.2d [p0], d0\n"
        "padda.2d [p0], d0\n"
        "padda.2d [p0], d0\n"
        "padda.2d [p0], d0\n"
        "nop\n"
        "mov r2, p0\n"
        "mov r3, dc0\n" + END,
        {"r2": 0x70100 + 4 + 4 + 100 + 4, "r3": 1},
    ),
    "a pointer wraps at 20 bits": (f"movxm p0, #0xFFFFC\npadda [p0], #8\nnop\nmov r2, p0\n{END}", {"r2": 4}),
    "part-word stores take the source late": (
        f"movxm p0, #0x70100\nmovxm r1, #0x11223344\nst r1, [p0, #0]\n{NOPS[5]}st.s8 r2, [p0, #1]\n{NOPS[4]}"
        f"mova r2, #85\n{NOPS[7]}"
        f"lda r3, [p0, #0]\n{NOPS[7]}{END}",
        {"r3": 0x11225544},
    ),
    "a load between reads the word of before": (
        "movxm p0, #0x70100\n"
        "movxm r1, #0x11223344\n"
        "st r1, [p0, #0]\n"
        "mova r2, #85\n"
        f"{NOPS[5]}st.s8 r2, [p0, #0]\n"
        "nop\n"
        f"lda r3, [p0, #0]\n{NOPS[9]}lda r4, [p0, #0]\n{NOPS[7]}{END}",
        {"r3": 0x11223344, "r4": 0x11223355},
    ),
    "shifts to both sides": (
        "movxm r1, #-2147483647\n"
        "mova r2, #-1; movx r3, #33\n"
        "lshl r4, r1, r2\n"
        "ashl r5, r1, r2\n"
        "lshl r6, r1, r3\n"
        f"{END}",
        {"r4": 0x40000000, "r5": 0xC0000000, "r6": 2},
    ),
    "a division in steps": (
        "movxm r31, #1000003\nmova r0, #0\nmova r1, #97\n" + "divs r0, r31, r0, r1\n" * 32 + END,
        {"r31": 1000003 // 97, "r0": 1000003 % 97},
    ),
    "vectors of 128 and 256 bits": (
        f"movxm p0, #0x70100\nmovxm p1, #0x70110\nmovxm r1, #0x01020304\nnop\nvbcst.32 x0, r1\nnop\n"
        f"vst wl0, [p0, #0]\n{NOPS[5]}vlda.128 wl2, [p1]\n"
        f"mova r16, #3\n{NOPS[6]}vextract.s32 r2, x2, r16\nnop\n{END}",
        {"r2": 0x01020304},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_leaves_what_is_known(engine: tuple[wasmtime.Engine, wasmtime.Module], name: str) -> None:
    text, expected = PROGRAMS[name]
    text = ".globl main\nmain:\n" + text
    judge, made = core(engine, text, translated=False), core(engine, text, translated=True)
    assert (judge.run(), made.run()) == (STEP_DONE, STEP_DONE), (judge.fault(), made.fault())
    assert {register: judge.register(register) for register in expected} == expected
    a, b = everything(judge), everything(made)
    assert {k: (a[k], b[k]) for k in a if a[k] != b[k]} == {}


FAULTS = {
    "a branch in a delay slot": f"j there\nnop\nj there\n{NOPS[3]}{END}there:\n{END}",
    "memory that is not there": f"movxm p0, #0x30000\nlda r1, [p0, #0]\n{NOPS[7]}{END}",
    "an odd address": f"movxm p0, #0x70101\nlda r1, [p0, #0]\n{NOPS[7]}{END}",
    "a jump out of program memory": f"movxm p0, #0x8000\nj p0\n{NOPS[5]}{END}",
    "three dimensions": f"movxm p0, #0x70100\npadda.3d [p0], d0_3d\n{END}",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_program_faults_in_both(engine: tuple[wasmtime.Engine, wasmtime.Module], name: str) -> None:
    text = ".globl main\nmain:\n" + FAULTS[name]
    judge, made = core(engine, text, translated=False), core(engine, text, translated=True)
    assert (judge.run(), made.run()) == (STEP_FAULT, STEP_FAULT)
    assert judge.fault() == made.fault()
