"""Operations that are refused, and why. docs/dialect.md lists them."""

from __future__ import annotations

from npuninja.suggestions import did_you_mean

_NOT_NPU = "none of the passes that MLIR-AIE's driver runs lowers it"
_MICROCONTROLLER = "it is for the microcontrollers of later devices, not for instruction streams"
_RUN_TIME = (
    "it hands out descriptors while a sequence runs; MLIR-AIE writes C++ for such sequences, no instructions"
)
_ONE_THREAD = "a core does one thing at a time, so MLIR-AIE makes loops of it; write scf.for"
_LOOPS = "it must be loops before it comes here (mlir-opt --convert-linalg-to-loops)"
_KERNEL = (
    "it would become operations of aievec for Peano, which are not read here; do it in a kernel function"
)
_CAPITALS = "MLIR-AIE has called its dialects aie and aiex, in small letters, since before 2025"
_OLD = "it was removed from MLIR-AIE before 2025"

#: For what none of the known releases reads.
NEWEST_DIALECT = "the newest dialect known here is that of MLIR-AIE 1.4 (2026-07-14 and later)"

#: Name, or the beginning of names with a dot at the end -> why, as a clause.
REFUSED: dict[str, str] = {
    "aie.objectfifo.register_process": "its function has no arguments, so it would see no object; "
    "write the core",
    "aie.objectfifo.createObjectFifo": f"{_OLD}; write aie.objectfifo @NAME(…)",
    "aie.objectFifo.createObjectFifo": f"{_OLD}; write aie.objectfifo @NAME(…)",
    "aie.end_bd": f"{_OLD}; write aie.next_bd or aie.end",
    "AIE.": f"{_CAPITALS}; write aie",
    "AIEX.": f"{_CAPITALS}; write aiex",
    "aie.ipu": f"{_OLD}; write aiex.npu",
    "aiex.ipu.": f"{_OLD}; write aiex.npu",
    "aiex.npu.shimtile_push_queue": f"{_OLD}; write aiex.npu.push_queue",
    "aiex.npu.writebd_shimtile": f"{_OLD}; write aiex.npu.writebd",
    "aiex.connection": _NOT_NPU,
    "aiex.token": _NOT_NPU,
    "aiex.useToken": _NOT_NPU,
    "aiex.memcpy": _NOT_NPU,
    "aiex.herd": _NOT_NPU,
    "aiex.place": _NOT_NPU,
    "aiex.route": _NOT_NPU,
    "aiex.iter": _NOT_NPU,
    "aiex.select": _NOT_NPU,
    "aiex.dma_bd_pool_pop": _RUN_TIME,
    "aiex.dma_bd_pool_push": _RUN_TIME,
    "aiex.cert.": _MICROCONTROLLER,
    "scf.parallel": _ONE_THREAD,
    "scf.forall": _ONE_THREAD,
    "linalg.": _LOOPS,
    "vector.contract": _KERNEL,
    "vector.outerproduct": _KERNEL,
    "vector.multi_reduction": _KERNEL,
    "vector.shuffle": _KERNEL,
    "vector.transpose": _KERNEL,
    "vector.gather": _KERNEL,
}


def reason_of(name: str) -> str | None:
    """Why an operation is refused; None when it is not known at all."""
    for refused, reason in REFUSED.items():
        if name == refused or (refused.endswith(".") and name.startswith(refused)):
            return reason
    return None


def why_unknown(name: str, known: list[str]) -> tuple[str, str | None]:
    """What is said of an operation that is not among those known: a message, and what to do."""
    reason = reason_of(name)
    if reason is not None:
        return f"'{name}' is refused: {reason}", None
    dialects = sorted({other.partition(".")[0] for other in known})
    hint = did_you_mean(name, known)
    if "." in name and name.partition(".")[0] not in dialects:
        hint = f"the known dialects are {', '.join(dialects)}"
    elif name.startswith(("aie.", "aiex.")):
        hint = f"{hint} {NEWEST_DIALECT}" if hint else NEWEST_DIALECT
    return f"unknown operation '{name}'", hint
