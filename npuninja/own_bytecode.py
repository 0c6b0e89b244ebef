"""Python's bytecode of npuninja's own modules, also where Python was asked to write none (`PYTHONDONTWRITEBYTECODE`, as in many
container images): parsing them takes three times as long as loading what is parsed. Stages, which ignore Python's
variables, have always kept it. Modules that are not npuninja's keep what the user has said.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Sequence


class _Kept(SourceFileLoader):
    """The usual loader, which writes bytecode whatever Python was asked."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code. Where its folder cannot be written, nothing is kept, as always in Python."""
        told, sys.dont_write_bytecode = sys.dont_write_bytecode, False
        try:
            return super().get_code(fullname)
        finally:
            sys.dont_write_bytecode = told


class _OwnModules:
    """The finder of the modules below `npuninja`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification that Python itself finds, with the loader above."""
        if not fullname.startswith("npuninja."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Kept(spec.loader.name, spec.loader.path)
        return spec


def keep_own_bytecode() -> None:
    """From now on modules of npuninja are loaded from bytecode, which is written beside them."""
    if sys.dont_write_bytecode and not any(isinstance(finder, _OwnModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OwnModules())
