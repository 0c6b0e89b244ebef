"""The ready convolutions, as a table of their symbols, sources, flags and parameters."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from npuninja.python_designs.iron.kernel import ExternalFunction
from npuninja.python_designs.kernels.external import array, make

I8, U8, U16 = np.int8, np.uint8, np.uint16


def _ints(count: int) -> list[Any]:
    return [np.int32] * count


def _activation(kernel: str, act_dtype: Any) -> tuple[str, list[str]]:
    if act_dtype not in (I8, U8):
        raise ValueError(f"{kernel}(): act_dtype {act_dtype} is neither np.int8 nor np.uint8")
    return ("i8", ["-DINT8_ACT"]) if act_dtype == I8 else ("ui8", [])


def conv2dk1(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64, act_dtype: Any = I8
) -> ExternalFunction:
    """A convolution with filters of 1x1."""
    suffix, flags = _activation("conv2dk1", act_dtype)
    w, ci, co = input_width, input_channels, output_channels
    types = [array(w * ci, act_dtype), array(ci * co, I8), array(w * co, U8), *_ints(4)]
    return make(f"conv2dk1_{suffix}", "conv2dk1.cc", types, flags)


def conv2dk3(
    input_width: int = 32,
    input_channels: int = 64,
    output_channels: int = 64,
    act_dtype: Any = I8,
    weight_output_channels: int | None = None,
) -> ExternalFunction:
    """A convolution with filters of 3x3."""
    suffix, flags = _activation("conv2dk3", act_dtype)
    w, ci, co = input_width, input_channels, output_channels
    line = array(w * ci, act_dtype)
    types = [
        line,
        line,
        line,
        array(9 * ci * (weight_output_channels or co), I8),
        array(w * co, U8),
        *_ints(8),
    ]
    return make(f"conv2dk3_{suffix}", "conv2dk3.cc", types, flags)


def conv2dk1_skip(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64, act_dtype: Any = I8
) -> ExternalFunction:
    """1x1 with a skip connection."""
    suffix, flags = _activation("conv2dk1_skip", act_dtype)
    w, ci, co = input_width, input_channels, output_channels
    half = array(w * ci // 2, U8)
    types = [half, half, array(ci * co, I8), array(w * co, U8), array(w * co, act_dtype), *_ints(5)]
    return make(f"conv2dk1_skip_{suffix}", "conv2dk1_skip.cc", types, flags)


def conv2dk1_i8(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64
) -> ExternalFunction:
    """1x1 with an int8 result."""
    w, ci, co = input_width, input_channels, output_channels
    types = [array(w * ci, I8), array(ci * co, I8), array(w * co, I8), *_ints(4)]
    return make("conv2dk1_i8", "conv2dk1_i8.cc", types, ["-DINT8_ACT"])


def conv2dk14(
    input_width: int = 224, input_channels: int = 16, output_channels: int = 16, kernel_width: int = 14
) -> ExternalFunction:
    """A convolution of patches, with filters of 14x14."""
    tiles, area = input_width // kernel_width, kernel_width**2
    types = [
        array(tiles * area * 4, U8),
        array(output_channels * area * 4, I8),
        array(output_channels * tiles * 8, I8),
        *_ints(5),
    ]
    return make("conv2dk14_i8", "conv2dk14.cc", types)


def conv2dk1_skip_init(
    input_width: int = 32,
    input_channels: int = 64,
    output_channels: int = 64,
    act_dtype: Any = I8,
    skip_input_channels: int | None = None,
) -> ExternalFunction:
    """1x1 with a skip connection that is convolved too."""
    suffix, flags = _activation("conv2dk1_skip_init", act_dtype)
    w, ci, co = input_width, input_channels, output_channels
    skip = skip_input_channels if skip_input_channels is not None else ci
    half = array(w * ci // 2, U8)
    types = [
        half,
        half,
        array((ci + skip) * co, I8),
        array(w * co, U8),
        array(w * skip, act_dtype),
        *_ints(7),
    ]
    return make(f"conv2dk1_skip_init_{suffix}", "conv2dk1_skip_init.cc", types, flags)


def _bottleneck(symbol: str, file: str, types: list[Any], flags: str = "") -> ExternalFunction:
    return make(symbol, f"bottleneck/{file}", types, flags.split())


def bn_conv2dk1_relu(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64
) -> ExternalFunction:
    """A convolution with filters of 1x1, then ReLU."""
    w, ci, co = input_width, input_channels, output_channels
    types = [array(w * ci, I8), array(ci * co, I8), array(w * co, U8), *_ints(4)]
    return _bottleneck("conv2dk1_relu_i8_ui8", "bn_conv2dk1_relu.cc", types, "-DREGULAR -DINT8_ACT")


def bn_conv2dk3(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64
) -> ExternalFunction:
    """3x3 with stride 2."""
    w, ci, co = input_width, input_channels, output_channels
    line = array(w * ci, I8)
    types = [line, line, line, array(9 * ci * co, I8), array(w // 2 * co, U8), *_ints(8)]
    return _bottleneck("conv2dk3_stride2_i8", "bn_conv2dk3.cc", types)


def bn_conv2dk1_i8(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64
) -> ExternalFunction:
    """1x1 with an int8 result."""
    w, ci, co = input_width, input_channels, output_channels
    types = [array(w * ci, U8), array(ci * co, I8), array(w * co, I8), *_ints(4)]
    return _bottleneck("conv2dk1_ui8_i8", "bn_conv2dk1_i8.cc", types, "-DREGULAR -DSCALAR")


def bn_conv2dk1_skip(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64, skip_dtype: Any = U8
) -> ExternalFunction:
    """1x1 with a skip connection."""
    if skip_dtype not in (U8, I8):
        raise ValueError(f"bn_conv2dk1_skip(): skip_dtype {skip_dtype} is neither np.uint8 nor np.int8")
    w, ci, co = input_width, input_channels, output_channels
    kind, flags = ("ui8_ui8_i8", " -DUNSIGNED_SKIP") if skip_dtype == U8 else ("ui8_i8_i8", "")
    types = [array(w * ci, U8), array(ci * co, I8), array(w * co, I8), array(w * co, skip_dtype), *_ints(5)]
    return _bottleneck(f"conv2dk1_skip_{kind}", "bn_conv2dk1_skip.cc", types, "-DREGULAR -DSCALAR" + flags)


def bn_conv2dk3_dw(
    input_width: int = 32, input_channels: int = 64, output_channels: int = 64, stride: int = 1
) -> ExternalFunction:
    """3x3, each channel for itself."""
    if stride not in (1, 2):
        raise ValueError(f"bn_conv2dk3_dw(): stride {stride} is neither 1 nor 2")
    w, ci, co = input_width, input_channels, output_channels
    line = array(w * ci, U8)
    types = [line, line, line, array(9 * ci, I8), array(w // stride * co, U8), *_ints(8)]
    flags = f"-DREGULAR -DSCALAR -DSTRIDE{stride}"
    return _bottleneck(f"conv2dk3_dw_stride{stride}_relu_ui8_ui8", "bn_conv2dk3_dw.cc", types, flags)


def bn_conv2dk1_relu_xy_pool_padded(
    input_width: int = 7,
    input_channels: int = 80,
    output_channels: int = 1280,
    weight_chunk_count: int | None = None,
) -> ExternalFunction:
    """1x1, ReLU and an average over the image."""
    w, ci, co = input_width, input_channels, output_channels
    types = [array(w * ci, I8), array(weight_chunk_count or ci * co, I8), array(co, U16), *_ints(8)]
    flags = "-DSCALAR -DCONV_XYPOOL_FUSED_LARGE_PADDED -DINT8_ACT"
    symbol = "conv2dk1_xy_pool_fused_relu_large_padded_i8_ui8"
    return _bottleneck(symbol, "bn_conv2dk1_relu.cc", types, flags)


def bn_fc_relu_ui16_pad(
    input_channels: int = 1280, output_channels: int = 16, weight_chunk_count: int | None = None
) -> ExternalFunction:
    """A dense layer and ReLU."""
    ci, co = input_channels, output_channels
    types = [array(ci, U16), array(weight_chunk_count or ci * co, I8), array(co, U16), *_ints(5)]
    flags = "-DSCALAR -DPOSTL2_PAD -DUINT16_ACT"
    return _bottleneck("post_L2_conv2dk1_relu_i16_ui16_pad", "bn_conv2dk1_relu.cc", types, flags)


def _block(kernel: str, block_index: int) -> int:
    if block_index not in (13, 14):
        raise ValueError(f"{kernel}(): block_index {block_index} is neither 13 nor 14")
    return block_index


def bn_conv2dk1_partial_put_i8(
    input_width: int = 7, input_channels: int = 80, weight_count: int = 4800, *, block_index: int = 13
) -> ExternalFunction:
    """Part of a 1x1, sent on over the cascade."""
    b = _block("bn_conv2dk1_partial_put_i8", block_index)
    types = [array(input_width * input_channels, I8), array(weight_count, I8), *_ints(7)]
    flags = f"-DBN{b}_1_PARTIAL_PUT_I8_CAS_WIDTH_NEW"
    return _bottleneck(f"bn{b}_1_conv2dk1_i8_ui8_partial_width_put_new", "bn_conv2dk1_i8.cc", types, flags)


def bn_conv2dk1_partial_get_relu_i8(
    input_width: int = 7,
    input_channels: int = 80,
    output_channels: int = 480,
    weight_count: int = 4800,
    *,
    block_index: int = 13,
) -> ExternalFunction:
    """The other part, with what comes over the cascade, and ReLU."""
    b = _block("bn_conv2dk1_partial_get_relu_i8", block_index)
    w = input_width
    types = [
        array(w * input_channels, I8),
        array(weight_count, I8),
        array(w * output_channels, U8),
        *_ints(9),
    ]
    flags = f"-DBN{b}_1_PARTIAL_GET_I8_CAS_WIDTH_NEW"
    return _bottleneck(f"bn{b}_1_conv2dk1_i8_ui8_partial_width_get_new", "bn_conv2dk1_relu.cc", types, flags)


def bn_conv2dk3_dw_out_split(
    input_width: int = 7,
    input_channels: int = 480,
    output_split_channels: int = 240,
    *,
    block_index: int = 13,
) -> ExternalFunction:
    """3x3, each channel for itself, with the result in two parts."""
    b = _block("bn_conv2dk3_dw_out_split", block_index)
    line, part = array(input_width * input_channels, U8), array(input_width * output_split_channels, U8)
    types = [line, line, line, array(9 * input_channels, I8), part, part, *_ints(8)]
    flags = f"-DSCALAR -DBN{b} -DSTRIDE1_OUT_SPLIT"
    return _bottleneck(f"bn{b}_conv2dk3_ui8_out_split", "bn_conv2dk3_dw.cc", types, flags)


def bn_conv2dk1_input_split_partial_put_ui8(
    input_width: int = 7, input_channels: int = 240, weight_count: int = 9600, *, block_index: int = 13
) -> ExternalFunction:
    """Part of a 1x1 over half of the input, sent on over the cascade."""
    b = _block("bn_conv2dk1_input_split_partial_put_ui8", block_index)
    types = [array(input_width * input_channels, U8), array(weight_count, I8), *_ints(7)]
    symbol = f"bn{b}_1_conv2dk1_ui8_ui8_input_split_partial_width_put_new"
    flags = f"-DBN{b}_1_INPUT_SPLIT_PARTIAL_PUT_UI8_UI8_CAS_WIDTH_NEW"
    return _bottleneck(symbol, "bn_conv2dk1_i8.cc", types, flags)


def bn_conv2dk1_input_split_partial_skip_get(
    input_width: int = 7,
    input_channels: int = 240,
    output_channels: int = 80,
    weight_count: int = 9600,
    *,
    block_index: int = 13,
) -> ExternalFunction:
    """The other half, with what comes over the cascade, and a skip connection."""
    b = _block("bn_conv2dk1_input_split_partial_skip_get", block_index)
    w = input_width
    result = array(w * output_channels, I8)
    types = [array(w * input_channels, U8), array(weight_count, I8), result, result, *_ints(10)]
    symbol = f"bn_{b}_2_conv2dk1_ui8_i8_i8_scalar_input_split_partial_width_get_new"
    flags = f"-DBN{b}_1_INPUT_SPLIT_PARTIAL_GET_UI8_I8_I8_CAS_WIDTH_NEW"
    return _bottleneck(symbol, "bn_conv2dk1_skip.cc", types, flags)


KERNELS: dict[str, Callable[..., Any]] = {
    name: value for name, value in globals().items() if name.startswith(("conv2d", "bn_"))
}
