"""Stage core_link by npuninja-aie2: AIE2 objects made here to an ELF that a core runs."""

from __future__ import annotations

from npuninja.aie2_compiler import link_core
from npuninja.errors import Warnings
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import read_elf
from npuninja.lints.core_program import check_core_program
from npuninja.stages._compile_aie2 import check_kind, runtime_assembly
from npuninja.stages._core_info import read_core_info
from npuninja.stages._run import Outputs, print_warnings, read_bytes, read_text, stage_arguments
from npuninja.stages._tool import WorkFolder


def run(arguments: list[str]) -> None:
    """`CORE.o KERNEL.o… --script CORE.ld.script --info CORE.json --kind aie2 --core C,R [--werror] -o
    CORE.elf`, and what a compiler is given (for the runtime).

    Raises:
        UserError: an object was made by another compiler; a symbol is missing or there twice; program, data
            or stack do not fit.
    """
    options = stage_arguments("core_link_aie2", arguments)
    target, script = options.one("-o"), options.one("--script")
    check_kind("core_link", options.one("--kind"))
    with Outputs(target) as outputs:
        info = read_core_info(options)
        warnings = Warnings()
        with WorkFolder(outputs.temporary(target) + ".d") as folder:
            made = link_core(
                [(path, read_bytes(path)) for path in options.positional],
                read_text(script),
                script,
                info["stack_bytes"],
                lambda source: runtime_assembly(options, source, folder),
                info["location"],
                warnings,
            )
        read_core_image(made.elf, "aie2", target)
        outputs.write(target, made.elf)
        check_core_program(read_elf(made.elf, target), None, target, warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)
