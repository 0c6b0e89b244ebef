"""Where the buffers of a core's program lie, from its ELF and from the linker script beside it.

A linker script says where each buffer begins and how large it is. Without one the ELF's symbols say where
they begin: a buffer ends where the next one begins at the latest.
"""

from __future__ import annotations

from bisect import bisect_right

from npuninja.arch.devices import DATA_WINDOW_BYTES, DATA_WINDOWS
from npuninja.errors import Error
from npuninja.files import read_file
from npuninja.machine_code.known_programs import KnownProgram
from npuninja.machine_code.linker_script import STACK_SYMBOL, LinkerScript, read_linker_script
from npuninja.records import NamedTuple

_MAX_SCRIPT_BYTES = 1 << 20
_DATA_START, _DATA_END = min(DATA_WINDOWS.values()), max(DATA_WINDOWS.values()) + DATA_WINDOW_BYTES


class DataExtent(NamedTuple):
    """A stretch of data memory as a core addresses it; `is_sized`: its end is known, and not only where the
    next one begins.
    """

    start: int
    end: int
    name: str
    is_sized: bool

    @property
    def is_stack(self) -> bool:
        """Whether it is the core's stack."""
        return self.name == STACK_SYMBOL


def data_extents(known: KnownProgram) -> list[DataExtent]:
    """The buffers of a program by address; of several at one place the first by name."""
    sizes = _sizes(known)
    found: list[DataExtent] = []
    places = sorted((at, -size, name) for (at, name), size in sizes.items() if _DATA_START <= at < _DATA_END)
    starts = sorted({at for at, _, _ in places})
    for at, size, name in places:
        last = found[-1] if found else None
        if last is not None and (at == last.start or (last.is_sized and at < last.end)):
            continue  # another name of the same buffer, or a part of it
        found.append(DataExtent(at, at - size if size else _following(starts, at), name, bool(size)))
    return found


def _sizes(known: KnownProgram) -> dict[tuple[int, str], int]:
    """Address and name of what lies in data memory -> its bytes, 0 where they are not known."""
    script = _script_of(known.path) or LinkerScript({}, 0, 0, {}, {})
    sizes = {(at, name): script.sizes.get(name, 0) for name, at in script.symbols.items()}
    for symbol in known.symbols:
        # Names with an underscore or a dot in front and without a size are marks of linkers and compilers.
        is_mark = symbol.name[0] in "_." and not symbol.size_bytes and symbol.name != STACK_SYMBOL
        if symbol.kind == "data" and not is_mark:
            sizes.setdefault((symbol.address, symbol.name), symbol.size_bytes)
    return sizes


def _following(starts: list[int], at: int) -> int:
    """The begin of the next buffer, or the end of the memory."""
    number = bisect_right(starts, at)
    return starts[number] if number < len(starts) else at - at % DATA_WINDOW_BYTES + DATA_WINDOW_BYTES


def _script_of(path: str) -> LinkerScript | None:
    """The linker script that lies beside an ELF, as the stages and aiecc name it."""
    if not path.endswith(".elf"):
        return None
    script = path[: -len(".elf")] + ".ld.script"
    try:
        return read_linker_script(read_file(script, _MAX_SCRIPT_BYTES).decode("utf-8", "replace"), script)
    except (Error, OSError):
        return None
