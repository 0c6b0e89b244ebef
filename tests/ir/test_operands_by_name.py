"""Operands are read by the names that the table of operations has for them, not by their places."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from conftest import ROOT

#: Whose operands are those of machine instructions, of LLVM and of DWARF.
OTHERS = ("aie2_compiler/", "machine_code/", "formats/dwarf_lines.py")
SEVERAL_NAMES = "operations that are treated alike call this operand by different names"
REPLACED = "operands are put in the place of others"
#: Modules that take operands by their places: how often, and why.
BY_PLACE = {
    "ir/assembly.py": (2, "here groups get their operands"),
    "ir/core.py": (1, "`Operation.tile`, of everything that is on a tile"),
    "ir/verifier.py": (1, "here it is checked that the groups are there"),
    "ir/verifier_dma.py": (2, "compares the tiles of a DMA and of a buffer, which may have none"),
    "ir/verifier_standard.py": (2, SEVERAL_NAMES),
    "lowering/number_operands.py": (
        7,
        "numbers come after the operands of the definition until they are attributes",
    ),
    "lowering/control_flow/block_merging.py": (1, REPLACED),
    "lowering/control_flow/constant_folding.py": (4, "names cost a core of many numbers 4 % of its lowering"),
    "lowering/control_flow/redundancy.py": (1, REPLACED),
    "lowering/control_flow/view_folding.py": (2, REPLACED),
    "lowering/core_code/bare_pointers.py": (1, SEVERAL_NAMES),
    "lowering/core_code/memory.py": (1, SEVERAL_NAMES),
    "lowering/resources/place_by_demand.py": (1, SEVERAL_NAMES),
    "lowering/sequence/bd_chains.py": (1, "what comes after a chain's arguments is given on as it is"),
    "python_designs/host/register_database.py": (1, "numbers of a register write, which one group holds"),
}


def test_operands_are_read_by_name() -> None:
    found: dict[str, list[int]] = {}
    for path in sorted((ROOT / "npuninja").rglob("*.py")):
        name = path.relative_to(ROOT / "npuninja").as_posix()
        lines = sorted(by_place(path.read_text(encoding="utf-8")))
        if lines and not name.startswith(OTHERS):
            found[name] = lines
    wrong = [
        name for name in found.keys() | BY_PLACE if len(found.get(name, ())) != BY_PLACE.get(name, (0,))[0]
    ]
    assert not wrong, {name: found.get(name) for name in sorted(wrong)}


def test_the_reading_of_code_sees_what_is_meant() -> None:
    code = """
a = op.operands[0].owner
b = op.operands[-1]
left, right = op.operands
(one,) = op.operands
first, *rest = (value.op for value in op.operands)
stored, into, *_ = op.operands[:2]
op.operands[0] = source
all_of_them = op.operands
some = op.operands[count:]
operands[0], operand(op, "tile"), s.operands["tile"]  # OpState has them by name
"""
    assert sorted(by_place(code)) == [2, 3, 4, 5, 6, 7, 8, 10]


def by_place(code: str) -> Iterator[int]:
    """The lines in which operands are taken by their places: by a number, a range, or all apart."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Subscript) and _are_operands(node.value):
            yield node.lineno
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            value = node.value
            if isinstance(value, ast.GeneratorExp):
                value = value.generators[0].iter
            if _are_operands(value):
                yield node.lineno


def _are_operands(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "operands" and ast.unparse(node) != "s.operands"
