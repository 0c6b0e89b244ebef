"""build.ninja: the rules of build.ninja.in with this machine's tools, then one statement for each edge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from npuninja.emit.batch import RULE, Part, batch_variables, parts_of
from npuninja.emit.escape import command_value, escape_path, escape_value
from npuninja.emit.remote import remote_stage
from npuninja.errors import Location, UserError
from npuninja.plan.graph import Batch, Edge, Graph

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
_RULE = re.compile(r"^rule (\S+)\s*$", re.MULTILINE)


def rules_of(template: str) -> frozenset[str]:
    """The names of the rules in a template."""
    return frozenset(_RULE.findall(template))


def fill(template: str, file: str, values: Mapping[str, str]) -> str:
    """Puts values (escaped already) in place of `@NAME@`.

    Raises:
        UserError: the template has a placeholder that there is no value for; located in the template.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            line = template.count("\n", 0, match.start()) + 1
            column = match.start() - template.rfind("\n", 0, match.start())
            raise UserError(
                f"there is no value for {match[0]}",
                Location(file, line, column),
                hint="known: " + ", ".join(f"@{known}@" for known in sorted(values)),
            )
        return values[name]

    return _PLACEHOLDER.sub(value, template)


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


def fill_all(graph: Graph, template: str, template_file: str, places: Mapping[str, tuple[str, ...]]) -> str:
    """The template with all its placeholders filled; for the arguments see `write`."""
    filled = {name.upper(): command_value(words) for name, words in graph.variables.items()}
    filled.update({name: command_value(words) for name, words in places.items()})
    return fill(template, template_file, filled)


def write(
    graph: Graph,
    template: str,
    template_file: str,
    places: Mapping[str, tuple[str, ...]],
    generator: str,
    header: Sequence[str],
) -> str:
    """The whole text of build.ninja.

    Args:
        graph: the edges.
        template: the text of build.ninja.in.
        template_file: its name, for messages.
        places: placeholders beside the graph's variables, as words of a command line.
        generator: the statements of `generator_statements`.
        header: sentences for the top of the file.
    """
    parts = ["\n".join(f"# {line}".rstrip() for line in header)]
    parts.append(fill_all(graph, template, template_file, places).rstrip())
    parts.append("# Configuring again.\n\n" + generator)
    group: list[str] = []
    whom = None
    batch_parts = parts_of(template)
    for command in graph.commands():
        first = command.edges[0] if isinstance(command, Batch) else command
        if first.for_whom != whom:
            whom = first.for_whom
            group.append(f"\n# {whom}\n")
        group.append(
            batch_statement(command, batch_parts) if isinstance(command, Batch) else statement(command)
        )
        elsewhere = remote_stage(graph, command)
        group += [f"  stage = $remote {command_value(elsewhere)}"] if elsewhere else []
    parts.append("\n".join(group).strip())
    if graph.defaults:
        parts.append("default " + " ".join(map(escape_path, graph.defaults)))
    return "\n\n".join(parts) + "\n"
