"""`npuninja run FILE.elf`: a sequence of a full ELF on the emulated array, without XRT.

The sequence alone loads the array, as in a context that XRT makes of the file. The buffers are the sequence's
arguments in the order in which --input, --output and --inout are on the command line.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from npuninja.arch.families import SHARED_ROWS, of_generation
from npuninja.argument_parser import VerbParser
from npuninja.device.bare_run import (
    GivenBuffer,
    add_buffers,
    buffer_report,
    print_run,
    read,
    read_buffer,
)
from npuninja.device.run_options import add_checks, with_time_limit
from npuninja.emulator.layout import ARGUMENT_MARK
from npuninja.errors import UserError
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.full_elf import FullInstance
from npuninja.formats.full_elf_reader import FullElf, read_full_elf
from npuninja.formats.pdi import read_pdi
from npuninja.formats.txn import (
    DDR_AIE_OFFSET,
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    CreateScratchpad,
    TxnOperation,
    read_txn,
    write_txn,
)
from npuninja.terminal import tell

_SCRATCHPAD_BYTES = 128


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    parser = VerbParser(
        prog="npuninja run FILE.elf",
        description="Runs a sequence of a full ELF on the emulated array (no NPU involved). Buffers are its "
        "arguments in the order of --input, --output and --inout.",
    )
    parser.add_argument("elf", metavar="FILE.elf")
    parser.add_argument(
        "--kernel", metavar="DEVICE[:SEQUENCE]", help="which sequence; by default the only one"
    )
    parser.add_argument(
        "--scratchpad", metavar="FILE", help="the content of the scratchpad (params.txt says what is where)"
    )
    add_buffers(parser)
    add_checks(parser)
    return print_run(_run, with_time_limit(parser.parse_args(arguments)))


def instance_of(elf: FullElf, wanted: str, name: str) -> FullInstance:
    """The sequence that is named as XRT names it; the only one when none is named. Raises UserError."""
    named = {
        f"{kernel.name}:{instance.name}": instance for kernel in elf.kernels for instance in kernel.instances
    }
    found = [key for key in named if not wanted or key == wanted or key.startswith(f"{wanted}:")]
    if len(found) != 1:
        what = f"has no sequence '{wanted}'" if wanted and not found else f"has {len(found)} sequences"
        raise UserError(f"{name} {what}", hint=f"say --kernel with one of: {', '.join(named)}")
    return named[found[0]]


def stream_for_array(instance: FullInstance, given: int) -> tuple[bytes, list[int]]:
    """A sequence's instructions as the array takes them, and the places of its arguments among those of the
    array.

    Args:
        instance: the sequence.
        given: how many arguments are given; control packets and the scratchpad are more.

    Raises:
        UserError: there are fewer than the instructions name.
    """
    transaction = read_txn(instance.stream, instance.name)
    places = [place + (0 <= instance.control_argument <= place) for place in range(given)]
    named = {op.argument for op in transaction.operations if isinstance(op, AddressPatch)}
    missing = named - {*places, instance.control_argument}
    if missing:
        most = max(named) + 1 - (instance.control_argument >= 0)
        raise UserError(
            f"{instance.name} takes {most} buffers, {given} are given",
            hint="give --input, --output and --inout",
        )
    scratchpad = max([*places, instance.control_argument], default=-1) + 1

    def changed(operation: TxnOperation) -> TxnOperation:
        if isinstance(operation, AddressPatch) and operation.argument >= TRANSLATED_ARGUMENTS:
            return operation._replace(offset_bytes=operation.offset_bytes + DDR_AIE_OFFSET)
        if isinstance(operation, CreateScratchpad):
            return operation._replace(address=ARGUMENT_MARK << 32 | scratchpad)
        return operation

    operations = tuple(changed(operation) for operation in transaction.operations)
    return write_txn(transaction._replace(operations=operations)), places


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from npuninja.emulator import Emulator

    elf = read_full_elf(read(options.elf), options.elf)
    instance = instance_of(elf, options.kernel or "", options.elf)
    buffers = [read_buffer(kind, text, options.memory_limit) for kind, text in options.buffers]
    stream, places = stream_for_array(instance, len(buffers))
    modules = read_emulation_data(elf.emulation_data, options.elf) if elf.emulation_data else {}
    family = of_generation(read_txn(stream).generation)
    if family and not family.driver.takes_full_elf:
        tell(
            f"warning: the driver of {family.name} takes no full ELF; the emulated array runs it all the same"
        )
    pdis = {
        number: tuple(read_pdi(image, f"PDI {number}").commands(f"PDI {number}"))
        for number, image in elf.pdis.items()
    }
    values = read(options.scratchpad) if options.scratchpad else b""
    if len(values) > _SCRATCHPAD_BYTES:
        raise UserError(f"--scratchpad has {len(values)} bytes, the controller has {_SCRATCHPAD_BYTES}")
    every = dict(zip(places, buffers))
    if instance.control_argument >= 0:
        every[instance.control_argument] = GivenBuffer(instance.control_packets, None)
    last = max(every, default=-1)
    every[last + 1] = GivenBuffer(values.ljust(_SCRATCHPAD_BYTES, b"\0"), None)
    ordered = [every.get(place, GivenBuffer(bytes(4), None)) for place in range(last + 2)]
    rows = family.rows if family else SHARED_ROWS
    with Emulator(elf.columns, modules, pdis, rows=rows, checks=frozenset(options.check)) as npu:
        return buffer_report(npu, stream, ordered, options)
