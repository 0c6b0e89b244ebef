import pytest

from npuninja.errors import UserError
from npuninja.stages import kernel_cc
from npuninja.stages._wasm_object import read_symbols


def test_same_bytes_in_another_folder(wasm_build, tmp_path_factory):
    text = "int f(int a);\nint g(int a) { return f(a) + __LINE__ + sizeof(__FILE__); }\n"
    first = wasm_build.kernel("same.c", text).read_bytes()
    other = type(wasm_build)(tmp_path_factory.mktemp("a folder with another name"), wasm_build.cache)
    assert other.kernel("same.c", text).read_bytes() == first
    assert str(wasm_build.folder).encode() not in first


def test_layout_of_aie2(wasm_build):
    text = """
        struct mixed { int a; long long b; double c; void *d; long e; };
        _Static_assert(sizeof(struct mixed) == 28, "i64 and double are aligned to 4, as on AIE2");
        _Static_assert(sizeof(long) == 4 && sizeof(void *) == 4, "32-bit");
    """
    assert read_symbols(wasm_build.kernel("layout.c", text).read_bytes(), "layout.o").undefined == ()


def test_headers_are_reported_once_each(wasm_build):
    (wasm_build.folder / "table.h").write_text("static const int table[2] = {1, 2};\n")
    source = wasm_build.folder / "uses.c"
    source.write_text('#include "table.h"\n#include <string.h>\nint f(int i) { return table[i]; }\n')
    headers = kernel_cc.run(wasm_build.compile_arguments(source, source.with_suffix(".o")))
    assert headers.count(str(wasm_build.folder / "table.h")) == 1
    assert str(source) not in headers


def test_folder_with_special_characters(wasm_build):
    folder = wasm_build.folder / "a $b #c"
    folder.mkdir()
    (folder / "my table.h").write_text("static const int table[2] = {1, 2};\n")
    (folder / "k.c").write_text('#include "my table.h"\nint f(int i) { return table[i]; }\n')
    headers = kernel_cc.run(wasm_build.compile_arguments(folder / "k.c", folder / "k.o"))
    assert str(folder / "my table.h") in headers
    assert str(folder / "k.c") not in headers


C_LIBRARY = """
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
float f(float *a, const float *b, uint32_t n) {
    memcpy(a, b, n);
    memset(a, 0, n);
    return sqrtf(a[0]) + floorf(a[1]) + fabsf(b[0]) + roundf(b[1]) + fmaxf(a[0], b[0]) + abs(-3) + memcmp(a, b, n);
}
"""
CXX_LIBRARY = """
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
extern "C" float f(float *a, const float *b, std::uint32_t n) {
    std::memcpy(a, b, n);
    return std::sqrt(a[0]) + std::fmax(a[0], b[0]) + std::abs(b[1]) + std::round(b[2]);
}
"""


@pytest.mark.parametrize(("name", "text"), [("lib.c", C_LIBRARY), ("lib.cc", CXX_LIBRARY)])
def test_library_functions_without_a_library(wasm_build, name, text):
    assert read_symbols(wasm_build.kernel(name, text).read_bytes(), name).undefined == ()


def test_functions_of_the_emulator_stay_calls(wasm_build):
    text = "#include <math.h>\nfloat f(float x) { return expf(x) + powf(x, x); }\n"
    assert set(read_symbols(wasm_build.kernel("exp.c", text).read_bytes(), "exp.o").undefined) == {
        "expf",
        "powf",
    }


@pytest.mark.parametrize(
    ("text", "printed", "hint"),
    [
        ("int f(void) { return b; }", "use of undeclared identifier 'b'", None),
        ("#include <aie_api/aie.hpp>", "compiled as C", "C++ in a .c file"),
        ('extern "C" { int f(void) { return 1; } }', "expected identifier", 'extern "C" is C++'),
        ("int f(void) { return DIM_M; }", "use of undeclared identifier 'DIM_M'", 'defines = ["NAME=VALUE"]'),
        ('#error "say -DDIM_M=64"', "-DDIM_M=64", 'defines = ["NAME=VALUE"]'),
        ("#include <vector>", "file not found", "part of the C and C++ library"),
    ],
)
def test_errors(wasm_build, capfd, text, printed, hint):
    target = wasm_build.folder / "bad.o"
    target.write_bytes(b"of an earlier build")
    with pytest.raises(UserError) as caught:
        wasm_build.kernel("bad.c", text)
    assert printed in capfd.readouterr().err
    assert caught.value.location.file.endswith("bad.c")
    assert (hint or "") in (caught.value.hint or "")
    assert not target.exists()
    assert [p.name for p in wasm_build.folder.iterdir() if p.name.startswith(".new")] == []


def test_other_core_kinds_are_refused(wasm_build):
    arguments = wasm_build.compile_arguments(wasm_build.folder / "k.c", wasm_build.folder / "k.o")
    arguments[arguments.index("wasm")] = "aie9"
    with pytest.raises(UserError, match="cannot compile for core kind 'aie9'"):
        kernel_cc.run(arguments)
