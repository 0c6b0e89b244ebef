"""Where tools of our own are, and how a program of another distribution's release is started."""

from __future__ import annotations

import glob
import os
import stat
import subprocess
import types
from collections.abc import Mapping, Sequence

from npuninja.errors import ToolError

#: After which a program that fetches or unpacks is given up.
TIME_LIMIT_S = 900.0


def tools_folder(environment: Mapping[str, str]) -> str:
    """What `tools install` fills: `$NPUNINJA_TOOLS`, else `npuninja/tools` in the user's data folder."""
    chosen = environment.get("NPUNINJA_TOOLS")
    if chosen:
        return chosen
    data = environment.get("XDG_DATA_HOME") or os.path.join(
        environment.get("HOME", os.sep), ".local", "share"
    )
    return os.path.join(data, "npuninja", "tools")


def installed_program(environment: Mapping[str, str], tool: str, program: str) -> str:
    """The launcher of a program that `npuninja tools install TOOL` made; it may not be there."""
    return os.path.join(tools_folder(environment), tool, "bin", program)


# Finds its folder by itself, so that the whole may be moved. The loader is started by name: the program's own
# one is the system's, which may be older than the libraries it needs. --inhibit-cache: no library of the
# system is taken instead.
_LAUNCHER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/{up}
exec "$here/{loader}" --inhibit-cache --library-path "$here/{libraries}" --argv0 {name} "$here/{program}" "$@"
"""

_RUNNER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
program=$(command -v "$1") || {{ echo "$0: there is no program $1" >&2; exit 127; }}
shift
libraries=$here/{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
exec "$here/{loader}" --inhibit-cache --library-path "$libraries" --argv0 "$program" "$program" "$@"
"""


def write_launcher(root: str, program: str) -> str:
    """Makes `bin/NAME` in `root`, which starts the program with the libraries of `root`; returns its path.

    Args:
        root: a folder with unpacked packages.
        program: path of the program in it, as `usr/bin/xclbinutil`.

    Raises:
        ToolError: the program or the loader is not among the packages.
    """
    name = os.path.basename(program)
    return _write_launcher(root, program, os.path.join("bin", name), name)


def launch_in_place(root: str, program: str) -> str:
    """Moves a program aside for its launcher, so that the program finds what lies relative to itself.

    For an interpreter: it takes its path from the name it is started with, and starts itself by that path
    again. Arguments, result and errors are those of `write_launcher`.
    """
    aside = program + ".elf"
    if os.path.isfile(os.path.join(root, program)):
        os.rename(os.path.join(root, program), os.path.join(root, aside))
    return _write_launcher(root, aside, program, f'"$here/{program}"')


def write_runner(root: str, name: str) -> str:
    """Makes `bin/NAME` in `root`, which starts a given program with the libraries of `root`, then those of
    LD_LIBRARY_PATH, which the program may need in addition; returns its path.

    Raises:
        ToolError: the loader is not among the packages.
    """
    loader = loader_of(root)
    path = os.path.join(root, "bin", name)
    write_script(path, _RUNNER.format(loader=loader, libraries=os.path.dirname(loader)))
    return path


def loader_of(root: str) -> str:
    """The dynamic loader's path in `root`. Raises ToolError when the packages have none."""
    loaders = sorted(glob.glob(os.path.join(root, "usr", "lib", "*-linux-gnu*", "ld-linux*.so.*")))
    if not loaders:
        raise ToolError(f"the packages in {root} have no dynamic loader")
    return os.path.relpath(loaders[0], root)


def _write_launcher(root: str, program: str, launcher: str, name: str) -> str:
    loader = loader_of(root)
    if not os.path.isfile(os.path.join(root, program)):
        raise ToolError(f"the packages in {root} have no {program}")
    path = os.path.join(root, launcher)
    up = os.path.relpath(root, os.path.dirname(path))
    text = _LAUNCHER.format(
        up=up, loader=loader, libraries=os.path.dirname(loader), name=name, program=program
    )
    write_script(path, text)
    return path


def proved(what: str, command: Sequence[str], time_limit_s: float = 60, least_words: int = 1) -> list[str]:
    """The words that an unpacked program prints, on standard output or else the other. ToolError, with the
    end of what it says, when it does not run, or prints fewer words than it should.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=time_limit_s, check=False)
    words = (done.stdout or done.stderr).split()
    if done.returncode or len(words) < least_words:
        raise ToolError(f"the fetched {what} does not work: {(done.stderr or done.stdout).strip()[-300:]}")
    return words


def run(
    command: list[str],
    failure: str,
    variables: Mapping[str, str] = types.MappingProxyType({}),
    *,
    hint: str = "is the network there?",
) -> str:
    """Runs a program that fetches or unpacks, and returns its output.

    Args:
        command: the program and its arguments.
        failure: what cannot be done then, the error's first words.
        variables: of its environment, in addition to those of this process.
        hint: what may help.

    Raises:
        ToolError: it does not start, does not end in `TIME_LIMIT_S`, or fails; with the lines that tell why.
    """
    try:
        done = subprocess.run(
            command, env={**os.environ, **variables, "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=TIME_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"{failure}: {command[0]} did not end within {TIME_LIMIT_S:g} s", hint=hint
        ) from error
    except OSError as error:
        raise ToolError(f"{failure}: {error}", hint=hint) from error
    if done.returncode:
        # apt and dpkg mark the lines that tell why; of others it is the last ones.
        lines = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:", "Err:", "dpkg"))]
        said = "\n".join(lines or done.stdout.strip().splitlines()[-10:])
        raise ToolError(failure, notes=((f"{os.path.basename(command[0])} says:\n{said}", None),), hint=hint)
    return done.stdout


def write_script(path: str, text: str) -> None:
    """Writes a program that its owner may change and everybody may start."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
