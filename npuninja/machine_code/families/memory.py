"""Address registers, loads and stores."""

from __future__ import annotations

from npuninja.machine_code.families.fields import (
    F_SIGNED,
    MODE_2D,
    MODE_INDEX,
    MODE_NONE,
    MODE_POST,
    Fields,
    lane,
    sign,
)
from npuninja.machine_code.registers import place_of


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


def padd(f: Fields) -> None:
    """An address register that steps on."""
    if _address(f):
        f.op = "OP_PADD"


def load(f: Fields) -> None:
    """A scalar load, or 128 bits."""
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


def store(f: Fields) -> None:
    """A scalar store, a part of a word, or 128 bits."""
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


#: To what the addresses of table look-ups are aligned.
_GATHER_BYTES = {"4x16": 4, "4x32": 8, "4x64": 16}


def vector_load(f: Fields) -> None:
    """A vector load, with what is done to its lanes on the way."""
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
        f.y, f.x = lane(parts[2]), lane(parts[3])
        f.size = f.place("dst").size_bytes * f.x // f.y
        sign(f, parts[3])
        f.a = f.source("shft")
    elif "conv" in parts:
        f.op, f.size = "OP_LOAD_CONV", 32
    elif "unpack" in parts:
        f.op, f.size, f.x = "OP_LOAD_UNPACK", 32, lane(parts[3])
        sign(f, parts[3])
    else:
        f.op, f.size = "OP_LOAD_VECTOR", 16 if "128" in parts else 32


def vector_store(f: Fields) -> None:
    """A vector store, with what is done to its lanes on the way."""
    parts = f.decoded.instruction.mnemonic.replace(".2d", "").replace(".3d", "").split(".")
    if not _address(f):
        return
    f.a = f.source("src")
    if "srs" in parts:
        f.op = "OP_STORE_SRS"
        f.x, f.y = lane(parts[2]), lane(parts[3])
        f.size = f.place("src").size_bytes * f.x // f.y
        sign(f, parts[2])
        f.b = f.source("shft")
    elif "conv" in parts:
        f.op, f.size = "OP_STORE_CONV", 32
    elif "pack" in parts:
        f.op, f.size, f.x = "OP_STORE_PACK", 32, lane(parts[3])
        sign(f, parts[2])
    else:
        f.op, f.size = "OP_STORE_VECTOR", 16 if "128" in parts else 32
