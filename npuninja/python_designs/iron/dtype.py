"""Names of scalar types, as command lines of designs use them."""

from __future__ import annotations

from typing import Any

import numpy as np
from ml_dtypes import bfloat16

dtype_map: dict[str, Any] = {
    "bf16": bfloat16,
    "i8": np.int8,
    "i16": np.int16,
    "f32": np.float32,
    "i32": np.int32,
}


def str_to_dtype(dtype_str: str) -> Any:
    """The scalar type with this name."""
    try:
        return dtype_map[dtype_str]
    except KeyError:
        raise ValueError(
            f"{dtype_str!r} is no type of numbers here; there are {', '.join(dtype_map)}"
        ) from None


def dtype_to_str(dtype: Any) -> str:
    """The name of a scalar type."""
    for key, value in dtype_map.items():
        if value == dtype:
            return key
    raise ValueError(f"{dtype} has no name here; {', '.join(dtype_map)} are those that have one")
