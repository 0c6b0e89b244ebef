"""MLIR's general passes by themselves, over a module: what `aie.passmanager` and scripts' pipelines name.

The lowering runs these steps in its own passes, in the order of MLIR-AIE's pipelines; here each stands alone.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import ArrayAttr, DictAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.symbols import CODE_HOLDERS, RUNTIME_SEQUENCES
from npuninja.lowering.control_flow.redundancy import hoist_invariants, join_equal_operations
from npuninja.lowering.control_flow.simplification import canonicalize_code, share_sequence_constants

if TYPE_CHECKING:
    from typing import Iterator


def canonicalize(module: Operation) -> None:
    """`canonicalize` of cores, functions and runtime sequences; what else canonicalizes in a device stays."""
    for holder in list(_holders(module)):
        canonicalize_code(holder)
    for op in list(module.body.ops):
        if op.name == "aie.device":
            share_sequence_constants(op)


def join_subexpressions(module: Operation) -> None:
    """The pass `cse`: equal operations without effects become one."""
    for holder in _holders(module):
        join_equal_operations(holder)


def move_invariants(module: Operation) -> None:
    """The pass `loop-invariant-code-motion`: what no trip changes goes before its loop."""
    for holder in _holders(module):
        hoist_invariants(holder)


def drop_unused_symbols(module: Operation) -> None:
    """`symbol-dce`: private symbols that nothing refers to go."""
    while True:
        used = {name for op in module.walk() for name in _references(op)}
        unused = [
            op
            for op in module.walk()
            if op.attributes.get("sym_visibility") in (StringAttr("private"), StringAttr("nested"))
            and isinstance(name := op.attributes.get("sym_name"), StringAttr)
            and name.value not in used
        ]
        if not unused:
            return
        for op in unused:
            op.erase()


def _holders(module: Operation) -> Iterator[Operation]:
    for op in module.walk():
        if op.name in CODE_HOLDERS or op.name in RUNTIME_SEQUENCES:
            yield op


def _references(op: Operation) -> Iterator[str]:
    waiting: list[object] = list(op.attributes.values())
    while waiting:
        attribute = waiting.pop()
        if isinstance(attribute, SymbolRefAttr):
            yield from attribute.path
        elif isinstance(attribute, ArrayAttr):
            waiting += attribute.items
        elif isinstance(attribute, DictAttr):
            waiting += (value for _, value in attribute.items)
