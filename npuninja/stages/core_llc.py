"""Stage core_llc: the LLVM IR of one core to an object, by Peano's llc."""

from __future__ import annotations

import sys

from npuninja.stages._peano_object import check_object
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import run_tool


def run(arguments: list[str]) -> None:
    """`core_C_R.opt.ll --llc EXE --word W… --kind K -o core_C_R.o`."""
    options = stage_arguments("core_llc", arguments)
    target, source = options.one("-o"), options.input()
    with Outputs(target) as outputs:
        read_bytes(source)
        written = outputs.temporary(target, check_object(options.one("--kind"), target))
        sys.stderr.write(run_tool([options.one("--llc"), source, *options.all("--word"), "-o", written]))
