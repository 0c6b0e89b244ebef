"""Which descriptors a DMA channel goes through, as a design writes them."""

from __future__ import annotations

from npuninja.ir.core import Block, Operation
from npuninja.lowering.tiles import DMA_REGIONS, ops_of
from npuninja.records import NamedTuple


class Channel(NamedTuple):
    """A channel of a tile's DMA: what starts it, its blocks in order, and those that it repeats for ever."""

    start: Operation
    region: Operation
    direction: str
    number: int
    blocks: tuple[Block, ...]
    ring: tuple[Block, ...]

    @property
    def descriptors(self) -> list[Operation]:
        """Its `aie.dma_bd` operations, each once."""
        return [op for block in self.blocks for op in block.ops if op.name == "aie.dma_bd"]


def channels(device: Operation) -> list[Channel]:
    """The channels that a device's DMA regions start, in order."""
    return [channel for region in ops_of(device, *DMA_REGIONS) for channel in channels_of(region)]


def channels_of(region: Operation) -> list[Channel]:
    """The channels that one DMA region starts, in order."""
    starts = [op for op in region.walk() if op.name in ("aie.dma_start", "aie.dma")]
    return [
        Channel(op, region, op.enum("channel_dir"), op.integer("channel_index"), *_blocks(op))
        for op in starts
    ]


def _blocks(start: Operation) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    if start.name == "aie.dma":  # a region for each descriptor; `loop` says whether they form a ring
        blocks = tuple(region.entry for region in start.regions)
        loop = start.attributes.get("loop")
        return blocks, () if loop is not None and not getattr(loop, "value", True) else blocks
    chain: list[Block] = []
    block = start.successors[0][0]
    while block not in chain:
        chain.append(block)
        last = block.last
        if last is None or last.name != "aie.next_bd":
            return tuple(chain), ()
        block = last.successors[0][0]
    return tuple(chain), tuple(chain[chain.index(block) :])
