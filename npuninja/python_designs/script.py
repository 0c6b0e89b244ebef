"""The door: runs a design's script in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

from npuninja.errors import Location, UserError
from npuninja.python_designs.imports import Evidence
from npuninja.python_designs.imports import generation_of as generation_of
from npuninja.python_designs.imports import is_jitted as is_jitted
from npuninja.python_designs.start import package_root as package_root


class ScriptOutcome(NamedTuple):
    """What a script wrote on standard output, its exit code, the generation it ran as, and what it wrote on
    standard error where that was caught.
    """

    text: str
    exit_code: int
    evidence: Evidence
    errors: str = ""


class Bindings(NamedTuple):
    """MLIR-AIE's own bindings: the Python that they are for, the folder with their package `aie`, and one word that is
    another when they may print something else. `asked_for`: they were named, and not only found.
    """

    python: str
    folder: str
    identity: str
    asked_for: bool = False


_OWN_PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bindings_process.py")


def run_with_bindings(
    bindings: Bindings,
    script: str,
    arguments: list[str],
    *,
    report: str = os.devnull,
    cwd: str | None = None,
    stderr: int | None = subprocess.PIPE,
    time_limit_s: float | None = None,
    module: str = "",
) -> ScriptOutcome:
    """As `run_design`, by MLIR-AIE's own bindings, which print for the release that they are of.

    Raises:
        UserError: the script does not end in time.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    given = [bindings.folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(given)
    path = os.path.abspath(script)
    command = [bindings.python, _OWN_PROCESS, report, package_root(path, module), module, path, *arguments]
    done = _finished(command, environment, script, cwd, stderr, time_limit_s)
    text, errors = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr or b""))
    return ScriptOutcome(text, done.returncode, Evidence("", "the bindings that are installed"), errors)


def _finished(
    command: list[str],
    environment: dict[str, str],
    script: str,
    cwd: str | None,
    stderr: int | None,
    time_limit_s: float | None,
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL if stderr is not None else None, stdout=subprocess.PIPE,
            stderr=stderr, env=environment, cwd=cwd, timeout=time_limit_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(f"the script did not end within {time_limit_s:g} s", Location(script)) from error


def run_design(
    script: str,
    arguments: list[str],
    *,
    generation: str = "auto",
    device: str | None = None,
    print_only: bool = False,
    report: str | None = None,
    cwd: str | None = None,
    stderr: int | None = None,
    time_limit_s: float | None = None,
    module: str = "",
) -> ScriptOutcome:
    """Runs a design and collects what it prints.

    Args:
        script: the design's file.
        arguments: what it finds behind its own name in `sys.argv`.
        generation: one of `CHOICES`.
        device: what `get_current_device()` gives, npu1 or npu2, or None.
        print_only: stop at the first module that `@iron.jit` would compile, and print it.
        report: a JSON file that gets the `files` of all imported modules, and the `kernels` that the module needs.
        cwd: the folder to run in.
        stderr: as for `subprocess.run`.
        time_limit_s: seconds until it is given up.
        module: its name as a module of a package, when it is run as `python -m MODULE`.

    Raises:
        UserError: there is no such script, or it does not end in time.
    """
    if not os.path.isfile(script):
        raise UserError(f"there is no file {script}", hint="npuninja python DESIGN.py -- ARGUMENTS")
    evidence = generation_of(script) if generation == "auto" else Evidence(generation, "the command line")
    options = {"generation": evidence.generation, "device": device, "print": print_only, "report": report}
    options["module"] = module
    environment = dict(os.environ)
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH")]))
    command = [
        sys.executable,
        "-m",
        "npuninja.python_designs.start",
        json.dumps(options),
        os.path.abspath(script),
    ]
    done = _finished(command + arguments, environment, script, cwd, stderr, time_limit_s)
    errors = (done.stderr or b"").decode("utf-8", "replace")
    return ScriptOutcome(done.stdout.decode("utf-8", "replace"), done.returncode, evidence, errors)
