"""What is said of kernels as beginners write them: few lines, each at the kernel's own place."""

from __future__ import annotations

import re

import pytest

from npuninja import kernel_headers
from npuninja.errors import UserError
from npuninja.stages import kernel_cc
from npuninja.stages._compiler_messages import shortened

API = "#include <aie_api/aie.hpp>\n"
VECTOR = "auto v = aie::load_v<32>(a); "
# The body of `void k(int16 *a, int32 *b, int16 *c)` on line 2, or a whole file; where the first error is,
# and its text; the last words of the stage.
FAULTS = {
    "no include": (
        '#include <stdint.h>\nextern "C" void k(int16 *a) { aie::store_v(a, aie::load_v<32>(a)); }\n',
        ("aie::store_v", "use of undeclared identifier 'aie'"),
        "#include <aie_api/aie.hpp> brings the AIE API",
    ),
    "a name that is not there": (
        "aie::store_v(c, aie::median(aie::load_v<32>(a)));",
        ("median", "no member named 'median' in namespace 'aie'"),
        "aie::median is not offered by the embedded compiler",
    ),
    "a name of the newer cores": (
        "aie::tanh<bfloat16>(aie::zeros<float, 16>());",
        ("tanh", "no member named 'tanh' in namespace 'aie'"),
        "aie::tanh is there for AIE2P (npu2) only",
    ),
    "a shape of no product": (
        "aie::mmul<3, 8, 8, int8, int8> m;",
        ("m;", "aie::mmul: the API has no such shape for these elements (docs/kernels.md lists them)"),
        "the file does not compile",
    ),
    "a type of no product": (
        "aie::mmul<4, 8, 8, int8, int8> m; m.mac(aie::load_v<32>(a), aie::zeros<int8, 64>());",
        ("mac", "aie::mmul: A is not a vector of this shape's M·K elements"),
        "the file does not compile",
    ),
    "a number of lanes": (
        "auto v = aie::load_v<24>(a);",
        ("load_v", "aie::vector: no vector of this size"),
        "the file does not compile",
    ),
    "vectors of two sizes": (
        VECTOR + "aie::add(v, aie::load_v<16>(a));",
        ("add(", "the vectors differ in size"),
        "the file does not compile",
    ),
    "factors of two sizes": (
        VECTOR + "aie::mul(v, aie::load_v<16>(a));",
        ("mul(", "aie::mul: the vectors differ in size"),
        "the file does not compile",
    ),
    "vectors of two types": (
        "aie::vector<int16, 16> v = aie::load_v<16>(b);",
        ("v = ", "no viable conversion from 'vector<int, 16>' to 'vector<int16, 16>'"),
        "the file does not compile",
    ),
    "an accumulator as a vector": (
        VECTOR + "aie::vector<int16, 32> r = aie::mul(v, v);",
        ("r = ", "no viable conversion from 'accum<acc32, 32>' to 'aie::vector<int16, 32>'"),
        "the file does not compile",
    ),
    "floats in an accumulator of integers": (
        "auto x = aie::mac(aie::zeros<acc32, 16>(), aie::zeros<bfloat16, 16>(), aie::zeros<bfloat16, 16>());",
        ("mac(", "aie::mul: floats multiply into accfloat, integers into the others"),
        "the file does not compile",
    ),
    "a member that is not there": (
        VECTOR + "aie::store_v(c, v.reverse());",
        ("reverse", "no member named 'reverse' in 'aie::vector<short, 32>'"),
        "the file does not compile",
    ),
    "an operand too few": (
        VECTOR + "auto r = aie::transpose(v);",
        ("aie::transpose", "no matching function for call to 'transpose'"),
        "the file does not compile",
    ),
    "memory that is const": (
        "const int16 *p = a; aie::store_v(p, aie::load_v<32>(a));",
        ("store_v", "aie::store_v: what the pointer points to is const"),
        "the file does not compile",
    ),
    "a number where a pointer is meant": (
        "aie::load_v<32>(a[0]);",
        ("aie::load_v", "no matching function for call to 'load_v'"),
        "the file does not compile",
    ),
    "an element of no vector": (
        "auto v = aie::zeros<double, 8>();",
        ("zeros", "aie::vector: no such element type"),
        "the file does not compile",
    ),
    "an assertion of its own": (
        'static_assert(sizeof(int16) == 4, "rows are words");',
        ("sizeof", "static assertion failed due to requirement 'sizeof(short) == 4': rows are words"),
        "the file does not compile",
    ),
    "a semicolon": (
        "auto v = aie::load_v<32>(a)",
        ("", "expected ';' at end of declaration"),
        "the file does not compile",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_said_in_a_few_lines_at_its_place(wasm_build, monkeypatch, capsys, fault):
    monkeypatch.setenv("NO_COLOR", "1")
    text, (at, said), last = FAULTS[fault]
    source = wasm_build.folder / "k.cc"
    if not text.startswith("#"):
        text = f'{API}extern "C" void k(int16 *a, int32 *b, int16 *c) {{{text}}}\n'
    source.write_text(text)
    arguments = wasm_build.compile_arguments(source, source.with_suffix(".o"))
    at_map = arguments.index("--prefix-map")  # it would have the API read again for each of these
    del arguments[at_map : at_map + 2]
    with pytest.raises(UserError) as caught:
        kernel_cc.run([*arguments, "--architecture", "aie2"])
    shown = capsys.readouterr().err
    place = re.match(rf".*k\.cc:2:(\d+): error: {re.escape(said)}", shown)
    assert place, shown
    assert text.splitlines()[1][int(place[1]) - 1 :].startswith(at or "}")
    assert len(shown.splitlines()) <= 8, shown
    assert kernel_headers.INCLUDE_FOLDER not in shown
    assert last in caught.value.render()


def test_an_error_without_a_place_in_the_kernel(tmp_path):
    ours = f"{kernel_headers.INCLUDE_FOLDER}/aie_api/a.hpp"
    said = (
        "In file included from k.cc:1:\n"
        f"{ours}:3:4: error: static assertion failed due to requirement 'x': too wide\n"
        "    3 | code\n"
        f"{ours}:9:1: note: in instantiation of function template specialization 'f<int>' requested here\n"
        "    9 | more\n"
        f"{ours}:12:1: error: what follows\n2 errors generated.\n"
    )
    assert shortened(said) == (
        "aie_api/a.hpp:3:4: error: too wide\n"
        "aie_api/a.hpp:9:1: note: in instantiation of function template specialization 'f<int>' "
        "requested here\n"
    )


def test_what_no_compiler_says_stays():
    assert shortened("zig: cannot execute\n") == "zig: cannot execute\n"
    assert shortened("") == ""


def test_an_error_of_a_header_stands_where_that_is_included(tmp_path):
    ours = f"{kernel_headers.INCLUDE_FOLDER}/aie_api/aie.hpp"
    said = (
        f'In file included from k.c:3:\nIn file included from mine.h:7:\n{ours}:9:2: error: "this is C++"\n'
        f"    9 | #error\n{ours}:10:2: fatal error: no more\n2 errors generated.\n"
    )
    assert shortened(said) == "mine.h:7:1: error: this is C++\n"
