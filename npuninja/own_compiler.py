"""The compiler of npuninja's own modules: the emulator's engine, the runtime of cores, the preload library.

It is chosen as that for kernels: by what configure.py found, which it leaves in the build folder. Where
nothing is configured, by what `[tools]` of the project's toolchain.toml names, else the Python package
`ziglang`, else clang and wasm-ld on PATH. The working folder is in the project or in its build folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.build_places import nearest
from npuninja.errors import Location, ToolError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

#: The tools that are asked for, as toolchain.toml calls them.
OWN_COMPILERS = ("ziglang", "clang", "wasm-ld")
_NAMED = re.compile(r"^[^#\n]*\b(?:ziglang|clang|wasm-ld)\b[^\n=]*=", re.MULTILINE)
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


class _Pins(NamedTuple):
    """What the project says of the compilers.

    Attributes:
        tools: name -> path, or False for what is not to be used; what is not named is looked for.
        file: what says so: what configure.py wrote, or a toolchain.toml; "" for neither.
        found: whether configure.py wrote it; then it has every name.
        locations: name -> where the user has named it, as configure.py knows.
    """

    tools: Mapping[str, str | bool]
    file: str = ""
    found: bool = False
    locations: Mapping[str, Location] = {}

    def names(self, tool: str) -> bool:
        """Whether the user has named a tool; else configure.py has found it."""
        return tool in self.locations or not self.found


def own_compiler() -> OwnCompiler:
    """The compiler for the working folder.

    Raises:
        ToolError: there is none, or what configure.py found or toolchain.toml names is not there.
    """
    pins = _pins()
    tools = pins.tools
    for name in OWN_COMPILERS:
        path = tools.get(name)
        if isinstance(path, str) and not os.path.isfile(path):
            raise _gone(name, path, pins)
    zig = tools.get("ziglang")
    if isinstance(zig, str):
        # One that nobody has named is the package's, mostly: what that has compiled before counts.
        package = None if pins.names("ziglang") else _package()
        return package if package and package.compile[0] == zig else _zig(zig, _stamp(zig))
    if zig is not False:
        package = _package()
        if package is not None:
            return package
    clang, linker = (_program(name, tools.get(name)) for name in ("clang", "wasm-ld"))
    if clang and linker:
        version = f"{_stamp(clang)} {_stamp(linker)}"
        return OwnCompiler((clang,), (linker,), ("--target=wasm32-unknown-unknown",), version)
    if pins.found:
        raise ToolError(
            "the last configure found neither a usable ziglang nor clang with wasm-ld: "
            "one of them compiles the emulator",
            Location(pins.file),
            hint=f"{_HINT}; then run configure.py",
        )
    why = "is not to be used" if zig is False else "is missing"
    raise ToolError(
        f"the Python package ziglang {why}, and there is no clang with wasm-ld: "
        "one of them compiles the emulator",
        hint=_HINT,
    )


def _gone(name: str, path: str, pins: _Pins) -> ToolError:
    """The error for a compiler that is not where it should be: to take another one would go unseen."""
    if not pins.names(name):
        return ToolError(
            f"the last configure found {name} at {path}, and there is no such file",
            Location(pins.file),
            hint="run configure.py",
        )
    return ToolError(
        f"[tools] names {path} as {name}, and there is no such file",
        pins.locations.get(name) or Location(pins.file),
        hint=f"name the right path, or write {name} = false when it is not to be used",
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


def _pins() -> _Pins:
    """What counts in the working folder: what configure.py found for its build, else a toolchain.toml."""
    found, settings = nearest(os.getcwd())
    if found:
        return _of_build(found)
    return _Pins(_of_settings(settings), settings) if settings else _Pins({})


def _of_build(path: str) -> _Pins:
    try:
        content = json.loads(_text(path))
        tools = {name: content["tools"][name] for name in OWN_COMPILERS}
        locations = {name: Location(*place) for name, place in content["places"].items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ToolError(
            "not what configure.py wrote", Location(path), hint="run configure.py --fresh"
        ) from error
    return _Pins(tools, path, True, locations)


def compilers_text(tools: Mapping[str, str | bool], locations: Mapping[str, Location]) -> str:
    """What configure.py writes for `own_compiler`.

    Args:
        tools: each of `OWN_COMPILERS` -> its path, False for what it did not find or may not use.
        locations: those of them that the user has named -> where; files are absolute.
    """
    return json.dumps({"tools": tools, "places": locations}, indent=1) + "\n"


def _of_settings(path: str) -> dict[str, str | bool]:
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
