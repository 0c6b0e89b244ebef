"""Rules for what connects tiles and devices but flows: cascades, channel bindings, configurations, traces.

Sources: MLIR-AIE, AIEDialect.cpp, AIEXDialect.cpp (the `verify` functions of these operations).
"""

from __future__ import annotations

import math

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import CASCADE_BITS
from npuninja.arch.events import TRACE_EVENTS
from npuninja.ir.attributes import ArrayAttr, Attribute, DenseArrayAttr, EnumAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.syntax import group
from npuninja.ir.tiles import kind_name_of, place_of
from npuninja.ir.types import bits, vector
from npuninja.ir.verifier_tiles import KIND_WORDS, op_error, require_tiles

if TYPE_CHECKING:
    from typing import Callable


def _check_cascade(op: Operation) -> None:
    """Only core tiles have cascade ports."""
    require_tiles(op, op.operands)
    for tile in op.operands:
        kind = kind_name_of(tile)
        if kind in ("mem", "shim"):
            raise op_error(
                op, f"{KIND_WORDS[kind]} has no cascade", "cascades lead from core tile to core tile"
            )


def _check_placed(op: Operation) -> None:
    """Checks aie.configure_cascade."""
    _check_cascade(op)
    if place_of(op.tile) is None:
        raise op_error(op, "needs a tile with a place, not a logical one", "use 'aie.cascade_flow'")
    for name, directions in (("inputDir", ("North", "West")), ("outputDir", ("South", "East"))):
        if op.enum(name) not in directions:
            way = "comes from" if name == "inputDir" else "leads"
            raise op_error(op, f"{name} is {op.enum(name)}, a cascade {way} {' or '.join(directions)}")


def _check_cascade_value(op: Operation) -> None:
    """aie.put_cascade and aie.get_cascade move the whole width of the cascade."""
    type = (op.operands or op.results)[0].type
    try:
        shape, element = vector(type) if type.startswith("vector<") else ((), type)
        width = math.prod(shape) * bits(element)
    except ValueError:
        width = 0
    if width != CASCADE_BITS:
        raise op_error(
            op, f"the value is {type}, a cascade moves {CASCADE_BITS} bits, such as vector<16xi32>"
        )


def _check_trace(op: Operation) -> None:
    """aie.trace: a unit records a limited number of events."""
    count = sum(each.name == "aie.trace.event" for each in op.body.ops)
    if count > TRACE_EVENTS:
        raise op_error(op, f"it records {count} events, a trace unit at most {TRACE_EVENTS}")


def _count(attribute: Attribute | None) -> int:
    if isinstance(attribute, DenseArrayAttr):
        return len(attribute.values)
    return len(attribute.items) if isinstance(attribute, ArrayAttr) else 0


def _check_binding(op: Operation) -> None:
    """aie.objectfifo_rearm_binding: one entry of each list for each channel, or lock."""
    channels, locks = group(op, "channel_tiles"), group(op, "locks")
    require_tiles(op, channels)
    for lock in locks:
        if lock.made_by("aie.lock") is None:
            raise op_error(op, "one of its locks is not made by 'aie.lock'")
    heads = [name for name in ("head_bd_ids", "repeat_counts") if name in op.attributes]
    if len(heads) == 1:
        raise op_error(op, "has only one of 'head_bd_ids' and 'repeat_counts'", "give both, or neither")
    for name in ("channel_dirs", "channel_indices", *heads):
        if _count(op.attributes.get(name)) != len(channels):
            raise op_error(op, f"'{name}' needs one entry for each of its {len(channels)} channels")
    if _count(op.attributes.get("lock_inits")) != len(locks):
        raise op_error(op, f"'lock_inits' needs one entry for each of its {len(locks)} locks")


def _check_configure(op: Operation) -> None:
    """aiex.configure: the other device is of the same type."""
    here, target = op.enclosing("aie.device"), op.attributes.get("symbol")
    module = here.parent_op if here is not None else None
    if here is None or module is None or not isinstance(target, SymbolRefAttr):
        return
    for other in module.body.ops:
        if other.name == "aie.device" and other.string("sym_name", "main") == target.path[-1]:
            types = [device.attributes.get("device") for device in (here, other)]
            if types[0] != types[1]:
                names = [kind.case if isinstance(kind, EnumAttr) else "?" for kind in types]
                raise op_error(op, f"it configures {names[1]}, but is in a device of {names[0]}", note=other)


def _check_host_config(op: Operation) -> None:
    """Checks aie.trace.host_config."""
    if op.integer("buffer_size", 1) < 1:
        raise op_error(op, f"buffer_size is {op.integer('buffer_size')}, expected at least 1")
    if op.integer("egress_shim_col", 0) < 0:
        raise op_error(op, f"egress_shim_col is {op.integer('egress_shim_col')}, expected 0 or more")


ARRAY_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.cascade_flow": _check_cascade,
    "aie.configure_cascade": _check_placed,
    "aie.get_cascade": _check_cascade_value,
    "aie.put_cascade": _check_cascade_value,
    "aie.objectfifo_rearm_binding": _check_binding,
    "aie.trace": _check_trace,
    "aie.trace.host_config": _check_host_config,
    "aiex.configure": _check_configure,
}
