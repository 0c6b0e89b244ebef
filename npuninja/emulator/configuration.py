"""From an XCLBIN to register writes: which PDI, which core modules, which commands."""

from __future__ import annotations

from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.arch.families import Rows
from npuninja.arch.registers import PROGRAM_MEMORY, split_address
from npuninja.emulator import layout
from npuninja.errors import UserError
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.cdo import BlockWrite, Command
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import AIE_PARTITION, EMULATION_DATA, IP_LAYOUT, read_xclbin
from npuninja.formats.xclbin_sections import read_ip_layout
from npuninja.records import NamedTuple

#: A context has at most 128 compute units (XRT), each with a PDI of its own; a PDI holds data and programs of
#: 40 tiles at most. They may lie upon each other in the file, so their sum says what they take.
MAX_PDIS = 128
MAX_PDI_BYTES = 256 << 20


class LoadedDesign(NamedTuple):
    """What an XCLBIN configures: columns of the array, the commands of each PDI, core modules by sha256, the
    place of each kernel's PDI, and each PDI's number.
    """

    columns: int
    pdis: tuple[tuple[Command, ...], ...]
    modules: dict[bytes, bytes]
    kernels: dict[str, int]
    numbers: tuple[int, ...]

    @property
    def loadable(self) -> dict[int, tuple[Command, ...]]:
        """The PDIs by the numbers with which a stream loads them; {} when several have one number, as in
        XCLBINs that aiecc put together of several designs.
        """
        if len(self.pdis) == 1:
            return {0: self.pdis[0], self.numbers[0]: self.pdis[0]}
        return dict(zip(self.numbers, self.pdis)) if len(set(self.numbers)) == len(self.numbers) else {}

    def first_pdi(self, kernel: str | None) -> tuple[Command, ...]:
        """The commands of a kernel's PDI, by default those of the first one. Raises UserError."""
        if kernel is None:
            return self.pdis[0]
        if kernel not in self.kernels:
            known = ", ".join(self.kernels) or "none"
            raise UserError(f"the XCLBIN has no kernel '{kernel}'", hint=f"kernels in it: {known}")
        return self.pdis[self.kernels[kernel]]


def read_design(xclbin: bytes, name: str = "xclbin") -> LoadedDesign:
    """Reads an XCLBIN. Raises UserError when it is damaged or holds no NPU design."""
    container = read_xclbin(xclbin, name)
    section = container.section(AIE_PARTITION)
    if section is None:
        raise UserError(f"{name} has no section AIE_PARTITION", hint="it is no XCLBIN of an NPU design")
    partition = read_aie_partition(section.data, name)
    if not 1 <= partition.column_width <= layout.MOST_COLUMNS:
        raise UserError(
            f"{name} is for {partition.column_width} columns, expected 1 to {layout.MOST_COLUMNS}"
        )
    if not partition.pdis:
        raise UserError(f"{name} holds no PDI", hint="build it again")
    if len(partition.pdis) > MAX_PDIS or sum(len(pdi.image) for pdi in partition.pdis) > MAX_PDI_BYTES:
        raise UserError(
            f"{name} holds {len(partition.pdis)} PDIs of {sum(len(p.image) for p in partition.pdis)} bytes; "
            f"at most {MAX_PDIS} of {MAX_PDI_BYTES} bytes together are loaded"
        )
    pdis = tuple(
        tuple(read_pdi(pdi.image, f"PDI of {name}").commands(f"PDI of {name}")) for pdi in partition.pdis
    )
    data = container.section(EMULATION_DATA)
    modules = read_emulation_data(data.data, name) if data is not None else {}
    section = container.section(IP_LAYOUT)
    units = read_ip_layout(section.data, name) if section is not None else ()
    kernels = {
        unit.name.split(":")[0]: number
        for unit in units
        for number, pdi in enumerate(partition.pdis)
        if unit.kernel_id in pdi.kernel_ids
    }
    numbers = tuple(pdi.pdi_id for pdi in partition.pdis)
    return LoadedDesign(partition.column_width, pdis, modules, kernels, numbers)


def loaded_cores(commands: tuple[Command, ...], rows: Rows) -> set[int]:
    """The tiles whose program memory the commands write."""
    found = set()
    for command in commands:
        if isinstance(command, BlockWrite):
            column, row, offset = split_address(command.address)
            if rows.kind(row) == "core" and PROGRAM_MEMORY <= offset < PROGRAM_MEMORY + PROGRAM_MEMORY_BYTES:
                found.add(layout.tile_number(column, row))
    return found
