"""Routing by hand (summer 2026): flows, locks and DMA programs in addition to objectFifos."""

from __future__ import annotations

import itertools
from typing import Any, Sequence

from npuninja.ir.attributes import BoolAttr, OpaqueAttr
from npuninja.python_designs.construct.operations import build
from npuninja.python_designs.dialects import aie_dma_programs as dma_programs
from npuninja.python_designs.dialects import aie_memory as memory
from npuninja.python_designs.dialects import aie_streams as streams
from npuninja.python_designs.dialects.aie_tiles import EndOp
from npuninja.python_designs.iron.buffer import Buffer
from npuninja.python_designs.iron.device import CORE, MEMORY, SHIM, Tile
from npuninja.python_designs.iron.lists import pack_pad_value
from npuninja.python_designs.iron.resolvable import HasOperation, Resolvable


class Lock(HasOperation, Resolvable):
    """A lock of a tile."""

    _count = 0

    def __init__(
        self, tile: Tile, lock_id: int | None = None, init: int = 0, name: str | None = None
    ) -> None:
        if name is None:
            name = f"lock_{Lock._count}"
            Lock._count += 1
        self.tile, self.lock_id, self.init, self.name = tile, lock_id, init, name

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the operation, once."""
        if self._op is None:
            self._op = memory.lock(self.tile.op, lock_id=self.lock_id, init=self.init, sym_name=self.name)

    def acquire(self, value: int = 1) -> None:
        """Waits until the lock has at least the value, and takes it off."""
        memory.use_lock(self.op, "AcquireGreaterEqual", value)

    def acquire_exact(self, value: int = 1) -> None:
        """Waits until the lock has exactly the value."""
        memory.use_lock(self.op, "Acquire", value)

    def release(self, value: int = 1) -> None:
        """Adds the value to the lock."""
        memory.use_lock(self.op, "Release", value)


class Flow:
    """A circuit between two ports; with `shim_symbol` the host's program can use its shim end."""

    def __init__(
        self,
        src: Tile,
        dst: Tile,
        *,
        src_port: Any = "DMA",
        src_channel: int = 0,
        dst_port: Any = "DMA",
        dst_channel: int = 0,
        shim_symbol: str | None = None,
    ) -> None:
        self.src, self.dst = src, dst
        self.src_port, self.src_channel = src_port, src_channel
        self.dst_port, self.dst_channel = dst_port, dst_channel
        self.shim_symbol = shim_symbol
        if shim_symbol is not None and SHIM not in (src.kind, dst.kind):
            raise ValueError(
                f"{type(self).__name__}.shim_symbol={shim_symbol!r} requires a shim endpoint, "
                f"got {src} and {dst}"
            )

    def tiles(self) -> list[Tile]:
        """The tiles of the ends."""
        return [self.src, self.dst]

    def resolve(self) -> None:
        """Makes the flow and the allocation of its shim end."""
        streams.flow(
            self.src.op, self.src_port, self.src_channel, self.dst.op, self.dst_port, self.dst_channel
        )
        self._allocate()

    def _allocate(self) -> None:
        if self.shim_symbol is None:
            return
        if self.src.kind == SHIM:
            streams.shim_dma_allocation(self.shim_symbol, self.src.op, "MM2S", self.src_channel)
        else:
            streams.shim_dma_allocation(self.shim_symbol, self.dst.op, "S2MM", self.dst_channel)


class PacketDest:
    """One more destination of a packet flow."""

    def __init__(self, tile: Tile, port: Any = "DMA", channel: int = 0) -> None:
        self.tile, self.port, self.channel = tile, port, channel


class PacketFlow(Flow):
    """A packet flow with an id, to one or more destinations."""

    def __init__(
        self,
        pkt_id: int,
        src: Tile,
        dst: Tile,
        *,
        extra_dsts: Sequence[PacketDest] = (),
        keep_pkt_header: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(src, dst, **options)
        self.pkt_id, self.extra_dsts, self.keep_pkt_header = pkt_id, list(extra_dsts), keep_pkt_header

    def tiles(self) -> list[Tile]:
        """The tiles of the ends."""
        return [self.src, self.dst, *(d.tile for d in self.extra_dsts)]

    def resolve(self) -> None:
        """Makes the flow and the allocation of its shim end."""
        dests = [{"dest": self.dst.op, "port": self.dst_port, "channel": self.dst_channel}]
        dests += [{"dest": d.tile.op, "port": d.port, "channel": d.channel} for d in self.extra_dsts]
        keep = BoolAttr(self.keep_pkt_header)
        streams.packetflow(self.pkt_id, self.src.op, self.src_port, self.src_channel, dests, keep)
        self._allocate()


class CascadeFlow:
    """The cascade from one worker's core to the next."""

    made: list[CascadeFlow] = []

    def __init__(self, src: Any, dst: Any) -> None:
        self.src_worker, self.dst_worker = src, dst
        src.cascades.append(self)

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Makes the operation `aie.flow` or `aie.packet_flow`."""
        streams.cascade_flow(self.src_worker.tile.op, self.dst_worker.tile.op)


class Acquire:
    """A lock that a descriptor takes first."""

    def __init__(self, lock: Lock, value: int = 1, greater_equal: bool = True) -> None:
        self.lock, self.value, self.greater_equal = lock, value, greater_equal


class Release:
    """A lock that a descriptor gives at its end."""

    def __init__(self, lock: Lock, value: int = 1) -> None:
        self.lock, self.value = lock, value


class BdIteration:
    """How a descriptor moves on each time it runs."""

    def __init__(self, size: int, stride: int, current: int = 0) -> None:
        self.size, self.stride, self.current = size, stride, current


class Bd:
    """A buffer descriptor."""

    def __init__(
        self,
        buffer: Buffer,
        offset: int = 0,
        length: int | None = None,
        acquires: Sequence[Acquire] = (),
        releases: Sequence[Release] = (),
        next: Any = "self",
        packet: Any = None,
        sizes: Sequence[int] = (),
        strides: Sequence[int] = (),
        pad_dimensions: Any = None,
        iteration: BdIteration | None = None,
    ) -> None:
        self.buffer, self.offset, self.length = buffer, offset, length
        self.acquires, self.releases, self.next = list(acquires), list(releases), next
        self.packet, self.sizes, self.strides = packet, list(sizes), list(strides)
        self.pad_dimensions, self.iteration = pad_dimensions, iteration


class DmaChannel:
    """A DMA channel and its descriptors."""

    def __init__(self, direction: Any, channel: int, bds: Sequence[Bd], pad_value: int = 0) -> None:
        self.direction, self.channel, self.bds, self.pad_value = direction, channel, list(bds), pad_value
        if pad_value and not any(bd.pad_dimensions for bd in self.bds):
            raise ValueError(
                "pad_value is for a Bd with pad_dimensions, and no Bd of this channel has any: "
                "give them or leave it out"
            )
        for bd in self.bds:
            if bd.next not in ("self", None) and not isinstance(bd.next, int):
                raise ValueError(
                    f"next is 'self', the index of a Bd of the channel, or None, not {bd.next!r}"
                )
            if isinstance(bd.next, int) and not 0 <= bd.next < len(self.bds):
                raise ValueError(
                    f"next={bd.next} is not among this channel's Bds, which are 0 to {len(self.bds) - 1}"
                )


class TileDma:
    """The DMA program of a tile."""

    def __init__(self, tile: Tile, channels: Sequence[DmaChannel]) -> None:
        self.tile, self.channels = tile, list(channels)

    def buffers(self) -> list[Buffer]:
        """The buffers of the descriptors, each once."""
        found: list[Buffer] = []
        for channel in self.channels:
            found += [
                bd.buffer for bd in channel.bds if isinstance(bd.buffer, Buffer) and bd.buffer not in found
            ]
        return found

    def resolve(self) -> None:
        """Makes the operation with its regions."""
        kinds = {CORE: dma_programs.mem, MEMORY: dma_programs.memtile_dma, SHIM: dma_programs.shim_dma}
        region = kinds[self.tile.kind or CORE]

        @region(self.tile.op)  # type: ignore[untyped-decorator]
        def program(block: Any) -> None:
            self._build(block)

    def _build(self, block: Any) -> None:
        # A block with each channel's start, after it those of its descriptors; at the end the last.
        starts = list(itertools.accumulate((1 + len(channel.bds) for channel in self.channels), initial=0))
        # Blocks are in the order in which they are first named: all channels' starts, then the descriptors.
        for i, channel in enumerate(self.channels):
            with block[starts[i]]:
                pad = (
                    pack_pad_value(channel.pad_value, channel.bds[0].buffer.dtype) if channel.pad_value else 0
                )
                first, chain = block[starts[i] + 1], block[starts[i + 1]]
                dma_programs.dma_start(
                    channel.direction, channel.channel, dest=first, chain=chain, pad_value=pad
                )
        for i, channel in enumerate(self.channels):
            for k, bd in enumerate(channel.bds):
                self._bd(block, starts[i] + 1, k, bd)
        with block[starts[-1]]:
            EndOp()

    def _bd(self, block: Any, first: int, k: int, bd: Bd) -> None:
        with block[first + k]:
            for each in bd.acquires:
                action = "AcquireGreaterEqual" if each.greater_equal else "Acquire"
                memory.use_lock(each.lock.op, action, each.value)
            if bd.packet is not None:
                build("aie.dma_bd_packet", [], {"packet_type": bd.packet[0], "packet_id": bd.packet[1]})
            options: dict[str, Any] = {}
            if bd.iteration is not None:
                parts = ", ".join(
                    f"{name} = {getattr(bd.iteration, name)}" for name in ("size", "stride", "current")
                )
                options = {"iteration": OpaqueAttr(f"#aie.bd_iteration<{parts}>")}
            dma_programs.dma_bd(
                bd.buffer.op,
                bd.sizes or None,
                bd.strides or None,
                bd.offset or None,
                bd.length,
                pad_dimensions=bd.pad_dimensions,
                **options,
            )
            for gives in bd.releases:
                memory.use_lock(gives.lock.op, "Release", gives.value)
            if bd.next is not None:  # without one the block has no terminator, as the design wants it
                dma_programs.next_bd(block[first + (k if bd.next == "self" else bd.next)])


class AddedParts:
    """What `add_flow`, `add_lock` and `add_tile_dma` of a runtime have collected."""

    def __init__(self) -> None:
        self.flows: list[Any] = []
        self.locks: list[Lock] = []
        self.dmas: list[TileDma] = []

    def tiles(self) -> list[Tile]:
        """All their tiles."""
        return [
            *(t for flow in self.flows for t in flow.tiles()),
            *(dma.tile for dma in self.dmas),
            *(lock.tile for lock in self.locks),
            *(b.tile for dma in self.dmas for b in dma.buffers() if b.tile is not None),
        ]

    def resolve_flows(self) -> None:
        """Flows, locks, and the buffers of DMA programs."""
        for flow in self.flows:
            flow.resolve()
        for lock in self.locks:
            lock.resolve()
        for dma in self.dmas:
            for buffer in dma.buffers():
                buffer.resolve()

    def resolve_programs(self, workers: list[Any]) -> None:
        """Cascades, then DMA programs."""
        for worker in workers:
            for cascade in worker.cascades:
                cascade.resolve()
        for dma in self.dmas:
            dma.resolve()
