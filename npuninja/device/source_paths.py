"""Where the files lie that a fault names.

A core's debug information names files without the build folder and the project's folder, so that builds in
different folders give the same bytes. The runner puts them back: errors show the line, editors open it.
"""

from __future__ import annotations

import argparse
import os

from npuninja.device.manifest import Manifest
from npuninja.errors import Error, Location, UserError
from npuninja.files import MAX_DESCRIPTION_BYTES, read_file
from npuninja.source_places import warnings_of


def locate(error: Error, manifest: Manifest) -> None:
    """Replaces file names in the error's places by paths, as far as the files are found.

    Names are relative to the folder of designs' build folders (`passthrough/input_with_addresses.mlir`) or to
    the project (`kernels/passthrough/passthrough.c`): a folder above, unless the build folder lies elsewhere.
    """
    folders = _folders_above(manifest)
    error.location = _found(error.location, folders)
    error.notes = tuple((text, _found(location, folders)) for text, location in error.notes)


def with_warnings(error: Error, manifest: Manifest) -> None:
    """Adds what was warned of when the design was lowered: a standstill often has its cause there."""
    lowered = os.path.join(os.path.dirname(manifest.path), "input_with_addresses.mlir")
    found = warnings_of(lowered)
    error.notes += tuple(
        (f"the build warned: {text}", Location(*where) if where else None) for text, where in found
    )
    if found:
        error.hint = f"begin with what the build warned of; {error.hint}" if error.hint else None


def reference_source(manifest: Manifest) -> str | None:
    """The file with the design's reference: the project's `host/NAME.py` while the build's copy is equal to
    it, so that errors name the file to edit; else the copy. None without a reference.
    """
    if manifest.reference is None:
        return None
    source = _find(os.path.join("host", f"{manifest.design}.py"), _folders_above(manifest))
    is_current = source is not None and _content(source) == _content(manifest.reference)
    return source if is_current else manifest.reference


def print_reference(manifest: Manifest, options: argparse.Namespace) -> None:
    """Says where the reference lies that `--verify` compares with."""
    if options.verify and manifest.reference:
        print(f"reference: {os.path.relpath(reference_source(manifest) or manifest.reference)}", flush=True)


def _content(path: str) -> bytes | None:
    try:
        return read_file(path, MAX_DESCRIPTION_BYTES)
    except UserError:
        return None


def _folders_above(manifest: Manifest) -> list[str]:
    """The folders above the manifest's, nearest first."""
    folder = os.path.dirname(os.path.abspath(manifest.path))
    folders = []
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        folders.append(folder)
    return folders


def _found(location: Location | None, folders: list[str]) -> Location | None:
    if location is None or os.path.exists(location.file):
        return location
    return location._replace(file=_find(location.file, folders) or location.file)


def _find(name: str, folders: list[str]) -> str | None:
    """The first file of this name in the folders: relative to the working folder where it lies below that."""
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            near = os.path.relpath(path)
            return path if near.startswith(os.pardir) else near
    return None
