"""Which tools are chosen together, without a machine: `choose` on made-up findings."""

from __future__ import annotations

import pytest
from made_up import FOUND, WASM, machine

from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.detect.tool import FoundTool
from npuninja.errors import ToolError, UserError
from npuninja.plan.providers import CORE_STAGES, STAGES, choices_of, choose, for_tests, parse_choices
from npuninja.plan.wasm_compiler import wasm_compiler


def test_everything_there_means_everything_real():
    choice = choose({}, machine(), WASM)
    assert choice.for_npu
    assert {c.stage for c in choice.chosen if c.provider.vendor} == set(STAGES) - {
        "run",
        "design",
        "python",
        "elf",
    }
    emulated = for_tests({"pdi": "embedded"}, machine(), WASM)
    assert not emulated.for_npu
    assert {c.stage for c in emulated.chosen if c.provider.vendor} == {
        "lower",
        "route",
        "sequence",
        "insts",
        "xclbin",
    }


def test_nothing_there_means_nothing_real():
    choice = choose({}, machine(*FOUND), WASM)
    assert not any(c.provider.vendor for c in choice.chosen)
    assert choice.release is choice.spelling is None
    with pytest.raises(ToolError, match="no compiler for emulated cores"):
        choose({}, machine(*FOUND), None)


@pytest.mark.parametrize("missing", ["peano", "aie-opt", "aie-translate"])
def test_one_missing_tool_leaves_the_cores_emulated(missing):
    choice = choose({}, machine(missing), WASM)
    assert not choice.for_npu
    assert not any(choice.of(stage).provider.vendor for stage in CORE_STAGES)
    assert missing in choice.of("core").reason


def test_for_npu_need_no_compiler_for_emulated_ones():
    assert choose({}, machine(), None).for_npu


def test_peano_alone_compiles_our_own_core_code_when_asked():
    choice = choose({"kernel": "real"}, machine("aie-opt", "aie-translate"), WASM)
    assert choice.for_npu
    assert tuple(choice.of(stage).provider.vendor for stage in ("link", "core", "cdo")) == (
        True,
        False,
        False,
    )


def test_a_tree_from_source_says_its_day_through_its_driver():
    assert choose({}, machine(), WASM).release == RELEASES[1]  # the newest with these passes
    driver = FoundTool("aiecc", "/aie/bin/aiecc.py", "PATH", "5950a4d3d", "aiecc", ("python",))
    assert choose({}, machine(aiecc=driver), WASM).release == RELEASES[0]
    elsewhere = FoundTool("aiecc", "/other/bin/aiecc.py", "PATH", "5950a4d3d", "aiecc", ("python",))
    assert choose({}, machine(aiecc=elsewhere), WASM).release == RELEASES[1]


def test_tools_of_two_installations_are_not_mixed():
    other = FoundTool("aie-translate", "/other/bin/aie-translate", "PATH", "22.0.0git", "translate")
    choice = choose({}, machine(aie_translate=other), WASM)
    mlir = ("lower", "route", "sequence", "insts", "core", "ldscript", "cdo")
    assert not any(choice.of(stage).provider.vendor for stage in mlir)
    assert "two installations, /aie and /other" in choice.of("lower").reason


def test_aiecc_needs_its_companions():
    with pytest.raises(ToolError, match="design=aiecc: xclbinutil is not usable"):
        choose({"design": "aiecc"}, machine("xclbinutil"), WASM)
    choice = choose({"design": "aiecc"}, machine(), None)
    assert choice.driver == "aiecc"
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


@pytest.mark.parametrize(
    ("words", "stage", "name"),
    [
        (["kernel=peano"], "kernel", "peano"),
        (["kernel=ziglang"], "link", "ziglang (wasm32)"),
        (["kernel=clang"], "kernel", "clang (wasm32)"),
        (["kernel=clang"], "link", "wasm-ld (wasm32)"),
        (["kernel=ziglang", "link=clang"], "link", "wasm-ld (wasm32)"),
        (["kernel=clang", "link=ziglang"], "link", "ziglang (wasm32)"),
        (["kernel=peano", "core=npuninja"], "core", "npuninja"),
        (["core=peano"], "kernel", "peano"),
        (["kernel=ziglang", "lower=aie-opt"], "lower", "aie-opt"),
        (["lower=npuninja"], "lower", "npuninja"),
        (["insts=aie-translate"], "insts", "aie-translate"),
        (["pdi=bootgen"], "pdi", "bootgen"),
        (["pdi=npuninja"], "pdi", "npuninja"),
        (["xclbin=xclbinutil"], "xclbin", "xclbinutil"),
        (["run=emulator"], "kernel", "peano"),
        (["design=stages"], "cdo", "aie-translate"),
        (["design=aiecc"], "cdo", "aiecc (python)"),
    ],
)
def test_a_provider_has_a_name(words, stage, name):
    clang = {
        "clang": FoundTool("clang", "/usr/bin/clang", "PATH", "18", "clang"),
        "wasm_ld": FOUND["ziglang"],
    }
    clang["wasm_ld"] = FoundTool("wasm-ld", "/usr/bin/wasm-ld", "PATH", "18", "wasm-ld")
    toolchain, choices = machine(**clang), parse_choices(words)
    chosen = choose(choices, toolchain, wasm_compiler(toolchain, choices)).of(stage)
    assert chosen.name == name
    if words[0].startswith(stage):
        assert chosen.reason in ("asked for", "found on PATH", "by design=aiecc")


def test_every_name_of_the_table_may_be_asked_for():
    for stage, row in STAGES.items():
        for provider in row.providers:
            if provider.unasked:
                assert provider.name not in choices_of(stage)
                continue
            assert parse_choices([f"{stage}={provider.name}"]) == {stage: provider.name}


@pytest.mark.parametrize(
    ("words", "missing", "message"),
    [
        (["kernel=clang"], (), "kernel=clang: clang is not usable"),
        (["kernel=ziglang"], ("ziglang",), "kernel=ziglang: ziglang is not usable"),
        (["pdi=bootgen"], ("bootgen",), "pdi=bootgen: bootgen is not usable"),
        (["kernel=peano"], ("peano",), "kernel=peano: peano is not usable"),
    ],
)
def test_a_named_provider_that_is_not_usable_is_no_other(words, missing, message):
    choices = parse_choices(words)
    with pytest.raises(ToolError, match=message):
        choose(choices, machine(*missing), WASM)


def test_named_providers_that_do_not_go_together():
    with pytest.raises(UserError, match="kernel=peano does not go with link=clang"):
        choose({"kernel": "peano", "link": "clang"}, machine(), WASM)
    with pytest.raises(UserError, match="cdo=aie-translate: the real tool knows no emulated cores"):
        choose({"kernel": "ziglang", "cdo": "aie-translate"}, machine(), WASM)
    with pytest.raises(UserError, match=r"expected pdi=auto or .* or pdi=bootgen or pdi=npuninja"):
        parse_choices(["pdi=bootgn"])


def test_the_runner_is_xrt_where_cores_are_for_the_npu():
    xrt = FoundTool("pyxrt", "/opt/xrt", "PATH", "2.19", "pyxrt")
    assert choose({}, machine(pyxrt=xrt), WASM).of("run").name == "pyxrt"
    assert choose({}, machine(), WASM).of("run").name == "none"
    assert choose({}, machine(*FOUND, pyxrt=xrt), WASM).of("run").name == "emulator"


def test_an_embedded_lowering_is_not_mixed_with_tools_of_another_spelling():
    passes = tuple(next(r for r in RELEASES if r.since == "2025-11-18").needs)
    opt = FoundTool("aie-opt", "/aie/bin/aie-opt", "PATH", "22.0.0git", "opt", passes)
    driver = FoundTool("aiecc", "/aie/bin/aiecc.py", "PATH", "20251120", "aiecc", ("python",))
    there = machine(aie_opt=opt, aiecc=driver)
    release = choose({}, there, WASM).release
    assert release is not None
    assert release.since == "2025-11-18"
    with pytest.raises(UserError, match="lower cannot be embedded while"):
        choose({"lower": "embedded"}, there, WASM)


def test_a_release_that_is_not_known_is_used_for_nothing():
    opt = FoundTool("aie-opt", "/aie/bin/aie-opt", "PATH", "22.0.0git", "opt", ())
    assert not choose({}, machine(aie_opt=opt), WASM).for_npu
    with pytest.raises(ToolError, match="lower=real: ") as caught:
        choose({"lower": "real"}, machine(aie_opt=opt), WASM)
    assert "design=aiecc" in (caught.value.hint or "")


@pytest.mark.parametrize("word", ["pdk=real", "run=real"])
def test_words_that_no_stage_takes(word):
    with pytest.raises(UserError, match=f"--provider {word}: "):
        parse_choices([word])


def test_without_zig_and_clang_there_is_no_compiler_for_emulated_cores():
    assert wasm_compiler(machine("ziglang"), {}) is None
