"""Stage control_packets: a configuration as control packets with their sequence, and as a sequence alone.

An array that is configured otherwise, with the control network only, becomes this device so (MLIR-AIE's
`aiecc --get-ctrlpkt` and `--get-txn`).
"""

from __future__ import annotations

from npuninja.arch.devices import device as device_model
from npuninja.arch.registers import (
    CORE_CONTROL,
    CORE_CONTROL_ENABLE,
    PROGRAM_MEMORY,
    split_address,
    tile_address,
)
from npuninja.formats.cdo import BlockWrite, Command, read_cdo
from npuninja.formats.control_packets import configuration_operations, configuration_steps, sending
from npuninja.formats.core_image import STUB_BYTES, read_stub
from npuninja.formats.txn import LoadPdi, Transaction, TxnOperation, Write, read_txn, write_txn
from npuninja.stages._run import Outputs, read_bytes, stage_arguments


def run(arguments: list[str]) -> None:
    """The arguments are in docs/architecture.md, "Stages".

    Raises:
        UserError: an input is damaged, or the configuration has what packets cannot do.
    """
    options = stage_arguments("control_packets", arguments)
    target, insts, transaction = options.one("-o"), options.one("--sending"), options.one("--transaction")
    with Outputs(target, insts, transaction) as outputs:
        commands = [
            command
            for name in ("--elfs", "--init", "--enable")
            for command in read_cdo(read_bytes(options.one(name)), options.one(name))
        ]
        commands += started(commands)
        stream = read_txn(read_bytes(options.input()), options.input())
        model = device_model(options.one("--device"))
        packets, sent = sending(list(configuration_steps(commands)), model, int(options.one("--argument")))
        number = int(options.one("--pdi"))
        outputs.write(target, packets)
        outputs.write(insts, write_txn(stream._replace(operations=_configured(stream, number, sent))))
        alone: tuple[TxnOperation, ...] = tuple(configuration_operations(commands))
        outputs.write(transaction, write_txn(stream._replace(operations=alone)))


def started(commands: list[Command]) -> list[Command]:
    """What starts emulated cores, whose own configuration leaves them in reset, so that no NPU runs them."""
    found: list[Command] = []
    for command in commands:
        if not isinstance(command, BlockWrite) or len(command.data) < STUB_BYTES:
            continue
        column, row, offset = split_address(command.address)
        if offset == PROGRAM_MEMORY and read_stub(command.data[:STUB_BYTES]) is not None:
            found.append(Write(tile_address(column, row, CORE_CONTROL), CORE_CONTROL_ENABLE))
    return found


def _configured(stream: Transaction, number: int, sent: list[TxnOperation]) -> tuple[TxnOperation, ...]:
    """A sequence that begins by configuring its own device, where it loads that or at its start."""
    loads = [op for op in stream.operations if isinstance(op, LoadPdi) and op.pdi_id == number]
    found: list[TxnOperation] = [] if loads else list(sent)
    for operation in stream.operations:
        found += sent if loads and operation is loads[0] else [operation]
    return tuple(found)
