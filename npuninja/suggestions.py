"""Which known word somebody may have meant, for the hint of an error. Imported by stage processes."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Those of `known` that `word` may have been meant to be, best first, at most `most`."""
    from difflib import get_close_matches  # slow to import, and only an error needs it

    return get_close_matches(word, list(known), most)


def did_you_mean(word: str, known: Iterable[str], then: str = "", *, most: int = 1) -> str | None:
    """The hint "did you mean 'x'?", followed by `then`; `then` alone when nothing is near, None without
    either.

    Args:
        word: what was written.
        known: what could have been.
        then: the rest of the hint, for example all known words.
        most: so many are offered.
    """
    return " ".join(filter(None, (_question(near(word, known, most)), then))) or None


def _question(close: list[str]) -> str:
    return f"did you mean {' or '.join(map(repr, close))}?" if close else ""
