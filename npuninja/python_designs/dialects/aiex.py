"""The dialect `aiex`: what the host has the array do while a design runs."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from npuninja.ir.attributes import DenseArrayAttr
from npuninja.ir.directives import DYNAMIC_INDEX
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation, type_names
from npuninja.python_designs.construct.insertion import InsertionPoint
from npuninja.python_designs.construct.operations import OpView, Region, build, make
from npuninja.python_designs.construct.types import mlir_type, v8bfp16ebs8, v16bfp16ebs16  # noqa: F401
from npuninja.python_designs.construct.values import Value
from npuninja.python_designs.dialects.aie_dma_programs import bds, dma_bd
from npuninja.python_designs.dialects.aie_memory import NpuWriteRTPOp, npu_rtp_write, npu_write_rtp  # noqa: F401
from npuninja.python_designs.dialects.aie_tiles import EndOp
from npuninja.python_designs.dialects.control_packets import control_packet, generate_control_packets  # noqa: F401
from npuninja.python_designs.dialects.generic import names_of
from npuninja.python_designs.taplib.pattern import TensorAccessPattern


def sequence_operation() -> str:
    """The name of the runtime sequence in the current generation."""
    return "aiex.runtime_sequence" if generation.is_first() else "aie.runtime_sequence"


def runtime_sequence(*inputs: Any, sym_name: str | None = None, context: Any = None) -> Callable[..., Any]:
    """`@runtime_sequence(types…)`: the function's parameters are the arguments, its name is the symbol."""

    def decorate(function: Callable[..., Any]) -> Any:
        view = build(sequence_operation(), [], {"sym_name": sym_name or function.__name__}, regions=1)
        block = Region(view.ir.regions[0]).blocks.append(*(mlir_type(t) for t in inputs))
        with InsertionPoint(block):
            function(*block.arguments)
        return view

    return decorate


# Words for the array


def _operand_fields(name: str, fields: dict[str, Any], kept: dict[str, Any]) -> Any:
    """An operation with numbers as attributes, or, in the third generation, each as a constant operand."""
    if generation.is_third():
        from npuninja.python_designs.dialects.third import words

        return build(name, words(fields.values()), kept)
    return build(name, [], {**fields, **kept})


def npu_sync(
    column: Any, row: Any, direction: Any, channel: Any, column_num: Any = 1, row_num: Any = 1, **_: Any
) -> Any:
    """`aiex.npu.sync`: waits for a channel's token."""
    fields = {
        "column": column, "row": row, "direction": direction, "channel": channel, "column_num": column_num,
        "row_num": row_num,
    }  # fmt: skip
    return _operand_fields("aiex.npu.sync", fields, {})


def npu_write32(
    address: Any, value: Any, buffer: Any = None, column: Any = None, row: Any = None, **_: Any
) -> Any:
    """`aiex.npu.write32`: a word into a register."""
    fields = {"address": address, "value": value}
    return _operand_fields("aiex.npu.write32", fields, {"buffer": buffer, "column": column, "row": row})


def npu_maskwrite32(
    address: Any, value: Any, mask: Any, buffer: Any = None, column: Any = None, row: Any = None, **_: Any
) -> Any:
    """`aiex.npu.maskwrite32`: some bits of a register."""
    fields = {"address": address, "value": value, "mask": mask}
    return _operand_fields("aiex.npu.maskwrite32", fields, {"buffer": buffer, "column": column, "row": row})


def npu_address_patch(addr: Any, arg_idx: Any, arg_plus: Any, **_: Any) -> Any:
    """`aiex.npu.address_patch`: the address of an argument into a descriptor."""
    return _operand_fields(
        "aiex.npu.address_patch", {"arg_plus": arg_plus}, {"addr": addr, "arg_idx": arg_idx}
    )


def npu_push_queue(
    column: Any,
    row: Any,
    direction: Any,
    channel: Any,
    issue_token: Any,
    repeat_count: Any,
    bd_id: Any,
    **_: Any,
) -> Any:
    """`aiex.npu.push_queue`: starts a descriptor on a channel."""
    kept = {
        "column": column, "row": row, "direction": direction, "channel": channel, "issue_token": issue_token,
    }  # fmt: skip
    return _operand_fields("aiex.npu.push_queue", {"repeat_count": repeat_count, "bd_id": bd_id}, kept)


def npu_dma_wait(symbol: Any, **_: Any) -> Any:
    """Makes `aiex.npu.dma_wait`."""
    return build("aiex.npu.dma_wait", [], {"symbol": symbol})


def dma_wait(*fifos: Any) -> None:
    """`aiex.npu.dma_wait` for each objectFifo or name."""
    if not fifos:
        raise ValueError("dma_wait() awaits the objectFifos that it is given; give it one or more")
    for fifo in fifos:
        npu_dma_wait(attrs.symbol_name(fifo))


def mixed(values: Sequence[Any]) -> tuple[list[Any], DenseArrayAttr]:
    """The values among the entries of a list, and the list with a mark in their places."""
    dynamic = [v for v in values if isinstance(v, (Value, OpView))]
    static = (
        DYNAMIC_INDEX if isinstance(v, (Value, OpView)) else attrs.integer(v, "an entry") for v in values
    )
    return dynamic, DenseArrayAttr("i64", tuple(static))


def _one_pattern(name: str, tap: TensorAccessPattern | None, *fields: Any) -> tuple[Any, Any, Any]:
    """Offset, sizes and strides of a transfer, as a pattern or as its parts. Raises ValueError for both."""
    if tap is None:
        offset, sizes, strides = fields
        return offset, sizes, strides
    if any(field is not None for field in fields):
        raise ValueError(
            f"{name}: a transfer has a pattern (tap=) or offsets, sizes and strides; leave out one of them"
        )
    return int(tap.offset), list(tap.sizes), list(tap.strides)


def _four(sizes: Any, strides: Any) -> tuple[list[Any], list[Any]]:
    """Sizes and strides, those of four dimensions where none are given."""
    return [0] * 4 if sizes is None else list(sizes), [0] * 3 + [1] if strides is None else list(strides)


def npu_dma_memcpy_nd(
    metadata: Any,
    bd_id: Any,
    mem: Any,
    tap: TensorAccessPattern | None = None,
    offsets: Any = None,
    sizes: Any = None,
    strides: Any = None,
    issue_token: Any = None,
    burst_length: int = 0,
    packet: Any = None,
    **_: Any,
) -> Any:
    """`aiex.npu.dma_memcpy_nd`: moves a part of an argument through an objectFifo's shim end."""
    offset, sizes, strides = _one_pattern("npu_dma_memcpy_nd", tap, offsets, sizes, strides)
    offsets = [0] * 4 if offset is None else [0, 0, 0, offset] if tap is not None else list(offset)
    sizes, strides = _four(sizes, strides)
    operands: list[Any] = [mem]
    segments = [1]
    attributes: dict[str, Any] = {
        "metadata": metadata, "id": bd_id, "issue_token": issue_token, "packet": packet, "burst_length": burst_length,
    }  # fmt: skip
    for name, given in (("offsets", offsets), ("sizes", sizes), ("strides", strides)):
        dynamic, static = mixed(given)
        operands += dynamic
        segments.append(len(dynamic))
        attributes["static_" + name] = static
    return build("aiex.npu.dma_memcpy_nd", operands, attributes, segments=tuple(segments))


NpuDmaMemcpyNd = NpuDmaMemcpyNdOp = npu_dma_memcpy_nd


# Tasks


def dma_configure_task(tile: Any, direction: Any, channel: Any, **options: Any) -> Any:
    """`aiex.dma_configure_task(tile, direction, channel)`; the descriptors come with `bds(task)`."""
    attributes = {"direction": direction, "channel": channel, **_task_attributes(options)}
    return build("aiex.dma_configure_task", [tile], attributes, ["index"], 1)


def dma_configure_task_for(alloc: Any, *, repeat_count_val: Any = None, **options: Any) -> Any:
    """Makes `aiex.dma_configure_task_for @fifo`."""
    attributes = {"alloc": attrs.symbol_name(alloc), **_task_attributes(options)}
    operands = [] if repeat_count_val is None else [repeat_count_val]
    return build("aiex.dma_configure_task_for", operands, attributes, ["index"], 1)


def _task_attributes(options: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if k in ("issue_token", "repeat_count") and v is not None}


def dma_start_bd_chain(
    symbol: Any, args: Any, tile: Any, direction: Any, channel: Any, **options: Any
) -> Any:
    """Makes `aiex.dma_start_bd_chain @chain(arguments) on (tile, direction, channel)`."""
    attributes = {"symbol": symbol, "direction": direction, "channel": channel, **_task_attributes(options)}
    return build("aiex.dma_start_bd_chain", [*args, tile], attributes, ["index"])


def dma_start_bd_chain_for(symbol: Any, args: Any, alloc: Any, **options: Any) -> Any:
    """Makes `aiex.dma_start_bd_chain_for @chain(arguments) for @fifo`."""
    attributes = {"symbol": symbol, "alloc": attrs.symbol_name(alloc), **_task_attributes(options)}
    return build("aiex.dma_start_bd_chain_for", list(args), attributes, ["index"])


def shim_dma_bd(
    mem: Any,
    tap: TensorAccessPattern | None = None,
    offset: Any = None,
    sizes: Any = None,
    strides: Any = None,
    transfer_len: Any = None,
    burst_length: int = 0,
    packet: Any = None,
    offset_parameter: Any = None,
    **_: Any,
) -> Any:
    """The descriptor of a transfer between the host's memory and a shim channel."""
    offset, sizes, strides = _one_pattern("shim_dma_bd", tap, offset, sizes, strides)
    offset = 0 if offset is None else offset
    sizes, strides = _four(sizes, strides)
    if generation.is_third():  # always four dimensions, and the length of the inner three
        from npuninja.python_designs.dialects.third import padded, product

        sizes, strides = padded(sizes, strides)
        length = product(sizes[1:]) if transfer_len is None else transfer_len
        return dma_bd(
            mem, sizes, strides, offset, length, burst_length=burst_length or None, packet=packet,
            offset_parameter=offset_parameter,
        )  # fmt: skip
    if transfer_len is None:
        transfer_len = int(np.prod([int(s) for s in sizes[-3:]]))
    pairs = list(zip(sizes, strides))
    return dma_bd(
        mem, offset=offset, len=transfer_len, dimensions=pairs, burst_length=burst_length, packet=packet
    )


def shim_dma_single_bd_task(
    alloc: Any,
    mem: Any,
    tap: TensorAccessPattern | None = None,
    offset: Any = None,
    sizes: Any = None,
    strides: Any = None,
    transfer_len: Any = None,
    issue_token: bool = False,
    burst_length: int = 0,
    packet: Any = None,
    offset_parameter: Any = None,
    **_: Any,
) -> Any:
    """A task of one descriptor: `aiex.dma_configure_task_for @fifo { aie.dma_bd; aie.end }`."""
    offset, sizes, strides = _one_pattern("shim_dma_single_bd_task", tap, offset, sizes, strides)
    repeat: dict[str, Any] = {}
    if sizes is not None and len(sizes):
        first = sizes[0] if not generation.is_third() or len(sizes) == 4 else 1
        if isinstance(first, (Value, OpView)):
            from npuninja.python_designs.dialects.third import repeat_operand

            repeat = {"repeat_count_val": repeat_operand(first)}
        elif first > 1:
            repeat = {"repeat_count": int(first) - 1}
    task = dma_configure_task_for(alloc, issue_token=issue_token, **repeat)
    with bds(task) as bd, bd[0]:
        shim_dma_bd(
            mem, offset=offset, sizes=sizes, strides=strides, transfer_len=transfer_len,
            burst_length=burst_length, packet=packet, offset_parameter=offset_parameter,
        )  # fmt: skip
        EndOp()
    return task


def _each(operation: str, verb: str) -> Callable[..., None]:
    def for_each(*tasks: Any) -> None:
        if not tasks:
            raise ValueError(f"{operation}() was given no task to {verb}; give it one or more")
        for task in tasks:
            make(f"aiex.{operation}", [getattr(task, "handle", task)])

    for_each.__name__ = operation
    for_each.__doc__ = f"`aiex.{operation}` for each task."
    return for_each


dma_start_task = _each("dma_start_task", "free")
dma_await_task = _each("dma_await_task", "wait for")
dma_free_task = _each("dma_free_task", "free")


def set_lock(lock: Any, value: Any, **_: Any) -> Any:
    """Makes `aiex.set_lock(lock, value)`."""
    return build("aiex.set_lock", [lock], {"value": value})


set_lock_value = set_lock
T = type_names

# Of our own package, and not of the dialect.
_OURS = (
    "annotations",
    "generation",
    "attrs",
    "type_names",
    "names_of",
    "make",
    "build",
    "Callable",
    "Sequence",
)
NAMES: dict[str, Any] = {
    **names_of("aiex"),
    **{k: v for k, v in globals().items() if not k.startswith("_") and k not in _OURS},
}
