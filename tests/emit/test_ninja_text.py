"""Ninja's language as build.ninja.in may use it, in any legal form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from npuninja.emit.batch import parts_of
from npuninja.emit.ninja_text import BuildStatement, read_ninja
from npuninja.emit.place import place_build_file
from npuninja.emit.template import Template
from npuninja.errors import UserError
from npuninja.plan.graph import Edge, Graph

NINJA = str(Path(sys.executable).parent / "ninja")

TEXT = """\
# A comment
ninja_required_version = 1.5
out = made
  # an indented comment
long = one $
       two $$ three

pool two
  depth = 2
rule copy
  description = COPY $out
  # inside
  command = cp $in ${out}
build $out/a$ b.txt | $out/also : copy in$:1 $long | h.txt || order |@ proof
  flags = $out -x
  more = $flags
build hello: phony all
build a b: copy
default hello $out/a$ b.txt
include other.ninja
subninja ${out}.ninja
rule last
  command = true
"""


def test_every_statement_is_read():
    read = read_ninja(TEXT, "t")
    assert read.variables == {"ninja_required_version": "1.5", "out": "made", "long": "one two $ three"}
    assert read.rules == {
        "copy": {"description": "COPY $out", "command": "cp $in ${out}"},
        "last": {"command": "true"},
    }
    assert read.builds == [
        BuildStatement(
            line=14,
            rule="copy",
            outputs=("made/a b.txt",),
            implicit_outputs=("made/also",),
            inputs=("in:1", "one two $ three"),
            implicit=("h.txt",),
            order_only=("order",),
            validations=("proof",),
            variables={"flags": "made -x", "more": ""},  # Ninja looks outside the statement
        ),
        BuildStatement(
            17,
            "phony",
            outputs=("hello",),
            implicit_outputs=(),
            inputs=("all",),
            implicit=(),
            order_only=(),
            validations=(),
            variables={},
        ),
        BuildStatement(
            18,
            "copy",
            outputs=("a", "b"),
            implicit_outputs=(),
            inputs=(),
            implicit=(),
            order_only=(),
            validations=(),
            variables={},
        ),
    ]
    assert read.defaults == ["hello", "made/a b.txt"]
    assert read.included == [("other.ninja", 20), ("${out}.ninja", 21)]


def test_what_is_read_is_what_ninja_reads(tmp_path):
    """Ninja's own answer to the same text: the inputs and outputs of the statement with everything in it."""
    text = TEXT.replace("include other.ninja\nsubninja ${out}.ninja\n", "").replace(
        "phony all", "phony h.txt"
    )
    (tmp_path / "build.ninja").write_text(text, encoding="utf-8")
    command = [NINJA, "-C", str(tmp_path), "-t", "query", "made/a b.txt"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    build = read_ninja(text, "t").builds[0]
    inputs = [line.strip().lstrip("| ").removeprefix("@ ") for line in said[2 : said.index("  outputs:")]]
    assert sorted(i for i in inputs if i != "validations:") == sorted(
        (*build.inputs, *build.implicit, *build.order_only, *build.validations)
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rule a\n command = x\nbogus\n", 3),
        ("  x = 1\n", 1),
        ("rule a\n  command = x\n\n  description = y\n", 4),
        ("build a\n", 1),
        ("build : copy b\n", 1),
        ("x = 1\nbuild a:\n", 2),
        ("rule\n", 1),
        ("include x\n  y = 1\n", 2),
    ],
)
def test_what_is_not_ninja_is_located(text, line, tmp_path):
    with pytest.raises(UserError, match="not Ninja's language") as caught:
        read_ninja(text, "build.ninja.in")
    assert caught.value.location == ("build.ninja.in", line, 0)
    (tmp_path / "build.ninja").write_text(text, encoding="utf-8")
    assert subprocess.run([NINJA, "-C", str(tmp_path), "-n"], capture_output=True, check=False).returncode


def test_the_order_of_a_rules_variables_does_not_matter():
    rule = (
        "rule lower\n"
        "  description = LOWER $out\n"
        "  deps = gcc\n"
        "  command = $stage lower --depfile $out.d -o $out $in\n"
    )
    parts = parts_of(read_ninja(rule + "rule batch\n  command = x\n", "t").rules)
    assert parts["lower"] == ("--then lower -o $out $in", "LOWER")
    assert "batch" not in parts


def test_a_file_that_is_made_twice_is_located():
    template = Template("rule cp\n  command = x\nbuild mine: cp\nbuild all: phony mine\n", "build.ninja.in")
    graph = Graph(frozenset(), {})
    graph.add(Edge("phony", ("all",), inputs=("x",), owner="test"))
    with pytest.raises(UserError, match="'all' is made twice") as caught:
        template.check(graph)
    assert caught.value.location == ("build.ninja.in", 4, 0)


def test_what_ninja_refuses_is_blamed_on_the_line_of_the_template(tmp_path):
    template = Template("build mine: sopy b\n", "build.ninja.in")
    with pytest.raises(UserError, match="unknown build rule 'sopy'") as caught:
        place_build_file(str(tmp_path / "build.ninja"), "x = 1\nbuild mine: sopy b\n", NINJA, template, 2)
    assert caught.value.location == ("build.ninja.in", 1, 0)
