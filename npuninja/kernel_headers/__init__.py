"""Headers to compile AIE kernels for emulated cores: the AIE API, intrinsics, C and C++ library.

README.md here says what lies where. The door is `compile_flags`: all that a compiler must be given. The
headers are ours; names, meanings and arithmetic follow the API's public documentation and measurements of the
hardware (docs/kernels.md).
"""

from __future__ import annotations

import os

from npuninja.arch.families import of_architecture

INCLUDE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "include")
#: Where includes are looked for. From the second, "../aie_kernel_utils.h" of MLIR-AIE's kernels is found.
INCLUDE_FOLDERS = (INCLUDE_FOLDER, os.path.join(INCLUDE_FOLDER, "aie_kernels"))

#: The header that a compiler reads first, as an NPU's does.
BEFORE_THE_FIRST_LINE = "npu/core.h"
#: That and the AIE API, for a compiler that reads headers once for many kernels.
WITH_THE_API = "npu/core_and_api.h"

#: How float arithmetic of the vector unit is done: to the bit, or as the host's float32, which is faster.
FLOAT_MODES: tuple[str, ...] = ("exact", "fast")

# Defined for kernels made for chess, whose block floats are whole blocks; Peano's are bytes (llvm-aie #1232).
MADE_FOR_CHESS = "NPUNINJA_CHESS"

# Flag and reason. Of those that Peano's recipes give (makefile-common of MLIR-AIE), the ones kernels need.
_CXX_FLAGS: tuple[tuple[str, str], ...] = (
    ("-mllvm", "of the next word"),
    ("-unroll-threshold=450", "arrays of accumulators become values when the loops over them are unrolled"),
    ("-DNDEBUG", "assert is empty in Peano's recipes"),
    ("-Wno-missing-template-arg-list-after-template-kw", "acc.template from_vector(v, 0) is written so"),
    ("-Wno-parentheses", "as Peano's recipes"),
    ("-Wno-attributes", "as Peano's recipes"),
    ("-Wno-macro-redefined", "as Peano's recipes"),
    ("-Wno-empty-body", "as Peano's recipes"),
    ("-fno-elide-type", "an error names both types whole: vector<int, 16>, not vector<int, [...]>"),
    ("-Wno-unknown-attributes", "[[chess::...]] is for another compiler"),
    ("-Wno-deprecated-volatile", "as Peano's recipes"),
    (
        "-Wno-align-mismatch",
        "kernels pass what a v16int32 * points to; buffers of a design need not be aligned so far",
    ),
)
_FLAGS: tuple[tuple[str, str], ...] = (
    ("-fno-strict-aliasing", "kernels read a float through a pointer to an integer"),
    ("-mrelaxed-simd", "one instruction converts floats that fit to integers; in-range results are exact"),
    ("-Wno-unknown-pragmas", "pragmas of other compilers"),
    ("-Wno-pass-failed", "loops that a kernel wants unrolled have no known count of rounds now and then"),
    ("-Wno-unknown-warning-option", "older clangs do not know all of these"),
    ("-D__AIENGINE__", "predefined by Peano"),
    ("-D__aie__", "predefined by Peano"),
    ("-D__ELF__", "predefined by Peano"),
    ("-DNPUNINJA_EMULATED", "for kernels that must know"),
)


def compile_flags(cxx: bool, architecture: str | None, float_mode: str = "exact") -> list[str]:
    """Flags for a kernel or a core's code, in addition to target, optimisation and language.

    Args:
        cxx: whether the source is C++.
        architecture: `aie2` or `aie2p`; None when it is not known: then <aie_api/aie.hpp> says so.
        float_mode: one of `FLOAT_MODES`.

    Raises:
        UserError: there is no such architecture.
    """
    flags = [flag for flag, _ in (*_FLAGS, *(_CXX_FLAGS if cxx else ()))]
    if architecture is not None:
        number = of_architecture(architecture).arch_macro
        flags += [f"-D__AIE_ARCH__={number}", f"-D__AIEARCH__={number}", f"-D__{architecture.upper()}__"]
    if float_mode == "fast":
        flags.append("-DNPU_FLOAT_FAST")
    folders = [word for folder in INCLUDE_FOLDERS for word in ("-isystem", folder)]
    return [*flags, *folders, "-include", BEFORE_THE_FIRST_LINE]
