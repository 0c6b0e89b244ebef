"""ObjectFifos and their links as passes see them: an object for each end that gets buffers or a DMA program.

An `aie.objectfifo` whose ends do not share memory is split: the producer end keeps the name, each consumer
end becomes an `ObjectFifo` of its own (`NAME_cons`, or `NAME_0_cons`, … when there are several). What the
verifier has checked is not checked again (`npuninja/ir/verifier_objectfifo.py`).
"""

from __future__ import annotations

from npuninja.arch.devices import DeviceModel, memory_window
from npuninja.errors import UserError
from npuninja.ir.attributes import (
    ArrayAttr,
    Attribute,
    BDDimLayout,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
    BDPadLayoutArrayAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import group
from npuninja.ir.types import element_count, memref, object_fifo_memref
from npuninja.lowering.tiles import model_of, ops_of, place_of

#: `share_direction`: whose memory the two ends of a fifo have in common (names as in MLIR-AIE: -1 and 1).
PRODUCER_MEMORY, NO_SHARED_MEMORY, CONSUMER_MEMORY = -1, 0, 1

Dims = tuple[BDDimLayout, ...]


class ObjectFifo:
    """One end, or both ends where they share memory, of an `aie.objectfifo`.

    `producer` is the tile of this end; a consumer end is its own consumer. `depths` is None unless the design
    gives one depth for each end. `fed_by` is the link whose output it is, `feeds` the link whose input it is.
    """

    __slots__ = (
        "buffers", "channel", "consumers", "depth", "depths", "dims_from", "dims_to", "element", "externals", "fed_by",
        "feeds", "init", "iterations", "locks", "name", "op", "pad_value", "pads", "pinned", "plio", "producer",
        "repeat", "stream_port", "synchronized", "via_dma",
    )  # fmt: skip

    def __init__(self, op: Operation, name: str, producer: Value, consumers: list[Value], depth: int) -> None:
        self.op = op
        self.name = name
        self.producer = producer
        self.consumers = consumers
        self.depth = depth
        self.depths: tuple[int, ...] | None = None
        self.element = _element_type(op)
        self.dims_to: Dims = ()
        self.dims_from: tuple[Dims, ...] = ((),) * len(consumers)
        self.via_dma = False
        self.plio = False
        self.synchronized = True
        self.pads: BDPadLayoutArrayAttr | None = None
        self.pad_value = 0
        #: The DMA channel that the design gives this end, or None.
        self.pinned: int | None = None
        #: How often a memtile sends or receives all objects before its channel stops, or None for ever.
        self.iterations: int | None = None
        #: The core's stream port that this end uses instead of a DMA, or None.
        self.stream_port: int | None = None
        self.repeat: int | None = None
        self.init: tuple[Attribute, ...] | None = None
        self.fed_by: Link | None = None
        self.feeds: Link | None = None
        self.externals: list[Value] = []
        self.buffers: list[Value] = []
        self.locks: list[Value] = []
        self.channel = -1

    @property
    def link(self) -> Link | None:
        """The link this end takes part in, or None."""
        return self.fed_by or self.feeds

    @property
    def holder(self) -> ObjectFifo:
        """The member of its link whose buffers and locks this end works on, once it has them; else itself."""
        return self.link.owner if self.link is not None and self.link.owner is not None else self

    @property
    def elements(self) -> int:
        """How many scalars one object of the fifo holds."""
        return element_count(memref(self.element).shape)

    def __repr__(self) -> str:
        return f"<fifo @{self.name} depth {self.depth}>"


class Link:
    """An `aie.objectfifo.link`.

    `owner` is the member whose buffers and locks all members use, once it has them.
    """

    __slots__ = ("dst_offsets", "inputs", "op", "outputs", "owner", "src_offsets")

    def __init__(self, op: Operation, inputs: list[ObjectFifo], outputs: list[ObjectFifo]) -> None:
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.src_offsets = op.integers("src_offsets")
        self.dst_offsets = op.integers("dst_offsets")
        self.owner: ObjectFifo | None = None

    @property
    def is_join(self) -> bool:
        """Several inputs, one output."""
        return len(self.inputs) > 1

    @property
    def is_distribute(self) -> bool:
        """One input, several outputs."""
        return len(self.outputs) > 1

    @property
    def legs(self) -> int:
        """How many parts an object of the owner has, each with its own pair of locks."""
        return max(len(self.inputs), len(self.outputs))

    @property
    def repeat(self) -> int | None:
        """How often an object is sent for each time it is received: the first output's repeat_count."""
        return next((fifo.repeat for fifo in self.outputs if fifo.repeat is not None), None)

    def part(self, leg: int) -> tuple[int, int]:
        """Offset and length, in elements, of one leg of a join or distribute in the owner's objects."""
        offsets = self.src_offsets if self.is_join else self.dst_offsets
        whole = (self.outputs if self.is_join else self.inputs)[0]
        end = offsets[leg + 1] if leg + 1 < len(offsets) else whole.elements
        return offsets[leg], end - offsets[leg]

    def leg_of(self, fifo: ObjectFifo) -> int:
        """Which leg a member of a join or distribute that does not own the buffers is."""
        return (self.inputs if self.is_join else self.outputs).index(fifo)


class ObjectFifos:
    """All fifos and links of a device.

    Attributes:
        fifos: in the order in which elements are made: after a producer end its consumer ends, last first.
        splits: each split fifo with its consumer ends, in the order of the design.
    """

    def __init__(self, device: Operation) -> None:
        """Reads the fifos and links. Raises UserError for one that is not well-formed."""
        self.device = device
        self.model: DeviceModel = model_of(device)
        self.fifos: list[ObjectFifo] = []
        self.splits: list[tuple[ObjectFifo, list[ObjectFifo]]] = []
        self.by_name: dict[str, ObjectFifo] = {}
        for op in ops_of(device, "aie.objectfifo"):
            fifo = _read(op)
            self.fifos.append(fifo)
            self.by_name[fifo.name] = fifo
        self.links = [self._read_link(op) for op in ops_of(device, "aie.objectfifo.link")]
        self.delegates: dict[str, tuple[Value, Operation]] = {}
        for op in ops_of(device, "aie.objectfifo.allocate"):
            name = self.lookup(op).name
            if name in self.delegates:
                notes = (("the other one", self.delegates[name][1].loc),)
                raise UserError(f"objectFifo '@{name}' is allocated twice", op.loc, notes=notes)
            self.delegates[name] = (op.tile, op)

    def lookup(self, op: Operation) -> ObjectFifo:
        """The fifo that an operation's `objFifo_name` names. Raises UserError at the operation for none."""
        name = op.symbol("objFifo_name")
        fifo = self.by_name.get(name)
        if fifo is None:
            raise UserError(f"there is no objectFifo '@{name}'", op.loc, hint=_near(name, self.by_name))
        return fifo

    def _read_link(self, op: Operation) -> Link:
        members: list[list[ObjectFifo]] = []
        for key in ("fifoIns", "fifoOuts"):
            group = []
            for name in op.symbols(key):
                fifo = self.by_name.get(name)
                if fifo is None:
                    raise UserError(
                        f"there is no objectFifo '@{name}'",
                        op.loc,
                        hint=_near(name, self.by_name),
                    )
                group.append(fifo)
            members.append(group)
        link = Link(op, *members)
        _check_link(link)
        for role, group in (("feeds", link.inputs), ("fed_by", link.outputs)):
            for fifo in group:
                other: Link | None = getattr(fifo, role)
                if other is not None:
                    raise UserError(
                        f"objectFifo '@{fifo.name}' is in two links on the same side", op.loc,
                        notes=(("the other link", other.op.loc),),
                    )  # fmt: skip
                setattr(fifo, role, link)
        return link

    def shared_memory(self, fifo: ObjectFifo, delegate: Value | None = None) -> int:
        """Whose memory both ends reach: the producer's, else the consumer's, else none.

        With a `delegate`: CONSUMER_MEMORY if both reach that tile's memory, else NO_SHARED_MEMORY.
        """
        producer, consumer = place_of(fifo.producer), place_of(fifo.consumers[0])
        if self.model.tile_kind(producer[1]) != self.model.tile_kind(consumer[1]):
            return NO_SHARED_MEMORY
        if delegate is not None:
            place = place_of(delegate)
            reach = memory_window(self.model, producer, place) and memory_window(self.model, consumer, place)
            return CONSUMER_MEMORY if reach else NO_SHARED_MEMORY
        if memory_window(self.model, consumer, producer):
            return PRODUCER_MEMORY
        if memory_window(self.model, producer, consumer):
            return CONSUMER_MEMORY
        return NO_SHARED_MEMORY

    def needs_dma(self, fifo: ObjectFifo) -> bool:
        """Whether the objects of a fifo of the design must go over the streams."""
        if (
            fifo.via_dma
            or fifo.repeat is not None
            or len(fifo.consumers) > 1
            or fifo.dims_to
            or any(fifo.dims_from)
            or "consumerElemType" in fifo.op.attributes
            or "aie_stream" in fifo.op.attributes
        ):
            return True
        if self.shared_memory(fifo) == NO_SHARED_MEMORY:
            return True
        return fifo.link is not None and not self._linked_in_shared_memory(fifo)

    def delegate_of(self, fifo: ObjectFifo) -> Value | None:
        """The tile that `aie.objectfifo.allocate` gives a fifo or its one-to-one link's partner, or None."""
        members = [fifo]
        if fifo.link is not None and fifo.link.legs == 1:
            members += fifo.link.inputs + fifo.link.outputs
        for member in members:
            if member.name in self.delegates:
                return self.delegates[member.name][0]
        return None

    def _linked_in_shared_memory(self, fifo: ObjectFifo) -> bool:
        """A member of a one-to-one link needs no DMA when both its ends reach the memory it is put in."""
        if fifo.link is None or fifo.link.legs > 1 or fifo.name not in self.delegates:
            return False
        return self.shared_memory(fifo, self.delegates[fifo.name][0]) != NO_SHARED_MEMORY


def consumer_element(op: Operation) -> str:
    """The memref that consumers of an `aie.objectfifo` see."""
    return _element_type(op, "consumerElemType" if "consumerElemType" in op.attributes else "elemType")


def _element_type(op: Operation, key: str = "elemType") -> str:
    type = op.type_of(key)
    return object_fifo_memref(type) if type.startswith("!") else type


#: Far more buffers than a tile has descriptors or locks can count; keeps a mistake from taking all memory.
MAX_DEPTH = 1024
MAX_REPEAT = 256


def _depths(op: Operation, name: str) -> tuple[int, tuple[int, ...] | None]:
    """The depth at the producer, and those of all ends where each has its own."""
    number = op.attributes["elemNumber"]
    depths = tuple(op.integers("elemNumber")) if isinstance(number, ArrayAttr) else None
    depth = depths[0] if depths else op.integer("elemNumber")
    if max(depths or (depth,)) > MAX_DEPTH:
        raise UserError(
            f"objectFifo '@{name}' has a depth of {max(depths or (depth,))}, at most {MAX_DEPTH} is possible",
            op.loc,
            hint="a lock counts to 63, and a tile has at most 48 buffer descriptors",
        )
    return depth, depths


def _read(op: Operation) -> ObjectFifo:
    name = op.string("sym_name")
    producer, consumers = op.tile, group(op, "consumerTiles")
    depth, depths = _depths(op, name)
    fifo = ObjectFifo(op, name, producer, consumers, depth)
    fifo.depths = depths
    try:
        _ = fifo.elements
    except ValueError:
        raise UserError(
            f"objectFifo '@{name}' must hold memrefs of static shape, not {fifo.element}", op.loc
        ) from None
    to = op.attributes.get("dimensionsToStream")
    if isinstance(to, BDDimLayoutArrayAttr):
        fifo.dims_to = to.dims
    per_consumer = op.attributes.get("dimensionsFromStreamPerConsumer")
    if isinstance(per_consumer, BDDimLayoutArrayArrayAttr) and per_consumer.arrays:
        fifo.dims_from = per_consumer.arrays
    fifo.via_dma = op.flag("via_DMA")
    fifo.plio = op.flag("plio")
    fifo.synchronized = not op.flag("disable_synchronization")
    pads = op.attributes.get("padDimensions")
    if isinstance(pads, BDPadLayoutArrayAttr):
        fifo.pads = pads
        if not fifo.dims_to:
            raise UserError(
                f"objectFifo '@{name}' has padDimensions without dimensionsToStream",
                op.loc,
                hint="give the sizes and strides that the padding surrounds",
            )
    if "repeat_count" in op.attributes:
        fifo.repeat = op.integer("repeat_count")
        if fifo.repeat > MAX_REPEAT:
            raise UserError(
                f"objectFifo '@{name}' has repeat_count {fifo.repeat}, at most {MAX_REPEAT} is possible",
                op.loc,
                hint="each repetition takes a buffer descriptor, of which a tile has at most 48",
            )
    fifo.pad_value = op.integer("padValue", 0)
    if "iter_count" in op.attributes:
        fifo.iterations = op.integer("iter_count")
    if "prod_dma_channel" in op.attributes:
        fifo.pinned = op.integer("prod_dma_channel")
    if op.integer("aie_stream", 1) in (0, 2):
        fifo.stream_port = op.integer("aie_stream_port", 0)
    init = op.attributes.get("initValues")
    if isinstance(init, ArrayAttr):
        fifo.init = init.items
    return fifo


def _check_link(link: Link) -> None:
    """The parts of a joined or distributed object lie in it one after the other."""
    if link.legs > 1:
        whole = (link.outputs if link.is_join else link.inputs)[0].elements
        for leg in range(link.legs):
            offset, length = link.part(leg)
            if offset < 0 or length <= 0 or offset + length > whole:
                raise UserError(
                    f"offset {offset} of leg {leg} leaves {length} of {whole} elements",
                    link.op.loc,
                    hint="offsets must rise and stay inside the object of the joined or distributed fifo",
                )


def _near(name: str, known: dict[str, ObjectFifo]) -> str:
    """A hint that lists the fifos there are."""
    if not known:
        return "the device has no objectFifos"
    return "objectFifos of the device: " + ", ".join(f"@{other}" for other in sorted(known))
