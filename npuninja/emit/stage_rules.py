"""The rules of the stages as text for build.ninja, one for each stage and provider of `stages.table`.

build.ninja.in has two lines in their place, `@RULES@` and `@TOOLS@`. A rule that it writes out itself wins
over the table's: that is how a project changes one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from npuninja.stages.declaration import Provider, Stage
from npuninja.stages.table import module_of, modules_variable, rules

RULES, TOOLS = "@RULES@", "@TOOLS@"


def filled_in(own: Collection[str], variables: Iterable[str]) -> dict[str, list[str]]:
    """The lines that stand in build.ninja for `@RULES@` and `@TOOLS@`: the table's rules, and a placeholder
    for each of the variables that name tools.

    Args:
        own: the rules and variables that build.ninja.in has itself.
        variables: the names of all tool variables.
    """
    blocks = [
        rule_text(name, row, provider)
        for name, row, provider in rules()
        if not row.own_rule and name not in own
    ]
    tools = [f"{name} = @{name.upper()}@" for name in variables if name not in own]
    return {RULES: "\n".join(blocks).splitlines(), TOOLS: tools}


def rule_text(name: str, row: Stage, provider: Provider) -> str:
    """One rule: the form that all stages share."""
    identity = f"--identity ${provider.identity}_identity" if provider.identity else ""
    start = "$python $stages" if row.installed else "$stage"
    module = module_of(row, provider).name
    words = (
        "@EXEC@",
        start,
        module,
        f"${modules_variable(module)}",
        identity,
        provider.words,
        "$options --depfile $out.d -o $out $in",
    )
    lines = [
        f"rule {name}",
        f"  command = {' '.join(filter(None, words))}",
        f"  description = {label(row, provider)} $out",
    ]
    lines += [f"  pool = {row.pool}"] if row.pool else []
    return "\n".join([*lines, "  depfile = $out.d", "  deps = gcc", "  restat = 1"]) + "\n"


def label(row: Stage, provider: Provider) -> str:
    """What is shown while a rule's command runs, without the file."""
    by = provider.identity.replace("_", "-") if provider.vendor else provider.name if provider.module else ""
    return f"{row.label} ({by})" if by else row.label
