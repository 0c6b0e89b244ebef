"""WebAssembly modules: sections, imports, exports, memory limits, data segments; appending a custom section.

Only what a core image needs is decoded; functions stay bytes.
Source: WebAssembly core specification, chapter 5.
"""

from __future__ import annotations

from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats import wasm_sections
from npuninja.formats.byte_reader import ByteReader
from npuninja.records import NamedTuple

WASM_PAGE_BYTES = 0x10000
#: Entries of the section of globals: a number that code may change, 0 at first.
I32_GLOBAL, I64_GLOBAL = b"\x7f\x01\x41\x00\x0b", b"\x7e\x01\x42\x00\x0b"

CUSTOM = 0
_EXTERNAL_KINDS = ("function", "table", "memory", "global", "tag")
I32_CONST = 0x41
END = 0x0B


class WasmSection(NamedTuple):
    """One section: its number, the offset of its content in the file, and its content.

    A custom section (number 0) has a `name`, and `data` is what follows it.
    """

    id: int
    name: str
    offset: int
    data: bytes


class WasmImport(NamedTuple):
    """`module.name`, and what it is: function, table, memory, global or tag."""

    module: str
    name: str
    kind: str


class WasmExport(NamedTuple):
    """An exported name, what it is, and its number among its kind."""

    name: str
    kind: str
    number: int


class WasmSegment(NamedTuple):
    """An active data segment: the address it is put at when the module is instantiated, and its bytes."""

    address: int
    data: bytes


class WasmModule(NamedTuple):
    """A module. `memory_pages`: minimum and maximum of its own memory; the maximum may be None."""

    sections: tuple[WasmSection, ...]
    imports: tuple[WasmImport, ...]
    exports: tuple[WasmExport, ...]
    memory_pages: tuple[int, int | None] | None
    segments: tuple[WasmSegment, ...]

    def custom_section(self, name: str) -> bytes | None:
        """The content of the custom section called `name`, or None."""
        for section in self.sections:
            if section.id == CUSTOM and section.name == name:
                return section.data
        return None

    def export(self, name: str) -> WasmExport | None:
        """The export called `name`, or None."""
        for export in self.exports:
            if export.name == name:
                return export
        return None


class _Cursor:
    """Reads one section after the other; `end` bounds what belongs to the current section."""

    __slots__ = ("at", "end", "reader", "what")

    def __init__(self, reader: ByteReader, at: int, end: int, what: str) -> None:
        self.reader = reader
        self.at = at
        self.end = end
        self.what = what

    def take(self, size: int) -> bytes:
        if self.at + size > self.end:
            raise self.reader.error(
                f"damaged wasm module: {self.what} needs {size} bytes at 0x{self.at:x}, "
                f"it ends at 0x{self.end:x}"
            )
        self.at += size
        return self.reader.data[self.at - size : self.at]

    def unsigned(self) -> int:
        """An unsigned LEB128 number of at most 32 bits."""
        return self._number()[0] & 0xFFFFFFFF

    def signed(self) -> int:
        """A signed LEB128 number of at most 32 bits, as an unsigned address."""
        value, bits = self._number()
        return (value - (value >> (bits - 1) << bits)) & 0xFFFFFFFF

    def _number(self) -> tuple[int, int]:
        """The value of a LEB128 number and how many bits it was written with."""
        value = bits = 0
        while bits < 35:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << bits
            bits += 7
            if not byte & 0x80:
                return value, bits
        raise self.reader.error(
            f"damaged wasm module: the number before 0x{self.at:x} in {self.what} has more than 32 bits"
        )

    def name(self) -> str:
        size = self.unsigned()
        at = self.at
        self.take(size)
        return self.reader.text(at, size, f"a name in {self.what}")

    def limits(self) -> tuple[int, int | None]:
        flags = self.take(1)[0]
        low = self.unsigned()
        return low, self.unsigned() if flags & 1 else None


def read_wasm(data: bytes, name: str) -> WasmModule:
    """Reads a module. Raises UserError when it is not a wasm module or is damaged."""
    reader = ByteReader(data, name)
    if reader.data[:8] != WASM_MAGIC:
        raise reader.error(
            f"not a wasm module: expected 00 61 73 6d 01 00 00 00 at 0x0, found {reader.data[:8].hex(' ')}"
        )
    sections: list[WasmSection] = []
    imports: list[WasmImport] = []
    exports: list[WasmExport] = []
    segments: list[WasmSegment] = []
    memory: tuple[int, int | None] | None = None
    at = len(WASM_MAGIC)
    while at < len(reader):
        head = _Cursor(reader, at, len(reader), "a section's head")
        number = head.take(1)[0]
        size = head.unsigned()
        start, at = head.at, head.at + size
        reader.need(start, size, f"wasm section {number}")
        cursor = _Cursor(reader, start, at, f"wasm section {number}")
        section_name = cursor.name() if number == CUSTOM else ""
        sections.append(WasmSection(number, section_name, cursor.at, reader.data[cursor.at : at]))
        if number == wasm_sections.IMPORT:
            imports += [_read_import(cursor) for _ in range(cursor.unsigned())]
        elif number == wasm_sections.MEMORY:
            for _ in range(cursor.unsigned()):
                memory = cursor.limits()
        elif number == wasm_sections.EXPORT:
            for _ in range(cursor.unsigned()):
                export_name = cursor.name()
                exports.append(WasmExport(export_name, _kind(cursor), cursor.unsigned()))
        elif number == wasm_sections.DATA:
            segments += [
                s for s in [_read_segment(cursor) for _ in range(cursor.unsigned())] if s is not None
            ]
    return WasmModule(tuple(sections), tuple(imports), tuple(exports), memory, tuple(segments))


def _kind(cursor: _Cursor) -> str:
    number = cursor.take(1)[0]
    if number >= len(_EXTERNAL_KINDS):
        raise cursor.reader.error(
            f"damaged wasm module: unknown kind {number} in {cursor.what} at 0x{cursor.at - 1:x}"
        )
    return _EXTERNAL_KINDS[number]


def _read_import(cursor: _Cursor) -> WasmImport:
    module, name = cursor.name(), cursor.name()
    kind = _kind(cursor)
    if kind == "function":
        cursor.unsigned()
    elif kind == "table":
        cursor.take(1)
        cursor.limits()
    elif kind == "memory":
        cursor.limits()
    elif kind == "global":
        cursor.take(2)
    else:
        cursor.take(1)
        cursor.unsigned()
    return WasmImport(module, name, kind)


def _read_segment(cursor: _Cursor) -> WasmSegment | None:
    """An active segment with a constant address; None for a passive one. UserError for any other."""
    flags = cursor.unsigned()
    if flags == 1:
        cursor.take(cursor.unsigned())
        return None
    if flags == 2:
        cursor.unsigned()  # memory index
    at = cursor.at
    if flags > 2 or cursor.take(1)[0] != I32_CONST:
        raise cursor.reader.error(f"the data segment at 0x{at:x} has no constant address: expected i32.const")
    address = cursor.signed()
    if cursor.take(1)[0] != END:
        raise cursor.reader.error(
            f"the data segment at 0x{at:x} has no constant address: expected i32.const alone"
        )
    return WasmSegment(address, cursor.take(cursor.unsigned()))


def unsigned_leb128(value: int) -> bytes:
    """A number as wasm writes sizes."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def name_bytes(name: str) -> bytes:
    """A name with its length."""
    return unsigned_leb128(len(name.encode())) + name.encode()


def section_bytes(number: int, content: bytes) -> bytes:
    """A section as a module has it."""
    return bytes([number]) + unsigned_leb128(len(content)) + content


def append_custom_section(module: bytes, name: str, content: bytes) -> bytes:
    """The module with one more custom section at its end."""
    return module + section_bytes(CUSTOM, name_bytes(name) + content)
