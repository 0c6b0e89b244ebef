"""Which files a reference has read: its own modules and data are what the test vectors depend on."""

from __future__ import annotations

import os
import sys

_opened: dict[str, None] = {}


def watch() -> None:
    """Notes every file that this process opens from now on."""
    _opened.clear()
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and arguments and isinstance(arguments[0], (str, bytes)):
        _opened[os.fsdecode(arguments[0])] = None


def files_read() -> list[str]:
    """Opened files that are there, sorted, without Python's and its packages'; modules by their source."""
    installed = tuple(
        os.path.realpath(folder) + os.sep
        for folder in {sys.prefix, sys.base_prefix, "/proc", "/dev", "/sys", "/etc"}
    )
    packages = tuple(
        os.path.realpath(p) + os.sep for p in sys.path if p.endswith(("site-packages", "dist-packages"))
    )
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    names = {_source(path) for path in _opened}
    names |= {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    found = set()
    for name in names:
        path = os.path.realpath(name)
        if name and os.path.isfile(path) and not path.startswith((*installed, *packages, own)):
            found.add(os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path)
    return sorted(found)


def _source(path: str) -> str:
    """The source of a compiled module (`__pycache__/x.cpython-312.pyc`), another file itself."""
    folder, name = os.path.split(path)
    if not name.endswith(".pyc") or os.path.basename(folder) != "__pycache__":
        return path
    return os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
