"""What toolchain.toml says about one design."""

from __future__ import annotations

from npuninja.errors import Location
from npuninja.plan.design import KernelName
from npuninja.records import record


@record(frozen=True)
class DesignSettings:
    """One `[design.NAME]`; what it does not say is "" or ().

    Attributes:
        name: of the design.
        location: where the section is.
        source: its file, relative to toolchain.toml.
        source_location: where that is said.
        arguments: the command line of a design in Python.
        folder: where it is run, relative to toolchain.toml; "" for the project.
        module: its name as a module, when it is run as `python -m` would.
        replaced: words of a source in MLIR and the texts that take their place.
        generation: of its dialect.
        alloc_scheme: how its buffers are placed.
        aiecc_flags: of MLIR-AIE's driver, for its lowering.
        reference: its NumPy reference, relative to toolchain.toml.
        devices: those of its devices that are built; () for all.
        kernels: what its XCLBIN calls them; () for the names that follow from the module.
        kernels_location: where that is said.
        reconfiguration: whether the configurations are also made as control packets and as sequences.
        full_elf: whether all of it is also made as one ELF.
    """

    name: str
    location: Location | None = None
    source: str = ""
    source_location: Location | None = None
    arguments: tuple[str, ...] = ()
    folder: str = ""
    module: str = ""
    replaced: tuple[tuple[str, str], ...] = ()
    generation: str = ""
    alloc_scheme: str = ""
    aiecc_flags: tuple[str, ...] = ()
    reference: str = ""
    devices: tuple[str, ...] = ()
    kernels: tuple[KernelName, ...] = ()
    kernels_location: Location | None = None
    reconfiguration: bool = False
    full_elf: bool = False
