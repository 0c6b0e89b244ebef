"""Stage insts_elf: an instruction stream as the ELF that XRT loads."""

from __future__ import annotations

from npuninja.formats.elf import read_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.stages._run import Outputs, read_bytes, stage_arguments


def run(arguments: list[str]) -> None:
    """Writes the ELF. Raises UserError for a stream that cannot be one."""
    options = stage_arguments("insts_elf", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        data = write_instruction_elf(read_bytes(options.input()), options.input())
        outputs.write(target, data, lambda made: (read_elf(made, target), None)[1])
