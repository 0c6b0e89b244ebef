"""What a block computes: scalars in place, vectors by the runtime."""

from __future__ import annotations

from collections.abc import Callable

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
from npuninja.machine_code.wasm_writer import WasmExpression, constant, word_at

_BINARY = {
    "OP_ADD_NC": w.ADD, "OP_AND": w.AND, "OP_OR": w.OR, "OP_XOR": w.XOR, "OP_EQ": w.EQ, "OP_NE": w.NE,
    "OP_LT": w.LT_S, "OP_LTU": w.LT_U, "OP_GE": w.GE_S, "OP_GEU": w.GE_U, "OP_MUL": w.MUL,
}  # fmt: skip


def _negative(a: WasmExpression) -> WasmExpression:
    return w.SUB, constant(0), a


def _shift(right: bytes) -> Callable[[WasmExpression, WasmExpression], WasmExpression]:
    """To the left, or by a negative count to the right."""
    return lambda a, b: (w.CHOOSE, (w.SHL, a, b), (right, a, _negative(b)), (w.GE_S, b, constant(0)))


#: Operations whose result is an expression of their one or two operands.
_INLINE: dict[str, Callable[[WasmExpression, WasmExpression], WasmExpression]] = {
    "OP_MOV": lambda a, _: a,
    "OP_LSHL": _shift(w.SHR_U),
    "OP_ASHL": _shift(w.SHR_S),
    "OP_ABS": lambda a, _: (w.CHOOSE, _negative(a), a, (w.LT_S, a, constant(0))),
    "OP_CLZ": lambda a, _: (w.CLZ, a),
    "OP_CLB": lambda a, _: (w.CLZ, (w.XOR, a, (w.SHR_S, a, constant(31)))),
    "OP_EQZ": lambda a, _: (w.EQZ, a),
    "OP_NEZ": lambda a, _: (w.EQZ, (w.EQZ, a)),
}


def _extended(f: Fields, a: WasmExpression) -> WasmExpression:
    if f.flags & F_SIGNED:
        return (w.EXTEND8 if f.x == 8 else w.EXTEND16), a
    return w.AND, a, constant((1 << f.x) - 1)


class TranslatedArithmetic(TranslatedMemory):
    """What a block computes."""

    def _compute(self, op: int, f: Fields, now: int) -> None:
        """Everything that touches no memory: scalars inline, vectors by the runtime."""
        name = f.op
        if name == "OP_EVENT":
            events = self.addresses.word("events")
            self.code.store_at(events, (w.ADD, word_at(events), constant(1)))
        elif name == "OP_PADD":
            self.address(f, op, now)
        elif name in PRODUCTS or name.startswith("OP_V") or name == "OP_ACC_CLEAR":
            self._vector(op, f, now)
        elif name in ("OP_ADD", "OP_SUB"):
            self._sum(op, f, now)
        elif name in ("OP_ADC", "OP_SBC"):
            self._sum_with_carry(op, f, now)
        elif name == "OP_DIVS":
            self._divide(op, f, now)
        elif name == "OP_MOV_CNTR":
            self._read_counter(op, f, now)
        elif name != "OP_DONE":
            self.write_later(f, op, now, self.code.let(self._scalar_result(f)))

    def _scalar_result(self, f: Fields) -> WasmExpression:
        a = self.value(f, f.a)
        if f.op in _BINARY:
            return _BINARY[f.op], a, self.value(f, f.b)
        if f.op == "OP_EXTEND":
            return _extended(f, a)
        if f.op in ("OP_SELEQZ", "OP_SELNEZ"):
            b, condition = self.value(f, f.b), self.scalar(R27)
            return (w.CHOOSE, b, a, condition) if f.op == "OP_SELEQZ" else (w.CHOOSE, a, b, condition)
        return _INLINE[f.op](a, self.value(f, f.b) if f.b else constant(0))

    def _read_counter(self, op: int, f: Fields, now: int) -> None:
        """The cycle counter, into a pair of registers."""
        low = self.code.let((w.ADD, self.clock, constant(now)))
        self.add(now + f.latency, WRITE, f.dst, 4, 1, op, low, now)
        high = self.code.let(word_at(self.addresses.counter("cycle") + 4))
        self.add(now + f.latency, WRITE, f.dst + 4, 4, 1, op, high, now)

    def _sum(self, op: int, f: Fields, now: int) -> None:
        a, b, is_sum = self.value(f, f.a), self.value(f, f.b), f.op == "OP_ADD"
        result = self.code.let((w.ADD if is_sum else w.SUB, a, b))
        if self.owner.carry_is_read:
            carry = self.code.let((w.LT_U, result, a) if is_sum else (w.GE_U, a, b))
            self.add(now + 1, WRITE, CARRY, 4, 1, op, carry, now)
        self.write_later(f, op, now, result)

    def _sum_with_carry(self, op: int, f: Fields, now: int) -> None:
        """a + b + carry, or a + ~b + carry: the carry out is the usual one."""
        code = self.code
        first, second = self.value(f, f.a), self.value(f, f.b)
        if f.op == "OP_SBC":
            second = (w.XOR, second, constant(-1))
        partial = code.let((w.ADD, first, second))
        result = code.let((w.ADD, partial, (w.AND, self.scalar(CARRY), constant(1))))
        carry = code.let((w.OR, (w.LT_U, partial, first), (w.LT_U, result, partial)))
        self.add(now + 1, WRITE, CARRY, 4, 1, op, carry, now)
        self.write_later(f, op, now, result)

    def _divide(self, op: int, f: Fields, now: int) -> None:
        """One step of a division: a bit of the quotient moves from the dividend's register into r31's."""
        code, quotient = self.code, self.scalar(R31)
        a, divisor = self.value(f, f.a), self.value(f, f.b)
        rest = code.let((w.OR, (w.SHL, a, constant(1)), (w.SHR_U, quotient, constant(31))))
        fits = code.let((w.OR, (w.GE_U, rest, divisor), (w.SHR_U, a, constant(31))))
        self.write_later(f, op, now, code.let((w.CHOOSE, (w.SUB, rest, divisor), rest, fits)))
        following = code.let((w.OR, (w.SHL, quotient, constant(1)), fits))
        self.add(now + 1, WRITE, R31, 4, 1, op, following, now)

    def _vector(self, op: int, f: Fields, now: int) -> None:
        self.flush_sources(f)
        if f.op in PRODUCTS:
            key = self.add(now + 2, PRODUCT, 0, 0, 0, op).key
            self.code.call(RUNTIME_FUNCTIONS["t_product"], constant(op), self.key_address(key))
            return
        if f.op == "OP_VUNPACK":
            self.add(now + 6, UNPACK, 0, 0, 0, op)
            return
        size, due = _result_bytes(f), now + f.latency
        mask = key = early = -1
        if f.flags & F_MASK:
            place = f.dst2 if size else f.dst
            mask = self.add(due, WRITE, place, 8 if f.x == 8 else 4, 1, op, began=now).key
        if size > 8:
            key, early = self.vector_later(f, op, due, size, now)
        elif size:
            key = self.add(due, WRITE, f.dst, size, 1, op, began=now).key
        self.code.call(
            RUNTIME_FUNCTIONS["t_vector"], constant(op), self.key_address(key), self.key_address(mask)
        )
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
