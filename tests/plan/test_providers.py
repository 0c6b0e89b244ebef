"""Which tools are chosen together, without a machine: `choose` on made-up findings."""

from __future__ import annotations

import pytest

from npuninja.detect.machine import TOOLS, Toolchain
from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.detect.tool import Absent, Found
from npuninja.errors import ToolError, UserError
from npuninja.plan.providers import (
    CORE_STAGES,
    MLIR_STAGES,
    STAGES,
    WasmCompiler,
    choose,
    for_tests,
    parse_choices,
)

FOUND = {
    name: Found(name, f"/tools/bin/{name}", "PATH", "1", name)
    for name in ("bootgen", "xclbinutil", "ziglang")
}
FOUND["peano"] = Found("peano", "/peano/bin/llc", "PATH", "19.0.0git", "peano", ("aie2", "aie2p"))
FOUND["aiecc"] = Found("aiecc", "/aie/bin/aiecc.py", "PATH", "unknown", "aiecc", ("python",))
FOUND["aie-opt"] = Found("aie-opt", "/aie/bin/aie-opt", "PATH", "22.0.0git", "opt", tuple(RELEASES[0].needs))
FOUND["aie-translate"] = Found("aie-translate", "/aie/bin/aie-translate", "PATH", "22.0.0git", "translate")
WASM = WasmCompiler(FOUND["ziglang"], ("cc",), FOUND["ziglang"], ("wasm-ld",), "")


def machine(*missing: str, **others: Found) -> Toolchain:
    """A machine with everything but some tools."""
    found = {**FOUND, **{name.replace("_", "-"): tool for name, tool in others.items()}}
    outcomes = {
        tool.name: Absent(tool.name, tool.purpose, tool.remedy) if tool.name in missing or tool.name not in found
        else found[tool.name]
        for tool in TOOLS
    }  # fmt: skip
    return Toolchain(outcomes, FOUND["ziglang"])


def test_everything_there_means_everything_real():
    choice = choose({}, machine(), WASM)
    assert choice.real_cores
    assert {p.stage for p in choice.providers if p.real} == set(STAGES) - {"run"}
    emulated = for_tests({"pdi": "embedded"}, machine(), WASM)
    assert not emulated.real_cores
    assert {p.stage for p in emulated.providers if p.real} == {
        "lower",
        "route",
        "sequence",
        "insts",
        "xclbin",
    }


def test_nothing_there_means_nothing_real():
    choice = choose({}, machine(*FOUND), WASM)
    assert not any(p.real for p in choice.providers)
    assert choice.release is choice.spelling is None
    with pytest.raises(ToolError, match="no compiler for emulated cores"):
        choose({}, machine(*FOUND), None)


@pytest.mark.parametrize("missing", ["peano", "aie-opt", "aie-translate"])
def test_one_missing_tool_leaves_the_cores_emulated(missing):
    choice = choose({}, machine(missing), WASM)
    assert not choice.real_cores
    assert not any(choice.of(stage).real for stage in CORE_STAGES)
    assert missing in choice.of("core").reason


def test_real_cores_need_no_compiler_for_emulated_ones():
    assert choose({}, machine(), None).real_cores


def test_peano_alone_compiles_our_own_core_code_when_asked():
    choice = choose({"kernel": "real"}, machine("aie-opt", "aie-translate"), WASM)
    assert choice.real_cores
    assert (choice.of("link").real, choice.of("core").real, choice.of("cdo").real) == (True, False, False)


def test_a_tree_from_source_says_its_day_through_its_driver():
    assert choose({}, machine(), WASM).release == RELEASES[1]  # the newest with these passes
    driver = Found("aiecc", "/aie/bin/aiecc.py", "PATH", "5950a4d3d", "aiecc", ("python",))
    assert choose({}, machine(aiecc=driver), WASM).release == RELEASES[0]
    elsewhere = Found("aiecc", "/other/bin/aiecc.py", "PATH", "5950a4d3d", "aiecc", ("python",))
    assert choose({}, machine(aiecc=elsewhere), WASM).release == RELEASES[1]


def test_tools_of_two_installations_are_not_mixed():
    other = Found("aie-translate", "/other/bin/aie-translate", "PATH", "22.0.0git", "translate")
    choice = choose({}, machine(aie_translate=other), WASM)
    assert not any(choice.of(stage).real for stage in MLIR_STAGES)
    assert "two installations, /aie and /other" in choice.of("lower").reason


def test_aiecc_needs_its_companions():
    with pytest.raises(ToolError, match="design=aiecc: xclbinutil is not usable"):
        choose({"design": "aiecc"}, machine("xclbinutil"), WASM)
    choice = choose({"design": "aiecc"}, machine(), None)
    assert choice.aiecc
    assert choice.spelling == RELEASES[1]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"kernel": "real", "link": "embedded"}, "does not go with link=embedded"),
        ({"kernel": "embedded", "ldscript": "real"}, "knows no emulated cores"),
    ],
)
def test_choices_that_do_not_go_together(choices, message):
    with pytest.raises(UserError, match=message):
        choose(choices, machine(), WASM)


def test_choices_are_read_from_words():
    assert parse_choices(["pdi=real", "design=aiecc", "pdi=embedded"]) == {
        "pdi": "embedded",
        "design": "aiecc",
    }
