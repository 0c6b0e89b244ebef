"""Rules for objectFifos, after the `verify` functions in AIEDialect.cpp of MLIR-AIE."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    DenseArrayAttr,
    EnumAttr,
    IntegerAttr,
    SymbolRefAttr,
    TypeAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.symbols import find_symbol
from npuninja.ir.syntax import group, operand
from npuninja.ir.tiles import kind_at, place_of
from npuninja.ir.types import element_count, memref, object_fifo_memref
from npuninja.ir.verifier_tiles import op_error, require_pad_value, require_tiles

if TYPE_CHECKING:
    from typing import Callable

#: A channel's queue repeats a task up to 256 times.
MOST_ITERATIONS = 256


def _check_objectfifo(op: Operation) -> None:
    require_tiles(op, op.operands)
    producer, consumers = operand(op, "producerTile"), group(op, "consumerTiles")
    if not consumers:
        raise op_error(op, "an objectFifo needs at least one consumer")
    depth = op.attributes["elemNumber"]
    if isinstance(depth, ArrayAttr) and len(depth.items) != len(consumers) + 1:
        raise op_error(
            op,
            f"{len(depth.items)} depths, expected {len(consumers) + 1}",
            "the array has the producer's depth, then one for each consumer",
        )
    if isinstance(depth, IntegerAttr) and depth.type != "i32":
        raise op_error(op, f"the depth is an {depth.type}, expected an i32", f"write {depth.value} : i32")
    depths = [
        d.value
        for d in (depth.items if isinstance(depth, ArrayAttr) else (depth,))
        if isinstance(d, IntegerAttr)
    ]
    if min(depths, default=0) < 1:
        raise op_error(op, f"depth {min(depths, default=0)}, expected at least 1")
    _check_objectfifo_options(op, producer, consumers, depths[0])


def _check_objectfifo_options(op: Operation, producer: Value, consumers: list[Value], depth: int) -> None:
    _check_orders(op, producer, consumers)
    if _kind_at(producer) == "shim":
        for name in ("repeat_count", "initValues"):
            if name in op.attributes:
                raise op_error(op, f"'{name}' is not supported for a shim tile as the producer")
    if "padDimensions" in op.attributes and _kind_at(producer) not in ("mem", ""):
        raise op_error(op, "'padDimensions' is only supported for a memtile as the producer")
    values = op.items("initValues")
    if "initValues" in op.attributes and len(values) != depth:
        raise op_error(op, f"{len(values)} initial values, but depth {depth}")
    if op.integer("repeat_count", 1) < 1:
        raise op_error(op, f"repeat_count is {op.integer('repeat_count')}, expected at least 1")
    _check_iterations(op)
    _check_stream(op)
    _check_consumer_element(op)
    if op.integer("padValue", 0):
        if "padDimensions" not in op.attributes:
            raise op_error(op, "'padValue' needs 'padDimensions'")
        require_pad_value(op)
    pins = op.attributes.get("cons_dma_channels")
    if isinstance(pins, DenseArrayAttr) and len(pins.values) > len(consumers):
        raise op_error(
            op,
            f"{len(pins.values)} channels in 'cons_dma_channels', but there are {len(consumers)} consumers",
        )


def _check_orders(op: Operation, producer: Value, consumers: list[Value]) -> None:
    """The orders in which a DMA reads and writes: a shim's has none, each consumer may have its own."""
    to_stream = op.typed("dimensionsToStream", BDDimLayoutArrayAttr)
    from_stream = op.typed("dimensionsFromStreamPerConsumer", BDDimLayoutArrayArrayAttr)
    received = from_stream.arrays if from_stream is not None else ()
    if to_stream is not None and to_stream.dims and _kind_at(producer) == "shim":
        raise op_error(op, "'dimensionsToStream' is not supported for a shim tile")
    if received and len(received) != len(consumers):
        raise op_error(op, f"dimensions for {len(received)} consumers, but there are {len(consumers)}")
    for consumer, dims in zip(consumers, received):
        if dims and _kind_at(consumer) == "shim":
            raise op_error(op, "'dimensionsFromStream' is not supported for a shim tile")


def _producer(fifo: Operation) -> list[Value]:
    return group(fifo, "producerTile")


def _consumers(fifo: Operation) -> list[Value]:
    return group(fifo, "consumerTiles")


def _kind_at(tile: Value) -> str:
    """The kind of a tile; "" where it is not known."""
    kind = kind_at(tile)
    return kind.name if kind is not None else ""


def _check_iterations(op: Operation) -> None:
    if "iter_count" not in op.attributes:
        return
    if not 1 <= op.integer("iter_count") <= MOST_ITERATIONS:
        raise op_error(op, f"iter_count is {op.integer('iter_count')}, expected 1 to {MOST_ITERATIONS}")
    kinds = set(map(_kind_at, op.operands))
    if not kinds & {"mem", ""}:
        raise op_error(op, "'iter_count' needs a memtile as one of the ends")


def _check_stream(op: Operation) -> None:
    """aie_stream: 0 the producer's end is a core's stream port, 1 the consumer's, 2 both."""
    which = op.attributes.get("aie_stream")
    if not isinstance(which, IntegerAttr):
        if "aie_stream_port" in op.attributes:
            raise op_error(op, "'aie_stream_port' needs 'aie_stream'")
        return
    if "aie_stream_port" not in op.attributes:
        raise op_error(op, "'aie_stream' needs 'aie_stream_port'")
    if not 0 <= which.value <= 2 or not 0 <= op.integer("aie_stream_port") <= 1:
        raise op_error(op, "expected 'aie_stream' 0 to 2 and 'aie_stream_port' 0 or 1")
    if len(op.operands) > 2:
        raise op_error(op, "a stream port leads from one producer to one consumer")
    ends = _producer(op) * (which.value != 1) + _consumers(op) * (which.value != 0)
    if not {_kind_at(end) for end in ends} <= {"core", ""}:
        raise op_error(op, "only core tiles have stream ports")
    for name in ("repeat_count", "initValues", "iter_count"):
        if which.value != 1 and name in op.attributes:
            raise op_error(op, f"'{name}' needs a DMA, the producer's end is a stream port")
    if which.value != 1 and op.attributes.get("dimensionsToStream") != BDDimLayoutArrayAttr(()):
        raise op_error(op, "'dimensionsToStream' needs a DMA, the producer's end is a stream port")
    from_stream = op.attributes.get("dimensionsFromStreamPerConsumer")
    if isinstance(from_stream, BDDimLayoutArrayArrayAttr) and any(from_stream.arrays):
        raise op_error(op, "'dimensionsFromStream' is not supported with a stream port")


def _check_consumer_element(op: Operation) -> None:
    type = op.attributes.get("consumerElemType")
    produced = op.attributes["elemType"]
    if not isinstance(type, TypeAttr) or not isinstance(produced, TypeAttr):
        return
    mine, theirs = memref(object_fifo_memref(produced.type)), memref(object_fifo_memref(type.type))
    if mine.element != theirs.element:
        raise op_error(
            op,
            f"the producer has elements of {mine.element}, the consumers of {theirs.element}; "
            "expected the same",
        )
    if not element_count(theirs.shape) or element_count(mine.shape) % element_count(theirs.shape):
        raise op_error(
            op,
            f"the producer's objects have {element_count(mine.shape)} elements, the consumers' "
            f"{element_count(theirs.shape)}; expected a multiple",
        )


def _check_link(op: Operation) -> None:
    ins, outs = op.attributes["fifoIns"], op.attributes["fifoOuts"]
    sources, targets = op.attributes["src_offsets"], op.attributes["dst_offsets"]
    if not (isinstance(ins, ArrayAttr) and isinstance(outs, ArrayAttr)):
        raise op_error(op, "expected lists of objectFifos in brackets")
    if not (isinstance(sources, ArrayAttr) and isinstance(targets, ArrayAttr)):
        raise op_error(op, "expected lists of offsets in brackets")
    if not ins.items or not outs.items:
        raise op_error(op, "a link needs at least one objectFifo on each side")
    if len(ins.items) > 1 and len(outs.items) > 1:
        raise op_error(op, "a link either joins or distributes, it cannot do both")
    for fifos, offsets, side in ((ins, sources, "input"), (outs, targets, "output")):
        if len(fifos.items) > 1 and len(offsets.items) != len(fifos.items):
            raise op_error(op, f"{len(fifos.items)} {side} objectFifos, but {len(offsets.items)} offsets")
    for way, offsets, many in (("join", targets, ins), ("distribute", sources, outs)):
        if len(many.items) > 1 and offsets.items:
            side = "output" if way == "join" else "input"
            raise op_error(op, f"a link that {way}s has no offsets for its {side}")
    _check_link_point(op, ins, outs)


def _check_link_point(op: Operation, ins: ArrayAttr, outs: ArrayAttr) -> None:
    """The inputs are consumed on the tile that produces the outputs (the passes care about unknown names)."""
    sources = [_fifo(op, name) for name in ins.items]
    targets = [_fifo(op, name) for name in outs.items]
    producers = {_producer(target)[0] for target in targets if target is not None}
    shared = len(producers) == 1 and all(s is None or producers & set(_consumers(s)) for s in sources)
    if None not in targets and not shared:
        raise op_error(
            op,
            "the objectFifos have no tile in common",
            "one tile consumes the inputs of a link and produces its outputs",
        )
    if producers and _kind_at(next(iter(producers))) == "shim" and len(sources) + len(targets) > 2:
        raise op_error(
            op, "objects cannot be joined or distributed in a shim tile, which has no memory", "use a memtile"
        )
    repeats = [target.integer("repeat_count", 0) for target in targets if target is not None]
    if len(set(repeats)) > 1:
        raise op_error(op, f"the outputs have different repeat counts: {', '.join(map(str, repeats))}")


def _fifo(op: Operation, name: Attribute) -> Operation | None:
    """The objectFifo that a symbol names, or None when there is none."""
    return find_symbol(op, name.path[-1], "aie.objectfifo") if isinstance(name, SymbolRefAttr) else None


def _check_access_in_core(op: Operation) -> None:
    """Checks acquire and release."""
    core = op.enclosing("aie.core")
    if core is None:
        raise op_error(op, "must be inside a core")
    fifo = _fifo(op, op.attributes["objFifo_name"])
    if fifo is not None:
        _check_end(op, core, fifo)
    if op.integer("size") < 1:
        raise op_error(op, f"size is {op.integer('size')}, expected at least 1")


def _check_end(op: Operation, core: Operation, fifo: Operation) -> None:
    """The core is at the end of the fifo that the port names, and sees elements of the fifo's type."""
    produces = op.attributes["port"] == EnumAttr("ObjectFifoPort", "Produce")
    ends = _producer(fifo) if produces else _consumers(fifo)
    if core.tile not in ends and place_of(core.tile) not in map(place_of, ends):
        end = "producer" if produces else "consumer"
        name = fifo.string("sym_name")
        raise op_error(
            op, f"the core is on tile {place_of(core.tile)}, which is no {end} of '@{name}'", note=fifo
        )
    own = "consumerElemType" in fifo.attributes and not produces
    type = fifo.attributes["consumerElemType" if own else "elemType"]
    if (
        op.results
        and isinstance(type, TypeAttr)
        and op.result.type != type.type.replace("fifo<", "fifosubview<", 1)
    ):
        raise op_error(op, f"gives {op.result.type}, but the objectFifo has {type.type}", note=fifo)


def _check_subview_access(op: Operation) -> None:
    acquire = operand(op, "subview").made_by("aie.objectfifo.acquire")
    if acquire is None:
        raise op_error(op, "its operand is not the result of 'aie.objectfifo.acquire'")
    size, index = acquire.integer("size"), op.integer("index")
    if not 0 <= index < size:
        raise op_error(op, f"element {index} of {size} acquired", "elements count from 0", acquire)
    if acquire.result.type != f"!aie.objectfifosubview<{op.result.type}>":
        raise op_error(op, f"the result has type {op.result.type}, but {acquire.result.type} was acquired")


def _check_register(op: Operation) -> None:
    if _kind_at(op.tile) not in ("shim", ""):
        raise op_error(op, f"tile {place_of(op.tile)} is no shim tile; only those reach external buffers")


OBJECTFIFO_RULES: dict[str, Callable[[Operation], None]] = {
    "aie.objectfifo": _check_objectfifo,
    "aie.objectfifo.link": _check_link,
    "aie.objectfifo.acquire": _check_access_in_core,
    "aie.objectfifo.release": _check_access_in_core,
    "aie.objectfifo.register_external_buffers": _check_register,
    "aie.objectfifo.subview.access": _check_subview_access,
}
