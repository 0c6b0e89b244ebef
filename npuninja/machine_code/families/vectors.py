"""Vectors and accumulators."""

from __future__ import annotations

from npuninja.machine_code.families.fields import (
    F_CONTROL_SIGN,
    F_MASK,
    F_SIGNED,
    LANE,
    MAC_SUB_ACC1,
    MAC_SUB_ACC2,
    MAC_SUB_PRODUCT,
    MAC_TWO,
    MAC_ZERO,
    FamilyWriter,
    Fields,
    lane,
    sign,
)
from npuninja.machine_code.families.scalars import cascade


def lanes(op: str) -> FamilyWriter:
    """An operation lane by lane, some with a mask as result."""

    def fill(f: Fields) -> None:
        mnemonic = f.decoded.instruction.mnemonic
        kind = mnemonic.partition(".")[2] or mnemonic[len("vneg_gtz") :]
        f.op = op + ("_BF16" if kind == "bf16" else "")
        f.x = 32 if op in ("OP_VBAND", "OP_VBOR") else 16 if kind == "bf16" else lane(kind)
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


def sources(op: str, destination: str, *names: str) -> FamilyWriter:
    """A vector operation whose lane width is at the end of its mnemonic, if it has one."""

    def fill(f: Fields) -> None:
        f.op = op
        f.result(destination)
        kind = f.decoded.instruction.mnemonic.split(".")[-1]
        f.x = lane(kind) if LANE.search(kind) else 0
        if op == "OP_VEXTRACT":
            sign(f, kind)
        for field, name in zip("abcd", names):
            setattr(f, field, f.source(name))

    return fill


def vector_move(f: Fields) -> None:
    """Moves of whole vectors and accumulators, and the cascade."""
    name = f.decoded.instruction.name
    if "scd" in name or "mcd" in name or name in ("VMOV_HI", "VMOV_LO"):
        cascade(f)
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


def between_lanes(op: str, narrow: int) -> FamilyWriter:
    """From lanes of one width to another, `OP.TO.FROM`; `narrow` (0 or 1) says which of the two is the
    narrower, whose sign counts. Those that shift as well go to accumulators or come from there.
    """

    def fill(f: Fields) -> None:
        kinds = f.decoded.instruction.mnemonic.split(".")[1:]
        f.op = op
        f.result("dst")
        f.a = f.source("src")
        sign(f, kinds[narrow])
        if f.has("shft"):
            f.b = f.source("shft")
            f.x, f.y = lane(kinds[narrow]), lane(kinds[1 - narrow])
            f.size = f.place("src" if narrow else "dst").size_bytes
        else:
            f.x = lane(kinds[1])

    return fill


def convert(f: Fields) -> None:
    """Between bfloat16 and float32."""
    f.op = "OP_VCONV_BF16" if ".bf16." in f.decoded.instruction.mnemonic else "OP_VCONV_FP32"
    f.result("dst")
    f.a = f.source("src")


def clear(f: Fields) -> None:
    """An accumulator of zeros."""
    f.op = "OP_ACC_CLEAR"
    f.result("dst")
    f.size = f.place("dst").size_bytes


#: Signs that a mnemonic adds (aie2-isa §7; the encodings' bits say the same).
MAC_SIGNS = {
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


def mac(f: Fields) -> None:
    """Products, with what they are added to."""
    if not (f.has("s1") and f.has("s2")):
        return  # sparse forms
    base, _, is_float = f.decoded.instruction.mnemonic.partition(".")
    f.op = "OP_MAC_F" if is_float else "OP_MAC"
    f.y = MAC_SIGNS[base]
    f.result("dst" if f.has("dst") else "acc1")
    f.a = f.source("acc1") if f.has("acc1") else f.of_register("cm0")
    f.b = f.source("acc2") if f.has("acc2") else f.a
    f.c, f.d, f.extra = f.source("s1"), f.source("s2"), f.source("c")


def acc_add(f: Fields) -> None:
    """Instructions that add, subtract or negate accumulators."""
    base, _, is_float = f.decoded.instruction.mnemonic.partition(".")
    f.op = "OP_ACC_ADD_F" if is_float else "OP_ACC_ADD"
    f.y = _ADD_SIGNS[base]
    f.result("dst")
    f.a = f.source("acc1")
    f.b = f.source("acc2") if f.has("acc2") else f.a
    f.extra = f.source("c")
