"""Small functions on lists and numbers that designs import from the bindings' helpers."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np


def single_elem_or_list_to_list(given: Any) -> list[Any]:
    """A list as it is, anything else as list of one; None as it is."""
    if given is None or isinstance(given, list):
        return given  # type: ignore[return-value]
    return [given]


def flatten_fn_args(arguments: Sequence[Any]) -> list[Any]:
    """Nested lists and tuples as one list."""
    found: list[Any] = []
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            found += flatten_fn_args(argument)
        else:
            found.append(argument)
    return found


def pack_pad_value(value: Any, dtype: Any) -> int:
    """A pad value as the 32-bit word the DMA repeats: the element's bits, repeated."""
    bytes_each = np.dtype(dtype).itemsize
    if bytes_each > 4:
        raise ValueError(
            f"pad_value is not supported for {bytes_each}-byte elements: the DMA repeats a 32-bit word"
        )
    element = np.array([value], dtype=dtype).tobytes()
    return int(np.frombuffer(element * (4 // bytes_each), dtype=np.int32)[0])


def fold_constant_operand(value: Any) -> Any:
    """The number of a value that a constant defines; anything else as it is."""
    literal = getattr(value, "is_constant", None)
    return value.literal_value if literal is not None and value.is_constant() else value
