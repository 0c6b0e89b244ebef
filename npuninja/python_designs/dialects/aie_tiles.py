"""Operations of the dialect `aie` for places: device, tiles, cores, switchboxes; a device's model."""

from __future__ import annotations

from typing import Any

from npuninja.arch.families import SHARED_ROWS
from npuninja.ir.attributes import EnumAttr
from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.operations import VIEWS, OpView, build, make, region_op
from npuninja.python_designs.dialects.aie_enums import AIEDevice


def EndOp(**_: Any) -> Any:
    """Makes `aie.end`."""
    return build("aie.end")


end = EndOp


class TileOp(OpView):
    """`aie.tile`; equal to another of the same place."""

    def __init__(self, col: Any, row: Any, *, allocation_scheme: str | None = None, **_: Any) -> None:
        attributes = {"col": col, "row": row, "allocation_scheme": allocation_scheme}
        self.ir = make("aie.tile", [], attributes, ["index"])

    def _place(self) -> tuple[int, int]:
        return self.ir.integer("col"), self.ir.integer("row")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TileOp) and other._place() == self._place()

    def __hash__(self) -> int:
        return hash(self._place())

    def __lt__(self, other: TileOp) -> bool:
        return self._place() < other._place()

    def __str__(self) -> str:
        return f"tile(col={self._place()[0]}, row={self._place()[1]})"

    def kind(self) -> str:
        """`shim`, `mem` or `core`: the kind of the tile on the device that it is of."""
        device = self.ir.enclosing("aie.device")
        row = self._place()[1]
        return (
            str(get_target_model(AIEDevice[device.enum("device")]).kind(row))
            if device
            else SHARED_ROWS.kind(row)
        )

    def is_core_tile(self) -> bool:
        """Whether a core is here."""
        return self.kind() == "core"

    def is_mem_tile(self) -> bool:
        """Whether this is a memory tile."""
        return self.kind() == "mem"

    def is_shim_tile(self) -> bool:
        """Whether this is a shim tile."""
        return self.kind() == "shim"

    is_shim_noc_tile = is_shim_tile


VIEWS["aie.tile"] = TileOp


def tile(col: Any, row: Any, *, allocation_scheme: str | None = None, **_: Any) -> TileOp:
    """Makes `aie.tile(col, row)`."""
    return TileOp(col, row, allocation_scheme=allocation_scheme)


class LogicalTileOp(OpView):
    """The operation `aie.logical_tile`."""

    def _is(self, kind: str) -> bool:
        found = self.ir.attributes["tile_type"]
        assert isinstance(found, EnumAttr)
        return found.case == kind

    def is_core_tile(self) -> bool:
        """Whether it is a core's."""
        return self._is("CoreTile")

    def is_mem_tile(self) -> bool:
        """Whether it is a memory tile."""
        return self._is("MemTile")

    def is_shim_tile(self) -> bool:
        """Whether it is a shim tile."""
        return self._is("ShimNOCTile") or self._is("ShimPLTile")

    is_shim_noc_tile = is_shim_tile


VIEWS["aie.logical_tile"] = LogicalTileOp


def logical_tile(
    tile_type: Any, col: Any = None, row: Any = None, allocation_scheme: str | None = None, **_: Any
) -> Any:
    """Makes `aie.logical_tile<type>(col or ?, row or ?)`."""
    attributes = {"tile_type": tile_type, "col": col, "row": row, "allocation_scheme": allocation_scheme}
    return build("aie.logical_tile", [], attributes, ["index"])


def _device(device: Any, sym_name: str | None = None, **_: Any) -> Any:
    return build("aie.device", [], {"device": device, "sym_name": sym_name}, regions=1)


device = region_op(_device)
Device = _device


def Core(
    tile: Any,
    link_with: str | None = None,
    dynamic_objfifo_lowering: Any = None,
    stack_size: Any = None,
    **_: Any,
) -> Any:
    """`aie.core(tile)` without a body; `@core(tile)` gives it one."""
    if link_with is not None and not generation.is_first():
        raise TypeError(
            "a core has no link_with in this generation: give link_with= to the external_func() of each "
            "kernel, from which the core gets its files"
        )
    attributes = {
        "link_with": link_with,
        "dynamic_objfifo_lowering": dynamic_objfifo_lowering,
        "stack_size": stack_size,
    }
    return build("aie.core", [tile], attributes, ["index"], 1)


core = region_op(Core, EndOp)
switchbox = region_op(lambda tile, **_: build("aie.switchbox", [tile], None, ["index"], 1))
shim_mux = region_op(lambda tile, **_: build("aie.shim_mux", [tile], None, ["index"], 1))


def get_target_model(device: Any) -> Any:
    """The model of a device (`target_model.py`)."""
    from npuninja.python_designs.dialects.target_model import TargetModel  # few designs ask

    return TargetModel(str(AIEDevice(int(device)).name))
