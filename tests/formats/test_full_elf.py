"""Full ELFs: the bytes that aiebu-asm gives, what it cannot or must not say, and damaged ones."""

import hashlib
import json
import os
import random
import struct

import pytest
from conftest import TESTS
from full_elf_specs import alone, alone_by_aiebu, alone_here, by_aiebu, made_here, spec
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.detect.aiebu import AIEBU_ASM
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import surroundings_of
from npuninja.detect.probe import probe
from npuninja.detect.tool import FoundTool
from npuninja.errors import UserError
from npuninja.formats.elf import read_elf
from npuninja.formats.full_elf import FullInstance, FullKernel, without_late_offsets, write_full_elf
from npuninja.formats.full_elf_reader import MAX_SECTIONS, read_full_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.formats.txn import (
    AddressPatch,
    BlockWrite,
    LoadPdi,
    Preempt,
    Transaction,
    Write,
    read_txn,
    write_txn,
)
from npuninja.install.folder import installed_program

#: SHA-256 of what aiebu-asm 1.0.0 (XRT 2.25) makes of the specs of these seeds.
REAL = json.loads((TESTS / "formats" / "data" / "full_elf.json").read_text())["sha256"]


def stream(*operations, columns=1):
    return write_txn(Transaction(4, 6, columns, 1, operations))


PLAIN = stream(Write(4, 5))
DESCRIPTOR = BlockWrite(0x1D000, struct.pack("<8I", 64, 0, 0, 0, 0, 0, 0, 1 << 25))


def kernel(name="k", *instances, pdis=()):
    return FullKernel(name, 3, tuple(pdis), instances or (FullInstance("s", PLAIN),))


@pytest.fixture(scope="session")
def aiebu(tmp_path_factory):
    """An aiebu-asm that runs here."""
    surroundings = surroundings_of(dict(os.environ), {})
    cache = ProbeCache(str(tmp_path_factory.mktemp("aiebu") / "cache.json"))
    outcome = probe([AIEBU_ASM], surroundings, cache)[AIEBU_ASM.name]
    own = installed_program(os.environ, "aiebu", "aiebu-asm")
    if not isinstance(outcome, FoundTool) and not os.path.isfile(own):
        pytest.skip("no aiebu-asm is here")
    return outcome.path if isinstance(outcome, FoundTool) else own


@pytest.mark.parametrize("seed", sorted(REAL))
def test_bytes_are_those_of_aiebu_asm(seed):
    assert hashlib.sha256(made_here(int(seed))).hexdigest() == REAL[seed]


def test_a_file_with_control_packets_and_a_scratchpad_is_among_them():
    made = [read_full_elf(made_here(int(seed)), seed) for seed in REAL]
    instances = [i for file in made for k in file.kernels for i in k.instances]
    assert any(i.control_argument >= 0 for i in instances)
    names = {type(op).__name__ for i in instances for op in read_txn(i.stream).operations}
    assert {"CreateScratchpad", "LoadPdi", "AddressPatch", "UpdateFromScratchpad"} <= names


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_aiebu_asm_makes_the_same_now(seed, aiebu, tmp_path):
    assert made_here(seed) == by_aiebu(aiebu, spec(seed), tmp_path)


ALONE = json.loads((TESTS / "formats" / "data" / "full_elf.json").read_text())["instructions"]


@pytest.mark.parametrize("seed", sorted(ALONE))
def test_instructions_alone_are_those_of_aiebu_asm_with_control_packets_too(seed):
    assert hashlib.sha256(alone_here(alone(int(seed)))).hexdigest() == ALONE[seed]
    assert (alone(int(seed)).control_argument >= 0) == bool(int(seed) % 2)


@pytest.mark.parametrize("seed", range(20, 26))
def test_aiebu_asm_makes_the_same_of_instructions_alone_now(seed, aiebu, tmp_path):
    assert alone_here(alone(seed)) == alone_by_aiebu(aiebu, alone(seed), tmp_path)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9))
def test_what_is_written_is_read(seed):
    kernels = spec(seed)
    read = read_full_elf(write_full_elf(kernels), "x.elf")
    assert read.columns == read_txn(kernels[0].instances[0].stream).columns
    assert read.pdis == {number: image for k in kernels for number, image in k.pdis}
    assert {k.name: k.arguments for k in read.kernels} == {k.name: k.arguments for k in kernels}
    for k in read.kernels:
        meant = next(m for m in kernels if m.name == k.name)
        assert [i.name for i in k.instances] == sorted(i.name for i in meant.instances)
        for i in k.instances:
            wanted = next(m for m in meant.instances if m.name == i.name)
            assert (i.control_packets, i.control_argument) == (
                wanted.control_packets,
                wanted.control_argument,
            )
            assert _without_addresses(i.stream) == _without_addresses(wanted.stream)


def _without_addresses(text):
    """The operations, with the address in each descriptor left out."""
    return [
        op._replace(data=b"" if isinstance(op, BlockWrite) else op.data) if hasattr(op, "data") else op
        for op in read_txn(text).operations
    ]


BAD = {
    "needs kernels, and each of them a runtime sequence": [],
    "loads PDI 4, and the kernel has 3": [
        kernel("k", FullInstance("s", stream(LoadPdi(4, 0, 0))), pdis=[(3, b"x" * 16)])
    ],
    "a preemption point": [kernel("k", FullInstance("s", stream(Preempt(1))))],
    "is for 1 columns and k:t for 2": [
        kernel("k", FullInstance("s", PLAIN), FullInstance("t", stream(Write(4, 5), columns=2)))
    ],
    "as the name of a kernel": [kernel("1k")],
    "'a:b' as the name": [kernel("k", FullInstance("a:b", PLAIN))],
    "cannot tell a:bc and ab:c": [
        kernel("a", FullInstance("bc", PLAIN)),
        kernel("ab", FullInstance("c", PLAIN)),
    ],
    "two kernels called k": [kernel("k"), kernel("k", FullInstance("t", PLAIN))],
    "two different PDIs have the number 1": [
        kernel("k", pdis=[(1, b"x" * 16)]),
        kernel("l", pdis=[(1, b"y" * 16)]),
    ],
    "two address patches fill in the descriptor at byte 32": [
        kernel(
            "k",
            FullInstance("s", stream(DESCRIPTOR, AddressPatch(0x1D004, 0, 0), AddressPatch(0x1D004, 1, 0))),
        )
    ],
    "which no block write before it has set": [
        kernel("k", FullInstance("s", stream(AddressPatch(0x1D004, 0, 0))))
    ],
}


@pytest.mark.parametrize("message", BAD)
def test_what_a_full_elf_cannot_say_is_refused(message):
    with pytest.raises(UserError) as found:
        write_full_elf(BAD[message])
    assert message in found.value.message


def test_late_arguments_are_as_all_others():
    """With an XCLBIN the stream adds what the firmware adds to the first five arguments' addresses."""
    before = stream(
        DESCRIPTOR, AddressPatch(0x1D004, 4, 0x80000010 & 0x7FFFFFFF), AddressPatch(0x1D004, 5, 0x80000010)
    )
    after = [op for op in read_txn(without_late_offsets(before)).operations if isinstance(op, AddressPatch)]
    assert [(op.argument, op.offset_bytes) for op in after] == [(4, 0x10), (5, 0x10)]
    assert without_late_offsets(without_late_offsets(before)) == without_late_offsets(before)


def test_relocations_that_the_instructions_do_not_have_are_refused():
    """XRT goes by the relocations; the array, by the instructions."""
    made = bytearray(
        write_full_elf([kernel("k", FullInstance("s", stream(DESCRIPTOR, AddressPatch(0x1D004, 1, 8))))])
    )
    elf = read_elf(bytes(made), "x.elf")
    table = elf.section(".rela.dyn").data
    struct.pack_into("<i", made, bytes(made).index(table) + 8, 12)
    with pytest.raises(UserError, match="not those of its instructions"):
        read_full_elf(bytes(made), "x.elf")


def test_an_elf_of_instructions_alone_is_not_taken_for_one():
    with pytest.raises(UserError, match="not a full ELF"):
        read_full_elf(write_instruction_elf(PLAIN), "x.elf")
    with pytest.raises(UserError, match="loads PDI 7, and an ELF of instructions alone has no PDIs"):
        write_instruction_elf(stream(LoadPdi(7, 0, 0)))


def test_sections_are_counted_and_do_not_lie_on_each_other():
    made = bytearray(write_full_elf([kernel()]))
    (table,) = struct.unpack_from("<I", made, 32)
    large = bytearray(made)
    struct.pack_into("<H", large, 48, MAX_SECTIONS + 1)
    with pytest.raises(UserError, match=f"at most {MAX_SECTIONS} are read"):
        read_full_elf(bytes(large), "x.elf")
    for number in range(1, 8):
        struct.pack_into("<2I", made, table + 40 * number + 16, 0, len(made) - 1)
    with pytest.raises(UserError, match="its sections have"):
        read_full_elf(bytes(made), "x.elf")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**9))
def test_damaged_files_are_refused_or_read(seed, choice):
    made = bytearray(made_here(seed))
    rng = random.Random(choice)
    for _ in range(rng.randrange(1, 4)):
        if rng.randrange(4):
            place = rng.randrange(len(made) // 4) * 4
            struct.pack_into("<I", made, place, rng.choice((0, 1, rng.getrandbits(8), 0xFFFFFFFF, len(made))))
        else:
            del made[rng.randrange(1, len(made)) :]
            made += bytes(-len(made) % 4)
        if len(made) < 8:
            break
    said = None
    try:
        read = read_full_elf(bytes(made), "x.elf")
    except UserError as error:
        said = error.render()
    assert "x.elf" in said if said else all(k.instances for k in read.kernels)
