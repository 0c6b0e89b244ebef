"""Code that keeps a kernel's accesses in the buffers of the arguments that their addresses are made of.

At a function's start the engine says, for each set of parameters that an address is made of, which buffer
that is: where it begins and how long it is, or everything when that is unknown. Two comparisons then come
before each access.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.origins import MOST_PARAMETERS, Origins

#: Tells the engine that an access writes (engine/checks.c).
WRITES_BIT = 1 << 27


class AddedVariables(Protocol):
    """Gives a function's added local variables by name."""

    def number(self, name: str, kind: str) -> int:
        """The variable `name` of a type."""


class BoundAccesses:
    """Of one function.

    Args:
        origins: which parameters its addresses are made of.
        is_direct: whether the core's own function alone calls it: then its arguments are buffers as the
            design has them, and no end of one that is the beginning of another.
        variables: for what is remembered.
        engine: the call of a function of the engine, by name.
        strays: the call of the function that ends the run.
    """

    def __init__(
        self,
        origins: Origins,
        *,
        is_direct: bool,
        variables: AddedVariables,
        engine: Callable[[str], bytes],
        strays: bytes,
    ) -> None:
        kept = {mask for found in origins for mask in found.values() if mask.bit_count() <= MOST_PARAMETERS}
        self._origins = origins
        self._is_direct = is_direct
        self._engine = engine
        self._strays = strays
        self._bounds = {
            mask: (variables.number(f"low {mask}", "i32"), variables.number(f"size {mask}", "i32"))
            for mask in sorted(kept)
        }
        self._pair = variables.number("bounds", "i64") if kept else 0
        self._variables = variables

    def prologue(self) -> bytes:
        """Asks for the buffers."""
        out = b""
        for mask, (low, size) in self._bounds.items():
            parameters = [number for number in range(mask.bit_length()) if mask >> number & 1]
            out += b"".join(map(e.get, parameters)) + e.const(0) * (MOST_PARAMETERS - len(parameters))
            out += e.const(int(self._is_direct)) + self._engine("core_bounds") + e.tee(self._pair)
            out += e.I32_WRAP + e.set_(low)
            out += e.get(self._pair) + b"\x42\x20" + e.I64_SHR_U + e.I32_WRAP + e.set_(size)
        return out

    def test(self, place: int, address: int, offset: int, size_bytes: int, packed: int) -> bytes:
        """Before an access: `address` is the variable that has its address, without the constant offset."""
        bounds = self._bounds.get(self._origins.accesses.get(place, 0))
        if bounds is None:
            return b""
        low, size = bounds
        where = e.get(address) + e.const(offset) + e.I32_ADD
        room = e.get(size) + e.const(size_bytes) + e.I32_SUB
        outside = where + e.get(low) + e.I32_SUB + room + e.I32_GT_U
        return outside + e.IF + where + e.const(packed) + e.get(low) + self._strays + e.UNREACHABLE + e.END

    def test_range(self, place: int, packed: int) -> bytes:
        """Before memory.copy or memory.fill, whose operands are on the stack and stay there."""
        to = self._bounds.get(self._origins.accesses.get(place, 0))
        source = self._bounds.get(self._origins.sources.get(place, 0))
        if to is None and source is None:
            return b""
        first, second, count = (self._variables.number(name, "i32") for name in ("first", "second", "count"))
        out = e.set_(count) + e.set_(second) + e.set_(first)
        for bounds, begin, writes in ((source, second, 0), (to, first, WRITES_BIT)):
            if bounds is not None:
                out += (
                    e.get(bounds[0])
                    + e.get(bounds[1])
                    + e.get(begin)
                    + e.get(count)
                    + e.const(packed | writes)
                )
                out += self._engine("core_within")
        return out + e.get(first) + e.get(second) + e.get(count)
