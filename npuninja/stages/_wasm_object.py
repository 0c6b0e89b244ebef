"""The symbols of a relocatable wasm object, read from its "linking" section.

Format: WebAssembly tool conventions, Linking.md, version 2.
"""

from __future__ import annotations

from typing import NamedTuple

from npuninja.diag.errors import Location, UserError

MAGIC = b"\0asm\1\0\0\0"
_FUNCTION, _DATA, _GLOBAL, _SECTION, _TAG, _TABLE = range(6)  # kinds of symbols; imports have the same less _SECTION
_WEAK, _LOCAL, _UNDEFINED, _EXPLICIT_NAME = 0x1, 0x2, 0x10, 0x40  # symbol flags
_CUSTOM_SECTION, _IMPORT_SECTION = 0, 2
_INIT_FUNCTIONS, _SYMBOL_TABLE = 6, 8  # subsections of "linking"
_ELF_MACHINES = {62: "x86-64", 183: "aarch64", 243: "RISC-V", 264: "AIE"}


class Symbols(NamedTuple):
    """What an object defines for others, what it needs from them, and whether something must run at load time."""

    path: str
    defined: tuple[str, ...]
    undefined: tuple[str, ...]
    has_init_functions: bool


class _Cursor:
    """Reads from a part of an object."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.position, self.end = data, start, end

    def byte(self) -> int:
        if self.position >= self.end:
            raise IndexError
        self.position += 1
        return self.data[self.position - 1]

    def number(self) -> int:
        """An unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def part(self, size: int) -> _Cursor:
        """The next `size` bytes."""
        start, self.position = self.position, self.position + size
        if self.position > self.end:
            raise IndexError
        return _Cursor(self.data, start, self.position)

    def name(self) -> str:
        part = self.part(self.number())
        return self.data[part.position : part.end].decode("utf-8", "replace")


def read_symbols(data: bytes, path: str) -> Symbols:
    """The symbols of one object.

    Raises:
        UserError: the bytes are no relocatable wasm object; the message says what they are, as far as that is known.
    """
    if not data.startswith(MAGIC):
        hint = "emulated cores are linked from wasm objects only"
        raise UserError(f"not a wasm object but {_what(data)}", Location(path), hint=hint)
    linking = None
    imports: list[list[str]] = [[] for _ in range(6)]
    try:
        cursor = _Cursor(data, len(MAGIC), len(data))
        while cursor.position < cursor.end:
            section = cursor.byte()
            body = cursor.part(cursor.number())
            if section == _IMPORT_SECTION:
                imports = _imports(body)
            elif section == _CUSTOM_SECTION and body.name() == "linking":
                linking = body
        if linking is None:
            raise UserError("a linked wasm module, not an object", Location(path))
        return _linking(linking, imports, path)
    except IndexError as error:
        raise UserError("the wasm object is cut off or damaged", Location(path), hint="delete it and build again") from error


def _what(data: bytes) -> str:
    if data.startswith(b"\x7fELF"):
        machine = int.from_bytes(data[18:20], "little")
        return f"an ELF object for {_ELF_MACHINES.get(machine, f'machine {machine}')}"
    if data.startswith(b"BC\xc0\xde"):
        return "LLVM bitcode"
    if data.startswith(b"!<arch>"):
        return "an archive"
    return f"a file that begins with {data[:4].hex(' ')}"


def _imports(body: _Cursor) -> list[list[str]]:
    """The names of imports by kind, in the order of their indices."""
    names: list[list[str]] = [[] for _ in range(6)]
    for _ in range(body.number()):
        body.name()
        name = body.name()
        kind = body.byte()
        if kind == 0:  # function: type index
            body.number()
            names[_FUNCTION].append(name)
        elif kind == 1:  # table: element type, limits
            body.byte()
            _limits(body)
            names[_TABLE].append(name)
        elif kind == 2:  # memory
            _limits(body)
        elif kind == 3:  # global: type, mutability
            body.byte()
            body.byte()
            names[_GLOBAL].append(name)
        else:  # tag: attribute, type index
            body.byte()
            body.number()
            names[_TAG].append(name)
    return names


def _limits(body: _Cursor) -> None:
    flags = body.number()
    body.number()
    if flags & 1:
        body.number()


def _linking(body: _Cursor, imports: list[list[str]], path: str) -> Symbols:
    defined: list[str] = []
    undefined: list[str] = []
    has_init_functions = False
    body.number()  # version
    while body.position < body.end:
        kind = body.byte()
        part = body.part(body.number())
        if kind == _INIT_FUNCTIONS:
            has_init_functions = part.number() > 0
        elif kind == _SYMBOL_TABLE:
            for _ in range(part.number()):
                _symbol(part, imports, defined, undefined)
    return Symbols(path, tuple(defined), tuple(undefined), has_init_functions)


def _symbol(part: _Cursor, imports: list[list[str]], defined: list[str], undefined: list[str]) -> None:
    kind, flags = part.byte(), part.number()
    name = ""
    if kind == _DATA:
        name = part.name()
        if not flags & _UNDEFINED:
            for _ in ("segment", "offset", "size"):
                part.number()
    else:
        index = part.number()
        if kind == _SECTION:
            return
        if not flags & _UNDEFINED or flags & _EXPLICIT_NAME:
            name = part.name()
        else:
            name = imports[kind][index]
    if flags & _UNDEFINED:
        # The linker makes __stack_pointer and __indirect_function_table itself; a weak symbol may stay undefined.
        if kind in (_FUNCTION, _DATA) and not flags & _WEAK:
            undefined.append(name)
    elif not flags & _LOCAL:
        defined.append(name)
