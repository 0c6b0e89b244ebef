"""Reading and writing of those parts of the AIE operations that the table's language cannot say."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.attributes import (
    ArrayAttr,
    BDDimLayout,
    BDDimLayoutArrayArrayAttr,
    BDDimLayoutArrayAttr,
)
from npuninja.ir.core import Operation
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Callable

    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter


class CustomForm(NamedTuple):
    """The two functions of a `custom(…)` directive."""

    parse: Callable[[Parser, OpState], None]
    print: Callable[[OpWriter, Operation], None]


# aie.logical_tile<CoreTile>(?, 2)


def _parse_logical_tile(p: Parser, s: OpState) -> None:
    p.expect("<")
    s.attributes["tile_type"] = p.enum_case("AIETileType")
    p.expect(">")
    p.expect("(")
    for name, closing in (("col", ","), ("row", ")")):
        if not p.accept("?"):
            s.attributes[name] = p.typed_integer("i32")
        p.expect(closing)


def _print_logical_tile(w: OpWriter, op: Operation) -> None:
    col, row = (str(op.integer(n)) if n in op.attributes else "?" for n in ("col", "row"))
    w.glued(f"<{w.attribute(op.attributes['tile_type'], typed=False)}>({col}, {row})")


# The regions of aie.dma: [{…}, {…}]


def _parse_regions(p: Parser, s: OpState) -> None:
    while True:
        s.regions.append(p.region())
        if not p.accept(","):
            return


def _print_regions(w: OpWriter, op: Operation) -> None:
    for i, region in enumerate(op.regions):
        if i:
            w.literal(",")
        w.region(region)


# (%a: type, …) { … }


def _parse_arguments_region(p: Parser, s: OpState) -> None:
    p.expect("(")
    places: list[int] = []
    arguments = p.comma_separated(lambda: p.typed_name(places), ")")
    s.regions.append(p.region(None, arguments, places))


def _print_arguments_region(w: OpWriter, op: Operation) -> None:
    w.glued(f"({w.typed_names(op.body.args)})")
    w.region(op.regions[0], arguments_shown=True)


# (%a: type, …) attributes {…} { … }; the older form has the dictionary after the region.


def _parse_sequence(p: Parser, s: OpState) -> None:
    p.expect("(")
    places: list[int] = []
    arguments = p.comma_separated(lambda: p.typed_name(places), ")")
    if p.accept("attributes"):
        p.attributes_of(s)
    s.regions.append(p.region(None, arguments, places))
    if p.tokens[p.i] == "{":
        p.attributes_of(s)


def _print_sequence(w: OpWriter, op: Operation) -> None:
    w.glued(f"({w.typed_names(op.body.args)})")
    w.attribute_dictionary(op, "attributes")
    w.region(op.regions[0], arguments_shown=True)


# aie.buffer(…) : memref<…> = dense<…>


def _parse_initial_value(p: Parser, s: OpState) -> None:
    if p.accept("="):
        s.attributes["initial_value"] = p.dense_elements(s.types["buffer"][0])


def _print_initial_value(w: OpWriter, op: Operation) -> None:
    if "initial_value" in op.attributes:
        w.glued(f" = {w.attribute(op.attributes['initial_value'], typed=False)}")
    else:
        w.glued(" ")  # aie-opt leaves one


# aie.shim_dma_allocation @x(MM2S, channel, column), in the newer generation @x(%tile, MM2S, channel)


def _parse_shim_dma_allocation(p: Parser, s: OpState) -> None:
    has_tile = p.tokens[p.i][:1] == "%"
    if has_tile:
        s.operands["tile"] = [p.use("index")]
        p.expect(",")
    s.attributes["channel_dir"] = p.enum_case("DMAChannelDir")
    p.expect(",")
    s.attributes["channel_index"] = p.typed_integer("i64")
    if not has_tile:
        p.expect(",")
        s.attributes["col"] = p.typed_integer("i64")
    if p.accept(","):
        s.attributes["packet"] = p.packet_info() if p.tokens[p.i] == "<" else p.parse_attribute()


def _print_shim_dma_allocation(w: OpWriter, op: Operation) -> None:
    parts = [w.value(v) for v in op.operands]
    parts.append(w.attribute(op.attributes["channel_dir"], typed=False))
    parts.append(str(op.integer("channel_index")))
    if not op.operands:
        parts.append(str(op.integer("col")))
    w.parameter(", ".join(parts))


# aie.objectfifo @f(%producer dimensionsToStream […], {%consumer dimensionsFromStream […], …}, depth)


def _parse_objectfifo(p: Parser, s: OpState) -> None:
    s.operands["producerTile"] = [p.use("index")]
    to_stream = p.dimensions() if p.accept("dimensionsToStream") else BDDimLayoutArrayAttr(())
    p.expect(",")
    p.expect("{")
    from_stream: list[tuple[BDDimLayout, ...]] = []

    def consumer() -> object:
        value = p.use("index")
        from_stream.append(p.dimensions().dims if p.accept("dimensionsFromStream") else ())
        return value

    s.operands["consumerTiles"] = p.comma_separated(consumer, "}")
    p.expect(",")
    if p.accept("["):
        s.attributes["elemNumber"] = ArrayAttr(tuple(p.comma_separated(lambda: p.typed_integer("i32"), "]")))
    else:
        place = p.i
        s.attributes["elemNumber"] = p.typed_integer("i32")
        if p.tokens[p.i - 1] != "i32":
            p.error("a depth without a type is an i64, expected an i32: write ': i32' after it", place)
    s.attributes["dimensionsToStream"] = to_stream
    s.attributes["dimensionsFromStreamPerConsumer"] = BDDimLayoutArrayArrayAttr(tuple(from_stream))


def _print_objectfifo(w: OpWriter, op: Operation) -> None:
    (producer,), consumers = w.group(op, "producerTile"), w.group(op, "consumerTiles")
    to_stream = op.attributes.get("dimensionsToStream", BDDimLayoutArrayAttr(()))
    from_stream = op.attributes.get("dimensionsFromStreamPerConsumer", BDDimLayoutArrayArrayAttr(()))
    assert isinstance(to_stream, BDDimLayoutArrayAttr), op
    assert isinstance(from_stream, BDDimLayoutArrayArrayAttr), op
    parts = []
    for i, consumer in enumerate(consumers):
        dims = from_stream.arrays[i] if i < len(from_stream.arrays) else ()
        parts.append(w.value(consumer) + (f" dimensionsFromStream {w.dimensions(dims)}" if dims else ""))
    dims_text = f" dimensionsToStream {w.dimensions(to_stream.dims)}" if to_stream.dims else ""
    depth = op.attributes["elemNumber"]
    if isinstance(depth, ArrayAttr):
        depth_text = f"[{', '.join(w.attribute(d, typed=False) for d in depth.items)}]"
    else:
        depth_text = w.attribute(depth)
    w.parameter(f"{w.value(producer)}{dims_text}, {{{', '.join(parts)}}}, {depth_text}")


def _parse_init_values(p: Parser, s: OpState) -> None:
    if p.accept("="):
        element = p.element_memref(s)
        p.expect("[")
        s.attributes["initValues"] = ArrayAttr(
            tuple(p.comma_separated(lambda: p.dense_elements(element), "]"))
        )


def _print_init_values(w: OpWriter, op: Operation) -> None:
    if "initValues" in op.attributes:
        w.glued(f" = {w.attribute(op.attributes['initValues'])}")


# aiex.npu.dma_memcpy_nd(x, y, %m[…][…][…]): x and y of the oldest spelling


def _parse_memcpy_position(p: Parser, s: OpState) -> None:
    if p.tokens[p.i][:1] == "%":
        return
    for name in ("x", "y"):
        s.attributes[name] = p.typed_integer("i64")
        p.expect(",")


def _print_memcpy_position(w: OpWriter, op: Operation) -> None:
    if "x" in op.attributes:
        w.parameter(f"{op.integer('x')}, {op.integer('y')}")
        w.literal(",")


CUSTOM: dict[str, CustomForm] = {
    "logical_tile": CustomForm(_parse_logical_tile, _print_logical_tile),
    "regions": CustomForm(_parse_regions, _print_regions),
    "arguments_region": CustomForm(_parse_arguments_region, _print_arguments_region),
    "sequence": CustomForm(_parse_sequence, _print_sequence),
    "initial_value": CustomForm(_parse_initial_value, _print_initial_value),
    "shim_dma_allocation": CustomForm(_parse_shim_dma_allocation, _print_shim_dma_allocation),
    "objectfifo": CustomForm(_parse_objectfifo, _print_objectfifo),
    "init_values": CustomForm(_parse_init_values, _print_init_values),
    "memcpy_position": CustomForm(_parse_memcpy_position, _print_memcpy_position),
}
