"""configure.py as its users meet it: what it writes, what it says, what it refuses."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build_project import Project, make_tool
from conftest import ROOT

GOLDEN = Path(__file__).parent / "golden"
BANNER = "****** Xilinx Bootgen v2022.2"


def with_pretended_tools(project: Project) -> None:
    """Pins every tool, so that the plan does not depend on the machine."""
    outputs = {"zig": "0.17.1", "bootgen": BANNER}
    paths = {name: make_tool(project.tools / name, text) for name, text in outputs.items()}
    pins = {"ziglang": paths["zig"], "bootgen": paths["bootgen"]}
    lines = [f'{name} = "{path}"' for name, path in pins.items()]
    lines += [
        f"{name} = false" for name in ("peano", "aie-opt", "aie-translate", "aiecc", "xclbinutil", "pyxrt")
    ]
    project.write("toolchain.toml", "\n".join(["[tools]", *lines, "[providers]", ""]))


def compare(golden: Path, text: str, regen: bool) -> None:
    if regen:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_build_file_and_graph_of_a_small_project(project, regen):
    with_pretended_tools(project)
    project.configure()
    text = project.portable((project.folder / "build.ninja").read_text(encoding="utf-8"))
    # Which modules planning consists of, and how the rules are written, is no concern of this test.
    compare(GOLDEN / "edges.ninja", text[text.index("# design gain") :], regen)
    graph = (project.folder / "build/graph.json").read_text(encoding="utf-8")
    compare(GOLDEN / "graph.json", project.portable(graph), regen)
    commands = json.loads((project.folder / "compile_commands.json").read_text(encoding="utf-8"))
    assert [entry["file"] for entry in commands] == ["kernels/gain/gain.c"]
    assert commands[0]["directory"] == str(project.folder)
    assert commands[0]["arguments"][0] == "clang"


def test_the_summary_says_what_does_what_and_why(project):
    with_pretended_tools(project)
    lines = project.configure().stdout.splitlines()
    table = {line.split()[0]: line for line in lines if line}
    assert "bootgen" in table["pdi"]
    assert "2022.2" in table["pdi"]
    assert "no usable peano" in table["kernel"]
    assert lines[-1] == "build.ninja written; next: ninja, then ninja run"
    assert "\x1b" not in "".join(lines)


def test_colour_is_taken_when_forced_and_never_against_no_color(project):
    project.environment["CLICOLOR_FORCE"] = "1"
    assert "\x1b[1m" in project.configure().stdout
    project.environment["NO_COLOR"] = "1"
    assert "\x1b" not in project.configure().stdout


def test_configuring_again_changes_nothing(project):
    project.configure()
    files = [project.folder / "build.ninja", *(project.folder / "build").glob("*.*")]
    before = {file: file.stat().st_mtime_ns for file in files}
    assert "build.ninja unchanged" in project.configure().stdout
    assert {file: file.stat().st_mtime_ns for file in files} == before


def test_a_provider_is_taken_from_the_command_line_before_the_file(project):
    with_pretended_tools(project)
    with (project.folder / "toolchain.toml").open("a", encoding="utf-8") as stream:
        stream.write('pdi = "embedded"\n')
    rules = {edge["rule"] for edge in (project.configure(), project.graph())[1]["edges"]}
    assert "pdi" in rules
    rules = {
        edge["rule"] for edge in (project.configure("--provider", "pdi=real"), project.graph())[1]["edges"]
    }
    assert "pdi_bootgen" in rules


def test_a_preset_is_a_set_of_options(project):
    project.write("toolchain.toml", '[preset.small]\nproviders = { pdi = "embedded" }\ndesigns = ["gain"]\n')
    assert "asked for" in project.configure("--preset", "small").stdout
    refused = project.configure("--preset", "smal", code=2)
    assert "did you mean 'small'?" in refused.stderr


def test_two_build_folders_side_by_side(project):
    project.configure("-B", "one")
    project.configure("-B", "two", "--provider", "pdi=embedded")
    assert {edge["rule"] for edge in project.graph("one")["edges"]} >= {"lower"}
    assert "pdi" in {edge["rule"] for edge in project.graph("two")["edges"]}
    assert not (project.folder / "build.ninja").exists()
    assert not (project.folder / "build").exists()


def test_fresh_forgets_what_was_found(project):
    project.configure()
    cache = project.folder / "build/probe_cache.json"
    cache.write_text("{}", encoding="utf-8")
    project.configure("--fresh")
    assert "proofs" in json.loads(cache.read_text(encoding="utf-8"))


REFUSALS = [
    # arguments, exit code, what the message must say
    (("gian",), 2, ["there is no design 'gian'", "did you mean 'gain'?"]),
    (("--device", "npu1_2col"), 2, ["mlir/gain.mlir:3:", "the design is for npu1_1col, not for npu1_2col"]),
    (("--device", "npu3"), 2, ["there is no NPU device 'npu3'", "npu1"]),
    (("--provider", "pdj=real"), 2, ["there is no stage 'pdj'", "did you mean 'pdi'?"]),
    (("--provider", "pdi=maybe"), 2, ["expected pdi=auto or pdi=real or pdi=embedded"]),
    (("--provider", "pdi"), 2, ["expected STAGE=auto"]),
    (("--provider", "design=real"), 2, ["expected design=stages or design=aiecc"]),
    (("--provider", "run=real"), 2, ["where a design runs is not decided by configure", "--require npu"]),
    (("--toolchain", "nowhere.toml"), 2, ["cannot read", "nowhere.toml"]),
    (("-S", "/nowhere"), 2, ["there is no folder /nowhere"]),
    (("-B", "mlir/gain.mlir"), 2, ["cannot make the build folder", "-B FOLDER"]),
    (("--bogus",), 2, ["unrecognized arguments: --bogus", "--help"]),
]


@pytest.mark.parametrize(("arguments", "code", "parts"), REFUSALS)
def test_wrong_options_are_refused(project, arguments, code, parts):
    printed = project.configure(*arguments, code=code).stderr
    assert all(part in printed for part in parts), printed
    assert "Traceback" not in printed
    assert not (project.folder / "build.ninja").exists()


def test_output_that_is_closed_or_full(project):
    command = shlex.join([sys.executable, str(ROOT / "configure.py"), "-S", str(project.folder)])

    def shell(text):
        return subprocess.run(
            ["bash", "-c", text], env=project.environment, capture_output=True, text=True, check=False
        )

    for redirection in (">&-", "<&-", "| true"):
        done = shell(f"set -o pipefail; {command} {redirection}")
        assert (done.returncode, done.stderr) == (0, ""), redirection
    full = shell(f"{command} > /dev/full")
    assert full.returncode == 3
    assert full.stderr == "error: cannot read or write the output: no space left on device\n"


def test_a_real_provider_without_its_tool_says_what_was_examined(project):
    project.write("toolchain.toml", "[tools]\nbootgen = false\n")
    printed = project.configure("--provider", "pdi=real", code=3).stderr
    assert "--provider pdi=real: bootgen is not usable" in printed
    assert "not to be used (toolchain.toml)" in printed
    assert "take it out of toolchain.toml" in printed


def test_a_provider_of_the_file_is_refused_with_its_place(project):
    project.write("toolchain.toml", '[tools]\nbootgen = false\n\n[providers]\npdi = "real"\n')
    printed = project.configure(code=3).stderr
    assert 'toolchain.toml:5:1: error: [providers] pdi = "real": bootgen is not usable' in printed


def test_a_tool_that_is_named_must_be_there(project):
    project.write("toolchain.toml", f'[tools]\nbootgen = "{project.tools}/none"\n')
    printed = project.configure(code=2).stderr
    assert f"toolchain.toml:2:1: error: there is no bootgen at {project.tools}/none" in printed
    assert "bootgen = false" in printed
    make_tool(project.tools / "none", "I am something else")
    printed = project.configure(code=3).stderr
    assert "toolchain.toml:2:1: error: bootgen is not usable" in printed
    assert "I am something else" in printed


def test_no_compiler_lists_what_was_examined(project):
    pins = "".join(f"{name} = false\n" for name in ("ziglang", "clang", "wasm-ld"))
    project.write("toolchain.toml", "[tools]\n" + pins)
    printed = project.configure(code=3).stderr
    assert "no compiler for emulated cores" in printed
    assert printed.count("not to be used (toolchain.toml)") == 3
    assert "pip install ziglang" in printed


def test_a_python_without_the_packages_says_what_to_install(project):
    command = [sys.executable, "-S", str(ROOT / "configure.py"), "-S", str(project.folder)]
    done = subprocess.run(
        command, env={"PATH": str(project.tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('retarget = "npu2"\n', ["toml:1:1: error: unknown key 'retarget'", "it is in [configure]"]),
        ('[tool]\nzig = "x"\n', ["toolchain.toml:1:2: error: unknown key 'tool'", "did you mean 'tools'?"]),
        (
            '[tools]\nbootgn = "x"\n',
            ["toml:2:1: error: unknown key 'bootgn' in [tools]", "did you mean 'bootgen'?"],
        ),
        ("[tools]\nbootgen = 3\n", ["toolchain.toml:2:1: error: 'bootgen' must be a path, or false, got 3"]),
        (
            '[providers]\npdi = "yes"\n',
            ["toolchain.toml:2:1: error: 'pdi' must be one of auto, real, embedded"],
        ),
        ("[tools\n", ["toolchain.toml:1:", "not TOML"]),
        (
            '[[deny]]\ntool = "bootgn"\nversions = "1"\n',
            ["toolchain.toml:2:1: error: 'tool' must be one of ninja"],
        ),
        (
            '[[deny]]\ntool = "peano"\nsince = "2025"\n',
            ["toml:3:1: error: 'since' must be a day as 2025-10-06"],
        ),
        ('[providers]\ndesign = "real"\n', ["toml:2:1: error: 'design' must be one of stages, aiecc"]),
    ],
)
def test_a_wrong_toolchain_file_is_located(project, text, parts):
    project.write("toolchain.toml", text)
    printed = project.configure(code=2).stderr
    assert all(part in printed for part in parts), printed


def test_a_kernel_that_nothing_makes_is_located_with_what_there_is(project):
    project.edit("mlir/gain.mlir", '"gain.o"', '"gian.o"')
    printed = project.configure(code=2).stderr
    line = 1 + (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8").split("gian.o")[0].count("\n")
    assert f"mlir/gain.mlir:{line}:" in printed
    assert "nothing makes 'gian.o'" in printed
    assert "did you mean gain.o?" in printed


def test_a_kernel_with_two_sources_names_both(project):
    (project.folder / "kernels/gain").rename(project.folder / "kernels/one")
    project.write("kernels/other/gain.cpp", "")
    printed = project.configure(code=2).stderr
    assert "'gain.o' could be made from kernels/one/gain.c or kernels/other/gain.cpp" in printed
    assert "put the design's own into kernels/gain/" in printed


def test_a_design_takes_a_kernel_from_its_own_folder_first(project):
    project.write("kernels/other/gain.cpp", "#error not this one")
    project.configure()
    edge = next(e for e in project.graph()["edges"] if e["rule"] == "kernel_cc")
    assert edge["inputs"] == ["kernels/gain/gain.c"]
    assert edge["outputs"] == ["build/npu1_1col/wasm/kernels/gain/gain.o"]


def test_two_designs_of_one_name_are_refused_with_both(project):
    project.write("mlir/gain.py", "print('')\n")
    printed = project.configure(code=2).stderr
    assert "two designs are called 'gain': mlir/gain.mlir and mlir/gain.py" in printed


@pytest.mark.parametrize("name", ["2gain", "ga-in", "ga in", "g" * 64])
def test_design_names_are_restricted(project, name):
    (project.folder / "mlir/gain.mlir").rename(project.folder / f"mlir/{name}.mlir")
    printed = project.configure(code=2).stderr
    assert f"design name {name!r} is not a letter followed by" in printed


def test_a_design_may_not_be_called_like_a_target(project):
    (project.folder / "mlir/gain.mlir").rename(project.folder / "mlir/test.mlir")
    assert "cannot be called 'test'" in project.configure(code=2).stderr


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("aie.device(npu1_1col)", "aie.device(xcvc1902)", [":3:", "'xcvc1902' is not an NPU device"]),
        ("%worker = aie.tile(0, 2)", "%worker = aie.tile(0,", ["mlir/gain.mlir:", "error: "]),
        ("gain.o", "gain.so", ["which is no object file"]),
        ("gain.o", "g a.o", ["kernel object name 'g a.o'"]),
    ],
)
def test_wrong_designs_are_located(project, old, new, parts):
    project.edit("mlir/gain.mlir", old, new)
    printed = project.configure(code=2).stderr
    assert all(part in printed for part in parts), printed
    assert "mlir/gain.mlir:" in printed
    assert "Traceback" not in printed


def test_a_design_in_python_is_run_and_its_imports_are_inputs(project):
    mlir = (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8")
    (project.folder / "mlir/gain.mlir").unlink()
    project.write("mlir/_text.py", f"TEXT = {mlir!r}\n")
    project.write("mlir/gain.py", "from _text import TEXT\nprint(TEXT)\n")
    project.configure()
    assert (project.folder / "build/designs/gain.mlir").read_text(encoding="utf-8").strip() == mlir.strip()
    edge = next(e for e in project.graph()["edges"] if e["rule"] == "lower")
    assert edge["inputs"] == ["build/designs/gain.mlir"]
    assert "mlir/_text.py" in (project.folder / ".build.ninja.d").read_text(encoding="utf-8")
    project.write("mlir/_text.py", f"TEXT = {mlir.replace('64xi8', '32xi8')!r}\n")
    assert "build.ninja" in project.ninja("build.ninja").stdout
    assert "32xi8" in (project.folder / "build/designs/gain.mlir").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise SystemExit(3)\n", "failed with exit code 3"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("", "printed nothing"),
        ("print('tiles: 4')\nprint('module {}')\n", "printed text before its MLIR: 'tiles: 4'"),
        ("class Program: ...\nprint(Program)\n", "printed what is no MLIR: \"<class '__main__.Program'>"),
    ],
)
def test_a_design_in_python_that_fails_is_refused(project, script, message):
    (project.folder / "mlir/gain.mlir").unlink()
    project.write("mlir/gain.py", script)
    printed = project.configure(code=2).stderr
    assert "mlir/gain.py: error:" in printed
    assert message in printed


def test_ninja_configures_again_when_an_input_vanishes(project):
    shutil.copy(project.folder / "mlir/gain.mlir", project.folder / "mlir/more.mlir")
    project.configure()
    (project.folder / "mlir/more.mlir").unlink()
    project.ninja("-t", "targets")
    printed = project.ninja("build.ninja").stdout
    assert "build.ninja written" in printed
    assert "mlir/more.mlir" not in (project.folder / "build.ninja").read_text(encoding="utf-8")
    assert "no work to do" in project.ninja("build.ninja").stdout


def test_ninja_configures_again_with_the_recorded_environment(project):
    with_pretended_tools(project)
    project.configure("--provider", "pdi=embedded")
    project.environment["PATH"] = "/usr/bin:/bin"
    time.sleep(0.01)
    os.utime(project.folder / "mlir/gain.mlir")
    assert "build.ninja unchanged" in project.ninja("build.ninja").stdout
    assert "no work to do" in project.ninja("build.ninja").stdout


def test_a_new_design_is_noticed(project):
    project.configure()
    shutil.copy(project.folder / "mlir/gain.mlir", project.folder / "mlir/more.mlir")
    assert "build.ninja written" in project.ninja("build.ninja").stdout
    assert {"gain", "more"} <= {output for edge in project.graph()["edges"] for output in edge["outputs"]}


def test_words_that_designs_share_are_files_of_the_build(project):
    """One for each kind of batch of several designs, made again when deleted, gone with another command."""
    text = (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8")
    for name in ("one", "two"):
        project.write(f"mlir/{name}.mlir", text)
    project.configure()
    words = project.folder / "build/batches"
    first = {path.name: path.read_bytes() for path in words.iterdir()}
    assert first
    for path in words.iterdir():
        path.unlink()
    project.ninja("build.ninja")
    assert {path.name: path.read_bytes() for path in words.iterdir()} == first
    project.configure("--werror")
    second = {path.name for path in words.iterdir()}
    assert any(b"--werror" in (words / name).read_bytes() for name in second)
    assert len(second) == len(first)
    assert second != set(first)
