"""The functions of a program: size, stack by the call graph, loops, cycles of a call.

Functions begin at symbols of functions, at address 0 and where calls lead; each goes on to the next one's
beginning. The stack grows upwards: a function's frame is what it adds to `sp` at most (aie2-isa §9).
"""

from __future__ import annotations

import bisect

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_START
from npuninja.formats import elf
from npuninja.machine_code.decode import Bundle, Decoded
from npuninja.machine_code.flow import Branch, ControlFlow, Loop, analyse, ends_core
from npuninja.machine_code.listing import Names
from npuninja.machine_code.program import Symbol, read_programs
from npuninja.machine_code.reachable import reachable_bundles
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Sequence

#: Bundles that are followed in search of the cycles of one call.
_LONGEST_WALK = 20_000


class Function(NamedTuple):
    """One function.

    Attributes:
        name: its symbol, or `function_0x…` where none is known.
        start, end: its addresses.
        bundles: how many it has.
        frame_bytes: what it adds to `sp` itself.
        stack_bytes: with those that it calls; None with recursion or calls through a register.
        calls: the functions it calls, by name.
        cycles: issue cycles of one call; None when they depend on data.
        loops: its zero-overhead loops.
    """

    name: str
    start: int
    end: int
    bundles: int
    frame_bytes: int
    stack_bytes: int | None
    calls: tuple[str, ...]
    cycles: int | None
    loops: tuple[Loop, ...]

    def to_json(self) -> dict[str, Any]:
        """The function as data for JSON."""
        return {
            **self._asdict(),
            "calls": list(self.calls),
            "loops": [loop._asdict() for loop in self.loops],
        }

    def line(self) -> str:
        """As one line of text."""
        size = self.end - self.start
        parts = [f"{size} bytes at 0x{self.start:x}"]
        parts.append(f"stack {self.stack_bytes} bytes" if self.stack_bytes is not None else "stack unknown")
        parts.append(f"{self.cycles} cycles a call" if self.cycles is not None else "cycles depend on data")
        if self.loops:
            bodies = ", ".join(
                f"0x{loop.start:x}" + (f" ({loop.trips} trips)" if loop.trips is not None else "")
                for loop in self.loops
            )
            parts.append(f"zero-overhead loops at {bodies}")
        if self.calls:
            parts.append(f"calls {', '.join(self.calls)}")
        return f"{self.name}: {'; '.join(parts)}"


def functions_of(data: bytes, name: str) -> tuple[Function, ...]:
    """The functions of a linked AIE2 ELF, none of another one. Raises UserError for code it cannot read."""
    found = elf.read_elf(data, name)
    if (found.machine, found.type, elf.architecture_of(found.flags)) != (elf.MACHINE, elf.EXECUTABLE, "aie2"):
        return ()
    pieces = [(s.address, s.data) for s in found.segments if s.address < DATA_START]
    _, programs = read_programs(data, name)
    return Functions(pieces, [symbol for program in programs for symbol in program.symbols]).all


class Functions:
    """The functions of a program.

    Args:
        pieces: (address, bytes) of program memory.
        symbols: what is known of names.

    Attributes:
        all: the functions by address.
        flow: the control flow of the whole program.
    """

    def __init__(self, pieces: Sequence[tuple[int, bytes]], symbols: Sequence[Symbol] = ()) -> None:
        bundles = reachable_bundles(pieces)
        names = Names(symbols)
        self.flow: ControlFlow = analyse(bundles, [s.address for s in names.functions])
        known = {s.address for s in names.functions} | {0} | set(self.flow.calls)
        self._starts = sorted(known & set(self.flow.bundles))
        self._addresses = [b.address for b in bundles]
        self._names = {at: names.at.get(at, f"function_0x{at:x}" if at else "start") for at in self._starts}
        self._bundles = bundles
        self._frames = {at: self._frame(at) for at in self._starts}
        self._cycles: dict[int, int | None] = {}
        self.all = tuple(self._function(at) for at in self._starts)

    def start_of(self, address: int) -> int:
        """The beginning of the function that an address lies in."""
        return self._starts[bisect.bisect_right(self._starts, address) - 1]

    def bundles_of(self, start: int) -> tuple[Bundle, ...]:
        """The bundles of the function that begins at an address."""
        index = bisect.bisect_right(self._starts, start)
        first = bisect.bisect_left(self._addresses, start)
        last = (
            bisect.bisect_left(self._addresses, self._starts[index])
            if index < len(self._starts)
            else len(self._addresses)
        )
        return tuple(self._bundles[first:last])

    def _function(self, start: int) -> Function:
        bundles = self.bundles_of(start)
        end = bundles[-1].end
        loops = tuple(loop for loop in self.flow.loops.values() if start <= loop.start < end)
        calls = sorted({self._names[target] for target in self._targets(start) if target is not None})
        return Function(
            name=self._names[start],
            start=start,
            end=end,
            bundles=len(bundles),
            frame_bytes=self._frames[start],
            stack_bytes=self._stack(start, ()),
            calls=tuple(calls),
            cycles=self._cycles_of(start, ()),
            loops=loops,
        )

    def _frame(self, start: int) -> int:
        depth = deepest = 0
        for bundle in self.bundles_of(start):
            depth += sum(map(_stack_step, bundle.instructions))
            deepest = max(deepest, depth)
        return deepest

    def _targets(self, start: int) -> list[int | None]:
        """Where the calls and the jumps to other functions lead; None: through a register."""
        found: list[int | None] = []
        end = self.bundles_of(start)[-1].end
        for bundle in self.bundles_of(start):
            branch = self.flow.branches.get(bundle.address)
            if branch is None or branch.mnemonic == "ret lr":
                continue
            if branch.is_call or (branch.target is not None and not start <= branch.target < end):
                found.append(
                    branch.target if branch.target in self._frames or branch.target is None else None
                )
        return found

    def _stack(self, start: int, above: tuple[int, ...]) -> int | None:
        if start in above:
            return None
        deepest = 0
        for target in self._targets(start):
            below = self._stack(target, (*above, start)) if target is not None else None
            if below is None:
                return None
            deepest = max(deepest, below)
        return self._frames[start] + deepest

    def _cycles_of(self, start: int | None, above: tuple[int, ...]) -> int | None:
        if start is None or start in above:
            return None
        if start not in self._cycles:
            self._cycles[start] = self._walk(start, (*above, start))
        return self._cycles[start]

    def _walk(self, address: int, above: tuple[int, ...]) -> int | None:
        """Issue cycles from an address to the return, when no way depends on data."""
        cycles = 0
        began = {loop.start: -1 for loop in self.flow.loops.values()}
        leaving: Branch | None = None  # whose delay slots are being issued
        for _ in range(_LONGEST_WALK):
            if leaving is not None and address == leaving.after:
                if leaving.mnemonic == "ret lr":
                    return cycles
                address, leaving = leaving.target or 0, None
            bundle = self.flow.bundles.get(address)
            if bundle is None:
                return None
            if address in began:
                began[address] = cycles
            cycles += 1
            if ends_core(bundle):
                return cycles
            branch = self.flow.branches.get(address)
            if branch is not None:
                called = self._cycles_called(branch, above)
                if called is None:
                    return None
                cycles += called
                leaving = leaving if branch.is_call else branch
            loop = self.flow.loops.get(address)
            if loop is not None:
                if loop.trips is None or began[loop.start] < 0:
                    return None
                cycles += (cycles - began[loop.start]) * (loop.trips - 1)
            address = bundle.end
        return None

    def _cycles_called(self, branch: Branch, above: tuple[int, ...]) -> int | None:
        """Issue cycles of what a branch calls (0 for no call); None if they or its way depend on data."""
        if branch.after is None or branch.mnemonic in ("jz", "jnz", "jnzd"):
            return None
        if branch.mnemonic == "ret lr":
            return 0
        if branch.is_call:
            return self._cycles_of(branch.target, above) if branch.target in self._frames else None
        return None if branch.target is None else 0


def _stack_step(decoded: Decoded) -> int:
    """What an instruction adds to `sp`, 0 for most."""
    mnemonic, arguments = decoded.instruction.mnemonic, decoded.instruction.arguments
    if not mnemonic.startswith("padd") or not arguments.startswith("[sp]"):
        return 0
    value = decoded.operands[-1]
    return value if isinstance(value, int) else 0
