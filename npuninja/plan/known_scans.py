"""What designs print and what scans found, for all build folders of a project: equal texts say the same.

For build folders that know nothing yet. One file in the user's cache for each project and state of npuninja.
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

    from npuninja.plan.python_design import PythonDesign

CACHE = "scans"


class KnownScans:
    """The scans of one project.

    Args:
        project: its folder, absolute.
        state: gives other words when npuninja may find something else in a text; asked once, when needed.
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
        key = _key("scan", text, *words)
        entry = self._entry(key)
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

    def print_of(self, words: tuple[object, ...]) -> PythonDesign | None:
        """What a program printed that nothing but these words decides, when that is known."""
        key = _key("print", *words)
        entry = self._entry(key)
        try:
            if entry is not None:
                from npuninja.plan.python_design import PythonDesign

                text, imports = entry
                return PythonDesign(text, tuple(imports), ())
        except (TypeError, ValueError):
            pass
        return None

    def keep_print(self, words: tuple[object, ...], printed: PythonDesign) -> None:
        """Notes what a program printed, if it brings nothing besides."""
        if not printed.kernels and not printed.aiecc_flags:
            self._used[_key("print", *words)] = [printed.text, list(printed.imports)]

    def _entry(self, key: str) -> Any:
        if not self._question:
            self._question = f"{os.path.abspath(self._project)}\0{self._state()}"
            self._known = _entries(kept_answer(CACHE, self._question))
        return self._known.get(key)

    def save(self) -> None:
        """Keeps what is known of this time, when one of them is new."""
        if self._question and not self._used.keys() <= self._known.keys():
            keep_answer(CACHE, self._question, json.dumps(self._used).encode())


def _key(*words: object) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _entries(content: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(content) if content is not None else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
