"""Where a core's issue cycles went: by function, loop and C line, and as a tree of calls for a flame graph.

What was counted is how often each bundle was issued, which is exact; so are the figures of functions, loops
and lines. In the tree, callers share the cycles of a function by their number of calls: what one call from
one place took was not counted.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.formats.dwarf_lines import LineTable
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.flow import DELAY_SLOTS
from npuninja.machine_code.functions import Functions
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Callable, Iterable

_LINES_SHOWN = 40


class ProfiledLoop(NamedTuple):
    """A loop that was counted.

    Attributes:
        start, end: its first and its last bundle.
        is_hardware: whether it is a zero-overhead loop; else a branch leads back.
        trips: how often its first bundle was issued.
        issue_cycles: of all bundles from start to end, those of inner loops too.
    """

    start: int
    end: int
    is_hardware: bool
    trips: int
    issue_cycles: int


class ProfiledFrame(NamedTuple):
    """A node of the tree: a function or a loop, with everything that it calls.

    Attributes:
        name: of the function, or of the loop by its addresses.
        issue_cycles: with everything below.
        own_cycles: without.
        below: loops in it, functions it calls.
    """

    name: str
    issue_cycles: float
    own_cycles: float
    below: tuple[ProfiledFrame, ...]

    def to_json(self) -> dict[str, Any]:
        """The frame and those below it as data for JSON; cycles are rounded."""
        return {
            "name": self.name,
            "issue_cycles": round(self.issue_cycles),
            "own_cycles": round(self.own_cycles),
            "below": [frame.to_json() for frame in self.below],
        }

    def folded(self, above: tuple[str, ...] = ()) -> list[str]:
        """As lines `a;b;c CYCLES`, which programs that draw flame graphs read."""
        path = (*above, self.name.replace(";", ","))
        lines = [f"{';'.join(path)} {round(self.own_cycles)}"] if round(self.own_cycles) else []
        return lines + [line for frame in self.below for line in frame.folded(path)]


class FunctionCycles(NamedTuple):
    """A function that was run: its own issue cycles, how often it was entered, its loops."""

    name: str
    address: int
    issue_cycles: int
    calls: int
    loops: tuple[ProfiledLoop, ...]

    def to_json(self) -> dict[str, Any]:
        """The function's figures as data for JSON."""
        return {
            "function": self.name,
            "address": self.address,
            "issue_cycles": self.issue_cycles,
            "calls": self.calls,
            "loops": [loop._asdict() for loop in self.loops],
        }


class Profile(NamedTuple):
    """Of one core: functions and C lines with their cycles, the most cycles first; the tree's roots."""

    functions: tuple[FunctionCycles, ...]
    frames: tuple[ProfiledFrame, ...]
    lines: tuple[tuple[str, int], ...]


def profile_of(functions: Functions, issues: Callable[[int], int], lines: LineTable | None = None) -> Profile:
    """The profile of a core.

    Args:
        functions: of its program.
        issues: how often the bundle at an address was issued.
        lines: its line table, where there is one.
    """
    counts = {
        bundle.address: issues(bundle.address)
        for f in functions.all
        for bundle in functions.bundles_of(f.start)
    }
    rows = []
    for function in functions.all:
        bundles = functions.bundles_of(function.start)
        total = sum(counts[b.address] for b in bundles)
        if total:
            loops = _loops(functions, bundles, counts)
            rows.append(FunctionCycles(function.name, function.start, total, counts[function.start], loops))
    frames = _ProfileTree(functions, counts, {row.address: row for row in rows}).roots()
    rows.sort(key=lambda row: -row.issue_cycles)
    by_line: dict[str, int] = {}
    for address, count in counts.items():
        place = lines.at(address) if lines is not None else None
        if place is not None and count:
            name = f"{place.file}:{place.line}"
            by_line[name] = by_line.get(name, 0) + count
    ranked = sorted(by_line.items(), key=lambda item: -item[1])[:_LINES_SHOWN]
    return Profile(tuple(rows), frames, tuple(ranked))


def _loops(
    functions: Functions, bundles: tuple[Bundle, ...], counts: dict[int, int]
) -> tuple[ProfiledLoop, ...]:
    """Zero-overhead loops and those that a branch closes (the last of several branches to one place)."""
    places = {bundle.address: number for number, bundle in enumerate(bundles)}
    ends: dict[int, tuple[int, bool]] = {}
    for bundle in bundles:
        loop = functions.flow.loops.get(bundle.address)
        if loop is not None and loop.start in places:
            ends[loop.start] = (loop.end, True)
        branch = functions.flow.branches.get(bundle.address)
        if branch is None or branch.is_call or branch.target is None or branch.target > bundle.address:
            continue
        last = places[bundle.address] + DELAY_SLOTS
        if branch.target in places and last < len(bundles) and not ends.get(branch.target, (0, False))[1]:
            ends[branch.target] = (bundles[last].address, False)
    made = []
    for start, (end, is_hardware) in sorted(ends.items()):
        cycles = sum(counts[bundle.address] for bundle in bundles if start <= bundle.address <= end)
        if cycles:
            made.append(ProfiledLoop(start, end, is_hardware, counts[start], cycles))
    return tuple(made)


class _ProfileTree:
    def __init__(self, functions: Functions, counts: dict[int, int], rows: dict[int, FunctionCycles]) -> None:
        self.functions = functions
        self.counts = counts
        self.rows = rows
        #: Calls that branches made, by the function that is called: where from, how often.
        self.sites: dict[int, dict[int, int]] = {}
        for address, branch in functions.flow.branches.items():
            leaves = branch.target in rows and functions.start_of(address) != branch.target
            if branch.target is not None and counts.get(address) and (branch.is_call or leaves):
                self.sites.setdefault(branch.target, {})[address] = counts[address]

    def roots(self) -> tuple[ProfiledFrame, ...]:
        """Functions that no branch leads to, and of others the calls through registers."""
        found = []
        for address, row in self.rows.items():
            known = sum(self.sites.get(address, {}).values())
            share = 1 - known / max(row.calls, known, 1)
            if share > 0:
                found.append(self.frame(address, share, ()))
        if not found and self.rows:  # everything calls everything
            found = [self.frame(min(self.rows), 1.0, ())]
        return tuple(sorted(found, key=lambda frame: -frame.issue_cycles))

    def frame(self, address: int, share: float, above: tuple[int, ...]) -> ProfiledFrame:
        row = self.rows[address]
        bundles = self.functions.bundles_of(address)
        return self._piece(row.name, bundles, row.loops, share, (*above, address))

    def _piece(
        self,
        name: str,
        bundles: tuple[Bundle, ...],
        loops: tuple[ProfiledLoop, ...],
        share: float,
        above: tuple[int, ...],
    ) -> ProfiledFrame:
        """A function or a loop: its outermost loops first, then what is called between them."""
        below: list[ProfiledFrame] = []
        inside: set[int] = set()
        for loop in loops:
            if any(_holds(other, loop) for other in loops):
                continue
            body = tuple(
                b for b in bundles if loop.start <= b.address <= loop.end and b.address not in inside
            )
            inside |= {b.address for b in body}
            inner = tuple(other for other in loops if _holds(loop, other))
            below.append(self._piece(_loop_name(loop), body, inner, share, above))
        between = [bundle.address for bundle in bundles if bundle.address not in inside]
        own = sum(map(self.counts.__getitem__, between)) * share
        for address in between:
            below += self._called(address, share, above)
        merged = _merged(below)
        total = own + sum(frame.issue_cycles for frame in merged)
        return ProfiledFrame(name, total, own, tuple(sorted(merged, key=lambda f: -f.issue_cycles)))

    def _called(self, address: int, share: float, above: tuple[int, ...]) -> list[ProfiledFrame]:
        branch = self.functions.flow.branches.get(address)
        target = branch.target if branch is not None else None
        if target not in self.rows or address not in self.sites.get(target, {}) or target in above:
            return []
        sites = self.sites[target]
        return [
            self.frame(
                target, share * sites[address] / max(self.rows[target].calls, sum(sites.values())), above
            )
        ]


def _holds(outer: ProfiledLoop, inner: ProfiledLoop) -> bool:
    """Whether a loop lies in another one."""
    return outer != inner and outer.start <= inner.start and inner.end <= outer.end


def _merged(frames: Iterable[ProfiledFrame]) -> tuple[ProfiledFrame, ...]:
    """The frames, those of one name added up."""
    merged: dict[str, ProfiledFrame] = {}
    for frame in frames:
        known = merged.get(frame.name)
        merged[frame.name] = frame if known is None else _sum(known, frame)
    return tuple(merged.values())


def _sum(a: ProfiledFrame, b: ProfiledFrame) -> ProfiledFrame:
    return ProfiledFrame(
        a.name, a.issue_cycles + b.issue_cycles, a.own_cycles + b.own_cycles, _merged((*a.below, *b.below))
    )


def _loop_name(loop: ProfiledLoop) -> str:
    return f"{'loop' if loop.is_hardware else 'branch loop'} 0x{loop.start:x}-0x{loop.end:x}"
