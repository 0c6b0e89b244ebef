"""Every scalar operation of core code against Python's and NumPy's arithmetic."""

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from core_runner import RunningCore
from hypothesis import given, settings
from hypothesis import strategies as st
from wasm_build import WasmBuild

from npuninja.lowering.core_code.types import float_literal

WIDTHS = {"i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64}
A, B, RESULTS = 0x400, 0x500, 0x1000  # addresses of the operands and of the first result


def signed(value, width):
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def unsigned(value, width):
    return value & ((1 << width) - 1)


def quotient(a, b):
    return -1 if b == 0 else -(-a // b) if (a < 0) != (b < 0) else a // b


def shifted(value, count, width, left):
    """As AIE2 does it for 32 bits: by five bits of the count, a negative one the other way. Other widths lose
    what goes out.
    """
    if width != 32:
        return (value << count if count < width else 0) if left else value >> min(count, 200)
    if count >> 31:
        left, count = not left, -count
        value = value if left else unsigned(value, width)
    return value << count % 32 if left else value >> count % 32


# Operation -> function of the operands read as signed (s), or as unsigned (u), and the width.
SIGNED = {
    "addi": lambda a, b, w: a + b,
    "subi": lambda a, b, w: a - b,
    "muli": lambda a, b, w: a * b,
    "andi": lambda a, b, w: a & b,
    "ori": lambda a, b, w: a | b,
    "xori": lambda a, b, w: a ^ b,
    "divsi": lambda a, b, w: quotient(a, b),
    "remsi": lambda a, b, w: a if b == 0 else a - b * quotient(a, b),
    "floordivsi": lambda a, b, w: -1 if b == 0 else a // b,
    "ceildivsi": lambda a, b, w: -1 if b == 0 else -(-a // b),
    "maxsi": lambda a, b, w: max(a, b),
    "minsi": lambda a, b, w: min(a, b),
    "shrsi": lambda a, b, w: shifted(a, unsigned(b, w), w, left=False),
    "cmpi slt,": lambda a, b, w: a < b,
    "cmpi sle,": lambda a, b, w: a <= b,
    "cmpi sgt,": lambda a, b, w: a > b,
    "cmpi sge,": lambda a, b, w: a >= b,
}
UNSIGNED = {
    "divui": lambda a, b, w: -1 if b == 0 else a // b,
    "remui": lambda a, b, w: a if b == 0 else a % b,
    "ceildivui": lambda a, b, w: -1 if b == 0 else -(-a // b),
    "maxui": lambda a, b, w: max(a, b),
    "minui": lambda a, b, w: min(a, b),
    "shli": lambda a, b, w: shifted(a, b, w, left=True),
    "shrui": lambda a, b, w: shifted(a, b, w, left=False),
    "cmpi eq,": lambda a, b, w: a == b,
    "cmpi ne,": lambda a, b, w: a != b,
    "cmpi ult,": lambda a, b, w: a < b,
    "cmpi ule,": lambda a, b, w: a <= b,
    "cmpi ugt,": lambda a, b, w: a > b,
    "cmpi uge,": lambda a, b, w: a >= b,
}


class Program:
    """A design whose core applies operations to the values at A and B; each result has its own buffer."""

    def __init__(self):
        self.buffers, self.body = [], ["%c0 = arith.constant 0 : index"]
        self.places = {}
        self.next_address = RESULTS

    def buffer(self, name, address, type):
        self.buffers.append(
            f'%{name} = aie.buffer(%t) {{address = {address} : i32, sym_name = "{name}"}} : memref<1x{type}>'
        )

    def operands(self, type):
        """Values of the type at A and B: %a_T, %b_T."""
        for name, address in (("a", A), ("b", B)):
            self.buffer(f"m{name}_{type}", address, type)
            self.body.append(f"%{name}_{type} = memref.load %m{name}_{type}[%c0] : memref<1x{type}>")

    def result(self, key, text, type):
        """Stores the result of `text`, of `type`, under `key`."""
        name = f"r{len(self.places)}"
        self.buffer(name, self.next_address, type)
        self.body += [f"%{name}v = {text}", f"memref.store %{name}v, %{name}[%c0] : memref<1x{type}>"]
        self.places[key] = (self.next_address, type)
        self.next_address += 8

    def results(self, key, text, types):
        """Stores both results of `text` under `key` with 0 and 1 after it."""
        name = f"p{len(self.places)}"
        self.body.append(f"%{name}:2 = {text}")
        for i, type in enumerate(types):
            buffer = f"r{len(self.places)}"
            self.buffer(buffer, self.next_address, type)
            self.body.append(f"memref.store %{name}#{i}, %{buffer}[%c0] : memref<1x{type}>")
            self.places[(*key, i)] = (self.next_address, type)
            self.next_address += 8

    def text(self):
        inner = "\n        ".join(self.body)
        return f"""module {{ aie.device(npu1) {{
      %t = aie.tile(0, 2)
      {chr(10).join(self.buffers)}
      %core = aie.core(%t) {{
        {inner}
        aie.end
      }} }} }}"""


FLOAT_FORMATS = {"f16": ("<e", 2), "f32": ("<f", 4), "f64": ("<d", 8), "bf16": (None, 2)}
FLOAT_TYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
PREDICATES = {
    "oeq": lambda a, b, n: not n and a == b,
    "ogt": lambda a, b, n: not n and a > b,
    "oge": lambda a, b, n: not n and a >= b,
    "olt": lambda a, b, n: not n and a < b,
    "ole": lambda a, b, n: not n and a <= b,
    "one": lambda a, b, n: not n and a != b,
    "ord": lambda a, b, n: not n,
    "ueq": lambda a, b, n: n or a == b,
    "ugt": lambda a, b, n: n or a > b,
    "uge": lambda a, b, n: n or a >= b,
    "ult": lambda a, b, n: n or a < b,
    "ule": lambda a, b, n: n or a <= b,
    "une": lambda a, b, n: n or a != b,
    "uno": lambda a, b, n: n,
    "true": lambda a, b, n: True,
    "false": lambda a, b, n: False,
}


def add_integers(program):
    for type in WIDTHS:
        program.operands(type)
        for name in (*SIGNED, *UNSIGNED):
            result = "i1" if name.startswith("cmpi") else type
            program.result((name, type), f"arith.{name} %a_{type}, %b_{type} : {type}", result)
        for other, width in WIDTHS.items():
            if width < WIDTHS[type]:
                program.result(("trunci", type, other), f"arith.trunci %a_{type} : {type} to {other}", other)
            elif width > WIDTHS[type]:
                program.result(("extsi", type, other), f"arith.extsi %a_{type} : {type} to {other}", other)
                program.result(("extui", type, other), f"arith.extui %a_{type} : {type} to {other}", other)
        for name in ("ctlz", "cttz", "ctpop", "absi"):
            program.result((name, type), f"math.{name} %a_{type} : {type}", type)


def add_floats(program):
    for type in FLOAT_FORMATS:
        program.operands(type)
        for name in ("addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf"):
            program.result((name, type), f"arith.{name} %a_{type}, %b_{type} : {type}", type)
        program.result(("negf", type), f"arith.negf %a_{type} : {type}", type)
        for name in ("absf", "sqrt", "floor", "ceil", "trunc", "round", "roundeven"):
            program.result((name, type), f"math.{name} %a_{type} : {type}", type)
        for predicate in PREDICATES:
            program.result(
                ("cmpf", predicate, type), f"arith.cmpf {predicate}, %a_{type}, %b_{type} : {type}", "i1"
            )
        for other in FLOAT_FORMATS:
            if FLOAT_FORMATS[other][1] > FLOAT_FORMATS[type][1]:
                program.result(("extf", type, other), f"arith.extf %a_{type} : {type} to {other}", other)
            elif FLOAT_FORMATS[other][1] < FLOAT_FORMATS[type][1]:
                program.result(("truncf", type, other), f"arith.truncf %a_{type} : {type} to {other}", other)
        program.result(("fptosi", type), f"arith.fptosi %a_{type} : {type} to i32", "i32")
        program.result(("fptoui", type), f"arith.fptoui %a_{type} : {type} to i16", "i16")


def build_program():
    program = Program()
    add_integers(program)
    add_floats(program)
    for type in WIDTHS:
        for name in ("addui_extended", "mulsi_extended", "mului_extended"):
            second = "i1" if name == "addui_extended" else type
            types = f"{type}, i1" if name == "addui_extended" else type
            program.results((name, type), f"arith.{name} %a_{type}, %b_{type} : {types}", (type, second))
        program.result(("ipowi", type), f"math.ipowi %a_{type}, %b_{type} : {type}", type)
        program.result(("select", type), f"arith.select %a_i1, %a_{type}, %b_{type} : {type}", type)
    for type in ("i8", "i32", "i64"):
        for name in ("index_cast", "index_castui"):
            program.body.append(f"%{name}_{type} = arith.{name} %a_{type} : {type} to index")
            program.result((name, type), f"arith.{name} %{name}_{type} : index to i64", "i64")
    for source, target in (
        ("f32", "i32"),
        ("i32", "f32"),
        ("f64", "i64"),
        ("i64", "f64"),
        ("bf16", "i16"),
        ("i16", "f16"),
    ):
        program.result(("bitcast", source), f"arith.bitcast %a_{source} : {source} to {target}", target)
    program.body.append("%third = arith.constant 1.0000001 : f32")
    program.result(("fma",), "math.fma %a_f32, %b_f32, %third : f32", "f32")
    program.result(("fma", "product"), "math.fma %third, %a_f32, %b_f32 : f32", "f32")
    program.result(("copysign",), "math.copysign %a_f32, %b_f32 : f32", "f32")
    program.result(("rsqrt",), "math.rsqrt %a_f64 : f64", "f64")
    program.result(("fpowi",), "math.fpowi %a_f64, %b_i8 : f64, i8", "f64")
    for source in ("i1", "i8", "i32", "i64"):
        program.result(("sitofp", source), f"arith.sitofp %a_{source} : {source} to f64", "f64")
        program.result(("uitofp", source), f"arith.uitofp %a_{source} : {source} to f64", "f64")
    program.result(("sitofp", "i16", "bf16"), "arith.sitofp %a_i16 : i16 to bf16", "bf16")
    return program


PROGRAM = build_program()


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """The program, compiled once."""
    folder = tmp_path_factory.mktemp("arith")
    return RunningCore(WasmBuild(folder, folder / "cache"), PROGRAM.text())


def run(core, a: bytes, b: bytes):
    core.restart()
    core.write(0x70000 + A, a.ljust(8, b"\0"))
    core.write(0x70000 + B, b.ljust(8, b"\0"))
    assert core.step() == -1


def integer_result(core, key):
    address, type = PROGRAM.places[key]
    width = WIDTHS[type]
    data = core.read(0x70000 + address, max(width // 8, 1))
    return int.from_bytes(data, "little")


def integers(width):
    edges = [0, 1, -1, 2, -2, 7, width, width - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
    return st.one_of(st.sampled_from(edges), st.integers(-(1 << (width - 1)), (1 << (width - 1)) - 1))


@pytest.mark.parametrize("type", WIDTHS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_integer_operations(core, type, data):
    width = WIDTHS[type]
    a, b = (signed(data.draw(integers(width)), width) for _ in "ab")
    # i1 is a byte of 0 or 1 in memory.
    run(core, *(unsigned(x, width).to_bytes(8, "little") for x in (a, b)))
    for table, view in ((SIGNED, signed), (UNSIGNED, unsigned)):
        for name, function in table.items():
            if name == "divsi" and b == -1:
                expected = -a
            else:
                expected = function(view(a, width), view(b, width), width)
            result_width = 1 if name.startswith("cmpi") else width
            assert integer_result(core, (name, type)) == unsigned(int(expected), result_width), (name, a, b)
    ua = unsigned(a, width)
    assert integer_result(core, ("ctpop", type)) == unsigned(bin(ua).count("1"), width)
    assert integer_result(core, ("ctlz", type)) == unsigned(width - ua.bit_length(), width)
    trailing = (ua & -ua).bit_length() - 1 if ua else width
    assert integer_result(core, ("cttz", type)) == unsigned(trailing, width)
    assert integer_result(core, ("absi", type)) == unsigned(abs(a), width)
    for other, other_width in WIDTHS.items():
        if other_width < width:
            assert integer_result(core, ("trunci", type, other)) == unsigned(a, other_width)
        elif other_width > width:
            assert integer_result(core, ("extsi", type, other)) == unsigned(a, other_width)
            assert integer_result(core, ("extui", type, other)) == ua


@pytest.mark.parametrize("type", WIDTHS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_wide_results(core, type, data):
    width = WIDTHS[type]
    a, b = (signed(data.draw(integers(width)), width) for _ in "ab")
    run(core, *(unsigned(x, width).to_bytes(8, "little") for x in (a, b)))
    ua, ub = unsigned(a, width), unsigned(b, width)
    for name, value in (("addui_extended", ua + ub), ("mulsi_extended", a * b), ("mului_extended", ua * ub)):
        assert integer_result(core, (name, type, 0)) == unsigned(value, width)
        high = value >> width
        assert integer_result(core, (name, type, 1)) == unsigned(
            high, 1 if name == "addui_extended" else width
        )
    power = int(abs(a) == 1) * (a if b & 1 else 1) if b < 0 else pow(a, b, 1 << 64)
    assert integer_result(core, ("ipowi", type)) == unsigned(power, width)
    assert integer_result(core, ("select", type)) == (ua if core.read(0x70000 + A, 1)[0] else ub)


@settings(max_examples=60, deadline=None)
@given(value=integers(64))
def test_index_casts(core, value):
    run(core, unsigned(value, 64).to_bytes(8, "little"), b"")
    for type in ("i8", "i32", "i64"):
        width = WIDTHS[type]
        assert integer_result(core, ("index_cast", type)) == unsigned(signed(value, width), 64)
        assert integer_result(core, ("index_castui", type)) == unsigned(value, width)


@given(value=st.binary(min_size=8, max_size=8))
def test_bitcasts(core, value):
    run(core, value, b"")
    for source, size in (("f32", 4), ("i32", 4), ("f64", 8), ("i64", 8), ("bf16", 2), ("i16", 2)):
        address, _ = PROGRAM.places[("bitcast", source)]
        found, sent = core.read(0x70000 + address, size), value[:size]
        # A move through a float register may quieten a NaN.
        assert found == sent or (source != "bf16" and same_nan(found, sent))


def same_nan(found, sent):
    format = {4: "<f", 8: "<d", 2: "<e"}[len(sent)]
    return all(math.isnan(struct.unpack(format, x)[0]) for x in (found, sent))


@given(
    value=st.one_of(
        st.floats(), st.sampled_from([65519.9, 65520.0, 3.4e38, 3.3961e38, 1e-45, 5e-41, 2.0**-25, 1e39])
    )
)
def test_literals(value):
    """Constants are rounded when the C is made, once, whatever their type."""
    for type in ("f16", "bf16"):
        bits = int(float_literal(repr(value), type), 16)
        assert same(decode(type, bits.to_bytes(2, "little")), rounded(type, value)), (type, value)
    for type, size in (("f32", 4), ("f64", 8)):
        text = float_literal(repr(value), type)
        if "builtin" in text:
            assert not math.isfinite(rounded(type, value))
        else:
            number = float.fromhex(text.strip("()").removesuffix("f") if type == "f32" else text.strip("()"))
            assert same(number, rounded(type, value))
        data = FLOAT_TYPES[type](1.5).tobytes()
        assert "0x1.8" in float_literal(hex(int.from_bytes(data, "little")), type)
        assert len(data) == size


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(a=finite, b=finite, small=st.booleans())
def test_fused_multiply_add_rounds_once(core, a, b, small):
    if small:
        b = float(np.float32(b / 2.0**24)) if abs(b) < 1e30 else 1.0
    run(core, struct.pack("<f", a), struct.pack("<f", b))
    third = float(np.float32(1.0000001))
    for key, exact in ((("fma",), Fraction(a) * Fraction(b) + Fraction(third)),
                       (("fma", "product"), Fraction(third) * Fraction(a) + Fraction(b))):  # fmt: skip
        address, _ = PROGRAM.places[key]
        result = decode("f32", core.read(0x70000 + address, 4))
        if abs(exact) >= Fraction(2) ** 128 - Fraction(2) ** 103:
            assert math.isinf(result)
            continue
        neighbours = [np.nextafter(np.float32(result), np.float32(way)) for way in (-np.inf, np.inf)]
        error = abs(Fraction(result) - exact)
        for other in neighbours:
            if np.isfinite(other):
                assert error <= abs(Fraction(float(other)) - exact), (a, b, key)
                if error == abs(Fraction(float(other)) - exact):
                    assert struct.pack("<f", result)[0] % 2 == 0  # a tie goes to the even one


@settings(max_examples=60, deadline=None)
@given(a=st.floats(0.01, 100), b=st.integers(-20, 20))
def test_roots_powers_and_signs(core, a, b):
    run(core, struct.pack("<d", a), struct.pack("<b", b))

    def result(type, *key):
        address, _ = PROGRAM.places[key]
        return decode(type, core.read(0x70000 + address, FLOAT_FORMATS[type][1]))

    assert result("f64", "rsqrt") == pytest.approx(a**-0.5)
    assert result("f64", "fpowi") == pytest.approx(a**b)
    for x, y in ((a, -a), (-a, a), (-a, -0.0)):
        x = float(np.float32(x))
        run(core, struct.pack("<f", x), struct.pack("<f", y))
        assert result("f32", "copysign") == math.copysign(x, y)


def decode(type, data):
    """A float as a Python float (exact for all four types)."""
    if type == "bf16":
        return struct.unpack("<f", b"\0\0" + data)[0]
    return struct.unpack(FLOAT_FORMATS[type][0], data)[0]


def bf16_round(value):
    """The nearest bf16 of an exact value, ties to even, found by looking at the neighbours."""
    if not math.isfinite(value):
        return value
    with np.errstate(over="ignore"):
        single = np.float32(abs(value))
    bits = int(single.view(np.uint32)) >> 16
    candidates = [b for b in (bits - 1, bits, bits + 1) if 0 <= b <= 0x7F80]
    exact = Fraction(abs(value))

    def distance(b):
        # Infinity counts as the number after the largest, as rounding does.
        number = Fraction(2) ** 128 if b == 0x7F80 else Fraction(decode("bf16", b.to_bytes(2, "little")))
        return (abs(number - exact), b & 1)

    nearest = decode("bf16", min(candidates, key=distance).to_bytes(2, "little"))
    return math.copysign(nearest, value)


def rounded(type, value):
    if type == "bf16":
        return bf16_round(float(value))
    with np.errstate(all="ignore"):
        return float(FLOAT_TYPES[type](value))


def same(x, y):
    return (math.isnan(x) and math.isnan(y)) or (x == y and math.copysign(1, x) == math.copysign(1, y))


def float_operation(name, a, b):
    """In double: for 8 to 24 bits the second rounding is harmless; for f64 there is none."""
    with np.errstate(all="ignore"):
        x, y = np.float64(a), np.float64(b)
        return float({"addf": x + y, "subf": x - y, "mulf": x * y, "divf": np.divide(x, y)}[name])


def extreme(a, b, largest):
    if a == b == 0:
        negative = (
            math.copysign(1, a) < 0 and math.copysign(1, b) < 0
            if largest
            else min(math.copysign(1, a), math.copysign(1, b)) < 0
        )
        return -0.0 if negative else 0.0
    return max(a, b) if largest else min(a, b)


def bit_patterns(size_bytes):
    return st.integers(0, (1 << 8 * size_bytes) - 1).map(lambda n: n.to_bytes(size_bytes, "little"))


def interesting(type):
    numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1.5,
        2.5,
        -2.5,
        65504.0,
        math.inf,
        -math.inf,
        math.nan,
        3.0,
        1 / 3,
        1e-7,
    ]

    def encode(value):
        if type == "bf16":
            return struct.pack("<f", bf16_round(value))[2:]
        return FLOAT_TYPES[type](value).tobytes()

    with np.errstate(all="ignore"):
        edges = [encode(n) for n in numbers]
    return st.one_of(st.sampled_from(edges), bit_patterns(FLOAT_FORMATS[type][1]))


@pytest.mark.parametrize("type", FLOAT_FORMATS)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_float_operations(core, type, data):
    a_bytes, b_bytes = data.draw(interesting(type)), data.draw(interesting(type))
    run(core, a_bytes, b_bytes)
    a, b = decode(type, a_bytes), decode(type, b_bytes)
    nan = math.isnan(a) or math.isnan(b)
    size = FLOAT_FORMATS[type][1]

    def result(*key):
        address, result_type = PROGRAM.places[key]
        return decode(result_type, core.read(0x70000 + address, FLOAT_FORMATS[result_type][1]))

    for name in ("addf", "subf", "mulf", "divf"):
        assert same(result(name, type), rounded(type, float_operation(name, a, b))), (name, a, b)
    for name, largest in (("max", True), ("min", False)):
        plain = math.nan if nan else extreme(a, b, largest)
        number = plain if not nan else b if math.isnan(a) else a
        assert same(result(name + "imumf", type), plain), (name, a, b)
        assert same(result(name + "numf", type), number), (name, a, b)
    address, _ = PROGRAM.places[("negf", type)]
    flipped = int.from_bytes(a_bytes, "little") ^ 1 << (8 * size - 1)
    assert core.read(0x70000 + address, size) == flipped.to_bytes(size, "little")
    assert same(result("absf", type), abs(a))
    assert same(result("sqrt", type), rounded(type, math.sqrt(a)) if a >= 0 else math.nan)
    if math.isfinite(a):
        away = math.copysign(math.floor(abs(a)) + (abs(a) - math.floor(abs(a)) >= 0.5), a)
        integral = {
            "floor": np.floor(a), "ceil": np.ceil(a), "trunc": np.trunc(a), "round": away, "roundeven": np.rint(a)
        }  # fmt: skip
        for name, expected in integral.items():
            assert same(result(name, type), rounded(type, float(expected))), (name, a)
    for predicate, function in PREDICATES.items():
        assert integer_result(core, ("cmpf", predicate, type)) == function(a, b, nan), (predicate, a, b)
    for other in FLOAT_FORMATS:
        for conversion in ("extf", "truncf"):
            if (conversion, type, other) in PROGRAM.places:
                assert same(result(conversion, type, other), rounded(other, a)), (conversion, other, a)
    limit = 1 << 31
    whole = 0 if math.isnan(a) else int(max(min(a, limit - 1), -limit))
    assert integer_result(core, ("fptosi", type)) == unsigned(whole, 32)
    natural = 0 if math.isnan(a) else int(max(min(a, 65535), 0))
    assert integer_result(core, ("fptoui", type)) == natural


@settings(max_examples=60, deadline=None)
@given(value=integers(64))
def test_integers_to_floats(core, value):
    run(core, unsigned(value, 64).to_bytes(8, "little"), b"")
    for source in ("i8", "i32", "i64"):
        width = WIDTHS[source]
        for name, view in (("sitofp", signed), ("uitofp", unsigned)):
            address, _ = PROGRAM.places[(name, source)]
            assert decode("f64", core.read(0x70000 + address, 8)) == float(view(value, width))
    address, _ = PROGRAM.places[("sitofp", "i16", "bf16")]
    assert decode("bf16", core.read(0x70000 + address, 2)) == bf16_round(float(signed(value, 16)))


def test_bool_to_float(core):
    run(core, b"\1", b"")
    signed_place, unsigned_place = PROGRAM.places[("sitofp", "i1")][0], PROGRAM.places[("uitofp", "i1")][0]
    assert decode("f64", core.read(0x70000 + signed_place, 8)) == -1.0
    assert decode("f64", core.read(0x70000 + unsigned_place, 8)) == 1.0
