"""Step 3 of configure.py, `make_plan`: a project and a machine to a graph. Reads no file and runs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.configure.designs import DesignSet
from npuninja.configure.machine import Machine
from npuninja.configure.options import Options
from npuninja.configure.project import Project
from npuninja.configure.stage_modules import StageModules
from npuninja.plan.batch import SHORT_ALONE
from npuninja.plan.context import Context
from npuninja.records import record, replace
from npuninja.settings.table import CHECKS
from npuninja.stages.table import rules

if TYPE_CHECKING:
    from npuninja.plan.graph import Graph


@record(frozen=True, kw_only=True)
class Causes:
    """All that decides what configure.py writes, and nothing else.

    Attributes:
        project: what the user wrote.
        machine: what there is.
        placeholders: those of build.ninja.in that are about this machine, as words of a command line.
        header: sentences for the top of the build file.
    """

    project: Project
    machine: Machine
    placeholders: Mapping[str, tuple[str, ...]]
    header: tuple[str, ...]

    def digest(self) -> str:
        """A hash: equal causes, equal files."""
        project, machine = self.project, self.machine
        parts = (
            # Without its sets, whose order is another in every process; they follow from the template.
            replace(_context(project, machine), rules=frozenset(), batched=frozenset()),
            machine.tested,
            machine.ninja,
            machine.remote,
            project.designs,
            machine.hosts,
            project.options,
            sorted(project.references or ()),
            project.references is None,
            project.template.whole,
            project.template.file,
            [(text.file, text.rules, text.builds) for text in project.template.included],
            project.settings.file,
            project.settings.content,
            project.home,
            self.placeholders,
            self.header,
        )
        digest = hashlib.sha256()
        for part in parts:
            digest.update(repr(part).encode("utf-8", "surrogateescape") + b"\0")
        return digest.hexdigest()


@record(frozen=True, kw_only=True)
class Plan:
    """What is to be built.

    Attributes:
        causes: what it was made of.
        context: what planning was given.
        graph: the edges.
        designs: those of the causes, with what planning refused among the faulty ones.
        modules: what the stages consist of.
    """

    causes: Causes
    context: Context
    graph: Graph
    designs: DesignSet
    modules: StageModules


def make_plan(causes: Causes, modules: StageModules) -> Plan:
    """The plan, for stages that consist of these modules.

    Raises:
        UserError: build.ninja.in lacks a rule.
    """
    from npuninja.plan.recipe import plan  # with all recipes, which `Causes` does not need

    project, machine = causes.project, causes.machine
    context = replace(_context(project, machine), modules=modules.digests)
    emulated = replace(context, providers=machine.tested) if machine.tested else None
    found = project.designs
    refused = list(found.faulty)
    graph = plan(context, found.designs, emulated, found.wanted, refused, machine.hosts)
    found = found.without(refused[len(found.faulty) :])
    if machine.remote:
        graph.remote_rules = frozenset(name for name, _, provider in rules() if provider.remote) | {"batch"}
    return Plan(causes=causes, context=context, graph=graph, designs=found, modules=modules)


def _context(project: Project, machine: Machine) -> Context:
    options, template = project.options, project.template
    return Context(
        layout=project.layout,
        toolchain=machine.toolchain,
        compiler=machine.compiler,
        providers=machine.providers,
        kernels=machine.kernels,
        rules=frozenset(template.rules),
        # Another machine keeps results by command: a link that is worth asking for stays one.
        batched=frozenset()
        if options.separate
        else frozenset(template.batch_parts) - (SHORT_ALONE if machine.remote else frozenset()),
        werror=options.werror,
        launcher=machine.launcher,
        check=options.check,
        test_words=_test_words(options),
        package=project.package,
        prefix=project.prefix,
    )


def _test_words(options: Options) -> tuple[str, ...]:
    """What tests ask of `npuninja run`: the checks, further schedules, further seeds."""
    checks = CHECKS if options.checks is None else options.checks
    words: tuple[str, ...] = ("--check", ",".join(checks)) if checks else ()
    words += ("--schedules", str(options.schedules)) if options.schedules > 0 else ()
    return words + (("--seeds", str(options.seeds)) if options.seeds > 1 else ())
