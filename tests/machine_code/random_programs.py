"""Random programs that end: every executed instruction, in flight across blocks, loops, calls, branches."""

from __future__ import annotations

import random
from functools import cache
from typing import Sequence, TypeVar

from npuninja.machine_code.decode import Decoded, decoder
from npuninja.machine_code.encode import FILLER_OF_SLOT
from npuninja.machine_code.instruction_set import Instruction, Operand, instruction_set
from npuninja.machine_code.prepare import is_prepared

_T = TypeVar("_T")
#: What the frame of a program below has: branches, and the end.
_CONTROL = ("j", "jl", "jz", "jnz", "jnzd", "ret lr", "done")
#: Not written at random: addresses, loops, and what calls and the loop below need.
_KEPT = {
    "sp",
    "lr",
    "ls",
    "le",
    "lc",
    "dp",
    "core_id",
    "crMCDEn",
    "crSCDEn",
    *(f"{k}{i}" for k in ("p", "m", "dn", "dj", "dc") for i in range(8)),
    *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r29", "l6"),
}
#: Rotations that exist, and shuffle modes that are known, are what these hold.
_POINTERS = ("p0", "p1", "p2", "p3")


#: Words of products that are measured: integers, floats.
_CONFIGURATIONS = {False: "r14", True: "r13"}


@cache
def executed(*, ports: bool = False) -> dict[str, list[Instruction]]:
    """What is in random programs, by slot: all that the runtime executes, apart from branches and table
    look-ups, which read where random bytes say (test_unusual_programs). `ports`: what waits for a stream or
    the cascade, too.
    """
    found: dict[str, list[Instruction]] = {}
    for instruction in instruction_set("aie2").instructions:
        mnemonic, arguments = instruction.mnemonic, instruction.arguments
        waits = any(port in arguments for port in ("SS", "SCD", "MCD", "ms,")) and ".nb" not in mnemonic
        if (
            instruction.is_filler
            or mnemonic in _CONTROL
            or ".4x" in mnemonic
            or (waits and not ports)
            or mnemonic == "vshift.align"
        ):
            continue
        if _random(instruction, random.Random(1)) is not None or any(
            _random(instruction, random.Random(seed)) is not None for seed in range(2, 40)
        ):
            found.setdefault(instruction.slot, []).append(instruction)
    return found


def _chosen(instruction: Instruction, operand: Operand, source: random.Random) -> str | None:
    """A register for an operand that keeps a program alive, or None for any."""
    mnemonic = instruction.mnemonic
    if mnemonic.startswith(("acq", "rel")) and operand.immediate is None:
        if operand.name == "mRx":
            return "r11"  # the number of an own lock
        return "r10" if mnemonic.startswith("acq") else "r9"
    if mnemonic.startswith(("vmul", "vmac", "vmsc", "vneg", "vadd", "vsub")) and operand.name == "c":
        return _CONFIGURATIONS[mnemonic.endswith(".f")]
    if mnemonic == "vshuffle" and operand.name == "mod":
        return "r12"
    if operand.kind == "eP":
        return source.choice(("p5",) if mnemonic.startswith("v") and source.random() < 0.2 else _POINTERS)
    return None


def _random(instruction: Instruction, source: random.Random) -> str | None:
    """The text of an instruction with random operands that keep a program alive, or None."""
    word = instruction.value
    for operand in instruction.operands:
        if operand.immediate is not None:
            field = source.getrandbits(operand.bits)
            if instruction.mnemonic.startswith(("acq", "rel")):
                field = 48 + source.randrange(3)
            elif "[sp" in instruction.arguments:
                value = source.choice(
                    (32, -32) if instruction.mnemonic.startswith("padd") else (-32, -64, -96)
                )
                field = operand.immediate.field(value) or 0
            elif instruction.memory or instruction.mnemonic.startswith("padd"):
                value = source.choice((0, 32, -32, 64))
                low, high = operand.immediate.limits()
                field = operand.immediate.field(value) if low <= value <= high else 0  # type: ignore[assignment]
                field = field or 0
        else:
            written = any(a.is_write for a in operand.accesses)
            names = [n for n in operand.registers if n is not None]
            chosen = _chosen(instruction, operand, source)
            if chosen is not None:
                names = [n for n in names if n == chosen]
            elif written:
                names = [n for n in names if n not in _KEPT]
            if not names:
                return None
            field = operand.registers.index(source.choice(names))
        word |= operand.place(field)
    readings = decoder().slot_readings(instruction.slot, word)
    return readings[0].text if len(readings) == 1 and _alive(readings[0]) else None


def _alive(decoded: Decoded) -> bool:
    if not is_prepared(decoded):
        return False
    names = [v for v in decoded.operands if isinstance(v, str) and v in _POINTERS]
    return len(names) == len(set(names))


class _Deck:
    """Cards that all come once before one comes again, also from one program to the next."""

    def __init__(self, cards: Sequence[_T], seed: int, at: int) -> None:
        self._cards = list(cards)
        random.Random(seed).shuffle(self._cards)
        self._at = at

    def next(self) -> _T:
        self._at += 1
        return self._cards[self._at % len(self._cards)]


@cache
def _formats() -> list[tuple[str, ...]]:
    """The slots of every bundle format in which a random instruction may be."""
    return sorted(
        {
            slots
            for slots in map(tuple, map(sorted, instruction_set("aie2").format_of_slots))
            if slots != ("nop",)
        }
    )


class _Lines:
    """Random bundles: formats in turn, in each slot instructions in turn; locks for odd seeds only."""

    def __init__(self, seed: int, *, ports: bool) -> None:
        self.source = random.Random(seed)
        self._formats = _Deck(_formats(), 1, 60 * seed)
        self._cards = {slot: _Deck(cards, 2, 45 * seed) for slot, cards in executed(ports=ports).items()}
        self._has_locks = bool(seed % 2)

    def line(self) -> str:
        parts: list[str] = []
        pointers: set[str] = set()
        for slot in self._formats.next():
            if slot not in self._cards:
                parts.append(FILLER_OF_SLOT[slot].lower())
                continue
            text = None
            for _ in range(12):
                text = _random(self._cards[slot].next(), self.source)
                if text is not None and text.startswith(("acq", "rel")) and not self._has_locks:
                    text = None
                if text is not None and any(
                    f"[{p}" in text and p in pointers for p in (*_POINTERS, "p5", "sp")
                ):
                    text = None  # two updates of one pointer
                if text is not None:
                    break
            if text is None:
                text = FILLER_OF_SLOT[slot].lower()
            pointers |= {p for p in (*_POINTERS, "p5", "sp") if f"[{p}" in text}
            parts.append(text)
        return "; ".join(parts) or "nop"


_PRODUCTS = (
    "vmul cm1, x0, x1, r14", "vmac cm2, cm1, x2, x3, r14", "vmsc cm3, cm2, x0, x3, r14", "vmul.f bml4, x0, x1, r13",
    "vmac.f bmh4, bml4, x2, x1, r13", "vshuffle x4, x0, x1, r12", "vbcstshfl.16 x5, r0, r29", "vnegmac cm1, cm3, x1, x2, r14",
)  # fmt: skip


_PORTS = (
    "mov r1, SS", "mov.nb r2, SS", "mov ms, r3", "mov.nb ms, r4", "vmov x6, SCD", "vmov.hi cm5, SCD", "vmov.lo cm5, SCD",
    "vmov MCD, x6", "mov r5, SS; vmov MCD, x6", "mov r5, SS; mov ms, r2", "vmov x7, SCD; mov.nb ms, r5",
)  # fmt: skip


def random_program(seed: int, *, ports: bool = False) -> str:
    """The text of a program: a loop of straight pieces with calls, branches and hardware loops, then `done`.

    Args:
        seed: of the random choices; programs of odd seeds have locks.
        ports: whether it has instructions that wait for a stream or the cascade.
    """
    lines_of = _Lines(seed, ports=ports)
    source = lines_of.source

    def piece(count: int) -> list[str]:
        def line() -> str:
            if source.random() < 0.1:
                return source.choice(_PRODUCTS)
            return source.choice(_PORTS) if ports and source.random() < 0.2 else lines_of.line()

        return [line() for _ in range(count)]

    def settle() -> list[str]:
        # Pointers and modifiers back to where accesses are allowed; registers that choose to what is known.
        lines = [f"movxm {p}, #{0x70000 + 0x2000 * i + 0x1000}" for i, p in enumerate(_POINTERS)]
        lines += [
            f"movxm p5, #{0x79000 + source.randrange(32)}",  # low bits of a vector's address are ignored
            "movxm sp, #458816",
            "mova r14, #824; movx r9, #1",
            f"mova r13, #60; movx r10, #{source.choice((-1, -1, -2, 1))}",
            f"mova r12, #{source.randrange(48)}; movx r11, #{48 + source.randrange(3)}",
            f"mova r29, #{source.randrange(38)}",
        ]
        # Where nothing is in flight and the core may wait, the interpreter hands back to translated code.
        return [*["nop"] * 12, "mov r7, SS", *lines] if ports else lines

    def hardware_loop(name: str, body: int) -> list[str]:
        """A zero-overhead loop of so many bundles; of one alone, start and end are the same."""
        made = [
            f"movxm ls, #{name}_begin",
            f"movxm le, #{name}_finish",
            f"movxm lc, #{source.randrange(1, 5)}",
        ]
        made += [*piece(7), *settle(), ".align 16", f"{name}_begin:"]
        if body > 1:
            made += [*piece(body - 1), ".align 16"]
        return [*made, f"{name}_finish:", "nopb; nopa; nops; nopx; nopm; nopv"]

    lines = [".globl main", "main:", "movxm sp, #458752", "paddb [sp], #64", "mova r15, #3"]
    lines += ["movxm crMCDEn, #1", "movxm crSCDEn, #1"]
    lines += [f"mova m{i}, #{32 * (i - 3)}; movx r{i}, #{source.randrange(-900, 900)}" for i in range(8)]
    lines += [f"mova dj{i}, #{32 * (i - 4)}" for i in range(8)]
    lines += [f"mova dn{i}, #{i % 3}" for i in range(8)] + [f"mova dc{i}, #{i % 2}" for i in range(8)]
    lines += ["again:", *settle(), *piece(6)]
    lines += [
        f"j{source.choice(('z', 'nz'))} r{source.randrange(8)}, #skip",
        *piece(5),
        *piece(4),
        "skip:",
        *settle(),
    ]
    lines += ["jl #leaf", *piece(5), *piece(3), *settle()]
    lines += ["movxm p4, #leaf", "nop", "jl p4", *piece(5), *settle()]
    lines += [
        *hardware_loop("first", 1),
        *piece(2),
        *hardware_loop("second", source.randrange(2, 22)),
        *settle(),
    ]
    # A loop by a count, closed by jnzd through a pointer.
    lines += ["movxm p4, #count", f"movx r8, #{source.randrange(1, 4)}", "count:", *piece(2), *settle()]
    lines += ["movxm p4, #count", "jnzd r8, r8, p4", *piece(5), *settle()]
    lines += ["add r15, r15, #-1", "nop", "jnz r15, #again", *piece(5), *piece(3)]
    lines += ["done", *["nop"] * 5, ".align 16", "leaf:", *piece(3), "ret lr", *piece(5), ".align 16"]
    return "\n".join(lines) + "\n"
