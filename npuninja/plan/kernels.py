"""The sources of kernel objects: `X.o` is made from the one `X.c`, `X.cc` or `X.cpp` below the kernels
folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from npuninja.errors import UserError
from npuninja.plan.design import LinkedObject
from npuninja.plan.names import check_name, near

SUFFIXES = (".c", ".cc", ".cpp")


@dataclass(frozen=True)
class KernelFolder:
    """What lies below the kernels folder.

    Attributes:
        path: the folder as it is to be shown.
        folders: it and every folder below it, sorted; a new file in one of them changes the plan.
        sources: kernel name -> its sources, as a rule one.
    """

    path: str
    folders: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]

    def source_of(self, linked: LinkedObject) -> str:
        """The source of the object that a design names.

        Raises:
            UserError: the name cannot be an object's, nothing makes it, or two sources would; located in the
                design.
        """
        name, dot, suffix = linked.name.rpartition(".")
        if "/" in linked.name or "\\" in linked.name:
            raise UserError(
                f"link_with names a path, {linked.name!r}; expected the plain name of an object",
                linked.location,
                hint=f"X.o is made from X.c, X.cc or X.cpp below {self.path}/",
            )
        if not dot or suffix != "o":
            raise UserError(
                f"link_with names {linked.name!r}, which is no object file (X.o)",
                linked.location,
                hint=f"X.o is made from X.c, X.cc or X.cpp below {self.path}/",
            )
        check_name("kernel object", name, linked.location)
        sources = self.sources.get(name, ())
        if not sources:
            raise UserError(f"nothing makes {linked.name!r}", linked.location, hint=self._what_there_is(name))
        if len(sources) > 1:
            raise UserError(
                f"{linked.name!r} could be made from {' or '.join(sources)}",
                linked.location,
                hint="rename one of them: the objects of all kernels lie in one folder",
            )
        return sources[0]

    def _what_there_is(self, name: str) -> str:
        known = sorted(self.sources)
        if not known:
            return f"there is no kernel at all: put {name}.c, {name}.cc or {name}.cpp below {self.path}/"
        close = near(name, known)
        meant = f"did you mean {' or '.join(n + '.o' for n in close)}? " if close else ""
        ordered = [*close, *(n for n in known if n not in close)]
        return f"{meant}the sources below {self.path}/ make " + ", ".join(n + ".o" for n in ordered)


def read_kernel_folder(path: str, shown: str) -> KernelFolder:
    """Lists the kernels folder at `path`; sources carry the prefix `shown`. A missing folder has no kernels."""
    folders: list[str] = []
    sources: dict[str, list[str]] = {}
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
            elif suffix in SUFFIXES:
                sources.setdefault(stem, []).append(os.path.join(name, entry.name))
    return KernelFolder(shown, tuple(sorted(folders)), {k: tuple(sorted(v)) for k, v in sources.items()})
