"""One stage as an edge: what its row in `npuninja.stages.table` says, filled in with files and facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from npuninja.errors import ToolError
from npuninja.plan.context import Context
from npuninja.plan.graph import Edge
from npuninja.stages.declaration import FILES, Provider, Stage
from npuninja.stages.table import module_of, rule_name

FactValue = str | tuple[str, ...]
"""A word, or the words of an option given several times. An empty one counts as unknown; a flag is "yes"."""


def provider_of(row: Stage, context: Context) -> Provider:
    """The provider of a stage: the chosen one, the namesake of the one it follows, or the only one.

    Raises:
        ToolError: nothing usable does it for the provider that it follows.
    """
    providers = context.providers
    if row.choice:
        return providers.of(row.choice).provider
    fitting = [p for p in row.providers if p.cores in ("", providers.cores)]
    if row.follows:
        name = providers.of(row.follows).provider.name
        usable = [p for p in fitting if all(map(context.toolchain.found, p.tools))]
        fitting = [p for p in fitting if p.name == name] or usable
        if not fitting:
            raise ToolError(
                f"--provider {row.follows}={name}: nothing usable does stage {row.name} for it",
                hint=f"providers of {row.name}: {', '.join(p.name for p in row.providers)}",
            )
    return fitting[0]


def edge_of(
    row: Stage,
    provider: Provider,
    known: Mapping[str, FactValue],
    makes: Mapping[str, FactValue],
    owner: str,
    compile_command: tuple[str, ...] = (),
) -> Edge:
    """The edge of a stage.

    Args:
        row: the stage.
        provider: of the stage.
        known: the files that are there and the facts, by the names of the table.
        makes: name -> paths of what may be made; the first is `-o`, the others only where an option takes
            them.
        owner: for messages and comments.
        compile_command: for compile_commands.json.
    """
    options: list[str] = []
    implicit: list[str] = []
    outputs: list[str] = []
    for option in module_of(row, provider).options:
        values = tuple(several(makes.get(option.takes) or known.get(option.takes, ())))
        if not values or (option.when and not known.get(option.when)):
            continue
        options += [
            word for value in values for word in ((option.word, value) if option.value else (option.word,))
        ]
        if option.takes in makes:
            outputs += values
        elif option.takes in FILES:
            implicit += values
    implicit += [path for name in row.also_reads for path in several(known.get(name, ()))]
    reads = provider.reads or row.reads
    return Edge(
        rule_name(row, provider),
        tuple(several(next(iter(makes.values())))),
        inputs=tuple(path for name in reads for path in several(known[name])),
        implicit=tuple(implicit),
        implicit_outputs=tuple(outputs),
        options=tuple(options),
        owner=owner,
        compile_command=compile_command,
    )


def several(value: FactValue) -> Iterable[str]:
    """One word, several, or none."""
    return ((value,) if value else ()) if isinstance(value, str) else value
