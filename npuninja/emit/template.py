"""build.ninja.in, read: its rules and those of the table of stages, and what a user added to it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from npuninja.emit.batch import BatchPart, parts_of
from npuninja.emit.escape import command_value
from npuninja.emit.ninja_text import Load, NinjaText, read_ninja
from npuninja.emit.stage_rules import RULES, TOOLS, filled_in
from npuninja.errors import Location, UserError
from npuninja.plan.graph import Graph
from npuninja.records import NamedTuple
from npuninja.suggestions import did_you_mean

# With two signs on either side it stands for itself; all other at signs do so anyway.
_PLACEHOLDER = re.compile(r"@(@[A-Z][A-Z0-9_]*@)@|@([A-Z][A-Z0-9_]*)@")


class OwnOutput(NamedTuple):
    """What a statement of the user's makes: where that stands, its rule, what it waits for (normal paths)."""

    place: Location
    rule: str
    needs: tuple[str, ...]


class Template:
    """A build.ninja.in.

    Args:
        text: its content.
        file: its name, for messages.
        tools: the variables that stand for tools, which `@TOOLS@` is replaced by.
        shipped: the text in front of it: a project need not repeat the rules that come with npuninja.
        build_folder: what `@BUILD_FOLDER@` stands for, where it is known already.
        load: reads what it includes.

    Raises:
        UserError: a line is not Ninja's language, or a rule or pool has the name of one that is there;
            located.
    """

    def __init__(
        self,
        text: str,
        file: str,
        tools: Iterable[str] = (),
        shipped: str = "",
        *,
        build_folder: str = "@BUILD_FOLDER@",
        load: Load | None = None,
    ) -> None:
        self.file = file
        self._load = load
        lines = text.split("\n")
        self._own_text = _without_ours(text)
        known, own_text = (
            t.replace("@BUILD_FOLDER@", build_folder) for t in (_without_ours(shipped), self._own_text)
        )
        above = read_ninja(known, file)
        self.own = read_ninja(own_text, file, load=load, variables=above.variables)
        """The statements that the user wrote."""
        _check_names(self.own, above)
        own = {name for _, name in self.own.locations}
        instead = filled_in(own, tools)
        head = [*shipped.rstrip().split("\n"), "", "# Of this project.", ""] if shipped else []
        numbered = [*((line, 0) for line in head), *((line, i) for i, line in enumerate(lines, 1))]
        whole = [
            pair
            for line, number in numbered
            for pair in ([(other, 0) for other in instead[line]] if line in instead else [(line, number)])
        ]
        self.whole = "\n".join(line for line, _ in whole)
        """The text with all rules."""
        self.lines = [number for _, number in whole]
        """For each line of it the number that it has in the user's text; 0 for ours."""

    @cached_property
    def rules(self) -> Mapping[str, Mapping[str, str]]:
        """Every rule with its variables, placeholders and dollars as they are."""
        return self._read(self.whole).rules

    @cached_property
    def batch_parts(self) -> Mapping[str, BatchPart]:
        """The rules that can be parts of a batch."""
        return parts_of(self.rules)

    @cached_property
    def outputs(self) -> Mapping[str, OwnOutput]:
        """What the user's own statements make, those of included files too, by normal paths.

        Raises:
            UserError: two of them make the same; located.
        """
        found: dict[str, OwnOutput] = {}
        for text in self.own.all_files():
            for build in text.builds:
                needs = tuple(map(posixpath.normpath, (*build.inputs, *build.implicit, *build.order_only)))
                output = OwnOutput(Location(text.file, build.line), build.rule, needs)
                for path in map(posixpath.normpath, (*build.outputs, *build.implicit_outputs)):
                    if path in found:
                        raise _made_twice(path, output.place, f"that of {found[path].place}")
                    found[path] = output
        return found

    @property
    def included(self) -> list[NinjaText]:
        """The files that the user's text includes, and those that they include."""
        return [text for text in self.own.all_files() if text is not self.own]

    def included_by(self, path: str) -> NinjaText | None:
        """The file that is included by this path; None when none is."""
        loaded = self._load(path) if self._load else None
        return next((text for text in self.included if loaded and text.file == loaded[0]), None)

    def commands(self) -> dict[str, str]:
        """The command of each rule, with its placeholders, and `$in`, `$out`, `$options`."""
        read, own = self._read(self.whole), {name: f"${name}" for name in ("in", "out", "options")}
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
        """The same, read, with the user's line numbers: for generators other than Ninja."""
        return self._read(self.fill(graph, placeholders))

    def check(self, graph: Graph, configured: Iterable[str] = ()) -> None:
        """Checks that the user's statements make nothing that is made anyhow.

        Args:
            graph: the build of the designs.
            configured: what configure.py writes.

        Raises:
            UserError: one of them does; located.
        """
        if not self.outputs:
            return
        by = dict.fromkeys(map(posixpath.normpath, graph.outputs), "the build of the designs")
        by |= dict.fromkeys(map(posixpath.normpath, configured), "configure.py")
        for path, output in self.outputs.items():
            if path in by:
                raise _made_twice(path, output.place, by[path])

    def made_of_sources(self, graph: Graph) -> dict[str, OwnOutput]:
        """Those of `outputs` that can be made before anything of the build is; names of nothing left out."""
        built = set(map(posixpath.normpath, graph.outputs)) if self.outputs else set()

        def sources_only(path: str) -> bool:
            pending, seen = [path], set()
            while pending:
                name = pending.pop()
                if name in built:
                    return False
                if name in self.outputs and name not in seen:
                    seen.add(name)
                    pending += self.outputs[name].needs
            return True

        return {
            path: output
            for path, output in self.outputs.items()
            if output.rule != "phony" and sources_only(path)
        }

    def _read(self, text: str) -> NinjaText:
        return read_ninja(text, self.file, load=self._load, lines=self.lines)


def fill(text: str, file: str, values: Mapping[str, str]) -> str:
    """Puts values (escaped already) in place of `@NAME@`, and `@NAME@` in place of `@@NAME@@`.

    Raises:
        UserError: there is no value for a placeholder; located.
    """

    def value(match: re.Match[str]) -> str:
        itself, name = match.groups()
        if itself:
            return str(itself)
        if name not in values:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            raise UserError(
                f"there is no value for {match[0]}",
                Location(file, line, column),
                hint=did_you_mean(name, values, f"for {match[0]} itself, write @{match[0]}@"),
            )
        return values[name]

    return _PLACEHOLDER.sub(value, text)


def _without_ours(text: str) -> str:
    return "\n".join("" if line in (RULES, TOOLS) else line for line in text.split("\n"))


def _check_names(own: NinjaText, shipped: NinjaText) -> None:
    """UserError when a rule or a pool has the name of one that npuninja writes out itself."""
    for (kind, name), place in own.locations.items():
        if kind != "variable" and (kind, name) in shipped.locations:
            raise UserError(
                f"npuninja has a {kind} {name!r} itself",
                place,
                hint=f"give yours another name: {kind}s that come with npuninja are in every build.ninja",
            )


def _made_twice(path: str, place: Location, other: str) -> UserError:
    return UserError(
        f"{path!r} is made twice: by this statement and by {other}", place, hint="give it another name"
    )
