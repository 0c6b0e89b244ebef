"""Cuts MLIR text into tokens, and knows where each token is.

A token is its text; its kind is plain from its first character (`%` value, `@` symbol, `^` block, `#`
attribute, `!` type, `"` string, digit or `-` number, letter word, the rest punctuation). A whole shaped or
dialect type (`memref<4xi32>`, `!aie.objectfifo<memref<4xi32>>`) is one token, because types are kept as text
anyway; one that is nested deeper than three brackets is put together by `skip_balanced`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from operator import add

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError

if TYPE_CHECKING:
    from typing import NoReturn

# Inside `<…>`: no brackets or quotes, but the arrow of an affine map and the comparison of an affine set.
_FLAT = r"(?:[^<>\"-]|->|>=|-(?!>))*"
_LEVEL1 = rf"<{_FLAT}>"
_LEVEL2 = rf"<{_FLAT}(?:{_LEVEL1}{_FLAT})*>"
_LEVEL3 = rf"<{_FLAT}(?:{_LEVEL2}{_FLAT})*>"

_TOKEN = re.compile(
    rf"""
    ((?:[\ \t\r\n\ufeff]+|//[^\n]*)*)                              # what comes before: space and comments
    ( (?:(?:memref|vector|tensor|affine_map|affine_set)(?=<)  # a shaped type or an affine map, whole;
        |![A-Za-z_][\w$.]*)(?:{_LEVEL3})?                     # dialect type or type alias
    | [A-Za-z_][\w$.]*                                       # keyword or operation name
    | %(?:\d+|[A-Za-z$._-][\w$.-]*)(?:\#\d+)?                # value, perhaps one result of several
    | ->|::|[(){{}}\[\]<>,:=]
    | -?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d*(?:[eE][-+]?\d+)?)?)     # integer or float
    | @(?:[A-Za-z$._-][\w$.-]*|"(?:[^"\\\n]|\\.)*")           # symbol
    | "(?:[^"\\\n]|\\.)*"                                    # string
    | \^[\w$.-]+                                             # block
    | \#[\w$.]+                                              # dialect attribute or attribute alias
    | "[^\n]*                                                # a string without its end
    | [^\ \t\r\n\ufeff]                                      # anything else, one character: what always matches
    | \Z                                                     # the end: what comes before it may be a comment
    )""",
    re.VERBOSE,
)


#: A design of 32 cores has some hundred kilobytes of text; a token takes some hundred bytes of memory.
MAX_TEXT_CHARACTERS = 32 << 20
#: No integer of MLIR is longer: the widest type has 2^24 bits, and nobody writes that in decimal.
MAX_DIGITS = 1024
_LONG_NUMBER = re.compile(rf"(?<![\w.$]){'[0-9]' * 8}[0-9]{{{MAX_DIGITS - 7}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class TokenStream:
    """The tokens of one text with a read position, and the errors that point into the text.

    `tokens[i]` is the next token; the list ends with an empty string. Parsers read and advance `i` themselves
    where speed matters.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        if len(text) > MAX_TEXT_CHARACTERS:
            raise UserError(
                f"{len(text)} characters; a design's text has at most {MAX_TEXT_CHARACTERS}", Location(file)
            )
        pairs = _TOKEN.findall(text)
        while pairs and not pairs[-1][1]:
            pairs.pop()
        skips: tuple[str, ...]
        tokens: tuple[str, ...]
        skips, tokens = zip(*pairs) if pairs else ((), ())
        self.tokens: list[str] = [*tokens, ""]
        self._ends: list[int] = list(accumulate(map(add, map(len, skips), map(len, tokens))))
        self._ends.append(len(text.rstrip()))
        self._line_starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self.i = 0
        odd = None if text.isascii() else _SURROGATE.search(text)
        if odd:
            raise error_at(text, self._location_of(odd.start()), f"U+{ord(odd[0]):04X} is no character")
        number = _LONG_NUMBER.search(text)
        if number:
            where = self._location_of(number.start())
            raise error_at(text, where, f"a number of more than {MAX_DIGITS} digits")

    def offset(self, index: int) -> int:
        """The position in the text of the first character of token `index`."""
        return self._ends[index] - len(self.tokens[index])

    def location(self, index: int) -> Location:
        """Where token `index` is."""
        return self._location_of(self._ends[index] - len(self.tokens[index]))

    def _location_of(self, offset: int) -> Location:
        line = bisect_right(self._line_starts, offset)
        return Location(self.file, line, offset - self._line_starts[line - 1] + 1)

    def error(self, message: str, index: int | None = None, *, hint: str | None = None) -> NoReturn:
        """Raises a `UserError` at token `index` (the next one when None)."""
        if index is None:
            index = self.i
        raise error_at(self.text, self.location(index), message, hint)

    def expected(self, what: str) -> NoReturn:
        """Raises the error "expected `what`, got …", like MLIR at the end of the last good token."""
        token = self.tokens[self.i]
        if token[:1] == '"' and not _STRING.fullmatch(token):
            self.error("unterminated string", hint="close it with '\"' on the same line")
        if len(token) == 1 and not "!" <= token <= "~":
            name = f"'{token}' (U+{ord(token):04X})" if token.isprintable() else f"U+{ord(token):04X}"
            self.error(f"expected {what}, got the character {name}, which MLIR does not have here")
        got = f"'{token if len(token) <= 40 else token[:37] + '...'}'" if token else "the end of the file"
        where = self._location_of(self._ends[self.i - 1]) if self.i else self.location(0)
        raise error_at(self.text, where, f"expected {what}, got {got}", None)

    def expect(self, token: str) -> None:
        """Reads exactly `token`."""
        if self.tokens[self.i] != token:
            self.expected(f"'{token}'")
        self.i += 1

    def accept(self, token: str) -> bool:
        """Reads `token` if it is next, and says whether it was."""
        if self.tokens[self.i] == token:
            self.i += 1
            return True
        return False

    def word(self, what: str) -> str:
        """Reads a keyword."""
        token = self.tokens[self.i]
        if not (token[:1].isalpha() or token[:1] == "_"):
            self.expected(what)
        self.i += 1
        return token

    def integer(self) -> int:
        """Reads an integer literal, decimal or hexadecimal."""
        token = self.tokens[self.i]
        try:
            value = int(token, 0) if "x" in token else int(token)
        except ValueError:
            self.expected("an integer")
        self.i += 1
        return value

    def string(self) -> str:
        """Reads a string literal and undoes its escapes (`\\n`, `\\t`, `\\\\`, `\\"`, two hex digits)."""
        token = self.tokens[self.i]
        if len(token) < 2 or token[0] != '"' or token[-1] != '"':
            self.expected("a string")
        self.i += 1
        return unescape(token[1:-1]) if "\\" in token else token[1:-1]

    def symbol_name(self) -> str:
        """Reads `@name` or `@"name"` and returns the name."""
        token = self.tokens[self.i]
        if token[:1] != "@" or len(token) < 2:
            self.expected("a symbol name such as '@name'")
        self.i += 1
        return unescape(token[2:-1]) if token[1] == '"' else token[1:]

    def skip_balanced(self, opening: str, closing: str) -> str:
        """Reads from `opening` to its matching `closing` and returns the text between, brackets included."""
        start = self.i
        self.expect(opening)
        depth = 1
        while depth:
            token = self.tokens[self.i]
            if token == "":
                self.expected(f"'{closing}'")
            depth += (token == opening) - (token == closing)
            self.i += 1
        return self.text[self.offset(start) : self._ends[self.i - 1]]


_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_ESCAPE = re.compile(r'\\([0-9A-Fa-f]{2}|n|t|\\|")')
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}


def unescape(text: str) -> str:
    """The value of a string literal's inside (bytes above 127 are UTF-8, as hexadecimal pairs)."""
    raw = _ESCAPE.sub(lambda m: _ESCAPES.get(m[1]) or chr(int(m[1], 16)), text)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def error_at(text: str, location: Location, message: str, hint: str | None = None) -> UserError:
    """A `UserError` at a place in `text`, with the line for the caret."""
    return UserError(
        message, location, hint=hint, source_line=text.split("\n")[location.line - 1].rstrip("\r")
    )
