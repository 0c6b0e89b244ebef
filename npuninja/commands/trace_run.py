"""`npuninja trace --run`: the trace that a design's trace units wrote into its buffer, for Perfetto."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DEVICES
from npuninja.arch.registers import split_address
from npuninja.configure.built import meant_manifest
from npuninja.device.manifest import Manifest, read_runs, select_runs
from npuninja.errors import Location, UserError
from npuninja.files import read_file
from npuninja.formats import cdo, txn

if TYPE_CHECKING:
    from npuninja.emulator.trace_units.units import TraceUnit

#: Of a buffer in a file.
MAX_BUFFER_BYTES = 256 << 20
_HEX = re.compile(rb"\s*(?:[0-9a-fA-F]{8}\s+)*[0-9a-fA-F]{8}\s*")


def run(options: argparse.Namespace) -> int:
    """Runs the design, or takes the buffer of `--buffer`, and writes the file."""
    from npuninja.emulator.trace_units.packets import (
        EVENT_PC,
        EXECUTION,
        read_frames,
        read_packets,
        read_pc_frames,
    )
    from npuninja.emulator.trace_units.perfetto import perfetto

    chosen = select_runs(read_runs(meant_manifest(options.run)), options.kernel, options.sequence)
    manifest = next((run for run in chosen if any(a.direction == "trace" for a in run.arguments)), chosen[0])
    if options.buffer:
        buffers, cycles = [_words(_buffer(options.buffer))], f"of the NPU, from {options.buffer}"
    else:
        buffers, cycles = _traced(manifest, options)
    if options.keep:
        with open(options.keep, "w", encoding="utf-8") as stream:
            stream.writelines(f"{word:08x}\n" for words in buffers for word in words)
    units = _units(manifest)
    modes = {unit.packet: unit.mode for unit in units}
    traces, places = {}, {}
    for words in buffers:
        for packet, data in read_packets(words).items():
            # A PDI's columns count from its partition, packets of an NPU may count from the array's first.
            packet = packet._replace(column=packet.column - options.column_shift)
            if modes.get(packet) == EXECUTION:
                raise UserError(
                    f"core ({packet.column}, {packet.row}) traces its execution (mode 2), which cannot be "
                    "read: no public source says what the bytes mean",
                    hint="trace events: mode Event-Time or Event-PC",
                )
            if modes.get(packet) == EVENT_PC:
                places[packet] = read_pc_frames(data)
            else:
                traces[packet] = read_frames(data)
    content = perfetto(traces, places, units, _names(manifest), cycles)
    output = options.output or os.path.join(os.path.dirname(manifest.path), "run_trace.json")
    with open(output, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    for packet, segments in sorted(traces.items()):
        last = segments[-1].start + segments[-1].cycles if segments else 0
        print(f"{packet.module} ({packet.column}, {packet.row}): {len(segments)} changes in {last} cycles")
    for packet, found in sorted(places.items()):
        counters = {one.program_counter for one in found}
        print(
            f"{packet.module} ({packet.column}, {packet.row}): {len(found)} events at {len(counters)} places"
        )
    print(f"cycles: {cycles}")
    print(f"{output} written: open it with https://ui.perfetto.dev")
    return 0


def _buffer(path: str) -> bytes:
    """A buffer of a host program: raw, or a word in hexadecimal digits a line, as in MLIR-AIE's examples."""
    data = read_file(path, MAX_BUFFER_BYTES)
    if _HEX.fullmatch(data):
        return b"".join(int(word, 16).to_bytes(4, "little") for word in data.split())
    return data


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) // 4 * 4, 4)]


def _traced(manifest: Manifest, options: argparse.Namespace) -> tuple[list[list[int]], str]:
    """The buffers that the trace units of a run wrote, and what its cycles are worth."""
    from npuninja.device.choice import choose
    from npuninja.device.program import program_of
    from npuninja.device.source_paths import locate
    from npuninja.device.vectors import make_vectors
    from npuninja.errors import DeviceError

    places = [i for i, a in enumerate(manifest.arguments) if a.direction == "trace"]
    if not places:
        raise UserError(
            f"no trace unit of {manifest.label} sends into a buffer of its own",
            Location(manifest.path),
            hint="switch tracing on in the design (aie.trace, enable_trace), or give a buffer: --buffer FILE",
        )
    inputs = make_vectors(manifest, options.input, bool(manifest.reference), options.seed).inputs
    device, _ = choose(manifest, options.device, None, frozenset())
    try:
        device.load(program_of(manifest))
        buffers = [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)]
        for buffer, content in zip(buffers, manifest.content(inputs)):
            buffer.view[:] = content
        device.run(buffers, options.time_limit)
        for remark in device.remarks():
            print(f"warning: {remark}")
        words = [_words(bytes(buffers[place].view)) for place in places]
    except DeviceError as error:
        locate(error, manifest)
        raise
    finally:
        device.close()
    return words, "of the NPU" if device.capabilities.name == "npu" else "modelled (emulated array)"


def _units(manifest: Manifest) -> list[TraceUnit]:
    """The trace units that the XCLBIN and the instruction stream switch on."""
    from npuninja.emulator.configuration import read_design
    from npuninja.emulator.layout import Geometry
    from npuninja.emulator.trace_units.units import units_of

    registers: dict[int, int] = {}
    design = read_design(manifest.read(manifest.xclbin), manifest.xclbin)
    stream = txn.read_txn(manifest.read(manifest.insts), manifest.insts).operations
    for command in (*design.first_pdi(manifest.kernel), *stream):
        _apply(registers, command)
    geometry = Geometry(design.columns, DEVICES[manifest.device].family.rows)
    return units_of(lambda address: registers.get(address, 0), geometry)


def _apply(registers: dict[int, int], command: object) -> None:
    if isinstance(command, (cdo.Write, txn.Write)):
        registers[command.address] = command.value
    elif isinstance(command, (cdo.MaskWrite, txn.MaskWrite)):
        old = registers.get(command.address, 0)
        registers[command.address] = old & ~command.mask | command.value & command.mask
    elif isinstance(command, (cdo.BlockWrite, txn.BlockWrite)):
        offset = split_address(command.address)[2]
        if offset >= 0x10000:  # not the contents of memories
            for at in range(0, len(command.data) // 4 * 4, 4):
                registers[command.address + at] = int.from_bytes(command.data[at : at + 4], "little")


def _names(manifest: Manifest) -> Mapping[tuple[int, int, str, int], str]:
    """What the lowered design beside the manifest calls channels, locks and cores; {} when it is missing."""
    from npuninja.diag.channel_names import names_of

    path = os.path.join(os.path.dirname(manifest.path), "input_with_addresses.mlir")
    return names_of(path, manifest.kernel) if os.path.isfile(path) else {}
