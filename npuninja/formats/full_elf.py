"""A full ELF: configurations, instructions and kernels, for `xrt::hw_context(device, elf)` without an XCLBIN.

    .symtab, .strtab    each kernel: a weak function whose C++ name says its arguments, `_Z4mainPcPcPc`; each
                        instance: a weak object whose section field is the number of its kernel's symbol
    .pdi.ID             a configuration, once for each kernel
    .ctrldata.N, .ctrltext.N
                        control packets and instructions of instance N, counted over all kernels
    .dynstr, .dynsym, .rela.dyn, .dynamic
                        what XRT fills in, after the first instance that has such places
    .group.N            the numbers of the sections of instance N; its info field is the instance's symbol
    .note.xrt.configuration
                        the columns that a context has
    .note.xrt.UID       the MD5 of all that is loaded
    .npuninja           ours, only for the emulated array: its cores' modules (formats/emulation_data.py); XRT
                        takes it for a section of an application

XRT fills in addresses: of the sequence's arguments, by their numbers from 0; of a PDI, by its section's name,
in the operation that loads it; of control packets, `control-packet`; of the scratchpad, `scratch-pad-ctrl`.
Kernels are in the order of their C++ names, PDIs and instances in that of their names. Byte for byte what
`aiebu-asm -t aie2_config -j full_elf_config.json` writes (version of XRT 2.25).

Sources: XRT, xrt_elf.cpp (how it is read), elf_patcher.h (the relocations); MLIR-AIE, SidecarFiles.h in
tools/aiecc (the assembler's input); files of aiebu-asm (what lies where). AMD's code that saves and restores
the array, `.preempt_save.N` and `.preempt_restore.N`, is in no public source: a stream with preemption
points is refused.
"""

from __future__ import annotations

import re
import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.formats.control_code_elf import (
    DATA,
    GROUP,
    STRINGS,
    SYMBOL,
    DynamicTables,
    FileSection,
    assemble,
    code_section,
    note_section,
    uid_section,
    with_section,
)
from npuninja.formats.elf import SYMTAB
from npuninja.formats.instruction_elf import pdi_section_name, refuse_shared_places, relocated
from npuninja.formats.txn import (
    DDR_AIE_OFFSET,
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    LoadPdi,
    TxnOperation,
    read_txn,
    write_txn,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Iterable, Sequence

FULL_ABI_VERSION = 0x21
CONFIGURATION_NOTE, CONFIGURATION_KIND = ".note.xrt.configuration", 6
WEAK_FUNCTION, WEAK_OBJECT = 0x22, 0x21
GROUP_FLAG = 1
#: aiecc says at least so many arguments of a kernel.
LEAST_ARGUMENTS = 3
#: The section of emulated cores' modules, and its type, which XRT leaves to applications (SHT_LOUSER + 1).
EMULATION_SECTION, CUSTOM_SECTION = ".npuninja", 0x80000001
_NAME = re.compile(r"[A-Za-z_$.][^\0():]*\Z")


class FullInstance(NamedTuple):
    """A runtime sequence: name, instructions, control packets, and the argument that they are, if any."""

    name: str
    stream: bytes
    control_packets: bytes = b""
    control_argument: int = -1


class FullKernel(NamedTuple):
    """A device with sequences: its name, how many arguments they have at most, PDIs to load by number."""

    name: str
    arguments: int
    pdis: tuple[tuple[int, bytes], ...]
    instances: tuple[FullInstance, ...]


def mangled(name: str, arguments: int) -> str:
    """The C++ name of a kernel whose arguments are all `char *`."""
    return f"_Z{len(name.encode())}{name}{'Pc' * arguments}"


def without_late_offsets(stream: bytes, name: str = "insts.bin") -> bytes:
    """A stream as a full ELF has it: nothing is added to the addresses of later arguments, which XRT fills in
    here like all others.

    Raises:
        UserError: the stream is damaged.
    """
    transaction = read_txn(stream, name)
    return write_txn(transaction._replace(operations=tuple(_plain(op) for op in transaction.operations)))


def _plain(operation: TxnOperation) -> TxnOperation:
    if not isinstance(operation, AddressPatch) or operation.argument < TRANSLATED_ARGUMENTS:
        return operation
    if operation.offset_bytes < DDR_AIE_OFFSET:
        return operation
    return operation._replace(offset_bytes=operation.offset_bytes - DDR_AIE_OFFSET)


def write_full_elf(kernels: Sequence[FullKernel]) -> bytes:
    """The file with these kernels.

    Raises:
        UserError: a stream is damaged, has preemption points, loads a PDI that is not there, or patches what
            XRT cannot; names that XRT cannot take or tell apart; streams for arrays of different width.
    """
    check_kernels(kernels)
    sections = [FileSection(".strtab", STRINGS, b""), FileSection(".symtab", SYMTAB, b"")]
    names, symbols = b"\0", [SYMBOL.pack(0, 0, 0, 0, 0, 0)]
    tables, place, number = DynamicTables(), -1, 0
    for kernel in sorted(kernels, key=lambda kernel: mangled(kernel.name, kernel.arguments)):
        function = len(symbols)
        symbols.append(SYMBOL.pack(len(names), 0, 0, WEAK_FUNCTION, 0, 0))
        names += mangled(kernel.name, kernel.arguments).encode() + b"\0"
        for section_name, pdi in sorted((pdi_section_name(pdi_id), pdi) for pdi_id, pdi in kernel.pdis):
            sections.append(code_section(section_name, pdi))
        for instance in sorted(kernel.instances, key=lambda instance: instance.name):
            label = f"{kernel.name}:{instance.name}"
            text, relocations = relocated(instance.stream, label, 0, instance.control_argument)
            refuse_shared_places(relocations, label)
            members = []
            if instance.control_packets:
                sections.append(code_section(f".ctrldata.{number}", instance.control_packets, DATA))
                members.append(len(sections) + 1)
            sections.append(code_section(f".ctrltext.{number}", text))
            members.append(len(sections) + 1)
            tables.add(members[-1], relocations)
            if relocations and place < 0:
                place = len(sections)
                sections += tables.sections(place + 2)
            content = struct.pack(f"<{1 + len(members)}I", GROUP_FLAG, *members)
            sections.append(
                FileSection(
                    f".group.{number}", GROUP, content, link=3, info=len(symbols), alignment=16, entry_bytes=4
                )
            )
            symbols.append(SYMBOL.pack(len(names), 0, 0, WEAK_OBJECT, 0, function))
            names += instance.name.encode() + b"\0"
            number += 1
    if place >= 0:
        sections[place : place + 4] = tables.sections(place + 2)
    sections[0] = FileSection(".strtab", STRINGS, names)
    sections[1] = FileSection(
        ".symtab", SYMTAB, b"".join(symbols), link=2, info=1, alignment=4, entry_bytes=SYMBOL.size
    )
    columns = read_txn(kernels[0].instances[0].stream).columns
    sections.append(note_section(CONFIGURATION_NOTE, CONFIGURATION_KIND, struct.pack("<I", columns)))
    return assemble([*sections, uid_section(sections)], FULL_ABI_VERSION)


def with_emulation_data(elf: bytes, data: bytes) -> bytes:
    """A full ELF with the modules of emulated cores (`npuninja.formats.emulation_data`)."""
    return with_section(elf, EMULATION_SECTION, CUSTOM_SECTION, data)


def check_kernels(kernels: Sequence[FullKernel]) -> None:
    """Raises UserError when a full ELF, or XRT with it, cannot have these kernels."""
    if not kernels or not all(kernel.instances for kernel in kernels):
        raise UserError("a full ELF needs kernels, and each of them a runtime sequence")
    _check_names(kernels)
    widths: dict[int, str] = {}
    images: dict[int, bytes] = {}
    for kernel in kernels:
        for number, image in kernel.pdis:
            # XRT has one PDI of a number in a file, whichever kernel it is said with.
            if images.setdefault(number, image) != image:
                raise UserError(f"two different PDIs have the number {number}")
        for instance in kernel.instances:
            label = f"{kernel.name}:{instance.name}"
            transaction = read_txn(instance.stream, label)
            widths.setdefault(transaction.columns, label)
            for operation in transaction.operations:
                if isinstance(operation, LoadPdi) and operation.pdi_id not in dict(kernel.pdis):
                    known = ", ".join(str(pdi_id) for pdi_id, _ in kernel.pdis) or "none"
                    raise UserError(f"{label} loads PDI {operation.pdi_id}, and the kernel has {known}")
    if len(widths) > 1:
        (one, first), (other, second) = list(widths.items())[:2]
        raise UserError(
            f"{first} is for {one} columns and {second} for {other}, "
            "and a full ELF is for contexts of one width",
            hint="give the devices the same width, or build one full ELF for each",
        )


def _check_names(kernels: Iterable[FullKernel]) -> None:
    said: dict[str, str] = {}
    for kernel in kernels:
        for instance in kernel.instances:
            label = f"{kernel.name}:{instance.name}"
            for name in (kernel.name, instance.name):
                if not _NAME.match(name):
                    raise UserError(
                        f"XRT cannot take '{name}' as the name of a kernel or of a sequence in a full ELF",
                        hint="begin it with a letter, without ':', '(' and ')'",
                    )
            # XRT looks for the two names written one after the other.
            twin = said.setdefault(kernel.name + instance.name, label)
            if twin != label:
                raise UserError(f"XRT cannot tell {twin} and {label} of a full ELF apart")
    names = [kernel.name for kernel in kernels]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"a full ELF has two kernels called {name}")
