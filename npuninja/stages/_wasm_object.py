"""The symbols of a relocatable wasm object, read from its "linking" section.

Format: WebAssembly tool conventions, Linking.md, version 2.
"""

from __future__ import annotations

from npuninja.errors import Location, UserError
from npuninja.file_kinds import ARCHIVE_MAGIC, ELF_MAGIC, WASM_MAGIC
from npuninja.formats.wasm_module import WasmModule, read_wasm
from npuninja.formats.wasm_names import EXPLICIT_NAME, UNDEFINED
from npuninja.records import NamedTuple

_FUNCTION, _DATA, _SECTION = 0, 1, 3  # kinds of symbols
_KIND_NAMES = ("function", "data", "global", "section", "tag", "table")
_WEAK, _LOCAL = 0x1, 0x2  # symbol flags
_GLOBALS = 6  # section number
_SEGMENTS, _INIT_FUNCTIONS, _SYMBOL_TABLE = 5, 6, 8  # subsections of "linking"
_ELF_MACHINES = {62: "x86-64", 183: "aarch64", 243: "RISC-V", 264: "AIE"}


class Symbols(NamedTuple):
    """What an object defines for others, what it needs from them, whether something must run at load time.

    `function_names` has the name of each function by its number in the module, local and undefined ones too;
    `constants` the name and size in bytes of everything in `.rodata`.
    """

    path: str
    defined: tuple[str, ...]
    undefined: tuple[str, ...]
    has_init_functions: bool
    function_names: dict[int, str]
    constants: tuple[tuple[str, int], ...]


class _SectionCursor:
    """Reads the content of a section that is in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def more(self) -> bool:
        """Whether there is anything left."""
        return self.position < len(self.data)

    def number(self) -> int:
        """An unsigned LEB128 number (or a signed one that is not negative)."""
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def part(self) -> bytes:
        """Bytes with their length in front."""
        size = self.number()
        self.position += size
        if self.position > len(self.data):
            raise IndexError
        return self.data[self.position - size : self.position]

    def name(self) -> str:
        """A name with its length in front."""
        return self.part().decode("utf-8", "replace")


def read_symbols(data: bytes, path: str) -> Symbols:
    """The symbols of one object.

    Raises:
        UserError: the bytes are no relocatable wasm object; the message says what they are, if known.
    """
    if not data.startswith(WASM_MAGIC):
        hint = "emulated cores are linked from wasm objects only"
        raise UserError(f"not a wasm object but {_what(data)}", Location(path), hint=hint)
    module = read_wasm(data, path)
    linking = module.custom_section("linking")
    if linking is None:
        raise UserError("a linked wasm module, not an object", Location(path))
    try:
        return _linking(_SectionCursor(linking), module, path)
    except IndexError as error:
        raise UserError(
            "the wasm object is cut off or damaged", Location(path), hint="delete it and build again"
        ) from error


def global_value(module: WasmModule, name: str) -> int | None:
    """The initial value of an exported i32 global of a linked module; None when there is none."""
    export = module.export(name)
    body = next((section.data for section in module.sections if section.id == _GLOBALS), None)
    if export is None or export.kind != "global" or body is None:
        return None
    cursor = _SectionCursor(body)
    values = []
    for _ in range(cursor.number()):
        cursor.position += 3  # type, mutability, the instruction i32.const
        values.append(cursor.number())
        cursor.position += 1  # end
    return values[export.number]


def _what(data: bytes) -> str:
    if data.startswith(ELF_MAGIC):
        machine = int.from_bytes(data[18:20], "little")
        return f"an ELF object for {_ELF_MACHINES.get(machine, f'machine {machine}')}"
    if data.startswith(b"BC\xc0\xde"):
        return "LLVM bitcode"
    if data.startswith(ARCHIVE_MAGIC):
        return "an archive"
    return f"a file that begins with {data[:4].hex(' ')}"


class _WasmSymbol(NamedTuple):
    """An entry of the symbol table.

    `number`: of a function or global, or of a data symbol's segment, -1 for none.
    """

    kind: int
    flags: int
    name: str
    number: int
    size_bytes: int


def _linking(body: _SectionCursor, module: WasmModule, path: str) -> Symbols:
    symbols: list[_WasmSymbol] = []
    segments: list[str] = []
    has_init_functions = False
    body.number()  # version
    while body.more:
        kind = body.number()
        part = _SectionCursor(body.part())
        if kind == _INIT_FUNCTIONS:
            has_init_functions = part.number() > 0
        elif kind == _SYMBOL_TABLE:
            symbols = [_symbol(part, module) for _ in range(part.number())]
        elif kind == _SEGMENTS:
            for _ in range(part.number()):
                segments.append(part.name())
                part.number(), part.number()  # alignment and flags
    # The linker makes __stack_pointer and the function table itself; a weak symbol may stay undefined.
    linked = [s for s in symbols if s.kind in (_FUNCTION, _DATA) and not s.flags & _WEAK]
    constants = [
        s for s in symbols if s.kind == _DATA and s.number >= 0 and segments[s.number].startswith(".rodata")
    ]
    return Symbols(
        path,
        tuple(s.name for s in symbols if s.kind != _SECTION and not s.flags & (UNDEFINED | _LOCAL)),
        tuple(s.name for s in linked if s.flags & UNDEFINED),
        has_init_functions,
        {s.number: s.name for s in symbols if s.kind == _FUNCTION},
        tuple((s.name, s.size_bytes) for s in constants),
    )


def _symbol(part: _SectionCursor, module: WasmModule) -> _WasmSymbol:
    kind, flags = part.number(), part.number()
    if kind == _DATA:
        name = part.name()
        if flags & UNDEFINED:
            return _WasmSymbol(kind, flags, name, -1, 0)
        segment, _, size_bytes = part.number(), part.number(), part.number()
        return _WasmSymbol(kind, flags, name, segment, size_bytes)
    number = part.number()
    if kind == _SECTION:
        name = ""
    elif flags & UNDEFINED and not flags & EXPLICIT_NAME:
        name = [i.name for i in module.imports if i.kind == _KIND_NAMES[kind]][number]
    else:
        name = part.name()
    return _WasmSymbol(kind, flags, name, number, 0)
