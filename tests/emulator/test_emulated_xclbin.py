"""From an XCLBIN: PDI, core modules, kernels by name."""

from __future__ import annotations

import pytest
from array_program import Program, Sequence
from hypothesis import given, settings
from hypothesis import strategies as st
from test_passthrough import passthrough, sequence

from npuninja.emulator import EmulationError, Emulator, NotModelled
from npuninja.errors import UserError
from npuninja.formats.cdo import Nop, write_cdo
from npuninja.formats.pdi import write_pdi
from npuninja.formats.xclbin import XclbinKernel, write_xclbin


def pdi(program: Program) -> bytes:
    return write_pdi([write_cdo([Nop(), *program.commands])])


def test_cores_come_from_the_xclbin() -> None:
    program = passthrough(64)
    xclbin = write_xclbin([XclbinKernel(pdi(program))], 1, [1, 2, 3, 4], list(program.modules.values()))
    with Emulator.from_xclbin(xclbin) as npu:
        assert npu.columns == 1
        source, dest = npu.allocate(640), npu.allocate(640)
        source.view[:] = bytes(range(160)) * 4
        npu.run(sequence(160), [source, dest])
        assert dest.view[:] == source.view[:]


def test_module_missing_in_the_xclbin() -> None:
    xclbin = write_xclbin([XclbinKernel(pdi(passthrough(64)))], 1, [1])
    with pytest.raises(UserError, match=r"the module of core \(0, 2\) is missing"):
        Emulator.from_xclbin(xclbin)


def test_aie_cores_are_refused() -> None:
    program = Program()
    program.mask(0, 2, 0x32000, 1, 1)
    with pytest.raises(NotModelled) as caught:
        Emulator.from_xclbin(write_xclbin([XclbinKernel(pdi(program))], 1, [1]))
    assert caught.value.hint == "load a program first; an XCLBIN with wasm cores leaves its cores in reset"


def test_kernel_by_name() -> None:
    kernels = []
    for number, name in enumerate(("one", "two")):
        program = Program()
        program.write(0, 2, 0x100, number + 1)
        kernels.append(XclbinKernel(pdi(program), name, name.upper(), 0x901 + number))
    xclbin = write_xclbin(kernels, 1, [1])
    nothing = Sequence()
    nothing.write(0, 0)
    for kernel, value in ((None, 1), ("one", 1), ("two", 2)):
        with Emulator.from_xclbin(xclbin, kernel=kernel) as npu:
            npu.run(nothing.bytes(), [])
            assert npu.read32(2 << 20 | 0x100) == value
    with pytest.raises(UserError, match="no kernel 'three'") as caught:
        Emulator.from_xclbin(xclbin, kernel="three")
    assert caught.value.hint == "kernels in it: one, two"


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_damaged_files_give_errors_that_people_can_read(data) -> None:
    program = passthrough(64)
    xclbin = bytearray(write_xclbin([XclbinKernel(pdi(program))], 1, [1], list(program.modules.values())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, 0x400), st.integers(0, len(xclbin) - 1)))
        xclbin[at] = data.draw(st.integers(0, 255))
    text = ""
    try:
        Emulator.from_xclbin(bytes(xclbin)).close()
    except (UserError, EmulationError) as error:
        text = error.render()
    assert "Traceback" not in text


def test_other_xclbins_are_refused() -> None:
    data = bytearray(write_xclbin([XclbinKernel(pdi(Program()))], 1, [1]))
    data[0x1C8 + 40] = 99  # the kind of the section AIE_PARTITION
    with pytest.raises(UserError, match="no section AIE_PARTITION"):
        Emulator.from_xclbin(bytes(data))
