"""The shell scripts by which a folder is built, and the commands that its READMEs give to people."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from npuninja.errors import UserError
from npuninja.files import read_file
from npuninja.porting.found import MAX_SOURCE_BYTES, ShellCommand
from npuninja.porting.make_commands import ask_make, find_makefile
from npuninja.porting.make_words import read_make_words
from npuninja.porting.shell.paths import ForeignPaths
from npuninja.porting.shell.walk import walk_script

#: What scripts are called that build, in the order in which they are taken; then those of any other name.
_NAMES = ("gen", "build", "compile", "make", "", "run", "test")
_SCRIPT_SUFFIXES = (".sh", ".bash")
_TEXT_SUFFIXES = (".md", ".markdown", ".txt", ".rst")
# A block of commands in Markdown; one without a language may be anything, and counts when it has prompts.
_BLOCK = re.compile(
    r"^(?P<fence>```+|~~~+)[ \t]*(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=fence)", re.M | re.S
)
_SHELL_LANGUAGES = ("bash", "sh", "shell", "zsh", "console", "shell-session", "terminal")
_PROMPT = re.compile(r"^\s*(?:\$|%|>|\w+@[\w:~/.-]+[$#])\s+(.*)$")
_TOOLS = re.compile(r"\b(?:aiecc|clang|xchesscc|python3?|make|\w+\.sh)\b")


@dataclass(frozen=True)
class ScriptCommands:
    """What scripts give.

    Attributes:
        names: of the scripts, relative to the folder.
        commands: in order.
        notes: what was taken for granted on the way, in sentences.
    """

    names: tuple[str, ...]
    commands: tuple[ShellCommand, ...]
    notes: tuple[str, ...]


def find_scripts(folder: str) -> list[str]:
    """The shell scripts of a folder, those first that build by their name; else its README."""
    names = sorted(os.listdir(folder))
    scripts = [name for name in names if name.endswith(_SCRIPT_SUFFIXES)]

    def rank(name: str) -> int:
        return next(
            (at for at, word in enumerate(_NAMES) if word and name.lower().startswith(word)), _NAMES.index("")
        )

    found = sorted(scripts, key=rank)
    return found or [name for name in names if re.fullmatch(r"readme(\.\w+)?", name.lower())]


def commands_of_scripts(
    folder: str, scripts: Sequence[str], variables: Mapping[str, str], environment: Mapping[str, str]
) -> ScriptCommands:
    """The commands of scripts, on the way on which nothing fails; none of them is run.

    Args:
        folder: that is imported, absolute.
        scripts: names in it or paths, each with the script's own words after it (`build.sh npu2`).
        variables: that the scripts find set.
        environment: of this process, below them.

    Raises:
        UserError: a script is not there, or is no text of a shell.
    """
    paths = ForeignPaths(folder)
    names: list[str] = []
    commands: list[ShellCommand] = []
    notes: list[str] = []
    for script in scripts:
        file, *words = shlex.split(script)
        path = os.path.normpath(os.path.join(folder, file))
        if not os.path.isfile(path):
            raise UserError(f"there is no script {file} in {folder}")
        text = read_file(path, MAX_SOURCE_BYTES).decode("utf-8", "replace")
        if path.endswith(_TEXT_SUFFIXES):
            text = _commands_of_text(text)
        walked = walk_script(path, words, {**environment, **variables}, paths, text)
        names.append(os.path.relpath(path, folder))
        for command in walked.commands:
            commands += _asked_of_make(command, variables, environment)
        notes += [walked.stopped] if walked.stopped else []
        notes += walked.assumed
    notes += [
        f"{foreign} is taken for {os.path.relpath(local, folder)}" for foreign, local in paths.moved.items()
    ]
    return ScriptCommands(tuple(names), tuple(commands), tuple(dict.fromkeys(notes)))


def _commands_of_text(text: str) -> str:
    """The blocks of commands in a text for people, as one script."""
    found = []
    for match in _BLOCK.finditer(text):
        lines = match["text"].splitlines()
        prompted = [prompt[1] for line in lines if (prompt := _PROMPT.match(line))]
        if match["language"].lower() in _SHELL_LANGUAGES or (not match["language"] and prompted):
            block = prompted or lines
            found.append("\n".join(block) if any(map(_TOOLS.search, block)) else "")
    return "\n".join(found)


def _asked_of_make(
    command: ShellCommand, variables: Mapping[str, str], environment: Mapping[str, str]
) -> list[ShellCommand]:
    """A call of make as what make would do; the command itself when there is no Makefile."""
    if os.path.basename(command.words[0]) not in ("make", "gmake") or not command.alone:
        return [command]
    said = read_make_words(command.words[1:])
    folder = os.path.normpath(os.path.join(command.folder, said.folder))
    makefile = said.makefile
    makefile = makefile or (find_makefile(folder) if os.path.isdir(folder) else "") or ""
    if not makefile or not os.path.isfile(os.path.join(folder, makefile)):
        return [command]
    given = {**variables, **said.variables}
    answers = ask_make(folder, said.targets or [""], given, environment, makefile)
    more = [one for answer in answers for one in answer.commands]
    return [replace(one, environment=(*command.environment, *one.environment)) for one in more]
