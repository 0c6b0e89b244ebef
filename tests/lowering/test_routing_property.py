"""Random flows on random devices are refused, or every stream arrives where it should and nowhere else."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_tracer import End, Fabric

from npuninja.arch.devices import DEVICES, device
from npuninja.arch.families import SHARED_ROWS
from npuninja.arch.switch import MASTER_COUNTS, SLAVE_COUNTS
from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.lowering.routing import pathfinder
from npuninja.lowering.routing.flows import route

_SOURCE_BUNDLES = ("DMA", "Core", "Trace", "TileControl")
_DEST_BUNDLES = ("DMA", "Core", "TileControl")


def _ends(name: str, counts: dict[str, dict[str, int]], bundles: tuple[str, ...]) -> list[End]:
    return [
        (place, (bundle, channel))
        for place in device(name).tile_places()
        for bundle in bundles
        for channel in range(counts[SHARED_ROWS.kind(place[1])].get(bundle, 0))
    ]


@st.composite
def flow_sets(draw: st.DrawFn) -> tuple[str, dict[End, set[End]], dict[tuple[End, int], set[End]]]:
    """A device, circuits by source, packet flows by source and id."""
    name = draw(st.sampled_from([n for n in sorted(DEVICES) if device(n).columns <= 4]))
    sources = draw(
        st.lists(
            st.sampled_from(_ends(name, SLAVE_COUNTS, _SOURCE_BUNDLES)), unique=True, min_size=1, max_size=8
        )
    )
    dests = draw(
        st.lists(
            st.sampled_from(_ends(name, MASTER_COUNTS, _DEST_BUNDLES)), unique=True, min_size=2, max_size=10
        )
    )
    split = draw(st.integers(0, len(sources)))
    half = draw(st.integers(0, len(dests) - 1))
    circuits: dict[End, set[End]] = {}
    for dest in dests[:half] if split else []:
        circuits.setdefault(draw(st.sampled_from(sources[:split])), set()).add(dest)
    packets: dict[tuple[End, int], set[End]] = {}
    if split < len(sources):
        for identifier in draw(st.lists(st.integers(0, 31), unique=True, max_size=6)):
            source = draw(st.sampled_from(sources[split:]))
            chosen = draw(st.lists(st.sampled_from(dests[half:]), unique=True, min_size=1, max_size=3))
            packets[source, identifier] = set(chosen)
    return name, circuits, packets


def _text(name: str, circuits: dict[End, set[End]], packets: dict[tuple[End, int], set[End]]) -> str:
    def end(e: End) -> str:
        (column, row), (bundle, channel) = e
        return f"%t_{column}_{row}, {bundle} : {channel}"

    lines = [f"%t_{c}_{r} = aie.tile({c}, {r})" for c, r in device(name).tile_places()]
    lines += [
        f"aie.flow({end(source)}, {end(dest)})"
        for source, dests in circuits.items()
        for dest in sorted(dests)
    ]
    for (source, identifier), dests in packets.items():
        inner = "\n".join(f"aie.packet_dest<{end(dest)}>" for dest in sorted(dests))
        lines.append(f"aie.packet_flow({identifier}) {{\naie.packet_source<{end(source)}>\n{inner}\n}}")
    return f"module {{\naie.device({name}) {{\n" + "\n".join(lines) + "\n}\n}\n"


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(flow_sets())
def test_streams_arrive_or_are_refused(
    flows: tuple[str, dict[End, set[End]], dict[tuple[End, int], set[End]]],
) -> None:
    name, circuits, packets = flows
    module, warnings = parse_module(_text(name, circuits, packets), "random.mlir"), Warnings()
    error: UserError | None = None
    rounds, pathfinder.MAX_ROUNDS = pathfinder.MAX_ROUNDS, 20
    try:
        route(module, generation="2025-10", warnings=warnings)
    except UserError as refusal:
        error = refusal
    finally:
        pathfinder.MAX_ROUNDS = rounds
    if error is not None:
        assert error.location is not None
        assert error.hint
        return
    fabric = Fabric(module.body.ops[0])
    for source, dests in circuits.items():
        assert fabric.reached(source, None) == dests
    astray = {int(message.split()[3]) for message, _ in warnings.items if "astray" in message}
    for (source, identifier), dests in packets.items():
        if identifier not in astray:
            assert fabric.reached(source, identifier) == dests
