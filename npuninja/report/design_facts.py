"""What a report says of a built design: read from the files of its folder."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from npuninja.arch.devices import DEVICES, Place
from npuninja.diag.size import measure
from npuninja.emulator import layout
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.ir.attributes import EnumAttr, SymbolRefAttr
from npuninja.ir.core import Block, Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.types import memref
from npuninja.lowering.tiles import model_of
from npuninja.records import NamedTuple
from npuninja.report.lanes import LockFacts
from npuninja.report.routes import DrawnRoute, routes_of
from npuninja.report.sources import ShownSource


class Piece(NamedTuple):
    """A part of a tile's memory: a buffer, the stack, the kernels' data."""

    name: str
    kind: str
    start: int
    nbytes: int
    says: str


class Tile(NamedTuple):
    """A tile that the design uses."""

    place: Place
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
    tiles: tuple[Tile, ...]
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
        name, manifest, columns, model.rows, tiles, tuple(routes_of(device)), _locks(device), text, run
    )


def _text(path: str) -> str:
    return read_file(path, MAX_XCLBIN_BYTES, hint="build the design first (`ninja`)").decode("utf-8")


def _tile(device: Operation, place: Place, size: Any) -> Tile:
    pieces: list[Piece] = []
    channels: list[str] = []
    locks: list[str] = []
    core = ""
    for op in device.body.ops:
        if not op.operands or not _on(op, place):
            continue
        if op.name == "aie.buffer":
            kind = memref(str(op.results[0].type))
            nbytes = size_of(kind)
            start = op.integer("address", 0)
            bank = op.integer("mem_bank", -1)
            says = f"{op.string('sym_name')}: {op.results[0].type}, {nbytes} bytes at {start:#x}"
            pieces.append(
                Piece(
                    op.string("sym_name"),
                    "buffer",
                    start,
                    nbytes,
                    says + (f", bank {bank}" if bank >= 0 else ""),
                )
            )
        elif op.name == "aie.lock":
            locks.append(
                f"{op.string('sym_name')}: lock {op.integer('lockID', 0)}, first {op.integer('init', 0)}"
            )
        elif op.name == "aie.core":
            calls = [_callee(inner) for inner in op.walk() if inner.name == "func.call"]
            core = ", ".join(dict.fromkeys(calls)) or "core"
            stack = op.integer("stack_size", 1024)
            pieces.append(Piece("stack", "stack", 0, stack, f"stack: {stack} bytes"))
        elif op.name in ("aie.mem", "aie.memtile_dma", "aie.shim_dma"):
            channels += _channels(op)
    for op in device.body.ops:
        if op.name == "aie.shim_dma_allocation" and model_of(device).tile_kind(place[1]) == "shim":
            column = (
                op.integer("col", -1)
                if "col" in op.attributes
                else (place[0] if op.operands and _on(op, place) else -1)
            )
            if column == place[0]:
                direction = op.attributes.get("channel_dir")
                way = direction.case if isinstance(direction, EnumAttr) else str(direction)
                channels.append(f"{way} {op.integer('channel_index', 0)}: {op.string('sym_name')} (host)")
    problems: tuple[str, ...] = ()
    if size is not None:
        problems = tuple(size.problems())
        if size.data:
            end = max((p.start + p.nbytes for p in pieces), default=0)
            pieces.append(
                Piece(
                    "kernel data",
                    "data",
                    end,
                    size.data,
                    f"variables and tables of kernels: {size.data} bytes",
                )
            )
    model = model_of(device).kind_of(place[1])
    return Tile(
        place, model.name, core, tuple(sorted(pieces, key=lambda p: p.start)), tuple(channels), tuple(locks),
        model.memory_bytes, model.banks, problems,
    )  # fmt: skip


def _locks(device: Operation) -> dict[int, LockFacts]:
    """The locks of a device by their number among all."""
    found = {}
    for op in device.body.ops:
        owner = op.operands[0].owner if op.name == "aie.lock" and op.operands else None
        if isinstance(owner, Operation) and owner.name == "aie.tile" and "lockID" in op.attributes:
            tile = layout.tile_number(owner.integer("col"), owner.integer("row"))
            number = layout.LOCKS_PER_TILE * tile + op.integer("lockID")
            found[number] = LockFacts(op.string("sym_name", ""), op.integer("init", 0))
    return found


def _callee(call: Operation) -> str:
    callee = call.attributes.get("callee")
    return callee.path[-1] if isinstance(callee, SymbolRefAttr) else "?"


def size_of(kind: Any) -> int:
    """Bytes of a memref."""
    bits = int(re.sub(r"\D", "", str(kind.element).split("<")[0]) or 32)
    count = 1
    for extent in kind.shape:
        count *= extent
    return count * max(bits, 8) // 8


def _on(op: Operation, place: Place) -> bool:
    owner = op.operands[0].owner
    return (
        isinstance(owner, Operation)
        and owner.name == "aie.tile"
        and (owner.integer("col"), owner.integer("row")) == place
    )


def _channels(dma: Operation) -> list[str]:
    """Each channel with its chain of buffer descriptors."""
    found = []
    for op in dma.walk():
        if op.name != "aie.dma_start":
            continue
        direction = op.attributes.get("channel_dir")
        way = direction.case if isinstance(direction, EnumAttr) else str(direction)
        chain: list[str] = []
        block: Block | None = op.successors[0][0]
        seen: set[int] = set()
        while block is not None and id(block) not in seen:
            seen.add(id(block))
            following: Block | None = None
            for inner in block.ops:
                if inner.name == "aie.dma_bd":
                    buffer = inner.operands[0].owner
                    name = buffer.string("sym_name") if isinstance(buffer, Operation) else "?"
                    chain.append(f"BD {inner.integer('bd_id', 0)} {name}")
                elif inner.name == "aie.next_bd":
                    following = inner.successors[0][0]
            block = following
        found.append(f"{way} {op.integer('channel_index', 0)}: {' → '.join(chain) or 'no descriptor'}")
    return found
