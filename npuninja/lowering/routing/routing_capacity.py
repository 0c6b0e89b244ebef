"""Proofs, without any search, that nets cannot be routed: more of them leave a part of the array than it has
channels.
"""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel, Place
from npuninja.arch.switch import MASTER_COUNTS, STEP
from npuninja.lowering.routing.nets import CIRCUIT, Net, Unroutable
from npuninja.lowering.routing.routing_graph import port_counts

# No line is crossed by fewer: the South channels of one column.
_FEWEST_CHANNELS = MASTER_COUNTS["core"]["South"]

#: First and last column, first and last row.
Rectangle = tuple[int, int, int, int]


def check_lines(device: DeviceModel, nets: list[Net]) -> None:
    """Looks at the parts above and below each line between rows, and left and right of each between columns.

    Raises:
        Unroutable: there is no legal routing.
    """
    if len(nets) <= _FEWEST_CHANNELS:
        return
    right, top = device.columns - 1, device.rows - 1
    for line in range(1, device.rows):
        _check(device, nets, (0, right, 0, line - 1))
        _check(device, nets, (0, right, line, top))
    for line in range(1, device.columns):
        _check(device, nets, (0, line - 1, 0, top))
        _check(device, nets, (line, right, 0, top))


def check_rectangles(device: DeviceModel, nets: list[Net]) -> None:
    """Looks at all rectangles of tiles.

    Raises:
        Unroutable: there is no legal routing.
    """
    for left in range(device.columns):
        for right in range(left, device.columns):
            for bottom in range(device.rows):
                for top in range(bottom, device.rows):
                    _check(device, nets, (left, right, bottom, top))


def _check(device: DeviceModel, nets: list[Net], part: Rectangle) -> None:
    """Unroutable when more nets have to leave or enter a rectangle than there are channels out of it or into
    it.
    """
    left, right, bottom, top = part
    inside = {(column, row) for column in range(left, right + 1) for row in range(bottom, top + 1)}
    leaving = [
        i
        for i, net in enumerate(nets)
        if net.source[0] in inside and any(d[0] not in inside for d in net.dests)
    ]
    entering = [
        i
        for i, net in enumerate(nets)
        if net.source[0] not in inside and any(d[0] in inside for d in net.dests)
    ]
    for crossing, verb, outward in ((leaving, "leave", True), (entering, "enter", False)):
        # The packets of a group may share a channel.
        groups = {nets[i].group for i in crossing if nets[i].group != CIRCUIT}
        needed = len(groups) + sum(1 for i in crossing if nets[i].group == CIRCUIT)
        if needed <= _FEWEST_CHANNELS:
            continue
        channels = _channels(device, inside, outward=outward)
        if needed > channels:
            raise Unroutable(
                f"{needed} flows have to {verb} {_name(part)}, and there are {channels} channels", crossing
            )


def _channels(device: DeviceModel, inside: set[Place], *, outward: bool) -> int:
    """The channels from the tiles of a part to the others, or the other way."""
    count = 0
    for column, row in device.places():
        place = (column, row)
        if (place in inside) != outward:
            continue
        masters = port_counts(device, place, MASTER_COUNTS)
        for direction, (step_column, step_row) in STEP.items():
            other = (column + step_column, row + step_row)
            if device.contains(*other) and (other in inside) != outward:
                count += masters.get(direction, 0)
    return count


def _name(part: Rectangle) -> str:
    left, right, bottom, top = part
    if (left, bottom) == (right, top):
        return f"tile ({left}, {bottom})"
    columns = f"column {left}" if left == right else f"columns {left} to {right}"
    rows = f"row {bottom}" if bottom == top else f"rows {bottom} to {top}"
    return f"{columns}, {rows}"
