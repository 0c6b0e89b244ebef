"""The fewest packet rules that match some packet ids and none of some others.

A rule is a cube: it matches an id when `id & mask == value`. The prime cubes (as large as they can be without
matching a forbidden id) are found by trying all, which five bits allow; the fewest of them that match all ids
are found by branch and bound, always on the id with the fewest cubes; then each is cut down to what the ids
it is taken for have in common. The order of all steps is the reference's (MLIR-AIE
AIECreatePathFindFlows.cpp, computeSubcubeCover), because the order of the rules is that of register writes.
"""

from __future__ import annotations

from npuninja.records import NamedTuple


class Cube(NamedTuple):
    """Matches an id when `id & mask == value`."""

    mask: int
    value: int

    def matches(self, identifier: int) -> bool:
        """Whether a packet of this id is matched."""
        return identifier & self.mask == self.value


def tight_cube(identifiers: list[int], bits: int) -> Cube:
    """The smallest cube that matches all ids: the mask has a bit where all agree."""
    mask = sum(1 << bit for bit in range(bits) if len({i >> bit & 1 for i in identifiers}) == 1)
    return Cube(mask, identifiers[0] & mask)


def cover(identifiers: list[int], others: set[int], bits: int) -> list[Cube]:
    """As few cubes as possible that match all `identifiers` (each below 2^bits) and none of `others`."""
    whole = tight_cube(identifiers, bits)
    if not any(whole.matches(other) for other in others):
        return [whole]  # the usual case: one rule does
    primes = _primes(identifiers, others, bits)
    chosen = _fewest(primes, sorted(set(identifiers)))
    taken: dict[Cube, list[int]] = {cube: [] for cube in chosen}
    for identifier in identifiers:
        taken[next(cube for cube in chosen if cube.matches(identifier))].append(identifier)
    return [tight_cube(ids, bits) for ids in taken.values() if ids]


def _primes(identifiers: list[int], others: set[int], bits: int) -> list[Cube]:
    def forbidden(mask: int, value: int) -> bool:
        return any(other & mask == value for other in others)

    primes = []
    for mask in range(1 << bits):
        values = sorted({identifier & mask for identifier in identifiers})
        for value in values:
            if forbidden(mask, value):
                continue
            kept = [1 << bit for bit in range(bits) if mask >> bit & 1]
            if all(forbidden(mask & ~bit, value & ~bit) for bit in kept):
                primes.append(Cube(mask, value))
    return primes


def _fewest(cubes: list[Cube], identifiers: list[int]) -> list[Cube]:
    best: list[Cube] = []
    best_size = len(identifiers) + 1

    def search(left: list[int], chosen: list[Cube]) -> None:
        nonlocal best, best_size
        if not left:
            if len(chosen) < best_size:
                best, best_size = list(chosen), len(chosen)
            return
        if len(chosen) + 1 >= best_size:
            return
        pick = min(left, key=lambda i: sum(cube.matches(i) for cube in cubes))
        for cube in cubes:
            if cube.matches(pick):
                search([i for i in left if not cube.matches(i)], [*chosen, cube])

    search(identifiers, [])
    return best or [Cube(-1, identifier) for identifier in identifiers]
