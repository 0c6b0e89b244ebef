"""The state of a walk through a script: variables, folder, what is caught, and the commands found so far."""

from __future__ import annotations

import os
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from npuninja.porting.found import ShellCommand
from npuninja.porting.shell.conditions import Conditions
from npuninja.porting.shell.expansion import UNKNOWN, Expansion, Variables, bound_elements, bound_text
from npuninja.porting.shell.parse import ASSIGNMENT, elements_of
from npuninja.porting.shell.paths import ForeignPaths
from npuninja.porting.shell.tree import Node, Redirect, Simple

# What is the build's own business here, or a shell's.
_NOT_HANDED_ON = ("PATH", "LD_LIBRARY_PATH", "PWD", "OLDPWD", "SHLVL", "_")


@dataclass
class Walked:
    """What a walk found.

    Attributes:
        commands: in order.
        stopped: where and why the script ended itself early; "" when it came to its end.
        assumed: conditions that were taken as they must be for the script to go on, with their lines.
    """

    commands: list[ShellCommand] = field(default_factory=list)
    stopped: str = ""
    assumed: list[str] = field(default_factory=list)


class Exit(Exception):
    """The script ends itself; `failed`: with another code than 0."""

    def __init__(self, failed: bool) -> None:
        super().__init__()
        self.failed = failed


class Return(Exception):
    """A function or a file that was read ends; its only argument is whether it succeeds."""


class LoopLeft(Exception):
    """`break` or `continue` (`name`) of so many loops."""

    def __init__(self, name: str, levels: int) -> None:
        super().__init__()
        self.name, self.levels = name, levels


class Shell(ABC):
    """The state of one shell. What goes through its parts is `walk`, what it does itself is in `builtins`."""

    def __init__(
        self,
        variables: Variables,
        folder: str,
        paths: ForeignPaths,
        walked: Walked,
        exported: set[str],
        depth: int = 0,
    ) -> None:
        self.folder, self.paths, self.walked = folder, paths, walked
        self.line = 0
        self.said: list[str] = []
        self.exported, self.depth = exported, depth
        self.name = ""
        self.functions: dict[str, Node] = {}
        self.printed: list[list[str]] = []  # by what catches it
        self.steps = [0]
        self.use(variables)
        self.conditions = Conditions(paths, lambda: self.folder)

    @abstractmethod
    def node(self, node: Node) -> bool | None:
        """Goes through a part; whether it succeeds, None when only a run could tell."""

    @abstractmethod
    def output_of(self, text: str) -> str:
        """What the commands of `$(…)` print."""

    def use(self, variables: Variables) -> None:
        """Goes on with these variables."""
        self.variables = variables
        self.expansion = Expansion(variables, self.output_of, lambda: self.folder)

    def fields(self, words: Sequence[str]) -> list[str]:
        """Written words, expanded."""
        return [field for word in words for field in self.expansion.fields(word)]

    def print(self, text: str) -> None:
        """Keeps what the script prints: for the innermost capture, else its lines for the import's report."""
        if self.printed:
            self.printed[-1].append(text)
        else:
            self.said += [line for line in text.splitlines() if re.search(r"\w", line)]

    @contextmanager
    def into(self, redirects: Sequence[Redirect]) -> Iterator[None]:
        """Around a part whose output goes into a file: that of its only command."""
        begun = len(self.walked.commands)
        yield
        target = self.target(redirects)
        if target and len(self.walked.commands) == begun + 1 and not self.walked.commands[begun].stdout:
            self.walked.commands[begun] = replace(self.walked.commands[begun], stdout=target)

    def target(self, redirects: Sequence[Redirect]) -> str:
        """The file that takes the output; "" for none."""
        target = ""
        for redirect in redirects:
            if redirect.operator in (">", ">>", ">|") and redirect.descriptor in ("", "1", "&"):
                path = self.expansion.text(redirect.target)
                if path not in ("/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty"):
                    target = self.paths.here(os.path.join(self.folder, path))
                    self.paths.named.add(target)
        return target

    def assign(self, raw: str) -> None:
        """`NAME=value`, `NAME+=value`, `NAME=(…)`, `NAME[1]=value`, as it is written."""
        match = ASSIGNMENT.match(raw)
        assert match is not None
        name, index, more, value = match[1], match[2], match[3] == "+=", raw[match.end() :]
        values = self.variables.values
        if value.startswith("(") and value.endswith(")"):
            made: list[str] = []
            for element in elements_of(value[1:-1], self.name):
                key = re.match(r"\[([^\]]+)\]=", element)
                if key:
                    name_of = f"{name}[{self.expansion.text(key[1])}]"
                    values[name_of] = [self.expansion.text(element[key.end() :])]
                    made += values[name_of]
                else:
                    made += self.expansion.fields(element)
            values[name] = values.get(name, []) + made if more else made
            return
        text = self.expansion.text(value)
        if index is not None:
            key_text = self.expansion.text(index)
            elements = values.setdefault(name, [])
            if key_text.isascii() and key_text.isdigit():
                bound_elements(int(key_text[:18]))
                elements += [""] * (int(key_text) + 1 - len(elements))
                elements[int(key_text)] = text
            else:
                values[f"{name}[{key_text}]"] = [text]
                elements.append(text)
            return
        values[name] = [self.variables.text(name) + text] if more else [text]
        bound_text(len(values[name][0]))

    def record(self, words: list[str], given: list[tuple[str, str]], node: Simple) -> None:
        """A command is one of the script's: with its output's file, its environment, and what it names."""
        words = [self.paths.in_word(word) for word in words]
        target, stdin = self.target(node.redirects), ""
        for redirect in node.redirects:
            if redirect.operator == "<":
                stdin = self.paths.here(os.path.join(self.folder, self.expansion.text(redirect.target)))
            elif redirect.operator in ("<<", "<<-") and words[1:2] in ([], ["-"]):
                words = [words[0], "-c", "…"]  # a program that is in the script itself
        exported = [
            (name, self.variables.text(name))
            for name in sorted(self.exported)
            if name not in _NOT_HANDED_ON and name not in dict(given)
        ]
        kept = tuple(self._of_this_machine([*exported, *given]))
        line = " ".join(word if UNKNOWN in word else shlex.quote(word) for word in words)
        self.walked.commands.append(
            ShellCommand(tuple(words), self.folder, target, kept, line.replace(UNKNOWN, "…"), stdin=stdin)
        )
        self._named(words)

    def _named(self, words: list[str]) -> None:
        """What a command names, it may have made; a copy into a folder makes the file there."""
        for word in words[1:]:
            value = word.partition("=")[2] or word
            if UNKNOWN not in value and not value.startswith("-"):
                self.paths.named.add(os.path.normpath(os.path.join(self.folder, value)))
        if os.path.basename(words[0]) in ("cp", "mv", "ln", "install") and len(words) > 2:
            folder = os.path.join(self.folder, words[-1])
            self.paths.named.update(
                os.path.normpath(os.path.join(folder, os.path.basename(w))) for w in words[1:-1]
            )

    def _of_this_machine(self, variables: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Variables without those that name places elsewhere; of PYTHONPATH, the folders that are here."""
        for name, value in variables:
            if name == "PYTHONPATH":
                parts = (
                    os.path.normpath(os.path.join(self.folder, part)) for part in value.split(":") if part
                )
                value = ":".join(filter(os.path.isdir, map(self.paths.here, parts)))
            if value and not any(map(self.paths.is_strange, value.split(":"))):
                yield name, value

    def document(self, node: Simple) -> str:
        """The text that a command is given as its input in the script itself."""
        for redirect in node.redirects:
            if redirect.operator in ("<<", "<<-"):
                quoted = redirect.target[:1] in ("'", '"', "\\")
                return (
                    redirect.text
                    if quoted
                    else self.expansion.text('"' + redirect.text.replace('"', '\\"') + '"')
                )
            if redirect.operator == "<<<":
                return self.expansion.text(redirect.target)
        return ""
