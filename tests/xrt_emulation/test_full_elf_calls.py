"""Calls of full ELFs on the emulated driver: what XRT fills in and submits, without XRT."""

import io
import struct

import numpy as np
import pytest
from driver_client import IOCTLS
from emulator.array_program import Program, Sequence

from npuninja.arch.registers import tile_address
from npuninja.formats import cdo, txn
from npuninja.formats.control_code_elf import SHIM_ADDRESS
from npuninja.formats.emulation_data import write_emulation_data
from npuninja.formats.full_elf import FullInstance, FullKernel, with_emulation_data, write_full_elf
from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.formats.instruction_elf import relocated
from npuninja.formats.pdi import write_pdi
from npuninja.xrt_emulation import amdxdna, packets
from npuninja.xrt_emulation.core_modules import CoreModules
from npuninja.xrt_emulation.driver import DeviceFile
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.wire import Request

PLACE = tile_address(0, 2, 0x400)
HOST_BASE = 0x80000000


def configuration(*more):
    p = Program()
    p.circuit((0, 0, "DMA", 0), [], ("DMA", 0))
    return write_pdi([cdo.write_cdo([*p.commands, *more])])


def sequence(words, *first):
    s = Sequence(generation=4)
    s.operations += first
    s.transfer(0, "S2MM", 0, 1, 1, words)
    s.transfer(0, "MM2S", 0, 0, 0, words, offset=16)
    s.sync(0, "S2MM", 0)
    return s.bytes()


def made(*instances):
    pdis = ((1, configuration(cdo.Write(PLACE, 5))), (2, configuration()))
    return write_full_elf([FullKernel("main", 3, pdis, instances)])


class Caller:
    """A program that has made a context of a full ELF, and XRT in one."""

    def __init__(self, model, elf):
        self.log = io.StringIO()
        self.npu = Npu(MODELS[model], Journal(self.log), 5.0)
        self.file = DeviceFile(self.npu, 1)
        self.elf = read_full_elf(elf, "x.elf")
        self.create(amdxdna.BO_DEV_HEAP, amdxdna.HEAP_BYTES)
        fields = self.call(amdxdna.CREATE_HWCTX, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0)
        self.context = fields[9]
        self.command = self.create(amdxdna.BO_CMD, 4096)
        self.pdis = {number: self.filled(amdxdna.BO_DEV, image) for number, image in self.elf.pdis.items()}
        self.scratchpad = self.create(amdxdna.BO_DEV, 128)

    def call(self, operation, *fields, pointed=b""):
        layout = IOCTLS[operation]
        return layout.unpack(self.file.ioctl(Request(operation, layout.pack(*fields), pointed, -1))[0])

    def create(self, kind, size):
        return self.call(amdxdna.CREATE_BO, 0, 0, size, kind, 0)[4]

    def filled(self, kind, data):
        handle = self.create(kind, len(data))
        self.write(handle, data)
        return handle

    def buffer(self, handle):
        return self.file._buffers.get(handle)

    def write(self, handle, data):
        self.file.memory.write(self.buffer(handle).offset, data)

    def read(self, handle, nbytes):
        return self.file.memory.read(self.buffer(handle).offset, nbytes)

    def run(self, instance, *data, opcode=22, save_bytes=0):
        """Fills the addresses in as XRT does, and submits the call; returns the command's state."""
        found = next(i for k in self.elf.kernels for i in k.instances if i.name == instance)
        text, places = relocated(found.stream, instance, 0)
        text = bytearray(text)
        for place in places:
            if place.kind == SHIM_ADDRESS:
                address = self.buffer(data[int(place.symbol)]).address + place.addend_bytes + HOST_BASE
                low, high = struct.unpack_from("<2I", text, place.offset + 4)
                struct.pack_into(
                    "<2I", text, place.offset + 4, low | address & 0xFFFFFFFC, high | address >> 32
                )
            else:
                pdi = place.symbol.removeprefix(".pdi.")
                handle = self.pdis[int(pdi)] if pdi.isdigit() else self.scratchpad
                struct.pack_into("<Q", text, place.offset, self.buffer(handle).address)
        insts = self.filled(amdxdna.BO_DEV, bytes(text))
        call = struct.pack("<3Q4I", self.buffer(insts).address, 0, 0, len(text), save_bytes, 0, 0)
        self.write(self.command, struct.pack("<2I", opcode << 23 | (len(call) // 4 + 1) << 12 | 1, 0) + call)
        exec_fields = (0, 0, self.context, amdxdna.SUBMIT_EXEC_BUF, 0, 0, 1, 0, 0)
        seq = self.call(amdxdna.EXEC_CMD, *exec_fields, pointed=struct.pack("<I", self.command))[8]
        context = self.file._contexts[self.context]
        while context.completed < seq:
            context._thread.join(0.0005)
        return self.read(self.command, 1)[0] & 0xF

    def close(self):
        self.file.close()
        self.npu.close()


@pytest.fixture
def caller():
    """Makes a Caller, which is closed at the end."""
    made_here = []

    def make(elf, model="npu2"):
        made_here.append(Caller(model, elf))
        return made_here[-1]

    yield make
    for one in made_here:
        one.close()


def test_a_sequence_loads_its_configuration_and_moves_data(caller):
    program = caller(made(FullInstance("run", sequence(64, txn.LoadPdi(1, 0, 0)))))
    source = program.filled(amdxdna.BO_SHARE, np.arange(68, dtype="<i4").tobytes())
    target = program.create(amdxdna.BO_SHARE, 256)
    assert program.run("run", source, target) == packets.STATE_COMPLETED, program.log.getvalue()
    assert program.read(target, 256) == np.arange(4, 68, dtype="<i4").tobytes()
    assert program.log.getvalue() == ""
    assert program.run("run", source, target) == packets.STATE_COMPLETED
    assert "load PDI 1 right after itself, which an NPU's firmware leaves out" in program.log.getvalue()


def test_the_scratchpad_may_be_in_the_heap_and_memories_begin_with_zeros(caller):
    scratch = (txn.LoadPdi(2, 0, 0), txn.CreateScratchpad(0, 8, 0), txn.UpdateFromScratchpad(1, 1, 0, PLACE))
    program = caller(made(FullInstance("run", sequence(4, *scratch))))
    data = [program.create(amdxdna.BO_SHARE, 256) for _ in range(2)]
    program.write(program.scratchpad, struct.pack("<2I", 1, 168))
    assert program.run("run", *data) == packets.STATE_COMPLETED, program.log.getvalue()
    array = program.file._contexts[program.context]._array
    assert array._emulator.read32(PLACE) == 168


def test_many_transfers_of_one_buffer_are_one_argument(caller):
    s = Sequence(generation=4)
    s.operations.append(txn.LoadPdi(1, 0, 0))
    for number in range(80):
        s.transfer(0, "S2MM", 0, 1, 1, 4, offset=16 * number)
        s.transfer(0, "MM2S", 0, 0, 0, 4, offset=16 * number)
        s.sync(0, "S2MM", 0)
    program = caller(made(FullInstance("run", s.bytes())))
    content = np.arange(320, dtype="<i4").tobytes()
    source, target = program.filled(amdxdna.BO_SHARE, content), program.create(amdxdna.BO_SHARE, 1280)
    assert program.run("run", source, target) == packets.STATE_COMPLETED, program.log.getvalue()
    assert program.read(target, 1280) == content


def test_what_the_emulated_npu_does_not_honour_is_an_error(caller):
    program = caller(made(FullInstance("run", sequence(64))))
    data = [program.create(amdxdna.BO_SHARE, 512) for _ in range(2)]
    assert program.run("run", *data, save_bytes=16) == packets.STATE_ERROR
    assert "saves and restores the array" in program.log.getvalue()
    assert program.run("run", *data, opcode=21) == packets.STATE_ERROR
    # Nothing has configured the array, so nothing arrives.
    assert program.run("run", *data) == packets.STATE_TIMEOUT
    assert "nothing has configured the array" in program.log.getvalue()


def test_a_pdi_that_is_nowhere_or_damaged_is_an_error(caller):
    program = caller(made(FullInstance("run", sequence(64, txn.LoadPdi(1, 0, 0)))))
    data = [program.create(amdxdna.BO_SHARE, 512) for _ in range(2)]
    program.write(program.pdis[1], b"x" * 16)
    assert program.run("run", *data) == packets.STATE_ERROR
    assert "not a PDI" in program.log.getvalue()
    program.call(amdxdna.GEM_CLOSE, program.pdis.pop(1), 0)
    program.pdis[1] = program.create(amdxdna.BO_SHARE, 4096)
    assert program.run("run", *data) == packets.STATE_ERROR


def test_the_first_npu_takes_none(caller):
    program = caller(made(FullInstance("run", sequence(64, txn.LoadPdi(1, 0, 0)))), "npu1")
    data = [program.create(amdxdna.BO_SHARE, 512) for _ in range(2)]
    assert program.run("run", *data) == packets.STATE_ERROR
    assert "the driver of npu1 takes no full ELF" in program.log.getvalue()


def test_modules_come_with_the_file(tmp_path):
    path = tmp_path / "x.elf"
    module = b"\0asm\1\0\0\0"
    path.write_bytes(
        with_emulation_data(made(FullInstance("run", sequence(4))), write_emulation_data([module]))
    )
    modules = CoreModules()
    with open(path, "rb") as file:
        modules.add(file.fileno())
    assert list(modules.all().values()) == [module]
