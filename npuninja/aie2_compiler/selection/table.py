"""Which instruction of RV32 is translated how."""

from __future__ import annotations

from collections.abc import Callable

from npuninja import TYPE_CHECKING
from npuninja.aie2_compiler.riscv import RiscvFunction, RiscvInstruction
from npuninja.aie2_compiler.selection.leaving import SelectedLeaving
from npuninja.aie2_compiler.selection.registers import Selected

if TYPE_CHECKING:
    from typing import Any


class Selector(SelectedLeaving):
    """Translates one function to AIE2: a handler for each mnemonic."""

    def instruction(self, item: RiscvInstruction) -> None:
        """Translates one instruction. Raises InternalError for one that is not known here."""
        handler = _HANDLERS.get(item.mnemonic)
        if handler is None:
            raise self.unknown(item)
        handler(self, item)


_Handler = Callable[[Selector, RiscvInstruction], None]


def _with(method: Callable[..., None], more: Any) -> _Handler:
    given = more if isinstance(more, tuple) else (more,)
    return lambda selector, item: method(selector, item, *given)


def _rows(method: Callable[..., None], rows: dict[str, Any]) -> dict[str, _Handler]:
    """A handler for each mnemonic of RV32: a method, and what it needs of AIE2 after the instruction."""
    return {name: _with(method, more) for name, more in rows.items()}


_HANDLERS: dict[str, _Handler] = {
    **_rows(
        Selector.binary,
        {
            **{name: name for name in ("add", "sub", "and", "or", "xor", "mul")},
            **{"slt": "lt", "sltu": "ltu", "sgt": ("lt", True), "sgtu": ("ltu", True)},
            **{"aie2.lshl": "lshl", "aie2.ashl": "ashl"},
        },
    ),
    **_rows(
        Selector.binary_immediate, {"andi": "and", "ori": "or", "xori": "xor", "slti": "lt", "sltiu": "ltu"}
    ),
    **_rows(
        Selector.unary,
        {
            **{"sext.b": "extend.s8", "sext.h": "extend.s16", "zext.b": "extend.u8", "zext.h": "extend.u16"},
            **{"clz": "clz", "seqz": "eqz", "snez": "nez"},
        },
    ),
    **_rows(Selector.with_zero, {"sltz": ("lt", False), "sgtz": ("lt", True), "neg": ("sub", True)}),
    #: The shift, and 1 to the left or -1 to the right.
    **_rows(Selector.shift_immediate, {"slli": ("lshl", 1), "srli": ("lshl", -1), "srai": ("ashl", -1)}),
    #: The shift, and whether it is to the right.
    **_rows(Selector.shift, {"sll": ("lshl", False), "srl": ("lshl", True), "sra": ("ashl", True)}),
    **_rows(Selector.with_complement, {"andn": "and", "orn": "or", "xnor": "xor"}),
    #: The comparison, and whether the smaller one is taken.
    **_rows(
        Selector.choose,
        {"min": ("lt", True), "minu": ("ltu", True), "max": ("lt", False), "maxu": ("ltu", False)},
    ),
    **_rows(Selector.conditional_zero, {"czero.eqz": "sel.eqz", "czero.nez": "sel.nez"}),
    #: Whether it is to the left.
    **_rows(Selector.rotate, {"rol": True, "ror": False}),
    #: Whether the left and the right side have signs.
    **_rows(Selector.high_product, {"mulhu": (False, False), "mulhsu": (True, False), "mulh": (True, True)}),
    **_rows(Selector.load, {"lw": "lda", "lh": "lda.s16", "lhu": "lda.u16", "lb": "lda.s8", "lbu": "lda.u8"}),
    **_rows(Selector.store, {"sw": "st", "sh": "st.s16", "sb": "st.s8"}),
    #: The comparison, whether the branch is taken when it holds, and whether its sides change places.
    **_rows(
        Selector.branch,
        {
            **{"beq": ("eq", True, False), "bne": ("ne", True, False)},
            **{"blt": ("lt", True, False), "bge": ("lt", False, False)},
            **{"bltu": ("ltu", True, False), "bgeu": ("ltu", False, False)},
            **{"bgt": ("lt", True, True), "ble": ("lt", False, True)},
            **{"bgtu": ("ltu", True, True), "bleu": ("ltu", False, True)},
        },
    ),
    #: The same against zero; "" is whether there is anything but zero.
    **_rows(
        Selector.branch_zero,
        {
            **{"beqz": ("", False, False), "bnez": ("", True, False)},
            **{"bltz": ("lt", True, False), "bgez": ("lt", False, False)},
            **{"bgtz": ("lt", True, True), "blez": ("lt", False, True)},
        },
    ),
    #: Whether it comes back.
    **_rows(Selector.jump_register, {"jr": False, "jalr": True}),
    "addi": Selector.add_immediate,
    "mv": Selector.move_register,
    "li": Selector.load_immediate,
    "lui": Selector.upper,
    **dict.fromkeys(("la", "lla"), Selector.symbol_address),
    "not": Selector.complement,
    "rori": Selector.rotate_immediate,
    "rev8": Selector.reverse_bytes,
    "ctz": Selector.trailing_zeros,
    "cpop": Selector.count_ones,
    **dict.fromkeys(("j", "tail"), Selector.jump),
    "call": Selector.call,
    "ret": Selector.return_,
    **dict.fromkeys(("nop", "fence"), Selector.nothing),
    **dict.fromkeys(("ebreak", "unimp"), Selector.stop),
}


def select(function: RiscvFunction, aliases: dict[str, str]) -> Selected:
    """The operations of a function. Raises InternalError for an instruction that is not known here."""
    return Selector(function, aliases).select()
