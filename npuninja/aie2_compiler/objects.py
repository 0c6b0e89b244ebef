"""A whole file: assembly of RV32 to an AIE2 object.

For each function an object has a symbol with the bytes of stack it takes: `program` adds them up along calls,
and knows by them that an object is made here. Its calling convention is RV32's, not Peano's.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.aie2_compiler.operations import operation
from npuninja.aie2_compiler.riscv import Assembly, DataSection, RiscvFunction, RiscvInstruction, read_assembly
from npuninja.aie2_compiler.scheduling import ScheduledBlock, schedule
from npuninja.aie2_compiler.selection import LabelledBlock, Selected, select
from npuninja.errors import Location
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.object_file import ObjectSymbol, write_object

if TYPE_CHECKING:
    from typing import Iterator

#: In front of a function's name: an absolute symbol whose value is the bytes of stack of one call.
FRAME_SYMBOL = "__npuninja_frame."
UNKNOWN_FRAME = 0xFFFFFFFF
#: In front of the name of a function that no core has room for: its code refers to this undefined symbol, so
#: that only a core that calls it is refused.
TOO_LARGE = "__npuninja_too_large."
#: Five instructions to a bundle of 16 bytes is the best there is: more than that many do not fit 16 KiB.
_MOST_INSTRUCTIONS = 16384 // 16 * 5


def compile_assembly(text: str, source: str) -> bytes:
    """An AIE2 object from what clang wrote for RV32.

    Args:
        text: the assembly.
        source: the user's file, for errors.

    Raises:
        UserError: the source needs what is not supported.
        InternalError: the assembly has what is not known here.
    """
    assembly = read_assembly(text, source)
    return object_of(assembly, [_select(function, assembly.aliases) for function in assembly.functions])


def _select(function: RiscvFunction, aliases: dict[str, str]) -> Selected:
    count = sum(isinstance(item, RiscvInstruction) for item in function.items)
    if count <= _MOST_INSTRUCTIONS:
        return select(function, aliases)
    call = ScheduledBlock([], operation(f"jl {TOO_LARGE}{function.name}"))
    return Selected(function.name, function.is_global, [LabelledBlock((), call)], None)


def object_of(assembly: Assembly, functions: list[Selected]) -> bytes:
    """The object of functions and data."""
    frames = [
        ObjectSymbol(
            FRAME_SYMBOL + f.name,
            "*ABS*",
            UNKNOWN_FRAME if f.frame_bytes is None else f.frame_bytes,
            is_global=False,
        )
        for f in functions
    ]
    made = assemble(assembly_text(assembly, functions), assembly.source)
    return write_object(made.sections, [*made.symbols, *frames], made.relocations, lines=made.lines)


def assembly_text(assembly: Assembly, functions: list[Selected]) -> str:
    """The same file as assembly of AIE2."""
    others: dict[str, list[str]] = {}
    for alias, target in assembly.aliases.items():
        others.setdefault(target, []).append(alias)
    lines: list[str] = []
    files: dict[str, int] = {}
    for function in functions:
        lines += [f".section .text.{function.name}", ".align 16"]
        lines += _labels(function.name, assembly, others, function.is_global)
        lines += [f".type {function.name}, @function"]
        lines += _bundles(function, files)
    for section in assembly.data:
        lines += _data(section, assembly, others)
    return "\n".join(lines) + "\n"


def _labels(name: str, assembly: Assembly, others: dict[str, list[str]], is_global: bool) -> Iterator[str]:
    for label in (name, *others.get(name, ())):
        if is_global if label == name else label in assembly.global_symbols:
            yield f".globl {label}"
        yield f"{label}:"


def _bundles(function: Selected, files: dict[str, int]) -> Iterator[str]:
    shown: Location | None = None
    for placed in function.blocks:
        for label in placed.labels:
            yield f"{label}:"
        for bundle in schedule(placed.block):
            if bundle.place is not None and bundle.place != shown:
                shown = bundle.place
                if shown.file not in files:
                    files[shown.file] = len(files) + 1
                    yield f'.file {files[shown.file]} "{shown.file}"'
                yield f".loc {files[shown.file]} {shown.line} {shown.column}"
            yield "  " + ("; ".join(bundle.texts) or "nop")


def _data(section: DataSection, assembly: Assembly, others: dict[str, list[str]]) -> Iterator[str]:
    # The linker has one place for data that may be written and data that may not.
    zeros = all(
        item.kind in ("label", "align", "space") for item in section.items
    ) and section.name.startswith((".bss", ".sbss"))
    yield f".section {'.bss' if zeros else '.data'}{section.name}"
    for item in section.items:
        if item.kind == "label":
            yield from _labels(item.text, assembly, others, item.text in assembly.global_symbols)
        elif item.kind == "align":
            yield f".align {item.number}"
        elif item.kind == "space":
            yield f".space {item.number}"
        elif item.kind == "word":
            yield f".word {assembly.aliases.get(item.text, item.text)}"
        else:
            data = bytes.fromhex(item.text)
            for at in range(0, len(data), 16):
                yield ".byte " + ", ".join(map(str, data[at : at + 16]))
