"""Ninja's log of a build (`.ninja_log`), and what it says of the build: how long each edge took, and the
longest chain.

The format is that of Ninja's build_log.cc, versions 5 to 7: a line `# ninja log vN`, then lines of five
fields separated by
tabs: start and end in milliseconds since Ninja started, the output's time, the output, a hash of the command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

_HEADER = re.compile(r"# ninja log v([567])\n")


class LoggedStep(NamedTuple):
    """One edge that was run. `outputs` are all that the log names."""

    start_ms: int
    end_ms: int
    outputs: tuple[str, ...]

    @property
    def duration_ms(self) -> int:
        """How long it took."""
        return self.end_ms - self.start_ms


def read_builds(text: str, file: str) -> list[list[LoggedStep]]:
    """The builds in a log, the oldest first; each has its steps in the order of their ends.

    Ninja drops superseded lines now and then, so old builds may be incomplete; the last one is whole.

    Raises:
        UserError: the text is no such log.
    """
    if not _HEADER.match(text):
        raise UserError("not a log of Ninja in format 5, 6 or 7", Location(file, 1), hint="run `ninja` first")
    builds: list[dict[tuple[int, int, str], list[str]]] = []
    last_end = 0
    for number, line in enumerate(text.splitlines()[1:], 2):
        fields = line.split("\t")
        if len(fields) != 5 or not all(f.isascii() and f.isdigit() and len(f) < 20 for f in fields[:2]):
            raise UserError(
                "not a line of Ninja's log", Location(file, number), hint="delete the file and build again"
            )
        start, end, output, digest = int(fields[0]), int(fields[1]), fields[3], fields[4]
        # Lines are written as edges end, so an end before the last one begins another run of Ninja.
        if not builds or end < last_end:
            builds.append({})
        last_end = end
        builds[-1].setdefault((start, end, digest), []).append(output)
    return [
        [LoggedStep(start, end, tuple(outputs)) for (start, end, _), outputs in build.items()]
        for build in builds
    ]


def as_run(edges: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The edges of graph.json as they are run: those of one batch as one, of rule `batch`, with the edges as
    `stages`.
    """
    result: list[dict[str, Any]] = []
    batches: dict[str, dict[str, Any]] = {}
    for edge in edges:
        name = edge.get("batch")
        if not name:
            result.append(dict(edge))
        elif name in batches:
            batches[name]["stages"].append(edge)
        else:
            batches[name] = {**edge, "rule": "batch", "options": [], "stages": [edge]}
            result.append(batches[name])
    for batch in batches.values():
        for key in ("outputs", "inputs", "implicit"):
            batch[key] = list(dict.fromkeys(path for stage in batch["stages"] for path in stage[key]))
        made = set(batch["outputs"])
        for key in ("inputs", "implicit"):
            batch[key] = [path for path in batch[key] if path not in made]
    return result


def critical_path(steps: Sequence[LoggedStep], edges: Sequence[Mapping[str, Any]]) -> list[LoggedStep]:
    """The chain of steps, each needing the one before, that took longest together; the first step first.

    Args:
        steps: of one build.
        edges: as `as_run` gives them.
    """
    step_of = {output: step for step in steps for output in step.outputs}
    needs = {output: (*edge["inputs"], *edge["implicit"]) for edge in edges for output in edge["outputs"]}
    best: dict[str, tuple[int, list[LoggedStep]]] = {}

    def longest(target: str) -> tuple[int, list[LoggedStep]]:
        """Time and steps of the longest chain that ends with `target`.

        Made from the needs up, without recursion.
        """
        pending = [target]
        while pending:
            name = pending[-1]
            missing = [need for need in needs.get(name, ()) if need not in best]
            if missing:
                pending += missing
                continue
            pending.pop()
            if name in best:
                continue
            time, chain = max(
                (best[need] for need in needs.get(name, ())), key=lambda b: b[0], default=(0, [])
            )
            step = step_of.get(name)
            if step is not None and step not in chain:
                time, chain = time + step.duration_ms, [*chain, step]
            best[name] = time, chain
        return best[target]

    chains = [longest(output) for step in steps for output in step.outputs]
    return max(chains, key=lambda c: c[0], default=(0, []))[1]


def lanes(steps: Sequence[LoggedStep]) -> list[tuple[LoggedStep, int]]:
    """The steps by start, each with the number of a lane in which nothing else ran at that time."""
    ends: list[int] = []
    placed = []
    for step in sorted(steps, key=lambda s: (s.start_ms, -s.end_ms)):
        lane = next((i for i, end in enumerate(ends) if end <= step.start_ms), len(ends))
        if lane == len(ends):
            ends.append(0)
        ends[lane] = step.end_ms
        placed.append((step, lane))
    return placed
