"""Routing against the reference's results, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance.compare_mlir import compare
from stream_tracer import Fabric, place, port

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.routing import pathfinder
from npuninja.lowering.routing.flows import route
from npuninja.lowering.routing.routing_graph import RoutingGraph

CONFORMANCE = Path(__file__).parents[1] / "conformance"
DESIGNS = sorted(path.parent.name for path in CONFORMANCE.glob("*/input_physical.mlir"))


def routed(text: str, generation: str = "2025-10", file: str = "design.mlir") -> tuple[Operation, Warnings]:
    module, warnings = parse_module(text, file), Warnings()
    route(module, generation=generation, warnings=warnings)
    return module, warnings


def design(device: str, body: str) -> str:
    return f"module {{\n  aie.device({device}) {{\n{body}\n  }}\n}}\n"


def fabric_of(module: Operation) -> Fabric:
    return Fabric(module.body.ops[0])


def settings(module: Operation) -> list[str]:
    """The operations that configure switches, in order, printed."""
    lines = print_module(module).split("\n")
    wanted = (
        "aie.connect",
        "aie.amsel",
        "aie.masterset",
        "aie.packet_rules",
        "aie.rule",
        "aie.switchbox",
        "aie.shim_mux",
    )
    return [line.strip() for line in lines if any(name in line for name in wanted)]


@pytest.mark.parametrize("name", DESIGNS)
def test_same_as_the_reference(name: str) -> None:
    folder = CONFORMANCE / name
    generation = json.loads((folder / "meta.json").read_text())["generation"]
    expected = (folder / "input_physical.mlir").read_text()
    module, warnings = routed((folder / "input_with_addresses.mlir").read_text(), generation)
    assert compare(print_module(module), expected) == []
    # The order of switches and settings becomes the order of register writes.
    assert settings(module) == settings(parse_module(expected, "expected"))
    assert not any("astray" in message for message, _ in warnings.items)


# ------------------------------------------------------------------ what is refused


def refused(text: str, generation: str = "2025-10") -> UserError:
    with pytest.raises(UserError) as caught:
        routed(text, generation)
    assert caught.value.location is not None
    assert caught.value.hint
    return caught.value


def test_too_many_flows_are_refused_with_the_place() -> None:
    error = refused((CONFORMANCE / "negative" / "bad_congested" / "design.mlir").read_text())
    assert "no legal routing: 8 flows have to leave" in error.message
    assert error.location is not None
    assert error.location.line == 10
    assert len(error.notes) == 7


def test_too_many_flows_into_a_corner_are_refused() -> None:
    # Nine flows end in two tiles that eight channels lead to; no line across the array has too few.
    tiles = "".join(f"%t{c}{r} = aie.tile({c}, {r})\n" for c in range(2) for r in range(2))
    ends = [("1", f"DMA : {k}") for k in range(6)] + [
        ("0", "DMA : 0"),
        ("0", "DMA : 1"),
        ("1", "TileControl : 0"),
    ]
    flows = "".join(f"aie.flow(%t1{row}, {port}, %t0{row}, {port})\n" for row, port in ends)
    error = refused(design("npu1_2col", tiles + flows))
    assert "9 flows have to enter column 0, rows 0 to 1, and there are 8 channels" in error.message


#: Flows between DMA channels, as column, row and channel of both ends, for which no routing is found; no line
#: across the array shows that there is none.
CROWDED = (
    "014-040 030-115 114-131 021-130 101-150 015-000 121-112 140-101 141-011 "
    "130-114 031-001 111-010 010-121 013-021 041-151 001-014 120-100 113-141"
)


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = 0
    own = pathfinder.shortest_paths

    def counted(graph: RoutingGraph, source: int, dests: set[int]) -> list[int]:
        nonlocal searches
        searches += 1
        return own(graph, source, dests)

    monkeypatch.setattr(pathfinder, "shortest_paths", counted)
    monkeypatch.setattr(pathfinder, "MAX_SEARCHES", 200)
    flows = CROWDED.split()
    tiles = "".join(f"%t{c}{r} = aie.tile({c}, {r})\n" for c in range(2) for r in range(6))
    lines = [f"aie.flow(%t{a}{b}, DMA : {x}, %t{c}{d}, DMA : {y})\n" for a, b, x, _, c, d, y in flows]
    error = refused(design("npu1_2col", tiles + "".join(lines)), "2026-02")
    assert "flows compete for too few channels, first for" in error.message
    assert error.notes
    # A last round may begin; on a whole array the bound is a minute, but rounds without one take several.
    assert 200 - len(flows) <= searches <= 200 + len(flows)


def test_two_flows_into_one_port_are_refused_at_the_second() -> None:
    error = refused((CONFORMANCE / "negative" / "bad_shim_unroutable" / "design.mlir").read_text())
    assert error.message == "two flows lead into DMA : 0 of tile (0, 2)"
    assert error.location is not None
    assert error.location.line == 9
    assert error.notes[0][1] is not None
    assert error.notes[0][1].line == 8


TILES = "%s = aie.tile(0, 0)\n%m = aie.tile(0, 1)\n%a = aie.tile(0, 2)\n%b = aie.tile(0, 3)\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("aie.flow(%a, DMA : 2, %s, DMA : 0)", "tile (0, 2) has no stream source DMA : 2"),
        ("aie.flow(%m, DMA : 0, %s, DMA : 2)", "tile (0, 0) has no stream destination DMA : 2"),
        ("aie.flow(%m, West : 0, %s, DMA : 0)", "tile (0, 1) has no stream source West : 0"),
        ("aie.flow(%a, DMA : 0, %b, Trace : 0)", "tile (0, 3) has no stream destination Trace : 0"),
        ("%x = aie.tile(1, 2)\naie.flow(%x, DMA : 0, %s, DMA : 0)", "npu1_1col has no tile (1, 2)"),
        (
            "aie.flow(%a, DMA : 0, %s, DMA : 0)\n"
            "aie.packet_flow(1) { aie.packet_source<%a, DMA : 0> aie.packet_dest<%b, DMA : 0> }",
            "DMA : 0 of tile (0, 2) is the source of a circuit and of packets",
        ),
        (
            "aie.flow(%a, DMA : 0, %s, DMA : 0)\n"
            "aie.packet_flow(1) { aie.packet_source<%b, DMA : 0> aie.packet_dest<%s, DMA : 0> }",
            "two flows lead into South : 2 of tile (0, 0)",
        ),
        (
            "aie.flow(%a, DMA : 0, %s, DMA : 0)\naie.flow(%b, DMA : 0, %s, South : 2)",
            "two flows lead into South : 2 of tile (0, 0)",
        ),
        ("aie.packet_flow(1) { aie.packet_source<%a, DMA : 0> }", "the packet flow has no aie.packet_dest"),
    ],
)
def test_impossible_flows_are_refused(body: str, message: str) -> None:
    error = refused(design("npu1_1col", TILES + body.replace("> ", ">\n")))
    assert error.message.startswith(message)


def packet(identifier: int, source: str, *dests: str, attributes: str = "") -> str:
    ends = "\n".join(f"aie.packet_dest<{dest}>" for dest in dests)
    return f"aie.packet_flow({identifier}) {{\naie.packet_source<{source}>\n{ends}\n}} {attributes}\n"


def test_more_than_four_rules_at_a_port_are_refused() -> None:
    ends = ["%a, DMA : 0", "%a, DMA : 1", "%a, Core : 0", "%a, TileControl : 0", "%b, DMA : 1"]
    body = "".join(packet(1 + i, "%s, DMA : 0", end) for i, end in enumerate(ends))
    assert "needs 5 packet rules, there are 4" in refused(design("npu1_1col", TILES + body)).message


def test_more_than_four_sets_of_outputs_are_refused() -> None:
    ends = ["%a, DMA : 0", "%a, DMA : 1", "%b, DMA : 0"]
    sets = [ends, *([end] for end in ends), ends[:2]]
    body = "".join(
        packet(1 + i, f"%{tile}, DMA : 0", *chosen) for i, (tile, chosen) in enumerate(zip("smmss", sets))
    )
    assert "5 sets of outputs on one arbiter" in refused(design("npu1_1col", TILES + body)).message


# ------------------------------------------------------------------ packets


ASTRAY = (
    packet(0, "%s, DMA : 0", "%a, DMA : 0")
    + packet(1, "%s, DMA : 0", "%b, DMA : 0")
    + packet(3, "%s, DMA : 0", "%a, DMA : 0")
    + packet(2, "%s, DMA : 0", "%b, DMA : 0")
)


def test_a_rule_that_catches_another_id_warns_in_the_old_tools() -> None:
    _, warnings = routed(design("npu1_1col", TILES + ASTRAY))
    assert any("go astray" in message for message, _ in warnings.items)
    assert all(location is not None for _, location in warnings.items)


def test_a_rule_that_catches_another_id_is_an_error_in_the_new_tools() -> None:
    assert "go astray" in refused(design("npu1_1col", TILES + ASTRAY), "2026-02").message


def test_rules_that_overlap_on_an_unused_id_are_reported_too() -> None:
    # Ids 1 and 2 share the rule mask 28 value 0, which comes after the rule for id 0 and so does no harm.
    ends = [(1, "%b, DMA : 0"), (2, "%b, DMA : 0"), (0, "%a, DMA : 0")]
    text = design("npu1_1col", TILES + "".join(packet(i, "%s, DMA : 0", end) for i, end in ends))
    module, warnings = routed(text)
    assert len(warnings.items) == 1
    assert "both match id 0" in warnings.items[0][0]
    fabric = fabric_of(module)
    assert fabric.reached(((0, 0), ("DMA", 0)), 0) == {((0, 2), ("DMA", 0))}
    assert fabric.reached(((0, 0), ("DMA", 0)), 2) == {((0, 3), ("DMA", 0))}
    assert "both match id 0" in refused(text, "2026-02").message


def test_ids_with_one_destination_share_a_rule() -> None:
    body = "".join(packet(i, "%s, DMA : 0", "%a, DMA : 0") for i in (4, 5, 6, 7)) + packet(
        1, "%s, DMA : 0", "%m, DMA : 2"
    )
    module, warnings = routed(design("npu1_1col", TILES + body))
    fabric = fabric_of(module)
    source = ((0, 0), ("DMA", 0))
    assert all(fabric.reached(source, i) == {((0, 2), ("DMA", 0))} for i in (4, 5, 6, 7))
    assert fabric.reached(source, 1) == {((0, 1), ("DMA", 2))}
    assert any(line.startswith("aie.rule(28, 4,") for line in settings(module))
    assert warnings.items == []


def test_outputs_used_together_get_one_arbiter() -> None:
    # Taken in turn, DMA : 0 and DMA : 1 would get arbiters of their own before id 3 wants both.
    body = (
        packet(1, "%s, DMA : 0", "%a, DMA : 0")
        + packet(2, "%s, DMA : 0", "%a, DMA : 1")
        + packet(3, "%s, DMA : 0", "%a, DMA : 0", "%a, DMA : 1")
    )
    module, _ = routed(design("npu1_1col", TILES + body))
    fabric = fabric_of(module)
    both = {((0, 2), ("DMA", 0)), ((0, 2), ("DMA", 1))}
    assert fabric.reached(((0, 0), ("DMA", 0)), 3) == both
    assert fabric.reached(((0, 0), ("DMA", 0)), 2) == {((0, 2), ("DMA", 1))}


def test_header_and_priority() -> None:
    body = packet(
        15,
        "%s, TileControl : 0",
        "%s, South : 0",
        attributes="{keep_pkt_header = true, priority_route = true}",
    )
    body += packet(3, "%a, Trace : 0", "%s, DMA : 1", attributes="{keep_pkt_header = true}")
    body += packet(4, "%b, DMA : 0", "%m, DMA : 0", attributes="{keep_pkt_header = false}")
    module, _ = routed(design("npu1_1col", TILES + body))
    lines = settings(module)
    assert "%0 = aie.amsel<0> (0)" in lines
    assert any("aie.amsel<5> (3)" in line for line in lines), "control packets take the highest arbiter"
    assert any("masterset(South : 3," in line and "keep_pkt_header = true" in line for line in lines)
    assert any("masterset(DMA : 0," in line and "keep_pkt_header = false" in line for line in lines)
    assert fabric_of(module).reached(((0, 2), ("Trace", 0)), 3) == {((0, 0), ("DMA", 1))}


def test_different_wishes_about_the_header_are_reported() -> None:
    body = packet(1, "%a, DMA : 0", "%s, DMA : 0") + packet(
        2, "%b, DMA : 0", "%s, DMA : 0", attributes="{keep_pkt_header = true}"
    )
    _, warnings = routed(design("npu1_1col", TILES + body))
    assert "differ in keep_pkt_header" in warnings.items[0][0]


# ------------------------------------------------------------------ circuits


def test_a_path_never_turns_back_inside_a_switch() -> None:
    # A core's trace leaves to the south only. The reference's path to its east turns inside the switch.
    tiles = "%a = aie.tile(0, 3)\n%b = aie.tile(1, 3)\n"
    module, _ = routed(design("npu1_2col", tiles + packet(2, "%a, Trace : 0", "%b, DMA : 0")))
    assert fabric_of(module).reached(((0, 3), ("Trace", 0)), 2) == {((1, 3), ("DMA", 0))}


def test_a_core_tile_can_send_to_its_other_channel() -> None:
    module, _ = routed(design("npu1_1col", TILES + "aie.flow(%a, DMA : 0, %a, DMA : 1)\n"))
    assert fabric_of(module).reached(((0, 2), ("DMA", 0)), None) == {((0, 2), ("DMA", 1))}


def test_a_stream_may_pass_the_fifo_of_a_switch() -> None:
    # The trace of a shim tile has no connection to the north; the stream FIFO has.
    module, _ = routed(design("npu1_1col", TILES + packet(2, "%s, Trace : 0", "%a, DMA : 1")))
    fabric = fabric_of(module)
    assert ((0, 0), ("FIFO", 0)) in fabric.rules
    assert fabric.reached(((0, 0), ("Trace", 0)), 2) == {((0, 2), ("DMA", 1))}


def test_every_shim_channel_on_the_whole_array() -> None:
    tiles = "".join(f"%t{c}{r} = aie.tile({c}, {r})\n" for c in range(8) for r in range(2))
    flows = "".join(
        f"aie.flow(%t{c}0, DMA : {k}, %t{c}1, DMA : {k})\naie.flow(%t{c}1, DMA : {k}, %t{c}0, DMA : {k})\n"
        for c in range(8)
        for k in range(2)
    )
    module, _ = routed(design("npu2", tiles + flows))
    fabric = fabric_of(module)
    for column in range(8):
        for channel in range(2):
            shim, memtile = ((column, 0), ("DMA", channel)), ((column, 1), ("DMA", channel))
            assert fabric.reached(shim, None) == {memtile}
            assert fabric.reached(memtile, None) == {shim}


@pytest.mark.parametrize("bundle", ["DMA", "Core", "TileControl"])
def test_a_stream_can_return_to_its_own_port(bundle: str) -> None:
    # Only a DMA's ports may be connected to themselves; the others take a way around.
    module, _ = routed(design("npu1_1col", TILES + f"aie.flow(%a, {bundle} : 0, %a, {bundle} : 0)\n"))
    assert fabric_of(module).reached(((0, 2), (bundle, 0)), None) == {((0, 2), (bundle, 0))}


def test_connections_of_the_design_are_kept_and_avoided() -> None:
    by_hand = """
    %sw = aie.switchbox(%a) {
      aie.connect<South : 0, DMA : 0>
      aie.connect<South : 1, DMA : 1>
    }
    """
    module, _ = routed(design("npu1_1col", TILES + by_hand + "aie.flow(%b, DMA : 0, %s, DMA : 0)\n"))
    fabric = fabric_of(module)
    assert fabric.circuits[(0, 2), ("South", 0)] == [("DMA", 0)]
    assert fabric.reached(((0, 3), ("DMA", 0)), None) == {((0, 0), ("DMA", 0))}
    boxes = [
        op
        for op in module.body.ops[0].body.ops
        if op.name == "aie.switchbox" and place(op.operands[0]) == (0, 2)
    ]
    assert len(boxes) == 1
    assert port(boxes[0].body.ops[0], "dest_") == ("DMA", 0)


def test_a_device_without_tiles_stays_empty() -> None:
    module, _ = routed(design("npu2", ""))
    assert module.body.ops[0].body.ops == []


def test_a_routed_module_is_routed_again_as_it_is() -> None:
    """Packet flows stay in it; their rules are there already."""
    folder = CONFORMANCE / "new_packet_fan_in"
    text = (folder / "input_physical.mlir").read_text(encoding="utf-8")
    module, _ = routed(text, "2026-02")
    assert compare(print_module(module), text) == []
