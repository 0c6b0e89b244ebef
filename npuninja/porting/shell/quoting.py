"""Where parts of a shell's words end: quotes, `$(…)`, `${…}`, backquotes; for parsing and expansion."""

from __future__ import annotations

_CLOSING = {"(": ")", "{": "}", '"': '"'}


class UnclosedError(Exception):
    """What begins at a place does not end; `character` is missing."""

    def __init__(self, at: int, character: str) -> None:
        super().__init__()
        self.at, self.character = at, character


def behind(text: str, at: int, quoted: bool = False) -> int:
    """The place after one character of a word, or after what is quoted or substituted there.

    Args:
        text: as it is written.
        at: a place in it.
        quoted: between double quotes, where a `'` is a character as others.

    Raises:
        UnclosedError: a quote, parenthesis or brace does not end.
    """
    character, after = text[at], text[at + 1 : at + 2]
    if character == "\\":
        return at + 2
    if character == "'" and not quoted:
        end = text.find("'", at + 1)
        if end < 0:
            raise UnclosedError(at, "'")
        return end + 1
    if character == "`":
        return _behind_escaped(text, at + 1, "`")
    if character == '"':
        return behind_closing(text, at)
    if character == "$" and after == "'" and not quoted:
        return _behind_escaped(text, at + 2, "'")
    if character == "$" and after in ("(", "{"):
        return behind_closing(text, at + 1)
    return at + 1


def behind_closing(text: str, at: int) -> int:
    """The place after what closes the double quote, parenthesis or brace at a place; raises as `behind`.

    In `"${…}"` a `'` begins a quote, for bash as in `${…}`.
    """
    begin, opening = at, text[at]
    closing = _CLOSING[opening]
    depth = 0
    while at < len(text):
        character = text[at]
        if character == closing and depth:
            at, depth = at + 1, depth - 1
            if not depth:
                return at
        elif character == opening:
            at, depth = at + 1, depth + 1
        elif character == "#" and opening == "(" and text[at - 1] in " \t\n":  # a comment ends with its line
            end = text.find("\n", at)
            at = end if end >= 0 else len(text)
        else:
            at = behind(text, at, opening == '"')
    raise UnclosedError(begin, closing)


def _behind_escaped(text: str, at: int, quote: str) -> int:
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at + 1
