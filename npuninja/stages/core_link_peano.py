"""Stage core_link_peano: objects of a core and its kernels to the core's ELF, by Peano's clang and lld."""

from __future__ import annotations

import os
import re
import sys

from npuninja.errors import Location, UserError, Warnings
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import read_elf
from npuninja.lints.core_program import check_core_program
from npuninja.stages._link_check import check_mangling
from npuninja.stages._peano_object import check_object, read_symbols
from npuninja.stages._run import Outputs, print_warnings, read_bytes, read_text, stage_arguments
from npuninja.stages._tool import WorkFolder, run_tool

# In every linker script of MLIR-AIE; what the words of the build file come before.
LINK_WORDS = ("-Wl,--gc-sections", "-Wl,--orphan-handling=error")


def run(arguments: list[str]) -> None:
    """`CORE.o KERNEL.o… --clang EXE --word W… --script CORE.ld.script --kind K [--werror] -o CORE.elf`.

    The linker script names the kernels (`INPUT(gain.o)`), by paths that count from where the linker runs: so
    it runs in a folder of its own, with these objects and no others in it.

    Raises:
        UserError: the script names an object that is no input; an input is not of this core kind; or the
            program does not fit the core.
        ToolError: the linker failed.
    """
    options = stage_arguments("core_link_peano", arguments)
    target, script, kind = options.one("-o"), options.one("--script"), options.one("--kind")
    if not options.positional:
        raise UserError("core_link_peano: no object given")
    core, *kernels = options.positional
    with Outputs(target) as outputs:
        objects = {path: read_bytes(path) for path in options.positional}
        for path, data in objects.items():
            check_object(kind, path)(data)
        check_mangling([read_symbols(data, path) for path, data in objects.items()])
        named = _check_script(script, kernels)

        def check(data: bytes) -> None:
            read_core_image(data, kind, target)

        linked = os.path.abspath(outputs.temporary(target, check))
        command = [options.one("--clang"), *options.all("--word"), os.path.abspath(core), *LINK_WORDS]
        # What is merged into the core (link_merge_files) is in no script.
        command += [os.path.abspath(path) for path in kernels if os.path.basename(path) not in named]
        command += [f"-Wl,-T,{os.path.abspath(script)}", "-o", linked]
        with WorkFolder(linked + ".d", *kernels) as folder:
            sys.stderr.write(run_tool(command, folder=folder))
        warnings = Warnings()
        check_core_program(read_elf(read_bytes(linked), target), _stack_bytes(script), target, warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)


def _stack_bytes(script: str) -> int | None:
    """What the linker script gives to the stack."""
    found = re.search(r"\. \+= 0x([0-9A-Fa-f]+); /\* stack \*/", read_text(script))
    return int(found[1], 16) if found else None


def _check_script(script: str, kernels: list[str]) -> set[str]:
    """The objects that the script names. Each must be an input, or the build would not see it change."""
    named = set()
    given = {os.path.basename(path) for path in kernels}
    text = read_text(script)
    for number, line in enumerate(text.split("\n"), 1):
        for name in re.findall(r"^\s*INPUT\(([^)]*)\)", line):
            named.add(name.strip())
            if name.strip() not in given:
                raise UserError(
                    f"the linker script names {name.strip()!r}, which is not among the objects of this core",
                    Location(script, number),
                    hint=f"objects: {', '.join(sorted(given)) or 'none'}; run configure.py again",
                )
    return named
