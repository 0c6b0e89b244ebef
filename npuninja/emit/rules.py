"""The rules of build.ninja.in as data, for generators other than Ninja: its variables and what `$` means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from npuninja.errors import InternalError

_ASSIGNMENT = re.compile(r"( *)([A-Za-z0-9_.-]+) *= *(.*)")
_BLOCK = re.compile(r"(rule|pool) (\S+)\s*")
_DOLLAR = re.compile(r"\$(?:\{([A-Za-z0-9_.-]+)\}|([A-Za-z0-9_-]+)|([$ :|]))")


@dataclass(frozen=True)
class Rules:
    """What a template says, with its placeholders filled.

    Attributes:
        variables: the variables at the top level, expanded.
        rules: rule -> its variables, not expanded: they are for every edge anew.
    """

    variables: Mapping[str, str]
    rules: Mapping[str, Mapping[str, str]]

    def value(self, rule: str, name: str, scope: Mapping[str, str]) -> str:
        """A variable of a rule for an edge whose own variables are `scope`; "" when the rule has none of that
        name.
        """
        return expand(self.rules[rule].get(name, ""), {**self.variables, **scope})


def read_rules(text: str) -> Rules:
    """Reads a filled template.

    Raises:
        InternalError: a line is none that build.ninja.in is made of.
    """
    variables: dict[str, str] = {}
    rules: dict[str, dict[str, str]] = {}
    block: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        start, assignment = _BLOCK.fullmatch(line), _ASSIGNMENT.fullmatch(line)
        if start:
            block = {}
            if start[1] == "rule":
                rules[start[2]] = block
        elif assignment and assignment[1]:
            block[assignment[2]] = assignment[3]
        elif assignment:
            variables[assignment[2]] = expand(assignment[3], variables)
        else:
            raise InternalError(f"build.ninja.in has a line that is no rule and no variable: {line!r}")
    return Rules(variables, rules)


def rule_commands(template: str) -> dict[str, str]:
    """The command of each rule of a template that is not filled: with its placeholders, and `$in`, `$out`,
    `$options`.
    """
    rules, own = read_rules(template), {name: f"${name}" for name in ("in", "out", "options")}
    return {rule: rules.value(rule, "command", own) for rule in rules.rules}


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$name`, `${name}` and escapes replaced, as Ninja does; what is not known is empty."""
    return _DOLLAR.sub(lambda m: m[3] if m[3] else variables.get(m[1] or m[2], ""), text)
