"""Finds the designs of a project and scans those that changed since the last time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

from npuninja.detect.tool import file_stamp
from npuninja.errors import Location, UserError
from npuninja.plan.design import Design, from_json, to_json
from npuninja.plan.files import write_if_changed
from npuninja.plan.names import check_name, near

# Targets and folders at the top of a project: a design of such a name would hide one.
RESERVED = frozenset(
    {
        "all",
        "run",
        "test",
        "doctor",
        "size",
        "ldscripts",
        "package",
        "install",
        "build",
        "dist",
        "kernels",
        "mlir",
        "host",
    }
)
FOLDER = "mlir"
WHAT_DESIGNS_ARE = "designs are mlir/NAME.mlir or mlir/NAME.py"


def find_designs(source_root: str) -> dict[str, str]:
    """Every design of a project: name -> source file, relative to the root. In the order of the names.

    Raises:
        UserError: a name that is not allowed, or two designs of one name.
    """
    found: dict[str, str] = {}
    try:
        names = sorted(os.listdir(os.path.join(source_root, FOLDER)))
    except FileNotFoundError as error:
        raise UserError(f"there is no folder {FOLDER}/ in {source_root}", hint=WHAT_DESIGNS_ARE) from error
    for file in names:
        stem, suffix = os.path.splitext(file)
        path = os.path.join(FOLDER, file)
        if suffix not in (".mlir", ".py") or file.startswith((".", "_")):
            continue
        check_name("design", stem, Location(path))
        if stem in RESERVED:
            message = f"a design cannot be called {stem!r}: that is a target or a folder"
            raise UserError(message, Location(path), hint="rename it")
        if stem in found:
            message = f"two designs are called {stem!r}: {found[stem]} and {path}"
            raise UserError(message, Location(path), hint="rename one of them")
        found[stem] = path
    return found


def select(found: dict[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Those designs whose names (or files) are wanted; all when none is named.

    Raises:
        UserError: there is no such design; with those that have a similar name.
    """
    if not found:
        raise UserError(f"there is no design in {FOLDER}/", hint=WHAT_DESIGNS_ARE)
    chosen: dict[str, str] = {}
    for word in wanted:
        name = os.path.splitext(os.path.basename(word))[0] if word.endswith((".mlir", ".py")) else word
        if name not in found:
            close = near(name, list(found))
            meant = f"did you mean {' or '.join(close)}? " if close else ""
            raise UserError(f"there is no design {name!r}", hint=f"{meant}designs: {', '.join(found)}")
        chosen[name] = found[name]
    return chosen or found


class ScanCache:
    """What scans found, by the content of the files that decided it, kept in a JSON file in the build folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        # The scanner's own state is part of the key: another version may see more.
        self._scanner = list(file_stamp(os.path.join(os.path.dirname(__file__), "scan.py")) or ())
        self._old: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content = json.load(stream)
            if content["scanner"] == self._scanner:
                self._old = dict(content["designs"])
        except (OSError, ValueError, KeyError, TypeError):
            pass

    def get(self, source: str) -> Design | None:
        """The design made from `source`, when none of the files that decided it has changed."""
        entry = self._old.get(source)
        try:
            if entry is None or any(_hash(path) != digest for path, digest in entry["files"].items()):
                return None
            design = from_json(entry["design"], entry["name"], source, entry["mlir"], tuple(entry["imports"]))
        except (KeyError, TypeError, ValueError):
            return None
        self._new[source] = entry
        return design

    def put(self, design: Design) -> None:
        """Remembers a design."""
        self._new[design.source] = {
            "name": design.name,
            "mlir": design.mlir,
            "imports": list(design.imports),
            "files": {path: _hash(path) for path in {design.source, design.mlir, *design.imports}},
            "design": to_json(design),
        }

    def save(self) -> None:
        """Writes the designs of this time when they differ from the last."""
        if self._new != self._old:
            content = {"scanner": self._scanner, "designs": {k: self._new[k] for k in sorted(self._new)}}
            write_if_changed(self._path, json.dumps(content))


def _hash(path: str) -> str:
    """The sha256 of a file's content; "" when it is not there."""
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""


def read_design(name: str, source: str, generated_folder: str, cache: ScanCache) -> Design:
    """The design in `source`; a Python source is run and its MLIR kept as `generated_folder/NAME.mlir`.

    Raises:
        UserError: the source is not a design that can be built; located.
    """
    remembered = cache.get(source)
    if remembered is not None:
        return remembered
    from npuninja.ir.parser import parse_module  # a configure without a change in a design does without
    from npuninja.plan.scan import scan_module

    imports: tuple[str, ...] = ()
    mlir = source
    if source.endswith(".py"):
        from npuninja.plan.python_design import run_python_design

        text, imports = run_python_design(source, os.getcwd())
        mlir = os.path.join(generated_folder, f"{name}.mlir")
        write_if_changed(mlir, text)
    else:
        text = _read_text(source)
    design = scan_module(parse_module(text, mlir), name, source, mlir, imports)
    cache.put(design)
    return design


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        raise UserError(f"byte {error.object[error.start]:#04x} is not UTF-8 text", Location(path)) from error
    except OSError as error:
        raise UserError(
            f"cannot read the design: {(error.strerror or str(error)).lower()}", Location(path)
        ) from error
