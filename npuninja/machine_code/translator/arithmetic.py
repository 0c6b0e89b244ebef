"""What a block computes: scalars in place, vectors by the runtime."""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.families.fields import F_MASK, F_SIGNED, Fields
from npuninja.machine_code.translator.in_flight import (
    CARRY,
    PRODUCT,
    PRODUCTS,
    R27,
    R31,
    RUNTIME_FUNCTIONS,
    UNPACK,
    WRITE,
)
from npuninja.machine_code.translator.memory import TranslatedMemory

_BINARY = {
    "OP_ADD_NC": w.ADD, "OP_AND": w.AND, "OP_OR": w.OR, "OP_XOR": w.XOR, "OP_EQ": w.EQ, "OP_NE": w.NE,
    "OP_LT": w.LT_S, "OP_LTU": w.LT_U, "OP_GE": w.GE_S, "OP_GEU": w.GE_U, "OP_MUL": w.MUL,
}  # fmt: skip


class TranslatedArithmetic(TranslatedMemory):
    """What a block computes."""

    def _compute(self, op: int, f: Fields, now: int) -> None:
        """Everything that touches no memory: scalars inline, vectors by the runtime."""
        code, name = self.code, f.op
        a, b = f.a, f.b
        if name == "OP_EVENT":
            code.const(0)
            code.load_at(self.places.word("events"))
            code.const(1)
            code.op(w.ADD)
            code.memory(w.STORE, self.places.word("events"))
            return
        if name == "OP_DONE":
            return
        if name == "OP_PADD":
            self.address(f, op, now)
            return
        if name in PRODUCTS or name == "OP_VUNPACK" or name.startswith("OP_V") or name == "OP_ACC_CLEAR":
            self._vector(op, f, now)
            return
        if name == "OP_MOV":
            self.value(f, a)
        elif name in _BINARY:
            self.value(f, a)
            self.value(f, b)
            code.op(_BINARY[name])
        elif name in ("OP_ADD", "OP_SUB"):
            self._sum(op, f, now)
            return
        elif name in ("OP_LSHL", "OP_ASHL"):
            self.value(f, a)
            self.value(f, b)
            code.op(w.SHL)
            self.value(f, a)
            code.const(0)
            self.value(f, b)
            code.op(w.SUB, w.SHR_U if name == "OP_LSHL" else w.SHR_S)
            self.value(f, b)
            code.const(0)
            code.op(w.GE_S, w.CHOOSE)
        elif name == "OP_ABS":
            code.const(0)
            self.value(f, a)
            code.op(w.SUB)
            self.value(f, a)
            self.value(f, a)
            code.const(0)
            code.op(w.LT_S, w.CHOOSE)
        elif name in ("OP_CLZ", "OP_CLB"):
            self.value(f, a)
            if name == "OP_CLB":
                self.value(f, a)
                code.const(31)
                code.op(w.SHR_S, w.XOR)
            code.op(w.CLZ)
        elif name in ("OP_EQZ", "OP_NEZ"):
            self.value(f, a)
            code.op(w.EQZ)
            if name == "OP_NEZ":
                code.op(w.EQZ)
        elif name == "OP_EXTEND":
            self.value(f, a)
            if f.flags & F_SIGNED:
                code.op(w.EXTEND8 if f.x == 8 else w.EXTEND16)
            else:
                code.const((1 << f.x) - 1)
                code.op(w.AND)
        elif name in ("OP_SELEQZ", "OP_SELNEZ"):
            self.value(f, b if name == "OP_SELEQZ" else a)
            self.value(f, a if name == "OP_SELEQZ" else b)
            code.get(self.scalar(R27))
            code.op(w.CHOOSE)
        elif name == "OP_DIVS":
            self._divide(op, f, now)
            return
        elif name in ("OP_ADC", "OP_SBC"):
            self._sum_with_carry(op, f, now)
            return
        elif name == "OP_MOV_CNTR":
            code.get(self.clock)
            code.const(now)
            code.op(w.ADD)
            self.add(now + f.latency, WRITE, f.dst, 4, 1, op, code.new(), now)
            code.load_at(self.places.counter("cycle") + 4)
            self.add(now + f.latency, WRITE, f.dst + 4, 4, 1, op, code.new(), now)
            return
        else:
            raise AssertionError(name)
        self.write_later(f, op, now, code.new())

    def _sum(self, op: int, f: Fields, now: int) -> None:
        code = self.code
        self.value(f, f.a)
        self.value(f, f.b)
        code.op(w.ADD if f.op == "OP_ADD" else w.SUB)
        result = code.new()
        if self.owner.carry_is_read:
            if f.op == "OP_ADD":
                code.get(result)
                self.value(f, f.a)
                code.op(w.LT_U)
            else:
                self.value(f, f.a)
                self.value(f, f.b)
                code.op(w.GE_U)
            self.add(now + 1, WRITE, CARRY, 4, 1, op, code.new(), now)
        self.write_later(f, op, now, result)

    def _sum_with_carry(self, op: int, f: Fields, now: int) -> None:
        """a + b + carry, or a + ~b + carry: the carry out is the usual one."""
        code = self.code
        self.value(f, f.a)
        first = code.new()
        self.value(f, f.b)
        if f.op == "OP_SBC":
            code.const(-1)
            code.op(w.XOR)
        second = code.new()
        code.get(self.scalar(CARRY))
        code.const(1)
        code.op(w.AND)
        carry = code.new()
        code.get(first)
        code.get(second)
        code.op(w.ADD)
        partial = code.new()
        code.get(partial)
        code.get(carry)
        code.op(w.ADD)
        result = code.new()
        code.get(partial)
        code.get(first)
        code.op(w.LT_U)
        code.get(result)
        code.get(partial)
        code.op(w.LT_U, w.OR)
        self.add(now + 1, WRITE, CARRY, 4, 1, op, code.new(), now)
        self.write_later(f, op, now, result)

    def _divide(self, op: int, f: Fields, now: int) -> None:
        code = self.code
        quotient = self.scalar(R31)
        self.value(f, f.a)
        code.const(1)
        code.op(w.SHL)
        code.get(quotient)
        code.const(31)
        code.op(w.SHR_U, w.OR)
        rest = code.new()
        code.get(rest)
        self.value(f, f.b)
        code.op(w.GE_U)
        self.value(f, f.a)
        code.const(31)
        code.op(w.SHR_U, w.OR)
        fits = code.new()
        code.get(rest)
        self.value(f, f.b)
        code.op(w.SUB)
        code.get(rest)
        code.get(fits)
        code.op(w.CHOOSE)
        self.write_later(f, op, now, code.new())
        code.get(quotient)
        code.const(1)
        code.op(w.SHL)
        code.get(fits)
        code.op(w.OR)
        self.add(now + 1, WRITE, R31, 4, 1, op, code.new(), now)

    def _vector(self, op: int, f: Fields, now: int) -> None:
        code, name = self.code, f.op
        self.flush_sources(f)
        if name in PRODUCTS:
            p = self.add(now + 2, PRODUCT, 0, 0, 0, op)
            code.const(op)
            self.slot_address(p.due, p.slot)
            code.call(RUNTIME_FUNCTIONS["t_product"])
            return
        if name == "OP_VUNPACK":
            self.add(now + 6, UNPACK, 0, 0, 0, op)
            return
        size = _result_bytes(f)
        mask = -1
        if f.flags & F_MASK:
            lanes = 512 // f.x
            p = self.add(
                now + f.latency, WRITE, f.dst2 if size else f.dst, 8 if lanes == 64 else 4, 1, op, began=now
            )
            mask = self._key(p)
        key = early = -1
        if size > 8:
            key, early = self.vector_later(f, op, now + f.latency, size, now)
        elif size:
            key = self._key(self.add(now + f.latency, WRITE, f.dst, size, 1, op, began=now))
        code.const(op)
        self.slot_address(key // 64, key % 64) if key >= 0 else code.const(0)
        self.slot_address(mask // 64, mask % 64) if mask >= 0 else code.const(0)
        code.call(RUNTIME_FUNCTIONS["t_vector"])
        self.check()
        if early >= 0:
            self.copy_slot(key, early, size)


def _result_bytes(f: Fields) -> int:
    """The bytes of a vector instruction's result; 0 for a mask alone."""
    if f.op in ("OP_VLT", "OP_VGE", "OP_VEQZ", "OP_VLT_BF16", "OP_VGE_BF16"):
        return 0
    if f.op == "OP_VEXTRACT":
        return 8 if f.x == 64 else 4
    if f.op in ("OP_VMOV", "OP_ACC_CLEAR", "OP_VSRS"):
        return f.size
    if f.op in ("OP_VPACK", "OP_VCONV_BF16"):
        return 32
    if f.op == "OP_VUPS":
        return f.size * f.y // f.x
    return 64
