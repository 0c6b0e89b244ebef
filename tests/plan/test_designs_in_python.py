"""Designs in Python while planning: where they are run, and what keeps them from being printed again."""

import os

import pytest

from npuninja.errors import UserError
from npuninja.plan.design_reader import DesignReader, ScanCache
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.designs import find_designs

DESIGN = """
from aie.dialects.aie import AIEDevice, device
from aie.dialects.aiex import runtime_sequence
from aie.extras.context import mlir_mod_ctx

with open("names.txt") as stream:
    name = stream.read().strip()
with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        @runtime_sequence(sym_name=name)
        def sequence():
            pass

print(ctx.module)
"""


def test_a_script_reads_files_where_it_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "names.txt").write_text("start")
    (tmp_path / "design.py").write_text(DESIGN)
    settings = {"d": DesignSettings("d", source="design.py", folder="data")}
    found, refused = find_designs(".", settings)
    assert not refused
    design = DesignReader("build", ScanCache("cache.json")).read(found["d"])
    assert [run.name for c in design.configurations for run in c.sequences] == ["start"]
    settings = {"d": DesignSettings("d", source="design.py")}
    with pytest.raises(UserError, match="failed with exit code 1"):
        DesignReader("build", ScanCache("cache.json")).read(find_designs(".", settings)[0]["d"])
    settings = {"d": DesignSettings("d", source="design.py", folder="nowhere")}
    assert "there is no folder 'nowhere'" in find_designs(".", settings)[1][0].text


COUNTED = """
import sys, beside
from aie.dialects.aie import AIEDevice, device
from aie.dialects.aiex import runtime_sequence
from aie.extras.context import mlir_mod_ctx

with open("runs", "a") as stream:
    stream.write("x")
with mlir_mod_ctx() as ctx:

    @device(AIEDevice.npu1_1col)
    def body():
        @runtime_sequence(sym_name=beside.NAME + open(beside.__file__[:-9] + "data.txt").read().strip() + sys.argv[1])
        def sequence():
            pass

print(ctx.module)
"""


def test_a_script_is_run_again_when_something_it_depends_on_changes(tmp_path, monkeypatch):
    project, away = tmp_path / "project", tmp_path / "away"
    for folder in (project, away, tmp_path / "printed"):
        folder.mkdir()
    monkeypatch.chdir(project)
    (away / "design.py").write_text(COUNTED)
    (away / "beside.py").write_text('NAME = "a"\n')
    (away / "data.txt").write_text("b")

    def read(words):
        settings = {"d": DesignSettings("d", source=str(away / "design.py"), arguments=(words,))}
        cache = ScanCache(str(tmp_path / "cache.json"))
        design = DesignReader(str(tmp_path / "printed"), cache).read(find_designs(".", settings)[0]["d"])
        cache.save()
        assert {os.path.basename(path) for path in design.imports} >= {"beside.py", "data.txt"}
        return [run.name for c in design.configurations for run in c.sequences]

    def runs():
        return len((project / "runs").read_text())

    assert (read("z"), read("z"), runs()) == (["abz"], ["abz"], 1)
    steps = {
        "away/beside.py": ('NAME = "c"\n', "cbz"),  # a module outside of the project
        "away/data.txt": ("d", "cdz"),  # a file that it reads
        "printed/d.mlir": ("module {}", "cdz"),
        "cache.json": ("{]", "cdz"),
    }
    for count, (name, (text, sequence)) in enumerate(steps.items(), start=2):
        (tmp_path / name).write_text(text)
        assert (read("z"), runs()) == ([sequence], count), name
    assert (read("y"), runs()) == (["cdy"], 6)
