"""Scalars, branches, locks, streams and the cascade."""

from __future__ import annotations

from npuninja.machine_code.families.fields import (
    F_CONDITION,
    F_SIGNED,
    STREAM_LAST,
    STREAM_LAST_BY_R28,
    STREAM_NO_WAIT,
    FamilyWriter,
    Fields,
)


def binary(op: str) -> FamilyWriter:
    """An operation with one destination and one or two sources."""

    def fill(f: Fields) -> None:
        f.op = op
        names = [o.name for o in f.decoded.instruction.operands]
        f.result(names[0])
        f.a = f.source(names[1])
        if len(names) > 2:
            f.b = f.source(names[2])

    return fill


def extend(f: Fields) -> None:
    """A part of a word, extended."""
    kind = f.decoded.instruction.mnemonic.partition(".")[2]
    binary("OP_EXTEND")(f)
    f.x = int(kind[1:])
    f.flags |= F_SIGNED if kind[0] == "s" else 0


def move(f: Fields) -> None:
    """Moves between registers, constants, the counter, streams."""
    name = f.decoded.instruction.name
    if name == "MOV_CNTR":
        f.op = "OP_MOV_CNTR"
        f.result("dst")
    elif "ss2scl" in name or "2ms" in name:
        stream(f)
    else:
        binary("OP_MOV")(f)


def stream(f: Fields) -> None:
    """A word from or to the core's stream. Packet headers, which the machine makes itself, stay unknown."""
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


def cascade(f: Fields) -> None:
    """512 bits from or to the neighbour's cascade; `.hi` and `.lo` fill half of an accumulator."""
    if f.has("src"):
        f.op = "OP_CASCADE_WRITE"
        f.a = f.source("src")
        return
    half = f.decoded.instruction.mnemonic.partition(".")[2]
    f.op = {"": "OP_CASCADE_READ", "hi": "OP_CASCADE_READ_HIGH", "lo": "OP_CASCADE_READ_LOW"}[half]
    f.result("dst")


def lock(f: Fields) -> None:
    """Instructions that acquire and release locks."""
    mnemonic = f.decoded.instruction.mnemonic
    f.op = "OP_ACQ" if mnemonic.startswith("acq") else "OP_REL"
    f.flags = F_CONDITION if mnemonic.endswith(".cond") else 0
    f.a = f.source("id" if f.has("id") else "mRx")
    f.b = f.source("mRy")


def branch(f: Fields) -> None:
    """Everything that changes the program counter."""
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


def plain(op: str) -> FamilyWriter:
    """An operation without operands."""

    def fill(f: Fields) -> None:
        f.op = op

    return fill


def event(f: Fields) -> None:
    """A mark for the trace unit."""
    f.op = "OP_EVENT"
    f.a = f.source("val")
