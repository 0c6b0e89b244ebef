"""Stage core_opt: LLVM IR to better LLVM IR, by Peano's opt."""

from __future__ import annotations

import sys

from npuninja.stages._mlir_tool import holds
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import run_tool


def run(arguments: list[str]) -> None:
    """`core_C_R.peano.ll --opt EXE --word W… -o core_C_R.opt.ll`."""
    options = stage_arguments("core_opt", arguments)
    target, source = options.one("-o"), options.input()
    with Outputs(target) as outputs:
        read_bytes(source)
        written = outputs.temporary(target, holds(b"define "))
        sys.stderr.write(run_tool([options.one("--opt"), *options.all("--word"), source, "-o", written]))
