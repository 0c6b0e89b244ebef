"""What a Makefile would do, said by GNU make itself (`make -n`)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from npuninja.errors import ToolError, UserError, in_words
from npuninja.porting.asked_program import MAX_OUTPUT_BYTES, TooMuchSaidError, ask
from npuninja.porting.found import ShellCommand, is_source
from npuninja.porting.shell_words import commands_of

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_TIME_LIMIT_S = 60
_MISSING = re.compile(
    r"^g?make(?:\[\d+\])?: \*\*\* No rule to make target '([^']+)', needed by '([^']+)'\.", re.M
)
_UNKNOWN_TARGET = re.compile(r"^g?make: \*\*\* No rule to make target '([^']+)'\.\s+Stop\.", re.M)
_NO_MAKEFILE = re.compile(r"^([^:\n]+):(\d+): (\S+): No such file or directory", re.M)
_FATAL = re.compile(r"^(.+:\d+: \*\*\* .*)$", re.M)
_OWN_LINES = re.compile(r"^(?:g?make(?:\[\d+\])?: |.+:\d+: (?:warning|\S+: No such file)|.+: warning: )")
# The target that says what the Makefile exports, and what a shell sets itself.
_ENVIRONMENT = "npuninja-environment"
_SHELLS_OWN = ("_", "PWD", "OLDPWD", "SHLVL", "LC_ALL")
# So many missing files are no misunderstanding between make and us any more.
_MAX_ASSUMED = 40


@dataclass(frozen=True)
class MakeAnswer:
    """What make said of one target.

    Attributes:
        target: which.
        commands: in order.
        assumed: files that some command makes on the side, so that make knows no rule for them.
    """

    target: str
    commands: tuple[ShellCommand, ...]
    assumed: tuple[str, ...]


def find_makefile(folder: str) -> str | None:
    """The Makefile that make would take in a folder; None when there is none."""
    return next((n for n in _NAMES if is_source(os.path.join(folder, n))), None)


def ask_make(
    folder: str,
    targets: Sequence[str],
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    makefile: str,
    *,
    nothing_made: bool = True,
) -> list[MakeAnswer]:
    """What make would do for each target that the Makefile has; it does nothing but run `$(shell …)`.

    Args:
        folder: with a Makefile.
        targets: names; those that the Makefile does not have are left out. "" is what make does without a
            target.
        variables: set on make's command line.
        environment: of make.
        makefile: its name in the folder.
        nothing_made: as if nothing had been made so far.

    Raises:
        UserError: make stops at the Makefile itself (a missing include, a syntax error).
        ToolError: there is no GNU make, or it does not end.
    """
    make = shutil.which("gmake") or shutil.which("make")
    if make is None:
        raise ToolError(
            "there is no make, and only make can say what a Makefile does",
            hint="install GNU make (Debian, Fedora: make)",
        )
    answers = []
    exported: tuple[tuple[str, str], ...] | None = None
    for target in targets:
        answer = _ask(make, makefile, folder, target, variables, environment, ["-B"] if nothing_made else [])
        if answer is None:
            continue
        if exported is None:
            exported = _exported(make, makefile, folder, variables, environment)
        commands = tuple(replace(c, environment=exported + c.environment) for c in answer.commands)
        answers.append(replace(answer, commands=commands) if exported else answer)
    return answers


def _exported(
    make: str, makefile: str, folder: str, variables: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """What the Makefile adds to the environment of its commands (`export NAME`): what is not there anyway."""
    with tempfile.TemporaryDirectory(prefix="npuninja-import-") as work:
        rules = os.path.join(work, "environment.mk")
        with open(rules, "w", encoding="utf-8") as stream:
            # A line that begins with + is run by make -n as well.
            stream.write(f".PHONY: {_ENVIRONMENT}\n{_ENVIRONMENT}:\n\t+@env -0\n")
        words = [f"{name}={value}" for name, value in sorted(variables.items())]
        done = _run(
            [make, "-n", "--no-print-directory", "-f", makefile, "-f", rules, _ENVIRONMENT, *words],
            folder,
            environment,
        )
    before, found = _plain(environment), []
    places = tuple(
        value for value in variables.values() if os.path.isabs(value)
    )  # that this machine may not have
    for entry in done.stdout.rpartition("\n")[2].split("\0") if not done.returncode else ():
        name, equals, value = entry.partition("=")
        own = name in variables or name in _SHELLS_OWN or name.startswith(("MAKE", "MFLAGS"))
        if equals and not own and before.get(name) != value and not any(place in value for place in places):
            found.append((name, value))
    return tuple(found)


def _ask(
    make: str,
    makefile: str,
    folder: str,
    target: str,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    options: list[str],
) -> MakeAnswer | None:
    assumed: list[str] = []
    words = [f"{name}={value}" for name, value in sorted(variables.items())]
    goals = [target] if target else []
    with tempfile.TemporaryDirectory(prefix="npuninja-import-") as work:
        rules = os.path.join(work, "assumed.mk")
        while True:
            with open(rules, "w", encoding="utf-8") as stream:
                # Files that are made as by-products: make is to take them as there.
                stream.writelines(f"{_escaped(path)}: ;\n" for path in assumed)
            done = _run(
                [make, "-n", *options, "--no-print-directory", "-f", makefile, "-f", rules, *goals, *words],
                folder,
                environment,
            )
            # make names the first file that it knows no rule for, so each needs a run of its own.
            missing = _MISSING.search(done.stderr)
            if missing and missing[1] not in assumed and len(assumed) < _MAX_ASSUMED:
                assumed.append(missing[1])
                continue
            break
    unknown = _UNKNOWN_TARGET.search(done.stderr)
    if unknown and unknown[1] == target:
        return None
    if done.returncode:
        raise UserError(
            f"make cannot say what {f'target {target!r}' if target else 'its first target'} does: "
            f"{_reason(done.stderr)}",
            hint=f"try it yourself: {' '.join(('make', '-n', '-f', makefile, *goals))}, in {folder}",
        )
    text = "\n".join(line for line in done.stdout.splitlines() if not _OWN_LINES.match(line))
    return MakeAnswer(target, tuple(commands_of(text, folder)), tuple(assumed))


def _escaped(path: str) -> str:
    return re.sub(r"([\s#:%\\])", r"\\\1", path.replace("$", "$$"))


def _reason(stderr: str) -> str:
    absent = _NO_MAKEFILE.search(stderr)
    if absent:
        return f"{absent[1]}:{absent[2]} includes {absent[3]}, which is not there"
    fatal = _FATAL.search(stderr)
    lines = [line for line in stderr.splitlines() if line.strip()]
    return fatal[1] if fatal else (lines[-1] if lines else "it gives no reason")


def _run(command: list[str], folder: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return ask(command, folder, _plain(environment), _TIME_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"make -n has not ended within {_TIME_LIMIT_S} s in {folder}",
            hint="a $(shell …) of the Makefile waits, or make calls itself without an end",
        ) from error
    except TooMuchSaidError as error:
        raise ToolError(
            f"make -n says more than {MAX_OUTPUT_BYTES >> 20} MiB in {folder}",
            hint="look at what the Makefile prints",
        ) from error
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started: {in_words(error)}") from error


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what a make around us hands down, and with messages in English."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return {**kept, "LC_ALL": "C"}
