"""Command lines of each MLIR-AIE release, from its sources and conformance data, not npuninja's tables."""

from __future__ import annotations

import re
from typing import NamedTuple

P1_OLD = (
    "builtin.module(convert-vector-to-aievec{aie-target=ARCH "
    "target-backend=llvmir},lower-affine,aie-canonicalize-device,"
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
P1_AUGUST = (
    "builtin.module(convert-vector-to-aievec{aie-target=ARCH},lower-affine,aie-canonicalize-device,"
    "aie-lower-scratchpad-parameters,aie.device(aie-objectFifo-stateful-transform{packet-sw-objFifos=0},"
    "aie-objectFifo-unroll{default-dynamic=1},aie-assign-lock-ids,aie-assign-bd-ids,aie-lower-cascade-flows,"
    "aie-lower-broadcast-packet,aie-lower-multicast,aie-assign-tile-controller-ids),"
    "aie-generate-column-control-overlay{route-shim-to-tile-ctrl=0},aie.device(aie-assign-buffer-addresses,"
    "aie-assign-core-link-files,aie-vector-transfer-lowering),aie-scf-to-control-flow)"
)
P3_AUGUST = (
    "builtin.module(aie-materialize-runtime-sequences,aie.device(aie-materialize-bd-chains,"
    "aie-substitute-shim-dma-allocations,aie-unroll-runtime-sequence-loops,canonicalize,aie-decompose-large-dma-bd,"
    "aie-lower-dynamic-bd-pool,canonicalize,aie-assign-runtime-sequence-bd-ids,aie-dma-tasks-to-npu,"
    "aie-lower-dma-channel-reset,aie-dma-to-npu,aie-lower-set-lock,aie-lower-core-reset))"
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
    P2_START
    + "convert-aievec-to-llvm{aie-target=ARCH},canonicalize,cse,expand-strided-metadata,lower-affine,arith-expand,"
    "finalize-memref-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},convert-to-llvm{dynamic=true},"
    "convert-vector-to-llvm,convert-ub-to-llvm,canonicalize,cse)"
)
P2_AUGUST = P2_NEW.replace("arith-expand,", "arith-expand{include-min-max-f=true},")
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
        lld: whether clang gets the name of the linker.
        new_sequence: whether the operation is called aie.runtime_sequence.
        tile_allocation: whether allocations name tiles.
        old_llvm_words: words that its LLVM writes and Peano does not read.
        values: whether numbers of operations are SSA values.
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
    values: bool = False


NUW, POISON = "getelementptr inbounds nuw", "nocreateundeforpoison"
_V111 = Release(
    version="0.0.1.2025100604+5950a4d",
    sha="5950a4d3d",
    llvm="22.0.0git",
    aiecc="python",
    p1=P1_OLD,
    route=ROUTE_OLD,
    p2=P2_OLD,
    p3=P3_OLD,
    opt=O2_STRIP,
    lld=False,
    new_sequence=False,
    tile_allocation=False,
    old_llvm_words=(NUW,),
)
_OCTOBER = _V111._replace(version="0.0.1.2025102704+74b223d", sha="74b223d52", p2=P2_TARGET)
_NOVEMBER = _OCTOBER._replace(version="0.0.1.2025110804+bdd7ec2", sha="bdd7ec227", p2=P2_NEW)
_RENAMED = _NOVEMBER._replace(version="0.0.1.2025112004+a7df6e1", sha="a7df6e13b", new_sequence=True)
_TILES = _RENAMED._replace(version="0.0.1.2025122004+6c9036e", sha="6c9036e23", tile_allocation=True)
_CPP = _TILES._replace(
    version="0.0.1.2026030104+b4ed4ec",
    sha="b4ed4ecd9",
    llvm="23.0.0git",
    aiecc="c++",
    p1=P1_CPP,
    route=ROUTE_NEW,
    p3=P3_NEW,
    opt=O2,
    lld=True,
    old_llvm_words=(NUW, POISON),
)
_LINK_FILES = _CPP._replace(version="0.0.1.2026031404+9c1e32d", sha="9c1e32d7d", p1=P1_NEW)
_APRIL = _LINK_FILES._replace(version="0.0.1.2026042304+9796296", sha="979629649", opt=O1)

RELEASES: dict[str, Release] = {
    "2025-10-05": _V111,
    "2025-10-21": _OCTOBER,
    "2025-11-07": _NOVEMBER,
    "2025-11-18": _RENAMED,
    "2025-12-17": _TILES,
    "2026-02-24": _CPP,
    "2026-03-13": _LINK_FILES,
    "2026-03-15": _APRIL,
    # Only its driver is used: its pipelines are not known here.
    "2026-07": _APRIL._replace(
        version="1.4.1", sha="", aiecc="declarative", p1=P1_NEW + ",aie-objectFifo-unroll"
    ),
    "2026-08-14": _APRIL._replace(
        version="0.0.1.2026081504+3ca0193",
        sha="3ca0193ce",
        aiecc="declarative",
        p1=P1_AUGUST,
        p2=P2_AUGUST,
        old_llvm_words=(POISON,),
        p3=P3_AUGUST,
        values=True,
    ),
}


def passes(release: Release) -> list[str]:
    """The passes that its aie-opt lists."""
    text = ",".join((release.p1, release.route.removeprefix("--"), release.p2, release.p3))
    names = set(re.findall(r"[\w-]+", re.sub(r"\{[^{}]*\}", "", text))) - {
        "builtin",
        "module",
        "aie",
        "device",
    }
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
