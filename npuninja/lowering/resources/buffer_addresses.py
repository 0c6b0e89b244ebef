"""Addresses of buffers in the data memory of their tiles.

Rules: MLIR-AIE, AIEAssignBuffers.cpp. `basic-sequential` packs all buffers after the stack; `bank-aware`
spreads them over the memory's banks, so that core and DMA work on different ones. Addresses are in bytes from
the start of the tile's memory.
"""

from __future__ import annotations

from npuninja.arch.devices import DEFAULT_STACK_BYTES, TileKind, TilePlace
from npuninja.errors import Location, UserError, Warnings
from npuninja.ir.attributes import BoolAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.ir.types import size_bytes
from npuninja.lowering.generation import Rules
from npuninja.lowering.op_builders import i32
from npuninja.lowering.resources.allocation_schemes import BASIC_SEQUENTIAL, SCHEMES
from npuninja.lowering.resources.introsort import sorted_like_std_sort
from npuninja.lowering.tiles import kind_at, ops_of, place_of
from npuninja.records import NamedTuple


class _PlacedBuffer(NamedTuple):
    """Where a buffer goes."""

    address: int
    #: None with basic-sequential.
    bank: int | None


class _NoRoom(Exception):
    """A scheme cannot place the buffers of a tile; the text says which buffer does not fit where."""

    def __init__(self, message: str, location: Location | None) -> None:
        super().__init__(message)
        self.location = location


class _MemoryToFill(NamedTuple):
    """The data memory of one tile and what wants to be in it."""

    tile: Operation
    kind: TileKind
    stack_bytes: int
    buffers: list[Operation]
    #: Bytes to whose multiples buffers are aligned; 1 in generations that do not.
    alignment: int
    rules: Rules

    def aligned(self, op: Operation, address: int) -> int:
        """The first address from `address` on at which a buffer may lie."""
        step = self.step(op)
        return -(-address // step) * step

    def step(self, op: Operation) -> int:
        """The bytes to whose multiples the design lets a buffer be aligned."""
        return 1 if op.attributes.get("aligned") == BoolAttr(False) else self.alignment


def assign_buffer_addresses(device: Operation, scheme: str | None, rules: Rules, warnings: Warnings) -> None:
    """Gives every buffer an address, and a name if it has none.

    Args:
        device: the `aie.device`.
        scheme: one of `SCHEMES`, or None: bank-aware, and where that finds no place basic-sequential, with a
            warning. A tile's `allocation_scheme` goes before it.
        rules: of the generation.
        warnings: takes the fallbacks.

    Raises:
        UserError: the buffers of a tile do not fit, overlap, or a scheme does not exist.
    """
    _name_buffers(device)
    stacks: dict[TilePlace, int] = {}
    for core in ops_of(device, "aie.core"):
        stacks[place_of(core.tile)] = core.integer("stack_size", DEFAULT_STACK_BYTES)
    buffers: dict[TilePlace, list[Operation]] = {}
    for op in ops_of(device, "aie.buffer"):
        buffers.setdefault(place_of(op.tile), []).append(op)
    for tile in ops_of(device, "aie.tile"):
        place = place_of(tile.result)
        here = buffers.pop(place, [])
        if not here:
            continue
        kind = kind_at(tile.result)
        alignment = kind.bus_bytes if rules.aligns_buffers else 1
        memory = _MemoryToFill(tile, kind, stacks.get(place, 0), here, alignment, rules)
        if memory.kind.memory_bytes == 0:
            raise UserError(f"tile {place} is a shim tile and has no data memory", here[0].loc)
        _place(memory, tile.string("allocation_scheme", "") or scheme, warnings)
    for op in device.walk():
        if op.name == "aie.buffer" and "address" not in op.attributes:
            raise UserError(
                "this buffer gets no address: buffers are in the device or in the region of a DMA", op.loc
            )


def _name_buffers(device: Operation) -> None:
    taken = {op.string("sym_name") for op in device.walk() if "sym_name" in op.attributes}
    number = 0
    for op in ops_of(device, "aie.buffer"):
        if "sym_name" not in op.attributes:
            while f"_anonymous{number}" in taken:
                number += 1
            op.attributes["sym_name"] = StringAttr(f"_anonymous{number}")
            number += 1


def _place(memory: _MemoryToFill, scheme: str | None, warnings: Warnings) -> None:
    if scheme is not None and scheme not in SCHEMES:
        raise UserError(
            f"unknown allocation scheme '{scheme}'",
            memory.tile.loc,
            hint=f"known: {', '.join(sorted(SCHEMES))}",
        )
    if scheme != BASIC_SEQUENTIAL:
        placed: dict[Operation, _PlacedBuffer] = {}
        try:
            _bank_aware(memory, placed)
            _write(placed)
            return
        except _NoRoom as reason:
            if scheme is not None:
                raise _full(
                    memory, str(reason), "leave the scheme out, or use basic-sequential, to pack the buffers"
                ) from None
            warnings.add(
                f"bank-aware allocation failed for tile {place_of(memory.tile.result)} ({reason}), "
                "basic-sequential is used: core and DMA may wait for each other",
                memory.tile.loc,
            )
            if not memory.rules.sorts_given_addresses:  # what was looked at before keeps what it was given
                _write({op: p for op, p in placed.items() if {"address", "mem_bank"} & set(op.attributes)})
    try:
        _write(_sequential(memory))
    except _NoRoom as reason:
        raise _full(memory, str(reason), "use fewer, smaller or shallower buffers, or another tile") from None


def _full(memory: _MemoryToFill, reason: str, hint: str) -> UserError:
    """The error for a tile whose buffers do not fit, with all that is in the memory."""
    place = place_of(memory.tile.result)
    total = memory.stack_bytes + sum(map(_size, memory.buffers))
    notes: list[tuple[str, Location | None]] = []
    if memory.stack_bytes:
        notes.append((f"stack: {memory.stack_bytes} bytes", None))
    notes += [(f"buffer '{op.string('sym_name')}': {_size(op)} bytes", op.loc) for op in memory.buffers]
    return UserError(
        f"the buffers of tile {place} do not fit: {total} of {memory.kind.memory_bytes} bytes ({reason})",
        memory.tile.loc,
        hint=hint,
        notes=tuple(notes),
    )


def _size(op: Operation) -> int:
    try:
        return size_bytes(op.result.type)
    except ValueError as error:
        raise UserError(f"a buffer cannot be of type {op.result.type}: {error}", op.loc) from None


def _write(placed: dict[Operation, _PlacedBuffer]) -> None:
    for op, (address, bank) in placed.items():
        op.attributes["address"] = i32(address)
        if bank is not None:
            op.attributes["mem_bank"] = i32(bank)


def _descending(buffers: list[Operation]) -> list[Operation]:
    return sorted_like_std_sort(buffers, lambda a, b: _size(a) > _size(b))


# basic-sequential
def _sequential(memory: _MemoryToFill) -> dict[Operation, _PlacedBuffer]:
    fixed = sorted(_given(memory))
    placed: dict[Operation, _PlacedBuffer] = {}
    address = memory.stack_bytes
    for op in _descending([op for op in memory.buffers if "address" not in op.attributes]):
        size = _size(op)
        address = memory.aligned(op, address)
        for start, end, _ in fixed:
            if address < end and start < address + size:
                address = memory.aligned(op, end)
        placed[op] = _PlacedBuffer(address, None)
        address += size
        if address > memory.kind.memory_bytes:
            raise _NoRoom(f"'{op.string('sym_name')}' would end at {address}", op.loc)
    return placed


def _given(memory: _MemoryToFill) -> list[tuple[int, int, str]]:
    """Start, end, name of buffers with a given address; UserError if one leaves the memory or two overlap."""
    given = []
    for op in memory.buffers:
        if "address" in op.attributes:
            start, end = op.integer("address"), op.integer("address") + _size(op)
            if start < memory.stack_bytes or end > memory.kind.memory_bytes:
                raise UserError(
                    f"buffer '{op.string('sym_name')}' at {start} to {end} is not inside "
                    f"{memory.stack_bytes} to {memory.kind.memory_bytes}, the memory of tile "
                    f"{place_of(memory.tile.result)} after the stack",
                    op.loc,
                )
            if start % memory.step(op):
                raise UserError(
                    f"buffer '{op.string('sym_name')}' at {start} is not aligned to the {memory.alignment} "
                    f"bytes that a load or store of tile {place_of(memory.tile.result)} moves",
                    op.loc,
                    hint="give it a multiple, or say 'aligned = false'",
                )
            given.append((start, end, op.string("sym_name")))
    given.sort()
    for i, (start, _, other) in enumerate(given[1:]):
        _, end, name = given[i]
        if start < end:
            op = next(op for op in memory.buffers if op.string("sym_name") == other)
            raise UserError(f"buffer '{other}' at {start} overlaps '{name}', which ends at {end}", op.loc)
    return given


# bank-aware
def _in_order_of_presets(memory: _MemoryToFill) -> list[Operation]:
    """The buffers as they are looked at: with an address of their own, with a bank of their own, the rest."""
    if not memory.rules.sorts_given_addresses:
        return memory.buffers
    given = [op for op in memory.buffers if "address" in op.attributes]
    given.sort(key=lambda op: op.integer("address"))
    return given + [op for op in memory.buffers if "address" not in op.attributes]


def _preset(memory: _MemoryToFill, op: Operation, starts: list[int], next_free: list[int]) -> _PlacedBuffer:
    """A buffer whose address the design gives."""
    bank_bytes, size, name = memory.kind.bank_bytes, _size(op), op.string("sym_name")
    address = op.integer("address")
    bank = address // bank_bytes
    if not memory.rules.sorts_given_addresses and address < next_free[bank]:
        raise _NoRoom(f"'{name}' at {address} comes after a buffer that ends at {next_free[bank]}", op.loc)
    next_free[bank] = max(next_free[bank], address + size)
    for crossed in range(bank + 1, memory.kind.banks):  # a buffer longer than a bank fills the next ones too
        next_free[crossed] = max(next_free[crossed], min(address + size, starts[crossed] + bank_bytes))
    return _PlacedBuffer(address, bank)


def _in_its_bank(
    memory: _MemoryToFill, op: Operation, starts: list[int], next_free: list[int]
) -> _PlacedBuffer:
    """A buffer whose bank the design gives."""
    bank, banks = op.integer("mem_bank"), memory.kind.banks
    if not 0 <= bank < banks:
        place = place_of(memory.tile.result)
        raise UserError(f"there is no bank {bank}: tile {place} has banks 0 to {banks - 1}", op.loc)
    return _in_bank(memory, op, bank, starts, next_free)


def _in_bank(
    memory: _MemoryToFill, op: Operation, bank: int, starts: list[int], next_free: list[int]
) -> _PlacedBuffer:
    address = memory.aligned(op, next_free[bank])
    next_free[bank] = address + _size(op)
    if next_free[bank] > starts[bank] + memory.kind.bank_bytes:
        raise _NoRoom(f"bank {bank} has no room for '{op.string('sym_name')}', {_size(op)} bytes", op.loc)
    return _PlacedBuffer(address, bank)


def _bank_aware(memory: _MemoryToFill, placed: dict[Operation, _PlacedBuffer]) -> None:
    """Fills `placed`, which has what was placed before where _NoRoom is raised."""
    bank_bytes, banks = memory.kind.bank_bytes, memory.kind.banks
    starts = [bank_bytes * bank for bank in range(banks)]
    next_free = list(starts)
    next_free[0] += memory.stack_bytes
    _given(memory)
    free = []
    for op in _in_order_of_presets(memory):
        if "address" in op.attributes:
            placed[op] = _preset(memory, op, starts, next_free)
        elif "mem_bank" in op.attributes:
            placed[op] = _in_its_bank(memory, op, starts, next_free)
        else:
            free.append(op)
    turn = 0
    for op in _descending(free):
        size = _size(op)
        candidates = [(turn + i) % banks for i in range(banks)]
        ends = {b: memory.aligned(op, next_free[b]) + size for b in candidates}
        chosen = next((b for b in candidates if ends[b] <= starts[b] + bank_bytes), None)
        if chosen is None:
            raise _NoRoom(f"no bank has room for '{op.string('sym_name')}', {size} bytes", op.loc)
        next_free[chosen] = ends[chosen] - size
        placed[op] = _PlacedBuffer(next_free[chosen], chosen)
        next_free[chosen] += size
        turn = (chosen + 1) % banks
