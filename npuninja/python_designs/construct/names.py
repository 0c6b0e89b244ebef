"""What `from aie.dialects.aie import *` gives in addition to the dialect: types, values, insertion points."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from npuninja.arch.families import architectures
from npuninja.python_designs.construct import attribute_names, types, values
from npuninja.python_designs.construct.insertion import Context, InsertionPoint, Location, Module
from npuninja.python_designs.construct.operations import Block, OpView, Region

#: The architectures: AIE1, AIE2, AIE2p, …
AIEArch: Any = IntEnum("AIEArch", ["AIE1", *(name.replace("aie", "AIE") for name in architectures())])  # type: ignore[misc]

NAMES: dict[str, Any] = {
    "np": np,
    "AIEArch": AIEArch,
    "InsertionPoint": InsertionPoint,
    "Context": Context,
    "Location": Location,
    "Module": Module,
    "Block": Block,
    "OpView": OpView,
    "Region": Region,
    "Value": values.Value,
    "ScalarValue": values.ScalarValue,
    "Scalar": values.ScalarValue,
    "MemRefValue": values.MemRefValue,
    "constant": values.constant,
    "memref_load": values.load,
    "memref_store": values.store,
    "try_convert_np_type_to_mlir_type": types.try_convert_np_type_to_mlir_type,
    **{
        n: getattr(types, n)
        for n in ("Type", "FunctionType", "IntegerType", "MemRefType", "VectorType", "IndexType")
    },
    **attribute_names.NAMES,
}
