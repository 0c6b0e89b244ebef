"""A real NPU as a device, through XRT's Python binding.

This is known to work on hardware: register the XCLBIN, make a hardware context, take the kernel by name;
instructions in a cacheable buffer of group 1, data in host-only buffers of groups 3 and up; call with opcode
3, the instructions, their number of words, and the buffers.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, Sequence

from npuninja.device import xrt_messages
from npuninja.device.api import Buffer, Capabilities, Device, Program, StartedRuns
from npuninja.device.npu_match import check_match
from npuninja.device.xrt_messages import translating
from npuninja.device.xrt_runs import XrtCall, XrtRuns
from npuninja.errors import InternalError, Location, NoDevice, UserError
from npuninja.formats.xclbin import EMULATION_DATA

INSTRUCTION_GROUP = 1  # kernel argument numbers: 0 opcode, 1 instructions, 2 number of words, 3… data
FIRST_DATA_GROUP = 3
_CANNOT_LOAD = "cannot load the design"


class XrtBuffer:
    """A buffer object of XRT."""

    def __init__(self, handle: Any, nbytes: int) -> None:
        self.handle = handle
        self._view = memoryview(handle.map()).cast("B")
        self.nbytes = nbytes

    @property
    def view(self) -> memoryview:
        """The mapped content; the object may be larger than what was asked for."""
        return self._view[: self.nbytes]


class XrtDevice(Device):
    """The first NPU of the machine."""

    def __init__(self, pyxrt: ModuleType, handle: Any) -> None:
        self.capabilities: Capabilities = capabilities()
        self._pyxrt: Any = pyxrt
        self._device = handle
        self._context: Any = None
        self._calls: list[tuple[Any, Any, int]] = []  # kernel, instructions, their words: of each program
        self._kernels: dict[str, Any] = {}
        self._names: list[str] = []
        self._most_buffers = 0
        self._is_full_elf = False
        self._in_flight: set[XrtRuns] = set()

    def load(self, program: Program) -> None:
        """Registers the XCLBIN, makes a context, and puts the instructions in place."""
        pyxrt = self._pyxrt
        refuse_emulated(program)
        check_match(self._device.get_info(pyxrt.xrt_info_device.name), program)
        if loads_pdi(program):
            self._load_full_elf(program)
            return
        with translating(f"cannot read {program.xclbin_path}"):
            xclbin = pyxrt.xclbin(program.xclbin_path)
            self._names = [kernel.get_name() for kernel in xclbin.get_kernels()]
        _name_of(program, self._names)
        with translating(_CANNOT_LOAD):
            self._device.register_xclbin(xclbin)
            self._context = pyxrt.hw_context(self._device, xclbin.get_uuid())
        self.add(program)

    def add(self, program: Program) -> int:
        """Takes a kernel of the context, and puts the instructions in place."""
        if self._is_full_elf:
            _check_full_elf(program)
            return self._add_of_full_elf(program)
        if loads_pdi(program):
            raise UserError(
                f"{program.full_elf_kernel or program.kernel} loads configurations while it runs, "
                "and what was loaded before it is an XCLBIN",
                hint="run it alone, with --kernel and --sequence",
            )
        pyxrt, name = self._pyxrt, _name_of(program, self._names)
        self._most_buffers = max(self._most_buffers, buffers_of_kernel(program))
        with translating(_CANNOT_LOAD):
            if name not in self._kernels:
                self._kernels[name] = pyxrt.kernel(self._context, name)
            kernel = self._kernels[name]
            group = kernel.group_id(INSTRUCTION_GROUP)
            instructions = pyxrt.bo(self._device, len(program.insts), pyxrt.bo.cacheable, group)
        self._calls.append((kernel, instructions, len(program.insts) // 4))
        self._write(len(self._calls) - 1, program.insts)
        return len(self._calls) - 1

    def _load_full_elf(self, program: Program) -> None:
        """A context of a full ELF, whose sequences load the configurations by themselves."""
        _check_full_elf(program)
        try:
            with translating(f"cannot load {program.full_elf}"):
                self._context = self._pyxrt.hw_context(self._device, self._pyxrt.elf(program.full_elf))
        except (AttributeError, TypeError) as error:
            raise UserError(
                "this pyxrt makes no context of an ELF, "
                "and the instruction stream loads a configuration (load_pdi)",
                hint="use XRT 2.20 or newer, or run it on the emulated array (--device emu)",
            ) from error
        self._is_full_elf = True
        self._add_of_full_elf(program)

    def _add_of_full_elf(self, program: Program) -> int:
        name = program.full_elf_kernel
        with translating(_CANNOT_LOAD):
            if name not in self._kernels:
                self._kernels[name] = self._pyxrt.ext.kernel(self._context, name)
        self._calls.append((self._kernels[name], None, 0))
        return len(self._calls) - 1

    def instruct(self, insts: bytes) -> None:
        """Writes the instructions into their buffer."""
        if self._is_full_elf:
            raise UserError(
                "the instructions of a full ELF cannot be changed", hint="measure it without --model"
            )
        self._write(0, insts)

    def _write(self, number: int, insts: bytes) -> None:
        _, instructions, words = self._calls[number]
        if len(insts) != 4 * words:
            raise InternalError(f"{len(insts)} bytes of instructions, the buffer holds {4 * words}")
        with translating(_CANNOT_LOAD):
            instructions.write(insts, 0)
            instructions.sync(self._pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE)

    def allocate(self, nbytes: int, position: int) -> XrtBuffer:
        """A host-only buffer in the group of its argument."""
        if not self._calls:
            raise InternalError("allocate before load")
        if not self._is_full_elf and position >= self._most_buffers:
            raise UserError(
                f"the design has more than {self._most_buffers} arguments, "
                "which is all that the kernel of this XCLBIN takes",
                hint="build the design again, or put several arrays into one argument",
            )
        with translating(f"cannot allocate {nbytes} bytes"):
            if self._is_full_elf:
                return XrtBuffer(self._pyxrt.ext.bo(self._device, nbytes), nbytes)
            group = self._calls[0][0].group_id(FIRST_DATA_GROUP + position)
            return XrtBuffer(self._pyxrt.bo(self._device, nbytes, self._pyxrt.bo.host_only, group), nbytes)

    def start(self, runs: Sequence[Sequence[Buffer]], programs: Sequence[int] = ()) -> StartedRuns:
        """Starts the runs. All buffers go to the device first, inputs and the prepared outputs alike."""
        handles = [[buffer.handle for buffer in buffers if isinstance(buffer, XrtBuffer)] for buffers in runs]
        if [len(row) for row in handles] != [len(buffers) for buffers in runs]:
            raise InternalError("a buffer of another device")
        if not self._calls:
            raise InternalError("start before load")
        calls = [
            XrtCall(*self._calls[number], row) for number, row in zip(programs or [0] * len(runs), handles)
        ]
        started = XrtRuns(self._pyxrt, self._context, calls)
        self._in_flight.add(started)
        started.begin()
        return StartedRuns(started.way, started)

    def wait(self, started: StartedRuns, time_limit_s: float) -> float:
        """Waits for their states, and brings the buffers' content back."""
        runs: XrtRuns = started.handle
        seconds = runs.wait(time_limit_s)
        self._in_flight.discard(runs)
        return seconds

    def remarks(self) -> list[str]:
        """An NPU says nothing but the state."""
        return []

    def report(self) -> None:
        """An NPU says nothing but the state."""

    def close(self) -> None:
        """Drops the handles; XRT frees what they hold. The context goes last: the others belong to it."""
        for runs in self._in_flight:
            runs.keep_for_ever()
        self._in_flight.clear()
        self._calls.clear()
        self._kernels.clear()
        self._context = None


def _name_of(program: Program, names: Sequence[str]) -> str:
    """What XRT calls a program's kernel; it appends the instance: "MLIR_AIE:MLIRAIE"."""
    name = next((n for n in names if n.split(":")[0] == program.kernel), None)
    if name is None:
        raise UserError(
            f"the XCLBIN has no kernel {program.kernel}, it has {', '.join(names) or 'none'}",
            Location(program.xclbin_path),
            hint="build the design again; the manifest names the kernel",
        )
    return name


def loads_pdi(program: Program) -> bool:
    """Whether the stream loads a configuration.

    A stream that is not TXN is left to the NPU: its firmware knows other kinds, and says itself what it
    cannot run.
    """
    from npuninja.formats.txn import LoadPdi, read_txn

    try:
        operations = read_txn(program.insts).operations
    except UserError:
        return False
    return any(isinstance(operation, LoadPdi) for operation in operations)


def _check_full_elf(program: Program) -> None:
    """Raises UserError when a stream loads a configuration and the build made no full ELF."""
    if not program.full_elf:
        raise UserError(
            "the instruction stream loads a configuration while it runs (load_pdi), and beside an XCLBIN an "
            "NPU cannot: XRT puts the address of a PDI into the stream of a full ELF only",
            Location(program.xclbin_path),
            hint="say full-elf = true in [design.NAME] and build it again, "
            "or run it on the emulated array (--device emu)",
        )


def buffers_of_kernel(program: Program) -> int:
    """How many buffers a call of the kernel takes, by the XCLBIN. Raises UserError when it is damaged."""
    from npuninja.formats.xclbin import EMBEDDED_METADATA, read_xclbin
    from npuninja.formats.xclbin_sections import LEAST_BUFFERS, read_embedded_metadata

    section = read_xclbin(program.xclbin, program.xclbin_path).section(EMBEDDED_METADATA)
    for kernel in read_embedded_metadata(section.data, program.xclbin_path) if section else ():
        if kernel.name == program.kernel:
            return len(kernel.arguments) - FIRST_DATA_GROUP
    return LEAST_BUFFERS


def is_emulated() -> bool:
    """Whether this process runs under `npuninja emu`: what XRT finds then is an emulated NPU."""
    return "NPUNINJA_EMU_SOCKET" in os.environ


def capabilities() -> Capabilities:
    """What the answers of the NPU are worth that XRT finds."""
    if is_emulated():
        return Capabilities("npu", "emulated", "emulated NPU through XRT (npuninja emu)")
    return Capabilities("npu", "measured", "NPU through XRT")


def refuse_emulated(program: Program) -> None:
    """Raises UserError for a design with wasm cores, which no NPU can run but an emulated one."""
    from npuninja.formats.emulation_data import read_family
    from npuninja.formats.xclbin import read_xclbin

    if is_emulated():
        return
    section = read_xclbin(program.xclbin, program.xclbin_path).section(EMULATION_DATA)
    if program.core_kind == "wasm" or (section and not read_family(section.data)):
        raise UserError(
            "the XCLBIN has wasm cores, which run on the emulated array only",
            Location(program.xclbin_path),
            hint="run it with --device emu, or build the design with the core kind of this NPU",
        )


def open_with(pyxrt: ModuleType) -> XrtDevice:
    """Opens the first NPU that a pyxrt finds. Raises NoDevice."""
    try:
        return XrtDevice(pyxrt, pyxrt.device(0))
    except RuntimeError as error:
        problem = xrt_messages.translated(error, "cannot open the NPU")
        raise NoDevice(problem.message, notes=problem.notes, hint=problem.hint) from error
