"""The syntax generations of MLIR-AIE and where their results differ.

One lowering serves all; what differs is in the table `RULES`, one row a generation (docs: the conformance
README). Which generation a text is written for is read off it by `npuninja.lowering.spelled_generation`.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.records import NamedTuple

#: What is taken when a text reads alike in several generations and no setting says which.
DEFAULT = "2025-10"


class Rules(NamedTuple):
    """How the results of one generation look."""

    name: str
    #: The releases that write and read it, for messages.
    release: str
    #: Tile ops without users go at the start of step 1, and again at the start of step 3 (True) or the end of
    #: step 1 (False). So a shim tile made for a column's token flow stays only where this is True.
    drops_unused_tiles_late: bool = False
    #: `aie.shim_dma_allocation` names its tile; before, its column.
    allocation_has_tile: bool = False
    #: In a one-to-one link, an output with padDimensions leaves the buffers to the input, whatever the sizes.
    padded_link_keeps_input: bool = False
    #: `link_with` of the functions a core calls is collected in the core's `link_files`.
    core_link_files: bool = False
    #: Constants are folded, and dead ones removed, once more after loops were unrolled.
    folds_after_unrolling: bool = False
    #: Contiguous transfers of a runtime sequence are written as linear ones.
    linearizes_transfers: bool = False
    #: A channel's tokens carry the controller id of the shim tile of its column, not of its own tile.
    shim_controller_id: bool = False
    #: Tasks of core and memory tiles may use locks, and the address of a tile's buffer is written after the
    #: descriptor, field by field.
    tasks_have_locks: bool = False
    #: Step 3 runs MLIR's canonicalizer, over core bodies too.
    canonicalizes_sequences: bool = False
    #: Numbers of lock, descriptor and register operations are SSA values (`number_operands`).
    numbers_are_values: bool = False
    #: An acquire of at least 0 is dropped.
    drops_empty_acquires: bool = False
    #: Ids of locks are given when all fifos have made theirs, in the order of the text.
    numbers_locks_last: bool = False
    #: Buffers start at a multiple of the load/store bus unless they say `aligned = false`.
    aligns_buffers: bool = False
    #: Buffers with addresses of their own are looked at in the order of these, not of the text.
    sorts_given_addresses: bool = False
    #: The data of a core lies in the largest gap between stack and buffers, not after all of them.
    data_in_largest_gap: bool = False
    #: Flows are sorted by kind and source before routing, and packet rules are the fewest that do.
    sorts_flows: bool = False
    #: A packet rule that catches an id meant for another is an error; before, the tools print it and go on.
    false_match_is_error: bool = False
    #: Master sets and rules of priority packet flows carry `is_ctrl_pkt_overlay`.
    marks_overlay: bool = False
    #: Logical tiles are placed by the demand of cores for channels, not by groups of fifos.
    places_by_demand: bool = False
    #: Step 3 reads the routed module.
    sequence_is_routed: bool = False
    #: Loops of sequences stay until step 3, after the devices' sequences were joined.
    unrolls_sequences_late: bool = False
    #: An await without an outstanding token, and a free of what is not in use, are errors.
    checks_tokens: bool = False
    #: Transfers too large for one descriptor are split.
    splits_transfers: bool = False
    #: Arguments from the sixth on carry 0x80000000, since the firmware translates five of them only.
    folds_late_arguments: bool = False
    #: A single buffer that is sent several times has one descriptor and a repeated task.
    repeats_in_hardware: bool = False
    #: The step of a dimension of size 1 does not count, and a descriptor whose length leaves out the
    #: outermost dimension keeps it as an iteration.
    ignores_single_steps: bool = False
    #: The order in which the whole object of a join or distribute is read or written must fit its smallest
    #: part (since 2026-01-26, #2751).
    parts_bound_orders: bool = False
    #: Fifos that start on memtiles make their buffers in the order of their size.
    orders_memtile_fifos: bool = False
    #: Channels that `aie.shim_dma_allocation` names are not given to fifos.
    reserves_allocations: bool = False
    #: Traces get an argument of their own after the others, and packet ids in the order of places.
    appends_trace_buffer: bool = False
    #: Devices are numbered from 1 for `load_pdi`.
    numbers_devices: bool = False
    #: Which objects of a fifo a core holds is counted in values that its loops carry, unrolled or not.
    counts_objects_in_values: bool = False
    #: MLIR-AIE's driver lowers fifos with `default-dynamic=true`, so builds do; the pass itself does not.
    driver_keeps_fifo_loops: bool = False
    #: MLIR-AIE's tools stop at a sequence that names an `aie.bd_chain`: they check its symbols before that is
    #: replaced.
    tools_refuse_bd_chains: bool = False
    #: The type of the numbers that `cf.switch` compares, as LLVM's convert-scf-to-cf writes it.
    case_type: str = "i32"


_AUTUMN_2025 = Rules(
    name="2025-10",
    release="MLIR-AIE 1.1 (up to 2025-11-17)",
    drops_unused_tiles_late=True,
    shim_controller_id=True,
)
#: What differs from the generation before.
_SPRING_2026 = _AUTUMN_2025._replace(
    name="2026-02",
    release="MLIR-AIE 1.2 and 1.3 (2025-11-18 to 2026-06)",
    drops_unused_tiles_late=False,
    allocation_has_tile=True,
    padded_link_keeps_input=True,
    core_link_files=True,
    folds_after_unrolling=True,
    linearizes_transfers=True,
    shim_controller_id=False,
    tasks_have_locks=True,
    canonicalizes_sequences=True,
    false_match_is_error=True,
    parts_bound_orders=True,
    tools_refuse_bd_chains=True,
)
_SUMMER_2026 = _SPRING_2026._replace(
    name="2026-08",
    release="MLIR-AIE 1.4 (2026-07-14 and later)",
    numbers_are_values=True,
    drops_empty_acquires=True,
    numbers_locks_last=True,
    aligns_buffers=True,
    sorts_given_addresses=True,
    data_in_largest_gap=True,
    sorts_flows=True,
    marks_overlay=True,
    places_by_demand=True,
    sequence_is_routed=True,
    unrolls_sequences_late=True,
    checks_tokens=True,
    splits_transfers=True,
    folds_late_arguments=True,
    repeats_in_hardware=True,
    ignores_single_steps=True,
    orders_memtile_fifos=True,
    reserves_allocations=True,
    appends_trace_buffer=True,
    numbers_devices=True,
    counts_objects_in_values=True,
    driver_keeps_fifo_loops=True,
    case_type="i64",
)

RULES = {rules.name: rules for rules in (_AUTUMN_2025, _SPRING_2026, _SUMMER_2026)}

#: Names of the generations, oldest first.
GENERATIONS = tuple(RULES)
#: What a user may say: `auto` is what the text of a design shows.
CHOICES = ("auto", *GENERATIONS)


def choose(possible: tuple[str, ...], wanted: str | None = None) -> str:
    """The generation to lower for: the wanted one where the text allows it, else the oldest it allows."""
    return wanted if wanted in possible else possible[0] if possible else DEFAULT


def rules_of(generation: str) -> Rules:
    """The row of a generation; UserError when there is none of that name."""
    rules = RULES.get(generation)
    if rules is None:
        raise UserError(f"unknown syntax generation '{generation}'", hint=f"known: {', '.join(RULES)}")
    return rules
