"""The edges of one design: its stages in the order of the table, each by the provider that was chosen for it.

What a stage reads is what earlier ones have made; a file that none of them made, or a fact that the design does not
have, leaves out the option that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from npuninja.arch.devices import DEVICES
from npuninja.errors import ToolError, UserError
from npuninja.formats.xclbin_sections import LEAST_BUFFERS
from npuninja.plan.context import Context
from npuninja.plan.design import Core, Design, LinkedObject
from npuninja.plan.design_files import DesignFiles
from npuninja.plan.edges import Value, edge_of, provider_of
from npuninja.plan.facts import facts_of
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.kernel_recipe import KernelObjects, plan_kernel
from npuninja.plan.words import tool_words
from npuninja.stages.declaration import Stage
from npuninja.stages.table import STAGES, rule_name, stage


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
        self._known: dict[str, Value] = {
            **facts_of(context, design, self.files),
            "design": context.layout.source(design.mlir),
            "reference_source": self.files.reference_source,
        }
        self._cores: dict[Core, dict[str, Value]] = {
            core: {"core": f"{core.column},{core.row}", "objects": ()} for core in design.cores
        }

    def plan(self) -> None:
        """Adds every stage that the design needs.

        Raises:
            UserError: nothing makes an object that a core is linked with.
            ToolError: Peano has no target for the device.
        """
        _check_buffers(self._context, self._design)
        if self._context.providers.for_npu:
            _check_target(self._context, self._design)
        applying = (row for row in STAGES if row.scope and self._applies(row))
        for scope, group in groupby(applying, key=lambda row: row.scope):
            rows = list(group)
            if scope == "design":
                for row in rows:
                    self._plan_row(row)
                continue
            for core in self._design.cores:
                for row in rows:
                    if scope == "kernel":
                        for linked in core.objects:
                            self._plan_kernel(core, linked)
                    else:
                        self._plan_row(row, core)

    def add(self, row: Stage, whom: str) -> Edge:
        """The edge of a stage that is not planned for every design, such as `check`."""
        return self._add(row, self._known, whom, None)

    def file(self, name: str) -> str:
        """A file of the design, by its name in the table of stages; the edge that makes it is added where none
        is planned for every design.
        """
        if name == "insts_elf" and name not in self._known:
            self._known[name] = self.add(stage(name), f"design {self._design.name}").outputs[0]
        return self.files[name]

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

    def _plan_row(self, row: Stage, core: Core | None = None) -> None:
        whom, known = f"design {self._design.name}", self._known
        if core is not None:
            whom, known = f"core ({core.column}, {core.row}) of {whom}", {**self._known, **self._cores[core]}
        edge = self._add(row, known, whom, core)
        if row.instead_of:
            self._known[row.instead_of] = edge.outputs[0]
        if row.wanted:
            self.wanted += [*edge.outputs, *edge.implicit_outputs]
        if row.choice == "link" and core is not None:
            self._append("images", f"{core.column},{core.row}={edge.outputs[0]}")
            self._append("core_images", edge.outputs[0])

    def _add(self, row: Stage, known: Mapping[str, Value], whom: str, core: Core | None) -> Edge:
        """Adds the edge of a stage, and its files to what is known."""
        provider = provider_of(row, self._context)
        rule, makes = rule_name(row, provider), provider.makes or row.makes
        words = tool_words(rule, self._context, self._design, core) or known.get("words", ())
        paths = {name: self.files.core(core, name) if core else self.files[name] for name in makes}
        edge = edge_of(row, provider, {**known, "words": words}, paths, whom)
        self._graph.add(edge)
        made = {name: path for name, path in paths.items() if path in (*edge.outputs, *edge.implicit_outputs)}
        (self._known if core is None else self._cores[core]).update(made)
        return edge

    def _plan_kernel(self, core: Core, linked: LinkedObject) -> None:
        """A kernel object of a core."""
        output = plan_kernel(self._context, self._graph, self._design, linked, self._objects)
        self._cores[core]["objects"] = (*self._cores[core]["objects"], output)
        if output not in self._known.get("objects", ()):
            self._append("objects", output)

    def _append(self, name: str, value: str) -> None:
        self._known[name] = (*self._known.get(name, ()), value)


def _check_buffers(context: Context, design: Design) -> None:
    """Raises UserError when the tools that were chosen cannot pass as many host buffers as the design takes.

    MLIR-AIE can from July 2026 on: its instructions mark the sixth buffer and those behind it, and its aiecc describes
    them in the XCLBIN.
    """
    if design.buffers <= LEAST_BUFFERS:
        return
    for chosen in context.providers.chosen:
        name = chosen.provider.name
        tool = context.toolchain.found(name)
        late = tool is not None and name == "aiecc" and tool.facts[:1] == ("declarative",)
        if name not in ("aiecc", "aie-translate") or chosen.stage not in ("design", "insts") or late:
            continue
        raise UserError(
            f"the runtime sequence takes {design.buffers} host buffers, and {name} {chosen.version} passes "
            f"{LEAST_BUFFERS} at most",
            design.device_location,
            hint=f"--provider {chosen.stage}={'stages' if chosen.stage == 'design' else 'embedded'}; or put several "
            "into one buffer, at different offsets",
        )


def _check_target(context: Context, design: Design) -> None:
    peano = context.toolchain.found("peano")
    target = DEVICES[design.device].architecture
    if peano and target not in peano.facts:
        raise ToolError(
            f"Peano {peano.version} ({peano.path}) has no target {target}, which {design.device} needs",
            design.device_location,
            hint="take a newer Peano, or --provider kernel=embedded for the emulated array",
        )
