"""Stage run_host: a host program on the NPU, else on the emulated one. Its exit code is the verdict."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from threading import Thread

from npuninja import TYPE_CHECKING
from npuninja.depfile import ROOT
from npuninja.errors import UserError, WrongResult, in_words
from npuninja.formats.notebook import program_of_notebook
from npuninja.stages._run import Arguments, stage_arguments
from npuninja.stages.insts_elf import refuse_no_elf

if TYPE_CHECKING:
    from typing import IO

# What a program has left running may hold its output open.
_LAST_OUTPUT_S = 5
# So much of a program's time one command may take: then what it waits for is still said.
_OF_ONE_COMMAND = 0.9
ACCELERATOR = "/dev/accel/accel0"
_SITE = os.path.join(ROOT, "npuninja", "python_designs", "site")


def run(arguments: list[str]) -> None:
    """Runs the program in its folder and shows what it prints.

    Raises:
        WrongResult: the program says by its exit code that the result is wrong, or it did not end in time.
        UserError: it cannot be started, or configure.py found that it cannot be run here.
    """
    options = stage_arguments("run_host", arguments)
    refused = options.optional("--refused")
    if refused:
        raise UserError(refused)
    program, words = os.path.abspath(options.positional[0]), [_absolute(w) for w in options.positional[1:]]
    for word in words:
        if word.endswith(".elf"):
            refuse_no_elf(word.partition("=")[2] or word)
    notebook = program if options.optional("--script") else ""
    if notebook:
        program = _written(notebook, options.one("--script"))
    run_as = options.optional("--as") or ""
    command = command_of(
        program, words, options.optional("--module") or "", options.one("--device"),
        options.optional("--runner") or "", emulated=not os.path.exists(ACCELERATOR), run_as=run_as,
        limit_s=float(options.one("--time-limit")),
    )  # fmt: skip
    variables = _environment(options, notebook)
    limit_s = float(options.one("--time-limit"))
    name = os.path.basename(program)
    wanted = list(options.all("--output-has"))
    folder = options.optional("--folder")
    files = options.all("--file")
    if files or (folder and not os.path.isdir(folder)):
        folder = _folder_of_links(options.one("--links"), folder or ".", files)
    try:
        # A group of its own, so that what it has started ends with it.
        process = subprocess.Popen(
            command, cwd=folder or None, env=variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if wanted else None, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"{name} cannot be started: {in_words(error)}") from error
    _wait(process, name, limit_s, wanted)


def _environment(options: Arguments, notebook: str) -> dict[str, str]:
    """The variables of the program; in front of PYTHONPATH the folders that it imports from."""
    # Bytecode of modules in host/ would change that folder, which Ninja watches for new hosts.
    variables = {"PYTHONDONTWRITEBYTECODE": "1", **os.environ}
    variables.update(word.partition("=")[::2] for word in options.all("--environment"))
    folders = [ROOT, variables.get("PYTHONPATH")]
    if options.optional("--module") == "both":
        folders.insert(0, _SITE)
    if notebook:
        folders.insert(0, os.path.dirname(notebook))
    if options.optional("--as"):
        folders.insert(0, options.one("--root"))
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    return variables


def _wait(process: subprocess.Popen[bytes], name: str, limit_s: float, wanted: list[str]) -> None:
    """Waits for the program's end; takes from `wanted` what it printed. Raises WrongResult if it fails."""
    shown = Thread(target=_show, args=(process.stdout, wanted)) if process.stdout else None
    try:
        if shown:
            shown.start()
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise WrongResult(
            f"{name} did not end within {limit_s:g} s", hint="[host.NAME] time-limit-s sets another limit"
        ) from error
    except BaseException:
        _end(process)
        raise
    if shown:
        shown.join(_LAST_OUTPUT_S)
    sys.stdout.flush()
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise WrongResult(f"{name} ended with {how}")
    if wanted:
        raise WrongResult(
            f"{name} did not print {wanted[0]!r}",
            hint="its test wants a line with it: [host.NAME] output-has",
        )


def _written(notebook: str, script: str) -> str:
    """Writes the Python program that a notebook's code cells are; returns its absolute path."""
    with open(notebook, encoding="utf-8") as stream:
        text = program_of_notebook(stream.read(), notebook)
    os.makedirs(os.path.dirname(script), exist_ok=True)
    with open(script, "w", encoding="utf-8") as stream:
        stream.write(text)
    return os.path.abspath(script)


def _show(output: IO[bytes], wanted: list[str]) -> None:
    """Shows a program's output, and takes from `wanted` what it has, in order; several blanks are as one."""
    for line in output:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        rest = " ".join(line.decode(errors="replace").split())
        while wanted:
            _, found, rest = rest.partition(" ".join(wanted[0].split()))
            if not found:
                break
            wanted.pop(0)


def _folder_of_links(made: str, folder: str, files: Sequence[str]) -> str:
    """A folder with links to all that is in another one, and to files under given names; returns its path.

    When the other one is missing, as in the folder of a foreign build, it is empty but for these files, in a
    folder with links to all that is above.
    """
    shutil.rmtree(made, ignore_errors=True)
    there = os.path.abspath(folder)
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    inside = os.path.relpath(os.path.abspath(folder), there)
    folder = there
    named = dict(word.partition("=")[::2] for word in files)
    own = {os.path.normpath(os.path.join(inside, path)): file for path, file in named.items()}
    tops = {path.partition("/")[0] for path in own}
    os.makedirs(made)
    for name in os.listdir(folder):
        if name not in tops:
            os.symlink(os.path.abspath(os.path.join(folder, name)), os.path.join(made, name))
    for path, file in own.items():
        place = os.path.join(made, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(os.path.abspath(file), place)
    inner = os.path.join(made, inside)
    os.makedirs(inner, exist_ok=True)
    return inner


def command_of(
    program: str,
    words: list[str],
    module: str,
    device: str,
    runner: str,
    *,
    emulated: bool,
    run_as: str = "",
    limit_s: float = 0.0,
) -> list[str]:
    """The whole command line.

    Args:
        program: a compiled program or a Python script.
        words: its own.
        module: what a script imports: "aie" (npuninja's own, runs designs by itself), "pyxrt", "both" or "".
        device: the family of its designs, for the emulated NPU.
        runner: what starts compiled programs with XRT's libraries; "" where the system has them.
        emulated: whether there is no NPU.
        run_as: the name of a script as a module, when it is run as one.
        limit_s: of the whole program; 0 for none. An emulated command is slower, so it may take most of it.
    """
    own = [sys.executable, "-m", "npuninja"]
    if program.endswith(".py"):
        if module in ("aie", ""):
            named = ["--module", run_as] if run_as else []
            return [*own, "python", program, "--device", device, *named, "--", *words]
        # Under the emulated NPU `python` is the one that pyxrt is built for.
        what = ["-m", run_as] if run_as else [program]
        command = ["python" if emulated else sys.executable, *what, *words]
    else:
        command = [*([runner] if runner else []), program, *words]
    time = ["--time-limit", f"{_OF_ONE_COMMAND * limit_s:g}"] if limit_s else []
    return [*own, "emu", "--device", device, *time, "--", *command] if emulated else command


def _absolute(word: str) -> str:
    """A word with the build's files named from everywhere: the program runs in another folder."""
    option, equals, value = word.partition("=")
    for head, path in ((option + equals, value), ("", word)):
        if path and not os.path.isabs(path) and os.path.sep in path and os.path.exists(path):
            return head + os.path.abspath(path)
    return word


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return
