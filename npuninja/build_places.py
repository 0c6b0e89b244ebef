"""What a project and its build folders have, by name, and which build a folder belongs to.

For what runs without `npuninja.configure`; `npuninja.configure.built` takes the same build for verbs.
"""

from __future__ import annotations

import os

SETTINGS = "toolchain.toml"
#: The folder of a project's designs.
DESIGNS = "mlir"
#: What a project has, configured or not.
PROJECT_MARKS = (SETTINGS, DESIGNS)
#: What Ninja and Make read, where it lies beside the sources, and the folder of the outputs then.
BUILD_FILE, MAKEFILE = "build.ninja", "build.mk"
OUTPUT_FOLDER = "build"
#: In the folder of the outputs: how configure.py was called, and the compilers that it found.
RECORD = "config.toml"
COMPILERS = "compilers.json"
#: The variable that names the build folder that verbs are to use.
BUILD_VARIABLE = "NPUNINJA_BUILD"


def nearest(folder: str) -> tuple[str, str]:
    """What decides for a folder: the COMPILERS of a build, else a toolchain.toml; "" for what does not.

    The build is the one that BUILD_VARIABLE names, else that of the nearest folder upwards that has one: as a
    build folder, or as a project.
    """
    asked = os.path.join(os.environ.get(BUILD_VARIABLE) or folder, COMPILERS)
    if os.path.isfile(asked):
        return asked, ""
    while True:
        found = _found_at(folder)
        if found:
            return found, ""
        settings = os.path.join(folder, SETTINGS)
        if os.path.isfile(settings):
            return "", settings
        above = os.path.dirname(folder)
        if above == folder:
            return "", ""
        folder = above


def _found_at(folder: str) -> str:
    """The file of a build folder, or of a project: that of its own build, else of its only build folder."""
    path = os.path.join(folder, COMPILERS)
    if os.path.isfile(path):
        return path
    if _has_any(folder, (BUILD_FILE, MAKEFILE)):
        path = os.path.join(folder, OUTPUT_FOLDER, COMPILERS)
        return path if os.path.isfile(path) else ""
    if not _has_any(folder, PROJECT_MARKS):
        return ""
    builds = (name for name in os.listdir(folder) if not name.startswith("."))
    paths = [path for name in builds if os.path.isfile(path := os.path.join(folder, name, COMPILERS))]
    return paths[0] if len(paths) == 1 else ""


def _has_any(folder: str, names: tuple[str, ...]) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in names)
