"""Compiles the C of a core and steps it in a plain wasm memory, the test playing the locks."""

import ctypes
import math
from pathlib import Path

import wasmtime
from wasm_build import WasmBuild

from npuninja.ir.parser import parse_module
from npuninja.lowering.core_code.source import core_info, core_source

MATH = {"sinf": math.sin, "powf": math.pow, "fmodf": math.fmod}
LOCK_PAGE, STATE_PAGE = 0x10000, 0x20000


class RunningCore:
    """Core (0, 2) of a design in `text`, linked with C kernels."""

    def __init__(self, build: WasmBuild, text: str, kernels: dict[str, str] | None = None) -> None:
        module = parse_module(text, "design.mlir")
        objects = [build.kernel(name, source) for name, source in (kernels or {}).items()]
        self.source = core_source(module, "", 0, 2, kind="wasm", file="design.mlir")
        self.info = core_info(module, "", 0, 2, file="design.mlir")
        path: Path = build.link(build.core(self.source), *objects, **self.info)
        self.store = wasmtime.Store(wasmtime.Engine())
        compiled = wasmtime.Module.from_file(self.store.engine, str(path))
        f32 = wasmtime.ValType.f32()
        i32 = wasmtime.ValType.i32()
        imports = [
            wasmtime.Func(self.store, wasmtime.FuncType([i32], []), lambda number: None)
            if i.name == "npu_event"
            else wasmtime.Func(
                self.store, wasmtime.FuncType([f32] * (1 if i.name == "sinf" else 2), [f32]), MATH[i.name]
            )
            for i in compiled.imports
        ]
        self.exports = wasmtime.Instance(self.store, compiled, imports).exports(self.store)
        self.exports["__stack_pointer"].set_value(self.store, 0x70000 + self.info["stack_bytes"])
        base = ctypes.addressof(self.exports["memory"].data_ptr(self.store).contents)
        self.memory = memoryview((ctypes.c_ubyte * 0x80000).from_address(base)).cast("B")

    def step(self) -> int:
        """Runs until the core waits, faults or ends; what it returns."""
        return self.exports["core_0_2"](self.store)

    def restart(self) -> None:
        """Back to the first operation."""
        self.memory[STATE_PAGE : STATE_PAGE + 4] = bytes(4)

    def lock(self, word: int) -> int:
        return int.from_bytes(
            self.memory[LOCK_PAGE + 4 * word : LOCK_PAGE + 4 * word + 4], "little", signed=True
        )

    def set_lock(self, word: int, value: int) -> None:
        self.memory[LOCK_PAGE + 4 * word : LOCK_PAGE + 4 * word + 4] = value.to_bytes(
            4, "little", signed=True
        )

    def read(self, address: int, size_bytes: int) -> bytes:
        return bytes(self.memory[address : address + size_bytes])

    def write(self, address: int, data: bytes) -> None:
        self.memory[address : address + len(data)] = data
