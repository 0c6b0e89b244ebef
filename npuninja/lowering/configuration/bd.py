"""Buffer descriptors of the static DMA programs: from fields in the registers' units to register words.

Sources: AM025 and aie-rt's xaie_dma_aieml.c. Lengths, addresses and steps count 32-bit words; steps are
stored minus one, wraps as they are.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import PacketInfoAttr
from npuninja.ir.core import Operation
from npuninja.records import NamedTuple


class LockFields(NamedTuple):
    """The lock fields of a descriptor; ids as the tile's DMA numbers them."""

    acquire_enable: int = 0
    acquire_value: int = 0
    acquire_id: int = 0
    release_value: int = 0
    release_id: int = 0


class BufferDescriptor(NamedTuple):
    """A buffer descriptor in the units of the registers. Dimensions are innermost first, always four."""

    address_bytes: int
    length_words: int
    steps: list[int]
    wraps: list[int]
    pads: list[tuple[int, int]]
    packet: PacketInfoAttr | None
    next_bd: int | None
    locks: LockFields
    burst: int
    #: Step in words, number of steps, the step to begin with; None for a descriptor that stays where it is.
    iteration: tuple[int, int, int] | None = None


def descriptor_words(descriptor: BufferDescriptor, kind: str, op: Operation) -> list[int]:
    """The words for a tile kind of `arch.devices`. UserError, located at `op`, when a field does not fit."""
    return _ENCODERS[kind](descriptor, op)


def _field(op: Operation, value: int, width: int, shift: int, what: str) -> int:
    """A value at its place in a word. UserError when it does not fit."""
    if not 0 <= value < 1 << width:
        raise UserError(f"the buffer descriptor's {what} is {value}, limit {(1 << width) - 1}", op.loc)
    return value << shift


def _next(d: BufferDescriptor) -> tuple[int, int]:
    """(next descriptor, whether there is one)."""
    return (0, 0) if d.next_bd is None else (d.next_bd, 1)


def _narrow_lock_word(d: BufferDescriptor, op: Operation) -> int:
    """The last word of core and shim descriptors."""
    following, use_next = _next(d)
    locks = d.locks
    return (
        _field(op, following, 4, 27, "next descriptor")
        | use_next << 26
        | 1 << 25  # valid
        | (locks.release_value & 0x7F) << 18
        | _field(op, locks.release_id, 4, 13, "released lock")
        | locks.acquire_enable << 12
        | (locks.acquire_value & 0x7F) << 5
        | _field(op, locks.acquire_id, 4, 0, "acquired lock")
    )


def _packet(d: BufferDescriptor, op: Operation, enable: int, id_shift: int, type_shift: int) -> int:
    if d.packet is None:
        return 0
    return (
        1 << enable
        | _field(op, d.packet.pkt_id, 5, id_shift, "packet id")
        | _field(op, d.packet.pkt_type, 3, type_shift, "packet type")
    )


def _iteration(d: BufferDescriptor, op: Operation, step_bits: int) -> int:
    """Step and number of steps, stored minus one, and the current one: side by side in all kinds of tiles."""
    if d.iteration is None:
        return 0
    step, size, current = d.iteration
    return (
        _field(op, step - 1, step_bits, 0, "step of the iteration minus one")
        | _field(op, size - 1, 6, step_bits, "size of the iteration minus one")
        | _field(op, current, 6, step_bits + 6, "current iteration")
    )


def _core_words(d: BufferDescriptor, op: Operation) -> list[int]:
    step = [_field(op, s - 1, 13, 0, f"step of dimension {i} minus one") for i, s in enumerate(d.steps)]
    return [
        _field(op, d.address_bytes // 4, 14, 14, "address in words")
        | _field(op, d.length_words, 14, 0, "length in words"),
        _packet(d, op, 30, 19, 16),
        step[1] << 13 | step[0],
        _field(op, d.wraps[1], 8, 21, "size of dimension 1")
        | _field(op, d.wraps[0], 8, 13, "size of dimension 0 in words")
        | step[2],
        _iteration(d, op, 13),
        _narrow_lock_word(d, op),
    ]


def _shim_words(d: BufferDescriptor, op: Operation) -> list[int]:
    step = [_field(op, s - 1, 20, 0, f"step of dimension {i} minus one") for i, s in enumerate(d.steps)]
    return [
        _field(op, d.length_words, 32, 0, "length in words"),
        d.address_bytes & 0xFFFFFFFC,
        _packet(d, op, 30, 19, 16) | _field(op, d.address_bytes >> 32, 16, 0, "address above 32 bits"),
        _field(op, d.wraps[0], 10, 20, "size of dimension 0 in words") | step[0],
        d.burst << 30 | _field(op, d.wraps[1], 10, 20, "size of dimension 1") | step[1],
        step[2],
        _iteration(d, op, 20),
        _narrow_lock_word(d, op),
    ]


def _memtile_words(d: BufferDescriptor, op: Operation) -> list[int]:
    step = [_field(op, s - 1, 17, 0, f"step of dimension {i} minus one") for i, s in enumerate(d.steps)]
    wrap = [_field(op, w, 10, 17, f"size of dimension {i}") for i, w in enumerate(d.wraps[:3])]
    before = [
        _field(op, d.pads[i][0], (6, 5, 4)[i], (26, 27, 27)[i], f"padding before dimension {i}")
        for i in range(3)
    ]
    after = [
        _field(op, d.pads[i][1], (6, 5, 4)[i], (17, 23, 28)[i], f"padding after dimension {i}")
        for i in range(3)
    ]
    following, use_next = _next(d)
    locks = d.locks
    return [
        _packet(d, op, 31, 23, 28) | _field(op, d.length_words, 17, 0, "length in words"),
        before[0]
        | _field(op, following, 6, 20, "next descriptor")
        | use_next << 19
        | _field(op, d.address_bytes // 4, 19, 0, "address in words"),
        wrap[0] | step[0],
        before[1] | wrap[1] | step[1],
        before[2] | wrap[2] | step[2],
        after[2] | after[1] | after[0] | step[3],
        _iteration(d, op, 17),
        1 << 31  # valid
        | (locks.release_value & 0x7F) << 24
        | locks.release_id << 16
        | locks.acquire_enable << 15
        | (locks.acquire_value & 0x7F) << 8
        | locks.acquire_id,
    ]


_ENCODERS = {"core": _core_words, "mem": _memtile_words, "shim": _shim_words}
