"""Rules for devices, tiles, locks and switches, after the `verify` functions in MLIR-AIE's AIEDialect.cpp."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_WINDOW_BYTES, DEFAULT_STACK_BYTES, DEVICES, TileKind
from npuninja.arch.switch import MASTER_COUNTS, SLAVE_COUNTS
from npuninja.ir.attributes import IntegerAttr
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.syntax import group, operand
from npuninja.ir.tiles import device_of, kind_at, place_of
from npuninja.ir.types import DYNAMIC, memref
from npuninja.ir.verifier_tiles import KIND_WORDS, check_reach, home_of, op_error, require_tiles

if TYPE_CHECKING:
    from typing import Callable

_TASKS = ("aiex.dma_configure_task", "aiex.dma_configure_task_for", "aie.bd_chain")
#: Locks that a core sees: its own and those of three neighbours, 16 each.
_CORE_LOCKS = 64


def _check_tiles(op: Operation) -> None:
    require_tiles(op, op.operands)


def _check_first_tile(op: Operation) -> None:
    require_tiles(op, [op.tile])


# Devices and tiles


def _check_device(op: Operation) -> None:
    attribute = op.enum("device")
    if attribute not in DEVICES:
        raise op_error(op, f"{attribute} is not an NPU", f"NPU devices are {', '.join(DEVICES)}")
    owners: dict[tuple[str, object], Operation] = {}
    for each in op.body.ops:
        if each.name in _ONE_PER_TILE:
            tile = each.tile
            placed = each.name == "aie.core" and tile.made_by("aie.tile") is not None
            first = owners.setdefault((each.name, place_of(tile) if placed else tile), each)
            if first is not each:
                raise op_error(each, "the tile already has one", note=first)


_ONE_PER_TILE = ("aie.core", "aie.mem", "aie.memtile_dma", "aie.shim_dma", "aie.switchbox", "aie.shim_mux")


def _check_tile(op: Operation) -> None:
    device = device_of(op)
    if device is None:
        return
    column, row = op.integer("col"), op.integer("row")
    if not 0 <= column < device.columns:
        raise op_error(
            op, f"column {column} is outside {device.name}, which has columns 0 to {device.columns - 1}"
        )
    if not 0 <= row < device.rows:
        raise op_error(op, f"row {row} is outside {device.name}, which has rows 0 to {device.rows - 1}")


def _check_core(op: Operation) -> None:
    _check_first_tile(op)
    kind, device = kind_at(op.tile), device_of(op)
    if kind is not None and device is not None and kind.name != "core":
        rows = device.family.rows.of_kind("core")
        raise op_error(
            op,
            f"tile {place_of(op.tile)} is {KIND_WORDS[kind.name]}; cores are in rows {rows[0]} to {rows[-1]}",
        )
    is_empty = [o.name for block in op.regions[0].blocks for o in block.ops] == ["aie.end"]
    if "elf_file" in op.attributes and not is_empty:
        raise op_error(op, "a core with 'elf_file' must have an empty body (exactly one 'aie.end')")
    stack_bytes = op.integer("stack_size", DEFAULT_STACK_BYTES)
    if not 1 <= stack_bytes < DATA_WINDOW_BYTES:
        raise op_error(
            op,
            f"stack_size is {stack_bytes}; "
            f"a core has {DATA_WINDOW_BYTES} bytes of data memory for stack and buffers",
        )
    for name in ("link_files", "link_merge_files"):
        if "link_with" in op.attributes and name in op.attributes:
            raise op_error(op, f"'link_with' and '{name}' exclude each other")
    both = set(op.strings("link_files")) & set(op.strings("link_merge_files"))
    if both:
        raise op_error(op, f"{min(both)!r} is both in 'link_files' and in 'link_merge_files'")


def _check_logical_tile(op: Operation) -> None:
    if "allocation_scheme" in op.attributes and op.enum("tile_type").startswith("Shim"):
        raise op_error(op, "a shim tile has no memory, so no allocation_scheme")


def _check_on_own_tile(op: Operation) -> None:
    """Checks aie.buffer and aie.lock."""
    _check_first_tile(op)
    kind = kind_at(op.tile)
    if kind is None:
        return
    if op.name == "aie.lock":
        number = op.integer("lockID", 0)
        if not 0 <= number < kind.locks:
            raise op_error(op, f"lock id {number} is invalid, the tile has 0 to {kind.locks - 1}")
        return
    if kind.name == "shim":
        raise op_error(op, "a shim tile has no memory", "use 'aie.external_buffer' for host memory")
    if DYNAMIC in memref(op.result.type).shape:
        raise op_error(op, f"a buffer needs a static shape, got {op.result.type}")


# Use of locks and buffers


def _check_use_lock(op: Operation) -> None:
    lock = operand(op, "lock")
    if _is_passed(lock):
        return
    number = lock.made_by("arith.constant")
    if number is not None and _home_is_code(op):
        value = number.attributes.get("value")
        if isinstance(value, IntegerAttr) and not 0 <= value.value < _CORE_LOCKS:
            raise op_error(op, f"a core sees locks 0 to {_CORE_LOCKS - 1}, not {value.value}")
        return  # the number by which a core knows a lock, as in lowered code
    made = lock.made_by("aie.lock")
    if made is None:
        raise op_error(op, "its operand is not a lock", "locks are made by 'aie.lock'")
    home = home_of(op)
    if home is None:
        if (parent := op.parent_op) is not None and parent.name in _TASKS:
            return  # the lowering of tasks knows what the generation allows
        if op.enclosing("aie.runtime_sequence") or op.enclosing("aiex.runtime_sequence"):
            raise op_error(op, "locks cannot be used in a runtime sequence", "use 'aiex.set_lock'")
        raise op_error(op, "locks are used in a core or a DMA region")
    check_reach(op, made, home)
    known = all(count.made_by("arith.constant") for count in group(op, "value"))
    if not known and home.name != "aie.core":
        raise op_error(op, "the count of a lock in a DMA program must be a constant")


def _is_passed(lock: Value) -> bool:
    """Whether a lock is an argument of a chain or function: the start or call of that passes it."""
    owner = lock.owner
    holder = owner.parent.parent if isinstance(owner, Block) and owner.parent is not None else None
    return holder is not None and holder.name in ("aie.bd_chain", "func.func")


def _home_is_code(op: Operation) -> bool:
    home = home_of(op)
    return home.name == "aie.core" if home is not None else op.enclosing("func.func") is not None


# Switches


def _check_switch(op: Operation) -> None:
    """Each output port of a switchbox or shim mux has one source."""
    _check_first_tile(op)
    used: dict[tuple[str, int], Operation] = {}
    for each in op.body.ops:
        if each.name not in ("aie.connect", "aie.masterset"):
            continue
        bundle = each.enum("dest_bundle")
        port = bundle, each.integer("dest_channel")
        if port[1] < 0 or ("source_channel" in each.attributes and each.integer("source_channel") < 0):
            raise op_error(each, "a channel cannot be negative")
        if op.name == "aie.switchbox":
            _check_ports(each, kind_at(op.tile))
        first = used.setdefault(port, each)
        if first is not each:
            place = place_of(op.tile)
            raise op_error(
                each, f"output {port[0]} : {port[1]} of tile {place} already has a source", note=first
            )


def _check_ports(op: Operation, kind: TileKind | None) -> None:
    """The channels of a connection in a switchbox of this kind exist."""
    for end, counts in (("source", SLAVE_COUNTS), ("dest", MASTER_COUNTS)):
        if kind is None or end + "_channel" not in op.attributes:
            continue
        bundle, channel = op.enum(end + "_bundle"), op.integer(end + "_channel")
        most = counts[kind.name].get(bundle)
        if most is not None and channel >= most:
            raise op_error(
                op, f"{bundle} : {channel} does not exist, {KIND_WORDS[kind.name]} has 0 to {most - 1}"
            )


def _check_amsels(op: Operation) -> None:
    for value in op.operands:
        if value.made_by("aie.amsel") is None:
            raise op_error(op, "its operand is not an 'aie.amsel'")


def _check_stream(op: Operation) -> None:
    """A core's streams are read and written in its own block, not in a loop or a condition."""
    parent = op.parent_op
    if parent is not None and parent.name != "aie.core":
        raise op_error(
            op,
            f"it is in '{parent.name}'",
            "MLIR-AIE takes it directly in aie.core only; in a loop use cf branches, or a kernel",
        )


AIE_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.put_stream": _check_stream,
    "aie.get_stream": _check_stream,
    "aie.device": _check_device,
    "aie.tile": _check_tile,
    "aie.logical_tile": _check_logical_tile,
    "aie.core": _check_core,
    "aie.buffer": _check_on_own_tile,
    "aie.lock": _check_on_own_tile,
    "aie.use_lock": _check_use_lock,
    "aie.switchbox": _check_switch,
    "aie.shim_mux": _check_switch,
    "aie.masterset": _check_amsels,
    "aie.rule": _check_amsels,
    "aie.flow": _check_tiles,
    "aie.packet_source": _check_tiles,
    "aie.packet_dest": _check_tiles,
    "aie.objectfifo.allocate": _check_tiles,
}
