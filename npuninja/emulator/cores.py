"""Cores: wasm instances whose memories are windows on the tiles' data memories.

A core's linear memory is its address space (docs/architecture.md, "Core images"). Nothing is mapped at first;
then come the lock plane, a private page for the core's state, its own data memory, and of each neighbour it
uses the pages that hold buffers. So a wild access traps, and so does a stack that grows below its end (unless
a neighbour's buffer lies there). What runs is the rewritten module (`npuninja.emulator.core_modules`), whose
kernels have a map of their own, without locks and state.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
from typing import Any

import wasmtime

from npuninja.arch.devices import DATA_END, DATA_START, DATA_WINDOW_BYTES, DATA_WINDOWS
from npuninja.emulator import kernel_output, layout, math_functions
from npuninja.emulator.array import Array
from npuninja.emulator.core_modules.added_functions import ENGINE_FUNCTIONS
from npuninja.emulator.core_modules.address_map import (
    ADDRESS_SPACE_BYTES,
    CORE_NUMBER,
    KERNELS,
    READ_MARKS,
    REGISTERS,
    SAVED_CALLS,
    SAVED_CALLS_BYTES,
    WRITE_MARKS,
)
from npuninja.emulator.core_modules.admission import admit
from npuninja.emulator.core_modules.places import CodePlaces, SourceFrame
from npuninja.emulator.core_modules.rewrite import ENGINE_TABLE, REWRITE_VERSION, Rewritten, rewrite
from npuninja.emulator.core_modules.rewritten_instructions import CodePlace
from npuninja.emulator.core_modules.suspension import FIRST_FRAME
from npuninja.emulator.core_modules.waiting import IMPORTS as WAITING_IMPORTS
from npuninja.emulator.engine_module import instantiate, load_core
from npuninja.emulator.shared_memory import PAGE_BYTES, SharedMemory
from npuninja.errors import UserError
from npuninja.formats.core_abi import LOCK_PAGE, OWN_DATA, STATE_PAGE
from npuninja.formats.core_image import CoreBuffer, CoreInfo, read_core_image
from npuninja.formats.wasm_module import WASM_PAGE_BYTES, read_wasm
from npuninja.records import NamedTuple

#: The functions that a core's module may import from `env`.
IMPORTS = math_functions.NAMES | {kernel_output.IMPORT, "npu_event"} | set(WAITING_IMPORTS)
#: A phrase about an address in none of the windows.
NO_MEMORY = f"no memory is there: data memory is {DATA_START:#x} to {DATA_END - 1:#x}"
#: From a tile's number to that of its neighbour.
NEIGHBOUR_STEPS = {"south": -1, "west": -layout.ROWS_PER_COLUMN, "north": 1}


class CoreProgram(NamedTuple):
    """A module as it is in an XCLBIN: its bytes, and what it says about itself."""

    module: bytes
    info: CoreInfo
    digest: bytes


def read_program(module: bytes, device: layout.Geometry) -> CoreProgram:
    """Reads a core's module for an array with these tiles. Raises UserError when it does not follow the
    ABI, reaches out of the array, or needs imports the emulator does not have.
    """
    info = read_core_image(module, "aie2", "core module").info  # the architecture matters for ELF files only
    if info is None:
        raise UserError("the core module is an ELF file", hint="build the design with the core kind wasm")
    name = f"core ({info.column}, {info.row})"
    wasm = read_wasm(module, "core module")
    admit(wasm, len(module), name)
    for item in wasm.imports:
        if item.module != "env" or item.kind != "function" or item.name not in IMPORTS:
            raise UserError(
                f"{name} needs the {item.kind} '{item.module}.{item.name}', "
                "which the emulator does not offer",
                hint="link the object that defines it, or write it with the functions of <math.h>",
            )
    tile = layout.tile_number(info.column, info.row)
    for neighbour in info.neighbours:
        column, row = layout.tile_place(tile + NEIGHBOUR_STEPS[neighbour])
        if not device.is_core_tile(tile + NEIGHBOUR_STEPS[neighbour]):
            raise UserError(
                f"{name} uses the memory of ({column}, {row}) to its {neighbour}, where no core is"
            )
    return CoreProgram(module, info, hashlib.sha256(module).digest())


class EmulatedCore:
    """One running core.

    Attributes:
        tile: number of its tile.
        info: what its module says about itself.
        digest: its module's sha256.
        step: its function, to be put into the engine's table.
        checked: whether its accesses are reported to the engine.
    """

    def __init__(self, array: Array, program: CoreProgram, *, checked: bool = False) -> None:
        store = array.store
        self.info = program.info
        self.digest = program.digest
        self.tile = layout.tile_number(program.info.column, program.info.row)
        self.checked = checked
        self._program = program
        self._engine = array.engine
        self._rewritten: Rewritten | None = None
        self._code_places: CodePlaces | None = None
        key = f"{program.digest.hex()} {REWRITE_VERSION} {checked}"
        try:
            module = load_core(array.engine, key, lambda: self._rewrite().module)
            self._import_names = [item.name or "" for item in module.imports]
            imports: list[Any] = [self._import(array, name) for name in self._import_names]
            instance = instantiate(store, module, imports)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:  # a trap: initial values beyond the end
            raise UserError(
                f"the module of core ({program.info.column}, {program.info.row}) is no valid wasm: "
                f"{str(error).splitlines()[0]}",
                hint="build it again",
            ) from None
        exports = instance.exports(store)
        linear = exports["memory"]
        stack_pointer = exports["__stack_pointer"]
        step = exports[program.info.entry]
        assert isinstance(linear, wasmtime.Memory)
        assert isinstance(stack_pointer, wasmtime.Global)
        assert isinstance(step, wasmtime.Func)
        self.step = step
        self._exports = exports  # keeps the memory mapped
        base = ctypes.cast(linear.data_ptr(store), ctypes.c_void_p).value
        assert base is not None
        self._base = base
        self._map(base, array.memory)
        self._store = store
        self._stack_pointer = stack_pointer
        try:
            if str(stack_pointer.type(store).content) != "i32":
                raise wasmtime.WasmtimeError("another type")
            stack_pointer.set_value(store, OWN_DATA + program.info.stack_bytes)
        except wasmtime.WasmtimeError:
            raise UserError(
                f"the module of core ({program.info.column}, {program.info.row}) has a '__stack_pointer' "
                "that cannot be set: it must be a mutable i32",
                hint="link the core again",
            ) from None
        if checked:
            table = exports[ENGINE_TABLE]
            assert isinstance(table, wasmtime.Table)
            for number, (name, _, _) in enumerate(ENGINE_FUNCTIONS):
                table.set(store, number, array.function(name))

    def _import(self, array: Array, name: str) -> wasmtime.Func:
        if name in WAITING_IMPORTS:
            return array.function(WAITING_IMPORTS[name].engine)
        if name == "npu_event":
            return array.function("core_event")
        if name == kernel_output.IMPORT:
            return array.kernel_output.make_import(array.store, self.info.column, self.info.row)
        return math_functions.make_import(array, name)

    def _rewrite(self) -> Rewritten:
        if self._rewritten is None:
            name = f"core ({self.info.column}, {self.info.row})"
            self._rewritten = rewrite(self._program.module, self.info.entry, name, checked=self.checked)
        return self._rewritten

    def frames(self, trap: wasmtime.Trap) -> list[SourceFrame]:
        """The functions that were running in the core when `trap` came, innermost first, with places."""
        return [frame for place in self._trap_places(trap) for frame in self.code_places.frames(place)]

    def _trap_places(self, trap: wasmtime.Trap) -> list[CodePlace]:
        rewritten = self._rewrite()
        found: list[CodePlace] = []
        within = False
        for frame in trap.frames:
            if frame.module_name is not None:  # the engine: around the core, or called by it
                if within:
                    break
                continue
            within = True
            place = rewritten.place(frame.module_offset)
            if place is not None and place.function >= 0:
                found.append(place)
        return found

    @property
    def code_places(self) -> CodePlaces:
        """Where the module's instructions are in its sources."""
        if self._code_places is None:
            self._code_places = CodePlaces(self._engine, self._program.module)
        return self._code_places

    def suspended_frames(self) -> list[SourceFrame]:
        """Where a core waits that was left in the middle of its code, innermost first."""
        number = struct.unpack("<I", ctypes.string_at(self._base + FIRST_FRAME, 4))[0]
        calls = self._rewrite().waiting_calls
        return self.code_places.frames(calls[number]) if number < len(calls) else []

    def site_frames(self, site: int) -> list[SourceFrame]:
        """The place of an access of a checked core by its number."""
        return self.code_places.frames(self._rewrite().sites[site])

    def address_of_fault(self, trap: wasmtime.Trap, address: int) -> int:
        """The core's address of a fault that wasmtime reports at `address` of the rewritten module."""
        if self.checked and address >= READ_MARKS:
            return ADDRESS_SPACE_BYTES  # the words of an address beyond the map are not there
        places = self._trap_places(trap)
        in_kernel = bool(places) and places[0].function != self._rewrite().entry
        return address - KERNELS if in_kernel and address >= KERNELS else address

    def _map(self, base: int, memory: SharedMemory) -> None:
        suspends = any(name in WAITING_IMPORTS for name in self._import_names)
        end = SAVED_CALLS + SAVED_CALLS_BYTES if suspends else KERNELS + ADDRESS_SPACE_BYTES
        memory.forbid(base, WRITE_MARKS + ADDRESS_SPACE_BYTES if self.checked else end)
        if suspends:
            memory.map_private(base + SAVED_CALLS, SAVED_CALLS_BYTES)
        memory.map_at(base + LOCK_PAGE, 0, layout.LOCK_PLANE_BYTES)
        memory.map_private(base + STATE_PAGE, WASM_PAGE_BYTES)
        memory.map_private(base + KERNELS + REGISTERS, WASM_PAGE_BYTES)
        number = struct.pack("<I", self.info.column << 16 | self.info.row)
        ctypes.memmove(base + KERNELS + CORE_NUMBER, number, len(number))
        if self.checked:
            memory.map_private(base + READ_MARKS, ADDRESS_SPACE_BYTES)
            memory.map_private(base + WRITE_MARKS, ADDRESS_SPACE_BYTES)
        for copy in (base, base + KERNELS):
            memory.map_at(copy + OWN_DATA, layout.tile_file_offset(self.tile), DATA_WINDOW_BYTES)
            for neighbour in self.info.neighbours:
                window = DATA_WINDOWS[neighbour]
                tile = self.tile + NEIGHBOUR_STEPS[neighbour]
                for page in sorted(_pages(self.info.buffers, window)):
                    memory.map_at(copy + window + page, layout.tile_file_offset(tile) + page, PAGE_BYTES)

    def read_global(self, name: str) -> int:
        """The value of a global variable that the module exports."""
        variable = self._exports[name]
        assert isinstance(variable, wasmtime.Global), name
        return int(variable.value(self._store))

    def stack_claimed_bytes(self) -> int:
        """How far the stack reaches now: 0 between steps; after a trap, what running functions claimed."""
        return OWN_DATA + self.info.stack_bytes - int(self._stack_pointer.value(self._store))

    @property
    def stack_may_meet_neighbour(self) -> bool:
        """Whether memory of the northern neighbour is mapped directly below the stack."""
        return DATA_WINDOW_BYTES - PAGE_BYTES in _pages(self.info.buffers, DATA_WINDOWS["north"])

    def stack_used_bytes(self, data_memory: memoryview) -> int:
        """The most that the stack ever took, by the poison that is left. A lower bound: what the compiler
        keeps in wasm locals is not in memory, and words that were reserved and not written are not seen.
        """
        size = self.info.stack_bytes // 4 * 4
        poison = int.from_bytes(struct.pack("<I", layout.POISON) * (size // 4), "little")
        changed = int.from_bytes(data_memory[:size], "little") ^ poison
        untouched = ((changed & -changed).bit_length() - 1) // 32 * 4 if changed else size
        return self.info.stack_bytes - untouched


def _pages(buffers: tuple[CoreBuffer, ...], window: int) -> set[int]:
    """Offsets of a window's pages that hold buffers."""
    pages: set[int] = set()
    for buffer in buffers:
        start = buffer.address - window
        if 0 <= start < DATA_WINDOW_BYTES:
            first = start // PAGE_BYTES * PAGE_BYTES
            last = min(start + max(buffer.size_bytes, 1), DATA_WINDOW_BYTES) - 1
            pages.update(range(first, last + 1, PAGE_BYTES))
    return pages


def nearest_buffer(info: CoreInfo, address: int) -> str:
    """A phrase about what lies at a data address of a core: inside, behind or before which buffer."""
    if not DATA_START <= address < DATA_END:
        return NO_MEMORY
    if OWN_DATA <= address < OWN_DATA + info.stack_bytes:
        return "in the stack"
    best: tuple[int, str] | None = None
    for buffer in info.buffers:
        end = buffer.address + buffer.size_bytes
        if buffer.address <= address < end:
            return f"in buffer '{buffer.symbol}', byte {address - buffer.address} of {buffer.size_bytes}"
        if address >= end:
            distance, phrase = (
                address - end,
                f"{address - end} bytes past the end of buffer '{buffer.symbol}'",
            )
        else:
            distance, phrase = (
                buffer.address - address,
                f"{buffer.address - address} bytes before buffer '{buffer.symbol}'",
            )
        if best is None or distance < best[0]:
            best = (distance, phrase)
    window = next(
        (name for name, start in DATA_WINDOWS.items() if start <= address < start + DATA_WINDOW_BYTES), "own"
    )
    where = f"in the {window} data memory"
    if window != "own" and window not in info.neighbours:
        return f"{where}, of which the core has no buffer"
    return f"{where}, {best[1]}" if best else where
