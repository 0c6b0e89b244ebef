"""Which instruction of RV32 is translated how."""

from __future__ import annotations

from typing import Callable

from npuninja.aie2_compiler.riscv import Function, Instruction
from npuninja.aie2_compiler.selection.leaving import Leaving
from npuninja.aie2_compiler.selection.registers import Selected


class Selector(Leaving):
    """Translates one function."""

    def instruction(self, item: Instruction) -> None:
        """Translates one instruction. Raises InternalError for one that is not known here."""
        handler = _HANDLERS.get(item.mnemonic)
        if handler is None:
            raise self.unknown(item)
        handler(self, item)


_Handler = Callable[[Selector, Instruction], None]


def _handlers() -> dict[str, _Handler]:
    made: dict[str, _Handler] = {}

    def add(names: str, handler: _Handler) -> None:
        made.update(dict.fromkeys(names.split(), handler))

    for rv, name in {
        "add": "add",
        "sub": "sub",
        "and": "and",
        "or": "or",
        "xor": "xor",
        "mul": "mul",
    }.items():
        add(rv, lambda s, i, n=name: s.binary(i, n))  # type: ignore[misc]
    for rv, name in {"andi": "and", "ori": "or", "xori": "xor"}.items():
        add(rv, lambda s, i, n=name: s.binary_immediate(i, n))  # type: ignore[misc]
    for rv, name in {
        "sext.b": "extend.s8", "sext.h": "extend.s16", "zext.b": "extend.u8", "zext.h": "extend.u16", "clz": "clz",
        "seqz": "eqz", "snez": "nez",
    }.items():  # fmt: skip
        add(rv, lambda s, i, n=name: s.unary(i, n))  # type: ignore[misc]
    add("addi", Selector.add_immediate)
    add("mv", Selector.move_register)
    add("li", lambda s, i: _ignore(s.constant(s.number(i.operands[1]), s.target(i.operands[0]))))
    add("lui", Selector.upper)
    add("la lla", Selector.symbol_address)
    add("slli", lambda s, i: s.shift_immediate(i, "lshl", 1))
    add("srli", lambda s, i: s.shift_immediate(i, "lshl", -1))
    add("srai", lambda s, i: s.shift_immediate(i, "ashl", -1))
    add("sll", lambda s, i: s.shift(i, "lshl", right=False))
    add("srl", lambda s, i: s.shift(i, "lshl", right=True))
    add("sra", lambda s, i: s.shift(i, "ashl", right=True))
    add("slt", lambda s, i: s.compare(i, "lt"))
    add("sltu", lambda s, i: s.compare(i, "ltu"))
    add("sgt", lambda s, i: s.compare(i, "lt", swapped=True))
    add("sgtu", lambda s, i: s.compare(i, "ltu", swapped=True))
    add("slti", lambda s, i: s.compare_immediate(i, "lt"))
    add("sltiu", lambda s, i: s.compare_immediate(i, "ltu"))
    add("sltz", lambda s, i: s.compare_zero(i, "lt", swapped=False))
    add("sgtz", lambda s, i: s.compare_zero(i, "lt", swapped=True))
    add("neg", Selector.negate)
    add("not", Selector.complement)
    add("andn", lambda s, i: s.with_complement(i, "and"))
    add("orn", lambda s, i: s.with_complement(i, "or"))
    add("xnor", lambda s, i: s.with_complement(i, "xor"))
    add("min", lambda s, i: s.choose(i, "lt", smaller=True))
    add("minu", lambda s, i: s.choose(i, "ltu", smaller=True))
    add("max", lambda s, i: s.choose(i, "lt", smaller=False))
    add("maxu", lambda s, i: s.choose(i, "ltu", smaller=False))
    add("czero.eqz", lambda s, i: s.conditional_zero(i, "sel.eqz"))
    add("czero.nez", lambda s, i: s.conditional_zero(i, "sel.nez"))
    add("rol", lambda s, i: s.rotate(i, left=True))
    add("ror", lambda s, i: s.rotate(i, left=False))
    add("rori", Selector.rotate_immediate)
    add("rev8", Selector.reverse_bytes)
    add("ctz", Selector.trailing_zeros)
    add("cpop", Selector.count_ones)
    add("mulhu", lambda s, i: s.high_product(i, left_signed=False, right_signed=False))
    add("mulhsu", lambda s, i: s.high_product(i, left_signed=True, right_signed=False))
    add("mulh", lambda s, i: s.high_product(i, left_signed=True, right_signed=True))
    for rv, name in {"lw": "lda", "lh": "lda.s16", "lhu": "lda.u16", "lb": "lda.s8", "lbu": "lda.u8"}.items():
        add(rv, lambda s, i, n=name: s.load(i, n))  # type: ignore[misc]
    for rv, name in {"sw": "st", "sh": "st.s16", "sb": "st.s8"}.items():
        add(rv, lambda s, i, n=name: s.store(i, n))  # type: ignore[misc]
    add("beq", lambda s, i: s.branch(i, "eq", when=True))
    add("bne", lambda s, i: s.branch(i, "ne", when=True))
    add("blt", lambda s, i: s.branch(i, "lt", when=True))
    add("bge", lambda s, i: s.branch(i, "lt", when=False))
    add("bltu", lambda s, i: s.branch(i, "ltu", when=True))
    add("bgeu", lambda s, i: s.branch(i, "ltu", when=False))
    add("bgt", lambda s, i: s.branch(i, "lt", when=True, swapped=True))
    add("ble", lambda s, i: s.branch(i, "lt", when=False, swapped=True))
    add("bgtu", lambda s, i: s.branch(i, "ltu", when=True, swapped=True))
    add("bleu", lambda s, i: s.branch(i, "ltu", when=False, swapped=True))
    add("beqz", lambda s, i: s.branch_zero(i, "", when=False))
    add("bnez", lambda s, i: s.branch_zero(i, "", when=True))
    add("bltz", lambda s, i: s.branch_zero(i, "lt", when=True))
    add("bgez", lambda s, i: s.branch_zero(i, "lt", when=False))
    add("bgtz", lambda s, i: s.branch_zero(i, "lt", when=True, swapped=True))
    add("blez", lambda s, i: s.branch_zero(i, "lt", when=False, swapped=True))
    add("j tail", Selector.jump)
    add("call", Selector.call)
    add("ret", Selector.return_)
    add("jr", lambda s, i: s.jump_register(i, links=False))
    add("jalr", lambda s, i: s.jump_register(i, links=True))
    add("nop fence", Selector.nothing)
    add("ebreak unimp", Selector.stop)
    return made


def _ignore(value: object) -> None:
    """For handlers that only do."""


_HANDLERS = _handlers()


def select(function: Function, aliases: dict[str, str]) -> Selected:
    """The operations of a function. Raises InternalError for an instruction that is not known here."""
    return Selector(function, aliases).select()
