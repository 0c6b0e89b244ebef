"""Puts a package below a prefix: `share/NAME` with its contents, `bin/NAME` that runs its designs.

`share/NAME` is written beside its place under a temporary name and renamed, as `bin/NAME` is: what is there
is whole, the old package or the new one, never a mixture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from npuninja.errors import ToolError, UserError, in_words
from npuninja.packaging.contents import PACKAGE, SUMS
from npuninja.packaging.package import Package

FILE_MODE = 0o644
FOLDER_MODE = PROGRAM_MODE = 0o755
# Finds the designs by its own place, so that the prefix may be moved.
LAUNCHER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "${{PYTHON:-python3}}" "$here/../share/{name}/run.py" "$@"
"""


def install(
    package: Package, files: Mapping[str, bytes], prefix: str, staging: str, say: Callable[[str], None]
) -> None:
    """Installs a package.

    Args:
        package: its name.
        files: its contents.
        prefix: absolute folder where it will be used.
        staging: a folder that stands for `/` now (DESTDIR); "" for none.
        say: takes the path of each file that is in place.

    Raises:
        UserError: the prefix is not absolute, or something else is in the package's place.
        ToolError: a file cannot be written; nothing of the package is changed then.
    """
    if not os.path.isabs(prefix):
        raise UserError(f"--prefix {prefix}: expected an absolute folder")
    root = os.path.join(os.path.abspath(staging), prefix.lstrip(os.sep)) if staging else prefix
    share, program = os.path.join(root, "share", package.name), os.path.join(root, "bin", package.name)
    _check_place(share, package)
    new, old = (
        os.path.join(root, "share", f".{word}{os.getpid()}.{package.name}") for word in ("new", "old")
    )
    new_program = os.path.join(root, "bin", f".new{os.getpid()}.{package.name}")
    try:
        for name, data in files.items():
            _write(os.path.join(new, *name.split("/")), data, FILE_MODE)
        _write(new_program, LAUNCHER.format(name=package.name).encode(), PROGRAM_MODE)
        if os.path.lexists(share):
            os.rename(share, old)
        os.rename(new, share)
        os.replace(new_program, program)
    except OSError as error:
        what = error.filename if error.filename is not None else root
        raise ToolError(
            f"cannot install {what}: {in_words(error)}",
            hint="install elsewhere (configure.py --prefix FOLDER, or DESTDIR=FOLDER ninja install), "
            "or as a user who may",
        ) from error
    finally:
        if os.path.lexists(old) and not os.path.lexists(share):
            os.rename(old, share)
        for folder in (new, old):
            shutil.rmtree(folder, ignore_errors=True)
        if os.path.lexists(new_program):
            os.unlink(new_program)
    for name in sorted(files):
        say(os.path.join(share, *name.split("/")))
    say(program)


def _check_place(share: str, package: Package) -> None:
    """Nothing of another's is overwritten or deleted: what is there must be a package, and only that."""
    if not os.path.lexists(share):
        return
    if os.path.islink(share) or not all(
        os.path.isfile(os.path.join(share, name)) for name in (PACKAGE, SUMS)
    ):
        raise UserError(
            f"{share} is there, and is no package of designs",
            hint=f"move it away, or call the package otherwise than {package.name!r} in [package] of "
            "toolchain.toml",
        )
    with open(os.path.join(share, SUMS), encoding="utf-8") as stream:
        known = {line.rstrip("\n").partition("  ")[2] for line in stream} | {SUMS}
    for folder, folders, names in os.walk(share):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, share).replace(os.sep, "/") not in known:
                raise UserError(
                    f"{path} does not belong to the package there, and would be lost", hint="move it away"
                )


def _write(path: str, data: bytes, mode: int) -> None:
    """Writes a file and its folders with these modes, whatever the umask."""
    folder, missing = os.path.dirname(path), []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for folder in reversed(missing):
        os.mkdir(folder)
        os.chmod(folder, FOLDER_MODE)
    with open(path, "wb") as stream:
        stream.write(data)
    os.chmod(path, mode)
