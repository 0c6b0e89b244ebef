"""Scratchpad parameters: single values that cores read and the host writes (summer 2026)."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct.operations import build
from npuninja.python_designs.construct.types import mlir_type
from npuninja.python_designs.iron.resolvable import Resolvable


class ScratchpadParameter(Resolvable):
    """A named value of a scalar type."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name = name
        self.dtype = dtype
        self._module: Any = None

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Declares it in the module, once."""
        from npuninja.ir.attributes import TypeAttr
        from npuninja.python_designs.construct import insertion

        module = insertion.module_around()
        if self._module is module or insertion.current().ir_block is not module.body:
            return
        self._module = module
        type = TypeAttr(mlir_type(self.dtype).text)
        build("aiex.scratchpad_parameter", [], {"sym_name": self.name, "type": type})

    def read(self) -> Any:
        """In a worker: the value."""
        return build(
            "aiex.read_scratchpad_parameter", [], {"parameter": self.name}, [mlir_type(self.dtype)]
        ).result


def sync_parameters() -> None:
    """In the runtime's program: from here on cores see what the host has written."""
    build("aiex.sync_scratchpad_parameters_from_host")
