"""The graph of a build as configure.py recorded it, for packages: what made a file, by which command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from npuninja.errors import UserError
from npuninja.packaging.places import BuildFolders
from npuninja.records import NamedTuple

# Options that only say where folders are, with a value each. They see to it that no result depends on that.
PLACE_OPTIONS = ("--prefix-map", "--cache", "--lock", "--modules")
STAGES = "@STAGES@"
# How the shell starts a command: no part of what was done.
EXEC = "@EXEC@"


class RecordedStep(NamedTuple):
    """One command of a build in portable names, and the files that it made."""

    outputs: tuple[str, ...]
    command: str


def _is_graph(content: Any) -> bool:
    """Whether a content has the form of graph.json, as far as it is read here."""
    if not isinstance(content, dict) or not isinstance(content.get("variables"), dict):
        return False
    edges = content.get("edges")
    return isinstance(edges, list) and all(
        isinstance(edge, dict)
        and isinstance(edge.get("rule"), str)
        and all(_all_texts(edge.get(key)) for key in ("outputs", "inputs", "implicit", "options"))
        for edge in edges
    )


def _all_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


class BuildGraph:
    """The edges of graph.json.

    Args:
        content: of graph.json.
        commands: rule -> its command; `@NAME@` stands for the words of a variable, `$in`, `$out`, `$options`
            for the edge's.

    Raises:
        UserError: the content is not what configure.py writes.
    """

    def __init__(self, content: Mapping[str, Any], commands: Mapping[str, str]) -> None:
        if not _is_graph(content):
            raise UserError(
                "the build's graph.json is damaged", hint="python configure.py --fresh writes it again"
            )
        self._variables: Mapping[str, Sequence[str]] = content["variables"]
        self._commands = commands
        self._edges: list[Mapping[str, Any]] = content["edges"]
        self._made_by = {path: edge for edge in self._edges for path in edge["outputs"]}

    def behind(self, files: Iterable[str]) -> tuple[list[Mapping[str, Any]], list[str]]:
        """The edges that make these files and what they need, each after those that it needs; and the files
        that no edge makes, sorted.
        """
        edges: dict[int, Mapping[str, Any]] = {}
        given: set[str] = set()
        pending = [(path, False) for path in sorted(files, reverse=True)]
        while pending:
            path, ready = pending.pop()
            edge = self._made_by.get(path)
            if edge is None:
                given.add(path)
            elif ready:
                edges.setdefault(id(edge), edge)
            elif id(edge) not in edges:
                pending.append((path, True))
                pending += [
                    (need, False) for need in sorted((*edge["inputs"], *edge["implicit"]), reverse=True)
                ]
        return list(edges.values()), sorted(given)

    def words(self, edge: Mapping[str, Any]) -> list[str]:
        """The command line of an edge, without the options that only say where folders are."""
        files = {"$in": edge["inputs"], "$out": edge["outputs"][:1], "$out.d": [edge["outputs"][0] + ".d"]}
        words: list[str] = []
        for word in self._commands[edge["rule"]].split():
            if word in files:
                words += files[word]
            elif word == "$options":
                words += edge["options"]
            elif word == STAGES:
                words.append("npuninja/stages")
            elif word == EXEC:
                continue
            elif word.startswith("@") and word.endswith("@"):
                words += self._variables[word.strip("@").lower()]
            else:
                words.append(word)
        return _without_places(words)

    def step(self, edge: Mapping[str, Any], folders: BuildFolders) -> RecordedStep:
        """An edge as a command in portable names."""
        known = {*edge["inputs"], *edge["implicit"], *edge["outputs"], edge["outputs"][0] + ".d"}
        words = [_portable_word(word, known, folders) for word in self.words(edge)]
        return RecordedStep(tuple(sorted(map(folders.portable, edge["outputs"]))), shlex.join(words))

    def stage(self, edge: Mapping[str, Any]) -> str:
        """The stage that an edge runs; "" when it runs none."""
        _, _, behind = self._commands.get(edge["rule"], "").partition(f"{STAGES} ")
        words = behind.split()
        if words[:1] == ["--lock"]:  # what follows it is the lock of the build folder
            words = words[2:]
        return words[0] if words else ""


def _portable_word(word: str, known: set[str], folders: BuildFolders) -> str:
    identity = folders.identity(word)
    if identity:
        return identity
    head, equals, tail = word.rpartition("=")
    if tail in known or os.path.isabs(tail):
        return f"{head}{equals}{folders.portable(tail)}"
    return word


def _without_places(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in PLACE_OPTIONS:
            next(rest)
        else:
            kept.append(word)
    return kept
