"""How each release of MLIR-AIE wants its tools called: pipelines, flags, spelling. One entry for each change.

A release is known by the day of its wheel or commit (`versions.day_of`), or by the passes that its aie-opt
lists. Another release: another entry in `RELEASES` and another row in tests/fake_tools/releases.py.

Sources: python/compiler/aiecc/main.py of 2025-10 (commits 5950a4d3, 74b223d5), tools/aiecc/aiecc.cpp of
2026-04 (97962964), the history between them. `{arch}` is aie2 or aie2p, `{triple}` the target triple,
`{device}` the device's symbol, `{column}` and `{row}` the core's place, `{peano}` Peano's installation.

ELFs' paths need no entry: relative to the work folder suits every release (2025-10-05 takes nothing else).
"""

from __future__ import annotations

import re

from npuninja.records import record, replace


@record(frozen=True)
class Release:
    """The conventions of the releases from one day on.

    Attributes:
        since: the first day, `2025-10-05`.
        lower: passes of step 1.
        place: a pass in front of them for a design with logical tiles; "" when the release has none.
        route: the words that ask aie-opt for step 2.
        sequence: pipeline of step 3.
        core: pipeline that makes LLVM's dialect of one core.
        edits: names of the edits that make the LLVM IR fit Peano (npuninja/stages/core_downgrade.py).
        opt: the words of Peano's opt.
        llc: the words of Peano's llc.
        link: the words of Peano's clang in front of the objects.
        sequence_op: how the runtime sequence is spelled.
        allocation_has_tile: whether `aie.shim_dma_allocation` names a tile instead of a column.
        functions_link: whether `link_with` may be at a function; before, a core names the one it links.
        trace: passes in front of those of step 1 for a design with `aie.trace`; "" when the release has none.
        values: whether numbers of lock, descriptor and register operations are SSA values.
        generation: of the dialect it reads and writes (npuninja/lowering/generation.py).
    """

    since: str
    lower: str
    place: str
    route: tuple[str, ...]
    sequence: str
    core: str
    edits: tuple[str, ...]
    opt: tuple[str, ...]
    llc: tuple[str, ...]
    link: tuple[str, ...]
    sequence_op: str
    allocation_has_tile: bool
    functions_link: bool
    trace: str = ""
    values: bool = False
    generation: str = "2025-10"

    @property
    def needs(self) -> frozenset[str]:
        """What its aie-opt must know: every pass that the pipelines name, and the spellings new in it."""
        values = dict.fromkeys(("arch", "device", "column", "row"), "")
        text = ",".join((self.lower, self.route[0].removeprefix("--"), self.sequence, self.core)).format(
            **values
        )
        words = re.findall(r"[\w.-]+", re.sub(r"\{[^{}]*\}", "", text.replace("pass-pipeline=", "")))
        spellings = {NEW_SEQUENCE} if self.sequence_op == NEW_SEQUENCE else set()
        spellings |= {ALLOCATION_WITH_TILE} if self.allocation_has_tile else set()
        return frozenset(words) - {"builtin.module", "aie.device"} | spellings


NEW_SEQUENCE = "aie.runtime_sequence"
ALLOCATION_WITH_TILE = "aie.shim_dma_allocation"

_LOWER = (
    "convert-vector-to-aievec{{ aie-target={arch} target-backend=llvmir }},lower-affine,aie-canonicalize-device,"
    "aie.device(aie-assign-lock-ids,aie-register-objectFifos,"
    "aie-objectFifo-stateful-transform{{ dynamic-objFifos=0 packet-sw-objFifos=0 }},aie-assign-bd-ids,"
    "aie-lower-cascade-flows,aie-lower-broadcast-packet,aie-lower-multicast,aie-assign-tile-controller-ids,"
    "aie-generate-column-control-overlay{{ route-shim-to-tile-ctrl=0 }},aie-assign-buffer-addresses%s),"
    "convert-scf-to-cf"
)
_CORE_START = (
    "builtin.module(aie.device(aie-localize-locks,aie-normalize-address-spaces,aie-transform-bfp-types),"
    "aie-standard-lowering{{ device={device} tilecol={column} tilerow={row} }},aiex-standard-lowering,"
)

RELEASES: tuple[Release, ...] = (
    # v1.1.1: aiecc in Python. Core code as `aiecc.py --no-unified` makes it, since each core is an edge.
    Release(
        since="2025-10-05",
        lower=_LOWER % "",
        place="",
        route=("--aie-create-pathfinder-flows",),
        sequence="builtin.module(aie.device(aie-materialize-bd-chains,aie-substitute-shim-dma-allocations,"
        "aie-assign-runtime-sequence-bd-ids,aie-dma-tasks-to-npu,aie-dma-to-npu,aie-lower-set-lock))",
        core=_CORE_START
        + "convert-aievec-to-llvm,canonicalize,cse,convert-ub-to-llvm,convert-vector-to-llvm,"
        "expand-strided-metadata,lower-affine,convert-math-to-llvm,convert-index-to-llvm,arith-expand,"
        "convert-arith-to-llvm,finalize-memref-to-llvm,convert-func-to-llvm{{ use-bare-ptr-memref-call-conv=1 }},"
        "convert-cf-to-llvm,canonicalize,cse)",
        edits=("getelementptr-nuw", "any-align"),
        opt=("--passes=default<O2>,strip", "-S"),
        llc=("-O2", "--march={arch}", "--function-sections", "--filetype=obj"),
        link=("-O2", "--target={triple}"),
        sequence_op="aiex.runtime_sequence",
        allocation_has_tile=False,
        functions_link=False,
    ),
)


def _then(since: str, **changes: object) -> None:
    """Appends the last entry with changes."""
    global RELEASES
    RELEASES = (*RELEASES, replace(RELEASES[-1], since=since, **changes))  # type: ignore[arg-type]


# 5a67ce83
_then(
    "2025-10-21",
    core=RELEASES[-1].core.replace(
        "convert-aievec-to-llvm,", "convert-aievec-to-llvm{{ aie-target={arch} }},"
    ),
)
# bdd7ec22
_then(
    "2025-11-07",
    core=_CORE_START
    + "convert-aievec-to-llvm{{ aie-target={arch} }},canonicalize,cse,expand-strided-metadata,lower-affine,"
    "arith-expand,finalize-memref-to-llvm,convert-func-to-llvm{{ use-bare-ptr-memref-call-conv=1 }},"
    "convert-to-llvm{{ dynamic=true }},convert-vector-to-llvm,convert-ub-to-llvm,canonicalize,cse)",
)
# a7df6e13 (#2708)
_then("2025-11-18", sequence_op=NEW_SEQUENCE, generation="2026-02")
# 6c9036e2
_then("2025-12-17", allocation_has_tile=True)
# b4ed4ecd (#2880): aiecc in C++
_then(
    "2026-02-24",
    lower=_LOWER % ",aie-vector-transfer-lowering",
    place="aie.device(aie-place-tiles{{ cores-per-col=-1 }})",
    trace="aie.device(aie-insert-trace-flows,aie-trace-to-config,aie-trace-pack-reg-writes,aie-inline-trace-config)",
    route=("--pass-pipeline=builtin.module(aie.device(aie-create-pathfinder-flows))",),
    sequence="builtin.module(aie-materialize-runtime-sequences,aie.device(aie-materialize-bd-chains,"
    "aie-substitute-shim-dma-allocations,aie-assign-runtime-sequence-bd-ids,canonicalize,aie-dma-tasks-to-npu,"
    "aie-dma-to-npu,aie-lower-set-lock))",
    edits=("getelementptr-nuw", "align", "nocreateundeforpoison"),
    opt=("--passes=default<O2>", "-inline-threshold=10", "-S"),
    link=("-O2", "--target={triple}", "-fuse-ld={peano}/bin/ld.lld"),
)
# 9c1e32d7
_then(
    "2026-03-13",
    lower=_LOWER % ",aie-assign-core-link-files,aie-vector-transfer-lowering",
    functions_link=True,
)
# 8bfa8ce6 (#2969): more than O1 miscompiles
_then("2026-03-15", opt=("--passes=default<O1>", "-inline-threshold=10", "-S"))

# 3ca0193c, MLIR-AIE 1.4: numbers are values (#3225, #3308, #3306), lock ids after the fifos (#3298, #3377);
# its LLVM is 24, Peano's 21, so other edits.
_then(
    "2026-08-14",
    lower="convert-vector-to-aievec{{ aie-target={arch} }},lower-affine,aie-canonicalize-device,"
    "aie-lower-scratchpad-parameters,aie.device(aie-objectFifo-stateful-transform{{ packet-sw-objFifos=0 }},"
    "aie-objectFifo-unroll{{ default-dynamic=0 }},aie-assign-lock-ids,aie-assign-bd-ids,aie-lower-cascade-flows,"
    "aie-lower-broadcast-packet,aie-lower-multicast,aie-assign-tile-controller-ids),"
    "aie-generate-column-control-overlay{{ route-shim-to-tile-ctrl=0 }},aie.device(aie-assign-buffer-addresses,"
    "aie-assign-core-link-files,aie-vector-transfer-lowering),aie-scf-to-control-flow",
    sequence="builtin.module(aie-materialize-runtime-sequences,aie.device(aie-materialize-bd-chains,"
    "aie-substitute-shim-dma-allocations,aie-unroll-runtime-sequence-loops,canonicalize,aie-decompose-large-dma-bd,"
    "aie-lower-dynamic-bd-pool,canonicalize,aie-assign-runtime-sequence-bd-ids,aie-dma-tasks-to-npu,"
    "aie-lower-dma-channel-reset,aie-dma-to-npu,aie-lower-set-lock,aie-lower-core-reset))",
    core=_CORE_START
    + "convert-aievec-to-llvm{{ aie-target={arch} }},canonicalize,cse,expand-strided-metadata,lower-affine,"
    "arith-expand{{ include-min-max-f=true }},finalize-memref-to-llvm,"
    "convert-func-to-llvm{{ use-bare-ptr-memref-call-conv=1 }},convert-to-llvm{{ dynamic=true }},convert-vector-to-llvm,"
    "convert-ub-to-llvm,canonicalize,cse)",
    edits=("nocreateundeforpoison", "lifetime-size", "align", "floats"),
    values=True,
    generation="2026-08",
)

#: The pipelines changed step by step between these days, and no release in between is known here.
UNKNOWN_SINCE, KNOWN_AGAIN = "2026-07-01", RELEASES[-1].since

# What a proof of aie-opt looks for.
NOTED_PASSES = frozenset(name for release in RELEASES for name in release.needs)
_LATE_PASS = "aie-objectFifo-unroll"


def spelling_of(day: str, known: frozenset[str]) -> Release:
    """The release whose spelling an installation reads; the last for one that is newer than all known."""
    newest = [
        r for r in RELEASES if r.since <= day or (not day and {NEW_SEQUENCE, ALLOCATION_WITH_TILE} <= known)
    ]
    return release_of(day, known)[0] or (newest or RELEASES)[-1 if newest else 0]


def release_of(day: str, known: frozenset[str]) -> tuple[Release | None, str]:
    """The conventions of an installation, or None and the reason why there are none.

    Args:
        day: of its wheel or commit; "" when that is not known.
        known: those of `NOTED_PASSES` that its aie-opt knows.
    """
    # A tag of 1.4 says no day of its own, so what its aie-opt knows decides.
    late = RELEASES[-1] if _LATE_PASS in known and RELEASES[-1].needs <= known else None
    if late and (not day or day >= UNKNOWN_SINCE):
        return late, ""
    if UNKNOWN_SINCE <= day < KNOWN_AGAIN or (not day and _LATE_PASS in known):
        which = f"MLIR-AIE of {day}" if day else "this MLIR-AIE"
        return None, f"{which} is of the time when its pipelines changed ({UNKNOWN_SINCE} to {KNOWN_AGAIN})"
    if day and day < RELEASES[0].since:
        return None, f"MLIR-AIE of {day} is older than the pipelines known here (from {RELEASES[0].since})"
    of_its_time = [r for r in RELEASES if not day or r.since <= day]
    wanted = of_its_time[-1:] if day else of_its_time
    fitting = [r for r in wanted if r.needs <= known]
    if fitting:
        return fitting[-1], ""
    missing = sorted(wanted[0].needs - known)
    return None, f"its aie-opt does not know {' and '.join(missing[:3])}" + (
        " and others" if missing[3:] else ""
    )
