"""Operations of the dialect `aie` for DMA programs: regions of descriptors, chains, blocks."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from npuninja.ir import core as ir
from npuninja.ir.attributes import IntegerAttr
from npuninja.python_designs.construct import attributes as attrs
from npuninja.python_designs.construct import generation, insertion
from npuninja.python_designs.construct.operations import Block, OpView, Region, build, make
from npuninja.python_designs.dialects.aie_tiles import EndOp


class ContextManagedBlock:
    """A block that is an insertion point inside `with`."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.ir = block.ir

    def __enter__(self) -> Any:
        return insertion.InsertionPoint(self.ir).__enter__()

    def __exit__(self, *error: object) -> None:
        insertion.current().__exit__(*error)


class BlocksByKey:
    """Blocks of a region, made when first named; 0 is the entry."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._blocks = {0: ContextManagedBlock(region.blocks[0])}

    def __getitem__(self, key: Any) -> ContextManagedBlock:
        found = self._blocks.get(key)
        if found is None:
            found = self._blocks[key] = ContextManagedBlock(self._region.blocks.append())
        return found


@contextmanager
def bds(parent: Any) -> Iterator[BlocksByKey]:
    """The blocks of an operation's region: `with bds(task) as bd: with bd[0]: …`."""
    region = Region(parent.ir.regions[0])
    block = region.blocks[0] if len(region) else region.blocks.append()
    with insertion.InsertionPoint(block):
        yield BlocksByKey(region)


def _dma_region(operation: str) -> Callable[..., Any]:
    def with_tile(tile: Any, **_: Any) -> Callable[..., Any]:
        def decorate(function: Callable[..., Any]) -> Any:
            view = build(operation, [tile], None, ["index"], 1)
            count = len(inspect.signature(function).parameters)
            if count > 1:
                raise RuntimeError(
                    f"a DMA program's function has one parameter (its blocks) or none, not {count}"
                )
            with bds(view) as blocks:
                function(*[blocks][:count])
            _close(view)
            return view

        return decorate

    return with_tile


def _close(view: OpView) -> None:
    """Ends a region of `aie.dma` operations, whose only block has no terminator of its own."""
    blocks = view.ir.regions[0].blocks
    if len(blocks) == 1 and (
        not blocks[0].ops or blocks[0].ops[-1].name not in ("aie.end", "aie.dma_start", "aie.next_bd")
    ):
        with insertion.InsertionPoint(blocks[0]):
            EndOp()


mem = _dma_region("aie.mem")
memtile_dma = _dma_region("aie.memtile_dma")
shim_mem = shim_dma = _dma_region("aie.shim_dma")


def _block(given: Any) -> ir.Block:
    if given is None:
        return insertion.current().ir_block
    return given.ir if isinstance(given.ir, ir.Block) else given.ir.body


class SuccessorBlock:
    """The block an operation goes on to; `with` builds in it."""

    def __init__(self, op: ir.Operation, position: int) -> None:
        self.op = op
        self.pos = position
        self.ir = op.successors[position][0]

    @property
    def block(self) -> Block:
        """The block."""
        return Block(self.ir)

    def __enter__(self) -> SuccessorBlock:
        if self.ir is insertion.current().ir_block or self.ir.ops:
            region = self.op.parent.parent if self.op.parent is not None else None
            assert region is not None
            self.ir = region.append(ir.Block())
            self.op.successors[self.pos] = (self.ir, [])
        insertion.InsertionPoint(self.ir).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        insertion.current().__exit__(*error)


def dma_start(
    channel_dir: Any,
    channel_index: Any,
    *,
    dest: Any = None,
    chain: Any = None,
    repeat_count: int = 0,
    pad_value: int = 0,
    **_: Any,
) -> tuple[SuccessorBlock, SuccessorBlock]:
    """Makes `aie.dma_start(direction, channel, ^dest, ^chain)`."""
    attributes: dict[str, Any] = {
        "channel_dir": channel_dir, "channel_index": channel_index, "repeat_count": repeat_count,
    }  # fmt: skip
    if pad_value:
        attributes["pad_value"] = IntegerAttr(int(pad_value), "i32")
    successors: list[tuple[ir.Block, list[ir.Value]]] = [(_block(dest), []), (_block(chain), [])]
    op = make("aie.dma_start", [], attributes, ["i1"], successors=successors)
    return SuccessorBlock(op, 0), SuccessorBlock(op, 1)


DMAStartOp = dma_start


def next_bd(dest: Any = None, **_: Any) -> SuccessorBlock:
    """Makes `aie.next_bd ^dest`."""
    return SuccessorBlock(make("aie.next_bd", successors=[(_block(dest), [])]), 0)


NextBDOp = next_bd


def dma_bd(
    buffer: Any,
    sizes: Any = None,
    strides: Any = None,
    offset: Any = None,
    transfer_len: Any = None,
    *,
    len: Any = None,
    dimensions: Any = None,
    pad_dimensions: Any = None,
    pad_value: Any = None,
    bd_id: Any = None,
    packet: Any = None,
    next_bd_id: Any = None,
    burst_length: Any = None,
    **more: Any,
) -> Any:
    """`aie.dma_bd(buffer, offset, len, dimensions)`, in elements.

    Dimensions are lists of (size, stride), or, as in the third generation, `sizes` and `strides`.
    """
    length = transfer_len if len is None else len
    attributes: dict[str, Any] = {
        "pad_value": pad_value or None, "bd_id": bd_id, "packet": packet, "next_bd_id": next_bd_id,
        "burst_length": burst_length,
    }  # fmt: skip
    if pad_dimensions:
        attributes["pad_dimensions"] = attrs.pad_layouts(pad_dimensions)
    attributes.update((k, v) for k, v in more.items() if k not in ("loc", "ip") and v is not None)
    if generation.is_third():
        from npuninja.python_designs.dialects.third import dma_bd_parts

        if dimensions:
            pairs = [attrs.dim_layout(d) for d in dimensions]
            sizes, strides = [p.size for p in pairs], [p.stride for p in pairs]
        operands, segments, static = dma_bd_parts(buffer, offset, length, sizes, strides)
        return build("aie.dma_bd", operands, {**static, **attributes}, segments=segments)
    if sizes is not None and dimensions is None:
        # `len` is a parameter here
        dimensions = list(zip(sizes, strides or [0] * (sizes.__len__() - 1) + [1]))
    attributes["offset"], attributes["len"] = offset, length
    if dimensions:
        attributes["dimensions"] = attrs.dim_layouts(dimensions)
    return build("aie.dma_bd", [buffer], attributes)


DMABDOp = dma_bd


def dma(
    channel_dir: Any,
    channel_index: Any,
    *,
    num_blocks: int = 1,
    loop: Any = None,
    repeat_count: Any = None,
    sym_name: Any = None,
    pad_value: int = 0,
    **_: Any,
) -> Callable[..., Any]:
    """`@dma(direction, channel)`: a chain of descriptors, a region each; `@another_bd(op)` adds the next."""

    def decorate(function: Callable[..., Any]) -> Any:
        attributes = {
            "channel_dir": channel_dir, "channel_index": getattr(channel_index, "value", channel_index),
            "loop": loop, "repeat_count": repeat_count, "sym_name": sym_name,
        }  # fmt: skip
        if pad_value:
            attributes["pad_value"] = IntegerAttr(int(pad_value), "i32")
        view = build("aie.dma", [], attributes, ["i1"], num_blocks)
        _fill_bd(view, function)
        return view

    return decorate


def another_bd(dma_op: OpView) -> Callable[..., Any]:
    """`@another_bd(op)`: the next descriptor of `@dma`."""

    def decorate(function: Callable[..., Any]) -> Any:
        _fill_bd(dma_op, function)
        return dma_op

    return decorate


def _fill_bd(view: OpView, function: Callable[..., Any]) -> None:
    for region in view.ir.regions:
        if not region.blocks:
            with insertion.InsertionPoint(region.append(ir.Block())):
                function()  # these regions have no terminator
            return
    raise Exception("each region of this task has its descriptors already; make another task for more")


def bd_chain(*inputs: Any) -> Callable[..., Any]:
    """`@bd_chain(types…)` over `def chain(bd, arguments…)`: descriptors that a sequence starts by name."""

    def decorate(function: Callable[..., Any]) -> Any:
        view = build("aie.bd_chain", [], {"sym_name": function.__name__}, regions=1)
        block = Region(view.ir.regions[0]).blocks.append(*inputs)
        with bds(view) as blocks:
            function(blocks, *block.arguments)
        return view

    return decorate


def bd_dim_layout(size: int, stride: int) -> Any:
    """The attribute `<size = …, stride = …>`."""
    return attrs.dim_layout((size, stride))


bd_dim_layout_array_attr_builder = attrs.dim_layouts
bd_dim_layout_array_array_attr_builder = attrs.dim_layout_lists
bd_pad_layout_array_attr_builder = attrs.pad_layouts
