"""Rules for edges whose options are the same.

A variable in a `build` statement gives it a scope of its own, which costs Ninja more than a path. Where many
edges of a rule have the same options, as all tests of a project do, these are in a rule of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from npuninja.emit.escape import command_value
from npuninja.emit.ninja_text import NinjaText, rule_block, settled
from npuninja.plan.graph import Edge
from npuninja.records import NamedTuple

# For fewer, a rule is more to read, for people and for Ninja, than it takes away.
FEWEST_EDGES = 32
_OPTIONS = re.compile(r"\$(?:\{options\}|options\b)")


class SharedOptions(NamedTuple):
    """The text of the rules, and which of them edges have by their own rule and their options."""

    rules: str
    names: Mapping[tuple[str, tuple[str, ...]], str]

    def rule_of(self, edge: Edge) -> str:
        """The rule by which an edge's options are known; "" when the edge says them itself."""
        return self.names.get((edge.rule, edge.options), "")


def shared_options(edges: Iterable[Edge], read: NinjaText, remote_rules: frozenset[str]) -> SharedOptions:
    """Finds the options that many edges have.

    Args:
        edges: those that have a statement of their own.
        read: the rules and variables, as build.ninja is to have them.
        remote_rules: those whose edges say themselves what `$stage` is.
    """
    often = Counter((edge.rule, edge.options) for edge in edges if edge.options)
    names: dict[tuple[str, tuple[str, ...]], str] = {}
    texts = []
    for (rule, options), count in often.items():
        if count < FEWEST_EDGES:
            continue
        number = sum(of == rule for of, _ in names) + 1
        names[rule, options] = f"{rule}_options_{number}"
        # In a replacement a backslash would begin an escape.
        words = command_value(options).replace("\\", "\\\\")
        own = dict(read.rules[rule])
        if rule not in remote_rules:
            own["command"] = settled(own["command"], read)
        texts.append(
            rule_block(names[rule, options], {key: _OPTIONS.sub(words, value) for key, value in own.items()})
        )
    return SharedOptions("\n\n".join(texts), names)
