"""Checks what the lowering relies on, and reports the first violation where it is.

This module checks what holds for every operation: required attributes, that values are defined before they
are used, that blocks end in terminators, that symbols are unique. What holds for single operations is in
`verifier_aie.py`, `verifier_objectfifo.py`, `verifier_sequence.py` and `verifier_standard.py`; their rules
follow the `verify` functions of MLIR-AIE and MLIR.
"""

from __future__ import annotations

from collections.abc import Callable

from npuninja.errors import Location, UserError
from npuninja.ir.assembly import OpDefinition
from npuninja.ir.attributes import SymbolRefAttr
from npuninja.ir.core import Block, Operation, Region, Value
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.ir.symbols import SYMBOL_TABLES, check_unique_symbols, find_symbol
from npuninja.ir.syntax import definition
from npuninja.ir.verifier_aie import AIE_RULES
from npuninja.ir.verifier_array import ARRAY_RULES
from npuninja.ir.verifier_dma import DMA_RULES
from npuninja.ir.verifier_objectfifo import OBJECTFIFO_RULES
from npuninja.ir.verifier_ranges import RANGES, check_ranges
from npuninja.ir.verifier_sequence import SEQUENCE_RULES, check_transfer_ranges, is_constant_transfer
from npuninja.ir.verifier_standard import STANDARD_RULES
from npuninja.ir.verifier_tiles import op_error

VerifierRule = Callable[[Operation], None]

#: Attributes of releases after those that are known: without them the design would do another thing.
_NEWER = {"aie.dma": "out_of_order", "aie.dma_start": "out_of_order", "aie.dma_bd": "out_of_order_id"}
_RULES: dict[str, VerifierRule] = {
    **AIE_RULES,
    **ARRAY_RULES,
    **DMA_RULES,
    **OBJECTFIFO_RULES,
    **SEQUENCE_RULES,
    **STANDARD_RULES,
}

# Operations that may end a block.
_TERMINATORS = frozenset(
    [
        "aie.end",
        "aie.next_bd",
        "aie.dma_start",
        "cf.br",
        "cf.cond_br",
        "cf.switch",
        "func.return",
        "scf.yield",
        "scf.condition",
        "affine.yield",
    ]
)
# Operations whose blocks must end in a terminator that the text shows.
_TERMINATED = frozenset(
    [
        "aie.core",
        "aie.mem",
        "aie.memtile_dma",
        "aie.shim_dma",
        "aie.bd_chain",
        "aiex.dma_configure_task",
        "aiex.dma_configure_task_for",
        "func.func",
        "scf.while",
        "scf.index_switch",
        "scf.execute_region",
    ]
)


def verify(module: Operation, *, splits_transfers: bool = False, as_printed: bool = False) -> None:
    """Checks `module` and everything in it. Raises UserError at the first operation that is wrong.

    Args:
        module: any operation.
        splits_transfers: a transfer may be too large for one descriptor: the lowering makes several of it.
        as_printed: check only what the reference checks when a design is printed: sizes and strides of a
            transfer not before its objectFifo has become a shim's allocation.
    """
    _Verifier(splits_transfers, as_printed).operation(module)


def _has_allocation(transfer: Operation) -> bool:
    """Whether the symbol of an `aiex.npu.dma_memcpy_nd` is that of a shim's allocation."""
    named = transfer.attributes.get("metadata")
    return (
        isinstance(named, SymbolRefAttr)
        and len(named.path) == 1
        and find_symbol(transfer, named.path[0], "aie.shim_dma_allocation") is not None
    )


class _Verifier:
    """One pass over a module. Values are numbered by their definitions, dominators found once per region."""

    def __init__(self, splits_transfers: bool, as_printed: bool) -> None:
        self._splits_transfers = splits_transfers
        self._as_printed = as_printed
        self._positions: dict[Operation, int] = {}
        self._dominators: dict[Region, dict[Block, set[Block]]] = {}

    def operation(self, op: Operation) -> None:
        found = definition(op.name)
        if found is None:
            raise UserError(f"unknown operation '{op.name}'", op.loc)
        for name in found.required:
            if name not in op.attributes:
                raise UserError(f"'{op.name}' requires attribute '{name}'", op.loc)
        _check_shape(op, found)
        if op.name in RANGES:
            check_ranges(op)
        for value in op.operands:
            self._check_use(op, value)
        for target, passed in op.successors:
            for value in passed:
                self._check_use(op, value)
            self._check_branch(op, target, passed)
        self._check_rule(op)
        if op.name in SYMBOL_TABLES:
            check_unique_symbols(op)
        for region in op.regions:
            self._region(op, region)

    def _check_rule(self, op: Operation) -> None:
        """What holds for operations of this name."""
        newer = _NEWER.get(op.name)
        if newer in op.attributes:
            raise UserError(
                f"'{newer}' of {op.name} is of MLIR-AIE after 2026-08-14, which is not known here",
                op.loc,
                hint="the newest dialect known here is the one of 2026-08-14",
            )
        rule = _RULES.get(op.name)
        is_transfer = op.name == "aiex.npu.dma_memcpy_nd"
        if rule is None or (is_transfer and self._is_checked_later(op)):
            return
        try:
            rule(op)
            if is_transfer and not self._splits_transfers:
                check_transfer_ranges(op)
        except ValueError as problem:  # a type that is not what the rule looks into
            raise op_error(op, str(problem)) from None

    def _is_checked_later(self, transfer: Operation) -> bool:
        # Since 1.4 a transfer's numbers may be computed; the results are checked when loops are written out.
        if self._splits_transfers and len(transfer.operands) > 1 and not is_constant_transfer(transfer):
            return True
        return self._as_printed and not _has_allocation(transfer)

    def _region(self, parent: Operation, region: Region) -> None:
        for block in region.blocks:
            for i, op in enumerate(block.ops):
                self._positions[op] = i
        for block in region.blocks:
            last = len(block.ops) - 1
            for i, op in enumerate(block.ops):
                if i < last and (op.successors or op.name in _TERMINATORS):
                    raise UserError(f"'{op.name}' must be the last operation of its block", op.loc)
                self.operation(op)
            if parent.name in _TERMINATED and (last < 0 or block.ops[last].name not in _TERMINATORS):
                where = block.ops[last].loc if last >= 0 else parent.loc
                end = (
                    "func.return"
                    if parent.name == "func.func"
                    else "scf.yield"
                    if parent.name[0] == "s"
                    else "aie.end"
                )
                raise UserError(
                    f"a block of '{parent.name}' ends without a terminator",
                    where,
                    hint=f"end it with '{end}'",
                )

    def _check_branch(self, op: Operation, target: Block, passed: list[Value]) -> None:
        region = op.parent.parent if op.parent is not None else None
        if region is None or target.parent is not region:
            raise UserError(f"'{op.name}' goes to a block of another region", op.loc)
        if target is region.entry:
            raise UserError(
                f"'{op.name}' goes to the first block of its region, which nothing may go back to",
                op.loc,
                hint="let the first block end with a branch or a channel start, "
                "and go back to the block after it",
            )
        wanted = [a.type for a in target.args]
        given = [v.type for v in passed]
        if wanted != given:
            label = f"^{target.label}" if target.label else "its target"
            raise UserError(
                f"{label} takes ({', '.join(wanted)}), but '{op.name}' passes ({', '.join(given)})", op.loc
            )

    # Dominance

    def _check_use(self, op: Operation, value: Value) -> None:
        owner = value.owner
        if isinstance(owner, Operation):
            home = owner.parent
            if home is op.parent and home is not None and owner in self._positions:
                if self._positions[owner] < self._positions.get(op, 1 << 60):
                    return
                raise self._late_use(op, value, owner)
        else:
            home = owner
        if home is None or home.parent is None:
            raise UserError(f"'{op.name}' uses a value that is defined nowhere", op.loc)
        ancestor = _ancestor_in(op, home.parent)
        if ancestor is None:
            raise UserError(
                f"'{op.name}' uses a value of a region that it is not in",
                op.loc,
                notes=_definition_note(owner),
            )
        block = ancestor.parent
        assert block is not None
        if block is home:
            is_earlier = (
                not isinstance(owner, Operation)
                or self._positions.get(owner, 1 << 60) < self._positions[ancestor]
            )
            if is_earlier:
                return
            raise self._late_use(op, value, owner)
        reach = self._dominating(home.parent).get(block)
        if reach is not None and home not in reach:
            raise self._late_use(op, value, owner)

    @staticmethod
    def _late_use(op: Operation, value: Value, owner: Operation | Block | None) -> UserError:
        name = f"'%{value.name}'" if value.name else "a value"
        return UserError(
            f"'{op.name}' uses {name} before it is defined", op.loc, notes=_definition_note(owner)
        )

    def _dominating(self, region: Region) -> dict[Block, set[Block]]:
        """For each reachable block the blocks that every way to it passes, itself included."""
        known = self._dominators.get(region)
        if known is not None:
            return known
        predecessors: dict[Block, list[Block]] = {}
        order = _reachable(region.blocks[0])
        for block in order:
            for target in _targets(block):
                predecessors.setdefault(target, []).append(block)
        everything = set(order)
        found = dict.fromkeys(order, everything)
        found[order[0]] = {order[0]}
        changed = True
        while changed:
            changed = False
            for block in order[1:]:
                new = set.intersection(*(found[p] for p in predecessors[block])) | {block}
                if new != found[block]:
                    found[block] = new
                    changed = True
        self._dominators[region] = found
        return found


def _check_shape(op: Operation, found: OpDefinition) -> None:
    """Operands, results, regions and successors are as the table says (the custom form cannot violate it)."""
    try:
        sizes = found.group_sizes(op)
    except ValueError as problem:
        raise UserError(str(problem), op.loc) from None
    start = 0
    for group, size in zip(found.groups, sizes):
        if group.type:
            for value in op.operands[start : start + size]:
                if value.type != group.type:
                    raise op_error(op, f"{group.name} has type {value.type}, expected {group.type}")
        start += size
    for name in found.mixed:
        places, values = op.numbers(f"static_{name}").count(DYNAMIC_INDEX), len(found.group(op, name))
        if places != values and f"static_{name}" in op.attributes:
            raise op_error(op, f"{name} has {places} places for values, but {values} values")
    if len(op.regions) < found.region_count:
        raise UserError(f"'{op.name}' has {len(op.regions)} regions, expected {found.region_count}", op.loc)
    if len(op.successors) < found.successor_count:
        raise UserError(
            f"'{op.name}' has {len(op.successors)} successors, expected {found.successor_count}", op.loc
        )
    if any(rule[-1] == "*" or rule.startswith("named(") for rule in found.results):
        return
    if len(op.results) != len(found.results):
        raise UserError(f"'{op.name}' has {len(op.results)} results, expected {len(found.results)}", op.loc)
    for result, rule in zip(op.results, found.results):
        if rule in _FIXED_RESULTS and result.type != rule:
            raise op_error(op, f"the result has type {result.type}, expected {rule}")


_FIXED_RESULTS = ("index", "i1")


def _targets(block: Block) -> list[Block]:
    return [target for target, _ in block.ops[-1].successors] if block.ops else []


def _reachable(entry: Block) -> list[Block]:
    """The blocks that can be reached, in the order in which a search first meets them."""
    order: dict[Block, None] = {entry: None}
    waiting = [entry]
    while waiting:
        for target in _targets(waiting.pop()):
            if target not in order:
                order[target] = None
                waiting.append(target)
    return list(order)


def _ancestor_in(op: Operation, region: Region) -> Operation | None:
    """`op` or the operation around it that is directly in `region`, or None."""
    while op.parent is not None and op.parent.parent is not region:
        parent = op.parent_op
        if parent is None:
            return None
        op = parent
    return op if op.parent is not None else None


def _definition_note(owner: Operation | Block | None) -> tuple[tuple[str, Location | None], ...]:
    return (("it is defined here", owner.loc),) if isinstance(owner, Operation) else ()
