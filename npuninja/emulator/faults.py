"""From the engine's fault record to an error with words. The records are described in engine/engine.h."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from npuninja.arch.devices import LOCK_VALUE_MAX, LOCK_VALUE_MIN, TASK_QUEUE_DEPTH
from npuninja.arch.families import FAMILIES
from npuninja.emulator import errors, layout
from npuninja.emulator.deadlock import lock_symbols, route_error
from npuninja.emulator.stream_trace import port_name
from npuninja.errors import Location
from npuninja.formats.core_image import CoreInfo
from npuninja.records import NamedTuple

FAULT_WORDS = 8
#: The kind of a record that says only which core of machine code has stopped; the core's own record says why.
MACHINE_CORE_FAULT = 10
#: The fault that needs the trap, too (`npuninja.emulator.checks.accesses`).
FAULT_ACCESS = 11


class HostRange(NamedTuple):
    """A host buffer for messages: its name, device address and size."""

    name: str
    address: int
    size_bytes: int


class Known(NamedTuple):
    """Facts in addition to the record: host buffers, what each core's module says (by tile number), tiles."""

    hosts: list[HostRange]
    cores: Mapping[int, CoreInfo]
    device: layout.Geometry


_BAD_BD_INVALID, _BAD_BD_MEMORY, _BAD_BD_WINDOW, _BAD_BD_LOCK, _BAD_BD_CHANNEL = range(1, 6)

_UNKNOWN_COMPRESSION = ", ".join(name for name, family in FAMILIES.items() if not family.compression_known)

#: `Unmodelled` in engine/engine.h.
_UNMODELLED = {
    1: "register 0x{b:05x} of tile {tile} set to 0x{c:x}",
    2: "out-of-order mode of {channel}",
    3: f"compression of {{channel}}, on {_UNKNOWN_COMPRESSION} or of a part of 32 bytes",
    4: "finish-on-TLAST of {channel}",
    5: "pausing {channel}",
    6: "a packet that meets a packet port of tile {tile} after its header was dropped",
    7: "a control packet to tile {tile} that reads register 0x{b:05x}",
    8: "operation 0x{c:08x} at byte {b} of the instruction stream",
    9: "a write to the lock request register 0x{b:05x} of tile {tile}",
    10: "a stream to more than 40 receivers or through more than 64 arbiters",
    11: "an address patch of register 0x{b:05x} of tile {tile}, which is no shim BD's address word",
    12: "a write to the program memory of core {tile} while the array runs",
    13: "the scratchpad made at byte {b} of the instruction stream, whose memory XRT gives with a full ELF",
    14: "a number of more than 32 bits, or below zero, "
    "computed from word {c} of the scratchpad at byte {b} of the instruction stream",
}
_WITH_CHANNEL = (2, 4, 5)  # word b is the channel's number; of 3 it is the control register


def engine_fault(words: tuple[int, ...], known: Known) -> errors.EmulationError:
    """The error of a fault record: kind and seven words."""
    return _MAKERS[words[0]](words[1:], known)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def _lock(w: tuple[int, ...], known: Known) -> errors.EmulationError:
    actor, lock, value, change, point = w[0], w[1], _signed(w[2]), _signed(w[3]), w[4]
    bound = f"{LOCK_VALUE_MIN} to {LOCK_VALUE_MAX}"
    by = f" by {change:+}" if change else ""
    # A core has added before it reports.
    it_is = "it was" if change else "it is"
    name = layout.lock_name(lock, lock_symbols(known.cores))
    return errors.LockFault(
        f"{layout.actor_name(actor)} changes {name}{by} beyond what it can hold ({bound}); {it_is} {value}",
        _release_location(known.cores.get(actor - layout.FIRST_CORE_ACTOR), point),
        hint="something releases the lock more often than it is acquired",
        report={
            "actor": layout.actor_name(actor),
            "lock": list(layout.lock_place(lock)),
            "value": value,
            "change": change,
        },
    )


def _release_location(info: CoreInfo | None, point: int) -> Location | None:
    """Where a core's release is; None for a DMA channel's."""
    found = next((w for w in info.waits if w.point == point), None) if info is not None else None
    return Location(found.file, found.line, found.column) if found is not None else None


def _bd(w: tuple[int, ...], known: Known) -> errors.EmulationError:
    channel, bd, why, a, b = w[:5]
    column, row, _direction, index = layout.channel_place(channel)
    kind = known.device.rows.kind(row)
    limit = known.device.memory_bytes(layout.tile_number(column, row))
    reasons = {
        _BAD_BD_INVALID: "it was never written, or its valid bit is not set",
        _BAD_BD_MEMORY: f"it reaches bytes {a} to {b} of a data memory of {limit} bytes",
        _BAD_BD_WINDOW: f"its address 0x{a:x} is in the memory of a neighbour that this channel cannot reach",
        _BAD_BD_LOCK: f"its lock {a} belongs to a neighbour that this channel cannot reach",
        _BAD_BD_CHANNEL: "even channels of a memtile use BDs 0 to 23, odd ones 24 to 47",
    }
    hints = {
        _BAD_BD_INVALID: "write the BD before the task is started",
        _BAD_BD_WINDOW: "channels 4 and 5 of a memtile reach only its own memory"
        if kind == "mem" and index >= 4
        else None,
        _BAD_BD_LOCK: "channels 4 and 5 of a memtile reach only its own locks"
        if kind == "mem" and index >= 4
        else None,
    }
    return errors.InvalidBD(
        f"{layout.actor_name(channel)} cannot use BD {bd}: {reasons[why]}",
        hint=hints.get(why),
        report={"tile": [column, row], "channel": layout.actor_name(channel), "bd": bd},
    )


def _no_route(w: tuple[int, ...], known: Known) -> errors.EmulationError:
    channel, error, tile, port, header = w[:5]
    name = port_name(known.device.kind(tile), port, master=False)
    why = route_error(error, tile, port, known.device)
    return errors.NoRoute(
        f"a packet with id {header & 31} from {layout.actor_name(channel)} is lost: {why}",
        hint="the packet flow's id and the id in the BD must agree",
        report={
            "tile": list(layout.tile_place(tile)),
            "port": name,
            "id": header & 31,
            "from": layout.actor_name(channel),
        },
    )


def _host_overrun(w: tuple[int, ...], known: Known) -> errors.EmulationError:
    channel, bd = w[0], w[1]
    start = (w[3] << 32 | w[2]) - layout.DDR_AIE_OFFSET
    size = (w[5] & 0xFFFF) << 32 | w[4]
    argument = (w[5] >> 16) - 1
    verb = "writes" if layout.channel_place(channel)[2] == "S2MM" else "reads"
    where = _near_host(start, size, known.hosts)
    if 0 <= argument < len(known.hosts):
        own = known.hosts[argument]
        offset = start - own.address
        meant = f"bytes {offset} to {offset + size - 1} of {own.name}, which has {own.size_bytes} bytes"
        where = meant if where == meant else f"{meant}; there it meets {where}"
    return errors.HostOverrun(
        f"{layout.actor_name(channel)}, BD {bd}, {verb} outside the host's buffers: {where}",
        hint="sizes, strides and offsets of the transfer must stay inside the argument's buffer",
        report={
            "channel": layout.actor_name(channel),
            "bd": bd,
            "address": start,
            "bytes": size,
            "where": where,
            "argument": argument if argument >= 0 else None,
        },
    )


def _near_host(start: int, size: int, hosts: list[HostRange]) -> str:
    # A buffer often begins where another one ends: the later one is meant.
    for host in sorted(hosts, key=lambda h: -h.address):
        offset = start - host.address
        if 0 <= offset <= host.size_bytes:
            return f"bytes {offset} to {offset + size - 1} of {host.name}, which has {host.size_bytes} bytes"
    return f"{size} bytes at address 0x{start + layout.DDR_AIE_OFFSET:x} of the BD, where no buffer is"


def _not_modelled(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    what, tile, b, c = w[:4]
    place = layout.tile_place(tile)
    channel = layout.actor_name(b) if what in _WITH_CHANNEL else f"a channel of tile {place} in BD {c}"
    feature = _UNMODELLED[what].format(tile=place, b=b, c=c, channel=channel)
    return errors.NotModelled(
        f"not modelled by the emulator: {feature}",
        hint="run the design on an NPU, or do without",
        report={"feature": feature, "tile": list(place)},
    )


def _queue(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    if w[2]:
        channel = layout.actor_name(w[0])
        return errors.QueueOverflow(
            f"the task that starts with BD {w[1] & 0x3F} is lost: it is pushed to {channel}, "
            f"whose queue already holds {TASK_QUEUE_DEPTH} tasks, and is push {w[2]} since the "
            "sequence waited for anything",
            hint="on an NPU such a task is lost without a word, and its receiver waits for ever: wait for a "
            "task of this channel (issue_token = true) after every fourth",
            report={"channel": channel, "bd": w[1] & 0x3F, "pushes": w[2]},
        )
    return errors.QueueOverflow(
        f"the task queue of {layout.actor_name(w[0])} overflows: it holds {TASK_QUEUE_DEPTH} tasks",
        hint="start fewer tasks before the array runs, or chain the BDs",
        report={"channel": layout.actor_name(w[0])},
    )


def _txn(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    return errors.InvalidAccess(
        f"the instruction stream cannot be read at byte {w[0]}: operation word 0x{w[1]:08x}",
        hint="insts.bin is damaged or is for more arguments than were passed",
        report={"offset": w[0], "word": w[1]},
    )


def _address(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    column, row = w[0] >> 25, w[0] >> 20 & 31
    return errors.InvalidAccess(
        f"an access to register 0x{w[0]:08x}: the device has no tile ({column}, {row})",
        hint="insts.bin and XCLBIN may be from different designs",
        report={"address": w[0]},
    )


def without_program(tile: int) -> errors.NotModelled:
    """The error for a core that is enabled and has nothing to run."""
    column, row = layout.tile_place(tile)
    return errors.NotModelled(
        f"core ({column}, {row}) is enabled, and it holds no machine code that could run",
        hint="load a program first; an XCLBIN with wasm cores leaves its cores in reset",
        report={"feature": "enabling a core without machine code", "tile": [column, row]},
    )


def _late_argument(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    return errors.HostOverrun(
        f"the instruction stream passes buffer argument {w[0]} by its address in the host's memory, where "
        f"no NPU finds it: the firmware translates the first {w[1]} only",
        hint="the stream must add 0x80000000 to the offsets of the others: build it with npuninja, "
        "or with MLIR-AIE of July 2026 or later",
        report={"argument": w[0], "register": w[2]},
    )


def _switch_loop(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    return errors.NotModelled(
        f"the stream of {layout.actor_name(w[0])} runs in a circle through tile {layout.tile_place(w[1])}",
        report={"feature": "a loop of stream switches", "tile": list(layout.tile_place(w[1]))},
    )


def _core_lock(w: tuple[int, ...], _: Known) -> errors.EmulationError:
    column, row = layout.tile_place(w[0])
    side = ("south", "west", "north", "its own tile")[w[1] >> 4 & 3]
    return errors.InvalidAccess(
        f"core ({column}, {row}) uses lock {w[1]} in a kernel: 16 locks each of south, west, north and its "
        f"own tile (from 48 on) are there, and none is to {side} here",
        hint="a kernel's lock numbers are as the core sees them: 48 + id for its own tile",
        report={"tile": [column, row], "lock": w[1]},
    )


_Maker = Callable[[tuple[int, ...], Known], errors.EmulationError]
#: By kind of fault, in the order of engine/engine.h.
_MAKERS: dict[int, _Maker] = {
    1: _lock,
    2: _bd,
    3: _no_route,
    4: _host_overrun,
    5: _not_modelled,
    6: _queue,
    7: _txn,
    8: _address,
    9: _switch_loop,
    12: _late_argument,
    13: _core_lock,
}
