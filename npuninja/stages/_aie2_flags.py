"""The flags of the embedded compiler with which `npuninja.aie2_compiler` can translate its assembly to AIE2.

The target is RV32 without division and floats: 24 general registers, loads and stores, products, comparisons.
clang optimises and allocates registers for it; each of its instructions is one or a few of AIE2's.
"""

from __future__ import annotations

from npuninja import kernel_headers
from npuninja.aie2_compiler import COMPILER_HEADERS, RUNTIME_FOLDER
from npuninja.file_kinds import HEADERS_IN_OBJECTS
from npuninja.stages._wasm_flags import C_FLAGS, CODE_FLAGS, CXX_FLAGS, driver, is_cxx, values

# Flag and reason.
TARGET_FLAGS: tuple[tuple[str, str], ...] = (
    ("-fno-jump-tables", "a jump through a table has no form here"),
    ("-ffunction-sections", "what is not called is left out"),
    ("-fdata-sections", "what is not read is left out"),
    ("-fomit-frame-pointer", "one more register"),
    ("-mno-relax", "there is no linker of RISC-V"),
    ("-mllvm", "of the next word"),
    ("-enable-global-merge=false", "each variable keeps its own symbol"),
    ("-mllvm", "of the next word"),
    ("-enable-shrink-wrap=false", "a function has its frame from beginning to end"),
    ("-fno-asynchronous-unwind-tables", "there is no unwinder on a core"),
)
COMMON_FLAGS: tuple[tuple[str, str], ...] = (
    ("-O2", "the same loops as for emulated cores"),
    ("-gline-tables-only", "faults, profiles and listings name C lines"),
    ("-fdebug-compilation-dir=.", "the same bytes in every folder"),
    ("-fwrapv", "signed overflow wraps, as it does on the AIE"),
    ("-ffreestanding", "there is no C library"),
    ("-fpack-struct=4", "structs have the layout of AIE2"),
    ("-fno-math-errno", "as for emulated cores"),
    ("-fno-sanitize=all", "zig cc adds sanitizers of its own otherwise"),
    ("-ffp-contract=off", "a sum of products is rounded twice, as on emulated cores"),
    ("-fno-strict-aliasing", "kernels read a float through a pointer to an integer"),
    ("-Wno-unused-command-line-argument", "zig cc says -c, and the assembly is asked for"),
    ("-Wno-unknown-pragmas", "pragmas of other compilers"),
    ("-Wno-unknown-attributes", "attributes of other compilers"),
    ("-D__AIENGINE__", "predefined by Peano"),
    ("-D__aie__", "predefined by Peano"),
    ("-D__AIE_ARCH__=20", "AIE2"),
    ("-D__AIEARCH__=20", "AIE2"),
    ("-D__AIE2__", "predefined by Peano"),
    ("-DNPUNINJA_AIE2_COMPILER", "for kernels that must know"),
    ("-Dmemcpy=npuninja_memcpy", "the header's own must not replace the runtime's"),
    ("-Dmemmove=npuninja_memmove", "the same"),
    ("-Dmemset=npuninja_memset", "the same"),
)
# For the code of cores: locks and events are functions of the runtime.
CORE_FLAGS: tuple[tuple[str, str], ...] = (
    ("-D__builtin_aiev2_acquire(lock,value)=__npuninja_acquire(lock,value)", "waits for a lock"),
    ("-D__builtin_aiev2_release(lock,value)=__npuninja_release(lock,value)", "gives one back"),
    ("-D__builtin_aiev2_event(number)=__npuninja_event(number)", "a mark for the trace unit"),
    ("-Wno-implicit-function-declaration", "what these three functions are is known here"),
)


# x25 to x27 are left for AIE2's own needs: no calling convention passes arguments in them.
_ZIG_TARGET = (
    *("-target", "riscv32-freestanding"),
    "-mcpu=generic_rv32+zmmul+zbb+zicond+reserve_x25+reserve_x26+reserve_x27",
)
_CLANG_TARGET = (
    *("--target=riscv32-unknown-elf", "-march=rv32i_zmmul_zbb_zicond", "-mabi=ilp32"),
    *("-ffixed-x25", "-ffixed-x26", "-ffixed-x27"),
)


def compiler_command(program: str, words: list[str], source: str, language: str = "") -> list[str]:
    """The start of a compile command.

    Args:
        program: absolute path of `zig` or of a clang that has the target riscv32.
        words: what is between the program and its options; `cc` for zig, nothing for clang.
        source: the file to be compiled; C++ needs another driver.
        language: of it, when the suffix does not say.
    """
    return [*driver(program, words, is_cxx(source, language)), *(_ZIG_TARGET if words else _CLANG_TARGET)]


def code_command(program: str, words: list[str], source: str, language: str = "") -> list[str]:
    """The start of the command that makes assembly of optimised code; takes what `compiler_command` takes."""
    return [*compiler_command(program, words, source, language), *values(TARGET_FLAGS), *CODE_FLAGS]


def compile_flags(source: str, prefix_maps: list[str], language: str = "") -> list[str]:
    """All flags to compile `source` to assembly, except target, inputs and outputs.

    Args:
        source: path of a C or C++ file; its suffix chooses the language unless `language` says it.
        prefix_maps: `OLD=NEW` for file names, so that every folder gives the same bytes.
        language: of the source, when the suffix does not say.
    """
    of_language = CXX_FLAGS if is_cxx(source, language) else C_FLAGS
    own = [
        f"{folder}={HEADERS_IN_OBJECTS[:-1]}"
        for folder in (RUNTIME_FOLDER, COMPILER_HEADERS, kernel_headers.INCLUDE_FOLDER)
    ]
    maps = [f"-ffile-prefix-map={m}" for m in [*prefix_maps, *own]]
    headers = ["-isystem", COMPILER_HEADERS, "-isystem", kernel_headers.INCLUDE_FOLDER]
    headers += ["-include", "npu/macros.h", "-include", "npu/scalars.h"]
    return [*values(COMMON_FLAGS), *values(TARGET_FLAGS), *values(of_language), *maps, *headers]
