import pytest

from npuninja.emit.make import makefile
from npuninja.emit.ninja_text import expand, read_ninja
from npuninja.errors import UserError
from npuninja.plan.graph import Edge, Graph

TEMPLATE = """\
# A comment.
tool = /bin/cp$$
run = $tool -v

pool npu
  depth = 1

rule copy
  command = $run $options --depfile $out.d $in ${out}
  description = COPY $out
  depfile = $out.d

rule configure
  command = configure it
"""


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$a-b", "1"),
        ("${a}b", "xb"),
        ("$$a", "$a"),
        ("a$ b$:c", "a b:c"),
        ("$unknown.d", ".d"),
        ("plain", "plain"),
    ],
)
def test_dollars_mean_what_they_mean_to_ninja(text, expanded):
    assert expand(text, {"a": "x", "a-b": "1"}) == expanded


def test_rules_are_read_with_their_variables():
    rules = read_ninja(TEMPLATE, "build.ninja.in")
    scope = {"in": "i", "out": "o", "options": "-x"}
    assert rules.value("copy", "command", scope) == "/bin/cp$ -v -x --depfile o.d i o"
    assert rules.value("copy", "pool", scope) == ""
    assert "npu" not in rules.rules


def graph(output: str) -> Graph:
    graph = Graph(frozenset({"copy"}), {}, defaults=("all",))
    graph.add(
        Edge(
            "copy",
            (output,),
            inputs=("i.txt",),
            implicit=("h.txt",),
            implicit_outputs=("also.txt",),
            options=("it's",),
            owner="test",
        )
    )
    graph.add(Edge("phony", ("all",), inputs=(output,), owner="test"))
    return graph


def test_an_edge_is_a_stamp_and_outputs_that_depend_on_it():
    text = makefile(
        graph("o.txt"),
        read_ninja(TEMPLATE, "build.ninja.in"),
        {},
        "build.mk",
        "configured",
        ["in.toml"],
        ["made"],
    )
    block = next(block for block in text.split("\n\n") if block.startswith("o.txt.made-"))
    stamp, said, command, outputs = block.split("\n")
    name = stamp.split(":")[0]
    assert stamp == f"{name}: i.txt h.txt $(call made,o.txt) $(call made,also.txt)"
    assert said == "\t@echo 'COPY o.txt'"
    quoted = "'it'\"'\"'s'"
    assert command == (
        f"\t@/bin/cp$$ -v {quoted} --depfile o.txt.d i.txt o.txt --depfile-target $@ && rm -f o.txt.made-* "
        "&& touch $@"
    )
    assert outputs == f"o.txt also.txt: {name} ;"


@pytest.mark.parametrize("name", ["a b", "a:b", "a$b", "a#b", "a%b", "a*b", "a\\b", "a;b", "~a", "a'b"])
def test_names_that_mean_something_to_make_are_refused(name):
    with pytest.raises(UserError, match="Make cannot build"):
        makefile(graph(name), read_ninja(TEMPLATE, "build.ninja.in"), {}, "build.mk", "configured", [], [])
