from npuninja.stages._wasm_object import read_symbols

CORE = """
#line 3 "design.mlir"
extern void k(signed char *, int);
long long core_0_2(void) { int unused; k((signed char *)0x70400, 3); return -1; }
"""


def test_core_object(wasm_build, capfd):
    symbols = read_symbols(wasm_build.core(CORE).read_bytes(), "core_0_2.o")
    assert symbols.defined == ("core_0_2",)
    assert symbols.undefined == ("k",)
    assert capfd.readouterr().err == ""  # generated code: no warnings


def test_lines_are_those_of_the_design(wasm_build):
    assert b"design.mlir" in wasm_build.core(CORE).read_bytes()
