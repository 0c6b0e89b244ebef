"""What tools answered before, by the state of their file: a warm configure starts no tool."""

from __future__ import annotations

import json
from typing import Any

from npuninja.detect.tool import Proof
from npuninja.files import write_if_changed

FORMAT = 2


class ProbeCache:
    """Answers of proofs, kept in a JSON file. A file that cannot be read is as good as none.

    Only certain answers are kept, both good and bad; a tool that was installed, replaced or touched has
    another stamp.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = False
        self._used: set[str] = set()
        self._entries: dict[str, tuple[str, str, tuple[str, ...]]] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content: Any = json.load(stream)
            if content["format"] == FORMAT:
                for key, entry in content["proofs"].items():
                    facts = tuple(str(fact) for fact in entry.get("facts", []))
                    self._entries[key] = str(entry.get("version", "")), str(entry.get("reason", "")), facts
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            self._entries = {}

    @staticmethod
    def _key(tool: str, stamp: tuple[str, int, int], commands: list[list[str]]) -> str:
        return json.dumps([tool, *stamp, commands])

    def get(self, tool: str, stamp: tuple[str, int, int], commands: list[list[str]]) -> Proof | None:
        """The answer this tool gave in this state to these commands, or None."""
        key = self._key(tool, stamp, commands)
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._used.add(key)
        version, reason, facts = entry
        return Proof(version=version, reason=reason, facts=facts)

    def put(self, tool: str, stamp: tuple[str, int, int], commands: list[list[str]], proof: Proof) -> None:
        """Remembers an answer."""
        key = self._key(tool, stamp, commands)
        self._entries[key] = proof.version, proof.reason, proof.facts
        self._used.add(key)
        self._changed = True

    def save(self) -> None:
        """Writes the answers that were asked for this time, when anything is new; old ones are dropped."""
        if not self._changed:
            return
        proofs = {key: _as_json(*self._entries[key]) for key in sorted(self._used)}
        write_if_changed(self._path, json.dumps({"format": FORMAT, "proofs": proofs}, indent=1))


def _as_json(version: str, reason: str, facts: tuple[str, ...]) -> dict[str, Any]:
    entry: dict[str, Any] = {"version": version} if version else {"reason": reason}
    return {**entry, "facts": list(facts)} if facts else entry
