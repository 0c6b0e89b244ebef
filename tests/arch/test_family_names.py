"""Families and architectures are named by their record; a module that names one itself is here, with why."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import ROOT

from npuninja.arch.families import FAMILIES, architectures

# Module or folder -> what there is of one family only, or is called so by somebody else.
NAMED = {
    "aie2_compiler/": "the compiler that makes AIE2 machine code",
    "arch/families.py": "the records",
    "commands/model.py": "machine code is read and run for AIE2 only",
    "device/choice.py": "machine code is read and run for AIE2 only",
    "device/emulated.py": "machine code is read and run for AIE2 only",
    "emulator/cores.py": "modules of emulated cores have no architecture; this one stands for any",
    "ir/enums.py": "what older releases of MLIR-AIE called the devices",
    "machine_code/": "machine code is read and run for AIE2 only",
    "plan/tool_limits.py": "what the compiler that makes AIE2 machine code cannot do",
    "python_designs/kernels/": "folders and variants of MLIR-AIE's kernel sources",
    "python_designs/dialects/target_model.py": "devices that are no NPUs",
    "settings/table.py": "examples",
    "stages/_aie2_flags.py": "the compiler that makes AIE2 machine code",
    "stages/_compile_aie2.py": "the compiler that makes AIE2 machine code",
    "stages/core_link.py": "modules of emulated cores have no architecture; this one stands for any",
    "stages/core_link_aie2.py": "the compiler that makes AIE2 machine code",
}
_NAME = re.compile(rf'"?(?:{"|".join([*FAMILIES, *architectures()])})(?:_\d+col)?"?', re.IGNORECASE)


def names_in(text: str) -> list[str]:
    """The strings of a module that are no more than the name of a device, a family or an architecture."""
    if not _NAME.search(text):
        return []  # parsing every module takes seconds
    strings = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return [string for string in strings if isinstance(string, str) and _NAME.fullmatch(string)]


def test_only_these_modules_name_a_family():
    package = ROOT / "npuninja"
    naming = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if names_in(path.read_text(encoding="utf-8"))
    }
    allowed = {name: {key for key in NAMED if name == key or name.startswith(key)} for name in naming}
    assert [name for name, keys in allowed.items() if not keys] == []
    assert set(NAMED) - set().union(*allowed.values()) == set(), "named no more"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('x = "npu2" if name else "aie2"', ["npu2", "aie2"]),
        ('if name.startswith("npu1_1col"): pass', ["npu1_1col"]),
        ('x = f"{y}" + "for npu2 only"', []),
    ],
)
def test_a_name_is_seen(text, found):
    assert names_in(text) == found
