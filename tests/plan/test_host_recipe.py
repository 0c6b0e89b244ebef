"""Edges of host programs, planned for a made-up machine."""

from __future__ import annotations

import pytest
from made_up import FOUND, design, machine, refuse_disk
from test_recipe import VENDORS, context, several

from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import AbsentTool, FoundTool
from npuninja.errors import Location, UserError
from npuninja.plan.host_program import HostProgram
from npuninja.plan.recipe import plan
from npuninja.records import replace

AT = Location("toolchain.toml", 7)
PROGRAM = HostProgram(
    name="check", location=AT, sources=("host/check.cpp", "../lib/tools.cc"), defines=("N=4",), include=("../lib",),
    language="c++23", libraries=("z", "../lib/libit.so.2"),
    arguments=("-x", "{xclbin}", "--elf={elf}", "{other.insts}", "-k", "MLIR_AIE"),
    environment=("A=1",), folder="data", designs=("gain", "other"), time_limit_s=9,
)  # fmt: skip
SCRIPT = HostProgram(
    name="test",
    location=AT,
    sources=("host/test.py",),
    arguments=("{manifest}",),
    designs=("gain",),
    module="pyxrt",
)


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    refuse_disk(monkeypatch)


def hosts(*programs, compiler=True, xrt="/usr/lib/x/libxrt_coreutil.so.2", **beside):
    base = machine(*VENDORS)
    found = {
        "cxx": FoundTool("cxx", "/usr/bin/g++", "PATH", "13", "g++")
        if compiler
        else AbsentTool("cxx", "compile", "get g++"),
        "xrt": FoundTool("xrt", xrt, "PATH", "2", "xrt", beside=tuple(beside.items())),
    }
    made = context(Toolchain({**base.outcomes, **found}, FOUND["ziglang"]))
    made = replace(made, rules=made.rules | {"run_host"})
    graph = plan(made, [design("gain"), design("other"), several("three")], hosts=programs)
    return {edge.outputs[0]: edge for edge in graph.edges}


def test_what_lies_beside_xrt_is_for_compiled_programs():
    edges = hosts(PROGRAM, SCRIPT, include="/x/include", runner="/x/bin/with-xrt")
    compiled = next(edge for edge in edges.values() if edge.rule == "host_cc")
    assert "--xrt-include /x/include" in " ".join(compiled.options)
    assert "--runner /x/bin/with-xrt" in " ".join(edges["run-host-check"].options)
    assert "--runner" not in edges["run-host-test"].options


def test_files_that_a_program_names_itself():
    run = hosts(replace(PROGRAM, arguments=("-k", "{xclbin}"), files=("b/i.bin={insts}",)))["run-host-check"]
    folder = "build/npu1_1col/wasm/gain"
    at = run.options.index("--links")
    assert run.options[at : at + 4] == (
        "--links",
        "build/host/check/folder",
        "--file",
        f"b/i.bin={folder}/insts.bin",
    )
    assert run.options[-2:] == ("-k", f"{folder}/gain.xclbin")
    assert f"{folder}/insts.bin" in run.implicit


def test_a_refused_program_needs_nothing_before_it_says_so():
    for program in (
        replace(PROGRAM, refused="it needs OpenCV"),
        HostProgram(name="x", location=AT, sources=(), refused="w"),
    ):
        run = hosts(program)[f"run-host-{program.name}"]
        assert (run.rule, run.implicit, run.options[-2:]) == ("run_host", (), ("--refused", program.refused))


def test_instructions_are_those_of_a_sequence():
    words = ("{xclbin}", "{insts:two.more}", "{insts:two.run}", "{elf:more}")
    run = hosts(replace(SCRIPT, arguments=words, designs=("three",)))["run-host-test"]
    folder = "build/npu1_1col/wasm/three"
    assert run.options[-4:] == (
        *(f"{folder}/three.xclbin", f"{folder}/two.insts.more.bin", f"{folder}/two.insts.run.bin"),
        f"{folder}/two.more.elf",
    )
    for word, message in (
        ("{insts}", "several files"),
        ("{insts:run}", "several"),
        ("{insts:never}", "no files"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            hosts(replace(SCRIPT, arguments=(word,), designs=("three",)))
        assert "one.run, two.run, two.more" in (caught.value.hint or "")
        assert caught.value.location == AT


def test_a_program_is_compiled_linked_and_run():
    edges = hosts(PROGRAM)
    objects = ["build/host/check/0_check.o", "build/host/check/1_tools.o"]
    compiled = edges[objects[1]]
    assert compiled.inputs == ("/lib/tools.cc",)
    words = " ".join(compiled.options)
    assert "--compiler /usr/bin/g++ --language c++23 --define N=4 --include /lib --headers " in words
    assert compiled.compile_command[0] == "/usr/bin/g++"
    linked = edges["build/host/check/check"]
    assert linked.inputs == tuple(objects)
    assert "--library z --library /lib/libit.so.2 --xrt-library /usr/lib/x/libxrt_coreutil.so.2" in " ".join(
        linked.options
    )
    run = edges["run-host-check"]
    folder = "build/npu1_1col/wasm"
    assert " ".join(run.options) == (
        "build/host/check/check --device npu1 --folder data --links build/host/check/folder --environment "
        f"A=1 --time-limit 9 -- -x {folder}/gain/gain.xclbin --elf={folder}/gain/gain.elf "
        f"{folder}/other/insts.bin -k MLIR_AIE"
    )
    needed = {"build/host/check/check", f"{folder}/gain/gain.elf", f"{folder}/other/other.xclbin"}
    assert needed <= set(run.implicit)
    assert edges[f"{folder}/gain/gain.elf"].rule == "insts_elf"
    assert edges["run-hosts"].inputs == ("run-host-check",)


def test_a_script_is_run_as_it_is():
    run = hosts(SCRIPT)["run-host-test"]
    assert run.options[:5] == ("host/test.py", "--device", "npu1", "--module", "pyxrt")
    assert run.options[-1] == "build/npu1_1col/wasm/gain/gain.json"


def test_without_a_compiler_the_reason_comes_when_it_is_built():
    edges = hosts(PROGRAM, compiler=False)
    options = edges["build/host/check/0_check.o"].options
    missing = options[options.index("--missing") + 1]
    assert "cxx is not usable" in missing
    assert "get g++" in missing
    assert "gain" in edges


WRONG = {
    "stands for nothing": replace(SCRIPT, arguments=("{pdi}",)),
    "of which design?": replace(SCRIPT, arguments=("{xclbin}",), designs=()),
    "names the design 'nope', which there is not": replace(SCRIPT, arguments=("{nope.xclbin}",)),
}


@pytest.mark.parametrize("message", WRONG)
def test_arguments_that_mean_nothing_are_refused_with_their_place(message):
    with pytest.raises(UserError) as found:
        hosts(WRONG[message])
    assert message in found.value.message
    assert found.value.location == AT


def test_a_program_without_designs_runs_on_the_device_that_it_names():
    def device(**fields):
        run = hosts(replace(SCRIPT, arguments=("x",), **{"designs": (), **fields}))["run-host-test"]
        return run.options[run.options.index("--device") + 1]

    assert device() == "npu1"
    assert device(device="npu2") == "npu2"
    with pytest.raises(UserError, match="names the design 'nope'"):
        device(designs=("nope",))
