"""Bytecode of npuninja's own modules, also where Python is to write none (`PYTHONDONTWRITEBYTECODE`, in many
container images): parsing takes three times as long as loading. Stages, which ignore Python's variables,
have always kept it. Modules that are not npuninja's keep what the user has said.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Sequence


class _Kept(SourceFileLoader):
    """The usual loader, which writes bytecode whatever Python was asked, and survives a damaged file."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code. Where its folder cannot be written, nothing is kept, as always in Python."""
        previous, sys.dont_write_bytecode = sys.dont_write_bytecode, False
        try:
            return super().get_code(fullname)
        except (EOFError, ValueError, TypeError):  # what reading bytecode that was cut off ends with
            return self.source_to_code(self.get_data(self.path), self.path)
        finally:
            sys.dont_write_bytecode = previous

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Writes bytes to a file whole or not at all; Python's own way takes a full disk for success."""
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(temporary, "xb") as stream:
                stream.write(data)
            os.chmod(temporary, _mode)
            os.replace(temporary, path)
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)


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
    if not any(isinstance(finder, _OwnModules) for finder in sys.meta_path):
        # Before Python's own finder, after those that others put before it.
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _OwnModules())


def keep_only_own_bytecode() -> None:
    """From now on only modules of npuninja leave bytecode, for processes that run a project's own.

    Bytecode of the project's modules would change folders that Ninja watches for new files, and Python goes
    on using it after an edit of the same size within a second.
    """
    keep_own_bytecode()
    sys.dont_write_bytecode = True
