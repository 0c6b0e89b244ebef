"""One operation of the runtime (`Op` of runtime/core.h), being filled from a decoded instruction."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from functools import cache

from npuninja.errors import InternalError
from npuninja.machine_code.decode import Decoded
from npuninja.machine_code.instruction_set import Operand
from npuninja.machine_code.registers import RegisterPlace, place_of
from npuninja.records import NamedTuple

#: struct Op: op, latency, flags, dst, dst2, a..d, pointer, modifier, mode, size, x, y, imm, mask, at, extra.
OP = struct.Struct("<HBBIIIIIIIIBBBBiIII")
IMM_OFFSET = 40
BUNDLE = struct.Struct("<IHHI")

F_BYPASS, F_CONDITION, F_SIGNED, F_CONTROL_SIGN, F_MASK = 1, 2, 4, 8, 16
MODE_NONE, MODE_INDEX, MODE_POST, MODE_2D = 0, 1, 2, 3
MAC_SUB_PRODUCT, MAC_SUB_ACC1, MAC_SUB_ACC2, MAC_ZERO, MAC_TWO = 1, 2, 4, 8, 16
BUNDLE_KNOWN, BUNDLE_BLOCKS, BUNDLE_PORTS = 1, 2, 8
STREAM_NO_WAIT, STREAM_LAST, STREAM_LAST_BY_R28 = 1, 2, 4

LANE = re.compile(r"[sd]?(\d+)$")


@cache
def operations() -> dict[str, int]:
    """The runtime's operations by name, read from its header."""
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runtime", "core.h")
    with open(path, encoding="ascii") as stream:
        text = stream.read()
    start = text.index("OP_UNSUPPORTED,")
    body = re.sub(r"/\*.*?\*/", "", text[start : text.index("OPERATIONS", start)], flags=re.S)
    return {name: number for number, name in enumerate(re.findall(r"OP_\w+", body))}


class FieldLayout(NamedTuple):
    """Where the runtime's tables lie in its memory."""

    bank: int
    bypass_bank: int
    ops: int


class Fields:
    """The fields of one operation, being filled."""

    def __init__(self, decoded: Decoded, layout: FieldLayout, address: int, imm_at: int) -> None:
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
        """The fields as the bytes of `struct Op`."""
        return OP.pack(
            numbers[self.op], self.latency, self.flags, self.dst, self.dst2, self.a, self.b, self.c, self.d,
            self.pointer, self.modifier, self.mode, self.size, self.x, self.y, _signed(self.imm), self.mask,
            self.at, self.extra,
        )  # fmt: skip


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _on_network(bypass: str, place: RegisterPlace) -> bool:
    return (bypass == "m" and place.is_vector) or (bypass == "v" and place.is_accumulator)


FamilyWriter = Callable[[Fields], None]


def sign(f: Fields, kind: str) -> None:
    """Notes that a type is signed, or that a control register says so."""
    f.flags |= F_CONTROL_SIGN if kind.startswith("d") else F_SIGNED


def lane(kind: str) -> int:
    """The bits of a lane, from a type such as `s32`. Raises InternalError for a type without any."""
    found = LANE.search(kind)
    if found is None:
        raise InternalError(f"no width in '{kind}'")
    return int(found[1])
