"""Each lint of kernels, on the embedded compiler's objects: what it warns of, and what only looks like it."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError
from npuninja.stages import kernel_cc

CORE = """extern void k(signed char *, int);
long long core_0_2(void) { k((signed char *)0x70400, 3); return -1; }
"""
OTHER = "extern void other(int *, int);\n"
ARRAY = OTHER + "void k(signed char *p, int n) {{ int a[{size}]; other(a, n); p[0] = a[n]; }}\n"
USER = "void other(int *a, int n) { a[n] = n; }\n"
NESTED = (
    OTHER
    + """static int __attribute__((noinline)) inner(int n) { int a[100]; other(a, n); return a[n]; }
void k(signed char *p, int n) { int a[120]; other(a, n); p[0] = a[inner(n)]; }
"""
)
CIRCLE = """extern void k(signed char *p, int n);
void other(int *a, int n) { k((signed char *)a, n - 1); }
"""


def link(wasm_build, capsys, *kernels: str, arguments: tuple[object, ...] = (), **info: object) -> str:
    """Compiles and links; returns what was printed, without the excerpts."""
    objects = [wasm_build.kernel(f"k{number}.c", text) for number, text in enumerate(kernels)]
    core = wasm_build.core(CORE)
    capsys.readouterr()
    wasm_build.link(core, *objects, functions=[["k", "d.mlir", 7, 3, list(arguments)]], **info)
    return str(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("kernels", "stack_bytes", "expected"),
    [
        (
            (ARRAY.format(size=400), USER),
            1024,
            "k0.c:2: warning: core (0, 2) needs 1600 bytes of stack or more (k 1600)",
        ),
        ((ARRAY.format(size=400), USER), 2048, None),
        ((ARRAY.format(size=200), USER), 1024, None),
        ((NESTED, USER), 1024, None),
        (
            (NESTED, USER),
            800,
            "k0.c:3: warning: core (0, 2) needs 880 bytes of stack or more (k 480, inner 400)",
        ),
        (
            (ARRAY.format(size=10), CIRCLE),
            1024,
            "k0.c:2: warning: core (0, 2): k calls itself, perhaps by way of others",
        ),
    ],
    ids=["large", "stack_size-given", "small", "nested-fits", "nested", "circle"],
)
def test_stack(wasm_build, capsys, kernels, stack_bytes, expected):
    printed = link(wasm_build, capsys, *kernels, stack_bytes=stack_bytes)
    if expected is None:
        assert printed == ""
    else:
        assert expected in printed


def test_stack_warning_says_what_to_do(wasm_build, capsys):
    printed = link(wasm_build, capsys, ARRAY.format(size=400), USER)
    assert "but its stack_size is 1024: set stack_size = 2048 : i32 on the core at d.mlir:5:3" in printed
    assert (
        f"{wasm_build.folder.name}" not in printed.split(": warning:")[0]
    )  # paths are those of the debug information


TABLE = (
    "static const int table[{size}] = {{1, 2, 3}};\nvoid k(signed char *p, int n) {{ p[0] = table[n]; }}\n"
)


@pytest.mark.parametrize(("size", "warned"), [(4096, False), (4097, True)])
def test_constants(wasm_build, capsys, size, warned):
    printed = link(wasm_build, capsys, TABLE.format(size=size))
    expected = (
        "core (0, 2) has 16388 bytes of constants, "
        "more than a quarter of its 65536 bytes of data memory; the "
    )
    assert (expected in printed) == warned
    assert ("table with 16388 bytes" in printed) == warned
    assert (printed == "") != warned


def test_variables_are_no_constants(wasm_build, capsys):
    variable = "static int table[5000] = {1, 2, 3};\nvoid k(signed char *p, int n) { p[0] = table[n]++; }\n"
    assert link(wasm_build, capsys, variable) == ""


@pytest.mark.parametrize(
    ("body", "arguments", "expected"),
    [
        ("p[0] = n; p[15] = n;", (16, "i32"), None),
        (
            "p[0] = n; p[16] = n;",
            (16, "i32"),
            "its argument 1 as a pointer to bytes 16 to 16, but the memref at d.mlir:7:3",
        ),
        ("p[0] = n; p[16] = n;", (None, "i32"), None),
        ("if (n > 16) p[16] = n;", (16, "i32"), None),
        ("p[n] = p[17];", (16, "i32"), "bytes 17 to 17, but the memref at d.mlir:7:3 has 16 bytes"),
        ("__builtin_memset(p, n, 64);", (64, "i32"), None),
        (
            "__builtin_memset(p, n, 64);",
            (60, "i32"),
            "bytes 56 to 63, but the memref at d.mlir:7:3 has 60 bytes",
        ),
        (
            "__builtin_memcpy(p, p + 1000, 1000);",
            (1999, "i32"),
            "bytes 1000 to 1999, but the memref at d.mlir:7:3 has 1999",
        ),
        ("__builtin_memcpy(p, p + 1000, n);", (1999, "i32"), None),
        (
            "p[0] = *(int *)n;",
            (64, "i32"),
            "argument 2 as a pointer, but the design passes a number (i32) at d.mlir:7:3",
        ),
        ("static const char t[4] = {1, 2, 3, 4}; p[0] = t[n];", (64, "i32"), None),
    ],
    ids=[
        "inside",
        "behind",
        "unknown",
        "branch",
        "load",
        "memset",
        "long-memset",
        "memcpy",
        "any-size",
        "number",
        "table",
    ],
)
def test_arguments(wasm_build, capsys, body, arguments, expected):
    printed = link(wasm_build, capsys, f"void k(signed char *p, int n) {{\n{body}\n}}\n", arguments=arguments)
    if expected is None:
        assert printed == ""
    else:
        assert "k0.c:2:" in printed
        assert "core (0, 2) calls k, which " in printed
        assert expected in printed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("p[0] = p[1] * 3 + (n >> 2);", None),
        ("float f; __builtin_memcpy(&f, p, 4); __builtin_memcpy(p + 8, &f, 4);", None),
        ("*(float *)p *= 2.5f;", "__mulsf3"),
        ("*(double *)p += 1;", "__adddf3"),
        ("p[0] = n * 0.5;", "__floatsidf"),
        ("for (int i = 0; i < 64; i++) ((float *)p)[i] += 1;", "__addsf3"),
        ("*(float *)p = sinf(*(float *)p);", "sinf"),
        ("p[0] = *(float *)p < 1;", "__ltsf2"),
    ],
)
def test_soft_float(wasm_build, capsys, body, expected):
    wasm_build.kernel("k.c", f"#include <math.h>\nvoid k(signed char *p, int n) {{\n{body}\n}}\n")
    printed = capsys.readouterr().err
    if expected is None:
        assert printed == ""
    else:
        assert "k.c:3:" in printed
        assert "warning: k computes with scalar floats" in printed
        assert expected in printed


def test_warnings_as_errors(wasm_build, capsys):
    source, target = wasm_build.folder / "k.c", wasm_build.folder / "k.o"
    source.write_text("void k(float *p) { *p += 1; }\n")
    arguments = wasm_build.compile_arguments(source, target)
    with pytest.raises(UserError, match="1 warning, and --werror makes warnings errors"):
        kernel_cc.run([*arguments, "--werror"])
    assert not target.exists()
    assert "k.c:1:23: warning: k computes with scalar floats" in capsys.readouterr().err
    kernel_cc.run(arguments)
    assert target.exists()


def test_warnings_of_the_compiler_as_errors(wasm_build):
    source, target = wasm_build.folder / "k.c", wasm_build.folder / "k.o"
    source.write_text("void k(int *p) { int unused; *p = 1; }\n")
    arguments = wasm_build.compile_arguments(source, target)
    kernel_cc.run(arguments)
    with pytest.raises(UserError, match="does not compile"):
        kernel_cc.run([*arguments, "--werror"])
