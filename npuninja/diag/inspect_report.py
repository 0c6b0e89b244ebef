"""What `npuninja inspect` says of one file or folder."""

from __future__ import annotations

import json
from typing import Any

from npuninja.records import NamedTuple


class InspectReport(NamedTuple):
    """What was found: the kind of file, all facts for JSON, and the lines for people."""

    kind: str
    name: str
    facts: dict[str, Any]
    lines: list[str]

    def with_problem(self, problem: str | None) -> InspectReport:
        """This report with what is wrong with the file added; None for nothing."""
        more = [f"  problem: {problem}"] if problem else []
        return self._replace(facts={**self.facts, "problem": problem}, lines=[*self.lines, *more])

    def text(self) -> str:
        """The report as lines for people, without a final newline."""
        return "\n".join([f"{self.name}: {self.kind}", *self.lines])

    def json(self) -> str:
        """The report as JSON: one object, indented."""
        return json.dumps({"file": self.name, "kind": self.kind, **self.facts}, indent=1)
