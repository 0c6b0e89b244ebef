"""What an operation does to memory: nothing, it reads, it writes, or that is not known (a call, a lock).

Sources: the memory effect traits of MLIR's arith, math, affine, memref, scf and vector dialects. Operations
of the AIE dialects and calls declare none, so MLIR takes them for operations that may do anything.
"""

from __future__ import annotations

from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.op_builders import constant_value

NONE, READS, WRITES, UNKNOWN = range(4)

# Sets and beginnings of names: regular expressions would take a hundredth of a lowering to compile.
_PURE_DIALECTS = frozenset(("arith", "math", "index", "ub"))
_PURE = frozenset(
    (
        "scf.yield", "affine.yield", "scf.condition", "func.constant", "builtin.unrealized_conversion_cast",
        "affine.apply", "affine.min", "affine.max",
        "memref.subview", "memref.cast", "memref.reinterpret_cast", "memref.memory_space_cast", "memref.dim",
        "memref.rank", "memref.get_global", "memref.view", "memref.assume_alignment", "memref.expand_shape",
        "memref.collapse_shape", "memref.extract_aligned_pointer_as_index", "memref.extract_strided_metadata",
    )
)  # fmt: skip
_READS = frozenset(
    (
        "memref.load", "affine.load", "vector.load", "vector.transfer_read", "vector.maskedload", "vector.gather",
        "vector.expandload",
    )
)  # fmt: skip
_WRITES = frozenset(
    (
        "memref.store", "affine.store", "vector.store", "memref.copy", "vector.transfer_write",
        "vector.maskedstore", "vector.scatter", "vector.compressstore",
    )
)  # fmt: skip
#: Those of the vector dialect that do something to memory, or print.
_NOT_PURE_VECTORS = (
    "load", "store", "transfer_", "masked", "gather", "scatter", "expandload", "compressstore", "print",
)  # fmt: skip
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
    dialect, _, operation = name.partition(".")
    if name in _PURE or dialect in _PURE_DIALECTS:
        return NONE
    if dialect == "vector" and not operation.startswith(_NOT_PURE_VECTORS):
        return NONE
    if name in _READS:
        return READS
    return WRITES if name in _WRITES else UNKNOWN


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
