"""Stage core_link by npuninja-aie2: AIE2 objects made here to an ELF that a core runs."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from npuninja.aie2_compiler import link_core
from npuninja.errors import InternalError, Location, Warnings
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import read_elf
from npuninja.lints.core_program import check_core_program
from npuninja.stages._compile_aie2 import check_kind, runtime_assembly
from npuninja.stages._run import Outputs, print_warnings, read_bytes, read_text, stage_arguments


def run(arguments: list[str]) -> None:
    """`CORE.o KERNEL.o… --script CORE.ld.script --info CORE.json --kind aie2 --core C,R` and what a compiler is given
    (for the runtime), `[--werror] -o CORE.elf`.

    Raises:
        UserError: an object was made by another compiler; a symbol is missing or there twice; program, data or stack do
            not fit.
    """
    options = stage_arguments("core_link_aie2", arguments)
    target, script = options.one("-o"), options.one("--script")
    check_kind("core_link", options.one("--kind"))
    with Outputs(target) as outputs:
        info: dict[str, Any] = json.loads(read_text(options.one("--info")))
        if options.one("--core") != f"{info['column']},{info['row']}":
            raise InternalError(f"{options.one('--info')} is about another core than {options.one('--core')}")
        file, line, column = info["location"]
        there = os.path.join(os.path.dirname(os.path.dirname(options.one("--info"))), file)
        place = Location(there if os.path.exists(there) else file, line, column)
        warnings = Warnings()
        folder = outputs.temporary(target) + ".d"
        os.makedirs(folder, exist_ok=True)
        try:
            made = link_core(
                [(path, read_bytes(path)) for path in options.positional],
                read_text(script),
                script,
                info["stack_bytes"],
                lambda source: runtime_assembly(options, source, folder),
                place,
                warnings,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        read_core_image(made.elf, "aie2", target)
        outputs.write(target, made.elf)
        check_core_program(read_elf(made.elf, target), None, target, warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)
