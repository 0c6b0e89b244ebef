"""Tensors of the host: NumPy arrays with the interface of the bindings' tensor class."""

from __future__ import annotations

import math
import operator
from contextlib import contextmanager
from typing import Any, Iterator

import numpy as np

from npuninja.python_designs.construct.generation import SECOND, generation

_LINE_BYTES = 64  # of the CPU's cache: host and NPU are made to agree a line at a time


class NpuTensor:
    """An array that kernels read and write. `device` is "npu" or "cpu", which are one memory here."""

    def __init__(self, shape_or_data: Any, dtype: Any = None, device: str = "npu") -> None:
        data = shape_or_data
        if isinstance(data, NpuTensor):
            data = data.data
        if isinstance(data, (tuple, int)) and not isinstance(data, bool):
            data = np.zeros(data, dtype=np.uint32 if dtype is None else dtype)
        elif (
            isinstance(data, np.ndarray)
            and dtype is not None
            and data.dtype != np.dtype(dtype)
            and generation() != SECOND  # which casts
        ):
            raise TypeError(
                f"iron.tensor: the array is of {data.dtype} and dtype= asks for {np.dtype(dtype)}; "
                "convert it first, with astype()"
            )
        self.data: Any = np.array(data, dtype=dtype)
        self.device = _known(device)

    @property
    def shape(self) -> Any:
        """Its dimensions."""
        return self.data.shape

    @property
    def dtype(self) -> Any:
        """Its scalar type."""
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """Its size."""
        return int(self.data.nbytes)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.data.size)

    def numel(self) -> int:
        """The number of elements."""
        return int(self.data.size)

    def numpy(self) -> Any:
        """The elements as a NumPy array, not copied."""
        return self.data

    def to(self, target_device: str) -> NpuTensor:
        """This tensor, from now on said to be on another device."""
        self.device = _known(target_device)
        return self

    def fill_(self, value: Any) -> None:
        """Sets all elements."""
        self.data.fill(value)

    @contextmanager
    def mutate(self) -> Iterator[Any]:
        """The array, to be changed."""
        yield self.data

    overwrite = mutate

    def subview(self, offset: int, shape: Any, dtype: Any = None) -> NpuTensor:
        """A part, which shares the memory.

        Args:
            offset: where it begins, in bytes.
            shape: its dimensions, in elements of `dtype`.
            dtype: this tensor's, unless another is given.

        Raises:
            TypeError: the offset is no integer.
            ValueError: it lies outside, or does not begin and end on cache lines of 64 bytes (it may end
                where this one does).
        """
        kind = np.dtype(self.dtype if dtype is None else dtype)
        try:
            offset = operator.index(offset)
        except TypeError:
            raise TypeError(f"subview() begins at a whole byte, and offset is {offset!r}") from None
        size_bytes = math.prod(_shape((shape,))) * kind.itemsize
        end = offset + size_bytes
        if offset < 0 or end > self.nbytes:
            raise ValueError(
                f"subview(offset={offset}, shape={shape}, dtype={kind}) ends at byte {end}, "
                f"and the tensor has {self.nbytes}"
            )
        if offset % _LINE_BYTES or (size_bytes % _LINE_BYTES and end != self.nbytes):
            raise ValueError(
                f"subview(offset={offset}, shape={shape}, dtype={kind}) has bytes {offset} to {end}; begin "
                f"and end it at multiples of {_LINE_BYTES} bytes, the lines in which the device sees memory"
            )
        part = type(self).__new__(type(self))
        part.data = self.data.reshape(-1).view(np.uint8)[offset:end].view(kind).reshape(shape)
        part.device = self.device
        return part

    def to_torch(self) -> Any:
        """A PyTorch tensor of the same memory."""
        import torch

        return torch.from_numpy(self.data)

    torch_view = to_torch

    @classmethod
    def from_torch(cls, torch_tensor: Any, device: str | None = None) -> NpuTensor:
        """A tensor with the values of a PyTorch tensor."""
        return cls(torch_tensor.detach().cpu().numpy(), device=device or "npu")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.data if dtype is None else self.data.astype(dtype)

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.data[index] = value

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def __repr__(self) -> str:
        return f"NpuTensor({self.data}, device={self.device!r})"


def _known(device: str) -> str:
    if device not in ("npu", "cpu"):
        raise ValueError(f"a tensor is on 'npu' or 'cpu', not on {device!r}")
    return device


Tensor = XRTTensor = CPUOnlyTensor = NpuTensor
_class: type[NpuTensor] = NpuTensor


def set_tensor_class(cls: Any) -> None:
    """The class that the functions below make."""
    global _class
    if not isinstance(cls, type) or not issubclass(cls, NpuTensor):
        raise ValueError(f"{cls} is no class of tensors: derive it from NpuTensor")
    _class = cls


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


def tensor(data: Any, dtype: Any = None, device: str = "npu", **_: Any) -> NpuTensor:
    """A tensor of these values, or of this shape with zeros."""
    return _class(data, dtype, device)


def _made(array: Any, out: Any, device: str) -> NpuTensor:
    if out is not None:
        if (out.shape, out.dtype, out.device) != (array.shape, array.dtype, device):
            raise ValueError(
                f"`out` is of another shape, type or device: it has {out.shape}, {out.dtype}, "
                f"{out.device!r}, and {array.shape}, {array.dtype}, {device!r} is made"
            )
        out.data[...] = array
        return out  # type: ignore[no-any-return]
    return _class(array, device=device)


def zeros(*size: Any, out: Any = None, dtype: Any = np.float32, device: str = "npu", **_: Any) -> NpuTensor:
    """A tensor of zeros, in `out` when that is given."""
    return _made(np.zeros(_shape(size), dtype), out, device)


def ones(*size: Any, out: Any = None, dtype: Any = np.float32, device: str = "npu", **_: Any) -> NpuTensor:
    """A tensor of ones, in `out` when that is given."""
    return _made(np.ones(_shape(size), dtype), out, device)


def full(
    size: Any, fill_value: Any, out: Any = None, dtype: Any = np.float32, device: str = "npu", **_: Any
) -> NpuTensor:
    """A tensor with one value everywhere, in `out` when that is given."""
    return _made(np.full(_shape((size,)), fill_value, dtype), out, device)


def randint(
    low: int, high: int, size: Any, out: Any = None, dtype: Any = np.int64, device: str = "npu",
    generator: Any = None, **_: Any,
) -> NpuTensor:  # fmt: skip
    """Random whole numbers from low to below high, from NumPy's own state or a `numpy.random.Generator`."""
    shape = _shape((size,))
    if generator is not None:
        return _made(generator.integers(low, high, size=shape, dtype=dtype), out, device)
    return _made(np.random.randint(low, high, shape).astype(dtype), out, device)


def rand(
    *size: Any, out: Any = None, dtype: Any = np.float32, device: str = "npu", generator: Any = None, **_: Any
) -> NpuTensor:
    """Random numbers from 0 to below 1, from NumPy's own state or a `numpy.random.Generator`.

    Raises:
        ValueError: without a size.
    """
    if not size:
        raise ValueError("rand() makes a tensor of a shape: give it one")
    shape = _shape(size)
    array = (np.random if generator is None else generator).uniform(0.0, 1.0, size=shape).astype(dtype)
    kind = np.dtype(dtype)
    if kind.kind == "f" or kind.name == "bfloat16":  # rounding may give 1
        array = np.minimum(array, np.nextafter(kind.type(1), kind.type(0)))
    return _made(array, out, device)


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    shape: Any = None,
    out: Any = None,
    dtype: Any = None,
    device: str = "npu",
    **_: Any,
) -> NpuTensor:
    """The numbers from start to below end."""
    if end is None:
        start, end = 0, start
    is_float = any(isinstance(v, float) for v in (start, end, step))
    array = np.arange(start, end, step, dtype=dtype or (np.float32 if is_float else np.int64))
    if shape is not None:
        if int(np.prod(shape)) != array.size:
            raise ValueError(
                f"iron.arange: the range has {array.size} numbers, which do not fill shape={shape}"
            )
        array = array.reshape(shape)
    return _made(array, out, device)


def zeros_like(other: Any, dtype: Any = None, device: str | None = None, **_: Any) -> NpuTensor:
    """Zeros of the same shape."""
    return _class(np.zeros(other.shape, other.dtype if dtype is None else dtype), device=device or "npu")


def ceildiv(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def _maker(function: Any) -> Any:
    """A function of this module as a class method: what it makes is of the class."""

    def make(cls: Any, *arguments: Any, **options: Any) -> NpuTensor:
        global _class
        before, _class = _class, cls
        try:
            made: NpuTensor = function(*arguments, **{k: v for k, v in options.items() if k != "device" or v})
            return made
        finally:
            _class = before

    make.__name__, make.__doc__ = function.__name__, function.__doc__
    return classmethod(make)


for _function in (zeros, ones, full, randint, rand, arange, zeros_like):
    setattr(NpuTensor, _function.__name__, _maker(_function))
