"""A small linker: objects and a linker script of MLIR-AIE's kind to the program of one core.

Of the script it takes what such scripts say: symbols at addresses (`. = 0x70400; name = .;`), the memory region `data`,
`PROVIDE(main = core_0_2);`. `__start` (the stack pointer, then `main`, then `done`) is our own unless an object has one.
"""

from __future__ import annotations

import re
from typing import Sequence

from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.errors import Location, UserError
from npuninja.formats import elf
from npuninja.formats.dwarf_line_writer import CodeRows, without_repeats
from npuninja.formats.dwarf_lines import LineTable
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.instruction_set import instruction_set
from npuninja.machine_code.object_file import ObjectRelocation, ObjectSection, ObjectSymbol, write_object
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.source_lines import line_table
from npuninja.records import NamedTuple

STACK_SYMBOL = "_sp_start_value_DM_stack"
_START = f"""
.section .text.start
__start:
  jl main
  movxm sp, #{STACK_SYMBOL}
  nop
  nop
  nop
  nop
  done
  nop
  nop
  nop
  nop
"""


class LinkerScript(NamedTuple):
    """What a linker script fixes: symbols, where data goes and how much fits, aliases, how much room symbols have."""

    symbols: dict[str, int]
    data_origin: int
    data_bytes: int
    aliases: dict[str, str]
    sizes: dict[str, int]


#: Of twenty digits at most, which is more than an address has.
_NUMBER = r"0[xX][0-9A-Fa-f]{1,18}|[1-9]\d{0,19}|0"


def read_linker_script(text: str, name: str) -> LinkerScript:
    """Reads a script. Raises UserError when it has no region `data`."""
    region = re.search(
        rf"data\s*\([^)]{{0,64}}\)\s*:\s*ORIGIN\s*=\s*({_NUMBER})\s*,\s*LENGTH\s*=\s*({_NUMBER})\b", text
    )
    if region is None:
        raise UserError("the linker script has no memory region 'data'", Location(name))
    symbols: dict[str, int] = {}
    sizes: dict[str, int] = {}
    at = 0
    latest = ""
    body = _without_comments(text)
    for sign, number, symbol in re.findall(rf"\.\s*(\+?=)\s*({_NUMBER})\s*;|\b(\w+)\s*=\s*\.\s*;", body):
        if symbol:
            symbols[symbol] = at
        elif sign == "=":
            at = int(number, 0)
        else:
            at += int(number, 0)
            if latest:
                sizes[latest] = int(number, 0)
        latest = symbol
    aliases = dict(re.findall(r"PROVIDE\((\w+)\s*=\s*(\w+)\)", body))
    return LinkerScript(symbols, int(region[1], 0), int(region[2], 0), aliases, sizes)


def _without_comments(text: str) -> str:
    """A script without its comments; in linear time, also when they do not end."""
    parts = []
    at = 0
    while (begin := text.find("/*", at)) >= 0 and (end := text.find("*/", begin + 2)) >= 0:
        parts.append(text[at:begin])
        at = end + 2
    return "".join((*parts, text[at:]))


class _Input(NamedTuple):
    name: str
    sections: list[ObjectSection]
    symbols: list[ObjectSymbol]
    relocations: list[ObjectRelocation]
    lines: dict[str, LineTable]


def _read(data: bytes, name: str) -> list[_Input]:
    inputs = []
    for program in read_programs(data, name)[1]:
        if program.elf is None or program.elf.type != elf.RELOCATABLE:
            raise UserError("the file is no object", Location(name), hint="give objects and archives")
        found = program.elf
        where = f"{name}({program.title})" if program.title else name
        if elf.architecture_of(found.flags) != "aie2":
            raise UserError(
                f"the object is for {elf.architecture_of(found.flags) or found.flags}, expected aie2",
                Location(where),
            )
        names = [f"{s.name}#{i}" for i, s in enumerate(found.sections)]
        sections = [
            ObjectSection(names[i], s.data, 16, s.size_bytes)
            for i, s in enumerate(found.sections)
            if s.flags & 2 and s.type in (1, 8)
        ]
        symbols = [
            ObjectSymbol(
                s.name,
                "*ABS*" if s.section == 0xFFF1 else names[s.section] if 0 < s.section < len(names) else "",
                s.value,
                s.size_bytes,
                s.is_global,
                s.is_function,
            )
            for s in found.symbols
        ]
        symbols += [ObjectSymbol(f"section {n}", n, 0, 0, is_global=False) for n in names]
        relocations = _relocations(found, names)
        lines = {}
        for number, section in enumerate(found.sections):
            rows = line_table(found, number) if section.flags & elf.EXECUTABLE_SECTION else None
            if rows is not None:
                lines[names[number]] = rows
        inputs.append(_Input(where, sections, symbols, relocations, lines))
    return inputs


def _relocations(found: elf.Elf, names: list[str]) -> list[ObjectRelocation]:
    import struct

    made = []
    for section in found.sections:
        if section.type != elf.RELA or not found.sections[section.info].flags & 2:
            continue
        for at in range(0, len(section.data) // 12 * 12, 12):
            offset, info, addend = struct.unpack_from("<IIi", section.data, at)
            name, home = found.symbol_names[info >> 8], found.symbol_sections[info >> 8]
            # A local symbol may be there in every object: it is meant by its place.
            if home and home < len(names) and not found.symbol_globals[info >> 8]:
                addend += found.symbol_values[info >> 8]
                name = f"section {names[home]}"
            made.append(ObjectRelocation(names[section.info], offset, info & 0xFF, name, addend))
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
    inputs = [member for name, data in objects for member in _read(data, name)]
    if not any(s.name == "__start" and s.section for i in inputs for s in i.symbols):
        start = assemble(_START, "start")
        inputs.insert(0, *_read(start.object(), "start"))
    origin = _origins(inputs)
    if only_used:
        inputs = _only_used(inputs, origin, script)
    addresses, code, data, bss_end = _place(inputs, script, script_name)
    globals_ = _global_symbols(inputs, addresses, script)
    for item in inputs:
        local = {
            s.name: addresses[item.name, s.section] + s.value
            for s in item.symbols
            if (item.name, s.section) in addresses
        }
        for relocation in item.relocations:
            home = addresses.get((item.name, relocation.section))
            if home is None:
                continue
            value = local.get(relocation.symbol, globals_.get(relocation.symbol))
            if value is None:
                raise UserError(
                    f"undefined symbol '{relocation.symbol}', needed by {item.name}",
                    hint="link the object that defines it",
                )
            image, base = (code, 0) if home < elf.SEGMENT_LIMIT else (data, script.data_origin)
            _apply(image, home - base + relocation.offset, relocation.type, value + relocation.addend)
    absolute = {s.name: s.value for i in inputs for s in i.symbols if s.section == "*ABS*"}
    uses = _uses(inputs, script)
    return Linked(
        _linked_file(inputs, addresses, globals_, code, data, bss_end, script), len(code), absolute, uses
    )


def undefined_symbols(objects: Sequence[tuple[str, bytes]], script: LinkerScript) -> list[str]:
    """What the code that `__start` leads to needs and nobody defines, sorted."""
    inputs = [member for name, data in objects for member in _read(data, name)]
    origin = _origins(inputs)
    known = {*origin, *script.symbols, *script.aliases}
    missing = set()
    for item in _only_used(inputs, origin, script):
        own = {s.name for s in item.symbols if s.section}
        missing |= {r.symbol for r in item.relocations if r.symbol not in own and r.symbol not in known}
    return sorted(missing)


def _origins(inputs: list[_Input]) -> dict[str, tuple[_Input, str]]:
    """Global symbol -> the input that defines it and the section. UserError for one that is defined twice."""
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
    local = {
        item.name: {s.name: s.section for s in item.symbols if s.section and s.section != "*ABS*"}
        for item in inputs
    }
    wanted: set[tuple[str, str]] = set()
    pending = [(i, s.section) for i in inputs for s in i.symbols if s.name == "__start" and s.section]
    while pending:
        item, section = pending.pop()
        if (item.name, section) in wanted:
            continue
        wanted.add((item.name, section))
        for relocation in item.relocations:
            if relocation.section != section:
                continue
            name = relocation.symbol
            if name in local[item.name]:
                pending.append((item, local[item.name][name]))
                continue
            name = name if name in origin else script.aliases.get(name, name)
            if name in origin:
                pending.append(origin[name])
    kept = []
    for item in inputs:
        kept.append(
            _Input(
                item.name,
                [s for s in item.sections if (item.name, s.name) in wanted],
                [s for s in item.symbols if s.section == "*ABS*" or (item.name, s.section) in wanted],
                [r for r in item.relocations if (item.name, r.section) in wanted],
                item.lines,
            )
        )
    return kept


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
    inputs: list[_Input],
    addresses: dict[tuple[str, str], int],
    globals_: dict[str, int],
    code: bytearray,
    data: bytearray,
    bss_end: int,
    script: LinkerScript,
) -> bytes:
    symbols = [
        ObjectSymbol(n, "*ABS*" if v >= elf.SEGMENT_LIMIT else ".text", v) for n, v in globals_.items()
    ]
    for item in inputs:
        for s in item.symbols:
            at = addresses.get((item.name, s.section))
            if (
                at is not None
                and at < elf.SEGMENT_LIMIT
                and not s.is_global
                and s.name != f"section {s.section}"
            ):
                symbols.append(
                    ObjectSymbol(s.name, ".text", at + s.value, s.size_bytes, False, s.is_function)
                )
    functions = {s.name for i in inputs for s in i.symbols if s.is_function}
    symbols = [
        s._replace(is_function=s.is_function or (s.is_global and s.name in functions)) for s in symbols
    ]
    sections = [ObjectSection(".text", bytes(code), 16, None, 0)]
    if data:
        sections.append(ObjectSection(".data", bytes(data), 16, None, script.data_origin))
    if bss_end > script.data_origin + len(data):
        start_bss = script.data_origin + len(data)
        sections.append(ObjectSection(".bss", b"", 16, bss_end - start_bss, start_bss))
    return write_object(sections, symbols, linked=True, lines=_lines(inputs, addresses))


def _lines(inputs: list[_Input], addresses: dict[tuple[str, str], int]) -> dict[str, CodeRows]:
    """The lines of the program: each section's where the section has gone."""
    made = {}
    for item in inputs:
        for section in item.sections:
            start, table = addresses.get((item.name, section.name)), item.lines.get(section.name)
            if start is None or table is None:
                continue
            rows = tuple(
                (start + at, place)
                for at, place in zip(table.addresses, table.places)
                if place is not None and at < len(section.data)
            )
            if rows:
                made[f"{item.name} {section.name}"] = CodeRows(
                    without_repeats(rows), start + len(section.data)
                )
    return made


def _place(
    inputs: list[_Input], script: LinkerScript, script_name: str
) -> tuple[dict[tuple[str, str], int], bytearray, bytearray, int]:
    addresses: dict[tuple[str, str], int] = {}
    code, data = bytearray(), bytearray()

    def starts(item: _Input) -> bool:
        return not any(s.name == "__start" and s.section for s in item.symbols)

    for item in sorted(inputs, key=starts):
        own = next((s.section for s in item.symbols if s.name == "__start" and s.section), None)
        for section in sorted(item.sections, key=lambda s: s.name != own):
            if section.is_code and section.data:
                code += b"\1\0" * (-len(code) % 16 // 2)
                addresses[item.name, section.name] = len(code)
                code += section.data
    for item in inputs:
        for section in item.sections:
            if not section.is_code and not section.is_bss and section.data:
                data += bytes(-len(data) % 32)
                addresses[item.name, section.name] = script.data_origin + len(data)
                data += section.data
    end = script.data_origin + len(data)
    for item in inputs:
        for section in item.sections:
            if section.is_bss and section.size_bytes:
                end += -end % 32
                addresses[item.name, section.name] = end
                end += section.size_bytes
    if len(code) > PROGRAM_MEMORY_BYTES:
        raise UserError(
            f"the program takes {len(code)} bytes, a core has {PROGRAM_MEMORY_BYTES}",
            hint="split the work over cores",
        )
    if end > script.data_origin + script.data_bytes:
        raise UserError(
            f"the program's data take {end - script.data_origin} bytes, there is room for {script.data_bytes}",
            Location(script_name),
            hint="make tables or buffers smaller",
        )
    return addresses, code, data, end


def _global_symbols(
    inputs: list[_Input], addresses: dict[tuple[str, str], int], script: LinkerScript
) -> dict[str, int]:
    found = dict(script.symbols)
    for item in inputs:
        for symbol in item.symbols:
            if not symbol.is_global or not symbol.section:
                continue
            base = addresses.get((item.name, symbol.section), 0 if symbol.section == "*ABS*" else None)
            if base is not None:
                found[symbol.name] = base + symbol.value
    for name, target in script.aliases.items():
        if name not in found and target in found:
            found[name] = found[target]
    return found


def _apply(image: bytearray, at: int, number: int, value: int) -> None:
    size, pieces = instruction_set("aie2").relocations[number]
    word = int.from_bytes(image[at : at + size], "little")
    for low, width, place in pieces:
        mask = (1 << width) - 1
        word = word & ~(mask << place) | (value >> low & mask) << place
    image[at : at + size] = word.to_bytes(size, "little")
