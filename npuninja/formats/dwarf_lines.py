"""Source lines of code addresses, from a DWARF line table (`.debug_line`, versions 2 to 5).

Source: DWARF 4 and 5, section 6.2 ("Line Number Information"); DWARF 5, 7.5.6 (forms). Only what a message
needs is kept: file, line and column.
"""

from __future__ import annotations

import bisect
import struct

from npuninja.errors import Location
from npuninja.records import NamedTuple

#: Opcodes of a table's program, and of its extended operations.
COPY, ADVANCE_PC, ADVANCE_LINE, SET_FILE, SET_COLUMN = 1, 2, 3, 4, 5
CONST_ADD_PC, FIXED_ADVANCE_PC = 8, 9
END_SEQUENCE, SET_ADDRESS = 1, 2
_CONTENT_PATH, _CONTENT_FOLDER = 1, 2
#: Forms of DWARF 5 that a table of files may have. Numbers of a fixed size, by form.
_FIXED_BYTES = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16, 0x17: 4}
_FORM_STRING, _FORM_STRP, _FORM_LINE_STRP, _FORM_UDATA, _FORM_BLOCK = 0x08, 0x0E, 0x1F, 0x0F, 0x09
#: Rows of one file's tables: a core has 8192 bundles at most, a module of WebAssembly 8 MiB.
MAX_ROWS = 1 << 19
#: What the names of source files of one file's tables take together: a few bytes may name a long folder.
MAX_NAME_CHARACTERS = 1 << 24
#: Of one name: what Linux takes as a path.
_MAX_PATH_CHARACTERS = 4096
#: Of a number in LEB128: those of 64 bits take ten bytes, some writers fill them up.
_MAX_NUMBER_BYTES = 16


class LineTable(NamedTuple):
    """Rows sorted by address; a row holds until the next one."""

    addresses: tuple[int, ...]
    locations: tuple[Location | None, ...]

    def at(self, address: int) -> Location | None:
        """The source place of a code address, None where it is not known."""
        row = bisect.bisect_right(self.addresses, address) - 1
        return self.locations[row] if row >= 0 else None


def read_line_table(data: bytes, line_strings: bytes = b"", strings: bytes = b"") -> LineTable:
    """The rows of all units. A unit of another version is left out; so is what follows damage.

    Args:
        data: `.debug_line`.
        line_strings: `.debug_line_str`, where DWARF 5 has names of files.
        strings: `.debug_str`, where it may have them too.
    """
    rows: list[tuple[int, Location | None]] = []
    room = _Room()
    at = 0
    try:
        while at + 4 <= len(data):
            (size,) = struct.unpack_from("<I", data, at)
            (version,) = struct.unpack_from("<H", data, at + 4)
            if size < 2:
                break  # room for no unit: padding, or damage
            if 2 <= version <= 5:
                texts = {_FORM_LINE_STRP: line_strings, _FORM_STRP: strings}
                _LineUnit(data, at + 4, min(at + 4 + size, len(data)), texts, room).add_rows(rows)
            at += 4 + size
    except (IndexError, ValueError, ZeroDivisionError, struct.error):
        pass  # a message without a line is better than none
    # The end of one function and the start of the next may share an address: the start counts.
    rows.sort(key=lambda row: (row[0], row[1] is not None))
    return LineTable(tuple(address for address, _ in rows), tuple(place for _, place in rows))


class _Room:
    """What the tables of one file may still take."""

    __slots__ = ("characters",)

    def __init__(self) -> None:
        self.characters = MAX_NAME_CHARACTERS

    def path(self, text: str) -> str:
        """Accounts for the name of a source file."""
        self.characters -= len(text) + 64  # what an empty text takes too
        if self.characters < 0:
            raise ValueError("more names of files than a program has")
        return text.removeprefix("./")


class _LineUnit:
    """One unit: its header, and the state machine that its program runs on."""

    def __init__(self, data: bytes, at: int, end: int, texts: dict[int, bytes], room: _Room) -> None:
        self.data, self.at, self.end = data, at, end
        self._room = room
        self._texts = texts
        (version,) = struct.unpack_from("<H", data, at)
        self.at = at + 2
        if version >= 5:
            self._byte(), self._byte()  # bytes of an address, of a segment's number
        (header_size,) = struct.unpack_from("<I", data, self.at)
        self.at += 4
        program = self.at + header_size
        self.unit = self._byte()
        if version >= 4:
            self._byte()  # operations in an instruction: of VLIW machines
        self._byte()  # is_stmt
        self.line_base = struct.unpack("b", bytes([self._byte()]))[0]
        self.line_range, self.opcode_base = self._byte(), self._byte()
        self.operands = [self._byte() for _ in range(self.opcode_base - 1)]
        self.files = self._files_by_form() if version >= 5 else self._files()
        self.at = program

    def _files(self) -> list[str]:
        folders = []
        while name := self._text():
            folders.append(self._room.path(name))
        files = [""]
        while name := self._text():
            folder = self._number()
            self._number(), self._number()  # time and size, always 0
            files.append(self._room.path(f"{folders[folder - 1]}/{name}" if folder else name))
        return files

    def _files_by_form(self) -> list[str]:
        folders = [str(entry.get(_CONTENT_PATH, "")) for entry in self._entries()]
        files = []
        for entry in self._entries():
            name, number = str(entry.get(_CONTENT_PATH, "")), int(entry.get(_CONTENT_FOLDER, 0))
            folder = folders[number]
            if number and not folder.startswith("/"):  # under the folder in which the compiler ran
                folder = f"{folders[0]}/{folder}"
            is_whole = name.startswith("/") or folder in ("", ".")
            files.append(self._room.path(name if is_whole else f"{folder}/{name}"))
        return files

    def _entries(self) -> list[dict[int, str | int]]:
        forms = [(self._number(), self._number()) for _ in range(self._byte())]
        count = self._number()
        if count and (not forms or count > self.end - self.at):
            raise ValueError("more entries than there are bytes")
        entries = []
        for _ in range(count):
            entries.append({content: self._value(form) for content, form in forms})
            self._room.path("")
        return entries

    def _value(self, form: int) -> str | int:
        if form == _FORM_STRING:
            return self._text()
        if form in self._texts:
            (offset,) = struct.unpack_from("<I", self.data, self.at)
            self.at += 4
            text = self._texts[form]
            return text[offset : text.index(b"\0", offset, offset + _MAX_PATH_CHARACTERS)].decode(
                "utf-8", "replace"
            )
        if form == _FORM_UDATA:
            return self._number()
        size = self._number() if form == _FORM_BLOCK else _FIXED_BYTES.get(form)
        if size is None:
            raise ValueError("a form that tables of files do not have")
        self.at += size
        if self.at > self.end:
            raise ValueError("cut off")
        return int.from_bytes(self.data[self.at - min(size, 8) : self.at], "little")

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _number(self) -> int:
        value = 0
        for shift in range(0, 7 * _MAX_NUMBER_BYTES, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number without an end")

    def _signed(self) -> int:
        start = self.at
        value = self._number()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def _text(self) -> str:
        end = self.data.index(b"\0", self.at, self.at + _MAX_PATH_CHARACTERS)
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text

    def add_rows(self, found: list[tuple[int, Location | None]]) -> None:
        """Adds the rows that the program makes."""
        address, file, line, column = 0, 1, 1, 0
        while self.at < self.end:
            if len(found) >= MAX_ROWS:
                raise ValueError("more rows than a program has")
            opcode = self._byte()
            if opcode >= self.opcode_base:
                steps = opcode - self.opcode_base
                address += steps // self.line_range * self.unit
                line += self.line_base + steps % self.line_range
                found.append((address, self._place(file, line, column)))
            elif opcode == 0:
                size = self._number()
                after = self.at + size
                extended = self._byte()
                if extended == END_SEQUENCE:
                    found.append((address, None))
                    address, file, line, column = 0, 1, 1, 0
                elif extended == SET_ADDRESS:
                    address = int.from_bytes(self.data[self.at : after], "little")
                self.at = after
            elif opcode == COPY:
                found.append((address, self._place(file, line, column)))
            elif opcode == ADVANCE_PC:
                address += self._number() * self.unit
            elif opcode == ADVANCE_LINE:
                line += self._signed()
            elif opcode == SET_FILE:
                file = self._number()
            elif opcode == SET_COLUMN:
                column = self._number()
            elif opcode == CONST_ADD_PC:
                address += (255 - self.opcode_base) // self.line_range * self.unit
            elif opcode == FIXED_ADVANCE_PC:
                address += int.from_bytes(self.data[self.at : self.at + 2], "little")
                self.at += 2
            else:
                for _ in range(self.operands[opcode - 1]):
                    self._number()

    def _place(self, file: int, line: int, column: int) -> Location | None:
        """None for code that the compiler made up (line 0)."""
        return Location(self.files[file], line, column) if line else None
