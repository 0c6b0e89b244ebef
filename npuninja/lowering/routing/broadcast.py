"""`aiex.broadcast_packet` to packet flows and `aiex.multicast` to flows."""

from __future__ import annotations

from npuninja.ir.core import Operation, Value
from npuninja.lowering import op_builders
from npuninja.lowering.tiles import ops_of


def lower_broadcasts(device: Operation) -> None:
    """Replaces each broadcast by a packet flow for each of its ids."""
    for op in list(ops_of(device, "aiex.broadcast_packet")):
        for group in op.body.ops:
            if group.name == "aiex.bp_id":
                dests = [_end(dest) for dest in group.body.ops if dest.name == "aiex.bp_dest"]
                op.insert_before(op_builders.packet_flow(group.integer("ID"), _end(op), dests, {}))
        op.erase()


def lower_multicasts(device: Operation) -> None:
    """Replaces each multicast by a flow to each destination."""
    for op in list(ops_of(device, "aiex.multicast")):
        for dest in op.body.ops:
            if dest.name == "aiex.multi_dest":
                op.insert_before(op_builders.flow(*_end(op), *_end(dest), op.loc))
        op.erase()


def _end(op: Operation) -> tuple[Value, str, int]:
    return op.tile, op.enum("bundle"), op.integer("channel")
