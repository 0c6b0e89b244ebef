import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from npuninja.emit.ninja import batch_statement, generator_statements, needed, statement, write
from npuninja.emit.ninja_text import expand, read_ninja
from npuninja.emit.place import place_build_file
from npuninja.emit.shared_batches import shared_batches
from npuninja.emit.shared_options import FEWEST_EDGES
from npuninja.emit.template import Template, fill
from npuninja.errors import InternalError, UserError
from npuninja.plan.graph import Batch, Edge, Graph
from npuninja.records import replace

NINJA = str(Path(sys.executable).parent / "ninja")
NOTHING = Template("", "build.ninja.in")


def test_placeholders_are_filled():
    assert fill("x = @ONE@ @TWO@\n", "t", {"ONE": "1", "TWO": "2"}) == "x = 1 2\n"


def test_an_unknown_placeholder_is_located():
    with pytest.raises(UserError, match="no value for @TYPO@") as error:
        fill("a\nx = @TYPO@\n", "build.ninja.in", {"KNOWN": ""})
    assert error.value.location is not None
    assert error.value.location[1:] == (2, 5)
    assert error.value.hint == "for @TYPO@ itself, write @@TYPO@@"
    with pytest.raises(UserError) as error:
        fill("x = @KNOWM@\n", "build.ninja.in", {"KNOWN": ""})
    assert (error.value.hint or "").startswith("did you mean 'KNOWN'?")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("@@ONE@@", "@ONE@"),
        ("@@@ONE@@@", "@@ONE@@"),
        ("a@@ONE@", "a@1"),
        ("@ONE@@ONE@", "11"),
        ("@@ -1 +1 @@ @one@ @words", "@@ -1 +1 @@ @one@ @words"),
    ],
)
def test_at_signs_that_stay(text, filled):
    assert fill(text, "t", {"ONE": "1"}) == filled


def test_statement_of_an_edge():
    edge = Edge(
        "cc",
        ("o ut",),
        inputs=("i$n",),
        implicit=("imp",),
        implicit_outputs=("also",),
        options=("-D", "A B"),
    )
    assert statement(edge) == "build o$ ut | also: cc i$$n | imp\n  options = -D 'A B'"


def test_a_target_needs_what_is_not_made_on_the_way():
    image = Edge("pdi", ("d/pdi",), inputs=("d/cdo",))
    manifest = Edge(
        "manifest", ("d/x.json",), inputs=("d/pdi",), implicit=("d/insts",), implicit_outputs=("d/ref",)
    )
    batch = Batch((image, manifest), "d/.stages")
    for makers in (
        {"d/pdi": image, "d/x.json": manifest, "d/ref": manifest},
        dict.fromkeys(("d/pdi", "d/x.json", "d/ref"), batch),
    ):
        run = Edge(
            "run", ("run-x",), inputs=("d/x.json",), implicit=("d/pdi", "d/insts", "d/ref", "d/vectors")
        )
        assert needed(run, makers) == (("d/x.json",), ("d/vectors",))
        assert statement(run) == "build run-x: run d/x.json | d/pdi d/insts d/ref d/vectors"
        alias = Edge("phony", ("x",), inputs=("d/insts", "d/pdi", "d/x.json"))
        assert needed(alias, makers) == (("d/x.json",), ())
        # Two of one command: one of them stays.
        assert needed(Edge("phony", ("y",), inputs=("d/ref", "d/x.json")), makers) == (("d/x.json",), ())


def test_an_alias_of_aliases_names_the_files():
    """Ninja would look for files of the names between."""
    one, other = (
        Edge("phony", ("x",), inputs=("d/x",)),
        Edge("phony", ("y",), inputs=("d/y",), validations=("d/y.ok",)),
    )
    alias = Edge("phony", ("all",), inputs=("x", "y", "z"))
    assert statement(alias, {"x": one, "y": other}) == "build all: phony d/x y z"


def test_targets_that_do_the_same_are_one_statement():
    template = "rule test\n  command = test $options $in\nrule configure\n  command = true\n"
    graph = Graph(frozenset({"test"}), {})
    for name in ("test-x", "check-x", "test-y"):
        graph.add(Edge("test", (name,), inputs=(name[-1],), options=("--brief",)))
    graph.add(Edge("test", ("more-x",), inputs=("x",), options=("--more",)))
    text = write(graph, Template(template, "t"), {}, "", ())
    statements = [line for line in text.splitlines() if line.startswith("build")]
    assert statements == ["build test-x check-x: test x", "build test-y: test y", "build more-x: test x"]


def test_designs_of_one_kind_share_rules(tmp_path):
    """Ninja runs the same commands as with statements of their own, with odd names too."""
    template = (
        "stage = cat\nrule one\n  command = $stage one --depfile $out.d -o $out $in\n"
        "rule two\n  command = $stage two --depfile $out.d $options -o $out $in\n"
        "rule batch\n"
        "  command = echo $steps\n"
        "  description = $says\n"
        "  depfile = $record\n"
        "rule configure\n"
        "  command = true\n"
    )
    commands = []
    for designs in (["gain"], ["gain2", "gain", "mix"]):
        graph = Graph(frozenset({"one", "two", "batch"}), {})
        for name in designs:
            folder = f"b ui/{name}"
            first = Edge("one", (f"{folder}/a.mlir",), inputs=(f"mlir/{name}.mlir",))
            options = ("--name", name, "--gain", "1") if name != "mix" else ("--other", "gain")
            second = Edge("two", (f"{folder}/{name}.json",), inputs=(f"{folder}/a.mlir",), options=options)
            for edge in (first, second):
                graph.add(edge)
            graph.batches = (*graph.batches, Batch((first, second), f"{folder}/.stages0"))
        text = write(graph, Template(template, "t"), {}, "# no generator here", [])
        assert text.count("\nrule batch_") == (1 if len(designs) > 1 else 0)
        (tmp_path / "build.ninja").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [NINJA, "-C", str(tmp_path), "-t", "commands", "b ui/gain/gain.json"], check=True, capture_output=True, text=True
        )  # fmt: skip
        commands.append(done.stdout)
    assert commands[0] == commands[1]
    assert "--name gain --gain 1" in commands[0]


def test_words_that_designs_share_are_in_a_file():
    """The command of a statement names it; for a design it says what that design's batch says."""
    template = Template(
        "stage = cat\n"
        "identity = 1 $$\n"
        "rule one\n"
        "  command = $stage one $identity --depfile $out.d $options -o $out $in\n"
        "rule batch\n  command = $stage --depfile $record @$record.words\n  rspfile = $record.words\n"
        "  rspfile_content = -o $out $steps\n  depfile = $record\n  description = $says\n",
        "t",
    )
    batches = []
    for name, option in [("gain", "a$b c"), ("mix", "a$b c"), ("other", "more"), ("it's", "a$b c")]:
        first = Edge("one", (f"b ui/{name}/a",), inputs=(f"{name}.c",), options=(option,))
        batches.append(Batch((first, Edge("one", (f"b ui/{name}/{name}",))), f"b ui/{name}/.stages0"))
    read = read_ninja(template.whole, "t")
    shared = shared_batches(batches, template.batch_parts, read, "build/batches")
    rules = [shared.commands[batch.name].rule for batch in batches]
    assert rules == ["batch_1", "batch_1", "batch", "batch"]
    assert shared.commands[batches[1].name].variables == {}
    assert batch_statement(batches[1], shared.commands[batches[1].name]).startswith(
        "build b$ ui/mix/a | b$ ui/mix/mix: batch_1 mix.c"
    )
    ((path, content),) = shared.files.items()
    assert f"  command = cat --depfile $out.d @{path} $out\n" in shared.rules
    assert "  depfile = $out.d\n" in shared.rules
    assert "rspfile" not in shared.rules
    for batch in batches[:2]:
        alone = shared_batches([batch], template.batch_parts, read).commands[batch.name].variables
        scope = {**alone, "out": " ".join(f"'{path}'" for path in batch.outputs)}
        folder, design = batch.name.removesuffix("/.stages0"), batch.edges[0].inputs[0].removesuffix(".c")
        said = content.replace("${folder}", folder).replace("${design}", design)
        expected = f"-o {scope['out']} {expand(alone['steps'], read.variables)}"
        assert shlex.split(said) == shlex.split(expected)
    # Without a place for files the words stay in the rule.
    assert shared_batches(batches, template.batch_parts, read).files == {}
    # What would read like a place in the text keeps its own words.
    odd = [Batch(tuple(replace(e, options=("${folder}",)) for e in b.edges), b.name) for b in batches]
    assert shared_batches(odd, template.batch_parts, read, "build/batches").files == {}


def test_batches_of_stages_that_find_no_files_have_no_record():
    """A rule that the table of stages has says whether its stage does; of another one nobody knows."""
    template = Template(
        "stage = s\nrule insts\n  command = $stage insts --depfile $out.d $options -o $out $in\n"
        "rule manifest\n  command = $stage manifest --depfile $out.d $options -o $out $in\n"
        "rule own\n  command = $stage own --depfile $out.d $options -o $out $in\n"
        "rule batch\n  command = $stage --depfile $record @$record.words\n  rspfile = $record.words\n"
        "  rspfile_content = -o $out $steps\n  depfile = $record\n  deps = gcc\n  description = $says\n",
        "t",
    )
    read = read_ninja(template.whole, "t")
    for rule, options, recorded in [
        ("insts", (), False),
        ("manifest", (), False),
        ("manifest", ("--reference", "host/of_all.py"), True),
        ("own", (), True),
    ]:
        batches = [
            Batch(
                (Edge("insts", (f"b/{n}/i",)), Edge(rule, (f"b/{n}/j",), options=options)), f"b/{n}/.stages0"
            )
            for n in ("a", "c")
        ]
        text = shared_batches(batches, template.batch_parts, read, "w").rules
        assert ("--depfile" in text, "depfile =" in text, "deps = gcc" in text) == (recorded,) * 3


def test_options_of_many_edges_are_in_a_rule(tmp_path):
    """Ninja runs what it runs when each edge says its options itself; those of few say them."""
    template = Template("tool = a$$b 'c  d'\nrule one\n  command = $tool ${options} $in\n", "t")
    options = ("-x", "a\\1$ b")
    commands = []
    for count in (FEWEST_EDGES - 1, FEWEST_EDGES):
        graph = Graph(frozenset(["one"]), {})
        for number in range(count):
            graph.add(Edge("one", (f"out/{number}",), inputs=(f"in{number}",), options=options))
        graph.add(Edge("one", ("out/other",), inputs=("in0",), options=("-y",)))
        text = write(graph, template, {}, "# no generator here", [])
        assert text.count("\nrule one_options_1\n") == text.count(": one_options_1 ") / FEWEST_EDGES
        (tmp_path / "build.ninja").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [NINJA, "-C", str(tmp_path), "-t", "commands", "out/0", "out/other"],
            check=True,
            capture_output=True,
            text=True,
        )
        commands.append(done.stdout)
    assert commands[0] == commands[1]
    assert commands[0].splitlines() == ["a$b 'c  d' -x 'a\\1$ b' in0", "a$b 'c  d' -y in0"]


def test_generator_inputs_that_edges_read_are_targets_too():
    text = generator_statements("build.ninja", ["x.mlir"], ["a.mlir", "b c"], "d e")
    assert text == (
        "build build.ninja | x.mlir: configure | a.mlir $\n    b$ c\n  depfile = d e\n"
        "build a.mlir $\n    b$ c: phony"
    )
    text = generator_statements("build.ninja", [], ["a.mlir", "b"], "d", {"b": object()})
    assert text.splitlines()[-1] == "build a.mlir: phony"


def test_what_is_written_is_read_by_ninja_as_meant(tmp_path):
    graph = Graph(frozenset({"copy"}), {"tool": ("cp",)}, defaults=("all",))
    graph.add(Edge("copy", ("ou t$.txt",), inputs=("i n:#'.txt",), owner="test"))
    graph.add(Edge("phony", ("all",), inputs=("ou t$.txt",), owner="test"))
    template = "tool = @TOOL@\nrule copy\n  command = $tool $in $out\nrule configure\n  command = true\n"
    text = write(graph, Template(template, "t"), {}, "# no generator here", ["header"])
    (tmp_path / "build.ninja").write_text(text, encoding="utf-8")
    (tmp_path / "i n:#'.txt").write_text("content", encoding="utf-8")
    subprocess.run([NINJA, "-C", str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "ou t$.txt").read_text(encoding="utf-8") == "content"


def test_a_broken_build_file_never_replaces_a_good_one(tmp_path):
    target = tmp_path / "build.ninja"
    assert place_build_file(str(target), "rule a\n  command = true\n", NINJA, NOTHING)
    with pytest.raises(InternalError, match="does not accept"):
        place_build_file(str(target), "rule a\n", NINJA, NOTHING)
    assert target.read_text(encoding="utf-8") == "rule a\n  command = true\n"
    assert list(tmp_path.iterdir()) == [target]


def test_an_unchanged_build_file_keeps_its_time(tmp_path):
    target = tmp_path / "build.ninja"
    place_build_file(str(target), "# a\n", NINJA, NOTHING)
    before = target.stat().st_mtime_ns
    assert not place_build_file(str(target), "# a\n", NINJA, NOTHING)
    assert target.stat().st_mtime_ns == before
