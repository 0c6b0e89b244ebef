"""Puts build.ninja in place: only when it changed, and only after Ninja has read it."""

from __future__ import annotations

import os
import re
import subprocess

from npuninja.emit.template import Template
from npuninja.errors import InternalError, Location, ToolError, UserError
from npuninja.files import write_if_changed


def place_build_file(
    path: str, text: str, ninja: str | None, template: Template, first_line: int = 1
) -> bool:
    """Writes build.ninja unless it has this text, but has Ninja read it first: a broken one could not repair
    itself.

    Returns whether it wrote.

    Args:
        path: build.ninja.
        text: what it is to say.
        ninja: the program that reads it; None for no proof.
        template: what the user wrote of it.
        first_line: where that begins in it.

    Raises:
        InternalError: Ninja does not accept the text; the old file stays.
        UserError: the statement that it does not accept is the user's; located in build.ninja.in, or in the
            file that is included there.
        ToolError: Ninja does not start.
    """
    folder = os.path.dirname(path)
    check = (lambda temporary: _check(ninja, folder, temporary, template, first_line)) if ninja else None
    return write_if_changed(path, text, check=check)


def remove_dead_outputs(ninja: str, folder: str) -> None:
    """Deletes what earlier builds made and the new build.ninja no longer makes (a design was renamed or taken
    away).

    Nobody is to run an old XCLBIN by mistake. Files that are in no log of Ninja's stay.

    Raises:
        ToolError: Ninja does not start.
    """
    _run([ninja, "-C", folder, "-t", "cleandead"])


def _check(ninja: str, folder: str, file: str, template: Template, first_line: int) -> None:
    # Tool `targets` reads and connects the whole file, runs nothing and, unlike `-n`, does not look whether
    # the file itself is to be made again.
    command = [ninja, "-C", folder, "-f", file, "-t", "targets", "depth", "1"]
    done = _run(command)
    if done.returncode:
        printed = (done.stderr or done.stdout).strip()
        place = _users_place(printed, file, template, first_line)
        if place:
            raise UserError(
                f"Ninja does not accept this statement: {_complaint(printed)}",
                place,
                hint="correct it, or take it away",
            )
        raise InternalError(
            "Ninja does not accept the build file that was made",
            notes=((f"it printed: {printed}", None),),
            hint="please report this with the design and the name of its folder",
        )


# ninja: error: .new123_0.build.ninja:7: unknown build rule 'sopy'
_ERROR = re.compile(r"ninja: error: (.*?):(\d+): (.*)")
_UNKNOWN_POOL = re.compile(r"unknown pool name '(.*)'")
# With this Ninja points into the line that it means. Without it something was missing when a statement ended,
# and the line is the next one that is no comment.
_POINTED = "^ near here"
_VERSION = "ninja_required_version"


def _complaint(printed: str) -> str:
    match = _ERROR.search(printed)
    return match[3] if match else printed.partition(": ")[2].partition(": ")[2] or printed


def _users_place(printed: str, file: str, template: Template, first_line: int) -> Location | None:
    """Where the user wrote what Ninja complains about; None when it is not the user's."""
    match = _ERROR.search(printed)
    if not match:  # this one has no place
        wanted = (text.locations.get(("variable", _VERSION)) for text in template.own.all_files())
        return next(filter(None, wanted), None) if _VERSION in printed else None
    name, line, pointed = match[1], int(match[2]), _POINTED in printed
    if os.path.basename(name) != os.path.basename(file):
        included = template.included_by(name)
        if included is None:
            return None
        return Location(included.file, line if pointed else included.start_of(line - 1))
    with open(file, encoding="utf-8", errors="surrogateescape") as stream:
        text = stream.read().split("\n")
    if not pointed:
        line -= 1
        while line >= first_line and (not text[line - 1].strip() or text[line - 1].lstrip().startswith("#")):
            line -= 1
    number = template.lines[line - first_line] if 0 <= line - first_line < len(template.lines) else 0
    start = template.own.start_of(number)
    if number and start:
        return Location(template.file, number if pointed else start)
    return _of_own_rule(match[3], template)


def _of_own_rule(complaint: str, template: Template) -> Location | None:
    """The rule of the user's that our statement is refused for: one that is taken instead of ours."""
    pool = _UNKNOWN_POOL.match(complaint)
    rules = template.own.rules.items()
    named = (name for name, variables in rules if pool and variables.get("pool") == pool[1])
    return next((template.own.locations["rule", name] for name in named), None)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"cannot start {command[0]}: {error}", hint="pip install ninja") from error
