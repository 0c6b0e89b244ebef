"""What planning knows of a design: no IR, only what decides which edges there are."""

from __future__ import annotations

from itertools import count

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DEVICES
from npuninja.errors import Location
from npuninja.formats.xclbin_sections import DEFAULT_INSTANCE_NAME, DEFAULT_KERNEL_ID, DEFAULT_KERNEL_NAME
from npuninja.records import NamedTuple, record

if TYPE_CHECKING:
    from typing import Any


@record(frozen=True)
class LinkedObject:
    """A kernel object that a core is linked with, and where the design says so."""

    name: str
    location: Location


@record(frozen=True)
class Core:
    """A core with a program. `objects` are in linking order, each once."""

    column: int
    row: int
    objects: tuple[LinkedObject, ...]

    @property
    def label(self) -> str:
        """`C_R`, as in the names of its files."""
        return f"{self.column}_{self.row}"


class OwnKernel(NamedTuple):
    """A kernel that a design in Python brings itself: its object, source, folders for `#include`, flags."""

    name: str
    source: str
    include: tuple[str, ...]
    flags: tuple[str, ...]


@record(frozen=True)
class Sequence:
    """A runtime sequence: its name, how many host buffers it takes, and where it is."""

    name: str
    buffers: int
    location: Location


@record(frozen=True)
class Configuration:
    """One `aie.device` of a design: what a PDI is made of.

    Attributes:
        symbol: the name of the operation, `main` when it has none.
        device: the device of `aie.device(…)`.
        location: where it is.
        sequences: in the order of the text; () for one that only others load.
        cores: by column and row.
        place: in the module, from 1: the number by which a stream loads it; 0 for its place among the
            configurations.
        loads: the devices that its sequences load while they run.
    """

    symbol: str
    device: str
    location: Location
    sequences: tuple[Sequence, ...]
    cores: tuple[Core, ...]
    place: int = 0
    loads: tuple[str, ...] = ()

    @property
    def buffers(self) -> int:
        """The most host buffers that one of its sequences takes."""
        return max((sequence.buffers for sequence in self.sequences), default=0)


class KernelName(NamedTuple):
    """What the project calls the kernel of a device; `instance` "" and `number` 0 for aiecc's."""

    device: str
    name: str
    instance: str = ""
    number: int = 0


class Kernel(NamedTuple):
    """A kernel of the design's XCLBIN: its name for host programs, number, configuration and instance."""

    name: str
    number: int
    configuration: Configuration
    instance: str = DEFAULT_INSTANCE_NAME


@record(frozen=True)
class Design:
    """One design, ready to be planned.

    Attributes:
        name: from the file name.
        source: the file the user wrote.
        mlir: the file with the MLIR: the source itself, or what the Python source printed.
        imports: files that a Python source read to make the MLIR; () for an MLIR source.
        configurations: its devices, in the order of the text; at least one has a runtime sequence.
        logical_tiles: whether it leaves the places of tiles to the lowering.
        traces: whether it has `aie.trace`.
        generations: those of the dialect in which its text reads as it is, oldest first.
        days: (from, before), where only releases of the days between two generations read the text; else ().
        generation: of its dialect, as the project says it; `auto` for what the text says.
        alloc_scheme: how its buffers are placed, as the project says it; "" for the default.
        aiecc_flags: of MLIR-AIE's driver, for its lowering: what its source says, then what the project says.
        reference: its NumPy reference, relative to the project; "" when there is none.
        kernels: those that a Python source brings itself.
        kernel_names: what the project calls its XCLBIN's kernels; () for the names that the module gives.
        reconfiguration: whether the configurations are also made as control packets and as sequences.
        full_elf: whether all of it is also made as one ELF.
    """

    name: str
    source: str
    mlir: str
    imports: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    logical_tiles: bool = False
    traces: bool = False
    generations: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    generation: str = "auto"
    alloc_scheme: str = ""
    aiecc_flags: tuple[str, ...] = ()
    reference: str = ""
    kernels: tuple[OwnKernel, ...] = ()
    kernel_names: tuple[KernelName, ...] = ()
    reconfiguration: bool = False
    full_elf: bool = False

    @property
    def widest(self) -> Configuration:
        """The one with the most columns: the XCLBIN's partition takes as many."""
        return max(self.configurations, key=lambda c: DEVICES[c.device].columns)

    @property
    def device(self) -> str:
        """The device of its widest configuration."""
        return self.widest.device

    @property
    def device_location(self) -> Location:
        """Where the device of its widest configuration is."""
        return self.widest.location

    @property
    def has_several(self) -> bool:
        """Whether there is more than one device or runtime sequence."""
        return len(self.configurations) > 1 or len(self.runs) > 1

    @property
    def has_own_names(self) -> bool:
        """Whether its XCLBIN is more than one kernel with one sequence under aiecc's name."""
        return self.has_several or bool(self.kernel_names) or self.configurations[0].place > 1

    @property
    def runs(self) -> tuple[tuple[Configuration, Sequence], ...]:
        """Every runtime sequence with its configuration."""
        return tuple((c, sequence) for c in self.configurations for sequence in c.sequences)

    @property
    def xclbin_kernels(self) -> tuple[Kernel, ...]:
        """Its kernels: the only one has aiecc's name, several those of their devices, as in aiecc's ELFs."""
        several = len(self.configurations) > 1
        said = {name.device: name for name in self.kernel_names}
        called = [c for c in self.configurations if c.sequences or c.symbol in said]
        taken = {name.number for name in self.kernel_names}
        free = (number for number in count(DEFAULT_KERNEL_ID) if number not in taken)
        found = []
        for configuration in called:
            symbol = configuration.symbol
            name = said.get(symbol) or KernelName(symbol, symbol if several else DEFAULT_KERNEL_NAME)
            instance = name.instance or DEFAULT_INSTANCE_NAME
            found.append(Kernel(name.name, name.number or next(free), configuration, instance))
        return tuple(found)


def to_json(design: Design) -> dict[str, Any]:
    """The part of a design that its MLIR text decides, for the scan cache."""
    return {
        "configurations": [
            {
                "symbol": c.symbol,
                "device": c.device,
                "location": list(c.location),
                "place": c.place,
                "loads": list(c.loads),
                "sequences": [[s.name, s.buffers, list(s.location)] for s in c.sequences],
                "cores": [[k.column, k.row, [[o.name, *o.location] for o in k.objects]] for k in c.cores],
            }
            for c in design.configurations
        ],
        "logical_tiles": design.logical_tiles,
        "aiecc_flags": list(design.aiecc_flags),
        "traces": design.traces,
        "generations": list(design.generations),
        "days": list(design.days),
        "kernels": [[k.name, k.source, list(k.include), list(k.flags)] for k in design.kernels],
    }


def from_json(content: dict[str, Any], name: str, source: str, mlir: str, imports: tuple[str, ...]) -> Design:
    """The design of a cache entry. KeyError, TypeError or ValueError when the entry is not one."""
    return Design(
        name=name,
        source=source,
        mlir=mlir,
        imports=imports,
        configurations=tuple(map(_configuration, content["configurations"])),
        logical_tiles=bool(content["logical_tiles"]),
        aiecc_flags=tuple(map(str, content["aiecc_flags"])),
        traces=bool(content["traces"]),
        generations=tuple(content["generations"]),
        days=tuple(content["days"]),
        kernels=tuple(OwnKernel(k[0], k[1], tuple(k[2]), tuple(k[3])) for k in content["kernels"]),
    )


def _configuration(content: dict[str, Any]) -> Configuration:
    return Configuration(
        symbol=content["symbol"],
        device=content["device"],
        location=Location(*content["location"]),
        sequences=tuple(Sequence(name, buffers, Location(*at)) for name, buffers, at in content["sequences"]),
        cores=tuple(
            Core(column, row, tuple(LinkedObject(o[0], Location(*o[1:])) for o in objects))
            for column, row, objects in content["cores"]
        ),
        place=int(content["place"]),
        loads=tuple(map(str, content["loads"])),
    )
