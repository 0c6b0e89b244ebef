"""Stage core_ir: LLVM's dialect of MLIR to LLVM IR, by aie-translate."""

from __future__ import annotations

from npuninja.stages._mlir_tool import holds, run_mlir_tool
from npuninja.stages._run import Outputs, stage_arguments


def run(arguments: list[str]) -> None:
    """`core_C_R.opt.mlir --aie-translate EXE --word W… -o core_C_R.ll`."""
    options = stage_arguments("core_ir", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        check = holds(b"define ")
        run_mlir_tool(
            options.one("--aie-translate"), options.all("--word"), options.input(), outputs, target, check
        )
