"""Stage insts_elf: an instruction stream as the ELF that XRT loads, by aiebu-asm or by ourselves; both write the same bytes."""

from __future__ import annotations

from npuninja.formats.elf import read_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.stages._run import Outputs, read_bytes, run_tool, stage_arguments


def run(arguments: list[str]) -> None:
    """Writes the ELF. Raises UserError for a stream that cannot be one, ToolError when aiebu-asm fails."""
    options = stage_arguments("insts_elf", arguments)
    target, assembler, source = options.one("-o"), options.optional("--aiebu-asm"), options.input()

    def check(made: bytes) -> None:
        read_elf(made, target)

    with Outputs(target) as outputs:
        if assembler:
            run_tool([assembler, "-t", "aie2txn", "-c", source, "-o", outputs.temporary(target, check)])
        else:
            outputs.write(target, write_instruction_elf(read_bytes(source), source), check)
