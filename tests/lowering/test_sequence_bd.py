"""Descriptor words, read back as the hardware does, walk over the words that sizes and strides say."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.arch.devices import DEVICES, TILE_KINDS
from npuninja.lowering.sequence_bd import (
    SequenceDescriptor,
    bd_words,
    hardware_shape,
    is_linear,
    shape_error,
)

ROWS = {"shim": 0, "mem": 1, "core": 2}


def field(word, high, low):
    return word >> low & (1 << (high - low + 1)) - 1


# (length, [(wrap, step - 1) from the innermost], (iteration wrap - 1, step - 1)) of the words, as in AM025.
def decode_shim(w):
    dims = [
        (field(w[3], 29, 20), field(w[3], 19, 0)),
        (field(w[4], 29, 20), field(w[4], 19, 0)),
        (0, field(w[5], 19, 0)),
    ]
    return w[0], dims, (field(w[6], 25, 20), field(w[6], 19, 0))


def decode_mem(w):
    dims = [(field(word, 26, 17), field(word, 16, 0)) for word in w[2:5]] + [(0, field(w[5], 16, 0))]
    return field(w[0], 16, 0), dims, (field(w[6], 22, 17), field(w[6], 16, 0))


def decode_core(w):
    dims = [
        (field(w[3], 20, 13), field(w[2], 12, 0)),
        (field(w[3], 28, 21), field(w[2], 25, 13)),
        (0, field(w[3], 12, 0)),
    ]
    return field(w[0], 13, 0), dims, (field(w[4], 18, 13), field(w[4], 12, 0))


DECODERS = {"shim": decode_shim, "mem": decode_mem, "core": decode_core}


def walk(words, decoder, repeats):
    """The word offsets a DMA touches, in order."""
    length, dims, (iterations, iteration_step) = decoder(words)
    offsets = []
    for repeat in range(repeats):
        base = repeat % (iterations + 1) * (iteration_step + 1)
        for i in range(length):
            address, rest = base, i
            for wrap, step in dims:
                # Wrap 0: the last dimension, it goes on until the length is reached.
                address += (rest % wrap if wrap else rest) * (step + 1)
                rest = rest // wrap if wrap else 0
            offsets.append(address)
    return offsets


@st.composite
def transfers(draw):
    element_bits = draw(st.sampled_from([8, 16, 32, 64]))
    per_word = max(32 // element_bits, 1)
    sizes = [draw(st.integers(1, 6)) * per_word, *(draw(st.integers(1, 5)) for _ in range(3))]
    inner = draw(st.integers(1, 5)) if element_bits == 32 else 1
    strides = [
        inner,
        *(draw(st.integers(1, 40)) * per_word for _ in range(2)),
        draw(st.integers(0, 40)) * per_word,
    ]
    for i in range(1, 4):
        if sizes[i] == 1 and draw(st.booleans()):
            strides[i] = 0
    return tuple(sizes), tuple(strides), element_bits


@pytest.mark.parametrize("kind", ROWS)
@settings(max_examples=150)
@given(transfer=transfers())
def test_descriptor_walks_over_the_transfer(kind, transfer):
    sizes, strides, element_bits = transfer
    assert shape_error(sizes, strides, element_bits, TILE_KINDS[kind]) is None
    shape = hardware_shape(sizes, strides, element_bits)
    bd = SequenceDescriptor(0, ROWS[kind], 0, sizes[0] * sizes[1] * sizes[2] * element_bits // 32)
    if not is_linear(sizes, strides):
        bd = bd._replace(
            d0_size=shape.sizes[0], d0_stride=shape.strides[0], d1_size=shape.sizes[1], d1_stride=shape.strides[1],
            d2_size=shape.sizes[2] if kind == "mem" else 0, d2_stride=shape.strides[2],
        )  # fmt: skip
    if strides[3]:
        bd = bd._replace(iteration_size=shape.sizes[3], iteration_stride=shape.strides[3])
    element_words = element_bits / 32
    expected = []
    for outer, plane, row in itertools.product(*(range(sizes[i]) for i in (3, 2, 1))):
        start = outer * strides[3] + plane * strides[2] + row * strides[1]
        if element_bits == 32:
            expected += [start + item * strides[0] for item in range(sizes[0])]
        else:
            expected += [int(start * element_words) + word for word in range(int(sizes[0] * element_words))]
    assert walk(bd_words(bd, DEVICES["npu1"]), DECODERS[kind], sizes[3]) == expected


@pytest.mark.parametrize(
    ("sizes", "strides", "bits", "kind", "part"),
    [
        ((0, 1, 1, 1), (1, 0, 0, 0), 32, "shim", "size 0 (innermost is 0) is 0"),
        ((30, 1, 1, 1), (1, 0, 0, 0), 8, "shim", "30 elements of 1 bytes are 30 bytes"),
        ((4, 2, 1, 1), (1, 0, 0, 0), 32, "shim", "stride 1 (innermost is 0) is 0"),
        ((4, 2, 1, 1), (1, 3, 0, 0), 16, "shim", "6 bytes, which is not a multiple of 4"),
        ((8, 1, 1, 1), (2, 0, 0, 0), 8, "shim", "2 bytes, which is not a multiple of 4"),
        ((1024, 2, 1, 1), (1, 2048, 0, 0), 32, "shim", "size 0 is 1024 words"),
        ((256, 2, 1, 1), (1, 512, 0, 0), 32, "core", "a core tile's descriptor holds at most 255"),
        ((4, 1024, 1, 1), (1, 8, 0, 0), 32, "mem", "size 1 is 1024 words"),
        ((4, 2, 1, 1), (1, (1 << 20) + 1, 0, 0), 32, "shim", "stride 1 is 1048577 words"),
        ((4, 2, 1, 1), (1, (1 << 17) + 1, 0, 0), 32, "mem", "stride 1 is 131073 words"),
        ((4, 1, 1, 65), (1, 0, 0, 4), 32, "shim", "size 3 (the iteration) is 65, limit 64"),
        ((4, 1, 1, 2), (1, 0, 0, -4), 32, "shim", "stride 3 (innermost is 0) is -4"),
    ],
)
def test_what_the_hardware_cannot_do(sizes, strides, bits, kind, part):
    assert part in (shape_error(sizes, strides, bits, TILE_KINDS[kind]) or "")


def test_linear_transfers_have_no_wrap_to_exceed():
    assert shape_error((1 << 20, 1, 1, 65), (1, 0, 0, 0), 32, TILE_KINDS["shim"]) is None
