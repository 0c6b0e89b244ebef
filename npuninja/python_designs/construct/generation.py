"""Which release of MLIR-AIE a design is written for, while the design runs.

The printed text differs (docs/python-designs.md); names of all generations are offered in each of them.
"""

from __future__ import annotations

from npuninja.lowering.generation import GENERATIONS

FIRST, SECOND, THIRD = GENERATIONS

_current = SECOND


def set_generation(name: str) -> None:
    """Makes `name` the generation of everything built from now on. Raises ValueError for an unknown name."""
    global _current
    if name not in GENERATIONS:
        raise ValueError(f"generation {name!r}: expected one of {', '.join(GENERATIONS)}")
    _current = name


def generation() -> str:
    """The generation of what is being built."""
    return _current


def is_first() -> bool:
    """Whether it is the generation of autumn 2025."""
    return _current == FIRST


def is_third() -> bool:
    """Whether it is the generation of summer 2026."""
    return _current == THIRD
