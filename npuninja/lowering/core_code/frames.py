"""How a core's function waits for locks, goes on and ends: resumable for the emulator, blocking on hardware.

The emulator's step function runs until it must wait and goes on there when called again; the contract is
docs/architecture.md, "Core images". Values needed after a wait are copied to the state page only when the
core really stops, so a core that finds its locks free runs on local variables.

The plain function uses Peano's lock builtins and the linker script's buffer symbols. No Peano has been at
hand to run it: experimental.
"""

from __future__ import annotations

from npuninja.arch.devices import LOCK_VALUE_MAX
from npuninja.arch.families import of_architecture
from npuninja.errors import UserError
from npuninja.formats.core_abi import ENDED, FAULT_RELEASE, LOCK_PAGE, STATE_PAGE, WAIT_AT_LEAST, WAIT_EQUAL
from npuninja.ir.core import Block, Operation
from npuninja.ir.syntax import operand
from npuninja.lowering.core_code.function import FunctionWriter
from npuninja.lowering.core_code.liveness import is_wait, live_after_waits
from npuninja.lowering.core_code.loops import waiting_back_edges
from npuninja.lowering.core_code.model import CoreModel, c_name
from npuninja.lowering.core_code.prelude import WIDE_PRODUCT
from npuninja.lowering.core_code.types import c_type, element_type
from npuninja.lowering.core_code.unit import CUnit

#: Where in the state page a cascade transfer lies on its way.
CASCADE_PLACE = STATE_PAGE + 0xF000


class StepFrame:
    """A step function: the state page says where to go on, waits return what the core waits for.

    Attributes:
        writer: writes the body; set before that starts.
        points: number of each lock operation, as the step function returns it: waits first, then releases.
    """

    def __init__(self, model: CoreModel) -> None:
        self.model = model
        self.writer: FunctionWriter | None = None
        self._live = live_after_waits(model.core.regions[0])
        uses = [op for block in model.core.regions[0].blocks for op in block.ops if op.name == "aie.use_lock"]
        self.points = dict(enumerate(sorted(uses, key=lambda op: not is_wait(op)), 1))
        self._numbers = {op: number for number, op in self.points.items()}
        # Numbers after the points stand for headers of loops with waits.
        back_edges = waiting_back_edges(model.core.regions[0])
        headers = dict.fromkeys(target for _, target in back_edges)
        self._headers = {block: number for number, block in enumerate(headers, len(uses) + 1)}
        self._back_edges = set(back_edges)
        self._imports: dict[str, str] = {}

    def buffer(self, op: Operation, user: Operation) -> str:
        """The buffer's data address, as a pointer."""
        return f"(({c_type(op.result.type, op)})0x{self.model.buffer_address(op, user):x})"

    def _kept(self, op: Operation) -> list[str]:
        assert self.writer is not None
        return [self.writer.name(v) for v in self._live[op] if self.writer.is_variable(v)]

    def acquire(self, op: Operation, equal: bool, value: str) -> list[str]:
        """Takes the lock, or waits for its exact value; or saves what is needed and returns."""
        lock = self.model.lock(operand(op, "lock"), op)
        number = self._numbers[op]
        word = f"npu_locks[{lock.word}]"
        keep = "".join(f"npu_state->{name} = {name}; " for name in self._kept(op))
        kind = WAIT_EQUAL if equal else WAIT_AT_LEAST
        answer = _answer(number, kind, value, lock.word)
        stop = f"{{ {keep}npu_state->point = {number}; return {answer}; }}"
        return [
            f"wait{number}:",
            f"if ({word} {'!=' if equal else '<'} {value}) {stop}",
            # Of an exact value nothing is taken (AIEOps.td, use_lock: only AcquireGreaterEqual subtracts).
            "npu_order();" if equal else f"{word} -= {value}; npu_order();",
        ]

    def release(self, op: Operation, value: str) -> list[str]:
        """Gives units of a lock back; beyond the largest value is a fault."""
        lock = self.model.lock(operand(op, "lock"), op)
        word = f"npu_locks[{lock.word}]"
        fault = _answer(self._numbers[op], FAULT_RELEASE, value, lock.word)
        return [
            f"npu_order(); {word} += {value};",
            f"if ({word} > {LOCK_VALUE_MAX}) return {fault};",
        ]

    def jump(self, source: Block, target: Block, label: str) -> str:
        """Jumps, by way of the dispatcher where that closes a loop with waits."""
        if (source, target) in self._back_edges:
            return f"npu_next = {self._headers[target]}; goto npu_dispatch;"
        return f"goto {label};"

    def end(self) -> list[str]:
        """Ends the core for good: it is never entered again."""
        return [f"npu_state->point = {ENDED}; return -1;"]

    def event(self, number: int) -> list[str]:
        """A mark in a trace; trace units know two of them."""
        if number not in (0, 1):
            return []
        self._imports["npu_event"] = "void npu_event(int)"
        return [f"npu_event({number});"]

    def put_stream(self, word: str) -> list[str]:
        """Waits in the middle of the function (npuninja/emulator/core_modules/suspension.py)."""
        self._imports["npu_put_stream"] = "void npu_put_stream(int, int, int)"
        return [f"npu_put_stream(0, {word}, 0);"]

    def get_stream(self) -> str:
        """Waits for a word, in the middle of the function as `put_stream` does."""
        self._imports["npu_get_stream"] = "int npu_get_stream(int)"
        return "npu_get_stream(0)"

    def put_cascade(self, value: str, type: str) -> list[str]:
        """By way of a place in the state page, which is no memory of the tile."""
        self._imports["npu_put_cascade"] = "void npu_put_cascade(const void *)"
        return [
            f"*({type} *)0x{CASCADE_PLACE:x} = {value}; npu_put_cascade((const void *)0x{CASCADE_PLACE:x});"
        ]

    def get_cascade(self, type: str) -> str:
        """Waits for a value of the cascade, which arrives at the same place of the state page."""
        self._imports["npu_get_cascade"] = "void npu_get_cascade(void *)"
        return f"({{ npu_get_cascade((void *)0x{CASCADE_PLACE:x}); *({type} *)0x{CASCADE_PLACE:x}; }})"

    def declarations(self) -> str:
        """What comes before the function; asked for after the body was written."""
        assert self.writer is not None
        kept = {name for op in self._live for name in self._kept(op)}
        fields = "".join(
            text + "\n" for text in self.writer.locals() if text.rsplit(None, 1)[1].strip("*;") in kept
        )
        return (
            f"{WIDE_PRODUCT}"
            f"{''.join(f'extern {text};' + chr(10) for text in self._imports.values())}"
            f"struct npu_state {{\n  int point;\n{fields}}};\n"
            f"#define npu_state ((struct npu_state *)0x{STATE_PAGE:x})\n"
            f"#define npu_locks ((int *)0x{LOCK_PAGE:x})\n"
            # What the core does to buffers stays between its acquire and its release.
            '#define npu_order() __asm__ volatile("" : : : "memory")\n'
        )

    def head(self, local_variables: list[str]) -> list[str]:
        """The function's first lines: variables, what was saved, and the dispatcher."""
        assert self.writer is not None
        lines = [
            f"long long {self.model.entry}(void) {{",
            *local_variables,
            "  int npu_next = npu_state->point;",
        ]
        numbers = [self._numbers[op] for op in self._live]
        loads = [" ".join(f"{name} = npu_state->{name};" for name in self._kept(op)) for op in self._live]
        if any(loads):
            lines.append("  switch (npu_next) {")
            lines += [f"  case {number}: {load} break;" for number, load in zip(numbers, loads) if load]
            lines.append("  }")
        lines += ["npu_dispatch:", "  switch (npu_next) {"]
        lines += [f"  case {number}: goto wait{number};" for number in numbers]
        lines += [
            f"  case {number}: goto {self.writer.labels[block]};" for block, number in self._headers.items()
        ]
        return [*lines, f"  case {ENDED}: return -1;", "  }"]


def _answer(point: int, kind: int, value: str, word: int) -> str:
    """What a step function returns to the emulator, as a C expression; `value` is a number or a variable."""
    fixed = point << 32 | kind << 24 | word
    return f"0x{fixed | int(value) << 16:x}LL" if value.isdecimal() else f"0x{fixed:x}LL | {value} << 16"


class PlainFrame:
    """A function that blocks in the hardware's lock instructions.

    It has no points: nothing has to go on by itself.
    """

    def __init__(self, model: CoreModel, kind: str, unit: CUnit) -> None:
        self.model = model
        self.writer: FunctionWriter | None = None
        self.points: dict[int, Operation] = {}
        self._unit = unit
        self._prefix = of_architecture(kind).lock_builtins

    def buffer(self, op: Operation, user: Operation) -> str:
        """The buffer's symbol, which the linker script places."""
        self.model.buffer_address(op, user)
        symbol = op.string("sym_name", "")
        if not symbol:
            raise UserError("a buffer without a name cannot be linked", op.loc, hint='give it sym_name = "…"')
        name, plain = c_name(symbol)
        label = "" if plain else f' __asm__("{symbol}")'
        self._unit.declarations.setdefault(
            name, f"extern {element_type(op.result.type, op)} {name}[]{label};"
        )
        return name

    def acquire(self, op: Operation, equal: bool, value: str) -> list[str]:
        """Waits in the instruction; a negative value means "at least"."""
        lock = self.model.lock(operand(op, "lock"), op)
        negative = str(-int(value)) if value.isdecimal() else f"-{value}"
        return [f"{self._prefix}_acquire({lock.local_id}, {value if equal else negative});"]

    def release(self, op: Operation, value: str) -> list[str]:
        """Gives units of a lock back."""
        return [f"{self._prefix}_release({self.model.lock(operand(op, 'lock'), op).local_id}, {value});"]

    def jump(self, source: Block, target: Block, label: str) -> str:
        """Jumps to the label."""
        return f"goto {label};"

    def end(self) -> list[str]:
        """Returns to the start-up code, which stops the core."""
        return ["return;"]

    def event(self, number: int) -> list[str]:
        """Makes an event of the core for the trace unit."""
        return [f"{self._prefix}_event({number});"]

    def put_stream(self, word: str) -> list[str]:
        """The instruction, by the intrinsic of Peano's own header."""
        return [f"put_ms({word});"]

    def get_stream(self) -> str:
        """Reads a word from the stream, by an instruction of the core."""
        return "get_ss()"

    def put_cascade(self, value: str, type: str) -> list[str]:
        """Sends a value to the cascade, by an instruction of the core."""
        return [f"put_mcd((v16int32){value});"]

    def get_cascade(self, type: str) -> str:
        """Reads a value from the cascade, by an instruction of the core."""
        return f"({type})get_scd_v16int32()"

    def declarations(self) -> str:
        """Nothing more than the unit's own."""
        return ""

    def head(self, local_variables: list[str]) -> list[str]:
        """The function's first lines."""
        return [f"void {self.model.entry}(void) {{", *local_variables]
