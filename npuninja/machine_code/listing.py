"""Listings of programs: text like objdump's with what a reader needs in comments, and JSON.

A line is `ADDRESS: BYTES  instruction; instruction; …`; comments begin with `//`. The text of a section is
what the assembler (`npuninja as`) takes, so a listing can be assembled again.
"""

from __future__ import annotations

import bisect

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError, source_lines
from npuninja.formats.dwarf_lines import LineTable
from npuninja.machine_code.decode import Bundle, UndecodableError, decoder
from npuninja.machine_code.flow import DELAY_SLOTS, ControlFlow, analyse
from npuninja.machine_code.program import CodeSection, MachineProgram, Relocation, Symbol
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Iterator, Sequence

#: Width of a bundle's bytes in a line: 16 bytes with blanks.
_BYTES_WIDTH = 47


#: What start-up code is called, apart from marks of linker scripts such as `_ctors_end`.
_STARTS = ("__start", "_start")


class SectionListing(NamedTuple):
    """A section with its bundles and what is known of their flow."""

    section: CodeSection
    bundles: tuple[Bundle, ...]
    flow: ControlFlow


def list_section(program: MachineProgram, section: CodeSection, name: str) -> SectionListing:
    """Decodes a section. Raises UserError when it is for a core we have no table for, or does not decode."""
    if program.isa == "wasm":
        raise UserError("a wasm core has no machine code", Location(name))
    code = decoder(program.isa)
    try:
        bundles = tuple(code.bundles(section.data, section.address))
    except UndecodableError as error:
        where = f"{name}, {program.title}" if program.title else name
        raise UserError(
            f"{error.message} (section {section.name})", Location(where), hint=error.hint
        ) from None
    leaders = [s.address for s in section.symbols]
    fixed = _fixed_targets(section, program.symbols) if section.relocations else None
    return SectionListing(section, bundles, analyse(bundles, leaders, fixed))


def _fixed_targets(section: CodeSection, symbols: Sequence[Symbol]) -> dict[int, int]:
    """Where the relocated bundles of an object lead inside their own section."""
    own = {s.name: s.address for s in section.symbols}
    own.setdefault(section.name, section.address)
    return {
        section.address + r.offset: own[r.symbol] + r.addend for r in section.relocations if r.symbol in own
    }


class Names:
    """Names of addresses: the nearest function or label at or before one."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        best: dict[int, Symbol] = {}
        for symbol in symbols:
            if symbol.kind != "data" and (
                symbol.address not in best or _rank(symbol) > _rank(best[symbol.address])
            ):
                best[symbol.address] = symbol
        self.functions = sorted(
            (s for s in best.values() if s.kind == "function" or s.name in _STARTS), key=lambda s: s.address
        )
        self._starts = [s.address for s in self.functions]
        self.at = {address: s.name for address, s in best.items()}

    def phrase(self, address: int) -> str:
        """`<name+0x10>`, or nothing when no name is known."""
        if address in self.at:
            return f" <{self.at[address]}>"
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return ""
        function = self.functions[index]
        if function.size_bytes and address >= function.address + function.size_bytes:
            return ""
        return f" <{function.name}+0x{address - function.address:x}>"

    def function_of(self, address: int) -> str | None:
        """The name of the function that an address lies in."""
        index = bisect.bisect_right(self._starts, address) - 1
        return self.functions[index].name if index >= 0 else None


def _rank(symbol: Symbol) -> tuple[bool, bool, bool]:
    """Which of several symbols at an address names it: a function, and no mark that a linker puts there."""
    return symbol.name in _STARTS, symbol.kind == "function", not symbol.name.startswith(("_", "."))


def section_json(listing: SectionListing) -> dict[str, Any]:
    """The section as aie2-isa §13 has it, and its relocations, blocks and loops."""
    made: dict[str, Any] = {
        "name": listing.section.name,
        "address": listing.section.address,
        "bundles": [[b.address, b.size_bytes, [i.text for i in b.instructions]] for b in listing.bundles],
        "symbols": [[s.address, s.name, s.kind, s.size_bytes] for s in listing.section.symbols],
        "blocks": [[b.start, b.end, b.cycles] for b in listing.flow.blocks],
        "loops": [[loop.start, loop.end, loop.trips] for loop in listing.flow.loops.values()],
    }
    if listing.section.relocations:
        made["relocations"] = [[r.offset, r.type, r.symbol, r.addend] for r in listing.section.relocations]
    return made


def section_lines(
    listing: SectionListing, names: Names, lines: LineTable | None, files: SourceFiles | None
) -> Iterator[str]:
    """The section as text."""
    section, flow = listing.section, listing.flow
    headings: dict[int, list[Symbol]] = {}
    for symbol in section.symbols:
        headings.setdefault(symbol.address, []).append(symbol)
    relocations: dict[int, list[Relocation]] = {}
    for relocation in section.relocations:
        relocations.setdefault(section.address + relocation.offset, []).append(relocation)
    blocks = {block.start: block for block in flow.blocks}
    begins = {loop.start: loop for loop in flow.loops.values()}
    shown: Location | None = None
    for bundle in listing.bundles:
        address = bundle.address
        if address in headings or address in flow.calls:
            yield ""
        yield from (f"{address:08x} <{symbol.name}>:" for symbol in headings.get(address, ()))
        if address in blocks:
            cycles = blocks[address].cycles
            yield f"  // block 0x{address:x}: {cycles} cycle{'s' if cycles > 1 else ''}"
        place = lines.at(address) if lines is not None else None
        if place is not None and place != shown:
            shown = place
            yield f"  // {place}{files.excerpt(place) if files is not None else ''}"
        yield _bundle_line(bundle, flow, begins, names)
        yield from map(_relocation_line, relocations.get(address, ()))


def _relocation_line(relocation: Relocation) -> str:
    addend = f"{relocation.addend:+d}" if relocation.addend else ""
    return f"          .reloc 0x{relocation.offset:x}, {relocation.type}, {relocation.symbol}{addend}"


def _bundle_line(bundle: Bundle, flow: ControlFlow, begins: dict[int, Any], names: Names) -> str:
    address = bundle.address
    text = bundle.text
    branch = flow.branches.get(address)
    notes = []
    if branch is not None and branch.target is not None:
        phrase = names.phrase(branch.target)
        notes.append(f"to 0x{branch.target:x}{phrase}")
    if address in flow.delay_slots:
        number, _ = flow.delay_slots[address]
        notes.append(f"delay slot {number} of {DELAY_SLOTS}")
    if address in begins:
        loop = begins[address]
        trips = f", {loop.trips} trips" if loop.trips is not None else ""
        notes.append(f"loop begins, to 0x{loop.end:x}{trips}")
    if address in flow.loops:
        notes.append(f"loop ends, to 0x{flow.loops[address].start:x}")
    comment = f"  // {'; '.join(notes)}" if notes else ""
    return f"{address:8x}: {bundle.data.hex(' '):{_BYTES_WIDTH}}  {text}{comment}"


class SourceFiles:
    """Source lines of the files that a line table names, where they are still there."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def excerpt(self, place: Location) -> str:
        """`: text of the line`, or nothing."""
        if place.file not in self._lines:
            self._lines[place.file] = source_lines(place.file)
        lines = self._lines[place.file]
        return f": {lines[place.line - 1].strip()}" if 0 < place.line <= len(lines) else ""
