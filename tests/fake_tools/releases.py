"""The command lines of each release of MLIR-AIE, as its sources and the conformance data say; apart from npuninja's tables."""

from __future__ import annotations

import re
from typing import NamedTuple

P1_OLD = (
    "builtin.module(convert-vector-to-aievec{aie-target=ARCH target-backend=llvmir},lower-affine,aie-canonicalize-device,"
    "aie.device(aie-assign-lock-ids,aie-register-objectFifos,aie-objectFifo-stateful-transform{dynamic-objFifos=0 "
    "packet-sw-objFifos=0},aie-assign-bd-ids,aie-lower-cascade-flows,aie-lower-broadcast-packet,aie-lower-multicast,"
    "aie-assign-tile-controller-ids,aie-generate-column-control-overlay{route-shim-to-tile-ctrl=0},"
    "aie-assign-buffer-addresses),convert-scf-to-cf)"
)
P1_CPP = P1_OLD.replace("addresses),", "addresses,aie-vector-transfer-lowering),")
P1_NEW = P1_OLD.replace("addresses),", "addresses,aie-assign-core-link-files,aie-vector-transfer-lowering),")
P3_OLD = (
    "builtin.module(aie.device(aie-materialize-bd-chains,aie-substitute-shim-dma-allocations,"
    "aie-assign-runtime-sequence-bd-ids,aie-dma-tasks-to-npu,aie-dma-to-npu,aie-lower-set-lock))"
)
P3_NEW = (
    "builtin.module(aie-materialize-runtime-sequences,aie.device(aie-materialize-bd-chains,"
    "aie-substitute-shim-dma-allocations,aie-assign-runtime-sequence-bd-ids,canonicalize,aie-dma-tasks-to-npu,"
    "aie-dma-to-npu,aie-lower-set-lock))"
)
P2_START = (
    "builtin.module(aie.device(aie-localize-locks,aie-normalize-address-spaces,aie-transform-bfp-types),"
    "aie-standard-lowering{device=DEVICE tilecol=COL tilerow=ROW},aiex-standard-lowering,"
)
P2_OLD = (
    P2_START + "convert-aievec-to-llvm,canonicalize,cse,convert-ub-to-llvm,convert-vector-to-llvm,"
    "expand-strided-metadata,lower-affine,convert-math-to-llvm,convert-index-to-llvm,arith-expand,convert-arith-to-llvm,"
    "finalize-memref-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},convert-cf-to-llvm,canonicalize,cse)"
)
P2_TARGET = P2_OLD.replace("convert-aievec-to-llvm,", "convert-aievec-to-llvm{aie-target=ARCH},")
P2_NEW = (
    P2_START + "convert-aievec-to-llvm{aie-target=ARCH},canonicalize,cse,expand-strided-metadata,lower-affine,arith-expand,"
    "finalize-memref-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},convert-to-llvm{dynamic=true},"
    "convert-vector-to-llvm,convert-ub-to-llvm,canonicalize,cse)"
)
ROUTE_OLD = "--aie-create-pathfinder-flows"
ROUTE_NEW = "--pass-pipeline=builtin.module(aie.device(aie-create-pathfinder-flows))"
O2_STRIP = ("--passes=default<O2>,strip", "-S")
O2 = ("--passes=default<O2>", "-inline-threshold=10", "-S")
O1 = ("--passes=default<O1>", "-inline-threshold=10", "-S")


class Release(NamedTuple):
    """One release.

    Attributes:
        version: of its wheel.
        sha: of its commit, for aiecc.
        llvm: what aie-opt prints.
        aiecc: generation of the driver, "" for none.
        p1, route, p2, p3: what aie-opt is asked.
        opt: what Peano's opt is asked.
        lld: whether clang is told which linker.
        new_sequence: whether the operation is called aie.runtime_sequence.
        tile_allocation: whether allocations name tiles.
        old_llvm_words: words that its LLVM writes and Peano does not read.
    """

    version: str
    sha: str
    llvm: str
    aiecc: str
    p1: str
    route: str
    p2: str
    p3: str
    opt: tuple[str, ...]
    lld: bool
    new_sequence: bool
    tile_allocation: bool
    old_llvm_words: tuple[str, ...]


_NUW, _POISON = "getelementptr inbounds nuw", "nocreateundeforpoison"
RELEASES: dict[str, Release] = {
    "2025-10-05": Release(
        "0.0.1.2025100604+5950a4d", "5950a4d3d", "22.0.0git", "python", P1_OLD, ROUTE_OLD, P2_OLD, P3_OLD, O2_STRIP, False,
        False, False, (_NUW,),
    ),
    "2025-10-21": Release(
        "0.0.1.2025102704+74b223d", "74b223d52", "22.0.0git", "python", P1_OLD, ROUTE_OLD, P2_TARGET, P3_OLD, O2_STRIP, False,
        False, False, (_NUW,),
    ),
    "2025-11-07": Release(
        "0.0.1.2025110804+bdd7ec2", "bdd7ec227", "22.0.0git", "python", P1_OLD, ROUTE_OLD, P2_NEW, P3_OLD, O2_STRIP, False,
        False, False, (_NUW,),
    ),
    "2025-11-18": Release(
        "0.0.1.2025112004+a7df6e1", "a7df6e13b", "22.0.0git", "python", P1_OLD, ROUTE_OLD, P2_NEW, P3_OLD, O2_STRIP, False,
        True, False, (_NUW,),
    ),
    "2025-12-17": Release(
        "0.0.1.2025122004+6c9036e", "6c9036e23", "22.0.0git", "python", P1_OLD, ROUTE_OLD, P2_NEW, P3_OLD, O2_STRIP, False,
        True, True, (_NUW,),
    ),
    "2026-02-24": Release(
        "0.0.1.2026030104+b4ed4ec", "b4ed4ecd9", "23.0.0git", "c++", P1_CPP, ROUTE_NEW, P2_NEW, P3_NEW, O2, True, True, True,
        (_NUW, _POISON),
    ),
    "2026-03-13": Release(
        "0.0.1.2026031404+9c1e32d", "9c1e32d7d", "23.0.0git", "c++", P1_NEW, ROUTE_NEW, P2_NEW, P3_NEW, O2, True, True, True,
        (_NUW, _POISON),
    ),
    "2026-03-15": Release(
        "0.0.1.2026042304+9796296", "979629649", "23.0.0git", "c++", P1_NEW, ROUTE_NEW, P2_NEW, P3_NEW, O1, True, True, True,
        (_NUW, _POISON),
    ),
    # Its tools are asked nothing but their version and their passes here: only its driver is used.
    "2026-07": Release(
        "1.4.1", "", "24.0.0git", "declarative", P1_NEW + ",aie-objectFifo-unroll", ROUTE_NEW, P2_NEW, P3_NEW, O1, True, True,
        True, (_NUW, _POISON),
    ),
}  # fmt: skip


def passes(release: Release) -> list[str]:
    """The passes that its aie-opt lists."""
    text = ",".join((release.p1, release.route.removeprefix("--"), release.p2, release.p3))
    names = set(re.findall(r"[\w-]+", re.sub(r"\{[^{}]*\}", "", text))) - {"builtin", "module", "aie", "device"}
    return sorted(name for name in names if not name.startswith("pass-"))


def plain(pipeline: str) -> str:
    """A pipeline without the blanks at the edges of options, which mean nothing."""
    return re.sub(r"\{\s*([^{}]*?)\s*\}", r"{\1}", pipeline)


def pattern(pipeline: str) -> str:
    """A regular expression for a pipeline of any target, device and core."""
    text = re.escape(pipeline)
    for name, expression in (("ARCH", "(?P<arch>aie2p?)"), ("DEVICE", r"(?P<device>\w+)")):
        text = text.replace(name, expression, 1).replace(name, r"aie2p?")
    return text.replace("COL", r"(?P<col>\d+)").replace("ROW", r"(?P<row>\d+)")
