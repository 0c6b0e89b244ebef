"""What is known of the files that a build's commands name: what they copy, and which nothing makes here."""

from __future__ import annotations

import os

from npuninja.porting.found import ShellCommand


class KnownFiles:
    """The files of a folder; paths are absolute.

    Attributes:
        folder: that is imported.
        not_made: what commands that are left out would have written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.not_made: set[str] = set()
        self._copies: dict[str, str] = {}

    def copied(self, target: str, source: str) -> None:
        """A file is a copy of another."""
        self._copies[target] = source

    def original(self, path: str) -> str:
        """The file that was copied to a path; the path itself when none was."""
        seen = set()
        while path in self._copies and path not in seen:
            seen.add(path)
            path = self._copies[path]
        return path

    def left_out(self, command: ShellCommand) -> None:
        """A command is left out: what it would have written is not made."""
        words = [command.stdout] if command.stdout else []
        words += [b for a, b in zip(command.words, command.words[1:]) if a in ("-o", "--output")]
        self.not_made.update(os.path.normpath(os.path.join(command.folder, word)) for word in words)

    def short(self, path: str) -> str:
        """A path as seen from the folder, for messages."""
        return os.path.relpath(path, self.folder)
