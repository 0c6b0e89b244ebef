"""Modules of WebAssembly made from sources of npuninja: compiled once, then taken from a cache.

A file's name in the cache (`cache_files`) has a hash of the sources, the flags and the versions of the
compiler and of wasmtime, so nothing in it is ever out of date.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import wasmtime

from npuninja import TYPE_CHECKING
from npuninja.cache_files import keep, kept
from npuninja.errors import ToolError
from npuninja.own_compiler import OwnCompiler, own_compiler, package_version
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    import subprocess


class Sources(NamedTuple):
    """C sources of one module: their folder, the units in link order, the flags, and its name for people."""

    folder: Path
    units: Sequence[str]
    compile_flags: Sequence[str]
    link_flags: Sequence[str]
    what: str


def _run(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    import subprocess

    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _finish(process: subprocess.Popen[bytes], what: str) -> None:
    output = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode:
        raise ToolError(
            f"{what} (exit code {process.returncode}): {output}",
            hint="the compiler may be too old or damaged: pip install --upgrade ziglang, "
            "or clang and lld 14 or newer",
        )


def compile_module(sources: Sources, compiler: OwnCompiler, cache: Path) -> bytes:
    """The wasm module of `sources`. Raises ToolError with the compiler's words."""
    import tempfile

    zig_cache = str(cache / "zig")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache}
    with tempfile.TemporaryDirectory(prefix="npuninja-engine-") as folder:
        objects = [os.path.join(folder, unit + ".o") for unit in sources.units]
        running = [
            _run(
                [
                    *compiler.compile,
                    *compiler.wasm_target,
                    *sources.compile_flags,
                    "-c",
                    str(sources.folder / (unit + ".c")),
                    "-o",
                    output,
                ],
                environment,
            )
            for unit, output in zip(sources.units, objects)
        ]
        for process, unit in zip(running, sources.units):
            _finish(process, f"{sources.what} does not compile ({unit}.c)")
        result = os.path.join(folder, "module.wasm")
        linking = _run([*compiler.link, *sources.link_flags, *objects, "-o", result], environment)
        _finish(linking, f"{sources.what} does not link")
        return Path(result).read_bytes()


def sources_key(sources: Sources) -> tuple[str, OwnCompiler]:
    """A hash of everything the module depends on, and the compiler."""
    compiler = own_compiler()
    flags = (tuple(sources.compile_flags), tuple(sources.link_flags))
    digest = hashlib.sha256(repr((*flags, compiler.version, wasmtime_version())).encode())
    for path in sorted(sources.folder.iterdir()):
        if path.suffix in (".c", ".h"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:32], compiler


@functools.lru_cache
def wasmtime_version() -> str:
    """The version of wasmtime: compiled modules are for one version."""
    return package_version("wasmtime", Path(wasmtime.__file__).parent)


def module_in_cache(engine: wasmtime.Engine, path: Path) -> wasmtime.Module | None:
    """A compiled module from the cache; None when it is not there."""
    content = kept(path)
    if content is None:
        return None
    try:
        return wasmtime.Module.deserialize(engine, content)
    except wasmtime.WasmtimeError:
        return None  # made by another wasmtime or for another processor


def cached_module(engine: wasmtime.Engine, path: Path, source: Callable[[], bytes]) -> wasmtime.Module:
    """A compiled module from the cache (`module_in_cache`), or compiled from `source()` and put there."""
    found = module_in_cache(engine, path)
    if found is not None:
        return found
    module = wasmtime.Module(engine, source())
    keep(path, bytes(module.serialize()))
    return module


def cached_source(path: Path, make: Callable[[], bytes]) -> bytes:
    """A module of npuninja's own from the cache, or what `make()` makes, which is put there."""
    found = kept(path)
    if found is None:
        found = make()
        keep(path, found)
    return found
