"""Where the files of a design, of its devices, sequences and cores are in the build folder."""

from __future__ import annotations

import os

from npuninja.plan.context import Context
from npuninja.plan.design import Configuration, Core, Design, Sequence
from npuninja.stages.declaration import FILES, OF_DEVICE, OF_SEQUENCE


class DesignFiles:
    """The files of one design by their names in the table of stages.

    With several devices, `DEVICE.` comes before what belongs to one of them; with several runtime
    sequences of a device, `.SEQUENCE` comes before the ending, as `npuninja lower` names them.
    """

    def __init__(self, context: Context, design: Design) -> None:
        self._context = context
        self._design = design
        self.folder = context.layout.output(design.device, context.kind_of(design), design.name)

    def __getitem__(self, name: str) -> str:
        """A file of the design; of its first device or sequence where each has one."""
        return self.all(name)[0]

    def all(self, name: str) -> tuple[str, ...]:
        """A file of the design, or that of each device or sequence."""
        if name in OF_SEQUENCE:
            return tuple(self.of_sequence(name, c, sequence) for c, sequence in self._design.runs)
        if name in OF_DEVICE:
            return tuple(self.of_device(name, c) for c in self._design.configurations)
        return (self._path(FILES.get(name, name)),)

    def of_sequence(self, name: str, configuration: Configuration, sequence: Sequence) -> str:
        """A file of one runtime sequence."""
        pattern = FILES.get(name, name)
        if len(configuration.sequences) > 1:
            stem, ending = os.path.splitext(pattern)
            pattern = f"{stem}.{sequence.name}{ending}"
        return self._path(pattern, configuration)

    def of_device(self, name: str, configuration: Configuration) -> str:
        """A file of one device."""
        return self._path(FILES.get(name, name), configuration)

    def core(self, configuration: Configuration, core: Core, name: str) -> str:
        """A file of one core."""
        return self._path(FILES.get(name, name).replace("C_R", core.label), configuration)

    @property
    def reference_source(self) -> str:
        """The reference that results are compared with, as the user wrote it; "" when there is none."""
        return self._context.layout.source(self._design.reference) if self._design.reference else ""

    @property
    def vectors(self) -> tuple[tuple[str, str], ...]:
        """What the reference says: all inputs and all outputs of each sequence."""
        return tuple(zip(self.all("vectors_in"), self.all("vectors_out")))

    def _path(self, pattern: str, configuration: Configuration | None = None) -> str:
        if configuration is not None and len(self._design.configurations) > 1:
            named = pattern.replace("NAME", configuration.symbol)
            pattern = named if named != pattern else f"{configuration.symbol}.{pattern}"
        return f"{self.folder}/{pattern.replace('NAME', self._design.name)}"
