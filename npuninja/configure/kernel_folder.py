"""What lies below the kernels folder, for planning (`npuninja.plan.kernels`), which reads no disk itself."""

from __future__ import annotations

import os
from collections.abc import Sequence

from npuninja.file_kinds import C_SUFFIXES
from npuninja.plan.kernel_settings import KernelSettings
from npuninja.plan.kernels import BINARIES, KernelFolder


def read_kernel_folder(path: str, shown: str, settings: Sequence[KernelSettings] = ()) -> KernelFolder:
    """Lists the kernels folder at `path`; sources get the prefix `shown`. A missing folder has no kernels."""
    folders: list[str] = []
    sources: dict[str, list[str]] = {}
    binaries: dict[str, list[str]] = {}
    pending = [(path, shown)]
    while pending:
        folder, name = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        folders.append(name)
        for entry in entries:
            if entry.name.startswith((".", "__")):
                continue
            stem, suffix = os.path.splitext(entry.name)
            if entry.is_dir():
                pending.append((entry.path, os.path.join(name, entry.name)))
            elif suffix in C_SUFFIXES:
                sources.setdefault(stem, []).append(os.path.join(name, entry.name))
            elif suffix in BINARIES:
                binaries.setdefault(entry.name, []).append(os.path.join(name, entry.name))
    return KernelFolder(
        shown,
        tuple(sorted(folders)),
        {k: tuple(sorted(v)) for k, v in sources.items()},
        {k: tuple(sorted(v)) for k, v in binaries.items()},
        tuple(settings),
        tuple(path for each in settings for path in each.sources or () if not os.path.isfile(path)),
    )
