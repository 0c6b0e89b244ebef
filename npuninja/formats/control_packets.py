"""Control packets: register writes that a stream brings to a tile, and a device's configuration told so.

A packet is a stream header with the id of the tile's controller, a control word, and up to four data words. A
DMA of the shim sends a file of them: the stream below is the runtime sequence for it, packet by packet, or,
for families that take several of a tile at once, all that follow each other. Writes of single registers stay
in the sequence, as MLIR-AIE's pipeline leaves them.

Sources: MLIR-AIE AIETargetNPU.cpp (AIETranslateControlPacketsToUI32Vec), AIETxnToControlPacket.cpp,
AIECtrlPacketToDma.cpp, IRTransforms.h (getControlPacketPipeline); all of August 2026.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DeviceModel
from npuninja.arch.registers import (
    DIRECTIONS,
    QUEUE_TOKEN_SHIFT,
    TILE_BYTES,
    bd_offset,
    channel_queue,
    split_address,
    tile_address,
)
from npuninja.errors import UserError
from npuninja.formats import cdo
from npuninja.formats.txn import (
    DDR_AIE_OFFSET,
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    BlockWrite,
    MaskWrite,
    Sync,
    TxnOperation,
    Write,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Callable, Iterator, Sequence

MOST_WORDS = 4  # of a packet: two bits of the control word
_TILE_MASK = TILE_BYTES - 1
_WORDS_SHIFT, _OPERATION_SHIFT = 20, 22
#: A shim BD that sends words as they lie: bursts of 64 words, AXI cache bits, valid, as plain transfers do.
_LINEAR_BD = (0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000)


class ControlPacket(NamedTuple):
    """Words for consecutive registers from an absolute address on."""

    address: int
    words: tuple[int, ...]


ConfigurationStep = ControlPacket | Write | MaskWrite


def configuration_steps(commands: Sequence[cdo.Command]) -> Iterator[ConfigurationStep]:
    """A configuration as packets for its blocks and writes of single registers.

    Raises:
        UserError: it has a command that neither can do.
    """
    for command in commands:
        if isinstance(command, cdo.BlockWrite):
            words = struct.unpack(f"<{len(command.data) // 4}I", command.data)
            yield from _packets(command.address, words)
        elif isinstance(command, cdo.Fill):
            yield from _packets(command.address, (command.value,) * command.words)
        elif isinstance(command, (Write, MaskWrite)):
            yield command
        elif not isinstance(command, (cdo.Nop, cdo.Other)):
            raise UserError(
                f"a configuration with {type(command).__name__} cannot go through control packets"
            )


def configuration_operations(commands: Sequence[cdo.Command]) -> Iterator[TxnOperation]:
    """A configuration as operations of an instruction stream, which the firmware carries out itself."""
    for command in commands:
        if isinstance(command, cdo.BlockWrite):
            yield BlockWrite(command.address, command.data)
        elif isinstance(command, cdo.Fill):
            yield BlockWrite(command.address, struct.pack("<I", command.value) * command.words)
        elif isinstance(command, (Write, MaskWrite)):
            yield command
        elif not isinstance(command, (cdo.Nop, cdo.Other)):
            raise UserError(
                f"a configuration with {type(command).__name__} cannot go into an instruction stream"
            )


def _packets(address: int, words: Sequence[int]) -> Iterator[ControlPacket]:
    for first in range(0, len(words), MOST_WORDS):
        yield ControlPacket(address + 4 * first, tuple(words[first : first + MOST_WORDS]))


def write_packet(packet: ControlPacket, controller_id: int) -> bytes:
    """A packet's bytes: stream header, control word, data."""
    control = (len(packet.words) - 1) << _WORDS_SHIFT | packet.address & _TILE_MASK
    words = (with_parity(controller_id), with_parity(control), *packet.words)
    return struct.pack(f"<{len(words)}I", *words)


def read_packets(data: bytes, place_of: Callable[[int], int]) -> list[ControlPacket]:
    """The writes in a file; `place_of` gives the address of the tile that a controller id belongs to.

    Raises:
        UserError: it ends within a packet, a parity is wrong, or a packet is no write.
    """
    if len(data) % 4:
        raise UserError(f"{len(data)} bytes of control packets are no whole words")
    words, found, at = struct.unpack(f"<{len(data) // 4}I", data), list[ControlPacket](), 0
    while at < len(words):
        if at + 2 > len(words):
            raise UserError(f"the control packet at byte {4 * at} has no control word")
        header, control = words[at : at + 2]
        count = (control >> _WORDS_SHIFT & 3) + 1
        if header.bit_count() % 2 == 0 or control.bit_count() % 2 == 0:
            raise UserError(f"the control packet at byte {4 * at} has a wrong parity")
        if control >> _OPERATION_SHIFT & 3:
            raise UserError(f"the control packet at byte {4 * at} is no write")
        if at + 2 + count > len(words):
            raise UserError(f"the control packet at byte {4 * at} ends before its data")
        address = place_of(header & 0x1F) | control & _TILE_MASK
        found.append(ControlPacket(address, words[at + 2 : at + 2 + count]))
        at += 2 + count
    return found


def with_parity(word: int) -> int:
    """A word whose top bit makes the number of its ones odd."""
    word &= 0x7FFFFFFF
    return word | (1 - word.bit_count() % 2) << 31


def sending(
    steps: Sequence[ConfigurationStep], model: DeviceModel, argument: int
) -> tuple[bytes, list[TxnOperation]]:
    """The file of packets, and the operations that send it from a buffer and do the single writes, in order.

    Args:
        steps: of a configuration.
        model: the device.
        argument: the number of the buffer, of the sequence's arguments.
    """
    packets, operations = bytearray(), list[TxnOperation]()
    late = DDR_AIE_OFFSET if argument >= TRANSLATED_ARGUMENTS else 0
    for together in _transfers(steps, model.family.joins_control_packets):
        if not isinstance(together, list):
            operations.append(together)
            continue
        column, row, _ = split_address(together[0].address)
        data = b"".join(write_packet(packet, model.family.controller_ids[row]) for packet in together)
        channel = int(row >= model.rows // 2)  # as the overlay leads the rows to the shim's two channels
        shim = tile_address(column, model.shim_row, 0)
        bd = shim + bd_offset("shim", 0)
        operations += [
            BlockWrite(bd, struct.pack("<8I", len(data) // 4, *_LINEAR_BD), column),
            AddressPatch(bd + 4, argument, late + len(packets)),
            Write(shim + channel_queue("shim", "MM2S", channel), 1 << QUEUE_TOKEN_SHIFT),
            Sync(column, model.shim_row, DIRECTIONS["MM2S"], channel, 1, 1),
        ]
        packets += data
    return bytes(packets), operations


def _transfers(
    steps: Sequence[ConfigurationStep], join: bool
) -> Iterator[list[ControlPacket] | Write | MaskWrite]:
    """Transfers, and what stays a write; `join`: packets in a row for one tile are one transfer."""
    packets: list[ControlPacket] = []
    for step in steps:
        goes_on = isinstance(step, ControlPacket) and packets and join and _tile(step) == _tile(packets[0])
        if packets and not goes_on:
            yield packets
            packets = []
        if isinstance(step, ControlPacket):
            packets.append(step)
        else:
            yield step
    if packets:
        yield packets


def _tile(packet: ControlPacket) -> int:
    return packet.address & ~_TILE_MASK
