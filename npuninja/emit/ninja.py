"""build.ninja: the rules of build.ninja.in with this machine's tools, then one statement for each edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from npuninja.emit.batch import RULE, Part, batch_variables
from npuninja.emit.escape import command_value, escape_path, escape_value
from npuninja.emit.remote import remote_stage
from npuninja.emit.template import Template
from npuninja.plan.graph import Batch, Edge, Graph


def statement(edge: Edge) -> str:
    """The `build` statement of one edge, with its variables."""
    outputs = " ".join(map(escape_path, edge.outputs))
    if edge.implicit_outputs:
        outputs += " | " + " ".join(map(escape_path, edge.implicit_outputs))
    inputs = "".join(" " + escape_path(path) for path in edge.inputs)
    if edge.implicit:
        inputs += " | " + " ".join(map(escape_path, edge.implicit))
    if edge.validations:
        inputs += " |@ " + " ".join(map(escape_path, edge.validations))
    lines = [f"build {outputs}: {edge.rule}{inputs}"]
    if edge.options:
        lines.append(f"  options = {command_value(edge.options)}")
    return "\n".join(lines)


def batch_statement(batch: Batch, parts: Mapping[str, Part]) -> str:
    """The `build` statement of a batch."""
    outputs, inputs = (" ".join(map(escape_path, paths)) for paths in (batch.outputs, batch.inputs))
    lines = [f"build {outputs}: {RULE} {inputs}"]
    lines += [f"  {name} = {value}" for name, value in batch_variables(batch, parts).items()]
    return "\n".join(lines)


def generator_statements(target: str, also: Sequence[str], inputs: Sequence[str], depfile: str) -> str:
    """The edge that makes build.ninja itself.

    What configure.py looked at may vanish (a package is updated, a design is renamed). Ninja must then start
    configure.py, which no longer names it, and not stop with "missing and no known rule to make it". It does
    so for files that only a depfile names; those that other edges read as well need a rule, which is phony.

    Args:
        target: build.ninja.
        also: what configure.py writes beside it that other edges read.
        inputs: what configure.py looked at and other edges read.
        depfile: names the rest that configure.py looked at.
    """
    names = [escape_path(path) for path in inputs]
    others = " | " + " ".join(map(escape_path, also)) if also else ""
    depends = " | " + " $\n    ".join(names) if names else ""
    lines = [
        f"build {escape_path(target)}{others}: configure{depends}",
        f"  depfile = {escape_value(depfile)}",
    ]
    if names:
        lines.append("build " + " $\n    ".join(names) + ": phony")
    return "\n".join(lines)


def write(
    graph: Graph,
    template: Template,
    places: Mapping[str, tuple[str, ...]],
    generator: str,
    header: Sequence[str],
) -> str:
    """The whole text of build.ninja.

    Args:
        graph: the edges.
        template: build.ninja.in.
        places: placeholders besides the graph's variables, as words of a command line.
        generator: the statements of `generator_statements`.
        header: sentences for the top of the file.
    """
    parts = ["\n".join(f"# {line}".rstrip() for line in header)]
    parts.append(template.fill(graph, places).rstrip())
    parts.append("# Configuring again.\n\n" + generator)
    group: list[str] = []
    whom = None
    for command in graph.commands():
        first = command.edges[0] if isinstance(command, Batch) else command
        if first.for_whom != whom:
            whom = first.for_whom
            group.append(f"\n# {whom}\n")
        group.append(
            batch_statement(command, template.parts) if isinstance(command, Batch) else statement(command)
        )
        elsewhere = remote_stage(graph, command)
        group += [f"  stage = $remote {command_value(elsewhere)}"] if elsewhere else []
    parts.append("\n".join(group).strip())
    if graph.defaults:
        parts.append("default " + " ".join(map(escape_path, graph.defaults)))
    return "\n\n".join(parts) + "\n"
