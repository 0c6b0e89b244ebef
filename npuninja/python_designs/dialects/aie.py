"""The dialect `aie`: tiles, cores, memories, objectFifos, flows, locks, DMA programs."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Sequence

import numpy as np

from npuninja.ir import core as ir
from npuninja.ir.attributes import (
    ArrayAttr,
    DenseArrayAttr,
    DenseElementsAttr,
    EnumAttr,
    IntegerAttr,
    StringAttr,
    TypeAttr,
)
from npuninja.ir.enums import ENUMS
from npuninja.ir.types import element_of
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation, insertion
from npuninja.python_designs.construct.operations import (
    VIEWS,
    Block,
    OpView,
    Region,
    build,
    make,
    region_op,
    view_of,
)
from npuninja.python_designs.construct.types import (
    FunctionType,
    Type,
    mlir_type,
    try_convert_np_type_to_mlir_type,
    type_of,
)
from npuninja.python_designs.construct.values import (
    MemRefValue,
    ScalarValue,
    Value,
    constant,
    is_all,
    load,
    store,
    value_of,
)
from npuninja.python_designs.dialects.func import FuncOp, call, signature
from npuninja.python_designs.dialects.generic import build_generic, names_of

AIEDevice = attrs.enum_class("AIEDevice")
AIETileType = attrs.enum_class("AIETileType")
CascadeDir = attrs.enum_class("CascadeDir")
DMAChannelDir = attrs.enum_class("DMAChannelDir")
LockAction = attrs.enum_class("LockAction")
LockBlocking = attrs.enum_class("LockBlocking")
ObjectFifoPort = attrs.enum_class("ObjectFifoPort")
WireBundle = attrs.enum_class("WireBundle")


def EndOp(**_: Any) -> Any:
    """`aie.end`."""
    return build("aie.end")


end = EndOp


# Tiles


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

    def is_core_tile(self) -> bool:
        """Whether a core is here."""
        return self._place()[1] >= 2

    def is_mem_tile(self) -> bool:
        """Whether this is a memory tile."""
        return self._place()[1] == 1

    def is_shim_tile(self) -> bool:
        """Whether this is a shim tile."""
        return self._place()[1] == 0

    is_shim_noc_tile = is_shim_tile


VIEWS["aie.tile"] = TileOp


def tile(col: Any, row: Any, *, allocation_scheme: str | None = None, **_: Any) -> TileOp:
    """`aie.tile(col, row)`."""
    return TileOp(col, row, allocation_scheme=allocation_scheme)


class LogicalTileOp(OpView):
    """`aie.logical_tile`."""

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
    """`aie.logical_tile<type>(col or ?, row or ?)`."""
    attributes = {"tile_type": tile_type, "col": col, "row": row, "allocation_scheme": allocation_scheme}
    return build("aie.logical_tile", [], attributes, ["index"])


# Device, core and other regions


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
            "Core() no longer accepts link_with. Set link_with= on each external_func() declaration instead; "
            "the aie-assign-core-link-files pass aggregates them onto the core."
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


# Functions and memory


class external_func(FuncOp):
    """`func.func private @name(inputs) -> outputs`: a function that a kernel's object file has."""

    def __init__(
        self,
        name: str,
        inputs: Any,
        outputs: Any = None,
        visibility: str = "private",
        link_with: str | None = None,
        link_with_mode: str | None = None,
    ) -> None:
        outputs = [] if outputs is None else outputs
        for types in (inputs, outputs):
            for i, given in enumerate(types):
                if isinstance(types, list):
                    types[i] = try_convert_np_type_to_mlir_type(given)
        if link_with_mode is not None and (link_with is None or link_with_mode != "merge"):
            raise ValueError('link_with_mode must be "merge" and needs link_with')
        super().__init__(name, FunctionType.get(inputs, outputs), visibility=visibility)
        if link_with is not None:
            self.attributes["link_with"] = StringAttr(link_with)
        if link_with_mode is not None:
            self.attributes["link_with_mode"] = StringAttr(link_with_mode)

    @property
    def input_types(self) -> list[str]:
        """The parameters' types."""
        return list(signature(self.ir)[0])


class buffer(OpView):
    """`aie.buffer(tile)`: memory of a tile, indexed as a memref."""

    def __init__(
        self,
        tile: Any,
        datatype: Any,
        name: str | None = None,
        address: int | None = None,
        initial_value: Any = None,
        use_write_rtp: bool = False,
        mem_bank: int | None = None,
        **_: Any,
    ) -> None:
        kind = mlir_type(datatype)
        self.use_write_rtp = use_write_rtp
        initial = None
        if initial_value is not None:
            if not isinstance(initial_value, DenseElementsAttr):
                assert isinstance(initial_value, np.ndarray), "initial_value must be a NumPy array"
                initial_value = attrs.dense_elements(initial_value, kind)
            initial = initial_value
        attributes = {"sym_name": name, "address": address, "mem_bank": mem_bank, "initial_value": initial}
        self.ir = make("aie.buffer", [tile], attributes, [kind])

    @property
    def type(self) -> Type:
        """Its memref type."""
        return type_of(self.ir.result.type)

    @property
    def shape(self) -> list[int]:
        """Its dimensions."""
        return self.type.shape  # type: ignore[attr-defined, no-any-return]

    @property
    def dtype(self) -> Type:
        """The type of an element."""
        return type_of(element_of(self.ir.result.type))

    @property
    def owner(self) -> OpView:
        """The operation."""
        return self

    def get_name(self) -> str:
        """Its symbol."""
        return self.ir.string("sym_name", "")

    def __getitem__(self, index: Any) -> Any:
        if is_all(index):
            return self
        if index is None:
            raise ValueError("Operation not supported for buffer")
        parts = list(index) if isinstance(index, (tuple, list)) else [index]
        if any(isinstance(p, slice) for p in parts) or len(parts) != len(self.shape):
            raise ValueError("Buffer slicing not supported, only indexing supported")
        return load(self, parts)

    def __setitem__(self, index: Any, value: Any) -> None:
        parts = list(index) if isinstance(index, (tuple, list)) else [index]
        if getattr(self, "use_write_rtp", False):
            if len(parts) != 1 or not isinstance(parts[0], (int, np.integer)):
                raise ValueError("Buffer slicing not supported, only indexing supported")
            npu_write_rtp(self, int(parts[0]), value)
            return
        if any(isinstance(p, slice) for p in parts) or len(parts) != len(self.shape):
            raise ValueError("Buffer slicing not supported, only indexing supported")
        store(value, self, parts)


VIEWS["aie.buffer"] = buffer
BufferOp = buffer


def npu_write_rtp(buffer: Any, index: Any, value: Any, **_: Any) -> Any:
    """`aiex.npu.rtp_write(@buffer, index, value)`: a word of a buffer, written by the host's program."""
    name = attrs.symbol_name(buffer)
    if not generation.is_third():
        return build("aiex.npu.rtp_write", [], {"buffer": name, "index": index, "value": value})
    kind = None
    if isinstance(buffer, OpView) and isinstance(value, (int, np.integer)):
        kind = type_of("i32")
    word = value if isinstance(value, (Value, OpView)) else constant(int(value), type=kind or type_of("i32"))
    return build("aiex.npu.rtp_write", [word], {"buffer": name, "index": index})


NpuWriteRTPOp = npu_rtp_write = npu_write_rtp


def external_buffer(
    datatype: Any, name: str | None = None, address: int | None = None, **_: Any
) -> MemRefValue:
    """`aie.external_buffer`: memory of the host."""
    attributes = {"sym_name": name, "address": address}
    return build("aie.external_buffer", [], attributes, [mlir_type(datatype)]).result  # type: ignore[no-any-return]


# ObjectFifos


class ObjectFifoCreateOp(OpView):
    """`aie.objectfifo`."""

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
        """Releases elements."""
        return objectfifo_release(port, self.ir.string("sym_name"), num_elem)

    def set_repeat_count(self, num: int) -> None:
        """How often a memory tile sends each element."""
        self.attributes["repeat_count"] = IntegerAttr(int(num), "i32")

    def allocate(self, tile: Any) -> Any:
        """`aie.objectfifo.allocate`: the tile whose memory holds the elements."""
        return objectfifo_allocate(self.ir.string("sym_name"), tile)

    def register_external_buffers(self, tile: Any, external_buffers: Sequence[Any]) -> Any:
        """`aie.objectfifo.register_external_buffers`."""
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

    `depth` is one number or a list of the producer's and each consumer's. Dimensions are lists of (size, stride).
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
    """`aie.objectfifo.link [ins] -> [outs] ([src offsets] [dst offsets])`."""
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
    """`aie.objectfifo.release`."""
    return build("aie.objectfifo.release", [], {"port": port, "objFifo_name": objFifo_name, "size": size})


def objectfifo_acquire(subview: Any, port: Any, objFifo_name: Any, size: int, **_: Any) -> Any:
    """`aie.objectfifo.acquire` with the subview's type first."""
    attributes = {"port": port, "objFifo_name": objFifo_name, "size": size}
    return build("aie.objectfifo.acquire", [], attributes, [subview]).result


def objectfifo_subview_access(output: Any, subview: Any, index: int, **_: Any) -> Any:
    """`aie.objectfifo.subview.access` with the element's type first."""
    return build("aie.objectfifo.subview.access", [subview], {"index": index}, [output]).result


def objectfifo_allocate(objFifo_name: Any, delegateTile: Any, **_: Any) -> Any:
    """`aie.objectfifo.allocate`."""
    return build("aie.objectfifo.allocate", [delegateTile], {"objFifo_name": objFifo_name})


class ObjectFifoType:
    """`!aie.objectfifo<memref>`."""

    @staticmethod
    def get(element: Any) -> Type:
        """The type of an objectFifo with these elements."""
        return Type(f"!aie.objectfifo<{mlir_type(element).text}>")


class ObjectFifoSubviewType:
    """`!aie.objectfifosubview<memref>`."""

    @staticmethod
    def get(element: Any) -> Type:
        """The type of what is acquired."""
        return Type(f"!aie.objectfifosubview<{mlir_type(element).text}>")


# Locks


def lock(
    tile: Any,
    *,
    lock_id: int | None = None,
    init: int | None = None,
    sym_name: str | None = None,
    annot: Any = None,
    **_: Any,
) -> Any:
    """`aie.lock(tile, lock_id) {init, sym_name}`."""
    return build(
        "aie.lock", [tile], {"lockID": lock_id, "init": init, "sym_name": sym_name}, ["index"]
    ).result


def LockOp(result: Any = None, tile: Any = None, **options: Any) -> Any:
    """`aie.lock`, with or without the result's type in front."""
    if not isinstance(result, Type):
        result, tile = None, result
    return lock(tile, **{{"lockID": "lock_id"}.get(k, k): v for k, v in options.items()})


def use_lock(
    lock: Any, action: Any, value: Any = None, *, blocking: Any = None, acq_en: Any = None, **_: Any
) -> Any:
    """`aie.use_lock(lock, action, value)`."""
    if generation.is_third():
        number = 1 if value is None else value
        word = number if isinstance(number, (Value, OpView)) else constant(int(number), type=type_of("i32"))
        return build("aie.use_lock", [lock, word], {"action": action, "blocking": blocking})
    return build("aie.use_lock", [lock], {"action": action, "value": value, "blocking": blocking})


def acquire(lock: Any, *, acq_val: int = 1) -> Any:
    """An acquire that waits for the exact value."""
    return use_lock(lock, LockAction["Acquire"], value=acq_val)


def release(lock: Any, *, rel_val: int = 1) -> Any:
    """A release."""
    return use_lock(lock, LockAction["Release"], value=rel_val)


# Streams


def flow(
    source: Any,
    source_bundle: Any = None,
    source_channel: Any = None,
    dest: Any = None,
    dest_bundle: Any = None,
    dest_channel: Any = None,
    **_: Any,
) -> Any:
    """`aie.flow(source, bundle : channel, dest, bundle : channel)`; DMA channel 0 where nothing is given."""
    assert dest is not None, "a flow needs dest="
    attributes = {
        "source_bundle": "DMA" if source_bundle is None else source_bundle,
        "source_channel": source_channel or 0,
        "dest_bundle": "DMA" if dest_bundle is None else dest_bundle,
        "dest_channel": dest_channel or 0,
    }
    return build("aie.flow", [source, dest], attributes)


def packetflow(
    pkt_id: int,
    source: Any,
    source_port: Any,
    source_channel: Any,
    dests: Any,
    keep_pkt_header: Any = None,
    **_: Any,
) -> Any:
    """`aie.packet_flow(id) { packet_source; packet_dest… }`; a destination is {"dest", "port", "channel"}."""
    attributes = {"ID": pkt_id, "keep_pkt_header": keep_pkt_header}
    made = build("aie.packet_flow", [], attributes, regions=[ir.Region([ir.Block()])])
    with insertion.InsertionPoint(made.ir.body):
        build("aie.packet_source", [source], {"bundle": source_port, "channel": source_channel})
        for dest in [dests] if isinstance(dests, dict) else dests:
            build("aie.packet_dest", [dest["dest"]], {"bundle": dest["port"], "channel": dest["channel"]})
    return made


def cascade_flow(source_tile: Any, dest_tile: Any, **_: Any) -> Any:
    """`aie.cascade_flow(source, dest)`."""
    return build("aie.cascade_flow", [source_tile, dest_tile])


def shim_dma_allocation(sym_name: str, *arguments: Any, **options: Any) -> Any:
    """`aie.shim_dma_allocation @name`: newer `(name, tile, direction, channel)`, older `(name, direction, channel, col)`."""
    names = ("channel_dir", "channel_index", "col")
    rest = list(arguments)
    tile_ = options.pop("shim_tile", options.pop("tile", None))
    if rest and isinstance(rest[0], (OpView, Value)):
        tile_ = rest.pop(0)
    given = {
        **dict(zip(names, rest)),
        **{k: v for k, v in options.items() if k in (*names, "plio", "packet")},
    }
    if given.get("plio") is False:
        del given["plio"]
    return build("aie.shim_dma_allocation", [] if tile_ is None else [tile_], {"sym_name": sym_name, **given})


# DMA programs


class ContextManagedBlock:
    """A block that is an insertion point inside `with`."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.ir = block.ir

    def __enter__(self) -> Any:
        return insertion.InsertionPoint(self.ir).__enter__()

    def __exit__(self, *error: object) -> None:
        insertion.current().__exit__(*error)


class BlocksByKey:
    """Blocks of a region, made when first named; 0 is the entry."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._blocks = {0: ContextManagedBlock(region.blocks[0])}

    def __getitem__(self, key: Any) -> ContextManagedBlock:
        found = self._blocks.get(key)
        if found is None:
            found = self._blocks[key] = ContextManagedBlock(self._region.blocks.append())
        return found


@contextmanager
def bds(parent: Any) -> Iterator[BlocksByKey]:
    """The blocks of an operation's region: `with bds(task) as bd: with bd[0]: …`."""
    region = Region(parent.ir.regions[0])
    block = region.blocks[0] if len(region) else region.blocks.append()
    with insertion.InsertionPoint(block):
        yield BlocksByKey(region)


def _dma_region(operation: str) -> Callable[..., Any]:
    def with_tile(tile: Any, **_: Any) -> Callable[..., Any]:
        def decorate(function: Callable[..., Any]) -> Any:
            view = build(operation, [tile], None, ["index"], 1)
            count = len(inspect.signature(function).parameters)
            if count > 1:
                raise RuntimeError("Expected function to take zero or one argument(s).")
            with bds(view) as blocks:
                function(*[blocks][:count])
            _close(view)
            return view

        return decorate

    return with_tile


def _close(view: OpView) -> None:
    """Ends a region of `aie.dma` operations, whose only block has no terminator of its own."""
    blocks = view.ir.regions[0].blocks
    if len(blocks) == 1 and (
        not blocks[0].ops or blocks[0].ops[-1].name not in ("aie.end", "aie.dma_start", "aie.next_bd")
    ):
        with insertion.InsertionPoint(blocks[0]):
            EndOp()


mem = _dma_region("aie.mem")
memtile_dma = _dma_region("aie.memtile_dma")
shim_mem = shim_dma = _dma_region("aie.shim_dma")


def _block(given: Any) -> ir.Block:
    if given is None:
        return insertion.current().ir_block
    return given.ir if isinstance(given.ir, ir.Block) else given.ir.body


class Successor:
    """The block an operation goes on to; `with` builds in it."""

    def __init__(self, op: ir.Operation, position: int) -> None:
        self.op = op
        self.pos = position
        self.ir = op.successors[position][0]

    @property
    def block(self) -> Block:
        """The block."""
        return Block(self.ir)

    def __enter__(self) -> Successor:
        if self.ir is insertion.current().ir_block or self.ir.ops:
            region = self.op.parent.parent if self.op.parent is not None else None
            assert region is not None
            self.ir = region.append(ir.Block())
            self.op.successors[self.pos] = (self.ir, [])
        insertion.InsertionPoint(self.ir).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        insertion.current().__exit__(*error)


def dma_start(
    channel_dir: Any,
    channel_index: Any,
    *,
    dest: Any = None,
    chain: Any = None,
    repeat_count: int = 0,
    pad_value: int = 0,
    **_: Any,
) -> tuple[Successor, Successor]:
    """`aie.dma_start(direction, channel, ^dest, ^chain)`."""
    attributes: dict[str, Any] = {
        "channel_dir": channel_dir, "channel_index": channel_index, "repeat_count": repeat_count,
    }  # fmt: skip
    if pad_value:
        attributes["pad_value"] = IntegerAttr(int(pad_value), "i32")
    successors: list[tuple[ir.Block, list[ir.Value]]] = [(_block(dest), []), (_block(chain), [])]
    op = make("aie.dma_start", [], attributes, ["i1"], successors=successors)
    return Successor(op, 0), Successor(op, 1)


DMAStartOp = dma_start


def next_bd(dest: Any = None, **_: Any) -> Successor:
    """`aie.next_bd ^dest`."""
    return Successor(make("aie.next_bd", successors=[(_block(dest), [])]), 0)


NextBDOp = next_bd


def dma_bd(
    buffer: Any,
    sizes: Any = None,
    strides: Any = None,
    offset: Any = None,
    transfer_len: Any = None,
    *,
    len: Any = None,
    dimensions: Any = None,
    pad_dimensions: Any = None,
    pad_value: Any = None,
    bd_id: Any = None,
    packet: Any = None,
    next_bd_id: Any = None,
    burst_length: Any = None,
    **more: Any,
) -> Any:
    """`aie.dma_bd(buffer, offset, len, dimensions)`, in elements.

    Dimensions are lists of (size, stride), or, as in the third generation, `sizes` and `strides`.
    """
    length = transfer_len if len is None else len
    if sizes is not None and dimensions is None and not generation.is_third():
        dimensions = list(zip(sizes, strides or [0] * (sizes.__len__() - 1) + [1]))
    attributes: dict[str, Any] = {
        "pad_value": pad_value or None, "bd_id": bd_id, "packet": packet, "next_bd_id": next_bd_id,
        "burst_length": burst_length,
    }  # fmt: skip
    if pad_dimensions:
        attributes["pad_dimensions"] = attrs.pad_layouts(pad_dimensions)
    for name, value in more.items():
        if name not in ("loc", "ip") and value is not None:
            attributes[name] = value
    if generation.is_third():
        from npuninja.python_designs.dialects.third import dma_bd_parts

        if dimensions:
            pairs = [attrs.dim_layout(d) for d in dimensions]
            sizes, strides = [p.size for p in pairs], [p.stride for p in pairs]
        operands, segments, static = dma_bd_parts(buffer, offset, length, sizes, strides)
        return build("aie.dma_bd", operands, {**static, **attributes}, segments=segments)
    attributes["offset"], attributes["len"] = offset, length
    if dimensions:
        attributes["dimensions"] = attrs.dim_layouts(dimensions)
    return build("aie.dma_bd", [buffer], attributes)


DMABDOp = dma_bd


def dma(
    channel_dir: Any,
    channel_index: Any,
    *,
    num_blocks: int = 1,
    loop: Any = None,
    repeat_count: Any = None,
    sym_name: Any = None,
    **_: Any,
) -> Callable[..., Any]:
    """`@dma(direction, channel)`: a chain of descriptors, one region each; `@another_bd(op)` adds the next."""

    def decorate(function: Callable[..., Any]) -> Any:
        attributes = {
            "channel_dir": channel_dir, "channel_index": getattr(channel_index, "value", channel_index),
            "loop": loop, "repeat_count": repeat_count, "sym_name": sym_name,
        }  # fmt: skip
        view = build("aie.dma", [], attributes, ["i1"], num_blocks)
        _fill_bd(view, function)
        return view

    return decorate


def another_bd(dma_op: OpView) -> Callable[..., Any]:
    """`@another_bd(op)`: the next descriptor of `@dma`."""

    def decorate(function: Callable[..., Any]) -> Any:
        _fill_bd(dma_op, function)
        return dma_op

    return decorate


def _fill_bd(view: OpView, function: Callable[..., Any]) -> None:
    for region in view.ir.regions:
        if not region.blocks:
            with insertion.InsertionPoint(region.append(ir.Block())):
                function()
                EndOp()
            return
    raise Exception("couldn't find empty region to add to.")


def bd_chain(*inputs: Any) -> Callable[..., Any]:
    """`@bd_chain(types…)` over `def chain(bd, arguments…)`: descriptors that a sequence starts by name."""

    def decorate(function: Callable[..., Any]) -> Any:
        view = build("aie.bd_chain", [], {"sym_name": function.__name__}, regions=1)
        block = Region(view.ir.regions[0]).blocks.append(*inputs)
        with bds(view) as blocks:
            function(blocks, *block.arguments)
        return view

    return decorate


# Attributes and models


def bd_dim_layout(size: int, stride: int) -> Any:
    """`<size = …, stride = …>`."""
    return attrs.dim_layout((size, stride))


bd_dim_layout_array_attr_builder = attrs.dim_layouts
bd_dim_layout_array_array_attr_builder = attrs.dim_layout_lists
bd_pad_layout_array_attr_builder = attrs.pad_layouts


class TargetModel:
    """What designs ask a device's model."""

    def __init__(self, name: str) -> None:
        from npuninja.arch.devices import device as model

        self._model = model(name)

    def columns(self) -> int:
        """The number of columns."""
        return int(self._model.columns)

    def rows(self) -> int:
        """The number of rows."""
        return int(self._model.rows)

    def is_core_tile(self, col: int, row: int) -> bool:
        """Whether a core is at the place."""
        return row >= 2

    def is_mem_tile(self, col: int, row: int) -> bool:
        """Whether a memory tile is at the place."""
        return row == 1

    def is_shim_noc_tile(self, col: int, row: int) -> bool:
        """Whether a shim tile is at the place."""
        return row == 0


def get_target_model(device: Any) -> TargetModel:
    """The model of a device."""
    return TargetModel(str(AIEDevice(int(device)).name))


def put_cascade(cascadeValue: Any, **_: Any) -> Any:
    """`aie.put_cascade`."""
    return build("aie.put_cascade", [cascadeValue])


def generic(name: str, *arguments: Any, **options: Any) -> Any:
    """Any operation by its name."""
    return build_generic(name, *arguments, **options)


NAMES: dict[str, Any] = {**names_of("aie"), **{k: v for k, v in globals().items() if not k.startswith("_")}}
for _name in ("annotations", "generic", "ir", "attrs", "insertion", "generation", "inspect", "names_of"):
    NAMES.pop(_name, None)
_USED = (FuncOp, call, ScalarValue, value_of, view_of)
