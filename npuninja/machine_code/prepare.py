"""Instructions as the runtime takes them: operation, where operands lie, latencies (`Op` of runtime/core.h).

One function a family of instructions. What is not prepared here, or not proved, becomes an operation that faults with
the instruction's name when it is issued: nothing is guessed.
"""

from __future__ import annotations

import os
import re
import struct
from functools import cache
from typing import Callable, NamedTuple, Sequence

from npuninja.errors import InternalError
from npuninja.machine_code.decode import Bundle, Decoded
from npuninja.machine_code.instruction_set import Operand
from npuninja.machine_code.registers import RegisterPlace, place_of

#: struct Op: op, latency, flags, dst, dst2, a, b, c, d, pointer, modifier, mode, size, x, y, imm, mask, at, extra.
OP = struct.Struct("<HBBIIIIIIIIBBBBiIII")
_IMM_OFFSET = 40
BUNDLE = struct.Struct("<IHHI")

F_BYPASS, F_CONDITION, F_SIGNED, F_CONTROL_SIGN, F_MASK = 1, 2, 4, 8, 16
MODE_NONE, MODE_INDEX, MODE_POST, MODE_2D = 0, 1, 2, 3
MAC_SUB_PRODUCT, MAC_SUB_ACC1, MAC_SUB_ACC2, MAC_ZERO, MAC_TWO = 1, 2, 4, 8, 16
BUNDLE_KNOWN, BUNDLE_BLOCKS, BUNDLE_PORTS = 1, 2, 8
STREAM_NO_WAIT, STREAM_LAST, STREAM_LAST_BY_R28 = 1, 2, 4

_LANE = re.compile(r"[sd]?(\d+)$")


@cache
def operations() -> dict[str, int]:
    """The runtime's operations by name, read from its header."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime", "core.h")
    with open(path, encoding="ascii") as stream:
        text = stream.read()
    start = text.index("OP_UNSUPPORTED,")
    body = re.sub(r"/\*.*?\*/", "", text[start : text.index("OPERATIONS", start)], flags=re.S)
    return {name: number for number, name in enumerate(re.findall(r"OP_\w+", body))}


class Layout(NamedTuple):
    """Where the runtime's tables lie in its memory."""

    bank: int
    bypass_bank: int
    ops: int


class Fields:
    """The fields of one operation, being filled."""

    def __init__(self, decoded: Decoded, layout: Layout, address: int, imm_at: int) -> None:
        self.decoded = decoded
        self._layout = layout
        self.imm_at = imm_at
        self.op = "OP_UNSUPPORTED"
        self.latency = 1
        self.flags = 0
        self.dst = self.dst2 = 0
        self.a = self.b = self.c = self.d = 0
        self.pointer = self.modifier = 0
        self.mode = self.size = self.x = self.y = 0
        self.imm = 0
        self.mask = 0xFFFFFFFF
        self.at = address
        self.extra = 0
        self._values = dict(zip((o.name for o in decoded.instruction.operands), decoded.operands))
        self._operands = {o.name: o for o in decoded.instruction.operands}
        self._imm_used = False

    def has(self, name: str) -> bool:
        """Whether there is an operand of this name."""
        return name in self._values

    def register(self, name: str) -> str:
        """The register of an operand."""
        value = self._values[name]
        if not isinstance(value, str):
            raise InternalError(f"{self.decoded.instruction.name}: {name} is a number")
        return value

    def place(self, name: str) -> RegisterPlace:
        """Where an operand's register lies."""
        return place_of(self.register(name))

    def operand(self, name: str) -> Operand:
        """The table's entry for an operand."""
        return self._operands[name]

    def source(self, name: str) -> int:
        """The address where the runtime finds an operand: a register, or the operation's own number."""
        value = self._values[name]
        if isinstance(value, int):
            if self._imm_used:
                raise InternalError(f"{self.decoded.instruction.name} has two numbers")
            self._imm_used = True
            self.imm = value
            return self.imm_at
        place = place_of(value)
        for access in self._operands[name].accesses:
            if not access.is_write and _on_network(access.bypass, place):
                return self._layout.bypass_bank + place.offset
        return self._layout.bank + place.offset

    def of_register(self, name: str) -> int:
        """The address of a register by its name."""
        return self._layout.bank + place_of(name).offset

    def result(self, name: str) -> None:
        """Makes an operand the destination."""
        place = self.place(name)
        self.dst = place.offset
        self.mask = place.mask
        for access in self._operands[name].accesses:
            if access.is_write:
                self.latency = access.stage
                if _on_network(access.bypass, place):
                    self.flags |= F_BYPASS

    def packed(self, numbers: dict[str, int]) -> bytes:
        """As struct Op."""
        return OP.pack(
            numbers[self.op], self.latency, self.flags, self.dst, self.dst2, self.a, self.b, self.c, self.d,
            self.pointer, self.modifier, self.mode, self.size, self.x, self.y, _signed(self.imm), self.mask, self.at,
            self.extra,
        )  # fmt: skip


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _on_network(bypass: str, place: RegisterPlace) -> bool:
    return (bypass == "m" and place.is_vector) or (bypass == "v" and place.is_accumulator)


Family = Callable[[Fields], None]


# --- Scalars.


def _binary(op: str) -> Family:
    def fill(f: Fields) -> None:
        f.op = op
        names = [o.name for o in f.decoded.instruction.operands]
        f.result(names[0])
        f.a = f.source(names[1])
        if len(names) > 2:
            f.b = f.source(names[2])

    return fill


def _extend(f: Fields) -> None:
    kind = f.decoded.instruction.mnemonic.partition(".")[2]
    _binary("OP_EXTEND")(f)
    f.x = int(kind[1:])
    f.flags |= F_SIGNED if kind[0] == "s" else 0


def _move(f: Fields) -> None:
    name = f.decoded.instruction.name
    if name == "MOV_CNTR":
        f.op = "OP_MOV_CNTR"
        f.result("dst")
    elif "ss2scl" in name or "2ms" in name:
        _stream(f)
    else:
        _binary("OP_MOV")(f)


def _stream(f: Fields) -> None:
    """A word from or to the core's stream. Headers of packets, which the machine puts together itself, stay unknown."""
    parts = f.decoded.instruction.mnemonic.split(".")
    if "ph" in parts or "cph" in parts:
        return
    f.x = STREAM_NO_WAIT if "nb" in parts else 0
    if f.has("mRa"):
        f.op = "OP_STREAM_READ"
        f.result("mRa")
        return
    f.op = "OP_STREAM_WRITE"
    f.a = f.source("src")
    f.x |= STREAM_LAST if "tlast" in parts else 0
    f.x |= STREAM_LAST_BY_R28 if f.decoded.instruction.arguments.endswith("r28") else 0


def _cascade(f: Fields) -> None:
    """512 bits from or to the neighbour's cascade; `.hi` and `.lo` fill half of an accumulator."""
    if f.has("src"):
        f.op = "OP_CASCADE_WRITE"
        f.a = f.source("src")
        return
    half = f.decoded.instruction.mnemonic.partition(".")[2]
    f.op = {"": "OP_CASCADE_READ", "hi": "OP_CASCADE_READ_HIGH", "lo": "OP_CASCADE_READ_LOW"}[half]
    f.result("dst")


def _lock(f: Fields) -> None:
    mnemonic = f.decoded.instruction.mnemonic
    f.op = "OP_ACQ" if mnemonic.startswith("acq") else "OP_REL"
    f.flags = F_CONDITION if mnemonic.endswith(".cond") else 0
    f.a = f.source("id" if f.has("id") else "mRx")
    f.b = f.source("mRy")


def _branch(f: Fields) -> None:
    mnemonic = f.decoded.instruction.mnemonic
    f.op = {"j": "OP_J", "jl": "OP_JL", "jz": "OP_JZ", "jnz": "OP_JNZ", "jnzd": "OP_JNZD", "ret lr": "OP_J"}[
        mnemonic
    ]
    if mnemonic == "ret lr":
        f.a = f.of_register("lr")
        return
    f.a = f.source("cpmaddr" if f.has("cpmaddr") else "mPm")
    if mnemonic == "jnzd":
        f.result("mRx")
        f.b = f.source("mRx0")
    elif f.has("mRx"):
        f.b = f.source("mRx")


def _plain(op: str) -> Family:
    def fill(f: Fields) -> None:
        f.op = op

    return fill


def _event(f: Fields) -> None:
    f.op = "OP_EVENT"
    f.a = f.source("val")


# --- Memory.


def _address(f: Fields) -> bool:
    """Fills the addressing of a memory access; False for a way that is not proved (3-D)."""
    text = f.decoded.instruction.arguments
    if f.has("ptr"):
        f.pointer = f.place("ptr").offset
    elif "[sp" in text:
        f.pointer = place_of("sp").offset
    else:
        return False
    if f.has("dj"):
        f.mode, f.modifier = MODE_INDEX, f.source("dj")
    elif f.has("mod"):
        kind = f.operand("mod").kind
        if kind == "eDS":
            return False
        if kind == "eD":
            f.mode, f.modifier = MODE_2D, int(f.register("mod")[1:])
        else:
            f.mode, f.modifier = MODE_POST, f.source("mod")
    elif f.has("imm"):
        post = "]," in text
        f.mode, f.modifier = (MODE_POST if post else MODE_INDEX), f.source("imm")
    else:
        f.mode = MODE_NONE
    return True


def _padd(f: Fields) -> None:
    if _address(f):
        f.op = "OP_PADD"


def _load(f: Fields) -> None:
    mnemonic = f.decoded.instruction.mnemonic
    if mnemonic == "lda.tm" or not _address(f):
        return
    operand = f.decoded.instruction.operands[0].name
    f.result(operand)
    place = f.place(operand)
    kind = mnemonic.split(".")[-1]
    if place.size_bytes == 16:
        f.op, f.size = "OP_LOAD_VECTOR", 16
        return
    f.op = "OP_LOAD"
    f.size = {"s8": 1, "u8": 1, "s16": 2, "u16": 2}.get(kind, 4)
    f.flags = F_SIGNED if kind in ("s8", "s16") else 0


def _store(f: Fields) -> None:
    mnemonic = f.decoded.instruction.mnemonic
    if mnemonic == "st.tm" or not _address(f):
        return
    operand = f.decoded.instruction.operands[0].name
    kind = mnemonic.split(".")[-1]
    f.a = f.source(operand)
    if kind in ("s8", "s16"):
        f.op, f.size = "OP_STORE_PART", 1 if kind == "s8" else 2
    elif f.place(operand).size_bytes == 16:
        f.op, f.size = "OP_STORE_VECTOR", 16
    else:
        f.op, f.size = "OP_STORE", 4


def _sign(f: Fields, kind: str) -> None:
    f.flags |= F_CONTROL_SIGN if kind.startswith("d") else F_SIGNED


def _lane(kind: str) -> int:
    found = _LANE.search(kind)
    if found is None:
        raise InternalError(f"no width in '{kind}'")
    return int(found[1])


#: To what the addresses of table look-ups are aligned.
_GATHER_BYTES = {"4x16": 4, "4x32": 8, "4x64": 16}


def _vector_load(f: Fields) -> None:
    parts = f.decoded.instruction.mnemonic.replace(".2d", "").replace(".3d", "").split(".")
    if parts[1:2] and parts[1] in _GATHER_BYTES:
        f.op, f.x = "OP_LOAD_GATHER", _GATHER_BYTES[parts[1]]
        f.result("dst")
        f.a = f.source("src") + (16 if parts[2] == "hi" else 0)
        return
    if (parts[1:2] and parts[1] in ("compr", "sparse")) or not _address(f):
        return
    f.result("dst")
    if "ups" in parts:
        f.op = "OP_LOAD_UPS"
        f.y, f.x = _lane(parts[2]), _lane(parts[3])
        f.size = f.place("dst").size_bytes * f.x // f.y
        _sign(f, parts[3])
        f.a = f.source("shft")
    elif "conv" in parts:
        f.op, f.size = "OP_LOAD_CONV", 32
    elif "unpack" in parts:
        f.op, f.size, f.x = "OP_LOAD_UNPACK", 32, _lane(parts[3])
        _sign(f, parts[3])
    else:
        f.op, f.size = "OP_LOAD_VECTOR", 16 if "128" in parts else 32


def _vector_store(f: Fields) -> None:
    parts = f.decoded.instruction.mnemonic.replace(".2d", "").replace(".3d", "").split(".")
    if not _address(f):
        return
    f.a = f.source("src")
    if "srs" in parts:
        f.op = "OP_STORE_SRS"
        f.x, f.y = _lane(parts[2]), _lane(parts[3])
        f.size = f.place("src").size_bytes * f.x // f.y
        _sign(f, parts[2])
        f.b = f.source("shft")
    elif "conv" in parts:
        f.op, f.size = "OP_STORE_CONV", 32
    elif "pack" in parts:
        f.op, f.size, f.x = "OP_STORE_PACK", 32, _lane(parts[3])
        _sign(f, parts[2])
    else:
        f.op, f.size = "OP_STORE_VECTOR", 16 if "128" in parts else 32


# --- Vectors.


def _lanes(op: str) -> Family:
    def fill(f: Fields) -> None:
        mnemonic = f.decoded.instruction.mnemonic
        kind = mnemonic.partition(".")[2] or mnemonic[len("vneg_gtz") :]
        f.op = op + ("_BF16" if kind == "bf16" else "")
        f.x = 32 if op in ("OP_VBAND", "OP_VBOR") else 16 if kind == "bf16" else _lane(kind)
        if kind.startswith("d"):
            f.flags |= F_CONTROL_SIGN
        elif kind.startswith("s") or op == "OP_VNEG_GTZ":
            f.flags |= F_SIGNED
        if f.has("d"):
            f.result("d")
            if f.has("cmp"):
                f.dst2 = f.place("cmp").offset
                f.flags |= F_MASK
        else:
            f.result("cmp")
            f.flags |= F_MASK
        first = "s1" if f.has("s1") else "s2"
        f.a = f.source(first)
        if f.has("s2") and first == "s1":
            f.b = f.source("s2")
        if f.has("sel"):
            f.c = f.source("sel")

    return fill


def _sources(op: str, destination: str, *names: str) -> Family:
    """A vector operation whose lane width is at the end of its mnemonic, if it has one."""

    def fill(f: Fields) -> None:
        f.op = op
        f.result(destination)
        kind = f.decoded.instruction.mnemonic.split(".")[-1]
        f.x = _lane(kind) if _LANE.search(kind) else 0
        if op == "OP_VEXTRACT":
            _sign(f, kind)
        for field, name in zip("abcd", names):
            setattr(f, field, f.source(name))

    return fill


def _vector_move(f: Fields) -> None:
    name = f.decoded.instruction.name
    if "scd" in name or "mcd" in name or name in ("VMOV_HI", "VMOV_LO"):
        _cascade(f)
        return
    if name == "VMOV_D":
        f.op = "OP_ACC_COPY"
        f.result("cdst")
        f.a = f.source("csrc")
        return
    f.op = "OP_VMOV"
    f.result("dst")
    f.size = f.place("dst").size_bytes
    if f.place("src").size_bytes != f.size:
        f.op = "OP_UNSUPPORTED"
    f.a = f.source("src")


def _pack(f: Fields) -> None:
    _, to, what = f.decoded.instruction.mnemonic.split(".")
    f.op = "OP_VPACK"
    f.result("dst")
    f.a, f.x = f.source("src"), _lane(what)
    _sign(f, to)


def _unpack(f: Fields) -> None:
    _, _, what = f.decoded.instruction.mnemonic.split(".")
    f.op = "OP_VUNPACK"
    f.result("dst")
    f.a, f.x = f.source("src"), _lane(what)
    _sign(f, what)


def _ups(f: Fields) -> None:
    _, to, what = f.decoded.instruction.mnemonic.split(".")
    f.op = "OP_VUPS"
    f.result("dst")
    f.y, f.x = _lane(to), _lane(what)
    f.size = f.place("src").size_bytes
    _sign(f, what)
    f.a, f.b = f.source("src"), f.source("shft")


def _srs(f: Fields) -> None:
    _, to, what = f.decoded.instruction.mnemonic.split(".")
    f.op = "OP_VSRS"
    f.result("dst")
    f.x, f.y = _lane(to), _lane(what)
    f.size = f.place("dst").size_bytes
    _sign(f, to)
    f.a, f.b = f.source("src"), f.source("shft")


def _convert(f: Fields) -> None:
    f.op = "OP_VCONV_BF16" if ".bf16." in f.decoded.instruction.mnemonic else "OP_VCONV_FP32"
    f.result("dst")
    f.a = f.source("src")


def _clear(f: Fields) -> None:
    f.op = "OP_ACC_CLEAR"
    f.result("dst")
    f.size = f.place("dst").size_bytes


#: Signs that a mnemonic adds (aie2-isa §7; the encodings' bits say the same).
_MAC_SIGNS = {
    "vmul": MAC_ZERO,
    "vnegmul": MAC_ZERO | MAC_SUB_PRODUCT,
    "vmac": 0,
    "vmsc": MAC_SUB_PRODUCT,
    "vnegmac": MAC_SUB_PRODUCT | MAC_SUB_ACC1,
    "vnegmsc": MAC_SUB_ACC1,
    "vaddmac": MAC_TWO,
    "vaddmsc": MAC_TWO | MAC_SUB_PRODUCT,
    "vsubmac": MAC_TWO | MAC_SUB_ACC2,
    "vsubmsc": MAC_TWO | MAC_SUB_ACC2 | MAC_SUB_PRODUCT,
}
_ADD_SIGNS = {
    "vadd": MAC_TWO,
    "vsub": MAC_TWO | MAC_SUB_ACC2,
    "vnegsub": MAC_TWO | MAC_SUB_ACC1,
    "vnegadd": MAC_TWO | MAC_SUB_ACC1 | MAC_SUB_ACC2,
    "vneg": MAC_SUB_ACC1,
}


def _mac(f: Fields) -> None:
    if not (f.has("s1") and f.has("s2")):
        return  # sparse forms
    base, _, is_float = f.decoded.instruction.mnemonic.partition(".")
    f.op = "OP_MAC_F" if is_float else "OP_MAC"
    f.y = _MAC_SIGNS[base]
    f.result("dst" if f.has("dst") else "acc1")
    f.a = f.source("acc1") if f.has("acc1") else f.of_register("cm0")
    f.b = f.source("acc2") if f.has("acc2") else f.a
    f.c, f.d, f.extra = f.source("s1"), f.source("s2"), f.source("c")


def _acc_add(f: Fields) -> None:
    base, _, is_float = f.decoded.instruction.mnemonic.partition(".")
    f.op = "OP_ACC_ADD_F" if is_float else "OP_ACC_ADD"
    f.y = _ADD_SIGNS[base]
    f.result("dst")
    f.a = f.source("acc1")
    f.b = f.source("acc2") if f.has("acc2") else f.a
    f.extra = f.source("c")


#: Families by mnemonic up to the first dot; a key with a slot in front of it goes first.
_FAMILIES: dict[str, Family] = {
    **{name: _binary(f"OP_{name.upper()}") for name in (
        "add", "sub", "adc", "sbc", "and", "or", "xor", "lshl", "ashl", "abs", "clb", "clz", "eq", "ne", "lt", "ltu",
        "ge", "geu", "eqz", "nez", "mul",
    )},
    "add.nc": _binary("OP_ADD_NC"),
    "sel.eqz": _binary("OP_SELEQZ"),
    "sel.nez": _binary("OP_SELNEZ"),
    "divs": _binary("OP_DIVS"),
    "extend": _extend,
    **dict.fromkeys(("mov", "movx", "mova", "movxm"), _move),
    **dict.fromkeys(("acq", "rel"), _lock),
    **dict.fromkeys(("j", "jl", "jz", "jnz", "jnzd", "ret lr"), _branch),
    "done": _plain("OP_DONE"),
    "event": _event,
    **dict.fromkeys(("padda", "paddb", "padds"), _padd),
    "lda": _load,
    "st": _store,
    **dict.fromkeys(("vlda", "vldb"), _vector_load),
    "vst": _vector_store,
    **{name: _lanes(f"OP_{name.upper()}") for name in (
        "vaddsub", "vband", "vbor", "vabs_gtz", "vbneg_ltz", "vmin_ge", "vmax_lt", "vmaxdiff_lt", "vsub_lt", "vsub_ge",
        "vlt", "vge", "veqz", "vsel",
    )},
    **dict.fromkeys(("vneg_gtz8", "vneg_gtz16", "vneg_gtz32"), _lanes("OP_VNEG_GTZ")),
    "mv vadd": _lanes("OP_VADD"),
    "mv vsub": _lanes("OP_VSUB"),
    "vshift": _sources("OP_VSHIFT", "d", "s1", "s2", "shift"),
    "vshift.align": _sources("OP_VSHIFT_ALIGN", "d", "s1", "s2", "shift", "pre"),
    "vshuffle": _sources("OP_VSHUFFLE", "dst", "s1", "s2", "mod"),
    "vbcst": _sources("OP_VBCST", "dst", "s0"),
    "vbcstshfl": _sources("OP_VBCSTSHFL", "dst", "s0"),
    "vextbcst": _sources("OP_VEXTBCST", "dst", "src", "idx"),
    "vextract": _sources("OP_VEXTRACT", "dst", "s1", "idx"),
    "vinsert": _sources("OP_VINSERT", "dst", "s1", "s0"),
    "vpush.hi": _sources("OP_VPUSH_HI", "d", "s1", "s2"),
    "vpush.lo": _sources("OP_VPUSH_LO", "d", "s1", "s2"),
    "vmov": _vector_move,
    "vpack": _pack,
    "vunpack": _unpack,
    "vups": _ups,
    **dict.fromkeys(("vsrs", "vsrsm"), _srs),
    "vconv": _convert,
    "vfloor": _sources("OP_VFLOOR", "dst", "src", "shft"),
    "vclr": _clear,
    **dict.fromkeys(_MAC_SIGNS, _mac),
    **dict.fromkeys(("vec vadd", "vec vsub", "vnegsub", "vnegadd", "vneg"), _acc_add),
}  # fmt: skip


def _family(decoded: Decoded) -> Family | None:
    instruction = decoded.instruction
    words = instruction.mnemonic.split(".")
    for key in (f"{instruction.slot} {words[0]}", ".".join(words[:2]), words[0]):
        if key in _FAMILIES:
            return _FAMILIES[key]
    return None


@cache
def is_prepared(decoded: Decoded) -> bool:
    """Whether the runtime executes this instruction."""
    fields = Fields(decoded, Layout(0, 0, 0), 0, 0)
    family = _family(decoded)
    if family is not None:
        family(fields)
    return fields.op != "OP_UNSUPPORTED"


class PreparedBundle(NamedTuple):
    """A bundle with its operations (acquires first) and their addresses in the runtime's memory."""

    bundle: Bundle
    operations: tuple[tuple[int, Fields], ...]

    @property
    def blocks(self) -> bool:
        """Whether it can wait for a lock."""
        return any(fields.op == "OP_ACQ" for _, fields in self.operations)

    @property
    def ports(self) -> bool:
        """Whether it sends or receives by a stream or the cascade."""
        return any(fields.op.startswith(("OP_STREAM", "OP_CASCADE")) for _, fields in self.operations)


class Prepared(NamedTuple):
    """A program for the runtime: its bundle table, its operations, and the instructions that it does not execute."""

    bundles: bytes
    ops: bytes
    unsupported: dict[int, str]
    by_address: dict[int, PreparedBundle]


def prepare(bundles: Sequence[Bundle], layout: Layout) -> Prepared:
    """Prepares bundles. The address of the operations that fault names the instruction in `unsupported`."""
    numbers = operations()
    table = bytearray(0x4000 // 2 * BUNDLE.size)
    ops = bytearray()
    unsupported: dict[int, str] = {}
    by_address = {bundle.address: bundle for bundle in bundles}
    prepared: dict[int, PreparedBundle] = {}
    for bundle in bundles:
        first = len(ops) // OP.size
        made: list[tuple[int, Fields]] = []
        # Acquires first: whether the bundle can be issued is known before anything of it is done.
        order = sorted(bundle.instructions, key=lambda i: not i.instruction.mnemonic.startswith("acq"))
        for decoded in order:
            if decoded.instruction.is_filler:
                continue
            op_at = layout.ops + len(ops)
            fields = Fields(decoded, layout, bundle.address, op_at + _IMM_OFFSET)
            family = _family(decoded)
            if family is not None:
                family(fields)
            if fields.op == "OP_UNSUPPORTED":
                unsupported[bundle.address] = decoded.instruction.name
            elif fields.op == "OP_JL":
                fields.extra = _after_delay_slots(bundle, by_address)
            ops += fields.packed(numbers)
            made.append((op_at, fields))
        prepared[bundle.address] = entry = PreparedBundle(bundle, tuple(made))
        flags = BUNDLE_KNOWN | (BUNDLE_BLOCKS if entry.blocks else 0) | (BUNDLE_PORTS if entry.ports else 0)
        BUNDLE.pack_into(table, bundle.address // 2 * BUNDLE.size, first, bundle.size_bytes, flags, len(made))
    return Prepared(bytes(table), bytes(ops), unsupported, prepared)


def _after_delay_slots(bundle: Bundle, by_address: dict[int, Bundle]) -> int:
    address = bundle.end
    for _ in range(5):
        slot = by_address.get(address)
        if slot is None:
            return 0xFFFFE  # the program ends before: the return faults there
        address = slot.end
    return address
