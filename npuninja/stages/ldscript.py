"""Stage ldscript: the linker script of one core, for linking with Peano."""

from __future__ import annotations

from npuninja.lowering.pipeline import linker_script
from npuninja.stages._mlir_module import read_module
from npuninja.stages._mlir_tool import holds, run_mlir_tool
from npuninja.stages._places import parse_place
from npuninja.stages._run import Outputs, stage_arguments


def run(arguments: list[str]) -> None:
    """`input_with_addresses.mlir --device-symbol D --core C,R [--aie-translate EXE] -o C_R.ld.script`."""
    options = stage_arguments("ldscript", arguments)
    target, tool = options.one("-o"), options.optional("--aie-translate")
    with Outputs(target) as outputs:
        column, row = parse_place(options.one("--core"), "--core")
        if tool:
            words = ["--aie-generate-ldscript", "--aie-device-name", options.one("--device-symbol")]
            words += [f"--tilecol={column}", f"--tilerow={row}"]
            run_mlir_tool(tool, words, options.input(), outputs, target, holds(b"MEMORY", b"PROVIDE(main = "))
            return
        module = read_module(options.input())
        outputs.write(target, linker_script(module, options.one("--device-symbol"), column, row))
