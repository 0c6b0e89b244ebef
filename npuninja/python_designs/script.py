"""The door: runs a design's script in a process of its own."""

from __future__ import annotations

import json
import os
import sys

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.python_designs.closed_script import closed_texts as closed_texts
from npuninja.python_designs.imports import Evidence
from npuninja.python_designs.imports import generation_of as generation_of
from npuninja.python_designs.imports import is_jitted as is_jitted
from npuninja.python_designs.process import Copy, OwnProcess, Running, TooLong, can_be_copied
from npuninja.python_designs.start import package_root as package_root
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any


class ScriptOutcome(NamedTuple):
    """A script's standard output, exit code, the generation it ran as, and standard error where caught."""

    text: str
    exit_code: int
    evidence: Evidence
    errors: str = ""


class Bindings(NamedTuple):
    """MLIR-AIE's own bindings: the Python that they are for, the folder with their package `aie`, and a word
    that changes when they may print something else. `asked_for`: they were named, and not only found.
    """

    python: str
    folder: str
    identity: str
    asked_for: bool = False


_OWN_PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bindings_process.py")


class StartedScript:
    """A design's script that runs. Use it in a `with`."""

    def __init__(self, script: str, process: Running, evidence: Evidence) -> None:
        self._script, self._process, self._evidence = script, process, evidence

    def outcome(self, time_limit_s: float | None = None) -> ScriptOutcome:
        """Waits for its end. Raises UserError when that does not come in time."""
        try:
            text, errors, exit_code = self._process.finished(time_limit_s)
        except TooLong as error:
            raise UserError(
                f"the script did not end within {time_limit_s:g} s", Location(self._script)
            ) from error
        return ScriptOutcome(text, exit_code, self._evidence, errors)

    def __enter__(self) -> StartedScript:
        return self

    def __exit__(self, *error: Any) -> None:
        self._process.__exit__(*error)


def start_with_bindings(
    bindings: Bindings,
    script: str,
    arguments: list[str],
    *,
    report: str = os.devnull,
    cwd: str | None = None,
    catches_errors: bool = True,
    module: str = "",
) -> StartedScript:
    """As `start_design`, by MLIR-AIE's own bindings, which print for the release that they are of."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    given = [bindings.folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(given)
    path = os.path.abspath(script)
    command = [bindings.python, _OWN_PROCESS, report, package_root(path, module), module, path, *arguments]
    process = OwnProcess(command, environment, cwd, catches_errors)
    return StartedScript(script, process, Evidence("", "the bindings that are installed"))


def start_design(
    script: str,
    arguments: list[str],
    *,
    generation: str = "auto",
    device: str | None = None,
    print_only: bool = False,
    report: str | None = None,
    cwd: str | None = None,
    catches_errors: bool = False,
    module: str = "",
    may_copy: bool = False,
) -> StartedScript:
    """Starts a design's script, whose outcome has what it prints.

    Args:
        script: the design's file.
        arguments: what it finds after its own name in `sys.argv`.
        generation: one of `CHOICES`.
        device: what `get_current_device()` gives, npu1 or npu2, or None.
        print_only: stop at the first module that `@iron.jit` would compile, and print it.
        report: a JSON file for the `files` of all imported modules and the `kernels` that the module needs.
        cwd: the folder to run in.
        catches_errors: keep its standard error for the outcome; its standard input is then empty.
        module: its name as a module of a package, when it is run as `python -m MODULE`.
        may_copy: the process may be a copy of this one, where that is the same to the script.

    Raises:
        UserError: there is no such script.
    """
    if not os.path.isfile(script):
        raise UserError(f"there is no file {script}", hint="npuninja python DESIGN.py -- ARGUMENTS")
    evidence = generation_of(script) if generation == "auto" else Evidence(generation, "the command line")
    options = {"generation": evidence.generation, "device": device, "print": print_only, "report": report}
    options["module"] = module
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    python_path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    path, folder = os.path.abspath(script), os.path.abspath(cwd or os.curdir)
    words = [json.dumps(options), path, *arguments]
    process: Running
    if may_copy and catches_errors and can_be_copied((package_root(path, module), folder)):
        process = Copy(words, python_path, folder)
    else:
        command = [sys.executable, "-m", "npuninja.python_designs.start", *words]
        process = OwnProcess(command, {**os.environ, "PYTHONPATH": python_path}, cwd, catches_errors)
    return StartedScript(script, process, evidence)


def run_design(script: str, arguments: list[str], **options: Any) -> ScriptOutcome:
    """Runs a design and collects what it prints: `start_design` and its outcome."""
    with start_design(script, arguments, **options) as started:
        return started.outcome()
