"""Where the files lie that a fault names.

The names in a core's debug information leave out the build folder and the project's folder, so that builds in different
folders give the same bytes. The runner puts them back, so that an error shows the line and an editor can open it.
"""

from __future__ import annotations

import os

from npuninja.device.manifest import Manifest
from npuninja.diag.errors import Error, Location


def locate(error: Error, manifest: Manifest) -> None:
    """Replaces file names in the error's places by paths of files that exist, as far as they are found.

    Names are relative to the folder that holds the designs' build folders (`passthrough/input_with_addresses.mlir`) or to
    the project (`kernels/passthrough/passthrough.c`), which is a folder above unless the build folder lies elsewhere.
    """
    folder = os.path.dirname(os.path.abspath(manifest.path))
    folders = []
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        folders.append(folder)
    error.location = _found(error.location, folders)
    error.notes = tuple((text, _found(location, folders)) for text, location in error.notes)


def _found(location: Location | None, folders: list[str]) -> Location | None:
    if location is None or os.path.exists(location.file):
        return location
    for folder in folders:
        path = os.path.join(folder, location.file)
        if os.path.exists(path):
            near = os.path.relpath(path)
            return location._replace(file=path if near.startswith(os.pardir) else near)
    return location
