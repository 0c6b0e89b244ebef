"""Small hand-made designs for tests: register writes, instruction streams, cores in C, no lowering."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import subprocess
import tempfile
from pathlib import Path

from npuninja.arch import registers as reg
from npuninja.arch.families import SHARED_ROWS
from npuninja.arch.switch import (
    OPPOSITE,
    SHIM_MM2S_SOUTH,
    SHIM_S2MM_SOUTH,
    STEP,
    master_index,
    slave_index,
)
from npuninja.emulator import Emulator, layout
from npuninja.formats import cdo, txn
from npuninja.formats.core_image import make_stub
from npuninja.formats.wasm_module import append_custom_section


def field(value: int, bits: int) -> int:
    """A value that must fit, two's complement for negative ones."""
    assert -(1 << bits) < value < 1 << bits, (value, bits)
    return value & ((1 << bits) - 1)


def control(*, next_bd=None, acquire=None, release=None, tlast=True, valid=True) -> int:
    """The last word of a compute or shim BD; `acquire` and `release` are (lock id, value)."""
    word = int(valid) << 25 | (0 if tlast else 1 << 31)
    if next_bd is not None:
        word |= next_bd << 27 | 1 << 26
    if release:
        word |= field(release[1], 7) << 18 | release[0] << 13
    if acquire:
        word |= 1 << 12 | field(acquire[1], 7) << 5 | acquire[0]
    return word


def dims(wraps_steps, count):
    """(wraps, steps) padded to `count`: innermost first, steps in words, a wrap of 0 ends the list."""
    pairs = list(wraps_steps) + [(0, 1)] * (count - len(wraps_steps))
    return [w for w, _ in pairs], [s for _, s in pairs]


def core_bd(address, length, *, shape=(), packet=None, iteration=(1, 1, 0), **kw):
    """Words of a compute tile BD; `shape` = [(wrap, step), ...] innermost first, `packet` = (type, id)."""
    wraps, steps = dims(shape, 3)
    size, step, current = iteration
    return [
        field(address // 4, 14) << 14 | field(length, 14),
        (1 << 30 | packet[1] << 19 | packet[0] << 16) if packet else 0,
        field(steps[1] - 1, 13) << 13 | field(steps[0] - 1, 13),
        field(wraps[1], 8) << 21 | field(wraps[0], 8) << 13 | field(steps[2] - 1, 13),
        current << 19 | field(size - 1, 6) << 13 | field(step - 1, 13),
        control(**kw),
    ]


def shim_bd(length, *, address=0, shape=(), packet=None, iteration=(1, 1, 0), **kw):
    """Words of a shim BD."""
    wraps, steps = dims(shape, 3)
    size, step, current = iteration
    return [
        length,
        address & 0xFFFFFFFC,
        (1 << 30 | packet[1] << 19 | packet[0] << 16 if packet else 0) | address >> 32,
        field(wraps[0], 10) << 20 | field(steps[0] - 1, 20),
        2 << 30 | field(wraps[1], 10) << 20 | field(steps[1] - 1, 20),
        2 << 24 | field(steps[2] - 1, 20),
        current << 26 | field(size - 1, 6) << 20 | field(step - 1, 20),
        control(**kw),
    ]


def mem_bd(
    address, length, *, shape=(), before=(0, 0, 0), after=(0, 0, 0), packet=None, iteration=(1, 1, 0), next_bd=None,
    acquire=None, release=None, tlast=True, valid=True,
):  # fmt: skip
    """Words of a memtile BD. `address` is in the DMA's window (own memory from 0x80000), lock ids likewise
    (own from 64).
    """
    wraps, steps = dims(shape, 4)
    size, step, current = iteration
    last = int(valid) << 31
    if release:
        last |= field(release[1], 7) << 24 | release[0] << 16
    if acquire:
        last |= 1 << 15 | field(acquire[1], 7) << 8 | acquire[0]
    return [
        (1 << 31 | packet[0] << 28 | packet[1] << 23 if packet else 0) | field(length, 17),
        field(before[0], 6) << 26
        | (0 if next_bd is None else next_bd << 20 | 1 << 19)
        | field(address // 4, 19),
        (0 if tlast else 1 << 31) | field(wraps[0], 10) << 17 | field(steps[0] - 1, 17),
        field(before[1], 5) << 27 | field(wraps[1], 10) << 17 | field(steps[1] - 1, 17),
        field(before[2], 4) << 27 | field(wraps[2], 10) << 17 | field(steps[2] - 1, 17),
        field(after[2], 4) << 28
        | field(after[1], 5) << 23
        | field(after[0], 6) << 17
        | field(steps[3] - 1, 17),
        current << 23 | field(size - 1, 6) << 17 | field(step - 1, 17),
        last,
    ]


def write_words(address: int, words) -> cdo.BlockWrite:
    return cdo.BlockWrite(address, b"".join(int(w).to_bytes(4, "little") for w in words))


class Program:
    """Collects the register writes of a design."""

    def __init__(self) -> None:
        self.commands: list[cdo.Command] = []
        self.modules: dict[bytes, bytes] = {}

    def write(self, column, row, offset, value):
        self.commands.append(cdo.Write(reg.tile_address(column, row, offset), value))

    def mask(self, column, row, offset, mask, value):
        self.commands.append(cdo.MaskWrite(reg.tile_address(column, row, offset), mask, value))

    def bd(self, column, row, number, words):
        self.commands.append(
            write_words(reg.tile_address(column, row, reg.bd_offset(SHARED_ROWS.kind(row), number)), words)
        )

    def lock(self, column, row, lock, value):
        self.write(column, row, reg.lock_value(SHARED_ROWS.kind(row), lock), value)

    def start(self, column, row, direction, channel, bd, *, repeat=0, token=False):
        offset = reg.channel_queue(SHARED_ROWS.kind(row), direction, channel)
        self.write(column, row, offset, bd | repeat << 16 | int(token) << 31)

    def connect(self, column, row, source, dest):
        """A circuit inside one switch, ports as (bundle, channel)."""
        kind = SHARED_ROWS.kind(row)
        slave, master = slave_index(kind, *source), master_index(kind, *dest)
        self.write(column, row, reg.switch_slave(kind, slave), 1 << 31)
        self.write(column, row, reg.switch_master(kind, master), 1 << 31 | slave)

    def rule(self, column, row, source, slot, ident, mask, arbiter, msel):
        """A packet rule of a slave port."""
        kind = SHARED_ROWS.kind(row)
        slave = slave_index(kind, *source)
        self.write(column, row, reg.switch_slave(kind, slave), 3 << 30)
        word = ident << 24 | mask << 16 | 1 << 8 | msel << 4 | arbiter
        self.write(column, row, reg.switch_slot(kind, slave, slot), word)

    def master(self, column, row, dest, arbiter, msels, *, drop):
        """A packet master: takes packets of an arbiter with one of these msels."""
        kind = SHARED_ROWS.kind(row)
        word = 3 << 30 | int(drop) << 7 | sum(1 << m for m in msels) << 3 | arbiter
        self.write(column, row, reg.switch_master(kind, master_index(kind, *dest)), word)

    def shim_in(self, column, channel):
        """The port of the shim's switch at which an MM2S channel comes in."""
        south = SHIM_MM2S_SOUTH[channel]
        shift = reg.SHIM_MUX_SHIFTS[south]
        self.mask(column, 0, reg.SHIM_MUX, 3 << shift, 1 << shift)
        return ("South", south)

    def shim_out(self, column, channel):
        """The port of the shim's switch that leads to an S2MM channel."""
        south = SHIM_S2MM_SOUTH[channel]
        shift = reg.SHIM_DEMUX_SHIFTS[south]
        self.mask(column, 0, reg.SHIM_DEMUX, 3 << shift, 1 << shift)
        return ("South", south)

    def circuit(self, start, path, end):
        """A circuit over several switches.

        Args:
            start: (column, row, bundle, channel) at which it enters; ("DMA", n) of a shim is an MM2S channel.
            path: [(direction, channel), ...] from switch to switch.
            end: (bundle, channel) in the last switch.
        """
        column, row, bundle, channel = start
        source = self.shim_in(column, channel) if row == 0 and bundle == "DMA" else (bundle, channel)
        for direction, lane in path:
            self.connect(column, row, source, (direction, lane))
            column, row = column + STEP[direction][0], row + STEP[direction][1]
            source = (OPPOSITE[direction], lane)
        self.connect(
            column, row, source, self.shim_out(column, end[1]) if row == 0 and end[0] == "DMA" else end
        )

    def core(self, module: bytes, column, row, stack_bytes):
        """Loads a wasm core."""
        self.modules[hashlib.sha256(module).digest()] = module
        address = reg.tile_address(column, row, reg.PROGRAM_MEMORY)
        self.commands.append(cdo.BlockWrite(address, make_stub(stack_bytes, module)))

    def emulator(self, columns=1, **kw) -> Emulator:
        npu = Emulator(columns, self.modules, **kw)
        npu.configure(self.commands)
        return npu


class Sequence:
    """Collects the operations of a runtime sequence."""

    def __init__(self, columns=1, generation=3) -> None:
        self.operations: list[txn.TxnOperation] = []
        self.columns = columns
        self.generation = generation

    def transfer(
        self, column, direction, channel, bd, argument, words, *, offset=0, repeat=0, token=None, **kw
    ):
        """One host transfer: BD, address patch, start. S2MM asks for a token unless told otherwise.

        As in a built stream, arguments from the sixth on carry what the firmware adds to the first five.
        """
        if argument >= txn.TRANSLATED_ARGUMENTS:
            offset += layout.DDR_AIE_OFFSET
        base = reg.tile_address(column, 0, reg.bd_offset("shim", bd))
        self.operations.append(txn.BlockWrite(base, write_words(0, shim_bd(words, **kw)).data))
        self.operations.append(txn.AddressPatch(base + 4, argument, offset))
        token = direction == "S2MM" if token is None else token
        queue = reg.tile_address(column, 0, reg.channel_queue("shim", direction, channel))
        self.operations.append(txn.Write(queue, bd | repeat << 16 | int(token) << 31))

    def sync(self, column, direction, channel, row=0):
        self.operations.append(txn.Sync(column, row, reg.DIRECTIONS[direction], channel, 1, 1))

    def write(self, address, value):
        self.operations.append(txn.Write(address, value))

    def bytes(self) -> bytes:
        return txn.write_txn(txn.Transaction(self.generation, 6, self.columns, 1, tuple(self.operations)))


PRELUDE = """
typedef unsigned char u8; typedef int i32; typedef long long i64;
#define LOCK(c, r, id) (((volatile i32 *)0x10000)[((c) * 8 + (r)) * 64 + (id)])
#define POINT (*(volatile i32 *)0x20000)
#define STATE(n) (((volatile i32 *)0x20004)[n])
#define WAIT(point, kind, need, c, r, id) \\
    do { POINT = point; return (i64)(point) << 32 | (kind) << 24 | (need) << 16 | (((c) * 8 + (r)) * 64 + (id)); } while (0)
#define ACQUIRE(point, c, r, id, n) \\
    __attribute__((fallthrough)); case point: if (LOCK(c, r, id) < (n)) WAIT(point, 1, n, c, r, id); LOCK(c, r, id) -= (n)
#define RELEASE(c, r, id, n) LOCK(c, r, id) += (n)
#define START switch (POINT) { case 0:
#define END } return -1
"""


COMPILE_FLAGS = (
    *(
        "-target",
        "wasm32-freestanding",
        "-O2",
        "-g1",
        "-msimd128",
        "-mbulk-memory",
        "-fwrapv",
        "-ffreestanding",
    ),
    *("-fpack-struct=4", "-fno-sanitize=all", "-ffile-compilation-dir=."),
)


@functools.lru_cache
def zig() -> str:
    spec = importlib.util.find_spec("ziglang")
    assert spec is not None
    assert spec.submodule_search_locations
    return os.path.join(next(iter(spec.submodule_search_locations)), "zig")


@functools.lru_cache
def compile_core(
    body: str,
    column: int,
    row: int,
    *,
    stack_bytes=1024,
    waits=(),
    buffers=(),
    neighbours=(),
    locks=(),
    tile_buffers=(),
    data_origin=0x71000,
    data_end=None,
) -> bytes:
    """A core module: PRELUDE and `body`, which defines `i64 core_C_R(void)`."""
    entry = f"core_{column}_{row}"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "core.c"
        source.write_text(PRELUDE + '#line 1 "core.c"\n' + body)
        cache = os.path.join(tempfile.gettempdir(), f"npuninja-test-zig-{os.getuid()}")
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        command = [zig(), "cc", *COMPILE_FLAGS, "-c", "core.c", "-o", "core.o"]
        subprocess.run(command, check=True, env=environment, cwd=folder)
        link = (
            f"--no-entry --export={entry} --export=__stack_pointer --no-check-features "
            f"--initial-memory=524288 --max-memory=524288 --global-base={data_origin} --stack-first -z "
            f"stack-size={stack_bytes} --allow-undefined"
        )
        subprocess.run(
            [zig(), "wasm-ld", *link.split(), folder + "/core.o", "-o", folder + "/core.wasm"], check=True
        )
        module = Path(folder, "core.wasm").read_bytes()
    info = {
        "abi": 1, "column": column, "row": row, "entry": entry, "stack_bytes": stack_bytes,
        "data_end": data_end or data_origin,
        "waits": [list(w) for w in waits], "buffers": [list(b) for b in buffers], "neighbours": list(neighbours),
        "locks": [list(lock) for lock in locks], "tile_buffers": [list(b) for b in tile_buffers],
    }  # fmt: skip
    return append_custom_section(module, "npuninja.core", json.dumps(info).encode())
