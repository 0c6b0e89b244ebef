"""A scalar machine to count instructions on: RV32IM as compiled C needs it, from an ELF file to `ecall`.

Source: The RISC-V Instruction Set Manual, volume I, chapters RV32I and "M".
"""

from __future__ import annotations

import struct

_MEMORY_BYTES = 1 << 20
_MASK = 0xFFFFFFFF


def executed_instructions(elf: bytes) -> int:
    """Runs an executable from its entry until `ecall`; returns how many instructions that took."""
    memory = bytearray(_MEMORY_BYTES)
    (pc, headers), (header_count,) = struct.unpack_from("<2I", elf, 24), struct.unpack_from("<H", elf, 44)
    for number in range(header_count):
        kind, offset, address, _, size = struct.unpack_from("<5I", elf, headers + 32 * number)
        if kind == 1:  # PT_LOAD
            memory[address : address + size] = elf[offset : offset + size]
    registers = [0] * 32
    registers[2] = _MEMORY_BYTES - 64  # the stack
    count = 0
    while True:
        (word,) = struct.unpack_from("<I", memory, pc)
        count += 1
        if word == 0x73:  # ecall
            return count
        pc = _execute(word, pc, registers, memory)


def _signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (value >> (bits - 1) << bits)


def _execute(word: int, pc: int, x: list[int], memory: bytearray) -> int:
    """Executes one instruction; returns the address of the next."""
    opcode, rd, kind = word & 127, word >> 7 & 31, word >> 12 & 7
    a, b, immediate = x[word >> 15 & 31], x[word >> 20 & 31], _signed(word >> 20, 12)
    following, result = pc + 4, None
    if opcode == 0x37:  # lui
        result = word & 0xFFFFF000
    elif opcode == 0x17:  # auipc
        result = pc + (word & 0xFFFFF000)
    elif opcode == 0x6F:  # jal
        bits = (
            word >> 31 << 20 | (word >> 12 & 0xFF) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3FF) << 1
        )
        result, following = following, pc + _signed(bits, 21)
    elif opcode == 0x67:  # jalr
        result, following = following, (a + immediate) & _MASK & ~1
    elif opcode == 0x63:  # branches
        less = a < b if kind & 2 else _signed(a) < _signed(b)
        if (less if kind & 4 else a == b) != bool(kind & 1):
            bits = word >> 31 << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 63) << 5 | (word >> 8 & 15) << 1
            following = pc + _signed(bits, 13)
    elif opcode == 0x03:  # loads
        address, size = (a + immediate) & _MASK, 1 << (kind & 3)
        result = int.from_bytes(memory[address : address + size], "little", signed=not kind & 4)
    elif opcode == 0x23:  # stores
        address, size = (a + _signed(word >> 25 << 5 | rd, 12)) & _MASK, 1 << kind
        memory[address : address + size] = (b & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        return following
    elif opcode == 0x33 and word >> 25 == 1:
        result = _multiply_or_divide(kind, a, b)
    elif opcode in (0x13, 0x33):
        negative = bool(word >> 30 & 1)
        result = _compute(
            kind, a, b if opcode == 0x33 else immediate & _MASK, negative, opcode == 0x33 and negative
        )
    else:
        raise AssertionError(f"no such instruction: 0x{word:08x} at 0x{pc:x}")
    if result is not None and rd:
        x[rd] = result & _MASK
    return following


def _compute(kind: int, a: int, b: int, arithmetic: bool, subtract: bool) -> int:
    shift = b & 31
    return (
        a - b if subtract else a + b,
        a << shift,
        int(_signed(a) < _signed(b)),
        int(a < b),
        a ^ b,
        _signed(a) >> shift if arithmetic else a >> shift,
        a | b,
        a & b,
    )[kind]


def _multiply_or_divide(kind: int, a: int, b: int) -> int:
    if kind < 4:
        left = a if kind == 3 else _signed(a)
        right = _signed(b) if kind < 2 else b
        return left * right >> (32 if kind else 0)
    assert b, "division by zero"
    left, right = (a, b) if kind & 1 else (_signed(a), _signed(b))
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left - quotient * right if kind & 2 else quotient
