"""The NPU families: one record holds everything in which one differs from another.

A further family is one more record here. From it follow the device names (`devices`), their numbers in the
generic form of MLIR, the kinds of tiles by row, the header of insts.bin, ELF flags, the registers that lie
elsewhere, what doctor and the emulated driver look for and show, and the costs of the timing model.

Sources: MLIR-AIE's AIETargetModel.cpp and AIEAttrs.td (geometry, device numbers), aie-rt (register headers,
e_flags), amdxdna's npu1_regs.c and npu4_regs.c (PCI ids, clocks, context limits, as publicly described).
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Mapping


class Driver(NamedTuple):
    """What PCI, the driver and XRT show of a family's NPUs.

    Attributes:
        xrt_name: the name in XRT (vbnv) of the NPU that the emulated driver shows.
        xrt_numbers: the numbers N of the names `RyzenAI-npuN` that XRT gives to NPUs of this family.
        pci_device, pci_revision: of the PCI function; its vendor is AMD.
        context_limit: hardware contexts at a time.
        firmware: its version.
        max_clock_mhz: of the array.
        takes_full_elf: whether instructions may load configurations (AIE2_PREEMPT in amdxdna's npuN_regs.c).
    """

    xrt_name: str
    xrt_numbers: tuple[int, ...]
    pci_device: int
    pci_revision: int
    context_limit: int
    firmware: tuple[int, int, int, int]
    max_clock_mhz: int
    takes_full_elf: bool


class Rows(NamedTuple):
    """What the tiles of each row of an array are, the same in every column.

    Attributes:
        kinds: `shim`, `mem` or `core`, from the bottom on.
    """

    kinds: tuple[str, ...]

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.kinds)

    def kind(self, row: int) -> str:
        """The kind of the tiles in a row."""
        # A row that is not there counts as the nearest one: the reader of a place checks it and says where.
        return self.kinds[max(0, min(row, len(self.kinds) - 1))]

    def of_kind(self, kind: str) -> tuple[int, ...]:
        """The rows whose tiles are of one kind, upwards."""
        return tuple(row for row, here in enumerate(self.kinds) if here == kind)


class Family(NamedTuple):
    """One NPU family.

    Attributes:
        name: as in `aie.device(NAME)` for the whole array.
        products: the processors it is in.
        architecture: of the cores, as in `-march`.
        rows: what the tiles of each row are.
        columns: those that designs can use.
        physical_columns: those of the whole array.
        start_columns: aiecc has a partition of n columns start at 1 … start_columns - n of the array.
        first_device_number: the first of its cases in MLIR's enum AIEDevice, which are the whole array, then
            1, 2, … columns.
        txn_generation: device generation in the header of insts.bin.
        elf_flag: `e_flags` of core programs.
        arch_macro: what `__AIE_ARCH__` is in kernels.
        lock_builtins: prefix of the compiler's builtins for locks.
        vector_bits: widths of vectors that the core loads and stores whole.
        burst_codes: AXI burst lengths in bytes of a shim DMA, and their codes.
        pads_with_any_value: whether memtiles have a register for the value they pad with; else it is 0.
        registers: offsets of registers that lie elsewhere than `registers.MISCELLANEOUS` says, by tile kind.
        driver: what the host sees.
        host_call_us: one call of the host, from run() until it returns, with buffers synchronised:
            optimistic, middle, pessimistic.
        local_task_addresses: whether a task of the runtime sequence gives a memtile's buffer by its address
            in the memtile, not in the DMA's window; so does MLIR-AIE for npu1 only.
        controller_ids: packet id of a tile's controller, by row (MLIR-AIE's
            AIEGenerateColumnControlOverlay.cpp).
        joins_control_packets: whether control packets for a tile may share a transfer, each with its stream
            header; MLIR-AIE sends them so (AIECtrlPacketToDma.cpp).
        stream_words_per_cycle: words that a stream moves in a cycle at most.
        compression_known: whether it is known what a DMA makes of data when it compresses them.
    """

    name: str
    products: str
    architecture: str
    rows: Rows
    columns: int
    physical_columns: int
    start_columns: int
    first_device_number: int
    txn_generation: int
    elf_flag: int
    arch_macro: int
    lock_builtins: str
    vector_bits: tuple[int, ...]
    burst_codes: Mapping[int, int]
    pads_with_any_value: bool
    registers: Mapping[str, Mapping[str, int]]
    driver: Driver
    host_call_us: tuple[float, float, float]
    local_task_addresses: bool
    controller_ids: tuple[int, ...]
    joins_control_packets: bool
    stream_words_per_cycle: int
    compression_known: bool

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def device_names(self) -> dict[str, int]:
        """How many columns each device has, by name: the whole array first, then 1, 2, … columns."""
        parts = {f"{self.name}_{n}col": n for n in range(1, self.columns)}
        return {self.name: self.columns, **parts}

    @property
    def device_numbers(self) -> dict[str, int]:
        """The numbers of the family's devices in MLIR's enum AIEDevice."""
        return {name: self.first_device_number + i for i, name in enumerate(self.device_names)}


#: The rows of all NPUs so far. They are assumed for an XCLBIN that comes alone: it does not say its family.
SHARED_ROWS = Rows(("shim", "mem", "core", "core", "core", "core"))
_CONTROLLER_IDS = (15, 26, 27, 29, 30, 31)

#: The family where a user names none and nothing else does.
DEFAULT = "npu1"

#: The families by name.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="npu1",
            products="Phoenix, Hawk Point",
            architecture="aie2",
            rows=SHARED_ROWS,
            columns=4,
            physical_columns=5,
            start_columns=5,
            first_device_number=4,
            txn_generation=3,
            elf_flag=2,
            arch_macro=20,
            # llvm-aie clang/lib/Headers/aiev2/aiev2_locks.h, aie2p/aie2p_locks.h.
            lock_builtins="__builtin_aiev2",
            vector_bits=(512,),
            burst_codes={64: 0, 128: 1, 256: 2},
            pads_with_any_value=False,
            registers={},
            # The firmware version is one that a Phoenix reported.
            driver=Driver(
                xrt_name="RyzenAI-npu1",
                xrt_numbers=(1,),
                pci_device=0x1502,
                pci_revision=0x00,
                context_limit=6,
                firmware=(1, 5, 5, 391),
                max_clock_mhz=1600,
                takes_full_elf=False,
            ),
            # Measured: xrt-smi validate 78 us, passthrough through XRT 103 to 122 us, through pyxrt 300 us.
            host_call_us=(78, 110, 310),
            local_task_addresses=True,
            controller_ids=_CONTROLLER_IDS,
            joins_control_packets=False,
            stream_words_per_cycle=1,
            compression_known=True,
        ),
        Family(
            name="npu2",
            products="Strix, Strix Halo, Krackan",
            architecture="aie2p",
            rows=SHARED_ROWS,
            columns=8,
            physical_columns=8,
            # As for npu1, though there are eight.
            start_columns=5,
            first_device_number=8,
            txn_generation=4,
            elf_flag=3,
            arch_macro=21,
            lock_builtins="__builtin_aie2p",
            vector_bits=(256, 512),
            burst_codes={64: 0, 128: 1, 256: 2, 512: 3},
            pads_with_any_value=True,
            registers={
                "core": {"Tile_Control": 0x60020, "Core_PC": 0x30E00, "Core_SP": 0x30E20, "Core_LR": 0x30E30},
                "mem": {"Tile_Control": 0xFFF20},
                "shim": {"Tile_Control": 0xFFF40},
            },
            # No source settles the context limit and the firmware version: values a program can live with.
            driver=Driver(
                xrt_name="RyzenAI-npu4",
                xrt_numbers=(4, 5, 6),
                pci_device=0x17F0,
                pci_revision=0x10,
                context_limit=16,
                firmware=(1, 1, 2, 64),
                max_clock_mhz=1800,
                takes_full_elf=True,
            ),
            # Measured: run and wait 410 us, with both transfers 670 us. Assumed: the smallest, that of npu1.
            host_call_us=(78, 410, 670),
            local_task_addresses=False,
            controller_ids=_CONTROLLER_IDS,
            joins_control_packets=True,
            # AIE-ML v2 has streams of 64 bits (AM027). Whether Strix has is not verified.
            stream_words_per_cycle=2,
            compression_known=False,
        ),
    )
}


def architectures() -> tuple[str, ...]:
    """The architectures of all families' cores."""
    return tuple(dict.fromkeys(family.architecture for family in FAMILIES.values()))


def of_generation(generation: int) -> Family | None:
    """The family of a device generation in the header of insts.bin, or None when there is none."""
    return next((family for family in FAMILIES.values() if family.txn_generation == generation), None)


def of_architecture(architecture: str) -> Family:
    """The family whose cores are of an architecture (`aie2`, `aie2p`).

    Raises:
        UserError: there is none.
    """
    for family in FAMILIES.values():
        if family.architecture == architecture:
            return family
    raise UserError(f"there is no NPU with {architecture} cores", hint=f"known: {', '.join(architectures())}")
