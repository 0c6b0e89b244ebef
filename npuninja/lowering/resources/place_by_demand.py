"""Places of logical tiles in generation 2026-08: cores that need other cores beside them come first.

A core that exchanges objects with more cores than it has channels for must share memory with some of them.
So tiles with that demand are placed first, where two cores are above and below them; the tiles around them
are reserved for the cores they work with. Memtiles and shim tiles go to the column from which the way to the
cores is shortest.

Source: MLIR-AIE 3ca0193c, AIEPlacer.cpp (SequentialPlacer).
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace, memory_window
from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.resources.placement_site import (
    NO_CHANNELS,
    TILE_WORDS,
    Channels,
    Site,
    channel_demand,
    ends_of,
    given,
    is_open_core,
    kind_of_tile,
)
from npuninja.lowering.tiles import ops_of

#: DMA channels of a core in each direction.
_CORE_CHANNELS = 2
#: A pair of tiles: producer and consumer, user and owner of a buffer, source and destination of a cascade.
TilePair = tuple[Operation, Operation]


def place_by_demand(site: Site, warnings: Warnings) -> None:
    """Gives every logical tile a place.

    Raises:
        UserError: channels or tiles run out, or the given places contradict each other.
    """
    placement = _Placement(site)
    for op in placement.order():
        placement.place(op)
    rest = [op for op in site.logical if op not in site.placed]
    rest.sort(key=lambda op: -sum(placement.demand.get(op, NO_CHANNELS)))
    peers = _peer_lists(site.device)
    for op in rest:
        placement.place_by_column(op, peers, warnings)


class _Placement:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.demand = _channel_demand(site.device)
        self.free = site.open_cores()
        self.peers: list[TilePair] = []
        for fifo in ops_of(site.device, "aie.objectfifo"):
            producer, consumers = ends_of(fifo)
            self.peers += [
                (producer, c)
                for c in consumers
                if is_open_core(producer) and is_open_core(c) and producer is not c
            ]
        self.buffers = _buffer_edges(site)
        self.cascades = [
            (op.tile.op, operand(op, "dest_tile").op) for op in ops_of(site.device, "aie.cascade_flow")
        ]
        self.need_in: dict[Operation, int] = {}
        self.need_out: dict[Operation, int] = {}
        for op in site.logical:
            if kind_of_tile(op) == "core":
                needed = self.demand.get(op, NO_CHANNELS)
                self.need_in[op] = max(0, self._inputs(op) - (_CORE_CHANNELS - needed.inputs))
                self.need_out[op] = max(0, self._outputs(op) - (_CORE_CHANNELS - needed.outputs))
        #: Free places beside a core with demand, and which operations they are kept for.
        self.reserved: dict[TilePlace, list[Operation]] = {}

    def _inputs(self, op: Operation) -> int:
        return sum(consumer is op for _, consumer in self.peers)

    def _outputs(self, op: Operation) -> int:
        return sum(producer is op for producer, _ in self.peers)

    def _wants(self, op: Operation) -> int:
        """With how many other cores a core must share memory."""
        return self.need_in.get(op, 0) + self.need_out.get(op, 0)

    def _partners(self, op: Operation) -> list[Operation]:
        return [b if a is op else a for a, b in self.peers if op in (a, b)]

    def order(self) -> list[Operation]:
        """The tiles in the order in which they are placed."""

        def key(op: Operation) -> tuple[int, int, int]:
            open_ends = (given(op, "col") is None) + (given(op, "row") is None)
            wants = self._wants(op)
            priority = max([wants, *map(self._wants, self._partners(op))])
            return open_ends, -priority, -wants

        return sorted(self.site.logical, key=key)

    def place(self, op: Operation) -> None:
        """Places a tile whose place is given, or a core."""
        column, row = given(op, "col"), given(op, "row")
        if column is not None and row is not None:
            self._check_given(op, (column, row))
            self._take(op, (column, row))
        elif kind_of_tile(op) == "core":
            place = self._find(op, column, row)
            if place is None:
                self._refuse(op, column, row)
            else:
                self._take(op, place)
        elif op.attributes["tile_type"] == EnumAttr("AIETileType", "ShimPLTile"):
            raise UserError("a ShimPLTile has no DMA; its place must be given", op.loc)

    def _take(self, op: Operation, place: TilePlace) -> None:
        self.site.take(op, place, self.demand.get(op, NO_CHANNELS))
        if kind_of_tile(op) != "core":
            return
        if place in self.free:
            self.free.remove(place)
        if self._wants(op) > 0:
            for beside in _beside(self.site, place):
                self.reserved.setdefault(beside, []).append(op)

    def _find(self, op: Operation, column: int | None, row: int | None) -> TilePlace | None:
        candidates = [p for p in self.free if column in (None, p[0]) and row in (None, p[1])]
        if self._wants(op) > 0:  # where two cores are beside it first
            candidates.sort(key=lambda p: (p[0], -_cores_above_and_below(self.site, p), p[1]))
        partners = self._partners(op)
        for reserved_too in (False, True):
            for place in candidates:
                owners = self.reserved.get(place, ())
                if not reserved_too and any(o is not op and o not in partners for o in owners):
                    continue
                if self._reaches(op, place) and self._cascades(op, place) and self._balanced(op, place):
                    return place
        return None

    def _place_of(self, op: Operation) -> TilePlace | None:
        column, row = given(op, "col"), given(op, "row")
        if op in self.site.placed:
            return self.site.placed[op]
        return (column, row) if column is not None and row is not None else None

    def _near(self, here: TilePlace, there: TilePlace) -> bool:
        """Whether a core here reaches the memory there."""
        return memory_window(self.site.model, here, there) is not None

    def _reaches(self, op: Operation, place: TilePlace) -> bool:
        """Cores reach the buffers they use on other tiles."""
        for user, owner in self.buffers:
            if op in (user, owner):
                other = self._place_of(owner if op is user else user)
                if other is not None and not self._near(*((place, other) if op is user else (other, place))):
                    return False
        return True

    def _cascades(self, op: Operation, place: TilePlace) -> bool:
        """A cascade goes down or to the right."""
        for source, dest in self.cascades:
            if op in (source, dest):
                other = self._place_of(dest if op is source else source)
                if other is not None:
                    (c, r), to = (place, other) if op is source else (other, place)
                    if to not in ((c, r - 1), (c + 1, r)):
                        return False
        return True

    def _balanced(self, op: Operation, place: TilePlace) -> bool:
        """Of the partners already placed, few enough are out of reach; the rest have enough places left."""
        if not self._partners(op):
            return True
        far_in = far_out = near_in = near_out = 0
        for producer, consumer in self.peers:
            if op not in (producer, consumer):
                continue
            other = self._place_of(producer if op is consumer else consumer)
            if other is None:
                continue
            near = self._near(place, other)
            if op is consumer:
                near_in, far_in = near_in + near, far_in + (not near)
            else:
                near_out, far_out = near_out + near, far_out + (not near)
        need_in, need_out = self.need_in.get(op, 0), self.need_out.get(op, 0)
        if far_in > self._inputs(op) - need_in or far_out > self._outputs(op) - need_out:
            return False
        if need_in or need_out:
            left = sum(beside in self.free for beside in _beside(self.site, place))
            if max(0, need_in - near_in) + max(0, need_out - near_out) > left:
                return False
        return all(
            self._partner_balanced(op, place, producer if op is consumer else consumer, op is consumer)
            for producer, consumer in self.peers
            if op in (producer, consumer)
        )

    def _partner_balanced(self, op: Operation, place: TilePlace, partner: Operation, is_output: bool) -> bool:
        """The same from a placed partner's side; `is_output`: this tile takes what the partner produces."""
        here = self._place_of(partner)
        if here is None:
            return True
        total = self._outputs(partner) if is_output else self._inputs(partner)
        need = (self.need_out if is_output else self.need_in).get(partner, 0)
        far = 0
        for producer, consumer in self.peers:
            if partner is not (producer if is_output else consumer):
                continue
            other = consumer if is_output else producer
            there = place if other is op else self._place_of(other)
            far += there is not None and not self._near(here, there)
        return far <= total - need

    def _check_given(self, op: Operation, place: TilePlace) -> None:
        if kind_of_tile(op) != "core":
            return
        if not self._reaches(op, place):
            raise UserError(
                f"tile {place} shares no memory with a core whose buffer it uses, or that uses its own",
                op.loc,
            )
        if not self._cascades(op, place):
            raise UserError(
                f"tile {place} is not beside the other end of its cascade, which goes down or to the right",
                op.loc,
            )

    def _refuse(self, op: Operation, column: int | None, row: int | None) -> None:
        where = (
            ""
            if column is None and row is None
            else " at ({}, {})".format(*("?" if n is None else n for n in (column, row)))
        )
        partners = [o for o in self._partners(op) if o in self.site.placed]
        raise UserError(
            f"no core tile is left{where} that reaches the buffers, cascades and cores this one works with",
            op.loc,
            hint="give some of the cores their places, or use a larger device",
            notes=tuple((f"a core it works with is at {self.site.placed[o]}", o.loc) for o in partners),
        )

    def place_by_column(
        self, op: Operation, peers: dict[Operation, list[list[Operation]]], warnings: Warnings
    ) -> None:
        """Places a memtile or shim tile: nearest to its best column, then where fewest channels are used."""
        wanted = given(op, "col")
        target = self._best_column(op, peers) if wanted is None else wanted
        needed = self.demand.get(op, NO_CHANNELS)
        choices = [
            (abs(place[0] - target), sum(self.site.used.get(place, NO_CHANNELS)), place)
            for place in self.site.tile_places(kind_of_tile(op))
            if self.site.fits(place, needed)
        ]
        words = TILE_WORDS[kind_of_tile(op)]
        if not choices:
            raise UserError(f"no {words} has {needed} left", op.loc)
        place = min(choices)[2]
        if wanted is not None and place[0] != wanted:
            warnings.add(
                f"the {words} of column {wanted} has no {needed} left, so column {place[0]} is taken instead",
                op.loc,
            )
        self.site.take(op, place, needed)

    def _best_column(self, op: Operation, peers: dict[Operation, list[list[Operation]]]) -> int:
        lists = []
        for members in peers.get(op, ()):
            columns: list[int] = []
            for peer in members:
                own = self._core_column(peer)
                if own is not None:
                    columns.append(own)
                elif peer is not op and peer.name == "aie.logical_tile":
                    reached = (self._core_column(p) for each in peers.get(peer, ()) for p in each)
                    columns += [column for column in reached if column is not None]
            if columns:
                lists.append(columns)
        if not lists:
            return 0
        everything = [column for columns in lists for column in columns]
        mean = sum(everything) / len(everything)

        def cost(column: int) -> int:
            return sum(max(min(columns) - column, 0, column - max(columns)) for columns in lists)

        return min(range(self.site.model.columns), key=lambda c: (cost(c), abs(c - mean), c))

    def _core_column(self, op: Operation) -> int | None:
        if kind_of_tile(op) != "core":
            return None
        place = self._place_of(op)
        return place[0] if place is not None else None


def _beside(site: Site, place: TilePlace) -> list[TilePlace]:
    """The core tiles below, above and to the left, whose memory a core reaches."""
    column, row = place
    around = [(column, row - 1), (column, row + 1), (column - 1, row)]
    return [p for p in around if site.model.contains(*p) and site.model.tile_kind(p[1]) == "core"]


def _cores_above_and_below(site: Site, place: TilePlace) -> int:
    return sum(p[0] == place[0] for p in _beside(site, place))


def _channel_demand(device: Operation) -> dict[Operation, Channels]:
    """The channels that tiles need for fifos that are not between cores, for links and for flows."""
    found = channel_demand(device, counts_linked_ends=True)
    seen: set[tuple[Operation, int, bool]] = set()
    for tile, channel, is_output in _flow_ends(device):
        if tile.name == "aie.logical_tile" and (tile, channel, is_output) not in seen:
            seen.add((tile, channel, is_output))
            channels = Channels(0, 1) if is_output else Channels(1, 0)
            found[tile] = found.get(tile, NO_CHANNELS) + channels
    return found


def _flow_ends(device: Operation) -> list[tuple[Operation, int, bool]]:
    """Tile, channel and whether data leaves there, of every DMA end of a flow."""
    ends = []
    for op in device.body.ops:
        if op.name == "aie.flow":
            for i, side in enumerate(("source", "dest")):
                if op.attributes[f"{side}_bundle"] == EnumAttr("WireBundle", "DMA"):
                    ends.append((operand(op, side).op, op.integer(f"{side}_channel"), i == 0))
        elif op.name == "aie.packet_flow":
            for end in op.body.ops:
                if end.attributes.get("bundle") == EnumAttr("WireBundle", "DMA"):
                    is_output = end.name == "aie.packet_source"
                    ends.append((end.tile.op, end.integer("channel"), is_output))
    return ends


def _buffer_edges(site: Site) -> list[TilePair]:
    """Each logical core tile with the tiles whose buffers its core uses."""
    edges: list[TilePair] = []
    for core in ops_of(site.device, "aie.core"):
        user = core.tile.op
        if not is_open_core(user):
            continue
        owners: dict[Operation, None] = {}
        for op in core.walk():
            for value in op.operands:
                source = value.owner
                while isinstance(source, Operation) and source.name.startswith("memref.") and source.operands:
                    source = source.operands[0].owner
                if isinstance(source, Operation) and source.name == "aie.buffer":
                    owner = source.tile.op
                    if owner is not user:
                        owners[owner] = None
        edges += [(user, owner) for owner in owners]
    return edges


def _peer_lists(device: Operation) -> dict[Operation, list[list[Operation]]]:
    """For each tile, the tiles at the other end of each of its flows and fifos."""
    found: dict[Operation, list[list[Operation]]] = {}

    def add(tile: Operation, others: list[Operation]) -> None:
        if others and tile.name == "aie.logical_tile":
            found.setdefault(tile, []).append(others)

    for op in ops_of(device, "aie.flow"):
        source, dest = operand(op, "source").op, operand(op, "dest").op
        add(source, [dest])
        add(dest, [source])
    for op in ops_of(device, "aie.packet_flow"):
        sources = [e.tile.op for e in op.body.ops if e.name == "aie.packet_source"]
        dests = [e.tile.op for e in op.body.ops if e.name == "aie.packet_dest"]
        for source in sources:
            add(source, dests)
        for dest in dests:
            add(dest, sources)
    for op in ops_of(device, "aie.objectfifo"):
        producer, consumers = ends_of(op)
        add(producer, consumers)
        for consumer in consumers:
            add(consumer, [producer])
    return found
