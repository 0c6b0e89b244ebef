"""Stage kernel_join: several objects, and archives, to one relocatable object that a core is linked with."""

from __future__ import annotations

import sys

from npuninja.errors import Location, UserError
from npuninja.file_kinds import ARCHIVE_MAGIC, ELF_MAGIC, WASM_MAGIC
from npuninja.stages._peano_object import check_object
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import ToolFailed, run_tool


def run(arguments: list[str]) -> None:
    """`PART.o|PART.a… --linker EXE [--linker-word W]… --kind K -o OBJECT`.

    Everything in the parts becomes part of the object, archives whole: what a core does not use is left out
    when the core is linked.

    Raises:
        UserError: a part is not of the core kind, or the parts contradict each other.
        ToolError: the linker cannot be started.
    """
    options = stage_arguments("kernel_join", arguments)
    target, kind = options.one("-o"), options.one("--kind")
    with Outputs(target) as outputs:
        for path in options.positional:
            _check_part(read_bytes(path), path, kind)
        temporary = outputs.temporary(target, _check_object(kind, target))
        command = [options.one("--linker"), *options.all("--linker-word"), "-r", "--whole-archive"]
        try:
            sys.stderr.write(run_tool([*command, *options.positional, "-o", temporary]))
        except ToolFailed as failure:
            sys.stderr.write(failure.output)
            raise UserError(
                f"{', '.join(options.positional)} do not become one object", hint="the linker says why"
            ) from failure


def _check_part(data: bytes, path: str, kind: str) -> None:
    is_archive = data.startswith(ARCHIVE_MAGIC)
    if kind == "wasm" and (data.startswith(ELF_MAGIC) or (is_archive and b"\n" + ELF_MAGIC in data)):
        raise UserError(
            "an object for an NPU, and the cores are compiled for the emulated array",
            Location(path),
            hint="name its source in toolchain.toml, or configure with --provider kernel=real",
        )
    if is_archive:
        return  # its other members are checked by the linker, and the result is below
    if kind != "wasm":
        check_object(kind, path)(data)
    elif not data.startswith(WASM_MAGIC):
        raise UserError(
            "neither an object nor an archive", Location(path), hint="name its source in toolchain.toml"
        )


def _check_object(kind: str, path: str):  # type: ignore[no-untyped-def]
    if kind != "wasm":
        return check_object(kind, path)

    def check(data: bytes) -> None:
        if not data.startswith(WASM_MAGIC):
            raise UserError("the linker did not make a wasm object", Location(path))

    return check
