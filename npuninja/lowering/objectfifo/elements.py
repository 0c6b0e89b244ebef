"""Buffers and locks of objectFifos.

Rules: MLIR-AIE, AIEObjectFifoStatefulTransform.cpp (createObjectFifoElements, createObjectFifoLocks). All is
put directly after the last tile op, so that later fifos come first.
"""

from __future__ import annotations

from npuninja.arch.devices import memory_window
from npuninja.errors import UserError
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import size_bytes
from npuninja.lowering import op_builders
from npuninja.lowering.generation import Rules
from npuninja.lowering.objectfifo.model import CONSUMER_MEMORY, Link, ObjectFifo, ObjectFifos
from npuninja.lowering.objectfifo.split import depth_needed, externals_of
from npuninja.lowering.resources.lock_ids import LockIds
from npuninja.lowering.tiles import get_or_create_tile, kind_at, last_tile, ops_of, place_of


def create_elements(fifos: ObjectFifos, rules: Rules) -> None:
    """Makes the buffers and locks of every fifo. Raises UserError when a tile has too few locks."""
    lock_ids = None if rules.numbers_locks_last else LockIds(fifos.device)
    for fifo in _memtiles_largest_first(fifos.fifos) if rules.orders_memtile_fifos else fifos.fifos:
        over_dma = fifos.needs_dma(fifo)
        if kind_at(fifo.producer).name == "shim" and fifo.op.tile is fifo.producer:
            fifo.externals = fifo.externals or externals_of(fifos.device, fifo, fifo.producer)
        if over_dma and fifo.init is None and fifo.depths is None:
            port = "Produce" if fifo.name == fifo.op.string("sym_name") else "Consume"
            fifo.depth = depth_needed(fifos, fifo, fifo.producer, fifo.depth, port)
        tile = _home(fifos, fifo, over_dma)
        link = fifo.link
        if fifo.stream_port is not None:
            continue  # the core reads or writes the stream itself
        if fifo.depth == 0 or (link is not None and (link.owner is not None or not _owns(link, fifo, rules))):
            continue
        legs = 1
        repeat = fifo.repeat or 1
        if link is not None:
            legs, repeat = link.legs, link.repeat or repeat
            link.owner = fifo
        _create(fifos, fifo, tile, legs, repeat, lock_ids, rules)


def _memtiles_largest_first(fifos: list[ObjectFifo]) -> list[ObjectFifo]:
    """The fifos; those from memtiles trade their positions, so that the largest find room first."""
    places = [i for i, fifo in enumerate(fifos) if kind_at(fifo.producer).name == "mem"]
    largest = sorted((fifos[i] for i in places), key=lambda fifo: -size_bytes(fifo.element))
    ordered = list(fifos)
    for i, fifo in zip(places, largest):
        ordered[i] = fifo
    return ordered


def _home(fifos: ObjectFifos, fifo: ObjectFifo, over_dma: bool) -> Value:
    """The tile that holds a fifo's buffers and locks."""
    if over_dma:
        return fifo.producer
    delegate = fifos.delegate_of(fifo)
    if delegate is not None:
        return delegate
    return fifo.consumers[0] if fifos.shared_memory(fifo) == CONSUMER_MEMORY else fifo.producer


def _owns(link: Link, fifo: ObjectFifo, rules: Rules) -> bool:
    """Whether a member of a link is the one whose buffers all members use: that with the larger objects."""
    source, dest = link.inputs[0], link.outputs[0]
    if link.is_join:
        return fifo is dest
    if link.is_distribute:
        return fifo is source
    if dest.init is not None:
        return fifo is dest
    keeps_input = source.elements >= dest.elements or (
        rules.padded_link_keeps_input and dest.pads is not None
    )
    return fifo is (source if keeps_input else dest)


def _create(
    fifos: ObjectFifos,
    fifo: ObjectFifo,
    tile: Value,
    legs: int,
    repeat: int,
    lock_ids: LockIds | None,
    rules: Rules,
) -> None:
    device, loc = fifos.device, fifo.op.loc
    on_shim = kind_at(tile).name == "shim"
    made: list[Operation] = []
    if not on_shim:
        _check_size(fifo, tile)
        for i in range(fifo.depth):
            initial = fifo.init[i] if fifo.init is not None else None
            home = _tile_with_room(fifos, tile, size_bytes(fifo.element), made, rules)
            made.append(op_builders.buffer(home, f"{fifo.name}_buff_{i}", fifo.element, initial, loc))
            fifo.buffers.append(made[-1].result)
    if fifo.synchronized and not (rules.repeats_in_hardware and _sent_again_and_again(fifo)):
        slots = len(fifo.externals) if on_shim else fifo.depth
        full = len(fifo.init) if fifo.init is not None else 0
        for leg in range(legs):
            for kind, value in (("prod", (slots - full) * repeat), ("cons", full * repeat)):
                number = lock_ids.take(tile, fifo.op) if lock_ids is not None else None
                op = op_builders.lock(tile, number, value, f"{fifo.name}_{kind}_lock_{leg}", loc)
                made.append(op)
                fifo.locks.append(op.result)
    anchor = last_tile(device)
    assert anchor is not None
    block = device.body
    at = block.ops.index(anchor) + 1
    for i, op in enumerate(made):
        block.insert(at + i, op)


def _sent_again_and_again(fifo: ObjectFifo) -> bool:
    """Whether a fifo sends its first objects several times: nothing fills them, so its end needs no locks."""
    return (
        fifo.init is not None
        and len(fifo.init) == fifo.depth
        and (fifo.iterations or 1) > 1
        and fifo.link is None
    )


def _check_size(fifo: ObjectFifo, tile: Value) -> None:
    """Refuses a fifo that no memory can hold before its objects are made one by one."""
    kind = kind_at(tile)
    # A memtile's DMA reaches the memories of its neighbours too.
    limit_bytes = kind.memory_bytes * (3 if kind.name == "mem" else 1)
    object_bytes = size_bytes(fifo.element)
    if fifo.depth * object_bytes > limit_bytes:
        raise UserError(
            f"objectFifo '@{fifo.name}' needs {fifo.depth} objects of {object_bytes} bytes, "
            f"but tile {place_of(tile)} reaches {limit_bytes} bytes of memory",
            fifo.op.loc,
            hint="a core's acquires decide how many objects it needs, "
            "if they need more than the given number",
        )


def _tile_with_room(fifos: ObjectFifos, tile: Value, size: int, made: list[Operation], rules: Rules) -> Value:
    """`tile`, or for a full memtile a neighbour with room that its DMA reaches: west or the emptier first."""
    column, row = place = place_of(tile)
    kind = kind_at(tile)
    if kind.name != "mem" or _used_bytes(fifos.device, place, made) + size <= kind.memory_bytes:
        return tile
    beside = [(column - 1, row), (column + 1, row)]
    if rules.orders_memtile_fifos:
        beside.sort(key=lambda other: _used_bytes(fifos.device, other, made))
    for other in beside:
        room = kind.memory_bytes - _used_bytes(fifos.device, other, made)
        if memory_window(fifos.model, place, other) and size <= room:
            return get_or_create_tile(fifos.device, other).result
    return tile


def _used_bytes(device: Operation, place: tuple[int, int], made: list[Operation]) -> int:
    buffers = [*ops_of(device, "aie.buffer"), *made]
    return sum(
        size_bytes(op.result.type) for op in buffers if op.name == "aie.buffer" and place_of(op.tile) == place
    )
