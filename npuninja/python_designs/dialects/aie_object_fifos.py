"""Operations of the dialect `aie` for objectFifos: made, linked, acquired and released."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from npuninja.ir import core as ir
from npuninja.ir.attributes import ArrayAttr, DenseArrayAttr, IntegerAttr, TypeAttr
from npuninja.ir.enums import ENUMS
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct.operations import VIEWS, OpView, build, make
from npuninja.python_designs.construct.types import Type, mlir_type, type_of


class ObjectFifoCreateOp(OpView):
    """The operation `aie.objectfifo`."""

    @property
    def datatype(self) -> Type:
        """The memref type of an element."""
        return _memref_in(self.ir, "elemType")

    def _type_at(self, port: Any) -> Type:
        if int(port) == ENUMS["ObjectFifoPort"]["Consume"] and "consumerElemType" in self.ir.attributes:
            return _memref_in(self.ir, "consumerElemType")
        return self.datatype

    def acquire(self, port: Any, num_elem: int) -> Any:
        """Acquires elements: one gives the element, several a list."""
        element = self._type_at(port)
        subview = _acquire(self.ir.string("sym_name"), port, int(num_elem), element)
        elements = [_access(subview, i, element) for i in range(int(num_elem))]
        return elements[0] if int(num_elem) == 1 else elements

    def release(self, port: Any, num_elem: int) -> Any:
        """Gives elements back to the other end of the objectFifo."""
        return objectfifo_release(port, self.ir.string("sym_name"), num_elem)

    def set_repeat_count(self, num: int) -> None:
        """How often a memory tile sends each element."""
        self.attributes["repeat_count"] = IntegerAttr(int(num), "i32")

    def allocate(self, tile: Any) -> Any:
        """`aie.objectfifo.allocate`: the tile whose memory holds the elements."""
        return objectfifo_allocate(self.ir.string("sym_name"), tile)

    def register_external_buffers(self, tile: Any, external_buffers: Sequence[Any]) -> Any:
        """Makes `aie.objectfifo.register_external_buffers`."""
        return build(
            "aie.objectfifo.register_external_buffers",
            [tile, *external_buffers],
            {"objFifo_name": self.ir.string("sym_name")},
        )

    def set_aie_stream(self, stream_end: int, stream_port: int) -> None:
        """Makes an end a stream port of the core."""
        self.attributes["aie_stream"] = IntegerAttr(int(stream_end), "i32")
        self.attributes["aie_stream_port"] = IntegerAttr(int(stream_port), "i32")

    def set_prod_dma_channel(self, channel: int) -> None:
        """Pins the producer's DMA channel."""
        self.attributes["prod_dma_channel"] = IntegerAttr(int(channel), "i32")

    def set_cons_dma_channels(self, channels: Sequence[int]) -> None:
        """Pins the consumers' DMA channels; -1 is free."""
        self.attributes["cons_dma_channels"] = DenseArrayAttr("i32", tuple(int(c) for c in channels))


VIEWS["aie.objectfifo"] = ObjectFifoCreateOp


def _memref_in(op: ir.Operation, name: str) -> Type:
    attribute: Any = op.attributes[name]
    return type_of(attribute.type[len("!aie.objectfifo<") : -1])


def _acquire(name: str, port: Any, size: int, element: Type) -> Any:
    attributes = {"objFifo_name": name, "port": port, "size": size}
    return build("aie.objectfifo.acquire", [], attributes, [f"!aie.objectfifosubview<{element.text}>"]).result


def _access(subview: Any, index: int, element: Type) -> Any:
    return build("aie.objectfifo.subview.access", [subview], {"index": index}, [element]).result


class object_fifo(ObjectFifoCreateOp):
    """`aie.objectfifo @name(producer, {consumers…}, depth)`.

    `depth` is a number, or a list: the producer's and each consumer's. Dimensions: lists of (size, stride).
    """

    def __init__(
        self,
        name: str,
        producerTile: Any,
        consumerTiles: Any,
        depth: Any,
        datatype: Any,
        dimensionsToStream: Any = None,
        dimensionsFromStreamPerConsumer: Any = None,
        initValues: Any = None,
        via_DMA: Any = None,
        plio: Any = None,
        padDimensions: Any = None,
        disable_synchronization: Any = None,
        iter_count: int | None = None,
        padValue: int | None = None,
        consumer_datatype: Any = None,
        repeat_count: int | None = None,
        **_: Any,
    ) -> None:
        consumers = list(consumerTiles) if isinstance(consumerTiles, (list, tuple)) else [consumerTiles]
        element = mlir_type(datatype)
        from_stream = dimensionsFromStreamPerConsumer
        if not from_stream:
            from_stream = [[] for _ in consumers]
        attributes: dict[str, Any] = {
            "sym_name": name,
            "elemNumber": _depth(depth),
            "elemType": TypeAttr(f"!aie.objectfifo<{element.text}>"),
            "dimensionsToStream": attrs.dim_layouts(dimensionsToStream),
            "dimensionsFromStreamPerConsumer": attrs.dim_layout_lists(from_stream),
            "via_DMA": via_DMA,
            "plio": plio,
            "disable_synchronization": disable_synchronization,
            "repeat_count": repeat_count,
            "iter_count": None if iter_count is None else IntegerAttr(int(iter_count), "i32"),
        }
        if padDimensions is not None:
            attributes["padDimensions"] = attrs.pad_layouts(padDimensions)
        if padValue:
            attributes["padValue"] = IntegerAttr(int(padValue), "i32")
        if initValues is not None:
            attributes["initValues"] = ArrayAttr(
                tuple(attrs.dense_elements(np.asarray(v), element) for v in initValues)
            )
        if consumer_datatype is not None:
            attributes["consumerElemType"] = TypeAttr(f"!aie.objectfifo<{mlir_type(consumer_datatype).text}>")
        self.ir = make("aie.objectfifo", [producerTile, *consumers], attributes, segments=(1, len(consumers)))


def _depth(depth: Any) -> Any:
    if isinstance(depth, (list, tuple)):
        return ArrayAttr(tuple(IntegerAttr(int(d), "i32") for d in depth))
    return IntegerAttr(attrs.integer(depth, "a depth"), "i32")


def object_fifo_link(fifoIns: Any, fifoOuts: Any, srcOffsets: Any = (), dstOffsets: Any = ()) -> Any:
    """Makes `aie.objectfifo.link [ins] -> [outs] ([src offsets] [dst offsets])`."""
    ends = []
    for fifos in (fifoIns, fifoOuts):
        listed = fifos if isinstance(fifos, (list, tuple)) else [fifos]
        ends.append(ArrayAttr(tuple(attrs.attribute(f, "sym") for f in listed)))
    offsets = [
        ArrayAttr(tuple(IntegerAttr(int(o), "i64") for o in given)) for given in (srcOffsets, dstOffsets)
    ]
    attributes = {
        "fifoIns": ends[0],
        "fifoOuts": ends[1],
        "src_offsets": offsets[0],
        "dst_offsets": offsets[1],
    }
    return build("aie.objectfifo.link", [], attributes)


def objectfifo_release(port: Any, objFifo_name: Any, size: int, **_: Any) -> Any:
    """Makes `aie.objectfifo.release`."""
    return build("aie.objectfifo.release", [], {"port": port, "objFifo_name": objFifo_name, "size": size})


def objectfifo_acquire(subview: Any, port: Any, objFifo_name: Any, size: int, **_: Any) -> Any:
    """`aie.objectfifo.acquire` with the subview's type first."""
    attributes = {"port": port, "objFifo_name": objFifo_name, "size": size}
    return build("aie.objectfifo.acquire", [], attributes, [subview]).result


def objectfifo_subview_access(output: Any, subview: Any, index: int, **_: Any) -> Any:
    """`aie.objectfifo.subview.access` with the element's type first."""
    return build("aie.objectfifo.subview.access", [subview], {"index": index}, [output]).result


def objectfifo_allocate(objFifo_name: Any, delegateTile: Any, **_: Any) -> Any:
    """Makes `aie.objectfifo.allocate`."""
    return build("aie.objectfifo.allocate", [delegateTile], {"objFifo_name": objFifo_name})


class ObjectFifoType:
    """A type such as `!aie.objectfifo<memref>`."""

    @staticmethod
    def get(element: Any) -> Type:
        """The type of an objectFifo with these elements."""
        return Type(f"!aie.objectfifo<{mlir_type(element).text}>")


class ObjectFifoSubviewType:
    """A type such as `!aie.objectfifosubview<memref>`."""

    @staticmethod
    def get(element: Any) -> Type:
        """The type of what is acquired."""
        return Type(f"!aie.objectfifosubview<{mlir_type(element).text}>")
