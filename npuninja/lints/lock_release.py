"""Lint: a core or a DMA waits for a lock that nothing can ever release."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Block, Operation, Value
from npuninja.ir.syntax import group, operand
from npuninja.lowering.dma_channels import channels
from npuninja.lowering.op_builders import constant_value
from npuninja.lowering.tiles import ops_of
from npuninja.records import NamedTuple

_LOOPS = ("scf.for", "scf.while", "scf.forall", "affine.for")
# Operations of a runtime sequence that write registers, and so perhaps a lock.
_RAW_WRITES = (
    "aiex.npu.write32",
    "aiex.npu.maskwrite32",
    "aiex.npu.blockwrite",
    "aiex.npu.control_packet",
    "aiex.control_packet",
)


class _Use(NamedTuple):
    """One use of a lock by an agent (a core, or one channel of a DMA), in the agent's order."""

    op: Operation
    agent: int
    again: bool  # whether the agent comes here more than once

    @property
    def amount(self) -> int:
        """How much the lock must hold, or is given; 0 when that is known at run time only."""
        return 0 if group(self.op, "value") else self.op.integer("value", 1)

    @property
    def releases(self) -> bool:
        """Whether it gives and does not take."""
        action = self.op.attributes.get("action")
        return isinstance(action, EnumAttr) and action.case == "Release"


def check_lock_releases(device: Operation, warnings: Warnings) -> None:
    """Warns of the first wait for a lock that must last for ever.

    Either nothing releases the lock and its first value does not last for all waits, or only what waits
    would release it, later. A runtime sequence that writes registers may do anything: then nothing is said.
    """
    if any(op.name in _RAW_WRITES for op in device.walk()):
        return
    # Kernels that get a lock may release it, and the numbers by which cores know locks may be any lock's.
    others = {operand(op, "lock") for op in device.walk() if op.name == "aiex.set_lock"}
    others.update(value for op in device.walk() if op.name == "func.call" for value in op.operands)
    if any(_names_number(op) for op in device.walk()):
        return
    by_lock: dict[Value, list[_Use]] = {}
    for agent, uses in enumerate(_agents(device)):
        for op, again in uses:
            by_lock.setdefault(operand(op, "lock"), []).append(_Use(op, agent, again))
    for lock, found in by_lock.items():
        if lock not in others and isinstance(lock.owner, Operation):
            _check_lock(lock.owner, found, warnings)


def _names_number(op: Operation) -> bool:
    return op.name == "aie.use_lock" and constant_value(operand(op, "lock")) is not None


def _check_lock(lock: Operation, uses: list[_Use], warnings: Warnings) -> None:
    initial = lock.integer("init", 0)
    waits = [use for use in uses if not use.releases and use.amount]
    releases = [use for use in uses if use.releases]
    name = f"lock '@{lock.string('sym_name')}'" if "sym_name" in lock.attributes else "this lock"
    if not releases:
        left = initial
        for wait in waits:
            left -= wait.amount
            if left < 0 or wait.again:
                warnings.add(
                    f"{name} is waited for here, "
                    f"but nothing releases it and its first value {initial} does not last",
                    wait.op.loc,
                )
                return
    for wait in waits:
        first = next(use for use in uses if use.agent == wait.agent)
        if first is wait and wait.amount > initial and all(use.agent == wait.agent for use in releases):
            warnings.add(
                f"{name} is waited for here, with the first value {initial} instead of {wait.amount}, "
                "and only released after this wait",
                wait.op.loc,
            )
            return


def _agents(device: Operation) -> list[list[tuple[Operation, bool]]]:
    """For each core and DMA channel its uses of locks in order, and whether it comes there more than once."""
    agents = []
    for core in ops_of(device, "aie.core"):
        loops = _cyclic_blocks(core.regions[0].blocks)
        uses = []
        for op in core.walk():
            if op.name == "aie.use_lock":
                uses.append((op, op.parent in loops or _in_loop(op, core)))
        agents.append(uses)
    for channel in channels(device):
        agents.append([(op, block in channel.ring) for block in channel.blocks for op in _lock_uses(block)])
    return agents


def _lock_uses(block: Block) -> list[Operation]:
    return [op for op in block.ops if op.name == "aie.use_lock"]


def _in_loop(op: Operation, core: Operation) -> bool:
    parent = op.parent_op
    while parent is not None and parent is not core:
        if parent.name in _LOOPS:
            return True
        parent = parent.parent_op
    return False


def _cyclic_blocks(blocks: list[Block]) -> set[Block]:
    """The blocks of a region that can be reached from themselves by branches."""
    targets = {block: {target for op in block.ops for target, _ in op.successors} for block in blocks}
    reach = {block: set(found) for block, found in targets.items()}
    changed = True
    while changed:
        changed = False
        for found in reach.values():
            more = {further for block in found for further in reach.get(block, ())} - found
            found |= more
            changed = changed or bool(more)
    return {block for block in blocks if block in reach[block]}
