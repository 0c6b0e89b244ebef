"""The passes of the lowering as data: which run, in which order, on what, and in which generations.

The order is that of MLIR-AIE's own pipelines, and so are the names. A name that begins with `own-` is a part
that the reference does inside another pass. `npuninja lower --print-after PASS` and `--stop-after PASS` take
these names. A pass is imported when it runs: every build edge is a process of its own and needs few of them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation
from npuninja.lowering.generation import Rules
from npuninja.records import NamedTuple
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any, Sequence


class PassSettings(NamedTuple):
    """What passes are given; what is after `warnings` is explained at `pipeline.lower_resources`."""

    rules: Rules
    warnings: Warnings
    alloc_scheme: str | None = None
    packet_fifos: bool = False
    dynamic_fifos: bool | None = None
    cores_per_column: int | None = None
    control_overlay: str = ""


class Pass(NamedTuple):
    """One pass.

    Attributes:
        name: the reference's, or one that begins with `own-`.
        function: MODULE:FUNCTION below `npuninja.lowering`.
        scope: what it runs on: the module, each device, or each runtime sequence of a device.
        takes: its arguments after that, by name: a field of `PassSettings`, `device`, `model` (of the
            device), or `rules.FIELD`; `=` in front of it names a keyword: `join=False`, `wanted='true'`.
        when: the field of `Rules` without which it does not run; `not FIELD` for the contrary.
        only_with: operations, or the beginning of their names up to a dot or underscore, without which it has
            nothing to do; no pass of the step makes them.
        stands_for: further passes of the reference, in one generation or another, whose work it does.
    """

    name: str
    function: str
    scope: str = "device"
    takes: tuple[str, ...] = ()
    when: str = ""
    only_with: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()

    def runs(self, rules: Rules) -> bool:
        """Whether a generation has it."""
        negated, field = self.when.startswith("not "), self.when.removeprefix("not ")
        return not field or bool(getattr(rules, field)) is not negated

    def concerns(self, names: set[str]) -> bool:
        """Whether it may have something to do in a module with operations of these names."""
        if not self.only_with or not names.isdisjoint(self.only_with):
            return True
        beginnings = tuple(each for each in self.only_with if each[-1] in "._")
        return any(name.startswith(beginnings) for name in names)


_TASKS = ("aiex.dma_",)  # of sequences, their starts and waits, chains of descriptors among them

RESOURCES: tuple[Pass, ...] = (
    Pass("own-numbers-from-values", "number_operands:numbers_from_values", "module"),
    Pass(
        "aie-place-tiles",
        "resources.place_tiles:place_tiles",
        takes=("rules", "warnings", "cores_per_column"),
        only_with=("aie.logical_tile",),
    ),
    # The overlay for control packets, of all tiles or those used: it takes shim channels before fifos do.
    Pass(
        "own-route-control-packets",
        "resources.controller_ids:route_control_packets",
        takes=("control_overlay", "rules", "wanted='first'"),
    ),
    Pass(
        "aie-insert-trace-flows",
        "trace:lower_traces",
        takes=("rules",),
        only_with=("aie.trace", "aie.trace.config"),
        stands_for=("aie-trace-to-config", "aie-trace-pack-reg-writes", "aie-inline-trace-config"),
    ),
    Pass(
        "aie-unroll-runtime-sequence-loops",
        "sequence.loops:unroll_sequence_loops",
        when="not unrolls_sequences_late",
    ),
    Pass("convert-vector-to-aievec", "control_flow.simplification:simplify_code", "module"),
    Pass(
        "own-drop-empty-acquires",
        "control_flow.simplification:drop_empty_acquires",
        when="drops_empty_acquires",
    ),
    Pass("lower-affine", "control_flow.affine_to_scf:lower_affine", "module", only_with=("affine.",)),
    Pass(
        "aie-canonicalize-device",
        "resources.canonicalize_device:canonicalize_device",
        takes=("rules", "warnings"),
    ),
    Pass(
        "aie-lower-scratchpad-parameters",
        "resources.scratchpad:lower_scratchpad_parameters",
        "module",
        only_with=("aiex.scratchpad_", "aiex.read_scratchpad_", "aiex.sync_scratchpad_"),
    ),
    Pass(
        "own-route-control-packets",
        "resources.controller_ids:route_control_packets",
        takes=("control_overlay", "rules", "wanted='true'"),
    ),
    Pass("aie-assign-lock-ids", "resources.lock_ids:assign_lock_ids", when="not numbers_locks_last"),
    Pass(
        "aie-objectFifo-stateful-transform",
        "objectfifo.transform:lower_objectfifos",
        takes=("rules", "warnings", "packets=packet_fifos", "dynamic=dynamic_fifos"),
        only_with=("aie.objectfifo", "aie.objectfifo."),
        stands_for=("aie-register-objectFifos", "aie-objectFifo-unroll"),
    ),
    Pass("aie-assign-lock-ids", "resources.lock_ids:assign_lock_ids", when="numbers_locks_last"),
    Pass("aie-assign-bd-ids", "resources.bd_ids:assign_bd_ids"),
    Pass(
        "aie-lower-cascade-flows",
        "resources.cascade_flows:lower_cascade_flows",
        only_with=("aie.cascade_flow",),
    ),
    Pass(
        "aie-lower-broadcast-packet",
        "routing.broadcast:lower_broadcasts",
        only_with=("aiex.broadcast_packet",),
    ),
    Pass("aie-lower-multicast", "routing.broadcast:lower_multicasts", only_with=("aiex.multicast",)),
    Pass("aie-assign-tile-controller-ids", "resources.controller_ids:assign_controller_ids"),
    Pass(
        "aie-generate-column-control-overlay",
        "resources.controller_ids:add_control_overlay",
        takes=("control_overlay",),
    ),
    Pass(
        "aie-assign-buffer-addresses",
        "resources.buffer_addresses:assign_buffer_addresses",
        takes=("alloc_scheme", "rules", "warnings"),
    ),
    Pass(
        "aie-assign-core-link-files",
        "resources.link_files:assign_core_link_files",
        takes=("warnings",),
        when="core_link_files",
    ),
    Pass(
        "own-fold-constants",
        "control_flow.constant_folding:fold_constants",
        takes=("join=False",),
        when="folds_after_unrolling",
    ),
    Pass(
        "own-drop-unused-tiles",
        "resources.canonicalize_device:drop_unused_tiles",
        when="not drops_unused_tiles_late",
    ),
    Pass(
        "convert-scf-to-cf",
        "control_flow.scf_to_cf:lower_scf",
        "module",
        takes=("case_type=rules.case_type",),
        stands_for=("aie-scf-to-control-flow",),
    ),
    Pass("own-check-lowered", "remaining:check_lowered"),
    Pass("own-numbers-to-values", "number_operands:numbers_to_values", "module", when="numbers_are_values"),
)

ROUTING: tuple[Pass, ...] = (
    Pass(
        "aie-create-pathfinder-flows",
        "routing.flows:route",
        "module",
        takes=("generation=rules.name", "warnings=warnings"),
    ),
)

SEQUENCES: tuple[Pass, ...] = (
    Pass("own-numbers-from-values", "number_operands:numbers_from_values", "module"),
    Pass(
        "aie-materialize-runtime-sequences",
        "sequence.devices:materialize_sequences",
        "module",
        only_with=("aiex.configure", "aiex.run"),
    ),
    Pass(
        "aie-materialize-bd-chains",
        "sequence.bd_chains:materialize_bd_chains",
        takes=("rules", "warnings"),
        only_with=_TASKS,
    ),
    Pass("own-merge-blocks", "control_flow.block_merging:merge_blocks"),
    # What MLIR's greedy rewriting does on the way to its patterns: folds constants, drops what nothing uses.
    Pass(
        "own-fold-constants",
        "control_flow.constant_folding:fold_constants",
        takes=("join=False",),
        when="drops_unused_tiles_late",
    ),
    Pass(
        "own-drop-unused-tiles",
        "resources.canonicalize_device:drop_unused_tiles",
        when="drops_unused_tiles_late",
    ),
    Pass(
        "own-linearize-transfers",
        "resources.contiguous_transfers:linearize_transfers",
        when="canonicalizes_sequences",
    ),
    Pass(
        "own-simplify-branches",
        "control_flow.branch_simplification:simplify_branches",
        when="canonicalizes_sequences",
    ),
    Pass("canonicalize", "control_flow.constant_folding:fold_constants", when="canonicalizes_sequences"),
    Pass(
        "aie-unroll-runtime-sequence-loops",
        "sequence.loops:unroll_sequence_loops",
        when="unrolls_sequences_late",
    ),
    Pass("own-numbers-from-values", "number_operands:numbers_from_values", when="unrolls_sequences_late"),
    Pass("own-check-blocks", "sequence.checks:check_blocks", "sequence"),
    Pass("own-check-known", "sequence.checks:check_known", "sequence"),
    Pass(
        "aie-substitute-shim-dma-allocations",
        "sequence.tasks:substitute_allocations",
        "sequence",
        takes=("device=device", "sequence=sequence"),
        only_with=_TASKS,
    ),
    Pass(
        "own-linearize-descriptors",
        "resources.contiguous_transfers:linearize_descriptors",
        takes=("keeps_iteration=rules.ignores_single_steps",),
        when="linearizes_transfers",
    ),
    Pass(
        "aie-decompose-large-dma-bd",
        "sequence.large_transfers:split_large_transfers",
        "sequence",
        takes=("device=device", "sequence=sequence"),
        when="splits_transfers",
    ),
    # What was split may be contiguous by now, but for an outermost repetition.
    Pass(
        "own-linearize-transfers",
        "resources.contiguous_transfers:linearize_transfers",
        when="splits_transfers",
    ),
    Pass(
        "own-linearize-descriptors",
        "resources.contiguous_transfers:linearize_descriptors",
        takes=("keeps_iteration=rules.ignores_single_steps",),
        when="splits_transfers",
    ),
    Pass(
        "aie-assign-runtime-sequence-bd-ids",
        "sequence.task_ids:assign_bd_ids",
        "sequence",
        takes=("checks_tokens=rules.checks_tokens",),
        only_with=_TASKS,
    ),
    Pass(
        "aie-dma-tasks-to-npu",
        "sequence.tasks:lower_tasks",
        "sequence",
        takes=("model", "rules", "warnings"),
        only_with=_TASKS,
    ),
    Pass(
        "aie-lower-dma-channel-reset",
        "sequence.resets:lower_resets",
        "sequence",
        takes=("device=device", "sequence=sequence"),
        only_with=("aiex.core_reset", "aiex.dma_"),
        stands_for=("aie-lower-core-reset",),
    ),
    Pass(
        "aie-dma-to-npu",
        "sequence.transfers:expand",
        "sequence",
        takes=("operation=device", "sequence=sequence", "device=model", "rules=rules", "warnings=warnings"),
        stands_for=("aie-lower-set-lock",),
    ),
    Pass(
        "own-check-tokens",
        "sequence.checks:check_tokens",
        "sequence",
        takes=("device=device", "sequence=sequence", "model=model", "warnings=warnings"),
    ),
    Pass(
        "own-check-queues",
        "sequence.checks:check_queues",
        "sequence",
        takes=("device=device", "sequence=sequence", "model=model", "warnings=warnings"),
    ),
    Pass("own-drop-bindings", "sequence.resets:drop_bindings", only_with=("aie.objectfifo_rearm_binding",)),
    Pass("own-numbers-to-values", "number_operands:numbers_to_values", "module", when="numbers_are_values"),
)

STEPS = {"resources": RESOURCES, "routing": ROUTING, "sequences": SEQUENCES}

After = Callable[[Pass, Operation], None]
"""Looks at a module or device after a pass has run on it, or on a sequence of it."""


def names() -> list[str]:
    """The names of all passes, each once, in their order."""
    return list(dict.fromkeys(one.name for passes in STEPS.values() for one in passes))


def run_passes(
    passes: Sequence[Pass], module: Operation, settings: PassSettings, after: After | None = None
) -> None:
    """Runs the passes of one step on a module, in place.

    Consecutive passes on devices run on one device after the other, as MLIR's do; those on sequences alike.
    """
    running = [one for one in passes if one.runs(settings.rules)]
    names = {op.name for op in module.walk()}
    for in_devices, group in groupby(running, key=lambda one: one.scope != "module"):
        together = list(group)
        if not in_devices:
            for one in together:
                if one.concerns(names):
                    _run(one, module, {}, settings)
                if after:
                    after(one, module)
            continue
        for device in [op for op in module.body.ops if op.name == "aie.device"]:
            _run_on_device(together, device, settings, after, names)


def _run_on_device(
    passes: Sequence[Pass], device: Operation, settings: PassSettings, after: After | None, names: set[str]
) -> None:
    from npuninja.lowering.lookup import sequences

    for scope, group in groupby(passes, key=lambda one: one.scope):
        together = list(group)
        roots = sequences(device) if scope == "sequence" else [device]
        for root in roots:
            for one in together:
                if one.concerns(names):
                    _run(one, root, {"device": device, "sequence": root}, settings)
                if after:
                    after(one, device)


def _run(one: Pass, root: Operation, around: dict[str, Operation], settings: PassSettings) -> None:
    module_name, _, function_name = one.function.partition(":")
    module = __import__(f"npuninja.lowering.{module_name}", fromlist=[function_name])
    positional, keywords = [], {}
    for text in one.takes:
        keyword, equals, name = text.rpartition("=")
        value = _value(name, around, settings)
        if equals:
            keywords[keyword] = value
        else:
            positional.append(value)
    # One that names the device and the sequence takes them in its own order.
    roots = [] if "sequence" in keywords else [root]
    getattr(module, function_name)(*roots, *positional, **keywords)


def _value(name: str, around: dict[str, Operation], settings: PassSettings) -> Any:
    if name in ("True", "False"):
        return name == "True"
    if name[0] == "'":
        return name[1:-1]
    if name in around:
        return around[name]
    if name == "model":
        from npuninja.lowering.tiles import model_of

        return model_of(around["device"])
    whole, _, field = name.partition(".")
    value = getattr(settings, whole)
    return getattr(value, field) if field else value


def find(name: str) -> str:
    """The name of the pass that does what this one of the reference does.

    Raises:
        UserError: there is none; the hint has those that are near.
    """
    known = {other: one.name for passes in STEPS.values() for one in passes for other in one.stands_for}
    known |= {name: name for name in names()}
    if name not in known:
        hint = did_you_mean(name, list(known), f"passes: {', '.join(names())}")
        raise UserError(f"there is no pass {name!r}", hint=hint)
    return known[name]


def until(passes: Sequence[Pass], rules: Rules, stop_after: str) -> tuple[list[Pass], bool]:
    """The passes of a generation up to the last that has this name, and whether there is one."""
    running = [one for one in passes if one.runs(rules)]
    places = [place for place, one in enumerate(running) if one.name == stop_after]
    return (running[: places[-1] + 1], True) if places else (running, False)
