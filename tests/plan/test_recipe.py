"""The plan of a made-up design on a made-up machine: no disk, no process."""

from __future__ import annotations

import pytest
from made_up import FOUND, configuration, design, machine, refuse_disk

from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.detect.tool import FoundTool
from npuninja.errors import ToolError, UserError
from npuninja.packaging.package import Package
from npuninja.plan.context import Context
from npuninja.plan.design import Design
from npuninja.plan.design_files import DesignFiles
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.layout import Layout
from npuninja.plan.providers import choose, for_tests, parse_choices
from npuninja.plan.recipe import plan
from npuninja.plan.wasm_compiler import wasm_compiler
from npuninja.records import replace
from npuninja.stages.declaration import Provider
from npuninja.stages.table import STAGES, rule_name, rules, stage

RULES = frozenset({name for name, _, _ in rules()} | {"test", "test-npu", "size", "doctor", "batch"})
KERNELS = KernelFolder("kernels", ("kernels",), {"gain": ("kernels/gain.c",)})
LAYOUT = Layout("/project", "/project", "build")
# What every project has, whatever its designs need.
OF_A_PROJECT = ("run", "test", "test-npu", "size", "doctor", "verdict", "verdicts")
# Without them nothing is the vendor's.
VENDORS = ("peano", "aie-opt", "aie-translate", "aiecc", "bootgen", "xclbinutil")


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_disk(monkeypatch)


def context(toolchain: Toolchain, *words: str, **more: object) -> Context:
    choices = parse_choices(words)
    compiler = wasm_compiler(toolchain, choices)
    made = Context(
        layout=LAYOUT,
        toolchain=toolchain,
        compiler=compiler,
        providers=choose(choices, toolchain, compiler),
        kernels=KERNELS,
        rules=RULES,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def edges(graph: Graph) -> dict[str, Edge]:
    """Rule -> its only edge, or the first of several."""
    found: dict[str, Edge] = {}
    for edge in graph.edges:
        found.setdefault(edge.rule, edge)
    return found


def test_a_machine_with_nothing_builds_by_npuninja_alone():
    graph = plan(context(machine(*VENDORS)), [design()])
    assert {edge.rule for edge in graph.edges} - {"phony"} == {*by_npuninja_alone(), *OF_A_PROJECT}
    found = edges(graph)
    folder = "build/npu1_1col/wasm/gain"
    assert found["core_link"].inputs == (f"{folder}/core_0_2.o", "build/npu1_1col/wasm/kernels/gain.o")
    assert found["core_link"].implicit == (f"{folder}/core_0_2.json",)
    assert found["cdo"].options == (
        *("--device", "npu1_1col", "--device-symbol", "main", "--image", f"0,2={folder}/core_0_2.wasm"),
        *("--init", f"{folder}/cdo_init.bin", "--enable", f"{folder}/cdo_enable.bin"),
    )
    assert found["cdo"].implicit == (f"{folder}/core_0_2.wasm",)
    assert "--bif" not in found["pdi"].options
    assert found["manifest"].implicit_outputs == (f"{folder}/reference.py",)
    assert found["reference"].inputs == ("host/gain.py",)
    assert found["run"].rule == "run"


def test_a_machine_with_everything_builds_by_the_vendors_tools():
    toolchain = machine()
    made = context(toolchain)
    emulated = replace(made, providers=for_tests({}, toolchain, made.compiler or pytest.fail("no compiler")))
    graph = plan(made, [design()], emulated)
    found = edges(graph)
    npu, wasm = "build/npu1_1col/aie2/gain", "build/npu1_1col/wasm/gain"
    assert found["spell"].outputs == (f"{npu}/design.mlir",)
    assert found["lower_aie_opt"].inputs == (f"{npu}/design.mlir",)
    assert found["lower_aie_opt"].options[0] == "--word"
    assert found["core_llvm"].outputs == (f"{npu}/core_0_2.opt.mlir",)
    assert found["core_opt"].inputs == (f"{npu}/core_0_2.peano.ll",)
    assert found["core_link_peano"].implicit == (f"{npu}/core_0_2.ld.script",)
    assert found["core_link_peano"].options[-2:] == ("--kind", "aie2")
    assert found["cdo_aie_translate"].inputs == (f"{npu}/input_physical_with_elfs.mlir",)
    assert found["cdo_aie_translate"].implicit == (f"{npu}/core_0_2.elf",)
    assert found["pdi_bootgen"].options[:2] == ("--bif", f"{npu}/gain.bif")
    assert f"{npu}/gain.bif" in found["pdi_bootgen"].implicit
    assert found["xclbin_xclbinutil"].options[4:6] == ("--partition", f"{npu}/main_aie_partition.json")
    # And the same design for the emulated array, which `ninja test` runs.
    assert next(e for e in graph.edges if e.rule == "test").inputs == (f"{wasm}/gain.json",)
    assert next(e for e in graph.edges if e.rule == "run").inputs == (f"{npu}/gain.json",)
    assert graph.makes(f"{wasm}/core_0_2.wasm")


def test_older_tools_are_refused_for_more_than_five_buffers():
    many = design(buffers=7)
    graph = plan(context(machine(*VENDORS)), [many])
    found = edges(graph)
    assert found["xclbin"].options[:4] == ("--device", "npu1_1col", "--buffers", "7")
    for word, hint in (
        ("insts=real", "--provider insts=embedded"),
        ("design=aiecc", "--provider design=stages"),
    ):
        with pytest.raises(
            UserError, match=r"takes 7 host buffers, and aie(cc|-translate) .* passes 5"
        ) as caught:
            plan(context(machine(), word), [many])
        assert hint in (caught.value.hint or "")
        assert caught.value.location is not None
    newest = replace(FOUND["aiecc"], facts=("declarative",))
    plan(context(machine(aiecc=newest), "design=aiecc"), [many])


def test_aiecc_gets_what_the_design_says_of_its_lowering():
    flags = ("--alloc-scheme=bank-aware", "--dynamic-objFifos=false", "--packet-sw-objFifos")
    said = replace(design(), alloc_scheme="basic-sequential", aiecc_flags=flags)
    newest = replace(FOUND["aiecc"], facts=("declarative",))
    for driver, more in ((FOUND["aiecc"], ()), (newest, ("--dynamic-objFifos=false",))):
        edge = edges(plan(context(machine(aiecc=driver), "design=aiecc"), [said]))["aiecc"]
        words = tuple(edge.options[i + 1] for i, word in enumerate(edge.options) if word == "--word")
        assert words[-2 - len(more) :] == ("--alloc-scheme=basic-sequential", *more, "--packet-sw-objFifos")
        assert "-j1" in words
    first = replace(said, aiecc_flags=("--generate-ctrl-pkt-overlay=first",))
    with pytest.raises(UserError, match="routed to all tiles before anything else"):
        plan(context(machine(), "design=aiecc"), [first])


def by_npuninja_alone() -> list[str]:
    """The rules that the table has for a plain design with a reference, where no tool of the vendor is."""
    rows = [
        row
        for row in STAGES
        if row.scope and row.driver != "aiecc" and row.when in ("", "core=npuninja", "reference_source")
    ]
    emulated = [next(p for p in row.providers if not p.vendor and p.cores != "npu") for row in rows]
    return [rule_name(row, provider) for row, provider in zip(rows, emulated)]


def several(name: str = "gain") -> Design:
    """Two devices, the second with two sequences, and one that only others load."""
    return replace(
        design(name),
        configurations=(
            configuration("one", ("run",)),
            configuration("idle", (), cores=0),
            configuration("two", ("run", "more"), buffers=6),
        ),
    )


def test_devices_and_sequences_have_files_and_kernels_of_their_own():
    graph = plan(context(machine(*VENDORS)), [several()])
    folder = "build/npu1_1col/wasm/gain"
    made = {path for edge in graph.edges for path in (*edge.outputs, *edge.implicit_outputs)}
    for name in (
        *("one.core_0_2.wasm", "one.cdo_init.bin", "one.pdi", "one.insts.bin", "one.arguments.json"),
        *("idle.pdi", "two.pdi", "two.core_0_2.wasm", "two.insts.run.bin", "two.insts.more.bin"),
        *("two.vectors_out.more.bin", "input_with_addresses.mlir", "gain.xclbin", "gain.json"),
    ):
        assert f"{folder}/{name}" in made
    assert len([edge for edge in graph.edges if edge.rule in ("lower", "route", "sequence")]) == 3
    (xclbin,) = [edge for edge in graph.edges if edge.rule == "xclbin"]
    assert xclbin.inputs == tuple(f"{folder}/{name}.pdi" for name in ("one", "idle", "two"))
    words = list(xclbin.options)
    kernels = [words[i + 1] for i, word in enumerate(words) if word == "--kernel"]
    assert kernels == ["one=0x901=5", "none", "two=0x902=6"]
    assert f"two:0,2={folder}/two.core_0_2.wasm" in words
    cdo = next(edge for edge in graph.edges if edge.outputs == (f"{folder}/two.cdo_elfs.bin",))
    assert f"0,2={folder}/two.core_0_2.wasm" in cdo.options
    assert cdo.implicit == (f"{folder}/two.core_0_2.wasm",)
    manifest = edges(graph)["manifest"].options
    assert [manifest[i + 1] for i, word in enumerate(manifest) if word == "--run"] == [
        *("one=0x901=run", "two=0x902=run", "two=0x902=more")
    ]
    run = edges(graph)["run"]
    assert run.options.count("--vectors") == 3
    assert f"{folder}/two.insts.more.bin" in run.implicit


def test_aiecc_is_refused_for_several_devices():
    with pytest.raises(UserError, match="several devices, and aiecc is asked for one kernel"):
        plan(context(machine(), "design=aiecc"), [several()])


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.since)
def test_words_of_every_release_are_filled_in(release):
    opt = FoundTool(
        "aie-opt",
        "/aie/bin/aie-opt",
        "PATH",
        f"0.0.1.{release.since.replace('-', '')}",
        "opt",
        tuple(release.needs),
    )
    toolchain = machine(aie_opt=opt)
    graph = plan(
        context(toolchain, "lower=aie-opt"),
        [replace(design(), logical_tiles=True, generations=(release.generation,))],
    )
    words = [word for edge in graph.edges for word in edge.options]
    assert not any("{" in word and "}}" in word for word in words)
    assert not any("{arch}" in word or "{device}" in word or "{triple}" in word for word in words)


def test_the_overlay_for_control_packets_is_made_where_the_driver_makes_it():
    """From 1.4 on in front of the fifos, and once; before, where it always was."""
    for release in (RELEASES[-2], RELEASES[-1]):
        version = f"0.0.1.{release.since.replace('-', '')}"
        opt = FoundTool("aie-opt", "/aie/bin/aie-opt", "PATH", version, "opt", tuple(release.needs))
        flags = ("--generate-ctrl-pkt-overlay",)
        own = replace(design(), generations=(release.generation,), aiecc_flags=flags)
        words = edges(plan(context(machine(aie_opt=opt), "lower=aie-opt"), [own]))["lower_aie_opt"].options
        passes = next(word for word in words if word.startswith("--pass-pipeline="))
        overlay = "aie-generate-column-control-overlay{ route-shim-to-tile-ctrl=1 }"
        assert passes.count("column-control-overlay") == passes.count(overlay) == 1
        assert passes.count("(") == passes.count(")")
        first = passes.index(overlay) < passes.index("aie-objectFifo-stateful-transform")
        assert first is (release is RELEASES[-1])


@pytest.mark.parametrize(
    ("generation", "flags", "dynamic"),
    [
        ("2025-10", (), ""),
        ("2026-02", (), ""),
        ("2026-08", (), "true"),
        ("2026-08", ("--dynamic-objFifos=false",), "false"),
        ("2026-02", ("--dynamic-objFifos",), "true"),
    ],
)
def test_fifo_loops_are_kept_as_the_generations_driver_keeps_them(generation, flags, dynamic):
    own = replace(design(), generations=(generation,), aiecc_flags=flags)
    lower = edges(plan(context(machine(*VENDORS)), [own]))["lower"]
    said = dict(zip(lower.options, lower.options[1:])).get("--dynamic-fifos", "")
    assert said == dynamic
    last = max((r for r in RELEASES if r.generation == generation), key=lambda r: r.since)
    version = f"0.0.1.{last.since.replace('-', '')}"
    opt = FoundTool("aie-opt", "/aie/bin/aie-opt", "PATH", version, "opt", tuple(last.needs))
    words = edges(plan(context(machine(aie_opt=opt), "lower=aie-opt"), [own]))["lower_aie_opt"].options
    option = "default-dynamic" if generation == "2026-08" else "dynamic-objFifos"
    assert f"{option}={int(dynamic == 'true')}" in " ".join(words)


def test_peano_compiles_our_core_code():
    graph = plan(context(machine("aie-opt", "aie-translate"), "kernel=peano"), [design()])
    found = edges(graph)
    assert "core_cc_peano" in found
    assert "core_llvm" not in found
    assert found["core_link_peano"].options[:2] == ("--word", "-O2")
    assert found["core_code"].options[found["core_code"].options.index("--kind") + 1] == "aie2"


def test_aiecc_builds_whole_designs():
    graph = plan(context(machine(), "design=aiecc"), [design(cores=2)])
    found = edges(graph)
    assert set(found) == {
        *(
            "kernel_cc_peano",
            "spell",
            "lower",
            "sequence",
            "aiecc",
            "reference",
            "insts_elf",
            "manifest",
            "run",
            "test-npu",
            "phony",
        ),
        "doctor",
    }
    npu = "build/npu1_1col/aie2"
    assert found["aiecc"].inputs == (f"{npu}/gain/design.mlir", f"{npu}/kernels/gain.o")
    assert found["aiecc"].outputs == (f"{npu}/gain/gain.xclbin",)
    assert found["aiecc"].implicit_outputs == (f"{npu}/gain/insts.bin",)
    assert found["aiecc"].options[:6] == (
        "--identity",
        "aiecc",
        "--identity",
        "peano",
        "--identity",
        "xclbinutil",
    )
    alias = next(e for e in graph.edges if e.outputs == ("gain",))
    assert {f"{npu}/gain/gain.xclbin", f"{npu}/gain/insts.bin", f"{npu}/gain/gain.json"} <= set(alias.inputs)


def test_a_design_without_a_reference_is_not_compared():
    graph = plan(context(machine(*VENDORS)), [design(reference=False)])
    found = edges(graph)
    assert "reference" not in found
    assert "--reference" not in found["manifest"].options
    assert found["manifest"].implicit_outputs == ()
    assert "--verify" not in found["run"].options


def test_a_kernel_object_is_made_once_and_linked_into_every_core():
    graph = plan(context(machine(*VENDORS)), [design(cores=3), design("other")])
    assert [e.outputs[0] for e in graph.edges if e.rule == "kernel_cc"] == [
        "build/npu1_1col/wasm/kernels/gain.o"
    ]
    assert len([e for e in graph.edges if e.rule == "core_link"]) == 4
    command = edges(graph)["kernel_cc"].compile_command
    assert command[0] == "clang"
    assert command[-4:] == ("-c", "kernels/gain.c", "-o", "build/npu1_1col/wasm/kernels/gain.o")


def test_checks_belong_to_the_target_of_a_design_and_nothing_waits_for_them():
    graph = plan(context(machine(*VENDORS), check=True), [design()])
    alias = next(e for e in graph.edges if e.outputs == ("gain",))
    assert alias.validations == ("build/npu1_1col/wasm/gain/check.json",)
    assert edges(graph)["check"].options == ("--inputs", "build/npu1_1col/wasm/gain/vectors_in.bin")
    assert not any("check.json" in path for edge in graph.edges for path in (*edge.inputs, *edge.implicit))


def test_a_package_needs_every_design_and_with_emulated_cores_the_engine():
    graph = plan(context(machine(*VENDORS), package=Package(), prefix="/opt"), [design(), design("other")])
    package = edges(graph)["package"]
    assert {f"build/npu1_1col/wasm/{n}/{n}.json" for n in ("gain", "other")} <= set(package.implicit)
    assert "build/engine.wasm" in package.implicit
    assert edges(graph)["install"].options == ("--prefix", "/opt")
    real = plan(context(machine(), package=Package()), [design()])
    assert "engine" not in edges(real)


def test_an_object_that_nothing_makes_is_located():
    other = replace(context(machine(*VENDORS)), kernels=KernelFolder("kernels", ("kernels",), {}))
    with pytest.raises(UserError, match=r"nothing makes 'gain\.o'") as caught:
        plan(other, [design()])
    assert caught.value.location == ("mlir/gain.mlir", 3, 0)


def test_a_peano_without_the_target_is_refused():
    peano = replace(FOUND["peano"], facts=("aie2p",))
    with pytest.raises(ToolError, match="has no target aie2, which npu1_1col needs"):
        plan(context(machine(peano=peano)), [design()])


def test_equal_causes_give_equal_graphs():
    one, same = (plan(context(machine()), [design()]) for _ in range(2))
    assert one.digest() == same.digest()


def test_a_new_stage_is_planned_for_every_design(monkeypatch):
    """What CONTRIBUTING.md says of a row: nothing else names a stage."""
    row = replace(
        stage("bif"),
        name="report",
        reads=("manifest", "xclbin"),
        makes=("report.txt",),
        options=(),
        when="",
        wanted=True,
    )
    monkeypatch.setattr("npuninja.plan.steps.STAGES", (*STAGES, row))
    graph = plan(replace(context(machine(*VENDORS)), rules=RULES | {"report"}), [design()])
    folder = "build/npu1_1col/wasm/gain"
    made = edges(graph)["report"]
    assert (made.outputs, made.inputs) == (
        (f"{folder}/report.txt",),
        (f"{folder}/gain.json", f"{folder}/gain.xclbin"),
    )
    assert f"{folder}/report.txt" in next(e for e in graph.edges if e.outputs == ("gain",)).inputs


@pytest.mark.parametrize(("tools", "by"), [((), "third"), (("bootgen",), "third (bootgen)")])
def test_a_third_compiler_of_kernels_is_a_provider(monkeypatch, tools, by):
    third = Provider(
        "third", tools, cores="wasm", module="kernel_third", words="$wasm_compiler", identity="wasm_compiler"
    )
    row = stage("kernel_cc")
    monkeypatch.setitem(
        __import__("npuninja.plan.providers", fromlist=["STAGES"]).STAGES,
        "kernel",
        replace(row, providers=(*row.providers, third)),
    )
    made = replace(context(machine(), "kernel=third"), rules=RULES | {"kernel_cc_third"})
    graph = plan(made, [design()])
    found = edges(graph)
    assert found["kernel_cc_third"].inputs == ("kernels/gain.c",)
    # The code of the cores is compiled by one that does that stage.
    assert "core_cc" in found
    chosen = made.providers.of("kernel")
    assert chosen.name == by, (
        "provenance names the provider's own tool, not the compiler of the emulated cores"
    )
    assert chosen.path == (FOUND["bootgen"].path if tools else "")


def test_tiles_are_placed_as_the_tools_place_them():
    release = RELEASES[-1]
    opt = FoundTool(
        "aie-opt",
        "/aie/bin/aie-opt",
        "PATH",
        f"0.0.1.{release.since.replace('-', '')}",
        "opt",
        (*release.needs,),
    )
    made = replace(design(), logical_tiles=True, generations=("2025-10",))
    with pytest.raises(UserError, match="the design leaves places of tiles open: they were given as 2025-10"):
        plan(context(machine(aie_opt=opt), "lower=aie-opt"), [made])


def test_a_stage_that_nothing_usable_does_says_which(monkeypatch):
    third = Provider("third", cores="wasm", module="kernel_third", identity="wasm_compiler")
    row = stage("kernel_cc")
    monkeypatch.setitem(
        __import__("npuninja.plan.providers", fromlist=["STAGES"]).STAGES,
        "kernel",
        replace(row, providers=(*row.providers, third)),
    )
    made = replace(context(machine(), "kernel=third"), rules=RULES | {"kernel_cc_third"})
    with pytest.raises(ToolError, match="--provider kernel=third: nothing usable does stage core_cc for it"):
        plan(replace(made, toolchain=machine("ziglang")), [design()])


def test_files_of_a_design_by_device_and_by_sequence():
    files = DesignFiles(
        context(machine(*VENDORS)),
        replace(
            design(), configurations=(configuration("one", ("run",)), configuration("two", ("run", "more")))
        ),
    )
    folder = "build/npu1_1col/wasm/gain"
    assert files.all("pdi") == (f"{folder}/one.pdi", f"{folder}/two.pdi")
    assert [path.rpartition("/")[2] for path in files.all("insts")] == [
        "one.insts.bin",
        "two.insts.run.bin",
        "two.insts.more.bin",
    ]
    assert files["xclbin"] == f"{folder}/gain.xclbin"
