"""Runs the compile and link stages in this process: fixture `wasm_build`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import ziglang

from npuninja.stages import core_cc, core_link, kernel_cc

ZIG = os.path.join(os.path.dirname(ziglang.__file__), "zig")


class WasmBuild:
    """A folder with sources and objects, and a compiler cache for the whole test run."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache

    def compile_arguments(self, source: Path, target: Path) -> list[str]:
        tool = ["--compiler", ZIG, "--compiler-word", "cc", "--kind", "wasm", "--cache", str(self.cache)]
        return [str(source), "-o", str(target), "--prefix-map", f"{self.folder}/=", *tool]

    def kernel(self, name: str, text: str) -> Path:
        """Compiles a kernel; `name` has its suffix. Returns the object."""
        source = self.folder / name
        source.write_text(text)
        target = source.with_suffix(".o")
        kernel_cc.run(self.compile_arguments(source, target))
        return target

    def core(self, text: str) -> Path:
        """Compiles a core's C."""
        source = self.folder / "core_0_2.c"
        source.write_text(text)
        target = self.folder / "core_0_2.o"
        core_cc.run(self.compile_arguments(source, target))
        return target

    def link(self, core: Path, *kernels: Path, **info: object) -> Path:
        """Links core (0, 2); `info` overrides fields of its JSON."""
        fields = {
            "abi": 1, "column": 0, "row": 2, "entry": "core_0_2", "stack_bytes": 1024, "waits": [], "neighbours": [],
            "buffers": [["in", 0x70400, 4096]], "data_origin": 0x71400, "functions": [["k", "d.mlir", 7, 3, []]],
            "location": ["d.mlir", 5, 3],
        }  # fmt: skip
        fields.update(info)
        path = self.folder / "core_0_2.json"
        path.write_text(json.dumps(fields))
        target = self.folder / "core_0_2.wasm"
        objects = map(str, (core, *kernels))
        place = ["--info", str(path), "--core", "0,2", "--kind", "wasm"]
        core_link.run([*objects, "-o", str(target), *self.link_tool(), *place])
        return target

    @staticmethod
    def link_tool() -> list[str]:
        """The options that name the linker."""
        return ["--linker", ZIG, "--linker-word", "wasm-ld"]


@pytest.fixture(scope="session")
def compiler_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of the embedded compiler for the whole run."""
    return tmp_path_factory.mktemp("compiler cache")


@pytest.fixture
def wasm_build(tmp_path: Path, compiler_cache: Path) -> WasmBuild:
    """A folder in which kernels and cores are compiled and linked."""
    return WasmBuild(tmp_path, compiler_cache)
