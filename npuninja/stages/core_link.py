"""Stage core_link: a core's object and its kernels' objects to a core image (a wasm module)."""

from __future__ import annotations

import json
import os
import sys

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError, ToolError, UserError, Warnings
from npuninja.formats.core_abi import MEMORY_PAGES, OWN_DATA_END
from npuninja.formats.core_image import CORE_SECTION, read_core_image
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import append_custom_section, read_wasm
from npuninja.lints.kernel_calls import check_kernel_calls
from npuninja.lints.kernel_code import read_functions
from npuninja.lints.kernel_constants import check_constants
from npuninja.lints.kernel_signatures import check_kernel_signatures
from npuninja.lints.program_size import check_program_size
from npuninja.lints.stack_frames import check_stack
from npuninja.stages import _link_check, _wasm_flags
from npuninja.stages._core_info import read_core_info
from npuninja.stages._run import Outputs, print_warnings, read_bytes, stage_arguments
from npuninja.stages._tool import ToolFailed, WorkFolder, run_tool
from npuninja.stages._wasm_object import Symbols, global_value, read_symbols

if TYPE_CHECKING:
    from typing import Any

# What the section npuninja.core says, from the JSON of the core_code stage; `data_end` is found here.
SECTION_FIELDS = (
    "abi",
    "column",
    "row",
    "entry",
    "stack_bytes",
    "data_origin",
    "data_end",
    "architecture",
    "waits",
    "buffers",
    "neighbours",
    "locks",
    "tile_buffers",
)


def run(arguments: list[str]) -> None:
    """Links one core.

    Args:
        arguments: `CORE.o KERNEL.o… --linker EXE [--linker-word W]… --kind wasm --info CORE.json --core C,R
            [--werror] -o CORE.wasm`.

    Raises:
        UserError: a symbol is missing or there twice, the kernels' data does not fit, an object is not one.
        ToolError: the linker failed for another reason.
    """
    options = stage_arguments("core_link", arguments)
    target, kind = options.one("-o"), options.one("--kind")
    if kind != "wasm":
        raise UserError(
            f"core_link: cannot link for core kind {kind!r}", hint="build with the core kind wasm"
        )
    if not options.positional:
        raise UserError("core_link: no object given")
    with Outputs(target) as outputs:
        info = read_core_info(options)
        objects = {path: read_bytes(path) for path in options.positional}
        symbols = [read_symbols(data, path) for path, data in objects.items()]
        places = {name: place for name, place, _ in info["functions"]}
        _link_check.check_symbols(symbols[0], symbols[1:], places)
        linker = [options.one("--linker"), *options.all("--linker-word")]
        module = _link(linker, options.positional, info, outputs.temporary(target) + ".d", target)
        finished = _finish(module, info, target)
        outputs.write(target, finished)
        warnings = Warnings()
        _lint(objects, symbols, info, warnings)
        core = f"core ({info['column']}, {info['row']})"
        check_program_size(core, functions(read_wasm(finished, target)), info["location"], warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)


def _link(
    linker: list[str], objects: tuple[str, ...], info: dict[str, Any], folder: str, target: str
) -> bytes:
    """Runs the linker; what it says about the user's objects becomes an error about `target`.

    The linker stores the name of its output in the module, so that name has to be the same in every build: it
    works in a `folder` of its own, which is removed afterwards.
    """
    command = [*linker, *_wasm_flags.link_flags(info["entry"], info["data_origin"], info["stack_bytes"])]
    with WorkFolder(folder):
        imports, linked = os.path.join(folder, "imports"), os.path.join(folder, os.path.basename(target))
        command += [f"--allow-undefined-file={imports}", "--fatal-warnings", *objects, "-o", linked]
        with open(imports, "w", encoding="utf-8") as stream:
            stream.write("\n".join(sorted(_wasm_flags.CORE_IMPORTS)) + "\n")
        try:
            sys.stderr.write(run_tool(command))
        except ToolFailed as failure:
            raise _link_check.translate(failure, info) from failure
        return read_bytes(linked)


def _lint(
    objects: dict[str, bytes], symbols: list[Symbols], info: dict[str, Any], warnings: Warnings
) -> None:
    """What a core and its kernels can get wrong together. The objects and their symbols are in one order."""
    core = f"core ({info['column']}, {info['row']})"
    found_functions = [
        read_functions(read_wasm(data, path), found.function_names, path)
        for (path, data), found in zip(objects.items(), symbols)
    ]
    check_stack(core, info["entry"], found_functions, info["stack_bytes"], info["location"], warnings)
    check_constants(core, [(found.path, found.constants) for found in symbols], warnings)
    check_kernel_calls(core, info["functions"], found_functions, warnings)
    elements = info.get("elements", {})
    typed = [(name, place, elements.get(name, ())) for name, place, _ in info["functions"]]
    check_kernel_signatures(core, typed, found_functions, warnings)
    _link_check.check_unused_objects(core, symbols[0], symbols[1:], info["location"], warnings)


def _finish(data: bytes, info: dict[str, Any], path: str) -> bytes:
    """Checks the linked module and appends the section that describes it."""
    module = read_wasm(data, path)
    data_end = global_value(module, "__data_end")
    if data_end is None:
        raise ToolError(f"the linker did not export __data_end in {path}", hint="wasm-ld 14 or newer does")
    if data_end > OWN_DATA_END:
        raise _link_check.data_too_large(data_end, info)
    strangers = [
        i.name for i in module.imports if i.module != "env" or i.name not in _wasm_flags.CORE_IMPORTS
    ]
    if strangers:
        raise InternalError(f"{path} imports {', '.join(strangers)}, which the emulator does not have")
    if module.memory_pages != (MEMORY_PAGES, MEMORY_PAGES):
        raise ToolError(
            f"the linker gave {path} a memory of {module.memory_pages} pages instead of {MEMORY_PAGES}"
        )
    section = {field: info[field] for field in SECTION_FIELDS if field in info}
    section["data_end"] = data_end
    whole = append_custom_section(data, CORE_SECTION, json.dumps(section, separators=(",", ":")).encode())
    read_core_image(whole, "aie2", path)
    return whole
