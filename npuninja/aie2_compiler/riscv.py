"""Assembly of RV32 as clang writes it, read into functions and data.

Only what clang prints for the flags of `flags` is known; anything else is an error that names the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from npuninja.errors import InternalError, Location, UserError
from npuninja.records import NamedTuple

_LABEL = re.compile(r'("(?:[^"\\]|\\.)*"|[\w.$@]+):\s*(.*)')
_ASSIGNED = re.compile(r"([\w.$@]+)\s*=\s*(.+)")
_LOCAL = ".L"
#: `.file 1 "folder" "name"`, perhaps with a checksum at the end.
_FILE = re.compile(r'(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"')
_NAME = re.compile(r"[\w.$@]+")
#: Directives that say nothing about the program's bytes.
_SILENT = frozenset(
    (
        *(".attribute", ".ident", ".addrsig", ".addrsig_sym", ".size", ".option", ".p2alignl"),
        *(".hidden", ".protected", ".internal", ".local", ".cfi_sections"),
    )
)
#: Sections that are for other readers than the core.
_FOREIGN = (
    ".debug", ".note", ".comment", ".riscv", ".llvm", ".eh_frame", ".stack_sizes", ".deplibs", ".linker-options",
)  # fmt: skip
_CONSTRUCTORS = (".init_array", ".ctors", ".preinit_array", ".fini_array")


class RiscvInstruction(NamedTuple):
    """One instruction: mnemonic, operands as text, line in the assembly, and C line where it is known."""

    mnemonic: str
    operands: tuple[str, ...]
    line: int
    place: Location | None = None


class RiscvFunction(NamedTuple):
    """A function: its name, section, whether others see it, and instructions and labels (text) in order."""

    name: str
    is_global: bool
    items: list[RiscvInstruction | str]


class DataItem(NamedTuple):
    """A piece of data. `kind`: label, align, space, bytes or word, which may be a symbol with an offset."""

    kind: str
    text: str
    number: int = 0


class DataSection(NamedTuple):
    """A section of data in order."""

    name: str
    items: list[DataItem]


class Assembly(NamedTuple):
    """A file: its functions, its data, which symbols others see, other names of symbols."""

    functions: list[RiscvFunction]
    data: list[DataSection]
    global_symbols: frozenset[str]
    aliases: dict[str, str]
    source: str


#: Instructions of AIE2 that RV32 sources write as `.insn r CUSTOM_OPCODE, NUMBER, 0, into, a, b`: shifts left
#: by a count, or right where it is negative, without or with the sign.
AIE2_INSTRUCTIONS = {"aie2.lshl": 0, "aie2.ashl": 1}
CUSTOM_OPCODE = 11


class _AssemblyReader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.functions: list[RiscvFunction] = []
        self.data: dict[str, DataSection] = {}
        self.globals: set[str] = set()
        self.weak: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.section = ".text"
        self.skipping = False
        self.function: RiscvFunction | None = None
        self.is_code = True
        self.writable = False
        self.types: dict[str, str] = {}
        self.line = 0
        self.files: dict[str, str] = {}
        self.place: Location | None = None

    def unknown(self, what: str) -> InternalError:
        return InternalError(f"{self.path}: line {self.line} of the compiler's assembly: {what}")

    def read(self, text: str) -> Assembly:
        for self.line, raw in enumerate(text.split("\n"), 1):
            line = _without_comment(raw).strip()
            if line:
                try:
                    self.statement(line)
                except (IndexError, KeyError, ValueError) as error:
                    raise self.unknown(line) from error
        self.drop_labels_of_lines()
        shown = (self.globals - self.weak) | {name for name in self.weak if name not in self.defined_weakly()}
        return Assembly(self.functions, list(self.data.values()), frozenset(shown), self.aliases, self.path)

    def drop_labels_of_lines(self) -> None:
        """Labels that only line tables name would end blocks where none ends."""
        used: set[str] = set()
        for function in self.functions:
            for item in function.items:
                if isinstance(item, RiscvInstruction):
                    used.update(name for text in item.operands for name in _NAME.findall(text))
        for section in self.data.values():
            used.update(
                name for item in section.items if item.kind == "word" for name in _NAME.findall(item.text)
            )
        for function in self.functions:
            function.items[:] = [i for i in function.items if isinstance(i, RiscvInstruction) or i in used]

    def defined_weakly(self) -> set[str]:
        """Weak symbols with a definition here. Every object keeps its own: inline functions, templates."""
        labels = {
            item.text for section in self.data.values() for item in section.items if item.kind == "label"
        }
        return self.weak & (labels | {function.name for function in self.functions})

    def statement(self, line: str) -> None:
        label = _LABEL.fullmatch(line)
        if label is not None:
            self.label(label[1].strip('"'))
            if label[2]:
                self.statement(label[2])
            return
        assigned = _ASSIGNED.fullmatch(line)
        if assigned is not None and not line.startswith("."):
            self.alias(assigned[1], assigned[2])
            return
        word, _, rest = line.replace("\t", " ").partition(" ")
        rest = rest.strip()
        if word == ".insn":
            self.own_instruction(rest)
        elif word.startswith("."):
            self.directive(word, rest)
        elif not self.skipping:
            if self.function is None:
                raise self.unknown(f"an instruction outside a function: {line}")
            operands = tuple(part.strip() for part in _split(rest)) if rest else ()
            self.function.items.append(RiscvInstruction(word, operands, self.line, self.place))

    def own_instruction(self, rest: str) -> None:
        """An instruction that RV32 leaves to others: one of AIE2's (`AIE2_INSTRUCTIONS`)."""
        kind, _, operands = rest.partition(" ")
        opcode, function, _, *registers = (part.strip() for part in operands.split(","))
        name = next(n for n, number in AIE2_INSTRUCTIONS.items() if int(function) == number)
        if kind != "r" or int(opcode) != CUSTOM_OPCODE or self.function is None:
            raise self.unknown(f".insn {rest}")
        self.function.items.append(RiscvInstruction(name, tuple(registers), self.line, self.place))

    def alias(self, name: str, value: str) -> None:
        if not re.fullmatch(r"[\w.$@]+", value.strip()):
            raise self.unknown(f"{name} = {value}")
        self.aliases[name] = value.strip()

    def label(self, name: str) -> None:
        if self.skipping:
            return
        if not self.is_code:
            if name in self.weak and self.writable:
                raise UserError(
                    f"'{name}' is a variable that every object may define (inline, or of a template): "
                    "npuninja-aie2 does not merge such variables yet",
                    Location(self.path),
                    hint="define it in one source, and declare it extern in the others",
                )
            self.items().append(DataItem("label", name))
        elif self.function is None or self.types.get(name) == "function" or not name.startswith(_LOCAL):
            self.function = RiscvFunction(name, name in self.globals and name not in self.weak, [])
            self.functions.append(self.function)
        else:
            self.function.items.append(name)

    def items(self) -> list[DataItem]:
        return self.data.setdefault(self.section, DataSection(self.section, [])).items

    def directive(self, word: str, rest: str) -> None:
        handler = _DIRECTIVES.get(word)
        if handler is not None:
            handler(self, rest)
        elif word in _SILENT or word.startswith(".cfi_") or self.skipping:
            return
        elif word in (".comm", ".lcomm"):
            self.common(rest)
        elif self.is_code:
            if word not in (".p2align", ".align", ".balign"):
                raise self.unknown(f"{word} in code")
        else:
            self.data_directive(word, rest)

    def section_named(self, rest: str) -> None:
        name, *flags = [part.strip() for part in rest.split(",")]
        self.enter(name.strip('"'), flags[0].strip('"') if flags else "")

    def global_symbol(self, rest: str) -> None:
        self.globals.add(rest.strip('"'))

    def weak_symbol(self, rest: str) -> None:
        self.global_symbol(rest)
        self.weak.add(rest.strip('"'))

    def type(self, rest: str) -> None:
        name, _, kind = rest.partition(",")
        self.types[name.strip().strip('"')] = kind.strip().lstrip("@%")

    def set(self, rest: str) -> None:
        name, _, value = rest.partition(",")
        self.alias(name.strip(), value)

    def file(self, rest: str) -> None:
        found = _FILE.match(rest)
        if found is not None:
            name = found[3].removeprefix("./")
            is_whole = name.startswith("/") or found[2] in (None, "", ".")
            self.files[found[1]] = name if is_whole else f"{found[2]}/{name}"

    def loc(self, rest: str) -> None:
        number, line, column, *_ = [*rest.split(), "0"]
        file = self.files.get(number)
        self.place = Location(file, int(line), int(column)) if file and int(line) else None

    def enter(self, name: str, flags: str) -> None:
        if name.startswith(_CONSTRUCTORS):
            raise UserError(
                "a variable is initialised by code before main: npuninja-aie2 does not run such code",
                Location(self.path),
                hint="initialise it with a constant, or in the kernel",
            )
        if name.startswith((".tbss", ".tdata")):
            raise UserError("a core has no threads: thread_local variables", Location(self.path))
        self.section = name
        self.skipping = name.startswith(_FOREIGN)
        self.is_code = name.startswith(".text")
        self.writable = "w" in flags or name.startswith((".data", ".bss", ".sdata", ".sbss"))
        self.function = None

    def common(self, rest: str) -> None:
        name, size, *align = [part.strip() for part in rest.split(",")]
        items = self.data.setdefault(".bss", DataSection(".bss", [])).items
        items += [
            DataItem("align", "", int(align[0]) if align else 4),
            DataItem("label", name.strip('"')),
            DataItem("space", "", int(size)),
        ]

    def data_directive(self, word: str, rest: str) -> None:
        items = self.items()
        if word in (".p2align", ".align", ".balign"):
            number = int(rest.split(",")[0], 0)
            items.append(DataItem("align", "", number if word == ".balign" else 1 << number))
        elif word in (".zero", ".space", ".skip"):
            size, _, fill = rest.partition(",")
            if fill and int(fill, 0):
                text = bytes([int(fill, 0) & 255] * int(size, 0)).hex()
                items.append(DataItem("bytes", text))
            else:
                items.append(DataItem("space", "", int(size, 0)))
        elif word in (".byte", ".half", ".short", ".2byte", ".word", ".long", ".4byte", ".quad", ".8byte"):
            width = {"b": 1, "h": 2, "s": 2, "2": 2, "w": 4, "l": 4, "4": 4, "q": 8, "8": 8}[word[1]]
            for part in rest.split(","):
                self.value(items, part.strip(), width)
        elif word in (".ascii", ".asciz", ".string"):
            data = _text_bytes(rest) + (b"" if word == ".ascii" else b"\0")
            items.append(DataItem("bytes", data.hex()))
        else:
            raise self.unknown(f"{word} in data")

    def value(self, items: list[DataItem], text: str, width: int) -> None:
        try:
            items.append(DataItem("bytes", (int(text, 0) % (1 << 8 * width)).to_bytes(width, "little").hex()))
        except ValueError:
            if width != 4 or not re.fullmatch(r"[\w.$@]+(?:[+-]\d+)?", text):
                raise self.unknown(f"a value of {width} bytes: {text}") from None
            items.append(DataItem("word", text))


_DIRECTIVES: dict[str, Callable[[_AssemblyReader, str], None]] = {
    ".text": lambda reader, _: reader.enter(".text", ""),
    ".data": lambda reader, _: reader.enter(".data", ""),
    ".bss": lambda reader, _: reader.enter(".bss", ""),
    ".section": _AssemblyReader.section_named,
    **dict.fromkeys((".globl", ".global"), _AssemblyReader.global_symbol),
    ".weak": _AssemblyReader.weak_symbol,
    ".type": _AssemblyReader.type,
    **dict.fromkeys((".set", ".equ"), _AssemblyReader.set),
    ".file": _AssemblyReader.file,
    ".loc": _AssemblyReader.loc,
}


def read_assembly(text: str, source: str) -> Assembly:
    """Reads what clang wrote.

    Args:
        text: the assembly.
        source: the user's file, for errors.

    Raises:
        UserError: the source needs what is not supported: static constructors, merged inline variables,
            threads.
        InternalError: a construct that is not known here.
    """
    return _AssemblyReader(source).read(text)


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line
    quoted = False
    at = 0
    while at < len(line):
        if line[at] == "\\" and quoted:
            at += 1
        elif line[at] == '"':
            quoted = not quoted
        elif line[at] == "#" and not quoted:
            return line[:at]
        at += 1
    return line


def _split(text: str) -> list[str]:
    """Operands, at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


_ESCAPES = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, '"': 34, "\\": 92}


def _text_bytes(text: str) -> bytes:
    """A string of the assembly: C's escapes, octal ones of three digits."""
    out = bytearray()
    at = text.index('"') + 1
    while text[at] != '"':
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
            continue
        octal = re.compile(r"[0-7]{1,3}").match(text, at + 1)
        if octal:
            out.append(int(octal[0], 8) & 255)
            at = octal.end()
        else:
            out.append(_ESCAPES[text[at + 1]])
            at += 2
    return bytes(out)
