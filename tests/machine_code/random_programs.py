"""Random programs that run to their end: every executed instruction, in flight across blocks, loops, calls and branches."""

from __future__ import annotations

import random
from functools import cache

from npuninja.machine_code.decode import Decoded, decoder
from npuninja.machine_code.encode import EncodeError, choose_format, parse_instruction
from npuninja.machine_code.instruction_set import Instruction, instruction_set
from npuninja.machine_code.prepare import is_prepared

_CONTROL = ("j", "jl", "jz", "jnz", "jnzd", "ret lr", "done", "acq", "rel", "event")
#: Not written at random: addresses, loops, and what calls and the loop below need.
_KEPT = {
    "sp",
    "lr",
    "ls",
    "le",
    "lc",
    "dp",
    "core_id",
    *(f"{k}{i}" for k in ("p", "m", "dn", "dj", "dc") for i in range(8)),
    *("r12", "r13", "r14", "r15", "r29", "l6"),
}
#: Rotations that exist, and shuffle modes that are known, are what these hold.
_POINTERS = ("p0", "p1", "p2", "p3")


@cache
def executed() -> dict[str, list[Instruction]]:
    """The instructions that the runtime executes, by slot."""
    found: dict[str, list[Instruction]] = {}
    for instruction in instruction_set("aie2").instructions:
        base = instruction.mnemonic.split(".")[0]
        if (
            instruction.is_filler
            or base in _CONTROL
            or instruction.mnemonic in _CONTROL
            or ".4x" in instruction.mnemonic  # reads where random bytes say
            or "sp" in instruction.arguments
            or any(
                port in instruction.arguments for port in ("SS", "SCD", "MCD", "ms,")
            )  # they wait: see test_core_ports
        ):
            continue
        if instruction.mnemonic == "vshift.align" or base in (
            "vmul",
            "vmac",
            "vmsc",
            "vnegmul",
            "vnegmac",
            "vnegmsc",
        ):
            continue  # proved for some configurations only: see vector_lines
        if instruction.mnemonic.startswith(("vaddm", "vsubm", "vshuffle", "vbcstshfl")):
            continue
        found.setdefault(instruction.slot, []).append(instruction)
    return found


def _random(instruction: Instruction, source: random.Random) -> str | None:
    """The text of an instruction with random operands that keep a program alive, or None."""
    word = instruction.value
    for operand in instruction.operands:
        if operand.immediate is not None:
            field = source.getrandbits(operand.bits)
            if instruction.memory or instruction.mnemonic.startswith("padd"):
                value = source.choice((0, 32, -32, 64))
                low, high = operand.immediate.limits()
                field = operand.immediate.field(value) if low <= value <= high else 0  # type: ignore[assignment]
                field = field or 0
        else:
            written = any(a.is_write for a in operand.accesses)
            names = [n for n in operand.registers if n is not None]
            if operand.kind == "eP":
                names = [n for n in names if n in _POINTERS]
            elif written:
                names = [n for n in names if n not in _KEPT]
            if not names:
                return None
            field = operand.registers.index(source.choice(names))
        word |= operand.place(field)
    (decoded,) = decoder().slot_readings(instruction.slot, word)
    return decoded.text if _alive(decoded) else None


def _alive(decoded: Decoded) -> bool:
    if not is_prepared(decoded):
        return False
    names = [v for v in decoded.operands if isinstance(v, str) and v in _POINTERS]
    return len(names) == len(set(names))


def _line(source: random.Random) -> str:
    parts: list[str] = []
    slots: list[str] = []
    pointers: set[str] = set()
    for slot in source.sample(sorted(executed()), source.randint(1, 4)):
        if (slot == "lng" and {"alu", "mv"} & set(slots)) or (slot in ("alu", "mv") and "lng" in slots):
            continue
        text = _random(source.choice(executed()[slot]), source)
        if text is None or any(f"[{p}" in text and p in pointers for p in _POINTERS):
            continue
        try:
            choose_format([*slots, parse_instruction(text).instruction.slot], instruction_set("aie2"))
        except EncodeError:
            continue
        pointers |= {p for p in _POINTERS if f"[{p}" in text}
        slots.append(slot)
        parts.append(text)
    return "; ".join(parts) or "nop"


_PRODUCTS = (
    "vmul cm1, x0, x1, r14", "vmac cm2, cm1, x2, x3, r14", "vmsc cm3, cm2, x0, x3, r14", "vmul.f bml4, x0, x1, r13",
    "vmac.f bmh4, bml4, x2, x1, r13", "vshuffle x4, x0, x1, r12", "vbcstshfl.16 x5, r0, r29", "vnegmac cm1, cm3, x1, x2, r14",
)  # fmt: skip


def random_program(seed: int) -> str:
    """The text of a program: a loop of straight pieces with a call and forward branches, then `done`."""
    source = random.Random(seed)

    def piece(count: int) -> list[str]:
        lines = []
        for _ in range(count):
            lines.append(source.choice(_PRODUCTS) if source.random() < 0.15 else _line(source))
        return lines

    def settle() -> list[str]:
        # Pointers and modifiers back to where accesses are allowed; r12 to r14 and r29 to modes that are known.
        lines = [f"movxm {p}, #{0x70000 + 0x2000 * i + 0x1000}" for i, p in enumerate(_POINTERS)]
        lines += [
            "mova r14, #824",
            "mova r13, #60",
            f"mova r12, #{source.randrange(48)}",
            f"mova r29, #{source.randrange(38)}",
        ]
        return lines

    lines = [".globl main", "main:", "movxm sp, #458752", "paddb [sp], #64", "mova r15, #3"]
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
    lines += [
        "movxm ls, #begin",
        "movxm le, #finish",
        f"movxm lc, #{source.randrange(1, 5)}",
        *piece(7),
        *settle(),
    ]
    lines += [".align 16", "begin:", *piece(source.randrange(1, 5)), *settle(), ".align 16", "finish:"]
    lines += ["nopb; nopa; nops; nopx; nopm; nopv"]
    lines += ["add r15, r15, #-1", "nop", "jnz r15, #again", *piece(5), *piece(3)]
    lines += ["done", *["nop"] * 5, ".align 16", "leaf:", *piece(3), "ret lr", *piece(5), ".align 16"]
    return "\n".join(lines) + "\n"
