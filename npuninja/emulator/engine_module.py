"""The engine as a wasm module: compiled from `engine/*.c` when first used, then taken from a cache.

The cache is `$NPUNINJA_CACHE_DIR`, else `$XDG_CACHE_HOME/npuninja`, else `~/.cache/npuninja`. File names
contain a hash of the sources, the flags and the versions of the compiler and of wasmtime, so nothing in it is
ever out of date.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wasmtime

from npuninja.errors import InternalError, ToolError

if TYPE_CHECKING:
    import subprocess

SOURCES = Path(__file__).parent / "engine"
#: In a package of designs (npuninja.packaging) the engine is there compiled, without its sources.
COMPILED = SOURCES / "engine.wasm"
#: Units of compilation, in link order.
UNITS = ("array", "bd", "dma", "stream", "txn", "scheduler", "math")
COMPILE_FLAGS = (
    *("-target", "wasm32-freestanding", "-O2", "-msimd128", "-mbulk-memory", "-flto", "-g0"),
    *("-ffreestanding", "-fno-strict-aliasing", "-fno-sanitize=all"),
)
LINK_FLAGS = (
    *("--no-entry", "--export-table", "--growable-table", "--stack-first", "-z", "stack-size=65536"),
    "--initial-memory=134217728",  # up to DDR_BASE in engine.h; host buffers grow it
    "--max-memory=4294901760",
)


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
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
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
    if fallback.stat().st_uid != os.getuid():
        raise ToolError(
            f"{fallback} belongs to somebody else", hint="set NPUNINJA_CACHE_DIR to a folder of your own"
        )
    return fallback


def _write_whole(path: Path, data: bytes) -> None:
    """Writes a file in one step, so that two processes can do it at once."""
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _version(package: str, folder: Path) -> str:
    """The version of an installed package whose files lie in `folder`."""
    # Beside the package, in the name that pip gave. importlib.metadata reads it too, but takes 40 ms to be
    # imported.
    names = [entry.name for entry in folder.parent.glob(f"{package}-*.dist-info")]
    if len(names) == 1:
        return names[0][len(package) + 1 : -len(".dist-info")]
    import importlib.metadata

    return importlib.metadata.version(package)


def embedded_compiler() -> tuple[str, str]:
    """Path and version of the embedded compiler."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(
            "the Python package ziglang is missing: it compiles the emulator", hint="pip install ziglang"
        )
    folder = Path(next(iter(spec.submodule_search_locations)))
    program = folder / ("zig.exe" if os.name == "nt" else "zig")
    if not program.exists():
        raise ToolError(
            f"the Python package ziglang has no {program}", hint="pip install --force-reinstall ziglang"
        )
    return str(program), _version("ziglang", folder)


def _run(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    import subprocess

    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _finish(process: subprocess.Popen[bytes], what: str) -> None:
    output = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode:
        raise ToolError(
            f"the emulator's engine does not {what} (exit code {process.returncode}): {output}",
            hint="the package ziglang may be too old or damaged; pip install --upgrade ziglang",
        )


def compile_engine(program: str, cache: Path) -> bytes:
    """The engine's wasm module, made by the compiler at `program`.

    Raises ToolError with the compiler's words.
    """
    import tempfile

    zig_cache = str(cache / "zig")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache}
    with tempfile.TemporaryDirectory(prefix="npuninja-engine-") as folder:
        objects = [os.path.join(folder, unit + ".o") for unit in UNITS]
        running = [
            _run(
                [program, "cc", *COMPILE_FLAGS, "-c", str(SOURCES / (unit + ".c")), "-o", output], environment
            )
            for unit, output in zip(UNITS, objects)
        ]
        for process, unit in zip(running, UNITS):
            _finish(process, f"compile ({unit}.c)")
        result = os.path.join(folder, "engine.wasm")
        _finish(_run([program, "wasm-ld", *LINK_FLAGS, *objects, "-o", result], environment), "link")
        return Path(result).read_bytes()


@functools.lru_cache
def _wasmtime_version() -> str:
    return _version("wasmtime", Path(wasmtime.__file__).parent)


def _key_of_compiled() -> str:
    """The hash that names the engine of a package."""
    return hashlib.sha256(COMPILED.read_bytes() + _wasmtime_version().encode()).hexdigest()[:32]


def _key() -> tuple[str, str]:
    """The hash that names the engine, and the compiler's path."""
    program, version = embedded_compiler()
    digest = hashlib.sha256(repr((COMPILE_FLAGS, LINK_FLAGS, version, _wasmtime_version())).encode())
    for path in sorted(SOURCES.iterdir()):
        if path.suffix in (".c", ".h"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:32], program


def _cached_module(engine: wasmtime.Engine, path: Path, source: Callable[[], bytes]) -> wasmtime.Module:
    """A compiled module from the cache, or compiled from `source()` and put there."""
    if path.exists():
        try:
            return wasmtime.Module.deserialize_file(engine, str(path))
        except wasmtime.WasmtimeError:
            pass  # made by another wasmtime or for another processor: make it anew
    module = wasmtime.Module(engine, source())
    _write_whole(path, bytes(module.serialize()))
    return module


def load_engine(engine: wasmtime.Engine) -> wasmtime.Module:
    """The engine, compiled for this machine. The first call takes about a second, later ones about a
    millisecond.

    Raises:
        ToolError: there is no compiler, or it failed.
    """
    cache = cache_folder()
    if COMPILED.exists():
        return _cached_module(engine, cache / f"engine-{_key_of_compiled()}.cwasm", COMPILED.read_bytes)
    key, program = _key()
    wasm = cache / f"engine-{key}.wasm"

    def source() -> bytes:
        if not wasm.exists():
            _write_whole(wasm, compile_engine(program, cache))
        return wasm.read_bytes()

    return _cached_module(engine, cache / f"engine-{key}.cwasm", source)


def load_core(engine: wasmtime.Engine, key: str, source: Callable[[], bytes]) -> wasmtime.Module:
    """A core's module, compiled for this machine; kept in the cache.

    Args:
        engine: to compile it.
        key: names the module, e.g. by its sha256.
        source: gives the module when it is not there yet.
    """
    name = hashlib.sha256(f"{key} {_wasmtime_version()}".encode()).hexdigest()[:32]
    folder = cache_folder() / "cores"
    folder.mkdir(exist_ok=True)
    _forget_oldest(folder)
    return _cached_module(engine, folder / f"{name}.cwasm", source)


#: Compiled cores to keep. Each is some ten kilobytes, and a new one comes with every change of a kernel.
_KEPT_CORES = 512


def _forget_oldest(folder: Path) -> None:
    entries = list(os.scandir(folder))
    if len(entries) <= _KEPT_CORES:
        return
    for entry in sorted(entries, key=lambda e: e.stat().st_mtime)[: len(entries) // 2]:
        try:
            os.unlink(entry.path)
        except OSError:
            continue  # another process was faster


def check_layout(expected: tuple[int, ...], found: tuple[int, ...]) -> None:
    """Raises InternalError when the host's idea of the engine's memory is not the engine's."""
    if expected != found:
        raise InternalError(
            f"the emulator's engine and its host disagree: layout {found}, expected {expected}"
        )


def instantiate(store: wasmtime.Store, module: wasmtime.Module, imports: list[Any]) -> wasmtime.Instance:
    """An instance with its memory.

    Raises:
        ToolError: there is no room for the memory among this process's addresses.
    """
    try:
        return wasmtime.Instance(store, module, imports)
    except wasmtime.WasmtimeError as error:
        if "failed to reserve" not in str(error):
            raise
        raise ToolError(
            f"the emulated array has no room for its memories: {str(error).splitlines()[0]}",
            hint="it takes addresses, hardly memory: is the address space limited? `ulimit -v unlimited`",
        ) from error
