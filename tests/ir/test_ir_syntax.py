"""Forms that no conformance design shows: each reads, prints the same, and survives the generic form."""

from __future__ import annotations

import textwrap

import pytest

from npuninja.ir.attributes import (
    ArrayAttr,
    BoolAttr,
    DenseArrayAttr,
    DenseElementsAttr,
    EnumAttr,
    IntegerAttr,
    OpaqueAttr,
    PacketInfoAttr,
    StringAttr,
    SymbolRefAttr,
)
from npuninja.ir.core import Block, Operation, Region
from npuninja.ir.operation_difference import difference
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify


def in_function(body: str, arguments: str = "") -> str:
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"module {{\n  func.func @f({arguments}) {{\n{indented}\n    return\n  }}\n}}\n"


def in_device(body: str) -> str:
    return (
        f"module {{\n"
        f"  aie.device(npu1) {{\n"
        f"{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        f"  }}\n"
        f"}}\n"
    )


def check(text: str) -> Operation:
    """`text` prints as itself, reads back the same from both forms, and is valid."""
    module = parse_module(text, "test.mlir")
    assert print_module(module) == text
    for generic in (False, True):
        assert difference(module, parse_module(print_module(module, generic), "again.mlir")) is None
    verify(module)
    return module


FUNCTION_BODIES = {
    "integers": (
        "%a: i32, %b: i32, %c: i1, %v: vector<4xi32>",
        """
        %x = arith.addi %a, %b : i32
        %y = arith.subi %a, %b overflow<nsw,nuw> : i32
        %z = arith.cmpi ult, %a, %b : i32
        %w = arith.select %c, %x, %y : i32
        %m = arith.cmpi eq, %v, %v : vector<4xi32>
        %s = arith.select %m, %v, %v : vector<4xi1>, vector<4xi32>
        %e = arith.extsi %a : i32 to i64
        %t = arith.trunci %e : i64 to i16
        %i = arith.index_cast %a : i32 to index
        %sum, %carry = arith.addui_extended %a, %b : i32, i1
        %low, %high = arith.mulsi_extended %a, %b : i32
        %r = arith.floordivsi %a, %b : i32
        """,
    ),
    "floats": (
        "%a: f32, %b: f32, %n: i32",
        """
        %x = arith.mulf %a, %b fastmath<reassoc,contract> : f32
        %c = arith.cmpf olt, %a, %b : f32
        %h = arith.truncf %a : f32 to bf16
        %d = arith.extf %h : bf16 to f32
        %i = arith.fptosi %a : f32 to i32
        %f = arith.sitofp %i : i32 to f32
        %b32 = arith.bitcast %f : f32 to i32
        %neg = arith.negf %a : f32
        %e = math.exp %a : f32
        %p = math.powf %a, %b fastmath<fast> : f32
        %q = math.fma %a, %b, %x : f32
        %k = math.fpowi %a, %n : f32, i32
        """,
    ),
    "constants": (
        "",
        """
        %c0 = arith.constant 0 : index
        %c-7_i8 = arith.constant -7 : i8
        %true = arith.constant true
        %cst = arith.constant 1.500000e+00 : f32
        %cst_0 = arith.constant 0x7FC0 : bf16
        %cst_1 = arith.constant dense<[[1, 2], [3, 4]]> : vector<2x2xi32>
        %cst_2 = arith.constant dense<0.000000e+00> : vector<16xf32>
        """,
    ),
    "loops": (
        "%m: memref<8xi32>, %n: i32",
        """
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c8 = arith.constant 8 : index
        %c0_i32 = arith.constant 0 : i32
        %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%acc = %c0_i32) -> (i32) {
          %x = memref.load %m[%i] : memref<8xi32>
          %next = arith.addi %acc, %x : i32
          scf.yield %next : i32
        }
        scf.for %j = %c0_i32 to %n step %n  : i32 {
        }
        %pair:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%p = %c0_i32, %q = %n) -> (i32, i32) {
          scf.yield %q, %p : i32, i32
        }
        %big = arith.cmpi sgt, %sum, %pair#1 : i32
        scf.if %big {
          memref.store %sum, %m[%c0] : memref<8xi32>
        } else {
          memref.store %pair#0, %m[%c0] : memref<8xi32>
        }
        %either = scf.if %big -> (i32) {
          scf.yield %sum : i32
        } else {
          scf.yield %n : i32
        }
        %last = scf.while (%arg = %either) : (i32) -> i32 {
          %go = arith.cmpi slt, %arg, %n : i32
          scf.condition(%go) %arg : i32
        } do {
        ^bb0(%arg: i32):
          %up = arith.addi %arg, %arg : i32
          scf.yield %up : i32
        }
        %chosen = scf.index_switch %c1 -> i32
        case 2 {
          scf.yield %last : i32
        }
        case 5 {
          scf.yield %n : i32
        }
        default {
          scf.yield %sum : i32
        }
        """,
    ),
    "affine": (
        "%m: memref<8x8xi32>, %n: index",
        """
        affine.for %i = 0 to 8 {
          affine.for %j = 0 to %n step 2 {
            %x = affine.load %m[%i + 1, %j * 2 - 3] : memref<8x8xi32>
            affine.store %x, %m[%j, symbol(%n) floordiv 4] : memref<8x8xi32>
            %y = affine.apply affine_map<(d0)[s0] -> (d0 mod 4 + s0)>(%i)[%n]
          }
        }
        %c0 = arith.constant 0 : i32
        %s = affine.for %i = 0 to min affine_map<(d0) -> (d0, 16)>(%n) iter_args(%a = %c0) -> (i32) {
          affine.yield %a : i32
        }
        affine.if affine_set<(d0) : (d0 - 4 >= 0)>(%n) {
          %z = affine.load %m[0, 0] : memref<8x8xi32>
        } else {
          %z = affine.load %m[1, 1] : memref<8x8xi32>
        }
        """,
    ),
    "memrefs": (
        "%m: memref<8x16xi32>, %n: index, %d: memref<?xi8>",
        """
        %a = memref.alloc() {alignment = 64 : i64} : memref<8x16xi32>
        %b = memref.alloca(%n) : memref<?xf32>
        memref.copy %a, %m : memref<8x16xi32> to memref<8x16xi32>
        %s = memref.subview %m[0, %n] [4, 4] [1, 1] : memref<8x16xi32> to memref<4x4xi32, strided<[16, 1], offset: ?>>
        %r = memref.reinterpret_cast %m to offset: [0], sizes: [128], strides: [1] : memref<8x16xi32> to memref<128xi32>
        %v = memref.view %d[%n][] : memref<?xi8> to memref<4xi32>
        %x = memref.collapse_shape %m [[0, 1]] : memref<8x16xi32> into memref<128xi32>
        %y = memref.expand_shape %x [[0, 1]] output_shape [32, 4] : memref<128xi32> into memref<32x4xi32>
        %c = memref.cast %r : memref<128xi32> to memref<?xi32>
        %k = memref.dim %m, %n : memref<8x16xi32>
        memref.assume_alignment %m, 32 : memref<8x16xi32>
        memref.dealloc %a : memref<8x16xi32>
        """,
    ),
    "vectors": (
        "%m: memref<64xi32>, %n: index, %s: i32",
        """
        %a = vector.load %m[%n] : memref<64xi32>, vector<16xi32>
        %b = vector.broadcast %s : i32 to vector<16xi32>
        %c = vector.transfer_read %m[%n], %s {in_bounds = [true]} : memref<64xi32>, vector<16xi32>
        %d = vector.extract %a[3] : i32 from vector<16xi32>
        %e = vector.insert %d, %a[2] : i32 into vector<16xi32>
        %f = vector.extractelement %a[%n : index] : vector<16xi32>
        %g = vector.extract_strided_slice %a {offsets = [0], sizes = [4], strides = [1]} : vector<16xi32> to vector<4xi32>
        vector.store %e, %m[%n] : memref<64xi32>, vector<16xi32>
        """,
    ),
    "calls": (
        "%a: i32",
        """
        %x = call @one(%a) : (i32) -> i32
        %y, %z = call @two(%a, %x) : (i32, i32) -> (i32, i32)
        call @none() : () -> ()
        """,
    ),
}


@pytest.mark.parametrize("name", sorted(FUNCTION_BODIES))
def test_standard_dialects(name: str) -> None:
    arguments, body = FUNCTION_BODIES[name]
    text = in_function(body, arguments)
    declared = ["@one(i32) -> i32", "@two(i32, i32) -> (i32, i32)", "@none()"] if name == "calls" else []
    head = "module {\n" + "".join(f"  func.func private {each}\n" for each in declared)
    check(text.replace("module {\n", head, 1))


def test_branches_pass_values_and_list_predecessors() -> None:
    check(
        in_function(
            """
            cf.br ^bb1(%a : i32)
            ^bb1(%x: i32):  // 3 preds: ^bb0, ^bb1, ^bb2
            cf.cond_br %c, ^bb1(%x : i32), ^bb2
            ^bb2:  // pred: ^bb1
            cf.switch %a : i32, [
              default: ^bb4,
              42: ^bb1(%a : i32),
              43: ^bb4
            ]
            ^bb3:  // no predecessors
            cf.br ^bb4
            ^bb4:  // 3 preds: ^bb2, ^bb2, ^bb3
            """,
            "%a: i32, %c: i1",
        ).replace("    ^bb", "  ^bb")
    )


DEVICE_BODIES = {
    "aie.dma": """
        %t = aie.tile(0, 2)
        %b = aie.buffer(%t) {sym_name = "b"} : memref<16xi32> \n        %l = aie.lock(%t) {sym_name = "l"}
        %m = aie.mem(%t) {
          %d = aie.dma(S2MM, 0) {repeat_count = 2 : i32} [{
            aie.use_lock(%l, AcquireGreaterEqual)
            aie.dma_bd(%b : memref<16xi32>, 4, 8)
            aie.use_lock(%l, Release)
          }, {
            aie.use_lock(%l, AcquireGreaterEqual)
            aie.dma_bd(%b : memref<16xi32>)
            aie.use_lock(%l, Release)
          }]
          aie.end
        }
        """,
    "bd_chain": """
        %t = aie.tile(0, 0)
        aie.shim_dma_allocation @out(S2MM, 0, 0)
        aie.bd_chain @both(%a: memref<8xi16>, %b: memref<8xi16>) {
          aie.dma_bd(%a : memref<8xi16>, 0, 8, [<size = 2, stride = 4>, <size = 4, stride = 1>])
          aie.next_bd ^bb1
        ^bb1:  // pred: ^bb0
          aie.dma_bd(%b : memref<8xi16>, 0, 8) {packet = #aie.packet_info<pkt_type = 0, pkt_id = 3>}
          aie.end
        }
        aiex.runtime_sequence @run(%x: memref<8xi16>, %y: memref<8xi16>) {
          %p = aiex.dma_start_bd_chain @both(%x, %y) : (memref<8xi16>, memref<8xi16>) on (%t, MM2S, 0)
          %q = aiex.dma_start_bd_chain_for @both(%x, %y) : (memref<8xi16>, memref<8xi16>) for  @out {issue_token = true}
          aiex.dma_await_task(%q)
          %r = aiex.dma_configure_task(%t, MM2S, 1) {
            aie.dma_bd(%x : memref<8xi16>, 2, 6)
            aie.end
          }
          aiex.dma_start_task(%r)
          aiex.npu.preempt {level = 1 : ui8}
          aiex.control_packet {address = 2301904 : ui32, data = array<i32: 4>, opcode = 0 : i32, stream_id = 1 : i32}
        }
        """,
    "fifos": """
        %t00 = aie.tile(0, 0)
        %t01 = aie.logical_tile<MemTile>(0, ?)
        %t02 = aie.tile(0, 2)
        %x = aie.external_buffer {sym_name = "x"} : memref<64xi32>
        aie.objectfifo @in(%t00, {%t01}, [2, 3]) {disable_synchronization = true} : !aie.objectfifo<memref<64xi32>>
        aie.objectfifo @c(%t01 dimensionsToStream [<size = 4, stride = 2>], {%t02}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
        aie.objectfifo.link [@in] -> [@c] ([] [])
        aie.objectfifo.allocate @c(%t02)
        aie.objectfifo.register_external_buffers @in(%t00, {%x}) : (memref<64xi32>)
        """,
    "switches": """
        %t = aie.tile(0, 0)
        %v = aie.tile(0, 3)
        %u = aie.tile(1, 3)
        aie.cascade_flow(%v, %u)
        %s = aie.switchbox(%t) {
          %a = aie.amsel<5> (3)
          %b = aie.amsel<0> (1)
          %m = aie.masterset(South : 0, %a, %b)
          aie.packet_rules(DMA : 0) {
            aie.rule(31, 4, %b)
          }
        }
        """,
}


@pytest.mark.parametrize("name", sorted(DEVICE_BODIES))
def test_aie_forms(name: str) -> None:
    check(in_device(DEVICE_BODIES[name]))


def only(body: str, name: str) -> Operation:
    module = parse_module(in_device(body), "test.mlir")
    return next(op for op in module.walk() if op.name == name)


def test_old_spellings_are_read() -> None:
    body = """
        %t = aie.tile(0, 2)
        %l = aie.lock(%t, 1)
        aie.shim_dma_allocation @x (MM2S, 0, 0)
        aiex.runtime_sequence(%a : memref<16xi32>) {
          aiex.npu.dma_memcpy_nd (0, 0, %a[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1], packet = <pkt_id = 2, pkt_type = 1>) {
            id = 1 : i64, metadata = @x::@y} : memref<16xi32>
        }
        %core = aie.core(%t) {
          aie.use_lock(%l, "Acquire", 0)
          aie.end
        } {stack_size = 1024 : i32}
        """
    copy = only(body, "aiex.npu.dma_memcpy_nd")
    assert copy.attributes["packet"] == PacketInfoAttr(1, 2)
    assert copy.attributes["metadata"] == SymbolRefAttr(("x", "y"))
    assert copy.attributes["static_sizes"] == DenseArrayAttr("i64", (1, 1, 1, 16))
    assert copy.segments == (1, 0, 0, 0)
    assert only(body, "aie.use_lock").attributes["action"] == EnumAttr("LockAction", "Acquire")
    assert only(body, "aie.shim_dma_allocation").string("sym_name") == "x"
    assert "stack_size" not in only(body, "aie.core").attributes  # the default


def test_offset_and_length_may_be_in_the_dictionary() -> None:
    body = """
        %t = aie.tile(0, 2)
        %b = aie.buffer(%t) {sym_name = "b"} : memref<16xi32>
        %m = aie.mem(%t) {
          aie.dma_bd(%b : memref<16xi32>) {len = 8 : i32, offset = 4 : i32}
          aie.next_bd ^bb1
        ^bb1:
          "aie.dma_bd"(%b) <{len = 8 : i32}> : (memref<16xi32>) -> ()
          aie.next_bd ^bb2
        ^bb2:
          aie.dma_bd(%b : memref<16xi32>) {dimensions = #aie<bd_dim_layout_array[<size = 4, stride = 1>]>}
          aie.end
        }
        """
    text = print_module(parse_module(in_device(body), "test.mlir"))
    assert "aie.dma_bd(%b : memref<16xi32>, 4, 8)\n" in text
    assert "aie.dma_bd(%b : memref<16xi32>, 0, 8)\n" in text
    assert "aie.dma_bd(%b : memref<16xi32>, 0, 16, [<size = 4, stride = 1>])\n" in text


def test_generic_form_of_other_tools_is_read() -> None:
    text = """
        "builtin.module"() ({
          "aie.device"() <{device = 4 : i32, sym_name = "main"}> ({
            %0 = "aie.tile"() <{col = 0 : i32, row = 2 : i32}> : () -> index
            %1 = "aie.lock"(%0) <{init = 1 : i32, lockID = 3 : i32}> {sym_name = "go"} : (index) -> index
            %2 = "aie.core"(%0) <{stack_size = 2048 : i32}> ({
              "aie.use_lock"(%1) <{action = 2 : i32, value = 1 : i32}> : (index) -> ()
              "cf.br"()[^bb1] : () -> ()
            ^bb1:  // pred: ^bb0
              "aie.end"() : () -> ()
            }) : (index) -> index
            "aie.end"() : () -> ()
          }) : () -> ()
        }) : () -> ()
        """
    module = parse_module(text, "test.mlir")
    verify(module)
    device = module.body.ops[0]
    assert device.attributes == {"device": EnumAttr("AIEDevice", "npu1")}
    assert [op.name for op in device.body.ops] == ["aie.tile", "aie.lock", "aie.core"]
    lock, core = device.body.ops[1:]
    assert lock.integer("lockID") == 3
    assert lock.string("sym_name") == "go"
    assert core.body.ops[0].attributes["action"] == EnumAttr("LockAction", "AcquireGreaterEqual")
    assert print_module(module).splitlines()[2:6] == [
        "    %tile_0_2 = aie.tile(0, 2)",
        '    %go = aie.lock(%tile_0_2, 3) {init = 1 : i32, sym_name = "go"}',
        "    %core_0_2 = aie.core(%tile_0_2) {",
        "      aie.use_lock(%go, AcquireGreaterEqual, 1)",
    ]


def test_aliases_comments_and_locations() -> None:
    text = """
        // a comment
        #map = affine_map<(d0) -> (d0 + 1)>
        !line = memref<16xi32>
        #loc = loc("design.py":1:2)
        module @m attributes {note = "a \\22quoted\\22 \\C3\\A9"} {
          func.func @f(%a: !line loc("x"), %i: index) {  // another
            %j = affine.apply #map(%i) loc(#loc)
            %x = affine.load %a[%j] : !line
            return
          } loc(#loc)
        }
        """
    module = parse_module(text, "test.mlir")
    assert module.string("sym_name") == "m"
    assert module.attributes["note"] == StringAttr('a "quoted" é')
    apply = next(op for op in module.walk() if op.name == "affine.apply")
    assert apply.attributes["map"] == OpaqueAttr("affine_map<(d0) -> (d0 + 1)>")
    again = parse_module(print_module(module), "again.mlir")
    assert difference(module, again) is None


def test_attribute_values() -> None:
    text = """aiex.npu.sync {a = [1, 2 : i32, "s", @x], b, c = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>, channel = 0 : i32,
              column = 0 : i32, column_num = 1 : i32, d = {e = true, f = 1.5 : f32}, direction = 0 : i32, row = 0 : i32,
              row_num = 1 : i32, g = -1 : i8, h = 0xFF : ui8, k = array<i64>, n = #other<thing[1]>}"""
    sync = parse_module(text, "test.mlir").body.ops[0]
    found = sync.attributes
    assert found["a"] == ArrayAttr(
        (IntegerAttr(1, "i64"), IntegerAttr(2, "i32"), StringAttr("s"), SymbolRefAttr(("x",)))
    )
    assert found["c"] == DenseElementsAttr(("1", "2", "3", "4"), "tensor<2x2xi8>", False)
    assert found["g"] == IntegerAttr(-1, "i8")
    assert found["h"] == IntegerAttr(255, "ui8")
    assert dict(found["d"].items)["e"] == BoolAttr(True)  # type: ignore[union-attr]
    assert found["n"] == OpaqueAttr("#other<thing[1]>")
    printed = print_module(sync)
    assert printed.startswith(
        'aiex.npu.sync {a = [1, 2 : i32, "s", @x], b, c = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>, '
    )
    assert difference(sync, parse_module(printed, "again.mlir").body.ops[0]) is None


def test_names_that_clash_get_numbers_as_in_mlir() -> None:
    def constant(value: int) -> Operation:
        attributes = {"value": IntegerAttr(value, "index")}
        return Operation(
            "arith.constant", attributes=attributes, result_types=("index",), result_names=("c0",)
        )

    inner = Block()
    inner.append(constant(3))
    core = Operation("scf.execute_region", regions=[Region([inner])])
    outer = Block()
    for op in (constant(0), constant(1), core, constant(2)):
        outer.append(op)
    text = print_module(Operation("builtin.module", regions=[Region([outer])]))
    assert [line.split()[0] for line in text.splitlines() if "constant" in line] == [
        "%c0",
        "%c0_0",
        "%c0_2",
        "%c0_1",
    ]


def test_carriage_returns_and_byte_order_mark_are_space() -> None:
    module = parse_module("\ufeffmodule {\r\n  // two\r\n  %t = aie.tile(0, 2)\r\n}\r\n", "dos.mlir")
    assert str(module.body.ops[0].loc) == "dos.mlir:3:8"
