"""Stage core_code: the body of one core to C, and what the later stages must know about it as JSON."""

from __future__ import annotations

import json

from npuninja.lowering.core_code.source import core_info, core_source
from npuninja.stages._mlir_module import read_module
from npuninja.stages._places import parse_place
from npuninja.stages._run import Outputs, stage_arguments


def run(arguments: list[str]) -> None:
    """`input_with_addresses.mlir --device-symbol D --core C,R --kind K --file-name F --info JSON -o X.c`."""
    options = stage_arguments("core_code", arguments)
    target, info = options.one("-o"), options.one("--info")
    with Outputs(target, info) as outputs:
        module = read_module(options.input())
        column, row = parse_place(options.one("--core"), "--core")
        symbol, kind, file = options.one("--device-symbol"), options.one("--kind"), options.one("--file-name")
        outputs.write(target, core_source(module, symbol, column, row, kind=kind, file=file))
        facts = core_info(module, symbol, column, row, file=file)
        outputs.write(info, json.dumps(facts, indent=1) + "\n")
