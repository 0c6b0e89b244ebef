"""What the compile and link stages say of kernels on the headers: unknown names, shapes, streams, stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.errors import UserError
from npuninja.formats.wasm_code import SIMD, functions
from npuninja.formats.wasm_module import read_wasm
from npuninja.kernel_headers import INCLUDE_FOLDER, MADE_FOR_CHESS
from npuninja.lints.kernel_code import read_functions
from npuninja.stages import _compile, _precompiled, kernel_cc
from npuninja.stages._first_includes import begins_with_the_api
from npuninja.stages._wasm_object import read_symbols

ACCUMULATORS = """
#include <aie_api/aie.hpp>
using Block = aie::mmul<4, 8, 8, int8, int8>;
extern "C" void k(const int8 *a, const int8 *b, int32 *c, int n) {
    Block sums[8];
    for (int i = 0; i < n; i++)
        for (int x = 0; x < 8; x++)
            sums[x].mac(aie::load_v<32>(a + 32 * (8 * i + x)), aie::load_v<64>(b + 64 * i));
    for (int x = 0; x < 8; x++)
        aie::store_v(c + 32 * x, sums[x].to_vector<int32>());
}
"""
# The kernels' header says so for the compiler of an NPU; the other hint only that compiler knows.
UNROLLED = """
#if defined(__AIECC__)
#ifndef __STRINGIFY
#define __STRINGIFY(a) #a
#endif
#define ROUNDS(x) _Pragma(__STRINGIFY(clang loop min_iteration_count(x)))
#define UNROLL_FULL _Pragma("clang loop unroll(full)")
#endif
#include <aie_api/aie.hpp>
using Block = aie::mmul<4, 8, 8, uint8, int8>;
extern "C" void k(const uint8 *a, const int8 *b, uint8 *c, int n) {
    Block sums[8];
    for (int x = 0; x < 8; x++)
        sums[x] = aie::zeros<acc32, 32>();
    ROUNDS(2)
    for (int i = 0; i < n; i++) {
        auto both = aie::concat(aie::load_v<32>(a), aie::load_v<32>(a + 32));
        UNROLL_FULL
        for (int x = 0; x < 8; x++) {
            sums[x].mac(both.extract<32>(0), aie::load_v<64>(b + 64 * i));
            both = aie::shuffle_down(both, 8);
            both.insert(1, aie::load_v<32>(a + 32 * x));
            both = aie::shuffle_down(both, 24);
        }
    }
    for (int x = 0; x < 8; x++)
        aie::store_v(c + 32 * x, sums[x].to_vector<uint8>(3));
}
"""
LANES = """
#include <aie_api/aie.hpp>
extern "C" void k(const bfloat16 *a, bfloat16 *out, int n) {
    aie::vector<bfloat16, 32> v = aie::load_v<32>(a);
    for (int i = 0; i < n; i++)
        v[i] = bfloat16(float(v[(i + 7) % 32]) * 2.0f);
    aie::store_v(out, v);
}
"""
NUMBERS = """
extern "C" void k(const int *a, int *out, int n) {
    volatile int sums[256];
    for (int i = 0; i < 256; i++)
        sums[i] = a[i];
    for (int i = 0; i < n; i++)
        out[i] = sums[a[i] & 255];
}
"""


def kernel(wasm_build, text, architecture="aie2", *words):
    source = wasm_build.folder / "k.cc"
    source.write_text(text)
    target = source.with_suffix(".o")
    kernel_cc.run([*wasm_build.compile_arguments(source, target), "--architecture", architecture, *words])
    return target


# A row of nine bytes after the first, by a pointer's own arithmetic and by a stream's.
BLOCK_FLOATS = """
#include <aie_api/aie.hpp>
static_assert(sizeof(bfp16ebs8) == {} && sizeof(bfp16ebs16) == {} && alignof(bfp16ebs8) == 1);
extern "C" void k(bfp16ebs8 *from, bfp16ebs8 *to) {{
    aie::block_vector_input_buffer_stream<bfp16ebs8, 64> in(from);
    in.seek(2);
    aie::block_vector_output_buffer_stream<bfp16ebs8, 64> out(to);
    out << in.pop();
}}
"""


@pytest.mark.parametrize(("defines", "sizes"), [((), (1, 1)), (("--define", MADE_FOR_CHESS), (9, 17))])
def test_block_floats_are_bytes_for_one_compiler_and_blocks_for_the_other(wasm_build, defines, sizes):
    kernel(wasm_build, BLOCK_FLOATS.format(*sizes), "aie2p", *defines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "auto f(aie::vector<int16, 16> v) { return aie::fold(v); }",
            r"aie::fold is not offered by the embedded compiler",
        ),
        # AIE1 had an instruction for it.
        ("float f(float x) { return aie::sin(x); }", r"aie::sin is not offered by the embedded compiler"),
        (
            "aie::sliding_window_dim_1d d;",
            r"aie::sliding_window_dim_1d is not offered by the embedded compiler",
        ),
        (
            "aie::mmul<8, 8, 8, int8> m; void f(aie::vector<int8, 64> a, aie::sparse_vector<int8, "
            "64> b) { m.mac(a, b); }",
            "does not compile",
        ),
        ("aie::mmul<3, 3, 3, int16, int16> m;", "does not compile"),
    ],
)
def test_what_the_headers_lack_is_named(wasm_build, capfd, text, message):
    with pytest.raises(UserError, match=message):
        kernel(wasm_build, f"#include <aie_api/aie.hpp>\n{text}\n")
    assert capfd.readouterr().err


def test_the_generation_must_be_known(wasm_build, capfd):
    source = wasm_build.folder / "k.cc"
    source.write_text("#include <aie_api/aie.hpp>\n")
    with pytest.raises(UserError):
        kernel_cc.run(wasm_build.compile_arguments(source, source.with_suffix(".o")))
    assert "AIE2 and AIE2P" in capfd.readouterr().err


@pytest.mark.parametrize(("text", "frame"), [(ACCUMULATORS, 0), (UNROLLED, 0), (LANES, 0), (NUMBERS, 1024)])
def test_registers_take_no_stack_and_arrays_of_numbers_do(wasm_build, text, frame):
    path = kernel(wasm_build, text)
    data = path.read_bytes()
    functions = read_functions(
        read_wasm(data, str(path)), read_symbols(data, str(path)).function_names, str(path)
    )
    assert {f.name: f.frame_bytes for f in functions}["k"] == frame


def test_streams_in_kernels_become_imports_of_the_core(wasm_build):
    cascade = 'extern "C" void k(int *p) { put_mcd(*(v16int32 *)p); }'
    core = wasm_build.core("void k(int *); long long core_0_2(void) { k((int *)0x70400); return -1; }")
    module = read_wasm(wasm_build.link(core, kernel(wasm_build, cascade)).read_bytes(), "core")
    assert [(i.module, i.name) for i in module.imports] == [("env", "npu_put_cascade")]


VECTORS_OF_FLOATS = """
#include <aie_api/aie.hpp>
extern "C" void k(const bfloat16 *a, const bfloat16 *b, bfloat16 *c, int *n) {
    v16int32 sum = broadcast_to_v16int32(0);
    for (int i = 0; i < 8; i++) {
        aie::vector<bfloat16, 32> x = aie::load_v<32>(a + 32 * i), y = aie::load_v<32>(b + 32 * i);
        aie::store_v(c + 32 * i, aie::add(aie::inv(x), y));
        sum = add(sum, ((const v16int32 *)a)[i]);
    }
    aie::vector<bfloat16, 16> e = to_v16bfloat16(getExpBf16(*(const v16bfloat16 *)a));
    *n = ext_elem(sum, 3);
    aie::store_v(c, aie::max(e, aie::load_v<16>(c)));
}
"""
SCALARS_OF_BFLOAT16 = """
extern "C" void k(const bfloat16 *a, bfloat16 *c, int n) {
    for (int i = 0; i < n; i++)
        c[i] = a[i] * a[i + 1];
}
"""


@pytest.mark.parametrize(("text", "warned"), [(VECTORS_OF_FLOATS, False), (SCALARS_OF_BFLOAT16, True)])
def test_only_scalar_floats_are_warned_of(wasm_build, capfd, text, warned):
    kernel(wasm_build, text.replace("aie.hpp>", "aie.hpp>\n#include <lut_based_ops.h>"))
    said = capfd.readouterr().err
    assert ("computes with scalar floats" in said) == warned, said
    assert warned or "warning" not in said, said


# Numbers for a compiler of an NPU: with a float, an integer, within each other, in a header's template.
CONDITIONALS = """
#include "positive.h"
extern "C" void k(const bfloat16 *a, bfloat16 *out, int n) {
    out[0] = n > 0 ? a[0] : 0.0f;
    out[1] = a[1] > bfloat16(0)
                 ? a[1]
                 : (n ? 0.5f : a[2]);
    out[2] = n ? a[3] : 0; out[3] = n ? 1 : a[4];
    out[4] = positive(a[5]);
    out[5] = positive(n);
}
"""
POSITIVE = """
template <class T> T positive(T x) { return x > 0 ? x : 0.0f; }
"""


def test_conditional_expressions_of_bfloat16_and_other_numbers(wasm_build, capfd):
    header = wasm_build.folder / "positive.h"
    header.write_text(POSITIVE)
    made = kernel(wasm_build, CONDITIONALS)
    assert made.exists()
    assert header.read_text() == POSITIVE
    assert "error" not in capfd.readouterr().err
    assert {path.name for path in wasm_build.folder.iterdir()} == {"k.cc", "k.o", "positive.h"}


def test_other_mistakes_are_shown_as_they_are(wasm_build, capfd):
    with pytest.raises(UserError):
        kernel(wasm_build, CONDITIONALS.replace('#include "positive.h"', POSITIVE).replace("a[5]", "a[5], 1"))
    assert "no matching function" in capfd.readouterr().err


BYTES = """
#include <aie_api/aie.hpp>
extern "C" void k(const int16 *restrict a, int16 *restrict c, int n) {
    for (int i = 0; i < n; i += 32)
        aie::store_v(c + i, aie::mul(aie::load_v<32>(a + i), int16(FACTOR)).to_vector<int16>(3));
}
"""


@pytest.mark.parametrize(
    ("options", "uses"),
    [
        (["--define", "FACTOR=7", "--flag", "-O3"], True),
        (["--define", "FACTOR=7", "--define", "AIE_API_EMULATE_BFLOAT16_MMUL_WITH_BFP16=1"], False),
        (["--define", "FACTOR=7", "--define", "AIE_SOMETHING=1"], True),
        (["--define", "FACTOR=7", "--flag", "-fno-inline"], False),
        (["--define", "FACTOR=7", "--language", "c++20"], False),
    ],
)
def test_headers_read_once_give_the_same_object(wasm_build, monkeypatch, options, uses):
    """The headers' file is used unless a kernel could change what they say; the object has the same bytes."""
    source = wasm_build.folder / "k.cc"
    source.write_text(BYTES)
    commands = []

    def made(name: str) -> bytes:
        target = source.with_name(name)
        arguments = wasm_build.compile_arguments(source, target)
        kernel_cc.run([*arguments, "--architecture", "aie2", *options])
        return target.read_bytes()

    run_tool = _compile.run_tool
    monkeypatch.setattr(_compile, "run_tool", lambda c, **rest: commands.append(c) or run_tool(c, **rest))
    with_file = made("with.o")
    assert ("-include-pch" in commands[-1]) == uses
    monkeypatch.setattr(_precompiled, "with_precompiled", lambda command, *rest: command)
    assert made("without.o") == with_file
    assert "-include-pch" not in commands[-1]


def test_short_defines_reach_a_kernel_and_no_header(wasm_build):
    """A kernel may have any macro of one or two capital letters, whatever it includes."""
    headers = (
        "algorithm aie_api/aie_types.hpp array bit cmath functional limits numeric tuple "
        "aie_api/aie.hpp aie_api/utils.hpp"
    )
    text = "".join(f"#include <{name}>\n" for name in headers.split())
    text += (
        'extern "C" void k(int32_t *a) { for (int i = 0; i < N; i++) a[i] = std::max<int32_t>(a[i], '
        "M + TA); }\n"
    )
    aside = Path(INCLUDE_FOLDER, "npu", "letters_aside.h").read_text().split()
    names = [aside[i + 1] for i, word in enumerate(aside) if word == "#undef"]
    assert {"N", "T", "TA", "NC"} <= set(names)
    defines = [word for name in names for word in ("--define", f"{name}=3")]
    source = wasm_build.folder / "k.cc"
    source.write_text(text)
    target = source.with_suffix(".o")
    kernel_cc.run([*wasm_build.compile_arguments(source, target), "--architecture", "aie2", *defines])
    assert target.exists()


@pytest.mark.parametrize(
    ("before", "begins"),
    [
        ("", True),
        ("#define NOCPP\n#include <stdint.h>\n#include <algorithm>\n#pragma once\n", True),
        ('/* #define N 3 */ // #define N 3\n#include "beside.h"\n', True),
        ("#include <lut_based_ops.h>\n", True),
        ('#include "aie_kernels/aie_kernel_utils.h"\n#define AIE_LOOP_UNROLL(n)\n', True),
        ('#include "../aie_kernel_utils.h"\n', True),
        (
            "#define __STRINGIFY(a) #a\n#define chess_storage(x)\n",
            True,
        ),  # words of macros.h alone, which comes before
        ("#define N 3\n", False),  # a word of the headers
        ("#define AIE_API_EMULATE_BFLOAT16_MMUL_WITH_BFP16 1\n", False),
        ('#include "changing.h"\n', False),
        ('#include "not_there.h"\n', False),
        ("namespace aie {}\n", False),
    ],
)
def test_what_may_come_before_the_api(tmp_path, before, begins):
    """The API is read once for many kernels where nothing that comes before it could change it."""
    (tmp_path / "beside.h").write_text("#ifndef BESIDE\n#define BESIDE(x) \\\n    x\n#endif\n")
    (tmp_path / "changing.h").write_text("#undef lower\n#define lower(x) x\n")
    source = tmp_path / "k.cc"
    source.write_text(f"{before}#include <aie_api/aie.hpp>\nint one() {{ return 1; }}\n")
    assert begins_with_the_api(str(source), ()) == begins


def test_headers_read_once_stay_out_of_depfiles(wasm_build):
    source = wasm_build.folder / "k.cc"
    source.write_text(BYTES.replace("FACTOR", "3"))
    arguments = wasm_build.compile_arguments(source, source.with_suffix(".o"))
    assert kernel_cc.run([*arguments, "--architecture", "aie2"]) == []


def test_a_file_of_headers_that_the_compiler_cannot_take(wasm_build, monkeypatch):
    """One that is broken, or of another compiler, costs time and nothing else."""
    source = wasm_build.folder / "k.cc"
    source.write_text(BYTES.replace("FACTOR", "3"))
    broken = wasm_build.folder / "broken.pch"
    broken.write_bytes(b"CPCH" + bytes(64))

    def with_broken(command: list[str], *rest: object) -> list[str]:
        at = command.index("-include")
        return [*command[:at], "-include-pch", str(broken), *command[at + 2 :]]

    monkeypatch.setattr(_precompiled, "with_precompiled", with_broken)
    kernel_cc.run([*wasm_build.compile_arguments(source, source.with_suffix(".o")), "--architecture", "aie2"])
    assert source.with_suffix(".o").exists()


@pytest.mark.parametrize("architecture", ["aie2", "aie2p"])
def test_names_of_the_api_are_there(wasm_build, architecture):
    """Every name of the list, made from the API's public headers; a using-declaration takes any kind."""
    lines = Path(__file__).with_name("api_names.txt").read_text().splitlines()[1:]
    at = lines.index("--")
    names = " ".join(lines if architecture == "aie2p" else lines[:at]).replace("--", "").split()
    source = wasm_build.folder / "names.cc"
    source.write_text(
        "#include <aie_api/aie.hpp>\nnamespace all {\n" + "".join(f"using aie::{n};\n" for n in names) + "}\n"
    )
    target = source.with_suffix(".o")
    kernel_cc.run([*wasm_build.compile_arguments(source, target), "--architecture", architecture])
    assert len(names) > 280
    assert target.exists()


LOADS = """
#include <aie_api/aie.hpp>
extern "C" void aligned(const int16 *a, int16 *out) {
    aie::store_v(out, aie::load_v<32>(a));
    aie::vector<int16, 16> v;
    v.load(a + 64);
    v.store(out + 64);
}
extern "C" void unaligned(const int16 *a, int16 *out) {
    aie::store_unaligned_v(out, aie::load_unaligned_v<32>(a));
    aie::vector<int16, 16> v = *aie::begin_unaligned_vector<16>(a + 33);
    v.store_unaligned(out + 33);
}
"""


def test_only_aligned_loads_and_stores_promise_an_alignment(wasm_build):
    """Checked runs look at what a load or store promises (emulator/core_modules)."""
    target = kernel(wasm_build, LOADS, "aie2", "--flag", "-O2")
    rows = (SIMD, SIMD | 11)
    promised = [
        {1 << i.immediates[0] for i in function.instructions if i.opcode in rows}
        for function in functions(read_wasm(target.read_bytes(), str(target)))
    ]
    assert promised == [{16}, {1}]
