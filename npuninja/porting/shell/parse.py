"""From the text of a shell script to its parts: bash's grammar, without job control."""

from __future__ import annotations

import re
from collections.abc import Callable

from npuninja.errors import UserError
from npuninja.porting.shell.quoting import UnclosedError, behind, behind_closing
from npuninja.porting.shell.tree import (
    AndOr,
    ArithmeticCommand,
    Case,
    CommandList,
    Condition,
    CountingFor,
    For,
    FunctionDefinition,
    If,
    Node,
    Pipeline,
    Redirect,
    Simple,
    While,
)

#: `NAME=`, `NAME+=`, `NAME[1]=` in front of a command.
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]]*)\])?(\+?=)")
_OPERATORS = re.compile(r";;&|;;|;&|;|&&|&>>|&>|&|\|\||\|&|\||\(|\)|\n")
_REDIRECTION = re.compile(r"(\d*|\{\w+\})(<<<|<<-|<<|<&|<>|<|>>|>&|>\||>)")
_CONDITION_OPERATOR = re.compile(r"&&|\|\||[()<>]")
_WORD_ENDS = " \t\n;|&()<>"
_ENDS = {"then", "elif", "else", "fi", "do", "done", "esac", "}", "in"}


def parse_script(text: str, name: str) -> CommandList:
    """The parts of a script.

    Args:
        text: of the script.
        name: its file, for messages.

    Raises:
        UserError: a quote or a part does not end, or is where it cannot; with the line.
    """
    return _ShellParser(text.replace("\r\n", "\n"), name).script()


def elements_of(text: str, name: str) -> list[str]:
    """The words of an array's elements, as they are written between the parentheses."""
    return _ShellParser(text, name).elements()


class _ShellParser:
    def __init__(self, text: str, name: str) -> None:
        self._text, self._name, self._at = text, name, 0
        self._pending: list[Redirect] = []

    def script(self) -> CommandList:
        block = self._list(())
        if self._at < len(self._text):
            raise self._error(f"{self._text[self._at]!r} is where no command can begin")
        return block

    def elements(self) -> list[str]:
        found: list[str] = []
        while True:
            self._lines()
            word = self._word()
            if not word:
                return found
            found.append(word)

    def _error(self, what: str) -> UserError:
        line = self._text.count("\n", 0, self._at) + 1
        return UserError(f"{self._name}:{line}: {what}")

    # --- Characters.

    def _blanks(self) -> None:
        while self._at < len(self._text):
            if self._text[self._at] in " \t":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = end if end >= 0 else len(self._text)
            else:
                return

    def _newline(self) -> None:
        """Behind the end of a line, where here-documents begin."""
        self._at += 1
        for redirect in self._pending:
            word = re.sub(r"[\"'\\]", "", redirect.target)
            lines = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = end if end >= 0 else len(self._text)
                line = self._text[self._at : end]
                self._at = min(end + 1, len(self._text))
                line = line.lstrip("\t") if redirect.operator == "<<-" else line
                if line == word:
                    break
                lines.append(line + "\n")
            redirect.text = "".join(lines)
        self._pending = []

    def _lines(self) -> None:
        while True:
            self._blanks()
            if not self._text.startswith("\n", self._at):
                return
            self._newline()

    def _operator(self) -> str:
        self._blanks()
        match = _OPERATORS.match(self._text, self._at)
        return match[0] if match else ""

    def _take(self, operator: str) -> bool:
        if self._operator() != operator:
            return False
        self._at += len(operator)
        return True

    def _word_here(self) -> str:
        """The next word without taking it; "" for an operator."""
        at = self._at
        self._blanks()
        word = self._word()
        self._at = at
        return word

    def _keyword(self, word: str) -> bool:
        if self._word_here() != word:
            return False
        self._blanks()
        self._at += len(word)
        return True

    def _expect(self, word: str) -> None:
        self._lines()
        if not self._keyword(word):
            raise self._error(f"{word!r} is expected, not {self._word_here() or self._operator()!r}")

    def _word(self, ends: str = _WORD_ENDS) -> str:
        """A word as it is written, with its quotes."""
        start = self._at
        while self._at < len(self._text):
            before = self._text[self._at - 1] if self._at > start else ""
            character = self._text[self._at]
            if character in "<>" and not before and self._text.startswith("(", self._at + 1):
                self._at += 1
                self._skip(behind_closing)
            elif character == "(" and before == "=":  # NAME=(…)
                self._skip(behind_closing)
            elif character in ends:
                break
            else:
                self._skip(behind)
        return self._text[start : self._at]

    def _skip(self, end_of: Callable[[str, int], int]) -> None:
        """Goes after what begins here, as `quoting` says where that ends."""
        try:
            self._at = end_of(self._text, self._at)
        except UnclosedError as unclosed:
            self._at = unclosed.at
            raise self._error(f"a {unclosed.character} is missing") from None

    # --- Parts.

    def _list(self, ends: tuple[str, ...]) -> CommandList:
        parts: list[Node] = []
        while True:
            self._lines()
            operator, word = self._operator(), self._word_here()
            if not word and (not operator or operator in (")", ";;", ";&", ";;&")):
                break
            if word in ends or (word in _ENDS and ends):
                break
            parts.append(self._and_or())
            self._take("&") or self._take(";")
        return CommandList(tuple(parts))

    def _and_or(self) -> AndOr:
        parts = [("", self._pipeline())]
        while self._operator() in ("&&", "||"):
            operator = self._operator()
            self._take(operator)
            self._lines()
            parts.append((operator, self._pipeline()))
        return AndOr(tuple(parts))

    def _pipeline(self) -> Pipeline:
        negated = self._keyword("!")
        parts = [self._command()]
        while self._operator() in ("|", "|&"):
            self._take(self._operator())
            self._lines()
            parts.append(self._command())
        return Pipeline(tuple(parts), negated)

    def _command(self) -> Node:
        self._blanks()
        if self._text.startswith("((", self._at):
            return ArithmeticCommand(self._arithmetic())
        if self._take("("):
            body = self._list((")",))
            if not self._take(")"):
                raise self._error("a ) is missing")
            return CommandList(body.commands, True, self._redirects())
        word = self._word_here()
        readers = {
            "{": self._group, "if": self._if, "for": self._for, "select": self._for, "while": self._while, "until": self._while,
            "case": self._case, "function": self._function, "[[": self._condition,
        }  # fmt: skip
        if word in readers:
            self._keyword(word)
            node = readers[word](word)
            redirects = self._redirects()
            return CommandList((node,), False, redirects) if redirects else node
        if re.fullmatch(r"[\w:.+-]+", word):
            at = self._at
            self._at += len(word)
            if re.match(r"[ \t]*\([ \t]*\)", self._text[self._at :]):
                self._at = self._text.index(")", self._at) + 1
                self._lines()
                return FunctionDefinition(word, self._command())
            self._at = at
        return self._simple()

    def _group(self, _: str) -> Node:
        body = self._list(("}",))
        self._expect("}")
        return body

    def _if(self, _: str) -> Node:
        branches = []
        otherwise = CommandList(())
        while True:
            condition = self._list(("then",))
            self._expect("then")
            branches.append((condition, self._list(("elif", "else", "fi"))))
            if self._keyword("elif"):
                continue
            if self._keyword("else"):
                otherwise = self._list(("fi",))
            self._expect("fi")
            return If(tuple(branches), otherwise)

    def _for(self, keyword: str) -> Node:
        self._blanks()
        if self._text.startswith("((", self._at):
            begin, condition, step = (*self._arithmetic().split(";"), "", "")[:3]
            self._take(";")
            return CountingFor(begin, condition, step, self._body())
        name = self._word()
        self._lines()
        words: list[str] | None = None
        if self._keyword("in"):
            words = []
            while not self._operator():
                words.append(self._word())
                if not words[-1]:
                    raise self._error("a word is expected")
        self._take(";")
        if keyword == "select":  # which asks a person; the first answer is taken
            words = (words or [])[:1]
        return For(name, None if words is None else tuple(words), self._body())

    def _body(self) -> CommandList:
        self._expect("do")
        body = self._list(("done",))
        self._expect("done")
        return body

    def _while(self, word: str) -> Node:
        condition = self._list(("do",))
        return While(condition, self._body(), word == "until")

    def _case(self, _: str) -> Node:
        self._blanks()
        word = self._word()
        self._expect("in")
        arms: list[tuple[tuple[str, ...], CommandList]] = []
        while True:
            self._lines()
            if self._keyword("esac"):
                return Case(word, tuple(arms))
            self._take("(")
            patterns = []
            while not self._take(")"):
                self._blanks()
                patterns.append(self._word())
                if not patterns[-1] and not self._take("|"):
                    raise self._error("a ) is missing")
            arms.append((tuple(p for p in patterns if p), self._list(("esac",))))
            for end in (";;&", ";;", ";&"):
                if self._take(end):
                    break

    def _function(self, _: str) -> Node:
        self._blanks()
        name = self._word()
        if self._take("("):
            self._take(")")
        self._lines()
        return FunctionDefinition(name, self._command())

    def _condition(self, _: str) -> Node:
        words: list[str] = []
        while True:
            self._blanks()
            if self._at >= len(self._text):
                raise self._error("a ]] is missing")
            if self._text.startswith("\n", self._at):
                self._at += 1
                continue
            regular = words[-1:] == ["=~"]
            match = None if regular else _CONDITION_OPERATOR.match(self._text, self._at)
            if match:
                words.append(match[0])
                self._at = match.end()
                continue
            word = self._word(" \t\n" if regular else _WORD_ENDS)
            if not word:
                raise self._error("a ]] is missing")
            if word == "]]":
                return Condition(tuple(words))
            words.append(word)

    def _arithmetic(self) -> str:
        start = self._at
        self._skip(behind_closing)
        return self._text[start + 2 : self._at - 2]

    def _redirects(self) -> tuple[Redirect, ...]:
        found = []
        while redirect := self._redirect():
            found.append(redirect)
        return tuple(found)

    def _redirect(self) -> Redirect | None:
        self._blanks()
        for both in ("&>>", "&>"):
            if self._text.startswith(both, self._at):
                self._at += len(both)
                self._blanks()
                return Redirect("&", both[1:], self._word())
        match = _REDIRECTION.match(self._text, self._at)
        if match is None or self._text.startswith("(", match.end()):
            return None
        self._at = match.end()
        self._blanks()
        redirect = Redirect(match[1], match[2], self._word())
        if match[2] in ("<<", "<<-"):
            self._pending.append(redirect)
        return redirect

    def _simple(self) -> Simple:
        line = self._text.count("\n", 0, self._at) + 1
        assignments: list[str] = []
        words: list[str] = []
        redirects: list[Redirect] = []
        while True:
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            word = "" if self._operator() else self._word()
            if not word:
                break
            if not words and ASSIGNMENT.match(word):
                assignments.append(word)
            else:
                words.append(word)
        if not words and not assignments and not redirects:
            raise self._error(f"{self._operator()!r} is where a command is expected")
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)
