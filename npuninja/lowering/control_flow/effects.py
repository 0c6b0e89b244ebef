"""What an operation does to memory: nothing, it reads, it writes, or nobody knows (a call, a lock).

Sources: the memory effect traits of MLIR's arith, math, affine, memref, scf and vector dialects. Operations of
the AIE dialects and calls declare none, so MLIR takes them for operations that may do anything.
"""

from __future__ import annotations

import re

from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.op_builders import constant_value

NONE, READS, WRITES, UNKNOWN = range(4)

_PURE = re.compile(
    r"(?:arith|math|index|ub)\.\w+|func\.constant|affine\.(?:apply|min|max)"
    r"|memref\.(?:subview|cast|reinterpret_cast|memory_space_cast|dim|rank|get_global|view|assume_alignment"
    r"|expand_shape|collapse_shape|extract_aligned_pointer_as_index|extract_strided_metadata)"
    r"|builtin\.unrealized_conversion_cast"
    r"|vector\.(?!load|store|transfer_|masked|gather|scatter|expandload|compressstore|print)\w+"
)
_READS = re.compile(r"(?:memref|affine|vector)\.load|vector\.(?:transfer_read|maskedload|gather|expandload)")
_WRITES = re.compile(
    r"(?:memref|affine|vector)\.store|memref\.copy|vector\.(?:transfer_write|maskedstore|scatter|compressstore)"
)
#: Operations that do what the operations in their regions do.
STRUCTURED = frozenset(
    ("scf.for", "scf.if", "scf.while", "scf.index_switch", "scf.execute_region", "affine.for", "affine.if")
)
#: Ends of regions. They are never moved or removed by themselves.
TERMINATORS = frozenset(("scf.yield", "affine.yield", "scf.condition", "func.return", "aie.end"))
#: Operations that make memory: harmless when nothing uses it.
_ALLOCATES = ("memref.alloca", "memref.alloc")
_DIVISIONS = ("arith.divsi", "arith.divui", "arith.ceildivsi", "arith.ceildivui", "arith.floordivsi")
_known: dict[str, int] = {}


def effect_of(op: Operation) -> int:
    """The strongest effect of an operation and all inside it."""
    if op.name in STRUCTURED:
        return max(
            (effect_of(inner) for region in op.regions for block in region.blocks for inner in block.ops),
            default=NONE,
        )
    effect = _known.get(op.name)
    if effect is None:
        effect = _known[op.name] = _of_name(op.name)
    return effect


def _of_name(name: str) -> int:
    if name in ("scf.yield", "affine.yield", "scf.condition") or _PURE.fullmatch(name):
        return NONE
    if _READS.fullmatch(name):
        return READS
    return WRITES if _WRITES.fullmatch(name) else UNKNOWN


def is_removable(op: Operation) -> bool:
    """Whether the operation can go when nothing uses its results."""
    if op.name in TERMINATORS:
        return False
    return op.name in _ALLOCATES or effect_of(op) <= READS


def may_run_early(op: Operation) -> bool:
    """Whether the operation may run where it would not have run at all: it has no effect and cannot trap."""
    if op.name in _DIVISIONS:
        divisor = constant_value(operand(op, "rhs"))
        return divisor is not None and divisor != 0 and (divisor != -1 or op.name.endswith("ui"))
    if op.name in STRUCTURED:
        inside = (inner for region in op.regions for block in region.blocks for inner in block.ops)
        return op.name != "scf.while" and all(may_run_early(inner) for inner in inside)
    return effect_of(op) == NONE


def read_by(op: Operation) -> list[Value]:
    """The values an operation uses, those it passes to blocks included."""
    if not op.successors:
        return op.operands
    return op.operands + [value for _, passed in op.successors for value in passed]
