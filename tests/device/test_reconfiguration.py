"""An array becomes another device by control packets or by a sequence, which can also reset its cores."""

from __future__ import annotations

import struct

import numpy as np
from two_devices import CORE, DEVICE, SEQUENCE

from npuninja.arch.registers import CORE_CONTROL, tile_address
from npuninja.emulator import Emulator
from npuninja.formats.control_packets import read_packets
from npuninja.formats.txn import AddressPatch, MaskWrite, Transaction, Write, read_txn, write_txn

#: Where control packets for a tile go together; one by one they are the same steps.
ON = "npu2_1col"
TOML = """[design.two]
generation = "2026-08"
kernels = ["base=MLIR_AIE"]
reconfiguration = true
aiecc-flags = ["--generate-ctrl-pkt-overlay=first"]
"""
BASE = (
    f"  aie.device({ON}) @base {{{{\n"
    + "".join(f"    %t{row} = aie.tile(0, {row})\n" for row in range(3))
    + "  }}\n"
)


def test_an_array_becomes_another_device(project):
    # The overlay takes MM2S 0 of the shim, so the fifo has MM2S 1.
    main = DEVICE.format(
        name="main", row=2, core=CORE.format(factor=3), sequences=SEQUENCE.format(name="run", n=128)
    )
    project.write("mlir/two.mlir", "module {\n" + BASE.format() + main.replace("npu1_1col", ON) + "}\n")
    project.write("toolchain.toml", TOML)
    project.configure("two")
    project.ninja("two")
    folder = project.folder / f"build/{ON}/wasm/two"
    xclbin = (folder / "two.xclbin").read_bytes()
    packets = (folder / "main.ctrlpkt.bin").read_bytes()
    ids = {15: 0, 26: 1, 27: 2}
    assert {p.address >> 20 for p in read_packets(packets, lambda number: tile_address(0, ids[number]))} <= {
        0,
        1,
        2,
    }
    stream = read_txn((folder / "main.ctrlpkt_insts.bin").read_bytes(), "ctrlpkt_insts.bin")
    sent = sum(isinstance(op, AddressPatch) and op.argument == 2 for op in stream.operations)
    assert 0 < sent < len(read_packets(packets, lambda number: tile_address(0, ids[number]))) / 2
    given = np.arange(128, dtype=np.int32)
    for stream, more in (("ctrlpkt_insts", [packets]), ("configuration", [])):
        with Emulator.from_xclbin(xclbin, kernel="MLIR_AIE") as npu:
            buffers = [npu.allocate(512), npu.allocate(512), *(npu.allocate(len(data)) for data in more)]
            for buffer, data in zip(buffers, (given.tobytes(), bytes(512), *more)):
                buffer.view[:] = data
            npu.run((folder / f"main.{stream}.bin").read_bytes(), buffers)
            if not more:
                npu.run((folder / "main.insts.bin").read_bytes(), buffers)
            assert np.frombuffer(buffers[1].view, np.int32).tolist() == (3 * given).tolist()
            _reset(npu)


def _reset(npu):
    """A core that a sequence holds in reset waits no more, and begins again when it is let go."""
    control = tile_address(0, 2, CORE_CONTROL)
    assert npu.read32(control) == 1

    def run(*operations):
        npu.run(write_txn(Transaction(4, 6, 1, 1, operations)), [])

    before = [core.digest for core in npu.cores()]
    run(MaskWrite(control, 2, 2))
    assert npu.read32(control) == 3
    run(MaskWrite(control, 2, 0), Write(tile_address(0, 2, 0x400), struct.unpack("<I", b"good")[0]))
    assert (npu.read32(control), [core.digest for core in npu.cores()]) == (1, before)
