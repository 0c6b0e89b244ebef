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


def pack_pad_value(value: Any, elem: Any) -> int:
    """A pad value as the 32-bit word the DMA repeats: the element's bits, repeated.

    `elem` is the size of an element in bytes, for an integer, or its type.
    """
    if isinstance(elem, (int, np.integer)) and elem in (1, 2, 4):
        mask = (1 << 8 * int(elem)) - 1
        return int.from_bytes((int(value) & mask).to_bytes(int(elem), "little") * (4 // int(elem)), "little")
    bytes_each, dtype = (
        (int(elem), None) if isinstance(elem, (int, np.integer)) else (np.dtype(elem).itemsize, elem)
    )
    if bytes_each > 4:
        raise ValueError(
            f"the DMA pads with a 32-bit word, which no element of {bytes_each} bytes fits into: "
            "leave out pad_value"
        )
    element = np.array([value], dtype=dtype).tobytes()
    return int(np.frombuffer(element * (4 // bytes_each), dtype=np.int32)[0])


def fold_constant_operand(value: Any) -> Any:
    """The number of a value that a constant defines; anything else as it is."""
    literal = getattr(value, "is_constant", None)
    return value.literal_value if literal is not None and value.is_constant() else value
