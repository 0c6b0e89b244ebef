"""What is known of an operation while its text is read."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.assembly import OpDefinition
from npuninja.ir.attributes import Attribute
from npuninja.ir.core import Block, Region, Value

if TYPE_CHECKING:
    from npuninja.ir.scope_parser import ScopeParser


class OpState:
    """What is known of the operation that is being read."""

    __slots__ = (
        "attributes",
        "definition",
        "operands",
        "positions",
        "regions",
        "result_count",
        "successors",
        "types",
    )

    def __init__(self, definition: OpDefinition, result_count: int) -> None:
        self.definition = definition
        self.result_count = result_count
        self.operands: dict[str, list[Value]] = {}
        self.positions: dict[str, list[int]] = {}
        self.attributes: dict[str, Attribute] = {}
        self.types: dict[str, tuple[str, ...]] = {}
        self.regions: list[Region] = []
        self.successors: list[tuple[Block, list[Value]]] = []

    def set_types(self, p: ScopeParser, name: str, types: tuple[str, ...]) -> None:
        """Gives types to the operands of group `name`, or notes them for the results of that name."""
        values = self.operands.get(name)
        if values is None:
            if name in self.types and self.types[name] != types:
                p.error(f"'{name}' is given different types: {self.types[name]} and {types}")
            self.types[name] = types
            return
        if len(types) == 1 and len(values) == 1:
            if values[0].type != types[0]:
                p.require_type(values[0], types[0], self.positions[name][0])
            return
        if len(values) != len(types):
            p.error(
                f"{len(values)} operands but {len(types)} types",
                self.positions[name][0] if values else p.i - 1,
            )
        for value, type, place in zip(values, types, self.positions[name]):
            p.require_type(value, type, place)
