"""Operations of the dialect `aie` for what cores use: functions of object files, buffers, locks."""

from __future__ import annotations

from typing import Any

import numpy as np

from npuninja.ir.attributes import DenseElementsAttr, StringAttr
from npuninja.ir.types import element_of
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.operations import VIEWS, OpView, build, make
from npuninja.python_designs.construct.types import (
    FunctionType,
    Type,
    mlir_type,
    try_convert_np_type_to_mlir_type,
    type_of,
)
from npuninja.python_designs.construct.values import MemRefValue, Value, constant, is_all, load, store
from npuninja.python_designs.dialects.aie_enums import LockAction
from npuninja.python_designs.dialects.func import FuncOp, signature


class external_func(FuncOp):
    """`func.func private @name(inputs) -> outputs`: a function that a kernel's object file has."""

    def __init__(
        self,
        name: str,
        inputs: Any,
        outputs: Any = None,
        visibility: str = "private",
        link_with: str | None = None,
        link_with_mode: str | None = None,
    ) -> None:
        outputs = [] if outputs is None else outputs
        for types in (inputs, outputs):
            for i, given in enumerate(types):
                if isinstance(types, list):
                    types[i] = try_convert_np_type_to_mlir_type(given)
        if link_with_mode is not None and link_with is None:
            raise ValueError(
                f"external_func {name!r}: link_with_mode says how link_with= is linked; give that too"
            )
        if link_with_mode not in (None, "merge"):
            raise ValueError(
                f"external_func '{name}': link_with_mode '{link_with_mode}' is not known, 'merge' is"
            )
        super().__init__(name, FunctionType.get(inputs, outputs), visibility=visibility)
        if link_with is not None:
            self.attributes["link_with"] = StringAttr(link_with)
        if link_with_mode is not None:
            self.attributes["link_with_mode"] = StringAttr(link_with_mode)

    @property
    def input_types(self) -> list[str]:
        """The parameters' types."""
        return list(signature(self.ir)[0])


class buffer(OpView):
    """`aie.buffer(tile)`: memory of a tile, indexed as a memref."""

    def __init__(
        self,
        tile: Any,
        datatype: Any,
        name: str | None = None,
        address: int | None = None,
        initial_value: Any = None,
        use_write_rtp: bool = False,
        mem_bank: int | None = None,
        **_: Any,
    ) -> None:
        kind = mlir_type(datatype)
        self.use_write_rtp = use_write_rtp
        initial = None
        if initial_value is not None:
            if not isinstance(initial_value, DenseElementsAttr):
                assert isinstance(initial_value, np.ndarray), "initial_value must be a NumPy array"
                initial_value = attrs.dense_elements(initial_value, kind)
            initial = initial_value
        attributes = {"sym_name": name, "address": address, "mem_bank": mem_bank, "initial_value": initial}
        self.ir = make("aie.buffer", [tile], attributes, [kind])

    @property
    def type(self) -> Type:
        """Its memref type."""
        return type_of(self.ir.result.type)

    @property
    def shape(self) -> list[int]:
        """Its dimensions."""
        return self.type.shape  # type: ignore[attr-defined, no-any-return]

    @property
    def dtype(self) -> Type:
        """The type of an element."""
        return type_of(element_of(self.ir.result.type))

    @property
    def owner(self) -> OpView:
        """The operation."""
        return self

    def get_name(self) -> str:
        """Its symbol."""
        return self.ir.string("sym_name", "")

    def __getitem__(self, index: Any) -> Any:
        return self if is_all(index) else load(self, self._place(index, len(self.shape)))

    def _place(self, index: Any, rank: int) -> list[Any]:
        """One index for each dimension. Raises ValueError for a part of a buffer."""
        parts = list(index) if isinstance(index, (tuple, list)) else [index]
        if len(parts) != rank or any(part is None or isinstance(part, slice) for part in parts):
            raise ValueError(
                f"buffer {self.get_name()} of {len(self.shape)} dimension(s) is read and written element by "
                f"element, got the index {index!r}"
            )
        return parts

    def __setitem__(self, index: Any, value: Any) -> None:
        if getattr(
            self, "use_write_rtp", False
        ):  # a view made of an operation that was read has no such flag
            (word,) = self._place(index, 1)
            if not isinstance(word, (int, np.integer)):
                raise ValueError(f"a word that the host writes is at a known place, got the index {index!r}")
            npu_write_rtp(self, int(word), value)
        else:
            store(value, self, self._place(index, len(self.shape)))


VIEWS["aie.buffer"] = buffer
BufferOp = buffer


def npu_write_rtp(buffer: Any, index: Any, value: Any, **_: Any) -> Any:
    """`aiex.npu.rtp_write(@buffer, index, value)`: a word of a buffer, written by the host's program."""
    name = attrs.symbol_name(buffer)
    if not generation.is_third():
        return build("aiex.npu.rtp_write", [], {"buffer": name, "index": index, "value": value})
    kind = None
    if isinstance(buffer, OpView) and isinstance(value, (int, np.integer)):
        kind = type_of("i32")
    word = value if isinstance(value, (Value, OpView)) else constant(int(value), type=kind or type_of("i32"))
    return build("aiex.npu.rtp_write", [word], {"buffer": name, "index": index})


NpuWriteRTPOp = npu_rtp_write = npu_write_rtp


def external_buffer(
    datatype: Any, name: str | None = None, address: int | None = None, **_: Any
) -> MemRefValue:
    """`aie.external_buffer`: memory of the host."""
    attributes = {"sym_name": name, "address": address}
    return build("aie.external_buffer", [], attributes, [mlir_type(datatype)]).result  # type: ignore[no-any-return]


def lock(
    tile: Any,
    *,
    lock_id: int | None = None,
    init: int | None = None,
    sym_name: str | None = None,
    annot: Any = None,
    **_: Any,
) -> Any:
    """Makes `aie.lock(tile, lock_id) {init, sym_name}`."""
    return build(
        "aie.lock", [tile], {"lockID": lock_id, "init": init, "sym_name": sym_name}, ["index"]
    ).result


def LockOp(result: Any = None, tile: Any = None, **options: Any) -> Any:
    """`aie.lock`, with or without the result's type in front."""
    if not isinstance(result, Type):
        result, tile = None, result
    return lock(tile, **{{"lockID": "lock_id"}.get(k, k): v for k, v in options.items()})


def use_lock(
    lock: Any, action: Any, value: Any = None, *, blocking: Any = None, acq_en: Any = None, **_: Any
) -> Any:
    """Makes `aie.use_lock(lock, action, value)`."""
    if generation.is_third():
        number = 1 if value is None else value
        word = number if isinstance(number, (Value, OpView)) else constant(int(number), type=type_of("i32"))
        return build("aie.use_lock", [lock, word], {"action": action, "blocking": blocking})
    return build("aie.use_lock", [lock], {"action": action, "value": value, "blocking": blocking})


def acquire(lock: Any, *, acq_val: int = 1) -> Any:
    """An acquire that waits for the exact value."""
    return use_lock(lock, LockAction["Acquire"], value=acq_val)


def release(lock: Any, *, rel_val: int = 1) -> Any:
    """Gives one unit of a lock back: `aie.use_lock` with Release."""
    return use_lock(lock, LockAction["Release"], value=rel_val)
