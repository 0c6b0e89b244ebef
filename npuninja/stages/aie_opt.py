"""Stage aie_opt: MLIR to MLIR by the reference implementation; the build file says which passes."""

from __future__ import annotations

from npuninja.stages._mlir_tool import holds, run_mlir_tool
from npuninja.stages._run import Outputs, stage_arguments


def run(arguments: list[str]) -> None:
    """`IN.mlir --aie-opt EXE --word W… -o OUT.mlir`."""
    options = stage_arguments("aie_opt", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        run_mlir_tool(
            options.one("--aie-opt"),
            options.all("--word"),
            options.input(),
            outputs,
            target,
            holds(b"module"),
        )
