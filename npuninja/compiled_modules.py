"""Modules of WebAssembly made from sources of npuninja: compiled once, then taken from a cache.

The cache is `$NPUNINJA_CACHE_DIR`, else `$XDG_CACHE_HOME/npuninja`, else `~/.cache/npuninja`. File names
contain a hash of the sources, the flags and the versions of the compiler and of wasmtime, so nothing in it is
ever out of date.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import wasmtime

from npuninja.errors import ToolError
from npuninja.files import write_file
from npuninja.own_compiler import OwnCompiler, own_compiler, package_version
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    import subprocess


_DIGEST_BYTES = 32


class Sources(NamedTuple):
    """C sources of one module: their folder, the units in link order, the flags, and what a person calls it."""

    folder: Path
    units: Sequence[str]
    compile_flags: Sequence[str]
    link_flags: Sequence[str]
    what: str


def cache_folder() -> Path:
    """Where compiled modules are kept; made when missing. Falls back to a temporary folder when it cannot be
    written.
    """
    given = os.environ.get("NPUNINJA_CACHE_DIR")
    if given:
        folder = Path(given)
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "npuninja"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            _own(folder)
            return folder
    except OSError:
        if given:
            raise ToolError(
                f"cannot make the cache folder {folder}",
                hint="set NPUNINJA_CACHE_DIR to a folder that can be written",
            ) from None
    import tempfile  # this and subprocess take 10 ms, and a run that finds its modules needs neither

    fallback = Path(tempfile.gettempdir()) / f"npuninja-{os.getuid()}"
    fallback.mkdir(mode=0o700, exist_ok=True)
    _own(fallback)
    return fallback


def _own(folder: Path) -> None:
    """Raises ToolError when others can write there: what lies in it is machine code that this process runs."""
    status = folder.stat()
    hint = "set NPUNINJA_CACHE_DIR to a folder of your own"
    if status.st_uid != os.getuid():
        raise ToolError(f"{folder} belongs to somebody else", hint=hint)
    if status.st_mode & 0o002 or (status.st_mode & 0o020 and status.st_gid != os.getgid()):
        raise ToolError(
            f"others can write to {folder}, and it holds machine code", hint=f"chmod go-w {folder}, or {hint}"
        )


def _run(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    import subprocess

    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _finish(process: subprocess.Popen[bytes], what: str) -> None:
    output = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode:
        raise ToolError(
            f"{what} (exit code {process.returncode}): {output}",
            hint="the compiler may be too old or damaged: pip install --upgrade ziglang, or clang and lld 14 or newer",
        )


def compile_module(sources: Sources, compiler: OwnCompiler, cache: Path) -> bytes:
    """The wasm module of `sources`, made by a compiler.

    Raises ToolError with the compiler's words.
    """
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
    """A compiled module from the cache; None when it is not there.

    A file is its content's sha256 and the content, which is machine code: one of another user, or that is not what was
    written, counts as not there.
    """
    try:
        with open(path, "rb") as stream:
            mine = os.fstat(stream.fileno()).st_uid == os.getuid()
            digest, content = stream.read(_DIGEST_BYTES), stream.read()
        if mine and hashlib.sha256(content).digest() == digest:
            return wasmtime.Module.deserialize(engine, content)
    except OSError:
        pass  # not there yet
    except wasmtime.WasmtimeError:
        pass  # made by another wasmtime or for another processor
    return None


def cached_module(engine: wasmtime.Engine, path: Path, source: Callable[[], bytes]) -> wasmtime.Module:
    """A compiled module from the cache (`module_in_cache`), or compiled from `source()` and put there."""
    found = module_in_cache(engine, path)
    if found is not None:
        return found
    module = wasmtime.Module(engine, source())
    content = bytes(module.serialize())
    write_file(str(path), hashlib.sha256(content).digest() + content)
    return module
