"""What a core's module may hold. It comes from somebody else's XCLBIN: nothing in it is taken on trust.

The linker makes modules with one memory, at most one small table and no start function
(docs/architecture.md, "Core images"); all else would run, or take memory, before a run has its limits.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.formats import wasm_sections
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.wasm_module import WasmModule

#: A core has 16 KiB of program memory; a module with line tables is some ten times its code. 8 MiB is beyond
#: every kernel, and is compiled in seconds.
MAX_MODULE_BYTES = 8 << 20
#: Functions whose address is taken. Each is four bytes of data memory on a core, which has 64 KiB.
MAX_TABLE_ELEMENTS = 1 << 14


def admit(wasm: WasmModule, size_bytes: int, name: str) -> None:
    """Refuses a module that no linker made for a core.

    Args:
        wasm: the module.
        size_bytes: of the whole.
        name: of the core, for errors.

    Raises:
        UserError: what it has that the core ABI does not.
    """
    if size_bytes > MAX_MODULE_BYTES:
        raise _refused(name, f"{size_bytes} bytes; a core's module has at most {MAX_MODULE_BYTES}")
    sections = {section.id: section.data for section in wasm.sections if section.id}
    if wasm_sections.START in sections:
        raise _refused(
            name, "a start function, which would run before the run and its time limit; a core has none"
        )
    if wasm_sections.TAG in sections:
        raise _refused(name, "exceptions, which a core does not have")
    memories = _Numbers(sections.get(wasm_sections.MEMORY, b"\0"), name).number()
    if memories != 1:
        raise _refused(name, f"{memories} memories; a core has one address space")
    tables = _Numbers(sections.get(wasm_sections.TABLE, b"\0"), name)
    count = tables.number()
    if count > 1:
        raise _refused(name, f"{count} tables; a core's module has at most one")
    if count:
        if tables.number() != 0x70:
            raise _refused(name, "a table of something else than functions")
        tables.number()  # whether there is a maximum
        least = tables.number()
        if least > MAX_TABLE_ELEMENTS:
            raise _refused(name, f"a table of {least} elements; at most {MAX_TABLE_ELEMENTS} are possible")


def _refused(name: str, what: str) -> UserError:
    return UserError(f"{name}: the core module has {what}", hint="link the core again")


class _Numbers:
    """LEB128 numbers of a section, in order."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._at = 0
        self._name = name

    def number(self) -> int:
        value = shift = 0
        while True:
            if self._at >= len(self._data) or shift > 63:
                raise ByteReader(b"", self._name).error("damaged wasm module: a section is cut off")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
