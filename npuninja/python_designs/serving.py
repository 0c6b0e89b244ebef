"""Makes the modules of the table `offered.py` when a design imports them."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from opcode import opmap
from types import FrameType, ModuleType
from typing import Any, Callable, Sequence

from npuninja.python_designs.offered import MODULES, PAGE, NameSource

#: What only some generation has, and what to do instead.
HINTS = {
    "aie.iron.LocalBuffer": "since November 2025 a Buffer is an argument of its worker",
    **{
        f"{module}.NPU1Col4": "since September 2025 it is NPU1"
        for module in ("aie.iron.device", "aie.iron.device.device")
    },
}


# Packages whose modules `from PACKAGE import *` gives, as they are loaded there when a design comes to it.
_WITH_CHILDREN = ("aie.extras.dialects", "aie.extras.dialects.ext", "aie.helpers.dialects")


# Packages with files that programs start by their paths, which they take from `__file__`.
_WITH_FILES = ("aie.utils.trace",)

# What the modules below aie.iron import themselves, which designs then take from them.
_IMPORTED_BY_OTHERS = (
    "aie.iron",
    "aie.iron.device",
    "aie.iron.dataflow",
    "aie.iron.resolvable",
    "aie.iron.controlflow",
    "aie.helpers.util",
    "aie.dialects.aie",
)


class NotOffered(ImportError):
    """A name of the bindings that is imported and is not in the table."""


class ModuleNotOffered(NotOffered, ModuleNotFoundError):
    """A module of the bindings that is not in the table."""


class AttributeNotOffered(AttributeError):
    """A name of the bindings that is asked of a module and is not in the table: `hasattr` says no."""


def _is_import(frame: FrameType) -> bool:
    """Whether the statement that a frame is at is `from … import …`."""
    if frame.f_globals.get("__name__", "").startswith("importlib"):
        return True
    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


def _names(sources: tuple[NameSource, ...]) -> dict[str, tuple[str, str]]:
    """Their name -> (our module, our name); "" is the module itself."""
    found: dict[str, tuple[str, str]] = {}
    for module, names in sources:
        if names is None:
            path, _, table = module.partition("#")
            found.update(
                {name: (path + "#" + table, name) for name in getattr(importlib.import_module(path), table)}
            )
        else:
            found.update({theirs: (module, ours) for theirs, ours in names.items()})
    return found


def _getter(name: str, known: dict[str, tuple[str, str]], module: ModuleType) -> Callable[[str], Any]:
    def get(wanted: str) -> Any:
        place = known.get(wanted)
        if place is not None:
            path, own = place
            path, _, table = path.partition("#")
            source = importlib.import_module(path)
            value = getattr(source, table)[own] if table else getattr(source, own) if own else source
            setattr(module, wanted, value)
            return value
        if f"{name}.{wanted}" in MODULES:
            return importlib.import_module(f"{name}.{wanted}")
        if name.startswith("aie.iron.") and not wanted.startswith("_"):
            for other in _IMPORTED_BY_OTHERS:
                if other != name and wanted in _names(MODULES[other]):
                    return getattr(importlib.import_module(other), wanted)
        if wanted.startswith("__"):
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}")
        hint = HINTS.get(f"{name}.{wanted}")
        text = f"{name}.{wanted} is not offered ({hint + '; ' if hint else ''}{PAGE})"
        if _is_import(sys._getframe(1)):
            raise NotOffered(text, name=name)
        raise AttributeNotOffered(text)

    return get


class Serving:  # a finder and a loader; their base classes take 10 ms to import
    """Finds and makes the modules below `aie`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a module of the table."""
        if fullname in MODULES and fullname != "aie":
            return importlib.util.spec_from_loader(fullname, self, is_package=True)  # type: ignore[arg-type]
        if fullname.partition(".")[0] in _OPTIONAL and target is None:
            return _stand_in(fullname)
        if fullname.startswith("aie."):
            hint = HINTS.get(fullname)
            raise ModuleNotOffered(
                f"No module named '{fullname}': it is not offered ({hint + '; ' if hint else ''}{PAGE})",
                name=fullname,
            )
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """None: Python makes the module itself."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Gives the module its names, each loaded when first used."""
        name = module.__name__
        known = _names(MODULES[name])
        module.__path__ = []
        if name in _WITH_FILES:
            module.__file__ = os.path.join(
                sys.modules["aie"].__path__[0], *name.split(".")[1:], "__init__.py"
            )
        module.__doc__ = f"`{name}` for designs, by npuninja."
        module.__all__ = sorted(known)  # type: ignore[attr-defined]
        if name in _WITH_CHILDREN:
            start = name + "."
            children = [
                m[len(start) :] for m in MODULES if m.startswith(start) and "." not in m[len(start) :]
            ]
            module.__all__ += [child for child in children if child != "ext"]  # type: ignore[attr-defined]
        module.__getattr__ = _getter(name, known, module)  # type: ignore[method-assign]


#: Packages that many designs import for their test or for pictures, and do not need for their module: what to
#: say where one is used and is not there.
_OPTIONAL = {
    "matplotlib": "drawing needs matplotlib: pip install 'npuninja[drawing]'",
    "torch": "this needs PyTorch: pip install torch",
    "brevitas": "this needs Brevitas: pip install brevitas",
}


class _Missing:
    """A package that is missed only where it is used."""

    def __init__(self, package: str) -> None:
        self._package = package

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """None: Python makes the module itself."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Names that say what is missing when called; they can be derived from and asked for more names."""
        text = _OPTIONAL[self._package]

        class Absent(type):
            """The type of such a name."""

            def __call__(cls, *_: Any, **__: Any) -> Any:
                raise ImportError(text)

            def __getattr__(cls, name: str) -> Any:
                return get(name)

        def get(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return Absent(name, (), {})

        module.__path__ = []
        module.__getattr__ = get  # type: ignore[method-assign]


def _stand_in(name: str) -> importlib.machinery.ModuleSpec | None:
    """None when the package is there."""
    package = name.partition(".")[0]
    found = importlib.machinery.PathFinder.find_spec(package)
    return (
        None
        if found is not None
        else importlib.util.spec_from_loader(name, _Missing(package), is_package=True)  # type: ignore[arg-type]
    )


def serve() -> None:
    """Makes `import aie.…` work in this process."""
    if not any(isinstance(finder, Serving) for finder in sys.meta_path):
        sys.meta_path.insert(0, Serving())
