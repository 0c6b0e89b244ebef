"""The variables of a function that is left: where each lies in its frame, code to save and restore them."""

from __future__ import annotations

from typing import Sequence

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.section_tables import VALUE_LETTERS
from npuninja.emulator.core_modules.waiting import LEAVING, RETURNING
from npuninja.machine_code.wasm_writer import signed
from npuninja.records import NamedTuple

#: The byte that stands for a type of value, by its letter.
TYPE_BYTES = {letter: byte for byte, letter in VALUE_LETTERS.items()}
_SIZES_BYTES = {"i": 4, "l": 8, "f": 4, "d": 8, "v": 16}
_LOADS = {"i": b"\x28", "l": b"\x29", "f": b"\x2a", "d": b"\x2b", "v": b"\xfd\x00"}
_STORES = {"i": b"\x36", "l": b"\x37", "f": b"\x38", "d": b"\x39", "v": b"\xfd\x0b"}
_ALIGNMENT_BYTES = 16  # of frames, and the place of `where` in one
#: What the core's own function returns when it was left (engine/scheduler.c).
_SUSPENDED = b"\x42" + signed(6 << 24)


class SavedVariables(NamedTuple):
    """A function's frame.

    Attributes:
        where: the variable that says which call waits; it lies at the frame's start.
        slots: of every other variable its number, its type and its offset in the frame.
        size_bytes: of the frame.
        state, top: numbers of two globals: what is going on, and where the next frame is saved.
        is_entry: whether it is the core's own function, which the engine calls.
    """

    where: int
    slots: tuple[tuple[int, str, int], ...]
    size_bytes: int
    state: int
    top: int
    is_entry: bool

    def taken_back(self) -> bytes:
        """Code at the function's start: takes the variables back when the function is returned to."""
        out = b""
        if self.is_entry:  # from outside there is only one reason to be called while calls are left
            out += e.get_global(self.state) + e.const(LEAVING) + e.I32_EQ + e.IF
            out += e.const(RETURNING) + e.set_global(self.state) + e.END
        out += e.get_global(self.state) + e.const(RETURNING) + e.I32_EQ + e.IF
        out += e.get_global(self.top) + e.const(self.size_bytes) + e.I32_SUB + e.set_global(self.top)
        for number, kind, offset in self.slots:
            out += e.get_global(self.top) + e.access(_LOADS[kind], offset) + e.set_(number)
        return out + e.get_global(self.top) + e.access(e.I32_LOAD, 0) + e.set_(self.where) + e.END

    def left(self, results: str) -> bytes:
        """Code at the function's end: saves the variables and leaves; `results` are the function's types."""
        out = b""
        for number, kind, offset in self.slots:
            out += e.get_global(self.top) + e.get(number) + e.access(_STORES[kind], offset)
        out += e.get_global(self.top) + e.get(self.where) + e.access(e.I32_STORE, 0)
        out += e.get_global(self.top) + e.const(self.size_bytes) + e.I32_ADD + e.set_global(self.top)
        if self.is_entry:
            return out + _SUSPENDED
        return out + e.zeros(bytes(TYPE_BYTES[kind] for kind in results))


def saved_variables(
    kinds: Sequence[str], where: int, *, state: int, top: int, is_entry: bool
) -> SavedVariables:
    """Lays out the frame of a function with variables of these types, the widest first."""
    slots, size = [], _ALIGNMENT_BYTES
    numbers = (number for number in range(len(kinds)) if number != where)
    for number in sorted(numbers, key=lambda n: -_SIZES_BYTES[kinds[n]]):
        slots.append((number, kinds[number], size))
        size += _SIZES_BYTES[kinds[number]]
    size = -(-size // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
    return SavedVariables(where, tuple(slots), size, state, top, is_entry)
