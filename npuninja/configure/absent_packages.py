"""Packages that a Python host program imports at its start and this Python lacks: known before the build."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence

#: What the build gives to host programs itself.
_OWN = ("aie", "pyxrt", "npuninja")
#: Where a package of another name brings a module.
_PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn"}


def absent_packages(tree: ast.Module, folders: Sequence[str]) -> tuple[str, ...]:
    """The modules that the statements of a script import, that are not Python's, and that cannot be found.

    Imports inside functions, conditions and `try` count for nothing: a program may do without them.

    Args:
        tree: the script.
        folders: where it finds modules of its own, as its own folder and the one in which it runs.
    """
    added = _added_to_the_path(tree)
    if added is None:
        return ()
    folders = [*folders, *(os.path.join(folder, path) for folder in folders for path in added)]
    absent: dict[str, None] = {}
    for name in _imported(tree):
        top = name.partition(".")[0]
        if top in _OWN or top in sys.stdlib_module_names or any(_is_in(folder, top) for folder in folders):
            continue
        try:
            known = importlib.util.find_spec(top) is not None
        except (ImportError, ValueError):
            known = False
        if not known:
            absent[top] = None
    return tuple(absent)


def install_words(names: Sequence[str]) -> str:
    """The command that installs the packages of modules."""
    return f"pip install {' '.join(_PACKAGES.get(name, name) for name in names)}"


def _added_to_the_path(tree: ast.Module) -> list[str] | None:
    """What a script adds to `sys.path`, in words; None where that is known only when it runs."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.path.append", "sys.path.insert"):
            value = node.args[-1] if node.args else None
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                return None
            found.append(value.value)
        elif _changes_the_path(node):
            return None
    return found


def _changes_the_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("sys.path.extend", "site.addsitedir")
    targets = [node.target] if isinstance(node, ast.AugAssign) else getattr(node, "targets", ())
    return isinstance(node, ast.AugAssign | ast.Assign) and any("sys.path" in ast.unparse(t) for t in targets)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def _is_in(folder: str, name: str) -> bool:
    return os.path.isdir(os.path.join(folder, name)) or os.path.isfile(os.path.join(folder, f"{name}.py"))
