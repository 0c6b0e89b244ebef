"""Which generation of MLIR-AIE a text is written for, read off each operation that is not spelled alike in
all of them.

Releases of the days between generations exist, so each spelling counts on its own; a text that holds
spellings of two generations is refused, unless the user names one.

Source: the changes of MLIR-AIE's AIEOps.td and AIEX.td between 2025-10-24, 2026-04-23 and 2026-08-14.
"""

from __future__ import annotations

from typing import NamedTuple

from npuninja.errors import Location, UserError
from npuninja.ir.core import Operation
from npuninja.ir.numbers import NUMBERS
from npuninja.lowering.generation import DEFAULT, GENERATIONS, RULES

OLD, MIDDLE, NEW = GENERATIONS
_UP_TO_MIDDLE = (OLD, MIDDLE)
_FROM_MIDDLE = (MIDDLE, NEW)

_BY_NAME: dict[str, tuple[str, ...]] = {
    "aiex.runtime_sequence": (OLD,),
    "aie.runtime_sequence": _FROM_MIDDLE,
    "aie.logical_tile": _FROM_MIDDLE,
    "aiex.configure": _FROM_MIDDLE,
    "aie.trace": _FROM_MIDDLE,
    "aie.trace.config": _FROM_MIDDLE,
    "aie.shim_switchbox": _UP_TO_MIDDLE,
    "aie.objectfifo_rearm_binding": (NEW,),
    "aiex.npu.assert_bd_field": (NEW,),
    "aiex.npu.assert_bd_divisible": (NEW,),
    "aiex.npu.create_scratchpad": (NEW,),
    "aiex.npu.update_from_scratchpad": (NEW,),
    "aiex.dma_bd_pool_pop": (NEW,),
    "aiex.dma_bd_pool_push": (NEW,),
    "aiex.dma_channel_reset": (NEW,),
    "aiex.dma_channel_reset_for": (NEW,),
    "aiex.core_reset": (NEW,),
    "aiex.scratchpad_parameter": (NEW,),
    "aiex.read_scratchpad_parameter": (NEW,),
    "aiex.sync_scratchpad_parameters_from_host": (NEW,),
}
_NEW_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "aie.buffer": ("aligned",),
    "aie.core": ("link_merge_files", "emit_parameter_sync_preamble"),
    "aie.dma": ("pad_value",),
    "aie.dma_start": ("pad_value",),
    "aie.dma_bd": ("iteration", "offset_parameter", "offset_state_table_idx"),
    "aie.objectfifo": ("consumerElemType", "prod_dma_channel", "cons_dma_channels", "padValue"),
    "aie.runtime_sequence": ("emit_parameter_sync_preamble",),
    "aiex.configure": ("expand_mode",),
    "aiex.npu.dma_memcpy_nd": ("offset_parameter", "offset_state_table_idx"),
    "aiex.npu.load_pdi": ("expand_mode",),
    "aie.trace.host_config": ("egress_shim_col", "reuse_output_buffer"),
    "func.func": ("link_with_mode",),
    "aie.masterset": ("is_ctrl_pkt_overlay",),
    "aie.packet_rules": ("is_ctrl_pkt_overlay",),
}
_MIDDLE_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "aie.core": ("link_files",),
    "aie.objectfifo": ("iter_count", "aie_stream", "aie_stream_port"),
    "func.func": ("link_with",),
}


class Mark(NamedTuple):
    """A spelling that not all generations have."""

    generations: tuple[str, ...]
    what: str
    place: Location | None


def mark_of(op: Operation) -> Mark | None:
    """What an operation says about the generation of its text."""
    name = op.name
    known = _BY_NAME.get(name)
    for attribute in _NEW_ATTRIBUTES.get(name, ()):
        if attribute in op.attributes:
            return Mark((NEW,), f"'{attribute}' of {name}", op.loc)
    if known is not None:
        return Mark(known, f"'{name}'", op.loc)
    if name in NUMBERS:
        fixed = name == "aie.use_lock"
        if len(op.operands) > fixed:
            return Mark((NEW,), f"values as operands of {name}", op.loc)
        return Mark(_UP_TO_MIDDLE, f"literal numbers of {name}", op.loc)
    if name == "aie.dma_bd":
        return _descriptor_mark(op)
    for attribute in _MIDDLE_ATTRIBUTES.get(name, ()):
        if attribute in op.attributes:
            return Mark(_FROM_MIDDLE, f"'{attribute}' of {name}", op.loc)
    if name == "aie.shim_dma_allocation":
        if op.operands:
            return Mark(_FROM_MIDDLE, "the tile of aie.shim_dma_allocation", op.loc)
        # It outlived aiex.runtime_sequence by a month.
        return Mark(_UP_TO_MIDDLE, "the column of aie.shim_dma_allocation", op.loc)
    if name == "aie.trace.host_config":
        older = "arg_idx" in op.attributes
        return Mark((MIDDLE,) if older else (NEW,), f"the form of {name}", op.loc)
    if name == "aie.trace.packet" and "id" not in op.attributes:
        return Mark((NEW,), "aie.trace.packet without an id", op.loc)
    if name == "aie.packet_flow" and sum(each.name == "aie.packet_source" for each in op.body.ops) > 1:
        return Mark((NEW,), "several sources of aie.packet_flow", op.loc)
    if name.startswith("aiex.dma_configure_task") and len(op.operands) > (name[-1] == "k"):
        return Mark((NEW,), f"a repeat count of {name} that is a value", op.loc)
    return None


def _descriptor_mark(op: Operation) -> Mark | None:
    if "offset" not in op.attributes:
        return Mark((NEW,), "keywords of aie.dma_bd", op.loc)
    keys = list(op.attributes)
    # A length in the dictionary stands before the offset, which then is a default; all generations read that.
    placed = "len" in keys and keys.index("offset") < keys.index("len")
    if placed or any(key in keys for key in ("dimensions", "pad_dimensions", "pad_value")):
        return Mark(_UP_TO_MIDDLE, "positions of aie.dma_bd's numbers", op.loc)
    return None


def possible_generations(module: Operation) -> tuple[str, ...]:
    """The generations in which a text reads as it stands, oldest first.

    Raises:
        UserError: there is none: the text holds spellings of two; located at the second, with both.
    """
    marks: list[Mark] = []
    left = GENERATIONS
    for op in module.walk():
        mark = mark_of(op)
        if mark is None or set(left) <= set(mark.generations):
            continue
        left = tuple(name for name in left if name in mark.generations)
        if left:
            marks.append(mark)
            continue
        first = min(marks, key=lambda m: len(set(m.generations) & set(mark.generations)))
        raise UserError(
            f"the design mixes generations of MLIR-AIE: {mark.what} is for {_names(mark.generations)}, "
            f"{first.what} for {_names(first.generations)}",
            mark.place,
            hint="write both for one release; or say which one lowers it: --generation "
            + "|".join(GENERATIONS),
            notes=((f"{first.what} is here", first.place),),
        )
    return left


def _names(generations: tuple[str, ...]) -> str:
    return " or ".join(f"{name} ({RULES[name].release})" for name in generations)


def choose(possible: tuple[str, ...], wanted: str | None = None) -> str:
    """The generation to lower for: the wanted one where the text allows it, else the oldest it allows."""
    return wanted if wanted in possible else possible[0] if possible else DEFAULT


def detect(module: Operation, wanted: str | None = None) -> str:
    """The generation of a design; `wanted` decides where the text does not.

    Raises:
        UserError: see `possible_generations`.
    """
    return choose(possible_generations(module), wanted)
