"""What a report says of a built design: read from the files of its folder."""

from __future__ import annotations

import json
import os
from typing import Any

from npuninja.arch.devices import DEFAULT_STACK_BYTES, DEVICES, TilePlace
from npuninja.emulator import layout
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.ir.core import Block, Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.syntax import operand
from npuninja.ir.types import size_bytes
from npuninja.lowering.tiles import DMA_REGIONS, model_of, place_of
from npuninja.records import NamedTuple
from npuninja.report.lanes import LockFacts
from npuninja.report.routes import DrawnRoute, routes_of
from npuninja.report.sources import ShownSource
from npuninja.report.tile_memory import TileMemory, measure


class Piece(NamedTuple):
    """A part of a tile's memory: a buffer, the stack, the kernels' data."""

    name: str
    kind: str
    start: int
    nbytes: int
    says: str


class UsedTile(NamedTuple):
    """A tile that the design uses."""

    place: TilePlace
    kind: str
    core: str
    pieces: tuple[Piece, ...]
    channels: tuple[str, ...]
    locks: tuple[str, ...]
    memory_bytes: int
    banks: int
    problems: tuple[str, ...]


class DesignFacts(NamedTuple):
    """Everything on a design's page."""

    name: str
    manifest: dict[str, Any]
    columns: int
    rows: int
    tiles: tuple[UsedTile, ...]
    routes: tuple[DrawnRoute, ...]
    locks: dict[int, LockFacts]
    source: str
    run: dict[str, Any] | None
    sources: tuple[ShownSource, ...] = ()
    warnings: tuple[str, ...] = ()


def read_design(folder: str) -> DesignFacts:
    """The facts of a design whose build lies in a folder.

    Raises:
        UserError: it is no such folder.
    """
    name = os.path.basename(os.path.normpath(folder))
    text = _text(os.path.join(folder, "input_physical.mlir"))
    manifest: dict[str, Any] = json.loads(_text(os.path.join(folder, f"{name}.json")))
    module = parse_module(text, os.path.join(folder, "input_physical.mlir"))
    # Of several devices the first that has tiles: a page shows one array.
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    device = next((d for d in devices if any(op.name == "aie.tile" for op in d.body.ops)), devices[0])
    symbol = device.string("sym_name", "main")
    sizes = {tile.tile: tile for tile in measure(folder) if tile.device in ("", symbol)}
    verdict = os.path.join(folder, "verdict.json")
    run: dict[str, Any] | None = None
    if os.path.isfile(verdict):
        run = json.loads(_text(verdict))
    places = [(op.integer("col"), op.integer("row")) for op in device.body.ops if op.name == "aie.tile"]
    tiles = tuple(_tile(device, place, sizes.get(place)) for place in sorted(set(places)))
    model = DEVICES[manifest["device"]]
    columns = max([model.columns, *(place[0] + 1 for place in places)])
    return DesignFacts(
        name=name,
        manifest=manifest,
        columns=columns,
        rows=model.rows,
        tiles=tiles,
        routes=tuple(routes_of(device)),
        locks=_locks(device),
        source=text,
        run=run,
    )


def _text(path: str) -> str:
    return read_file(path, MAX_XCLBIN_BYTES, hint="build the design first (`ninja`)").decode("utf-8")


def _tile(device: Operation, place: TilePlace, size: TileMemory | None) -> UsedTile:
    here = [op for op in device.body.ops if _is_on(op, place)]
    kind = model_of(device).kind_of(place[1])
    cores = [op for op in here if op.name == "aie.core"]
    pieces = [_buffer(op) for op in here if op.name == "aie.buffer"]
    for core in cores:
        stack = core.integer("stack_size", DEFAULT_STACK_BYTES)
        pieces.append(Piece("stack", "stack", 0, stack, f"stack: {stack} bytes"))
    if size is not None and size.data:
        end = max((p.start + p.nbytes for p in pieces), default=0)
        says = f"variables and tables of kernels: {size.data} bytes"
        pieces.append(Piece("kernel data", "data", end, size.data, says))
    channels = [text for op in here if op.name in DMA_REGIONS for text in _channels(op)]
    if kind.name == "shim":
        channels += _allocations(device, place)
    locks = [
        f"{op.string('sym_name')}: lock {op.integer('lockID', 0)}, first {op.integer('init', 0)}"
        for op in here
        if op.name == "aie.lock"
    ]
    return UsedTile(
        place=place,
        kind=kind.name,
        core=_calls(cores[-1]) if cores else "",
        pieces=tuple(sorted(pieces, key=lambda p: p.start)),
        channels=tuple(channels),
        locks=tuple(locks),
        memory_bytes=kind.memory_bytes,
        banks=kind.banks,
        problems=tuple(size.problems()) if size is not None else (),
    )


def _is_on(op: Operation, place: TilePlace) -> bool:
    """Whether an operation is on the tile at a place."""
    tile = op.tile.made_by("aie.tile") if op.operands else None
    return tile is not None and place_of(op.tile) == place


def _buffer(op: Operation) -> Piece:
    name, kind, start, bank = (
        op.string("sym_name"),
        op.result.type,
        op.integer("address", 0),
        op.integer("mem_bank", -1),
    )
    nbytes = size_bytes(kind)
    says = f"{name}: {kind}, {nbytes} bytes at {start:#x}" + (f", bank {bank}" if bank >= 0 else "")
    return Piece(name, "buffer", start, nbytes, says)


def _calls(core: Operation) -> str:
    """The kernels that a core calls."""
    calls = [inner.symbol("callee") for inner in core.walk() if inner.name == "func.call"]
    return ", ".join(dict.fromkeys(calls)) or "core"


def _channels(dma: Operation) -> list[str]:
    """Each channel with its chain of buffer descriptors."""
    found = []
    for start in dma.walk():
        if start.name != "aie.dma_start":
            continue
        chain: list[str] = []
        block: Block | None = start.successors[0][0]
        seen: set[int] = set()
        while block is not None and id(block) not in seen:
            seen.add(id(block))
            following: Block | None = None
            for inner in block.ops:
                if inner.name == "aie.dma_bd":
                    buffer = operand(inner, "buffer").owner
                    name = buffer.string("sym_name") if isinstance(buffer, Operation) else "?"
                    chain.append(f"BD {inner.integer('bd_id', 0)} {name}")
                elif inner.name == "aie.next_bd":
                    following = inner.successors[0][0]
            block = following
        found.append(f"{_channel(start)}: {' → '.join(chain) or 'no descriptor'}")
    return found


def _channel(op: Operation) -> str:
    return f"{op.enum('channel_dir')} {op.integer('channel_index', 0)}"


def _allocations(device: Operation, place: TilePlace) -> list[str]:
    """The channels of a shim tile that the host's transfers take."""
    found = []
    for op in device.body.ops:
        if op.name == "aie.shim_dma_allocation" and (
            op.integer("col") == place[0] if "col" in op.attributes else _is_on(op, place)
        ):
            found.append(f"{_channel(op)}: {op.string('sym_name')} (host)")
    return found


def _locks(device: Operation) -> dict[int, LockFacts]:
    """The locks of a device by their number among all."""
    found = {}
    for op in device.body.ops:
        if op.name == "aie.lock" and op.tile.made_by("aie.tile") and "lockID" in op.attributes:
            tile = layout.tile_number(*place_of(op.tile))
            number = layout.LOCKS_PER_TILE * tile + op.integer("lockID")
            found[number] = LockFacts(op.string("sym_name", ""), op.integer("init", 0))
    return found
