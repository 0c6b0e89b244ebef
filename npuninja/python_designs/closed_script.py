"""Scripts that only their own text decides: they import only such modules of their folder, and open nothing.

What one prints is the same wherever and whenever it runs with the same arguments. A script that may not be
closed does not count as closed.
"""

from __future__ import annotations

import ast
import functools
import os
import sys

#: Names by which a script gets at what its text does not show.
_DOORS = frozenset(
    (
        *("open", "input", "eval", "exec", "compile", "breakpoint", "globals", "locals", "vars", "getattr"),
        *("hash", "id", "help", "license", "copyright", "credits", "exit", "quit", "memoryview"),
    )
)
#: Of a module's own names, those that say nothing else.
_HARMLESS = ("__name__", "__doc__")


def closed_texts(script: str) -> dict[str, str] | None:
    """Texts of a script and the modules it imports, by file; None when more may decide what it prints."""
    texts: dict[str, str] = {}
    pending = [os.path.abspath(script)]
    while pending:
        path = pending.pop()
        if path in texts:
            continue
        try:
            with open(path, encoding="utf-8") as stream:
                text = texts[path] = stream.read()
            beside = _imported(text)
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        if beside is None:
            return None
        for name in beside:
            file = os.path.join(os.path.dirname(path), f"{name}.py")
            if (
                name in sys.stdlib_module_names
                or not os.path.isfile(file)
                or os.path.isdir(file[: -len(".py")])
            ):
                return None
            pending.append(file)
    return texts


@functools.lru_cache(64)  # many designs of a project import one module
def _imported(text: str) -> tuple[str, ...] | None:
    """The modules that a text imports; None when it has a door."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            if node.level or not node.module or "." in node.module:
                return None
            names.append(node.module)
        elif isinstance(node, ast.Import):
            if any("." in alias.name for alias in node.names):
                return None
            names += [alias.name for alias in node.names]
        elif (isinstance(node, ast.Attribute) and node.attr.startswith("__")) or (
            isinstance(node, ast.Name)
            and (node.id in _DOORS or (node.id.startswith("__") and node.id not in _HARMLESS))
        ):
            return None
    return tuple(names)
