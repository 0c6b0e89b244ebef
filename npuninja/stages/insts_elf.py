"""Stage insts_elf: an instruction stream as the ELF that XRT loads, by aiebu-asm or by ourselves.

Both write the same bytes. Not every stream can be one. A build goes on without: its file then says why.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.formats.elf import read_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import ToolFailed, run_tool

#: What a file says that stands for an ELF which these instructions cannot be.
NO_ELF = b"no ELF: "


def run(arguments: list[str]) -> None:
    """Writes the ELF; with `--if-possible`, why there is none where the instructions cannot be one.

    Raises:
        UserError: the stream cannot be an ELF, and `--if-possible` was not said.
        ToolError: aiebu-asm cannot be started, or fails without `--if-possible`.
    """
    options = stage_arguments("insts_elf", arguments)
    target, assembler, source = options.one("-o"), options.optional("--aiebu-asm"), options.input()
    if_possible = "--if-possible" in options.flags

    def check(made: bytes) -> None:
        if not (if_possible and made.startswith(NO_ELF)):
            read_elf(made, target)

    with Outputs(target) as outputs:
        try:
            if assembler:
                run_tool([assembler, "-t", "aie2txn", "-c", source, "-o", outputs.temporary(target, check)])
            else:
                outputs.write(target, write_instruction_elf(read_bytes(source), source), check)
        except (UserError, ToolFailed) as error:
            if not if_possible:
                raise
            outputs.write(target, NO_ELF + error.render().encode() + b"\n", check)


def refuse_no_elf(path: str) -> None:
    """Raises UserError when a file says that there is no ELF, with the reason it gives."""
    try:
        with open(path, "rb") as stream:
            said = stream.read(4096)
    except OSError:
        return
    if said.startswith(NO_ELF):
        raise UserError(
            f"{path} is no ELF, because these instructions cannot be one: "
            f"{said[len(NO_ELF) :].decode().strip()}",
            hint="give the program insts.bin instead",
        )
