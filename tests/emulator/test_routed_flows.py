"""Routed conformance designs: flows bring out what goes in, on the switches that the reference's PDI sets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from array_program import Program, Sequence, core_bd, mem_bd

from npuninja.arch.devices import device
from npuninja.arch.families import SHARED_ROWS
from npuninja.arch.registers import CORE_CONTROL, PROGRAM_MEMORY, split_address
from npuninja.emulator import Emulator
from npuninja.formats.cdo import BlockWrite, MaskWrite, Write
from npuninja.formats.elf import PROGRAM_MEMORY_BYTES
from npuninja.formats.pdi import read_pdi
from npuninja.ir.parser import parse_module

CONFORMANCE = Path(__file__).parent.parent / "conformance"
WORDS = 24
#: Registers that a test of the routing leaves out: queues that start the design's own tasks.
QUEUES = {
    "core": range(0x1DE00, 0x1DE20),
    "mem": range(0xA0600, 0xA0660),
    "shim": range(0x1D200, 0x1D220),
}


def flows(path: Path):
    """{(column, row, channel): [(column, row, channel), ...]} of the circuits between DMAs, and
    {(source, id): [dests]} of the packet flows.
    """
    module = parse_module(path.read_text(), str(path))
    circuits: dict = {}
    packets: dict = {}
    ends: dict = {}
    for op in module.walk():
        if op.name == "aie.flow":
            place = [(t.owner.integer("col"), t.owner.integer("row")) for t in op.operands]
            bundles = [op.attributes[f"{side}_bundle"].case for side in ("source", "dest")]
            if bundles == ["DMA", "DMA"]:
                source = (*place[0], op.integer("source_channel"))
                circuits.setdefault(source, []).append((*place[1], op.integer("dest_channel")))
        elif op.name in ("aie.packet_source", "aie.packet_dest"):
            flow = op.parent_op
            tile = op.operands[0].owner
            where = (
                op.attributes["bundle"].case,
                tile.integer("col"),
                tile.integer("row"),
                op.integer("channel"),
            )
            ends.setdefault(id(flow), (flow, [], []))[1 if op.name.endswith("source") else 2].append(where)
    for flow, sources, dests in ends.values():
        if sources[0][0] == "DMA" and all(d[0] == "DMA" for d in dests):
            keep = flow.attributes.get("keep_pkt_header")
            key = (sources[0][1:], flow.integer("ID"), bool(keep and keep.value))
            packets.setdefault(key, []).extend(d[1:] for d in dests)
    return circuits, packets


def switches_only(commands):
    """The commands without those that start the design itself."""
    for command in commands:
        if isinstance(command, (Write, MaskWrite)):
            _, row, offset = split_address(command.address)
            kind = SHARED_ROWS.kind(row)
            if offset in QUEUES[kind] or (kind == "core" and offset == CORE_CONTROL):
                continue
        if isinstance(command, BlockWrite):
            _, row, offset = split_address(command.address)
            if (
                SHARED_ROWS.kind(row) == "core"
                and PROGRAM_MEMORY <= offset < PROGRAM_MEMORY + PROGRAM_MEMORY_BYTES
            ):
                continue  # the set's core programs are no programs
        yield command


def bd(row, channel, words, address, packet=None):
    """(number, words) of a BD at a free place of a tile's memory; of a shim tile the sequence writes them."""
    if SHARED_ROWS.kind(row) == "mem":
        number = 24 if channel & 1 else 0
        return number + channel // 2, mem_bd(0x80000 + address, words, packet=packet)
    return channel, core_bd(address, words, packet=packet)


def send_all(npu: Emulator, routes, *, packet=None, keep=False, columns=1) -> None:
    """Sends different words along each route, all at once, and checks every end."""
    rng = np.random.default_rng(7)
    program, sequence = Program(), Sequence(columns=columns)
    buffers, expected = [], []
    for (column, row, channel), dests in routes.items():
        data = rng.integers(0, 1 << 32, WORDS, dtype=np.uint32)
        for c, r, n in dests:
            words = WORDS + int(keep)
            if r == 0:
                buffers.append(npu.allocate(4 * words))
                sequence.transfer(c, "S2MM", n, n, len(buffers) - 1, words)
                expected.append(((c, n, buffers[-1]), data))
            else:
                number, words_of_bd = bd(r, n, words, 0x8000 + 0x400 * n)
                program.bd(c, r, number, words_of_bd)
                program.start(c, r, "S2MM", n, number)
                expected.append(((c, r, 0x8000 + 0x400 * n), data))
        if row == 0:
            buffers.append(npu.allocate(4 * WORDS))
            buffers[-1].view[:] = data.tobytes()
            sequence.transfer(column, "MM2S", channel, 8 + channel, len(buffers) - 1, WORDS, packet=packet)
        else:
            start = 0x4000 + 0x400 * channel
            npu.data_memory(column, row)[start : start + 4 * WORDS] = data.tobytes()
            number, words_of_bd = bd(row, channel, WORDS, start, packet)
            number += 4  # apart from those of the receivers
            program.bd(column, row, number, words_of_bd)
            program.start(column, row, "MM2S", channel, number)
    npu.configure(program.commands)
    for where, _ in expected:
        if not isinstance(where[2], int):
            sequence.sync(where[0], "S2MM", where[1])
    if not sequence.operations:
        sequence.write(0, 0)
    npu.run(sequence.bytes(), buffers)
    for where, data in expected:
        if isinstance(where[2], int):
            column, row, start = where
            got = np.frombuffer(
                npu.data_memory(column, row)[start : start + 4 * (WORDS + int(keep))], np.uint32
            )
        else:
            got = np.frombuffer(where[2].view, np.uint32)
        np.testing.assert_array_equal(got[int(keep) :], data, err_msg=f"at {where}")


def cases() -> list[Path]:
    texts = sorted(
        p / "input_with_addresses.mlir" for p in CONFORMANCE.iterdir() if (p / "main.pdi").exists()
    )
    return [
        p.parent for p in texts if re.search(r"aie\.flow|packet_source<%\w+, (?!TileControl)", p.read_text())
    ]


@pytest.mark.parametrize("folder", cases(), ids=lambda p: p.name)
def test_flows_carry_their_words(folder: Path) -> None:
    circuits, packets = flows(folder / "input_with_addresses.mlir")
    columns = device(json.loads((folder / "meta.json").read_text())["device"]).columns
    commands = list(switches_only(read_pdi((folder / "main.pdi").read_bytes()).commands()))
    with Emulator(columns) as npu:
        npu.configure(commands)
        send_all(npu, circuits, columns=columns)
        # Flows that end at the same port share its setting: one that keeps its header makes all keep theirs.
        kept = {dest for (_, _, keep), dests in packets.items() if keep for dest in dests}
        for (source, ident, _), dests in packets.items():
            keep = not kept.isdisjoint(dests)
            send_all(npu, {source: dests}, packet=(0, ident), keep=keep, columns=columns)
    assert circuits or packets or any(word in folder.name for word in ("trace", "stream"))
