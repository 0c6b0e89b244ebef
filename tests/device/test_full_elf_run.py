"""`npuninja run FILE.elf`: sequences of a full ELF on the emulated array, without XRT."""

import json
import struct

import numpy as np
import pytest
from emulator.array_program import Program, Sequence

from npuninja.arch.registers import tile_address
from npuninja.device.runner import main
from npuninja.formats import cdo, txn
from npuninja.formats.full_elf import FullInstance, FullKernel, write_full_elf
from npuninja.formats.pdi import write_pdi

PLACE = tile_address(0, 2, 0x400)


def copying(source, target, words, *first):
    s = Sequence(generation=4)
    s.operations += [txn.LoadPdi(1, 0, 0), *first]
    s.transfer(0, "S2MM", 0, 1, target, words)
    s.transfer(0, "MM2S", 0, 0, source, words)
    s.sync(0, "S2MM", 0)
    plain = [
        op._replace(offset_bytes=op.offset_bytes & 0x7FFFFFFF) if isinstance(op, txn.AddressPatch) else op
        for op in s.operations
    ]
    return txn.write_txn(txn.Transaction(4, 6, 1, 1, tuple(plain)))


def scratch(words):
    """Moves the first transfer's source by a number of the scratchpad."""
    stream = txn.read_txn(copying(0, 1, words, txn.CreateScratchpad(0, 8, 0)))
    operations = list(stream.operations)
    patches = [n for n, op in enumerate(operations) if isinstance(op, txn.AddressPatch)]
    operations.insert(patches[1] + 1, txn.UpdateFromScratchpad(1, 0, 4, operations[patches[1]].address))
    return txn.write_txn(stream._replace(operations=tuple(operations)))


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    p = Program()
    p.circuit((0, 0, "DMA", 0), [], ("DMA", 0))
    pdis = ((1, write_pdi([cdo.write_cdo(p.commands)])),)
    packets = np.arange(100, 108, dtype="<i4").tobytes()
    instances = (
        FullInstance("plain", copying(0, 1, 8)),
        FullInstance("late", copying(6, 2, 8)),
        FullInstance("packets", copying(1, 2, 8), packets, 1),
        FullInstance("scratch", scratch(4)),
    )
    path = tmp_path_factory.mktemp("elf") / "x.elf"
    path.write_bytes(write_full_elf([FullKernel("main", 7, pdis, instances)]))
    return path


def run(elf, tmp_path, capsys, kernel, words, *more):
    """Runs with inputs of numbers from 10 · place on; gives the last buffer."""
    content = []
    for place, word in enumerate(words):
        if word == "in":
            (tmp_path / f"{place}.bin").write_bytes(
                np.arange(10 * place, 10 * place + 8, dtype="<i4").tobytes()
            )
            content += ["--input", str(tmp_path / f"{place}.bin")]
        else:
            content += ["--output", f"32:{tmp_path / 'out.bin'}"]
    code = main([str(elf), "--kernel", kernel, "--json", *content, *more])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["status"], said["emulated"]) == (0, "ok", True), said
    return np.frombuffer((tmp_path / "out.bin").read_bytes(), "<i4").tolist()


def test_a_sequence_is_chosen_and_run(elf, tmp_path, capsys):
    assert run(elf, tmp_path, capsys, "main:plain", ["in", "out"]) == [*range(8)]
    late = ["in", "in", "out", "in", "in", "in", "in"]
    assert run(elf, tmp_path, capsys, "main:late", late) == [*range(60, 68)]


def test_control_packets_are_no_argument(elf, tmp_path, capsys):
    """The program passes the arguments around them; XRT gives them a buffer."""
    assert run(elf, tmp_path, capsys, "main:packets", ["in", "out"]) == [*range(100, 108)]


def test_the_scratchpad_is_a_file(elf, tmp_path, capsys):
    (tmp_path / "s.bin").write_bytes(struct.pack("<2I", 9, 3))
    more = ("--scratchpad", str(tmp_path / "s.bin"))
    assert run(elf, tmp_path, capsys, "main:scratch", ["in", "out"], *more)[:4] == [3, 4, 5, 6]
    assert run(elf, tmp_path, capsys, "main:scratch", ["in", "out"])[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kernel", "none"], "has no sequence 'none'"),
        ([], "has 4 sequences"),
        (["--kernel", "main:plain"], "plain takes 2 buffers, 0 are given"),
        (["--kernel", "main:packets"], "packets takes 2 buffers, 0 are given"),
    ],
)
def test_what_a_run_cannot_know_is_asked_for(elf, capsys, words, said):
    assert main([str(elf), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "main:plain" in error or "--input" in error


def test_an_elf_of_another_kind_is_said(tmp_path, capsys):
    (tmp_path / "core.elf").write_bytes(b"\x7fELF\1\1\1" + bytes(60))
    assert main([str(tmp_path / "core.elf")]) == 2
    assert "not a full ELF" in capsys.readouterr().err
