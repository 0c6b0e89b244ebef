"""Few bytes that stand for much: in the text of designs, and in every reader of a configuration."""

from __future__ import annotations

import pytest

from npuninja.cli import main
from npuninja.emulator.configuration import read_design
from npuninja.errors import Error, UserError, Warnings
from npuninja.formats import cdo, pdi, xclbin
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.ir.parser import parse_module
from npuninja.lowering.pipeline import lower_resources
from npuninja.machine_code.program import program_pieces, read_programs

TILES = "%t = aie.tile(0, 2)\n%s = aie.tile(0, 0)\n"
LOOP = "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%n = arith.constant {n} : index\n"
WRITE = "aiex.npu.write32 {{address = 0 : ui32, value = 0 : ui32}}\n"


def design(body: str, sequence: str = "") -> str:
    inside = f"aie.runtime_sequence(%a: memref<8xi32>) {{\n{sequence}}}\n" if sequence else ""
    return f"module {{\naie.device(npu1_1col) {{\n{TILES}{body}{inside}}}\n}}\n"


def fifo(depth: str, more: str = "") -> str:
    return design(f"aie.objectfifo @o(%t, {{%s}}, {depth}){more} : !aie.objectfifo<memref<1xi8>>\n")


NEST = "scf.for %i{d} = %c0 to %n step %c1 {{\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (fifo("1000000000 : i32"), "at most 1024"),
        (fifo("[1000000000, 1000000000]"), "at most 1024"),
        (fifo("2 : i32", " {repeat_count = 2000000000 : i32}"), "at most 256"),
        (design("%b = aie.buffer(%t) : memref<9223372036854775807xi32>\n"), "do not fit"),
        (design("%b = aie.buffer(%t) : memref<" + "4294967296x" * 50 + "i32>\n"), "do not fit"),
        (
            design("", LOOP.format(n=2000000000) + NEST.format(d=0) + WRITE.format() + "}\n"),
            "more than 100000 operations",
        ),
        (
            design("", LOOP.format(n=4000) + NEST.format(d=0) + NEST.format(d=1) + WRITE.format() + "}\n}\n"),
            "more than 100000 operations",
        ),
        (design("".join(f"%l{i} = aie.lock(%t)\n" for i in range(300))), "no free lock"),
        ("module {\n" + "".join(NEST.format(d=d) for d in range(3000)), "nested deeper than 64"),
    ],
)
def test_a_small_design_that_stands_for_much_is_refused(text, words):
    from npuninja.lowering.sequence.loops import unroll_sequence_loops

    def lowered() -> None:
        module = parse_module(text, "x.mlir")
        for device in module.regions[0].blocks[0].ops:
            unroll_sequence_loops(device)
        lower_resources(module, alloc_scheme=None, generation="2025-10", warnings=Warnings())

    with pytest.raises(UserError) as caught:
        lowered()
    if words:
        assert words in caught.value.message


FILL = cdo.Fill(0x220000, 0xFFFFFFFF, 7)


def container() -> bytes:
    return xclbin.write_xclbin([xclbin.XclbinKernel(pdi.write_pdi([cdo.write_cdo([cdo.Nop()])]))], 1, [0], [])


@pytest.mark.parametrize(
    "read",
    [
        lambda data: cdo.read_cdo(data, "x"),
        lambda data: pdi.write_pdi([data]),
        lambda data: read_programs(pdi_of(data), "x"),
        lambda data: read_design(xclbin_of(data), "x"),
    ],
)
def test_a_fill_without_end_is_refused_by_every_reader(read):
    with pytest.raises(Error, match="a tile has 262144 at most"):
        read(cdo.write_cdo([cdo.Nop(), FILL]))


def pdi_of(data: bytes) -> bytes:
    """A PDI with a CDO that its writer would refuse: put in the place of one of the same length."""
    good = cdo.write_cdo([cdo.Nop(), cdo.Fill(0x220000, 1, 7)])
    made = pdi.write_pdi([good])
    old = (1).to_bytes(4, "little") + (7).to_bytes(4, "little")
    assert made.count(old) == 1
    return made.replace(old, (0xFFFFFFFF).to_bytes(4, "little") + (7).to_bytes(4, "little"))


def xclbin_of(data: bytes) -> bytes:
    good = pdi.write_pdi([cdo.write_cdo([cdo.Nop(), cdo.Fill(0x220000, 1, 7)])])
    made = xclbin.write_xclbin([xclbin.XclbinKernel(good)], 1, [0], [])
    assert made.count(good) == 1
    return made.replace(good, pdi_of(data))


def test_many_commands_on_one_program_memory_take_one_look_each():
    """Pieces of a program were compared with all others: the square of their number."""
    commands = [cdo.Write(0x220000 + 4 * (i % 4096), i) for i in range(12_288)]
    pieces = program_pieces(commands)[0, 2]
    assert len(pieces) == 4096
    assert pieces[0] == (0, (8192).to_bytes(4, "little"))


def test_pieces_are_what_one_command_wrote():
    commands = [
        cdo.BlockWrite(0x220000, b"a" * 32),
        cdo.Write(0x220008, 0x62626262),
        cdo.Fill(0x22001C, 2, 0),
    ]
    assert program_pieces(commands)[0, 2] == [
        (0, b"a" * 8), (8, b"b" * 4), (12, b"a" * 16), (28, bytes(8)),
    ]  # fmt: skip


def test_pdis_upon_each_other_are_counted_as_often_as_they_are_named():
    section = next(s for s in xclbin.read_xclbin(container(), "x").sections if s.kind == xclbin.AIE_PARTITION)
    count, offset = (int.from_bytes(section.data[at : at + 4], "little") for at in (0x78, 0x7C))
    assert count == 1
    entry = section.data[offset : offset + 96]
    data = bytearray(section.data) + entry * 200
    data[0x78:0x80] = (200).to_bytes(4, "little") + len(section.data).to_bytes(4, "little")
    assert len(read_aie_partition(bytes(data), "x").pdis) == 200
    whole = container().replace(section.data, bytes(data))
    with pytest.raises(UserError):
        read_design(whole, "x")


def test_a_verb_says_so_with_exit_code_2(tmp_path, capsys):
    path = tmp_path / "x.pdi"
    path.write_bytes(pdi_of(b""))
    for verb in ("inspect", "disasm"):
        assert main([verb, str(path)]) == 2
        assert "a tile has 262144 at most" in capsys.readouterr().err
