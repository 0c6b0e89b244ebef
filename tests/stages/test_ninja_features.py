"""What the build offers beyond building: validations, dead outputs, launchers, clean dependencies, traces."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from build_project import Project

from npuninja.detect.machine import heavy_jobs

EMBEDDED = '[providers]\npdi = "embedded"\n'
DESIGN = "build/npu1_1col/wasm/gain"


@pytest.fixture
def embedded(project: Project) -> Project:
    """The project `plain` with the embedded providers."""
    project.write("toolchain.toml", EMBEDDED)
    return project


def test_every_dependency_is_declared(embedded):
    embedded.configure("--check")
    embedded.ninja()
    assert "No missing dependencies on generated files found" in embedded.ninja("-t", "missingdeps").stdout


def test_a_check_runs_during_the_build_and_nothing_waits_for_it(embedded):
    embedded.configure("--check")
    edge = next(e for e in embedded.graph()["edges"] if e["outputs"] == ["gain"])
    assert edge["validations"] == [f"{DESIGN}/check.json"]
    assert not any(
        "check.json" in path for e in embedded.graph()["edges"] for path in (*e["inputs"], *e["implicit"])
    )
    embedded.ninja("gain")
    report = json.loads((embedded.folder / DESIGN / "check.json").read_text(encoding="utf-8"))
    assert report["design"] == "gain"
    assert [(core["column"], core["row"]) for core in report["cores"]] == [(0, 2)]
    assert "no work to do" in embedded.ninja().stdout


def test_a_design_that_deadlocks_is_found_while_building(embedded):
    embedded.edit("mlir/gain.mlir", "aie.objectfifo.release @out(Produce, 1)", "")
    embedded.configure()
    embedded.ninja()
    embedded.configure("--check")
    printed = embedded.ninja(code=None).stdout
    assert "waits" in printed
    assert "FAILED" in printed
    # All that was asked for is there nevertheless: the check is no step on the way to it.
    assert (embedded.folder / DESIGN / "gain.xclbin").exists()
    assert not (embedded.folder / DESIGN / "check.json").exists()


def test_outputs_of_a_renamed_design_are_deleted(embedded):
    embedded.configure()
    embedded.ninja()
    assert (embedded.folder / DESIGN / "gain.xclbin").exists()
    for old, new in (("mlir/gain.mlir", "mlir/louder.mlir"), ("host/gain.py", "host/louder.py")):
        (embedded.folder / old).rename(embedded.folder / new)
    embedded.ninja()
    assert (embedded.folder / "build/npu1_1col/wasm/louder/louder.xclbin").exists()
    # Where lines come from is beside a file, not in the graph; it is no result that one could use.
    assert [p for p in (embedded.folder / DESIGN).iterdir() if p.suffix != ".places"] == []
    assert (embedded.folder / "build/npu1_1col/wasm/kernels/gain.o").exists()


def test_a_test_on_an_npu_never_runs_elsewhere(embedded):
    embedded.configure()
    printed = embedded.ninja("test-npu", code=None).stdout
    assert "error: " in printed
    assert "Traceback" not in printed
    assert "elements are right" not in printed


def clang(folder: Path) -> dict[str, Path]:
    """Programs that are called clang and wasm-ld, and are those inside the ziglang package."""
    import ziglang

    zig = shlex.quote(str(Path(ziglang.__file__).parent / "zig"))
    made = {}
    # zig takes no --driver-mode, and calls the target by another name.
    scripts = {
        "clang": f'#!/bin/sh\n[ "$1" = -v ] && {{ echo "clang version 20.0.0"; exit 0; }}\n'
        f'shift 2\nexec {zig} cc -target wasm32-freestanding "$@"\n',
        "wasm-ld": "#!/bin/sh\n"
        f'[ "$1" = --version ] && {{ echo "LLD 20.0.0"; exit 0; }}\n'
        f'exec {zig} wasm-ld "$@"\n',
    }
    for name, text in scripts.items():
        made[name] = folder / name
        made[name].write_text(text, encoding="utf-8")
        made[name].chmod(0o755)
    return made


def test_a_launcher_starts_the_compiler_and_changes_nothing(embedded):
    programs = clang(embedded.tools)
    pins = "".join(f'{name} = "{path}"\n' for name, path in programs.items()) + "ziglang = false\n"
    embedded.write("toolchain.toml", f"[tools]\n{pins}{EMBEDDED}")
    log = embedded.tools / "launched"
    launcher = embedded.tools / "cache"
    launcher.write_text(f'#!/bin/sh\necho "$1" >> "{log}"\nexec "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    embedded.environment["ZIG_GLOBAL_CACHE_DIR"] = str(embedded.tools / "zig")
    embedded.configure("--launcher", "cache")
    embedded.ninja()
    # One kernel and one core.
    assert log.read_text(encoding="utf-8").splitlines() == [str(programs["clang"])] * 2
    built = (embedded.folder / DESIGN / "gain.xclbin").read_bytes()
    shutil.rmtree(embedded.folder / "build")
    embedded.configure()
    embedded.ninja()
    assert (embedded.folder / DESIGN / "gain.xclbin").read_bytes() == built


def test_a_launcher_that_is_missing_or_useless_is_refused(embedded):
    assert "there is no program 'nocache'" in embedded.configure("--launcher", "nocache", code=3).stderr
    cache = embedded.tools / "cache"
    cache.write_text("#!/bin/sh\n", encoding="utf-8")
    cache.chmod(0o755)
    assert "does not know `zig cc`" in embedded.configure("--launcher", str(cache), code=2).stderr


def test_the_trace_of_a_build_says_what_decided_its_time(embedded):
    embedded.configure()
    embedded.ninja()
    printed = embedded.npuninja("trace").stdout
    assert "the longest chain takes" in printed
    chain = printed.split("the longest chain")[1].split("the slowest")[0]
    assert "lower route sequence insts core_code " in chain or "kernel_cc" in chain
    assert "cdo pdi xclbin manifest" in chain.splitlines()[-1]
    trace = json.loads((embedded.folder / "build/trace.json").read_text(encoding="utf-8"))
    made = {output for event in trace["traceEvents"] for output in event["args"]["outputs"]}
    assert f"{DESIGN}/gain.xclbin" in made
    assert all(event["ph"] == "X" and event["dur"] >= 0 for event in trace["traceEvents"])


def test_the_graph_can_be_drawn(embedded):
    embedded.configure()
    text = embedded.npuninja("graph", "--design", "gain").stdout
    assert text.startswith("digraph build {")
    assert '[label = "core_link\\ncore_0_2.wasm"]' in text
    assert "there is no design 'gian'" in embedded.npuninja("graph", "--design", "gian", code=2).stderr


def test_ninja_explains_why_it_builds(embedded):
    embedded.configure()
    embedded.ninja()
    embedded.edit("kernels/gain/scale.h", "64", "32")
    printed = embedded.ninja("-d", "explain", "-n")
    assert "kernels/gain/scale.h" in printed.stdout + printed.stderr


def test_the_terminal_is_given_to_what_talks_and_an_npu_to_one_at_a_time(embedded):
    embedded.configure()
    text = (embedded.folder / "build.ninja").read_text(encoding="utf-8")
    pools = {block.split()[0]: block for block in text.split("\nrule ")[1:]}
    assert all("pool = console" in pools[rule] for rule in ("run", "doctor", "configure"))
    assert "pool = npu" in pools["test-npu"]
    assert "pool npu\n  depth = 1\n" in text
    assert "pool = heavy" in pools["aiecc"]
    assert f"pool heavy\n  depth = {heavy_jobs()}\n" in text


def test_compilers_colour_their_messages_where_ninja_passes_it_on(embedded):
    embedded.environment["CLICOLOR_FORCE"] = "1"
    embedded.edit("kernels/gain/gain.c", "out[i]", "out[i")
    embedded.configure()
    printed = embedded.ninja(code=None).stdout
    assert any("\x1b[" in line for line in printed.splitlines() if "error: " in line)
    embedded.environment["NO_COLOR"] = "1"
    printed = embedded.ninja(code=None).stdout
    assert all("\x1b[" not in line for line in printed.splitlines() if "error: " in line)


def test_the_shell_of_ninja_does_not_decide_the_build(embedded):
    embedded.configure()
    embedded.ninja()
    embedded.environment.update({"PATH": "/usr/bin:/bin", "CFLAGS": "-O0", "CC": "false", "LC_ALL": "C"})
    assert "no work to do" in embedded.ninja().stdout


def test_a_stage_is_the_child_of_ninja_and_notices_its_end(embedded):
    embedded.configure()
    commands = embedded.ninja("-t", "commands", "all").stdout.splitlines()
    # The shell is replaced, so that the stage's parent is Ninja itself.
    assert all(command.startswith("exec ") for command in commands)
