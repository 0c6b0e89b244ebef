"""The compiler's and linker's flags for emulated cores, as data, and the commands made of them.

The graph and the stages take them from here, so that a kernel and the core that calls it never disagree.
Flags and their effects were measured with clang 22 (the `ziglang` wheel) and clang 14.
"""

from __future__ import annotations

import os

from npuninja import kernel_headers
from npuninja.file_kinds import CXX_SUFFIXES, HEADERS_IN_OBJECTS

# Flag and reason. The layout flags make structs look as on AIE2, whose i64 and double are aligned to 4 bytes.
COMMON_FLAGS: tuple[tuple[str, str], ...] = (
    ("-O2", "the loops of kernels are worth it; -O3 makes them larger, not faster"),
    ("-g1", "line tables only: a fault names file and line"),
    ("-msimd128", "lets the compiler vectorise: a third faster"),
    ("-mbulk-memory", "memcpy and memset become instructions; there is no C library to call"),
    ("-fwrapv", "signed overflow wraps, as it does on the AIE"),
    ("-ffreestanding", "there is no C library"),
    ("-fpack-struct=4", "structs have the layout of AIE2"),
    ("-fno-math-errno", "sqrtf is an instruction, not a call"),
    ("-fno-sanitize=all", "zig cc adds sanitizers of its own otherwise"),
    ("-ffile-compilation-dir=.", "the folder of the build is not part of the object"),
)
# For a module in LLVM's language that is optimised, of which code is made.
CODE_FLAGS: tuple[str, ...] = ("-O2", "-Xclang", "-disable-llvm-passes", "-fno-sanitize=all", "-w")
C_FLAGS: tuple[tuple[str, str], ...] = (("-std=gnu17", "what Peano's clang takes by default"),)
CXX_FLAGS: tuple[tuple[str, str], ...] = (
    ("-std=c++20", "what the kernels of MLIR-AIE are compiled with"),
    ("-fno-exceptions", "there is no unwinder on a core"),
    ("-fno-rtti", "there is no C++ library on a core"),
    ("-fno-threadsafe-statics", "a core has one thread"),
)
LINK_FLAGS: tuple[tuple[str, str], ...] = (
    ("--no-entry", "the emulator calls core_C_R, nothing runs at load time"),
    ("--export=__stack_pointer", "the emulator sets it to the top of the tile's stack"),
    ("--export=__data_end", "the end of .bss, for the zeros in the CDO"),
    (
        "--no-check-features",
        "__stack_pointer is a mutable global, which older feature sections do not announce",
    ),
    ("--initial-memory=524288", "the address space of a core, 0 to 0x80000"),
    ("--max-memory=524288", "and not more"),
    (
        "--stack-first",
        "the linker's own stack lies at 0, where nothing is mapped: the real one is set by the emulator",
    ),
    ("--threads=1", "a core is too small to be linked by several threads"),
)

# Math functions that are no wasm instruction: imports (module "env") that the emulator serves, for float (…f)
# and double.
_UNARY: tuple[str, ...] = (
    *(
        "acos",
        "asin",
        "atan",
        "cbrt",
        "cos",
        "cosh",
        "erf",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log10",
        "log1p",
        "log2",
    ),
    *("sin", "sinh", "tan", "tanh"),
)
_BINARY: tuple[str, ...] = ("atan2", "fmod", "pow")
MATH_IMPORTS: frozenset[str] = frozenset(name + suffix for name in _UNARY + _BINARY for suffix in ("", "f"))
# What intrinsics for streams, cascades and locks call (kernel_headers/include/npu/streams.h): a core waits
# in the middle of its code (npuninja/emulator/core_modules/waiting.py has the same names).
STREAM_IMPORTS: frozenset[str] = frozenset(
    (
        *(
            "npu_get_stream",
            "npu_get_stream_last",
            "npu_stream_ready",
            "npu_put_stream",
            "npu_try_put_stream",
        ),
        *("npu_write_register", "npu_read_register"),
        *("npu_get_cascade", "npu_put_cascade", "npu_acquire", "npu_release"),
    )
)
# Everything that the emulator serves: these, what printf of a core's <stdio.h> calls, and marks in a trace.
CORE_IMPORTS: frozenset[str] = MATH_IMPORTS | STREAM_IMPORTS | {"npu_print", "npu_event"}


def values(flags: tuple[tuple[str, str], ...]) -> list[str]:
    """The flags without their reasons."""
    return [flag for flag, _ in flags]


def compile_flags(
    source: str,
    prefix_maps: list[str],
    architecture: str | None = None,
    language: str = "",
    float_mode: str = "exact",
) -> list[str]:
    """All flags to compile `source`, except target, inputs and outputs.

    Args:
        source: path of a C or C++ file; its suffix chooses the language unless `language` says it.
        prefix_maps: `OLD=NEW` each: paths that begin with OLD have NEW instead in the object, so that a build
            in another folder gives the same bytes.
        architecture: `aie2` or `aie2p`, what kernels take the core for; None for code that does not ask.
        language: of the source, when the suffix does not say.
        float_mode: how vectors of floats are computed, `exact` or `fast`.
    """
    of_language = CXX_FLAGS if is_cxx(source, language) else C_FLAGS
    # The last map that matches wins, and our headers may lie below a folder that is mapped too.
    maps = [
        f"-ffile-prefix-map={m}"
        for m in [*prefix_maps, f"{kernel_headers.INCLUDE_FOLDER}={HEADERS_IN_OBJECTS[:-1]}"]
    ]
    headers = kernel_headers.compile_flags(is_cxx(source, language), architecture, float_mode)
    return [*values(COMMON_FLAGS), *values(of_language), *maps, *headers]


def is_cxx(source: str, language: str = "") -> bool:
    """Whether a source file is C++: by the language that the user says it is, else by its suffix."""
    return "++" in language if language else source.endswith(CXX_SUFFIXES)


def compiler_command(program: str, words: list[str], source: str, language: str = "") -> list[str]:
    """The start of a compile command: program, driver, target.

    Args:
        program: absolute path of `zig` or of a clang.
        words: what is between the program and its options; `cc` for zig, nothing for clang.
        source: the file to be compiled; C++ needs another driver.
        language: of it, when the suffix does not say.
    """
    target = ["-target", "wasm32-freestanding"] if words else ["--target=wasm32-unknown-unknown"]
    return [*driver(program, words, is_cxx(source, language)), *target]


def driver(program: str, words: list[str], cxx: bool) -> list[str]:
    """A compiler as one of C or of C++; the arguments are those of `compiler_command`."""
    if words:
        return [program, *words[:-1], "c++" if cxx and words[-1] == "cc" else words[-1]]
    return [program, f"--driver-mode={'g++' if cxx else 'gcc'}"]


def link_flags(entry: str, data_origin: int, stack_bytes: int) -> list[str]:
    """All flags to link one core, except inputs and outputs.

    Args:
        entry: the core's function, `core_C_R`.
        data_origin: data address (0x70000 to 0x7FFFF) after the highest buffer, for the kernels' data.
        stack_bytes: of the core's stack.
    """
    # LLVM 14 reads decimal numbers only.
    return [
        *values(LINK_FLAGS),
        f"--export={entry}",
        f"--global-base={data_origin}",
        "-z",
        f"stack-size={stack_bytes}",
    ]


def cache_variables(folder: str) -> dict[str, str]:
    """Environment variables that keep zig's caches in `folder`, inside the build."""
    return {
        "ZIG_GLOBAL_CACHE_DIR": os.path.join(folder, "global"),
        "ZIG_LOCAL_CACHE_DIR": os.path.join(folder, "local"),
    }
