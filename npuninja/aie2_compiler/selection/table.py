"""Which instruction of RV32 is translated how."""

from __future__ import annotations

from typing import Callable

from npuninja.aie2_compiler.riscv import RiscvFunction, RiscvInstruction
from npuninja.aie2_compiler.selection.leaving import SelectedLeaving
from npuninja.aie2_compiler.selection.registers import Selected


class Selector(SelectedLeaving):
    """Translates one function."""

    def instruction(self, item: RiscvInstruction) -> None:
        """Translates one instruction. Raises InternalError for one that is not known here."""
        handler = _HANDLERS.get(item.mnemonic)
        if handler is None:
            raise self.unknown(item)
        handler(self, item)


_Handler = Callable[[Selector, RiscvInstruction], None]


#: Branches: the comparison, whether they are taken when it holds, and whether its sides change places.
_BRANCHES = (
    *(("beq", "eq", True, False), ("bne", "ne", True, False)),
    *(("blt", "lt", True, False), ("bge", "lt", False, False)),
    *(("bltu", "ltu", True, False), ("bgeu", "ltu", False, False)),
    *(("bgt", "lt", True, True), ("ble", "lt", False, True)),
    *(("bgtu", "ltu", True, True), ("bleu", "ltu", False, True)),
)
#: The same against zero; "" is whether there is anything but zero.
_BRANCHES_ON_ZERO = (
    *(("beqz", "", False, False), ("bnez", "", True, False)),
    *(("bltz", "lt", True, False), ("bgez", "lt", False, False)),
    *(("bgtz", "lt", True, True), ("blez", "lt", False, True)),
)


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
    add("aie2.lshl", lambda s, i: s.binary(i, "lshl"))
    add("aie2.ashl", lambda s, i: s.binary(i, "ashl"))
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
    for rv, name, when, swapped in _BRANCHES:
        add(rv, lambda s, i, n=name, w=when, x=swapped: s.branch(i, n, when=w, swapped=x))  # type: ignore[misc]
    for rv, name, when, swapped in _BRANCHES_ON_ZERO:
        add(rv, lambda s, i, n=name, w=when, x=swapped: s.branch_zero(i, n, when=w, swapped=x))  # type: ignore[misc]
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


def select(function: RiscvFunction, aliases: dict[str, str]) -> Selected:
    """The operations of a function. Raises InternalError for an instruction that is not known here."""
    return Selector(function, aliases).select()
