"""Splitting the objectFifos whose objects go over the streams, and how deep each end is.

Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp (findObjectFifoSize, the loop that splits).
"""

from __future__ import annotations

from npuninja.ir.attributes import DenseArrayAttr, SymbolRefAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import group
from npuninja.lowering.objectfifo.model import ObjectFifo, ObjectFifos, consumer_element
from npuninja.lowering.tiles import kind_at, ops_of, place_of

#: What names one of the objects that an acquire gives.
ELEMENT = "aie.objectfifo.subview.access"
ACQUIRE, RELEASE = ACCESSES = ("aie.objectfifo.acquire", "aie.objectfifo.release")

FifoPort = tuple[str, str]
"""The fifo's symbol and the port, `Produce` or `Consume`."""


def split_fifos(fifos: ObjectFifos) -> None:
    """Gives each consumer of a fifo that needs DMA an end of its own, and points cores and links to it."""
    order: list[ObjectFifo] = []
    for fifo in fifos.fifos:
        order.append(fifo)
        if not fifos.needs_dma(fifo):
            continue
        ends = []
        for i, tile in enumerate(fifo.consumers):
            name = f"{fifo.name}_cons" if len(fifo.consumers) == 1 else f"{fifo.name}_{i}_cons"
            depth = (
                fifo.depths[i + 1] if fifo.depths else depth_needed(fifos, fifo, tile, fifo.depth, "Consume")
            )
            end = ObjectFifo(fifo.op, name, tile, [tile], depth)
            end.element = consumer_element(fifo.op)
            end.iterations = fifo.iterations
            pins = fifo.op.attributes.get("cons_dma_channels")
            if isinstance(pins, DenseArrayAttr) and i < len(pins.values) and pins.values[i] >= 0:
                end.pinned = pins.values[i]
            if fifo.op.integer("aie_stream", 0) > 0:
                end.stream_port = fifo.op.integer("aie_stream_port", 0)
            end.dims_from = (fifo.dims_from[i],)
            end.synchronized = fifo.synchronized
            end.externals = externals_of(fifos.device, fifo, tile)
            _move_accesses(fifos.device, fifo, end)
            _move_link(fifo, end)
            fifos.by_name.setdefault(name, end)
            ends.append(end)
        fifos.splits.append((fifo, ends))
        order += reversed(ends)
    fifos.fifos = order


def depth_needed(fifos: ObjectFifos, fifo: ObjectFifo, tile: Value, depth: int, port: str) -> int:
    """How many objects an end gets when the design gives one depth for both.

    A memtile gets the depth as given, a shim tile as many as it has external buffers. A core that acquires at
    most n at once gets n + 1, so that the DMA works on one more, or 1 if the depth is 1 and n is 1.
    """
    if depth == 0 or kind_at(tile).name == "mem":
        return depth
    externals = externals_of(fifos.device, fifo, tile)
    if externals:
        return len(externals)
    acquires = [op for op in accesses(fifos.device, fifo.name, tile, port) if op.name == ACQUIRE]
    most = max((op.integer("size") for op in acquires), default=0)
    if most == 0 or most == depth == 1:
        return depth
    return most + 1


def accesses(device: Operation, name: str, tile: Value, port: str) -> list[Operation]:
    """The acquires and releases of one port of a fifo in the cores of a tile."""
    found = []
    for core in ops_of(device, "aie.core"):
        if place_of(core.tile) == place_of(tile):
            for op in core.walk():
                if op.name in ACCESSES and op.symbol("objFifo_name") == name and port_of(op) == port:
                    found.append(op)
    return found


def port_of(op: Operation) -> str:
    """`Produce` or `Consume`."""
    return op.enum("port")


def key_of(op: Operation) -> FifoPort:
    """The port that an acquire or release is for."""
    return op.symbol("objFifo_name"), port_of(op)


def externals_of(device: Operation, fifo: ObjectFifo, tile: Value) -> list[Value]:
    """The external buffers registered for the end of a fifo at a tile."""
    found: list[Value] = []
    for op in ops_of(device, "aie.objectfifo.register_external_buffers"):
        if op.symbol("objFifo_name") == fifo.op.string("sym_name") and place_of(op.tile) == place_of(tile):
            found += group(op, "externalBuffers")
    return found


def _move_accesses(device: Operation, fifo: ObjectFifo, end: ObjectFifo) -> None:
    for op in accesses(device, fifo.name, end.producer, "Consume"):
        op.attributes["objFifo_name"] = SymbolRefAttr((end.name,))


def _move_link(fifo: ObjectFifo, end: ObjectFifo) -> None:
    """The link that a fifo feeds takes its objects from the consumer end at the link's tile."""
    link = fifo.feeds
    if link is None or place_of(end.producer) != place_of(link.outputs[0].producer):
        return
    link.inputs[link.inputs.index(fifo)] = end
    end.feeds = link
    fifo.feeds = None
