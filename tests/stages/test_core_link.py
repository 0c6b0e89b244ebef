import contextlib
import json
import random

import pytest
import wasmtime

from npuninja.emulator.math_functions import NAMES
from npuninja.errors import InternalError, UserError
from npuninja.formats.core_image import read_core_image
from npuninja.formats.wasm_module import read_wasm
from npuninja.stages import core_link
from npuninja.stages._link_check import unmangled
from npuninja.stages._wasm_flags import MATH_IMPORTS
from npuninja.stages._wasm_object import read_symbols

CALLS_K = (
    "extern void k(signed char *, int);\n"
    "long long core_0_2(void) { k((signed char *)0x70400, 3); return -1; }\n"
)
K = "void k(signed char *p, int n) { *p = n; }\n"


def test_linked_core_runs_at_its_addresses(wasm_build):
    path = wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("k.c", K))
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, path.read_bytes()), []).exports(store)
    exports["__stack_pointer"].set_value(store, 0x70400)
    assert exports["core_0_2"](store) == -1
    assert exports["memory"].read(store, 0x70400, 0x70401) == b"\3"
    assert exports["memory"].size(store) == 8


def test_data_follows_the_buffers(wasm_build):
    kernel = "static int table[3] = {5, 6, 7};\nstatic int zeros[100];\n" + (
        "void k(signed char *p, int n) { p[n] = table[n]++; zeros[n] += n; p[0] = zeros[p[1]]; }\n"
    )
    data = wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("k.c", kernel)).read_bytes()
    image = read_core_image(data, "aie2", "core")
    assert image.info.data_end == 0x71400 + 16 + 400  # the table, and arrays aligned to 16
    assert image.data[0].address == 0x71400
    assert image.data[0].data == bytes([5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0])
    assert sum(segment.memory_bytes for segment in image.data) == 416  # .bss is written as zeros


def test_section_has_what_core_code_said(wasm_build):
    waits = [[1, "design.mlir", 12, 5, "in_lock"]]
    path = wasm_build.link(
        wasm_build.core(CALLS_K), wasm_build.kernel("k.c", K), waits=waits, neighbours=["south"]
    )
    fields = json.loads(read_wasm(path.read_bytes(), "core").custom_section("npuninja.core"))
    assert fields["waits"] == waits
    assert fields["neighbours"] == ["south"]
    assert fields["data_end"] == 0x71400
    assert fields["data_origin"] <= fields["data_end"]  # the check of memory tells kernels' data by it


def test_same_bytes_in_another_folder(wasm_build, tmp_path_factory):
    first = wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("k.c", K)).read_bytes()
    other = type(wasm_build)(tmp_path_factory.mktemp("elsewhere"), wasm_build.cache)
    assert other.link(other.core(CALLS_K), other.kernel("k.c", K)).read_bytes() == first
    assert b".new" not in first  # temporary names, which hold a process number
    assert sorted(p.name for p in wasm_build.folder.iterdir() if ".new" in p.name) == []


CALLS_HELPER = 'void helper(int *);\nextern "C" void k(signed char *p, int n) { helper(&n); *p = n; }\n'
CONSTRUCTOR = """
extern "C" void k(signed char *, int);
volatile int start = 1;
int once = start;
void k(signed char *p, int n) { *p = once; }
"""
BIG = "static char big[70000] = {1};\nvoid k(signed char *p, int n) { *p = big[n]; big[n + 1] = n; }\n"


@pytest.mark.parametrize(
    ("kernels", "message", "hint"),
    [
        ({}, "the design calls k, which none of the linked objects defines", "link_with"),
        ({"k.cc": K}, "the design calls k, ", 'extern "C"'),
        (
            {"kk.c": "void kk(signed char *p, int n) { *p = n; }"},
            "the design calls k, ",
            "did you mean 'kk'?",
        ),
        (
            {"k.c": "extern int puts(char *);\nvoid k(signed char *p, int n) { puts(p); }"},
            "k.o uses puts",
            "no console",
        ),
        (
            {"k.cc": CALLS_HELPER, "helper.c": "void helper(int *p) { *p = 1; }"},
            "k.o uses _Z6helperPi",
            'extern "C"',
        ),
        ({"k.c": "void k(signed char *p) { *p = 1; }"}, "other arguments than it is defined with", "64 bits"),
        ({"k.c": K, "twice.c": K}, "k is defined twice", "static"),
        ({"k.c": BIG}, "the kernels' data does not fit: it needs 700", "smaller"),
        ({"k.cc": CONSTRUCTOR}, "static constructor", "constexpr"),
    ],
    ids=[
        "no-object",
        "c++-name",
        "near-miss",
        "no-console",
        "c-name",
        "signature",
        "twice",
        "too-large",
        "constructor",
    ],
)
def test_errors(wasm_build, kernels, message, hint):
    target = wasm_build.folder / "core_0_2.wasm"
    target.write_bytes(b"of an earlier build")
    objects = [wasm_build.kernel(name, text) for name, text in kernels.items()]
    with pytest.raises(UserError) as caught:
        wasm_build.link(wasm_build.core(CALLS_K), *objects)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert not target.exists()


def test_missing_function_is_located_in_the_design(wasm_build):
    with pytest.raises(UserError) as caught:
        wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("other.c", "int unrelated_thing;"))
    assert str(caught.value.location) == "d.mlir:7:3"
    assert "defines unrelated_thing" in caught.value.notes[0][0]


def test_missing_function_is_shown_with_its_line(wasm_build):
    name = wasm_build.folder.name
    (wasm_build.folder / "d.mlir").write_text("module {\n  func.func private @k(i32)\n}\n")
    with pytest.raises(UserError) as caught:
        wasm_build.link(wasm_build.core(CALLS_K), functions=[["k", f"{name}/d.mlir", 2, 3, ["i32"]]])
    assert "\n    func.func private @k(i32)\n    ^\n" in caught.value.render()


def test_memory_account_of_too_much_data(wasm_build):
    with pytest.raises(
        UserError, match=r"60416 of 65536 are left \(the stack takes 1024, the buffers end at byte 5120\)"
    ):
        wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("k.c", BIG))


def test_info_of_another_core(wasm_build):
    with pytest.raises(InternalError, match="another core"):
        wasm_build.link(wasm_build.core(CALLS_K), wasm_build.kernel("k.c", K), row=3)


def test_other_core_kinds_are_refused():
    with pytest.raises(UserError, match="core kind 'aie2'"):
        core_link.run(
            ["a.o", "-o", "a.elf", "--kind", "aie2", "--linker", "/ld", "--info", "a.json", "--core", "0,2"]
        )


def test_math_imports_are_those_of_the_emulator():
    assert frozenset(NAMES) == MATH_IMPORTS


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x7fELF\1\1\1" + bytes(9) + b"\1\0\x08\1" + bytes(40), "an ELF object for AIE"),
        (b"!<arch>\n", "an archive"),
        (b"BC\xc0\xde", "LLVM bitcode"),
        (b"text", "74 65 78 74"),
    ],
)
def test_what_an_object_is_not(data, what):
    with pytest.raises(UserError, match=what):
        read_symbols(data, "k.o")


def test_damaged_objects_are_user_errors(wasm_build):
    whole = wasm_build.kernel("k.c", K).read_bytes()
    for size in range(8, len(whole)):
        try:
            read_symbols(whole[:size], "k.o")
        except UserError:
            continue
        # Cut between two sections it is a whole object of fewer sections.
        assert size < len(whole)


def test_changed_objects_are_read_or_refused(wasm_build):
    text = "extern int other(int);\nstatic int table[4] = {1};\nint g(int i) { return other(table[i]++); }\n"
    whole = wasm_build.kernel("k.c", text + K).read_bytes()
    rng = random.Random(1)
    for _ in range(3000):
        changed = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(8, len(changed))] = rng.randrange(256)
        with contextlib.suppress(UserError):
            assert read_symbols(bytes(changed), "k.o").path == "k.o"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("_Z3fooPi", "foo"),
        ("_Z11passthroughPKaPa", "passthrough"),
        ("_ZN1S1gEv", None),
        ("foo", None),
        ("_Z9x", None),
    ],
)
def test_unmangled(name, plain):
    assert unmangled(name) == plain
