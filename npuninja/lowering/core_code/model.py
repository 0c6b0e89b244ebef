"""What a core's code refers to outside its body, as the core sees it: buffers, locks, functions, globals."""

from __future__ import annotations

import re

from npuninja.arch.devices import (
    CORE_LOCK_BASES,
    DATA_WINDOWS,
    DEFAULT_STACK_BYTES,
    DeviceModel,
    TilePlace,
    memory_neighbours,
    memory_window,
)
from npuninja.errors import UserError
from npuninja.formats.core_abi import LOCKS_PER_TILE, ROWS_PER_COLUMN
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import size_bytes
from npuninja.lowering.lookup import buffer_place
from npuninja.lowering.op_builders import constant_value
from npuninja.lowering.tiles import model_of, ops_of, place_of
from npuninja.records import NamedTuple

#: Names a function of a design may have that C or the code around it uses otherwise.
_C_KEYWORDS = re.compile(
    "auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|"
    "restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while|asm|typeof"
)
_OUR_NAMES = re.compile(r"npu_\w*|r|[vit]\d+|bb\d+|wait\d+|core_\d+_\d+")


class LockView(NamedTuple):
    """A lock as a core uses it: symbol, word in the emulator's lock page, number in the core's own view."""

    symbol: str
    word: int
    local_id: int


class CoreModel:
    """One core of a lowered design: where all it can reach lies. Raises UserError when no core is there."""

    def __init__(self, operation: Operation, column: int, row: int) -> None:
        self.operation = operation
        self.device: DeviceModel = model_of(operation)
        self.place: TilePlace = (column, row)
        self.core = self._find_core()
        self.stack_bytes = self.core.integer("stack_size", DEFAULT_STACK_BYTES)
        self.neighbours: set[str] = set()

    @property
    def entry(self) -> str:
        """The name of the core's function."""
        return f"core_{self.place[0]}_{self.place[1]}"

    def _find_core(self) -> Operation:
        cores = [op for op in self.operation.body.ops if op.name == "aie.core"]
        for op in cores:
            if place_of(op.tile) == self.place:
                return op
        known = ", ".join("({}, {})".format(*place_of(op.tile)) for op in cores)
        raise UserError(
            f"device @{self.operation.string('sym_name', 'main')} has no core at ({self.place[0]}, "
            f"{self.place[1]})",
            self.operation.loc,
            hint=f"it has cores at {known}" if known else "it has no cores",
        )

    def _window(self, owner: TilePlace, what: str, user: Operation) -> str:
        window = memory_window(self.device, self.place, owner)
        if window is None:
            column, row = self.place
            raise UserError(
                f"core ({column}, {row}) cannot reach {what} of tile ({owner[0]}, {owner[1]})",
                user.loc,
                hint="a core reaches its own tile and the cores to the south, west and north of it",
            )
        return window

    def buffer_address(self, buffer: Operation, user: Operation) -> int:
        """A buffer's data address (0x40000 to 0x7FFFF) for the core; notes the neighbour it belongs to."""
        column, row, address = buffer_place(buffer, user)
        window = self._window((column, row), "a buffer", user)
        if window != "own":
            self.neighbours.add(window)
        return DATA_WINDOWS[window] + address

    def lock(self, lock: Value, user: Operation) -> LockView:
        """A lock as the core sees it."""
        op = lock.owner
        number_of_core = constant_value(lock)
        if number_of_core is not None:
            return self._numbered_lock(number_of_core, user)
        if not isinstance(op, Operation) or op.name != "aie.lock":
            raise UserError(f"'{user.name}' expects a lock made by aie.lock", user.loc)
        if "lockID" not in op.attributes:
            raise UserError(
                f"'{user.name}' uses a lock without an id",
                user.loc,
                hint="lower the design's resources first",
                notes=(("the lock", op.loc),),
            )
        column, row = place_of(op.tile)
        number = op.integer("lockID")
        window = self._window((column, row), "a lock", user)
        word = _lock_word(op)
        symbol = op.string("sym_name", f"lock {number} of ({column}, {row})")
        return LockView(symbol, word, CORE_LOCK_BASES[window] + number)

    def _numbered_lock(self, number: int, user: Operation) -> LockView:
        """The lock that a core knows by a number of its own, as code that was lowered before has it."""
        window = next(
            window
            for window, base in CORE_LOCK_BASES.items()
            if base <= number < base + self.device.kind_of(self.place[1]).locks
        )
        owner = memory_neighbours(self.device, self.place).get(window)
        if owner is None:
            raise UserError(
                f"lock {number} would be one of a neighbour in the {window}, which is not there", user.loc
            )
        word = (owner[0] * ROWS_PER_COLUMN + owner[1]) * LOCKS_PER_TILE + number - CORE_LOCK_BASES[window]
        return LockView(f"lock {number - CORE_LOCK_BASES[window]} of {owner}", word, number)

    def reachable_buffers(self) -> list[tuple[str, int, int]]:
        """(symbol, data address, bytes) of every placed buffer in memories the core can reach, by address."""
        owners = {place: window for window, place in memory_neighbours(self.device, self.place).items()}
        found = []
        for op in ops_of(self.operation, "aie.buffer"):
            if "address" in op.attributes:
                window = owners.get(place_of(op.tile))
                if window is not None:
                    start = DATA_WINDOWS[window] + op.integer("address")
                    found.append((op.string("sym_name", ""), start, size_bytes(op.result.type)))
        return sorted(found, key=lambda b: b[1:])

    def memory_tile_buffers(self) -> list[tuple[str, int, int, int, int]]:
        """(symbol, column, row, address, bytes) of every placed buffer in the device's memtiles, by place."""
        placed = [op for op in ops_of(self.operation, "aie.buffer") if "address" in op.attributes]
        found = [
            (op.string("sym_name", ""), *place_of(op.tile), op.integer("address"), size_bytes(op.result.type))
            for op in placed
            if self.device.tile_kind(place_of(op.tile)[1]) == "mem"
        ]
        return sorted(found, key=lambda b: b[1:])

    def is_banked(self) -> bool:
        """Whether a buffer of the core's own tile was placed bank by bank, which leaves gaps."""
        buffers = ops_of(self.operation, "aie.buffer")
        return any("mem_bank" in op.attributes and place_of(op.tile) == self.place for op in buffers)

    def named_locks(self) -> list[tuple[str, int]]:
        """(symbol, word in the lock page) of every lock of the device that has a name, by word."""
        locks = [op for op in ops_of(self.operation, "aie.lock") if "lockID" in op.attributes]
        named = [(op.string("sym_name"), _lock_word(op)) for op in locks if "sym_name" in op.attributes]
        return sorted(named, key=lambda lock: lock[1])

    @property
    def data_origin(self) -> int:
        """Where the data of kernels starts: behind stack and highest buffer, as in the linker script."""
        ends = [self.stack_bytes + DATA_WINDOWS["own"]]
        own = DATA_WINDOWS["own"]
        ends += [start + size for _, start, size in self.reachable_buffers() if start >= own]
        return max(ends)


def _lock_word(lock: Operation) -> int:
    """The number of a lock in the lock page."""
    column, row = place_of(lock.tile)
    return (column * ROWS_PER_COLUMN + row) * LOCKS_PER_TILE + lock.integer("lockID")


def c_name(symbol: str) -> tuple[str, bool]:
    """A C identifier for a symbol, and whether it is the symbol itself (else it needs an assembler label)."""
    reserved = _C_KEYWORDS.fullmatch(symbol) or _OUR_NAMES.fullmatch(symbol)
    if re.fullmatch(r"[A-Za-z_]\w*", symbol) and not reserved:
        return symbol, True
    return "npu_function_" + re.sub(r"\W", lambda m: f"_{ord(m[0]):x}_", symbol), False
