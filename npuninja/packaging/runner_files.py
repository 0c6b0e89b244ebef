"""The part of npuninja that runs designs: a package carries it, so npuninja need not be installed."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Mapping

from npuninja.errors import InternalError, Location, UserError
from npuninja.packaging.package import RUNNER_LICENSE

NPUNINJA = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHIPPED = os.path.join(NPUNINJA, "packaging", "shipped")
#: Where the runner begins; what it imports, at once or when needed, comes along.
START = ("npuninja.cli", "npuninja.device.runner", "npuninja.device.xrt_worker")
EMULATOR = "npuninja.emulator"
#: Files that are no modules: the runner's messages.
DATA = ("hints.json",)
#: The compiled engine in the package; npuninja.emulator.engine_module takes it instead of compiling one.
ENGINE = "runner/npuninja/emulator/engine/engine.wasm"


def runner_files(references: Mapping[str, bytes], emulator: bool) -> dict[str, bytes]:
    """The runner's files by their names in the package.

    Args:
        references: the designs' references, which may import more of npuninja.
        emulator: whether designs run on the emulated array.
    """
    wanted = [*START]
    for path, source in references.items():
        wanted += [name for name in imported(source, path) if name.split(".")[0] == "npuninja"]
    modules = _with_imports(wanted, emulator)
    files = {f"runner/{_below(path)}": _read(path) for path in modules.values()}
    files.update(
        {f"runner/npuninja/{name}": _read(os.path.join(NPUNINJA, *name.split("/"))) for name in DATA}
    )
    return files


def own_files() -> dict[str, bytes]:
    """run.py and what is beside it, and the licence of the runner."""
    files = {name: _read(os.path.join(SHIPPED, name)) for name in ("__init__.py", "__main__.py", "run.py")}
    return {**files, RUNNER_LICENSE: _read(os.path.join(SHIPPED, "LICENSE"))}


def foreign_imports(source: bytes, path: str) -> list[str]:
    """What a reference imports apart from Python's own library, NumPy and npuninja, sorted."""
    names = {name.split(".")[0] for name in imported(source, path)}
    return sorted(names - {"npuninja", "numpy", "__future__"} - set(sys.stdlib_module_names))


def imported(source: bytes, path: str) -> list[str]:
    """Every module that Python code imports anywhere, and for `from a import b` both `a` and `a.b`.

    Raises:
        UserError: it is no Python; located in the file of the name `path`.
    """
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise UserError(f"not Python: {getattr(error, 'msg', error)}", Location(path, line)) from error
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(
                dict.fromkeys([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
            )
    return list(names)


def _with_imports(wanted: Iterable[str], emulator: bool) -> dict[str, str]:
    """Modules of npuninja -> their files: the wanted ones, their packages, and all that these import."""
    found: dict[str, str] = {}
    pending = list(wanted)
    while pending:
        name = pending.pop()
        path = _file_of(name)
        if name in found or path is None or (not emulator and f"{name}.".startswith(f"{EMULATOR}.")):
            continue
        found[name] = path
        package = name.rpartition(".")[0]
        pending += [package] if package else []
        pending += [other for other in imported(_read(path), path) if other.split(".")[0] == "npuninja"]
    return found


def _file_of(module: str) -> str | None:
    """The file of a module of npuninja; None when it is a name inside one."""
    path = os.path.join(os.path.dirname(NPUNINJA), *module.split("."))
    for file in (os.path.join(path, "__init__.py"), path + ".py"):
        if os.path.isfile(file):
            return file
    return None


def _below(path: str) -> str:
    return os.path.relpath(path, os.path.dirname(NPUNINJA)).replace(os.sep, "/")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise InternalError(f"npuninja is not complete: {error}") from error


def all_files() -> list[str]:
    """Every file of npuninja that can decide what a build makes, sorted: the tool "npuninja" is all these."""
    files = []
    for folder, folders, names in os.walk(NPUNINJA):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        files += [os.path.join(folder, name) for name in names if not name.endswith((".pyc", ".wasm"))]
    return sorted(files)
