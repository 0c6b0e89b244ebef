"""ObjectFifos: typed queues between workers, memory tiles and the host."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.types import (
    np_ndarray_type_get_dtype,
    np_ndarray_type_get_shape,
    np_ndarray_type_to_memref_type,
)
from npuninja.python_designs.dialects.aie_enums import ObjectFifoPort
from npuninja.python_designs.dialects.aie_object_fifos import (
    object_fifo,
    objectfifo_allocate,
)
from npuninja.python_designs.iron.building_now import current_runtime
from npuninja.python_designs.iron.device import AnyMemTile, Tile
from npuninja.python_designs.iron.lists import pack_pad_value
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoLink, PartLists
from npuninja.python_designs.iron.resolvable import NotResolvedError, Resolvable

PadDims = StreamDims = "list[Sequence[int]]"


class ObjectFifo(Resolvable):
    """A queue of `depth` elements of one array type, with one producer and any number of consumers.

    Dimensions are pairs of (size, stride), outermost first, in elements.
    """

    _count = 0

    def __init__(
        self,
        obj_type: Any,
        depth: int | None = 2,
        name: str | None = None,
        dims_to_stream: Any = None,
        dims_from_stream_per_cons: Any = None,
        plio: bool = False,
        pad_dimensions: Any = None,
        *,
        pad_value: int = 0,
        disable_synchronization: bool = False,
        repeat_count: int | None = None,
        delegate_tile: Tile | None = None,
        via_DMA: bool = False,
        init_values: Any = None,
        consumer_obj_type: Any = None,
        aie_stream: Any = None,
        default_depth: int | None = None,
    ) -> None:
        depth = depth if default_depth is None else default_depth  # its name in spring 2025
        if isinstance(depth, str) or (isinstance(obj_type, int) and not isinstance(depth, (int, type(None)))):
            raise TypeError("ObjectFifo(type, depth, name): the order of designs of 2024 is not offered")
        if depth is not None and depth < 1:
            raise ValueError(f"Default ObjectFifo depth must be > 0, but got {depth}")
        self._obj_type = obj_type
        self._depth = depth
        if name is None:
            name = f"of{ObjectFifo._count}"
            ObjectFifo._count += 1
        self.name = name
        self._dims_to_stream = dims_to_stream
        self._dims_from_stream_per_cons = dims_from_stream_per_cons
        self._plio = plio
        self._pad_dimensions = pad_dimensions
        self._pad_value = pad_value
        self._disable_synchronization = disable_synchronization
        self._repeat_count = repeat_count
        self.delegate_tile = delegate_tile
        self._via_dma = via_DMA
        self._init_values = init_values
        self._consumer_obj_type = consumer_obj_type
        self._aie_stream = aie_stream
        self._iter_count: int | None = None
        self._prod: ObjectFifoHandle | None = None
        self._cons: list[ObjectFifoHandle] = []
        self._op: Any = None
        self._resolving = False

    @property
    def depth(self) -> int | None:
        """The default depth."""
        return self._depth

    @property
    def dims_to_stream(self) -> Any:
        """The producer's dimensions."""
        return self._dims_to_stream

    @property
    def dims_from_stream_per_cons(self) -> Any:
        """The default dimensions of a consumer."""
        return self._dims_from_stream_per_cons

    @property
    def obj_type(self) -> Any:
        """The array type of an element."""
        return self._obj_type

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an element."""
        return np_ndarray_type_get_shape(self._obj_type)

    @property
    def dtype(self) -> Any:
        """The scalar type of an element."""
        return np_ndarray_type_get_dtype(self._obj_type)

    @property
    def op(self) -> Any:
        """The operation."""
        if self._op is None:
            raise NotResolvedError
        return self._op

    def set_iter_count(self, iter_count: int) -> None:
        """How often a memory tile goes through its descriptors: 1 to 256."""
        if not iter_count or iter_count < 1 or iter_count > 256:
            raise ValueError("Iter count must be in [1, 256] range.")
        self._iter_count = iter_count

    def prod(
        self, depth: int | None = None, channel: int | None = None, tile: Tile | None = None
    ) -> ObjectFifoHandle:
        """The producer's handle; always the same."""
        if self._prod is None:
            self._prod = ObjectFifoHandle(self, True, depth, channel=channel, tile=tile)
            return self._prod
        if depth is None and self._depth is None:
            raise ValueError("If depth is None, then depth must be specified.")
        if depth is not None and depth < 1:
            raise ValueError(f"Depth must be > 1, but got {depth}")
        self._prod.pin(channel, tile)
        return self._prod

    def cons(
        self,
        depth: int | None = None,
        dims_from_stream: Any = None,
        channel: int | None = None,
        tile: Tile | None = None,
    ) -> ObjectFifoHandle:
        """A new consumer's handle."""
        if depth is None:
            if self._depth is None:
                raise ValueError("If depth is None, then depth must be specified.")
            depth = self._depth
        if dims_from_stream is None:
            dims_from_stream = self._dims_from_stream_per_cons or []
        self._cons.append(ObjectFifoHandle(self, False, depth, dims_from_stream, channel=channel, tile=tile))
        return self._cons[-1]

    def tiles(self, cons_only: bool = False) -> list[Tile]:
        """The tiles of the ends."""
        if self._prod is None and not cons_only:
            raise ValueError(
                f"objectFifo {self.name} has no producer yet, so there is no tile of it: call prod()"
            )
        if not self._cons and (cons_only or self.endpoints(True)):
            raise ValueError(
                f"objectFifo {self.name} has no consumer yet, so there are no tiles of any: call cons()"
            )
        ends = self.endpoints(False) if cons_only else self.endpoints(True) + self.endpoints(False)
        return [end.tile for end in ends]

    def endpoints(self, is_prod: bool) -> list[Any]:
        """The ends on one side. Raises ValueError when there are none, or one is not set."""
        handles = [] if is_prod and self._prod is None else [self._prod] if is_prod else self._cons
        ends = [handle.endpoint for handle in handles if handle is not None]
        if not ends or None in ends:
            raise ValueError(f"{'Prod' if is_prod else 'Cons'} endpoint not set for {self}")
        return ends

    def _tile_op(self, handle: ObjectFifoHandle) -> Any:
        if handle.endpoint is None:
            side = "Prod" if handle._is_prod else "Cons"
            raise ValueError(f"{side} endpoint not set for {self}")
        return handle.endpoint.tile.op

    def _depths(self) -> int | list[int]:
        assert self._prod is not None
        depths = [self._prod.depth, *(c.depth for c in self._cons)]
        return depths[0] if len(set(depths)) == 1 else depths

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """The operation, then the links it is part of."""
        if self._resolving:
            return
        self._resolving = True
        if self._prod is None:
            raise ValueError(
                f"Cannot return prod.tile.op for ObjectFifo {self.name} because prod was not created."
            )
        if not self._cons:
            said = "no consumers were not created" if generation.is_first() else "no consumers were created"
            raise ValueError(f"Cannot return cons.tile.op for ObjectFifo {self.name} because {said}.")
        pad_value = pack_pad_value(self._pad_value, self.dtype) if self._pad_value else 0
        self._op = object_fifo(
            self.name,
            self._tile_op(self._prod),
            [self._tile_op(c) for c in self._cons],
            self._depths(),
            np_ndarray_type_to_memref_type(self._obj_type),
            dimensionsToStream=self._dims_to_stream,
            dimensionsFromStreamPerConsumer=[c.dims_from_stream or [] for c in self._cons],
            plio=self._plio,
            padDimensions=self._pad_dimensions or None,
            padValue=pad_value,
            iter_count=self._iter_count,
            disable_synchronization=self._disable_synchronization or None,
            repeat_count=self._repeat_count,
            via_DMA=self._via_dma or None,
            initValues=self._init_values,
            consumer_datatype=self._consumer_obj_type,
        )
        self._pin_channels()
        if self._aie_stream is not None:
            self._op.set_aie_stream(*self._aie_stream)
        if self.delegate_tile is not None:
            objectfifo_allocate(self.name, self.delegate_tile.op)
        for handle in (self._prod, *self._cons):
            if isinstance(handle.endpoint, ObjectFifoLink):
                handle.endpoint.resolve()

    def _pin_channels(self) -> None:
        assert self._prod is not None
        if self._prod.channel is not None:
            self._op.set_prod_dma_channel(self._prod.channel)
        if any(c.channel is not None for c in self._cons):
            self._op.set_cons_dma_channels([-1 if c.channel is None else c.channel for c in self._cons])

    def __str__(self) -> str:
        prod = None if self._prod is None else self._prod.endpoint
        return (
            f"ObjectFifo({self._obj_type}, depth={self._depth}, name='{self.name}', "
            f"prod={prod}, cons={[c.endpoint for c in self._cons]})"
        )

    __repr__ = __str__


class ObjectFifoHandle(Resolvable):
    """One side of an objectFifo, for a worker or the host's program."""

    def __init__(
        self,
        of: ObjectFifo,
        is_prod: bool,
        depth: int | None = None,
        dims_from_stream: Any = None,
        *,
        channel: int | None = None,
        tile: Tile | None = None,
    ) -> None:
        if depth is None:
            if not of.depth:
                raise ValueError(
                    "this end of the ObjectFifo has no depth: give one to it, or a default to the ObjectFifo"
                )
            depth = of.depth
        if depth < 1:
            raise ValueError(f"Depth must be > 0 but is {depth}")
        self._object_fifo = of
        self._is_prod = is_prod
        self._depth = depth
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
                    f"Producer handle for {self.name} already pinned to {word} {have}, cannot re-pin to {wanted}."
                )

    def acquire(self, num_elem: int) -> Any:
        """Acquires elements: one gives the element, several a list."""
        self._must_fit(num_elem, "acquire", "consume")
        return self.op.acquire(self._port, num_elem)

    def release(self, num_elem: int) -> None:
        """Releases elements."""
        self._must_fit(num_elem, "release", "produce")
        self.op.release(self._port, num_elem)

    def _must_fit(self, count: int, verb: str, other: str) -> None:
        if self._depth < count:
            raise ValueError(f"Number of elements to {verb} {count} must be smaller than depth {self._depth}")
        if count < 1:
            raise ValueError(f"Must {other} at least one element")

    @property
    def name(self) -> str:
        """The objectFifo's name."""
        return self._object_fifo.name

    @property
    def op(self) -> Any:
        """The objectFifo's operation."""
        return self._object_fifo.op

    @property
    def obj_type(self) -> Any:
        """The array type of an element."""
        return self._object_fifo.obj_type

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an element."""
        return self._object_fifo.shape

    @property
    def dtype(self) -> Any:
        """The scalar type of an element."""
        return self._object_fifo.dtype

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
            raise ValueError("prod ObjectFifoHandles cannot have dims_from_stream")
        return self._dims_from_stream

    @property
    def endpoint(self) -> Any:
        """What stands at this end, or None."""
        return self._endpoint

    @endpoint.setter
    def endpoint(self, endpoint: Any) -> None:
        if self._endpoint is not None and self._endpoint != endpoint:
            raise ValueError(
                f"Endpoint already set for ObjectFifoHandle {self.name}.{self.handle_type}: "
                f"Set to {self._endpoint}, trying to set to {endpoint}"
            )
        self._endpoint = endpoint

    def all_of_endpoints(self) -> list[Any]:
        """All ends of the objectFifo, the producer's first."""
        return self._object_fifo.endpoints(True) + self._object_fifo.endpoints(False)

    def fill(
        self, source: Any, tap: Any = None, wait: bool = False, packet: Any = None, offset_parameter: Any = None,
        group: Any = None, sizes: Any = None, strides: Any = None, offset: Any = None, transfer_len: Any = None,
        managed: bool = True,
    ) -> Any:  # fmt: skip
        """In a runtime sequence: sends data of the host into the objectFifo."""
        if not self._is_prod:
            raise ValueError(
                "fill() sends into an objectFifo: its handle is prod(), and this is a consumer's"
            )
        return current_runtime().transfer(
            self, source, tap, wait, packet, offset_parameter, group, sizes, strides, offset, transfer_len, managed,
            is_fill=True,
        )  # fmt: skip

    def drain(
        self, dest: Any, tap: Any = None, wait: bool = False, packet: Any = None, offset_parameter: Any = None,
        group: Any = None, sizes: Any = None, strides: Any = None, offset: Any = None, transfer_len: Any = None,
        managed: bool = True,
    ) -> Any:  # fmt: skip
        """In a runtime sequence: takes data out of the objectFifo."""
        if self._is_prod:
            raise ValueError(
                "drain() takes out of an objectFifo: its handle is cons(), and this is the producer's"
            )
        return current_runtime().transfer(
            self, dest, tap, wait, packet, offset_parameter, group, sizes, strides, offset, transfer_len, managed,
            is_fill=False,
        )  # fmt: skip

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
    ) -> list[ObjectFifo]:
        """New objectFifos whose elements together become this one's, each at its offset, in a memory tile."""
        if not self._is_prod:
            raise ValueError(f"Cannot join() a {self.handle_type} ObjectFifoHandle")
        parts = PartLists(len(offsets))
        depths = parts.listed(depths, self.depth, "depths")
        types = parts.listed(obj_types, self.obj_type, "obj_types")
        names = names or [f"{self.name}_join{i}" for i in range(len(offsets))]
        names = parts.listed(names, None, "names")
        to_stream = parts.listed(dims_to_stream, [], "dims to stream")
        from_stream = parts.listed(dims_from_stream, [], "dims_from_stream")
        repeats = parts.listed(repeat_counts, None, "repeat_counts")
        made = [
            ObjectFifo(types[i], depths[i], names[i], to_stream[i], plio=plio, repeat_count=repeats[i])
            for i in range(len(offsets))
        ]
        # Before the third generation every part gets depth and dimensions of the last one.
        of_part = [i if generation.is_third() else len(made) - 1 for i in range(len(made))]
        sources = [fifo.cons(depths[i], from_stream[i]) for fifo, i in zip(made, of_part)]
        ObjectFifoLink(sources, self, placement or tile, offsets, [])
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
    ) -> list[ObjectFifo]:
        """New objectFifos that each get a part of this one's elements, from its offset on, through a memory tile."""
        if self._is_prod:
            raise ValueError(f"Cannot split() a {self.handle_type} ObjectFifoHandle")
        parts = PartLists(len(offsets))
        depths = parts.listed(depths, self.depth, "depths")
        types = parts.listed(obj_types, self.obj_type, "obj_types")
        names = names or [f"{self.name}_split{i}" for i in range(len(offsets))]
        names = parts.listed(names, None, "names")
        to_stream = parts.listed(dims_to_stream, [], "dims_to_stream arrays")
        from_stream = parts.listed(dims_from_stream, [], "dims_from_stream arrays")
        repeats = parts.listed(repeat_counts, None, "repeat_counts")
        pads = parts.listed(pad_dimensions, None, "pad_dimensions")
        values = parts.listed(pad_value if isinstance(pad_value, list) else None, pad_value or 0, "pad_value")
        made = [
            ObjectFifo(
                types[i],
                depths[i],
                names[i],
                to_stream[i],
                from_stream[i],
                plio,
                pads[i],
                pad_value=values[i],
                repeat_count=repeats[i],
            )
            for i in range(len(offsets))
        ]
        ObjectFifoLink(self, [fifo.prod() for fifo in made], placement or tile, [], offsets)
        return made

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
    ) -> ObjectFifo:
        """A new objectFifo that carries this one's elements on, through a memory tile or the tile given."""
        if self._is_prod:
            raise ValueError(f"Cannot forward a {self.handle_type} ObjectFifoHandle")
        return self.split(
            [0],
            placement or tile,
            [depth] if depth else None,
            [obj_type] if obj_type else None,
            [name or f"{self.name}_fwd"],
            [dims_to_stream] if dims_to_stream else None,
            [dims_from_stream] if dims_from_stream else None,
            plio,
            repeat_counts=[repeat_count] if repeat_count else None,
            pad_dimensions=[pad_dimensions] if pad_dimensions else None,
            pad_value=[pad_value],
        )[0]

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the objectFifo's operation."""
        self._object_fifo.resolve()

    def __str__(self) -> str:
        dims = "" if self._is_prod else f"{self._dims_from_stream}, "
        return f"ObjectFifoHandle({self.handle_type}, {self.depth}, {dims}{self._object_fifo})"

    __repr__ = __str__
