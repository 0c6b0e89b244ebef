"""Where an instruction of a core's module is in its sources: line, and functions it was inlined into.

wasmtime reads line tables, but says a place only in a trap. So the module is made again with every function
empty but for a trap at the wanted offset, at which the line tables still point, and is run.
"""

from __future__ import annotations

import re

import wasmtime

from npuninja.emulator.core_modules import encoding as e
from npuninja.emulator.core_modules.rewritten_instructions import CodePlace
from npuninja.emulator.core_modules.section_tables import number_at, with_items
from npuninja.errors import Location
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats import wasm_sections
from npuninja.formats.wasm_code import FunctionCode, functions
from npuninja.formats.wasm_module import (
    CUSTOM,
    append_custom_section,
    name_bytes,
    read_wasm,
    section_bytes,
    unsigned_leb128,
)

#: A function and where in it: innermost first.
SourceFrame = tuple[str, Location | None]

# wasmtime's backtrace with WASMTIME_BACKTRACE_DETAILS=1; inlined callers share a number:
#     0:     0x5f - core_0_2.wasm!kernel
#                     at kernels/vector_scale/scale.c:6:23
#                 - core_0_2
#                     at build/core_0_2.c:40:5
_NUMBERED = re.compile(r"\s+\d+:\s+0x[0-9a-f]+ - (?:\S+?!)?(.+)")
_INLINED = re.compile(r"\s+- (.+)")
_AT = re.compile(r"\s+at (.+?)(?::(\d+))?(?::(\d+))?")
_PROBE = "npuninja.probe"
# wasmtime takes a C function of one letter for the mangled name of a C++ type: `f` becomes `float`. No
# function can be called like these types, so they are turned back.
_TYPE_LETTERS = {
    "signed char": "a", "bool": "b", "char": "c", "double": "d", "long double": "e", "float": "f", "__float128": "g",
    "unsigned char": "h", "int": "i", "unsigned int": "j", "long": "l", "unsigned long": "m", "__int128": "n",
    "unsigned __int128": "o", "short": "s", "unsigned short": "t", "void": "v", "wchar_t": "w", "long long": "x",
    "unsigned long long": "y", "...": "z", "unsigned": "j",
}  # fmt: skip
_ORDER = (1, 2, 3, 4, 5, 6, 7, 10)


class CodePlaces:
    """The places of one module.

    Args:
        engine: wasmtime's, in which backtraces have details.
        module: as it is in the XCLBIN.
    """

    def __init__(self, engine: wasmtime.Engine, module: bytes) -> None:
        self._engine = engine
        self._wasm = read_wasm(module, "core module")
        self._code = {f.number: f for f in functions(self._wasm)}
        self._known: dict[CodePlace, list[SourceFrame]] = {}

    def frames(self, place: CodePlace) -> list[SourceFrame]:
        """The function that the instruction is in, and those it was inlined into, innermost first."""
        if place not in self._known:
            function = self._code.get(place.function)
            try:
                self._known[place] = self._probe(function, place) if function else []
            except wasmtime.WasmtimeError:
                self._known[place] = []  # line tables that wasmtime cannot read
        return self._known[place]

    def line(self, place: CodePlace) -> Location | None:
        """The innermost line of the source that an instruction comes from; None where none is known."""
        frames = self.frames(place)
        return frames[0][1] if frames else None

    def _probe(self, function: FunctionCode, place: CodePlace) -> list[SourceFrame]:
        sections = {s.id: s.data for s in self._wasm.sections if s.id}
        content = sections[wasm_sections.CODE]
        count, start = number_at(content, 0)
        head = unsigned_leb128(count + 1)
        if len(head) != start:  # one more function would move all others away from their lines
            return []
        bodies = []
        at = start
        for other in self._code.values():
            size, begin = number_at(content, at)
            first = other.instructions[0].offset
            end = begin + size
            trap = place.offset if other.number == function.number else first
            bodies.append(content[at:first] + _trap_at(trap - first, end - first))
            at = end
        arguments = b"".join(e.ZEROS.get(kind, b"\xd0\x70") for kind in function.parameters)
        call = arguments + e.call(function.number) + e.UNREACHABLE
        bodies.append(e.body([], call))
        types = with_items(sections[wasm_sections.TYPE], [b"\x60\0\0"])
        number = number_at(sections[wasm_sections.TYPE], 0)[0]
        imported = sum(1 for item in self._wasm.imports if item.kind == "function")
        export = name_bytes(_PROBE) + b"\0" + unsigned_leb128(imported + count)
        replaced = {
            **{n: d for n, d in sections.items() if n in _ORDER},
            wasm_sections.TYPE: types,
            wasm_sections.FUNCTION: with_items(sections[wasm_sections.FUNCTION], [unsigned_leb128(number)]),
            wasm_sections.EXPORT: b"\x01" + export,
            wasm_sections.CODE: head + b"".join(bodies),
        }
        out = WASM_MAGIC + b"".join(section_bytes(n, replaced[n]) for n in _ORDER if n in replaced)
        for custom in self._wasm.sections:
            if custom.id == CUSTOM:
                out = append_custom_section(out, custom.name, custom.data)
        return self._run(out)

    def _run(self, module: bytes) -> list[SourceFrame]:
        compiled = wasmtime.Module(self._engine, module)
        store = wasmtime.Store(self._engine)
        store.set_epoch_deadline(1 << 30)
        imports = [
            wasmtime.Func(store, item.type, lambda *_: None)
            for item in compiled.imports
            if isinstance(item.type, wasmtime.FuncType)
        ]
        probe = wasmtime.Instance(store, compiled, imports).exports(store)[_PROBE]
        assert isinstance(probe, wasmtime.Func)
        try:
            probe(store)
        except wasmtime.Trap as trap:
            return _first_frame(str(trap))
        return []


def _trap_at(offset: int, size: int) -> bytes:
    """Code of `size` bytes with a trap at `offset`."""
    # A trap before any other machine code is given the function's first line. So something comes first: a
    # load that works, or one that does not and is itself the trap.
    load = e.const(0) + e.access(e.I32_LOAD, 0) + e.DROP
    fails = b"\x3f\0" + e.access(e.I32_LOAD, 0xFFFFFFF0) + e.DROP  # from memory.size on
    if offset >= len(load):
        code = load + e.NOP * (offset - len(load)) + e.UNREACHABLE
    elif offset >= 2 and offset - 2 + len(fails) < size:
        code = e.NOP * (offset - 2) + fails + e.UNREACHABLE
    else:
        code = e.NOP * offset + e.UNREACHABLE
    return code + e.NOP * (size - len(code) - 1) + e.END


def _first_frame(text: str) -> list[SourceFrame]:
    """The first numbered frame of a backtrace, with those inlined in it."""
    found: list[SourceFrame] = []
    for line in text.splitlines():
        numbered = _NUMBERED.fullmatch(line)
        if numbered and found:
            break
        frame = numbered or (_INLINED.fullmatch(line) if found else None)
        place = _AT.fullmatch(line)
        if frame:
            found.append((_TYPE_LETTERS.get(frame[1], frame[1]), None))
        elif place and found:
            location = Location(place[1].removeprefix("./"), int(place[2] or 0), int(place[3] or 0))
            found[-1] = (found[-1][0], location)
    return found
