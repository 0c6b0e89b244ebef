"""The ready kernels as functions: symbol, source, flags and parameters of each."""

from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np
from ml_dtypes import bfloat16

from npuninja.python_designs.install_paths import cxx_header_path
from npuninja.python_designs.iron.kernel import ExternalFunction, Kernel
from npuninja.python_designs.kernels import convolutions
from npuninja.python_designs.kernels.external import architecture, array, make, source_path

_SHORT = {
    np.int8: "i8",
    np.int16: "i16",
    np.int32: "i32",
    np.uint8: "u8",
    bfloat16: "bf16",
    np.float32: "f32",
}


def _must(condition: bool, text: str) -> None:
    if not condition:
        raise ValueError(text)


def _one_of(name: str, what: str, dtype: Any, allowed: tuple[Any, ...]) -> None:
    names = " or ".join(f"np.{t.__name__}" if hasattr(np, t.__name__) else t.__name__ for t in allowed)
    _must(dtype in allowed, f"{name}() {what} must be {names}, got {dtype}")


def _bits(name: str, dtype: Any) -> str:
    _must(
        dtype in (np.uint8, np.int16, np.int32),
        f"{name}(): dtype must be np.uint8, np.int16 or np.int32, got {dtype}",
    )
    return f"-DBIT_WIDTH={np.dtype(dtype).itemsize * 8}"


def _fixed_size(name: str, tile_size: int) -> None:
    _must(
        tile_size == 1024,
        f"the C++ of {name}() goes through 1024 elements: tile_size is {tile_size}, make it 1024",
    )


def _named(name: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a kernel's function that was made from a row its name, and what it does as docstring."""

    def give(kernel: Callable[..., Any]) -> Callable[..., Any]:
        kernel.__name__ = kernel.__qualname__ = name
        kernel.__doc__ = what
        return kernel

    return give


# Elementwise


def passthrough(tile_size: int = 4096, dtype: Any = np.int32) -> ExternalFunction:
    """Copies a tile."""
    flag = _bits("passthrough", dtype)
    tile = array(tile_size, dtype)
    return make("passThroughLine", "passThrough.cc", [tile, tile, np.int32], [flag])


def scale(
    tile_size: int = 1024, dtype: Any = np.int32, vectorized: bool = True, use_chess: bool = False
) -> ExternalFunction:
    """Multiplies a tile by a factor in memory."""
    _one_of("scale", "dtype", dtype, (np.int16, np.int32))
    tile = array(tile_size, dtype)
    symbol = f"vector_scalar_mul_{'vector' if vectorized else 'scalar'}"
    types = [tile, tile, array(1, np.int32), np.int32]
    return make(symbol, "scale.cc", types, [_bits("scale", dtype)], use_chess=use_chess)


def _eltwise(name: str) -> Any:
    @_named(name, f"`{name}` of two tiles of bfloat16.")
    def kernel(tile_size: int = 1024, dtype: Any = bfloat16, vectorized: bool = True) -> ExternalFunction:
        _fixed_size(name, tile_size)
        _one_of(name, "dtype", dtype, (bfloat16,))
        tile = array(tile_size, dtype)
        return make(
            f"eltwise_{name}_bf16_{'vector' if vectorized else 'scalar'}", f"{name}.cc", [tile, tile, tile]
        )

    return kernel


add = _eltwise("add")
mul = _eltwise("mul")


def relu(tile_size: int = 1024) -> ExternalFunction:
    """max(x, 0) of a tile of bfloat16."""
    _fixed_size("relu", tile_size)
    tile = array(tile_size, bfloat16)
    return make("bf16_relu", "relu.cc", [tile, tile])


def _reduction(name: str) -> Any:
    @_named(name, f"`{name}` of a tile of int32.")
    def kernel(tile_size: int = 1024, dtype: Any = np.int32, vectorized: bool = True) -> ExternalFunction:
        _one_of(name, "dtype", dtype, (np.int32,))
        symbol = f"{name}_{'vector' if vectorized else 'scalar'}"
        return make(symbol, f"{name}.cc", [array(tile_size, dtype), array(1, np.int32), np.int32])

    return kernel


reduce_add = _reduction("reduce_add")
reduce_min = _reduction("reduce_min")


def reduce_max(tile_size: int = 1024, dtype: Any = np.int32, vectorized: bool = True) -> ExternalFunction:
    """The largest element of a tile."""
    _one_of("reduce_max", "dtype", dtype, (np.int32, bfloat16))
    is_float = dtype == bfloat16
    symbol = f"reduce_max_{'vector' if vectorized else 'scalar'}{'_bfloat16' if is_float else ''}"
    result = array(2, bfloat16) if is_float else array(1, np.int32)
    types = [array(tile_size, dtype), result, np.int32]
    return make(symbol, "reduce_max.cc", types, prefix=False, object_file="reduce_max.cc.o")


def compute_max(dtype: Any = np.int32) -> ExternalFunction:
    """The larger of two results of `reduce_max`."""
    _one_of("compute_max", "dtype", dtype, (np.int32, bfloat16))
    is_float = dtype == bfloat16
    result = array(2, bfloat16) if is_float else array(1, np.int32)
    symbol = f"compute_max{'_bfloat16' if is_float else ''}"
    return make(symbol, "reduce_max.cc", [result] * 3, prefix=False, object_file="reduce_max.cc.o")


def _activation(name: str, symbol: str, tiles: int = 2, has_size: bool = False) -> Any:
    file = f"{name}.cc"

    @_named(name, f"`{name}` of a tile of bfloat16.")
    def kernel(tile_size: int = 1024) -> ExternalFunction:
        _fixed_size(name, tile_size)
        tile = array(tile_size, bfloat16)
        own = architecture()
        include = os.path.dirname(source_path(file, True))
        text = None
        if own == "aie2":
            tables = os.path.join(cxx_header_path(), "aie_runtime_lib", "AIE2", "lut_based_ops.cpp")
            text = f'#include "{source_path(file, True)}"\n'
            if os.path.isfile(tables):  # npuninja's own header has the tables
                text += f'#include "{tables}"\n'
        types = [tile] * tiles + ([np.int32] if has_size else [])
        return make(
            symbol, file, types, prefix=False, object_file=f"{symbol}.o", include_dirs=[include],
            own_architecture=True, source_string=text,
        )  # fmt: skip

    return kernel


softmax = _activation("softmax", "softmax_bf16", has_size=True)
gelu = _activation("gelu", "gelu_bf16")
silu = _activation("silu", "silu_bf16")
bf16_exp = _activation("bf16_exp", "exp_bf16_1024")
swiglu = _activation("swiglu", "swiglu_bf16", tiles=4)


# Matrices

_PAIRS = {
    (np.int8, np.int8), (np.int8, np.int16), (np.int8, np.int32), (np.int16, np.int16), (np.int16, np.int32),
    (bfloat16, bfloat16), (bfloat16, np.float32),
}  # fmt: skip
_CASCADE_PAIRS = {(np.int16, np.int16), (np.int16, np.int32), (bfloat16, bfloat16), (bfloat16, np.float32)}
_MAC = {
    "aie2": {np.int8: (4, 8, 8), np.int16: (4, 4, 4), bfloat16: (4, 8, 4)},
    "aie2p": {np.int8: (8, 8, 8), np.int16: (4, 4, 8), bfloat16: (4, 8, 8)},
}


def _pair(name: str, input_dtype: Any, output_dtype: Any, allowed: set[Any]) -> str:
    shown = ", ".join(sorted(f"({a.__name__}, {b.__name__})" for a, b in allowed))
    _must(
        (input_dtype, output_dtype) in allowed,
        f"{name}() has no kernel from {input_dtype} to {output_dtype}; it has (input_dtype, "
        f"output_dtype) {shown}",
    )
    return f"{_SHORT[input_dtype]}_{_SHORT[output_dtype]}"


def mm(
    dim_m: int = 64,
    dim_k: int = 64,
    dim_n: int = 64,
    input_dtype: Any = np.int16,
    output_dtype: Any = np.int16,
    vectorized: bool = True,
    b_col_maj: bool = False,
    c_col_maj: bool = False,
    use_chess: bool = False,
    emulate_bf16_mmul_with_bfp16: bool = False,
) -> ExternalFunction:
    """C += A @ B of tiles; `.zero` clears C, `.mac_dims` is the size of one multiplication in hardware."""
    pair = _pair("mm", input_dtype, output_dtype, _PAIRS)
    flags = [f"-DDIM_M={dim_m}", f"-DDIM_K={dim_k}", f"-DDIM_N={dim_n}", f"-D{pair}_ONLY"]
    flags += ["-DB_COL_MAJ"] * b_col_maj + ["-DC_COL_MAJ"] * c_col_maj
    own = architecture()
    emulates = emulate_bf16_mmul_with_bfp16 and own == "aie2p" and input_dtype == bfloat16
    flags += ["-DAIE_API_EMULATE_BFLOAT16_MMUL_WITH_BFP16"] * emulates
    scalar = "" if vectorized else "_scalar"
    result = array(dim_m * dim_n, output_dtype)
    types = [array(dim_m * dim_k, input_dtype), array(dim_k * dim_n, input_dtype), result]
    found: Any = make(f"matmul{scalar}_{pair}", "mm.cc", types, flags, use_chess=use_chess)
    found.zero = Kernel(f"zero{scalar}_{_SHORT[output_dtype]}", found.object_file_name, [result])
    found.mac_dims = (8, 8, 8) if emulates else _MAC[own][input_dtype]
    return found  # type: ignore[no-any-return]


def mv(
    dim_m: int = 32,
    dim_k: int = 32,
    input_dtype: Any = np.int16,
    output_dtype: Any = np.int32,
    vectorized: bool = True,
    use_chess: bool = False,
) -> ExternalFunction:
    """c += A @ b; `.zero` clears c."""
    pair = _pair("mv", input_dtype, output_dtype, {(np.int16, np.int32)})
    kind = "vectorized" if vectorized else "scalar"
    result = array(dim_m, output_dtype)
    types = [array(dim_m * dim_k, input_dtype), array(dim_k, input_dtype), result]
    flags = [f"-DDIM_M={dim_m}", f"-DDIM_K={dim_k}"]
    found: Any = make(f"matvec_{kind}_{pair}", "mv.cc", types, flags, use_chess=use_chess)
    found.zero = Kernel(f"zero_{kind}_{_SHORT[output_dtype]}", found.object_file_name, [result])
    return found  # type: ignore[no-any-return]


def cascade_mm(
    dim_m: int = 64,
    dim_k: int = 64,
    dim_n: int = 64,
    input_dtype: Any = np.int16,
    output_dtype: Any = np.int16,
    use_chess: bool = False,
) -> ExternalFunction:
    """As `mm` over several cores: `.put_only`, `.put_get`, `.get_only` send and receive partial sums."""
    pair = _pair("cascade_mm", input_dtype, output_dtype, _CASCADE_PAIRS)
    flags = [f"-DDIM_M={dim_m}", f"-DDIM_K={dim_k}", f"-DDIM_N={dim_n}"]
    result = array(dim_m * dim_n, output_dtype)
    types = [array(dim_m * dim_k, input_dtype), array(dim_k * dim_n, input_dtype), result]
    start = "matmul_scalar_cascade"
    found: Any = make(f"{start}_get_only_{pair}", "cascade_mm.cc", types, flags, use_chess=use_chess)
    found.get_only = found
    found.put_only = Kernel(f"{start}_put_only_{pair}", found.object_file_name, types)
    found.put_get = Kernel(f"{start}_put_get_{pair}", found.object_file_name, types)
    found.zero = Kernel(f"zero_scalar_{_SHORT[output_dtype]}", found.object_file_name, [result])
    found.mac_dims = (1, 1, 1)
    return found  # type: ignore[no-any-return]


# Images


def _pixels(name: str, what: str, bytes_in: int, bytes_out: int) -> Any:
    """Lines of pixels to others, with so many bytes for each pixel."""

    @_named(name, what)
    def kernel(line_width: int = 1920, use_chess: bool = False) -> ExternalFunction:
        types = [array(bytes_in * line_width, np.uint8), array(bytes_out * line_width, np.uint8), np.int32]
        return make(f"{name}Line", f"{name}.cc", types, use_chess=use_chess)

    return kernel


rgba2hue = _pixels("rgba2hue", "The hue of a line of pixels.", 4, 1)
rgba2gray = _pixels("rgba2gray", "The brightness of a line of pixels.", 4, 1)
gray2rgba = _pixels("gray2rgba", "A line of brightness as pixels.", 1, 4)


def threshold(line_width: int = 1920, dtype: Any = np.uint8, use_chess: bool = False) -> ExternalFunction:
    """A line against a threshold."""
    flag = _bits("threshold", dtype)
    line = array(line_width, dtype)
    limit = np.int32 if dtype == np.int32 else np.int16
    types = [line, line, np.int32, limit, limit, np.int8]
    return make("thresholdLine", "threshold.cc", types, [flag], use_chess=use_chess)


def _bitwise(name: str, word: str) -> Any:
    @_named(name, f"`{word}` of two lines, bit by bit.")
    def kernel(line_width: int = 1920, dtype: Any = np.uint8, use_chess: bool = False) -> ExternalFunction:
        flag = _bits(f"bitwise{word}", dtype)
        line = array(line_width, dtype)
        types = [line, line, line, np.int32]
        return make(f"bitwise{word}Line", f"bitwise{word}.cc", types, [flag], use_chess=use_chess)

    return kernel


bitwise_or = _bitwise("bitwise_or", "OR")
bitwise_and = _bitwise("bitwise_and", "AND")


def filter2d(line_width: int = 1920, use_chess: bool = False) -> ExternalFunction:
    """A filter of 3x3 over three lines."""
    line = array(line_width, np.uint8)
    types = [line, line, line, line, np.int32, array((3, 3), np.int16)]
    return make("filter2dLine", "filter2d.cc", types, use_chess=use_chess)


def add_weighted(line_width: int = 1920, dtype: Any = np.uint8, use_chess: bool = False) -> ExternalFunction:
    """The weighted sum of two lines."""
    flag = _bits("add_weighted", dtype)
    line = array(line_width, dtype)
    gamma = {1: np.int8, 2: np.int16, 4: np.int32}[np.dtype(dtype).itemsize]
    types = [line, line, line, np.int32, np.int16, np.int16, gamma]
    return make("addWeightedLine", "addWeighted.cc", types, [flag], use_chess=use_chess)


def _gelu(x: Any) -> Any:
    bent = x + 0.044715 * x**3
    gate = np.tanh(np.sqrt(2 / np.pi) * bent)
    return 0.5 * x * (1 + gate)


def _reference(name: str, function: Callable[[Any], Any]) -> Any:
    """A function of each element, computed in float32, with the result in the input's type."""

    @_named(f"{name}_ref", f"What `{name}` should give.")
    def reference(x: Any, *, tile_size: int = 1024) -> Any:
        return function(np.asarray(x).astype(np.float32)).astype(np.asarray(x).dtype)

    return reference


relu_ref = _reference("relu", lambda x: np.maximum(x, 0))
silu_ref = _reference("silu", lambda x: x / (1 + np.exp(-x)))
gelu_ref = _reference("gelu", _gelu)
bf16_exp_ref = _reference("exp", np.exp)


def softmax_ref(x: Any, *, tile_size: int = 1024) -> Any:
    """What `softmax` should give, tile by tile."""
    values = np.asarray(x).astype(np.float32)
    _must(
        values.size % tile_size == 0,
        f"softmax_ref: {values.size} elements cannot be divided into tiles of {tile_size}",
    )
    rows = values.reshape(-1, tile_size)
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).reshape(values.shape).astype(np.asarray(x).dtype)


_OWN = (
    "passthrough scale add mul relu reduce_add reduce_min reduce_max compute_max softmax gelu silu bf16_exp "
    "swiglu mm mv cascade_mm rgba2hue rgba2gray gray2rgba threshold bitwise_or bitwise_and filter2d "
    "add_weighted relu_ref silu_ref gelu_ref softmax_ref bf16_exp_ref"
)
NAMES: dict[str, Any] = {**{name: globals()[name] for name in _OWN.split()}, **convolutions.KERNELS}
