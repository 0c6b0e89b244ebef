"""The dialect `index`: its operations are `arith`'s on indices, and constants fold as MLIR folds them."""

import pytest

from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.control_flow.constant_folding import fold_constants_in
from npuninja.lowering.core_code.source import core_source

PAIRS = {
    "add": "addi",
    "sub": "subi",
    "mul": "muli",
    "divs": "divsi",
    "divu": "divui",
    "ceildivs": "ceildivsi",
    "ceildivu": "ceildivui",
    "floordivs": "floordivsi",
    "rems": "remsi",
    "remu": "remui",
    "maxs": "maxsi",
    "maxu": "maxui",
    "mins": "minsi",
    "minu": "minui",
    "shl": "shli",
    "shrs": "shrsi",
    "shru": "shrui",
    "and": "andi",
    "or": "ori",
    "xor": "xori",
}


def design(*lines):
    body = "\n".join(lines)
    return f"""module {{ aie.device(npu1) {{
      %tile = aie.tile(0, 2)
      %b = aie.buffer(%tile) {{address = 1024 : i32, sym_name = "b"}} : memref<8xi32>
      %core = aie.core(%tile) {{
        %c1 = arith.constant 1 : index
        %c5 = arith.constant 5 : index
        %v = memref.load %b[%c1] : memref<8xi32>
        %i = arith.index_cast %v : i32 to index
        {body}
        memref.store %r, %b[%c5] : memref<8xi32>
        aie.end
      }}
    }} }}"""


def source(*lines):
    return core_source(parse_module(design(*lines), "d.mlir"), "", 0, 2, kind="wasm", file="d.mlir")


@pytest.mark.parametrize("name", PAIRS)
def test_an_operation_computes_what_that_of_arith_does(name):
    of_index = source(f"%x = index.{name} %i, %c5", "%r = index.casts %x : index to i32")
    assert of_index == source(
        f"%x = arith.{PAIRS[name]} %i, %c5 : index", "%r = arith.index_cast %x : index to i32"
    )


def test_comparisons():
    of_index = source("%p = index.cmp ult(%i, %c5)", "%r = arith.select %p, %v, %v : i32")
    assert of_index == source("%p = arith.cmpi ult, %i, %c5 : index", "%r = arith.select %p, %v, %v : i32")


def test_unsigned_casts_and_constants():
    of_index = source(
        "%k = index.constant 7",
        "%w = index.castu %v : i32 to index",
        "%x = index.add %w, %k",
        "%r = index.casts %x : index to i32",
    )
    of_arith = source(
        "%k = arith.constant 7 : index",
        "%w = arith.index_castui %v : i32 to index",
        "%x = arith.addi %w, %k : index",
        "%r = arith.index_cast %x : index to i32",
    )
    assert of_index == of_arith


def test_text_is_printed_as_it_was_read():
    text = design(
        "%k = index.constant -3",
        "%p = index.cmp sge(%i, %k)",
        "%x = index.maxu %i, %k",
        "%r = index.casts %x : index to i32",
    )
    printed = print_module(parse_module(text, "d.mlir"))
    assert "index.constant -3" in printed
    assert "index.casts %" in printed
    assert "index.cmp sge(%" in printed
    assert print_module(parse_module(printed, "d.mlir")) == printed


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (("%k = index.constant 2", "%x = index.add %c5, %k"), "index.constant 7"),
        (("%k = index.constant 3", "%x = index.mul %k, %k"), "index.constant 9"),
        (("%k = index.constant 0", "%x = index.sub %i, %k"), None),
        (
            ("%k = index.constant 2", "%x = index.divs %k, %k"),
            "index.divs",
        ),  # MLIR folds it too; the value is the same
    ],
)
def test_constants_fold_into_constants_of_the_dialect(lines, left):
    module = parse_module(design(*lines, "%r = index.casts %x : index to i32"), "d.mlir")
    (core,) = [op for op in module.walk() if op.name == "aie.core"]
    fold_constants_in(core)
    printed = print_module(module)
    assert "index.casts" in printed  # not folded by MLIR either: its constants have no other type
    assert printed.count("index.") - printed.count("index.casts") == (left is not None) + (
        left == "index.divs"
    )
    assert left is None or left in printed
