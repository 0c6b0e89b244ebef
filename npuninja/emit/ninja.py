"""build.ninja: the rules of build.ninja.in with this machine's tools, then one statement for each edge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from npuninja.emit.escape import command_value, escape_path, escape_value
from npuninja.emit.remote import remote_stage
from npuninja.emit.shared_batches import BatchCommand, SharedBatches, shared_batches
from npuninja.emit.shared_options import shared_options
from npuninja.emit.template import Template
from npuninja.plan.graph import Batch, Edge, Graph


def statement(
    edge: Edge,
    makers: Mapping[str, Edge | Batch] | None = None,
    aliases: Sequence[str] = (),
    rule: str = "",
) -> str:
    """The `build` statement of one edge, with its variables.

    Args:
        edge: the edge.
        makers: what makes each file, for a target that is no file.
        aliases: other names of the target.
        rule: one that has the edge's options.
    """
    outputs = " ".join(map(escape_path, (*edge.outputs, *aliases)))
    if edge.implicit_outputs:
        outputs += " | " + " ".join(map(escape_path, edge.implicit_outputs))
    read, implicit = needed(edge, makers or {})
    inputs = "".join(" " + escape_path(path) for path in read)
    if implicit:
        inputs += " | " + " ".join(map(escape_path, implicit))
    if edge.validations:
        inputs += " |@ " + " ".join(map(escape_path, edge.validations))
    lines = [f"build {outputs}: {rule or edge.rule}{inputs}"]
    if edge.options and not rule:
        lines.append(f"  options = {command_value(edge.options)}")
    return "\n".join(lines)


def needed(edge: Edge, makers: Mapping[str, Edge | Batch]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The inputs and implicit inputs of an edge that Ninja must look at.

    A target that is no file (`run-NAME`, an alias) runs whenever it is asked for, so it needs only those
    inputs that are not made on the way to another of them: what that one's command makes or reads.
    """
    inputs = edge.inputs
    if edge.rule == "phony":
        # An alias of aliases names the files: Ninja would look for files of the names between.
        inputs = tuple(path for name in inputs for path in _of_alias(name, makers))
    kept = dict.fromkeys((*inputs, *edge.implicit))
    behind: dict[str, list[str]] = {}
    for path in kept:
        maker = makers.get(path)
        if maker is not None:
            for other in _files_of(maker):
                if other in kept and other != path:
                    behind.setdefault(other, []).append(path)
    # What is on the command line stays there.
    for path in tuple(kept if edge.rule == "phony" else edge.implicit):
        if any(other in kept for other in behind.get(path, ())):
            del kept[path]
    return tuple(p for p in inputs if p in kept), tuple(p for p in edge.implicit if p in kept)


def _of_alias(name: str, makers: Mapping[str, Edge | Batch]) -> tuple[str, ...]:
    """What a name stands for when it is nothing but an alias, else the name."""
    maker = makers.get(name)
    if isinstance(maker, Edge) and maker.rule == "phony" and maker.inputs:
        return (name,) if maker.implicit or maker.validations else maker.inputs
    return (name,)


def _twins(edges: Sequence[Edge]) -> dict[str, tuple[str, ...] | None]:
    """Targets that do the same (`test-NAME`, `check-NAME`): the others after the first, None for these."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for edge in edges:
        if edge.rule != "phony" and len(edge.outputs) == 1 and not edge.implicit_outputs:
            does = (edge.rule, edge.inputs, edge.implicit, edge.options, edge.validations)
            alike.setdefault(does, []).append(edge.outputs[0])
    found: dict[str, tuple[str, ...] | None] = {}
    for first, *others in alike.values():
        found |= {first: tuple(others), **dict.fromkeys(others)}
    return found


def _makes_files(edge: Edge, rules: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether an edge has outputs that it can find unchanged: files in folders, or of rules with depfiles."""
    return edge.rule != "phony" and (
        "depfile" in rules[edge.rule] or any("/" in path for path in edge.outputs)
    )


def _made_by(command: Edge | Batch) -> tuple[str, ...]:
    return command.outputs if isinstance(command, Batch) else (*command.outputs, *command.implicit_outputs)


def _files_of(command: Edge | Batch) -> tuple[str, ...]:
    read = command.inputs if isinstance(command, Batch) else (*command.inputs, *command.implicit)
    return (*_made_by(command), *read)


def batch_statement(batch: Batch, command: BatchCommand) -> str:
    """The `build` statement of a batch."""
    outputs, inputs = ([*map(escape_path, paths)] for paths in (batch.outputs, batch.inputs))
    if command.names_first:
        outputs.insert(1, "|")
    lines = [f"build {' '.join(outputs)}: {command.rule} {' '.join(inputs)}"]
    lines += [f"  {name} = {value}" for name, value in command.variables.items()]
    return "\n".join(lines)


def generator_statements(
    target: str, other_outputs: Sequence[str], inputs: Sequence[str], depfile: str, made: Collection[str] = ()
) -> str:
    """The edge that makes build.ninja itself.

    What configure.py looked at may vanish (a package is updated, a design is renamed). Ninja must then start
    configure.py, which no longer names it, and not stop with "missing and no known rule to make it". It does
    so for files that only a depfile names; those that other edges read as well need a rule, which is phony.

    Args:
        target: build.ninja.
        other_outputs: what configure.py writes beside it that other edges read.
        inputs: what configure.py looked at and other edges read.
        depfile: names the rest that configure.py looked at.
        made: those of the inputs that statements of the user's make: Ninja does so first.
    """
    names = [escape_path(path) for path in inputs]
    others = " | " + " ".join(map(escape_path, other_outputs)) if other_outputs else ""
    depends = " | " + " $\n    ".join(names) if names else ""
    lines = [
        f"build {escape_path(target)}{others}: configure{depends}",
        f"  depfile = {escape_value(depfile)}",
    ]
    given = [escape_path(path) for path in inputs if path not in made]
    if given:
        lines.append("build " + " $\n    ".join(given) + ": phony")
    return "\n".join(lines)


def _commented(header: Sequence[str]) -> str:
    return "\n".join(f"# {line}".rstrip() for line in header)


def template_line(header: Sequence[str]) -> int:
    """The line of build.ninja on which build.ninja.in begins."""
    return _commented(header).count("\n") + 3


def write(
    graph: Graph,
    template: Template,
    placeholders: Mapping[str, tuple[str, ...]],
    generator: str,
    header: Sequence[str],
    shared: SharedBatches | None = None,
) -> str:
    """The whole text of build.ninja.

    Args:
        graph: the edges.
        template: build.ninja.in.
        placeholders: placeholders besides the graph's variables, as words of a command line.
        generator: the statements of `generator_statements`.
        header: sentences for the top of the file.
        shared: what the batches have in common; None when that is still to be found.
    """
    parts = [_commented(header)]
    parts.append(template.fill(graph, placeholders).rstrip())
    parts.append("# Configuring again.\n\n" + generator)
    read = template.filled(graph, placeholders)
    shared = shared or shared_batches(graph.batches, template.batch_parts, read)
    if shared.rules:
        parts.append("# The stages of designs of one kind.\n\n" + shared.rules)
    singly = [command for command in graph.commands() if isinstance(command, Edge)]
    with_options = shared_options(singly, read, graph.remote_rules)
    if with_options.rules:
        parts.append("# The rules with options that many have.\n\n" + with_options.rules)
    group: list[str] = []
    owner = None
    twins = _twins([edge for edge in singly if not _makes_files(edge, read.rules)])
    makers = {path: command for command in graph.commands() for path in _made_by(command)}
    for command in graph.commands():
        first = command.edges[0] if isinstance(command, Batch) else command
        if first.owner != owner:
            owner = first.owner
            group.append(f"\n# {owner}\n")
        if isinstance(command, Batch):
            group.append(batch_statement(command, shared.commands[command.name]))
        else:
            aliases = twins.get(command.outputs[0], ())
            if aliases is None:
                continue
            beside = None if _makes_files(command, read.rules) else makers
            group.append(statement(command, beside, aliases, with_options.rule_of(command)))
        elsewhere = remote_stage(graph, command)
        group += [f"  stage = $remote {command_value(elsewhere)}"] if elsewhere else []
    parts.append("\n".join(group).strip())
    if graph.defaults:
        parts.append("default " + " ".join(map(escape_path, graph.defaults)))
    return "\n\n".join(parts) + "\n"
