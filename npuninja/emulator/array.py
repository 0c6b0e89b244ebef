"""The engine with its memory: registers, data memories and host DDR of one array, and what actors do."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Iterable

import wasmtime

from npuninja.arch.families import of_generation
from npuninja.arch.registers import TILE_BYTES
from npuninja.emulator import layout
from npuninja.emulator.engine_module import check_layout, instantiate, load_engine
from npuninja.emulator.errors import InvalidAccess, NotModelled
from npuninja.emulator.event_log import Event, read_event
from npuninja.emulator.faults import FAULT_WORDS
from npuninja.emulator.kernel_output import KernelOutput
from npuninja.emulator.shared_memory import PAGE_BYTES, FilePlace, SharedMemory
from npuninja.emulator.state import STATE_BYTES, ActorState, read_states
from npuninja.errors import InternalError, ToolError, UserError
from npuninja.formats import cdo, txn
from npuninja.formats.wasm_module import WASM_PAGE_BYTES

#: What the engine's `run` and `settle` return.
RUN_DONE, RUN_DEADLOCK, RUN_MORE, RUN_LOAD_PDI, RUN_START_CORE = range(5)
_EVENT = struct.Struct("<3I")
MAX_ENGINE_TABLE_ELEMENTS = 1 << 16
#: A freed buffer from this size on goes back to the system at once, instead of being filled with zeros later.
_DISCARDED_BYTES = 1 << 20
#: The kinds of tiles in the order of their numbers in engine/engine.h.
_KIND_NUMBERS = ("shim", "mem", "core")
#: A configuration goes to the engine in pieces of about this size.
_CONFIGURE_AT_ONCE_BYTES = 4 << 20


def _engine_configuration() -> wasmtime.Config:
    # wasmtime reads this when an engine is made; it gives every frame of a trap its source line.
    os.environ["WASMTIME_BACKTRACE_DETAILS"] = "1"
    config = wasmtime.Config()
    config.epoch_interruption = True  # a core without end can be stopped
    return config


class _FunctionSignature:
    """The type of a function, with its parts at hand."""

    def __init__(self, of: wasmtime.FuncType) -> None:
        self._owner = of  # of the memory that the parts are in
        self.params, self.results = of.params, of.results


class Array:
    """One emulated array, unconfigured.

    A fault of the engine leaves its methods as `wasmtime.Trap`; `fault` then has the record.

    Attributes:
        device: which tiles it has.
        engine, store: wasmtime's, shared with the cores' instances.
        memory: the file behind data memories, locks and DDR.
    """

    def __init__(self, device: layout.Geometry, west_column: bool = True) -> None:
        if device.rows.number > layout.ROWS_PER_COLUMN:
            raise UserError(
                f"the device has {device.rows.number} rows of tiles, "
                f"and the emulated array has room for {layout.ROWS_PER_COLUMN}"
            )
        self.device = device
        #: Whether there is a column in front of the first one, as on a Phoenix.
        self.west_column = west_column
        self.engine = wasmtime.Engine(_engine_configuration())
        self.store = wasmtime.Store(self.engine)
        self.store.set_epoch_deadline(1)
        # A core's code can make its table larger; each element takes 8 bytes of this machine's memory.
        self.store.set_limits(table_elements=MAX_ENGINE_TABLE_ELEMENTS)
        self.memory = SharedMemory()
        self.memory.reserve(layout.FILE_DDR)
        module = load_engine(self.engine)
        self._exports = instantiate(self.store, module, []).exports(self.store)
        linear = self._exports["memory"]
        table = self._exports["__indirect_function_table"]
        assert isinstance(linear, wasmtime.Memory)
        assert isinstance(table, wasmtime.Table)
        self._linear = linear
        self._table = table
        address = ctypes.cast(linear.data_ptr(self.store), ctypes.c_void_p).value
        assert address is not None
        self._base = address
        self._functions: dict[str, wasmtime.Func] = {}
        self._generation = -1  # of the device, by the last instruction stream
        self.kernel_output = KernelOutput()
        self._tables = {
            name: self.call(name)
            for name in ("argument_table", "actor_states", "event_log", "fault_record", "set_again")
        }
        self._ddr_bytes = 0
        #: More than that is not given to host buffers.
        self.ddr_limit_bytes = layout.DDR_END - layout.DDR_BASE
        self._free: dict[int, list[int]] = {}
        self._view = self._whole_memory()
        self._check_layout()
        self._map()
        self._insts = _Area(self)
        self._configuration = _Area(self)
        self.reset()

    def _whole_memory(self) -> memoryview:
        return memoryview(self._linear.get_buffer_ptr(self.store)).cast("B")

    def _check_layout(self) -> None:
        found = struct.unpack_from("<6I", self._view, self.call("layout"))
        ours = (
            layout.LOCK_PLANE,
            layout.ARRAY_BASE,
            layout.DDR_BASE,
            layout.TILES,
            layout.CHANNELS_PER_TILE,
            STATE_BYTES,
        )
        check_layout(ours, found)
        if WASM_PAGE_BYTES % PAGE_BYTES:
            raise ToolError(
                f"this machine's pages of {PAGE_BYTES} bytes are larger than the emulator can use "
                f"({WASM_PAGE_BYTES})"
            )

    def _map(self) -> None:
        """Puts the shared file under the lock plane and the data memories, and fills these with poison."""
        self.memory.map_at(self._base + layout.LOCK_PLANE, 0, layout.LOCK_PLANE_BYTES)
        for tile in self.device.tiles():
            size = self.device.memory_bytes(tile)
            if size:
                start = layout.tile_engine_address(tile)
                self.memory.map_at(self._base + start, layout.tile_file_offset(tile), size)
                self._view[start : start + size] = struct.pack("<I", layout.POISON) * (size // 4)

    def function(self, name: str) -> wasmtime.Func:
        """A function that the engine exports."""
        function = self._functions.get(name)
        if function is None:
            found = self._exports[name]
            assert isinstance(found, wasmtime.Func), name
            # wasmtime asks for the type at each call, which takes longer than most calls. Its public
            # interface has neither a call that knows the type nor a way to make a function of another class.
            kind = _FunctionSignature(found.type(self.store))
            setattr(found, "type", lambda store: kind)  # noqa: B010
            function = self._functions[name] = found
        return function

    def call(self, name: str, *arguments: int) -> int:
        """Calls a function of the engine; 0 when it returns nothing. Addresses come back unsigned."""
        result = self.function(name)(self.store, *[a - (1 << 32) if a >> 31 else a for a in arguments])
        return int(result) & 0xFFFFFFFF if result is not None else 0

    # --- Host memory.

    def allocate_ddr(self, size_bytes: int) -> int:
        """Offset of `size_bytes` zeros in DDR, rounded up to whole pages. Raises ToolError when full."""
        size = _whole_pages(size_bytes)
        if self._free.get(size):
            offset = self._free[size].pop()
            if size < _DISCARDED_BYTES or not self.memory.discard(layout.FILE_DDR + offset, size):
                self.engine_memory(layout.DDR_BASE + offset, size)[:] = bytes(size)
            return offset
        return self._extend_ddr(size)

    def share_ddr(self, size_bytes: int, place: FilePlace) -> int:
        """Offset in DDR of a part of another file, as `allocate_ddr`."""
        size = _whole_pages(size_bytes)
        offset = self._free[size].pop() if self._free.get(size) else self._extend_ddr(size)
        place.map_at(self._base + layout.DDR_BASE + offset, size)
        return offset

    def unshare_ddr(self, offset: int, size_bytes: int) -> None:
        """Puts the array's own memory in the place of another file's part."""
        self.memory.map_at(
            self._base + layout.DDR_BASE + offset, layout.FILE_DDR + offset, _whole_pages(size_bytes)
        )

    def _extend_ddr(self, size: int) -> int:
        pages = size // WASM_PAGE_BYTES
        offset = self._ddr_bytes
        limit = min(self.ddr_limit_bytes, layout.DDR_END - layout.DDR_BASE)
        if offset + size > limit:
            raise ToolError(
                f"no room for {size} bytes more of emulated DDR: {offset} of {limit} bytes are used",
                hint="--memory-limit sets how much there is, up to "
                f"{(layout.DDR_END - layout.DDR_BASE) >> 20}MiB",
            )
        self.memory.reserve(layout.FILE_DDR + offset + size)
        self._linear.grow(self.store, pages)
        self.memory.map_at(self._base + layout.DDR_BASE + offset, layout.FILE_DDR + offset, size)
        self._ddr_bytes += size
        self._view = self._whole_memory()
        return offset

    def free_ddr(self, offset: int, size_bytes: int) -> None:
        """Gives back what `allocate_ddr` gave for this size."""
        size = _whole_pages(size_bytes)
        if size >= _DISCARDED_BYTES:
            self.memory.discard(layout.FILE_DDR + offset, size)
        self._free.setdefault(_whole_pages(size_bytes), []).append(offset)

    def ddr_view(self, offset: int, size_bytes: int) -> mmap.mmap:
        """DDR as a writable buffer of its own."""
        return self.memory.view(layout.FILE_DDR + offset, size_bytes)

    # --- Registers and memories.

    def reset(self) -> None:
        """The state of the array before any configuration; data memories keep their content."""
        kinds = sum(
            1 + _KIND_NUMBERS.index(kind) << 2 * row for row, kind in enumerate(self.device.rows.kinds)
        )
        self.call("reset_array", self.device.columns, kinds, int(self.west_column))

    def read32(self, address: int) -> int:
        """A register or memory word of the array. Reading a lock request register tries the request."""
        return self.call("read32", address)

    def write32(self, address: int, value: int) -> None:
        """Writes a register or memory word of the array, with all effects."""
        self.call("write32", address, value)

    def data_memory(self, tile: int) -> memoryview:
        """A tile's data memory."""
        start = layout.tile_engine_address(tile)
        return self._view[start : start + self.device.memory_bytes(tile)]

    def engine_memory(self, address: int, size_bytes: int) -> memoryview:
        """A part of the engine's memory."""
        return self._view[address : address + size_bytes]

    def apply(self, commands: Iterable[cdo.Command]) -> None:
        """Executes the commands of a CDO.

        Raises:
            NotModelled: a command that is not one of the writes.
            InvalidAccess: a poll that is not satisfied.
        """
        stream = bytearray(txn.HEADER_BYTES)
        for command in commands:
            stream += _as_txn(command)
            if len(stream) > _CONFIGURE_AT_ONCE_BYTES:
                self._configure(stream)
                del stream[txn.HEADER_BYTES :]
        self._configure(stream)

    def _configure(self, stream: bytearray) -> None:
        if self.call("configure", self._configuration.put(stream), len(stream)):
            raise InvalidAccess("the configuration polls a register for a value it does not have")

    # --- Actors.

    def add_core(self, tile: int, function: wasmtime.Func) -> None:
        """Makes `function` the step function of a tile's core."""
        index = self._table.grow(self.store, 1, function)
        self.call("set_core", tile, index)

    def add_machine_core(self, tile: int, step: wasmtime.Func, reset: wasmtime.Func) -> None:
        """Makes `step` a tile's core of machine code, which runs when its control register enables it."""
        index = self._table.grow(self.store, 1, step)
        self.call("set_machine_core", tile, index, self._table.grow(self.store, 1, reset))

    def begin(self, insts: bytes, argument_table: bytes, arguments: int) -> None:
        """Makes an instruction stream ready to run."""
        table = self._tables["argument_table"]
        self._view[table : table + len(argument_table)] = argument_table
        generation = insts[2]  # in the stream's header
        if generation != self._generation:  # a call takes a tenth of a dispatch
            family = of_generation(generation)
            self.call("set_compression_known", int(family is not None and family.compression_known))
            self.call("set_control_packets_join", int(family is not None and family.joins_control_packets))
            self._generation = generation
        self.call("begin", self._insts.put(insts), len(insts), arguments)

    def take_lock_set_again(self) -> tuple[int, ...]:
        """The first lock set since the last call while descriptors of its tile had taken of it: channel,
        descriptor, lock, value, taken; () for none.
        """
        place = self._tables["set_again"]
        found, *numbers = struct.unpack_from("<6I", self._view, place)
        struct.pack_into("<I", self._view, place, 0)
        return tuple(numbers) if found else ()

    def states(self) -> list[ActorState]:
        """What every actor that ever did something is doing."""
        count = self.call("describe")
        return read_states(bytes(self.engine_memory(self._tables["actor_states"], count * STATE_BYTES)))

    def race_records(self) -> bytes:
        """What a checked run found, as records of the engine (checks.c)."""
        size = 32 * self.call("race_count")
        return bytes(self.engine_memory(self.call("race_table"), size))

    def fault(self) -> tuple[int, ...]:
        """The fault record: its kind, 0 for none, and seven words."""
        return struct.unpack_from(f"<{FAULT_WORDS}I", self._view, self._tables["fault_record"])

    def current_actor(self) -> int:
        """Whose turn it is or was."""
        return self.call("current_actor")

    def take_events(self) -> list[Event]:
        """The log since the last call."""
        start = self._tables["event_log"]
        count = self.call("take_event_count")
        data = bytes(self.engine_memory(start, count * _EVENT.size))
        return [read_event(first >> 16, first & 0xFFFF, a, b) for first, a, b in _EVENT.iter_unpack(data)]

    def close(self) -> None:
        """Gives all memory back. Views of the array must not be used any more; those of DDR stay valid."""
        self._view.release()
        self.store.close()
        self.memory.close()


def _whole_pages(size_bytes: int) -> int:
    return -(-max(size_bytes, 1) // WASM_PAGE_BYTES) * WASM_PAGE_BYTES


class _Area:
    """A piece of DDR, hidden from the DMA, in which the engine finds bytes to read."""

    def __init__(self, array: Array) -> None:
        self._array = array
        self._size_bytes = 0
        self._offset = 0

    def put(self, data: bytes | bytearray) -> int:
        """Puts bytes there in place of the last ones and returns their address in the engine's memory."""
        if len(data) > self._size_bytes:
            if self._size_bytes:
                self._array.free_ddr(self._offset, self._size_bytes)
            self._offset = self._array.allocate_ddr(len(data))
            self._size_bytes = len(data)
        address = layout.DDR_BASE + self._offset
        self._array.engine_memory(address, len(data))[:] = data
        return address


def _as_txn(command: cdo.Command) -> bytes:
    """A CDO command as operations of a TXN stream, which the engine reads."""
    if (
        isinstance(command, (cdo.Write, cdo.MaskWrite, cdo.BlockWrite, cdo.Fill, cdo.MaskPoll))
        and command.address >> 32
    ):
        raise InvalidAccess(f"the configuration writes to address 0x{command.address:x}, outside the array")
    if isinstance(command, cdo.Write):
        return txn.encode(txn.Write(command.address, command.value))
    if isinstance(command, cdo.MaskWrite):
        return txn.encode(txn.MaskWrite(command.address, command.mask, command.value))
    if isinstance(command, cdo.BlockWrite):
        return txn.encode(txn.BlockWrite(command.address, command.data))
    if isinstance(command, cdo.Fill) and 4 * command.words > TILE_BYTES:
        raise InvalidAccess(
            f"the configuration fills {command.words} words from address 0x{command.address:x}; a tile has "
            f"{TILE_BYTES // 4} at most"
        )
    if isinstance(command, cdo.Fill):
        return txn.encode(txn.BlockWrite(command.address, struct.pack("<I", command.value) * command.words))
    if isinstance(command, cdo.MaskPoll):
        return txn.encode(txn.MaskPoll(command.address, command.mask, command.value))
    if isinstance(command, (cdo.Delay, cdo.Nop)):
        return b""
    if command.code in (cdo.END, cdo.MARKER, cdo.BLOCK_BEGIN, cdo.BLOCK_END):
        return b""
    name = cdo.NAMES.get(command.code, f"0x{command.code:04x}")
    raise NotModelled(
        f"not modelled by the emulator: the CDO command {name}", report={"feature": f"CDO command {name}"}
    )


def unexpected(error: Exception) -> InternalError:
    """The error for a trap of the engine that has no fault record."""
    return InternalError(f"the emulator's engine stopped: {error}")
