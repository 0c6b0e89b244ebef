"""Symbols: which operations have one, that they are unique, and how a reference finds them."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import StringAttr
from npuninja.ir.core import Operation

# Operations whose region is a name space of symbols.
SYMBOL_TABLES = frozenset({"builtin.module", "aie.device"})
_SYMBOLS = frozenset(
    [
        "aie.device",
        "aie.buffer",
        "aie.external_buffer",
        "aie.lock",
        "aie.objectfifo",
        "aie.bd_chain",
        "aie.runtime_sequence",
        "aiex.runtime_sequence",
        "func.func",
        "memref.global",
    ]
)
#: The operations that hold a runtime sequence, of 2025-10 and of later generations.
RUNTIME_SEQUENCES = ("aiex.runtime_sequence", "aie.runtime_sequence")
#: The operations that hold code of cores.
CODE_HOLDERS = ("aie.core", "func.func")
# Names of symbols that are written without one.
_DEFAULT_NAMES = {
    "aie.device": "main",
    "aie.runtime_sequence": "sequence",
    "aiex.runtime_sequence": "sequence",
}


def find_symbol(op: Operation, name: str, kind: str) -> Operation | None:
    """The operation called `kind` with symbol `name` in the nearest device or module around `op`, or None."""
    table = op.parent_op
    while table is not None and table.name not in SYMBOL_TABLES:
        table = table.parent_op
    if table is None:
        return None
    for each in table.body.ops:
        if each.name == kind and each.attributes.get("sym_name") == StringAttr(name):
            return each
    return None


def check_unique_symbols(table: Operation) -> None:
    """Raises UserError when two symbols of a module or device have one name."""
    seen: dict[str, Operation] = {}
    for op in table.body.ops:
        name = symbol_name(op)
        if name is None:
            continue
        first = seen.setdefault(name, op)
        if first is not op:
            raise UserError(
                f"symbol '@{name}' is defined twice", op.loc, notes=(("first defined here", first.loc),)
            )


def symbol_name(op: Operation) -> str | None:
    """The name under which symbol references find `op`, or None."""
    is_new_allocation = op.name == "aie.shim_dma_allocation" and bool(op.operands)
    if op.name not in _SYMBOLS and not is_new_allocation:
        return None
    name = op.attributes.get("sym_name")
    return name.value if isinstance(name, StringAttr) else _DEFAULT_NAMES.get(op.name)
