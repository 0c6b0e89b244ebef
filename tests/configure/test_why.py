"""`configure.py --why TARGET`: reasons in words."""

import json
import os
import time

import pytest
from build_project import Project, make_tool

XCLBIN = "build/npu1_1col/wasm/gain/gain.xclbin"


@pytest.fixture
def built(project: Project) -> Project:
    make_tool(project.tools / "bootgen", "****** Xilinx Bootgen v2022.2", 1)
    project.write("toolchain.toml", '[providers]\npdi = "embedded"\n')
    project.configure()
    project.ninja("run", "gain")
    return project


def test_other_modules_of_a_stage_are_named(built):
    build = built.folder / "build"
    kept = json.loads((build / "stage_modules.json").read_text(encoding="utf-8"))
    kept["digests"]["pdi"] = "0" * 12
    (build / "stage_modules.json").write_text(json.dumps(kept), encoding="utf-8")
    (build / "planned.json").unlink()
    built.configure()
    printed = built.configure("--why", "gain.pdi").stdout
    assert "npuninja's stage pdi consists of other modules than then" in printed


def test_reasons_are_given_in_words(built):
    def why(target: str = XCLBIN) -> str:
        return built.configure("--why", target).stdout

    assert f"{XCLBIN} is up to date" in why()
    assert "gain stands for files that are up to date" in why("gain")
    assert "run-gain makes no file, so it always runs" in why("run-gain")

    # A header, by the shortest name of the target.
    time.sleep(0.01)
    built.edit("kernels/gain/scale.h", "64", "32")
    printed = why("gain.xclbin")
    assert f"{XCLBIN} would be built, because" in printed
    assert "gain.o is built before it, because" in printed
    assert "kernels/gain/scale.h was changed (" in printed
    assert "Where a file on the way comes out the same" in printed
    assert "kernels/gain/scale.h was changed (" in why("run-gain")
    built.ninja()

    # A missing file, which is the reason itself.
    os.unlink(built.folder / XCLBIN)
    assert f"{XCLBIN} does not exist" in why()
    built.ninja()

    # Another tool: configure.py runs first, as it would when Ninja is started.
    built.write("toolchain.toml", f'[tools]\nbootgen = "{built.tools}/bootgen"\n')
    printed = why("gain.pdi")
    assert "configure.py had to run again first" in printed
    assert (
        "the command that makes build/npu1_1col/wasm/gain/gain.pdi is another one than last time" in printed
    )
    assert "it was made by rule pdi, now it is by rule pdi_bootgen" in printed
    assert "bootgen_identity was nothing, is bootgen-2022.2-" in printed


def test_a_wrong_target_is_refused_with_what_it_may_have_been(built):
    assert "did you mean 'gain.xclbin' or" in built.configure("--why", "gain.xclbim", code=2).stderr
    (built.folder / "build.ninja").unlink()
    assert "nothing is configured" in built.configure("--why", "all", code=2).stderr
