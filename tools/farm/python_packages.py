"""Programs from the Python package index, in a virtual environment of their own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence

from npuninja.errors import ToolError
from npuninja.install.folder import run
from npuninja.install.installed_files import UNFINISHED, write_record


def find_python(oldest: tuple[int, int], environment: Mapping[str, str]) -> str:
    """A Python that is `oldest` or newer: the running one, else one on PATH.

    Raises:
        ToolError: there is none.
    """
    if sys.version_info[:2] >= oldest:
        return sys.executable
    for minor in range(20, oldest[1] - 1, -1):
        path = shutil.which(f"python{oldest[0]}.{minor}", path=environment.get("PATH", ""))
        if path:
            return path
    wanted = ".".join(map(str, oldest))
    raise ToolError(
        f"Python {wanted} or newer is needed, and there is none on PATH", hint=f"install Python {wanted}"
    )


def install_python_packages(
    requirements: Sequence[str],
    folder: str,
    *,
    python: str,
    finish: Callable[[str], None],
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Makes a virtual environment with packages from the index that pip uses on this machine.

    Args:
        requirements: as pip takes them.
        folder: the environment to make. One that is there is replaced; when anything fails, there is none.
        python: the interpreter for it.
        finish: called with the folder at the end, to prove that it works.
        say: called with what happens, a line each.

    Raises:
        ToolError: there is no venv module, the network fails, or a package does not exist.
    """
    # An environment cannot be moved, so it is made in its place.
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
    try:
        os.makedirs(folder)
        unfinished = os.path.join(folder, UNFINISHED)
        open(unfinished, "wb").close()  # killed from here on, it stays there and says so
        run([python, "-m", "venv", folder], "cannot make a virtual environment", hint="install python3-venv")
        say(f"fetching {', '.join(requirements)} and what they need")
        pip = [
            os.path.join(folder, "bin", "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        run([*pip, *requirements], f"cannot install {', '.join(requirements)}")
        finish(folder)
        write_record(folder, {"packages": list(requirements)})
        os.unlink(unfinished)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
