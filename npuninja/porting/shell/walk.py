"""From the first line of a shell script to its last: its commands in order, and none of them run.

Commands are taken to succeed. A condition that only a run could decide is taken as it must be for the script
to go on: never the side that ends it. Tools and folders outside of the imported tree are taken as there, and
it is said which.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from npuninja.errors import UserError
from npuninja.files import read_file
from npuninja.porting.found import MAX_SOURCE_BYTES
from npuninja.porting.shell.answers import answer
from npuninja.porting.shell.builtins import BUILTINS, Builtins
from npuninja.porting.shell.expansion import UNKNOWN, Variables
from npuninja.porting.shell.in_front import without_front
from npuninja.porting.shell.parse import ASSIGNMENT, parse_script
from npuninja.porting.shell.paths import ForeignPaths
from npuninja.porting.shell.state import Exit, LoopLeft, Return, Walked
from npuninja.porting.shell.tree import (
    AndOr,
    Case,
    CommandList,
    Condition,
    CountingFor,
    For,
    FunctionDefinition,
    If,
    Node,
    Pipeline,
    Simple,
    While,
)

# A script that goes on longer than this in our hands has a loop whose end only a run could tell.
_MOST_STEPS = 20_000
_MOST_DEPTH = 40
#: Commands after which nothing goes on: in a script, and in a function's body, which may return.
_ENDS_SCRIPT, _ENDS_FUNCTION = ("exit", "return", "false", "die"), ("exit",)
_SHELLS = ("bash", "sh", "zsh", "dash")
# Programs at the end of a pipe which only look on.
_LOOK_ON = (
    *("tee", "tail", "head", "grep", "egrep", "cat", "less"),
    *("more", "sed", "awk", "sort", "wc", "ts", "column"),
)


# Programs that are asked for their exit code.
_TELL_BY_THEIR_CODE = ("grep", "diff", "cmp", "pgrep", "lsmod", "curl", "wget")


def walk_script(
    path: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    paths: ForeignPaths,
    text: str | None = None,
) -> Walked:
    """The commands of a script that is begun in its own folder.

    Args:
        path: of the script, absolute.
        arguments: its own.
        environment: variables that it finds.
        paths: of the imported folder; several scripts of a folder share them.
        text: of the script, when it is not that of the file.

    Raises:
        UserError: it is no script that can be read; with the line.
    """
    walked = Walked()
    variables = Variables({name: [value] for name, value in environment.items()}, list(arguments), path)
    walk = _ScriptWalk(variables, os.path.dirname(path), paths, walked, set())
    try:
        walk.file(path, text)
    except Exit as end:
        if end.failed:
            said = f": {walk.said[-1]}" if walk.said else ""
            walked.stopped = f"{os.path.basename(path)}:{walk.line} ends it{said}"
    except (Return, LoopLeft):
        pass
    return walked


class _ScriptWalk(Builtins):
    def file(self, path: str, text: str | None = None) -> None:
        """Goes through a file."""
        if text is None:
            text = read_file(path, MAX_SOURCE_BYTES).decode("utf-8", "replace")
        before, self.name = self.name, os.path.basename(path)
        self.variables.values["BASH_SOURCE"] = [path]
        self.node(parse_script(text, self.name))
        self.name = before

    # --- Parts. What they return is whether they succeed; None when only a run could tell.

    def node(self, node: Node) -> bool | None:
        self.steps[0] += 1
        if self.steps[0] > _MOST_STEPS:
            raise UserError(
                f"{self.name}:{self.line}: only a run shows the end of this loop",
                hint="name the script's own commands in a file, and import that: --script FILE",
            )
        if isinstance(node, Simple):
            return self._simple(node)
        if isinstance(node, Pipeline):
            return self._pipeline(node)
        if isinstance(node, AndOr):
            return self._and_or(node)
        if isinstance(node, CommandList):
            return self._block(node)
        if isinstance(node, If):
            return self._if(node)
        if isinstance(node, For):
            words = self.variables.arguments if node.words is None else self.fields(node.words)
            return self._each(node, list(words))
        if isinstance(node, CountingFor):
            self.expansion.arithmetic(node.begin)
            while self.expansion.arithmetic(node.condition or "1") not in ("0", UNKNOWN):
                if not self._once(node.body):
                    break
                self.expansion.arithmetic(node.step)
            return True
        if isinstance(node, While):
            return self._while(node)
        if isinstance(node, Case):
            return self._case(node)
        if isinstance(node, FunctionDefinition):
            self.functions[node.name] = node.body
            return True
        if isinstance(node, Condition):
            return self.conditions.double(node.words, self.expansion)
        value = self.expansion.arithmetic(node.text)
        return None if value == UNKNOWN else value != "0"

    def _block(self, node: CommandList) -> bool | None:
        result: bool | None = True
        with self.into(node.redirects):
            if node.subshell:
                return self._inside(node)
            for part in node.commands:
                result = self.node(part)
                self.variables.status = UNKNOWN if result is None else "0" if result else "1"
        return result

    def _inside(self, node: CommandList) -> bool | None:
        """A subshell: what it sets stays in it."""
        before, folder = self.variables, self.folder
        self.use(before.copy())
        try:
            return self._block(CommandList(node.commands))
        except Exit as end:
            return not end.failed
        finally:
            self.use(before)
            self.folder = folder

    def _and_or(self, node: AndOr) -> bool | None:
        result = self.node(node.pipelines[0][1])
        for operator, part in node.pipelines[1:]:
            if result is None:
                result = self._ends(part) == (operator == "||")  # what would end the script is not done
            if result == (operator == "&&"):
                result = self.node(part)
        return result

    def _if(self, node: If) -> bool | None:
        for condition, body in node.branches:
            found = self.node(condition)
            if found is None:
                found = not self._ends(body)
                self._assume(found)
            if found:
                return self.node(body)
        return self.node(node.otherwise)

    def _assume(self, found: bool) -> None:
        self.walked.assumed.append(f"{self.name}:{self.line} is taken to be {'true' if found else 'false'}")

    def _ends(self, node: Node, of_script: bool = True) -> bool:
        """Whether a part of a script (or of a function's body) ends it or fails, as far as its words tell."""
        if isinstance(node, Simple):
            name = node.words[0] if node.words else ""
            body = self.functions.get(name) if of_script and name != "main" else None
            if body is not None:  # one level, as functions may call themselves
                return self._ends(body, of_script=False)
            return name in (_ENDS_SCRIPT if of_script else _ENDS_FUNCTION) and node.words[1:2] != ("0",)
        if isinstance(node, (Pipeline, CommandList)):
            return any(self._ends(part, of_script) for part in node.commands)
        if isinstance(node, AndOr):
            return len(node.pipelines) == 1 and self._ends(node.pipelines[0][1], of_script)
        return False

    def _each(self, node: For, words: list[str]) -> bool | None:
        for word in words:
            self.variables.values[node.name] = [word]
            if not self._once(node.body):
                break
        return True

    def _once(self, body: CommandList) -> bool:
        """One turn of a loop; False when it was left."""
        try:
            self.node(body)
        except LoopLeft as left:
            if left.levels > 1:
                raise LoopLeft(left.name, left.levels - 1) from None
            return left.name == "continue"
        return True

    def _while(self, node: While) -> bool | None:
        while True:
            found = self.node(node.condition)
            if found is None or found == node.until or not self._once(node.body):
                return True

    def _case(self, node: Case) -> bool | None:
        word = self.expansion.text(node.word)
        for patterns, body in node.arms:
            if any(fnmatch.fnmatchcase(word, self.expansion.pattern(pattern)) for pattern in patterns):
                return self.node(body)
        return True

    def _pipeline(self, node: Pipeline) -> bool | None:
        result = self._piped(node) if len(node.commands) > 1 else self.node(node.commands[0])
        return None if result is None else result != node.negated

    def _piped(self, node: Pipeline) -> bool | None:
        """The first part is done; those that follow look on, or make of its output what a command makes."""
        if self.printed:
            return self._piped_answers(node)
        begun = len(self.walked.commands)
        result = self._inside(CommandList((node.commands[0],)))
        produced = self.walked.commands[begun:]
        for number, part in enumerate(node.commands[1:], 1):
            words = self.fields(part.words) if isinstance(part, Simple) else []
            program = os.path.basename(words[0]) if words else ""
            target = self.target(part.redirects) if isinstance(part, Simple) else ""
            if program == "tee" and produced:
                files = [os.path.join(self.folder, word) for word in words[1:] if not word.startswith("-")]
                if number == 1 and files and not produced[-1].stdout:
                    self.walked.commands[-1] = replace(produced[-1], stdout=os.path.normpath(files[0]))
                self.paths.named.update(map(os.path.normpath, files))
            elif program not in _LOOK_ON:
                self.node(part)
            elif target and produced:
                # The file has another program's view of the output, which nothing here tells.
                self.walked.commands[-1] = replace(produced[-1], stdout=target, alone=False)
            elif program in ("grep", "egrep") and not produced:
                result = None
        return result

    def _piped_answers(self, node: Pipeline) -> bool | None:
        """Where the output is caught: what each part makes of the text of the one before."""
        text = self.caught(node.commands[0])
        for part in node.commands[1:]:
            words = self.fields(part.words) if isinstance(part, Simple) else []
            known = bool(words) and UNKNOWN not in text
            found = answer(words, self.folder, text, self.paths) if known else None
            text = UNKNOWN if found is None else found
        self.print(text)
        return True

    # --- Commands.

    def output_of(self, text: str) -> str:
        """What the commands of `$(…)` print."""
        if text.lstrip().startswith("<"):
            text = "cat " + text.lstrip()[1:]
        return self.caught(CommandList((parse_script(text, self.name),), True)).rstrip("\n")

    def caught(self, node: Node) -> str:
        if self.depth > _MOST_DEPTH:
            return UNKNOWN
        self.printed.append([])
        self.depth += 1
        try:
            self._inside(CommandList((node,)))
        finally:
            self.depth -= 1
            printed = "".join(self.printed.pop())
        return UNKNOWN if UNKNOWN in printed and "/" not in printed else printed

    def _simple(self, node: Simple) -> bool | None:
        if node.line:
            self.line = node.line
        given: list[tuple[str, str]] = []
        for raw in node.assignments:
            match = ASSIGNMENT.match(raw)
            assert match is not None
            if node.words:
                given.append((match[1], self.expansion.text(raw[match.end() :])))
            else:
                self.assign(raw)
        words = self.fields(node.words)
        if not words:
            self.target(node.redirects)
            return True
        return self.command(words, given, node)

    def command(self, words: list[str], given: list[tuple[str, str]], node: Simple) -> bool | None:
        program = words[0]
        if program in self.functions:
            with self.into(node.redirects):
                return self._call(self.functions[program], words[1:], given)
        if program in BUILTINS:
            done = getattr(self, f"_do_{BUILTINS[program]}")(words[1:], node)
            assert done is None or isinstance(done, bool)
            return done
        words, more = without_front(words)
        given += more
        if not words:
            return True
        if words[0] in self.functions or (words[0] in BUILTINS and len(words) < len(node.words)):
            return self.command(words, given, node)
        script = self._script(words)
        if script:
            self._other_script(*script, given)
            return True
        return self._program(words, given, node)

    def _program(self, words: list[str], given: list[tuple[str, str]], node: Simple) -> bool | None:
        """A command that is neither the script's nor the shell's: answered if caught, else recorded."""
        program = os.path.basename(words[0])
        if self.printed:
            found = answer(words, self.folder, self.document(node), self.paths)
            self.print(UNKNOWN if found is None else found + "\n")
            if found is not None or not _builds(words):
                return True if found is not None else None
        elif program == "tee":
            self.paths.named.update(os.path.join(self.folder, w) for w in words[1:] if w[:1] != "-")
            return True
        self.record(words, given, node)
        return None if program in _TELL_BY_THEIR_CODE else True

    def _call(self, body: Node, arguments: list[str], given: list[tuple[str, str]]) -> bool | None:
        if self.depth > _MOST_DEPTH:
            return None
        before, self.variables.arguments = self.variables.arguments, list(arguments)
        for name, value in given:
            self.variables.values[name] = [value]
        self.depth += 1
        try:
            return self.node(body)
        except Return as end:
            return not end.args or end.args[0]
        finally:
            self.depth -= 1
            self.variables.arguments = before

    def _script(self, words: list[str]) -> tuple[str, list[str]] | None:
        """The shell script that a command runs, when it is there."""
        rest = words
        if os.path.basename(words[0]) in _SHELLS:
            rest = words[1:]
            while rest and rest[0].startswith("-") and rest[0] != "-c":
                rest = rest[1:]
        elif not words[0].endswith(".sh"):
            return None
        if not rest or rest[0] == "-c":
            return None
        path = self.paths.here(os.path.join(self.folder, rest[0]))
        return (path, rest[1:]) if os.path.isfile(path) else None

    def _other_script(self, path: str, arguments: list[str], given: list[tuple[str, str]]) -> None:
        if self.depth > _MOST_DEPTH:
            return
        names = {name: self.variables.values.get(name, [""]) for name in self.exported}
        values = {**names, **{name: [value] for name, value in given}}
        home = self.variables.values.get("HOME", [""])
        walk = _ScriptWalk(
            Variables({"HOME": home, **values}, arguments, path), self.folder, self.paths, self.walked,
            self.exported | {name for name, _ in given}, self.depth + 1,
        )  # fmt: skip
        walk.steps = self.steps
        try:
            walk.file(path)
        except Exit as end:
            if end.failed:
                raise
        except (Return, LoopLeft):
            pass


def _builds(words: Sequence[str]) -> bool:
    """Whether a command whose output is caught may make something all the same."""
    return re.search(r"aiecc|clang|xchess|g\+\+", os.path.basename(words[0])) is not None and len(words) > 2
