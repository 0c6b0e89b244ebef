"""build.ninja.in is the user's: whatever Ninja's language has may be there, for Ninja and for Make."""

from __future__ import annotations

import pytest
from build_project import Project, make_can_build
from conftest import ROOT

SHIPPED = (ROOT / "build.ninja.in").read_text(encoding="utf-8")
OWN = """
rule note
  description = NOTE $out
  command = printf '%s\\n' $
    $text > $out
build hello: phony note.txt
build note.txt: note mlir/gain.mlir
  text = 'it is$ here'
"""
# As the table has it, in another order.
LOWER = """
rule lower
  restat = 1
  deps = gcc
  description = LOWER $out
  depfile = $out.d
  command = $stage lower --identity $python_identity $warning_options $options --depfile $out.d -o $out $in
"""


def test_statements_of_the_users_own_are_built(project: Project):
    project.write("build.ninja.in", SHIPPED + OWN + "build mine: phony all\n")
    project.configure()
    project.ninja("hello")
    assert (project.folder / "note.txt").read_text(encoding="utf-8") == "it is here\n"
    # The file is watched: another text, another note.
    project.edit("build.ninja.in", "it is", "now it is")
    project.ninja("hello")
    assert (project.folder / "note.txt").read_text(encoding="utf-8") == "now it is here\n"
    assert "mine: phony" in project.ninja("-t", "targets", "all").stdout


@make_can_build
def test_make_builds_them_too(project: Project):
    project.write("build.ninja.in", SHIPPED + OWN)
    project.configure("--generator", "make")
    printed = project.make("hello").stdout
    assert "NOTE note.txt" in printed
    assert (project.folder / "note.txt").read_text(encoding="utf-8") == "it is here\n"
    assert "NOTE" not in project.make("hello").stdout


def test_the_order_in_a_rule_does_not_take_it_out_of_its_batch(project: Project):
    project.configure()
    batches = {edge["rule"]: edge["batch"] for edge in project.graph()["edges"]}
    project.write("build.ninja.in", SHIPPED + LOWER)
    project.configure()
    text = (project.folder / "build.ninja").read_text(encoding="utf-8")
    assert text.count("\nrule lower\n") == 1
    assert {edge["rule"]: edge["batch"] for edge in project.graph()["edges"]} == batches
    assert batches["lower"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("build gain: phony mlir/gain.mlir\n", 1, "'gain' is made twice"),
        ("build hello: phony all\nbuild hello: phony all\n", 2, "'hello' is made twice"),
        ("a line of prose\n", 1, "this is not Ninja's language: 'a line of prose'"),
        ("build hello: nothing all\n", 1, "unknown build rule 'nothing'"),
        ("rule x\n  command = @NOBODY@\n", 2, "there is no value for @NOBODY@"),
        ("pool p\n  depth = -1\n", 2, "Ninja does not accept this line"),
    ],
)
def test_a_users_mistake_is_located_and_no_bug(project: Project, text, line, message):
    project.write("build.ninja.in", SHIPPED + text)
    printed = project.configure(code=2).stderr
    assert message in printed
    assert f"build.ninja.in:{SHIPPED.count(chr(10)) + line}" in printed
    assert not (project.folder / "build.ninja").exists()


def test_a_template_that_lacks_a_rule_says_how_to_get_it(project: Project):
    project.write("build.ninja.in", SHIPPED.replace("@RULES@\n", "").replace("rule doctor", "rule doktor"))
    printed = project.configure(code=2).stderr
    assert "there is no rule" in printed
    assert "@RULES@" in printed


@make_can_build
def test_make_cannot_read_what_is_included(project: Project):
    project.write("build.ninja.in", SHIPPED + "include more.ninja\n")
    printed = project.configure("--generator", "make", code=2).stderr
    assert "Make cannot read 'more.ninja'" in printed
