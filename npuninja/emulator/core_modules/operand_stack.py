"""What lies on the operand stack of a function between two of its instructions, by the types of values."""

from __future__ import annotations

from typing import Protocol

from npuninja.emulator.core_modules.operand_types import SIGNATURES
from npuninja.emulator.core_modules.section_tables import Signature
from npuninja.errors import UserError
from npuninja.formats.wasm_code import (
    CALL,
    CALL_INDIRECT,
    DROP,
    GLOBAL_GET,
    GLOBAL_SET,
    LOCAL_GET,
    LOCAL_SET,
    LOCAL_TEE,
    NOP,
    SELECT,
    SELECT_TYPED,
    WasmInstruction,
)


class Types(Protocol):
    """What is known of the types of a module."""

    types: list[Signature]
    globals: str

    def signature(self, number: int) -> Signature:
        """The types of a function."""

    def unknown(self, what: str) -> UserError:
        """The error for code that no compiler makes for cores."""


class OperandStack:
    """The operand stack of a function.

    Args:
        module: that the function is in.
        variables: types of the function's local variables; more may be added to the list.

    Attributes:
        kinds: a letter for the type of each value, the last on top.
    """

    def __init__(self, module: Types, variables: list[str]) -> None:
        self._module = module
        self._locals = variables
        self.kinds: list[str] = []

    def pop(self, kinds: str) -> None:
        """Takes values of these types. Raises UserError when others lie there."""
        if kinds:
            if len(self.kinds) < len(kinds) or "".join(self.kinds[-len(kinds) :]) != kinds:
                raise self._module.unknown(f"operands that do not fit ({kinds} of {''.join(self.kinds)})")
            del self.kinds[-len(kinds) :]

    def push(self, kinds: str) -> None:
        """Leaves values of these types."""
        self.kinds += kinds

    def execute(self, instruction: WasmInstruction) -> None:
        """Takes and leaves what an instruction does. UserError for one that no compiler makes for cores."""
        opcode, numbers = instruction.opcode, instruction.immediates
        if opcode in SIGNATURES:
            taken, left = SIGNATURES[opcode]
            self.pop(taken)
            self.push(left)
        elif opcode == CALL:
            taken, left = self._module.signature(numbers[0])
            self.pop(taken)
            self.push(left)
        elif opcode == CALL_INDIRECT:
            taken, left = self._module.types[numbers[0]]
            self.pop(taken + "i")
            self.push(left)
        elif opcode == LOCAL_GET:
            self.push(self._locals[numbers[0]])
        elif opcode == LOCAL_SET:
            self.pop(self._locals[numbers[0]])
        elif opcode == GLOBAL_GET:
            self.push(self._module.globals[numbers[0]])
        elif opcode == GLOBAL_SET:
            self.pop(self._module.globals[numbers[0]])
        elif opcode == DROP:
            self.kinds.pop()
        elif opcode in (SELECT, SELECT_TYPED):
            self.pop("i")
            self.kinds.pop()
        elif opcode not in (NOP, LOCAL_TEE):
            raise self._module.unknown(f"the instruction 0x{opcode:x}")
