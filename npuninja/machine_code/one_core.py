"""One core alone: an ELF in a runtime, run to its end or a function's return, and what it left behind."""

from __future__ import annotations

import struct

import wasmtime

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_END, DATA_START, PROGRAM_MEMORY_BYTES
from npuninja.errors import Location, UserError
from npuninja.formats.core_abi import LOCK_PAGE, OWN_DATA
from npuninja.formats.elf import RELOCATABLE, SEGMENT_LIMIT
from npuninja.machine_code import core_runtime as rt
from npuninja.machine_code.core_runtime import CoreRuntime, fault_sentence, load_runtime
from npuninja.machine_code.listing import Names
from npuninja.machine_code.program import MachineProgram, Symbol
from npuninja.machine_code.reachable import reachable_bundles
from npuninja.machine_code.registers import NAMES, VECTOR_NAMES, place_of
from npuninja.machine_code.source_lines import line_table
from npuninja.records import NamedTuple
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any

#: lr of an entry function: no bundle can be there, so its return is seen.
RETURN_ADDRESS = 0xFFFF0
#: The tile of a core alone: one with neighbours on all sides.
_TILE = 8 * 1 + 3
_OWN_LOCKS = 48
_STOPPED = {
    rt.STEP_DONE: "done",
    rt.STEP_RETURNED: "returned",
    rt.STEP_LIMIT: "max-cycles",
    rt.STEP_BREAK: "break",
    rt.STEP_WAIT_GE: "waits",
    rt.STEP_WAIT_EQ: "waits",
    rt.STEP_FAULT: "fault",
    rt.STEP_WAIT_STREAM_IN: "waits",
    rt.STEP_WAIT_STREAM_OUT: "waits",
    rt.STEP_WAIT_CASCADE_IN: "waits",
    rt.STEP_WAIT_CASCADE_OUT: "waits",
}
_PORTS = {
    rt.STEP_WAIT_STREAM_IN: "a word from its stream",
    rt.STEP_WAIT_STREAM_OUT: "room in its stream",
    rt.STEP_WAIT_CASCADE_IN: "the cascade of a neighbour",
    rt.STEP_WAIT_CASCADE_OUT: "room in the cascade",
}


class IssuedBundle(NamedTuple):
    """One issued bundle of a trace: its address, its text, the registers and the memory words it changed."""

    address: int
    text: str
    registers: dict[str, int | str]
    memory: dict[int, int]


class OneCore:
    """A core with a program, ready to run.

    Args:
        program: of an ELF.
        path: of the file, for errors.

    Raises:
        UserError: it is no linked AIE2 program.
    """

    def __init__(self, program: MachineProgram, path: str) -> None:
        if program.elf is None or program.elf.type == RELOCATABLE:
            raise UserError(
                "the file is no linked program",
                Location(path),
                hint="link it first; `npuninja disasm` lists objects",
            )
        engine = wasmtime.Engine()
        self.core = CoreRuntime(wasmtime.Store(engine), load_runtime(engine))
        self.program = program
        self.names = Names(program.symbols)
        self.lines = line_table(program.elf)
        pieces = []
        for segment in program.elf.segments:
            end = segment.address + segment.memory_bytes
            if segment.address < SEGMENT_LIMIT:
                if segment.address + len(segment.data) > PROGRAM_MEMORY_BYTES:
                    raise UserError(
                        f"the program reaches to 0x{segment.address + len(segment.data):x}, a core has "
                        f"{PROGRAM_MEMORY_BYTES} bytes of program memory",
                        Location(path),
                    )
                pieces.append((segment.address, segment.data))
            elif segment.address >= DATA_START and end <= DATA_END:
                self.core.data(segment.address, len(segment.data))[:] = segment.data
            else:
                raise UserError(
                    f"the segment at 0x{segment.address:x} lies neither in program memory nor in data memory",
                    Location(path),
                )
        self.bundles = {b.address: b for b in reachable_bundles(pieces, program.isa)}
        if not self.bundles:
            raise UserError("the program has no machine code", Location(path))
        self.core.load(list(self.bundles.values()))
        self.core.set_state("tile", _TILE)
        self.core.set_state("pc", program.elf.entry)
        self._waits_for = rt.STEP_MORE  # what the last run returned

    # --- Before the run.

    def symbol(self, name: str) -> Symbol:
        """A symbol of the program. Raises UserError with near names."""
        for symbol in self.program.symbols:
            if symbol.name == name:
                return symbol
        known = [s.name for s in self.program.symbols]
        raise UserError(f"the program has no symbol '{name}'", hint=did_you_mean(name, known, most=3))

    def address_of(self, text: str) -> int:
        """An address given as a number or a symbol. Raises UserError."""
        try:
            return int(text, 0)
        except ValueError:
            return self.symbol(text).address

    def enter(self, text: str) -> None:
        """Starts at a function instead of the program's start; the core stops when it returns."""
        address = self.address_of(text)
        if address not in self.bundles:
            raise UserError(
                f"no bundle begins at 0x{address:x}", hint="name a function, or an address that disasm shows"
            )
        self.core.set_state("pc", address)
        self.core.set_state("return_address", RETURN_ADDRESS)
        self.core.set_register("lr", RETURN_ADDRESS)
        self._put_stack(OWN_DATA)

    def _put_stack(self, address: int) -> None:
        """Where the stack begins; else it begins where the program's start puts it."""
        self.core.set_register("sp", address)
        self.core.set_state("stack_start", address)

    def set_register(self, name: str, text: str) -> None:
        """Sets a register to a number, one of more than 8 bytes also to hexadecimal bytes in memory order.

        Raises UserError when there is no such register, or the text is no value for it.
        """
        known = (*NAMES, *VECTOR_NAMES)
        wide = [f"{kind}{i}" for kind, n in (("l", 8), ("x", 12), ("cm", 9)) for i in range(n)]
        if name not in known and name not in wide:
            raise UserError(f"there is no register '{name}'", hint=f"registers: {', '.join(known)}")
        place = place_of(name)
        if place.size_bytes > 8 and len(text) == 2 * place.size_bytes and not text.startswith("0x"):
            try:
                self.core.write(place, bytes.fromhex(text))
                return
            except ValueError:
                pass
        try:
            value = int(text, 0)
        except ValueError:
            raise UserError(f"'{text}' is no number for the register {name}") from None
        if name == "sp":
            self._put_stack(value)
        else:
            self.core.set_register(name, value)

    def put(self, address: int, data: bytes) -> None:
        """Puts bytes into data memory. Raises UserError when they do not lie there."""
        self._check(address, len(data))
        self.core.data(address, len(data))[:] = data

    def take(self, address: int, size_bytes: int) -> bytes:
        """Bytes of data memory. Raises UserError when they do not lie there."""
        self._check(address, size_bytes)
        return bytes(self.core.data(address, size_bytes))

    def _check(self, address: int, size_bytes: int) -> None:
        if not DATA_START <= address <= address + size_bytes <= DATA_END:
            raise UserError(
                f"0x{address:x} to 0x{address + size_bytes:x} is no data memory (0x{DATA_START:x} to "
                f"0x{DATA_END:x})"
            )

    def set_lock(self, number: int, value: int) -> None:
        """Sets one of the own locks, 0 to 15."""
        struct.pack_into("<i", self.core.data(LOCK_PAGE + 4 * (64 * _TILE + number), 4), 0, value)

    # --- The run.

    def run(self, max_cycles: int | None) -> str:
        """Runs; says why it stopped."""
        self.core.set_limit(max_cycles)
        self._waits_for = self.core.run()
        return _STOPPED[self._waits_for]

    def step(self) -> tuple[str | None, IssuedBundle]:
        """Issues one bundle; why the core stopped, if it did, and what changed."""
        address = self.core.state("pc")
        before = self._scalars()
        memory = bytes(self.core.data(DATA_START, DATA_END - DATA_START))
        self.core.set_limit(self.core.state("issued") + 1)
        self._waits_for = self.core.run()
        stopped = _STOPPED[self._waits_for]
        after = self._scalars()
        changed = {name: value for name, value in after.items() if before[name] != value}
        now = bytes(self.core.data(DATA_START, DATA_END - DATA_START))
        words: dict[int, int] = {}
        if now != memory:
            words = {
                DATA_START + at: int.from_bytes(now[at : at + 4], "little")
                for at in range(0, len(now), 4)
                if now[at : at + 4] != memory[at : at + 4]
            }
        bundle = self.bundles.get(address)
        text = bundle.text if bundle is not None else "?"
        return (None if stopped in ("max-cycles", "break") else stopped), IssuedBundle(
            address, text, changed, words
        )

    def _scalars(self) -> dict[str, int | str]:
        values: dict[str, int | str] = {name: self.core.register(name) for name in NAMES}
        values.update({name: self.core.read(place_of(name)).hex() for name in VECTOR_NAMES})
        return values

    # --- After it.

    def wait_sentence(self) -> str:
        """What the core waits for."""
        if self._waits_for in _PORTS:
            return f"waits for {_PORTS[self._waits_for]}, and a core alone has no neighbours and no switch"
        lock, need = self.core.state("wait_lock"), self.core.state("wait_need")
        sign = "==" if self.core.state("wait_kind") == rt.STEP_WAIT_EQ else ">="
        number = lock - 64 * _TILE
        value = struct.unpack_from("<i", self.core.data(LOCK_PAGE + 4 * lock, 4))[0]
        name = f"own lock {number}" if 0 <= number < 16 else f"lock {lock % 64} of a neighbour"
        return f"waits for {name} {sign} {need}, it is {value}"

    def fault_sentence(self) -> str:
        """Why the core cannot go on, with address and function."""
        fault = self.core.fault()
        name = self.core.unsupported.get(fault.address, "")
        bundle = self.bundles.get(fault.address)
        data = f" ({bundle.data.hex(' ')}: {bundle.text})" if bundle is not None else ""
        if not name and bundle is not None:
            name = bundle.text
        where = f"0x{fault.address:x}{self.names.phrase(fault.address)}"
        place = self.lines.at(fault.address) if self.lines is not None else None
        where += f", {place}" if place is not None else ""
        return f"at {where}{data}: {fault_sentence(fault, name)}"

    def _stack_bytes(self) -> int | None:
        """The most that the stack took; None for one that grows down (npuninja-aie2's): nothing counts it."""
        start = self.core.state("stack_start")
        if 0 < self.core.register("sp") < start:
            return None
        return max(0, self.core.state("stack_high") - start)

    def report(self, stopped: str) -> dict[str, Any]:
        """Everything about the core as data."""
        made: dict[str, Any] = {
            "stopped": stopped,
            "pc": self.core.state("pc"),
            "issue_cycles": self.core.state("issued"),
            "stall_cycles": {
                "bank_conflict": self.core.state("bank_conflicts"),
                "lock": self.core.state("lock_stalls"),
            },
            "stall_cycles_are": "modelled",
            "registers": {name: self.core.register(name) for name in NAMES},
            "vectors": {name: self.core.read(place_of(name)).hex() for name in VECTOR_NAMES},
            "stack_bytes": self._stack_bytes(),
        }
        if stopped == "fault":
            fault = self.core.fault()
            made["fault"] = {"address": fault.address, "why": self.fault_sentence()}
        if stopped == "waits":
            made["waits"] = self.wait_sentence()
        return made
