"""Where the files of a design, of its cores and of its kernels are in the build folder."""

from __future__ import annotations

from npuninja.plan.context import Context
from npuninja.plan.design import Core, Design
from npuninja.stages.declaration import FILES


class DesignFiles:
    """The files of one design by their names in the table of stages."""

    def __init__(self, context: Context, design: Design) -> None:
        self._context = context
        self._design = design
        self.folder = context.layout.output(design.device, context.kind_of(design), design.name)

    def __getitem__(self, name: str) -> str:
        """A file of the design."""
        return self._path(name, "C_R")

    def core(self, core: Core, name: str) -> str:
        """A file of one core, or of the design."""
        return self._path(name, core.label)

    @property
    def reference_source(self) -> str:
        """The reference that results are compared with, as the user wrote it; "" when there is none."""
        return self._context.layout.source(self._design.reference) if self._design.reference else ""

    @property
    def vectors(self) -> tuple[str, str]:
        """What the reference says: all inputs, all outputs."""
        return self["vectors_in"], self["vectors_out"]

    def _path(self, name: str, core: str) -> str:
        pattern = FILES.get(name, name)
        return f"{self.folder}/{pattern.replace('NAME', self._design.name).replace('C_R', core)}"
