"""How a block is left: branches, calls, returns."""

from __future__ import annotations

from npuninja.aie2_compiler.registers import LINK, NUMBERS, RETURN_ADDRESS, ZERO
from npuninja.aie2_compiler.riscv import RiscvInstruction
from npuninja.aie2_compiler.selection.addresses import MEMORY
from npuninja.aie2_compiler.selection.expansions import Expansions
from npuninja.aie2_compiler.selection.registers import RA


class SelectedLeaving(Expansions):
    """Selects instructions for branches, calls and returns."""

    def branch(self, item: RiscvInstruction, test: str, when: bool, swapped: bool) -> None:
        """To a label, if a comparison of two registers gives `when`."""
        left, right, label = item.operands
        a, b = self.source(left), self.source(right)
        if swapped:
            a, b = b, a
        made = self.temporary()
        self.emit(f"{test} {made}, {a}, {b}")
        self.finish(self.operation(f"{'jnz' if when else 'jz'} {made}, {label}"))

    def branch_zero(self, item: RiscvInstruction, test: str, when: bool, swapped: bool) -> None:
        """To a label, if a comparison with 0 gives `when`; without `test` the register itself is compared."""
        left, label = item.operands
        a = self.source(left)
        if test:
            made = self.temporary()
            pair = f"{ZERO}, {a}" if swapped else f"{a}, {ZERO}"
            self.emit(f"{test} {made}, {pair}")
            a = made
        self.finish(self.operation(f"{'jnz' if when else 'jz'} {a}, {label}"))

    def jump(self, item: RiscvInstruction) -> None:
        """`j`, or `tail`: the called function returns for this one."""
        label = item.operands[-1]
        if item.mnemonic == "tail":
            self.give_link_back()
        self.finish(self.operation(f"j {self.aliases.get(label, label)}"))

    def call(self, item: RiscvInstruction) -> None:
        """Selects instructions for `call`."""
        name = item.operands[-1].strip('"')
        self.finish(self.operation(f"jl {self.aliases.get(name, name)}"))

    def give_link_back(self) -> None:
        """Puts the return address into `lr` again."""
        if self.saves_link:
            self.emit(f"mov {LINK}, {RETURN_ADDRESS}")

    def return_(self, item: RiscvInstruction) -> None:
        """Selects instructions for `ret`."""
        self.give_link_back()
        self.finish(self.operation("ret lr"))

    def jump_register(self, item: RiscvInstruction, links: bool) -> None:
        """A jump or call to an address in a register."""
        register = item.operands[-1]
        found = MEMORY.fullmatch(register)
        if found is not None:
            if self.number(found[1] or "0"):
                raise self.unknown(item)
            register = found[2]
        if NUMBERS[register] == RA and not links:
            self.return_(item)
            return
        self.frame = None  # which function is called is not known
        pointer = self.pointer(self.source(register))
        if not links:
            self.give_link_back()
        self.finish(self.operation(f"{'jl' if links else 'j'} {pointer}"))

    def stop(self, item: RiscvInstruction) -> None:
        """unreachable code: the core ends."""
        self.emit("done")

    def nothing(self, item: RiscvInstruction) -> None:
        """nop, fence: bundles are issued in order."""
