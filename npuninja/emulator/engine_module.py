"""The engine as a wasm module: `engine/*.c`, compiled when first used, then taken from a cache
(`npuninja.compiled_modules`); and the cores' modules, compiled for this machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from npuninja.cache_files import cache_folder, forget_oldest
from npuninja.compiled_modules import (
    Sources,
    cached_module,
    cached_source,
    compile_module,
    sources_key,
    wasmtime_version,
)
from npuninja.errors import InternalError, ToolError
from npuninja.own_compiler import OwnCompiler

SOURCES = Path(__file__).parent / "engine"
#: In a package of designs (npuninja.packaging) the engine is there compiled, without its sources.
COMPILED = SOURCES / "engine.wasm"
#: Units of compilation, in link order.
UNITS = ("array", "bd", "checks", "dma", "stream", "core_streams", "txn", "scheduler", "math")
COMPILE_FLAGS = (
    *("-O2", "-msimd128", "-mbulk-memory", "-flto", "-g0"),
    *("-ffreestanding", "-fno-strict-aliasing", "-fno-sanitize=all"),
)
LINK_FLAGS = (
    *("--no-entry", "--export-table", "--growable-table", "--stack-first", "-z", "stack-size=65536"),
    "--initial-memory=268435456",  # up to DDR_BASE in engine.h; host buffers grow it
    "--max-memory=4294901760",
)


def _sources() -> Sources:
    return Sources(SOURCES, UNITS, COMPILE_FLAGS, LINK_FLAGS, "the emulator's engine")


def compile_engine(compiler: OwnCompiler, cache: Path) -> bytes:
    """The engine's wasm module, made by a compiler. Raises ToolError with the compiler's words."""
    return compile_module(_sources(), compiler, cache)


def _key_of_compiled() -> str:
    """The hash that names the engine of a package."""
    return hashlib.sha256(COMPILED.read_bytes() + wasmtime_version().encode()).hexdigest()[:32]


def _key() -> tuple[str, OwnCompiler]:
    """The hash that names the engine, and the compiler."""
    return sources_key(_sources())


def load_engine(engine: wasmtime.Engine) -> wasmtime.Module:
    """The engine, compiled for this machine: first in about a second, later in about a millisecond.

    Raises:
        ToolError: there is no compiler, or it failed.
    """
    cache = cache_folder()
    if COMPILED.exists():
        return cached_module(engine, cache / f"engine-{_key_of_compiled()}.cwasm", COMPILED.read_bytes)
    key, compiler = _key()

    def source() -> bytes:
        return cached_source(cache / f"engine-{key}.wasm", lambda: compile_engine(compiler, cache))

    return cached_module(engine, cache / f"engine-{key}.cwasm", source)


def load_core(engine: wasmtime.Engine, key: str, source: Callable[[], bytes]) -> wasmtime.Module:
    """A core's module, compiled for this machine; kept in the cache.

    Args:
        engine: to compile it.
        key: names the module, e.g. by its sha256.
        source: gives the module when it is not there yet.
    """
    name = hashlib.sha256(f"{key} {wasmtime_version()}".encode()).hexdigest()[:32]
    folder = cache_folder("cores")
    forget_oldest(folder, _KEPT_CORES)
    return cached_module(engine, folder / f"{name}.cwasm", source)


#: Compiled cores to keep. Each is some ten kilobytes, and a new one comes with every change of a kernel.
_KEPT_CORES = 512


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
            hint="it takes addresses, and little memory: is the address space limited? `ulimit -v unlimited`",
        ) from error
