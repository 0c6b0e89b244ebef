"""`npuninja inspect`: what a CDO, PDI, XCLBIN, instruction stream or core program holds.

Register addresses are decoded to tiles and names, buffer descriptors to transfers. A file that is damaged or
of an unknown kind is a UserError that says where.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Sequence, TypeVar

from npuninja.arch.devices import DATA_END, DATA_START, PROGRAM_MEMORY_BYTES
from npuninja.arch.families import SHARED_ROWS, of_generation
from npuninja.diag import inspect_full_elf, inspect_objects
from npuninja.diag.command_text import Described, describe_cdo, describe_txn, numbered
from npuninja.diag.inspect_report import InspectReport
from npuninja.diag.register_names import register_at
from npuninja.errors import Error, Location, UserError
from npuninja.file_kinds import ARCHIVE_MAGIC, ELF_MAGIC, PDI_MAGIC, WASM_MAGIC, XCLBIN_MAGIC
from npuninja.formats import cdo, elf, xclbin
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.cdo import read_cdo
from npuninja.formats.core_image import CORE_SECTION, CoreInfo, read_core_image, read_stub
from npuninja.formats.elf import check_core_elf, made_by, read_elf
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.full_elf_reader import is_full_elf
from npuninja.formats.pdi import read_pdi
from npuninja.formats.txn import HEX_LINES, Sync, read_txn
from npuninja.formats.wasm_module import read_wasm
from npuninja.formats.xclbin import read_xclbin
from npuninja.formats.xclbin_check import problem_of
from npuninja.formats.xclbin_sections import read_embedded_metadata, read_ip_layout, read_mem_topology
from npuninja.machine_code.functions import functions_of
from npuninja.stages.insts_elf import NO_ELF

_Read = TypeVar("_Read")


def _manifest(data: bytes, name: str) -> InspectReport:
    """What a manifest says; whether its files are there is the runner's concern."""
    try:
        content: dict[str, Any] = json.loads(data)
        if not all(isinstance(argument, dict) for argument in content.get("arguments", [])):
            raise TypeError("its arguments are no list of objects")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"a damaged manifest: {error}", Location(name), hint="build again") from error
    lines = [
        f"  design {content.get('design')} for {content.get('device')}, cores {content.get('core_kind')}"
    ]
    for argument in content.get("arguments", []):
        said = " ".join(f"{key} {value}" for key, value in argument.items())
        lines.append(f"  argument: {said}")
    for key in ("xclbin", "insts", "reference", "build_id"):
        if content.get(key):
            lines.append(
                f"  {key}: {content[key] if isinstance(content[key], str) else json.dumps(content[key])}"
            )
    return InspectReport("manifest", name, {"manifest": content}, lines)


def inspect_bytes(data: bytes, name: str) -> InspectReport:
    """Finds out what `data` is and describes it. Raises UserError when it is damaged or unknown."""
    if data[:8] != XCLBIN_MAGIC:
        inspect_objects.refuse_pointer(data, name)
    for is_kind, describe in _KINDS:
        if is_kind(data):
            return describe(data, name)
    if not data:
        raise UserError("the file is empty", Location(name))
    if data.startswith(NO_ELF):
        raise UserError(data[len(NO_ELF) :].decode(errors="replace").strip(), Location(name))
    raise UserError(
        f"unknown kind of file: it starts with {data[:8].hex(' ')}",
        Location(name),
        hint="expected a CDO, PDI, XCLBIN, instruction stream (binary or hex lines), core ELF, object, "
        "archive or wasm core",
    )


def _commands(kind: str, data: bytes, name: str, described: list[Described]) -> InspectReport:
    facts = {"bytes": len(data), "commands": [d.fields for d in described]}
    return InspectReport(
        kind, name, facts, [f"  {len(data)} bytes, {len(described)} commands", *numbered(described)]
    )


def _pdi(data: bytes, name: str) -> InspectReport:
    pdi = read_pdi(data, name)
    commands = pdi.commands(name)
    report = _commands("PDI", data, name, [describe_cdo(c) for c in commands])
    cores = _cores(commands)
    facts = {
        "id_code": pdi.id_code,
        "image": {"name": pdi.image_name, "id": pdi.image_id},
        "partitions": [{"type": p.type, "offset": p.offset, "bytes": len(p.data)} for p in pdi.partitions],
        "cores": cores,
    }
    lines = [
        f"  image {pdi.image_name}, id 0x{pdi.image_id:x}; device id code 0x{pdi.id_code:x}",
        *_core_lines(cores),
    ]
    return InspectReport("PDI", name, {**facts, **report.facts}, lines + report.lines)


def _cores(commands: Sequence[cdo.Command]) -> list[dict[str, Any]]:
    """The programs that the commands load."""
    found = []
    for command in commands:
        if isinstance(command, cdo.BlockWrite):
            register = register_at(command.address, SHARED_ROWS)
            if register.name == "program memory 0x0000":
                stub = read_stub(command.data)
                core: dict[str, Any] = {"column": register.column, "row": register.row}
                if stub is None:
                    core.update(kind="aie", program_bytes=len(command.data))
                else:
                    core.update(kind="wasm", sha256=stub.digest.hex(), stack_bytes=stub.stack_bytes)
                found.append(core)
    return found


def _core_lines(cores: list[dict[str, Any]], indent: str = "  ") -> list[str]:
    lines = []
    for core in cores:
        what = (
            f"program of {core['program_bytes']} bytes"
            if core["kind"] == "aie"
            else f"wasm module {core['sha256'][:16]}…"
        )
        lines.append(f"{indent}core ({core['column']}, {core['row']}): {what}")
    return lines


def _txn(data: bytes, name: str) -> InspectReport:
    stream = read_txn(data, name)
    known = of_generation(stream.generation)
    described = [describe_txn(op, known.rows if known else SHARED_ROWS) for op in stream.operations]
    family = known.name if known else f"unknown generation {stream.generation}"
    facts = {
        "bytes": len(data),
        "device": family,
        "rows": stream.rows,
        "columns": stream.columns,
        "memtile_rows": stream.memtile_rows,
        "operations": [d.fields for d in described],
    }
    lines = [
        f"  {len(data)} bytes, {len(described)} operations, for {family}, {stream.columns} columns",
        *numbered(described),
    ]
    waits = any(isinstance(operation, Sync) for operation in stream.operations)
    problem = None if waits else "it waits for nothing: the run is over before any result has arrived"
    return InspectReport("instruction stream (TXN)", name, facts, lines).with_problem(problem)


def _xclbin(data: bytes, name: str) -> InspectReport:
    container = read_xclbin(data, name)
    uuid = _uuid_text(container.uuid)
    facts: dict[str, Any] = {
        "bytes": len(data),
        "uuid": uuid,
        "made_by": ".".join(map(str, container.version)),
        "sections": [
            {"kind": s.title, "name": s.name, "offset": s.offset, "bytes": len(s.data)}
            for s in container.sections
        ],
    }
    lines = [f"  {len(data)} bytes, uuid {uuid}, xclbinutil {facts['made_by']}"]
    for section in container.sections:
        lines.append(f"  section {section.title}: {len(section.data)} bytes at 0x{section.offset:x}")
    for section in container.sections:
        describe = _SECTIONS.get(section.kind)
        if describe is not None:
            more, text = describe(section.data, name)
            facts |= more
            lines += text
    return InspectReport("XCLBIN", name, facts, lines).with_problem(problem_of(container, name))


def _kernels(data: bytes, name: str) -> tuple[dict[str, Any], list[str]]:
    kernels = read_embedded_metadata(data, name)
    facts = [{**k._asdict(), "arguments": [a._asdict() for a in k.arguments]} for k in kernels]
    lines = [
        f"  kernel {k.name} (0x{k.kernel_id:x}): {', '.join(a.name for a in k.arguments)}" for k in kernels
    ]
    return {"kernels": facts}, lines


def _modules(data: bytes, name: str) -> tuple[dict[str, Any], list[str]]:
    modules = read_emulation_data(data, name)
    return {"modules": [{"sha256": k.hex(), "bytes": len(module)} for k, module in modules.items()]}, []


def _uuid_text(uuid: bytes) -> str:
    """The 16 bytes as XRT prints them."""
    digits = uuid.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _partition(data: bytes, name: str) -> tuple[dict[str, Any], list[str]]:
    partition = read_aie_partition(data, name)
    starts = list(partition.start_columns)
    lines = [
        f"  partition: {partition.column_width} columns, may start at column "
        f"{', '.join(map(str, starts)) or 'none'}"
    ]
    pdis = []
    for pdi in partition.pdis:
        commands = read_pdi(pdi.image, name).commands(name)
        cores = _cores(commands)
        ids = [f"0x{i:x}" for i in pdi.kernel_ids]
        pdis.append(
            {
                "uuid": _uuid_text(pdi.uuid),
                "bytes": len(pdi.image),
                "kernel_ids": list(pdi.kernel_ids),
                "commands": [describe_cdo(c).fields for c in commands],
                "cores": cores,
            }
        )
        lines.append(
            f"  PDI {_uuid_text(pdi.uuid)} of kernel {', '.join(ids)}: {len(pdi.image)} bytes, "
            f"{len(commands)} commands"
        )
        lines += _core_lines(cores, "    ")
    facts = {"column_width": partition.column_width, "start_columns": starts, "pdis": pdis}
    return {"partition": facts}, lines


#: By the kind of a section what it adds to facts and lines.
_SECTIONS: dict[int, Callable[[bytes, str], tuple[dict[str, Any], list[str]]]] = {
    xclbin.MEM_TOPOLOGY: lambda data, name: (
        {"memories": [m._asdict() for m in read_mem_topology(data, name)]},
        [],
    ),
    xclbin.IP_LAYOUT: lambda data, name: (
        {"compute_units": [u._asdict() for u in read_ip_layout(data, name)]},
        [],
    ),
    xclbin.EMBEDDED_METADATA: _kernels,
    xclbin.EMULATION_DATA: _modules,
    xclbin.AIE_PARTITION: _partition,
}


def _tried(read: Callable[[], _Read]) -> tuple[_Read | None, str | None]:
    """What a check gives, or else the problem that it finds."""
    try:
        return read(), None
    except Error as error:
        return None, error.message


def _elf(data: bytes, name: str) -> InspectReport:
    found = read_elf(data, name)
    if found.machine == elf.MACHINE and found.type == elf.RELOCATABLE:
        return inspect_objects.object_file(found, name, data)
    if inspect_full_elf.is_instruction_elf(found):
        return inspect_full_elf.instruction_elf(found, name, len(data))
    architecture = elf.architecture_of(found.flags) or ""
    _, problem = _tried(lambda: check_core_elf(found, architecture, name))
    functions, of_functions = _tried(lambda: functions_of(data, name))
    problem = problem or of_functions
    program_bytes = sum(s.memory_bytes for s in found.segments if s.address < DATA_START)
    facts = {
        "bytes": len(data),
        "machine": found.machine,
        "architecture": architecture or None,
        "program_bytes": program_bytes,
        **_elf_parts(found),
        "problem": problem,
    }
    lines = [
        f"  {len(data)} bytes, machine {found.machine}, {architecture or f'flags {found.flags}'}",
        f"  program: {program_bytes} of {PROGRAM_MEMORY_BYTES} bytes",
        *_elf_lines(found),
    ]
    if functions:
        facts["functions"] = [function.to_json() for function in functions]
        lines.append("  functions, with the stack of what they call:")
        lines += [f"    {function.line()}" for function in functions]
    if made_by(found):
        facts["made_by"] = made_by(found)
        lines.append(f"  made by {made_by(found)}")
    kind = "core ELF" if found.machine == elf.MACHINE else "ELF"
    return InspectReport(kind, name, facts, lines).with_problem(problem)


def _elf_parts(found: elf.Elf) -> dict[str, Any]:
    return {
        "segments": [
            {"address": s.address, "bytes": len(s.data), "memory_bytes": s.memory_bytes}
            for s in found.segments
        ],
        "sections": [
            {"name": s.name, "address": s.address, "bytes": s.size_bytes} for s in found.sections if s.name
        ],
        "symbols": [s._asdict() for s in found.symbols],
    }


def _elf_lines(found: elf.Elf) -> list[str]:
    data = [s for s in found.segments if s.address >= DATA_START]
    return [
        *(f"  data: 0x{s.address:x}, {len(s.data)} bytes, {s.memory_bytes} in memory" for s in data),
        *(f"  section {s.name}: {s.size_bytes} bytes at 0x{s.address:x}" for s in found.sections if s.name),
        *(f"  symbol {s.name} = 0x{s.value:x}" for s in found.symbols),
    ]


def _wasm(data: bytes, name: str) -> InspectReport:
    module = read_wasm(data, name)
    if module.custom_section("linking") is not None:
        return inspect_objects.wasm_object(data, module, name)
    facts: dict[str, Any] = {
        "bytes": len(data),
        "imports": [i._asdict() for i in module.imports],
        "exports": [e._asdict() for e in module.exports],
        "data": [{"address": s.address, "bytes": len(s.data)} for s in module.segments],
    }
    lines = [f"  {len(data)} bytes"]
    if module.imports:
        lines.append("  imports " + ", ".join(f"{i.module}.{i.name}" for i in module.imports))
    lines.append("  exports " + ", ".join(e.name for e in module.exports))
    lines += [f"  data: 0x{s.address:x}, {len(s.data)} bytes" for s in module.segments]
    if module.custom_section(CORE_SECTION) is None:
        return InspectReport("wasm module (no core)", name, facts, lines)
    facts["problem"] = None
    try:
        info = read_core_image(data, "", name).info
    except Error as error:
        return InspectReport("wasm core", name, facts, lines).with_problem(error.message)
    if info is not None:
        facts["core"] = {
            **info._asdict(),
            "waits": [list(w) for w in info.waits],
            "buffers": [list(b) for b in info.buffers],
            "tile_buffers": [list(b) for b in info.tile_buffers],
        }
        lines += _core_info_lines(info)
    return InspectReport("wasm core", name, facts, lines)


def _core_info_lines(info: CoreInfo) -> list[str]:
    """What a core's module says about itself."""
    return [
        f"  core ({info.column}, {info.row}), entry {info.entry}, stack {info.stack_bytes} bytes",
        f"  data ends at 0x{info.data_end:x} of 0x{DATA_END:x}",
        f"  uses the memory of: {', '.join(info.neighbours) or 'itself only'}",
        *(f"  buffer {b.symbol}: 0x{b.address:x}, {b.size_bytes} bytes" for b in info.buffers),
        *(f"  wait {w.point}: lock {w.lock} at {w.file}:{w.line}:{w.column}" for w in info.waits),
    ]


def _words(data: bytes, name: str) -> InspectReport:
    """An instruction stream as a text of hexadecimal words."""
    return _txn(b"".join(int(word, 16).to_bytes(4, "little") for word in data.split()), name)


#: What tells a kind of file, first to last, and what describes it.
_KINDS: tuple[tuple[Callable[[bytes], object], Callable[[bytes, str], InspectReport]], ...] = (
    (lambda data: data[:8] == XCLBIN_MAGIC, _xclbin),
    (lambda data: data[:8] == ARCHIVE_MAGIC, inspect_objects.archive),
    (is_full_elf, inspect_full_elf.full_elf),
    (lambda data: data[:4] == ELF_MAGIC, _elf),
    (lambda data: data[:8] == WASM_MAGIC, _wasm),
    (lambda data: data[:1] == b"{" and b'"design"' in data and b'"xclbin"' in data, _manifest),
    (lambda data: data[:4] == PDI_MAGIC, _pdi),
    (
        lambda data: int.from_bytes(data[4:8], "little") == cdo.MAGIC,
        lambda data, name: _commands("CDO", data, name, [describe_cdo(c) for c in read_cdo(data, name)]),
    ),
    (lambda data: data[:2] == b"\0\1" and len(data) >= 16, _txn),
    (lambda data: data and HEX_LINES.fullmatch(data), _words),
)
