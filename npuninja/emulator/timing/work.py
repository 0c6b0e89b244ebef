"""What a run consists of: words of every DMA channel, operations of every core and of the sequence.

Nothing here is a time. It is counted in one run on the emulated array with counters in the cores' programs,
and depends on the files and the inputs only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from npuninja.arch.devices import TILE_KINDS, TilePlace
from npuninja.arch.families import FAMILIES, Rows, of_generation
from npuninja.arch.registers import channel_queue, split_address
from npuninja.emulator import layout
from npuninja.emulator.chained_bds import chain_of
from npuninja.emulator.configuration import LoadedDesign, read_design
from npuninja.emulator.cores import NEIGHBOUR_STEPS, EmulatedCore
from npuninja.emulator.emulator import Emulator
from npuninja.emulator.run_report import ChannelCount
from npuninja.emulator.stream_trace import origins
from npuninja.emulator.timing.band import Band
from npuninja.emulator.timing.instrument import LOCK_OPERATION, Instrumented, instrument
from npuninja.emulator.timing.operations import instructions
from npuninja.errors import UserError
from npuninja.formats import txn
from npuninja.formats.cdo import Command
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore

#: A run with counters in its cores takes about twice as long as one without.
DEFAULT_TIME_LIMIT_S = 120.0


class ChannelWork(NamedTuple):
    """What a DMA channel does in one run.

    Attributes:
        place: of its tile.
        direction: "S2MM" or "MM2S".
        channel: its number.
        words: of 32 bits.
        bds: buffer descriptors completed.
        tasks: tasks completed.
        buffers: different buffers in its chain of descriptors; with one, it cannot work while that is used.
        sources: actor numbers of the MM2S channels that send to it; of an S2MM channel.
    """

    place: TilePlace
    direction: str
    channel: int
    words: int
    bds: int
    tasks: int = 0
    buffers: int = 2
    sources: tuple[int, ...] = ()

    @property
    def actor(self) -> int:
        """The channel's number among all."""
        return layout.channel_number(*self.place, self.direction, self.channel)

    @property
    def name(self) -> str:
        """Direction and number: `S2MM 0`."""
        return f"{self.direction} {self.channel}"


class CoreWork(NamedTuple):
    """What a core does in one run.

    Attributes:
        place: of its tile.
        operations: executed operations of wasm by class (`operations.INSTRUCTIONS`).
        lock_operations: acquires and releases.
        neighbours: cores whose memory it uses.
        issue_cycles: bundles that a core of machine code issued, which is exact; None for a wasm core.
        bank_conflicts: cycles that it lost at banks of data memory; modelled.
    """

    place: TilePlace
    operations: dict[str, int]
    lock_operations: int = 0
    neighbours: tuple[TilePlace, ...] = ()
    issue_cycles: int | None = None
    bank_conflicts: int = 0

    @property
    def instructions(self) -> Band:
        """Instructions of a scalar core for these operations."""
        return instructions(self.operations)


class SequenceWork(NamedTuple):
    """Operations of the runtime sequence by kind.

    `pushes` are those writes that go to a task queue. `phases` are groups of pushes with a wait between them:
    the pipeline runs empty and fills again.
    """

    writes: int = 0
    mask_writes: int = 0
    blocks: int = 0
    block_words: int = 0
    patches: int = 0
    pushes: int = 0
    syncs: int = 0
    polls: int = 0
    phases: int = 1


class Work(NamedTuple):
    """One run.

    Attributes:
        family: its name.
        channels: DMA channels that moved something.
        cores: all cores.
        sequence: the runtime sequence.
        elements: objects that the cores sent out of their tiles to memtiles and shims; 1 when there are none.
    """

    family: str
    channels: tuple[ChannelWork, ...]
    cores: tuple[CoreWork, ...]
    sequence: SequenceWork
    elements: int = 1

    def kind(self, place: TilePlace) -> str:
        """`shim`, `mem` or `core`: the kind of a tile."""
        return FAMILIES[self.family].rows.kind(place[1])

    def fields(self) -> dict[str, Any]:
        """The work as data for JSON."""
        return {
            "family": self.family,
            "channels": [c._asdict() for c in self.channels],
            "cores": [c._asdict() for c in self.cores],
            "sequence": self.sequence._asdict(),
            "elements": self.elements,
        }


def count_work(
    xclbin: bytes,
    insts: bytes,
    arguments: Sequence[bytes],
    *,
    kernel: str | None = None,
    name: str = "xclbin",
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
) -> Work:
    """Runs a design once on the emulated array and counts.

    Args:
        xclbin: with wasm cores or cores of machine code.
        insts: the instruction stream.
        arguments: what each argument of the sequence holds before the run; of an output only the size counts.
        kernel: the kernel of the XCLBIN; by default its first.
        name: of the XCLBIN, for errors.
        time_limit_s: of this machine's time.

    Raises:
        UserError: a file is damaged, or the sequence does what the model knows no cost of.
        DeviceError: the run failed.
    """
    design = read_design(xclbin, name)
    return count_design(
        design, design.first_pdi(kernel), insts, arguments, name=name, time_limit_s=time_limit_s
    )


def count_design(
    design: LoadedDesign,
    commands: Sequence[Command],
    insts: bytes,
    arguments: Sequence[bytes],
    *,
    name: str = "xclbin",
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
) -> Work:
    """As `count_work`, of a design that is read already; `commands` are the configuration that is run."""
    sequence, family = read_sequence(insts)
    modules = {}  # under the hashes of those they stand for
    counted = {}
    for digest, module in design.modules.items():
        found = instrument(module, f"a core of {name}")
        modules[digest] = found.module
        counted[hashlib.sha256(found.module).digest()] = found
    with Emulator(design.columns, modules, design.loadable, rows=FAMILIES[family].rows) as npu:
        npu.configure(commands)
        report = npu.run(insts, npu.allocate_filled(arguments), time_limit_s)
        cores = tuple(_core_work(core, counted[core.digest]) for core in npu.cores())
        cores += tuple(map(_machine_work, npu.machine_cores()))
        at = {state.actor: state.bd for state in npu.states() if state.is_channel}
        channels = tuple(_channel_work(npu, count, at) for count in report.channels)
    return Work(family, channels, cores, sequence, _elements(channels, npu.device.rows))


def _core_work(core: EmulatedCore, counted: Instrumented) -> CoreWork:
    operations = counted.totals([core.read_global(piece.export) for piece in counted.pieces])
    locks = operations.pop(LOCK_OPERATION, 0)
    neighbours = tuple(layout.tile_place(core.tile + NEIGHBOUR_STEPS[n]) for n in core.info.neighbours)
    return CoreWork(layout.tile_place(core.tile), operations, locks, neighbours)


def _machine_work(core: MachineCore) -> CoreWork:
    """Of a core of machine code: what it issued. Its acquires are counted, and each has a release."""
    stalls = core.stall_cycles()
    place = layout.tile_place(core.tile)
    return CoreWork(
        place,
        {},
        2 * stalls["lock"],
        (),
        issue_cycles=core.issue_cycles(),
        bank_conflicts=stalls["bank_conflict"],
    )


def _channel_work(npu: Emulator, count: ChannelCount, at: dict[int, int]) -> ChannelWork:
    place = (count.column, count.row)
    actor = layout.channel_number(*place, count.direction, count.channel)
    found = origins(npu.read32, npu.device, actor) if count.direction == "S2MM" else []
    sources = tuple(o.actor for o in found if o.actor is not None)
    buffers = _buffers(npu, place, at[actor])
    return ChannelWork(
        place,
        count.direction,
        count.channel,
        words=count.words,
        bds=count.bds,
        tasks=count.tasks,
        buffers=buffers,
        sources=sources,
    )


def _buffers(npu: Emulator, place: TilePlace, first: int) -> int:
    """Different addresses in the chain of descriptors that begins at `first`."""
    if npu.device.rows.kind(place[1]) == "shim":
        return 2  # host memory is not waited for
    tile = layout.tile_number(*place)
    return len({bd.address for bd in chain_of(npu.read32, npu.device, tile, first)})


def _elements(channels: Sequence[ChannelWork], rows: Rows) -> int:
    """Objects that leave cores' tiles: of each core, those of its busiest channel to a memtile or shim."""
    outward = {
        s for c in channels if c.direction == "S2MM" and rows.kind(c.place[1]) != "core" for s in c.sources
    }
    busiest: dict[TilePlace, int] = {}
    for c in channels:
        if c.actor in outward and rows.kind(c.place[1]) == "core":
            busiest[c.place] = max(busiest.get(c.place, 0), c.bds)
    return max(sum(busiest.values()), 1)


def read_sequence(insts: bytes) -> tuple[SequenceWork, str]:
    """Counts the operations of an instruction stream; and the family it is for.

    Raises:
        UserError: it is damaged, for no NPU, or loads another PDI or has an operation without a known cost.
    """
    stream = txn.read_txn(insts)
    family = of_generation(stream.generation)
    if family is None:
        known = sorted(f.txn_generation for f in FAMILIES.values())
        raise UserError(
            f"the instruction stream is for device generation {stream.generation}, expected {known}"
        )
    counts = {**dict.fromkeys(SequenceWork._fields, 0), "phases": 1}
    waited = False
    for op in stream.operations:
        if isinstance(op, (txn.Write, txn.MaskWrite)):
            counts["writes" if isinstance(op, txn.Write) else "mask_writes"] += 1
            if pushed_channel(op.address, family.rows) is not None:
                counts["pushes"] += 1
                counts["phases"] += waited
                waited = False
        elif isinstance(op, txn.BlockWrite):
            counts["blocks"] += 1
            counts["block_words"] += len(op.data) // 4
        elif isinstance(op, txn.AddressPatch):
            counts["patches"] += 1
        elif isinstance(op, txn.Sync):
            counts["syncs"] += 1
            waited = True
        elif isinstance(op, txn.MaskPoll):
            counts["polls"] += 1
        elif isinstance(op, (txn.CreateScratchpad, txn.UpdateFromScratchpad)):
            raise UserError(
                "the sequence takes numbers from the scratchpad, and the timing model knows no cost of that",
                hint="model a sequence without it",
            )
        elif isinstance(op, (txn.LoadPdi, txn.Other)):
            what = (
                "loads another PDI" if isinstance(op, txn.LoadPdi) else f"has the operation 0x{op.code:02x}"
            )
            raise UserError(
                f"the sequence {what}, and the timing model knows no cost of that",
                hint="model a sequence that stays with one configuration",
            )
    return SequenceWork(**counts), family.name


def pushed_channel(address: int, rows: Rows) -> int | None:
    """The channel whose start queue a register is; None for another register."""
    column, row, offset = split_address(address)
    kind = TILE_KINDS[rows.kind(row)]
    for direction, channels in (("S2MM", kind.s2mm_channels), ("MM2S", kind.mm2s_channels)):
        for channel in range(channels):
            if offset == channel_queue(kind.name, direction, channel):
                return layout.channel_number(column, row, direction, channel)
    return None


def moved_bytes(work: Work, direction: str) -> int:
    """Bytes that the array reads from host memory ("MM2S") or writes to it ("S2MM")."""
    return sum(
        4 * c.words for c in work.channels if work.kind(c.place) == "shim" and c.direction == direction
    )
