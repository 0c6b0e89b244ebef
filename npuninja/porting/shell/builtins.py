"""What a shell does itself: `cd`, `export`, `[`, `exit` and their like."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace

from npuninja.porting.shell.expansion import UNKNOWN
from npuninja.porting.shell.parse import ASSIGNMENT, parse_script
from npuninja.porting.shell.state import Exit, LoopLeft, Return, Shell
from npuninja.porting.shell.tree import Simple


class Builtins(Shell):
    """Each as `_do_NAME`, of its words and the command as written: whether it succeeds; None when only a run
    could tell.
    """

    @abstractmethod
    def file(self, path: str, text: str | None = None) -> None:
        """Goes through a file."""

    @abstractmethod
    def command(self, words: list[str], given: list[tuple[str, str]], node: Simple) -> bool | None:
        """Does a command of expanded words."""

    def _do_nothing(self, _: list[str], __: Simple) -> bool | None:
        return True

    def _do_false(self, _: list[str], __: Simple) -> bool | None:
        return False

    def _do_cd(self, words: list[str], _: Simple) -> bool | None:
        names = [word for word in words if not word.startswith("-") or word == "-"]
        if names == ["-"]:
            self.folder, before = self.variables.text("OLDPWD") or self.folder, self.folder
        else:
            where = names[0] if names else self.variables.text("HOME")
            before = self.folder
            if UNKNOWN in where:
                return True
            self.folder = self.paths.here(os.path.join(self.folder, where))
        self.variables.values["OLDPWD"] = [before]
        self.variables.values["PWD"] = [self.folder]
        return True

    def _do_pushd(self, words: list[str], node: Simple) -> bool | None:
        self.variables.values.setdefault("DIRSTACK", []).append(self.folder)
        return self._do_cd(words, node)

    def _do_popd(self, _: list[str], __: Simple) -> bool | None:
        stack = self.variables.values.get("DIRSTACK")
        if stack:
            self.folder = stack.pop()
        return True

    def _do_pwd(self, _: list[str], __: Simple) -> bool | None:
        self.print(self.folder + "\n")
        return True

    def _do_echo(self, words: list[str], node: Simple) -> bool | None:
        while words and re.fullmatch(r"-[neE]+", words[0]):
            words = words[1:]
        elsewhere = self.target(node.redirects) or any(r.operator == ">&" for r in node.redirects)
        # Outside of `$(…)` what is said to people counts, wherever it goes.
        if not self.printed or not elsewhere:
            self.print(" ".join(words) + "\n")
        return True

    def _do_printf(self, words: list[str], node: Simple) -> bool | None:
        if words[:1] == ["-v"] and len(words) > 2:
            self.variables.values[words[1]] = [_formatted(words[2], words[3:])]
        elif words and not self.target(node.redirects):
            self.print(_formatted(words[0], words[1:]))
        return True

    def _do_test(self, words: list[str], node: Simple) -> bool | None:
        bracket = node.words[0] == "["
        return self.conditions.test(words[:-1] if bracket else words)

    def _do_declare(self, words: list[str], node: Simple) -> bool | None:
        export = node.words[0] == "export" or any(re.fullmatch(r"-\w*x\w*", word) for word in words)
        for raw in node.words[1:]:
            if ASSIGNMENT.match(raw):
                self.assign(raw)
                name = raw[: raw.index("=")].rstrip("+")
            elif raw.startswith("-"):
                continue
            else:
                name = self.expansion.text(raw)
            if export and re.fullmatch(r"\w+", name):
                self.exported.add(name)
        return True

    def _do_unset(self, words: list[str], _: Simple) -> bool | None:
        for name in words:
            self.variables.values.pop(name, None)
        return True

    def _do_set(self, words: list[str], _: Simple) -> bool | None:
        if "--" in words:  # options of the shell itself (-e, -x) change no command
            self.variables.arguments = words[words.index("--") + 1 :]
        return True

    def _do_shift(self, words: list[str], _: Simple) -> bool | None:
        count = int(words[0]) if words and words[0].isdigit() else 1
        enough = len(self.variables.arguments) >= count
        del self.variables.arguments[:count]
        return enough

    def _do_exit(self, words: list[str], _: Simple) -> bool | None:
        raise Exit(bool(words) and words[0] != "0" and UNKNOWN not in words[0])

    def _do_return(self, words: list[str], _: Simple) -> bool | None:
        raise Return(not words or words[0] == "0" or (None if UNKNOWN in words[0] else False))

    def _do_loop(self, words: list[str], node: Simple) -> bool | None:
        raise LoopLeft(node.words[0], int(words[0]) if words and words[0].isdigit() else 1)

    def _do_source(self, words: list[str], _: Simple) -> bool | None:
        path = self.paths.here(os.path.join(self.folder, words[0])) if words else ""
        if path and os.path.isfile(path) and not path.endswith("/activate"):
            source = self.variables.values.get("BASH_SOURCE", [""])
            arguments = self.variables.arguments
            self.variables.arguments = words[1:] or arguments
            with suppress(Return):
                self.file(path)
            self.variables.arguments = arguments
            self.variables.values["BASH_SOURCE"] = source
        elif path and UNKNOWN not in path:
            self.paths.exists(path)
        return True

    def _do_eval(self, words: list[str], _: Simple) -> bool | None:
        text = " ".join(words)
        return None if UNKNOWN in text else self.node(parse_script(text, self.name))

    def _do_found(self, words: list[str], _: Simple) -> bool | None:
        """`command -v NAME`, `type NAME`, `hash NAME`: tools are taken as there, under their names."""
        self.print("\n".join(word for word in words if not word.startswith("-")) + "\n")
        return True

    def _do_command(self, words: list[str], node: Simple) -> bool | None:
        if words and words[0] in ("-v", "-V"):
            return self._do_found(words, node)
        rest = replace(node, words=node.words[1:])
        return self.command(words, [], rest) if words else True

    def _do_let(self, words: list[str], _: Simple) -> bool | None:
        value = "0"
        for word in words:
            value = self.expansion.arithmetic(word)
        return None if value == UNKNOWN else value != "0"

    def _do_getopts(self, words: list[str], _: Simple) -> bool | None:
        known, name, *given = words
        arguments = given or self.variables.arguments
        at = int(self.variables.text("OPTIND") or "1") - 1
        word = arguments[at] if at < len(arguments) else ""
        if not re.match(r"-[^-]", word):
            return False
        letter, value = word[1], word[2:]
        self.variables.values.pop("OPTARG", None)
        if f"{letter}:" in known:
            at += 0 if value else 1
            self.variables.values["OPTARG"] = [value or (arguments[at] if at < len(arguments) else "")]
        elif value:  # several letters in one word
            arguments[at : at + 1] = [f"-{letter}", f"-{value}"]
        self.variables.values[name] = [letter if letter in known.replace(":", "") else "?"]
        self.variables.values["OPTIND"] = [str(at + 2)]
        return True

    def _do_read(self, words: list[str], _: Simple) -> bool | None:
        for name in words:
            if re.fullmatch(r"[A-Za-z_]\w*", name):
                self.variables.values[name] = [UNKNOWN]
        return None


_OF_THEIR_NAME = (
    "false cd pushd popd pwd echo printf test unset set shift getopts exit return eval let "
    "read command source"
)
#: Name -> the method that does it.
BUILTINS = {
    **{name: name for name in _OF_THEIR_NAME.split()},
    **dict.fromkeys((":", "true", "trap", "shopt", "wait", "umask", "ulimit", "alias", "sleep"), "nothing"),
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), "declare"),
    **dict.fromkeys(("type", "hash"), "found"),
    **dict.fromkeys(("break", "continue"), "loop"),
    **dict.fromkeys(("mapfile", "readarray"), "read"),
    ".": "source",
    "[": "test",
}


def _formatted(pattern: str, values: list[str]) -> str:
    """`printf`, with %s and %d."""
    pattern = pattern.replace("\\n", "\n").replace("\\t", "\t")
    out, rest = "", list(values)
    while True:
        made = re.sub(r"%(?:-?\d*)?(?:\.\d+)?[sdiq]", lambda _: rest.pop(0) if rest else "", pattern).replace(
            "%%", "%"
        )
        out += made
        if not rest or made == pattern:
            return out
