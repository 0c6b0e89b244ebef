"""Reading and writing of the numbers of DMA, lock and register operations: literals, or SSA values.

MLIR-AIE up to 2026-06 writes them as literals, kept as attributes; later releases as operands:

    aie.use_lock(%l, Release, 1)                    aie.use_lock(%l, Release, %c1)
    aie.dma_bd(%b : memref<8xi32>, 0, 8)            aie.dma_bd(%b : memref<8xi32> offset = 0 len = 8)
    aiex.npu.write32 {address = 4 : ui32, …}        aiex.npu.write32(%address, %value) {…} : i32, i32

Both spellings are read, each on its own, and kept as they are written; `npuninja.lowering.number_operands`
turns one into the other.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.core import Operation
from npuninja.ir.custom import CustomForm
from npuninja.ir.directives import MixedList
from npuninja.ir.types import element_count, memref

if TYPE_CHECKING:
    from npuninja.ir.op_state import OpState
    from npuninja.ir.parser import Parser
    from npuninja.ir.printer import OpWriter

# aie.use_lock(%l, Release, 1) or (%l, Release, %c1), and whether it blocks


def _parse_lock_value(p: Parser, s: OpState) -> None:
    while p.accept(","):
        token = p.tokens[p.i]
        if token[:1] == "%":
            s.positions["value"] = [p.i]
            s.operands["value"] = [p.use("i32")]
        elif token in ("Blocking", "NonBlocking"):
            s.attributes["blocking"] = p.enum_case("LockBlocking")
        else:
            s.attributes["value"] = p.typed_integer("i32")


def _print_lock_value(w: OpWriter, op: Operation) -> None:
    if "value" in op.attributes:
        w.glued(f", {op.integer('value')}")
    for value in w.group(op, "value"):
        w.glued(f", {w.value(value)}")
    if "blocking" in op.attributes:
        w.glued(f", {w.attribute(op.attributes['blocking'], typed=False)}")


# aie.dma_bd(%b : memref<…>, offset, len, [dimensions], [padding], pad_value = n)
# aie.dma_bd(%b : memref<…> offset = n len = %x sizes = […] strides = […] pad […])

_SCALARS = ("offset", "len")
_LISTS = ("sizes", "strides")


def _parse_dma_bd(p: Parser, s: OpState) -> None:
    if p.tokens[p.i] in (*_SCALARS, *_LISTS, "pad"):
        _parse_keywords(p, s)
        return
    for name in ("offset", "len", "dimensions", "pad_dimensions"):
        if p.tokens[p.i] != "," or p.tokens[p.i + 1] == "pad_value":
            break
        p.i += 1
        if name == "dimensions":
            s.attributes[name] = p.dimensions()
        elif name == "pad_dimensions":
            s.attributes[name] = p.pads()
        else:
            s.attributes[name] = p.typed_integer("i32")
    if p.tokens[p.i] == "," and p.tokens[p.i + 1] == "pad_value":
        p.i += 2
        p.expect("=")
        s.attributes["pad_value"] = p.typed_integer("i32")


def _parse_keywords(p: Parser, s: OpState) -> None:
    for name in _SCALARS:
        if p.accept(name):
            p.expect("=")
            if p.tokens[p.i][:1] == "%":
                s.positions[name] = [p.i]
                s.operands[name] = [p.use("i32")]
            else:
                s.attributes["static_" + name] = p.typed_integer("i32")
    for name in _LISTS:
        if p.accept(name):
            p.expect("=")
            MixedList(name, "i64").parse(p, s)
    if p.accept("pad"):
        s.attributes["pad_dimensions"] = p.pads()


def _print_dma_bd(w: OpWriter, op: Operation) -> None:
    if "offset" not in op.attributes:
        _print_keywords(w, op)
        return
    offset = op.integer("offset", 0)
    if "len" in op.attributes:
        w.glued(f", {offset}, {op.integer('len')}")
    elif "dimensions" in op.attributes:
        # The form has no place for dimensions without a length, which then is the whole buffer's.
        (buffer,) = w.types(op, "buffer")
        w.glued(f", {offset}, {element_count(memref(buffer).shape)}")
    elif offset:
        w.glued(f", {offset}")
    for name in ("dimensions", "pad_dimensions"):
        if name in op.attributes:
            text = w.attribute(op.attributes[name])
            w.glued(", " + text[text.index("[") : -1])
    if "pad_value" in op.attributes:
        w.glued(f", pad_value = {op.integer('pad_value')}")


def _print_keywords(w: OpWriter, op: Operation) -> None:
    for name in _SCALARS:
        values = w.group(op, name)
        if values:
            w.glued(f" {name} = {w.value(values[0])}")
        elif "static_" + name in op.attributes:
            w.glued(f" {name} = {op.integer('static_' + name)}")
    for name in _LISTS:
        if "static_" + name in op.attributes:
            w.glued(f" {name} = {w.mixed_list(op, name)}")
    if "pad_dimensions" in op.attributes:
        text = w.attribute(op.attributes["pad_dimensions"])
        w.glued(" pad " + text[text.index("[") : -1])


# aiex.npu.write32(%address, %value) {…} : i32, i32


def _use_number(p: Parser, s: OpState) -> None:
    s.positions.setdefault("numbers", []).append(p.i)
    s.operands.setdefault("numbers", []).append(p.use("i32"))


def _parse_numbers(p: Parser, s: OpState) -> None:
    if p.accept("("):
        p.comma_separated(lambda: _use_number(p, s), ")")


def _print_numbers(w: OpWriter, op: Operation) -> None:
    if op.operands:
        w.glued(f"({', '.join(map(w.value, op.operands))})")


def _parse_number_types(p: Parser, s: OpState) -> None:
    if "numbers" in s.operands and p.accept(":"):
        types = [p.parse_type()]
        while p.accept(","):
            types.append(p.parse_type())
        s.set_types(p, "numbers", tuple(types))


def _print_number_types(w: OpWriter, op: Operation) -> None:
    if op.operands:
        w.glued(" : " + ", ".join(v.type for v in op.operands))


# aiex.npu.push_queue(0, 0, MM2S : 0) bd_id %bd repeat %n {…} : i32, i32; ODS has the repeat count first.


def _parse_queue_numbers(p: Parser, s: OpState) -> None:
    if p.accept("bd_id"):
        _use_number(p, s)
        p.expect("repeat")
        _use_number(p, s)
        s.operands["numbers"].reverse()
        s.positions["numbers"].reverse()


def _print_queue_numbers(w: OpWriter, op: Operation) -> None:
    if op.operands:
        repeat, bd_id = w.group(op, "numbers")
        w.glued(f" bd_id {w.value(bd_id)} repeat {w.value(repeat)}")


# aiex.npu.address_patch(%plus : i32) addr %runtime : i32 {…}; ODS has the address first.


def _parse_patch_numbers(p: Parser, s: OpState) -> None:
    if p.accept("("):
        _use_number(p, s)
        p.expect(":")
        p.expect("i32")
        p.expect(")")
        if p.accept("addr"):
            _use_number(p, s)
            p.expect(":")
            p.expect("i32")
            s.operands["numbers"].reverse()
            s.positions["numbers"].reverse()


def _print_patch_numbers(w: OpWriter, op: Operation) -> None:
    if op.operands:
        *addresses, plus = w.group(op, "numbers")
        w.glued(f"({w.value(plus)} : {plus.type})")
        for address in addresses:
            w.glued(f" addr {w.value(address)} : {address.type}")


# aiex.npu.rtp_write(@b, 0, 5) or (@b, 0, %v) : i32


def _parse_rtp_number(p: Parser, s: OpState) -> None:
    if p.tokens[p.i][:1] == "%":
        _use_number(p, s)
    else:
        s.attributes["value"] = p.typed_integer("i32")


def _print_rtp_number(w: OpWriter, op: Operation) -> None:
    w.parameter("".join(map(w.value, w.group(op, "numbers"))) or str(op.integer("value")))


CUSTOM_NUMBERS: dict[str, CustomForm] = {
    "lock_value": CustomForm(_parse_lock_value, _print_lock_value),
    "dma_bd": CustomForm(_parse_dma_bd, _print_dma_bd),
    "numbers": CustomForm(_parse_numbers, _print_numbers),
    "number_types": CustomForm(_parse_number_types, _print_number_types),
    "queue_numbers": CustomForm(_parse_queue_numbers, _print_queue_numbers),
    "patch_numbers": CustomForm(_parse_patch_numbers, _print_patch_numbers),
    "rtp_number": CustomForm(_parse_rtp_number, _print_rtp_number),
}
