"""Where traces go: packet ids, the shim tile and its channel, the buffer in host memory, start and stop.

Every trace of a device goes to one shim tile as packets of its own id, and from there into one buffer.
"""

from __future__ import annotations

from npuninja.arch.devices import TILE_KINDS
from npuninja.arch.event_registers import (
    EVENT_BROADCAST,
    EVENT_GENERATE,
    TIMER_CONTROL,
    TIMER_RESET_EVENT_SHIFT,
    block_register,
)
from npuninja.arch.events import broadcast_event, events_of, module_of
from npuninja.arch.registers import (
    CHANNEL_CONTROLLER_ID_SHIFT,
    QUEUE_TOKEN_SHIFT,
    channel_control,
    channel_queue,
)
from npuninja.arch.switch import MAX_PACKET_ID
from npuninja.errors import UserError
from npuninja.ir.attributes import BoolAttr, EnumAttr, OpaqueAttr, PacketInfoAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.ir.types import bits, element_count, memref
from npuninja.lowering import op_builders
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import sequences
from npuninja.lowering.npu_operations import address_patch, write_bd, write_bits, write_register
from npuninja.lowering.op_builders import i32
from npuninja.lowering.sequence_bd import SequenceDescriptor, patch_address
from npuninja.lowering.tiles import append, kind_at, model_of, ops_of, place_of, tile_at
from npuninja.records import NamedTuple

#: The shim's channel and descriptor where nothing else uses the channel.
_CHANNEL = 1
_BD = 15
_FIRST_PACKET_ID = 1
_BURST_BYTES = 64
#: The register database's field of the controller id is all of the second byte.
_CONTROLLER_ID_FIELD = 0xFF00
_UNIT_OF_KIND = {"shim": "shimtile", "mem": "memtile", "core": "core"}


class _Trace(NamedTuple):
    op: Operation
    tile: Value
    place: tuple[int, int]
    kind: str
    memory: bool
    packet_id: int
    start: int | None
    stop: int | None

    @property
    def module(self) -> str:
        return module_of(self.kind, self.memory)


class _Shim(NamedTuple):
    tile: Operation
    column: int
    row: int
    channel: int


def insert_trace_flows(device: Operation, rules: Rules) -> None:
    """Adds the packet flows of a device's traces, and to its first sequence what sets up buffer and timers.

    Raises:
        UserError: see `lower_traces`.
    """
    ops = list(ops_of(device, "aie.trace"))
    if not ops:
        return
    sequence = next(iter(sequences(device)), None)
    if sequence is None:
        raise UserError("the device has an aie.trace but no runtime sequence that could start it", ops[0].loc)
    host = next((op for op in sequence.body.ops if op.name == "aie.trace.host_config"), None)
    if host is None:
        raise UserError(
            "the runtime sequence has no aie.trace.host_config, so there is no buffer for the traces",
            sequence.loc,
            hint="write 'aie.trace.host_config buffer_size = …' at its start",
        )
    argument, offset_bytes = _host_buffer(sequence, host, rules)
    host.erase()
    ids = _packet_ids(ops, rules)
    traces = [_trace(op, ids[op]) for op in ops]
    _check_units(traces)
    shim = _shim(device, host, rules)
    broadcasts = (
        [t.start for t in traces if t.start is not None],
        [t.stop for t in traces if t.stop is not None],
    )
    traces = [_own_shim(trace, shim) for trace in traces]
    for trace in traces:
        append(device, _flow(trace, shim))
    setup = _timers(traces, shim, host)
    setup += _buffer_setup(shim, host, argument, offset_bytes)
    if broadcasts[0]:
        setup += _start(shim, broadcasts[0][0], host)
    block = sequence.body
    last = max((i for i, op in enumerate(block.ops) if op.name == "aie.trace.start_config"), default=-1)
    for i, op in enumerate(setup):
        block.insert(last + 1 + i, op)
    if broadcasts[1]:
        for op in _stop(shim, broadcasts[1][0], host):
            block.append(op)


def _host_buffer(sequence: Operation, host: Operation, rules: Rules) -> tuple[int, int]:
    """Number of the argument that holds the traces, and where in it they start (bytes)."""
    args = sequence.body.args
    if rules.appends_trace_buffer:
        reuse = host.flag("reuse_output_buffer")
        if not reuse:
            args.append(Value(f"memref<{host.integer('buffer_size')}xi8>", f"arg{len(args)}", sequence.body))
            return sum(arg.type.startswith("memref") for arg in args) - 1, 0
        wanted = "reuse_output_buffer"
        if any(not arg.type.startswith("memref") for arg in args):
            raise UserError(
                "aie.trace.host_config with reuse_output_buffer needs a sequence without numbers as "
                "arguments: the end of the output is not known",
                host.loc,
            )
    else:
        argument = host.integer("arg_idx", 4)
        if argument != -1:
            return argument, 0
        wanted = "arg_idx = -1"
    if not args:
        raise UserError(f"aie.trace.host_config with {wanted} needs a sequence with arguments", host.loc)
    last = memref(args[-1].type)
    return len(args) - 1, element_count(last.shape) * (bits(last.element) // 8)


def _packet_of(trace: Operation) -> Operation | None:
    return next((op for op in trace.body.ops if op.name == "aie.trace.packet"), None)


def _packet_ids(ops: list[Operation], rules: Rules) -> dict[Operation, int]:
    ids: dict[Operation, int] = {}
    for op in ops:
        packet = _packet_of(op)
        if packet is not None and "id" in packet.attributes:
            number = packet.integer("id")
            other = next((o for o, i in ids.items() if i == number), None)
            if other is not None and rules.appends_trace_buffer:
                raise UserError(
                    f"packet id {number} is already used by another trace",
                    packet.loc,
                    notes=((f"@{other.string('sym_name')} uses it", other.loc),),
                )
            ids[op] = number
    rest = [op for op in ops if op not in ids]
    if rules.appends_trace_buffer:
        # By place, so that the ids do not depend on the order in which the traces were written.
        rest.sort(key=lambda op: place_of(op.tile))
    taken = set(ids.values()) if rules.appends_trace_buffer else set()
    number = _FIRST_PACKET_ID
    for op in rest:
        while number in taken:
            number += 1
        if number > MAX_PACKET_ID:
            raise UserError(
                f"no packet id is free for trace '@{op.string('sym_name')}': "
                f"a switch tells {MAX_PACKET_ID} apart",
                op.loc,
            )
        ids[op] = number
        number += 1
    return ids


def _trace(op: Operation, packet_id: int) -> _Trace:
    tile = op.tile
    place, tile_kind = place_of(tile), kind_at(tile).name
    packet = _packet_of(op)
    if packet is None:
        unit = EnumAttr("TracePacketType", _UNIT_OF_KIND[tile_kind])
        packet = op.body.insert(0, Operation("aie.trace.packet", attributes={"type": unit}, loc=op.loc))
    packet.attributes["id"] = i32(packet_id)
    kind = packet.enum("type")
    broadcasts: dict[str, int | None] = {}
    for what in ("start", "stop"):
        trigger = next((o for o in op.body.ops if o.name == f"aie.trace.{what}"), None)
        if trigger is None:
            raise UserError(f"trace '@{op.string('sym_name')}' has no 'aie.trace.{what}'", op.loc)
        broadcasts[what] = trigger.integer("broadcast") if "broadcast" in trigger.attributes else None
    return _Trace(
        op=op,
        tile=tile,
        place=place,
        kind=tile_kind,
        memory=kind == "mem",
        packet_id=packet_id,
        start=broadcasts["start"],
        stop=broadcasts["stop"],
    )


def _check_units(traces: list[_Trace]) -> None:
    units: dict[tuple[tuple[int, int], bool], Operation] = {}
    for trace in traces:
        other = units.setdefault((trace.place, trace.memory), trace.op)
        if other is not trace.op:
            raise UserError(
                f"the {trace.module} trace unit of tile {trace.place} is set up twice",
                trace.op.loc,
                notes=((f"@{other.string('sym_name')} sets it up", other.loc),),
            )


def _shim(device: Operation, host: Operation, rules: Rules) -> _Shim:
    column = host.integer("egress_shim_col", 0)
    model = model_of(device)
    columns = model.columns
    if not 0 <= column < columns:
        raise UserError(
            f"egress_shim_col is {column}, but the device has columns 0 to {columns - 1}", host.loc
        )
    used = _used_channels(device, (column, model.shim_row))
    if len(used) >= 2:
        raise UserError(
            f"both channels into host memory of shim tile ({column}, {model.shim_row}) are in use, "
            "traces need one of them",
            host.loc,
            hint="move an output to another column"
            + (" or choose another with egress_shim_col" if rules.appends_trace_buffer else ""),
        )
    channel = 1 - next(iter(used)) if used else _CHANNEL
    tile = tile_at(device, (column, model.shim_row))
    if tile is None:
        tile = device.body.insert(0, op_builders.tile(column, model.shim_row, model))
    tile.attributes.setdefault(
        "controller_id", PacketInfoAttr(0, model.family.controller_ids[model.shim_row])
    )
    return _Shim(tile, column, model.shim_row, channel)


def _used_channels(device: Operation, shim: tuple[int, int]) -> set[int]:
    used: set[int] = set()
    for op in device.walk():
        if op.name == "aie.flow":
            end, bundle, channel = operand(op, "dest"), op.enum("dest_bundle"), op.integer("dest_channel")
        elif op.name == "aie.packet_dest":
            end, bundle, channel = op.tile, op.enum("bundle"), op.integer("channel")
        elif op.name == "aie.shim_dma_allocation":
            direction = op.enum("channel_dir")
            at = place_of(op.tile) if op.operands else (op.integer("col"), shim[1])
            if direction == "S2MM" and at == shim:
                used.add(op.integer("channel_index"))
            continue
        else:
            continue
        if bundle == "DMA" and place_of(end) == shim:
            used.add(channel)
    return used


def _own_shim(trace: _Trace, shim: _Shim) -> _Trace:
    """The shim tile does not hear its own broadcast: it starts and stops by the event that sends it."""
    if trace.place != (shim.column, shim.row):
        return trace
    for op in trace.op.body.ops:
        if op.name in ("aie.trace.start", "aie.trace.stop") and "broadcast" in op.attributes:
            del op.attributes["broadcast"]
            event = "USER_EVENT_1" if op.name == "aie.trace.start" else "USER_EVENT_0"
            op.attributes["event"] = OpaqueAttr(f'#aie.trace_event<"{event}">')
    return trace._replace(start=None, stop=None)


def _flow(trace: _Trace, shim: _Shim) -> Operation:
    flow = op_builders.packet_flow(
        trace.packet_id,
        (trace.tile, "Trace", int(trace.memory)),
        [(shim.tile.result, "DMA", shim.channel)],
        {"keep_pkt_header": BoolAttr(True)},
    )
    flow.loc = trace.op.loc
    return flow


def _timers(traces: list[_Trace], shim: _Shim, host: Operation) -> list[Operation]:
    """Timers of traced modules start with the trace, so that their times can be compared."""
    writes: dict[tuple[tuple[int, int], bool], Operation] = {}
    for trace in traces:
        if trace.start is None or (trace.place, trace.memory) in writes:
            continue
        event = broadcast_event(trace.module, trace.start) << TIMER_RESET_EVENT_SHIFT
        register = block_register(trace.module, TIMER_CONTROL)
        writes[trace.place, trace.memory] = write_register(host, *trace.place, register, event)
    return list(writes.values())


def _buffer_setup(shim: _Shim, host: Operation, argument: int, offset_bytes: int) -> list[Operation]:
    bd = SequenceDescriptor(
        shim.column,
        shim.row,
        _BD,
        host.integer("buffer_size") // 4,
        enable_packet=1,
        burst_length=_BURST_BYTES,
    )
    controller = shim.tile.typed("controller_id", PacketInfoAttr)
    assert controller is not None, shim.tile
    address_word = patch_address(shim.column, shim.row, _BD, TILE_KINDS["shim"])
    control, queue = (find("shim", "S2MM", shim.channel) for find in (channel_control, channel_queue))
    controller_id = controller.pkt_id << CHANNEL_CONTROLLER_ID_SHIFT
    return [
        write_bd(host, bd),
        address_patch(host, address_word, argument, offset_bytes),
        write_bits(host, shim.column, shim.row, control, _CONTROLLER_ID_FIELD, controller_id),
        write_register(host, shim.column, shim.row, queue, 1 << QUEUE_TOKEN_SHIFT | _BD),
    ]


def _generate(shim: _Shim, channel: int, event: int, host: Operation) -> list[Operation]:
    return [
        write_register(host, shim.column, shim.row, block_register("shim", offset), event)
        for offset in (EVENT_BROADCAST + 4 * channel, EVENT_GENERATE)
    ]


def _start(shim: _Shim, channel: int, host: Operation) -> list[Operation]:
    event = events_of("shim")["USER_EVENT_1"]
    timer = block_register("shim", TIMER_CONTROL)
    return [
        write_register(host, shim.column, 0, timer, event << TIMER_RESET_EVENT_SHIFT),
        *_generate(shim, channel, event, host),
    ]


def _stop(shim: _Shim, channel: int, host: Operation) -> list[Operation]:
    return _generate(shim, channel, events_of("shim")["USER_EVENT_0"], host)
