"""ObjectFifos: typed queues between workers, memory tiles and the host."""

from __future__ import annotations

from typing import Any

from npuninja.python_designs.construct.types import OfArrays, np_ndarray_type_to_memref_type
from npuninja.python_designs.dialects.aie_object_fifos import object_fifo, objectfifo_allocate
from npuninja.python_designs.iron.device import Tile
from npuninja.python_designs.iron.lists import pack_pad_value
from npuninja.python_designs.iron.object_fifo_handle import ObjectFifoHandle
from npuninja.python_designs.iron.object_fifo_link import ObjectFifoLink
from npuninja.python_designs.iron.resolvable import HasOperation, NotResolvedError, Resolvable

PadDims = StreamDims = "list[Sequence[int]]"


class ObjectFifo(OfArrays, HasOperation, Resolvable):
    """A queue of `depth` elements of one array type, with one producer and any number of consumers.

    Dimensions are pairs of (size, stride), outermost first, in elements.
    """

    LACKING = NotResolvedError
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
        self._obj_type = obj_type
        if name is None:
            name = f"of{ObjectFifo._count}"
            ObjectFifo._count += 1
        self.name = name
        self._depth = depth
        if depth is not None:
            self.depth_at_end(depth)
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

    def set_iter_count(self, iter_count: int) -> None:
        """How often a memory tile goes through its descriptors: 1 to 256."""
        if not (iter_count and 1 <= iter_count <= 256):
            raise ValueError(f"a memory tile repeats its descriptors 1 to 256 times, not {iter_count}")
        self._iter_count = iter_count

    def prod(
        self, depth: int | None = None, channel: int | None = None, tile: Tile | None = None
    ) -> ObjectFifoHandle:
        """The producer's handle; always the same."""
        if self._prod is None:
            self._prod = ObjectFifoHandle(self, True, depth, channel=channel, tile=tile)
        else:
            self.depth_at_end(depth)
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
        if dims_from_stream is None:
            dims_from_stream = self._dims_from_stream_per_cons or []
        self._cons.append(ObjectFifoHandle(self, False, depth, dims_from_stream, channel=channel, tile=tile))
        return self._cons[-1]

    def depth_at_end(self, depth: int | None) -> int:
        """The depth of an end: as asked for, else the default. Raises ValueError where it cannot be one."""
        depth = self._depth if depth is None else depth
        if depth is None:
            raise ValueError(
                f"this end of objectFifo {self.name} has no depth: give one to it, "
                "or a default to the ObjectFifo"
            )
        if depth < 1:
            raise ValueError(f"an end of objectFifo {self.name} has depth {depth}; it needs at least 1")
        return depth

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
            side, verb = ("prod", "fills") if is_prod else ("cons", "drains")
            raise ValueError(f"nothing {verb} {self}: give its {side}() to a Worker or to the Runtime")
        return ends

    def _depths(self) -> int | list[int]:
        assert self._prod is not None
        depths = [self._prod.depth, *(c.depth for c in self._cons)]
        return depths[0] if len(set(depths)) == 1 else depths

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """The operation, then the links it is part of."""
        if self._resolving:
            return
        self._resolving = True
        producer, *consumers = self.tiles()
        assert self._prod is not None  # or it had no tile
        pad_value = pack_pad_value(self._pad_value, self.dtype) if self._pad_value else 0
        self._op = object_fifo(
            self.name,
            producer.op,
            [tile.op for tile in consumers],
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
