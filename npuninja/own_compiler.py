"""The compiler of npuninja's own modules: the emulator's engine, the runtime of cores, the preload library.

It is chosen as that for kernels: what `[tools]` of the project's toolchain.toml names, else the Python
package `ziglang`, else clang and wasm-ld on PATH. The working folder is the project or its build folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, ToolError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

SETTINGS = "toolchain.toml"
#: The record of the last configure, in the build folder.
RECORD = "config.toml"
_NAMED = re.compile(r"^[^#\n]*\b(?:ziglang|clang|wasm-ld)\b[^\n=]*=", re.MULTILINE)
_PROJECT = re.compile(r'^project = "([^"\n]*)"$', re.MULTILINE)
# As distributions call clang and lld, newest first; 14 is the oldest tried (npuninja.detect.wasm_compilers).
CLANG_SUFFIXES = ("", *(f"-{version}" for version in range(23, 13, -1)))
_HINT = "pip install ziglang, or clang and lld 14 or newer"


class OwnCompiler(NamedTuple):
    """A compiler and a linker for WebAssembly; the compiler is one for this machine, too.

    Attributes:
        compile, link: programs, with the first word of each where both are one program.
        wasm_target: the flags by which it compiles for WebAssembly without a system.
        version: names what they are, for caches.
    """

    compile: tuple[str, ...]
    link: tuple[str, ...]
    wasm_target: tuple[str, ...]
    version: str

    @property
    def is_zig(self) -> bool:
        """Whether it is Zig's, which brings the C libraries of all systems."""
        return self.compile[1:] == ("cc",)


def own_compiler() -> OwnCompiler:
    """The compiler for the working folder.

    Raises:
        ToolError: there is none, or what toolchain.toml names is not there.
    """
    file = _settings_file()
    pins = _pins(file) if file is not None else {}
    for name in ("ziglang", "clang", "wasm-ld"):
        path = pins.get(name)
        if isinstance(path, str) and not os.path.isfile(path):
            raise ToolError(
                f"[tools] names {path} as {name}, and there is no such file",
                Location(file or SETTINGS),
                hint=f"name the right path, or write {name} = false when it is not to be used",
            )
    zig = pins.get("ziglang")
    if isinstance(zig, str):
        return _zig(zig, _stamp(zig))
    if zig is not False:
        found = _package()
        if found is not None:
            return found
    clang, linker = (_program(name, pins.get(name)) for name in ("clang", "wasm-ld"))
    if clang and linker:
        version = f"{_stamp(clang)} {_stamp(linker)}"
        return OwnCompiler((clang,), (linker,), ("--target=wasm32-unknown-unknown",), version)
    why = "is not to be used" if zig is False else "is missing"
    raise ToolError(
        f"the Python package ziglang {why}, and there is no clang with wasm-ld: "
        "one of them compiles the emulator",
        hint=_HINT,
    )


def _zig(program: str, version: str) -> OwnCompiler:
    return OwnCompiler((program, "cc"), (program, "wasm-ld"), ("-target", "wasm32-freestanding"), version)


def _package() -> OwnCompiler | None:
    spec = importlib.util.find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        return None
    from pathlib import Path  # configure.py loads this module for its names only

    folder = Path(next(iter(spec.submodule_search_locations)))
    program = folder / ("zig.exe" if os.name == "nt" else "zig")
    if not program.exists():
        raise ToolError(
            f"the Python package ziglang has no {program}", hint="pip install --force-reinstall ziglang"
        )
    return _zig(str(program), package_version("ziglang", folder))


def package_version(package: str, folder: Path) -> str:
    """The version of an installed package whose files lie in `folder`."""
    # In the folder around it, in the name that pip gave; to import importlib.metadata takes 40 ms.
    names = [entry.name for entry in folder.parent.glob(f"{package}-*.dist-info")]
    if len(names) == 1:
        return names[0][len(package) + 1 : -len(".dist-info")]
    import importlib.metadata

    return importlib.metadata.version(package)


def _program(name: str, pin: object) -> str | None:
    if isinstance(pin, str):
        return pin
    if pin is False:
        return None
    return next(filter(None, (shutil.which(name + suffix) for suffix in CLANG_SUFFIXES)), None)


def _stamp(path: str) -> str:
    status = os.stat(path)
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _settings_file() -> str | None:
    """The toolchain.toml of the project that the working folder, or a build folder, belongs to."""
    folder = os.getcwd()
    record = _text(os.path.join(folder, RECORD))
    project = _PROJECT.search(record)
    if project:
        folder = os.path.normpath(os.path.join(folder, project[1]))
    while True:
        path = os.path.join(folder, SETTINGS)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if project or above == folder:
            return None
        folder = above


def _pins(path: str) -> Mapping[str, str | bool]:
    """What `[tools]` says of the compilers: paths, which count from the file, or False."""
    text = _text(path)
    if not _NAMED.search(text):  # nearly always, and then TOML needs no reader
        return {}
    tools = _read_toml(text, path).get("tools", {})
    pins: dict[str, str | bool] = {}
    for name, value in tools.items() if isinstance(tools, dict) else ():
        if isinstance(value, str):
            value = os.path.join(os.path.dirname(path), os.path.expanduser(os.path.expandvars(value)))
        if isinstance(value, (str, bool)):
            pins[name] = value
    return pins


def _read_toml(text: str, path: str) -> dict[str, Any]:
    try:
        if sys.version_info >= (3, 11):
            import tomllib

            return tomllib.loads(text)
        return dict(importlib.import_module("toml").loads(text))
    except ValueError as error:  # configure.py says where
        raise ToolError(f"{path} is not TOML: {error}", hint="run configure.py") from error


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
