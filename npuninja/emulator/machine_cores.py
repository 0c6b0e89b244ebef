"""Cores of machine code in the array: a runtime (`npuninja.machine_code.core_runtime`) whose address space
shows the tiles' memories, with the program that the configuration wrote into program memory.

To the engine such a core is a step function like a wasm core's; it waits for locks in the same words.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cached_property

import wasmtime

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_WINDOW_BYTES, DATA_WINDOWS
from npuninja.arch.registers import BD_STRIDE, DMA, tile_address
from npuninja.emulator import layout
from npuninja.emulator.array import Array
from npuninja.emulator.errors import BadAccess, CoreFault, TimeLimit
from npuninja.errors import Location, UserError
from npuninja.formats.core_abi import LOCK_PAGE, OWN_DATA
from npuninja.formats.core_image import CoreInfo
from npuninja.machine_code.core_runtime import (
    OWN_BASE,
    STRAYED,
    CoreRuntime,
    Fault,
    fault_sentence,
    load_runtime,
)
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.known_programs import KnownProgram, elves_beside, known_programs, program_image
from npuninja.machine_code.loading import LoadedProgram
from npuninja.machine_code.translation import translate_now, use_cached
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from npuninja.machine_code.data_extents import DataExtent

#: From a tile's number to that of its neighbour, in the order of the windows.
_STEPS = {"south": -1, "west": -layout.ROWS_PER_COLUMN, "north": 1, "own": 0}
_CORE_BDS = 16
#: What the engine has for the runtime: streams, cascades, checks (machine_code/runtime/core.h).
PORTS = (
    *("core_stream_ready", "core_stream_get", "core_stream_put", "core_cascade_in", "core_cascade_out"),
    *("machine_access", "machine_lock"),
)
#: Bundles that a core interprets before its program is translated: about a second's worth.
INTERPRETED_BUNDLES = 3_000_000


class StackRoom(NamedTuple):
    """A core's stack: what it used, what there was room for, and what lies after it."""

    used_bytes: int
    room_bytes: int
    behind: str


class MachineCore:
    """One core of machine code.

    Args:
        array: where it lives.
        tile: number of its tile.
        pieces: its program: addresses in program memory and the bytes there.
        translate: whether what runs long is translated.
        checked: whether the array hears of every access.
        bounded: whether an access has to stay in the buffer that its address was made of, as far as buffers
            are known.
        file: from which the program came; ELFs beside it may have names and C lines for messages.

    Attributes:
        tile: number of its tile.
        info: the little that is known of such a core, in the words of a wasm core.
        pieces: its program: addresses in program memory and the bytes there.
        digest: sha256 of its program.
        step, reset: its functions, for the engine's table.
        runtime: its registers, memory and counters.
    """

    def __init__(
        self,
        array: Array,
        tile: int,
        pieces: Sequence[tuple[int, bytes]],
        *,
        translate: bool = True,
        checked: bool = False,
        bounded: bool = False,
        file: str = "",
    ) -> None:
        column, row = layout.tile_place(tile)
        self._file = file
        self.tile = tile
        self.pieces = tuple(pieces)
        self._translate = translate = translate and not checked
        self._engine = array.engine
        self.info = CoreInfo(
            column=column,
            row=row,
            entry="machine code",
            stack_bytes=0,
            data_end=0,
            waits=(),
            buffers=(),
            neighbours=(),
        )
        self.runtime = CoreRuntime(
            array.store, load_runtime(array.engine), {name: array.function(name) for name in PORTS}
        )
        self.runtime.set_state("checked", int(checked))
        self.extents = self._extents() if bounded else []
        for extent in self.extents:
            self.runtime.add_extent(extent.start, extent.end, extent.is_sized)
        self._map(array)
        self._program = LoadedProgram(self.runtime, pieces, f"core ({column}, {row})")
        self.digest = self._program.digest
        if not self._program.is_code(0):
            raise UserError(
                f"core ({column}, {row}) has no AIE2 machine code at address 0, where cores start",
                hint="AIE2P core programs (npu2) cannot be read yet; `npuninja disasm` shows what is there",
            )
        self.translated = translate and use_cached(self.runtime, array.engine, self.digest)
        if translate and not self.translated:
            self.runtime.set_limit(INTERPRETED_BUNDLES)
        self.runtime.set_state("tile", tile)
        self.runtime.set_register("core_id", column << 16 | row)
        step, reset = self.runtime.exports["core_step"], self.runtime.exports["core_reset"]
        assert isinstance(step, wasmtime.Func)
        assert isinstance(reset, wasmtime.Func)
        self.step, self.reset = step, reset

    def _extents(self) -> list[DataExtent]:
        # The linker and the assembler behind it are for this check only: most runs start without them.
        from npuninja.machine_code.data_extents import data_extents

        return data_extents(self.known) if self.known is not None else []

    def translate_if_busy(self) -> None:
        """Translates a program that has run for long; the translation stays in the cache."""
        if not self._translate or self.translated or self.issue_cycles() < INTERPRETED_BUNDLES:
            return
        translate_now(self.runtime, self._engine, self.digest, self._program.prepared)
        self.runtime.set_limit(None)
        self.translated = True

    def _map(self, array: Array) -> None:
        base = ctypes.cast(self.runtime.memory.data_ptr(array.store), ctypes.c_void_p).value
        assert base is not None
        # Below the lock page lies the runtime's own stack.
        array.memory.forbid(base + LOCK_PAGE, OWN_BASE - LOCK_PAGE)
        array.memory.map_at(base + LOCK_PAGE, 0, layout.LOCK_PLANE_BYTES)
        windows = 0
        for bit, (name, step) in enumerate(_STEPS.items()):
            neighbour = self.tile + step
            if not array.device.is_core_tile(neighbour):
                continue
            windows |= 1 << bit
            offset = layout.tile_file_offset(neighbour)
            array.memory.map_at(base + DATA_WINDOWS[name], offset, DATA_WINDOW_BYTES)
        self.runtime.set_state("windows", windows)

    @property
    def bundles(self) -> dict[int, Bundle]:
        """The bundles of its program by address."""
        return self._program.bundles

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"core ({self.info.column}, {self.info.row})"

    def issue_cycles(self) -> int:
        """Bundles issued since the start: exact."""
        return self.runtime.state("issued")

    def stall_cycles(self) -> dict[str, int]:
        """Stalls by kind: modelled."""
        kinds = {"bank_conflict": "bank_conflicts", "lock": "lock_stalls", "stream": "stream_stalls",
                 "cascade": "cascade_stalls"}  # fmt: skip
        return {kind: self.runtime.state(counter) for kind, counter in kinds.items()}

    def stack(self, read: Callable[[int], int]) -> StackRoom:
        """The stack, and the room up to the first buffer of the tile's DMA after its start.

        Args:
            read: reads a register of the array.
        """
        start = self.runtime.state("stack_start")
        used = max(0, self.runtime.state("stack_high") - start)
        room, behind = OWN_DATA + DATA_WINDOW_BYTES - start, "the end of data memory"
        for bd in range(_CORE_BDS):
            registers = tile_address(self.info.column, self.info.row, DMA["core"].bd + BD_STRIDE * bd)
            address = OWN_DATA + (read(registers) >> 14) * 4
            if read(registers + 20) >> 25 & 1 and 0 <= address - start < room:
                room, behind = address - start, f"the buffer of BD {bd} at 0x{address:x}"
        return StackRoom(used, room, behind)

    @cached_property
    def known(self) -> KnownProgram | None:
        """What an ELF beside its file knows of its program, for messages and profiles."""
        return (
            known_programs(elves_beside(self._file)).get(program_image(self.pieces)) if self._file else None
        )

    def place(self, address: int) -> Location | None:
        """The C line of an address, where it is known."""
        return self.known.place(address) if self.known is not None else None

    def where(self, address: int) -> str:
        """An address with its function, its bundle and its C line, for messages."""
        place = self.place(address)
        return f"{self._bundle_at(address)}{f' ({place})' if place is not None else ''}"

    def _bundle_at(self, address: int) -> str:
        bundle = self.bundles.get(address)
        name = self.known.phrase(address) if self.known is not None else ""
        code = f" ({bundle.data.hex(' ')}: {bundle.text})" if bundle is not None else ""
        return f"0x{address:x}{name}{code}"

    def fault(self) -> CoreFault | BadAccess:
        """The error for what stopped the core."""
        fault = self.runtime.fault()
        if fault.kind == STRAYED:
            return self._strayed(fault)
        name = self.runtime.unsupported.get(fault.address, "")
        bundle = self.bundles.get(fault.address)
        if not name and bundle is not None:
            name = bundle.text
        sentence = fault_sentence(fault, name)
        return CoreFault(
            f"{self.name} at {self._bundle_at(fault.address)}: {sentence}",
            self.place(fault.address),
            hint="`npuninja disasm` shows the code around this address",
            report={
                "tile": [self.info.column, self.info.row],
                "address": fault.address,
                "why": sentence,
                **self._function(fault.address),
            },
        )

    def bad_access(self, address: int, size_bytes: int, site: int) -> BadAccess:
        """The error for a read of what nothing has written; `site` is the engine's number of the bundle."""
        at = 2 * site
        what = "1 byte" if size_bytes == 1 else f"{size_bytes} bytes"
        return BadAccess(
            f"{self.name} at {self._bundle_at(at)} reads {what} at 0x{address:05x} that nothing has written",
            self.place(at),
            hint="`npuninja disasm` shows the code around this address; "
            "on an NPU memory holds what was there before",
            report={
                "tile": [self.info.column, self.info.row],
                "why": "uninitialised",
                "address": address,
                "bytes": size_bytes,
                "writes": False,
                "bundle": at,
            },
        )

    def _strayed(self, fault: Fault) -> BadAccess:
        own = next(e for e in self.extents if e.start == fault.b)
        met = next((e for e in self.extents if e.start == fault.c), None)
        far = fault.a - own.end if fault.a >= own.start else own.start - fault.a
        side = "past the end of" if fault.a >= own.start else "before"
        behind = f"{far} bytes {side}" if own.is_sized and far >= 0 else "outside"
        where = (
            f": byte {fault.a - met.start} of {_called(met)}" if met is not None else ", where no buffer is"
        )
        return BadAccess(
            f"{self.name} at {self._bundle_at(fault.address)} goes to 0x{fault.a:05x}, {behind} "
            f"{_called(own)}, of which its address was made{where}",
            self.place(fault.address),
            hint="an index or a size in the kernel is too large, or the buffer in the design too small",
            report={
                "tile": [self.info.column, self.info.row],
                "why": "strayed",
                "address": fault.a,
                "buffer": own.name,
                "met": met.name if met is not None else None,
                "bundle": fault.address,
                **self._function(fault.address),
            },
        )

    def endless(self, time_limit_s: float) -> TimeLimit:
        """The error for a core that is still at work when time is up."""
        pc = self.runtime.state("pc")
        return TimeLimit(
            f"{self.name} is still at work after {time_limit_s:g} s, at {self._bundle_at(pc)}, "
            f"{self.issue_cycles()} bundles issued",
            self.place(pc),
            hint="an endless loop in the core, or too short a limit: --time-limit",
            report={
                "time_limit_s": time_limit_s,
                "tile": [self.info.column, self.info.row],
                "address": pc,
                "issue_cycles": self.issue_cycles(),
                **self._function(pc),
            },
        )

    def _function(self, address: int) -> dict[str, str]:
        """The function for a report, as far as it is known."""
        name = self.known.function(address) if self.known is not None else None
        return {"function": name} if name else {}


def _called(extent: DataExtent) -> str:
    return "the stack" if extent.is_stack else f"buffer '{extent.name}'"
