"""Stage ldscript: the linker script of one core, for linking with Peano."""

from __future__ import annotations

from npuninja.lowering.pipeline import linker_script
from npuninja.stages._module import read_module
from npuninja.stages._places import parse_place
from npuninja.stages._run import Outputs, read_arguments


def run(arguments: list[str]) -> None:
    """`input_with_addresses.mlir --device-symbol D --core C,R -o core_C_R.ld.script`."""
    options = read_arguments("ldscript", arguments, options=("--device-symbol", "--core"))
    target = options.one("-o")
    with Outputs(target) as outputs:
        module = read_module(options.input())
        column, row = parse_place(options.one("--core"), "--core")
        outputs.write(target, linker_script(module, options.one("--device-symbol"), column, row))
