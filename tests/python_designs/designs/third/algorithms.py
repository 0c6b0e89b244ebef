"""Ready algorithms: one function over all elements, on every column."""

# generations: 2026-08

import aie.iron as iron
import numpy as np
from aie.iron import CompileTime, In, Out
from aie.iron.algorithms import transform_parallel


@iron.jit
def increment(a: In, b: Out, *, elements: CompileTime[int]):
    return transform_parallel(lambda x: x + 1, np.ndarray[(elements,), np.dtype[np.int32]], tile_size=16)


increment(iron.arange(256, dtype=np.int32), iron.zeros(256, dtype=np.int32), elements=256)
