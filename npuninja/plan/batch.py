"""Which stages of a design share a process.

A stage of ours takes a few milliseconds, the process around it forty. So the stages of one design that are
short and follow each other are run by one command, a batch, which makes the same files. Between two batches
are the stages that are worth a process of their own: compilers, linkers, other real tools. A change that
needs one stage of a batch runs the others too, which takes less than a process for that stage alone. What
leaves a batch with the same bytes keeps its time, so the rebuild ends there as without batches.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable

from npuninja.plan.graph import Batch, Edge
from npuninja.stages.table import rules

# bootgen and xclbinutil take 8 ms, less than the process around them.
SHORT_RULES = frozenset(name for name, _, provider in rules() if provider.short)
# wasm-ld takes 10 ms. The links of several cores run at the same time, so they keep processes of their own.
SHORT_ALONE = frozenset(name for name, _, provider in rules() if provider.short_alone)


def plan_batches(edges: Iterable[Edge], batched: frozenset[str]) -> tuple[Batch, ...]:
    """Puts the stages of each design together.

    Two stages share a batch when they are of one folder and the same number of other commands has to run
    before them. That cannot make a circle: a command between two stages raises the number.

    Args:
        edges: of a whole graph.
        batched: the rules that may be part of a batch.
    """
    edges = list(edges)
    made_by = {path: edge for edge in edges for path in (*edge.outputs, *edge.implicit_outputs)}
    folders = {id(edge): posixpath.dirname(edge.outputs[0]) for edge in edges}
    several = Counter((edge.rule, folders[id(edge)]) for edge in edges)
    short_rules, short_alone = SHORT_RULES & batched, SHORT_ALONE & batched
    levels: dict[int, int] = {}
    groups: dict[tuple[str, int], list[Edge]] = {}

    def short(edge: Edge) -> bool:
        return edge.rule in short_rules or (
            edge.rule in short_alone and several[edge.rule, folders[id(edge)]] == 1
        )

    def level(edge: Edge) -> int:
        """The largest number of commands outside batches on a way to the edge; sorts it into its group."""
        found = levels.get(id(edge))
        if found is None:
            found = 0
            for path in (*edge.inputs, *edge.implicit):
                before = made_by.get(path)
                if before is not None:
                    together = short(before) and folders[id(before)] == folders[id(edge)]
                    found = max(found, level(before) + (short(edge) and not together))
            levels[id(edge)] = found
            if short(edge):
                groups.setdefault((folders[id(edge)], found), []).append(edge)
        return found

    for edge in edges:
        if short(edge):
            level(edge)
    return tuple(
        Batch(tuple(group), f"{folder}/.stages{number}")
        for (folder, number), group in groups.items()
        if len(group) > 1
    )
