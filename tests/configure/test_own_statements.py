"""build.ninja.in is the user's: whatever Ninja's language has may be there, for Ninja and for Make."""

from __future__ import annotations

import shutil
from pathlib import Path

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
        ("build hello: nothing all\n", 1, "unknown build rule 'nothing'"),
        ("rule x\n  command = @NOBODY@\n", 2, "there is no value for @NOBODY@"),
        ("rule x\n  description = X\n", 1, "expected 'command =' line"),
        ("build build.ninja: phony\n", 1, "by this statement and by configure.py"),
        ("build build/batches/../config.toml: phony\n", 1, "by this statement and by configure.py"),
        ("rule run\n  command = x\n", 1, "npuninja has a rule 'run' itself"),
    ],
)
def test_a_users_mistake_is_located_and_no_bug(project: Project, text, line, message):
    """More of them are in tests/emit/test_mistakes.py."""
    for word in ("", "include", "subninja"):
        if (word == "subninja" and "rule run" in text) or (word and "@NOBODY@" in text):
            continue  # it has rules of its own, and nothing is put into what is included
        own = f"{word} own/more.ninja\n" if word else f"# mine\n{text}"
        file, number = ("own/more.ninja", line) if word else ("build.ninja.in", line + 1)
        project.write("build.ninja.in", own)
        project.write("own/more.ninja", text)
        printed = project.configure(code=2).stderr
        assert message in printed
        assert f"{file}:{number}:" in printed
        assert not (project.folder / "build.ninja").exists()


def test_a_name_between_at_signs_may_stay_one(project: Project):
    rule = "rule fill\n  command = sed s/@@VERSION@@/1@@2/ $in > $out\n"
    project.write("build.ninja.in", rule + "build filled.txt: fill raw.txt\n")
    project.write("raw.txt", "of @VERSION@\n")
    project.configure()
    project.ninja("filled.txt")
    assert (project.folder / "filled.txt").read_text(encoding="utf-8") == "of 1@@2\n"


@pytest.mark.parametrize("generator", ["ninja", pytest.param("make", marks=make_can_build)])
def test_variables_are_commands_as_the_shell_has_them(project: Project, generator):
    """What is behind `$python` in a command, and in front of it, counts."""
    project.write("tool.py", "import os, sys\nopen(sys.argv[1], 'w').write(os.environ.get('A', '-'))\n")
    project.write(
        "build.ninja.in",
        "rule both\n  command = $python tool.py one && $python tool.py two\n"
        "rule with\n  command = env A=1 $python tool.py $out\n"
        "rule nice\n  command = nice $stage insts --help > $out\n"
        "build one two: both tool.py\nbuild three: with tool.py\nbuild four: nice\n",
    )
    project.configure("--generator", generator)
    for target in ("one", "three", "four"):
        project.ninja(target) if generator == "ninja" else project.make(target)
    read = [(project.folder / name).read_text(encoding="utf-8") for name in ("one", "two", "three")]
    assert read == ["-", "-", "1"]
    assert "insts" in (project.folder / "four").read_text(encoding="utf-8")


# A design and a kernel's source that a rule of the user's makes, and a design that is in an included file.
GENERATED = """\
rule q
  command = sed s/scale/scale/ $in > $out
build mlir/gain.mlir: q raw/gain.mlir
build kernels/gain/gain.c: q raw/gain.c
"""


def made(project: Project, design: str) -> list[Path]:
    """The design's XCLBIN."""
    return list((project.folder / "build").rglob(f"{design}.xclbin"))


@pytest.mark.parametrize("generator", ["ninja", pytest.param("make", marks=make_can_build)])
def test_sources_that_the_build_makes_come_first(project: Project, generator):
    """On a machine that has only what they are made of, and again when that changes."""
    shutil.move(project.folder / "mlir", project.folder / "raw")
    shutil.move(project.folder / "kernels/gain/gain.c", project.folder / "raw")
    project.write("build.ninja.in", GENERATED)

    def build() -> str:
        return (project.ninja() if generator == "ninja" else project.make()).stdout

    printed = project.configure("--generator", generator).stderr
    assert "build.ninja.in:3: note: mlir/gain.mlir is not there yet" in printed
    build()
    assert made(project, "gain")
    if generator == "ninja":
        assert "no work to do" in build()
    raw = project.folder / "raw/gain.mlir"
    raw.write_text(raw.read_text(encoding="utf-8") + "// more\n", encoding="utf-8")
    build()
    assert (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8").endswith("// more\n")
    assert "note:" not in project.configure("--generator", generator).stderr


def test_a_design_may_be_made_by_an_included_statement(project: Project):
    """It is one that was there, so it is among what configure.py looked at; and a new one joins it."""
    rule, gain, _ = GENERATED.split("build ")
    more = f"{rule}build {gain}build mlir/extra.mlir: q raw/gain.mlir\n"
    shutil.copytree(project.folder / "mlir", project.folder / "raw")
    for word in ("include", "subninja"):
        project.write("build.ninja.in", f"{word} more.ninja\n")
        project.write("more.ninja", more)
        project.configure()
        project.ninja("extra", "gain") if word == "subninja" else project.ninja()
        assert made(project, "extra")
    # The file is watched: what it no longer makes is a source like others.
    project.write("more.ninja", rule)
    project.ninja()
    assert "no work to do" in project.ninja().stdout


def test_a_generated_design_may_be_asked_for_before_it_is_there(project: Project):
    project.write(
        "build.ninja.in", "rule q\n  command = cp $in $out\nbuild mlir/extra.mlir: q mlir/gain.mlir\n"
    )
    project.configure("extra")
    project.ninja()
    assert made(project, "extra")
    assert not made(project, "gain")
    assert "there is no design 'extre'" in project.configure("extre", code=2).stderr


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
