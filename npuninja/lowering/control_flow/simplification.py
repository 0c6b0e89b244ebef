"""The first pass of the reference over all code: canonicalize, join equal operations, hoist, canonicalize.

MLIR-AIE's `convert-vector-to-aievec` runs over the whole module; what it does to scalar code is here.
"""

from __future__ import annotations

from npuninja.ir.attributes import Attribute
from npuninja.ir.core import Operation, Value, erase_all
from npuninja.ir.symbols import CODE_HOLDERS, RUNTIME_SEQUENCES
from npuninja.ir.syntax import group, operand
from npuninja.ir.types import bits, vector
from npuninja.lowering.control_flow.condition_simplification import simplify_conditions_in
from npuninja.lowering.control_flow.constant_folding import fold_constants_in
from npuninja.lowering.control_flow.redundancy import hoist_invariants, join_equal_operations
from npuninja.lowering.control_flow.view_folding import fold_views_in
from npuninja.lowering.tiles import model_of


def simplify_code(module: Operation) -> None:
    """Simplifies the cores, functions and runtime sequences of a module in place."""
    for op in list(module.body.ops):
        if op.name == "aie.device":
            for inner in list(op.body.ops):
                if inner.name in CODE_HOLDERS or inner.name in RUNTIME_SEQUENCES:
                    _simplify(inner)
            share_sequence_constants(op)
            _name_broadcasts(op)
        elif op.name == "func.func":
            _simplify(op)


def _simplify(holder: Operation) -> None:
    canonicalize_code(holder)
    join_equal_operations(holder)
    hoist_invariants(holder)
    canonicalize_code(holder)


def drop_empty_acquires(device: Operation) -> None:
    """Drops acquires of at least 0, which do nothing (AIEDialect.cpp, UseLockOp's canonicalization)."""
    for op in list(device.walk()):
        if (
            op.name == "aie.use_lock"
            and op.enum("action") == "AcquireGreaterEqual"
            and "value" in op.attributes
            and op.integer("value") == 0
        ):
            op.erase()


def _name_broadcasts(device: Operation) -> None:
    """A scalar in all lanes of one vector register gets AIE's own operation."""
    widths = model_of(device).family.vector_bits
    for op in device.walk():
        if op.name != "vector.broadcast" or operand(op, "source").type.startswith("vector<"):
            continue
        shape, element = vector(op.result.type)
        source = operand(op, "source").owner
        extracted = isinstance(source, Operation) and source.name == "vector.extract"
        if len(shape) == 1 and element != "index" and shape[0] * bits(element) in widths and not extracted:
            op.name = "aievec.broadcast_scalar"


def _call_directly(holder: Operation) -> None:
    """A call through a value that is a function's name calls the function."""
    for op in list(holder.walk()):
        if op.name != "func.call_indirect":
            continue
        function = operand(op, "callee").owner
        if not isinstance(function, Operation) or function.name != "func.constant":
            continue
        call = Operation(
            "func.call",
            group(op, "args"),
            {"callee": function.attributes["value"]},
            tuple(result.type for result in op.results),
            loc=op.loc,
            result_names=tuple(result.name for result in op.results),
        )
        op.insert_before(call)
        holder.replace_uses(dict(zip(op.results, call.results)))
        op.erase()
    used = {value for op in holder.walk() for value in op.operands}
    for op in list(holder.walk()):
        if op.name == "func.constant" and op.result not in used:
            op.erase()


def canonicalize_code(holder: Operation) -> None:
    """MLIR's canonicalizer on the code of one core, function or sequence."""
    _call_directly(holder)
    fold_views_in(holder)
    fold_constants_in(holder)
    if simplify_conditions_in(holder):
        fold_constants_in(holder)


def share_sequence_constants(device: Operation) -> None:
    """Moves the constants of runtime sequences to the top of the device, each number once.

    MLIR's folder puts them there because a sequence, unlike a core, does not keep constants of its own.
    """
    known: dict[tuple[Attribute, str], Value] = {}
    for op in device.body.ops:
        if op.name == "arith.constant":
            known.setdefault((op.attributes["value"], op.result.type), op.result)
    for sequence in [op for op in device.body.ops if op.name in RUNTIME_SEQUENCES]:
        moved = [op for op in sequence.walk() if op.name == "arith.constant"]
        replaced: dict[Value, Value] = {}
        for op in moved:
            key = (op.attributes["value"], op.result.type)
            if key in known:
                replaced[op.result] = known[key]
            else:
                known[key] = op.result
        if moved:
            erase_all(moved)
            sequence.replace_uses(replaced)
            for op in moved:
                if op.result not in replaced:
                    device.body.insert(0, op)
