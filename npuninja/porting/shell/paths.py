"""Paths of the machine that a script was written on, and the files that a script would find at a place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.porting.shell.expansion import UNKNOWN

#: Folders of tools: what is looked for there is taken as there, and is no part of the imported folder.
_TOOLS = re.compile(
    r"^/(?:opt|usr|bin|lib|proc|sys|dev|etc|snap)/|/(?:site-packages|bin|lib|lib64)(?:/|$)|venv|ironenv|/\.local/"
)
_PATH = re.compile(r"(?:(?<=^)|(?<=[=:,])|(?<=^-[ILD]))/[^\s:=,]+")
_MOST_LEVELS = 8


def tree_of(folder: str) -> str:
    """The top of the tree that a folder is in: where its `.git` is, else the folder."""
    above = folder
    for _ in range(_MOST_LEVELS):
        if os.path.exists(os.path.join(above, ".git")):
            return above
        above = os.path.dirname(above)
    return folder


class ForeignPaths:
    """What is where.

    Attributes:
        moved: folder of another machine -> the one here that it is taken for.
        assumed: paths outside of the imported tree that are taken as there.
        named: paths that earlier commands name: they may have made them.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._tree = tree_of(folder)
        self.moved: dict[str, str] = {}
        self.assumed: dict[str, None] = {}
        self.named: set[str] = set()

    def here(self, path: str) -> str:
        """An absolute path as one of this machine, where it is clear which it is."""
        path = os.path.normpath(path)
        if os.path.exists(path) or UNKNOWN in path:
            return path
        moved = self._moved(path)
        if os.path.exists(moved or path) or _TOOLS.search(path) or self._is_inside(path):
            return moved or path
        if path in self.named:
            return moved or path
        foreign, local = self._twin(path)
        if not foreign or foreign in self.moved:
            return moved or path
        self.moved[foreign] = local
        self.named = set(map(self.here, self.named))
        return self._moved(path)

    def _moved(self, path: str) -> str:
        """A path below a folder that is known under another name here; "" for others."""
        for foreign in sorted(self.moved, key=len, reverse=True):
            if path == foreign or path.startswith(foreign + "/"):
                return os.path.normpath(self.moved[foreign] + path[len(foreign) :])
        return ""

    def _twin(self, path: str) -> tuple[str, str]:
        """The first folder of a path that has a twin here, and the twin: it holds the imported folder, or two
        names of the path in a row are in a folder that does.
        """
        parts = path.strip("/").split("/")
        for end in range(len(parts), max(len(parts) - _MOST_LEVELS, 1), -1):
            for start in range(1, end):
                tail = parts[start:end]
                for above in self._above():
                    candidate = os.path.join(above, *tail)
                    related = self._folder == candidate or self._folder.startswith(candidate + "/")
                    if os.path.exists(candidate) and (related or len(tail) > 1):
                        return "/" + "/".join(parts[: start + 1]), os.path.join(above, tail[0])
        return "", ""

    def in_word(self, word: str) -> str:
        """A word with paths of the other machine replaced."""
        return _PATH.sub(lambda match: self.here(match[0]), word) if "/" in word else word

    def exists(self, path: str) -> bool:
        """Whether a script finds a file or folder; what lies outside of the tree is taken as there."""
        if not path:
            return False
        path = self.here(path)
        if os.path.exists(path) or path in self.named:
            return True
        made_here = any(path.startswith(name + "/") for name in self.named)
        if self._is_inside(path) or (made_here and not _TOOLS.search(path)):
            return False
        self.assumed[path] = None
        return True

    def is_strange(self, path: str) -> bool:
        """Whether an absolute path is of another machine."""
        return UNKNOWN in path or (
            os.path.isabs(path) and not os.path.exists(path) and not self._is_inside(path)
        )

    def _is_inside(self, path: str) -> bool:
        return path == self._tree or path.startswith(self._tree.rstrip("/") + "/")

    def _above(self) -> Iterator[str]:
        above = self._folder
        while True:
            yield above
            # Without a `.git`, the tree may begin a few levels above the folder, never at the whole machine.
            if above in (self._tree, os.path.dirname(above)) and above != self._folder:
                return
            above = os.path.dirname(above)
            if above.count("/") < 2:
                return
