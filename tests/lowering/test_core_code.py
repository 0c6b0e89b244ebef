"""The step function of a core: waits, values across them, memory, calls; and what is refused."""

import re
import struct

import pytest
import wasmtime
from core_runner import RunningCore
from wasm_build import WasmBuild

from npuninja.errors import UserError
from npuninja.ir.parser import parse_module
from npuninja.lowering.core_code.source import core_info, core_source

# Word of lock `id` of tile (0, 2) and (0, 3) in the lock page.
OWN, NORTH = 2 * 64, 3 * 64
AT_LEAST, EQUAL, FAULT = 1, 2, 3


def design(body, before="", attributes=""):
    return f"""module {{ aie.device(npu1) {{
  %t = aie.tile(0, 2)
  %n = aie.tile(0, 3)
  %far = aie.tile(2, 4)
  %l = aie.lock(%t, 1) {{init = 0 : i32, sym_name = "ready"}}
  %m = aie.lock(%t, 2) {{init = 0 : i32, sym_name = "done"}}
  %ln = aie.lock(%n, 5) {{init = 0 : i32, sym_name = "above"}}
  %lf = aie.lock(%far, 0) {{init = 0 : i32, sym_name = "far"}}
  %b = aie.buffer(%t) {{address = 1024 : i32, sym_name = "b"}} : memref<4x4xi32>
  %s = aie.buffer(%t) {{address = 2048 : i32, sym_name = "s"}} : memref<16xi16>
  %u = aie.buffer(%n) {{address = 0 : i32, sym_name = "u"}} : memref<8xf32>
  %w = aie.buffer(%far) {{address = 0 : i32, sym_name = "w"}} : memref<8xf32>
{before}
  %core = aie.core(%t) {{
{body}
    aie.end
  }} {attributes}
}} }}"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("compiler cache")


@pytest.fixture
def running(tmp_path, cache):
    return lambda text, kernels=None: RunningCore(WasmBuild(tmp_path, cache), text, kernels)


def waiting(point, kind, need, word):
    return point << 32 | kind << 24 | need << 16 | word


def words(core, address, count):
    return list(struct.unpack(f"<{count}i", core.read(address, 4 * count)))


def test_waits_until_the_lock_is_high_enough(running):
    core = running(design("aie.use_lock(%l, AcquireGreaterEqual, 2) aie.use_lock(%m, Release, 3)"))
    assert core.step() == waiting(1, AT_LEAST, 2, OWN + 1)
    core.set_lock(OWN + 1, 1)
    assert core.step() == waiting(1, AT_LEAST, 2, OWN + 1)  # tests again, changes nothing
    core.set_lock(OWN + 1, 5)
    assert core.step() == -1
    assert (core.lock(OWN + 1), core.lock(OWN + 2)) == (3, 3)
    assert core.step() == -1  # ended, and nothing more happens
    assert core.lock(OWN + 2) == 3


def test_waits_until_the_lock_is_equal(running):
    core = running(design("aie.use_lock(%l, Acquire, 2)"))
    core.set_lock(OWN + 1, 3)
    assert core.step() == waiting(1, EQUAL, 2, OWN + 1)
    core.set_lock(OWN + 1, 2)
    assert core.step() == -1
    assert core.lock(OWN + 1) == 2  # it waits, and takes nothing


def test_integers_that_say_their_sign_are_handed_on(running):
    """As a kernel of an array of np.uint8, written in Python, has them; every bit stays."""
    before = """
  %x = aie.buffer(%t) {address = 4096 : i32, sym_name = "x"} : memref<4xui8>
  %y = aie.buffer(%t) {address = 4128 : i32, sym_name = "y"} : memref<4xsi16>
  func.func @first(%p: memref<4xui8>) -> ui8 {
    %i = arith.constant 1 : index
    %v = memref.load %p[%i] : memref<4xui8>
    func.return %v : ui8
  }"""
    body = """
    %i = arith.constant 0 : index
    %j = arith.constant 1 : index
    %v = func.call @first(%x) : (memref<4xui8>) -> ui8
    memref.store %v, %x[%i] : memref<4xui8>
    %v2 = memref.load %y[%j] : memref<4xsi16>
    memref.store %v2, %y[%i] : memref<4xsi16>"""
    core = running(design(body, before))
    core.memory[0x71000:0x71002] = b"\x00\xf0"
    core.memory[0x71020:0x71024] = b"\x00\x00\xfe\xff"
    assert core.step() == -1
    assert core.read(0x71000, 2) == b"\xf0\xf0"
    assert core.read(0x71020, 4) == b"\xfe\xff\xfe\xff"


def test_amount_of_a_lock_may_be_known_at_run_time_only(running):
    """It is looked at again when the core goes on."""
    core = running(
        design("""
    %i = arith.constant 0 : index
    %amount = memref.load %b[%i, %i] : memref<4x4xi32>
    aie.use_lock(%l, AcquireGreaterEqual, %amount)
    aie.use_lock(%m, Release, %amount)""")
    )
    core.memory[0x70400:0x70404] = struct.pack("<i", 3)
    core.set_lock(OWN + 1, 2)
    assert core.step() == waiting(1, AT_LEAST, 3, OWN + 1)
    core.memory[0x70400:0x70404] = struct.pack("<i", 1)
    core.set_lock(OWN + 1, 4)
    assert core.step() == -1
    assert (core.lock(OWN + 1), core.lock(OWN + 2)) == (1, 3)


def test_amount_of_a_lock_beyond_its_range_stops_the_core(running):
    core = running(
        design("""
    %i = arith.constant 0 : index
    %amount = memref.load %b[%i, %i] : memref<4x4xi32>
    aie.use_lock(%m, Release, %amount)""")
    )
    core.memory[0x70400:0x70404] = struct.pack("<i", 64)
    with pytest.raises(wasmtime.Trap, match="unreachable"):
        core.step()


def test_release_above_the_limit_is_a_fault(running):
    core = running(design("aie.use_lock(%l, AcquireGreaterEqual, 1) aie.use_lock(%m, Release, 2)"))
    core.set_lock(OWN + 1, 1)
    core.set_lock(OWN + 2, 62)
    result = core.step()
    assert result & 0xFFFFFFFF == waiting(0, FAULT, 2, OWN + 2)
    assert core.info["waits"][(result >> 32) - 1][4] == "done"


def test_lock_of_a_neighbour(running):
    core = running(design("aie.use_lock(%ln, AcquireGreaterEqual, 1)"))
    assert core.step() == waiting(1, AT_LEAST, 1, NORTH + 5)


LOOP = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n3 = arith.constant 3 : index
    %z = arith.constant 100 : i32
    cf.br ^head(%c0, %z : index, i32)
  ^head(%i: index, %sum: i32):
    %more = arith.cmpi slt, %i, %n3 : index
    cf.cond_br %more, ^body, ^out(%sum : i32)
  ^body:
    aie.use_lock(%l, AcquireGreaterEqual, 1)
    %x = memref.load %b[%c0, %i] : memref<4x4xi32>
    %next = arith.addi %sum, %x : i32
    aie.use_lock(%m, AcquireGreaterEqual, 1)
    %j = arith.addi %i, %c1 : index
    cf.br ^head(%j, %next : index, i32)
  ^out(%total: i32):
    memref.store %total, %b[%n3, %n3] : memref<4x4xi32>"""


def test_values_survive_waits(running):
    core = running(design(LOOP))
    core.write(0x70400, struct.pack("<4i", 1, 20, 300, 0))
    for _ in range(3):
        assert core.step() >> 32 == 1
        core.set_lock(OWN + 1, 1)
        assert core.step() >> 32 == 2
        core.set_lock(OWN + 2, 1)
    assert core.step() == -1
    assert words(core, 0x70400 + 4 * 15, 1) == [421]


def test_same_result_when_it_never_has_to_stop(running):
    core = running(design(LOOP))
    core.write(0x70400, struct.pack("<4i", 1, 20, 300, 0))
    core.set_lock(OWN + 1, 3)
    core.set_lock(OWN + 2, 3)
    assert core.step() == -1
    assert words(core, 0x70400 + 4 * 15, 1) == [421]


def test_block_arguments_are_passed_all_at_once(running):
    body = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1 : i32
    %two = arith.constant 2 : i32
    %true = arith.constant true
    %false = arith.constant false
    cf.br ^swap(%one, %two, %true : i32, i32, i1)
  ^swap(%x: i32, %y: i32, %again: i1):
    cf.cond_br %again, ^swap(%y, %x, %false : i32, i32, i1), ^out
  ^out:
    memref.store %x, %b[%c0, %c0] : memref<4x4xi32>
    memref.store %y, %b[%c0, %c1] : memref<4x4xi32>"""
    core = running(design(body))
    assert core.step() == -1
    assert words(core, 0x70400, 2) == [2, 1]


def test_switch(running):
    body = """
    %c0 = arith.constant 0 : index
    %f = memref.load %b[%c0, %c0] : memref<4x4xi32>
    %v1 = arith.constant 11 : i32
    %v2 = arith.constant 22 : i32
    cf.switch %f : i32, [default: ^out(%f : i32), 1: ^out(%v1 : i32), -2: ^out(%v2 : i32)]
  ^out(%r: i32):
    memref.store %r, %b[%c0, %c0] : memref<4x4xi32>"""
    core = running(design(body))
    for value, expected in ((1, 11), (-2, 22), (7, 7)):
        core.restart()
        core.write(0x70400, struct.pack("<i", value))
        assert core.step() == -1
        assert words(core, 0x70400, 1) == [expected]


def test_parts_of_buffers(running):
    body = """
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %x = arith.constant 5 : i32
    %part = memref.subview %b[1, %c1] [2, 2] [1, 1] : memref<4x4xi32> to memref<2x2xi32, strided<[4, 1], offset: ?>>
    memref.store %x, %part[%c1, %c1] : memref<2x2xi32, strided<[4, 1], offset: ?>>
    %row = memref.subview %b[0, 0] [2, 2] [1, 1] : memref<4x4xi32> to memref<2x2xi32, strided<[4, 1]>>
    %table = memref.get_global @table : memref<2x2xi32>
    memref.copy %table, %row : memref<2x2xi32> to memref<2x2xi32, strided<[4, 1]>>
    %flat = memref.reinterpret_cast %b to offset: [12], sizes: [4], strides: [1]
        : memref<4x4xi32> to memref<4xi32, strided<[1], offset: 12>>
    memref.store %x, %flat[%c2] : memref<4xi32, strided<[1], offset: 12>>"""
    table = 'memref.global "private" constant @table : memref<2x2xi32> = dense<[[1, 2], [3, -4]]>'
    core = running(design(body, table))
    assert core.step() == -1
    assert words(core, 0x70400, 16) == [1, 2, 0, 0, 3, -4, 0, 0, 0, 0, 5, 0, 0, 0, 5, 0]


def test_local_memory_outlives_waits(running):
    body = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x = arith.constant 9 : i32
    %m1 = memref.alloca() : memref<2xi32>
    memref.store %x, %m1[%c1] : memref<2xi32>
    aie.event(1)
    aie.use_lock(%l, AcquireGreaterEqual, 1)
    %y = memref.load %m1[%c1] : memref<2xi32>
    memref.store %y, %b[%c0, %c0] : memref<4x4xi32>"""
    core = running(design(body))
    assert core.step() == waiting(1, AT_LEAST, 1, OWN + 1)
    core.set_lock(OWN + 1, 1)
    assert core.step() == -1
    assert words(core, 0x70400, 1) == [9]


def test_calls_kernels_with_every_kind_of_argument(running):
    before = """
  func.func private @kernel(memref<4x4xi32>, memref<8xf32>, i32, index, f32, bf16, i1, i16) -> i32
  func.func private @int(memref<16xi16>)
  func.func private @pair(i32) -> (i32, f32)
  func.func @twice(%x: i32) -> i32 {
    %c = arith.constant 0 : i32
    %big = arith.cmpi sgt, %x, %c : i32
    cf.cond_br %big, ^yes, ^no
  ^yes:
    %y = arith.addi %x, %x : i32
    return %y : i32
  ^no:
    return %c : i32
  }"""
    body = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %five = arith.constant -5 : i32
    %i = arith.constant 4294967296 : index
    %f = arith.constant 1.5 : f32
    %h = arith.constant 2.0 : bf16
    %t1 = arith.constant true
    %k = arith.constant -3 : i16
    %r = func.call @kernel(%b, %u, %five, %i, %f, %h, %t1, %k)
        : (memref<4x4xi32>, memref<8xf32>, i32, index, f32, bf16, i1, i16) -> i32
    func.call @int(%s) : (memref<16xi16>) -> ()
    %p:2 = func.call @pair(%r) : (i32) -> (i32, f32)
    %d = func.call @twice(%p#0) : (i32) -> i32
    memref.store %d, %b[%c0, %c1] : memref<4x4xi32>
    memref.store %p#1, %u[%c1] : memref<8xf32>"""
    kernel = """
    int kernel(int *b, float *u, int five, long long i, float f, unsigned short h, _Bool t, short k) {
      b[0] = five + (int)(i >> 32) + (int)(f * 2) + h + t + k;
      u[0] = 0.25f;
      return b[0];
    }
    void int_(short *s) __asm__("int");
    void int_(short *s) { s[0] = 77; }
    struct two { int a; float b; };
    struct two pair(int x) { return (struct two){x + 1, 0.5f}; }"""
    core = running(design(body, before), {"kernel.c": kernel})
    assert core.step() == -1
    total = -5 + 1 + 3 + 0x4000 + 1 - 3
    assert words(core, 0x70400, 2) == [total, 2 * (total + 1)]
    assert core.read(0x70800, 2) == struct.pack("<h", 77)
    assert core.read(0x60000, 8) == struct.pack("<2f", 0.25, 0.5)
    assert core.info["neighbours"] == ["north"]
    assert [f[0] for f in core.info["functions"]] == ["kernel", "int", "pair"]


def test_sums_that_the_compiler_makes_wide_products_of(running):
    body = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %k = memref.load %b[%c0, %c0] : memref<4x4xi32>
    %count = arith.index_cast %k : i32 to index
    cf.br ^head(%c0, %c0 : index, index)
  ^head(%i: index, %sum: index):
    %more = arith.cmpi slt, %i, %count : index
    cf.cond_br %more, ^body, ^out
  ^body:
    %square = arith.muli %i, %i : index
    %total = arith.addi %sum, %square : index
    %next = arith.addi %i, %c1 : index
    cf.br ^head(%next, %total : index, index)
  ^out:
    %r = arith.index_cast %sum : index to i32
    memref.store %r, %b[%c0, %c1] : memref<4x4xi32>"""
    core = running(design(body))
    core.write(0x70400, struct.pack("<i", 1000))
    assert core.step() == -1
    assert words(core, 0x70404, 1) == [sum(i * i for i in range(1000))]


def test_library_math(running):
    body = """
    %c0 = arith.constant 0 : index
    %x = memref.load %u[%c0] : memref<8xf32>
    %y = math.sin %x : f32
    %z = math.powf %y, %x : f32
    %q = arith.remf %x, %z : f32
    memref.store %q, %u[%c0] : memref<8xf32>"""
    core = running(design(body))
    core.write(0x60000, struct.pack("<f", 0.75))
    assert core.step() == -1
    (result,) = struct.unpack("<f", core.read(0x60000, 4))
    assert result == pytest.approx(0.75 % 0.681638760**0.75, rel=1e-5)


def test_lines_of_the_design_are_in_the_object(running):
    text = design("aie.use_lock(%l, AcquireGreaterEqual, 1)")
    core = running(text)
    line = next(n for n, part in enumerate(text.split("\n"), 1) if "use_lock" in part)
    assert f'#line {line} "design.mlir"' in core.source
    point, file, wait_line, column, lock = core.info["waits"][0]
    assert (point, file, wait_line, lock) == (1, "design.mlir", line, "ready")
    assert column == 1


def test_info():
    body = "%i = arith.constant 1 : i32\nfunc.call @k(%b, %i) : (memref<4x4xi32>, i32) -> ()"
    text = design(
        body,
        """func.func private @k(memref<4x4xi32>, i32)
  %memory = aie.tile(1, 1)
  %half = aie.buffer(%memory) {address = 64 : i32, sym_name = "half"} : memref<16xi32>""",
        '{stack_size = 4096 : i32, link_with = "k.o"}',
    )
    info = core_info(parse_module(text, "d.mlir"), "main", 0, 2, file="d.mlir")
    assert (info["abi"], info["entry"], info["stack_bytes"], info["link_files"]) == (
        1,
        "core_0_2",
        4096,
        ["k.o"],
    )
    assert info["data_origin"] == 0x71000  # the stack is larger than what the buffers take
    assert info["buffers"] == [["u", 0x60000, 32], ["b", 0x70400, 64], ["s", 0x70800, 32]]
    assert info["locks"][:2] == [["ready", 129], ["done", 130]]
    assert info["locks"][-1] == ["far", 1280]  # a core cannot reach it, and a message may name it
    assert info["tile_buffers"] == [["half", 1, 1, 64, 64]]
    assert info["functions"] == [["k", "d.mlir", 13, 1, [64, "i32"]]]
    assert [*info["elements"]] == ["k"]
    assert info["location"] == ["d.mlir", 16, 11]


@pytest.mark.parametrize(("kind", "prefix"), [("aie2", "aiev2"), ("aie2p", "aie2p")])
def test_code_for_hardware(kind, prefix, tmp_path, cache):
    body = """
    aie.use_lock(%ln, AcquireGreaterEqual, 2)
    aie.use_lock(%l, Acquire, 1)
    func.call @k(%b) : (memref<4x4xi32>) -> ()
    aie.use_lock(%m, Release, 1)"""
    source = core_source(
        parse_module(design(body, "func.func private @k(memref<4x4xi32>)"), "d.mlir"),
        "",
        0,
        2,
        kind=kind,
        file="d.mlir",
    )
    locks = re.findall(r"__builtin_(\w+)\((\d+), (-?\d+)\)", source)
    # A core sees the locks of the tile north of it from 32 on, its own from 48 on.
    assert locks == [
        (f"{prefix}_acquire", "37", "-2"),
        (f"{prefix}_acquire", "49", "1"),
        (f"{prefix}_release", "50", "1"),
    ]
    assert "extern int b[];" in source
    assert "k(b);" in source
    # No Peano here: at least it is C, with functions for the builtins.
    declarations = "".join(f"void {prefix}_{f}(int, int);\n" for f in ("acquire", "release"))
    assert WasmBuild(tmp_path, cache).core(declarations + source.replace("__builtin_", "")).exists()


VECTORS = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %x = vector.load %b[%c0, %c0] : memref<4x4xi32>, vector<4xi32>
    %y = vector.load %b[%c1, %c0] : memref<4x4xi32>, vector<4xi32>
    %five = arith.constant dense<5> : vector<4xi32>
    %p = arith.muli %x, %y : vector<4xi32>
    %less = arith.cmpi slt, %x, %y : vector<4xi32>
    %below = arith.cmpi ult, %x, %y : vector<4xi32>
    %picked = arith.select %less, %p, %five : vector<4xi1>, vector<4xi32>
    %top = arith.maxui %picked, %y : vector<4xi32>
    %shifted = arith.shrsi %top, %five : vector<4xi32>
    %narrow = arith.trunci %shifted : vector<4xi32> to vector<4xi8>
    %wide = arith.extsi %narrow : vector<4xi8> to vector<4xi32>
    %flag = vector.extract %below[2] : i1 from vector<4xi1>
    %word = arith.extui %flag : i1 to i32
    %marked = vector.insert %word, %wide[1] : i32 into vector<4xi32>
    vector.store %marked, %b[%c2, %c0] : memref<4x4xi32>, vector<4xi32>
    %sum = vector.reduction <add>, %p : vector<4xi32> into i32
    %most = vector.reduction <maxsi>, %x, %sum : vector<4xi32> into i32
    %all = vector.broadcast %most : i32 to vector<2x2xi32>
    %row = vector.shape_cast %all : vector<2x2xi32> to vector<4xi32>
    %z = arith.xori %row, %marked : vector<4xi32>
    vector.store %z, %b[%c3, %c0] : memref<4x4xi32>, vector<4xi32>
"""


@pytest.mark.parametrize(
    "numbers", [(1, -2, 300, 7, 5, 6, -70000, 9), (-1, -1, -1, 2**31 - 1, 0, 1, -(2**31), 3)]
)
def test_vectors_of_integers(running, numbers):
    core = running(design(VECTORS))
    core.memory[0x70400:0x70420] = struct.pack("<8i", *numbers)
    assert core.step() == -1

    def signed(value, bits=32):
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value

    x, y = numbers[:4], numbers[4:]
    p = [signed(a * b) for a, b in zip(x, y)]
    top = [max((q if a < b else 5) & 0xFFFFFFFF, b & 0xFFFFFFFF) for q, a, b in zip(p, x, y)]
    marked = [signed(signed(t) >> 5, 8) for t in top]
    marked[1] = int(x[2] & 0xFFFFFFFF < y[2] & 0xFFFFFFFF)
    most = max(signed(sum(p)), *x)
    assert words(core, 0x70420, 8) == [*marked, *(most ^ m for m in marked)]


LAST = "permutation_map = affine_map<(d0, d1) -> (d1)>"


@pytest.mark.parametrize(("first", "length"), [(0, 4), (1, 2), (2, 2)])
def test_a_transfer_within_the_buffer_needs_no_word_for_it(running, first, length):
    core = running(
        design(
            f"""
    %c1 = arith.constant 1 : index
    %first = arith.constant {first} : index
    %zero = arith.constant 0 : i32
    %v = vector.transfer_read %b[%c1, %first], %zero {{{LAST}}} : memref<4x4xi32>, vector<{length}xi32>
    %c0 = arith.constant 0 : index
    vector.transfer_write %v, %b[%c0, %c0] : vector<{length}xi32>, memref<4x4xi32>
"""
        )
    )
    core.memory[0x70400:0x70420] = struct.pack("<8i", *range(8))
    assert core.step() == -1
    assert words(core, 0x70400, length) == list(range(4 + first, 4 + first + length))


REFUSED = {
    "loops that are not branches yet": (
        "%c0 = arith.constant 0 : index %c1 = arith.constant 1 : index scf.for %i = %c0 to %c1 step %c1 { }",
        "'scf.for' must be lowered",
    ),
    "fifos": ("aie.objectfifo.release @x(Consume, 1)", "'aie.objectfifo.release' must be lowered"),
    "sums of float vectors": (
        "%x = arith.constant dense<1.0> : vector<4xf32> %y = arith.addf %x, %x : vector<4xf32>",
        "compute with vectors of floats ('arith.addf')",
    ),
    "vectors of odd sizes": ("%v = arith.constant dense<1> : vector<3xi32>", "vector<3xi32>"),
    "half a cascade": ("%v = aie.get_cascade() : vector<8xi32>", "takes a vector of 512 bits"),
    "wide words": ("%p = arith.constant 0 : i32 %v = aie.get_stream(%p : i32) : i128", "words of 32 bits"),
    "odd widths": ("%c = arith.constant 1 : i7 %d = arith.addi %c, %c : i7", "type i7"),
    "locks of a tile far away": (
        "aie.use_lock(%lf, AcquireGreaterEqual, 1)",
        "cannot reach a lock of tile (2, 4)",
    ),
    "buffers of a tile far away": (
        "%c0 = arith.constant 0 : index %x = memref.load %w[%c0] : memref<8xf32>",
        "cannot reach a buffer of tile (2, 4)",
    ),
    "lock values beyond 63": ("aie.use_lock(%l, Release, 64)", "lock value 64 is out of range"),
    "heap memory": ("%m1 = memref.alloc() : memref<4xi32>", "a core has no heap ('memref.alloc')"),
    "fused products of float vectors": (
        "%x = arith.constant dense<1.0> : vector<4xf32> %y = vector.fma %x, %x, %x : vector<4xf32>",
        "compute with vectors of floats ('vector.fma')",
    ),
    "sums across float vectors": (
        "%x = arith.constant dense<1.0> : vector<4xf32> %y = vector.reduction <add>, %x : "
        "vector<4xf32> into f32",
        "compute with vectors of floats ('vector.reduction')",
    ),
    "parallel loops": (
        "%c0 = arith.constant 0 : index %c1 = arith.constant 1 : index "
        "scf.parallel (%i) = (%c0) to (%c1) step (%c1) { scf.reduce }",
        "'scf.parallel' is refused: a core does one thing at a time",
    ),
    "transfers that may begin after the first element": (
        "%i = arith.constant 1 : index %z = arith.constant 0 : i32 "
        "%v = vector.transfer_read %b[%i, %i], %z : memref<4x4xi32>, vector<4xi32>",
        "'vector.transfer_read' in core code needs in_bounds",
    ),
    "masked transfers": (
        "%i = arith.constant 0 : index %z = arith.constant 0 : i32 %mask = arith.constant dense<true> : "
        "vector<4xi1> "
        '%v = "vector.transfer_read"(%b, %i, %i, %z, %mask) <{in_bounds = [true], '
        "operandSegmentSizes = array<i32: 1, 2, 1, 1>}> "
        ": (memref<4x4xi32>, index, index, i32, vector<4xi1>) -> vector<4xi32>",
        "cannot do this on vectors ('vector.transfer_read')",
    ),
    "columns of a buffer": (
        "%i = arith.constant 0 : index %z = arith.constant 0 : i32 "
        "%v = vector.transfer_read %b[%i, %i], %z {in_bounds = [true], permutation_map = "
        "affine_map<(d0, d1) -> (d0)>} : memref<4x4xi32>, vector<4xi32>",
        "cannot do this on vectors ('vector.transfer_read')",
    ),
    "loops over workers": ("scf.forall (%i) in (4) { }", "'scf.forall' is refused"),
    "fills of buffers": (
        "%z = arith.constant 0 : i32 linalg.fill ins(%z : i32) outs(%b : memref<4x4xi32>)",
        "'linalg.fill' is refused: it must be loops before it comes here",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    body, message = REFUSED[name]
    text = design(body)
    with pytest.raises(UserError) as caught:
        core_source(parse_module(text, "d.mlir"), "", 0, 2, kind="wasm", file="d.mlir")
    assert message in caught.value.message
    assert caught.value.location.line == next(n for n, part in enumerate(text.split("\n"), 1) if body in part)


def test_locks_in_functions_are_refused():
    function = "func.func @f() {\n aie.use_lock(%l, Release, 1)\n return\n }"
    # An isolated function cannot name the device's lock and makes a value: the operation alone is refused.
    text = design(
        "func.call @f() : () -> ()",
        function.replace("%l", "%t1").replace("{", "{ %t1 = arith.constant 1 : index", 1),
    )
    with pytest.raises(UserError, match="a function cannot use locks"):
        core_source(parse_module(text, "d.mlir"), "", 0, 2, kind="wasm", file="d.mlir")


def test_unknown_core_and_kind():
    module = parse_module(design(""), "d.mlir")
    with pytest.raises(UserError, match=r"no core at \(1, 2\)") as caught:
        core_source(module, "", 1, 2, kind="wasm", file="d.mlir")
    assert caught.value.hint == "it has cores at (0, 2)"
    with pytest.raises(UserError, match="unknown core kind 'x86'"):
        core_source(module, "", 0, 2, kind="x86", file="d.mlir")


@pytest.mark.parametrize("numbers", [8, 16])
def test_blocks_of_numbers_are_handed_to_kernels_as_the_bytes_they_are(running, numbers):
    size, block = numbers + 1, f'!aiex.bfp<"v{numbers}bfp16ebs{numbers}">'
    text = f"""module {{ aie.device(npu2) {{
  func.func private @count(memref<4x{block}>)
  %t = aie.tile(0, 2)
  %b = aie.buffer(%t) {{address = 1024 : i32, sym_name = "b"}} : memref<4x{block}>
  %core = aie.core(%t) {{
    func.call @count(%b) : (memref<4x{block}>) -> ()
    aie.end
  }}
}} }}"""
    kernel = f"void count(unsigned char *p) {{ for (int i = 0; i < 4 * {size}; i++) p[i] = i; }}"
    core = running(text, {"count.c": kernel})
    assert core.step() == -1
    assert core.read(0x70400, 4 * size + 1) == bytes([*range(4 * size), 0])
    with_the_value = text.replace(
        "func.call @count(%b) :",
        f"%c = arith.constant 0 : index\n memref.load %b[%c] : memref<4x{block}>\n func.call @count(%b) :",
    )
    with pytest.raises(UserError, match=r"core code cannot use type !aiex\.bfp"):
        core_source(parse_module(with_the_value, "d.mlir"), "", 0, 2, kind="wasm", file="d.mlir")


def test_integers_with_a_sign_of_their_own_are_loaded_and_handed_on(running):
    text = """module { aie.device(npu1_1col) {
  %t = aie.tile(0, 2)
  %b = aie.buffer(%t) {address = 1024 : i32, sym_name = "b"} : memref<4xui8>
  func.func private @fill(memref<4xui8>)
  func.func @moved(%from: memref<4xui8>, %value: ui8) -> ui8 {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %last = memref.load %from[%c3] : memref<4xui8>
    memref.store %value, %from[%c3] : memref<4xui8>
    func.return %last : ui8
  }
  %core = aie.core(%t) {
    func.call @fill(%b) : (memref<4xui8>) -> ()
    %c0 = arith.constant 0 : index
    %first = memref.load %b[%c0] : memref<4xui8>
    %last = func.call @moved(%b, %first) : (memref<4xui8>, ui8) -> ui8
    memref.store %last, %b[%c0] : memref<4xui8>
    aie.end
  }
} }"""
    core = running(
        text, {"fill.c": "void fill(unsigned char *p) { for (int i = 0; i < 4; i++) p[i] = 250 + i; }"}
    )
    assert core.step() == -1
    assert core.read(0x70400, 4) == bytes([253, 251, 252, 250])
