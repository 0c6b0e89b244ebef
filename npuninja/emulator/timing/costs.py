"""What things cost on an NPU, as bands: the timing model's constants, each with its source. What differs from
family to family is in `npuninja.arch.families`.

"measured" was measured on a Phoenix by somebody (the study of the xdna-emu project, 2026-05 and 2026-08,
unless another is named); "manual" is AM020 or AM025; "assumed" is nobody's figure, and its band is wide for
that. docs/timing-model.md says more.
"""

from __future__ import annotations

from npuninja.emulator.timing.band import Band

#: The clock by which modelled cycles are shown as time.
CLOCK_HZ = 1.0e9
CYCLES_PER_US = CLOCK_HZ / 1e6
#: The clock at which the cycles below were measured. What the firmware, the network on chip and DDR do does
#: not get faster with the array's clock, so such costs are microseconds here.
MEASURED_AT_HZ = 1.028e9


def _measured_us(optimistic: float, middle: float, pessimistic: float) -> Band:
    """Cycles of the measurement as microseconds."""
    return Band(*(cycles / MEASURED_AT_HZ * 1e6 for cycles in (optimistic, middle, pessimistic)))


# --- Operations of the runtime sequence. Measured: independent of the distance of the tile.
WRITE_US = _measured_us(87, 100.5, 114)
MASK_WRITE_US = _measured_us(200, 210, 220)
#: A block write: 203 cycles for 8 words.
BLOCK_BASE_US = _measured_us(3, 3, 3)
BLOCK_WORD_US = _measured_us(25, 25, 28)
#: Assumed: an address patch reads and writes words of a descriptor; a satisfied poll reads a register.
ADDRESS_PATCH_US = _measured_us(87, 200, 400)
POLL_US = _measured_us(100, 200, 400)
#: From one push into a task queue to the next task's start.
QUEUE_PUSH_US = _measured_us(2500, 2500, 2750)
#: The first wait of a run makes the round trip to the host's controller; later ones are "cheap": assumed.
FIRST_SYNC_US = _measured_us(8000, 8000, 8800)
LATER_SYNC_US = _measured_us(100, 250, 1000)

# --- DMA.
#: Cycles for a word of the stream. Manual: 32 bits per cycle and port. Measured at the shim: 1.05 and 1.00.
TILE_WORD_CYCLES = Band(1.0, 1.0, 1.05)
SHIM_WORD_CYCLES = {"MM2S": Band(1.0, 1.05, 1.10), "S2MM": Band(1.0, 1.0, 1.10)}
#: Cycles from one buffer descriptor to the next. The pieces as xdna-emu models them: setup 4, memory 5, chain
#: 2, acquire 1, release 1. They may overlap with the words before (the smallest), or each be twice as long.
BD_CYCLES = Band(2, 13, 26)
#: A task of a shim channel, and the first one after a rest: 1739, 804, 497, 422 … cycles were seen for MM2S.
SHIM_TASK_US = {"MM2S": _measured_us(0, 325, 650), "S2MM": _measured_us(0, 179, 358)}
SHIM_FIRST_TASK_US = {"MM2S": _measured_us(422, 1330, 1739), "S2MM": _measured_us(170, 341, 682)}
#: Bytes per second between DDR and the whole array. Measured on a Strix: 52.7 GB/s read over 8 columns, of a
#: ceiling of 62.7 GB/s. Reading and writing share it at the pessimistic end.
DDR_BYTES_PER_S = Band(62.7e9, 52.7e9, 52.7e9)
#: Cycles of the first word through a switch (AM020: 3 to 4).
SWITCH_CYCLES = Band(3, 4, 4)

# --- Cores.
#: Cycles of an instruction of scalar code, as Peano schedules it. Calibrated with one kernel: a log-mel
#: spectrum in portable C (512-point transform in 16 bits, 80 filters) takes 133 249 instructions of RV32 and,
#: measured on a Phoenix, 0.104 ms (107 k cycles: 0.80 a piece) as the slope of a batch, and 0.165 ms (170 k:
#: 1.27) alone, its call's cost taken off. The middle is their geometric mean. One kernel is not all kernels:
#: the ends are 1.25 below the one and 1.6 above the other.
INSTRUCTION_CYCLES = Band(0.64, 1.0, 2.0)
#: An acquire or a release that need not wait. Assumed; the pessimistic end is AIE1's measured lock operation
#: with its initialisation (MLIR-AIE, test/benchmarks).
CORE_LOCK_CYCLES = Band(1, 8, 57)
