"""A small linker: objects and a linker script (`linker_script`) to the program of one core.

`__start` (the stack pointer, then `main`, then `done`) is our own unless an object has one.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.errors import Location, UserError
from npuninja.formats import elf
from npuninja.formats.dwarf_line_writer import CodeRows, without_repeats
from npuninja.formats.dwarf_lines import LineTable
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.flow import DELAY_SLOTS
from npuninja.machine_code.instruction_set import instruction_set
from npuninja.machine_code.linker_script import STACK_SYMBOL, LinkerScript
from npuninja.machine_code.object_file import ObjectRelocation, ObjectSection, ObjectSymbol, write_object
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.source_lines import line_table
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

_ALLOCATED = 2  # the flag of a section that takes memory


def start_code(stack: str = STACK_SYMBOL, *more: str) -> str:
    """Assembly of `__start`: the call of `main`, in its delay slots the stack pointer and at most four
    further instructions, then the end.
    """
    slots = [f"movxm sp, #{stack}", *more]
    lines = ["jl main", *slots, *["nop"] * (DELAY_SLOTS - len(slots)), "done", *["nop"] * 4]
    return "\n  ".join((".section .text.start\n__start:", *lines)) + "\n"


#: A section of one of the objects: the object's name and the section's.
_SectionOfObject = tuple[str, str]


class _Input(NamedTuple):
    name: str
    sections: list[ObjectSection]
    symbols: list[ObjectSymbol]
    relocations: list[ObjectRelocation]
    lines: dict[str, LineTable]

    @property
    def start(self) -> str:
        """The section with `__start`; "" when it is not here."""
        return next((s.section for s in self.symbols if s.name == "__start" and s.section), "")


def _read(data: bytes, name: str) -> list[_Input]:
    """The objects in a file."""
    inputs = []
    for program in read_programs(data, name)[1]:
        if program.elf is None or program.elf.type != elf.RELOCATABLE:
            raise UserError("the file is no object", Location(name), hint="give objects and archives")
        where = f"{name}({program.title})" if program.title else name
        architecture = elf.architecture_of(program.elf.flags)
        if architecture != "aie2":
            raise UserError(
                f"the object is for {architecture or program.elf.flags}, expected aie2", Location(where)
            )
        inputs.append(_input(program.elf, where))
    return inputs


def _input(found: elf.Elf, name: str) -> _Input:
    names = [f"{s.name}#{i}" for i, s in enumerate(found.sections)]

    def home(section: int) -> str:
        return "*ABS*" if section == elf.ABSOLUTE else names[section] if 0 < section < len(names) else ""

    sections = [
        ObjectSection(names[i], s.data, 16, s.size_bytes)
        for i, s in enumerate(found.sections)
        if s.flags & _ALLOCATED and s.type in (elf.PROGBITS, elf.NOBITS)
    ]
    symbols = [
        ObjectSymbol(s.name, home(s.section), s.value, s.size_bytes, s.is_global, s.is_function)
        for s in found.symbols
    ]
    symbols += [ObjectSymbol(f"section {n}", n, 0, 0, is_global=False) for n in names]
    lines = {}
    for number, section in enumerate(found.sections):
        rows = line_table(found, number) if section.flags & elf.EXECUTABLE_SECTION else None
        if rows is not None:
            lines[names[number]] = rows
    return _Input(name, sections, symbols, _relocations(found, names), lines)


def _relocations(found: elf.Elf, names: list[str]) -> list[ObjectRelocation]:
    made = []
    for section in found.sections:
        if section.type != elf.RELA or not found.sections[section.info].flags & _ALLOCATED:
            continue
        for offset, kind, number, addend in elf.relocations_in(section):
            symbol = found.symbol_table[number]
            name, home = symbol.name, symbol.section
            # A local symbol may be there in every object: it is meant by its place.
            if home and home < len(names) and not symbol.is_global:
                addend += symbol.value
                name = f"section {names[home]}"
            made.append(ObjectRelocation(names[section.info], offset, kind, name, addend))
    return made


class Linked(NamedTuple):
    """A linked program.

    Attributes:
        elf: its file.
        program_bytes: of program memory.
        absolute: symbols of the objects that are numbers, local ones too.
        uses: function -> the functions whose addresses its code has: those that it calls.
    """

    elf: bytes
    program_bytes: int
    absolute: dict[str, int]
    uses: dict[str, tuple[str, ...]]


def link(objects: Sequence[tuple[str, bytes]], script: LinkerScript, script_name: str) -> bytes:
    """The ELF of a core's program; see `link_program`."""
    return link_program(objects, script, script_name).elf


def link_program(
    objects: Sequence[tuple[str, bytes]], script: LinkerScript, script_name: str, *, only_used: bool = False
) -> Linked:
    """The program of a core.

    Args:
        objects: name and bytes of objects and archives.
        script: what the linker script says.
        script_name: for errors.
        only_used: whether sections that `__start` does not lead to are left out.

    Raises:
        UserError: an undefined symbol, one that is defined twice, or a program that does not fit.
    """
    inputs = _inputs(objects)
    if not any(item.start for item in inputs):
        inputs.insert(0, *_read(assemble(start_code(), "start").object(), "start"))
    origin = _origins(inputs)
    if only_used:
        inputs = _only_used(inputs, origin, script)
    placed = _place(inputs, script, script_name)
    globals_ = _global_symbols(inputs, placed, script)
    for item in inputs:
        _relocate(item, placed, globals_, script)
    absolute = {s.name: s.value for i in inputs for s in i.symbols if s.section == "*ABS*"}
    made = _linked_file(inputs, placed, globals_, script)
    return Linked(made, len(placed.code), absolute, _uses(inputs, script))


def _inputs(objects: Sequence[tuple[str, bytes]]) -> list[_Input]:
    return [member for name, data in objects for member in _read(data, name)]


def undefined_symbols(objects: Sequence[tuple[str, bytes]], script: LinkerScript) -> list[str]:
    """What the code that `__start` leads to needs and no object defines, sorted."""
    inputs = _inputs(objects)
    origin = _origins(inputs)
    known = {*origin, *script.symbols, *script.aliases}
    missing = set()
    for item in _only_used(inputs, origin, script):
        own = {s.name for s in item.symbols if s.section}
        missing |= {r.symbol for r in item.relocations if r.symbol not in own and r.symbol not in known}
    return sorted(missing)


def _origins(inputs: list[_Input]) -> dict[str, tuple[_Input, str]]:
    """Global symbol -> the input that defines it, and the section. Raises UserError for one defined twice."""
    origin: dict[str, tuple[_Input, str]] = {}
    for item in inputs:
        for symbol in item.symbols:
            if symbol.is_global and symbol.section:
                if symbol.name in origin:
                    raise UserError(
                        f"'{symbol.name}' is defined by {origin[symbol.name][0].name} and by {item.name}"
                    )
                origin[symbol.name] = (item, symbol.section)
    return origin


def _only_used(
    inputs: list[_Input], origin: dict[str, tuple[_Input, str]], script: LinkerScript
) -> list[_Input]:
    """The inputs without sections that nothing needs which `__start` needs."""
    wanted = _reached(inputs, origin, script)
    return [
        item._replace(
            sections=[s for s in item.sections if (item.name, s.name) in wanted],
            symbols=[s for s in item.symbols if s.section == "*ABS*" or (item.name, s.section) in wanted],
            relocations=[r for r in item.relocations if (item.name, r.section) in wanted],
        )
        for item in inputs
    ]


def _reached(
    inputs: list[_Input], origin: dict[str, tuple[_Input, str]], script: LinkerScript
) -> set[_SectionOfObject]:
    """The section with `__start`, what it needs, and what that needs."""
    local = {
        item.name: {s.name: (item, s.section) for s in item.symbols if s.section and s.section != "*ABS*"}
        for item in inputs
    }
    wanted: set[_SectionOfObject] = set()
    pending = [(item, item.start) for item in inputs if item.start]
    while pending:
        item, section = pending.pop()
        if (item.name, section) in wanted:
            continue
        wanted.add((item.name, section))
        for relocation in item.relocations:
            if relocation.section == section:
                name = relocation.symbol
                other = script.aliases.get(name, "")
                there = local[item.name].get(name) or origin.get(name) or origin.get(other)
                pending += [there] if there else []
    return wanted


def _uses(inputs: list[_Input], script: LinkerScript) -> dict[str, tuple[str, ...]]:
    """Function -> functions whose addresses are in its section."""
    functions = {s.name for item in inputs for s in item.symbols if s.is_function}
    found: dict[str, set[str]] = {}
    for item in inputs:
        for symbol in item.symbols:
            if not (symbol.is_function or symbol.name == "__start") or not symbol.section:
                continue
            for relocation in item.relocations:
                name = script.aliases.get(relocation.symbol, relocation.symbol)
                if relocation.section == symbol.section and name in functions:
                    found.setdefault(symbol.name, set()).add(name)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def _linked_file(
    inputs: list[_Input], placed: _PlacedSections, globals_: dict[str, int], script: LinkerScript
) -> bytes:
    functions = {s.name for i in inputs for s in i.symbols if s.is_function}
    symbols = [
        ObjectSymbol(n, "*ABS*" if v >= elf.SEGMENT_LIMIT else ".text", v, is_function=n in functions)
        for n, v in globals_.items()
    ]
    for item in inputs:
        for s in item.symbols:
            at = placed.addresses.get((item.name, s.section), elf.SEGMENT_LIMIT)
            if at < elf.SEGMENT_LIMIT and not s.is_global and s.name != f"section {s.section}":
                symbols.append(s._replace(section=".text", value=at + s.value))
    start_bss = script.data_origin + len(placed.data)
    sections = [ObjectSection(".text", bytes(placed.code), 16, None, 0)]
    if placed.data:
        sections.append(ObjectSection(".data", bytes(placed.data), 16, None, script.data_origin))
    if placed.end > start_bss:
        sections.append(ObjectSection(".bss", b"", 16, placed.end - start_bss, start_bss))
    return write_object(sections, symbols, linked=True, lines=_lines(inputs, placed))


def _lines(inputs: list[_Input], placed: _PlacedSections) -> dict[str, CodeRows]:
    """The lines of the program: each section's where the section has gone."""
    made = {}
    for item in inputs:
        for section in item.sections:
            start, table = placed.addresses.get((item.name, section.name)), item.lines.get(section.name)
            if start is None or table is None:
                continue
            rows = tuple(
                (start + at, place)
                for at, place in zip(table.addresses, table.locations)
                if place is not None and at < len(section.data)
            )
            if rows:
                made[f"{item.name} {section.name}"] = CodeRows(
                    without_repeats(rows), start + len(section.data)
                )
    return made


class _PlacedSections(NamedTuple):
    """Where each section goes, the content of program memory and data, where zeros after the data end."""

    addresses: dict[_SectionOfObject, int]
    code: bytearray
    data: bytearray
    end: int


def _place(inputs: list[_Input], script: LinkerScript, script_name: str) -> _PlacedSections:
    """Code with `__start` in front, data, zeros."""
    addresses: dict[_SectionOfObject, int] = {}
    code, data = bytearray(), bytearray()
    for item in sorted(inputs, key=lambda item: not item.start):
        for section in sorted(item.sections, key=lambda s: s.name != item.start):
            if section.is_code and section.data:
                code += b"\1\0" * (-len(code) % 16 // 2)
                addresses[item.name, section.name] = len(code)
                code += section.data
    others = [(item.name, s) for item in inputs for s in item.sections if not s.is_code]
    for name, section in others:
        if not section.is_bss and section.data:
            data += bytes(-len(data) % 32)
            addresses[name, section.name] = script.data_origin + len(data)
            data += section.data
    end = script.data_origin + len(data)
    for name, section in others:
        if section.is_bss and section.size_bytes:
            end += -end % 32
            addresses[name, section.name] = end
            end += section.size_bytes
    if len(code) > PROGRAM_MEMORY_BYTES:
        raise UserError(
            f"the program takes {len(code)} bytes, a core has {PROGRAM_MEMORY_BYTES}",
            hint="split the work over cores",
        )
    if end > script.data_origin + script.data_bytes:
        raise UserError(
            f"the program's data take {end - script.data_origin} bytes, "
            f"there is room for {script.data_bytes}",
            Location(script_name),
            hint="make tables or buffers smaller",
        )
    return _PlacedSections(addresses, code, data, end)


def _global_symbols(inputs: list[_Input], placed: _PlacedSections, script: LinkerScript) -> dict[str, int]:
    found = dict(script.symbols)
    addresses = {**{(item.name, "*ABS*"): 0 for item in inputs}, **placed.addresses}
    for item in inputs:
        for symbol in item.symbols:
            if symbol.is_global and (item.name, symbol.section) in addresses:
                found[symbol.name] = addresses[item.name, symbol.section] + symbol.value
    for name, target in script.aliases.items():
        if name not in found and target in found:
            found[name] = found[target]
    return found


def _relocate(item: _Input, placed: _PlacedSections, globals_: dict[str, int], script: LinkerScript) -> None:
    """Fills in what depends on symbols in the sections of an object."""
    addresses = {section: at for (name, section), at in placed.addresses.items() if name == item.name}
    local = {s.name: addresses[s.section] + s.value for s in item.symbols if s.section in addresses}
    for relocation in item.relocations:
        home = addresses.get(relocation.section)
        if home is None:
            continue
        value = local.get(relocation.symbol, globals_.get(relocation.symbol))
        if value is None:
            raise UserError(
                f"undefined symbol '{relocation.symbol}', needed by {item.name}",
                hint="link the object that defines it",
            )
        is_code = home < elf.SEGMENT_LIMIT
        image, base = (placed.code, 0) if is_code else (placed.data, script.data_origin)
        _apply(image, home - base + relocation.offset, relocation.type, value + relocation.addend)


def _apply(image: bytearray, at: int, number: int, value: int) -> None:
    size, pieces = instruction_set("aie2").relocations[number]
    word = int.from_bytes(image[at : at + size], "little")
    for low, width, place in pieces:
        mask = (1 << width) - 1
        word = word & ~(mask << place) | (value >> low & mask) << place
    image[at : at + size] = word.to_bytes(size, "little")
