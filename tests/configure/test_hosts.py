"""What toolchain.toml and the folder host/ say of host programs."""

import importlib.util
import sys

import pytest

from npuninja.configure.hosts import has_hosts, has_sources, read_hosts
from npuninja.configure.settings import Settings, read_settings
from npuninja.errors import UserError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "host").mkdir()
    (tmp_path / "toolchain.toml").write_text("")

    def read(text="", *files):
        (tmp_path / "toolchain.toml").write_text(text)
        for file in files:
            name, _, content = file.partition(":")
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content)
        settings = read_settings("toolchain.toml")
        programs = read_hosts(settings, {"XRT": "/xrt"}, str(tmp_path), {"gain", "mel"})
        return {program.name: program for program in programs}

    return read


def test_files_in_host_are_programs_by_their_names(project):
    programs = project("", "host/gain.cpp", "host/mel_test.py:import pyxrt", "host/mel.py", "host/other.cpp")
    assert set(programs) == {"gain", "mel_test"}
    gain, test = programs["gain"], programs["mel_test"]
    assert (gain.sources, gain.designs, gain.is_script) == (("host/gain.cpp",), ("gain",), False)
    assert gain.arguments == ("-x", "{xclbin}", "-i", "{insts}", "-k", "MLIR_AIE")
    assert (test.sources, test.designs, test.module) == (("host/mel_test.py",), ("mel",), "pyxrt")


def test_a_table_says_everything(project):
    text = """
[host.check]
sources = ["tests/check.cc", "/lib/tools.cpp"]
include = ["$XRT/include", "inc"]
defines = ["A"]
arguments = ["{xclbin}"]
folder = "tests"
time-limit-s = 7
designs = ["mel"]
"""
    with pytest.raises(UserError, match=r"there is no file tests/check\.cc"):
        project(text)
    text = text.replace('"tests/check.cc", "/lib/tools.cpp"', '"check.cc"')
    program = project(text, "check.cc")["check"]
    assert program.include == ("/xrt/include", "inc")
    assert (program.defines, program.folder, program.time_limit_s) == (("A",), "tests", 7)
    assert program.designs == ("mel",)


MODULES = {
    "import pyxrt as xrt\nfrom aie.utils import x": "both",
    "from aie.utils.xrt import setup_aie": "aie",
    "def f():\n    import pyxrt": "pyxrt",
    "import numpy": "",
}


@pytest.mark.parametrize("content", MODULES)
def test_the_module_of_a_script(project, content):
    assert project("[host.x]\n", f"host/x.py:{content}")["x"].module == MODULES[content]


IMPORTS = {
    "import torch, os\nimport numpy as np": (),
    "import nowhere_to_be_found.part as p\nfrom also_nowhere import x\nimport aie.iron": (
        "nowhere_to_be_found",
        "also_nowhere",
    ),
    "try:\n    import nowhere_to_be_found\nexcept ImportError:\n    pass": (),
    "def f():\n    import nowhere_to_be_found": (),
    "import beside\nfrom . import what": (),
    "import pyxrt, nowhere_to_be_found": (),
    "import sys\nsys.path.append('deeper')\nimport under": (),
    "import sys\nsys.path.append('host/deeper')\nimport under": (),
    "import sys\nsys.path.append('else')\nimport under": ("under",),
    "import os, sys\nsys.path.insert(0, os.path.abspath('deeper'))\nimport nowhere_to_be_found": (),
}


@pytest.mark.parametrize("content", IMPORTS)
def test_packages_that_this_python_does_not_have_are_known_before_the_build(project, monkeypatch, content):
    monkeypatch.setitem(sys.modules, "torch", type(sys)("torch"))
    sys.modules["torch"].__spec__ = importlib.util.find_spec("json")
    program = project("[host.x]\n", f"host/x.py:{content}", "host/beside.py:", "host/deeper/under.py:")["x"]
    missing = IMPORTS[content]
    if missing:
        assert f"needs {' and '.join(missing)}, which" in program.refused
        assert f"pip install {' '.join(missing)}" in program.refused
    else:
        assert program.refused == ""


def test_what_an_import_found_is_why_a_program_is_refused(project):
    program = project('[host.x]\nrefused = "it needs OpenCV"\n')["x"]
    assert (program.sources, program.refused) == ((), "it needs OpenCV")


WRONG = {
    "has no sources": "[host.x]\n",
    "neither C, C++ nor Python": '[host.x]\nsources = ["toolchain.toml"]\n',
    "among several sources": '[host.x]\nsources = ["a.py", "b.cpp"]\n',
    "names the design 'nope'": '[host.x]\nsources = ["b.cpp"]\ndesigns = ["nope"]\n',
    "cannot be the name": '[host."a-b"]\nsources = ["b.cpp"]\n',
    "a number above 0": '[host.x]\nsources = ["b.cpp"]\ntime-limit-s = 0\n',
    "not Python": '[host.x]\nsources = ["broken.py"]\n',
}


@pytest.mark.parametrize("message", WRONG)
def test_mistakes_have_their_place(project, message):
    with pytest.raises(UserError) as found:
        project(WRONG[message], "a.py", "b.cpp", "broken.py:x = (")
    assert message in found.value.message
    assert found.value.location.line >= 1


def test_a_project_without_host_programs(project, tmp_path):
    project()
    assert not has_hosts(read_settings("toolchain.toml"))


@pytest.mark.parametrize(
    ("files", "hosts", "sources"),
    [
        (("run.py", "gain.py"), False, False),
        (("self_test.py",), False, False),  # the reference of the design `self_test`
        (("gain_test.py",), True, False),
        (("gain.cpp",), True, True),
    ],
)
def test_what_makes_a_project_one_with_host_programs(tmp_path, monkeypatch, files, hosts, sources):
    """g++ is tried for programs to be compiled only, which takes longer than all other tools together."""
    (tmp_path / "host").mkdir()
    for name in files:
        (tmp_path / "host" / name).write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert has_hosts(settings, ("gain", "self_test")) is hosts
    assert has_sources(settings) is sources
