"""Proofs without search that nets cannot be routed: more leave a part of the array than it has channels."""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel, TilePlace
from npuninja.arch.switch import MASTER_COUNTS, STEP
from npuninja.lowering.routing.nets import CIRCUIT, Net, Unroutable
from npuninja.lowering.routing.routing_graph import port_counts
from npuninja.records import NamedTuple

# No line is crossed by fewer: the South channels of one column.
_FEWEST_CHANNELS = MASTER_COUNTS["core"]["South"]

#: First and last column, first and last row.
Rectangle = tuple[int, int, int, int]
#: The tile in which a net begins and those in which it ends.
Ends = tuple[TilePlace, frozenset[TilePlace]]


class Wires(NamedTuple):
    """The channels from one tile to the next."""

    begin: TilePlace
    end: TilePlace
    channels: int


def check_lines(device: DeviceModel, nets: list[Net]) -> None:
    """Looks at the parts above and below each line between rows, and left and right of each between columns.

    Raises:
        Unroutable: there is no legal routing.
    """
    if len(nets) <= _FEWEST_CHANNELS:
        return
    right, top = device.columns - 1, device.rows - 1
    ends, wires = _ends(nets), _wires(device)
    for line in range(1, device.rows):
        _check(nets, ends, wires, (0, right, 0, line - 1))
        _check(nets, ends, wires, (0, right, line, top))
    for line in range(1, device.columns):
        _check(nets, ends, wires, (0, line - 1, 0, top))
        _check(nets, ends, wires, (line, right, 0, top))


def check_rectangles(device: DeviceModel, nets: list[Net]) -> None:
    """Looks at all rectangles of tiles.

    Raises:
        Unroutable: there is no legal routing.
    """
    ends, wires = _ends(nets), _wires(device)
    for left in range(device.columns):
        for right in range(left, device.columns):
            for bottom in range(device.rows):
                for top in range(bottom, device.rows):
                    _check(nets, ends, wires, (left, right, bottom, top))


def _ends(nets: list[Net]) -> list[Ends]:
    return [(net.source[0], frozenset(place for place, _ in net.dests)) for net in nets]


def _check(nets: list[Net], ends: list[Ends], wires: list[Wires], part: Rectangle) -> None:
    """Unroutable when more nets have to leave or enter a rectangle than there are channels out or in."""
    left, right, bottom, top = part
    inside = {(column, row) for column in range(left, right + 1) for row in range(bottom, top + 1)}
    leaving, entering = [], []
    for i, (source, dests) in enumerate(ends):
        if source in inside:
            if not dests <= inside:
                leaving.append(i)
        elif not dests.isdisjoint(inside):
            entering.append(i)
    for crossing, verb, outward in ((leaving, "leave", True), (entering, "enter", False)):
        # The packets of a group may share a channel.
        groups = {nets[i].group for i in crossing if nets[i].group != CIRCUIT}
        needed = len(groups) + sum(1 for i in crossing if nets[i].group == CIRCUIT)
        if needed <= _FEWEST_CHANNELS:
            continue
        channels = _channels(wires, inside, outward=outward)
        if needed > channels:
            raise Unroutable(
                f"{needed} flows have to {verb} {_name(part)}, and there are {channels} channels", crossing
            )


def _wires(device: DeviceModel) -> list[Wires]:
    found = []
    for column, row in device.tile_places():
        masters = port_counts(device, (column, row), MASTER_COUNTS)
        for direction, (step_column, step_row) in STEP.items():
            other = (column + step_column, row + step_row)
            if direction in masters and device.contains(*other):
                found.append(Wires((column, row), other, masters[direction]))
    return found


def _channels(wires: list[Wires], inside: set[TilePlace], *, outward: bool) -> int:
    """The channels from the tiles of a part to the others, or the other way."""
    return sum(
        channels
        for begin, end, channels in wires
        if (begin in inside) == outward and (end in inside) != outward
    )


def _name(part: Rectangle) -> str:
    left, right, bottom, top = part
    if (left, bottom) == (right, top):
        return f"tile ({left}, {bottom})"
    columns = f"column {left}" if left == right else f"columns {left} to {right}"
    rows = f"row {bottom}" if bottom == top else f"rows {bottom} to {top}"
    return f"{columns}, {rows}"
