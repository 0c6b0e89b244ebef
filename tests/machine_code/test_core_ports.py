"""Streams, cascades and checks of cores of machine code, in whole designs on the emulated array."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.emulator import Emulator
from npuninja.emulator.errors import BadAccess, Deadlock
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script

DESIGN = """module {
  aie.device(npu1_2col) {
    %s0 = aie.tile(0, 0)
    %t02 = aie.tile(0, 2)
    %t03 = aie.tile(0, 3)
    %t12 = aie.tile(1, 2)
    aie.flow(%s0, DMA : 0, %t03, Core : 0)
    aie.flow(%t12, Core : 0, %s0, DMA : 0)
    aie.cascade_flow(%t03, %t02)
    aie.cascade_flow(%t02, %t12)
    %keep = aie.buffer(%t02) {sym_name = "keep", address = 4096 : i32} : memref<32xi32>
    %lock = aie.lock(%t02, 0) {init = 0 : i32}
    %c02 = aie.core(%t02) { aie.end }
    %c03 = aie.core(%t03) { aie.end }
    %c12 = aie.core(%t12) { aie.end }
    aie.shim_dma_allocation @in (MM2S, 0, 0)
    aie.shim_dma_allocation @out (S2MM, 0, 0)
    aiex.runtime_sequence @sequence(%a : memref<64xi32>, %b : memref<32xi32>) {
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 32][0, 0, 0, 1])
        {metadata = @out, id = 1 : i64, issue_token = true} : memref<32xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {metadata = @in, id = 0 : i64} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
"""
SCRIPT = (
    "MEMORY { data (!RX) : ORIGIN = 0x78000, LENGTH = 0x100 }\n. = 0x70000;\n_sp_start_value_DM_stack = .;\n"
)
WAIT = "  nop\n" * 6
JUMP = "  j main\n" + "  nop\n" * 5
#: Two words from the stream, their sum 16 times down the cascade.
SENDER = f""".globl main
main:
  movxm crMCDEn, #1
  mov r0, SS
  mov r1, SS
{WAIT}  add r2, r0, r1
  vbcst.32 x0, r2
  nop
  vmov MCD, x0
{JUMP}"""
#: Twice what comes down the cascade goes on to the east.
MIDDLE = f""".globl main
main:
  movxm crMCDEn, #1
  movxm crSCDEn, #1
  vmov x0, SCD
{WAIT}  vadd.32 x1, x0, x0
  nop
  vmov MCD, x1
{JUMP}"""
#: Lane 5 into the stream; without waiting, until there is room.
RECEIVER = f""".globl main
main:
  movxm crSCDEn, #1
  vmov bml0, SCD
  mova r16, #5
{WAIT}  vmov x2, bml0
  nop
  vextract.s32 r0, x2, r16
  nop
again:
  mov.nb ms, r0
  nop
  nop
  mov r2, srMS0
  jz r2, again
  nop
  nop
  nop
  nop
  nop
{JUMP}"""


@pytest.fixture(scope="module")
def physical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ports")
    (folder / "design.mlir").write_text(DESIGN)
    assert main(["lower", str(folder / "design.mlir"), "-o", str(folder)]) == 0
    return folder


def build(folder: Path, **programs: str) -> tuple[bytes, bytes]:
    """XCLBIN and instructions of the design with these programs, by `c02`, `c03`, `c12`."""
    texts = {"c02": MIDDLE, "c03": SENDER, "c12": RECEIVER, **programs}
    images = []
    for name, text in texts.items():
        elf = link([("a.o", assemble(text).object())], read_linker_script(SCRIPT, "s"), "s")
        (folder / f"{name}.elf").write_bytes(elf)
        images += ["--elf", f"{name[1]},{name[2]}={folder / name}.elf"]
    assert main(["cdo", str(folder / "input_physical.mlir"), *images, "-o", str(folder)]) == 0
    cdos = [w for n in ("elfs", "init", "enable") for w in ("--cdo", str(folder / f"cdo_{n}.bin"))]
    assert main(["pdi", *cdos, "-o", str(folder / "a.pdi")]) == 0
    made = str(folder / "a.xclbin")
    assert main(["xclbin", "--pdi", str(folder / "a.pdi"), "--device", "npu1_2col", "-o", made]) == 0
    return Path(made).read_bytes(), (folder / "insts.bin").read_bytes()


def run(
    made: tuple[bytes, bytes], checks: frozenset[str] = frozenset(), schedule: int = 0
) -> tuple[list[int], list[str]]:
    """What comes out of the numbers 0 to 63, and the races."""
    with Emulator.from_xclbin(made[0], checks=checks, schedule=schedule) as npu:
        a, b = npu.allocate(256), npu.allocate(128)
        a.view[:] = struct.pack("<64I", *range(64))
        npu.run(made[1], [a, b], time_limit_s=60)
        return list(struct.unpack("<32I", bytes(b.view))), [str(race) for race in npu.races()]


@pytest.mark.parametrize(("checks", "schedule"), [((), 0), (("races", "memory"), 0), ((), 5)])
def test_words_pass_by_stream_and_cascade(physical: Path, checks: tuple[str, ...], schedule: int) -> None:
    out, races = run(build(physical), frozenset(checks), schedule)
    assert out == [2 * (2 * i + 2 * i + 1) for i in range(32)]
    assert races == []


def test_a_cascade_that_is_turned_off_is_a_fault(physical: Path) -> None:
    off = MIDDLE.replace("movxm crMCDEn, #1", "nop")
    with pytest.raises(Exception, match=r"core \(0, 2\) at 0x[0-9a-f]+ \(.*vmov MCD, x1\): .*crMCDEn = 0"):
        run(build(physical, c02=off))


def test_a_deadlock_names_stream_and_cascade(physical: Path) -> None:
    silent = ".globl main\nmain:\n  done\n" + "  nop\n" * 5
    with pytest.raises(Deadlock) as stuck:
        run(build(physical, c03=silent))
    text = str(stuck.value) + "\n".join(text for text, _ in stuck.value.notes)
    assert "core (0, 2)" in text
    assert "waits for its cascade from north" in text


KEEP = 0x71000
#: Reads it too, before anything says when.
READS = RECEIVER.replace("mova r16, #5", f"mova r16, #5\n  movxm p0, #{0x50000 + 0x1000}\n  lda r4, [p0, #0]")


def test_a_race_of_two_programs_is_found_and_named(physical: Path) -> None:
    # Both begin with the buffer, before the cascade orders them.
    write = MIDDLE.replace("movxm crSCDEn, #1", f"movxm crSCDEn, #1\n  movxm p0, #{KEEP}\n  st r2, [p0, #0]")
    _, races = run(build(physical, c02=write, c12=READS), frozenset({"races"}))
    assert races
    assert "core (0, 2) at 0x" in races[0]
    assert "st r2, [p0, #0]" in races[0]
    assert "core (1, 2) at 0x" in races[0]
    assert "lda r4, [p0, #0]" in races[0]


def test_a_read_of_what_nothing_has_written_is_found(physical: Path) -> None:
    with pytest.raises(
        BadAccess, match=r"core \(1, 2\) at 0x.*lda r4, \[p0, #0\].* reads 4 bytes at 0x51000 that nothing"
    ):
        run(build(physical, c12=READS), frozenset({"memory"}))


# --- Faults planted in programs: each is found where it is, its right twin passes in silence.


def with_head(program: str, head: str) -> str:
    """A program that does something once before its endless rounds."""
    return program.replace("main:\n", f"main:\n{head}round:\n", 1).replace("j main", "j round")


#: (0, 2) fills `keep`, and a lock gives it to (1, 2): 48 for the one, 16, in its west window, for the other.
GIVE = (
    f"  movxm p0, #{KEEP}\n  mova r9, #1\n  mova r2, #7\n  st r2, [p0, #0]\n  rel #48, r9\n" + "  nop\n" * 6
)
TAKE = f"  movxm p0, #{0x50000 + 0x1000}\n  mova r9, #-1\n  acq #16, r9\n  lda r4, [p0, #0]\n" + "  nop\n" * 7
NO_ACQUIRE = TAKE.replace("acq #16, r9", "nop")
#: What careless programs do first, and an instruction of the race.
RACES = {
    "the taker does not acquire": (GIVE, NO_ACQUIRE, "lda r4, [p0, #0]"),
    "the giver does not release": (GIVE.replace("rel #48, r9", "nop"), NO_ACQUIRE, "st r2, [p0, #0]"),
    "the giver writes again": (GIVE + "  st r9, [p0, #0]\n  nop\n", TAKE, "st r9, [p0, #0]"),
    "a byte of the word": (GIVE.replace("st r2,", "st.s8 r2,"), NO_ACQUIRE, "st.s8 r2, [p0, #0]"),
    "the taker gives back before its last store": (
        GIVE + "  mova r9, #-1\n  acq #49, r9\n  mova r9, #1\n  st r9, [p0, #0]\n  nop\n",
        TAKE + "  mova r9, #1\n  rel #17, r9\n  nop\n  nop\n  nop\n  nop\n  nop\n  st r4, [p0, #0]\n  nop\n",
        "[p0, #0]",
    ),
}


@pytest.mark.parametrize("name", RACES)
def test_a_planted_race_is_found(physical: Path, name: str) -> None:
    give, take, instruction = RACES[name]
    made = build(physical, c02=with_head(MIDDLE, give), c12=with_head(RECEIVER, take))
    out, races = run(made, frozenset({"races"}))
    assert out == [2 * (2 * i + 2 * i + 1) for i in range(32)]  # right by luck
    assert races
    assert instruction in races[0]
    assert "core (0, 2)" in races[0]
    assert "core (1, 2)" in races[0]


def test_its_right_twin_is_silent(physical: Path) -> None:
    made = build(physical, c02=with_head(MIDDLE, GIVE), c12=with_head(RECEIVER, TAKE))
    out, races = run(made, frozenset({"races", "memory"}))
    assert out == [2 * (2 * i + 2 * i + 1) for i in range(32)]
    assert races == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (0x80000, "0x80000: no data memory is there"),
        (0x3FFFC, "0x3fffc: no data memory is there"),
        (0x10000, "0x10000: no data memory is there"),
        (0x40000, "to the south, which this core does not have"),
        (0x71002, "0x71002, which is not a multiple of 4"),
    ],
)
def test_a_store_where_nothing_may_go_is_a_fault(physical: Path, address: int, words: str) -> None:
    head = f"  movxm p0, #{address}\n  nop\n  st r2, [p0, #0]\n" + "  nop\n" * 5
    with pytest.raises(Exception, match=r"core \(0, 2\) at 0x[0-9a-f]+ \(.*st r2, \[p0, #0\]\): ") as fault:
        run(build(physical, c02=with_head(MIDDLE, head)))
    assert words in str(fault.value)
