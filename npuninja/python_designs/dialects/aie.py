"""The dialect `aie`: what `from aie.dialects.aie import *` gives, from the modules beside this one."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from npuninja.python_designs.construct.operations import view_of
from npuninja.python_designs.construct.values import ScalarValue, value_of
from npuninja.python_designs.dialects import (
    aie_dma_programs,
    aie_enums,
    aie_memory,
    aie_object_fifos,
    aie_streams,
    aie_tiles,
)
from npuninja.python_designs.dialects.control_packets import generate_control_packets
from npuninja.python_designs.dialects.func import FuncOp, call
from npuninja.python_designs.dialects.generic import names_of

_MODULES: tuple[ModuleType, ...] = (
    aie_enums, aie_tiles, aie_memory, aie_object_fifos, aie_streams, aie_dma_programs,
)  # fmt: skip
# Of our own package, and not of the dialect.
_OURS = ("annotations", "ir", "attrs", "insertion", "generation", "inspect")

#: Functions and classes by their names in the bindings. A star also gives what their module imports.
NAMES: dict[str, Any] = {
    **names_of("aie"),
    "FuncOp": FuncOp,
    "ScalarValue": ScalarValue,
    "call": call,
    "generate_control_packets": generate_control_packets,
    "value_of": value_of,
    "view_of": view_of,
}
for _part in _MODULES:
    NAMES.update((k, v) for k, v in vars(_part).items() if not k.startswith("_") and k not in _OURS)


def __getattr__(name: str) -> Any:
    try:
        return NAMES[name]
    except KeyError:
        raise AttributeError(f"the dialect aie has no {name}") from None
