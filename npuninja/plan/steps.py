"""The edges of one design: its stages in the order of the table, each by the provider that was chosen for it.

What a stage reads is what earlier ones have made. A file that none of them made, or a fact that the design
does not have, leaves out the option that takes it.
"""

from __future__ import annotations

from itertools import groupby

from npuninja.plan.context import Context
from npuninja.plan.design import Configuration, Core, Design, LinkedObject, Sequence
from npuninja.plan.design_files import DesignFiles
from npuninja.plan.edges import FactValue, edge_of, provider_of, several
from npuninja.plan.facts import facts_of, facts_of_core, facts_of_device, facts_of_sequence
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.kernel_recipe import KernelObjects, plan_kernel
from npuninja.plan.tool_limits import check_tools
from npuninja.plan.words import tool_words
from npuninja.records import record
from npuninja.stages.declaration import OF_SEQUENCE, Stage
from npuninja.stages.table import STAGES, rule_name


class DesignSteps:
    """Plans the stages of one design.

    Args:
        context: the choices.
        graph: takes the edges.
        design: the design.
        objects: kernel objects that have an edge already, of all designs.
    """

    def __init__(self, context: Context, graph: Graph, design: Design, objects: KernelObjects) -> None:
        self.files = DesignFiles(context, design)
        self.wanted: list[str] = []
        """What `ninja DESIGN` is to make."""
        self.device = design.device
        self._context, self._graph, self._design, self._objects = context, graph, design, objects
        self._known: dict[str, FactValue] = {
            **facts_of(context, design, self.files),
            "design": context.layout.source(design.mlir),
            "reference_source": self.files.reference_source,
        }
        self._devices = [
            _PartOfDesign(c, files=self.files, known=facts_of_device(c, self.files))
            for c in design.configurations
        ]
        self._sequences = [
            _PartOfDesign(c, sequence=s, files=self.files, known=facts_of_sequence(design, c, s, self.files))
            for c, s in design.runs
        ]
        self._cores = [
            _PartOfDesign(
                part.configuration,
                core=core,
                files=self.files,
                outer=part,
                known=facts_of_core(part.configuration, core),
            )
            for part in self._devices
            for core in part.configuration.cores
        ]

    def linker_scripts(self) -> list[str]:
        """The linker script of each core; they are made when they are asked for."""
        return [self.files.core(c, core, "script") for c in self._design.configurations for core in c.cores]

    def plan(self) -> None:
        """Adds every stage that the design needs.

        Raises:
            UserError: nothing makes an object that a core needs, or a chosen tool cannot build such a design.
            ToolError: Peano has no target for the device.
        """
        check_tools(self._context, self._design)
        applying = (row for row in STAGES if row.scope and self._applies(row))
        for scope, group in groupby(applying, key=lambda row: row.scope):
            rows = list(group)
            if scope == "design":
                for row in rows:
                    self._plan_row(row)
            elif scope in ("device", "sequence"):
                for part in self._devices if scope == "device" else self._sequences:
                    for row in rows:
                        self._plan_row(row, part)
            else:
                for part in self._cores:
                    for row in rows:
                        if scope == "kernel":
                            for linked in part.objects_named():
                                self._plan_kernel(part, linked)
                        else:
                            self._plan_row(row, part)

    def add(self, row: Stage) -> Edge:
        """The edge of a stage that is not planned for every design, such as `check`."""
        return self._add(row, None)

    def files_of(self, name: str, sequence: str = "") -> list[str]:
        """A file of the design, by its name in the table of stages, or those of its sequences, or of those
        that `sequence` names: `KERNEL.SEQUENCE`, the end of that, or `KERNEL` for all of its sequences.
        """
        if name not in OF_SEQUENCE:
            return [] if sequence else [self.files[name]]
        named = zip(self.run_names, self.files.all(name))
        return [
            path
            for run, path in named
            if not sequence or f".{run}".endswith(f".{sequence}") or run.startswith(f"{sequence}.")
        ]

    @property
    def run_names(self) -> list[str]:
        """Its runtime sequences, as `KERNEL.SEQUENCE`."""
        called = {kernel.configuration.symbol: kernel.name for kernel in self._design.xclbin_kernels}
        return [f"{called[c.symbol]}.{sequence.name}" for c, sequence in self._design.runs]

    def _applies(self, row: Stage) -> bool:
        providers = self._context.providers
        if row.driver not in ("", providers.driver):
            return False
        choice, equals, name = row.when.partition("=")
        return (
            providers.of(choice).provider.name == name
            if equals
            else not choice or bool(self._known.get(choice))
        )

    def _plan_row(self, row: Stage, part: _PartOfDesign | None = None) -> None:
        edge = self._add(row, part)
        if row.instead_of:
            self._known[row.instead_of] = edge.outputs[0]
        if row.wanted:
            self.wanted += [*edge.outputs, *edge.implicit_outputs]
        if row.choice == "link" and part is not None and part.core is not None:
            image = f"{part.core.column},{part.core.row}={edge.outputs[0]}"
            several = len(self._design.configurations) > 1
            self._append("images", f"{part.configuration.symbol}:{image}" if several else image)
            self._append("core_images", edge.outputs[0])
            if part.outer is not None:
                part.outer.append("images", image)
                part.outer.append("core_images", edge.outputs[0])

    def _add(self, row: Stage, part: _PartOfDesign | None) -> Edge:
        """Adds the edge of a stage, and its files to what is known."""
        owner = f"design {self._design.name}"
        known = self._known
        if part is not None:
            owner, known = part.owner(self._design), {**self._known, **part.known}
        provider = provider_of(row, self._context)
        rule, makes = rule_name(row, provider), provider.makes or row.makes
        core = part.core if part else None
        symbol = part.configuration.symbol if part else self._design.widest.symbol
        words = tool_words(rule, self._context, self._design, symbol, core) or known.get("words", ())
        paths: dict[str, FactValue] = {
            name: part.file(name) if part else self.files.all(name) for name in makes
        }
        edge = edge_of(row, provider, {**known, "words": words}, paths, owner)
        self._graph.add(edge)
        outputs = {*edge.outputs, *edge.implicit_outputs}
        made = {name: path for name, path in paths.items() if outputs.issuperset(several(path))}
        if part is None:
            self._known.update(made)
            for name, path in made.items():
                if name in OF_SEQUENCE:
                    for one, file in zip(self._sequences, several(path)):
                        one.known[name] = file
            return edge
        part.known.update(made)
        if core is None:
            for name, path in made.items():
                for file in several(path):
                    self._append(name, file)
        return edge

    def _plan_kernel(self, part: _PartOfDesign, linked: LinkedObject) -> None:
        """A kernel object of a core."""
        output = plan_kernel(self._context, self._graph, self._design, linked, self._objects)
        part.append("objects", output)
        if output not in self._known.get("objects", ()):
            self._append("objects", output)

    def _append(self, name: str, value: str) -> None:
        self._known[name] = (*self._known.get(name, ()), value)


@record
class _PartOfDesign:
    """What a stage is planned for that is not of the whole design: a device, or a sequence or core of it.

    Attributes:
        known: beyond what is known of the design.
        outer: the device of a core.
    """

    configuration: Configuration
    files: DesignFiles
    known: dict[str, FactValue]
    sequence: Sequence | None = None
    core: Core | None = None
    outer: _PartOfDesign | None = None

    def file(self, name: str) -> str:
        if self.core is not None:
            return self.files.core(self.configuration, self.core, name)
        if self.sequence is not None:
            return self.files.of_sequence(name, self.configuration, self.sequence)
        return self.files.of_device(name, self.configuration)

    def objects_named(self) -> tuple[LinkedObject, ...]:
        return self.core.objects if self.core else ()

    def append(self, name: str, value: str) -> None:
        self.known[name] = (*self.known.get(name, ()), value)

    def owner(self, design: Design) -> str:
        """For messages and comments."""
        of = f"design {design.name}"
        if len(design.configurations) > 1:
            of = f"device @{self.configuration.symbol} of {of}"
        if self.core is not None:
            return f"core ({self.core.column}, {self.core.row}) of {of}"
        if self.sequence is not None and len(self.configuration.sequences) > 1:
            return f"sequence @{self.sequence.name} of {of}"
        return of
