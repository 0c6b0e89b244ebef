"""What `npuninja inspect` says of objects and archives: files on the way to a core's program."""

from __future__ import annotations

from typing import Any

from npuninja.diag.inspect_report import InspectReport
from npuninja.errors import Location, UserError
from npuninja.files import is_lfs_pointer
from npuninja.formats import elf
from npuninja.formats.elf import Elf
from npuninja.formats.wasm_code import FunctionCode
from npuninja.formats.wasm_module import WasmModule, read_wasm
from npuninja.lints.kernel_code import read_functions
from npuninja.machine_code.program import MachineProgram, read_programs
from npuninja.stages._wasm_object import read_symbols

_NAMES_SHOWN = 40


def object_file(found: Elf, name: str, data: bytes) -> InspectReport:
    """A relocatable object of AIE cores: the functions it defines, with their bytes, and what it needs."""
    _, programs = read_programs(data, name)
    return _elf_object(programs[0], found, name, len(data))


def _elf_object(program: MachineProgram, found: Elf, name: str, size: int) -> InspectReport:
    functions = [
        {"name": s.name, "bytes": s.size_bytes, "section": section.name}
        for section in program.sections
        for s in section.symbols
        if s.kind == "function"
    ]
    needed = sorted({s.name for s in found.symbols if s.section == 0 and s.name})
    architecture = elf.architecture_of(found.flags) or f"flags {found.flags}"
    facts = {"bytes": size, "architecture": architecture, "functions": functions, "needs": needed}
    lines = [f"  {size} bytes, {architecture}; an object, not linked yet"]
    lines += [f"  function {f['name']}: {f['bytes']} bytes" for f in functions] or [
        "  it defines no function"
    ]
    if needed:
        lines.append("  needs " + ", ".join(needed[:_NAMES_SHOWN]))
    lines.append("  npuninja disasm lists its code")
    return InspectReport("object", name, facts, lines)


def _code_bytes(code: FunctionCode) -> int:
    """From the body's first byte to its last instruction, `end`, which has one byte."""
    return code.instructions[-1].offset + 1 - code.offset if code.instructions else 0


def wasm_object(data: bytes, module: WasmModule, name: str) -> InspectReport:
    """An object for emulated cores: the functions it defines with the bytes of their code and stack frame."""
    symbols = read_symbols(data, name)
    functions = [
        {"name": f.name, "bytes": _code_bytes(f.code), "frame_bytes": f.frame_bytes}
        for f in read_functions(module, symbols.function_names, name)
    ]
    facts = {"bytes": len(data), "functions": functions, "needs": list(symbols.undefined)}
    lines = [f"  {len(data)} bytes; an object for emulated cores, not linked yet"]
    lines += [
        f"  function {f['name']}: {f['bytes']} bytes, stack frame {f['frame_bytes']} bytes" for f in functions
    ] or ["  it defines no function"]
    if symbols.undefined:
        lines.append("  needs " + ", ".join(symbols.undefined[:_NAMES_SHOWN]))
    return InspectReport("object for emulated cores", name, facts, lines)


def archive(data: bytes, name: str) -> InspectReport:
    """An archive: its members, each as an object."""
    _, programs = read_programs(data, name)
    members: list[dict[str, Any]] = []
    lines = [f"  {len(data)} bytes, {len(programs)} objects"]
    for program in programs:
        found = _member(program, f"{name}({program.title})")
        members.append({"name": program.title, "kind": found.kind, **found.facts})
        lines += [f"  {program.title}: {found.kind}", *(f"  {line}" for line in found.lines)]
    return InspectReport("archive", name, {"bytes": len(data), "members": members}, lines)


def _member(program: MachineProgram, name: str) -> InspectReport:
    if program.isa == "wasm":
        return wasm_object(program.module, read_wasm(program.module, name), name)
    assert program.elf is not None
    return _elf_object(program, program.elf, name, sum(len(section.data) for section in program.sections))


def refuse_pointer(data: bytes, name: str) -> None:
    """Raises UserError when this is a Git LFS pointer in the place of a file."""
    if is_lfs_pointer(data):
        raise UserError(
            "a Git LFS pointer, not the file itself",
            Location(name),
            hint="git lfs pull fetches the file; without Git LFS, download it from the repository's page",
        )
