"""The array of one hardware context: what the NPU's firmware does with a PDI and with commands."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence

from npuninja.arch.families import FAMILIES, of_architecture, of_generation
from npuninja.emulator import Emulator, HostBuffer, RunReport
from npuninja.emulator.configuration import MAX_PDIS, LoadedDesign
from npuninja.emulator.errors import EmulationError, NotModelled
from npuninja.emulator.shared_memory import FilePlace
from npuninja.emulator.timing.work import count_design
from npuninja.emulator.trace_units.units import switches_on
from npuninja.emulator.trace_units.writer import TraceWriter
from npuninja.errors import Error, UserError
from npuninja.formats.cdo import BlockWrite, Command
from npuninja.formats.core_image import STUB_BYTES, read_core_image, read_stub
from npuninja.formats.pdi import read_pdi
from npuninja.formats.txn import HEADER_BYTES, LoadPdi, read_txn
from npuninja.xrt_emulation import amdxdna, packets
from npuninja.xrt_emulation.buffers import AllocatedBuffer, Buffers
from npuninja.xrt_emulation.core_modules import CoreModules
from npuninja.xrt_emulation.npu_memory import NpuMemory
from npuninja.xrt_emulation.packets import NO_UNIT, KernelCall, MalformedPacket
from npuninja.xrt_emulation.patched_instructions import with_arguments
from npuninja.xrt_emulation.unset_arguments import unset_arguments

#: XRT copies a buffer of a wrong group, as it warns, and for want of a copy engine passes no address.
_NO_ADDRESS = "; was each buffer made for its own argument, with the argument's group_id?"


#: What the driver gives is whole pages (amdxdna_gem.c).
_PAGE_BYTES = 4096


class ContextOutcome(Exception):
    """How a command ended, other than well: its state, and the error that says why."""

    def __init__(self, state: int, error: Error) -> None:
        super().__init__(error.message)
        self.state = state
        self.error = error


def _check_modules(commands: tuple[Command, ...], modules: Mapping[bytes, bytes], npu: str) -> None:
    """Raises UserError when a core's module did not come with an XCLBIN, or is for another NPU."""
    for command in commands:
        stub = read_stub(command.data[:STUB_BYTES]) if isinstance(command, BlockWrite) else None
        if stub is not None and stub.digest not in modules:
            raise UserError(
                f"the module {stub.digest.hex()[:16]}… of a core is in no XCLBIN or full ELF that was opened",
                hint="the program must open it as a file, under npuninja emu; or it is damaged: "
                "build it again",
            )
        if stub is not None:
            info = read_core_image(modules[stub.digest], FAMILIES[npu].architecture, "a core's module").info
            check_generation(info.architecture if info else "", npu)


def check_generation(architecture: str, npu: str) -> None:
    """Raises UserError when cores of this architecture are not those of an NPU; an empty one is not known."""
    own = FAMILIES[npu].architecture
    if architecture in ("", own):
        return
    other = of_architecture(architecture).name
    raise UserError(
        f"the XCLBIN is for {other} ({architecture.upper()}), and the NPU shown is {npu} ({own.upper()})",
        hint=f"give the program the XCLBIN that was built for {npu}, or show the other NPU: "
        f"npuninja emu --device {other}",
    )


def _loads(stream: bytes) -> bool:
    return any(isinstance(operation, LoadPdi) for operation in read_txn(stream).operations)


class ArrayContext:
    """Compute units, their PDIs, and the array that holds one of them at a time.

    Args:
        columns: of the context.
        buffers, memory: of the client.
        modules: of wasm cores.
        npu: the family of the one that is shown.

    Attributes:
        remarks: what the program's author should know about the last run, however it ended.
    """

    def __init__(
        self, columns: int, buffers: Buffers, memory: NpuMemory, modules: CoreModules, npu: str
    ) -> None:
        self._npu = npu
        self._columns = columns
        self._buffers = buffers
        self._memory = memory
        self._modules = modules
        self._pdis: list[tuple[Command, ...]] = []
        # Those that instructions load: number and content -> the array's number for it; and their commands.
        self._numbers: dict[tuple[int, bytes], int] = {}
        self._loadable: list[tuple[Command, ...]] = []
        self._emulator: Emulator | None = None
        self._unit = -1
        self._is_traced = self._has_run = self._switches_on = False
        self._last_insts = b""
        # Of the stream before: how many arguments were set, and what it writes to those that were not.
        self._unset: tuple[bytes, int, dict[int, int]] = (b"", 0, {})
        self._traces: TraceWriter | None = None
        self._shared: dict[int, tuple[AllocatedBuffer, HostBuffer]] = {}
        self.remarks: list[str] = []

    def configure(self, pdis: Sequence[bytes]) -> None:
        """Takes the PDIs of the compute units and loads the first: it shows whether it can be executed.

        Raises:
            Error: a PDI is damaged, is for another NPU or has AIE machine code, or a core's module was never
                seen.
        """
        for pdi in pdis:
            self._check_family(pdi)
        self._pdis = [tuple(read_pdi(pdi, f"PDI {i}").commands(f"PDI {i}")) for i, pdi in enumerate(pdis)]
        if self._pdis:
            self._load(0)

    def _check_family(self, pdi: bytes) -> None:
        family = self._modules.family_of(pdi)
        check_generation(FAMILIES[family].architecture if family in FAMILIES else "", self._npu)

    def _load(self, unit: int, traced: bool = False) -> Emulator:
        self.close()
        modules = self._modules.all()
        commands = () if unit == NO_UNIT else self._pdis[unit]
        _check_modules(commands, modules, self._npu)
        # No PDIs that a stream may load: XRT puts their addresses into streams of full ELFs only. With an
        # XCLBIN the address is 0, and what an NPU does then is not known.
        emulator = Emulator(
            self._columns,
            modules,
            rows=FAMILIES[self._npu].rows,
            checks=frozenset({"races"} if traced else ()),  # its log has the order of changes of locks
            log_events=traced,
        )
        emulator.allow_page_ends(_PAGE_BYTES)
        if unit == NO_UNIT:
            emulator.clear_memories()
        try:
            emulator.configure(commands)
        except BaseException:
            emulator.close()
            raise
        for number, loadable in enumerate(self._loadable):
            emulator.offer(number, loadable)
        self._emulator, self._unit, self._is_traced, self._has_run = emulator, unit, traced, False
        if traced:
            design = LoadedDesign(self._columns, (commands,), dict(modules), {}, (1,))
            writer = TraceWriter(lambda insts, before: count_design(design, commands, insts, before))
            emulator.at_end = lambda insts, events, before: writer.write(emulator, insts, events, before)
            self._traces = writer
        return emulator

    def _emulator_for(self, unit: int, insts: bytes) -> Emulator:
        """The array with a unit's configuration. Traces are logged from the first run on, or never: a context
        whose first run writes none stays without.
        """
        if insts != self._last_insts:
            self._last_insts, self._switches_on = insts, switches_on(insts)
        if self._emulator is None or self._unit != unit:
            return self._load(unit, self._switches_on)
        if self._switches_on and not self._is_traced:
            if not self._has_run:
                return self._load(unit, True)
            self.remarks.append("the trace stays empty: the context has run a sequence without one before")
        return self._emulator

    def run(self, call: KernelCall, time_limit_s: float) -> None:
        """Runs a kernel once.

        Raises:
            ContextOutcome: it did not end well.
        """
        taken: list[AllocatedBuffer] = []
        self.remarks = []
        try:
            self._refuse(call)
            self._forget_gone()
            self._execute(call, time_limit_s, taken)
        except (MalformedPacket, UserError) as error:
            found = error if isinstance(error, UserError) else UserError(str(error))
            raise ContextOutcome(packets.STATE_ERROR, found) from error
        except Error as error:
            # Where the array has come to a halt, an NPU's command ends only when the driver's time is up; the
            # driver then loads the context again.
            self.close()
            halted = isinstance(error, EmulationError) and not isinstance(error, NotModelled)
            raise ContextOutcome(packets.STATE_TIMEOUT if halted else packets.STATE_ABORT, error) from error
        finally:
            for buffer in taken:
                self._buffers.drop(buffer)

    def _refuse(self, call: KernelCall) -> None:
        """Raises UserError for a call that names what is not there."""
        if call.unit == NO_UNIT and not FAMILIES[self._npu].driver.takes_full_elf:
            raise UserError(
                f"the driver of {self._npu} takes no full ELF", hint="use an XCLBIN, or show the other NPU"
            )
        if call.unit >= len(self._pdis):
            raise UserError(f"there is no compute unit {call.unit}, there are {len(self._pdis)}")

    def _execute(self, call: KernelCall, time_limit_s: float, taken: list[AllocatedBuffer]) -> None:
        """Runs the instructions of a call; `taken` gets the buffers that it uses."""
        insts = self._instructions(call, taken)
        emulator = self._emulator_for(call.unit, insts)
        self._has_run = True
        addresses: Sequence[int] = call.arguments
        scratchpads = frozenset[int]()
        if call.patched:
            number_of = self._number_of if call.unit == NO_UNIT else None
            insts, addresses, scratchpads = with_arguments(insts, self._begin_of, number_of)
        arguments = [
            self._argument(emulator, number, address, taken, number in scratchpads)
            for number, address in enumerate(addresses)
        ]
        if call.unit == NO_UNIT and not emulator.loaded_by_number and not _loads(insts):
            self.remarks.append(
                "nothing has configured the array: a sequence of a full ELF begins with aiex.npu.load_pdi, "
                "or is in an aiex.configure"
            )
        # Word 0 of a stream: version, then the generation.
        family = of_generation(insts[2]) if len(insts) > 2 else None
        if family is not None:
            check_generation(family.architecture, self._npu)
        nowhere = [] if call.patched else self._nowhere(emulator, insts, len(arguments))
        buffers = [*(buffer for buffer, _ in arguments), *nowhere]
        starts = [*(start for _, start in arguments), *(0 for _ in nowhere)]
        report = emulator.run(insts, buffers, time_limit_s, starts=starts)
        for lost in nowhere:
            emulator.free(lost)
        self._remark(emulator, report)

    def _remark(self, emulator: Emulator, report: RunReport) -> None:
        """Notes what the program's author should know about a run that has ended well."""
        self.remarks += filter(None, (emulator.beyond_end(),))
        names = {number: pdi_id for (pdi_id, _), number in self._numbers.items()}
        self.remarks += [
            f"the instructions load PDI {names[number]} right after itself, which an NPU's "
            "firmware leaves out, and so did the emulated one; loading another one between them "
            "has it configure the array again"
            for number in emulator.left_out
            if number in names
        ]
        if self._traces is not None and self._traces.last is not None:
            self.remarks += self._traces.last.remarks
        self.remarks += [
            f"{transfer} when the instructions ended; they lack a wait" for transfer in report.unfinished
        ]
        self.remarks += report.overfilled

    def _instructions(self, call: KernelCall, taken: list[AllocatedBuffer]) -> bytes:
        buffer = self._buffers.take(call.instructions)
        if buffer is None:
            raise MalformedPacket(
                f"the address of the instructions, 0x{call.instructions:x}, is in no buffer{_NO_ADDRESS}"
            )
        taken.append(buffer)
        self._use(buffer, "the instructions")
        start = call.instructions - buffer.address
        # The firmware takes the size from the stream's header; callers pass words, and some bytes.
        limit = min(4 * call.words, buffer.nbytes - start)
        insts = self._memory.read(self._buffers.device_side(buffer) + start, limit)
        if len(insts) >= HEADER_BYTES:
            (size,) = struct.unpack_from("<I", insts, 12)
            insts = insts[: max(size, HEADER_BYTES)]
        return insts

    def _begin_of(self, address: int) -> int:
        """Where the buffer with a device address begins; the address itself if none: that is said later."""
        buffer = self._buffers.take(address)
        if buffer is None:
            return address
        begin = buffer.address
        self._buffers.drop(buffer)
        return begin

    def _number_of(self, load: LoadPdi) -> int:
        """The number by which the array knows the PDI at the address that XRT has put into the instructions.

        Raises:
            MalformedPacket: there is none.
            UserError: it is damaged, for another NPU, or needs a core's module that never came.
        """
        what = f"PDI {load.pdi_id}"
        buffer = self._buffers.take(load.address)
        if buffer is None:
            raise MalformedPacket(
                f"the instructions load {what} from 0x{load.address:x}, which is in no buffer: "
                "XRT gives addresses to those of full ELFs only"
            )
        try:
            self._use(buffer, what)
            start = load.address - buffer.address
            image = self._memory.read(self._buffers.device_side(buffer) + start, buffer.nbytes - start)
        finally:
            self._buffers.drop(buffer)
        key = load.pdi_id, hashlib.sha256(image).digest()
        if key not in self._numbers:
            self._check_family(image)
            commands = tuple(read_pdi(image, what).commands(what))
            _check_modules(commands, self._modules.all(), self._npu)
            if len(self._loadable) == MAX_PDIS:
                raise MalformedPacket(f"the context has loaded {MAX_PDIS} PDIs, more are not kept")
            self._numbers[key] = len(self._loadable)
            self._loadable.append(commands)
        number = self._numbers[key]
        if self._emulator is not None:
            self._emulator.offer(number, self._loadable[number])
        return number

    def _argument(
        self,
        emulator: Emulator,
        number: int,
        address: int,
        taken: list[AllocatedBuffer],
        is_scratchpad: bool,
    ) -> tuple[HostBuffer, int]:
        buffer = self._buffers.take(address)
        if buffer is None:
            raise MalformedPacket(
                f"the address of buffer argument {number}, 0x{address:x}, is in no buffer{_NO_ADDRESS}"
            )
        taken.append(buffer)
        self._use(buffer, "the scratchpad" if is_scratchpad else f"buffer argument {number}")
        if buffer.address not in self._shared:
            if buffer.kind == amdxdna.BO_DEV and not is_scratchpad:
                raise MalformedPacket(
                    f"buffer argument {number} lies in the device's heap, where only instructions can be: "
                    "make it host_only"
                )
            place = FilePlace(self._memory.descriptor, self._buffers.device_side(buffer))
            self._shared[buffer.address] = buffer, emulator.share(buffer.nbytes, place)
        return self._shared[buffer.address][1], address - buffer.address

    def _nowhere(self, emulator: Emulator, insts: bytes, count: int) -> list[HostBuffer]:
        """Buffers for what is written to arguments that were not set, and a remark on each."""
        if self._unset[:2] != (insts, count):
            self._unset = insts, count, unset_arguments(insts, count)
        unset = self._unset[2]
        self.remarks += [
            f"the instructions write {nbytes} bytes to buffer argument {number}, which the program did not "
            "set; on an NPU they go to address 0, where no buffer is, and here they are lost"
            for number, nbytes in sorted(unset.items())
        ]
        return [
            emulator.allocate(unset.get(number, 4) or 4)
            for number in range(count, max(unset, default=-1) + 1)
        ]

    def _use(self, buffer: AllocatedBuffer, what: str) -> None:
        if self._buffers.use(buffer):
            self.remarks.append(
                f"{what}: the program changed it and did not sync it to the device "
                "(XCL_BO_SYNC_BO_TO_DEVICE), so the NPU sees what was there before"
            )

    def _forget_gone(self) -> None:
        """The array releases buffers that no process has any more. Only here: it does one thing at a time."""
        for buffer, shared in [pair for pair in self._shared.values() if not pair[0].users]:
            del self._shared[buffer.address]
            if self._emulator is not None:
                self._emulator.free(shared)

    def interrupt(self) -> None:
        """From another thread: a run that is at work ends soon."""
        emulator = self._emulator
        if emulator is not None:
            emulator.interrupt()

    def close(self) -> None:
        """Takes the array down; the next command loads it again."""
        self._shared.clear()
        if self._emulator is not None:
            self._emulator.close()
            self._emulator = None
            self._unit = -1
