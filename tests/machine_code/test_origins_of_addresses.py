"""The check of memory for machine code: an address that was made of one buffer must not meet another."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.cli import main
from npuninja.emulator import Emulator
from npuninja.emulator.errors import BadAccess
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.data_extents import DataExtent, data_extents
from npuninja.machine_code.known_programs import KnownProgram
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.program import Symbol

DESIGN = """module {
  aie.device(npu1_1col) {
    %t02 = aie.tile(0, 2)
    %c02 = aie.core(%t02) { aie.end }
    aiex.runtime_sequence @sequence() {
      aiex.npu.maskwrite32 {address = 0x232000 : ui32, mask = 1 : ui32, value = 1 : ui32}
    }
  }
}
"""
A, B, TABLE = 0x71000, 0x71040, 0x72000
SCRIPT = f"""MEMORY {{ data (!RX) : ORIGIN = {TABLE}, LENGTH = 0x1000 }}
. = 0x70000;
_sp_start_value_DM_stack = .;
. += 0x400; /* stack */
. = {A};
a = .;
. += 0x40;
. = {B};
b = .;
. += 0x40;
"""
HEAD = ".globl main\nmain:\n"
END = "  done\n" + "  nop\n" * 5
WAIT = "  nop\n" * 7


@pytest.fixture(scope="module")
def physical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origins")
    (folder / "design.mlir").write_text(DESIGN)
    assert main(["lower", str(folder / "design.mlir"), "-o", str(folder)]) == 0
    return folder


def run(
    folder: Path, body: str, *, script: bool = True, checks: frozenset[str] = frozenset({"memory"})
) -> None:
    """Runs a program whose buffers `a` and `b` lie next to each other, and after them nothing."""
    (folder / "core_0_2.ld.script").write_text(SCRIPT)
    elf = link([("a.o", assemble(HEAD + body + END).object())], read_linker_script(SCRIPT, "s"), "s")
    (folder / "core_0_2.elf").write_bytes(elf)
    assert (
        main(
            [
                "cdo",
                str(folder / "input_physical.mlir"),
                "--elf",
                f"0,2={folder / 'core_0_2.elf'}",
                "-o",
                str(folder),
            ]
        )
        == 0
    )
    cdos = [w for n in ("elfs", "init", "enable") for w in ("--cdo", str(folder / f"cdo_{n}.bin"))]
    assert main(["pdi", *cdos, "-o", str(folder / "a.pdi")]) == 0
    made = folder / "a.xclbin"
    assert main(["xclbin", "--pdi", str(folder / "a.pdi"), "--device", "npu1_1col", "-o", str(made)]) == 0
    with Emulator.from_xclbin(made.read_bytes(), name=str(made), checks=checks) as npu:
        npu.run((folder / "insts.bin").read_bytes(), [], time_limit_s=60)


#: Programs that leave `a`, the instruction that does, and what is said of the place.
STRAYS = {
    "a store with an index": ("movxm p0, #0x71000\n nop\n st r0, [p0, #64]", "st r0, [p0, #64]", "byte 0 of buffer 'b'"),
    "a store behind steps": (
        "movxm p0, #0x71000\n nop\n" + " st r0, [p0], #32\n" * 3, "st r0, [p0], #32", "byte 0 of buffer 'b'",
    ),
    "a byte": ("movxm p0, #0x71000\n mova r1, #64\n mov dj0, r1\n nop\n st.s8 r0, [p0, dj0]", "st.s8", "byte 0 of buffer 'b'"),
    "a sum in integers": (
        "movxm r1, #0x71000\n mova r2, #68\n nop\n add r1, r1, r2\n nop\n mov p1, r1\n nop\n st r0, [p1, #0]",
        "st r0, [p1, #0]", "4 bytes past the end of buffer 'a'",
    ),
    "an address that was kept on the stack": (
        "movxm p0, #0x71000\n paddb [sp], #32\n nop\n st p0, [sp, #-32]\n" + WAIT + " lda p2, [sp, #-32]\n" + WAIT
        + " st r0, [p2, #64]", "st r0, [p2, #64]", "0 bytes past the end of buffer 'a'",
    ),
    "a load": ("movxm p0, #0x71000\n nop\n lda r0, [p0, #64]", "lda r0, [p0, #64]", "byte 0 of buffer 'b'"),
    "a vector's store over the end": (
        "movxm p0, #0x71000\n nop\n paddb [p0], #32\n nop\n vst wl0, [p0], #32\n vst wl0, [p0], #32", "vst wl0", "buffer 'b'",
    ),
    "one of two addresses": (
        "movxm r1, #0x71000\n"
        " movxm r2, #0x71040\n"
        " mova r27, #0\n"
        " nop\n"
        " sel.eqz r3, r1, r2, r27\n"
        " nop\n"
        " mov p1, r3\n"
        " nop\n"
        " st r0, [p1, #64]", "st r0, [p1, #64]", "byte 0 of buffer 'b'",
    ),
    "where no buffer is": ("movxm p0, #0x71040\n nop\n st r0, [p0, #64]", "st r0, [p0, #64]", "where no buffer is"),
    "the stack": (
        "movxm p0, #0x71000\n movxm r1, #-4096\n mov m0, r1\n nop\n paddb [p0], m0\n nop\n st r0, [p0, #0]",
        "st r0, [p0, #0]", "byte 0 of the stack",
    ),
}  # fmt: skip
#: Programs that are right, and look a little like those.
RIGHT = {
    "its own last word": "movxm p0, #0x71000\n nop\n st r0, [p0, #60]",
    "from the end backwards": "movxm p0, #0x71040\n nop\n st r0, [p0, #-4]",
    "the other one": "movxm p0, #0x71040\n nop\n st r0, [p0, #0]",
    "a register that was given another address since": (
        "movxm p0, #0x71000\n movxm p0, #0x71040\n nop\n st r0, [p0, #0]"
    ),
    "a difference of addresses": (
        "movxm r1, #0x71000\n"
        " movxm r2, #0x71040\n"
        " nop\n"
        " sub r3, r2, r1\n"
        " nop\n"
        " add r1, r1, r3\n"
        " mov p1, r2\n"
        " nop\n"
        " st r0, [p1, #0]"
    ),
    "a word of the stack that has another value by now": (
        "movxm p0, #0x71000\n movxm r5, #0x71040\n paddb [sp], #32\n nop\n st p0, [sp, #-32]\n" + WAIT
        + " st r5, [sp, #-32]\n" + WAIT + " lda p2, [sp, #-32]\n" + WAIT + " st r0, [p2, #0]"
    ),
    "a vector that is read beyond the end and not used": (
        "movxm p0, #0x71000\n"
        " nop\n"
        " vst wl0, [p0], #32\n"
        " vst wl0, [p0], #32\n"
        " movxm p1, #0x71040\n"
        " nop\n"
        " vst wl0, [p1], #32\n"
        + WAIT + " vlda wl1, [p0, #0]"
    ),
    "a constant inside a buffer": "movxm p0, #0x71010\n nop\n st r0, [p0, #48]",
}  # fmt: skip


@pytest.mark.parametrize("name", STRAYS)
def test_an_access_that_leaves_its_buffer_is_found(physical: Path, name: str) -> None:
    body, instruction, words = STRAYS[name]
    with pytest.raises(BadAccess) as found:
        run(physical, " " + body + "\n")
    assert instruction in str(found.value)
    assert words in str(found.value)
    assert "core (0, 2) at 0x" in str(found.value)
    assert found.value.report["why"] == "strayed"


@pytest.mark.parametrize("name", RIGHT)
def test_its_right_twin_passes(physical: Path, name: str) -> None:
    run(physical, " " + RIGHT[name] + "\n")


def test_without_a_script_the_elfs_symbols_say_where_buffers_begin(
    physical: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbols = (
        Symbol(0, "main", "function", 64),
        Symbol(0x70000, "_sp_start_value_DM_stack", "data"),
        Symbol(A, "a", "data"),
        Symbol(A, "another_name", "data"),
        Symbol(B, "b", "data"),
        Symbol(TABLE, "table", "data", 32),
        Symbol(TABLE + 32, "_end_of_tables", "data"),
    )
    found = data_extents(KnownProgram("core.elf", symbols, None))
    assert found == [
        DataExtent(0x70000, A, "_sp_start_value_DM_stack", False),
        DataExtent(A, B, "a", False),
        DataExtent(B, TABLE, "b", False),
        DataExtent(TABLE, TABLE + 32, "table", True),
    ]
    monkeypatch.setattr("npuninja.machine_code.data_extents.data_extents", lambda known: found)
    with pytest.raises(
        BadAccess, match="outside buffer 'a', of which its address was made: byte 0 of buffer 'b'"
    ):
        run(physical, " " + STRAYS["a store with an index"][0] + "\n")
    run(physical, " " + STRAYS["where no buffer is"][0] + "\n")  # how far `b` goes is not known


def test_without_the_check_such_a_store_is_done(physical: Path) -> None:
    run(physical, " " + STRAYS["a store with an index"][0] + "\n", checks=frozenset({"races"}))


def test_an_xclbin_without_a_manifest_is_checked_too(
    physical: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "run",
        str(physical / "a.xclbin"),
        "--insts",
        str(physical / "insts.bin"),
        "--check",
        "races,memory",
    ]
    run(physical, " " + RIGHT["its own last word"] + "\n")
    assert main(words) == 0
    assert "checked for wrong accesses to memory and races: nothing found" in capsys.readouterr().out
    with pytest.raises(BadAccess):
        run(physical, " " + STRAYS["a byte"][0] + "\n")
    assert main(words) == BadAccess.exit_code
    assert "byte 0 of buffer 'b'" in capsys.readouterr().err
    assert main([*words[:-1], "everything"]) == 2
