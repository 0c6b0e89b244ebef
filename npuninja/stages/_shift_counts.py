"""Shifts by counts that are known only when a kernel runs, with the meaning that they have on an AIE.

C leaves a shift by a negative count open. AIE2 has one instruction for both directions: it takes the count's
sign for the direction and five bits of its magnitude, and Peano uses it for `<<` and `>>` alike. WebAssembly
takes five bits of the count. So `1 << (scale - 1)` is 0 on an NPU where `scale` is 0. Kernels whose text has
such shifts are first compiled to LLVM's language and optimised as in Peano; shifts of `int` are written out:

    count < 0 ? the other shift by -count & 31 : the shift by count & 31

Shifts of 64 bits are made of those (`_of_64_bits`).

The second half of the compiler sees that the two masks do nothing. Shifts of our own headers are left alone:
their counts are in range.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from npuninja import kernel_headers
from npuninja.file_kinds import HEADERS_IN_OBJECTS
from npuninja.records import NamedTuple
from npuninja.stages._tool import remove, run_tool

_NAME = r'%(?:[-\w.$]+|"[^"]+")'
_INSTRUCTION = re.compile(
    rf"^( +)({_NAME}) = (shl|lshr|ashr)(?: nuw| nsw| exact)* (i(?:32|64)|<(\d+) x i(?:32|64)>) (.+), ({_NAME})"
    r"((?:, ![\w.]+ !\d+)*)$",
    re.MULTILINE,
)
_DEFINITION = re.compile(rf"^ +({_NAME}) = (.*?)(?:, ![\w.]+ !\d+)*$", re.MULTILINE)
_FUNCTION = re.compile(r"^define .*?^}$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"!dbg !(\d+)")
_NODE = re.compile(
    r"^!(\d+) = (?:distinct )?!DI(Location|Subprogram|LexicalBlock|LexicalBlockFile|File)\((.*)\)$",
    re.MULTILINE,
)
# What a value is made by when it is not negative.
_NOT_NEGATIVE = re.compile(
    r"(?:zext |and i32 .*, \d+$|lshr i32 .*, [1-9]\d*$|urem i32 .*, \d+$|select i1 [^,]+, i32 \d+, i32 \d+$"
    r"|(?:tail )?call .*@llvm\.(?:ctlz|cttz|ctpop)\.)"
)
# The same for counts that 64 bits have room for.
_WITHIN_64 = re.compile(r"(?:and i64 .*, (?:[1-5]?\d|6[0-3])$|urem i64 .*, (?:[1-5]?\d|6[0-4])$)")
_OPPOSITE = {"shl": "lshr", "lshr": "shl", "ashr": "shl"}


class Shift(NamedTuple):
    """A shift.

    Attributes:
        name: a prefix for names.
        result: the result's name.
        kind: `shl`, `lshr` or `ashr`.
        type: of the value.
        lanes: how many the type has, if it is a row.
        value: what is shifted.
        amount: the count.
        scalar: the number that all lanes of the count are, if they are the same.
    """

    name: str
    result: str
    kind: str
    type: str
    lanes: str | None
    value: str
    amount: str
    scalar: str | None


WrittenOut = Callable[[Shift], Iterator[str]]
"""Gives the instructions that stand for a shift."""


def make_object(
    compile_to: Callable[[list[str], str], None],
    command: list[str],
    target: str,
    variables: dict[str, str],
    written_out: WrittenOut | None = None,
) -> None:
    """Makes a kernel's object with its shifts written out.

    Args:
        compile_to: runs the compiler; gets the words that say what is wanted, and a path for that.
        command: of the compiler, for a module in LLVM's language that is optimised, with the words that say
            what is wanted.
        target: the object.
        variables: of the environment.
        written_out: what stands for a shift; default: the choice that WebAssembly needs.
    """
    module = target + ".ll"
    try:
        # `zig cc -S` writes no file where a depfile is asked for; it does when its clang alone hears of it.
        compile_to(["-c", "-Xclang", "-emit-llvm"], module)
        with open(module, encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
        with open(module, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(with_counts_of_aie(text, written_out or _written_out))
        run_tool([*command, module, "-o", target], variables=variables)
    finally:
        remove(module)


def with_counts_of_aie(text: str, written_out: WrittenOut) -> str:
    """A module in LLVM's language whose shifts of 32-bit numbers by run-time counts go by the counts' signs.

    Args:
        text: the module, optimised, with the places of its instructions.
        written_out: what stands for a shift.
    """
    debug_files = _DebugFiles(text)
    made: list[str] = []
    end = 0
    for function in _FUNCTION.finditer(text):
        body = function.group()
        if not _INSTRUCTION.search(body):
            continue
        made += [text[end : function.start()], _of_function(body, debug_files, written_out)]
        end = function.end()
    return "".join([*made, text[end:]])


def _of_function(body: str, debug_files: _DebugFiles, written_out: WrittenOut) -> str:
    count = iter(range(len(body)))
    made_by = {m[1]: m[2] for m in _DEFINITION.finditer(body)}

    def replaced(match: re.Match[str]) -> str:
        indent, result, shift, type, lanes, value, amount, rest = match.groups()
        place = _PLACE.search(rest)
        is_wide = "i64" in type
        scalar = _scalar(made_by, amount) if lanes and not is_wide else amount
        known = (_WITHIN_64 if is_wide else _NOT_NEGATIVE).match(made_by.get(scalar or amount, ""))
        if known or (place and debug_files.is_header(place[1])):
            return match.group()
        name = f"%npu.shift.{next(count)}."
        wanted = Shift(
            name=name,
            result=result,
            kind=shift,
            type=type,
            lanes=lanes,
            value=value,
            amount=amount,
            scalar=scalar,
        )
        lines = list(_of_64_bits(wanted, written_out) if is_wide else written_out(wanted))
        return "\n".join(f"{indent}{line}{rest}" for line in lines)

    return _INSTRUCTION.sub(replaced, body)


def _of_64_bits(shift: Shift, written_out: WrittenOut) -> Iterator[str]:
    """A shift of 64 bits, which AIE2 has no instruction for: LLVM's expansion into shifts of the two words.

    A count above 63 shifts one word, by the count less 32, to where the other one is. Negative counts of C
    are such counts: what C promotes is taken as unsigned.
    """
    name, result, kind, type, lanes, value, amount, _ = shift
    half = type.replace("i64", "i32")

    def all_lanes(number: int) -> str:
        each = type.partition("x ")[2].rstrip(">")
        return f"<{', '.join([f'{each} {number}'] * int(lanes))}>" if lanes else str(number)

    yield f"{name}within = icmp ult {type} {amount}, {all_lanes(64)}"
    yield f"{name}count = and {type} {amount}, {all_lanes(63)}"
    yield f"{name}usual = {kind} {type} {value}, {name}count"
    yield f"{name}beyond = sub {type} {amount}, {all_lanes(32)}"
    yield f"{name}excess = trunc {type} {name}beyond to {half}"
    source = value
    if kind != "shl":
        source = f"{name}high"
        yield f"{source} = lshr {type} {value}, {all_lanes(32)}"
    yield f"{name}word = trunc {type} {source} to {half}"
    excess = f"{name}excess"
    yield from written_out(
        Shift(
            name=f"{name}of.",
            result=f"{name}shifted",
            kind=kind,
            type=half,
            lanes=lanes,
            value=f"{name}word",
            amount=excess,
            scalar=None if lanes else excess,
        )
    )
    yield f"{name}wide = zext {half} {name}shifted to {type}"
    other = f"{name}wide"
    if kind == "shl":
        other = f"{name}other"
        yield f"{other} = shl {type} {name}wide, {all_lanes(32)}"
    elif kind == "ashr":
        other = f"{name}other"
        yield f"{name}sign = ashr {type} {value}, {all_lanes(63)}"
        yield f"{name}signs = shl {type} {name}sign, {all_lanes(32)}"
        yield f"{other} = or {type} {name}signs, {name}wide"
    choice = f"<{lanes} x i1>" if lanes else "i1"
    yield f"{result} = select {choice} {name}within, {type} {name}usual, {type} {other}"


def as_instructions(shift: Shift) -> Iterator[str]:
    """AIE2's own instruction, as `npuninja.aie2_compiler` takes it; of numbers only, RV32 has no others."""
    from npuninja.aie2_compiler.riscv import AIE2_INSTRUCTIONS, CUSTOM_OPCODE  # not for emulated cores

    if shift.lanes:
        yield f"{shift.result} = {shift.kind} {shift.type} {shift.value}, {shift.amount}"
        return
    count = shift.amount
    if shift.kind != "shl":
        count = f"{shift.name}minus"
        yield f"{count} = sub i32 0, {shift.amount}"
    number = AIE2_INSTRUCTIONS["aie2.ashl" if shift.kind == "ashr" else "aie2.lshl"]
    text = f".insn r {CUSTOM_OPCODE}, {number}, 0, $0, $1, $2"
    yield f'{shift.result} = call i32 asm "{text}", "=r,r,r"(i32 {shift.value}, i32 {count})'


def _written_out(shift: Shift) -> Iterator[str]:
    """A choice. A count that is the same for all lanes stays one number: WebAssembly has no other."""
    name, result, kind, type, lanes, value, amount, scalar = shift
    rows = type if scalar is None else "i32"
    count = amount if scalar is None else scalar
    zero, mask = (
        ("zeroinitializer", f"<{', '.join(['i32 31'] * int(lanes or 0))}>") if rows != "i32" else ("0", "31")
    )
    yield f"{name}negative = icmp slt {rows} {count}, {zero}"
    yield f"{name}minus = sub {rows} {zero}, {count}"
    yield f"{name}back = and {rows} {name}minus, {mask}"
    yield f"{name}on = and {rows} {count}, {mask}"
    back, on = f"{name}back", f"{name}on"
    if rows != type:
        for way in ("back", "on"):
            yield f"{name}{way}.0 = insertelement {type} poison, i32 {name}{way}, i32 0"
            yield (
                f"{name}{way}.all = shufflevector {type} {name}{way}.0, {type} poison, "
                f"<{lanes} x i32> zeroinitializer"
            )
        back, on = f"{name}back.all", f"{name}on.all"
    yield f"{name}other = {_OPPOSITE[kind]} {type} {value}, {back}"
    yield f"{name}same = {kind} {type} {value}, {on}"
    choice = "i1" if rows == "i32" else f"<{lanes} x i1>"
    yield f"{result} = select {choice} {name}negative, {type} {name}other, {type} {name}same"


def _scalar(made_by: dict[str, str], name: str) -> str | None:
    """The number that all lanes of a row are, None where they may differ."""
    spread = re.fullmatch(
        rf"shufflevector <\d+ x i32> ({_NAME}), <\d+ x i32> (?:poison|undef|{_NAME}), <\d+ x i32> zeroinitializer",
        made_by.get(name, ""),
    )
    first = spread and re.fullmatch(
        rf"insertelement <\d+ x i32> (?:poison|undef), i32 ({_NAME}), i(?:32|64) 0",
        made_by.get(spread[1], ""),
    )
    return first[1] if first else None


class _DebugFiles:
    """The files of a module's places, by the numbers of its debug information."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes: dict[str, tuple[str, str]] | None = None
        self._known: dict[str, bool] = {}

    def is_header(self, number: str) -> bool:
        """Whether the place of a number is in one of our headers."""
        if number not in self._known:
            self._known[number] = self._is_header(number)
        return self._known[number]

    def _is_header(self, number: str) -> bool:
        if self._nodes is None:
            self._nodes = {m[1]: (m[2], m[3]) for m in _NODE.finditer(self._text)}
        kind, fields = self._nodes.get(number, ("", ""))
        if kind == "File":
            name = re.search(r'filename: "([^"]*)"', fields)
            path = name[1] if name else ""
            return path.startswith(HEADERS_IN_OBJECTS) and os.path.exists(
                os.path.join(kernel_headers.INCLUDE_FOLDER, path[len(HEADERS_IN_OBJECTS) :])
            )
        above = re.search(r"scope: !(\d+)" if kind == "Location" else r"file: !(\d+)", fields)
        return above is not None and self.is_header(above[1])
