"""What kernels print: the import `env.npu_print`, which <stdio.h> for cores is made of.

An NPU prints nowhere, so text is dropped unless a run asks for it (`npuninja run --kernel-output`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import wasmtime

from npuninja.emulator.core_modules.address_map import KERNELS

IMPORT = "npu_print"
LONGEST_TEXT = 4096
_CONVERSION = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|l|z|j|t)?([diuxXocspfFeEgGaA%])")


class KernelOutput:
    """Collects lines while `wanted`; each is (column, row, text)."""

    def __init__(self) -> None:
        self.wanted = False
        self.lines: list[tuple[int, int, str]] = []
        self._open: dict[tuple[int, int], str] = {}

    def add(self, column: int, row: int, text: str) -> None:
        """Takes text of a core; a line ends with its newline."""
        *whole, rest = (self._open.pop((column, row), "") + text).split("\n")
        self.lines += [(column, row, line) for line in whole]
        if rest:
            self._open[column, row] = rest

    def take(self) -> list[tuple[int, int, str]]:
        """The lines since the last call, unfinished ones included."""
        lines = self.lines + [(*place, text) for place, text in self._open.items()]
        self.lines, self._open = [], {}
        return lines

    def make_import(self, store: wasmtime.Store, column: int, row: int) -> wasmtime.Func:
        """The import for one core: (format, values) -> length. Addresses are those of kernels."""
        word = wasmtime.ValType.i32()

        def print_text(caller: wasmtime.Caller, text: int, values: int) -> int:
            if not self.wanted:
                return 0
            memory = caller["memory"]
            assert isinstance(memory, wasmtime.Memory)

            def read(address: int, size: int) -> bytes:
                address = (address & 0xFFFFFFFF) + KERNELS
                return bytes(memory.read(caller, address, address + size))

            shown = formatted(_text(read, text), _CallArguments(read, values), lambda at: _text(read, at))
            self.add(column, row, shown)
            return len(shown)

        return wasmtime.Func(store, wasmtime.FuncType([word, word], [word]), print_text, access_caller=True)


class _CallArguments:
    """Reads the arguments of a call as clang lays them out for wasm32: in a row, each aligned to its size."""

    def __init__(self, read: Callable[[int, int], bytes], address: int) -> None:
        self._read = read
        self._address = address

    def next(self, code: str) -> int | float:
        size = struct.calcsize(code)
        at = -(-self._address // size) * size
        self._address = at + size
        value: int | float = struct.unpack("<" + code, self._read(at, size))[0]
        return value


def _text(read: Callable[[int, int], bytes], address: int) -> str:
    data = bytearray()
    while len(data) < LONGEST_TEXT and (byte := read(address + len(data), 1)) != b"\0":
        data += byte
    return data.decode("utf-8", "replace")


def formatted(template: str, values: _CallArguments, text_at: Callable[[int], str]) -> str:
    """What printf makes of a format."""

    def one(match: re.Match[str]) -> str:
        flags, width, precision, length, kind = match.groups()
        if kind == "%":
            return "%"
        if width == "*":
            width = str(values.next("i"))
        if precision == "*":
            precision = str(values.next("i"))
        wide = length in ("ll", "j")
        pattern = f"%{flags}{width or ''}" + (f".{precision}" if precision is not None else "")
        if kind in "di":
            return (pattern + "d") % values.next("q" if wide else "i")
        if kind in "uxXo":
            return (pattern + kind.replace("u", "d")) % values.next("Q" if wide else "I")
        if kind == "c":
            return (pattern + "c") % chr(int(values.next("i")) & 255)
        if kind == "s":
            return (pattern + "s") % text_at(int(values.next("I")))
        if kind == "p":
            return f"{int(values.next('I')):#x}"
        if kind in "aA":
            return float(values.next("d")).hex()
        return (pattern + kind) % values.next("d")

    return _CONVERSION.sub(one, template)
