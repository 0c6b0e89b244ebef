"""The lines that GNU make prints, as commands.

Enough of a shell's grammar for Makefiles in practice: words and quotes, `cd X &&`, `NAME=VALUE` in front,
output into a file, `echo WORD` in backquotes. Lines with conditions, loops and variables that compile
something are read as scripts (`shell`); other pipes and conditions are left whole for a person to look at.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from npuninja.errors import UserError
from npuninja.porting.found import ShellCommand
from npuninja.porting.shell.expansion import MAX_TEXT_CHARACTERS
from npuninja.porting.shell.in_front import without_front
from npuninja.porting.shell.parse import ASSIGNMENT
from npuninja.porting.shell.paths import ForeignPaths
from npuninja.porting.shell.walk import walk_script

_SUBSTITUTION = re.compile(
    r"`\s*(echo|wslpath -w|dirname|basename)\s+([^`]*?)\s*`|\$\(\s*(echo|dirname|basename)\s+([^()]*?)\s*\)"
)
_SEPARATORS = {"&&", ";", "||", "|", "&", ";;", "(", ")", "|&"}
_CONTROL = {
    "if",
    "then",
    "else",
    "fi",
    "for",
    "do",
    "done",
    "while",
    "case",
    "esac",
    "{",
    "}",
    "!",
    "[",
    "test",
}
#: A number right before a redirection is its descriptor (`2> FILE`); after a blank it is an argument.
_DESCRIPTOR = re.compile(r"(?<=\s)(\d)(?=[<>])")
_MARK = "\0"
_BUILDS = re.compile(r"aiecc|clang|xchess")


def commands_of(text: str, folder: str) -> Iterator[ShellCommand]:
    """The commands of make's output, in order.

    Args:
        text: what `make -n` printed, without make's own messages.
        folder: where make runs.

    Raises:
        UserError: a command is longer than any can be.
    """
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = line.strip()
        if len(line) > MAX_TEXT_CHARACTERS:  # taking words apart needs time of the square of a word
            raise UserError(
                f"a command of {len(line)} characters, which no shell takes: {line[:80]}…",
                hint=f"Linux has {MAX_TEXT_CHARACTERS} for one",
            )
        if line and not line.startswith("#"):
            found = list(_commands_of_line(line, folder))
            yield from (_as_a_script(line, folder) or found) if any(map(_is_more, found)) else found


def _is_more(command: ShellCommand) -> bool:
    """Whether a line is more than its words: a shell's conditions and variables."""
    return not command.alone or any("$" in word for word in command.words)


def _as_a_script(line: str, folder: str) -> list[ShellCommand]:
    """The commands of a line that is a script and compiles for an AI Engine; nothing for others."""
    try:
        walked = walk_script(os.path.join(folder, "recipe"), [], {}, ForeignPaths(folder), line)
    except UserError:
        return []
    builds = any(_BUILDS.search(os.path.basename(command.words[0])) for command in walked.commands)
    return (
        [replace(command, line=line) for command in walked.commands] if builds and not walked.stopped else []
    )


def _commands_of_line(line: str, folder: str) -> Iterator[ShellCommand]:
    text = _DESCRIPTOR.sub(f"{_MARK}\\1 ", _SUBSTITUTION.sub(_substituted, line))
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # a quote that does not end, which the shell would refuse as well
        yield ShellCommand((line,), folder, "", (), line, alone=False)
        return
    here = folder
    for words_of, alone in _commands(words):
        if words_of[:1] == ["cd"] and len(words_of) == 2:
            here = os.path.normpath(os.path.join(here, words_of[1]))
            continue
        command = _command(words_of, here, line, alone)
        if command:
            yield command


def _substituted(match: re.Match[str]) -> str:
    """What a command in backquotes prints, for the few whose answer follows from their words."""
    program, words = (match[1] or match[3]), (match[2] or match[4])
    if program == "dirname":
        return os.path.dirname(words) or "."
    return os.path.basename(words) if program == "basename" else words


def _commands(words: list[str]) -> Iterator[tuple[list[str], bool]]:
    """The words between separators, and whether what is there is always done."""
    # All that is on a line with a condition depends on it. Its words are a shell's, where a command begins.
    begins = (word for before, word in zip([";", *words], words) if before in _SEPARATORS | _CONTROL)
    decided = any(word in ("||", "|", "|&") for word in words) or any(word in _CONTROL for word in begins)
    part: list[str] = []
    for word in [*words, ";"]:
        if word in _SEPARATORS:
            if part:
                yield part, not decided
            part = []
        else:
            part.append(word)


def _descriptor(kept: list[str]) -> str:
    """Takes the number of a redirection from the words before it; "" when it has none."""
    return kept.pop().removeprefix(_MARK) if kept and kept[-1].startswith(_MARK) else ""


def _command(words: list[str], folder: str, line: str, alone: bool) -> ShellCommand | None:
    environment = []
    while words and ASSIGNMENT.match(words[0]):
        name, _, value = words.pop(0).partition("=")
        environment.append((name, value))
    words, given = without_front(words)
    kept: list[str] = []
    stdin, stdout, position = "", "", 0
    while position < len(words):
        word = words[position]
        if word in (">", ">>", ">|") and position + 1 < len(words):
            target = words[position + 1]
            if _descriptor(kept) not in ("", "1"):
                pass  # 2> FILE
            elif target != "/dev/null":
                stdout = os.path.normpath(os.path.join(folder, target))
            position += 2
        elif word == "<" and position + 1 < len(words):
            stdin = os.path.normpath(os.path.join(folder, words[position + 1]))
            position += 2
        elif word in (">&", "&>", "<<") and position + 1 < len(words):
            _descriptor(kept)  # 2>&1
            position += 2
        else:
            kept.append(word)
            position += 1
    if kept[:1] and kept[0] in ("@", "-", "+"):
        kept.pop(0)
    if not kept:
        return None
    return ShellCommand(tuple(kept), folder, stdout, (*environment, *given), line, alone, stdin=stdin)
