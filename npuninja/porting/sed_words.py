"""The words of sed, as far as it only puts words in the place of others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from npuninja.porting.found import ReplacedWords, ShellCommand
from npuninja.porting.project import text_of

# s/WORD/TEXT/g without `*`, `[`, `^`, `$`, `\`, `&`, which are patterns; `_is_literal` looks at `.` and `g`.
_LITERAL = re.compile(
    r"s(?P<mark>[/|,#:@])(?P<word>(?:(?!(?P=mark))(?:[^*\[\]^$\\]|\\\.))+)(?P=mark)(?P<text>(?:(?!(?P=mark))[^&\\])*)(?P=mark)(?P<all>g?)"
)


def read_sed_words(command: ShellCommand) -> ReplacedWords | str:
    """`sed -e s/WORD/TEXT/g FILE > OTHER` and `sed -i s/WORD/TEXT/g FILE`, where WORD and TEXT are no
    patterns; for others, why the command is left out.
    """
    expressions: list[str] = []
    files: list[str] = []
    in_place, words = False, list(command.words[1:])
    while words:
        word = words.pop(0)
        if word in ("-e", "--expression") and words:
            expressions.append(words.pop(0))
        elif word in ("-i", "--in-place"):
            in_place = True
        elif word.startswith("-"):
            return f"npuninja does not know sed's {word}"
        elif not expressions:
            expressions.append(word)
        else:
            files.append(command.path(word))
    parts = [part.strip() for text in expressions for part in text.split(";") if part.strip()]
    found = [match for part in parts if (match := _LITERAL.fullmatch(part))]
    (file, *others) = files or [command.stdin]
    target = file if in_place else command.stdout
    text = text_of(file)
    if others or not file or not target or len(found) < len(parts) or not _is_literal(text, found):
        return "of sed, npuninja takes over s/WORD/TEXT/g from one file to another"
    replaced = tuple(_shorter(match["word"].replace(r"\.", "."), match["text"], text) for match in found)
    if any("=" in word for word, _ in replaced):
        return "a word with = in it cannot be said in toolchain.toml"
    return ReplacedWords(file, target, replaced)


def _shorter(word: str, new: str, text: str) -> tuple[str, str]:
    """Without their common beginning up to a `=`, which ends a word in `replace`, when the rest of the word
    is at the same places only.
    """
    at = word.rfind("=") + 1
    same = word[:at] == new[:at] and text.count(word) == text.count(word[at:])
    return (word[at:], new[at:]) if same else (word, new)


def _is_literal(text: str, found: Sequence[re.Match[str]]) -> bool:
    """Whether sed would do in a text just what replacing words everywhere does: a `.`, which stands for any
    character, and a missing `g` make no difference there.
    """
    for match in found:
        parts = re.findall(r"\\\.|.", match["word"])
        pattern = "".join(
            "." if part == "." else part if part == r"\." else re.escape(part) for part in parts
        )
        matches = re.findall(pattern, text)
        if "." in parts and (not text or any(each != match["word"].replace(r"\.", ".") for each in matches)):
            return False
        if not match["all"] and (not text or any(len(re.findall(pattern, x)) > 1 for x in text.splitlines())):
            return False
    return True
