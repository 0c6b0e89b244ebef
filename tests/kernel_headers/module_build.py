"""Kernels compiled and linked into one module and run by themselves, without an array around them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import wasmtime
import ziglang

from npuninja.stages import _wasm_flags

ZIG = os.path.join(os.path.dirname(ziglang.__file__), "zig")

DATA = 0x70000
MEMORY_BYTES = 0x100000


class Module:
    """A linked module. `run` puts arrays into memory, calls, and gives an array back."""

    def __init__(self, path: Path, architecture: str) -> None:
        self.architecture = architecture
        self._store = wasmtime.Store()
        module = wasmtime.Module.from_file(self._store.engine, str(path))
        self._linker = wasmtime.Linker(self._store.engine)
        event = wasmtime.FuncType([wasmtime.ValType.i32()], [])
        self._linker.define_func("env", "npu_event", event, lambda number: None)  # event0() marks a trace
        self._linker.define_unknown_imports_as_traps(module)
        exports = self._linker.instantiate(self._store, module).exports(self._store)
        self._exports = exports
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory

    def run(
        self, name: str, inputs: list[np.ndarray], shape: tuple[int, ...], dtype: object, *numbers: int
    ) -> np.ndarray:
        """The output of `name(inputs…, output, numbers…)`."""
        at, places = DATA, []
        for array in inputs:
            data = np.ascontiguousarray(array).tobytes()
            self._memory.write(self._store, data, at)
            places.append(at)
            at += -(-len(data) // 64) * 64
        output = np.zeros(shape, dtype)
        self._memory.write(self._store, output.tobytes(), at)
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        function(self._store, *places, at, *numbers)
        return (
            np.frombuffer(self._memory.read(self._store, at, at + output.nbytes), dtype).reshape(shape).copy()
        )

    def number(self, name: str, *numbers: int) -> int | float:
        """What a function of numbers returns."""
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return function(self._store, *numbers)


def build(source: Path, folder: Path, architecture: str, *flags: str) -> Module:
    """Compiles a C++ file with the flags of kernels and links it with all its functions."""
    compiled, linked = (
        folder / f"{source.stem}-{architecture}.o",
        folder / f"{source.stem}-{architecture}.wasm",
    )
    command = _wasm_flags.compiler_command(str(ZIG), ["cc"], str(source))
    command += _wasm_flags.compile_flags(str(source), [], architecture)
    cache = _wasm_flags.cache_variables(str(folder / "cache"))
    subprocess.run([*command, *flags, "-c", str(source), "-o", str(compiled)], check=True, env=cache)
    link = [str(ZIG), "wasm-ld", "--no-entry", "--export-all", "--allow-undefined", "--global-base=262144"]
    link += [
        f"--initial-memory={MEMORY_BYTES}",
        "--no-check-features",
        "-z",
        "stack-size=131072",
        "--stack-first",
    ]
    subprocess.run([*link, str(compiled), "-o", str(linked)], check=True, env=cache)
    return Module(linked, architecture)
