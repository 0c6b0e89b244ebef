"""Escaping, one function for each place where text is in a Ninja file.

A newline fits nowhere and is refused.
"""

from __future__ import annotations

import re

from npuninja.errors import UserError

_SHELL_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def escape_path(path: str) -> str:
    """A path in a `build` or `default` statement."""
    if _SHELL_SAFE.fullmatch(path) and ":" not in path:
        return path  # nearly all paths: a large project has 100,000
    return _one_line(path).replace("$", "$$").replace(" ", "$ ").replace(":", "$:").replace("|", "$|")


def escape_value(text: str) -> str:
    """The text right of `=`: variables and rule attributes. Leading blanks would be lost, so they are
    escaped.
    """
    text = _one_line(text).replace("$", "$$")
    bare = text.lstrip(" ")
    return "$ " * (len(text) - len(bare)) + bare


def quote_word(word: str) -> str:
    """One word of a command line, for `sh`. What needs no quotes gets none."""
    if _SHELL_SAFE.fullmatch(word):
        return word
    return "'" + _one_line(word).replace("'", "'\"'\"'") + "'"


def command_value(words: tuple[str, ...] | list[str]) -> str:
    """Words of a command line as the value of a Ninja variable."""
    return escape_value(" ".join(quote_word(word) for word in words))


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise UserError(f"a line break in {text!r}: neither Ninja nor a command line can carry it")
    return text
