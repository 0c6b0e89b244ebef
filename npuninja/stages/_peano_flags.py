"""The flags of Peano's clang for kernels and core code of a real NPU.

Source: programming_examples/makefile-common of MLIR-AIE (PEANOWRAP2_FLAGS, PEANOWRAP2P_FLAGS), which its
kernels are written for; C in the language that emulated cores get, too.
"""

from __future__ import annotations

from npuninja.stages._wasm_flags import is_cxx

C_FLAGS = ("-O2", "-std=gnu17")
CXX_FLAGS = (
    "-O2",
    "-std=c++20",
    "-Wno-parentheses",
    "-Wno-attributes",
    "-Wno-macro-redefined",
    "-Wno-empty-body",
    "-Wno-missing-template-arg-list-after-template-kw",
    "-DNDEBUG",
)


def compiler_command(clang: str, kind: str, source: str, language: str = "") -> list[str]:
    """The start of a compile command.

    Args:
        clang: absolute path of Peano's clang; C++ takes the clang++ beside it.
        kind: `aie2` or `aie2p`.
        source: the file to be compiled.
        language: of it, when the suffix does not say.
    """
    return [clang + "++" if is_cxx(source, language) else clang, f"--target={kind}-none-unknown-elf"]


def compile_flags(
    source: str, prefix_maps: list[str], include_folders: list[str], language: str = ""
) -> list[str]:
    """All flags to compile `source`, except input, output and depfile.

    Args:
        source: the file to be compiled.
        prefix_maps: `OLD=NEW` for file names in debug information, so that every folder gives the same bytes.
        include_folders: MLIR-AIE's headers (aie_api), for C++.
        language: of it, when the suffix does not say.
    """
    cxx = is_cxx(source, language)
    flags = [*(CXX_FLAGS if cxx else C_FLAGS), *(f"-ffile-prefix-map={m}" for m in prefix_maps)]
    return flags + [word for folder in include_folders if cxx for word in ("-I", folder)]
