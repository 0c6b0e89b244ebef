"""Small faults that a newcomer found, each on its way; those with a test of their own are there:

names of one letter (emulator/test_function_names.py), an interrupted configure, designs that are not asked
for and one faulty design (configure/test_faulty_designs.py), a missing reference (settings/test_verdicts.py),
one descriptor used twice (lints/test_reused_descriptors.py), the size estimate (lints/test_program_size.py),
a named tool (configure/test_configure.py), the warning beside the deadlock (device/test_build_warnings.py),
Ninja's words behind ours (stages/test_words_first.py), a new toolchain.toml (settings/test_kernel_builds.py),
a licence that is named and an installed program's name (packaging/), sound files (mel/).
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from negate_project import DESIGN, KERNEL, NegateProject

from npuninja.commands import lower
from npuninja.errors import UserError

PYTHON = sys.executable


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> NegateProject:
    folder = tmp_path_factory.mktemp("walk") / "a project"
    (folder / "mlir").mkdir(parents=True)
    project = NegateProject(folder, folder.parent)
    project.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    project.design("minus", "minus.o")
    project.configure()
    project.ninja()
    return project


def test_a_wrong_name_is_answered_with_names_of_the_design(tmp_path: Path) -> None:
    file = tmp_path / "d.mlir"
    file.write_text(DESIGN.replace("metadata = @src", "metadata = @input"), encoding="utf-8")
    with pytest.raises(UserError) as error:
        lower.main([str(file), "-o", str(tmp_path / "out")])
    said = error.value.render()
    assert said.startswith(f"{file}:24:7: error: 'aiex.npu.dma_memcpy_nd' names @input")
    assert said.splitlines()[-1] == "hint: known: @dst, @src"


def test_configure_fits_a_terminal_of_80_columns(built: NegateProject) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=theirs, check=True)
    environment = {k: v for k, v in built.environment.items() if k != "COLUMNS"}
    with subprocess.Popen(
        [PYTHON, str(ROOT / "configure.py")], cwd=built.folder, env={**environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs,
        stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r", "").splitlines()
    assert lines[0].split() == ["stage", "provider", "version", "why"]
    # A path is not broken, everything else is.
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    assert len([line for line in lines if len(line) > 80]) <= 3


@pytest.mark.parametrize("verb", [("run", "minus", "--verify"), ("inspect", "minus")], ids=" ".join)
def test_a_reader_that_has_gone_is_no_bug(built: NegateProject, verb: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [PYTHON, "-m", "npuninja", *verb], cwd=built.folder, env={**built.environment, "PYTHONPATH": str(ROOT)},
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_verbs_take_names_files_and_designs_in_python(built: NegateProject) -> None:
    manifest = "build/npu1/wasm/minus/minus.json"
    assert f"{manifest}: manifest" in built.npuninja("inspect", manifest).stdout
    assert "all 64 elements are right" in built.npuninja("run", "minus", "--verify").stdout
    assert "minus, bytes:" in built.npuninja("size", "minus").stdout
    built.npuninja("lower", str(ROOT / "docs/python-designs/passthrough.py"), "-o", "low")
    assert (built.folder / "low/insts.bin").is_file()


def test_an_xclbin_alone_says_what_to_type(built: NegateProject) -> None:
    folder = "build/npu1/wasm/minus"
    printed = built.npuninja("run", f"{folder}/minus.xclbin", code=2).stderr
    assert "--insts" in printed
    assert "npuninja run FILE.xclbin --help" in printed
    words = ["--insts", f"{folder}/insts.bin", "--input", "in.bin", "--output", "64:out.bin"]
    (built.folder / "in.bin").write_bytes(bytes(range(64)))
    assert "codec" not in built.npuninja("run", f"{folder}/minus.xclbin", *words).stdout
    assert (built.folder / "out.bin").read_bytes() == bytes(-x & 255 for x in range(64))


def test_configure_of_another_folder_takes_this_one_and_says_so(built: NegateProject, tmp_path: Path) -> None:
    for name in ("mlir", "kernels", "host"):
        shutil.copytree(built.folder / name, tmp_path / "mine" / name)
    done = subprocess.run(
        [PYTHON, str(ROOT / "configure.py")], cwd=tmp_path / "mine", env=built.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"project: {tmp_path / 'mine'}\n1 design for npu1: minus" in done.stdout


def test_the_readme_shows_what_configure_prints(built: NegateProject) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(
        r"^(\w+) {2,}\w+.*?  +(\S+(?: \S+)*)$",
        text.partition("```\nstage ")[2].partition("```")[0],
        re.MULTILINE,
    )
    printed = built.configure("--provider", "pdi=npuninja").stdout
    assert dict(table)["run"] in printed
    assert dict(table)["lower"] in printed
    # That the default XCLBIN runs on no NPU comes before everything that one does with it.
    assert text.index("no NPU") < text.index("## ")


def test_doctor_names_versions_and_commands_that_can_be_typed(built: NegateProject) -> None:
    rungs = json.loads(built.npuninja("doctor", "--json").stdout)
    report = json.dumps(rungs)
    assert re.search(r"pip install 'mlir_aie==[\w.+]+' -f https://", report)
    assert re.search(r"pip install 'mlir_aie>=[\d.]+,<[\d.]+' -f https://", report)
