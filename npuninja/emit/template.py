"""build.ninja.in, read: its rules and those of the table of stages, and what a user added to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from npuninja.emit.batch import BatchPart, parts_of
from npuninja.emit.escape import command_value
from npuninja.emit.ninja_text import NinjaText, read_ninja
from npuninja.emit.stage_rules import RULES, TOOLS, complete
from npuninja.errors import Location, UserError
from npuninja.plan.graph import Graph

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


class Template:
    """A build.ninja.in.

    Args:
        text: its content.
        file: its name, for messages.
        tools: the variables that stand for tools, which `@TOOLS@` is replaced by.
        shipped: the text in front of it: a project need not repeat the rules that come with npuninja.

    Raises:
        UserError: a line is not Ninja's language; located.
    """

    def __init__(self, text: str, file: str, tools: Iterable[str] = (), shipped: str = "") -> None:
        self.file = file
        self.text = text
        """What the user wrote."""
        self._own_text = text.replace(RULES, "\n").replace(TOOLS, "\n")
        self.own = read_ninja(self._own_text, file)
        """The statements that the user wrote."""
        whole = f"{shipped.rstrip()}\n\n# Of this project.\n\n{text}" if shipped else text
        self.whole = complete(whole, {*self.own.rules, *self.own.variables}, tools)
        """The text with all rules."""

    @cached_property
    def rules(self) -> Mapping[str, Mapping[str, str]]:
        """Every rule with its variables, placeholders and dollars as they are."""
        return read_ninja(self.whole, self.file).rules

    @cached_property
    def batch_parts(self) -> Mapping[str, BatchPart]:
        """The rules that can be parts of a batch."""
        return parts_of(self.rules)

    def commands(self) -> dict[str, str]:
        """The command of each rule, with its placeholders, and `$in`, `$out`, `$options`."""
        read, own = read_ninja(self.whole, self.file), {name: f"${name}" for name in ("in", "out", "options")}
        return {rule: read.value(rule, "command", own) for rule in read.rules}

    def fill(self, graph: Graph, placeholders: Mapping[str, tuple[str, ...]]) -> str:
        """The text, filled by the graph's variables and by `placeholders`, which are words of command lines.

        Raises:
            UserError: there is no value for a placeholder; located.
        """
        values = {name.upper(): command_value(words) for name, words in graph.variables.items()}
        values.update({name: command_value(words) for name, words in placeholders.items()})
        fill(self._own_text, self.file, values)  # so that an unknown one is located where the user wrote it
        return fill(self.whole, self.file, values)

    def filled(self, graph: Graph, placeholders: Mapping[str, tuple[str, ...]]) -> NinjaText:
        """The filled template as statements, for generators other than Ninja."""
        return read_ninja(self.fill(graph, placeholders), self.file)

    def check(self, graph: Graph) -> None:
        """Raises UserError when a statement of the user's makes what the build makes already; located."""
        made: dict[str, int] = {}
        for build in self.own.builds:
            for path in (*build.outputs, *build.implicit_outputs):
                if graph.makes(path) or path in made:
                    raise UserError(
                        f"{path!r} is made twice: by this statement and by "
                        + (f"that of line {made[path]}" if path in made else "the build of the designs"),
                        Location(self.file, build.line),
                        hint="give it another name",
                    )
                made[path] = build.line


def fill(text: str, file: str, values: Mapping[str, str]) -> str:
    """Puts values (escaped already) in place of `@NAME@`.

    Raises:
        UserError: there is no value for a placeholder; located.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            raise UserError(
                f"there is no value for {match[0]}",
                Location(file, line, column),
                hint="known: " + ", ".join(f"@{known}@" for known in sorted(values)),
            )
        return values[name]

    return _PLACEHOLDER.sub(value, text)
