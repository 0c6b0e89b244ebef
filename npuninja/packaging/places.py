"""Names of files that are the same wherever the project, the build and the tools lie."""

from __future__ import annotations

import os
from collections.abc import Iterable

from npuninja.records import NamedTuple

#: Roles of other files than the build's and npuninja's: in the project, of a tool, other (system headers).
SOURCE, TOOL, OTHER = "source", "tool", "other"


class UsedTool(NamedTuple):
    """A tool of the build: its name, its version, the word that stands for it in commands, its place."""

    name: str
    version: str
    identity: str
    path: str


class PortablePlace(NamedTuple):
    """A file's place: its folder's role ("build", "npuninja", or one of those above), its portable name."""

    role: str
    name: str


class BuildFolders:
    """The folders of one build.

    Args:
        source_root: absolute folder of the project.
        build_folder: absolute folder of all outputs.
        npuninja: absolute folder of the package npuninja.
        tools: what the build used.
    """

    def __init__(self, source_root: str, build_folder: str, npuninja: str, tools: Iterable[UsedTool]) -> None:
        tools = tuple(tools)
        folders = [
            (source_root, SOURCE, ""),
            (build_folder, "build", "build/"),
            (npuninja, "npuninja", "npuninja/"),
        ]
        folders += [(os.path.dirname(tool.path), TOOL, f"tools/{tool.name}/") for tool in tools]
        # The innermost counts: the build folder lies in the project as a rule, and so may npuninja and tools.
        self._folders = sorted(folders, key=lambda entry: -len(entry[0]))
        self._programs = {tool.path: tool.name for tool in tools}
        self._identities = {tool.identity: f"{tool.name}-{tool.version}" for tool in tools}
        self._known: dict[str, PortablePlace] = {}  # commands name the same files again and again

    def identity(self, word: str) -> str | None:
        """Name and version of the tool that a word of a command stands for; None when it stands for none.

        The word also tells the tool's place and time. The dependencies say which tool it is.
        """
        return self._identities.get(word)

    def portable(self, path: str) -> str:
        """The portable name of a file: `kernels/gain/gain.c`, `build/…/gain.o`, `npuninja/…`.

        A tool has its name, a file beside or below it `tools/NAME/FILE`. What lies in none of these places
        has its own name only.

        Args:
            path: as the commands of the build name the file.
        """
        return self.place(path).name

    def place(self, path: str) -> PortablePlace:
        """Where a file belongs, and its portable name."""
        place = self._known.get(path)
        if place is None:
            place = self._known[path] = self._place(os.path.abspath(path))
        return place

    def _place(self, absolute: str) -> PortablePlace:
        if absolute in self._programs:
            return PortablePlace(TOOL, self._programs[absolute])
        for folder, role, name in self._folders:
            if absolute.startswith(folder + os.sep):
                return PortablePlace(role, name + absolute[len(folder) + 1 :].replace(os.sep, "/"))
        return PortablePlace(OTHER, os.path.basename(absolute))
