"""What `aiex.dma_channel_reset_for` of an objectFifo sets back, noted before the objectFifo is gone.

`aie.objectfifo_rearm_binding @x_rearm` names the channels and locks of @x on the array; those of shim tiles
are the host's. Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import DenseArrayAttr, StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation, Value
from npuninja.lowering.objectfifo.model import ObjectFifo, ObjectFifos
from npuninja.lowering.tiles import append, kind_at


def bind_rearms(fifos: ObjectFifos) -> None:
    """Makes the binding of each objectFifo that a `dma_channel_reset_for` names, and names the binding there.

    Raises:
        UserError: all channels and locks of the objectFifo are on shim tiles.
    """
    users: dict[str, list[Operation]] = {}
    for op in fifos.device.walk():
        if op.name == "aiex.dma_channel_reset_for":
            users.setdefault(op.symbol("objfifo"), []).append(op)
    taken = {op.string("sym_name") for op in fifos.device.body.ops if "sym_name" in op.attributes}
    split = {producer.name for producer, _ in fifos.splits}
    for producer, consumers in fifos.splits:
        if producer.name in users:
            ends = [(producer, 1), *((consumer, 0) for consumer in consumers)]
            _bind(fifos, producer.name, ends, users[producer.name], taken)
    for name, fifo in fifos.by_name.items():
        if name in users and name not in split:
            _bind(fifos, name, [(fifo, None)], users[name], taken)


def _on_shim(tile: Value) -> bool:
    return kind_at(tile).name == "shim"


def _bind(
    fifos: ObjectFifos,
    name: str,
    ends: list[tuple[ObjectFifo, int]] | list[tuple[ObjectFifo, None]],
    users: list[Operation],
    taken: set[str],
) -> None:
    tiles, directions, channels = [], [], []
    locks: list[Value] = []
    inits = []
    for fifo, direction in ends:
        if direction is not None and fifo.stream_port is None and not _on_shim(fifo.producer):
            tiles.append(fifo.producer)
            directions.append(direction)
            channels.append(fifo.channel)
        for lock in fifo.locks:
            if not _on_shim(lock.op.tile):
                locks.append(lock)
                inits.append(lock.op.integer("init", 0))
    if not tiles and not locks:
        raise UserError(
            f"objectFifo '@{name}' has no DMA channels or locks outside shim tiles, "
            "so there is nothing to reset",
            users[0].loc,
        )
    symbol, number = f"{name}_rearm", 0
    while symbol in taken:
        symbol, number = f"{name}_rearm_{number}", number + 1
    taken.add(symbol)
    append(
        fifos.device,
        Operation(
            "aie.objectfifo_rearm_binding",
            [*tiles, *locks],
            {
                "sym_name": StringAttr(symbol),
                "channel_dirs": DenseArrayAttr("i32", tuple(directions)),
                "channel_indices": DenseArrayAttr("i32", tuple(channels)),
                "lock_inits": DenseArrayAttr("i32", tuple(inits)),
            },
            segments=(len(tiles), len(locks)),
            loc=users[0].loc,
        ),
    )
    for op in users:
        op.attributes["objfifo"] = SymbolRefAttr((symbol,))
