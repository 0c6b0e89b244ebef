"""Reads a full ELF (layout: `full_elf`), of npuninja or of other tools.

Relocations and instructions must say the same: XRT goes by the former, the emulated array by the latter.
"""

from __future__ import annotations

import re
import struct

from npuninja.errors import UserError
from npuninja.file_kinds import ELF_MAGIC
from npuninja.formats.byte_reader import ByteReader
from npuninja.formats.control_code_elf import (
    CONTROL_PACKETS,
    GROUP,
    OS_ABI,
    RELOCATION,
    SECTION,
    SYMBOL,
    UID_NOTE,
    FilledPlace,
)
from npuninja.formats.elf import NOBITS, Elf, ElfSection, read_elf
from npuninja.formats.full_elf import CONFIGURATION_NOTE, EMULATION_SECTION, FullInstance, FullKernel
from npuninja.formats.instruction_elf import patches_of, refuse_shared_places, relocated
from npuninja.records import NamedTuple

_OBJECT, _FUNCTION = 1, 2
_MANGLED = re.compile(rb"_Z([0-9]{1,4})")
_POINTER = b"Pc"
_PDI = re.compile(r"\.pdi\.(\d{1,5})\Z")
_NOTE = struct.Struct("<3I4s")
_TEXT, _PACKETS, _SAVED = ".ctrltext", ".ctrldata", ".preempt_"
#: Sections that a file may have; a kernel with a PDI needs four.
MAX_SECTIONS = 4096
_NAME_BYTES = 1024
_VERSIONS = (1, 2)  # major version of the ABI of files with groups


class FullElf(NamedTuple):
    """What a full ELF holds: columns of its contexts, its name (16 bytes), its kernels, all PDIs by number.

    `emulation_data`: the modules of emulated cores, empty in a file for NPUs.
    """

    columns: int
    uid: bytes
    kernels: tuple[FullKernel, ...]
    pdis: dict[int, bytes]
    emulation_data: bytes = b""


def is_full_elf(data: bytes) -> bool:
    """Whether these bytes, from the beginning of a file on, are those of control code with groups."""
    return data[:4] == ELF_MAGIC and len(data) > 8 and data[7] == OS_ABI and data[8] >> 4 in _VERSIONS


def read_full_elf(data: bytes, name: str) -> FullElf:
    """Reads a file.

    Args:
        data: its bytes.
        name: of the file, for messages.

    Raises:
        UserError: it is no full ELF, is damaged, contradicts itself, or has preemption points.
    """
    reader = ByteReader(data, name)
    if not is_full_elf(reader.data):
        raise reader.error(
            "not a full ELF: expected an ELF of control code with groups (OS ABI 0x45, "
            "version 0x10 or later)",
            "one of instructions alone goes with an XCLBIN; aiecc makes a full one with --get-full-elf",
        )
    _check_sizes(reader)
    return _FullElfReading(reader, read_elf(reader.data, name)).file()


def _check_sizes(reader: ByteReader) -> None:
    """A small file must not be unfolded into a large one by sections that lie on each other."""
    table, count = reader.u32(32, "the ELF header"), reader.u16(48, "the ELF header")
    if count > MAX_SECTIONS:
        raise reader.error(f"the ELF has {count} sections, at most {MAX_SECTIONS} are read")
    total = 0
    for number in range(count):
        words = reader.words(table + number * SECTION.size, 10, "an ELF section header")
        total += 0 if words[1] in (0, NOBITS) else words[5]
    if total > len(reader):
        raise reader.error(f"damaged ELF: its sections have {total} bytes, the file has {len(reader)}")


class _FullElfReading:
    def __init__(self, reader: ByteReader, elf: Elf) -> None:
        self._reader = reader
        self._elf = elf
        self._first = {section.name: section for section in reversed(elf.sections)}

    def file(self) -> FullElf:
        pdis = self._pdis()
        relocations = self._relocations()
        found: dict[int, tuple[str, int, list[FullInstance]]] = {}
        for group in self._elf.sections:
            if group.type == GROUP:
                function, kernel, arguments, instance = self._names(group)
                entry = found.setdefault(function, (kernel, arguments, []))
                label = f"{self._reader.name}, {kernel}:{instance}"
                entry[2].append(self._instance(group, label, instance, relocations))
        if not found:
            raise self._error("has no kernel")
        if relocations:
            raise self._error(f"has relocations of section {min(relocations)}, which is in no group")
        kernels = tuple(
            FullKernel(kernel, arguments, tuple(pdis.items()), tuple(instances))
            for kernel, arguments, instances in found.values()
        )
        names = [kernel.name for kernel in kernels]
        if len(set(names)) < len(names):
            raise self._error("has two kernels of one name")
        (columns,) = struct.unpack("<I", self._note(CONFIGURATION_NOTE, 4))
        modules = self._first[EMULATION_SECTION].data if EMULATION_SECTION in self._first else b""
        return FullElf(columns, self._note(UID_NOTE, 16), kernels, pdis, modules)

    def _error(self, what: str) -> UserError:
        return self._reader.error(f"damaged ELF: it {what}", "build it again")

    def _section(self, name: str) -> ElfSection:
        if name not in self._first:
            raise self._error(f"has no section {name}")
        return self._first[name]

    def _pdis(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for section in self._elf.sections:
            match = _PDI.match(section.name)
            if match and found.setdefault(int(match[1]), section.data) != section.data:
                # XRT puts sections of one name behind each other.
                raise self._error(f"has two different PDIs with the number {match[1]}")
        return found

    def _note(self, name: str, length: int) -> bytes:
        data = self._section(name).data
        if len(data) < _NOTE.size + length or _NOTE.unpack_from(data)[1] != length:
            raise self._error(f"has no note of {length} bytes in {name}")
        return data[_NOTE.size : _NOTE.size + length]

    def _symbol(self, number: int) -> tuple[bytes, int, int]:
        """Name, type and section field of a symbol of kernels and instances."""
        table = self._section(".symtab")
        if (number + 1) * SYMBOL.size > len(table.data) or table.link >= len(self._elf.sections):
            raise self._error(f"has no symbol {number}")
        place, _, _, kind, _, section = SYMBOL.unpack_from(table.data, number * SYMBOL.size)
        return self._name(self._elf.sections[table.link].data, place), kind & 15, section

    def _name(self, names: bytes, place: int) -> bytes:
        end = names.find(b"\0", place, place + _NAME_BYTES)
        if end < 0:
            raise self._error(f"has no name of at most {_NAME_BYTES} bytes at {place}")
        return names[place:end]

    def _names(self, group: ElfSection) -> tuple[int, str, int, str]:
        """The number of the kernel's symbol, its name, how many arguments it has, the instance's name."""
        instance, kind, function = self._symbol(group.info)
        kernel, kernel_kind, _ = self._symbol(function)
        if kind != _OBJECT or kernel_kind != _FUNCTION:
            raise self._error(f"has the group {group.name} that is of no kernel")
        match = _MANGLED.match(kernel)
        end = match.end() + int(match[1]) if match else 0
        title, arguments = (kernel[match.end() : end], kernel[end:]) if match else (b"", b"")
        if not title or end > len(kernel) or arguments != _POINTER * (len(arguments) // 2):
            raise self._error(f"has the kernel {kernel!r}, expected a C++ name with arguments char *")
        return function, self._text(title), len(arguments) // 2, self._text(instance)

    def _text(self, name: bytes) -> str:
        try:
            return name.decode()
        except UnicodeDecodeError as error:
            raise self._error(f"has a name that is no text: {name!r}") from error

    def _instance(
        self, group: ElfSection, label: str, name: str, relocations: dict[int, list[FilledPlace]]
    ) -> FullInstance:
        members = [word for (word,) in struct.iter_unpack("<I", group.data[: len(group.data) // 4 * 4])][1:]
        texts, packets = list[int](), list[int]()
        for number in members:
            if not 0 < number < len(self._elf.sections):
                raise self._error(f"has section {number} in the group of {label}, and no such section")
            title = self._elf.sections[number].name
            if title.startswith(_SAVED):
                raise self._reader.error(
                    f"{label} has preemption points with code that saves and restores the array ({title}), "
                    "which is not emulated",
                    "build it without preemption points",
                )
            for numbers, start in ((texts, _TEXT), (packets, _PACKETS)):
                if title.startswith(start):
                    numbers.append(number)
        if len(texts) != 1 or len(packets) > 1:
            raise self._error(
                f"has {len(texts)} sections of instructions and {len(packets)} of control packets for "
                f"{label}, expected one of the first and at most one of the other"
            )
        said = relocations.pop(texts[0], [])
        stream = self._elf.sections[texts[0]].data
        control = self._control_argument(stream, said, label)
        text, meant = relocated(stream, label, 0, control)
        refuse_shared_places(meant, label)
        if meant != said or text != stream:
            raise self._error(f"has relocations of {label} that are not those of its instructions")
        data = self._elf.sections[packets[0]].data if packets else b""
        if control >= 0 and not data:
            raise self._error(f"has no control packets for {label}, whose instructions send some")
        return FullInstance(name, stream, data, control)

    def _control_argument(self, stream: bytes, said: list[FilledPlace], label: str) -> int:
        places = {relocation.offset for relocation in said if relocation.symbol == CONTROL_PACKETS}
        arguments = {patch.argument for patch in patches_of(stream, label) if patch.offset in places}
        if len(arguments) > 1:
            raise self._error(f"has control packets for several arguments of {label}")
        return min(arguments, default=-1)

    def _relocations(self) -> dict[int, list[FilledPlace]]:
        """Those of each section, by its number."""
        found: dict[int, list[FilledPlace]] = {}
        if ".rela.dyn" not in self._first:
            return found
        table = self._first[".rela.dyn"]
        symbols, names = self._section(".dynsym").data, self._section(".dynstr").data
        if len(table.data) % RELOCATION.size:
            raise self._error("has a cut-off table of relocations")
        for offset, info, addend in RELOCATION.iter_unpack(table.data):
            number = info >> 8
            if (number + 1) * SYMBOL.size > len(symbols):
                raise self._error(f"has a relocation of symbol {number}, which is not there")
            place, _, length, _, _, section = SYMBOL.unpack_from(symbols, number * SYMBOL.size)
            symbol = self._text(self._name(names, place))
            found.setdefault(section, []).append(
                FilledPlace(offset, symbol, info & 0xFF, length, addend & 0xFFFFFFFF)
            )
        return found
