"""Names of files that are the same wherever the project, the build and the tools lie."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple


class UsedTool(NamedTuple):
    """A tool of the build: how it is called, its version, the word that stands for it in commands, where it is."""

    name: str
    version: str
    identity: str
    path: str


class Places:
    """The folders of one build.

    Args:
        source_root: absolute folder of the project.
        build_folder: absolute folder of all outputs.
        npuninja: absolute folder of the package npuninja.
        tools: what the build used.
    """

    def __init__(self, source_root: str, build_folder: str, npuninja: str, tools: Iterable[UsedTool]) -> None:
        self.tools = tuple(tools)
        # The build folder lies in the project as a rule, and so may npuninja and an environment with tools.
        self._folders = [(build_folder, "build"), (npuninja, "npuninja")]
        self._folders += [(os.path.dirname(tool.path), f"tools/{tool.name}") for tool in self.tools]
        self._folders.append((source_root, ""))
        self._programs = {tool.path: tool.name for tool in self.tools}

    def portable(self, path: str) -> str:
        """The name of a file, given as commands of the build name it: `kernels/gain/gain.c`, `build/…/gain.o`, `npuninja/…`.

        A tool is called by its name, a file beside or below it `tools/NAME/FILE`. What lies nowhere of all this has its own
        name only.
        """
        absolute = os.path.abspath(path)
        if absolute in self._programs:
            return self._programs[absolute]
        for folder, name in self._folders:
            if absolute.startswith(folder + os.sep):
                below = absolute[len(folder) + 1 :].replace(os.sep, "/")
                return f"{name}/{below}" if name else below
        return os.path.basename(absolute)

    def is_source(self, portable: str) -> bool:
        """Whether a name that `portable` gave is of a file that a person wrote, not of the build or of a tool."""
        return not portable.startswith(("build/", "npuninja/", "tools/")) and portable not in self._programs.values()
