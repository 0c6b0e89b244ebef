"""Designs in Python while planning: where they are run, and what keeps them from being printed again."""

import pytest

from npuninja.errors import UserError
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.designs import ScanCache, find_designs, read_design

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
    design = read_design(found["d"], "build", ScanCache("cache.json"))
    assert [run.name for c in design.configurations for run in c.sequences] == ["start"]
    settings = {"d": DesignSettings("d", source="design.py")}
    with pytest.raises(UserError, match="failed with exit code 1"):
        read_design(find_designs(".", settings)[0]["d"], "build", ScanCache("cache.json"))
    settings = {"d": DesignSettings("d", source="design.py", folder="nowhere")}
    assert "there is no folder 'nowhere'" in find_designs(".", settings)[1][0].text
