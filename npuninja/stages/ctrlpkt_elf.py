"""Stage ctrlpkt_elf: a sequence that sends control packets, and these, as the ELF that XRT loads.

It is what aiecc makes for `--get-ctrlpkt --get-elf`, by aiebu-asm or by ourselves; both write the same bytes.
XRT puts the packets into a buffer of its own, so a program passes the sequence's own arguments only.
"""

from __future__ import annotations

import json
import os

from npuninja.errors import UserError
from npuninja.formats.elf import read_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import ToolFailed, run_tool
from npuninja.stages.insts_elf import NO_ELF


def run(arguments: list[str]) -> None:
    """Writes the ELF; where the instructions cannot be one, why there is none.

    Raises:
        UserError: an input is damaged.
        ToolError: aiebu-asm cannot be started.
    """
    options = stage_arguments("ctrlpkt_elf", arguments)
    target, assembler, source = options.one("-o"), options.optional("--aiebu-asm"), options.input()
    packets, argument = options.one("--packets"), int(options.one("--argument"))

    def check(made: bytes) -> None:
        if not made.startswith(NO_ELF):
            read_elf(made, target)

    with Outputs(target) as outputs:
        stream, data = read_bytes(source), read_bytes(packets)
        try:
            # Also where the tool makes the file: it takes a stream of which XRT could not fill everything in.
            ours = write_instruction_elf(stream, source, data, argument)
            if assembler:
                made = outputs.temporary(target, check)
                _by_aiebu(assembler, source, packets, _patch(argument, len(data)), made)
            else:
                outputs.write(target, ours, check)
        except (UserError, ToolFailed) as error:
            outputs.write(target, NO_ELF + error.render().encode() + b"\n", check)


def _patch(argument: int, size_bytes: int) -> dict[str, object]:
    """What aiecc says to the assembler about the packets' buffer (MLIR-AIE, tools/aiecc/SidecarFiles.h)."""
    buffer = {
        "xrt_id": argument,
        "logical_id": -1,
        "size_in_bytes": size_bytes,
        "ctrl_pkt_buffer": 1,
        "name": "runtime_control_packet",
    }
    return {"external_buffers": {"buffer_ctrl": buffer}}


def _by_aiebu(assembler: str, source: str, packets: str, patch: dict[str, object], made: str) -> None:
    said = f"{made}.json"
    with open(said, "w", encoding="utf-8") as stream:
        json.dump(patch, stream)
    try:
        run_tool([assembler, "-t", "aie2txn", "-c", source, "-p", packets, "-j", said, "-o", made])
    finally:
        os.unlink(said)
