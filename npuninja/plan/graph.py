"""The graph: edges as data, checked while they are collected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cached_property

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError, UserError
from npuninja.records import KW_ONLY, field, record

if TYPE_CHECKING:
    from typing import Any


@record(frozen=True)
class Edge:
    """One command of the build, or an alias (rule `phony`).

    Attributes:
        rule: the name of a rule of build.ninja.in.
        outputs: files made; the first is the one the depfile names.
        inputs: files read, in the order of the command line.
        implicit: files read that are not on the command line in that order.
        validations: files to be made too when this edge's outputs are wanted, though nothing waits for them.
        implicit_outputs: files made that are not part of `$out`.
        options: words of the command line, unescaped; the rule's `$options`.
        owner: "design passthrough", "kernel passthrough.o": for messages and comments.
        compile_command: the compiler's own, where the edge compiles a source, for compile_commands.json.
    """

    rule: str
    outputs: tuple[str, ...]
    _: KW_ONLY
    inputs: tuple[str, ...] = ()
    implicit: tuple[str, ...] = ()
    implicit_outputs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    owner: str = ""
    compile_command: tuple[str, ...] = ()
    validations: tuple[str, ...] = ()


@record(frozen=True)
class Batch:
    """Edges that one command runs, in an order in which each finds its inputs.

    Attributes:
        edges: two or more.
        name: a path in the build folder that no output has; what is kept of the command begins with it.
    """

    edges: tuple[Edge, ...]
    name: str

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """All files made."""
        return tuple(path for edge in self.edges for path in (*edge.outputs, *edge.implicit_outputs))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """All files read that the batch does not make itself, each once."""
        made = set(self.outputs)
        read = dict.fromkeys(path for edge in self.edges for path in (*edge.inputs, *edge.implicit))
        return tuple(path for path in read if path not in made)


@record
class Graph:
    """All edges of a build.

    Attributes:
        rules: the rules there are; an edge of another rule is our bug.
        variables: what the rules' variables stand for: words of command lines, unescaped.
        defaults: what is built when no target is named.
        remote_rules: the rules of commands that another machine runs.
        edges: one for each stage, file and alias.
        batches: the edges that share a command.
    """

    rules: frozenset[str]
    variables: dict[str, tuple[str, ...]]
    defaults: tuple[str, ...] = ()
    remote_rules: frozenset[str] = frozenset()
    edges: list[Edge] = field(default_factory=list)
    batches: tuple[Batch, ...] = ()
    _made_by: dict[str, Edge] = field(default_factory=dict)

    def add(self, edge: Edge) -> None:
        """Takes an edge in.

        Raises:
            UserError: build.ninja.in lacks its rule.
            InternalError: an output of it is made already.
        """
        if edge.rule != "phony" and edge.rule not in self.rules:
            raise UserError(
                f"{edge.owner}: there is no rule {edge.rule!r} in build.ninja.in",
                hint="a line @RULES@ in it stands for the rules of all stages; "
                "the shipped one has the others",
            )
        if not edge.outputs:
            raise InternalError(f"{edge.owner}: an edge of rule {edge.rule!r} has no output")
        for output in (*edge.outputs, *edge.implicit_outputs):
            other = self._made_by.get(output)
            if other:
                raise InternalError(f"{output} is made twice: for {other.owner} and for {edge.owner}")
            self._made_by[output] = edge
        self.edges.append(edge)

    def back_to(self, count: int) -> None:
        """Forgets all edges after the first `count`: a design could not be planned to its end."""
        for edge in self.edges[count:]:
            for output in (*edge.outputs, *edge.implicit_outputs):
                del self._made_by[output]
        del self.edges[count:]

    @property
    def outputs(self) -> Iterable[str]:
        """All that the edges make."""
        return self._made_by.keys()

    def makes(self, output: str) -> bool:
        """Whether an edge makes this file."""
        return output in self._made_by

    def check(self) -> None:
        """Raises InternalError when files depend on themselves, naming the circle."""
        done: set[str] = set()
        for start in self._made_by:
            if start in done:
                continue
            path: list[str] = []
            active: set[str] = set()
            stack: list[tuple[str, Iterator[str]]] = [(start, self._needs(start))]
            path.append(start)
            active.add(start)
            while stack:
                name, needs = stack[-1]
                following = next(needs, None)
                if following is None:
                    stack.pop()
                    path.pop()
                    active.discard(name)
                    done.add(name)
                elif following in active:
                    circle = [*path[path.index(following) :], following]
                    raise InternalError("files depend on themselves: " + " needs ".join(circle))
                elif following not in done:
                    stack.append((following, self._needs(following)))
                    path.append(following)
                    active.add(following)

    def commands(self) -> Iterator[Edge | Batch]:
        """What is run, and aliases: every edge, those of a batch together in the place of its first."""
        batch_of = {id(edge): batch for batch in self.batches for edge in batch.edges}
        done: set[str] = set()
        for edge in self.edges:
            batch = batch_of.get(id(edge))
            if batch is None:
                yield edge
            elif batch.name not in done:
                done.add(batch.name)
                yield batch

    def _needs(self, name: str) -> Iterator[str]:
        edge = self._made_by.get(name)
        return iter((*edge.inputs, *edge.implicit) if edge else ())

    def as_json(self) -> dict[str, Any]:
        """The graph as plain data, the content of graph.json."""
        batch_of = {id(edge): batch.name for batch in self.batches for edge in batch.edges}
        return {
            "format": 1,
            "variables": {name: list(words) for name, words in self.variables.items()},
            "defaults": list(self.defaults),
            "edges": [
                {
                    "rule": edge.rule,
                    "outputs": [*edge.outputs, *edge.implicit_outputs],
                    "inputs": list(edge.inputs),
                    "implicit": list(edge.implicit),
                    "validations": list(edge.validations),
                    "options": list(edge.options),
                    "for": edge.owner,
                    "batch": batch_of.get(id(edge), ""),
                }
                for edge in self.edges
            ],
        }

    def digest(self) -> str:
        """A hash of the whole graph: equal digests, equal builds."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()
