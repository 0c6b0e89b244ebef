"""Designs and providers to a build's graph: every design's stages, and the targets that people ask for."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.errors import Error
from npuninja.plan.batch import plan_batches
from npuninja.plan.context import Context
from npuninja.plan.design import Design
from npuninja.plan.designs import RESERVED, Faulty, faulty
from npuninja.plan.facts import SEED
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.host_program import HostProgram
from npuninja.plan.host_recipe import plan_hosts
from npuninja.plan.kernel_recipe import KernelObjects
from npuninja.plan.layout import Layout
from npuninja.plan.names import is_name
from npuninja.plan.package_recipe import plan_package
from npuninja.plan.providers import OWN_COMPILER
from npuninja.plan.steps import DesignSteps
from npuninja.plan.words import each, variables
from npuninja.stages.table import stage

EVERY = "every design"
#: Runs of a design's machine code on the emulated array: the word in targets and `ninja test`'s table.
MACHINE_CODE = "machine-code"


def plan(
    context: Context,
    designs: Sequence[Design],
    emulated: Context | None = None,
    wanted: Sequence[str] | None = None,
    refused: list[Faulty] | None = None,
    hosts: Sequence[HostProgram] = (),
) -> Graph:
    """The graph of all designs.

    Args:
        context: what is built by default and run.
        designs: all of them.
        emulated: the same for emulated cores, which `ninja test` runs; None when there is no compiler for
            them. When the context itself is for emulated cores, that one is tested.
        wanted: the names of those that are built, run and packed when none is named; None for all.
        refused: the designs that cannot be built; those that are found here are added. None: the first such
            design is an error.
        hosts: programs that run designs.

    Raises:
        UserError: a design links an object that nothing makes; located in the design.
        ToolError: Peano has no target for the device of a design.
    """
    tested = emulated if context.providers.for_npu else context
    graph = Graph(context.rules, variables(context), defaults=("all",))
    built, tests = _plan_designs(context, tested, graph, designs, refused)
    chosen = [name for name in built if wanted is None or name in wanted]
    faults = _Faults(context, graph, [f for f in refused or () if f.name not in built], wanted)
    faulty_designs = faults.behind("", chosen)
    _alias(graph, "all", (*chosen, *faulty_designs))
    # One name for all of them, where those that cannot be built are not among them.
    whole = tuple(chosen) if faulty_designs else ("all",)
    by_verdicts = tested is not None and "verdicts" in graph.rules
    if by_verdicts:
        rows = [(name, tests[name], "") for name in chosen]
        if _tests_machine_code(context, tested):
            rows += [(name, built[name], MACHINE_CODE) for name in chosen]
        _plan_verdicts(context.layout, graph, rows, faults)
    for target in ("run", "test-npu", *_tests(tested is not None, by_verdicts)):
        names = tuple(f"{target}-{name}" for name in chosen)
        _alias(graph, target, (*names, *faults.behind(target, names)))
    if context.providers.driver == "stages":
        scripts = [script for name in chosen for script in built[name].linker_scripts()]
        _alias(graph, "ldscripts", list(filter(graph.makes, scripts)))
        folders = tuple(built[name].files.folder for name in chosen)
        graph.add(Edge("size", ("size",), implicit=whole, options=folders, owner=EVERY))
        if folders and "report" in graph.rules:
            options = (*folders, "-o", context.layout.output("report"))
            graph.add(Edge("report", ("report",), implicit=whole, options=options, owner=EVERY))
    plan_hosts(context, graph, hosts, built)
    plan_package(context, graph, [built[name].files for name in chosen])
    graph.add(Edge("doctor", ("doctor",), owner="this machine"))
    graph.check()
    graph.batches = plan_batches(graph.edges, context.batched)
    return graph


def _plan_designs(
    context: Context,
    tested: Context | None,
    graph: Graph,
    designs: Sequence[Design],
    refused: list[Faulty] | None,
) -> tuple[dict[str, DesignSteps], dict[str, DesignSteps]]:
    """Every design with its targets, for the context and the tested one; a refused one leaves nothing."""
    objects: KernelObjects = {}
    built: dict[str, DesignSteps] = {}
    tests: dict[str, DesignSteps] = {}
    for design in designs:
        edges, known = len(graph.edges), dict(objects)
        try:
            built[design.name], tests[design.name] = _plan_design(context, tested, graph, design, objects)
        except Error as error:
            if refused is None:
                raise
            graph.back_to(edges)
            objects = known
            refused.append(faulty(design.name, design.source, error))
    return built, tests


def _plan_design(
    context: Context, tested: Context | None, graph: Graph, design: Design, objects: KernelObjects
) -> tuple[DesignSteps, DesignSteps]:
    """A design with its targets, for the context and for the one that is tested."""
    steps = DesignSteps(context, graph, design, objects)
    steps.plan()
    checks: tuple[str, ...] = ()
    others = steps
    _plan_run(graph, design, steps, "run", "auto")
    _plan_run(graph, design, steps, "test-npu", "npu")
    if tested is not None:
        if tested is not context:
            others = DesignSteps(tested, graph, design, objects)
            others.plan()
        _plan_run(graph, design, others, "test", "emu", context.test_words)
        _plan_run(graph, design, others, "check", "emu", context.test_words)
        if _tests_machine_code(context, tested) and "verdict" in graph.rules:
            _plan_run(graph, design, steps, MACHINE_CODE, "emu")
        if context.check:
            checks = others.add(stage("check")).outputs
    _plan_targets(graph, design, steps, checks)
    return steps, others


def _plan_verdicts(
    layout: Layout, graph: Graph, tests: Sequence[tuple[str, DesignSteps, str]], faults: _Faults
) -> None:
    """`ninja test`: every design is run and verified, whatever the others' results, and a table ends it.

    Args:
        layout: where the table's file goes.
        graph: takes the edge.
        tests: the design's name, its steps, and "" or what kind of run it is.
        faults: designs that cannot be built.
    """
    names = tuple(f"{kind or 'verdict'}-{name}" for name, _, kind in tests)
    results = [f"{name}{':' * bool(kind)}{kind}={steps.files['verdict']}" for name, steps, kind in tests]
    options = (*each("--of", results), *each("--faulty", faults.files()))
    options += ("--junit", layout.output("test", "junit.xml"))
    graph.add(Edge("verdicts", ("test",), implicit=names, options=options, owner=EVERY))


class _Faults:
    """Targets of designs that cannot be built: each says why, and fails.

    Those of all designs together come after the good ones, so that the good ones are made first.
    """

    def __init__(
        self, context: Context, graph: Graph, refused: Sequence[Faulty], wanted: Sequence[str] | None
    ) -> None:
        self._graph = graph
        self._wanted = [f for f in refused if wanted is None or f.name in wanted]
        self._file = context.layout.fault_file
        for fault in refused:
            if not is_name(fault.name) or fault.name in RESERVED:
                continue
            for target in ("", "run-", "test-", "check-", "test-npu-"):
                name = target + fault.name
                if not graph.makes(name):
                    self._add(name, [fault])

    def files(self) -> list[str]:
        """`NAME=FILE with the error` of each that was asked for."""
        return [f"{fault.name}={self._file(fault.name)}" for fault in self._wanted]

    def behind(self, target: str, names: Sequence[str]) -> tuple[str, ...]:
        """The target that says all faults when the targets `names` are done; () without faults."""
        if not self._wanted:
            return ()
        name = f"faulty-designs-{target}" if target else "faulty-designs"
        self._add(name, self._wanted, names)
        return (name,)

    def _add(self, name: str, refused: Sequence[Faulty], names: Sequence[str] = ()) -> None:
        options = tuple(self._file(fault.name) for fault in refused)
        owner = "designs that cannot be built"
        self._graph.add(Edge("faulty", (name,), implicit=tuple(names), options=options, owner=owner))


def _alias(graph: Graph, name: str, members: Sequence[str], owner: str = EVERY) -> None:
    graph.add(Edge("phony", (name,), inputs=tuple(members), owner=owner))


def _plan_targets(graph: Graph, design: Design, steps: DesignSteps, checks: tuple[str, ...]) -> None:
    """The names by which a user asks for a design."""
    owner = f"design {design.name}"
    graph.add(Edge("phony", (design.name,), inputs=tuple(steps.wanted), owner=owner, validations=checks))


def _plan_run(
    graph: Graph, design: Design, steps: DesignSteps, target: str, device: str, more: tuple[str, ...] = ()
) -> None:
    """The command that runs a design by its manifest."""
    files = steps.files
    needs: tuple[str, ...] = (files["xclbin"], *files.all("insts"))
    options: tuple[str, ...] = ("--device", device, *more)
    if files.reference_source:
        needs += (files["reference"], *(path for pair in files.vectors for path in pair))
        options += ("--verify", "--seed", SEED)
        # Beside the manifest: so the options of all designs are the same, and are in one rule.
        beside = [[name.replace(files.folder, "{}", 1) for name in pair] for pair in files.vectors]
        options += tuple(word for pair in beside for word in ("--vectors", *pair))
    brief = ("--brief",) if target in ("run", "test", "check") else ()
    # A rule and what its target is called: `check-NAME` is a test that also looks for more.
    ways = [("test" if target == "check" else target, target, (*options, *brief))]
    if target == MACHINE_CODE:
        ways = [("verdict", target, options)]
    elif target == "check" and "verdict" in graph.rules:
        ways.append(("verdict", "verdict", options))
    for rule, name, words in ways:
        graph.add(
            Edge(
                rule,
                (f"{name}-{design.name}",),
                inputs=(files["manifest"],),
                implicit=needs,
                options=words,
                owner=f"design {design.name}",
            )
        )


def _tests_machine_code(context: Context, tested: Context | None) -> bool:
    """Whether `ninja test` also runs our own compiler's machine code: the emulated array knows all of it."""
    ours = context.providers.for_npu and context.providers.of("kernel").provider.name == OWN_COMPILER
    return ours and tested is not None


def _tests(emulated: bool, by_verdicts: bool) -> tuple[str, ...]:
    """The targets of all designs' tests that are aliases."""
    return ("check",) if by_verdicts else ("test", "check") if emulated else ()
