"""`configure.py --why TARGET`: why a target would be built now. Ninja's answer, put into order and words."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping

from npuninja import TYPE_CHECKING
from npuninja.build_places import BUILD_FILE
from npuninja.configure.built import ninja_program
from npuninja.emit.build_log import as_run
from npuninja.errors import ToolError, UserError
from npuninja.files import write_if_changed
from npuninja.plan.layout import GRAPH, Layout
from npuninja.records import record
from npuninja.stages.table import digested_stages, modules_variable
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any

PREVIOUS = "graph.previous.json"
# Causes that are shown; more than a few mean "nearly everything", and nobody reads them.
SHOWN = 5

# What `ninja -d explain` (1.11 to 1.13) prints, and its meaning. Group 1 is the output, group 2 its input.
_MESSAGES: tuple[tuple[str, str], ...] = (
    # output a.o doesn't exist
    (r"output (.+) of phony edge with no inputs doesn't exist", "missing"),
    (r"output (.+) doesn't exist", "missing"),
    # output a.o older than most recent input a.h (17 vs 18); restat of …; recorded mtime of …
    (r"(?:restat of )?output (.+) older than most recent input (.+) \(-?\d+ vs -?\d+\)", "older"),
    (r"recorded mtime of (.+) older than most recent input (.+) \(-?\d+ vs -?\d+\)", "older"),
    (r"command line changed for (.+)", "command"),
    (r"command line not found in log for (.+)", "unlogged"),
    (r"deps for '(.+)' are missing", "unlogged"),
    (r"stored deps info out of date for '(.+)' \(-?\d+ vs -?\d+\)", "touched"),
    (r"(.+) has no in-edge and is missing", "vanished"),
)


@record(frozen=True)
class Reason:
    """Why one file is built: the kind of reason (see `_MESSAGES`), and the input it names, or ""."""

    kind: str
    source: str = ""


def remember_graph(build_folder: str, text: str) -> bool:
    """Writes graph.json when it changed, and keeps the one before beside it. Returns whether it changed."""
    path = os.path.join(build_folder, GRAPH)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            before = stream.read()
    except OSError:
        before = ""
    if before and before != text:
        write_if_changed(os.path.join(build_folder, PREVIOUS), before)
    return write_if_changed(path, text)


def why(target: str, layout: Layout) -> str:
    """The answer, in a few lines. Configures first where Ninja would: it may change what is to be built.

    Raises:
        UserError: there is no such target, or nothing is configured.
        ToolError: Ninja is missing or fails.
    """
    if not os.path.isfile(os.path.join(layout.ninja_folder, BUILD_FILE)):
        raise UserError(
            f"nothing is configured in {layout.ninja_folder}", hint="run configure.py without --why first"
        )
    configured = "CONFIGURE" in _ninja(layout, BUILD_FILE)
    graph = _read(os.path.join(layout.build_folder, GRAPH)) or {"edges": [], "variables": {}}
    edges = {output: edge for edge in as_run(graph["edges"]) for output in edge["outputs"]}
    name = _meant(target, edges, layout)
    reasons = _for_all_outputs(_parse(_ninja(layout, "-n", "-d", "explain", name)), edges)
    lines = (
        ["configure.py had to run again first: something that it looked at had changed"] if configured else []
    )
    chains = list(_chains(name, edges, reasons))
    if not chains:
        what = "is up to date: nothing that it depends on has changed since it was made"
        if os.sep not in name:
            phony = edges[name]["rule"] == "phony"
            what = "stands for files that are up to date" if phony else "makes no file, so it always runs"
        return "\n".join([*lines, f"{name} {what}"]) + "\n"
    previous = _read(os.path.join(layout.build_folder, PREVIOUS))
    lines.append(f"{name} would be built, because")
    for chain in chains[:SHOWN]:
        lines += ["  " * (i + 1) + f"{file} is built before it, because" for i, file in enumerate(chain[1:])]
        cause = _in_words(chain, reasons[chain[-1]], graph, previous, edges, layout.ninja_folder)
        lines += ["  " * (len(chain)) + line for line in cause]
    if len(chains) > SHOWN:
        lines.append(f"  … and {len(chains) - SHOWN} more causes")
    if any(len(chain) > 1 for chain in chains):
        lines.append("Where a file on the way comes out the same, the rebuild ends there.")
    return "\n".join(lines) + "\n"


def _ninja(layout: Layout, *arguments: str) -> str:
    """What Ninja prints, both streams together."""
    command = [ninja_program(), "-C", layout.ninja_folder, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"ninja failed with exit code {done.returncode}", notes=((done.stdout.strip(), None),)
        )
    return done.stdout


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            content = json.load(stream)
        return content if isinstance(content, dict) else None
    except (OSError, ValueError, RecursionError):
        return None


def _meant(target: str, edges: Mapping[str, Any], layout: Layout) -> str:
    """The target as build.ninja names it: by that name, by a path from here, or by the end of a path."""
    for name in (target, os.path.relpath(os.path.abspath(target), layout.ninja_folder)):
        if name in edges:
            return name
    ends = sorted(name for name in edges if name.endswith("/" + target))
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise UserError(f"{target!r} could be {' or '.join(ends[:5])}", hint="give the whole path")
    known = {os.path.basename(name): None for name in edges}
    hint = did_you_mean(os.path.basename(target), known, most=3)
    raise UserError(f"there is no target {target!r}", hint=hint)


def _parse(printed: str) -> dict[str, Reason]:
    """The first reason for each output that Ninja gives; "is dirty" only repeats another file's reason."""
    reasons: dict[str, Reason] = {}
    for line in printed.splitlines():
        text = line.removeprefix("ninja explain: ")
        if text == line:
            continue
        for pattern, kind in _MESSAGES:
            match = re.fullmatch(pattern, text)
            if match:
                reasons.setdefault(match[1], Reason(kind, match[2] if match.lastindex == 2 else ""))
                break
    return reasons


def _for_all_outputs(reasons: dict[str, Reason], edges: Mapping[str, Any]) -> dict[str, Reason]:
    """The reasons, with that of another command given to all its outputs; Ninja names only the first."""
    changed = [
        (output, reason) for output, reason in reasons.items() if reason.kind == "command" and output in edges
    ]
    every = {other: reason for output, reason in changed for other in edges[output]["outputs"]}
    return {**every, **reasons}


def _chains(target: str, edges: Mapping[str, Any], reasons: Mapping[str, Reason]) -> Iterator[list[str]]:
    """The ways from the target to each file with a reason of its own, shortest first; each cause once."""
    waiting, seen = [[target]], {target}
    while waiting:
        chain = waiting.pop(0)
        edge = edges.get(chain[-1])
        together = edge["outputs"] if edge else [chain[-1]]
        own = next((name for name in (chain[-1], *together) if name in reasons), None)
        below = [name for name in [*edge["inputs"], *edge["implicit"]] if name not in seen] if edge else []
        # One file stands for all that its command makes.
        first = {id(edges[name]) if name in edges else name: name for name in reversed(below)}
        below = [name for name in below if name in first.values()]
        seen.update(below, *(edges[name]["outputs"] for name in below if name in edges))
        # A name that is no file (`all`, `run`) does not exist by nature; the reason lies below it.
        if own is not None and (edge is None or os.sep in own):
            yield [*chain[:-1], own]
        waiting += [[*chain, name] for name in below]


def _in_words(
    chain: list[str],
    reason: Reason,
    graph: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    edges: Mapping[str, Any],
    folder: str,
) -> list[str]:
    """The sentences for one cause, which is that of the last file of a chain."""
    file = chain[-1]
    if reason.kind == "missing" or (
        reason.kind == "unlogged" and not os.path.exists(os.path.join(folder, file))
    ):
        before = {name for e in (previous or {"edges": []})["edges"] for name in e["outputs"]}
        if chain[1:] and file not in before and chain[-2] in before:
            first = [
                f"{file} is new, since the command that makes {chain[-2]} is another one than last time:"
            ]
            return [*first, *_differences(chain[-2], graph, previous, edges, folder)]
        return [f"{file} does not exist"]
    if reason.kind == "vanished":
        return [f"{file} is gone, and nothing makes it"]
    if reason.kind == "older":
        made, changed = _clock(os.path.join(folder, file)), _clock(os.path.join(folder, reason.source))
        return [f"{reason.source} was changed ({changed}) after {file} was made ({made})"]
    if reason.kind == "touched":
        return [f"{file} was changed by something else than the build"]
    if reason.kind == "unlogged":
        return [f"Ninja has no record of how {file} was made"]
    differences = _differences(file, graph, previous, edges, folder)
    return [f"the command that makes {file} is another one than last time:", *differences]


def _clock(path: str) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(os.stat(path).st_mtime))
    except OSError:
        return "gone"


def _differences(
    file: str,
    graph: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    edges: Mapping[str, Any],
    folder: str,
) -> list[str]:
    """What is different in the command of `file`, as far as the graph before this one shows."""
    stages = edges[file].get("stages", [edges[file]])
    before = {output: edge for edge in (previous or {"edges": []})["edges"] for output in edge["outputs"]}
    if previous is None or not any(output in before for stage in stages for output in stage["outputs"]):
        return ["  what it was is not recorded"]
    lines = [line for stage in stages for line in _stage_differences(stage, before)]
    command = "".join(_command(stage["rule"], folder) for stage in stages)
    lines += _variable_differences(command, graph["variables"], previous["variables"])
    return lines or ["  it changed before the last configure"]


def _stage_differences(stage: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Between a stage and the one that made the same file before."""
    old = next((before[output] for output in stage["outputs"] if output in before), None)
    if old is None:
        return [f"  new stage: {stage['rule']}"]
    lines = []
    if old["rule"] != stage["rule"]:
        lines.append(f"  it was made by rule {old['rule']}, now it is by rule {stage['rule']}")
    for what, words, others in (("gone", old, stage), ("new", stage, old)):
        only = [word for word in words["options"] if word not in others["options"]]
        lines += [f"  {what}: {' '.join(only)}"] if only else []
    return lines


def _variable_differences(command: str, now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """Between the variables that a command names and those of the graph before; its Python counts always."""
    modules_of = {modules_variable(stage): stage for stage in digested_stages()}
    lines = []
    for name, words in now.items():
        was = then.get(name, [])
        if was == words or not (f"${name}" in command or name == "python"):
            continue
        if name in modules_of:
            lines.append(f"  npuninja's stage {modules_of[name]} consists of other modules than then")
        else:
            lines.append(f"  {name} was {' '.join(was) or 'nothing'}, is {' '.join(words) or 'nothing'}")
    return lines


def _command(rule: str, folder: str) -> str:
    """The command of a rule in build.ninja, with `$variables`."""
    with open(os.path.join(folder, BUILD_FILE), encoding="utf-8", errors="surrogateescape") as stream:
        match = re.search(rf"^rule {re.escape(rule)}\n  command = (.*)$", stream.read(), re.MULTILINE)
    return match[1] if match else ""
