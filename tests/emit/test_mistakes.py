"""What people write wrongly in build.ninja.in and in what it includes: located there, and no bug of ours."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from npuninja.emit.ninja import template_line, write
from npuninja.emit.place import place_build_file
from npuninja.emit.template import Template
from npuninja.errors import Location, UserError
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.words import tool_variables

NINJA = str(Path(sys.executable).parent / "ninja")
SHIPPED = (ROOT / "build.ninja.in").read_text(encoding="utf-8")
CONFIGURED = ("build.ninja", "build/graph.json", "build/config.toml")
COPY = "rule copy\n  command = cp $in $out\n"
# What is wrong with a statement, the line of it, and what is said.
MISTAKES = [
    ("build gain: phony mlir/gain.mlir\n", 1, "'gain' is made twice: by this statement and by the build of"),
    ("build hello: phony all\nbuild hello: phony all\n", 2, "'hello' is made twice"),
    ("a line of prose\n", 1, "this is not Ninja's language: 'a line of prose'"),
    ("build hello: nothing all\n", 1, "unknown build rule 'nothing'"),
    ("rule x\n  command = @NOBODY@\n", 2, "for @NOBODY@ itself, write @@NOBODY@@"),
    ("pool p\n  depth = -1\n", 2, "invalid pool depth"),
    ("rule x\n  description = X\n", 1, "expected 'command =' line"),
    ("rule x\n  description = X\n\n# y\nx = 1\n", 1, "expected 'command =' line"),
    ("rule x\n  description = X\n# y\n# z\nx = 1\n", 1, "expected 'command =' line"),
    ("x = 1\nrule x\n  command = $\n    a $\n    b\n  rspfile = y\nx = 1\n", 2, "rspfile_content need"),
    ("pool p\nx = 1\n", 1, "expected 'depth =' line"),
    (COPY + "  pool = deep\nx = 1\nbuild hello: copy a\nx = 2\n", 5, "unknown pool name 'deep'"),
    (COPY + "build hello: copy a\n  pool = deep\n\n\n# y\nx = 2\n", 3, "unknown pool name 'deep'"),
    ("rule lower\n  command = x\n  pool = deep\n", 1, "unknown pool name 'deep'"),
    (COPY + "build $nobody: copy a\n", 3, "empty path"),
    ("x = 1\nninja_required_version = 99.0\nx = 2\n", 2, "incompatible with build file"),
    ("build build.ninja: phony\n", 1, "'build.ninja' is made twice: by this statement and by configure.py"),
    (COPY + "build build/graph.json: copy a\n", 3, "by configure.py"),
    (COPY + "build ./build//x/../config.toml: copy a\n", 3, "by configure.py"),
    (COPY + "build $builddir/./npu1_1col/wasm/gain/gain.xclbin: copy a\n", 3, "by the build of the designs"),
    ("include nowhere.ninja\nx = 1\n", 1, "loading 'nowhere.ninja'"),
    ("rule run\n  command = x\n", 1, "a rule 'run'"),
    ("rule size\n  command = x\n", 1, "a rule 'size'"),
    ("pool heavy\n  depth = 1\n", 1, "a pool 'heavy'"),
    ("rule x\n  command = x\nrule x\n  command = y\n", 3, "there is a rule 'x' already"),
    ("rule phony\n  command = x\n", 1, "duplicate rule 'phony'"),
    ("default nobody\n", 1, "unknown target 'nobody'"),
]


def place(folder: Path, text: str, shipped: str) -> None:
    """What configure.py does with a build.ninja.in, for a graph of three edges."""

    def load(path: str) -> tuple[str, str] | None:
        file = folder / path
        return (os.path.normpath(path), file.read_text(encoding="utf-8")) if file.is_file() else None

    template = Template(text, "build.ninja.in", tool_variables(), shipped, build_folder="build", load=load)
    graph = Graph(frozenset(template.rules), {})
    graph.add(Edge("lower", ("build/npu1_1col/wasm/gain/a.mlir",), inputs=("mlir/gain.mlir",)))
    graph.add(Edge("pdi", ("build/npu1_1col/wasm/gain/gain.xclbin",), inputs=("mlir/gain.mlir",)))
    graph.add(Edge("phony", ("gain",), inputs=("build/npu1_1col/wasm/gain/gain.xclbin",)))
    template.check(graph, CONFIGURED)
    names = {*re.findall(r"@([A-Z0-9_]+)@", template.whole)} - {"NOBODY"}
    places = {**dict.fromkeys(names, ("x",)), "BUILD_FOLDER": ("build",), "HEAVY_JOBS": ("1",)}
    content = write(graph, template, places, "", ("made by a test",))
    place_build_file(
        str(folder / "build.ninja"), content, NINJA, template, template_line(("made by a test",))
    )


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_the_statement_is_named(tmp_path, text, line, message):
    """Behind the rules that come with npuninja, and in front of these."""
    for before, behind, shipped in [
        ("", "", SHIPPED),
        ("# mine\nx = 1\n", "\n", SHIPPED),
        (SHIPPED, "", ""),
        (SHIPPED.replace("@RULES@\n", ""), "@RULES@\n", ""),
    ]:
        with pytest.raises(UserError) as caught:
            place(tmp_path, before + text + behind, shipped)
        assert message in caught.value.message + (caught.value.hint or "")
        expected = Location("build.ninja.in", before.count("\n") + line)
        assert caught.value.location is not None
        assert caught.value.location[:2] == expected[:2]
        assert not (tmp_path / "build.ninja").exists()


@pytest.mark.parametrize("word", ["include", "subninja"])
@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_the_statement_is_named_in_a_file_that_is_included(tmp_path, text, line, message, word):
    (tmp_path / "more.ninja").write_text(text, encoding="utf-8")
    own = f"x = 1\n{word} ./more.ninja\nx = 2\n"
    # Nothing is put in there, and `subninja` has rules of its own.
    scope = ("rule run", "rule size", "rule lower", "rule phony") if word == "subninja" else ()
    if text.startswith(("rule x\n  command = @", *scope)):
        place(tmp_path, own, SHIPPED)
        return
    with pytest.raises(UserError) as caught:
        place(tmp_path, own, SHIPPED)
    assert caught.value.location == ("more.ninja", line, 0)


def test_what_is_included_may_lead_to_itself(tmp_path):
    (tmp_path / "more.ninja").write_text("subninja other.ninja\n", encoding="utf-8")
    (tmp_path / "other.ninja").write_text("\ninclude more.ninja\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"'more.ninja' includes itself") as caught:
        place(tmp_path, "include more.ninja\n", SHIPPED)
    assert caught.value.location == ("other.ninja", 2, 0)


def test_what_is_legal_is_taken(tmp_path):
    """Rules and variables of an included file are there for what follows; those of `subninja` are not."""
    (tmp_path / "more.ninja").write_text(COPY + "there = $builddir/there\n", encoding="utf-8")
    (tmp_path / "below.ninja").write_text(COPY + "build two: copy $there\n", encoding="utf-8")
    text = "include more.ninja\nsubninja below.ninja\nbuild $there: copy mlir/gain.mlir\n"
    place(tmp_path, text, SHIPPED)
    made = (tmp_path / "build.ninja").read_text(encoding="utf-8")
    assert text in made
    with pytest.raises(UserError, match=r"'two' is made twice: .* by that of build.ninja.in:4"):
        place(tmp_path, text + "build two: phony\n", SHIPPED)
    with pytest.raises(UserError, match="'gain' is made twice"):
        place(tmp_path, text + "there = gain\nbuild $there: copy a\n", SHIPPED)
