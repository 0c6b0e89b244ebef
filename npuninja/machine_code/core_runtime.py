"""The runtime: one core that executes machine code, as a WebAssembly instance (runtime/*.c).

Its linear memory is the core's address space. A core alone (`npuninja core`) has plain memory there; in the
emulated array the windows are mapped over the tiles' memories (npuninja.emulator.machine_cores).
"""

from __future__ import annotations

import struct
from pathlib import Path

import wasmtime

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_END, DATA_START
from npuninja.cache_files import cache_folder
from npuninja.compiled_modules import (
    Sources,
    cached_module,
    cached_source,
    compile_module,
    sources_key,
)
from npuninja.errors import InternalError, UserError
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.families.fields import BUNDLE, OP, FieldLayout, operations
from npuninja.machine_code.prepare import Prepared, prepare
from npuninja.machine_code.registers import BANK_BYTES, RegisterPlace, place_of
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

SOURCES = Path(__file__).parent / "runtime"
#: First byte of the runtime's own memory: after everything that a core can address.
OWN_BASE = 0x100000
MEMORY_BYTES = 0x800000
PROGRAM = Sources(
    SOURCES,
    ("core", "translated", "origins", "lanes", "accumulate", "floats"),
    (
        *("-O2", "-msimd128", "-mbulk-memory", "-flto", "-g0"),
        *("-ffreestanding", "-fno-strict-aliasing", "-fno-sanitize=all", "-fwrapv"),
    ),
    (
        *("--no-entry", "--growable-table", "--export-table", "-z", "stack-size=65536"),
        f"--global-base={OWN_BASE}",
        f"--initial-memory={MEMORY_BYTES}",
        f"--max-memory={MEMORY_BYTES}",
    ),
    "the runtime of machine code",
)

#: What core_run returns (runtime/core.h).
(
    STEP_MORE, STEP_WAIT_GE, STEP_WAIT_EQ, STEP_RELEASE_FAULT, STEP_FAULT, STEP_DONE, STEP_RETURNED, STEP_BREAK,
    STEP_LIMIT, STEP_WAIT_STREAM_IN, STEP_WAIT_STREAM_OUT, STEP_WAIT_CASCADE_IN, STEP_WAIT_CASCADE_OUT,
) = range(13)  # fmt: skip
#: Words of `State` in order, then 64-bit counters.
STATE_WORDS = (
    "pc", "stopped", "branch_in", "branch_target", "branch_at", "tile", "windows", "stack_high", "stack_start", "return_address",
    "fault", "fault_at", "fault_a", "fault_b", "fault_c", "wait_kind", "wait_lock", "wait_need", "limit_low",
    "limit_high", "events", "translated", "resume", "jump_condition", "jump_target", "checked",
)  # fmt: skip
COUNTERS = ("cycle", "issued", "bank_conflicts", "lock_stalls", "stream_stalls", "cascade_stalls")
_COUNTERS_AT = (4 * len(STATE_WORDS) + 7) // 8 * 8
_STATE_BYTES = _COUNTERS_AT + 8 * len(COUNTERS)
_NO_ADDRESS = 0xFFFFFFFF
_DATA_WINDOWS = ("south", "west", "north", "own")


class RuntimeAddresses(NamedTuple):
    """Where translated code finds things in the runtime's memory: registers, state, its own tables."""

    layout: FieldLayout
    state: int
    block_at: int
    ring: int
    lookups: int
    max_lookups: int

    def word(self, name: str) -> int:
        """The address of a word of the state."""
        return self.state + 4 * STATE_WORDS.index(name)

    def counter(self, name: str) -> int:
        """The address of a 64-bit counter of the state."""
        return self.state + _COUNTERS_AT + 8 * COUNTERS.index(name)


class Fault(NamedTuple):
    """Why a core stopped: the kind of fault, the address of the bundle, and numbers that explain it."""

    kind: int
    address: int
    a: int
    b: int
    c: int


def load_runtime(engine: wasmtime.Engine) -> wasmtime.Module:
    """The runtime, compiled for this machine. Takes seconds at first, later about a millisecond.

    Raises:
        ToolError: there is no compiler, or it failed.
    """
    cache = cache_folder()
    key, compiler = sources_key(PROGRAM)

    def source() -> bytes:
        path = cache / f"core-runtime-{key}.wasm"
        return cached_source(path, lambda: compile_module(PROGRAM, compiler, cache))

    return cached_module(engine, cache / f"core-runtime-{key}.cwasm", source)


def _alone(store: wasmtime.Store, kind: Any) -> wasmtime.Func:
    """Stands in for a port of the array: nothing is there, nothing can be sent."""
    answer = 0 if kind.results else None
    return wasmtime.Func(store, kind, lambda *_: answer)


class CoreRuntime:
    """One core with its program, registers and memory.

    Args:
        store: of the instance.
        module: from `load_runtime` with the store's engine.
        ports: of the array around the core: streams, cascades, checks, by the names in runtime/core.h.
            Without them a core is alone: its streams are never ready.
    """

    def __init__(
        self,
        store: wasmtime.Store,
        module: wasmtime.Module,
        ports: Mapping[str, wasmtime.Func] | None = None,
    ) -> None:
        self._store = store
        self.engine = store.engine
        imports = [ports[i.name or ""] if ports else _alone(store, i.type) for i in module.imports]
        exports = wasmtime.Instance(store, module, imports).exports(store)
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory
        self.exports = exports
        self._view = memoryview(memory.get_buffer_ptr(store)).cast("B")
        where = int(self._call("core_layout"))
        words = struct.unpack_from("<16I", self._view, where)
        (
            bank,
            bypass,
            self._bundles,
            self._ops,
            first_state,
            bank_bytes,
            bundle,
            op,
            state,
            self._max_ops,
            count,
            block_at,
            ring,
            lookups,
            max_lookups,
            self._issues,
        ) = words
        if (bank_bytes, bundle, op, state, count) != (
            BANK_BYTES,
            BUNDLE.size,
            OP.size,
            _STATE_BYTES,
            len(operations()),
        ):
            raise InternalError(f"the runtime of machine code and its host disagree: {words}")
        self.layout = FieldLayout(bank, bypass, self._ops)
        self.addresses = RuntimeAddresses(self.layout, first_state, block_at, ring, lookups, max_lookups)
        self.unsupported: dict[int, str] = {}
        self._call("core_reset")
        self.set_state("windows", 0b1111)
        self.set_state("return_address", _NO_ADDRESS)
        self.set_limit(None)

    def _call(self, name: str, *arguments: int) -> Any:
        function = self.exports[name]
        assert isinstance(function, wasmtime.Func)
        return function(self._store, *arguments)

    # --- Program.

    def load(self, bundles: Sequence[Bundle]) -> None:
        """Puts a program into the core. Raises UserError when it is larger than program memory could be."""
        self.put(prepare(bundles, self.layout))

    def put(self, prepared: Prepared) -> None:
        """Puts a prepared program into the core."""
        if len(prepared.ops) > self._max_ops * OP.size:
            raise UserError(
                f"the program has {len(prepared.ops) // OP.size} instructions, the core takes {self._max_ops}"
            )
        self._view[self._bundles : self._bundles + len(prepared.bundles)] = prepared.bundles
        self._view[self._ops : self._ops + len(prepared.ops)] = prepared.ops
        self.unsupported = prepared.unsupported

    def add_extent(self, start: int, end: int, is_sized: bool) -> bool:
        """Addresses made of a buffer's begin must stay in it from now on (runtime/origins.c). False: full."""
        return bool(self._call("add_extent", start, end, int(is_sized)))

    def set_break(self, address: int, wanted: bool = True) -> None:
        """Stops before the bundle at `address` is issued, or does so no more."""
        at = self._bundles + address // 2 * BUNDLE.size + 6
        (flags,) = struct.unpack_from("<H", self._view, at)
        struct.pack_into("<H", self._view, at, flags | 4 if wanted else flags & ~4)

    # --- Registers.

    def read(self, place: RegisterPlace) -> bytes:
        """The bytes of a register in memory order."""
        start = self.layout.bank + place.offset
        return bytes(self._view[start : start + place.size_bytes])

    def write(self, place: RegisterPlace, data: bytes) -> None:
        """Sets a register, for readers on a bypass network too."""
        for bank in (self.layout.bank, self.layout.bypass_bank):
            self._view[bank + place.offset : bank + place.offset + len(data)] = data

    def register(self, name: str) -> int:
        """The value of a scalar register."""
        return int.from_bytes(self.read(place_of(name)), "little")

    def set_register(self, name: str, value: int) -> None:
        """Sets a scalar register as an instruction would: bits it does not have are dropped."""
        place = place_of(name)
        if not place.mask and place.size_bytes == 4:  # a shift register
            signed = value - (1 << 32) if value >> 31 & 1 and value >= 0 else value
            value = signed & 63 if -32 <= signed < 64 else 0
        elif place.size_bytes == 4:
            value &= place.mask
        self.write(place, (value & ((1 << 8 * place.size_bytes) - 1)).to_bytes(place.size_bytes, "little"))

    # --- State.

    def state(self, name: str) -> int:
        """A word or a counter of the core's state."""
        if name in COUNTERS:
            return int(struct.unpack_from("<Q", self._view, self.addresses.counter(name))[0])
        return int(struct.unpack_from("<I", self._view, self.addresses.word(name))[0])

    def set_state(self, name: str, value: int) -> None:
        """Sets a word of the core's state."""
        struct.pack_into("<I", self._view, self.addresses.word(name), value & 0xFFFFFFFF)

    def set_limit(self, bundles: int | None) -> None:
        """How many bundles may be issued in all; None: any number."""
        limit = (1 << 64) - 1 if bundles is None else bundles
        self.set_state("limit_low", limit & 0xFFFFFFFF)
        self.set_state("limit_high", limit >> 32)

    def fault(self) -> Fault:
        """The fault record; kind 0 for none."""
        return Fault(*(self.state(name) for name in ("fault", "fault_at", "fault_a", "fault_b", "fault_c")))

    def issues(self, address: int) -> int:
        """How often the interpreter issued the bundle at an address; translated code does not count here."""
        return int(struct.unpack_from("<I", self._view, self._issues + address // 2 * 4)[0])

    # --- Memory.

    def data(self, address: int, size_bytes: int) -> memoryview:
        """A part of the core's address space."""
        return self._view[address : address + size_bytes]

    # --- Translated code.

    def use_translation(
        self, module: wasmtime.Module, entries: dict[int, int], lookups: Sequence[dict[int, int]]
    ) -> None:
        """Runs translated code where it has a block, and interprets the rest.

        Args:
            module: of npuninja.machine_code.translate, for this runtime's places.
            entries: by address, the block there when nothing is in flight.
            lookups: by address, the block that a computed jump leads to, a table for each shape.
        """
        imports: list[Any] = [self.exports[item.name or ""] for item in module.imports]
        run = wasmtime.Instance(self._store, module, imports).exports(self._store)["run"]
        table = self.exports["__indirect_function_table"]
        assert isinstance(table, wasmtime.Table)
        assert isinstance(run, wasmtime.Func)
        for at, blocks in (
            (self.addresses.block_at, entries),
            *((self.addresses.lookups + number * 0x8000, found) for number, found in enumerate(lookups)),
        ):
            for address, block in blocks.items():
                struct.pack_into("<I", self._view, at + address * 2, block)
        self.set_state("translated", table.grow(self._store, 1, run))

    # --- Running.

    def run(self) -> int:
        """Runs until something happens; a STEP_…."""
        return int(self._call("core_run"))


#: Sentences of faults by kind (runtime/core.h).
_FAULTS = {
    1: "the bytes there are no bundle, or the program ends before",
    2: "{name} is not executed here: nothing is guessed about instructions that are not proved",
    3: "an access of {b} bytes to 0x{a:x}: no data memory is there "
    f"({DATA_START:#x} to {DATA_END - 1:#x})",
    4: "an access to the data memory to the {window}, which this core does not have",
    5: "an access of {b} bytes to 0x{a:x}, which is not a multiple of {b}",
    6: "a branch in a delay slot of the branch at 0x{a:x}",
    7: "the program counter is 0x{a:x}, outside program memory",
    8: "a release of {change} makes lock {a} more than 63 or less than -64: it is {value}",
    9: "{name} with the configuration 0x{a:x}, which is not modelled",
    10: "a stream access that is not modelled",
    11: "more is in flight than this model has room for",
    12: "{name} reads 0x{a:x} or 0x{b:x}, which differ: no measurement says which. "
    "A table for it holds each 16 bytes twice",
    13: "{name} with {register} = 0, which turns the cascade off: what happens then is not modelled",
    14: "an access to 0x{a:x} by an address that was made of 0x{b:x}, where another buffer begins",
}
#: An access that left the buffer of its address.
STRAYED = 14


def fault_sentence(fault: Fault, name: str) -> str:
    """What happened, in words; `name` is the instruction at the fault's address."""
    signed = [v - (1 << 32) if v >> 31 else v for v in (fault.b, fault.c)]
    window = _DATA_WINDOWS[((fault.a >> 4) if fault.c else (fault.a >> 16) - 4) & 3]
    return _FAULTS[fault.kind].format(
        a=fault.a, b=fault.b, name=name, window=window, value=signed[0], change=signed[1],
        register="crSCDEn" if fault.a else "crMCDEn",
    )  # fmt: skip
