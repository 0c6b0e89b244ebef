"""Buffers: memory of a worker's tile that a design names."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

import numpy as np

from npuninja.python_designs.construct import generation, insertion
from npuninja.python_designs.construct.types import OfArrays
from npuninja.python_designs.dialects.aie_memory import buffer
from npuninja.python_designs.iron.building_now import current_core
from npuninja.python_designs.iron.device import Tile
from npuninja.python_designs.iron.resolvable import HasOperation, NotResolvedError, Resolvable


def _type_of(type: Any, initial_value: Any) -> Any:
    if type is not None:
        return type
    if initial_value is None:
        raise ValueError("a buffer has the type that is given or that of its initial value; give either")
    return np.ndarray[initial_value.shape, np.dtype[initial_value.dtype.type]]


class Buffer(OfArrays, HasOperation, Resolvable):
    """A buffer of a worker, which the runtime's program can write too."""

    LACKING = NotResolvedError
    _count = 0

    def __init__(
        self,
        type: Any = None,
        initial_value: Any = None,
        name: str | None = None,
        tile: Tile | None = None,
        use_write_rtp: bool = False,
        address: int | None = None,
        *,
        placement: Tile | None = None,
    ) -> None:
        self._arr_type = _type_of(type, initial_value)
        self._initial_value = initial_value
        if not name:
            name = f"buf_{Buffer._count}"
            Buffer._count += 1
        self._name = name
        self._tile = placement or tile
        self.is_pinned = self._tile is not None
        self._use_write_rtp = use_write_rtp
        self._address = address
        self._owner_worker: Any = None  # the first that has it among its arguments

    @property
    def name(self) -> str:
        """Its symbol."""
        return self._name

    @property
    def tile(self) -> Tile | None:
        """Where it is."""
        return self._tile

    def place(self, tile: Tile) -> None:
        """Puts it on a tile."""
        self._tile = tile

    def tiles(self) -> list[Any]:
        """The tile it was put on, as a list; empty before."""
        return [] if self._tile is None else [self._tile]

    @property
    def obj_type(self) -> Any:
        """Its array type."""
        return self._arr_type

    def __getitem__(self, index: Any) -> Any:
        if self._op is None:
            raise AttributeError(
                f"buffer {self._name} is no worker's yet: give it to a Worker and index it in its function"
            )
        return self._op[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._op is None:
            if (
                generation.is_first()
            ):  # which drops the write without a word; the text is the same, the word is ours
                print(
                    f"warning: buffer {self._name} is no worker's: a write to it is dropped", file=sys.stderr
                )
                return
            raise AttributeError(
                f"buffer {self._name} is no worker's yet: give it to a Worker and index it in its function"
            )
        self._op[index] = value

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the operation `aie.buffer`, once."""
        if self._op is not None:
            return
        if self._tile is None:
            raise ValueError(f"buffer {self._name} has no tile: give it to a Worker, or a tile to it")
        self._op = buffer(
            tile=self._tile.op,
            datatype=self._arr_type,
            name=self._name,
            initial_value=self._initial_value,
            use_write_rtp=self._use_write_rtp,
            address=self._address,
        )


GlobalBuffer = Buffer


class LocalBuffer(buffer):
    """A buffer made inside a worker's function, on that worker's tile (autumn 2025)."""

    _counts: defaultdict[tuple[int, int], int] = defaultdict(int)

    def __init__(self, type: Any = None, initial_value: Any = None, name: str | None = None) -> None:
        found = _type_of(type, initial_value)
        tile = current_core()
        if tile is None:
            raise ValueError("this Buffer() is made in the function of a Worker; make it there")
        if not name:
            place = (int(tile.col), int(tile.row))
            name = f"buf_{place[0]}_{place[1]}_{LocalBuffer._counts[place]}"
            LocalBuffer._counts[place] += 1
        device = tile.ir.parent_op
        tiles = [op for op in device.body.ops if op.name == "aie.tile"]
        if len(tiles) == 1:
            super().__init__(tile, found, name, initial_value=initial_value)
        else:
            with insertion.InsertionPoint(tiles[-1]):
                super().__init__(tile, found, name, initial_value=initial_value)
