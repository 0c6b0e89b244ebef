import pytest

from npuninja.errors import InternalError, UserError
from npuninja.plan.graph import Edge, Graph


def graph(*edges: Edge) -> Graph:
    result = Graph(frozenset({"cc", "link"}), {})
    for edge in edges:
        result.add(edge)
    return result


def test_two_edges_of_one_output_are_refused_with_both_causes():
    with pytest.raises(InternalError, match=r"a.o is made twice: for design one and for design two"):
        graph(
            Edge("cc", ("a.o",), owner="design one"),
            Edge("link", ("b",), implicit_outputs=("a.o",), owner="design two"),
        )


def test_an_unknown_rule_is_refused():
    with pytest.raises(UserError, match="no rule 'ld'"):
        graph(Edge("ld", ("a",)))


def test_an_edge_without_output_is_refused():
    with pytest.raises(InternalError, match="no output"):
        graph(Edge("cc", ()))


def test_a_circle_is_named():
    circular = graph(
        Edge("cc", ("a",), inputs=("b",)),
        Edge("cc", ("b",), inputs=("x",), implicit=("c",)),
        Edge("cc", ("c",), inputs=("a",)),
    )
    with pytest.raises(InternalError, match="a needs b needs c needs a"):
        circular.check()


def test_a_diamond_is_no_circle():
    graph(
        Edge("cc", ("a",), inputs=("b", "c")),
        Edge("cc", ("b",), inputs=("d",)),
        Edge("cc", ("c",), inputs=("d",)),
        Edge("cc", ("d",)),
    ).check()


def test_the_digest_tells_graphs_apart():
    one, same, other = (
        graph(Edge("cc", ("a",), options=options)) for options in (("-O1",), ("-O1",), ("-O2",))
    )
    assert one.digest() == same.digest() != other.digest()


def test_what_was_planned_of_a_design_can_be_forgotten():
    one = graph(Edge("cc", ("a",)), Edge("cc", ("b",), implicit_outputs=("c",)))
    one.back_to(1)
    assert [edge.outputs for edge in one.edges] == [("a",)]
    assert not one.makes("b")
    assert not one.makes("c")
    one.add(Edge("link", ("c",)))
