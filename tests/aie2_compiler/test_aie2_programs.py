"""C by npuninja-aie2, run as machine code, against the same C as WebAssembly: whole words, random inputs."""

from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest
import wasmtime
import ziglang

from npuninja.aie2_compiler import RUNTIME_FOLDER, LinkedProgram, compile_assembly, link_core
from npuninja.errors import Location, UserError, Warnings
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.one_core import OneCore
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.reachable import reachable_bundles
from npuninja.machine_code.source_lines import line_table
from npuninja.stages import _aie2_flags, _wasm_flags, kernel_cc_aie2, kernel_join_aie2

ZIG = os.path.join(os.path.dirname(ziglang.__file__), "zig")
SCRIPT = """MEMORY { data (!RX) : ORIGIN = 0x72000, LENGTH = 0xC000 }
. = 0x70000;
_sp_start_value_DM_stack = .;
. += 0x1000;
. = 0x71000;
words_in = .;
. = 0x71800;
words_out = .;
PROVIDE(main = core_0_2);
"""
MAIN = "extern unsigned words_in[], words_out[]; void run(const unsigned *, unsigned *);\n"
MAIN += "void core_0_2(void) { run(words_in, words_out); }\n"
WORDS = 64
# Numbers at which arithmetic turns, and floats: 1, infinity, the least, the largest subnormal, no number.
SPECIAL = (0, 1, 2, 3, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 31, 32, 33, 255, 0x3F800000, 0x7F800000, 0x00000001,
           0x807FFFFF, 0x7FC00000)  # fmt: skip
HERE = Path(__file__).parent


class Compiler:
    """Both compilers, with a cache for the whole module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {**os.environ, **_wasm_flags.cache_variables(str(folder / "cache"))}

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, check=True, env=self.variables, capture_output=True, text=True)

    def assembly(self, source: str) -> str:
        target = self.folder / (os.path.basename(source) + ".s")
        command = _aie2_flags.compiler_command(ZIG, ["cc"], source)
        self._run([*command, *_aie2_flags.compile_flags(source, []), "-S", source, "-o", str(target)])
        return target.read_text()

    def object(self, name: str, text: str) -> tuple[str, bytes]:
        source = self.folder / name
        source.write_text(text)
        return str(source), compile_assembly(self.assembly(str(source)), str(source))

    def core(self, text: str, name: str = "kernel.c", stack_bytes: int = 0x1000) -> LinkedProgram:
        objects = [self.object("main.c", MAIN), self.object(name, text)]
        warnings = Warnings()
        return link_core(
            objects, SCRIPT, "script", stack_bytes, self.assembly, Location("d.mlir", 3, 1), warnings
        )

    def wasm(
        self, text: str, name: str = "kernel.c"
    ) -> tuple[wasmtime.Store, wasmtime.Func, wasmtime.Memory]:
        source, target = self.folder / f"wasm_{name}", self.folder / "kernel.wasm"
        source.write_text(text)
        command = [ZIG, "cc", "-target", "wasm32-freestanding", "-O1", "-fwrapv", "-fno-sanitize=all", "-nostdlib",
                   "-fno-strict-aliasing", "-ffp-contract=off", "-mbulk-memory", "-Wl,--no-entry",
                   "-Wl,--export=run"]  # fmt: skip
        self._run([*command, str(source), "-o", str(target)])
        store = wasmtime.Store()
        module = wasmtime.Module(store.engine, target.read_bytes())
        exports = wasmtime.Instance(store, module, []).exports(store)
        run, memory = exports["run"], exports["memory"]
        assert isinstance(run, wasmtime.Func)
        assert isinstance(memory, wasmtime.Memory)
        return store, run, memory


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    return Compiler(tmp_path_factory.mktemp("aie2"))


def bundles_of(program: LinkedProgram) -> list[Bundle]:
    (section,) = read_programs(program.elf, "core.elf")[1][0].sections
    return reachable_bundles([(section.address, section.data)])


def run_core(program: LinkedProgram, words: list[int], seed: int) -> list[int]:
    core = OneCore(read_programs(program.elf, "core.elf")[1][0], "core.elf")
    noise = random.Random(seed)
    for number in range(32):  # what a core has in its registers when it starts is not known
        core.core.set_register(f"r{number}", noise.getrandbits(32))
    core.core.data(0x71000, 4 * WORDS)[:] = struct.pack(f"<{WORDS}I", *words)
    assert core.run(1_000_000) == "done"
    return list(struct.unpack(f"<{WORDS}I", bytes(core.core.data(0x71800, 4 * WORDS))))


@pytest.mark.parametrize("name", ["integers.c", "floats.c"])
def test_the_same_words_as_webassembly(compiler, name):
    text = (HERE / name).read_text()
    program = compiler.core(text)
    store, run, memory = compiler.wasm(text)
    source = random.Random(5)
    at_in = memory.grow(store, 1) * 65536
    for trial in range(12):
        words = [
            source.choice(SPECIAL) if source.random() < 0.4 else source.getrandbits(32) for _ in range(WORDS)
        ]
        memory.write(store, struct.pack(f"<{WORDS}I", *words), at_in)
        run(store, at_in, at_in + 4 * WORDS)
        expected = list(struct.unpack(f"<{WORDS}I", memory.read(store, at_in + 4 * WORDS, at_in + 8 * WORDS)))
        got = run_core(program, words, trial)
        wrong = {i: (hex(g), hex(e)) for i, (g, e) in enumerate(zip(got, expected)) if g != e}
        assert not wrong, f"{name}, trial {trial}: case -> (machine code, WebAssembly): {wrong}"


SHIFTS = """void run(const unsigned *in, unsigned *out) {
  for (int i = 0; i < 16; i++) {
    int count = (int)in[32 + i];
    out[i] = in[i] << count;
    out[16 + i] = (unsigned)((int)in[i] >> count);
    out[32 + i] = in[i] >> count;
    out[48 + i] = in[i] << (count & 31);
  }
}
"""


WIDE_SHIFTS = """void run(const unsigned *in, unsigned *out) {
  for (int i = 0; i < 16; i++) {
    int count = (int)in[32 + i];
    long long x = (long long)in[i] | (long long)in[16 + i] << 32;
    long long left = x << count, right = x >> count;
    out[i] = (unsigned)left, out[16 + i] = (unsigned)((unsigned long long)left >> 32);
    out[32 + i] = (unsigned)right, out[48 + i] = (unsigned)((unsigned long long)right >> 32);
  }
}
"""


def shift_program(compiler, text):
    source, target = compiler.folder / "shifts.c", compiler.folder / "shifts.o"
    source.write_text(text)
    arguments = [str(source), "-o", str(target), "--compiler", ZIG, "--compiler-word", "cc", "--kind", "aie2"]
    kernel_cc_aie2.run([*arguments, "--cache", str(compiler.folder / "cache")])
    objects = [compiler.object("main.c", MAIN), (str(source), target.read_bytes())]
    return link_core(
        objects, SCRIPT, "script", 0x1000, compiler.assembly, Location("d.mlir", 3, 1), Warnings()
    )


def test_wide_shifts_are_made_of_shifts_of_words(compiler):
    """A count above 63, as a negative one is, shifts one word to the other's place (test_shift_counts.py)."""
    numbers = random.Random(8)
    values = [numbers.getrandbits(64) for _ in range(16)]
    counts = [0, 1, 7, 31, 32, 33, 63, 64, 65, 96, -1, -2, -31, -32, -33, -65]
    halves = [*(v & 0xFFFFFFFF for v in values), *(v >> 32 for v in values)]
    found = run_core(
        shift_program(compiler, WIDE_SHIFTS), [*halves, *(c & 0xFFFFFFFF for c in counts), *[0] * 16], 3
    )

    def word(x: int, count: int) -> int:
        return (x << count % 32 if count >= 0 else x >> -count % 32) & 0xFFFFFFFF

    for i, (x, count) in enumerate(zip(values, counts)):
        low, high = x & 0xFFFFFFFF, (x >> 32) - (x >> 63 << 32)
        left = (0, word(low, count - 32))
        right = (word(high, 32 - count), high >> 31 & 0xFFFFFFFF)
        if 0 <= count < 32:
            left = (x << count & 0xFFFFFFFF, x << count >> 32 & 0xFFFFFFFF)
            right = (x >> count & 0xFFFFFFFF, high >> count & 0xFFFFFFFF)
        assert (found[i], found[16 + i]) == left, (i, count)
        assert (found[32 + i], found[48 + i]) == right, (i, count)


def test_shifts_go_by_the_sign_of_their_count(compiler):
    """As on an NPU by Peano, whose instruction for a shift is the same (stages/test_shift_counts.py)."""
    program = shift_program(compiler, SHIFTS)
    numbers = random.Random(7)
    values = [numbers.getrandbits(32) for _ in range(16)]
    counts = [0, 1, 7, 31, 32, 33, 64, -1, -2, -8, -31, -32, -33, -65, 2**31 - 1, -(2**31)]
    words = [*values, *[0] * 16, *(c & 0xFFFFFFFF for c in counts), *[0] * 16]
    found = run_core(program, words, 3)

    def moved(x: int, count: int) -> int:
        return (x << count % 32 if count >= 0 else x >> -count % 32) & 0xFFFFFFFF

    signed = [x - (x >> 31 << 32) for x in values]
    minus = [-c if c > -(2**31) else c for c in counts]
    assert found[:16] == [moved(x, c) for x, c in zip(values, counts)]
    assert found[16:32] == [moved(x, c) for x, c in zip(signed, minus)]
    assert found[32:48] == [moved(x, c) for x, c in zip(values, minus)]
    assert found[48:] == [x << (c & 31) & 0xFFFFFFFF for x, c in zip(values, counts)]


def test_what_is_not_reached_is_left_out(compiler):
    small = compiler.core("void run(const unsigned *a, unsigned *b) { b[0] = a[0]; }")
    large = compiler.core(
        "int unused(int a, int b) { return a / b; } void run(const unsigned *a, unsigned *b) { b[0] = a[0]; }"
    )
    assert large.program_bytes == small.program_bytes


def test_the_stack_of_calls_is_added_up(compiler):
    text = """__attribute__((noinline)) int inner(const unsigned *a) {
    volatile int x[40]; for (int i = 0; i < 40; i++) x[i] = a[i]; return x[a[0] % 40]; }
    void run(const unsigned *a, unsigned *b) { volatile int y[20]; y[a[1] % 20] = 3; b[0] = inner(a) + y[2]; }"""
    made = compiler.core(text)
    assert made.stack_bytes is not None
    assert 240 <= made.stack_bytes <= 400
    with pytest.raises(
        UserError, match=rf"the core's calls need {made.stack_bytes} bytes of stack"
    ) as refused:
        compiler.core(text, stack_bytes=128)
    assert refused.value.location == Location("d.mlir", 3, 1)


REFUSED = {
    "double": ("double d; void run(const unsigned *a, unsigned *b) { d = d * a[0]; b[0] = d; }", "arithmetic of double"),
    "mathematics": ("float sinf(float); void run(const unsigned *a, unsigned *b) { b[0] = sinf(a[0]); }",
                    "cannot link 'sinf'"),
    "symbol": ("void nobody(void); void run(const unsigned *a, unsigned *b) { nobody(); }", "undefined symbol 'nobody'"),
    "size": ("void run(const unsigned *a, unsigned *b) { "
             + "".join(f"b[{i % 64}] = a[{i % 61}] * {i * 77777 + 1000003}u + b[{i % 53}];" for i in range(420)) + "}",
             r"the program takes \d+ bytes, a core has 16384"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_refused(compiler, case):
    text, words = REFUSED[case]
    with pytest.raises(UserError, match=words):
        compiler.core(text)


def test_a_function_that_no_core_has_room_for_is_refused_only_where_it_is_called(compiler):
    steps = "".join(f"b[{i % 64}] ^= a[{i % 61}] * {i * 77 + 1000003}u;" for i in range(1300))
    text = f"void large(const unsigned *a, volatile unsigned *b) {{ {steps} }}\n"
    text += "void run(const unsigned *a, unsigned *b) { %s }"
    assert compiler.core(text % "b[0] = a[0];").program_bytes < 200
    with pytest.raises(UserError, match="'large' alone takes more than the 16384 bytes"):
        compiler.core(text % "large(a, b);")


def test_what_is_used_of_the_aie_api_is_refused_where_it_stands(compiler):
    source = compiler.folder / "api.cc"
    source.write_text("#include <aie_api/aie.hpp>\nvoid f(int *p) {\n  aie::vector<int, 16> v;\n}\n")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        compiler.assembly(str(source))
    assert "api.cc:3:8: error: no member named 'vector' in namespace 'aie'" in refused.value.stderr


#: Scalar code as public kernels have it: the API's header is included, and nothing of it used.
ONLY_INCLUDES = """#include <aie_api/aie.hpp>
#include <algorithm>
#include <cstdint>
template <typename From, typename To, int N, typename F> static void each(const From *from, To *to, F f) {
  for (int i = 0; i < N; i++) to[i] = f(from[i], i);
}
struct Range { int16_t low, high; int64_t sum; };
static Range ranges[3] = {{-100, 100, 0}, {-3000, 20000, 7}, {0, 1, -1}};
static int32_t depth(uint32_t x) { return x < 2 ? 1 : depth(x / 2) + depth(x / 3); }
static uint32_t by_kind(uint32_t x) {
  switch (x & 7) {
  case 0: return x * 3;
  case 1: return x ^ 0x5555;
  case 2: return x / 7;
  case 3: return ~x;
  case 4: return x << 3;
  case 5: return x % 11;
  default: return x + 1;
  }
}
static uint32_t (*const ways[2])(uint32_t) = {by_kind, [](uint32_t x) { return x >> 1; }};
extern "C" void run(const unsigned *a, unsigned *b) {
  each<unsigned, unsigned, 16>(a, b, [](unsigned x, int i) { return ways[i & 1](x); });
  for (int i = 0; i < 3; i++) {
    Range r = ranges[i];
    for (int k = 0; k < 20; k++) r.sum += std::clamp<int64_t>((int32_t)a[k], r.low, r.high) * (int32_t)a[k + 1];
    b[16 + 2 * i] = (unsigned)(r.sum >> 32);
    b[17 + 2 * i] = (unsigned)(r.sum / 3);
  }
  b[22] = (unsigned)depth(a[5] % 500);
  __builtin_memcpy(b + 23, a + 3, 4 * (a[6] % 20));
}
"""


def test_a_scalar_kernel_may_include_the_aie_api(compiler):
    program = compiler.core(ONLY_INCLUDES, "included.cc")
    plain = ONLY_INCLUDES.replace("#include <aie_api/aie.hpp>\n", "").replace("#include <algorithm>\n", "")
    plain = plain.replace("#include <cstdint>", "#include <stdint.h>").replace(
        "struct Range",
        "namespace std { template <class T> T clamp(T v, T l, T h) { return v < l ? l : h < v ? h : v; } }\n"
        "struct Range",
    )
    plain += 'extern "C" void *memcpy(void *to, const void *from, unsigned long n) {\n'
    plain += (
        "  for (unsigned long i = 0; i < n; i++) ((volatile char *)to)[i] = ((const char *)from)[i];\n"
        "  return to;\n"
        "}\n"
    )
    store, run, memory = compiler.wasm(plain, "included.cc")
    at_in = memory.grow(store, 1) * 65536
    source = random.Random(9)
    for trial in range(4):
        words = [source.getrandbits(32) for _ in range(WORDS)]
        memory.write(store, struct.pack(f"<{WORDS}I", *words) + bytes(4 * WORDS), at_in)
        run(store, at_in, at_in + 4 * WORDS)
        expected = list(struct.unpack(f"<{WORDS}I", memory.read(store, at_in + 4 * WORDS, at_in + 8 * WORDS)))
        assert run_core(program, words, trial) == expected


def test_cxx_with_bfloat16_and_templates(compiler):
    text = """template <class T> struct Sum { T value = 0; void add(T x) { value += x; } };
inline int twice(int x) { return 2 * x; }
extern "C" void run(const unsigned *a, unsigned *b) {
    Sum<int> sum; for (int i = 0; i < 8; i++) sum.add(twice(a[i]));
    bfloat16 x = 1.5f, y = (float)(int)a[8]; b[0] = sum.value; b[1] = __builtin_bit_cast(unsigned, (float)(x * y));
}"""
    got = run_core(compiler.core(text, "templates.cc"), [*range(10, 18), 3, *[0] * 55], 1)
    assert got[:2] == [2 * sum(range(10, 18)), 0x40900000]


def test_constructors_and_merged_variables_are_refused(compiler):
    text = 'extern "C" unsigned start(); static unsigned x = start();\n'
    text += 'extern "C" void run(const unsigned *a, unsigned *b) { b[0] = x; }\n'
    with pytest.raises(UserError, match="initialised by code"):
        compiler.object("constructor.cc", text)
    text = 'inline unsigned x = 3; extern "C" void run(const unsigned *a, unsigned *b) { b[0] = x++; }\n'
    with pytest.raises(UserError, match="every object may define"):
        compiler.object("inline.cc", text)


def test_objects_of_other_compilers_are_refused(compiler):
    from npuninja.machine_code.assembler import assemble

    stranger = assemble(".globl run\nrun:\n  ret lr\n" + "  nop\n" * 5).object()
    with pytest.raises(UserError, match="'run' was not compiled by npuninja-aie2"):
        link_core(
            [compiler.object("main.c", MAIN), ("kernel.o", stranger)], SCRIPT, "script", 4096, compiler.assembly,
            Location("d.mlir"), Warnings(),
        )  # fmt: skip


def test_every_function_of_the_runtime_is_found_by_its_name():
    from npuninja.aie2_compiler.program import _DEFINED

    names = {n for f in os.listdir(RUNTIME_FOLDER) if f.endswith(".c")
             for n in _DEFINED.findall(Path(RUNTIME_FOLDER, f).read_text())}  # fmt: skip
    assert {"memcpy", "memset", "__divsi3", "__udivdi3", "__addsf3", "__fixsfsi", "__truncsfbf2"} <= names


def test_functions_with_many_arguments(compiler):
    """Inside a file the compiler passes more arguments in registers than between files; then on the stack."""
    names = [f"p{i}" for i in range(16)]
    parameters = ", ".join(f"int {n}" for n in names)
    sums = " + ".join(f"{i + 1} * {n}" for i, n in enumerate(names))
    text = f"__attribute__((noinline)) static int inner({parameters}) {{ return {sums}; }}\n"
    text += (
        f"__attribute__((noinline)) int outer({parameters}) {{ return "
        f"inner({', '.join(reversed(names))}) - p3; }}\n"
    )
    given = ", ".join(f"(int)a[{i}]" for i in range(16))
    text += f"void run(const unsigned *a, unsigned *b) {{ b[0] = outer({given}); }}\n"
    words = [(7 * i + 3) % 100 for i in range(WORDS)]
    expected = sum((i + 1) * w for i, w in enumerate(reversed(words[:16]))) - words[3]
    program = compiler.core(text)
    assert run_core(program, words, 1)[0] == expected
    # The stack pointer stays at multiples of 32, as in every real program.
    steps = [d.operands[-1] for b in bundles_of(program) for d in b.instructions if "[sp]" in d.text]
    assert steps
    assert all(isinstance(step, int) and step % 32 == 0 for step in steps)
    assert not any(d.text.startswith("mov sp") for b in bundles_of(program) for d in b.instructions)


def test_its_programs_have_c_lines(compiler):
    text = (
        "void run(const unsigned *a, unsigned *b) {\n"
        "  for (int i = 0; i < 64; i++)\n"
        "    b[i] = a[i] * 3;\n"
        "}\n"
    )
    program = compiler.core(text)
    found = read_programs(program.elf, "core.elf")[1][0]
    table = line_table(found.elf)
    (run,) = (s for s in found.symbols if s.name == "run")
    lines = {
        table.at(b.address).line
        for b in bundles_of(program)
        if b.address >= run.address and table.at(b.address)
    }
    assert {2, 3, 4} <= lines
    multiplies = [b.address for b in bundles_of(program) if "mul " in b.text or "lshl" in b.text]
    place = table.at(multiplies[0])
    assert (os.path.basename(place.file), place.line) == ("kernel.c", 3)


def test_several_objects_and_archives_are_joined_to_one(compiler, tmp_path):
    """Stage kernel_join: what the core does not use is left out; objects of other compilers are named."""
    parts = []
    for name, text in {
        "twice.c": "unsigned twice(unsigned a) { return a * 2; }\n",
        "more.c": "unsigned twice(unsigned); unsigned more(unsigned a) { return twice(a) + 1; }\n",
        "idle.c": "unsigned idle(unsigned a) { return a / 7; }\n",
    }.items():
        part = tmp_path / name.replace(".c", ".o")
        part.write_bytes(compiler.object(name, text)[1])
        parts.append(str(part))
    inner, whole = str(tmp_path / "inner.a"), str(tmp_path / "all.o")
    kernel_join_aie2.run([*parts[:2], "--kind", "aie2", "-o", inner])
    kernel_join_aie2.run([inner, parts[2], "--kind", "aie2", "-o", whole])
    joined = Path(whole).read_bytes()
    assert [p.title.partition("_")[0] for p in read_programs(joined, whole)[1]] == ["0", "1", "2"]
    run = (
        "unsigned more(unsigned); void run(const unsigned *a, unsigned *b) { for (int i = 0; i < 64; "
        "i++) b[i] = more(a[i]); }"
    )
    objects = [compiler.object("main.c", MAIN), compiler.object("run.c", run), (whole, joined)]
    place, warnings = Location("d.mlir", 3, 1), Warnings()
    program = link_core(objects, SCRIPT, "script", 0x1000, compiler.assembly, place, warnings)
    assert run_core(program, list(range(WORDS)), 3) == [2 * word + 1 for word in range(WORDS)]
    assert "idle" not in {s.name for s in read_programs(program.elf, "core.elf")[1][0].symbols}
    stranger = tmp_path / "stranger.o"
    stranger.write_bytes(assemble(".globl more\nmore:\n ret lr\n nop\n nop\n nop\n nop\n nop\n").object())
    kernel_join_aie2.run([str(stranger), parts[0], "--kind", "aie2", "-o", whole])
    with pytest.raises(UserError, match="'more' was not compiled by npuninja-aie2"):
        link_core(
            [*objects[:2], (whole, Path(whole).read_bytes())],
            SCRIPT,
            "script",
            0x1000,
            compiler.assembly,
            place,
            warnings,
        )
    with pytest.raises(UserError, match="npu1"):
        kernel_join_aie2.run([parts[0], "--kind", "aie2p", "-o", whole])
