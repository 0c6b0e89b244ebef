"""Instructions of the timing model against those of a real scalar machine: RV32 runs the same C."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import wasmtime
from conftest import ROOT
from rv32 import executed_instructions
from wasm_build import ZIG

from npuninja.emulator.timing.instrument import instrument
from npuninja.emulator.timing.operations import instructions
from npuninja.stages._wasm_flags import compile_flags

HARNESS = """
#include <stdint.h>
%(declaration)s
static int16_t a[5][80], b[1024];
static int32_t in[1024], out[1024];
void run(void) {
    uint32_t noise = 1;
    for (int i = 0; i < 1024; i++) in[i] = noise = noise * 1664525 + 1013904223;
    for (int i = 0; i < 400; i++) a[i / 80][i %% 80] = in[i] >> 16;
    for (int i = 0; i < TIMES; i++) %(call)s;
}
#ifdef __riscv
void _start(void) { run(); __asm__ volatile("ecall"); }
#endif
"""
KERNELS = {
    "mel/mel.c": (
        "void mel(void *, void *, void *, void *, void *, void *)",
        "mel(a[0], a[1], a[2], a[3], a[4], b)",
    ),
    "vector_scale/vector_scale.c": (
        "void vector_scale(void *, void *, int, int)",
        "vector_scale(in, out, 3, 1024)",
    ),
    "pipeline/magnitude.c": ("void magnitude(void *, void *, int)", "magnitude(in, out, 1024)"),
    "pipeline/clip.c": ("void clip(void *, void *, int, int)", "clip(in, out, 1000, 1024)"),
}
WASM_FLAGS = ("-mrelaxed-simd", "-msimd128", "-mbulk-memory")
#: The band that costs.INSTRUCTION_CYCLES is wide enough for.
SMALLEST, LARGEST = 0.65, 1.5


class Machines:
    """Builds a kernel with a harness for both machines."""

    def __init__(self, folder: Path, cache: Path, kernel: str) -> None:
        self.folder = folder
        self.kernel = ROOT / "kernels" / kernel
        self.environment = {
            **os.environ,
            "ZIG_GLOBAL_CACHE_DIR": str(cache),
            "ZIG_LOCAL_CACHE_DIR": str(cache),
        }
        declaration, call = KERNELS[kernel]
        (folder / "harness.c").write_text(HARNESS % {"declaration": declaration + ";", "call": call})

    def _zig(self, *words: str) -> None:
        subprocess.run([ZIG, *words], check=True, env=self.environment, cwd=self.folder)

    def _build(self, target: list[str], link: list[str], times: int) -> bytes:
        scalar = "riscv" in target[1]
        flags = [flag for flag in compile_flags("k.c", []) if not (scalar and flag in WASM_FLAGS)]
        sources = {"harness.o": "harness.c", "kernel.o": str(self.kernel)}
        for output, source in sources.items():
            self._zig("cc", *target, *flags, f"-DTIMES={times}", "-c", source, "-o", output)
        self._zig(*link, *sources, "-o", "program")
        return (self.folder / "program").read_bytes()

    def scalar(self, times: int) -> int:
        """Instructions that RV32 executes for so many calls of the kernel, and the harness."""
        target = ["-target", "riscv32-freestanding", "-mcpu=generic_rv32+m"]
        return executed_instructions(
            self._build(target, ["ld.lld", "-m", "elf32lriscv", "-e", "_start"], times)
        )

    def modelled(self, times: int) -> float:
        """The same as the model counts them, the middle of the band."""
        link = ["wasm-ld", "--no-entry", "--export=run", "--export=__stack_pointer"]
        counted = instrument(self._build(["-target", "wasm32-freestanding"], link, times), "program")
        store = wasmtime.Store()
        exports = wasmtime.Instance(store, wasmtime.Module(store.engine, counted.module), []).exports(store)
        exports["run"](store)
        return instructions(counted.totals([exports[p.export].value(store) for p in counted.pieces])).middle


@pytest.mark.parametrize("kernel", KERNELS)
def test_counted_instructions_are_those_of_a_scalar_machine(
    kernel: str, tmp_path: Path, compiler_cache: Path
) -> None:
    machines = Machines(tmp_path, compiler_cache, kernel)
    real = machines.scalar(3) - machines.scalar(1)  # without the harness
    counted = machines.modelled(3) - machines.modelled(1)
    assert SMALLEST * real <= counted <= LARGEST * real, counted / real
