"""What scans of designs found, for all build folders of a project: the same text says the same in each.

Used where a build folder knows nothing yet. One file in the user's cache for each project and state of npuninja.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable

from npuninja import TYPE_CHECKING
from npuninja.cache_files import keep_answer, kept_answer
from npuninja.plan.design import Design, from_json, to_json

if TYPE_CHECKING:
    from typing import Any

CACHE = "scans"


class KnownScans:
    """The scans of one project.

    Args:
        project: its folder, absolute.
        state: gives words that are others when npuninja may find something else in a text; asked once, when needed.
    """

    def __init__(self, project: str, state: Callable[[], str]) -> None:
        self._project, self._state = project, state
        self._question = ""
        self._known: dict[str, Any] = {}
        self._used: dict[str, Any] = {}

    def scanned(self, text: str, words: tuple[object, ...], scan: Callable[[], Design]) -> Design:
        """The design in a text: what is known of it, else what `scan` finds.

        Args:
            text: the MLIR.
            words: what else decides what is found: the files that places name, flags.
            scan: reads the text. What it raises is not kept.
        """
        if not self._question:
            self._question = f"{os.path.abspath(self._project)}\0{self._state()}"
            self._known = _entries(kept_answer(CACHE, self._question))
        key = hashlib.sha256(json.dumps([text, *words]).encode()).hexdigest()
        entry = self._known.get(key)
        try:
            if entry is not None:
                name, source, mlir, imports, content = entry
                design = from_json(content, name, source, mlir, tuple(imports))
                self._used[key] = entry
                return design
        except (KeyError, TypeError, ValueError):
            pass
        design = scan()
        self._used[key] = [design.name, design.source, design.mlir, list(design.imports), to_json(design)]
        return design

    def save(self) -> None:
        """Keeps the scans of this time, when one of them is new."""
        if self._question and not self._used.keys() <= self._known.keys():
            keep_answer(CACHE, self._question, json.dumps(self._used).encode())


def _entries(content: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(content) if content is not None else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
