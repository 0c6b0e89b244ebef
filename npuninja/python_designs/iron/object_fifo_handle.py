"""Sides of an objectFifo, for workers and the host's program: acquire, release, fill, drain, join, split."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.types import OfArrays
from npuninja.python_designs.dialects.aie_enums import ObjectFifoPort
from npuninja.python_designs.iron.building_now import current_runtime
from npuninja.python_designs.iron.device import AnyMemTile, Tile
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoLink
from npuninja.python_designs.iron.resolvable import Resolvable


class ObjectFifoHandle(OfArrays, Resolvable):
    """One side of an objectFifo, for a worker or the host's program."""

    def __init__(
        self,
        of: Any,
        is_prod: bool,
        depth: int | None = None,
        dims_from_stream: Any = None,
        *,
        channel: int | None = None,
        tile: Tile | None = None,
    ) -> None:
        self._object_fifo: Any = of  # an ObjectFifo, which makes this one
        self._is_prod = is_prod
        self._depth: int = of.depth_at_end(depth)
        self._dims_from_stream = dims_from_stream
        self._endpoint: Any = None
        self.channel = channel
        self.shim_tile = tile
        self._port = ObjectFifoPort["Produce" if is_prod else "Consume"]

    def pin(self, channel: int | None, tile: Tile | None) -> None:
        """Asks once more for a channel or shim tile, which must be the one asked for at first."""
        before = None if self.shim_tile is None else (self.shim_tile.col, self.shim_tile.row)
        again = None if tile is None else (tile.col, tile.row)
        for word, is_same, have, wanted in (
            ("channel", self.channel == channel, self.channel, channel),
            ("shim tile", before == again, self.shim_tile, tile),
        ):
            if wanted is not None and not is_same:
                raise ValueError(
                    f"the producer of {self.name} has {word} {have} and cannot have {wanted} too; "
                    "make one prod() for both"
                )

    def acquire(self, num_elem: int) -> Any:
        """Acquires elements: one gives the element, several a list."""
        self._must_fit(num_elem, "acquire")
        return self.op.acquire(self._port, num_elem)

    def release(self, num_elem: int) -> None:
        """Gives elements back to the other end of the objectFifo."""
        self._must_fit(num_elem, "release")
        self.op.release(self._port, num_elem)

    def _must_fit(self, count: int, verb: str) -> None:
        if self._depth < count:
            raise ValueError(
                f"objectFifo {self.name} has depth {self._depth} at this end; "
                f"{count} elements are too many to {verb}"
            )
        if count < 1:
            raise ValueError(f"{verb}() takes at least one element, not {count}")

    @property
    def name(self) -> str:
        """The objectFifo's name."""
        return str(self._object_fifo.name)

    @property
    def op(self) -> Any:
        """The objectFifo's operation."""
        return self._object_fifo.op

    @property
    def obj_type(self) -> Any:
        """The array type of an element."""
        return self._object_fifo.obj_type

    @property
    def handle_type(self) -> str:
        """`prod` or `cons`."""
        return "prod" if self._is_prod else "cons"

    @property
    def depth(self) -> int:
        """The depth at this side."""
        return self._depth

    @property
    def dims_from_stream(self) -> Any:
        """A consumer's dimensions."""
        if self._is_prod:
            raise ValueError("a producer has no dims_from_stream; its dimensions are dims_to_stream")
        return self._dims_from_stream

    @property
    def endpoint(self) -> Any:
        """What is at this end, or None."""
        return self._endpoint

    @endpoint.setter
    def endpoint(self, endpoint: Any) -> None:
        if self._endpoint is not None and self._endpoint != endpoint:
            raise ValueError(
                f"the {self.handle_type} handle of objectFifo {self.name} is in use at {self._endpoint}; "
                f"make another handle for {endpoint}"
            )
        self._endpoint = endpoint

    def all_of_endpoints(self) -> list[Any]:
        """All ends of the objectFifo, the producer's first."""
        return [*self._object_fifo.endpoints(True), *self._object_fifo.endpoints(False)]

    def fill(self, source: Any, *options: Any, **named: Any) -> Any:
        """In a runtime sequence: sends host data into the objectFifo; see `SequenceRuntime.transfer`."""
        if not self._is_prod:
            raise ValueError(
                "fill() sends into an objectFifo: its handle is prod(), and this is a consumer's"
            )
        return current_runtime().transfer(self, source, *options, **named)

    def drain(self, dest: Any, *options: Any, **named: Any) -> Any:
        """In a runtime sequence: takes data out of the objectFifo; see `SequenceRuntime.transfer`."""
        if self._is_prod:
            raise ValueError(
                "drain() takes out of an objectFifo: its handle is cons(), and this is the producer's"
            )
        return current_runtime().transfer(self, dest, *options, **named)

    def join(
        self,
        offsets: list[int],
        tile: Tile = AnyMemTile,
        depths: list[int] | None = None,
        obj_types: list[Any] | None = None,
        names: list[str] | None = None,
        dims_to_stream: list[Any] | None = None,
        dims_from_stream: list[Any] | None = None,
        plio: bool = False,
        *,
        placement: Tile | None = None,
        repeat_counts: list[int | None] | None = None,
    ) -> list[Any]:
        """New objectFifos whose elements together become this one's, each at its offset, in a memory tile."""
        if not self._is_prod:
            raise ValueError(
                "join() is of prod(): it makes the elements that are sent; use split() of a cons()"
            )
        parts = self._fifo_arguments(
            "join", len(offsets), names, depth=depths, obj_type=obj_types, dims_to_stream=dims_to_stream,
            dims_from_stream_per_cons=dims_from_stream, repeat_count=repeat_counts,
        )  # fmt: skip
        ends = [(part["depth"], part.pop("dims_from_stream_per_cons")) for part in parts]
        made = [type(self._object_fifo)(plio=plio, **part) for part in parts]
        if not generation.is_third():  # every end gets depth and dimensions of the last one
            ends = ends[-1:] * len(ends)
        ObjectFifoLink([f.cons(*end) for f, end in zip(made, ends)], self, placement or tile, offsets, [])
        return made

    def split(
        self,
        offsets: list[int],
        tile: Tile = AnyMemTile,
        depths: list[int] | None = None,
        obj_types: list[Any] | None = None,
        names: list[str] | None = None,
        dims_to_stream: list[Any] | None = None,
        dims_from_stream: list[Any] | None = None,
        plio: bool = False,
        *,
        placement: Tile | None = None,
        repeat_counts: list[int | None] | None = None,
        pad_dimensions: list[Any] | None = None,
        pad_value: Any = None,
    ) -> list[Any]:
        """New objectFifos, each of a part of this one's elements from an offset on, through a memory tile."""
        if self._is_prod:
            raise ValueError(
                "split() is of cons(): it divides the elements that come; use join() of a prod()"
            )
        values = pad_value if isinstance(pad_value, list) else [pad_value or 0] * len(offsets)
        parts = self._fifo_arguments(
            "split", len(offsets), names, depth=depths, obj_type=obj_types, dims_to_stream=dims_to_stream,
            dims_from_stream_per_cons=dims_from_stream, repeat_count=repeat_counts,
            pad_dimensions=pad_dimensions, pad_value=values,
        )  # fmt: skip
        made = [type(self._object_fifo)(plio=plio, **part) for part in parts]
        ObjectFifoLink(self, [fifo.prod() for fifo in made], placement or tile, [], offsets)
        return made

    def _fifo_arguments(
        self, verb: str, count: int, names: list[str] | None, **listed: list[Any] | None
    ) -> list[dict[str, Any]]:
        """The arguments of the objectFifos of a join or split, for each a dictionary, from lists of them.

        Raises:
            ValueError: a list has not one entry for each offset.
        """
        usual = {
            "depth": self.depth,
            "obj_type": self.obj_type,
            "dims_to_stream": [],
            "dims_from_stream_per_cons": [],
        }
        lists = {key: [usual.get(key)] * count if given is None else given for key, given in listed.items()}
        lists["name"] = names or [f"{self.name}_{verb}{i}" for i in range(count)]
        for key, entries in lists.items():
            if len(entries) != count:
                raise ValueError(
                    f"{verb}() has {count} offsets and {len(entries)} entries for {key}: give one for each"
                )
        return [{key: entries[i] for key, entries in lists.items()} for i in range(count)]

    def forward(
        self,
        tile: Tile = AnyMemTile,
        obj_type: Any = None,
        depth: int | None = None,
        name: str | None = None,
        dims_to_stream: Any = None,
        dims_from_stream: Any = None,
        plio: bool = False,
        *,
        placement: Tile | None = None,
        repeat_count: int | None = None,
        pad_dimensions: Any = None,
        pad_value: int = 0,
    ) -> Any:
        """A new objectFifo that carries this one's elements on, through a memory tile or the tile given."""
        if self._is_prod:
            raise ValueError("forward() is of cons(): it carries on the elements that come")

        def one(given: Any) -> Any:
            return [given] if given else None

        return self.split(
            [0], placement or tile, one(depth), one(obj_type), one(name or f"{self.name}_fwd"),
            one(dims_to_stream), one(dims_from_stream), plio, repeat_counts=one(repeat_count),
            pad_dimensions=one(pad_dimensions), pad_value=[pad_value],
        )[0]  # fmt: skip

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the objectFifo's operation."""
        self._object_fifo.resolve()

    def __str__(self) -> str:
        dims = "" if self._is_prod else f"{self._dims_from_stream}, "
        return f"ObjectFifoHandle({self.handle_type}, {self.depth}, {dims}{self._object_fifo})"

    __repr__ = __str__
