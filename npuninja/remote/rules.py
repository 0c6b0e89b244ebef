"""Which commands of a build may run on another machine.

Asking a farm costs 0.1 s (casd) to 0.5 s (BuildGrid) for a command it has to run and a fraction of that for
one whose result it has, so what is shorter than that stays here.
"""

from __future__ import annotations

# Rule -> why it is worth asking another machine. Rules that are not here run on this one: short stages (bif,
# pdi, xclbin, manifest, ldscript, ...), what belongs to this machine (run, test, check and reference want its
# NPU, NumPy or the references' imports; doctor, size and configure are about it), and aiecc, which is a tree
# of Python modules and tools that no hash of a program identifies.
REMOTE_RULES: dict[str, str] = {
    "kernel_cc": "a compiler",
    "kernel_cc_peano": "a compiler",
    "core_cc": "a compiler",
    "core_cc_peano": "a compiler",
    "core_opt": "an optimizer",
    "core_llc": "a code generator",
    "core_llvm": "passes of MLIR-AIE",
    "core_link": "a linker",
    "core_link_peano": "a linker",
    "lower": "grows with the design",
    "lower_aie_opt": "passes of MLIR-AIE",
    "route": "grows with the design",
    "route_aie_opt": "passes of MLIR-AIE",
    "sequence_aie_opt": "passes of MLIR-AIE",
    "cdo": "grows with the programs",
    "cdo_aie_translate": "grows with the programs",
    "batch": "several stages for one answer",
}
