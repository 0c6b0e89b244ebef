"""Which generation of MLIR-AIE a text is for, read off each operation that is not spelled alike in all.

Releases of the days between generations exist, so each spelling counts on its own. From 2026-02 to 2026-08
the dialect changed step by step: a text whose spellings were all read on some day is one of that day, lowered
by the rules of 2026-08. Spellings that no day had together are refused, unless the user names a generation.

Source: the changes of MLIR-AIE's AIEOps.td and AIEX.td between 2025-10-24, 2026-04-23 and 2026-08-14, and the
dates of the pull requests that made them.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.ir.core import Operation
from npuninja.ir.numbers import NUMBERS
from npuninja.ir.verifier_sequence import is_constant_transfer
from npuninja.lowering.generation import GENERATIONS, RULES, choose
from npuninja.lowering.number_operands import has_braced_length
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Callable

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


#: When MLIR-AIE 1.4's dialect was complete enough that its release was made, and when each spelling that came
#: alone was first read. What is not here came with the release, as far as we know.
_RELEASE = "2026-07-14"
_SINCE = {
    "aligned": "2026-05-08",
    "sources": "2026-05-22",
    "egress_shim_col": "2026-06-05",
    "aiex.scratchpad_parameter": "2026-06-05",
    "aiex.read_scratchpad_parameter": "2026-06-05",
    "aiex.sync_scratchpad_parameters_from_host": "2026-06-05",
    "aiex.npu.create_scratchpad": "2026-06-05",
    "aiex.npu.update_from_scratchpad": "2026-06-05",
    "offset_parameter": "2026-06-05",
    "npu": "2026-07-06",
    "aie.use_lock": "2026-07-13",
    "aie.dma_bd": _RELEASE,
    "link_merge_files": "2026-07-29",
    "link_with_mode": "2026-07-29",
    "pad_value": "2026-08-10",
    "iteration": "2026-08-12",
}
#: The day from which the spelling before it was read no more.
_UNTIL = {
    "npu": "2026-07-06",
    "aie.use_lock": "2026-07-13",
    "aie.dma_bd": _RELEASE,
    "aie.shim_switchbox": "2026-07-01",
}
_EVER = "9999"


class GenerationMark(NamedTuple):
    """A spelling that not all generations have; `key` is what `_SINCE` and `_UNTIL` know it by."""

    generations: tuple[str, ...]
    what: str
    place: Location | None
    key: str = ""

    @property
    def since(self) -> str:
        """The first day that read it; "" for before all that is told apart here by days."""
        return _SINCE.get(self.key, _RELEASE) if self.generations == (NEW,) else ""

    @property
    def until(self) -> str:
        """The day from which it was read no more."""
        if NEW in self.generations:
            return _EVER
        return _UNTIL.get(self.key, "") if MIDDLE in self.generations else ""


def mark_of(op: Operation) -> GenerationMark | None:
    """What an operation says about the generation of its text."""
    name = op.name
    known = _BY_NAME.get(name)
    for attribute in _NEW_ATTRIBUTES.get(name, ()):
        if attribute in op.attributes:
            return GenerationMark((NEW,), f"'{attribute}' of {name}", op.loc, attribute)
    if known is not None:
        return GenerationMark(known, f"'{name}'", op.loc, name)
    if name in NUMBERS:
        fixed = name == "aie.use_lock"
        key = name if fixed else "npu"
        if len(op.operands) > fixed:
            return GenerationMark((NEW,), f"values as operands of {name}", op.loc, key)
        return GenerationMark(_UP_TO_MIDDLE, f"literal numbers of {name}", op.loc, key)
    for attribute in _MIDDLE_ATTRIBUTES.get(name, ()):
        if attribute in op.attributes:
            return GenerationMark(_FROM_MIDDLE, f"'{attribute}' of {name}", op.loc)
    form = _FORMS.get(name)
    return form(op) if form is not None else None


def _allocation_mark(op: Operation) -> GenerationMark:
    if op.operands:
        return GenerationMark(_FROM_MIDDLE, "the tile of aie.shim_dma_allocation", op.loc)
    # It outlived aiex.runtime_sequence by a month.
    return GenerationMark(_UP_TO_MIDDLE, "the column of aie.shim_dma_allocation", op.loc)


def _host_config_mark(op: Operation) -> GenerationMark:
    older = "arg_idx" in op.attributes
    return GenerationMark((MIDDLE,) if older else (NEW,), f"the form of {op.name}", op.loc)


def _trace_packet_mark(op: Operation) -> GenerationMark | None:
    if "id" in op.attributes:
        return None
    return GenerationMark((NEW,), "aie.trace.packet without an id", op.loc)


def _packet_flow_mark(op: Operation) -> GenerationMark | None:
    if sum(each.name == "aie.packet_source" for each in op.body.ops) < 2:
        return None
    return GenerationMark((NEW,), "several sources of aie.packet_flow", op.loc, "sources")


def _task_mark(op: Operation) -> GenerationMark | None:
    if len(op.operands) <= (op.name == "aiex.dma_configure_task"):
        return None
    return GenerationMark((NEW,), f"a repeat count of {op.name} that is a value", op.loc)


def _descriptor_mark(op: Operation) -> GenerationMark | None:
    if "offset" not in op.attributes:
        return GenerationMark((NEW,), "keywords of aie.dma_bd", op.loc, "aie.dma_bd")
    keys = list(op.attributes)
    # A length in the dictionary comes before the offset, which then is a default. The releases with keywords
    # leave it there and take the whole buffer, which is the same for a length that says just that.
    if "len" in keys and keys.index("len") < keys.index("offset") and not has_braced_length(op):
        return GenerationMark(_UP_TO_MIDDLE, "a length of aie.dma_bd in braces", op.loc, "aie.dma_bd")
    placed = "len" in keys and keys.index("offset") < keys.index("len")
    if placed or any(key in keys for key in ("dimensions", "pad_dimensions", "pad_value")):
        return GenerationMark(_UP_TO_MIDDLE, "positions of aie.dma_bd's numbers", op.loc, "aie.dma_bd")
    return None


#: Operations whose form says for which generation they are written.
_FORMS: dict[str, Callable[[Operation], GenerationMark | None]] = {
    "aie.dma_bd": _descriptor_mark,
    "aie.shim_dma_allocation": _allocation_mark,
    "aie.trace.host_config": _host_config_mark,
    "aie.trace.packet": _trace_packet_mark,
    "aie.packet_flow": _packet_flow_mark,
    "aiex.dma_configure_task": _task_mark,
    "aiex.dma_configure_task_for": _task_mark,
}


def possible_generations(module: Operation) -> tuple[str, ...]:
    """The generations in which a text reads as is, oldest first; the latest if only days before it read it.

    Raises:
        UserError: no day read it: the text holds spellings of two; located at the second, with both.
    """
    return generations_and_days(module)[0]


def generations_and_days(module: Operation) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """The possible generations; and, if none reads the text, the days (from, before) whose releases do.

    Raises:
        UserError: as `possible_generations`.
    """
    marks: list[GenerationMark] = []
    left = GENERATIONS
    since, until = "", _EVER
    computes = False
    for op in module.walk():
        mark = mark_of(op)
        if mark is None:
            computes = computes or (op.name == "aiex.npu.dma_memcpy_nd" and not is_constant_transfer(op))
            continue
        since, until = max(since, mark.since), min(until, mark.until)
        left = tuple(name for name in left if name in mark.generations)
        if not left and since >= until:
            raise _mixed(mark, marks)
        marks.append(mark)
    if left:
        # Older releases refuse transfers with computed numbers: such a text is for the newest, if it may be.
        return ((NEW,) if computes and NEW in left else left), None
    return (NEW,), (since, until)


def _mixed(mark: GenerationMark, marks: list[GenerationMark]) -> UserError:
    """The error for a mark that goes with none of the days or generations of those before it."""
    others = [m for m in marks if m.since >= mark.until or mark.since >= m.until] or marks
    first = min(others, key=lambda m: len(set(m.generations) & set(mark.generations)))
    return UserError(
        f"the design mixes generations of MLIR-AIE: {mark.what} is for {_names(mark.generations)}, "
        f"{first.what} for {_names(first.generations)}",
        mark.place,
        hint="write both for one release; or say which one lowers it: --generation " + "|".join(GENERATIONS),
        notes=((f"{first.what} is here", first.place),),
    )


def _names(generations: tuple[str, ...]) -> str:
    return " or ".join(f"{name} ({RULES[name].release})" for name in generations)


def detect(module: Operation, wanted: str | None = None) -> str:
    """The generation of a design; `wanted` decides where the text does not.

    Raises:
        UserError: see `possible_generations`.
    """
    return choose(possible_generations(module), wanted)
