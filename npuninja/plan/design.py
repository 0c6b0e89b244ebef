"""What planning knows of a design: no IR, only what decides which edges there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from npuninja.errors import Location


@dataclass(frozen=True)
class LinkedObject:
    """A kernel object that a core is linked with, and where the design says so."""

    name: str
    location: Location


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Design:
    """One design, ready to be planned.

    Attributes:
        name: from the file name.
        source: the file the user wrote.
        mlir: the file with the MLIR: the source itself, or what the Python source printed.
        imports: files that a Python source read to make the MLIR; () for an MLIR source.
        device: the device of `aie.device(…)`.
        device_location: where it stands.
        device_symbol: the name of the device operation, `main` when it has none.
        sequence: the name of the runtime sequence.
        cores: by column and row.
        buffers: how many host buffers the sequence takes.
        logical_tiles: whether it leaves the places of tiles to the lowering.
        generation: of its dialect, as the project says it; `auto` for what the text says.
        alloc_scheme: how its buffers are placed, as the project says it; "" for the default.
        reference: its NumPy reference, relative to the project; "" when there is none.
        kernels: those that a Python source brings itself.
    """

    name: str
    source: str
    mlir: str
    imports: tuple[str, ...]
    device: str
    device_location: Location
    device_symbol: str
    sequence: str
    cores: tuple[Core, ...]
    buffers: int = 0
    logical_tiles: bool = False
    generation: str = "auto"
    alloc_scheme: str = ""
    reference: str = ""
    kernels: tuple[OwnKernel, ...] = ()


def to_json(design: Design) -> dict[str, Any]:
    """The part of a design that its MLIR text decides, for the scan cache."""
    return {
        "device": design.device,
        "device_location": list(design.device_location),
        "device_symbol": design.device_symbol,
        "sequence": design.sequence,
        "buffers": design.buffers,
        "logical_tiles": design.logical_tiles,
        "kernels": [[k.name, k.source, list(k.include), list(k.flags)] for k in design.kernels],
        "cores": [[c.column, c.row, [[o.name, *o.location] for o in c.objects]] for c in design.cores],
    }


def from_json(content: dict[str, Any], name: str, source: str, mlir: str, imports: tuple[str, ...]) -> Design:
    """The design of a cache entry. KeyError, TypeError or ValueError when the entry is not one."""
    return Design(
        name=name,
        source=source,
        mlir=mlir,
        imports=imports,
        device=content["device"],
        device_location=Location(*content["device_location"]),
        device_symbol=content["device_symbol"],
        sequence=content["sequence"],
        cores=tuple(
            Core(column, row, tuple(LinkedObject(o[0], Location(*o[1:])) for o in objects))
            for column, row, objects in content["cores"]
        ),
        buffers=int(content["buffers"]),
        logical_tiles=bool(content["logical_tiles"]),
        kernels=tuple(OwnKernel(k[0], k[1], tuple(k[2]), tuple(k[3])) for k in content["kernels"]),
    )
