"""State of the design being compiled: values known at compile time, and whether it is for a full ELF."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

_values: list[dict[str, Any]] = []
_full_elf: list[bool] = []


@contextmanager
def compile_context(**values: Any) -> Iterator[None]:
    """Values that `get_compile_arg` finds below; contexts nest."""
    _values.append(values)
    try:
        yield
    finally:
        _values.pop()


def get_compile_arg(key: str, default: Any = None) -> Any:
    """The innermost value with this name."""
    for values in reversed(_values):
        if key in values:
            return values[key]
    return default


@contextmanager
def building(full_elf: bool) -> Iterator[None]:
    """Around the run of a design's function."""
    _full_elf.append(full_elf)
    try:
        yield
    finally:
        _full_elf.pop()


def wants_load_pdi() -> bool:
    """Whether the sequence has to load the configuration itself."""
    return bool(_full_elf and _full_elf[-1])
