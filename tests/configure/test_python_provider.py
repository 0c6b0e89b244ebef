"""What prints designs in Python: npuninja, or MLIR-AIE's own bindings where they are installed and proved."""

import os
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.configure.options import Options
from npuninja.configure.project import open_project
from npuninja.errors import ToolError

DESIGN = """
from aie.dialects.aie import AIEDevice, device, tile
from aie.extras.context import mlir_mod_ctx
import _beside

with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        tile(0, 2)

print(ctx.module)
"""
JITTED = "import aie.iron as iron\n@iron.jit\ndef design(): pass\n"
WHOLE_JITTED = """
import numpy as np
import aie.iron as iron
from aie.iron import In, ObjectFifo, Out, Program, Runtime
from aie.iron.device import NPU1Col1

@iron.jit
def design(a: In, b: Out):
    line = np.ndarray[(16,), np.dtype[np.int32]]
    fifo = ObjectFifo(line, name="in")

    def sequence(a, b, source, sink):
        source.fill(a)
        sink.drain(b, wait=True)

    runtime = Runtime(sequence, [line, line, fifo.prod(), fifo.cons().forward().cons()])
    return Program(NPU1Col1(), runtime, workers=[]).resolve_program()

design(iron.zeros(16, dtype=np.int32), iron.zeros(16, dtype=np.int32))
"""
# As much of the bindings as the proof and the design need; their text says what printed it.
BINDINGS = {
    "aie/dialects/aie.py": (
        "class AIEDevice: npu1_1col = 'npu1_1col'\ntiles = []\n"
        "def device(name): return lambda body: body()\ndef tile(c, r): tiles.append((c, r))\n"
    ),
    "aie/extras/context.py": (
        "from aie.dialects.aie import tiles\n"
        "class mlir_mod_ctx:\n    def __enter__(self): return self\n    def __exit__(self, *_): pass\n"
        "    @property\n    def module(self):\n"
        "        return 'module {\\n  aie.device(npu1_1col) {\\n    %theirs = aie.tile(0, 2)\\n'"
        " '    aie.runtime_sequence() {\\n    }\\n  }\\n}'\n"
    ),
    "aie/iron/__init__.py": "",
}


@pytest.fixture
def install(tmp_path):
    folder = tmp_path / "install"
    for name, text in BINDINGS.items():
        (folder / "python" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "python" / name).write_text(text)
    return folder


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "mlir").mkdir(parents=True)
    (folder / "mlir" / "_beside.py").write_text("")
    (folder / "mlir" / "one.py").write_text(DESIGN)
    monkeypatch.chdir(tmp_path)

    def opened(choice, environment):
        options = Options(providers=(f"python={choice}",), source_root=str(folder))
        return open_project(options, str(folder), environment)

    opened.folder = folder
    return opened


def by_ours(found):
    """Whether npuninja printed the design: its text has no sequence, which planning says."""
    return "runtime_sequence" in found.designs.faulty[0].text


@pytest.mark.parametrize("choice", ["auto", "real", "mlir-aie"])
def test_bindings_that_are_proved_print(project, install, choice):
    (design,) = project(choice, {"MLIR_AIE_INSTALL_DIR": str(install)}).designs.designs
    assert "%theirs" in Path(design.mlir).read_text()
    assert [os.path.basename(path) for path in design.imports] == ["_beside.py"]


@pytest.mark.parametrize("choice", ["embedded", "npuninja"])
def test_npuninja_prints_when_it_is_asked_for(project, install, choice):
    assert by_ours(project(choice, {"MLIR_AIE_INSTALL_DIR": str(install)}))


def test_without_bindings_auto_is_npuninja_and_real_is_refused(project, tmp_path):
    assert by_ours(project("auto", {}))
    with pytest.raises(ToolError, match="mlir-aie-python is not usable"):
        project("real", {"MLIR_AIE_INSTALL_DIR": str(tmp_path)})


def test_the_kept_module_goes_by_what_printed_it(project, install):
    environment = {"MLIR_AIE_INSTALL_DIR": str(install)}
    assert project("auto", environment).designs.designs
    assert by_ours(project("embedded", environment))
    assert project("auto", environment).designs.designs


def test_bindings_that_print_nothing_are_refused_with_what_they_said(project, install):
    (install / "python" / "aie" / "iron" / "__init__.py").write_text("raise ImportError('no libAIE')\n")
    with pytest.raises(ToolError, match="not usable") as error:
        project("real", {"MLIR_AIE_INSTALL_DIR": str(install)})
    assert "no libAIE" in error.value.render()


def test_a_design_of_another_release_than_the_bindings_gets_an_error_that_says_so(project, install):
    (project.folder / "mlir" / "one.py").write_text("import aie.iron\nfrom aie.iron import CompileTime\n")
    (fault,) = project("real", {"MLIR_AIE_INSTALL_DIR": str(install)}).designs.faulty
    assert "cannot import name 'CompileTime'" in fault.text
    assert "one.py" in fault.text
    assert not any(word in fault.text for word in ("runpy", "bindings_process"))
    assert "seems to be of 2026-08, because of aie.iron.CompileTime" in fault.text
    assert "--provider python=embedded prints it" in fault.text


def test_a_jitted_design_is_printed_by_npuninja_or_refused(project, install):
    (project.folder / "mlir" / "one.py").write_text(JITTED)
    environment = {"MLIR_AIE_INSTALL_DIR": str(install)}
    (fault,) = project("real", environment).designs.faulty
    assert "under @iron.jit" in fault.text
    assert "python=embedded" in fault.text
    (fault,) = project("auto", environment).designs.faulty
    assert "printed nothing" in fault.text


def test_the_choice_is_one_of_the_table(capsys):
    assert main(["configure", "--provider", "python=other"]) == 2
    assert "python=auto or python=real or python=embedded" in capsys.readouterr().err


def test_bindings_run_a_module_of_a_package_as_one(project, install):
    package = project.folder / "ours" / "designs"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "beside.py").write_text("")
    (package / "two.py").write_text(DESIGN.replace("import _beside", "from . import beside"))
    (project.folder / "toolchain.toml").write_text(
        '[design.two]\nsource = "ours/designs/two.py"\nmodule = "ours.designs.two"\n'
    )
    (project.folder / "mlir" / "one.py").unlink()
    (design,) = project("real", {"MLIR_AIE_INSTALL_DIR": str(install)}).designs.designs
    assert "%theirs" in Path(design.mlir).read_text()


def test_the_verb_takes_bindings_when_that_is_asked_for(project, install, capfd, monkeypatch):
    monkeypatch.setenv("MLIR_AIE_INSTALL_DIR", str(install))
    script = str(project.folder / "mlir" / "one.py")
    assert main(["python", "--provider", "real", script]) == 0
    assert "%theirs" in capfd.readouterr().out
    assert main(["python", "--provider=auto", script]) == 0
    said = capfd.readouterr()
    assert "%theirs" in said.out
    assert f"by the bindings of MLIR-AIE in {install / 'python'}" in said.err
    assert main(["python", script]) == 0
    assert "%theirs" not in capfd.readouterr().out
    assert main(["python", "--provider", "real", "--device", "npu2", script]) == 2
    assert "--device npu2 is for npuninja's own bindings" in capfd.readouterr().err


def test_the_verb_without_bindings_says_what_it_took(project, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("MLIR_AIE_INSTALL_DIR", str(tmp_path))
    script = str(project.folder / "mlir" / "one.py")
    assert main(["python", "--provider", "auto", script]) == 0
    assert "run by npuninja; MLIR-AIE's bindings are not usable here" in capfd.readouterr().err
    assert main(["python", "--provider", "real", script]) != 0
    assert "mlir-aie-python is not usable" in capfd.readouterr().err


def test_a_jitted_design_beside_bindings_is_said_to_be_printed_by_npuninja(
    project, install, capfd, monkeypatch
):
    (project.folder / "mlir" / "one.py").write_text(WHOLE_JITTED)
    monkeypatch.setenv("MLIR_AIE_INSTALL_DIR", str(install))
    main(["configure", "-S", str(project.folder), "-B", str(project.folder / "build")])
    assert "printed by npuninja: one (under @iron.jit" in capfd.readouterr().out
