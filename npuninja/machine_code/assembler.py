"""The assembler: text to an object. It takes what `npuninja disasm` prints, and what a person writes.

A line is a bundle: instructions separated by `;`. `name:` (or `00000020 <name>:` of a listing) is a label;
`//` begins a comment; in front of a bundle a listing's address and bytes may come. Directives: `.text .data
.bss .section NAME`, `.globl NAME`, `.type NAME, @function`, `.align BYTES`, `.word .half .byte VALUE…`,
`.space BYTES`, `.ascii "…"`, `.reloc OFFSET, TYPE, SYMBOL±N`, and for the lines of another source
`.file NUMBER ["FOLDER"] "NAME"`, `.loc NUMBER LINE [COLUMN]`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from npuninja.errors import Location, UserError
from npuninja.formats.dwarf_line_writer import CodeRows, without_repeats
from npuninja.machine_code.encode import (
    EncodeError,
    LabelReference,
    Parsed,
    choose_format,
    encode_bundle,
    parse_bundle,
)
from npuninja.machine_code.instruction_set import instruction_set
from npuninja.machine_code.object_file import (
    WORD_RELOCATION,
    ObjectRelocation,
    ObjectSection,
    ObjectSymbol,
    write_object,
)
from npuninja.records import NamedTuple

_LISTING = re.compile(r"\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )*[0-9a-f]{2})\s{2,}(.*)")
_LABEL = re.compile(r"\s*(?:[0-9a-f]{8} <([^>]+)>|([A-Za-z_.$][\w.$@]*)):\s*(.*)")
_SECTION_HEADING = re.compile(r"section (\S+): 0x([0-9a-f]+), ")
_FILE = re.compile(r'(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"(?:\s+md5\s+\S+)?')
_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$@]*|<[^>]+>)([+-]\d+)?")
_ALIGN = {".text": 16}
#: Of one section: a tile has 64 KiB of data and 16 KiB of program memory; windows of four tiles are 256 KiB.
MAX_SECTION_BYTES = 1 << 20
#: Digits of a number: as many as a design may write.
_MAX_NUMBER_CHARACTERS = 1024
_MAX_RELOCATION_TYPE = 255


def _is_bss(section: str) -> bool:
    return section == ".bss" or section.startswith(".bss.")


class _AssembledSection:
    def __init__(self, name: str) -> None:
        self.name = name
        self.data = bytearray()
        self.align = _ALIGN.get(name, 4)
        self.address = 0
        self.size_bytes = 0  # of .bss
        self.lines: list[tuple[int, Location]] = []


class Assembled(NamedTuple):
    """What a text makes: sections, symbols, relocations, by the section's name the lines of its code."""

    sections: list[ObjectSection]
    symbols: list[ObjectSymbol]
    relocations: list[ObjectRelocation]
    lines: dict[str, CodeRows]

    def object(self) -> bytes:
        """As an object file."""
        return write_object(self.sections, self.symbols, self.relocations, lines=self.lines)


class _Assembler:
    def __init__(self, name: str, isa: str) -> None:
        self._name = name
        self._isa = isa
        self._set = instruction_set(isa)
        self._sections: dict[str, _AssembledSection] = {}
        self._current = self._section(".text")
        self._labels: dict[str, tuple[str, int]] = {}
        self._globals: set[str] = set()
        self._functions: set[str] = set()
        self._relocations: list[ObjectRelocation] = []
        self._line = 0
        self._files: dict[int, str] = {}
        self._place: Location | None = None

    def _error(self, message: str, hint: str | None = None) -> UserError:
        return UserError(message, Location(self._name, self._line), hint=hint)

    def _section(self, name: str) -> _AssembledSection:
        return self._sections.setdefault(name, _AssembledSection(name))

    def assemble(self, text: str) -> Assembled:
        for self._line, line in enumerate(text.splitlines(), 1):
            line = line.partition("//")[0].rstrip()
            heading = _SECTION_HEADING.match(line)
            if heading is not None:
                self._current = self._section(heading[1])
                self._current.address = int(heading[2], 16)
                continue
            listed = _LISTING.fullmatch(line)
            if listed is not None:
                self._pad(int(listed[1], 16))
                line = listed[3]
            label = _LABEL.fullmatch(line)
            if label is not None:
                self._label(label[1] or label[2], listed=label[1] is not None)
                line = label[3]
            line = line.strip()
            if not line:
                continue
            if line.startswith("."):
                self._directive(line)
            else:
                self._bundle(line)
        return self._result()

    def _pad(self, address: int) -> None:
        """A listing says where its bundles lie; between pieces there may be nothing that is code."""
        at = self._current.address + len(self._current.data)
        if address < at:
            raise self._error(f"the listing's address 0x{address:x} is behind: 0x{at:x} is reached")
        self._grow(address - at)
        self._current.data += bytes(address - at)

    def _grow(self, count: int) -> None:
        """Refuses a section that no core has room for, before it is made."""
        section = self._current
        if section.size_bytes + len(section.data) + count > MAX_SECTION_BYTES:
            raise self._error(
                f"section {section.name} has more than {MAX_SECTION_BYTES >> 20} MiB: no core has room for it"
            )

    def _label(self, name: str, *, listed: bool) -> None:
        section = self._current
        offset = section.size_bytes if _is_bss(section.name) else len(section.data)
        if name in self._labels and not listed:
            raise self._error(f"the label '{name}' is there twice")
        self._labels[name] = (section.name, offset)
        if listed and not name.startswith("."):
            self._globals.add(name)

    def _bundle(self, text: str) -> None:
        try:
            parsed = parse_bundle(text, self._isa)
            data = encode_bundle(parsed, self._isa)
        except EncodeError as error:
            raise self._error(str(error), "`npuninja disasm` shows how instructions are written") from None
        for instruction in parsed:
            if instruction.reference is not None:
                self._refer(parsed, instruction, instruction.reference)
        if self._place is not None:
            self._current.lines.append((len(self._current.data), self._place))
            self._place = None  # holds until the next one
        self._current.data += data

    def _refer(self, bundle: list[Parsed], instruction: Parsed, reference: LabelReference) -> None:
        made = choose_format([p.instruction.slot for p in bundle], self._set)
        low = dict(made.slots)[instruction.instruction.slot]
        operand = next(o for o in instruction.instruction.operands if o.immediate is not None)
        pieces = sorted((first, width, low + at) for first, width, at in operand.pieces)
        for number, (size, wanted) in self._set.relocations.items():
            if size == made.size_bytes and sorted(wanted) == pieces:
                offset = len(self._current.data)
                self._relocations.append(
                    ObjectRelocation(self._current.name, offset, number, reference.symbol, reference.addend)
                )
                return
        raise self._error(
            f"'{reference.symbol}' cannot be in {instruction.instruction.mnemonic} of this bundle: "
            "there is no relocation"
        )

    def _directive(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word in _DIRECTIVES:
            _DIRECTIVES[word](self, rest)
        elif word in _VALUE_BYTES:
            self._values(_VALUE_BYTES[word], rest)
        elif word not in _SILENT:
            raise self._error(f"the directive {word} is not known")

    def _enter(self, name: str) -> None:
        self._current = self._section(name)

    def _reloc(self, rest: str) -> None:
        parts = [part.strip() for part in rest.split(",", 2)]
        if len(parts) != 3:
            raise self._error(".reloc wants an offset, a type and a symbol")
        symbol, addend = self._symbol(parts[2])
        offset = self._number(parts[0], 0, MAX_SECTION_BYTES)
        kind = self._number(parts[1], 0, _MAX_RELOCATION_TYPE)
        self._relocations.append(ObjectRelocation(self._current.name, offset, kind, symbol, addend))

    def _type(self, rest: str) -> None:
        name, _, kind = rest.partition(",")
        if kind.strip()[1:] == "function":
            self._functions.add(name.strip())

    def _text(self, word: str, end: bytes, rest: str) -> None:
        try:
            text = ast.literal_eval(rest) if rest[:1] in ("'", '"') else None
            if not isinstance(text, str):
                raise ValueError
            data = text.encode() + end
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise self._error(f"{word} wants a text in quotes") from None
        self._grow(len(data))
        self._current.data += data

    def _file(self, rest: str) -> None:
        found = _FILE.fullmatch(rest)
        if found is not None:  # without a number it names the whole file, which says nothing about lines
            folder, name = found[2] or "", found[3]
            self._files[self._number(found[1], 0, 1 << 32)] = (
                f"{folder}/{name}" if folder and not name.startswith("/") else name
            )

    def _loc(self, rest: str) -> None:
        numbers = [self._number(word, 0, 1 << 32) for word in rest.split()[:3] if word.isdecimal()]
        if len(numbers) < 2 or numbers[0] not in self._files:
            raise self._error(".loc wants the number of a .file, a line and perhaps a column")
        self._place = Location(self._files[numbers[0]], numbers[1], numbers[2] if len(numbers) > 2 else 0)

    def _align(self, bytes_: int) -> None:
        section = self._current
        section.align = max(section.align, bytes_)
        if _is_bss(section.name):
            section.size_bytes += -section.size_bytes % bytes_
            return
        missing = -len(section.data) % bytes_
        self._grow(missing)
        filler = b"\1\0" if section.name.startswith(".text") else b"\0"
        section.data += filler * (missing // len(filler))

    def _space(self, rest: str) -> None:
        count = self._number(rest, 0, MAX_SECTION_BYTES)
        self._grow(count)
        if _is_bss(self._current.name):
            self._current.size_bytes += count
        else:
            self._current.data += bytes(count)

    def _values(self, size: int, text: str) -> None:
        for item in text.split(","):
            item = item.strip()
            try:
                value = int(item, 0) if len(item) <= _MAX_NUMBER_CHARACTERS else self._number(item, 0, 0)
            except ValueError:
                symbol, addend = self._symbol(item)
                if size != 4:
                    raise self._error(f"an address of '{symbol}' needs .word") from None
                self._relocations.append(
                    ObjectRelocation(
                        self._current.name, len(self._current.data), WORD_RELOCATION, symbol, addend
                    )
                )
                value = 0
            self._current.data += (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def _number(self, text: str, least: int, most: int) -> int:
        try:
            number = int(text[:_MAX_NUMBER_CHARACTERS], 0)
        except ValueError:
            raise self._error(f"'{text[:80]}' is no number") from None
        if not least <= number <= most:
            raise self._error(f"{text[:80]} is not from {least} to {most}")
        return number

    def _symbol(self, text: str) -> tuple[str, int]:
        found = _SYMBOL.fullmatch(text)
        if found is None:
            raise self._error(f"'{text}' is no symbol")
        addend = self._number(found[2], -(1 << 31), (1 << 31) - 1) if found[2] else 0
        return found[1].strip("<>"), addend

    def _result(self) -> Assembled:
        sections = [
            ObjectSection(
                s.name, bytes(s.data), s.align, s.size_bytes if _is_bss(s.name) else None, s.address
            )
            for s in self._sections.values()
            if s.data or s.size_bytes or s.name == ".text"
        ]
        symbols = [
            ObjectSymbol(
                name,
                section,
                offset,
                0,
                name in self._globals,
                name in self._functions or (name in self._globals and section.startswith(".text")),
            )
            for name, (section, offset) in self._labels.items()
        ]
        known = set(self._labels) | {section.name for section in sections}
        referred = {r.symbol for r in self._relocations}
        symbols += [
            ObjectSymbol(s.name, s.name, 0, 0, is_global=False) for s in sections if s.name in referred
        ]
        for name in dict.fromkeys(r.symbol for r in self._relocations):
            if name not in known:
                symbols.append(ObjectSymbol(name, "", 0))
        lines = {
            s.name: CodeRows(without_repeats(s.lines), len(s.data))
            for s in self._sections.values()
            if s.lines
        }
        return Assembled(sections, symbols, self._relocations, lines)


_DIRECTIVES: dict[str, Callable[[_Assembler, str], None]] = {
    ".text": lambda a, _: a._enter(".text"),
    ".data": lambda a, _: a._enter(".data"),
    ".bss": lambda a, _: a._enter(".bss"),
    ".section": lambda a, rest: a._enter(rest.split(",")[0].strip()),
    **dict.fromkeys(
        (".globl", ".global"), lambda a, rest: a._globals.update(name.strip() for name in rest.split(","))
    ),
    **dict.fromkeys((".align", ".balign"), lambda a, rest: a._align(a._number(rest, 1, 1 << 16))),
    ".p2align": lambda a, rest: a._align(1 << a._number(rest, 0, 16)),
    **dict.fromkeys((".space", ".zero", ".skip"), _Assembler._space),
    ".ascii": lambda a, rest: a._text(".ascii", b"", rest),
    ".asciz": lambda a, rest: a._text(".asciz", b"\0", rest),
    ".reloc": _Assembler._reloc,
    ".type": _Assembler._type,
    ".file": _Assembler._file,
    ".loc": _Assembler._loc,
}
_VALUE_BYTES = {".word": 4, ".long": 4, ".half": 2, ".byte": 1}
#: What a compiler's listing has and an object does not need.
_SILENT = (".size", ".ident", ".cfi_startproc", ".cfi_endproc")


def assemble(text: str, name: str = "assembly", isa: str = "aie2") -> Assembled:
    """Assembles a text. Raises UserError with the line."""
    return _Assembler(name, isa).assemble(text)
