"""What tools answered before, by the state of their file: a warm configure starts no tool."""

from __future__ import annotations

import json
import os
from typing import Any

from npuninja.detect.tool import Proof

FORMAT = 1


class ProbeCache:
    """Answers of proofs, kept in a JSON file. A file that cannot be read is as good as none.

    Only certain answers are kept, both good and bad; a tool that was installed, replaced or touched has another stamp.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = False
        self._used: set[str] = set()
        self._entries: dict[str, dict[str, str]] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content: Any = json.load(stream)
            if content["format"] == FORMAT:
                self._entries = {str(k): {str(n): str(t) for n, t in e.items()} for k, e in content["proofs"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass

    @staticmethod
    def _key(tool: str, stamp: tuple[str, int, int], command: list[str]) -> str:
        return json.dumps([tool, *stamp, command])

    def get(self, tool: str, stamp: tuple[str, int, int], command: list[str]) -> Proof | None:
        """The answer this tool gave in this state to this command, or None."""
        key = self._key(tool, stamp, command)
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._used.add(key)
        return Proof(version=entry.get("version", ""), reason=entry.get("reason", ""))

    def put(self, tool: str, stamp: tuple[str, int, int], command: list[str], proof: Proof) -> None:
        """Remembers an answer."""
        key = self._key(tool, stamp, command)
        self._entries[key] = {"version": proof.version} if proof.version else {"reason": proof.reason}
        self._used.add(key)
        self._changed = True

    def save(self) -> None:
        """Writes the answers that were asked for this time, when anything is new; old ones are dropped."""
        if not self._changed:
            return
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        temporary = f"{self._path}.new{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as stream:
            proofs = {key: self._entries[key] for key in sorted(self._used)}
            json.dump({"format": FORMAT, "proofs": proofs}, stream, indent=1)
        os.replace(temporary, self._path)
