"""What a word of a script stands for: quotes, `$NAME`, `${NAME:-word}`, `${NAME%pattern}`, `{a,b}`, `$((…))`.

What only a run could tell (the size of a file not made yet) is `UNKNOWN`, a character that no text has; a
path with it is no path of this machine.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterator

from npuninja.errors import UserError
from npuninja.porting.shell.arithmetic import value_of
from npuninja.porting.shell.quoting import UnclosedError, behind

#: Stands in texts for what only a run can tell.
UNKNOWN = "\ufffd"
_NAME = re.compile(r"\w+|[@*#?$!-]")
_PARAMETER = re.compile(
    r"(?P<sharp>#)?(?P<bang>!)?(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(?P<index>[^\]]*)\])?"
)
#: `${NAME:-WORD}` and its like, after the name.
_OTHERWISE = re.compile(r"(:?)([-=+?])(.*)", re.DOTALL)
#: What changes a value: what begins or ends it, what is in it, its case.
_CHANGE = re.compile(r"%%|%|##|#|//|/[%#]?|\^\^|,,|\^|,|@")
_CASES: dict[str, Callable[[str], str]] = {
    "^^": str.upper,
    ",,": str.lower,
    "^": lambda value: value[:1].upper() + value[1:],
    ",": lambda value: value[:1].lower() + value[1:],
    "@": str,
}
#: Characters without a meaning.
_PLAIN, _PLAIN_IN_QUOTES = re.compile(r"[^\\'\"$`]+"), re.compile(r"[^\\$`]+")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "a": "\a", "r": "\r"}
_BRACES = re.compile(r"(?<![$\\])\{((?:[^{}\s\"'$]|\$\{?\w+\}?)*(?:,|\.\.)(?:[^{}\s\"'$]|\$\{?\w+\}?)*)\}")


class Variables:
    """The variables of a shell as lists, one element for a plain one. `arguments` are the script's own."""

    def __init__(self, values: dict[str, list[str]], arguments: list[str], script: str) -> None:
        self.values, self.arguments, self.script = values, arguments, script
        self.status = "0"

    def copy(self) -> Variables:
        """A copy for a subshell, whose changes stay in it."""
        return Variables({k: list(v) for k, v in self.values.items()}, list(self.arguments), self.script)

    def get(self, name: str) -> list[str] | None:
        """A variable's elements; None when it is not set."""
        if name in ("@", "*"):
            return self.arguments
        special = {
            "#": str(len(self.arguments)),
            "?": self.status,
            "0": self.script,
            "$": UNKNOWN,
            "!": UNKNOWN,
            "-": "",
        }
        if name in special:
            return [special[name]]
        if name.isdigit():
            number = int(name)
            return [self.arguments[number - 1]] if number <= len(self.arguments) else None
        return self.values.get(name)

    def text(self, name: str) -> str:
        """A plain variable's text, "" when it is not set."""
        return (self.get(name) or [""])[0]


#: Of one text of a script: Linux gives a command no longer word.
MAX_TEXT_CHARACTERS = 1 << 17
#: Of what braces stand for, and of an array.
MAX_ELEMENTS = 10_000


def bound_text(characters: int) -> None:
    """Refuses a text that a few lines made out of nothing. Raises UserError."""
    if characters > MAX_TEXT_CHARACTERS:
        raise UserError(
            f"a text of the script has more than {MAX_TEXT_CHARACTERS} characters, which no command takes",
            hint="name the script's own commands in a file, and import that: --script FILE",
        )


def bound_elements(count: int) -> None:
    """Refuses words and arrays without an end. Raises UserError."""
    if count > MAX_ELEMENTS:
        raise UserError(
            f"braces or an array of the script have more than {MAX_ELEMENTS} elements",
            hint="name the script's own commands in a file, and import that: --script FILE",
        )


class Expansion:
    """Expands words.

    Args:
        variables: of the shell, which `${NAME:=word}` sets.
        output_of: what the commands of `$(…)` print.
        folder: where the shell is.
    """

    def __init__(
        self, variables: Variables, output_of: Callable[[str], str], folder: Callable[[], str]
    ) -> None:
        self._variables, self._output_of, self._folder = variables, output_of, folder

    def fields(self, raw: str) -> list[str]:
        """The words that one written word becomes: one, several or none."""
        return [field for word in _braces(raw) for field in self._fields_of(word)]

    def text(self, raw: str) -> str:
        """A word where it stays one: in assignments and conditions."""
        made, characters = [], 0
        for texts, _ in self._pieces(raw):
            made.append(" ".join(texts))
            characters += len(made[-1])
            bound_text(characters)
        return "".join(made)

    def pattern(self, raw: str) -> str:
        """A word as a pattern of `fnmatch`, in which quoted characters stand for themselves."""
        return "".join(
            glob.escape(" ".join(texts)) if quoted else " ".join(texts) for texts, quoted in self._pieces(raw)
        )

    def _fields_of(self, raw: str) -> list[str]:
        fields: list[list[tuple[str, bool]]] = []
        open_field = False
        for texts, quoted in self._pieces(raw):
            if quoted:
                for number, text in enumerate(texts):
                    if not open_field or number:
                        fields.append([])
                        open_field = True
                    fields[-1].append((text, True))
                continue
            for number, text in enumerate(texts):
                parts = re.split(r"([ \t\n]+)", text)
                if number:
                    open_field = False
                for at, part in enumerate(parts):
                    if at % 2:
                        open_field = False
                    elif part:
                        if not open_field:
                            fields.append([])
                            open_field = True
                        fields[-1].append((part, False))
        return [name for field in fields for name in self._globbed(field)]

    def _globbed(self, field: list[tuple[str, bool]]) -> list[str]:
        plain = "".join(text for text, _ in field)
        if not any(re.search(r"[*?\[]", text) for text, quoted in field if not quoted):
            return [plain]
        pattern = "".join(glob.escape(text) if quoted else text for text, quoted in field)
        found = sorted(glob.glob(os.path.join(glob.escape(self._folder()), pattern)))
        absolute = os.path.isabs(pattern)
        return [path if absolute else os.path.relpath(path, self._folder()) for path in found] or [plain]

    def _pieces(self, raw: str) -> Iterator[tuple[list[str], bool]]:
        """Texts and whether they are quoted; several texts are words of their own."""
        at = 0
        if raw.startswith("~") and (len(raw) == 1 or raw[1] == "/"):
            yield [self._variables.text("HOME") or "~"], True
            at = 1
        while at < len(raw):
            character, end = raw[at], _behind(raw, at)
            if character == "\\":
                if raw[at + 1 : end] != "\n":
                    yield [raw[at + 1 : end]], True
            elif character == "'":
                yield [raw[at + 1 : end - 1]], True
            elif raw.startswith("$'", at):
                yield [re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), raw[at + 2 : end - 1])], True
            elif character == '"':
                inner = list(self._quoted(raw[at + 1 : end - 1]))
                if inner or end - at == 2:
                    yield from self._joined(inner)
            elif character in "$`":
                texts, end = self._dollar(raw, at, False)
                if texts:
                    yield texts, False
            else:
                end = _end_of(_PLAIN, raw, at)
                yield [raw[at:end]], False
            at = end

    @staticmethod
    def _joined(inner: list[list[str]]) -> Iterator[tuple[list[str], bool]]:
        """Pieces between quotes as one: only `"$@"` makes several words, or none."""
        if inner == [[]]:
            return
        words = [""]
        bound_text(sum(len(text) for texts in inner for text in texts))
        for texts in inner:
            if texts:
                words[-1] += texts[0]
                words += texts[1:]
        yield words, True

    def _quoted(self, text: str) -> Iterator[list[str]]:
        at = 0
        while at < len(text):
            character = text[at]
            if character == "\\":
                after = text[at + 1 : at + 2]
                yield [after if after in '$`"\\' else "" if after == "\n" else "\\" + after]
                at += 2
            elif character in "$`":
                texts, at = self._dollar(text, at, True)
                yield texts
            else:
                end = _end_of(_PLAIN_IN_QUOTES, text, at)
                yield [text[at:end]]
                at = end

    def _dollar(self, text: str, at: int, quoted: bool) -> tuple[list[str], int]:
        opening = text[at : at + 2]
        if opening[0] == "`" or opening in ("$(", "${"):
            end = _behind(text, at)
            inner = text[at + (1 if opening[0] == "`" else 2) : end - 1]
            if opening == "${":
                return self._parameter(inner, quoted), end
            if opening == "$(" and inner.startswith("(") and inner.endswith(")"):
                return [self.arithmetic(inner[1:-1])], end
            return [self._output_of(inner)], end
        match = _NAME.match(text, at + 1)
        if match is None:
            return ["$"], at + 1
        name = match[0]
        if name[0].isdigit() or not (name[0].isalpha() or name[0] == "_"):
            name = name[0]
        values = self._variables.get(name)
        return _elements(values, name in "@*", name == "@", quoted), at + 1 + len(name)

    def arithmetic(self, text: str) -> str:
        """The value of an expression, UNKNOWN when a run decides."""
        if "$" in text or "`" in text:
            text = self.text(f'"{text}"')
        found = value_of(
            text, self._variables.text, lambda name, value: self._variables.values.__setitem__(name, [value])
        )
        return UNKNOWN if found is None else str(found)

    def _parameter(self, text: str, quoted: bool) -> list[str]:
        """What is in `${…}`."""
        match = _PARAMETER.match(text)
        if match is None:
            return [UNKNOWN]
        name, index, rest = match["name"], match["index"], text[match.end() :]
        if match["bang"]:
            name = self._variables.text(name)
        many, whole = "@" in (index, name), not {index, name}.isdisjoint("@*")
        values = self._variables.get(name) if index is None or whole else self._element(name, index)
        if match["sharp"]:
            return [str(len(values or []) if whole else len((values or [""])[0]))]
        otherwise = _OTHERWISE.fullmatch(rest)
        if otherwise is None:
            changed = [self._changed(value, rest) for value in values or ([] if whole else [""])]
            return _elements(changed, whole, many, quoted)
        colon, operator, word = otherwise.groups()
        absent = values is None or (colon and not "".join(values))
        if operator == "+" and absent:
            return [""] if quoted else []
        if operator != "+" and not absent:
            return _elements(values, whole, many, quoted)
        if operator == "?":
            return [UNKNOWN]
        made = [self.text(word)]
        if operator == "=":
            self._variables.values[name] = made
        return made

    def _element(self, name: str, index: str) -> list[str] | None:
        """`NAME[INDEX]`, by a word or a number; None when it is not set."""
        key = f"{name}[{self.text(index)}]"
        if key in self._variables.values:
            return self._variables.values[key]
        number, elements = self.arithmetic(index), self._variables.get(name) or []
        at = int(number) if re.fullmatch(r"-?\d+", number) else len(elements)
        return [elements[at]] if -len(elements) <= at < len(elements) else None

    def _changed(self, value: str, rest: str) -> str:
        """`${NAME%pattern}` and its like."""
        match = _CHANGE.match(rest)
        if match is None:
            slice_of = re.fullmatch(r":\s*(-?\d+)(?::(-?\d+))?", self.text(rest))
            if slice_of is None:
                return UNKNOWN if rest else value
            start, length = int(slice_of[1]), slice_of[2]
            tail = value[start:] if start >= 0 else value[max(0, len(value) + start) :]
            return tail if length is None else tail[: int(length)]
        operator, word = match[0], rest[match.end() :]
        if operator in _CASES:
            return _CASES[operator](value)
        if operator[0] == "/":
            pattern, new = _split_at_slash(word)
            expression = re.compile(_regular(self.pattern(pattern)))
            return expression.sub(lambda _: self.text(new), value, count=0 if operator == "//" else 1)
        pattern = self.pattern(word)
        sizes = range(len(value) + 1) if len(operator) == 1 else range(len(value), -1, -1)
        for size in sizes:
            part = value[len(value) - size :] if operator[0] == "%" else value[:size]
            if fnmatch.fnmatchcase(part, pattern):
                return value[: len(value) - size] if operator[0] == "%" else value[size:]
        return value


def _elements(values: list[str] | None, whole: bool, many: bool, quoted: bool) -> list[str]:
    """A variable's value: its elements for `$@`, `${A[@]}`; one text for `"${A[*]}"`, the first for NAME."""
    if not whole:
        return (values or [""])[:1]
    return [" ".join(values or [])] if quoted and not many else list(values or [])


def _split_at_slash(word: str) -> tuple[str, str]:
    at = 0
    while at < len(word):
        if word[at] == "/":
            return word[:at], word[at + 1 :]
        at = _behind(word, at)
    return word, ""


def _regular(pattern: str) -> str:
    """A pattern of `fnmatch` as a regular expression that may match within a text."""
    return re.sub(r"^\(\?s:|\)(\\Z|\\z)$", "", fnmatch.translate(pattern))


def _behind(text: str, at: int) -> int:
    """As `quoting.behind`; what does not end (in a here-document anything may come) ends with the text."""
    try:
        return behind(text, at)
    except UnclosedError:
        return len(text) + 1


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at + 1


def _braces(raw: str) -> list[str]:
    """`a{b,c}` and `{1..4}` as several words."""
    if "'" in raw or '"' in raw or "{" not in raw:
        return [raw]
    match = _BRACES.search(raw)
    if match is None:
        return [raw]
    inner = match[1]
    numbers = re.fullmatch(r"(-?\d{1,18})\.\.(-?\d{1,18})(?:\.\.(-?\d{1,18}))?", inner)
    if numbers:
        first, last, step = int(numbers[1]), int(numbers[2]), abs(int(numbers[3] or 1)) or 1
        counted = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
        bound_elements(len(counted))
        values = [str(i) for i in counted]
    elif "," in inner:
        values = inner.split(",")
    else:
        return [raw]
    made: list[str] = []
    for value in values:
        made += _braces(raw[: match.start()] + value + raw[match.end() :])
        bound_elements(len(made))
    return made
