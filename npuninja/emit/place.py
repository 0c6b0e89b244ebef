"""Puts build.ninja in place: only when it changed, and only after Ninja has read it."""

from __future__ import annotations

import os
import re
import subprocess

from npuninja.emit.template import Template
from npuninja.errors import InternalError, Location, ToolError, UserError
from npuninja.files import write_if_changed


def place_build_file(path: str, text: str, ninja: str | None, template: Template) -> bool:
    """Writes build.ninja unless it has this text, but has Ninja read it first: a broken one could not repair
    itself.

    Returns whether it wrote.

    Args:
        path: build.ninja.
        text: what it is to say.
        ninja: the program that reads it; None for no proof.
        template: what the user wrote of it.

    Raises:
        InternalError: Ninja does not accept the text; the old file stays.
        UserError: the line that it does not accept is the user's; located in build.ninja.in.
        ToolError: Ninja does not start.
    """
    folder = os.path.dirname(path)
    check = (lambda temporary: _check(ninja, folder, temporary, template)) if ninja else None
    return write_if_changed(path, text, check=check)


def remove_dead_outputs(ninja: str, folder: str) -> None:
    """Deletes what earlier builds made and the new build.ninja no longer makes (a design was renamed or taken
    away).

    Nobody is to run an old XCLBIN by mistake. Files that are in no log of Ninja's stay.

    Raises:
        ToolError: Ninja does not start.
    """
    _run([ninja, "-C", folder, "-t", "cleandead"])


def _check(ninja: str, folder: str, file: str, template: Template) -> None:
    # Tool `targets` reads and connects the whole file, runs nothing and, unlike `-n`, does not look whether
    # the file itself is to be made again.
    command = [ninja, "-C", folder, "-f", file, "-t", "targets", "depth", "1"]
    done = _run(command)
    if done.returncode:
        printed = (done.stderr or done.stdout).strip()
        _blame_the_user(printed, file, template)
        raise InternalError(
            "Ninja does not accept the build file that was made",
            notes=((f"it printed: {printed}", None),),
            hint="please report this with the design and the name of its folder",
        )


def _blame_the_user(printed: str, file: str, template: Template) -> None:
    """Raises UserError when the line that Ninja complains about is one of build.ninja.in."""
    # ninja: error: .new123_0.build.ninja:7: unknown build rule 'sopy'
    match = re.search(rf"{re.escape(os.path.basename(file))}:(\d+): (.*)", printed)
    if not match:
        return
    with open(file, encoding="utf-8", errors="surrogateescape") as stream:
        line = stream.read().split("\n")[int(match[1]) - 1]
    lines = template.text.split("\n")
    if line.strip() and line in lines:
        place = Location(template.file, lines.index(line) + 1)
        raise UserError(
            f"Ninja does not accept this line: {match[2]}", place, hint="correct it, or take it away"
        )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"cannot start {command[0]}: {error}", hint="pip install ninja") from error
