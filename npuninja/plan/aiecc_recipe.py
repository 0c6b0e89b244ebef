"""A whole design by aiecc, in one edge: the flags of its three generations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from npuninja.detect.mlir_aie import aiecc_command, aiecc_variables
from npuninja.plan.design import Design
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import DesignFiles, Recipe, each


@dataclass(frozen=True)
class Flags:
    """How one generation of aiecc is asked for an XCLBIN and its instructions.

    Attributes:
        words: of the command line.
        xclbin: the name of the XCLBIN in the folder where it runs.
        insts: the name of the instructions there; `{device}` and `{sequence}` are symbols.
    """

    words: tuple[str, ...]
    xclbin: str
    insts: str


# The words in front of the input; where a name can be given it is the same in every generation.
GENERATIONS: dict[str, Flags] = {
    # aiecc.py, 2025
    "python": Flags(
        (
            "--aie-generate-xclbin",
            "--aie-generate-npu-insts",
            "--no-compile-host",
            "--no-xchesscc",
            "--no-xbridge",
            "--xclbin-name=aie.xclbin",
            "--npu-insts-name=insts.bin",
        ),
        "aie.xclbin",
        "insts.bin",
    ),
    # aiecc in C++, 2026-02 to 2026-07: xchesscc and xbridge are on unless told otherwise
    "c++": Flags(
        (
            "--aie-generate-xclbin",
            "--aie-generate-npu-insts",
            "--no-xchesscc",
            "--no-xbridge",
            "--xclbin-name=aie.xclbin",
            "--npu-insts-name=insts.bin",
        ),
        "aie.xclbin",
        "insts.bin",
    ),
    # from 1.4 on: what is wanted is named, Peano is the default
    "declarative": Flags(("--get-npu-insts", "--get-xclbin"), "aie.xclbin", "insts_{device}_{sequence}.bin"),
}


def plan_aiecc(
    recipe: Recipe, graph: Graph, design: Design, files: DesignFiles, source: str, kernels: Sequence[str]
) -> None:
    """The edge from a design and its kernels' objects to XCLBIN and instructions."""
    aiecc, peano, xclbinutil = (recipe.toolchain.found(name) for name in ("aiecc", "peano", "xclbinutil"))
    assert aiecc is not None
    assert peano is not None
    assert xclbinutil is not None
    flags = GENERATIONS[aiecc.facts[0]]
    python = recipe.toolchain.python.path
    command = [*aiecc_command(aiecc.path, python), *flags.words]
    names = {"device": design.device_symbol, "sequence": design.sequence}
    options = (
        *each("--word", command),
        *each("--variable", [f"{k}={v}" for k, v in aiecc_variables(aiecc.path).items()]),
        *("--peano", peano.path, "--xclbinutil", xclbinutil.path, "--insts", files.insts),
        *("--made-xclbin", flags.xclbin, "--made-insts", flags.insts.format(**names)),
    )
    identities = each("--identity", [tool.identity for tool in (aiecc, peano, xclbinutil)])
    whom = f"design {design.name}"
    inputs = (source, *kernels)
    graph.add(Edge("aiecc", (files.xclbin,), inputs, (), (files.insts,), (*identities, *options), whom))
