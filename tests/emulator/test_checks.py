"""What checked runs find, and that they find nothing in what is right."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

import pytest
from array_program import Program, Sequence, compile_core
from conftest import ROOT
from design_chain import Chain

from npuninja.device.api import Program as DesignFiles
from npuninja.device.emulated import EmulatedDevice
from npuninja.device.manifest import read_manifest
from npuninja.device.schedules import _run, explore, schedule_seed
from npuninja.emulator import BadAccess, CoreFault, Deadlock, Emulator, StackOverflow
from npuninja.emulator.checks.races import Race
from npuninja.errors import WrongResult

RACES = Path(__file__).parent / "races"
SQUASH = """
void squash(const int *restrict in, int *restrict out) {
  for (int i = 0; i < 25; i++) out[i] = in[4 * i] + in[4 * i + 1] + in[4 * i + 2] + in[4 * i + 3];
}
"""
BOTH = frozenset({"races", "memory"})

#: Design -> what each finding must name: the buffer or place, the two that touch it, what would order them.
PLANTED: dict[str, list[tuple[str, ...]]] = {
    "r_core_no_acquire": [("'ping_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 0)", "'i_full'")],
    "r_core_no_locks_in": [("'ping_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 0)", "'i_full'")],
    "r_dma_no_locks": [
        ("'pong_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 1)", "the BD has no lock")
    ],
    "r_double_release": [("'pong_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 1)", "'i_free'")],
    "r_early_release": [("'ping_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 0)", "'i_free'")],
    "r_init_wrong2": [("'ping_i'", "core (0, 2) in squash", "S2MM 1 of tile (0, 2) (BD 0)", "'i_free'")],
    "r_no_wait": [("the buffer of argument 1", "S2MM 0 of tile (0, 0) (BD 1)", "dma_wait")],
    "r_same_bd_id": [("rewrites BD 0 of tile (0, 0)", "S2MM 0 of tile (0, 0)", "an id of its own")],
    "r_good": [],
    "r_use_after": [
        ("'out_buff_0'", "core (0, 2) in reader writes", "MM2S 0 of tile (0, 2)", "'out_prod_lock_0'")
    ],
    "r_two_cores": [
        ("'shared'", "core (0, 2) in writer writes", "core (0, 3) in writer reads", "release a lock")
    ],
    "r_overlap": [("byte 320 of the buffer of argument 1", "S2MM 0", "S2MM 1", "wait in the sequence")],
    "r_reread": [("byte 0 of the buffer of argument 1", "S2MM 0", "MM2S 1", "wait in the sequence")],
    "r_no_overlap": [],
}
KERNELS = {
    "squash.o": SQUASH,
    # Keeps a pointer to the element it gave back, and writes there.
    "reader.o": """
static signed char *old;
void reader(signed char *in, signed char *out) {
  if (old) for (int i = 0; i < 80; i++) old[i] = i;
  old = out;
  for (int i = 0; i < 80; i++) out[i] = in[i];
}
""",
    "writer.o": "void writer(signed char *to, signed char *from) { for (int i = 0; i < 80; "
    "i++) to[i] = from[i]; }",
}


def races_of(wasm_build, name: str) -> list[Race]:
    text = (RACES / f"{name}.mlir").read_text()
    kernels = {object_name: code for object_name, code in KERNELS.items() if object_name in text}
    sequence = "go" if "@go(" in text else "sequence"
    manifest = read_manifest(Chain(wasm_build, name, text, kernels, sequence).run())
    device = EmulatedDevice(BOTH)
    files = manifest.read(manifest.xclbin), manifest.read(manifest.insts)
    device.load(DesignFiles(manifest.xclbin, *files, manifest.kernel, "wasm"))
    buffers = [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)]
    device.run(buffers, 10.0)
    found = [f for f in device.findings() if isinstance(f, Race)]
    device.close()
    return found


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_planted_races_are_found_and_named(wasm_build, name):
    found = races_of(wasm_build, name)
    texts = [race.render() for race in found]
    assert len(texts) == len(set(texts))
    assert bool(texts) == bool(PLANTED[name])
    for words in PLANTED[name]:
        assert any(all(word in text for word in words) for text in texts), texts
    if "core (0, 2) in squash" in "".join(texts):
        assert all(race.location and race.location.line == 3 for race in found)
        assert all(len(race.data["accesses"]) == 2 for race in found)


def test_the_table_has_every_case():
    assert {path.stem for path in RACES.glob("*.mlir")} == set(PLANTED)


# --- Cores by hand.


def nothing() -> bytes:
    s = Sequence()
    s.write(0, 0)
    return s.bytes()


def checked(program: Program, columns: int = 1, checks: frozenset[str] = BOTH) -> Emulator:
    return program.emulator(columns, checks=checks)


SHARED = (("shared", 0x70800, 64),)
SEEN = (("shared", 0x40800, 64),)
WRITER = """
i64 core_0_2(void) {{ START {before} for (i32 i = 0; i < 16; i++) ((volatile i32 *)0x70800)[i] = i; {after} END; }}"""
READER = """
i64 core_0_3(void) {{
  START {before}
  i32 sum = 0; for (i32 i = 0; i < 16; i++) sum += ((volatile i32 *)0x40800)[i];
  STATE(0) = sum; {after} END; }}"""


def two_cores(writer: tuple[str, str], reader: tuple[str, str]) -> Program:
    p = Program()
    a = WRITER.format(before=writer[0], after=writer[1])
    b = READER.format(before=reader[0], after=reader[1])
    p.core(compile_core(a, 0, 2, buffers=SHARED), 0, 2, 1024)
    p.core(compile_core(b, 0, 3, buffers=SEEN, neighbours=("south",)), 0, 3, 1024)
    return p


def run(program: Program, checks: frozenset[str] = BOTH) -> list[Race]:
    with checked(program, checks=checks) as npu:
        return list(npu.run(nothing(), []).races)


ORDER = '__asm__ volatile("" : : : "memory");'
GIVES = f"{ORDER} RELEASE(0, 2, 0, 1);"


def test_two_cores_on_one_buffer_need_a_lock():
    found = run(two_cores(("", ""), ("", "")), frozenset({"races"}))
    assert found
    text = found[0].render()
    assert "buffer 'shared' of tile (0, 2)" in text
    assert "core (0, 2)" in text
    assert "core (0, 3)" in text
    assert "release a lock" in text
    assert run(two_cores(("", GIVES), ("ACQUIRE(1, 0, 2, 0, 1);", ""))) == []


def test_a_lock_released_before_the_access_orders_nothing():
    assert run(two_cores((GIVES, ""), ("ACQUIRE(1, 0, 2, 0, 1);", "")), frozenset({"races"}))


def test_the_units_of_a_semaphore_are_handed_on_in_order():
    """The second unit says nothing about what came after it."""
    early = "RELEASE(0, 2, 0, 1);"
    late = f"{ORDER} RELEASE(0, 2, 0, 1);"
    assert run(two_cores((early, late), ("ACQUIRE(1, 0, 2, 0, 1);", "")), frozenset({"races"}))
    assert run(two_cores((early, late), ("ACQUIRE(1, 0, 2, 0, 2);", ""))) == []


def test_an_acquire_of_nothing_waits_for_what_took():
    """Lock == 0 again: what took the unit is after all that came before."""
    p = two_cores((GIVES, "ACQUIRE(1, 0, 2, 1, 1);"), ("", ""))
    assert run(p, frozenset({"races"}))


MEMORY = (("in", 0x70800, 64), ("near", 0x70840, 64), ("out", 0x70900, 60), ("top", 0x70F00, 0x100))


#: Functions that kernels call, on one line: the tests name the lines after it.
INNER = (
    "__attribute__((noinline)) void fill_down(i32 *end, i32 n) { while (n--) *--end = n; }"
    " __attribute__((noinline)) void copy_of(i32 *a, i32 *b, i32 n) { for (i32 i = 0; i < n; "
    "i++) a[i] = b[i]; }"
)


def memory(
    kernel: str, call: str = "kernel((i32 *)0x70800, (i32 *)0x70900);", stack_bytes: int = 1024, **info
):
    body = f"""
{INNER} static i32 kept[8]; static u8 bytes[64];
static void use(void *p) {{ __asm__ volatile("" : : "r"(p) : "memory"); }}
__attribute__((noinline)) void kernel(i32 *in, i32 *out) {{ use(kept); use(bytes); use(in); use(out);
{kernel}
use(in); use(out); }}
i64 core_0_2(void) {{ START {call} END; }}"""
    p = Program()
    module = compile_core(body, 0, 2, buffers=MEMORY, data_origin=0x71000, data_end=0x71100, **info)
    p.core(module, 0, 2, stack_bytes)
    with checked(p) as npu:
        npu.write32(0x200800, 5)  # the first word of `in`, and `near` whole
        for offset in range(0x840, 0x880, 4):
            npu.write32(0x200000 + offset, 1)
        return npu.run(nothing(), [])


@pytest.mark.parametrize(
    ("kernel", "why", "words"),
    [
        ("out[15] = 1;", "outside", "0 bytes past the end of buffer 'out'"),
        ("out[16] = 1;", "outside", "4 bytes past the end of buffer 'out'"),
        ("out[-1] = 1;", "outside", "4 bytes before buffer 'out'"),
        ("out[0] = in[16];", "other buffer", "byte 0 of buffer 'near', which has 64"),
        ("in[20] = 1;", "other buffer", "byte 16 of buffer 'near'"),
        ("out[0] = in[1];", "uninitialised", "byte 4 of buffer 'in'"),
        ("out[0] = ((u8 *)in)[9];", "uninitialised", "byte 9 of buffer 'in'"),
        ("i32 local[4]; use(local); out[0] = local[2];", "uninitialised", "the stack"),
        ("*(i32 *)((u8 *)out + 2) = 1;", "unaligned", "no multiple of 4"),
        ("*(short *)((u8 *)out + 1) = 1;", "unaligned", "no multiple of 2"),
        ("*(i32 *)0x71114 = 1;", "outside", "20 bytes past the end of the kernels' data"),
        ("__builtin_memset(out, 0, 64);", "outside", "4 bytes past the end of buffer 'out'"),
        ("__builtin_memcpy(out, in, 68);", "outside", "bytes past the end of buffer 'in'"),
        ("*(i32 *)0x61000 = 1;", "outside", "in the north data memory, of which the core has no buffer"),
        ("*(i32 *)0x10000 = 1;", "outside", "no memory is there"),
        ("*(i32 *)0x20000 = 1;", "outside", "no memory is there"),
    ],
)
def test_wrong_accesses_are_errors_with_line_and_callers(kernel, why, words):
    with pytest.raises(BadAccess) as caught:
        memory(kernel)
    error = caught.value
    assert error.exit_code == 1
    assert error.report["why"] == why
    assert words in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line) == ("core.c", 5)
    assert "core_0_2" in error.notes[-1][0]


@pytest.mark.parametrize(
    "kernel",
    [
        "for (i32 i = 0; i < 15; i++) out[i] = in[0];",
        "for (i32 i = 0; i < 60; i++) ((u8 *)out)[i] = i; out[0] = out[14] + ((u8 *)out)[7];",
        "i32 local[4]; for (i32 i = 0; i < 4; i++) local[i] = in[0]; use(local); out[0] = local[2];",
        "__builtin_memset(out, 0, 60); out[3] = out[14];",
        # A struct is copied with its padding, and the padding stays what it is.
        "struct S { u8 a; i32 b; } s, t; s.a = 1; s.b = 2; use(&s); t = s; use(&t); out[0] = t.b;",
        "kept[0] = 3; bytes[5] = 1; use(kept); use(bytes); out[0] = kept[0] + bytes[5];",
    ],
)
def test_right_accesses_give_no_finding(kernel):
    assert memory(kernel).races == ()


#: Two buffers that the same call was given, one right after the other.
BOTH_GIVEN = "kernel((i32 *)0x70800, (i32 *)0x70840);"


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ("out[0] = in[16];", "0 bytes past the end of buffer 'in', which its argument points into: "
                             "byte 0 of buffer 'near'"),
        ("out[-1] = 1;", "4 bytes before buffer 'near', which its argument points into: "
                         "byte 60 of buffer 'in'"),
        ("for (i32 i = 0; i <= 16; i++) in[i] = i;", "0 bytes past the end of buffer 'in'"),
        ("out[0] = 1; for (i32 i = 0; i <= 16; i++) in[i] = out[0];", "0 bytes past the end of buffer 'in'"),
        ("i32 *p = in + in[0]; for (i32 i = 0; i < 12; i++) { use(p); *p++ = 1; }", "0 bytes past the end of buffer 'in'"),
        ("for (i32 *p = in; p < in + 17; p++) *p = 2;", "0 bytes past the end of buffer 'in'"),
        ("((u8 *)in)[64] = 1;", "0 bytes past the end of buffer 'in'"),
        ("__builtin_memset(in, 0, 68);", "outside every buffer"),
        ("__builtin_memset(in + 16, 0, 8);", "0 bytes past the end of buffer 'in'"),
        ("__builtin_memcpy(kept, in + 16, 32); use(kept);", "bytes past the end of buffer 'in'"),
        ("if (out[0]) in = in + 1; in[15] = 3;", "0 bytes past the end of buffer 'in'"),
    ],
)  # fmt: skip
def test_an_overrun_into_another_argument_of_the_same_call_is_found(kernel, words):
    with pytest.raises(BadAccess) as caught:
        memory(kernel, BOTH_GIVEN)
    error = caught.value
    assert words in error.message
    assert error.exit_code == 1
    assert error.location is not None
    assert (error.location.file, error.location.line) == ("core.c", 5)


@pytest.mark.parametrize(
    ("kernel", "call"),
    [
        ("for (i32 i = 0; i < 16; i++) in[i] = out[i];", BOTH_GIVEN),
        ("for (i32 i = 15; i >= 0; i--) { in[i] = i; out[i] = in[i]; }", BOTH_GIVEN),
        # Both point into one buffer, one of them to the middle.
        ("for (i32 i = 0; i < 16; i++) in[i] = 1; out[-1] = in[15]; out[7] = 3;", "kernel((i32 *)0x70840, (i32 *)0x70860);"),
        # Either of two, and one from the other by a difference.
        ("i32 *p = in[0] == 5 ? out : in; p[0] = 1; p[15] = 2;", BOTH_GIVEN),
        ("i32 by = out - in; for (i32 i = 0; i < 16; i++) in[i + by] = i;", BOTH_GIVEN),
        ("i32 *p = in; in = out; out = p; for (i32 i = 0; i < 16; i++) in[i] = out[0];", BOTH_GIVEN),
        # An address that was kept, an index of an argument that is a number.
        ("kept[0] = (i32)out; use(kept); i32 *p = (i32 *)kept[0]; p[(i32)in - 0x70800 + 3] = 1;", BOTH_GIVEN),
        ("((u8 *)out)[(i32)in] = 1;", "kernel((i32 *)3, (i32 *)0x70840);"),
        ("kept[((i32)in >> 2) & 7] = 1; use(kept); kept[(i32)in & 3] = 2;", BOTH_GIVEN),
        # A call that gets the end of one, which is the begin of the other.
        ("fill_down(in + 16, 16); fill_down(out + 16, 16);", BOTH_GIVEN),
        ("copy_of(in, out, 16);", BOTH_GIVEN),
        ("i32 *both[2] = {in, out}; use(both); for (i32 i = 0; i < 32; i++) both[i & 1][i >> 1] = i;", BOTH_GIVEN),
    ],
)  # fmt: skip
def test_addresses_that_are_right_stray_nowhere(kernel, call):
    assert memory(kernel, call).races == ()


def test_an_overrun_in_a_function_that_the_kernel_calls_is_found():
    with pytest.raises(BadAccess, match="past the end of buffer 'in'") as caught:
        memory("copy_of(in + 1, out, 16);", BOTH_GIVEN)
    assert caught.value.location is not None


def test_what_was_not_written_stays_so_when_it_is_copied():
    with pytest.raises(BadAccess, match="that nothing has written"):
        memory("__builtin_memcpy(out, in, 60); use(out); out[0] = out[2];")


def test_a_pointer_that_was_kept_is_the_kernels_own():
    """A kernel that is given a buffer once, and uses it later, is right as far as memory goes."""
    calls = "kernel((i32 *)0x70840, (i32 *)0x70900); kernel((i32 *)0x70800, (i32 *)0x70900);"
    kernel = "if (!kept[0]) kept[0] = (i32)in; else out[0] = *(i32 *)kept[0];"
    body = "kept[0] = 0;"
    assert body
    memory(kernel.replace("!kept[0]", "(i32)in == 0x70840"), calls)


def test_a_stack_overflow_is_still_one():
    with pytest.raises(StackOverflow, match="it has 1024 bytes") as caught:
        memory("u8 big[3000]; __builtin_memset(big, in[0], 3000); use(big);")
    assert (caught.value.exit_code, caught.value.report["kind"]) == (1, "StackOverflow")


def test_an_address_far_outside_is_a_finding_and_a_division_by_zero_is_not():
    with pytest.raises(CoreFault, match="where data memory ends") as caught:
        memory("out[0x12345 + in[0]] = 1;")
    assert (caught.value.exit_code, caught.value.report["kind"]) == (1, "CoreFault")
    with pytest.raises(CoreFault, match="divide by zero") as caught:
        memory("out[0] = 7 / (in[0] - 5);")
    assert caught.value.exit_code == 4


def test_a_neighbours_stack_is_named():
    p = Program()
    p.core(compile_core("i64 core_0_2(void) { START END; }", 0, 2, buffers=SHARED), 0, 2, 1024)
    body = """
__attribute__((noinline)) void kernel(volatile i32 *p) { *p = 1; }
i64 core_0_3(void) { START kernel((i32 *)0x40010); END; }"""
    near = (("low", 0x40400, 64),)
    p.core(compile_core(body, 0, 3, buffers=near, neighbours=("south",)), 0, 3, 1024)
    with checked(p) as npu, pytest.raises(BadAccess, match=r"in the stack of core \(0, 2\) to the south"):
        npu.run(nothing(), [])


# --- Schedules.


def built(wasm_build, name: str):
    text = (RACES / f"{name}.mlir").read_text()
    return read_manifest(Chain(wasm_build, name, text, {"squash.o": SQUASH}, "go").run())


def explored(manifest, **options) -> str:
    inputs = [bytes(i % 251 for i in range(a.nbytes)) for a in manifest.inputs]
    usual = _run(manifest, inputs, 0, 10.0)
    given = {"schedules": 8, "schedule": 0, "seed": 1, "time_limit": 10.0, **options}
    return explore(manifest, inputs, usual, Namespace(**given))


def test_a_right_design_computes_the_same_in_every_schedule(wasm_build):
    assert explored(built(wasm_build, "r_good")) == "8 schedules of seed 1: the same outputs in each"


def test_a_result_that_depends_on_the_order_is_found_and_can_be_repeated(wasm_build):
    manifest = built(wasm_build, "r_core_no_acquire")
    with pytest.raises(
        WrongResult, match=r"y depends on the order of things: in schedule (\d+) of seed 1"
    ) as caught:
        explored(manifest)
    number = int(caught.value.message.partition("schedule ")[2].split()[0])
    assert f"--seed 1 --schedule {number}" in (caught.value.hint or "")
    for _ in range(2):
        with pytest.raises(WrongResult) as again:
            explored(manifest, schedule=number)
        assert again.value.message == caught.value.message


def test_a_deadlock_in_a_schedule_says_which(wasm_build):
    text = (RACES / "r_good.mlir").read_text().replace("init = 1 : i32}", "init = 0 : i32}", 1)
    manifest = read_manifest(Chain(wasm_build, "stuck", text, {"squash.o": SQUASH}, "go").run())
    given = Namespace(schedules=0, schedule=3, seed=5, time_limit=10.0)
    with pytest.raises(Deadlock) as caught:
        explore(manifest, [bytes(a.nbytes) for a in manifest.inputs], [], given)
    assert "schedule 3 of seed 5; repeat it with --seed 5 --schedule 3" in caught.value.notes[0][0]


def test_seeds_are_never_the_usual_order():
    seeds = {schedule_seed(seed, number) for seed in range(20) for number in range(1, 200)}
    assert len(seeds) == 20 * 199
    assert all(0 < seed < 1 << 32 for seed in seeds)


# --- The page.

PAGE = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kernel", ["sum", "over", "stale"])
def test_the_page_shows_what_is_said(wasm_build, kernel):
    """Its kernels give its messages; places differ by the folder, so messages and hints are compared."""
    (code,) = [c for c in re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL) if f"void {kernel}(" in c]
    text = (ROOT / "mlir" / "self_test.mlir").read_text().replace("@self_test(", f"@{kernel}(")
    sequence = "sequence"
    if kernel == "sum":
        text, sequence = (RACES / "r_early_release.mlir").read_text().replace("squash", "sum"), "go"
    text = text.replace("self_test.o", f"{kernel}.o")
    manifest = read_manifest(Chain(wasm_build, kernel, text, {f"{kernel}.o": code}, sequence).run())
    device = EmulatedDevice(BOTH)
    files = manifest.read(manifest.xclbin), manifest.read(manifest.insts)
    device.load(DesignFiles(manifest.xclbin, *files, manifest.kernel, "wasm"))
    buffers = [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)]
    if kernel == "sum":
        device.run(buffers, 10.0)
        (error,) = device.findings()
    else:
        with pytest.raises(BadAccess) as caught:
            device.run(buffers, 10.0)
        error = caught.value
    device.close()
    assert f"error: {error.message}\n" in PAGE
    assert f"hint: {error.hint}\n" in PAGE
