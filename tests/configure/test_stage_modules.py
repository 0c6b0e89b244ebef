"""The digests of what stages consist of."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from npuninja.configure.planned import modules_stamp
from npuninja.configure.stage_modules import BY_NAME, stage_modules
from npuninja.depfile import read_depfile
from npuninja.remote.identities import INSTALLATIONS, PROGRAMS, package_files
from npuninja.stages.table import digested_stages, module_of, rules

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "npuninja"
FILES = {
    "__init__.py": "",
    "errors.py": "",
    "stages/__init__.py": "",
    "stages/__main__.py": "from npuninja.errors import (\n    Error,  # (a comment)\n)\n",
    "stages/batch.py": "",
    "stages/one.py": "def run():\n    from npuninja.parts import left\n",
    "stages/two.py": "import npuninja.parts.right\n",
    "parts/__init__.py": "",
    "parts/left.py": "from npuninja.parts.deep import thing\n",
    "parts/deep.py": "",
    "parts/right.py": "",
    "parts/include/right.h": "",
    "parts/apart/__init__.py": "",
    "parts/apart/table.json": "",
}


@pytest.fixture
def package(tmp_path):
    """A made-up package of two stages."""
    for name, text in FILES.items():
        path = tmp_path / "npuninja" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "npuninja"


def digests(package):
    return found(package, str(package.parent)).digests


def found(package, build_folder, for_all=False):
    stamp = modules_stamp(str(package))
    return stage_modules(str(package), stamp, ("one", "two"), build_folder, for_all)


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        ("errors.py", {"one", "two"}),
        ("parts/__init__.py", {"one", "two"}),
        ("stages/batch.py", {"one", "two"}),
        ("stages/one.py", {"one"}),
        ("parts/left.py", {"one"}),
        ("parts/deep.py", {"one"}),
        ("parts/right.py", {"two"}),
        ("parts/include/right.h", {"one", "two"}),
        ("parts/apart/table.json", set()),
    ],
)
def test_a_changed_module_changes_the_stages_that_consist_of_it(package, changed, stages):
    before = digests(package)
    with (package / changed).open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    after = digests(package)
    assert {stage for stage in before if before[stage] != after[stage]} == stages


def test_another_build_folder_takes_what_is_known_of_the_package(package, tmp_path, monkeypatch):
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path / "user"))

    def in_folder(name):
        return found(package, str(tmp_path / name), for_all=True)

    first = in_folder("a")
    with monkeypatch.context() as patch:
        patch.setattr("npuninja.configure.stage_modules._found", None)  # nothing is to be read again
        assert in_folder("b") == first
        assert in_folder("b") == first, "now by what that folder has"
    (package / "parts/left.py").write_text("# changed\n", encoding="utf-8")
    assert in_folder("c").digests["one"] != first.digests["one"]
    (package / "parts/deep.py").unlink()
    assert str(package / "parts/deep.py") not in in_folder("d").files
    for kept in (tmp_path / "user/stage_modules").iterdir():
        kept.write_bytes(kept.read_bytes()[:-1])
    with monkeypatch.context() as patch:
        patch.setattr("npuninja.configure.stage_modules._found", lambda *_: first)
        assert in_folder("e") == first, "what is damaged counts as not there"


def test_a_touched_module_changes_nothing(package):
    before = digests(package)
    os.utime(package / "parts/deep.py", ns=(1, 1))
    assert digests(package) == before


def test_the_last_answer_is_taken_while_nothing_changes(package):
    digests(package)
    kept = package.parent / "stage_modules.json"
    content = json.loads(kept.read_text(encoding="utf-8"))
    kept.write_text(json.dumps({**content, "digests": {"one": "kept", "two": "kept"}}), encoding="utf-8")
    assert digests(package) == {"one": "kept", "two": "kept"}
    kept.write_text("damaged", encoding="utf-8")
    assert digests(package) == content["digests"]


def test_computed_imports_are_known(tmp_path):
    """Each `__import__` in what stages consist of is one of `BY_NAME`, or that of the stage itself."""
    files = stage_modules(str(PACKAGE), "", digested_stages(), str(tmp_path)).files
    computed = {
        os.path.relpath(file, ROOT)[:-3].replace(os.sep, ".")
        for file in files
        if file.endswith(".py")
        and re.search(r"__import__\(|import_module\((?!\"toml\")", Path(file).read_text(encoding="utf-8"))
    }
    assert computed == {*BY_NAME, "npuninja.stages.__main__", "npuninja.stages.batch"}


def test_stages_load_no_other_modules(project, tmp_path):
    """What their depfiles name when the command does not say the modules."""
    project.write("toolchain.toml", '[providers]\npdi = "embedded"\n')
    project.configure("--separate-stages")
    project.ninja()
    known = set(stage_modules(str(PACKAGE), "", digested_stages(), str(tmp_path)).files)
    counted = set(package_files(str(PACKAGE)))  # what the identity of another machine's npuninja is made of
    tried = set()
    for command in project.commands("all"):
        words = shlex.split(command)
        if "--modules" not in words:
            continue
        words = words[words[0] == "exec" :]
        place = words.index("--modules")
        tried.add(words[place - 1])
        del words[place : place + 2]
        subprocess.run(words, cwd=project.folder, check=True, capture_output=True)
        read = read_depfile(str(project.folder / words[words.index("--depfile") + 1]))
        loaded = {path for path in read if path.startswith(str(PACKAGE)) and path.endswith(".py")}
        assert str(PACKAGE / "errors.py") in loaded
        assert loaded <= known, words
        assert loaded <= counted, words
    assert {"kernel_cc", "lower", "route", "sequence", "core_code", "core_link", "cdo", "manifest"} <= tried


def test_a_workers_identity_is_of_all_that_its_stages_consist_of(tmp_path):
    """The stages that the table offers to other machines, with the tools of their providers."""
    known, tools = set(package_files(str(PACKAGE))), set()
    remote = [(row, provider) for _, row, provider in rules() if provider.remote]
    assert remote
    for row, provider in remote:
        module = module_of(row, provider).name
        files = stage_modules(str(PACKAGE), "", (module,), str(tmp_path)).files
        read = {file for file in files if not file.endswith((".md", ".typed"))}
        assert read <= known, f"{module}: {sorted(read - known)}"
        tools |= set(provider.tools)
    assert tools <= {*PROGRAMS, *INSTALLATIONS}
