"""A plain compiler for cores of a real NPU: C and C++ to AIE2 machine code, with pip alone.

What it makes is **unoptimised and not yet run on an NPU**: one scalar instruction after another, with few
tricks. README.md says what is supported and how it works; the door is this module.

    - `riscv`: reads assembly of RV32, which the embedded compiler (clang, by zig) writes.
    - `registers`, `selection/`: instructions of RV32 -> operations of AIE2, register by register.
    - `operations`, `scheduling`: operations -> bundles that respect latencies, ports, slots, delay slots.
    - `objects`: a whole file -> an AIE2 object, by `npuninja.machine_code`'s assembler.
    - `program`: objects -> a core's program, with the runtime (`runtime/`), checked for stack and size.
"""

import os

from npuninja.aie2_compiler.objects import compile_assembly
from npuninja.aie2_compiler.program import RUNTIME_FOLDER, LinkedProgram, link_core

#: Headers in place of npuninja's kernel headers, where those need an emulated core.
COMPILER_HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "include")
#: What is shown wherever this compiler is named.
LABEL = "unoptimised, not yet run on an NPU"

__all__ = ["COMPILER_HEADERS", "LABEL", "RUNTIME_FOLDER", "LinkedProgram", "compile_assembly", "link_core"]
