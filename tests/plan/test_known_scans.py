"""What one build folder found in a design's text, another one need not read again."""

import os

import pytest

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.plan.design_reader import DesignReader, ScanCache
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.designs import find_designs
from npuninja.plan.known_scans import KnownScans

TEXT = """\
module {
  aie.device(npu1_1col) {
    %tile = aie.tile(0, 2)
    %core = aie.core(%tile) {
      aie.end
    } {link_with = "gain.o"}
    aie.runtime_sequence @sequence(%in : memref<4xi32>) {
    }
  }
}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A design as text; texts that are parsed are counted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path / "user"))
    (tmp_path / "mlir").mkdir()
    (tmp_path / "mlir/d.mlir").write_text(TEXT)
    return Scanned(monkeypatch)


class Scanned:
    """Reads the design as further build folders do."""

    def __init__(self, monkeypatch):
        self.parsed, self.state = [], "one"
        monkeypatch.setattr("npuninja.ir.parser.parse_module", self.parse)

    def parse(self, text, file):
        self.parsed.append(file)
        return parse_module(text, file)

    def read(self, settings=()):
        known = KnownScans(".", lambda: self.state)
        reader = DesignReader("build", ScanCache("none.json"), scans=known)
        found, refused = find_designs(".", dict(settings))
        assert not refused
        try:
            return reader.made(
                found["d"], reader.known_print(found["d"]) if found["d"].path.endswith(".py") else None
            )
        finally:
            known.save()


def test_a_text_is_scanned_once_for_all_build_folders(project):
    first = project.read()
    assert project.read() == first
    assert project.parsed == ["mlir/d.mlir"]
    assert first.configurations[0].cores[0].objects[0].location.line > 1


def test_what_decides_a_scan_is_seen(project, tmp_path):
    project.read()
    (tmp_path / "mlir/d.mlir").write_text(TEXT.replace("@sequence", "@other"))
    assert [s.name for c in project.read().configurations for s in c.sequences] == ["other"]
    project.state = "another npuninja"
    project.read()
    assert len(project.parsed) == 3
    os.rename("mlir/d.mlir", "d.mlir")
    elsewhere = {"d": DesignSettings("d", source="d.mlir")}
    assert project.read(elsewhere).configurations[0].location.file == "d.mlir"
    assert len(project.parsed) == 4
    for kept in (tmp_path / "user/scans").iterdir():
        kept.write_bytes(kept.read_bytes()[:-1])
    project.read(elsewhere)
    assert len(project.parsed) == 5


def test_a_text_that_is_refused_is_refused_each_time(project, tmp_path):
    (tmp_path / "mlir/d.mlir").write_text(TEXT.replace("npu1_1col", "npu7"))
    for _ in range(2):
        with pytest.raises(UserError, match="npu7"):
            project.read()


PRINTS = "from _text import TEXT\nprint(TEXT)\n"
OPEN = "import os\n" + PRINTS


@pytest.mark.parametrize(("script", "runs"), [(PRINTS, 1), (OPEN, 2)])
def test_what_a_script_prints_by_its_text_alone_is_printed_once(project, tmp_path, monkeypatch, script, runs):
    (tmp_path / "mlir/d.mlir").unlink()
    (tmp_path / "mlir/d.py").write_text(script)
    module = tmp_path / "mlir/_text.py"
    module.write_text(f"TEXT = '''{TEXT}'''\n")
    started = []
    start = DesignReader.start
    monkeypatch.setattr(
        DesignReader, "start", lambda self, source: started.append(source) or start(self, source)
    )
    first = project.read()
    assert project.read() == first
    assert len(started) == runs
    assert [os.path.realpath(path) for path in first.imports] == [os.path.realpath(module)]
    module.write_text(f"TEXT = '''{TEXT.replace('@sequence', '@other')}'''\n")
    assert [s.name for c in project.read().configurations for s in c.sequences] == ["other"]
