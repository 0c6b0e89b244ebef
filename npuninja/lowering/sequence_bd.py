"""Buffer descriptors of a runtime sequence: from sizes and strides in elements to register words.

Sizes and strides are innermost first here, four of each; the fourth is the iteration (MLIR writes them
outermost first).

Sources: MLIR-AIE AIEXDialect.cpp (getHardwareStridesWraps, verifyStridesWraps), AIEDmaToNpu.cpp
(WriteBdToBlockWrite), AIETargetModel.cpp (BD addresses); field positions AM025.
"""

from __future__ import annotations

from npuninja.arch.devices import MAX_ITERATIONS, WORD_BITS, DeviceModel, TileKind
from npuninja.arch.families import Family
from npuninja.arch.registers import DMA, bd_offset, tile_address
from npuninja.ir.attributes import Attribute, BDDimLayout, PacketInfoAttr
from npuninja.records import NamedTuple

#: AxCACHE of shim BDs as MLIR-AIE sets it.
AXCACHE = 2


class HardwareShape(NamedTuple):
    """Sizes and strides as registers hold them: words, strides minus one, the iteration size minus one."""

    sizes: tuple[int, int, int, int]
    strides: tuple[int, int, int, int]


def hardware_shape(sizes: tuple[int, ...], strides: tuple[int, ...], element_bits: int) -> HardwareShape:
    """Converts a transfer in elements; both tuples have four entries, innermost first."""

    def step(stride: int) -> int:
        return stride * element_bits // WORD_BITS - 1

    # Narrow elements side by side and the words of one wide element are contiguous: step 1, stored as 0.
    contiguous = strides[0] * element_bits < WORD_BITS or element_bits > WORD_BITS
    iterated = sizes[3] > 1
    return HardwareShape(
        (sizes[0] * element_bits // WORD_BITS, sizes[1], sizes[2], sizes[3] - 1 if iterated else 0),
        (
            0 if contiguous else step(strides[0]),
            step(strides[1]) if sizes[1] > 1 else 0,
            step(strides[2]) if sizes[2] > 1 else 0,
            # Stride 0 repeats the transfer: the queue's repeat count does that alone.
            step(strides[3]) if iterated and strides[3] > 0 else 0,
        ),
    )


def is_linear(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether one dimension is enough, besides the iteration: that needs no wrap and has no size limit."""
    return sizes[1] == 1 and sizes[2] == 1 and strides[0] == 1 and strides[1] == 0 and strides[2] == 0


def shape_error(
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    element_bits: int,
    kind: TileKind,
    *,
    linear: bool | None = None,
) -> str | None:
    """Why a tile of this kind cannot do this transfer, as a sentence; None when it can.

    `linear`: whether it needs no wraps; None for what `is_linear` says.
    """
    for i, size in enumerate(sizes):
        if size < 1:
            return f"size {i} (innermost is 0) is {size}, expected a positive number"
    if sizes[0] * element_bits % WORD_BITS:
        return (
            f"transfer sizes must be multiples of 4 bytes: {sizes[0]} elements of {element_bits // 8} bytes "
            f"are {sizes[0] * element_bits // 8} bytes"
        )
    for i in range(4):
        least = 0 if i == 3 else 1  # iteration stride 0 repeats
        if sizes[i] > 1 and strides[i] < least:
            return f"stride {i} (innermost is 0) is {strides[i]}, expected at least {least}"
        # Neighbouring elements narrower than a word move as whole words.
        if not (i == 0 and strides[0] == 1) and strides[i] * element_bits % WORD_BITS:
            return (
                f"stride {i} (innermost is 0) is {strides[i]} elements of {element_bits // 8} bytes, "
                f"{strides[i] * element_bits // 8} bytes, which is not a multiple of 4"
            )
    return _field_error(sizes, strides, hardware_shape(sizes, strides, element_bits), kind, linear)


def _field_error(
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    shape: HardwareShape,
    kind: TileKind,
    linear: bool | None,
) -> str | None:
    """Which field of a descriptor is too narrow for a transfer, as `shape_error` says it."""
    if linear:
        wraps: tuple[int, ...] = ()
    else:
        wraps = (1,) if is_linear(sizes, strides) else (0, 1)
    for i in wraps:
        if shape.sizes[i] > kind.max_wrap:
            return (
                f"size {i} is {shape.sizes[i]} words, "
                f"a {kind.name} tile's descriptor holds at most {kind.max_wrap}"
            )
    # A repeat (stride 0) uses the queue's counter only; MLIR-AIE lets it be one more.
    limit = MAX_ITERATIONS if strides[3] else MAX_ITERATIONS + 1
    if sizes[3] > limit:
        return f"size 3 (the iteration) is {sizes[3]}, limit {limit}"
    for i in (3,) if linear else range(4):
        if shape.strides[i] >= kind.max_step_words:
            step = shape.strides[i] + 1
            return (
                f"stride {i} is {step} words, "
                f"a {kind.name} tile's descriptor holds at most {kind.max_step_words}"
            )
    return None


class SequenceDescriptor(NamedTuple):
    """The fields of `aiex.npu.writebd`, by the names of its attributes.

    `buffer_offset` is in bytes, but goes into a memory tile's descriptor as it is, so there it is in words.
    """

    column: int
    row: int
    bd_id: int
    buffer_length: int
    buffer_offset: int = 0
    enable_packet: int = 0
    out_of_order_id: int = 0
    packet_id: int = 0
    packet_type: int = 0
    d0_size: int = 0
    d0_stride: int = 0
    d1_size: int = 0
    d1_stride: int = 0
    d2_size: int = 0
    d2_stride: int = 0
    iteration_current: int = 0
    iteration_size: int = 0
    iteration_stride: int = 0
    next_bd: int = 0
    use_next_bd: int = 0
    valid_bd: int = 1
    lock_rel_val: int = 0
    lock_rel_id: int = 0
    lock_acq_enable: int = 0
    lock_acq_val: int = 0
    lock_acq_id: int = 0
    d0_zero_before: int = 0
    d1_zero_before: int = 0
    d2_zero_before: int = 0
    d0_zero_after: int = 0
    d1_zero_after: int = 0
    d2_zero_after: int = 0
    burst_length: int = 0


def with_shape(
    bd: SequenceDescriptor,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    element_bits: int,
    *,
    linear: bool,
    third: bool,
) -> SequenceDescriptor:
    """A descriptor with the dimensions of a transfer in elements.

    With `linear` the transfer needs no dimensions, only the iteration. With `third` the descriptor gives the
    size of the third dimension, as memtiles want it.
    """
    shape = hardware_shape(sizes, strides, element_bits)
    if not linear:
        bd = bd._replace(
            d0_size=shape.sizes[0],
            d0_stride=shape.strides[0],
            d1_size=shape.sizes[1],
            d1_stride=shape.strides[1],
            d2_size=shape.sizes[2] if third else 0,
            d2_stride=shape.strides[2],
        )
    if sizes[3] > 1 and strides[3] > 0:
        bd = bd._replace(iteration_size=shape.sizes[3], iteration_stride=shape.strides[3])
    return bd


def with_packet(bd: SequenceDescriptor, packet: Attribute | None) -> SequenceDescriptor:
    """A descriptor that puts a packet header in front of its data; as it is when there is none."""
    if not isinstance(packet, PacketInfoAttr):
        return bd
    return bd._replace(enable_packet=1, packet_type=packet.pkt_type, packet_id=packet.pkt_id)


def four_dimensions(dims: tuple[BDDimLayout, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Four sizes and four strides of at most four dimensions, innermost first."""
    missing = 4 - len(dims)
    return (
        tuple(d.size for d in reversed(dims)) + (1,) * missing,
        tuple(d.stride for d in reversed(dims)) + (0,) * missing,
    )


def burst_code(family: Family, burst_length: int) -> int:
    """The code of a burst length in bytes; 0 asks for the longest. KeyError when the family lacks it."""
    codes = family.burst_codes
    return codes[burst_length] if burst_length else max(codes.values())


def bd_address(column: int, row: int, bd_id: int, kind: TileKind) -> int:
    """Address of a buffer descriptor's first word."""
    return tile_address(column, row, bd_offset(kind.name, bd_id))


def patch_address(column: int, row: int, bd_id: int, kind: TileKind) -> int:
    """Address of the word of a buffer descriptor that holds the buffer's address."""
    return bd_address(column, row, bd_id, kind) + 4 * DMA[kind.name].address_word


def bd_words(bd: SequenceDescriptor, device: DeviceModel) -> tuple[int, ...]:
    """The register words of a buffer descriptor, each 0 to 2^32-1. KeyError for an unknown burst length."""
    kind = device.tile_kind(bd.row)
    if kind == "shim":
        return _shim_words(bd, burst_code(device.family, bd.burst_length))
    return _memtile_words(bd) if kind == "mem" else _core_words(bd)


def _locks_and_next(bd: SequenceDescriptor) -> int:
    """The last word of shim and core descriptors."""
    return (
        (bd.next_bd & 0xF) << 27
        | (bd.use_next_bd & 1) << 26
        | (bd.valid_bd & 1) << 25
        | (bd.lock_rel_val & 0x7F) << 18
        | (bd.lock_rel_id & 0xF) << 13
        | (bd.lock_acq_enable & 1) << 12
        | (bd.lock_acq_val & 0x7F) << 5
        | bd.lock_acq_id & 0xF
    )


def _shim_words(bd: SequenceDescriptor, burst: int) -> tuple[int, ...]:
    return (
        bd.buffer_length & 0xFFFFFFFF,
        bd.buffer_offset & 0xFFFFFFFF,
        (bd.enable_packet & 1) << 30
        | (bd.out_of_order_id & 0x3F) << 24
        | (bd.packet_id & 0x1F) << 19
        | (bd.packet_type & 7) << 16,
        (bd.d0_size & 0x3FF) << 20 | bd.d0_stride & 0xFFFFF,
        burst << 30 | (bd.d1_size & 0x3FF) << 20 | bd.d1_stride & 0xFFFFF,
        AXCACHE << 24 | bd.d2_stride & 0xFFFFF,
        (bd.iteration_current & 0x3F) << 26
        | (bd.iteration_size & 0x3F) << 20
        | bd.iteration_stride & 0xFFFFF,
        _locks_and_next(bd),
    )


def _memtile_words(bd: SequenceDescriptor) -> tuple[int, ...]:
    return (
        (bd.enable_packet & 1) << 31
        | (bd.packet_type & 7) << 28
        | (bd.packet_id & 0x1F) << 23
        | (bd.out_of_order_id & 0x3F) << 17
        | bd.buffer_length & 0x1FFFF,
        (bd.d0_zero_before & 0x3F) << 26
        | (bd.next_bd & 0x3F) << 20
        | (bd.use_next_bd & 1) << 19
        | bd.buffer_offset & 0x7FFFF,
        (bd.d0_size & 0x3FF) << 17 | bd.d0_stride & 0x1FFFF,
        (bd.d1_zero_before & 0x1F) << 27 | (bd.d1_size & 0x3FF) << 17 | bd.d1_stride & 0x1FFFF,
        (bd.d2_zero_before & 0xF) << 27 | bd.d2_stride & 0x1FFFF,
        (bd.d2_zero_after & 0xF) << 28 | (bd.d1_zero_after & 0x1F) << 23 | (bd.d0_zero_after & 0x3F) << 17,
        (bd.iteration_current & 0x3F) << 23
        | (bd.iteration_size & 0x3F) << 17
        | bd.iteration_stride & 0x1FFFF,
        (bd.valid_bd & 1) << 31
        | (bd.lock_rel_val & 0x7F) << 24
        | (bd.lock_rel_id & 0xFF) << 16
        | (bd.lock_acq_enable & 1) << 15
        | (bd.lock_acq_val & 0x7F) << 8
        | bd.lock_acq_id & 0xFF,
    )


def _core_words(bd: SequenceDescriptor) -> tuple[int, ...]:
    return (
        (bd.buffer_offset // 4 & 0x3FFF) << 14 | bd.buffer_length & 0x3FFF,
        (bd.enable_packet & 1) << 30
        | (bd.out_of_order_id & 0x3F) << 24
        | (bd.packet_id & 0x1F) << 19
        | (bd.packet_type & 7) << 16,
        (bd.d1_stride & 0x1FFF) << 13 | bd.d0_stride & 0x1FFF,
        (bd.d1_size & 0xFF) << 21 | (bd.d0_size & 0xFF) << 13 | bd.d2_stride & 0x1FFF,
        (bd.iteration_current & 0x3F) << 19 | (bd.iteration_size & 0x3F) << 13 | bd.iteration_stride & 0x1FFF,
        _locks_and_next(bd),
    )
