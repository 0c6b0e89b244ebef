"""Lint: the tables of a core's kernels take much of its data memory."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_WINDOW_BYTES
from npuninja.errors import Location, Warnings

if TYPE_CHECKING:
    from typing import Sequence

#: More constants than this in a tile's data memory are worth a warning: a table is easily larger than meant.
LARGEST_BYTES = DATA_WINDOW_BYTES // 4


def check_constants(
    core: str, objects: Sequence[tuple[str, Sequence[tuple[str, int]]]], warnings: Warnings
) -> None:
    """Warns when the constants (`.rodata`) of a core are above a quarter of its data memory.

    Args:
        core: for people, `core (0, 2)`.
        objects: path of each object, and name and size in bytes of each of its constants.
        warnings: where to add.
    """
    found = sorted(
        ((size, name, path) for path, constants in objects for name, size in constants), reverse=True
    )
    total = sum(size for size, _, _ in found)
    if total > LARGEST_BYTES:
        size, name, path = found[0]
        warnings.add(
            f"{core} has {total} bytes of constants, more than a quarter of its {DATA_WINDOW_BYTES} bytes "
            f"of data memory; the largest is {name} with {size} bytes",
            Location(path),
        )
