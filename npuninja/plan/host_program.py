"""A program for the host that runs designs: what it is made of, and its command line with placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable

from npuninja.errors import Location, UserError
from npuninja.records import record

#: What `{…}` in a host program's arguments stands for: files of a design, as the table of stages names them.
PLACEHOLDERS = {
    "xclbin": "xclbin",
    "insts": "insts",
    "elf": "insts_elf",
    "full_elf": "full_elf",
    "parameters": "parameters",
    "manifest": "manifest",
    "ctrlpkt": "ctrlpkt",
    "ctrlpkt_insts": "ctrlpkt_insts",
    "ctrlpkt_elf": "ctrlpkt_elf",
    "txn": "txn",
    "lowered": "lowered",
}
#: A notebook is run as the Python program that its code cells are.
NOTEBOOK = ".ipynb"
SCRIPT_SUFFIXES = (".py", NOTEBOOK)
DEFAULT_TIME_LIMIT_S = 300
#: `{insts}`, `{DESIGN.insts}`, `{insts:KERNEL.SEQUENCE}`.
_PLACEHOLDER = re.compile(r"\{(?:(\w+)\.)?(\w+)(?::(\w+(?:\.\w+)?))?\}", re.ASCII)


@record(frozen=True, kw_only=True)
class HostProgram:
    """One host program.

    Attributes:
        name: as `ninja run-host-NAME` says it.
        location: where toolchain.toml names it, else its source.
        sources: one Python script or notebook, or files in C and C++; relative to the project, or absolute.
        defines, include, flags, language: for the compiler.
        libraries: to link with, in addition to XRT's.
        arguments: words, with placeholders.
        environment: `NAME=VALUE`.
        folder: where it is run; "" for the project.
        designs: what it runs; the first is what placeholders without a name mean.
        time_limit_s: after which it is ended.
        run_as: the name as which a script is run, as `python -m` does; "" for its path.
        module: what a script imports that decides its Python: "aie", "pyxrt", or "".
        device: the family that is emulated where it names no design; "" for the default.
        files: `PATH={placeholder}`: files that it names itself, in the folder where it is run.
        refused: why it cannot be run here, known before anything is built; "".
        output_has: texts that lines of its output must have, in this order.
    """

    name: str
    location: Location
    sources: tuple[str, ...]
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    language: str = ""
    libraries: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    folder: str = ""
    designs: tuple[str, ...] = ()
    time_limit_s: int = DEFAULT_TIME_LIMIT_S
    run_as: str = ""
    module: str = ""
    device: str = ""
    output_has: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    refused: str = ""

    @property
    def is_script(self) -> bool:
        """Whether it is a Python script or a notebook."""
        return len(self.sources) == 1 and self.sources[0].endswith(SCRIPT_SUFFIXES)


def filled(program: HostProgram, file_of: Callable[[str, str, str], str]) -> tuple[list[str], list[str]]:
    """A program's words, then its `files`, with files in the place of placeholders; and these files.

    Args:
        program: the program.
        file_of: design, name of `PLACEHOLDERS`, and sequence ("", or as `KERNEL.SEQUENCE` or its end) ->
            path. Raises UserError for an unknown design or sequence.

    Raises:
        UserError: a placeholder is unknown, or names no design; located.
    """
    files: list[str] = []

    def value(match: re.Match[str]) -> str:
        design, kind = match[1] or (program.designs[0] if program.designs else ""), match[2]
        if kind not in PLACEHOLDERS:
            raise UserError(
                f"{match[0]} in the arguments of host program {program.name} stands for nothing",
                program.location,
                hint=f"known: {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}, "
                f"and {{DESIGN.xclbin}} and so on",
            )
        if not design:
            raise UserError(
                f"{match[0]} in the arguments of host program {program.name}: of which design?",
                program.location,
                hint='say designs = ["NAME"]',
            )
        path = file_of(design, PLACEHOLDERS[kind], match[3] or "")
        files.append(path)
        return path

    return [_PLACEHOLDER.sub(value, word) for word in (*program.arguments, *program.files)], files
