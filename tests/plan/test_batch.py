from graphlib import TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from npuninja.emit.build_log import as_run
from npuninja.plan.batch import plan_batches
from npuninja.plan.graph import Batch, Edge, Graph

SHORT = frozenset({"lower", "route", "cdo", "pdi"})
RULES = frozenset({*SHORT, "core_link", "core_cc", "kernel_cc"})


def edge(rule: str, output: str, *inputs: str, implicit: tuple[str, ...] = ()) -> Edge:
    return Edge(rule, (output,), inputs=inputs, implicit=implicit)


def names(batches: tuple[Batch, ...]) -> list[list[str]]:
    return [[edge.outputs[0] for edge in batch.edges] for batch in batches]


def test_short_stages_between_two_compilers_are_one_command():
    edges = [
        edge("pdi", "d/pdi", "d/cdo"),
        edge("lower", "d/lowered", "d.mlir"),
        edge("core_cc", "d/core.o", "d/lowered"),
        edge("cdo", "d/cdo", "d/routed", implicit=("d/core.o",)),
        edge("route", "d/routed", "d/lowered"),
    ]
    batches = plan_batches(edges, SHORT)
    assert sorted(map(sorted, names(batches))) == [["d/cdo", "d/pdi"], ["d/lowered", "d/routed"]]
    packing = next(batch for batch in batches if "d/pdi" in batch.outputs)
    assert packing.inputs == ("d/routed", "d/core.o")
    assert packing.outputs == ("d/cdo", "d/pdi")
    assert len({batch.name for batch in batches}) == 2


def test_a_stage_alone_is_no_batch_and_designs_do_not_mix():
    edges = [edge("lower", "a/lowered", "a.mlir"), edge("lower", "b/lowered", "b.mlir")]
    edges.append(edge("route", "b/routed", "a/lowered"))
    assert plan_batches(edges, SHORT) == ()


def test_a_rule_that_may_not_be_part_of_a_batch_stands_alone():
    edges = [
        edge("lower", "a/lowered", "a.mlir"),
        edge("route", "a/routed", "a/lowered"),
        edge("pdi", "a/pdi", "a/routed"),
    ]
    assert names(plan_batches(edges, SHORT - {"route"})) == []
    assert names(plan_batches(edges, SHORT - {"pdi"})) == [["a/lowered", "a/routed"]]


def test_the_link_of_an_only_core_is_part_of_what_packs_it():
    def linked(*cores: str) -> list[Edge]:
        images = [f"d/{core}.wasm" for core in cores]
        links = [edge("core_link", image, f"{image}.o") for image in images]
        return [*links, edge("cdo", "d/cdo", "d/routed", *images), edge("pdi", "d/pdi", "d/cdo")]

    batched = SHORT | {"core_link"}
    assert names(plan_batches(linked("core"), batched)) == [["d/core.wasm", "d/cdo", "d/pdi"]]
    # Several are linked at the same time.
    assert names(plan_batches(linked("one", "two"), batched)) == [["d/cdo", "d/pdi"]]


@st.composite
def graphs(draw: st.DrawFn) -> list[Edge]:
    """Edges without circles, in any order: each needs some of those made before it."""
    edges: list[Edge] = []
    for number in range(draw(st.integers(1, 14))):
        folder, rule = draw(st.sampled_from("ab")), draw(st.sampled_from(sorted(RULES)))
        needs = draw(st.lists(st.sampled_from(edges), max_size=3)) if edges else []
        edges.append(
            edge(rule, f"{folder}/{number}", "source", implicit=tuple(need.outputs[0] for need in needs))
        )
    return draw(st.permutations(edges))


@given(graphs())
def test_no_circle_comes_of_it_and_every_stage_finds_its_inputs(edges):
    graph = Graph(RULES, {})
    for each in edges:
        graph.add(each)
    graph.batches = plan_batches(edges, SHORT | {"core_link"})
    commands = list(graph.commands())
    made_by = {path: number for number, command in enumerate(commands) for path in command.outputs}
    assert sorted(made_by) == sorted(each.outputs[0] for each in edges)
    needs = {}
    for number, command in enumerate(commands):
        read = command.inputs if isinstance(command, Batch) else (*command.inputs, *command.implicit)
        needs[number] = {made_by[path] for path in read if path in made_by}
        assert number not in needs[number]
    TopologicalSorter(needs).prepare()  # raises CycleError
    for batch in graph.batches:
        made = set(batch.outputs)
        for each in batch.edges:
            assert not made & {*each.inputs, *each.implicit} - before(batch, each)


def before(batch: Batch, stage: Edge) -> set[str]:
    """What the batch has made when it comes to a stage."""
    done = batch.edges[: batch.edges.index(stage)]
    return {path for edge in done for path in edge.outputs}


def test_graph_json_can_be_read_as_commands():
    graph = Graph(RULES, {})
    graph.add(edge("lower", "a/lowered", "a.mlir"))
    graph.add(edge("route", "a/routed", "a/lowered"))
    graph.add(edge("core_cc", "a/core.o", "a/lowered"))
    graph.batches = plan_batches(graph.edges, SHORT)
    batch, compiler = as_run(graph.as_json()["edges"])
    assert (batch["rule"], batch["outputs"], batch["inputs"]) == (
        "batch",
        ["a/lowered", "a/routed"],
        ["a.mlir"],
    )
    assert [stage["rule"] for stage in batch["stages"]] == ["lower", "route"]
    assert compiler["rule"] == "core_cc"
