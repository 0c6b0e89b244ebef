"""`npuninja disasm`: the machine code in a file, bundle by bundle; wasm cores instruction by instruction."""

from __future__ import annotations

import json
import sys
from typing import Any, Sequence

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import meant_xclbin
from npuninja.errors import UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.formats.dwarf_lines import LineTable
from npuninja.formats.elf import RELOCATABLE
from npuninja.machine_code.listing import (
    Names,
    SourceFiles,
    list_section,
    section_json,
    section_lines,
)
from npuninja.machine_code.program import MachineProgram, read_programs
from npuninja.machine_code.program_difference import compare_programs
from npuninja.machine_code.source_lines import line_table
from npuninja.machine_code.wasm_listing import wasm_json, wasm_lines


def _parser() -> VerbParser:
    parser = VerbParser(
        prog="npuninja disasm",
        description="Lists the machine code of an ELF, an object, an archive, an XCLBIN or a PDI. "
        "Bundles have address, bytes and instructions; the text can be assembled again (npuninja as).",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="ELF, .o, .a, .xclbin, .pdi or a wasm core; or a design of the project here",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--source", action="store_true", help="show source lines, where the ELF has them")
    parser.add_argument("--diff", metavar="OTHER", help="show this program and another side by side")
    parser.add_argument("--core", metavar="C,R", help="of an XCLBIN or PDI: the core in column C, row R only")
    return parser


def _read(path: str) -> tuple[str, list[MachineProgram]]:
    return read_programs(read_file(path, MAX_XCLBIN_BYTES), path)


def _chosen(programs: list[MachineProgram], core: str | None, path: str) -> list[MachineProgram]:
    if core is None:
        return programs
    try:
        column, row = map(int, core.split(","))
    except ValueError:
        raise UserError(f"--core is '{core}', expected two numbers such as 0,2") from None
    found = [p for p in programs if p.place == (column, row)]
    if not found:
        known = ", ".join(f"{p.place[0]},{p.place[1]}" for p in programs if p.place) or "none"
        raise UserError(f"{path} has no program for core ({column}, {row})", hint=f"cores with one: {known}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja disasm`; returns its exit code."""
    options = _parser().parse_args(arguments)
    options.file = meant_xclbin(options.file)
    kind, programs = _read(options.file)
    programs = _chosen(programs, options.core, options.file)
    if options.diff:
        _, others = _read(options.diff)
        others = _chosen(others, options.core, options.diff)
        report = compare_programs(programs, others, options.file, options.diff)
        print(json.dumps(report.to_json()) if options.json else report.text())
        return 0
    if options.json:
        print(json.dumps(_json(kind, programs, options.file)))
        return 0
    out = [f"// {options.file}: {kind}"]
    for program in programs:
        out += _text(program, options.file, options.source)
    sys.stdout.write("\n".join(out) + "\n")
    return 0


#: What is read of the line tables of one object: its sections times its table.
_MOST_LINE_BYTES = 16 << 20


def _json(kind: str, programs: list[MachineProgram], path: str) -> dict[str, Any]:
    bodies = []
    for program in programs:
        body: dict[str, Any] = {}
        if program.place is not None:
            body.update(column=program.place[0], row=program.place[1])
            if program.pdi:
                body["pdi"] = program.pdi
        elif program.title:
            body["name"] = program.title
        body["isa"] = program.isa
        if program.isa == "wasm":
            body.update(wasm_json(program, path))
        else:
            body["sections"] = [section_json(list_section(program, s, path)) for s in program.sections]
        bodies.append(body)
    head = {"file": path, "kind": kind}
    if kind in ("XCLBIN", "PDI"):
        return {**head, "cores": bodies}
    if kind == "archive":
        return {**head, "members": bodies}
    return {**head, **bodies[0]}


def _text(program: MachineProgram, path: str, source: bool) -> list[str]:
    out = [""]
    if program.title:
        out.append(f"// {program.title}")
    if program.isa == "wasm":
        return out + list(wasm_lines(program, path))
    names = Names(program.symbols)
    tables = _LineTables(program) if source else None
    if tables is not None and tables.are_missing:
        out.append("// no source lines: compiled without -g, or they are not in this kind of file")
    files = SourceFiles() if source else None
    if not program.sections:
        out.append("// no machine code")
    for section in program.sections:
        listing = list_section(program, section, path)
        out.append(
            f"section {section.name}: 0x{section.address:x}, {len(section.data)} bytes, "
            f"{len(listing.bundles)} bundles"
        )
        lines = tables.of_section(section.number) if tables is not None else None
        out += section_lines(listing, names, lines, files)
    return out


class _LineTables:
    """The source lines of a program's sections. In an object each section's are read by themselves."""

    def __init__(self, program: MachineProgram) -> None:
        self._elf = program.elf
        table = program.elf.section(".debug_line") if program.elf is not None else None
        self.are_missing = table is None
        self._bytes = len(table.data) if table is not None else 0
        self._left_bytes = _MOST_LINE_BYTES
        is_object = program.elf is not None and program.elf.type == RELOCATABLE
        self._linked = None if is_object else line_table(program.elf)

    def of_section(self, number: int) -> LineTable | None:
        """The lines of a section; None when it has none, or so much was read before that no more is."""
        if self._linked is not None or self.are_missing:
            return self._linked
        self._left_bytes -= self._bytes
        return line_table(self._elf, number) if self._left_bytes >= 0 else None
