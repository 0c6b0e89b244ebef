"""Functions added to a rewritten module: block copies as loops, and the slow ways of checked accesses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.address_map import ADDRESS_SPACE_BYTES, READ_MARKS, WRITE_MARKS
from npuninja.records import NamedTuple

#: The engine's functions that a checked module calls, in its table's order: name, parameters, result
#: (engine/checks.c).
ENGINE_FUNCTIONS: tuple[tuple[str, bytes, bytes], ...] = (
    ("core_begin", b"", e.I32),
    ("core_read", e.I32 * 2, e.I32),
    ("core_write", e.I32 * 2, e.I32),
    ("core_store", e.I32 * 3, e.I64),
    ("core_copy", e.I32 * 4, b""),
    ("core_fill", e.I32 * 3, b""),
    ("core_stack", e.I32 * 2, b""),
    ("core_grant", e.I32, b""),
    ("core_call", e.I32, e.I32),
    ("core_return", b"", e.I32),
    ("core_bounds", e.I32 * 5, e.I64),
    ("core_strays", e.I32 * 3, b""),
    ("core_within", e.I32 * 5, b""),
    ("core_renew", b"", e.I32),
)


class AddedFunction(NamedTuple):
    """A function to be added: its type, its local variables, its instructions without the last `end`."""

    name: str
    parameters: bytes
    results: bytes
    local_types: list[bytes]
    code: bytes


def copy_loop(name: str, shift: int, engine: Callable[[str], bytes] | None) -> AddedFunction:
    """memory.copy(to, from, bytes, site), in the order that overlapping ranges need."""
    to, source, left, site = 0, 1, 2, 3
    wide = e.get(to) + e.get(source) + e.access(e.V128_LOAD, shift) + e.access(e.V128_STORE, shift)
    narrow = e.get(to) + e.get(source) + e.access(e.I32_LOAD8_U, shift) + e.access(e.I32_STORE8, shift)

    def move(local: int, by: int, operation: bytes) -> bytes:
        return e.get(local) + e.const(by) + operation + e.set_(local)

    def loop(size: int, piece: bytes, forward: bool) -> bytes:
        step = e.I32_ADD if forward else e.I32_SUB
        places = move(to, size, step) + move(source, size, step)
        test = e.get(left) + e.const(size) + e.I32_LT_U + e.branch_if(1)
        work = piece + places if forward else places + piece
        return e.BLOCK + e.LOOP + test + work + move(left, size, e.I32_SUB) + e.branch(0) + e.END + e.END

    checked = b"".join(map(e.get, (to, source, left, site))) + engine("core_copy") if engine else b""
    # to - from, unsigned, is at least the size: nothing is overwritten before it is read.
    forward = e.get(to) + e.get(source) + e.I32_SUB + e.get(left) + e.I32_GE_U
    ends = b"".join(e.get(p) + e.get(left) + e.I32_ADD + e.set_(p) for p in (to, source))
    code = checked + forward + e.IF + loop(16, wide, True) + loop(1, narrow, True)
    code += e.ELSE + ends + loop(16, wide, False) + loop(1, narrow, False) + e.END
    return AddedFunction(name, e.I32 * 4, b"", [], code)


def fill_loop(name: str, shift: int, engine: Callable[[str], bytes] | None) -> AddedFunction:
    """memory.fill(to, byte, bytes, site)."""
    to, value, left, site = 0, 1, 2, 3

    def loop(size: int, piece: bytes) -> bytes:
        test = e.get(left) + e.const(size) + e.I32_LT_U + e.branch_if(1)
        on = e.get(to) + e.const(size) + e.I32_ADD + e.set_(to)
        less = e.get(left) + e.const(size) + e.I32_SUB + e.set_(left)
        return e.BLOCK + e.LOOP + test + piece + on + less + e.branch(0) + e.END + e.END

    checked = b"".join(map(e.get, (to, left, site))) + engine("core_fill") if engine else b""
    wide = e.get(to) + e.get(value) + e.I8X16_SPLAT + e.access(e.V128_STORE, shift)
    narrow = e.get(to) + e.get(value) + e.access(e.I32_STORE8, shift)
    return AddedFunction(name, e.I32 * 4, b"", [], checked + loop(16, wide) + loop(1, narrow))


#: Of a mark's lower half, which an access of two bytes compares with either half (engine/checks.c).
HALF_MARK = 0x7FFF
#: The mark of the first epoch, by which the engine says that they begin again (engine/checks.c).
FIRST_MARK = 0x81800180


def set_epoch(epoch_globals: tuple[int, int, int, int]) -> AddedFunction:
    """Makes all marks old: the epoch as one word, as two, as four, and half of it. When epochs begin again,
    marks of the earlier ones are taken away.
    """
    one, two, four, half = epoch_globals
    wide = e.get(0) + e.I64_EXTEND_U
    code = e.get(0) + e.const(FIRST_MARK) + e.I32_EQ + e.IF
    for marks in (READ_MARKS, WRITE_MARKS):
        code += e.const(marks) + e.const(0) + e.const(ADDRESS_SPACE_BYTES) + e.MEMORY_FILL
    code += e.END + e.get(0) + e.set_global(one)
    code += e.get(0) + e.const(HALF_MARK) + e.I32_AND + e.set_global(half)
    code += wide + wide + b"\x42\x20" + e.I64_SHL + e.I64_OR + e.set_global(two)
    code += e.get(0) + e.I32X4_SPLAT + e.set_global(four)
    return AddedFunction("set_epoch", e.I32, b"", [], code)


def _mark(address: int, count: int, marks: int, epoch: int) -> bytes:
    """Marks `count` words from `address` on; both are locals, and the count is used up."""
    word = e.get(address) + e.get(count) + e.const(2) + b"\x74" + e.I32_ADD
    less = e.get(count) + e.const(1) + e.I32_SUB + e.set_(count)
    store = word + e.get_global(epoch) + e.access(e.I32_STORE, marks)
    test = e.get(count) + e.I32_EQZ + e.branch_if(1)
    aligned = e.get(address) + e.const(0xFFFFFFFC) + e.I32_AND + e.set_(address)
    return aligned + e.BLOCK + e.LOOP + test + less + store + e.branch(0) + e.END + e.END


def slow_access(
    name: str, engine_name: str, marks: int, engine: Callable[[str], bytes], epoch: int
) -> AddedFunction:
    """(address, packed): the engine looks; what it says may be marked is."""
    code = e.get(0) + e.get(1) + engine(engine_name) + e.set_(2) + _mark(0, 2, marks, epoch)
    return AddedFunction(name, e.I32 * 2, b"", [e.I32], code)


def slow_store(engine: Callable[[str], bytes], epoch: int, call: Mapping[str, bytes]) -> AddedFunction:
    """(address, value, packed): a store of the core's own function, which may be to a lock."""
    address, value, packed, words, result = 0, 1, 2, 3, 4
    code = e.get(address) + e.get(value) + e.get(packed) + engine("core_store") + e.tee(result)
    code += e.I32_WRAP + e.set_(words) + _mark(address, words, WRITE_MARKS, epoch)
    high = e.get(result) + b"\x42\x20" + e.I64_SHR_U + e.I32_WRAP
    code += high + e.IF + high + call["set_epoch"] + e.END
    return AddedFunction("slow_store", e.I32 * 3, b"", [e.I32, e.I64], code)


def strays(engine: Callable[[str], bytes]) -> AddedFunction:
    """(address, packed, low): an access that left its argument's buffer, which ends the run."""
    code = e.get(0) + e.get(1) + e.get(2) + engine("core_strays") + e.UNREACHABLE
    return AddedFunction("strays", e.I32 * 3, b"", [], code)


def stack_moved(engine: Callable[[str], bytes]) -> AddedFunction:
    """(new, old): a function that takes stack finds nothing in it, so its marks are taken away."""
    new, old = 0, 1
    word = e.get(new) + e.const(0) + e.access(e.I32_STORE, READ_MARKS)
    word += e.get(new) + e.const(0) + e.access(e.I32_STORE, WRITE_MARKS)
    test = e.get(new) + e.get(old) + e.I32_GE_U + e.branch_if(1)
    on = e.get(new) + e.const(4) + e.I32_ADD + e.set_(new)
    loop = e.BLOCK + e.LOOP + test + word + on + e.branch(0) + e.END + e.END
    aligned = e.get(new) + e.const(0x7FFFC) + e.I32_AND + e.set_(new)
    grows = e.get(new) + e.get(old) + e.I32_LT_U
    code = grows + e.IF + e.get(new) + e.get(old) + engine("core_stack") + aligned + loop + e.END
    return AddedFunction("stack_moved", e.I32 * 2, b"", [], code)
