"""What tools answered before, by the state of their file: a warm configure starts no tool."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.cache_files import keep_answer, kept_answer
from npuninja.detect.tool import Proof
from npuninja.files import write_if_changed

if TYPE_CHECKING:
    from typing import Any

FORMAT = 2
#: In the user's cache.
CACHE = "probes"
#: Version, reason and facts of a proof.
Entry = tuple[str, str, tuple[str, ...]]


class ProbeCache:
    """Answers of proofs, kept in a JSON file. A file that cannot be read is as good as none.

    Only certain answers are kept, both good and bad; a tool that was installed, replaced or touched has
    another stamp.

    Args:
        path: the file.
        for_all: whether answers of programs that need nothing but themselves are kept, and taken, for all
            build folders of this user too.
    """

    def __init__(self, path: str, for_all: bool = False) -> None:
        self._path = path
        self._for_all = for_all
        self._changed = False
        self._used: set[str] = set()
        self._entries: dict[str, Entry] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content: Any = json.load(stream)
            if content["format"] == FORMAT:
                self._entries = {key: _entry(proof) for key, proof in content["proofs"].items()}
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            self._entries = {}

    @staticmethod
    def _key(tool: str, stamp: tuple[str, int, int], commands: list[list[str]]) -> str:
        return json.dumps([tool, *stamp, commands])

    def get(
        self, tool: str, stamp: tuple[str, int, int], commands: list[list[str]], alone_in: str | None = None
    ) -> Proof | None:
        """The answer this tool gave in this state to these commands, or None.

        `alone_in`: for a program that needs nothing but itself, what in the environment decides how it is
        loaded; the answer may then be one of another build folder.
        """
        key = self._key(tool, stamp, commands)
        entry = self._entries.get(key)
        if entry is None and self._for_all and alone_in is not None:
            entry = _from_json(kept_answer(CACHE, _question(key, alone_in)))
            if entry is not None:
                self._entries[key] = entry
                self._changed = True
        if entry is None:
            return None
        self._used.add(key)
        version, reason, facts = entry
        return Proof(version=version, reason=reason, facts=facts)

    def put(
        self,
        tool: str,
        stamp: tuple[str, int, int],
        commands: list[list[str]],
        proof: Proof,
        alone_in: str | None = None,
    ) -> None:
        """Remembers an answer; `alone_in` as `get` has it."""
        key = self._key(tool, stamp, commands)
        entry = proof.version, proof.reason, proof.facts
        self._entries[key] = entry
        self._used.add(key)
        self._changed = True
        if self._for_all and alone_in is not None:
            keep_answer(CACHE, _question(key, alone_in), json.dumps(_as_json(*entry)).encode())

    def save(self) -> None:
        """Writes the answers that were asked for this time, when anything is new; old ones are dropped."""
        if not self._changed:
            return
        proofs = {key: _as_json(*self._entries[key]) for key in sorted(self._used)}
        write_if_changed(self._path, json.dumps({"format": FORMAT, "proofs": proofs}, indent=1))


def _entry(proof: Mapping[str, Any]) -> Entry:
    facts = tuple(str(fact) for fact in proof.get("facts", []))
    return str(proof.get("version", "")), str(proof.get("reason", "")), facts


def _from_json(content: bytes | None) -> Entry | None:
    try:
        return _entry(json.loads(content)) if content is not None else None
    except (ValueError, RecursionError, TypeError, AttributeError):
        return None


def _question(key: str, alone_in: str) -> str:
    """What decides an answer for all build folders: the machine, and the modules here that read answers."""
    machine = os.uname().nodename if hasattr(os, "uname") else ""
    return json.dumps([machine, _readers(), key, alone_in])


@functools.cache
def _readers() -> list[tuple[str, int, int]]:
    """The modules that read answers, as this process has them: path, size and time."""
    with os.scandir(os.path.dirname(os.path.abspath(__file__))) as entries:
        states = [(entry.path, entry.stat()) for entry in entries if entry.name.endswith(".py")]
    return sorted((path, state.st_size, state.st_mtime_ns) for path, state in states)


def _as_json(version: str, reason: str, facts: tuple[str, ...]) -> dict[str, Any]:
    entry: dict[str, Any] = {"version": version} if version else {"reason": reason}
    return {**entry, "facts": list(facts)} if facts else entry
