"""The algorithms under their public names: older ones take tensors, those of summer 2026 array types."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.algorithms.elementwise import (
    for_each,
    transform,
    transform_binary,
    transform_parallel,
    transform_parallel_binary,
)
from npuninja.python_designs.algorithms.rows import (
    reduce,
    row_at_a_time,
    row_at_a_time_tiled,
    row_at_a_time_with_skip,
    sliding_3row,
)

NAMES: dict[str, Any] = {
    f.__name__: f
    for f in (
        for_each, transform, transform_binary, transform_parallel, transform_parallel_binary, reduce, row_at_a_time,
        row_at_a_time_tiled, row_at_a_time_with_skip, sliding_3row,
    )
}  # fmt: skip
